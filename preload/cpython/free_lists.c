#include "free_lists.h"

#include "../intern.h"

#include <string.h>

#define TYPE_SIZE 408 /* what all versions' PyTypeObject have in common */

typedef void (*deallocate)(void *object);

/*
 * The deallocators push only objects of exactly their own type.  A dying object is given a
 * private copy of its type, so the original function takes the way of a subclass and frees the
 * memory.  The copy keeps the original tp_dealloc: the trashcan compares with it and calls it
 * (Objects/listobject.c, dictobject.c, tupleobject.c, floatobject.c; Include/cpython/object.h,
 * Py_TRASHCAN_BEGIN).
 */
struct patch {
	void *type;
	deallocate original;
	_Alignas(16) char copy[TYPE_SIZE + 64];
};

enum {
	LIST,
	DICT,
	TUPLE,
	FLOAT,
	PATCHES
};

static struct patch patches[PATCHES];

static inline void redirect(struct patch *patch, void *object)
{
	void **type = (void **)((char *)object + TM_OB_TYPE);

	if (likely(*type == patch->type))
		*type = patch->copy;
	patch->original(object);
}

static void dealloc_list(void *object)
{
	redirect(&patches[LIST], object);
}

static void dealloc_dict(void *object)
{
	redirect(&patches[DICT], object);
}

static void dealloc_tuple(void *object)
{
	redirect(&patches[TUPLE], object);
}

static void dealloc_float(void *object)
{
	redirect(&patches[FLOAT], object);
}

static bool apply(struct patch *patch, void *type, deallocate replacement)
{
	deallocate *slot = (deallocate *)((char *)type + TM_TP_DEALLOC);

	if (*slot == replacement)
		return true;
	if (!(TM_FIELD(uint64_t, type, TM_TP_FLAGS) & TM_FLAG_READY) ||
	    !TM_FIELD(void *, type, TM_TP_FREE))
		return false;
	patch->type = type;
	patch->original = *slot;
	memcpy(patch->copy, type, TYPE_SIZE);
	tm_intern_alias((uintptr_t)patch->copy, (uintptr_t)type);
	*slot = replacement;
	return true;
}

/* PyInterpreterState: { int numfree; PyFloatObject *free_list; }, linked through ob_type. */
struct float_list {
	int count;
	void *first;
};

enum {
	FLOATS_MOST = 100,
	FLOATS_CLOSED = 1 << 30
};

static struct float_list *float_list(void)
{
	char *interpreter = tm_python.main_interpreter();

	if (!tm_python.adapter->float_list || !interpreter)
		return NULL;
	return (struct float_list *)(interpreter + tm_python.adapter->float_list);
}

/* Nothing is written unless the count agrees with the length of the list it counts. */
static bool is_plausible(const struct float_list *list)
{
	int length = 0;

	if (list->count < 0 || list->count > FLOATS_MOST)
		return false;
	for (void *entry = list->first; entry && length <= FLOATS_MOST;
	     entry = TM_FIELD(void *, entry, TM_OB_TYPE)) {
		if ((uintptr_t)entry & 15 || (uintptr_t)entry < 4096)
			return false;
		length++;
	}
	return length == list->count;
}

/* A list that claims to be full takes nothing, and being empty gives nothing. */
static bool close_float_list(void)
{
	struct float_list *list = float_list();

	if (!list)
		return false;
	if (list->count == FLOATS_CLOSED)
		return true;
	if (!is_plausible(list))
		return false;
	while (list->first) {
		void *entry = list->first;

		list->first = TM_FIELD(void *, entry, TM_OB_TYPE);
		tm_python.object_free(entry);
	}
	list->count = FLOATS_CLOSED;
	return true;
}

unsigned tm_free_lists_patch(void)
{
	unsigned blind = 0;

	if (!apply(&patches[LIST], tm_python.list_type, dealloc_list) ||
	    !apply(&patches[DICT], tm_python.dict_type, dealloc_dict) ||
	    !apply(&patches[TUPLE], tm_python.tuple_type, dealloc_tuple))
		blind |= TM_B_FREE_LISTS;
	/* From 3.11 on the evaluation loop frees floats without their deallocator. */
	if (close_float_list())
		return blind;
	if (tm_python.adapter->float_list)
		blind |= TM_B_FLOATS;
	if (!apply(&patches[FLOAT], tm_python.float_type, dealloc_float))
		blind |= TM_B_FREE_LISTS;
	return blind;
}

void tm_free_lists_refresh(void)
{
	if (tm_python.family == TM_FAMILY_ALLOCATOR && tm_python.adapter->float_list)
		close_float_list();
}

#include "free_lists.h"

#include "../intern.h"
#include "../record.h"

#include <string.h>

#define TYPE_SIZE 408 /* what all versions' PyTypeObject have in common */

typedef void (*deallocate)(void *object);

static bool is_ready(const void *type)
{
	return TM_FIELD(uint64_t, type, TM_TP_FLAGS) & TM_FLAG_READY &&
	       TM_FIELD(void *, type, TM_TP_FREE);
}

static deallocate *slot_of(void *type)
{
	return (deallocate *)((char *)type + TM_TP_DEALLOC);
}

/* ---- types whose deallocators look whether the type is exactly theirs --------- */

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
	deallocate *slot = slot_of(type);

	if (*slot == replacement)
		return true;
	if (!is_ready(type))
		return false;
	patch->type = type;
	patch->original = *slot;
	memcpy(patch->copy, type, TYPE_SIZE);
	tm_intern_alias((uintptr_t)patch->copy, (uintptr_t)type);
	*slot = replacement;
	return true;
}

/* ---- types whose deallocators push whatever comes ----------------------------- */

/*
 * These are deallocated here, as their own functions do it but for the free list: none can be
 * subclassed, and all are small and hold a few references (Objects/sliceobject.c, genobject.c,
 * classobject.c, methodobject.c, Python/context.c; compared for 3.8 to 3.13.0).
 */
struct small {
	uint16_t size;		  /* tp_basicsize; another one is a type that we do not know */
	uint16_t weak_references; /* tp_weaklistoffset */
	uint16_t references[4];	  /* offsets, in the order in which they go; ends with 0 */
};

static const struct small slice = {40, 0, {32, 16, 24, 0}};
static const struct small context = {48, 32, {16, 24, 0}};
static const struct small asend = {40, 0, {16, 24, 0}};
static const struct small wrapped_value = {24, 0, {16, 0}};
static const struct small method = {48, 32, {16, 24, 0}};
static const struct small builtin_method = {56, 40, {24, 32, 0}};

static void drop_references(void *object, const struct small *shape)
{
	for (const uint16_t *offset = shape->references; *offset; offset++) {
		void **place = (void **)((char *)object + *offset);
		void *value = *place;

		*place = NULL;
		if (value)
			tm_python.decref(value);
	}
}

static inline void deallocate_small(void *object, const struct small *shape)
{
	void *type = TM_FIELD(void *, object, TM_OB_TYPE);

	/* From 3.13 on one that was never awaited warns, and may come back to life. */
	if (TM_FIELD(void *, type, TM_TP_FINALIZE) && tm_python.finalize(object) < 0)
		return;
	tm_python.gc_untrack(object);
	if (shape->weak_references && TM_FIELD(void *, object, shape->weak_references))
		tm_python.clear_weak_references(object);
	drop_references(object, shape);
	tm_python.gc_delete(object);
}

static void dealloc_slice(void *object)
{
	deallocate_small(object, &slice);
}

static void dealloc_context(void *object)
{
	deallocate_small(object, &context);
}

static void dealloc_asend(void *object)
{
	deallocate_small(object, &asend);
}

static void dealloc_wrapped_value(void *object)
{
	deallocate_small(object, &wrapped_value);
}

static void dealloc_method(void *object)
{
	deallocate_small(object, &method);
}

/*
 * A method of a method of a method ... takes no more stack than its own deallocator does, which
 * puts deep ones off (Objects/methodobject.c, meth_dealloc; Include/object.h, Py_TRASHCAN_BEGIN):
 * they wait, out of the collector's sight, linked by what its head has no use for then.
 */
static void dealloc_builtin_method(void *object)
{
	enum {
		DEPTH_MOST = 50,
		GC_PREVIOUS = 8 /* bytes before the object */
	};
	static _Thread_local unsigned depth;
	static _Thread_local char *waiting;
	char *next;

	if (depth == DEPTH_MOST) {
		tm_python.gc_untrack(object);
		*(char **)((char *)object - GC_PREVIOUS) = waiting;
		waiting = object;
		return;
	}
	depth++;
	deallocate_small(object, &builtin_method);
	while (depth == 1 && waiting) {
		next = waiting;
		waiting = *(char **)(next - GC_PREVIOUS);
		*(char **)(next - GC_PREVIOUS) = NULL;
		deallocate_small(next, &builtin_method);
	}
	depth--;
}

static bool replace(void *type, const struct small *shape, deallocate replacement)
{
	if (TM_FIELD(uint64_t, type, TM_TP_BASICSIZE) != shape->size ||
	    TM_FIELD(uint64_t, type, TM_TP_WEAKLISTOFFSET) != shape->weak_references)
		return false;
	*slot_of(type) = replacement;
	return true;
}

static bool replace_all(void)
{
	bool done = replace(tm_python.slice_type, &slice, dealloc_slice);

	done &= replace(tm_python.context_type, &context, dealloc_context);
	done &= replace(tm_python.asend_type, &asend, dealloc_asend);
	/* From 3.13 on it is not exported; such a value lives from a yield to its await. */
	if (tm_python.wrapped_value_type)
		done &= replace(tm_python.wrapped_value_type, &wrapped_value,
				dealloc_wrapped_value);
	if (!tm_python.adapter->recycles_methods)
		return done;
	done &= replace(tm_python.method_type, &method, dealloc_method);
	done &= replace(tm_python.builtin_method_type, &builtin_method, dealloc_builtin_method);
	return done;
}

/* ---- MemoryError --------------------------------------------------------------- */

/*
 * Its free list is the reserve for when memory has ended, and stays.  What comes from it and goes
 * to it passes tp_new and tp_dealloc, and is noted there (Objects/exceptions.c, MemoryError_new,
 * MemoryError_dealloc).
 */
typedef void *(*create)(void *type, void *args, void *keywords);

static struct {
	void *type;
	create create;
	deallocate deallocate;
} memory_error;

static void dealloc_memory_error(void *object)
{
	if (TM_FIELD(void *, object, TM_OB_TYPE) == memory_error.type)
		tm_death_kept((uintptr_t)object, TM_GC_HEAD);
	memory_error.deallocate(object);
}

static void *new_memory_error(void *type, void *args, void *keywords)
{
	void *object = memory_error.create(type, args, keywords);

	if (object && type == memory_error.type)
		tm_birth_kept((uintptr_t)object, TM_GC_HEAD);
	return object;
}

static bool note_memory_errors(void)
{
	void *type = *(void **)tm_python.memory_error;

	if (!type || !is_ready(type))
		return false;
	if (*slot_of(type) == dealloc_memory_error)
		return true;
	memory_error.type = type;
	memory_error.deallocate = *slot_of(type);
	memory_error.create = TM_FIELD(create, type, TM_TP_NEW);
	*slot_of(type) = dealloc_memory_error;
	*(create *)((char *)type + TM_TP_NEW) = new_memory_error;
	return true;
}

/* ---- floats --------------------------------------------------------------------- */

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
	if (!replace_all())
		blind |= TM_B_FREE_LISTS;
	if (!note_memory_errors())
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

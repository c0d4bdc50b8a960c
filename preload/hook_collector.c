#include "hook_collector.h"

#include "cpython/cpython.h"
#include "cpython/free_lists.h"
#include "hook_tracer.h"
#include "marks.h"

#include <string.h>

static void *generation_key;
static void *function;

static void *none(void)
{
	tm_python.incref(tm_python.none);
	return tm_python.none;
}

/* Called with (phase, info), in the thread that collects (Modules/gcmodule.c, invoke_gc_callback).
 */
static void *on_collection(void *self, void *args)
{
	uintptr_t phase = (uintptr_t)tm_python.tuple_item(args, 0);
	void *info = tm_python.tuple_item(args, 1);
	void *generation = info ? tm_python.dict_get(info, generation_key) : NULL;
	char text[8];
	size_t length;

	(void)self;
	if (!phase || !generation) {
		tm_python.error_clear();
		return none();
	}
	length = tm_python_text(phase, text, sizeof(text));
	if (length == 5 && memcmp(text, "start", 5) == 0) {
		tm_hook_tracer_check();
		tm_marks_collection_starts((int)tm_python.as_long(generation));
	} else if (length == 4 && memcmp(text, "stop", 4) == 0) {
		tm_free_lists_refresh();
		tm_marks_collection_stops((int)tm_python.as_long(generation));
	}
	return none();
}

static struct tm_method_def definition = {"tidemark", on_collection, TM_METH_VARARGS, NULL};

static bool is_list(const void *object)
{
	return TM_FIELD(void *, object, TM_OB_TYPE) == tm_python.list_type;
}

/* The list of callbacks; NULL where the collector's state is not what we know. */
static void *callbacks(void)
{
	uintptr_t gc = tm_python_gc();
	void *list, *garbage;

	if (!gc)
		return NULL;
	list = TM_FIELD(void *, gc, tm_python.adapter->gc.callbacks);
	garbage = TM_FIELD(void *, gc, tm_python.adapter->gc.garbage);
	/* Two lists where two should be: the structure is the one we know. */
	if ((list && !is_list(list)) || (garbage && !is_list(garbage)))
		return NULL;
	return list;
}

/*
 * Up to 3.11 the list is made when gc is first imported, which takes one that is there already
 * (Modules/gcmodule.c, PyInit_gc; gcmodule_exec).
 */
static void *make_callbacks(void)
{
	uintptr_t gc = tm_python_gc();
	void **place;

	if (!gc)
		return NULL;
	place = (void **)(gc + tm_python.adapter->gc.callbacks);
	if (!*place)
		*place = tm_python.list_new(0);
	return callbacks();
}

bool tm_hook_collector_install(void)
{
	void *list = make_callbacks();

	generation_key = tm_python.intern("generation");
	function = tm_python.new_function(&definition, NULL, NULL);
	if (!list || !generation_key || !function || tm_python.list_append(list, function) != 0) {
		tm_python.error_clear();
		function = NULL;
		return false;
	}
	return true;
}

bool tm_hook_collector_will_run(void)
{
	enum {
		ITEMS = 24
	};
	uintptr_t gc = tm_python_gc();
	void *list = callbacks();
	size_t count = list ? TM_FIELD(size_t, list, TM_OB_SIZE) : 0;

	if (!function || !TM_FIELD(int, gc, tm_python.adapter->gc.enabled))
		return false;
	for (size_t i = 0; i < count; i++) {
		uintptr_t items = TM_FIELD(uintptr_t, list, ITEMS);

		if (TM_FIELD(void *, items, i * sizeof(void *)) == function)
			return true;
	}
	return false;
}

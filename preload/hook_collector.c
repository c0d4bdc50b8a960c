#include "hook_collector.h"

#include "cpython/cpython.h"
#include "cpython/free_lists.h"
#include "follow_up.h"
#include "hook_tracer.h"
#include "record.h"

#include <string.h>

/* Keys of the dict that callbacks get. */
enum {
	GENERATION,
	COLLECTED,
	UNCOLLECTABLE,
	KEYS
};

static const char *const key_names[KEYS] = {"generation", "collected", "uncollectable"};
static void *keys[KEYS];
static void *function;

static void *none(void)
{
	tm_python.incref(tm_python.none);
	return tm_python.none;
}

/* A number of the dict; 0 when it is not there. */
static uint64_t number(void *info, unsigned key)
{
	void *value = info ? tm_python.dict_get(info, keys[key]) : NULL;
	long found = value ? tm_python.as_long(value) : 0;

	if (!value || found < 0)
		tm_python.error_clear();
	return found > 0 ? (uint64_t)found : 0;
}

/*
 * What a callback is called with was made before the run that it tells of and dies in it, by no
 * doing of the collector's (invoke_gc_callback).
 */
static void leave_out(void *args, void *phase, void *info)
{
	void *key, *value;
	long position = 0;

	tm_record_leave_out((uintptr_t)args);
	tm_record_leave_out((uintptr_t)phase);
	tm_record_leave_out((uintptr_t)info);
	while (tm_python.dict_next(info, &position, &key, &value)) {
		tm_record_leave_out((uintptr_t)key);
		tm_record_leave_out((uintptr_t)value);
	}
}

static void on_start(void *args, void *phase, void *info)
{
	tm_hook_tracer_check();
	tm_follow_up_collection_starts((int)number(info, GENERATION));
	leave_out(args, phase, info);
}

static void on_stop(void *info)
{
	struct tm_collected what = {
		.generation = (int)number(info, GENERATION),
		.collected = number(info, COLLECTED),
		.uncollectable = number(info, UNCOLLECTABLE),
	};

	tm_free_lists_refresh();
	tm_follow_up_collection_stops(&what);
}

/* Called with (phase, info), in the thread that collects (Modules/gcmodule.c, invoke_gc_callback).
 */
static void *on_collection(void *self, void *args)
{
	void *phase = tm_python.tuple_item(args, 0);
	void *info = tm_python.tuple_item(args, 1);
	char text[8];
	size_t length;

	(void)self;
	if (!phase || !info || TM_FIELD(void *, info, TM_OB_TYPE) != tm_python.dict_type) {
		tm_python.error_clear();
		return none();
	}
	length = tm_python_text((uintptr_t)phase, text, sizeof(text));
	if (length == 5 && memcmp(text, "start", 5) == 0)
		on_start(args, phase, info);
	else if (length == 4 && memcmp(text, "stop", 4) == 0)
		on_stop(info);
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
	bool whole = list != NULL;

	for (unsigned i = 0; i < KEYS; i++) {
		keys[i] = tm_python.intern(key_names[i]);
		whole = whole && keys[i];
	}
	tm_python_garbage_ready();
	function = tm_python.new_function(&definition, NULL, NULL);
	if (!whole || !function || tm_python.list_append(list, function) != 0) {
		tm_python.error_clear();
		function = NULL;
		return false;
	}
	return true;
}

bool tm_hook_collector_will_run(void)
{
	uintptr_t gc = tm_python_gc();
	void *list = callbacks();
	size_t count = list ? TM_FIELD(size_t, list, TM_OB_SIZE) : 0;

	if (!function || !TM_FIELD(int, gc, tm_python.adapter->gc.enabled))
		return false;
	for (size_t i = 0; i < count; i++) {
		uintptr_t items = TM_FIELD(uintptr_t, list, TM_LIST_ITEMS);

		if (TM_FIELD(void *, items, i * sizeof(void *)) == function)
			return true;
	}
	return false;
}

/*
 * Where gc.garbage is: the collector's own list, and what the module's attribute names.
 */
#include "cpython.h"

static void *module_key, *attribute_key; /* the strs "gc" and "garbage" */

void tm_python_garbage_ready(void)
{
	if (!module_key)
		module_key = tm_python.intern("gc");
	if (!attribute_key)
		attribute_key = tm_python.intern("garbage");
	if (!module_key || !attribute_key)
		tm_python.error_clear();
}

static uintptr_t if_list(uintptr_t object)
{
	uintptr_t type = object ? TM_FIELD(uintptr_t, object, TM_OB_TYPE) : 0;

	if (type == (uintptr_t)tm_python.list_type)
		return object;
	return type && TM_FIELD(uint64_t, type, TM_TP_FLAGS) & TM_FLAG_LIST ? object : 0;
}

/* Where gc was never imported there is no attribute, and importing it would be seen. */
static uintptr_t attribute(void)
{
	void *modules, *module, *names, *value = NULL;

	if (!module_key || !attribute_key)
		return 0;
	modules = tm_python.modules();
	module = modules ? tm_python.dict_get(modules, module_key) : NULL;
	names = module ? tm_python.module_dict(module) : NULL;
	if (names)
		value = tm_python.dict_get(names, attribute_key);
	if (!value)
		tm_python.error_clear();
	return (uintptr_t)value;
}

void tm_python_garbage(uintptr_t lists[TM_GARBAGE_LISTS])
{
	uintptr_t gc = tm_python_gc();

	lists[0] = gc ? if_list(TM_FIELD(uintptr_t, gc, tm_python.adapter->gc.garbage)) : 0;
	lists[1] = if_list(attribute());
	if (lists[1] == lists[0])
		lists[1] = 0;
}

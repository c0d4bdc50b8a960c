/*
 * Recognising an interpreter, and reading its objects without calling it.
 */
#include "cpython.h"

#include "tidemark/utf8.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tm_python tm_python;

static const struct tm_adapter *const adapters[] = {
	&tm_adapter_38,	 &tm_adapter_39,  &tm_adapter_310, &tm_adapter_311,
	&tm_adapter_312, &tm_adapter_313, &tm_adapter_314, &tm_adapter_315,
};

/* A name of the C API, where its address goes, and from which minor version on it must exist. */
struct symbol {
	const char *name;
	size_t slot;
	unsigned since, until; /* minors; outside of them the slot stays NULL */
};
#define SLOT(member) offsetof(struct tm_python, member)

static const struct symbol symbols[] = {
	{"_PyThreadState_UncheckedGet", SLOT(thread_state), 8, 12},
	{"PyThreadState_GetUnchecked", SLOT(thread_state), 13, 99},
	{"Py_IsInitialized", SLOT(is_initialized), 8, 99},
	{"_Py_IsFinalizing", SLOT(is_finalizing), 8, 12},
	{"Py_IsFinalizing", SLOT(is_finalizing), 13, 99},
	{"PyMem_GetAllocator", SLOT(get_allocator), 8, 99},
	{"PyMem_SetAllocator", SLOT(set_allocator), 8, 99},
	{"PyObject_GetArenaAllocator", SLOT(get_arena_allocator), 8, 99},
	{"PyObject_SetArenaAllocator", SLOT(set_arena_allocator), 8, 99},
	{"_PyMem_GetCurrentAllocatorName", SLOT(allocator_name), 8, 99},
	{"PySys_AddAuditHook", SLOT(add_audit_hook), 8, 99},
	{"PyRefTracer_SetTracer", SLOT(set_tracer), 13, 99},
	{"PyRefTracer_GetTracer", SLOT(get_tracer), 13, 99},
	{"PyGC_Collect", SLOT(collect), 8, 99},
	{"PyGILState_GetThisThreadState", SLOT(own_thread_state), 8, 99},
	{"PyInterpreterState_Main", SLOT(main_interpreter), 8, 99},
	{"PyInterpreterState_Head", SLOT(newest_interpreter), 8, 99},
	{"PyInterpreterState_GetID", SLOT(interpreter_id), 8, 99},
	{"PyUnicode_InternFromString", SLOT(intern), 8, 99},
	{"PyDict_GetItemWithError", SLOT(dict_get), 8, 99},
	{"PyDict_Next", SLOT(dict_next), 8, 99},
	{"PyImport_GetModuleDict", SLOT(modules), 8, 99},
	{"PyModule_GetDict", SLOT(module_dict), 8, 99},
	{"PyCFunction_NewEx", SLOT(new_function), 8, 99},
	{"PyImport_ImportModule", SLOT(import), 8, 99},
	{"PyObject_CallMethod", SLOT(call_method), 8, 99},
	{"PyObject_GetAttrString", SLOT(get_attr), 8, 99},
	{"PyTuple_GetItem", SLOT(tuple_item), 8, 99},
	{"PyLong_AsLong", SLOT(as_long), 8, 99},
	{"PyList_Append", SLOT(list_append), 8, 99},
	{"PyList_New", SLOT(list_new), 8, 99},
	{"PyObject_Free", SLOT(object_free), 8, 99},
	{"Py_IncRef", SLOT(incref), 8, 99},
	{"Py_DecRef", SLOT(decref), 8, 99},
	{"PyObject_CallFinalizerFromDealloc", SLOT(finalize), 8, 99},
	{"PyObject_GC_UnTrack", SLOT(gc_untrack), 8, 99},
	{"PyObject_GC_Del", SLOT(gc_delete), 8, 99},
	{"PyObject_ClearWeakRefs", SLOT(clear_weak_references), 8, 99},
	{"PyErr_Occurred", SLOT(error_occurred), 8, 99},
	{"PyErr_Fetch", SLOT(error_fetch), 8, 99},
	{"PyErr_Restore", SLOT(error_restore), 8, 99},
	{"PyErr_Clear", SLOT(error_clear), 8, 99},
	{"PyEval_GetFrame", SLOT(eval_frame), 8, 99},
	{"PyUnicode_AsUTF8AndSize", SLOT(as_utf8), 8, 99},
	{"_PyRuntime", SLOT(runtime), 8, 99},
	{"_Py_NoneStruct", SLOT(none), 8, 99},
	{"PyType_Type", SLOT(type_type), 8, 99},
	{"PyCode_Type", SLOT(code_type), 8, 99},
	{"PyList_Type", SLOT(list_type), 8, 99},
	{"PyDict_Type", SLOT(dict_type), 8, 99},
	{"PyTuple_Type", SLOT(tuple_type), 8, 99},
	{"PyFloat_Type", SLOT(float_type), 8, 99},
	{"PyBytes_Type", SLOT(bytes_type), 8, 99},
	{"PyUnicode_Type", SLOT(str_type), 8, 99},
	{"PyFrame_Type", SLOT(frame_type), 8, 99},
	{"PySlice_Type", SLOT(slice_type), 8, 99},
	{"PyContext_Type", SLOT(context_type), 8, 99},
	{"PySet_Type", SLOT(set_type), 8, 99},
	{"PyByteArray_Type", SLOT(bytearray_type), 8, 99},
	{"PyMethod_Type", SLOT(method_type), 8, 99},
	{"PyCFunction_Type", SLOT(builtin_method_type), 8, 99},
	{"_PyAsyncGenASend_Type", SLOT(asend_type), 8, 99},
	{"_PyAsyncGenWrappedValue_Type", SLOT(wrapped_value_type), 8, 12},
	{"PyExc_MemoryError", SLOT(memory_error), 8, 99},
};

/* "3.13.0rc1 (main, ...)": PY_VERSION_HEX as far as it matters here, without release level. */
static uint32_t parse_version(const char *text, char *out, size_t size)
{
	size_t length = strcspn(text, " ");
	char *end;
	unsigned long major = strtoul(text, &end, 10), minor = 0, micro = 0;

	if (*end == '.')
		minor = strtoul(end + 1, &end, 10);
	if (*end == '.')
		micro = strtoul(end + 1, &end, 10);
	if (length >= size)
		length = size - 1;
	memcpy(out, text, length);
	out[length] = '\0';
	return (uint32_t)(major << 24 | minor << 16 | micro << 8);
}

static const struct tm_adapter *adapter_for(uint32_t version_hex)
{
	for (size_t i = 0; i < sizeof(adapters) / sizeof(adapters[0]); i++) {
		if (version_hex >> 16 == (3u << 8 | adapters[i]->minor))
			return adapters[i];
	}
	return NULL;
}

static const char *resolve_symbols(struct tm_python *python)
{
	unsigned minor = python->adapter->minor;

	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *address;

		if (minor < symbols[i].since || minor > symbols[i].until)
			continue;
		address = dlsym(python->handle, symbols[i].name);
		if (!address)
			return symbols[i].name;
		memcpy((char *)python + symbols[i].slot, &address, sizeof(address));
	}
	return NULL;
}

/* From 3.13 the runtime begins with a table of its own offsets: what we compiled in must agree. */
static bool debug_offsets_agree(const struct tm_python *python)
{
	const uint64_t *words = python->runtime;

	if (!python->adapter->debug_words)
		return true;
	if (memcmp(words, "xdebugpy", 8) != 0 || words[2] != 0)
		return false;
	for (const struct tm_debug_word *word = python->adapter->debug_words; word->index; word++) {
		if (words[word->index] != word->value)
			return false;
	}
	return true;
}

/* The tracer reports every death from 3.13.3 on; before, most are missing (gh-130382). */
static enum tm_family family_of(uint32_t version_hex)
{
	return version_hex >= 0x030d0300 ? TM_FAMILY_TRACER : TM_FAMILY_ALLOCATOR;
}

bool tm_python_find(const struct tm_image *image, char *why, size_t why_size)
{
	struct tm_python found;
	const char *missing, *version;

	*why = '\0';
	memset(&found, 0, sizeof(found));
	found.image = *image;
	found.handle = tm_image_open(image);
	if (!found.handle)
		return false;
	*(void **)&found.get_version = dlsym(found.handle, "Py_GetVersion");
	if (!found.get_version)
		return false;
	version = found.get_version();
	found.version_hex = parse_version(version, found.version, sizeof(found.version));
	found.adapter = adapter_for(found.version_hex);
	if (!found.adapter) {
		snprintf(why, why_size, "Python %s is not one this Tidemark knows (3.8 to 3.15)",
			 found.version);
		return false;
	}
	if (strstr(version, "free-threading")) {
		snprintf(why, why_size,
			 "Python %s is a free-threaded build, which is not supported",
			 found.version);
		return false;
	}
	missing = resolve_symbols(&found);
	if (missing) {
		snprintf(why, why_size, "Python %s does not export %s", found.version, missing);
		return false;
	}
	if (!debug_offsets_agree(&found)) {
		snprintf(why, why_size,
			 "Python %s is laid out in a way this Tidemark does not know",
			 found.version);
		return false;
	}
	found.family = family_of(found.version_hex);
	*(void **)&found.tls_address = dlsym(RTLD_DEFAULT, "__tls_get_addr");
	memcpy(&tm_python, &found, sizeof(found));
	return true;
}

#define TSTATE_INTERP 16

bool tm_python_in_main(void)
{
	void *thread = tm_python_thread();

	return thread && TM_FIELD(void *, thread, TSTATE_INTERP) == tm_python.main_interpreter();
}

uint32_t tm_python_lock(void)
{
	void *thread = tm_python_thread(), *interpreter;
	void *first = tm_python.main_interpreter();
	uint16_t gil = tm_python.adapter->gil;

	if (!thread || !first)
		return 0;
	interpreter = TM_FIELD(void *, thread, TSTATE_INTERP);
	if (interpreter == first ||
	    (gil && TM_FIELD(void *, interpreter, gil) == TM_FIELD(void *, first, gil)))
		return 0;
	return (uint32_t)tm_python.interpreter_id(interpreter);
}

/* Up to 3.11 the thread state is the one of whoever holds the lock, another thread maybe. */
bool tm_python_holds_main(void)
{
	void *thread = tm_python_thread();

	return thread && thread == tm_python.own_thread_state() && tm_python_in_main();
}

uintptr_t tm_python_gc(void)
{
	uintptr_t base = tm_python.adapter->gc.in_runtime ? (uintptr_t)tm_python.runtime
							  : (uintptr_t)tm_python.main_interpreter();

	return base ? base + tm_python.adapter->gc.state : 0;
}

bool tm_python_collecting(void)
{
	uintptr_t base = (uintptr_t)tm_python.runtime;

	if (!tm_python.adapter->gc.in_runtime) {
		void *thread = tm_python_thread();

		base = thread ? TM_FIELD(uintptr_t, thread, TSTATE_INTERP) : 0;
	}
	return base &&
	       TM_FIELD(int, base,
			tm_python.adapter->gc.state + tm_python.adapter->gc.collecting) != 0;
}

/* PEP 393: state word at 32, bits 2..4 width of a character, 5 compact, 6 ASCII only. */
size_t tm_python_text(uintptr_t text, char *out, size_t size)
{
	enum {
		LENGTH = 16,
		STATE = 32,
		COMPACT = 1 << 5,
		ASCII = 1 << 6
	};
	uint32_t state;
	uintptr_t data;
	size_t length, written = 0;
	unsigned width;

	if (!text || TM_FIELD(void *, text, TM_OB_TYPE) != tm_python.str_type)
		return 0;
	state = TM_FIELD(uint32_t, text, STATE);
	width = state >> 2 & 7;
	if (!(state & COMPACT) || (width != 1 && width != 2 && width != 4))
		return 0;
	length = TM_FIELD(size_t, text, LENGTH);
	data = text +
	       (state & ASCII ? tm_python.adapter->str.ascii : tm_python.adapter->str.compact);
	for (size_t i = 0; i < length && written + TM_UTF8_MOST <= size; i++) {
		uint32_t c;

		if (width == 1)
			c = TM_FIELD(uint8_t, data, i);
		else if (width == 2)
			c = TM_FIELD(uint16_t, data, 2 * i);
		else
			c = TM_FIELD(uint32_t, data, 4 * i);
		written += tm_utf8_put(c, out + written);
	}
	return written;
}

const char *tm_python_bytes(uintptr_t bytes, size_t *size)
{
	*size = 0;
	if (!bytes || TM_FIELD(void *, bytes, TM_OB_TYPE) != tm_python.bytes_type)
		return NULL;
	*size = TM_FIELD(size_t, bytes, TM_OB_SIZE);
	return (const char *)bytes + TM_BYTES_DATA;
}

/*
 * The adapter checks itself: what the recorder reads from raw memory against what the public
 * API says of the same frame, code object, string and type.
 */
#include "frames.h"

#include <stdio.h>
#include <string.h>

/* An attribute of @object; only its identity or value is looked at, the reference is dropped. */
static uintptr_t attribute(void *object, const char *name)
{
	void *value = tm_python.get_attr(object, name);

	if (!value) {
		tm_python.error_clear();
		return 0;
	}
	tm_python.decref(value);
	return (uintptr_t)value;
}

static long number(void *object, const char *name)
{
	void *value = tm_python.get_attr(object, name);
	long result = value ? tm_python.as_long(value) : -1;

	if (value)
		tm_python.decref(value);
	if (tm_python.error_occurred())
		tm_python.error_clear();
	return result;
}

static bool same_text(uintptr_t text)
{
	char raw[512];
	long length;
	const char *expected = tm_python.as_utf8((void *)text, &length);
	size_t written = tm_python_text(text, raw, sizeof(raw));

	if (!expected) {
		tm_python.error_clear();
		return false;
	}
	if (length > (long)sizeof(raw) - 4)
		return memcmp(raw, expected, written) == 0;
	return written == (size_t)length && memcmp(raw, expected, written) == 0;
}

static const char *check_frame(void *frame, const struct tm_frame *seen)
{
	const struct tm_adapter *adapter = tm_python.adapter;
	const char *lines = adapter->line_format == TM_LINES_LNOTAB ? "co_lnotab" : "co_linetable";
	const char *name = adapter->line_format == TM_LINES_LOCATIONS ? "co_qualname" : "co_name";
	void *code = (void *)attribute(frame, "f_code");
	uintptr_t file;

	if ((uintptr_t)code != seen->code)
		return "the running frame's code object";
	if (number(frame, "f_lasti") != (long)seen->offset)
		return "the running frame's instruction";
	if (number(code, "co_firstlineno") != TM_FIELD(int, code, adapter->code.first_line))
		return "a code object's first line";
	file = TM_FIELD(uintptr_t, code, adapter->code.file);
	if (attribute(code, "co_filename") != file || !same_text(file))
		return "a code object's file name";
	if (attribute(code, name) != TM_FIELD(uintptr_t, code, adapter->code.name))
		return "a code object's name";
	if (attribute(code, lines) != TM_FIELD(uintptr_t, code, adapter->code.lines))
		return "a code object's line table";
	return NULL;
}

/* Any class made by a class statement will do; importlib's loader classes always exist. */
static const char *check_type(void)
{
	void *module = tm_python.import("_frozen_importlib");
	void *type = module ? tm_python.get_attr(module, "ModuleSpec") : NULL;
	const char *wrong = NULL;

	if (!type) {
		tm_python.error_clear();
	} else if (attribute(type, "__qualname__") !=
		   TM_FIELD(uintptr_t, type, tm_python.adapter->type_qualname)) {
		wrong = "a class's qualified name";
	} else if (number(type, "__basicsize__") != TM_FIELD(long, type, TM_TP_BASICSIZE)) {
		wrong = "a class's basic size";
	}
	if (type)
		tm_python.decref(type);
	if (module)
		tm_python.decref(module);
	return wrong;
}

/* How many items a tuple attribute of @object has. */
static long items_of(void *object, const char *name)
{
	void *value = tm_python.get_attr(object, name);
	long result = value ? TM_FIELD(long, value, TM_OB_SIZE) : -1;

	if (value)
		tm_python.decref(value);
	else
		tm_python.error_clear();
	return result;
}

/* Variables are there once each, though an argument may be in two of the public lists. */
static const char *check_slots(void *frame, void *code)
{
	const struct tm_adapter *adapter = tm_python.adapter;
	long locals = number(code, "co_nlocals"), stack = number(code, "co_stacksize");
	long cells = items_of(code, "co_cellvars") + items_of(code, "co_freevars");
	long variables;

	if (adapter->frame.variables)
		variables = TM_FIELD(int, code, adapter->frame.variables);
	else
		variables = TM_FIELD(long, frame, TM_OB_SIZE) - stack;
	if (adapter->frame.stack && TM_FIELD(int, code, adapter->frame.stack) != stack)
		return "the size of a code object's value stack";
	/* A frame object is used again for fewer variables than it was made for. */
	if (variables < locals || (adapter->frame.variables && variables > locals + cells))
		return "the number of a frame's variables";
	return NULL;
}

int tm_python_check(char *why, size_t why_size)
{
	struct tm_frame seen;
	void *frame = tm_python.eval_frame();
	const char *wrong;

	if (!frame || tm_frames_walk(&seen, 1) != 1)
		return -1;
	wrong = check_frame(frame, &seen);
	if (wrong) {
		snprintf(why, why_size, "%s of Python %s is not where it should be: stacks are off",
			 wrong, tm_python.version);
		return TM_B_STACKS;
	}
	wrong = check_type();
	if (wrong) {
		snprintf(why, why_size, "%s of Python %s is not where it should be: types are off",
			 wrong, tm_python.version);
		return TM_B_TYPES;
	}
	wrong = check_slots(frame, (void *)seen.code);
	if (wrong) {
		snprintf(why, why_size,
			 "%s of Python %s is not where it should be: owners of memory are off",
			 wrong, tm_python.version);
		return TM_B_OWNERS;
	}
	return 0;
}

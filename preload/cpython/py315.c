/*
 * CPython 3.15.  Offsets: Include/cpython/code.h (PyCodeObject), Include/cpython/unicodeobject.h,
 * Include/cpython/object.h (PyHeapTypeObject), Include/internal/pycore_interpframe_structs.h,
 * pycore_interp_structs.h and pycore_debug_offsets.h.
 */
#include "../hot.h"
#include "cpython.h"

/* Word of _Py_DebugOffsets (Include/internal/pycore_debug_offsets.h) and what it must say. */
static const struct tm_debug_word debug_words[] = {
	{26, 72},   /* thread_state.current_frame */
	{40, 8},    /* interpreter_frame.previous */
	{41, 0},    /* interpreter_frame.executable */
	{42, 56},   /* interpreter_frame.instr_ptr */
	{43, 80},   /* interpreter_frame.localsplus */
	{44, 74},   /* interpreter_frame.owner */
	{48, 112},  /* code_object.filename */
	{50, 128},  /* code_object.qualname */
	{51, 136},  /* code_object.linetable */
	{52, 68},   /* code_object.firstlineno */
	{56, 208},  /* code_object.co_code_adaptive */
	{92, 40},   /* unicode_object.asciiobject_size */
	{11, 7400}, /* interpreter_state.gc */
	{0, 0},
};
static const struct tm_chain chain = {.current = 72,
				      .previous = 8,
				      .instruction = 56,
				      .owner = 74,
				      .bytecode = 208,
				      .first_traceable = 192,
				      .first_shim = 3};

TM_HOT_SITES(chain)
TM_HOT_BUFFERS
TM_HOT_TRACED
static const struct tm_hot hot = {TM_HOT_NONE, TM_HOT_OF_TRACED};

const struct tm_adapter tm_adapter_315 = {
	.name = "3.15",
	.minor = 15,
	.chain = &chain,
	.hot = &hot,
	.line_format = TM_LINES_LOCATIONS,
	.code = {.first_line = 68, .file = 112, .name = 128, .lines = 136},
	.str = {.ascii = 40, .compact = 56},
	.frame = {.names = 24, .slots = 80, .variables = 72, .stack = 64},
	.type_qualname = 880,
	.gc = {.state = 7400, .enabled = 0, .collecting = 112, .garbage = 128, .callbacks = 136},
	.float_list = 0,
	.own_gils = true,
	.preheader_flags = 3ull << 3,
	.refcount_mask = UINT32_MAX,
	.debug_words = debug_words,
};

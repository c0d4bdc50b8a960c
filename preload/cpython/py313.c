/*
 * CPython 3.13.  Offsets: Include/cpython/code.h (PyCodeObject), Include/cpython/unicodeobject.h,
 * Include/cpython/object.h (PyHeapTypeObject), Include/internal/pycore_frame.h, pycore_gc.h,
 * pycore_interp.h and pycore_runtime.h.
 */
#include "../hot.h"
#include "cpython.h"

/* Word of _Py_DebugOffsets (Include/internal/pycore_runtime.h) and what it must say. */
static const struct tm_debug_word debug_words[] = {
	{23, 72},   /* thread_state.current_frame */
	{29, 8},    /* interpreter_frame.previous */
	{30, 0},    /* interpreter_frame.executable */
	{31, 56},   /* interpreter_frame.instr_ptr */
	{32, 72},   /* interpreter_frame.localsplus */
	{33, 70},   /* interpreter_frame.owner */
	{35, 112},  /* code_object.filename */
	{37, 128},  /* code_object.qualname */
	{38, 136},  /* code_object.linetable */
	{39, 68},   /* code_object.firstlineno */
	{43, 200},  /* code_object.co_code_adaptive */
	{70, 40},   /* unicode_object.asciiobject_size */
	{10, 7400}, /* interpreter_state.gc */
	{14, 16},   /* interpreter_state.ceval_gil */
	{0, 0},
};
static const struct tm_chain chain = {.current = 72,
				      .previous = 8,
				      .instruction = 56,
				      .owner = 70,
				      .bytecode = 200,
				      .first_traceable = 184,
				      .first_shim = 3};

TM_HOT_SITES(chain)
TM_HOT_BUFFERS
TM_HOT_BLOCKS
TM_HOT_TRACED
static const struct tm_hot hot = {TM_HOT_OF_BLOCKS, TM_HOT_OF_TRACED};

const struct tm_adapter tm_adapter_313 = {
	.name = "3.13",
	.minor = 13,
	.chain = &chain,
	.hot = &hot,
	.line_format = TM_LINES_LOCATIONS,
	.code = {.first_line = 68, .file = 112, .name = 128, .lines = 136},
	.str = {.ascii = 40, .compact = 56},
	.frame = {.names = 24, .slots = 72, .variables = 72, .stack = 64},
	.type_qualname = 872,
	.gc = {.state = 7400, .enabled = 12, .collecting = 200, .garbage = 208, .callbacks = 216},
	.float_list = 10952,
	.own_gils = true,
	.gil = 16,
	.preheader_flags = 3ull << 3,
	.refcount_mask = UINT64_MAX,
	.debug_words = debug_words,
};

/*
 * CPython 3.8.  Offsets: Include/code.h and Include/cpython/code.h (PyCodeObject: co_firstlineno,
 * co_filename, co_name, co_lnotab), Include/cpython/unicodeobject.h, Include/cpython/object.h
 * (PyHeapTypeObject), Include/internal/pycore_gc.h and pycore_pymem.h (struct _gc_runtime_state).
 */
#include "../hot.h"
#include "cpython.h"

/* Include/cpython/pystate.h: frame; Include/cpython/frameobject.h: f_back, f_code, f_lasti */
static const struct tm_chain chain = {
	.objects = true, .current = 24, .previous = 24, .code = 32, .instruction = 104, .unit = 1};

TM_HOT_SITES(chain)
TM_HOT_BUFFERS
TM_HOT_BLOCKS
static const struct tm_hot hot = {TM_HOT_OF_BLOCKS, TM_HOT_NONE};

const struct tm_adapter tm_adapter_38 = {
	.name = "3.8",
	.minor = 8,
	.chain = &chain,
	.hot = &hot,
	.current_thread = 0x558, /* gilstate.tstate_current */
	.line_format = TM_LINES_LNOTAB,
	.code = {.first_line = 40, .file = 104, .name = 112, .lines = 120},
	.str = {.ascii = 48, .compact = 72},
	.frame = {.names = 40, .slots = 360},
	.type_qualname = 864,
	.gc = {.state = 344,
	       .enabled = 12,
	       .collecting = 200,
	       .garbage = 208,
	       .callbacks = 216,
	       .in_runtime = true},
	.recycles_methods = true,
	.preheader_flags = 0,
	.refcount_mask = UINT64_MAX,
	.blind = TM_B_FRAMES,
};

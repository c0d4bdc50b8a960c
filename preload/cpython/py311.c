/*
 * CPython 3.11.  Offsets: Include/cpython/code.h (PyCodeObject), Include/cpython/unicodeobject.h,
 * Include/cpython/object.h (PyHeapTypeObject), Include/internal/pycore_frame.h, pycore_gc.h and
 * pycore_interp.h.
 */
#include "../hot.h"
#include "cpython.h"

static const struct tm_chain chain = {.cframe = 56,
				      .current = 8,
				      .previous = 48,
				      .code = 32,
				      .instruction = 56,
				      .owner = 69,
				      .bytecode = 184,
				      .first_traceable = 168,
				      .first_shim = 255};

TM_HOT_SITES(chain)
TM_HOT_BUFFERS
TM_HOT_BLOCKS
static const struct tm_hot hot = {TM_HOT_OF_BLOCKS, TM_HOT_NONE};

const struct tm_adapter tm_adapter_311 = {
	.name = "3.11",
	.minor = 11,
	.chain = &chain,
	.hot = &hot,
	.current_thread = 0x240, /* gilstate.tstate_current */
	.line_format = TM_LINES_LOCATIONS,
	.code = {.first_line = 72, .file = 112, .name = 128, .lines = 136},
	.str = {.ascii = 48, .compact = 72},
	.frame = {.names = 8, .slots = 72, .variables = 76, .stack = 68},
	.type_qualname = 864,
	.gc = {.state = 648, .enabled = 12, .collecting = 200, .garbage = 208, .callbacks = 216},
	.float_list = 3608,
	.preheader_flags = 1ull << 4,
	.refcount_mask = UINT64_MAX,
	.blind = 0,
};

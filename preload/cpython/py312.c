/*
 * CPython 3.12.  Offsets: Include/cpython/code.h (PyCodeObject), Include/cpython/unicodeobject.h,
 * Include/cpython/object.h (PyHeapTypeObject), Include/internal/pycore_frame.h, pycore_gc.h and
 * pycore_interp.h.
 */
#include "../hot.h"
#include "cpython.h"

static const struct tm_chain chain = {.cframe = 56,
				      .previous = 8,
				      .instruction = 56,
				      .owner = 70,
				      .bytecode = 192,
				      .first_traceable = 176,
				      .first_shim = 3};

TM_HOT_SITES(chain)
TM_HOT_BUFFERS
TM_HOT_BLOCKS
static const struct tm_hot hot = {TM_HOT_OF_BLOCKS, TM_HOT_NONE};

const struct tm_adapter tm_adapter_312 = {
	.name = "3.12",
	.minor = 12,
	.chain = &chain,
	.hot = &hot,
	.line_format = TM_LINES_LOCATIONS,
	.code = {.first_line = 68, .file = 112, .name = 128, .lines = 136},
	.str = {.ascii = 40, .compact = 56},
	.frame = {.names = 24, .slots = 72, .variables = 72, .stack = 64},
	.type_qualname = 872,
	.gc = {.state = 112, .enabled = 12, .collecting = 200, .garbage = 208, .callbacks = 216},
	.float_list = 267408,
	.own_gils = true,
	.gil = 384,
	.preheader_flags = 3ull << 3,
	.refcount_mask = UINT64_MAX,
	.blind = 0,
};

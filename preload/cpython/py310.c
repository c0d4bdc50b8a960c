/*
 * CPython 3.10.  Offsets: Include/code.h and Include/cpython/code.h (PyCodeObject: co_firstlineno,
 * co_filename, co_name, co_linetable), Include/cpython/unicodeobject.h, Include/cpython/object.h
 * (PyHeapTypeObject), Include/internal/pycore_gc.h and pycore_pymem.h (struct _gc_runtime_state).
 */
#include "walk_frames.h"

static unsigned walk(struct tm_frame *out, unsigned max)
{
	return tm_walk_frame_objects(out, max, 96, 2);
}

const struct tm_adapter tm_adapter_310 = {
	.name = "3.10",
	.minor = 10,
	.walk = walk,
	.line_format = TM_LINES_LINETABLE,
	.code = {.first_line = 40, .file = 104, .name = 112, .lines = 120},
	.str = {.ascii = 48, .compact = 72},
	.type_qualname = 864,
	.gc = {.state = 616, .enabled = 12, .garbage = 208, .callbacks = 216},
	.preheader_flags = 0,
	.refcount_mask = UINT64_MAX,
	.blind = TM_B_FRAMES,
};

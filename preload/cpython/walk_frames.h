/*
 * walk_frames.h - stack walk over frame objects (3.8 to 3.10)
 *
 * Source: Include/frameobject.h (3.8), Include/cpython/frameobject.h (3.9, 3.10),
 * Include/cpython/pystate.h.  Included by adapters only, which give the offsets as
 * constants so that the walk compiles to plain loads.
 */
#ifndef TIDEMARK_WALK_FRAMES_H
#define TIDEMARK_WALK_FRAMES_H

#include "cpython.h"

TM_INLINE unsigned tm_walk_frame_objects(struct tm_frame *out, unsigned max, unsigned lasti,
					 unsigned unit)
{
	enum {
		TSTATE_FRAME = 24,
		F_BACK = 24,
		F_CODE = 32
	};
	void *thread = tm_python_thread();
	uintptr_t frame = thread ? TM_FIELD(uintptr_t, thread, TSTATE_FRAME) : 0;
	unsigned count = 0;

	while (frame && count < max) {
		int index = TM_FIELD(int, frame, lasti);

		out[count].code = TM_FIELD(uintptr_t, frame, F_CODE);
		/* -1: the frame has not run its first instruction yet */
		out[count].offset = index < 0 ? 0 : (uint32_t)index * unit;
		count++;
		frame = TM_FIELD(uintptr_t, frame, F_BACK);
	}
	return count;
}

#endif

/*
 * walk_interp.h - stack walk over interpreter frames (3.11 and newer)
 *
 * Source: Include/internal/pycore_frame.h (_PyInterpreterFrame), pycore_interpframe_structs.h
 * from 3.14; Include/cpython/pystate.h (PyThreadState); Include/cpython/code.h.
 * Included by adapters only, with constants, so that the walk compiles to plain loads.
 */
#ifndef TIDEMARK_WALK_INTERP_H
#define TIDEMARK_WALK_INTERP_H

#include "cpython.h"

struct tm_interp_frames {
	unsigned cframe;  /* PyThreadState.cframe, 0 where the frame hangs on the thread */
	unsigned current; /* current_frame, in the cframe or the thread state */
	unsigned previous, code, instruction, owner; /* of a frame */
	unsigned bytecode;			     /* co_code_adaptive of a code object */
	unsigned first_traceable; /* _co_firsttraceable where incomplete frames are on the chain */
	unsigned first_shim;	  /* owners from here on are no Python frames */
};

TM_INLINE unsigned tm_walk_interp_frames(const struct tm_interp_frames at, struct tm_frame *out,
					 unsigned max)
{
	enum {
		OWNED_BY_GENERATOR = 1,
		TAG_BITS = 3,
		UNIT = 2
	};
	void *thread = tm_python_thread();
	uintptr_t frame, holder = (uintptr_t)thread;
	unsigned count = 0;

	if (unlikely(!thread))
		return 0;
	if (at.cframe) {
		holder = TM_FIELD(uintptr_t, thread, at.cframe);
		if (unlikely(!holder))
			return 0;
	}
	for (frame = TM_FIELD(uintptr_t, holder, at.current); frame && count < max;
	     frame = TM_FIELD(uintptr_t, frame, at.previous)) {
		unsigned owner = TM_FIELD(uint8_t, frame, at.owner);
		uintptr_t code, start, instruction;

		if (owner >= at.first_shim)
			continue;
		code = TM_FIELD(uintptr_t, frame, at.code) & ~(uintptr_t)TAG_BITS;
		start = code + at.bytecode;
		instruction = TM_FIELD(uintptr_t, frame, at.instruction);
		/* 3.11, 3.12: a frame that has not reached its first traceable instruction is not
		 * complete (_PyFrame_IsIncomplete). */
		if (at.first_traceable && owner != OWNED_BY_GENERATOR &&
		    instruction < start + UNIT * (uintptr_t)TM_FIELD(int, code, at.first_traceable))
			continue;
		out[count].code = code;
		/* prev_instr of a frame that has not started points before the bytecode */
		out[count].offset = instruction < start ? 0 : (uint32_t)(instruction - start);
		count++;
	}
	return count;
}

#endif

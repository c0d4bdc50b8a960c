/*
 * frames.h - following the chain of Python frames
 *
 * Source: Include/frameobject.h (3.8), Include/cpython/frameobject.h (3.9, 3.10);
 * Include/internal/pycore_frame.h (_PyInterpreterFrame, 3.11 to 3.13) and
 * pycore_interpframe_structs.h (3.14, 3.15); Include/cpython/pystate.h.
 */
#ifndef TIDEMARK_FRAMES_H
#define TIDEMARK_FRAMES_H

#include "cpython.h"

/* The chain of the running interpreter, next to what every birth needs of it. */
extern TM_HIDDEN struct tm_chain tm_chain;

/*
 * @chain below is the running interpreter's.  Where the hooks are made for one version it is a
 * constant, and so are its offsets; elsewhere it is &tm_chain.
 */

TM_INLINE bool tm_frame_is_shim(const struct tm_chain *chain, uintptr_t frame)
{
	return chain->owner && TM_FIELD(uint8_t, frame, chain->owner) >= chain->first_shim;
}

/* The first Python frame at or above @frame; 0 = none. */
TM_INLINE uintptr_t tm_frame_python(const struct tm_chain *chain, uintptr_t frame)
{
	while (frame && unlikely(tm_frame_is_shim(chain, frame)))
		frame = TM_FIELD(uintptr_t, frame, chain->previous);
	return frame;
}

/* The innermost frame, shims included, of a thread state; 0 = none. */
TM_INLINE uintptr_t tm_frame_current(const struct tm_chain *chain, uintptr_t thread)
{
	if (chain->cframe)
		thread = TM_FIELD(uintptr_t, thread, chain->cframe);
	return TM_FIELD(uintptr_t, thread, chain->current);
}

/* The calling thread's innermost Python frame; 0 = none. */
TM_INLINE uintptr_t tm_frame_first(void)
{
	uintptr_t thread = (uintptr_t)tm_python.thread_state();

	return thread ? tm_frame_python(&tm_chain, tm_frame_current(&tm_chain, thread)) : 0;
}

TM_INLINE uintptr_t tm_frame_caller(const struct tm_chain *chain, uintptr_t frame)
{
	return tm_frame_python(chain, TM_FIELD(uintptr_t, frame, chain->previous));
}

/*
 * What a frame executes, as one number: the instruction's address, or code object and f_lasti
 * packed (a code object is 16-aligned in 47 bits).  Equal as long as the code object lives.
 */
TM_INLINE uint64_t tm_frame_key(const struct tm_chain *chain, uintptr_t frame)
{
	if (chain->objects)
		return TM_FIELD(uintptr_t, frame, chain->code) >> 4 << 21 |
		       (TM_FIELD(uint32_t, frame, chain->instruction) & 0x1fffff);
	return TM_FIELD(uintptr_t, frame, chain->instruction);
}

/*
 * tm_frames_walk - the calling thread's Python stack, innermost first
 * Frames that have not begun to execute are left out.  Returns how many frames, <= @max.
 */
unsigned tm_frames_walk(struct tm_frame *out, unsigned max);

/*
 * tm_frame_slots - how many pointers, variables and value stack, lie at adapter->frame.slots
 * What lies above the top of the value stack is stale; the top is not known while the frame runs.
 */
unsigned tm_frame_slots(uintptr_t frame);

/*
 * tm_frames_keys - what the chain executes, from the innermost frame to the last of @frames
 * @frames: what tm_frames_walk() gave just now, @count of them
 * @keys:   one for each frame on the way, those that the walk left out included
 * @whole:  whether the chain ends there
 *
 * Whether a frame is left out follows from its key, so equal keys mean equal frames.  Returns how
 * many keys, 0 when there are more than @max.
 */
unsigned tm_frames_keys(const struct tm_frame *frames, unsigned count, uint64_t *keys, unsigned max,
			bool *whole);

#endif

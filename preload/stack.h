/*
 * stack.h - the site of a birth: the Python stack right now, as an index of the recording
 *
 * A thread remembers the stacks it saw last by what each frame executed.  Comparing that with
 * the frames that are there now takes a load or two per frame; only a stack not seen lately is
 * walked and interned.
 */
#ifndef TIDEMARK_STACK_H
#define TIDEMARK_STACK_H

#include "base.h"
#include "cpython/frames.h"
#include "thread.h"

/* Frames kept per site; 0 while stacks are off. */
extern unsigned tm_stack_frames;

/* Goes up when a code object dies: what it executed may mean another one from then on. */
extern _Atomic uint32_t tm_stack_epoch;

/* tm_stack_start / _stop - with @frames frames per site, or without sites. */
void tm_stack_start(unsigned frames);
void tm_stack_stop(void);

/* The stack was not among those remembered: walk, intern, remember. */
TM_NOINLINE uint32_t tm_stack_slow(struct tm_self *self);

/* Site of the calling thread's Python stack; 0 when no Python frame runs. */
TM_INLINE uint32_t tm_site_here(void)
{
	struct tm_self *self = &tm_self;
	uintptr_t frame = tm_frame_first();
	const struct tm_stack *stack;
	uint64_t key;

	if (unlikely(!frame))
		return 0;
	if (unlikely(self->stack_epoch != tm_get(&tm_stack_epoch)))
		return tm_stack_slow(self);
	key = tm_frame_key(frame);
	stack = &self->stacks[(key ^ key >> 7) >> 1 & (TM_STACKS - 1)];
	if (unlikely(stack->keys[0] != key))
		return tm_stack_slow(self);
	for (unsigned i = 1; i < stack->depth; i++) {
		frame = tm_frame_caller(frame);
		if (unlikely(!frame || tm_frame_key(frame) != stack->keys[i]))
			return tm_stack_slow(self);
	}
	if (unlikely(stack->whole && tm_frame_caller(frame)))
		return tm_stack_slow(self);
	return stack->site;
}

#endif

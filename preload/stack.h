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

/* log2 of the bytes of a remembered stack, which depend on its frames. */
extern unsigned tm_stack_shift;

/* Goes up when a code object dies: what it executed may mean another one from then on. */
extern _Atomic uint32_t tm_stack_epoch;

/* tm_stack_start / _stop - with @frames frames per site, or without sites. */
void tm_stack_start(unsigned frames);
void tm_stack_stop(void);

/* tm_stack_forget - what threads remember means nothing any more.  Async-signal-safe. */
void tm_stack_forget(void);

/* The stack was not among those remembered: walk, intern, remember. */
TM_NOINLINE uint32_t tm_stack_slow(struct tm_self *self);

/* Where the stack with these innermost instructions is remembered, or one entry next to it. */
TM_INLINE struct tm_stack *tm_stack_entry(struct tm_self *self, uint64_t key, uint64_t caller,
					  unsigned way)
{
	uint64_t hash = (key + caller * 5) * 0x9e3779b97f4a7c15ull >> 40;
	uint64_t count = TM_STACK_BYTES >> tm_stack_shift;

	return (struct tm_stack *)(self->stacks + (((hash & (count - 1)) ^ way) << tm_stack_shift));
}

/* Whether the frames from @frame, the caller of the innermost, on are those of @stack. */
TM_INLINE bool tm_stack_matches(const struct tm_stack *stack, uint64_t key, uintptr_t frame)
{
	if (stack->keys[0] != key || !stack->depth)
		return false;
	for (unsigned i = 1; i < stack->depth; i++) {
		if (!frame || tm_frame_key(frame) != stack->keys[i])
			return false;
		frame = tm_frame_caller(frame);
	}
	return !stack->whole || !frame;
}

/* Site of the calling thread's Python stack; 0 when no Python frame runs. */
TM_INLINE uint32_t tm_site_here(void)
{
	struct tm_self *self = &tm_self;
	uintptr_t frame = tm_frame_first();
	const struct tm_stack *stack;
	uint64_t key, caller = 0;

	if (unlikely(!frame))
		return 0;
	if (unlikely(self->stack_epoch != tm_get(&tm_stack_epoch)))
		return tm_stack_slow(self);
	key = tm_frame_key(frame);
	if (tm_stack_frames == 1) {
		stack = tm_stack_entry(self, key, 0, 0);
		if (likely(stack->keys[0] == key && stack->depth == 1))
			return stack->site;
		frame = tm_frame_caller(frame);
	} else {
		frame = tm_frame_caller(frame);
		if (likely(frame))
			caller = tm_frame_key(frame);
	}
	stack = tm_stack_entry(self, key, caller, 0);
	if (likely(tm_stack_matches(stack, key, frame)))
		return stack->site;
	stack = tm_stack_entry(self, key, caller, 1);
	return likely(tm_stack_matches(stack, key, frame)) ? stack->site : tm_stack_slow(self);
}

#endif

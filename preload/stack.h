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
extern TM_HIDDEN unsigned tm_stack_frames;

/* log2 of the bytes of a remembered stack, which depend on its frames. */
extern TM_HIDDEN unsigned tm_stack_shift;
#define TM_STACK_SHIFT_LEAST 6 /* 5 keys */

/*
 * Goes up when a code object dies, or a type that struct tm_stack may name: its address may mean
 * another one from then on.
 */
extern TM_HIDDEN _Atomic uint32_t tm_stack_epoch;

/* tm_stack_start / _stop - with @frames frames per site, or without sites. */
void tm_stack_start(unsigned frames);
void tm_stack_stop(void);

/* tm_stack_forget - what threads remember means nothing any more.  Async-signal-safe. */
void tm_stack_forget(void);

/*
 * tm_site_here - site of the calling thread's Python stack; 0 when no Python frame runs
 *
 * Looks among the remembered stacks, else walks, interns and remembers.  In a forked child this
 * may be the very first event: its recording begins here.
 */
__attribute__((noinline)) uint32_t tm_site_here(void);

/* The site of the block that the thread has pending. */
TM_INLINE uint32_t tm_stack_pending_site(const struct tm_self *self)
{
	return self->pending_stack ? self->pending_stack->site : self->pending_site;
}

/* Where the stack with these innermost instructions is remembered, or one entry next to it. */
TM_INLINE struct tm_stack *tm_stack_entry(char *stacks, unsigned shift, uint64_t key,
					  uint64_t caller, unsigned way)
{
	uint32_t hash = (uint32_t)(key + caller * 5) * 0x9e3779b1u;
	uint64_t count = TM_STACK_BYTES >> shift;

	return (struct tm_stack *)(stacks +
				   (((hash / (uint32_t)(0x100000000ull / count)) ^ way) << shift));
}

/* Whether the frames from @frame, the caller of the innermost, on are those of @stack. */
TM_INLINE bool tm_stack_matches(const struct tm_chain *chain, const struct tm_stack *stack,
				uint64_t key, uintptr_t frame)
{
	if (stack->keys[0] != key || !stack->depth)
		return false;
	for (unsigned i = 1; i < stack->depth; i++) {
		if (!frame || tm_frame_key(chain, frame) != stack->keys[i])
			return false;
		frame = tm_frame_caller(chain, frame);
	}
	return !stack->whole || !frame;
}

/* The remembered stack whose innermost frames are @frame, executing @key, and its callers. */
TM_INLINE struct tm_stack *tm_stack_find(const struct tm_chain *chain, struct tm_self *self,
					 unsigned frames, unsigned shift, uintptr_t frame,
					 uint64_t key)
{
	uintptr_t outer = tm_frame_caller(chain, frame);
	uint64_t caller = frames > 1 && outer ? tm_frame_key(chain, outer) : 0;

	for (unsigned way = 0; way < 2; way++) {
		struct tm_stack *stack = tm_stack_entry(self->stacks, shift, key, caller, way);

		if (likely(tm_stack_matches(chain, stack, key, outer)))
			return stack;
	}
	return NULL;
}

/*
 * The innermost frame where what the thread remembers is good; else 0.  It may be a shim, whose
 * instruction is one of the interpreter's own (_Py_INTERPRETER_TRAMPOLINE_INSTRUCTIONS) and no key
 * of a remembered stack: shims are left out of those.
 */
TM_INLINE uintptr_t tm_stack_frame(const struct tm_chain *chain, struct tm_self *self)
{
	uintptr_t thread;

	if (unlikely(self->quick_epoch != tm_get(&tm_stack_epoch)))
		return 0;
	thread = (uintptr_t)*self->thread_state;
	if (unlikely(!thread))
		return 0;
	return tm_frame_current(chain, thread);
}

/*
 * tm_stack_key - what the calling thread's innermost frame executes; 0: no frame, or not known
 * A shim's is none of a remembered stack, see above.
 */
TM_INLINE uint64_t tm_stack_key(const struct tm_chain *chain)
{
	uintptr_t thread = (uintptr_t)*tm_self.thread_state, frame;

	if (unlikely(!thread))
		return 0;
	frame = tm_frame_current(chain, thread);
	return likely(frame != 0) ? tm_frame_key(chain, frame) : 0;
}

/*
 * tm_stack_of_frame, tm_stack_of_stack - the calling thread's Python stack as it is remembered,
 * where one frame is kept, which executes @key, or several, and the chain is known beforehand
 * NULL: it takes tm_site_here() to tell the site.
 */
TM_INLINE struct tm_stack *tm_stack_of_frame(uint64_t key)
{
	struct tm_self *self = &tm_self;
	struct tm_stack *stack;

	if (unlikely(!key || self->quick_epoch != tm_get(&tm_stack_epoch)))
		return NULL;
	stack = tm_stack_entry(self->stacks, TM_STACK_SHIFT_LEAST, key, 0, 0);
	/* Here the first key says it all, see make_place() in stack.c. */
	if (likely(stack->keys[0] == key))
		return stack;
	/* The place next to it: the memory for stacks begins a page. */
	stack = (struct tm_stack *)((uintptr_t)stack ^ 1u << TM_STACK_SHIFT_LEAST);
	return stack->keys[0] == key && stack->depth == 1 ? stack : NULL;
}

TM_INLINE struct tm_stack *tm_stack_of_stack(const struct tm_chain *chain)
{
	struct tm_self *self = &tm_self;
	uintptr_t frame = tm_stack_frame(chain, self);

	if (unlikely(!frame))
		return NULL;
	return tm_stack_find(chain, self, 2, tm_stack_shift, frame, tm_frame_key(chain, frame));
}

#endif

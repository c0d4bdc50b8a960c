#include "stack.h"

#include "intern.h"

#include <string.h>

unsigned tm_stack_frames;
_Atomic uint32_t tm_stack_epoch = 1;

void tm_stack_start(unsigned frames)
{
	tm_chain = tm_python.adapter->chain;
	tm_stack_frames = frames;
	atomic_fetch_add(&tm_stack_epoch, 1);
}

void tm_stack_stop(void)
{
	tm_stack_frames = 0;
	atomic_fetch_add(&tm_stack_epoch, 1);
}

static uint32_t intern(const struct tm_frame *frames, unsigned count)
{
	uint32_t site = 0;

	while (count--)
		site = tm_site_child(site, &frames[count]);
	return site;
}

/*
 * Remembers the stack if the frames on the chain are exactly those that were interned: a frame
 * that the walk left out would not be seen by the comparison.
 */
static void remember(struct tm_self *self, unsigned count, uint32_t site)
{
	uintptr_t frame = tm_frame_first();
	uint64_t key = frame ? tm_frame_key(frame) : 0;
	struct tm_stack *stack = &self->stacks[(key ^ key >> 7) >> 1 & (TM_STACKS - 1)];
	uint64_t keys[TM_STACK_DEPTH];
	unsigned seen = 0;

	for (; frame && seen < count; frame = tm_frame_caller(frame))
		keys[seen++] = tm_frame_key(frame);
	if (seen != count || (count < tm_stack_frames && frame))
		return;
	memcpy(stack->keys, keys, count * sizeof(*keys));
	stack->depth = (uint16_t)count;
	stack->whole = count < tm_stack_frames;
	stack->site = site;
}

uint32_t tm_stack_slow(struct tm_self *self)
{
	struct tm_frame frames[64];
	uint32_t epoch = tm_get(&tm_stack_epoch);
	unsigned count = tm_stack_frames ? tm_frames_walk(frames, tm_stack_frames) : 0;
	uint32_t site = intern(frames, count);

	if (!self->stacks)
		return site;
	if (self->stack_epoch != epoch) {
		memset(self->stacks, 0, TM_STACKS * sizeof(*self->stacks));
		self->stack_epoch = epoch;
	}
	if (site && count <= TM_STACK_DEPTH && tm_frames_complete(frames, count))
		remember(self, count, site);
	return site;
}

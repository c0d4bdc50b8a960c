#include "stack.h"

#include "intern.h"
#include "nursery.h"
#include "recorder.h"
#include "segment.h"

#include <string.h>

#define SHIFT_MOST 7 /* 13 keys an entry */

unsigned tm_stack_frames;
unsigned tm_stack_shift = TM_STACK_SHIFT_LEAST;
_Atomic uint32_t tm_stack_epoch = 1;

void tm_stack_start(unsigned frames)
{
	tm_chain = *tm_python.adapter->chain;
	tm_stack_frames = frames;
	tm_stack_shift = TM_STACK_SHIFT_LEAST;
	while (tm_stack_shift < SHIFT_MOST &&
	       sizeof(struct tm_stack) + 8 * (frames + 1) > 1ul << tm_stack_shift)
		tm_stack_shift++;
	tm_stack_forget();
}

void tm_stack_stop(void)
{
	tm_stack_frames = 0;
	tm_stack_forget();
}

void tm_stack_forget(void)
{
	atomic_fetch_add(&tm_stack_epoch, 1);
	tm_nursery_forget_keys();
}

static uint32_t intern(const struct tm_frame *frames, unsigned count)
{
	uint32_t site = 0;

	while (count--)
		site = tm_site_child(site, &frames[count]);
	return site;
}

/* Keys that an entry has room for. */
static unsigned capacity(void)
{
	return (unsigned)(((1ul << tm_stack_shift) - sizeof(struct tm_stack)) / sizeof(uint64_t));
}

/*
 * With one frame kept the quick look compares the first key only, and at the first place does not
 * ask for more: a stack that takes more keys, for frames that are left out, is kept in the second
 * place alone.
 */
static struct tm_stack *make_place(struct tm_self *self, uint64_t key, uint64_t caller,
				   unsigned depth)
{
	struct tm_stack *first = tm_stack_entry(self->stacks, tm_stack_shift, key, caller, 0);
	struct tm_stack *second = tm_stack_entry(self->stacks, tm_stack_shift, key, caller, 1);

	if (tm_stack_frames == 1 && depth > 1)
		return second;
	if (tm_stack_frames > 1 || first->depth == 1)
		memcpy(second, first, 1ul << tm_stack_shift);
	return first;
}

/* What the thread remembers is about to change: what is pending keeps its site. */
static void keep_pending_site(struct tm_self *self)
{
	self->pending_site = tm_stack_pending_site(self);
	self->pending_stack = NULL;
}

static void remember(struct tm_self *self, const struct tm_frame *frames, unsigned count,
		     uint32_t site)
{
	uint64_t keys[TM_STACK_DEPTH];
	bool ends;
	unsigned depth = tm_frames_keys(frames, count, keys, capacity(), &ends);
	struct tm_stack *stack;
	uint64_t caller;

	/* A stack that was shorter than could be kept is another one once it has grown. */
	if (!depth || (count < tm_stack_frames && !ends))
		return;
	keep_pending_site(self);
	caller = tm_stack_frames > 1 && depth > 1 ? keys[1] : 0;
	stack = make_place(self, keys[0], caller, depth);
	memcpy(stack->keys, keys, depth * sizeof(*keys));
	stack->depth = (uint16_t)depth;
	stack->whole = count < tm_stack_frames;
	stack->site = site;
	stack->type = 0;
}

/* What the thread remembers of its frames as they are now; 0 also when it is no site. */
static bool recall(struct tm_self *self, uint32_t epoch, uint32_t *site)
{
	uintptr_t frame = tm_frame_first();
	const struct tm_stack *stack;

	*site = 0;
	if (!frame)
		return true;
	if (self->stack_epoch != epoch)
		return false;
	stack = tm_stack_find(&tm_chain, self, tm_stack_frames, tm_stack_shift, frame,
			      tm_frame_key(&tm_chain, frame));
	if (stack)
		*site = stack->site;
	return stack != NULL;
}

/* From here on what the thread remembers is of @epoch. */
static void begin_epoch(struct tm_self *self, uint32_t epoch)
{
	keep_pending_site(self);
	memset(self->stacks, 0, TM_STACK_BYTES);
	self->stack_epoch = epoch;
	self->quick_epoch = self->thread_state != &tm_no_thread ? epoch : 0;
}

uint32_t tm_site_here(void)
{
	struct tm_self *self = &tm_self;
	struct tm_frame frames[64];
	uint32_t epoch, site;
	unsigned count;

	if (!tm_stack_frames || !tm_recorder_awake())
		return 0;
	if (unlikely(!self->counters))
		tm_thread_begin();
	epoch = tm_get(&tm_stack_epoch);
	if (recall(self, epoch, &site))
		return site;
	count = tm_frames_walk(frames, tm_stack_frames);
	site = intern(frames, count);
	if (!self->stacks)
		return site;
	if (self->stack_epoch != epoch)
		begin_epoch(self, epoch);
	/* Where space has ended a stack without a site is remembered as well: it will not get one.
	 */
	if (count && (site || tm_get(&tm_segment.header->blind) & TM_B_SPACE))
		remember(self, frames, count, site);
	return site;
}

#include "stack.h"

#include "intern.h"
#include "recorder.h"
#include "segment.h"

#include <string.h>

enum {
	SHIFT_LEAST = 5,
	SHIFT_MOST = 7
}; /* 3 to 15 keys an entry */

unsigned tm_stack_frames;
unsigned tm_stack_shift = SHIFT_LEAST;
_Atomic uint32_t tm_stack_epoch = 1;

void tm_stack_start(unsigned frames)
{
	tm_chain = tm_python.adapter->chain;
	tm_stack_frames = frames;
	tm_stack_shift = SHIFT_LEAST;
	while (tm_stack_shift < SHIFT_MOST && 8 + 8 * (frames + 1) > 1u << tm_stack_shift)
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

static void remember(struct tm_self *self, const struct tm_frame *frames, unsigned count,
		     uint32_t site)
{
	uint64_t keys[TM_STACK_DEPTH];
	bool ends;
	unsigned depth = tm_frames_keys(frames, count, keys, capacity(), &ends);
	struct tm_stack *first, *second;

	/* A stack that was shorter than could be kept is another one once it has grown. */
	if (!depth || (count < tm_stack_frames && !ends))
		return;
	first = tm_stack_entry(self, keys[0], tm_stack_frames > 1 && depth > 1 ? keys[1] : 0, 0);
	second = tm_stack_entry(self, keys[0], tm_stack_frames > 1 && depth > 1 ? keys[1] : 0, 1);
	memcpy(second, first, 1ul << tm_stack_shift);
	memcpy(first->keys, keys, depth * sizeof(*keys));
	first->depth = (uint16_t)depth;
	first->whole = count < tm_stack_frames;
	first->site = site;
}

uint32_t tm_stack_slow(struct tm_self *self)
{
	struct tm_frame frames[64];
	uint32_t epoch, site;
	unsigned count;

	/* In a forked child this may be the very first event: its recording begins here. */
	if (!tm_stack_frames || !tm_recorder_awake())
		return 0;
	epoch = tm_get(&tm_stack_epoch);
	count = tm_frames_walk(frames, tm_stack_frames);
	site = intern(frames, count);
	if (!self->stacks)
		return site;
	if (self->stack_epoch != epoch) {
		memset(self->stacks, 0, TM_STACK_BYTES);
		self->stack_epoch = epoch;
	}
	/* Where space has ended a stack without a site is remembered as well: it will not get one.
	 */
	if (count && (site || tm_get(&tm_segment.header->blind) & TM_B_SPACE))
		remember(self, frames, count, site);
	return site;
}

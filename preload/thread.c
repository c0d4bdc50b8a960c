#include "thread.h"

#include "cpython/place.h"
#include "lock.h"
#include "nursery.h"
#include "pages.h"
#include "segment.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLOTS (1024u)

void *const tm_no_thread;
_Thread_local struct tm_self tm_self = {.thread_state = &tm_no_thread};
atomic_flag tm_lock_flag = ATOMIC_FLAG_INIT;

#define BEFORE_RECENT 2 /* words */
#define NO_BLOCK      1 /* freeing NULL is an event as well, so it is not 0 */

/* Buffers go with the slot, so that a thread's end needs no destructor. */
static struct buffers {
	uintptr_t *recent;
	char *stacks;
} buffers[SLOTS];

/* Of a thread that has neither. */
static uintptr_t no_recent[BEFORE_RECENT] = {NO_BLOCK, NO_BLOCK};
static const struct buffers no_buffers = {no_recent + BEFORE_RECENT, NULL};

static struct tm_thread *slots(void)
{
	return tm_segment_at(TM_R_THREADS, 0);
}

static bool is_gone(uint32_t tid)
{
	int saved = errno;
	bool gone = syscall(SYS_tgkill, getpid(), tid, 0) != 0 && errno == ESRCH;

	errno = saved;
	return gone;
}

/* A slot of a thread that is gone, of at most @probes looked at; 0 = none of them. */
static unsigned take_over(unsigned used, unsigned probes, uint32_t tid)
{
	static unsigned cursor;

	for (unsigned i = 0; i < probes && used > 1; i++) {
		unsigned slot = 1 + cursor++ % (used - 1);

		if (is_gone(tm_get(&slots()[slot].tid))) {
			tm_put(&slots()[slot].tid, tid);
			return slot;
		}
	}
	return 0;
}

/*
 * A program that starts a thread per request ends as many: a few looks find one that is gone, so
 * that the table, and the memory that goes with its slots, stays as large as the program is wide.
 */
static unsigned claim(uint32_t tid)
{
	enum {
		LOOKS = 8
	};
	struct tm_region *region = &tm_segment.header->regions[TM_R_THREADS];
	unsigned used = (unsigned)tm_get(&region->used);
	unsigned slot;

	if (used == 0)
		used = 1; /* slot 0 is everybody's */
	slot = take_over(used, LOOKS, tid);
	if (slot)
		return slot;
	if (used < SLOTS && tm_segment_back(TM_R_THREADS, (used + 1) * sizeof(struct tm_thread))) {
		tm_put(&slots()[used].tid, tid);
		tm_publish(&region->used, used + 1);
		return used;
	}
	return take_over(used, used, tid);
}

static void make_buffers(struct buffers *own)
{
	char *memory = tm_pages(TM_STACK_BYTES + (BEFORE_RECENT + TM_RECENT) * sizeof(uintptr_t));

	if (!memory)
		return;
	own->recent = (uintptr_t *)(memory + TM_STACK_BYTES) + BEFORE_RECENT;
	own->recent[-1] = own->recent[-2] = NO_BLOCK;
	own->stacks = memory;
}

/* What a thread that ended had not looked at yet is its successor's to look at. */
static uint32_t left_behind(const uintptr_t *recent)
{
	uint32_t count = TM_RECENT;

	while (count && !recent[count - 1])
		count--;
	return count < TM_RECENT ? count : 0;
}

void tm_thread_begin(void)
{
	uint32_t tid = (uint32_t)syscall(SYS_gettid);
	void *const *place = tm_python_thread_place();
	const struct buffers *own;
	unsigned slot;

	if (!tm_segment.header)
		return;
	tm_lock();
	slot = claim(tid);
	if (slot && !buffers[slot].stacks)
		make_buffers(&buffers[slot]);
	own = buffers[slot].stacks ? &buffers[slot] : &no_buffers;
	tm_self.recent = own->recent;
	tm_self.stacks = own->stacks;
	tm_self.stack_epoch = tm_self.quick_epoch = 0;
	tm_self.thread_state = place ? place : &tm_no_thread;
	tm_self.recent_next = own->recent + (own->stacks ? left_behind(own->recent) : 0);
	tm_self.recent_end = own->recent + TM_RECENT;
	tm_self.counters = &slots()[slot];
	tm_unlock();
	if (!own->stacks)
		tm_nursery_forbid();
	if (!slot)
		tm_lose(TM_L_THREADS);
}

void tm_thread_restart(void)
{
	tm_self.counters = NULL;
}

void tm_thread_each_recent(void (*visit)(uintptr_t *blocks, uint32_t count, uintptr_t unborn),
			   uintptr_t unborn)
{
	unsigned used = (unsigned)tm_get(&tm_segment.header->regions[TM_R_THREADS].used);

	/* Whole buffers: the thread of one may have ended, and its count with it. */
	for (unsigned i = 1; i < used && i < SLOTS; i++) {
		if (buffers[i].recent)
			visit(buffers[i].recent, TM_RECENT, unborn);
	}
}

struct tm_sums tm_thread_sums(void)
{
	struct tm_sums sums = {0, 0, 0};
	unsigned used = (unsigned)tm_get(&tm_segment.header->regions[TM_R_THREADS].used);

	for (unsigned i = 0; i < used && i < SLOTS; i++) {
		sums.created += tm_get(&slots()[i].created);
		sums.destroyed += tm_get(&slots()[i].destroyed);
		sums.lost += tm_get(&slots()[i].lost);
	}
	return sums;
}

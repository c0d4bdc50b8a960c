/*
 * thread.h - what the recorder keeps per thread
 */
#ifndef TIDEMARK_THREAD_H
#define TIDEMARK_THREAD_H

#include "base.h"
#include "tidemark/layout.h"

#define TM_STACK_BYTES 32768 /* memory for the stacks a thread remembers */
#define TM_STACK_DEPTH 13    /* keys of the largest entry */
#define TM_RECENT      1024  /* newest object-domain blocks of a thread, types not looked at yet */

/*
 * A stack seen lately: its site, what was born there last, and what its frames executed, innermost
 * first.
 */
struct tm_stack {
	uint32_t site;
	uint16_t depth;	 /* 0 = empty */
	bool whole;	 /* there was no further frame */
	uintptr_t type;	 /* tracer family: of the last object; 0 = none */
	uint64_t object; /* the last one's word but for the birth */
	uint64_t keys[];
};

struct tm_self {
	struct tm_thread *counters; /* in the recording; NULL before the first event */
	uintptr_t pending;	    /* tracer family: the block that was just allocated */
	uint64_t pending_size;
	uintptr_t newest_plain; /* the block written last as BUFFER or PENDING; maybe dead */
	struct tm_stack *pending_stack; /* where; NULL: pending_site says it */
	struct tm_young *pending_young; /* who died in that one, if it is out of a magazine */
	uint32_t pending_site;
	uint32_t stack_epoch;	   /* 0: `stacks` holds nothing yet */
	uint32_t quick_epoch;	   /* the same, 0 also while thread_state is not known */
	void *const *thread_state; /* where CPython keeps this thread's; &tm_no_thread: not known */
	char *stacks; /* TM_STACK_BYTES of struct tm_stack; NULL: neither these nor recent blocks */
	/* Allocator family: the TM_RECENT newest blocks, oldest first; NULL before the first event.
	 * Two words before the first are no block's, for who looks at the newest two. */
	uintptr_t *recent;
	uintptr_t *recent_next; /* behind the newest */
	uintptr_t *recent_end;
};

extern TM_HIDDEN _Thread_local struct tm_self tm_self;

/* NULL, in the place of a thread's state. */
extern TM_HIDDEN void *const tm_no_thread;

/*
 * tm_thread_begin - give the calling thread its counters
 *
 * A slot of a thread that is gone is taken over, with its sums.  When all are in use the
 * thread shares slot 0, and TM_L_THREADS says that sums may be short.
 */
TM_NOINLINE void tm_thread_begin(void);

/* tm_thread_restart - a new recording begins: slots of the old one are void. */
void tm_thread_restart(void);

/*
 * tm_thread_each_recent - visit the recent blocks of every thread, for a follow-up
 * @unborn is passed on.  The caller holds the GIL.
 */
void tm_thread_each_recent(void (*visit)(uintptr_t *blocks, uint32_t count, uintptr_t unborn),
			   uintptr_t unborn);

struct tm_sums {
	uint64_t created, destroyed, lost;
};

/* Sums of all threads' counters.  Async-signal-safe. */
struct tm_sums tm_thread_sums(void);

/* Its own thread adds alone, so it need not be atomic: one instruction. */
TM_INLINE void tm_count(_Atomic uint64_t *counter)
{
	++*(uint64_t *)counter;
}

/* The calling thread, its counters begun; they stay NULL where there is no recording. */
TM_INLINE struct tm_self *tm_self_here(void)
{
	struct tm_self *self = &tm_self;

	if (unlikely(!self->counters))
		tm_thread_begin();
	return self;
}

#endif

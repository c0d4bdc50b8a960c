#include "marks.h"

#include "cpython/cpython.h"
#include "figures.h"
#include "follow_up.h"
#include "nursery.h"
#include "record.h"
#include "recorder.h"
#include "segment.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* For counting what an interpreter has at its start, and what a child was given. */
#define START_BUDGET_NS 2000000ull
#define CHILD_BUDGET_NS 200000ull

static _Atomic uint32_t next_mark;
static _Atomic bool ending; /* the exit mark is set */

static uint64_t now_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

static struct tm_mailbox *mailbox(void)
{
	return (struct tm_mailbox *)(tm_segment.base + TM_MAILBOX_OFFSET);
}

static void stamp(struct tm_mark *mark)
{
	struct tm_sums sums = tm_thread_sums();

	mark->time_ns = now_ns(CLOCK_REALTIME);
	mark->monotonic_ns = now_ns(CLOCK_MONOTONIC);
	mark->created = sums.created;
	mark->destroyed = sums.destroyed;
	mark->lost = sums.lost;
}

/* ---- start ----------------------------------------------------------------- */

void tm_marks_restart(bool forked)
{
	struct tm_header *header = tm_segment.header;
	struct tm_mark *start;

	tm_put(&next_mark, 1);
	tm_put(&ending, false);
	tm_follow_up_restart();
	if (!tm_segment_back(TM_R_MARKS, 64 * sizeof(*start)))
		return;
	start = tm_mark_at(0);
	stamp(start);
	memcpy(start->name, "start", 5);
	start->name_length = 5;
	tm_put(&start->flags, TM_MF_START);
	if (forked)
		tm_figures_take(&start->figures, TM_FIGURES_CHILD, CHILD_BUDGET_NS);
	tm_publish(&start->state, TM_MARK_FOLLOWED);
	tm_publish(&header->regions[TM_R_MARKS].used, 1);
	tm_interval_enter(forked ? 1 : 0, true);
	tm_publish(&header->start_set, forked);
}

void tm_marks_program_begins(void)
{
	struct tm_header *header = tm_segment.header;

	/* A mark set during start-up has already opened an interval of its own. */
	if (!tm_recorder_is_on() || tm_get(&header->start_set) || tm_get(&header->current) != 0)
		return;
	stamp(tm_mark_at(0));
	tm_figures_take(&tm_mark_at(0)->figures, TM_FIGURES_FULL, START_BUDGET_NS);
	tm_interval_enter(1, false);
	tm_nursery_open();
	tm_publish(&header->start_set, 1);
}

/* ---- the bump -------------------------------------------------------------- */

/* Bumps may overtake each other on two threads; the interval only ever goes up. */
static void enter_interval(uint32_t mark)
{
	tm_interval_enter(mark + 1, false);
	tm_nursery_close();
	tm_raise(&tm_segment.header->current, mark);
}

uint32_t tm_marks_bump(const char *name, size_t length, uint32_t flags)
{
	uint64_t begin = now_ns(CLOCK_MONOTONIC);
	struct tm_region *region = &tm_segment.header->regions[TM_R_MARKS];
	uint32_t number = tm_get(&next_mark);
	struct tm_mark *mark;
	uint64_t used;

	do {
		if (number > TM_MAX_MARK ||
		    !tm_segment_back(TM_R_MARKS, (number + 1ull) * sizeof(*mark))) {
			tm_lose(TM_L_MARKS);
			return 0;
		}
	} while (!atomic_compare_exchange_weak(&next_mark, &number, number + 1));
	mark = tm_mark_at(number);
	if (name && length) {
		mark->name_length = (uint32_t)(length > TM_NAME_MAX ? TM_NAME_MAX : length);
		memcpy(mark->name, name, mark->name_length);
	}
	tm_put(&mark->flags, flags);
	stamp(mark);
	mark->pause_ns = now_ns(CLOCK_MONOTONIC) - begin;
	tm_publish(&mark->state, TM_MARK_TAKEN);
	used = tm_get(&region->used);
	while (used < number + 1ull &&
	       !atomic_compare_exchange_weak(&region->used, &used, number + 1ull))
		;
	enter_interval(number);
	return number;
}

void tm_marks_serve_mailbox(uint32_t token)
{
	struct tm_mailbox *box = mailbox();
	uint32_t expected = TM_MB_READY;
	uint32_t flags = TM_MF_REQUEST;

	if (box->token != token ||
	    !atomic_compare_exchange_strong(&box->state, &expected, TM_MB_TAKING))
		return;
	if (box->flags & TM_MB_FOLLOW_UP) {
		box->mark = 0;
		tm_follow_up_ask();
	} else {
		if (box->flags & TM_MB_NO_COLLECT)
			flags |= TM_MF_NO_COLLECT;
		box->mark = tm_marks_bump((const char *)box->name,
					  box->name_length <= TM_NAME_MAX ? box->name_length : 0,
					  flags);
	}
	tm_publish(&box->state, TM_MB_DONE);
}

/* ---- the end --------------------------------------------------------------- */

void tm_marks_exit(bool collector_enabled)
{
	uint32_t number;

	if (!tm_recorder_is_on() || atomic_exchange(&ending, true))
		return;
	number = tm_marks_bump("exit", 4, TM_MF_EXIT);
	tm_publish(&tm_segment.header->state, TM_PS_EXITED);
	tm_follow_up_last(number, tm_config.collect && collector_enabled);
}

static void bump_for_exit(void)
{
	if (atomic_exchange(&ending, true))
		return;
	tm_marks_bump("exit", 4, TM_MF_EXIT);
	tm_publish(&tm_segment.header->state, TM_PS_EXITED);
}

void tm_marks_teardown(void)
{
	if (!tm_recorder_is_on())
		return;
	bump_for_exit();
	tm_follow_up_bare(tm_recorder_current());
	tm_recorder_freeze();
}

void tm_marks_process_ends(void)
{
	if (!tm_recorder_is_on())
		return;
	bump_for_exit();
	if (tm_python_holds_main())
		tm_follow_up_now(tm_recorder_current());
	tm_marks_teardown();
}

bool tm_marks_replaced(bool yes)
{
	int saved = errno;
	bool on = tm_recorder_is_on();

	if (on)
		tm_publish(&tm_segment.header->state, yes ? TM_PS_EXITED : TM_PS_RECORDING);
	errno = saved;
	return on;
}

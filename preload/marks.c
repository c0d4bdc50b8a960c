#include "marks.h"

#include "cpython/cpython.h"
#include "proc.h"
#include "record.h"
#include "recorder.h"
#include "resolve.h"
#include "segment.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static _Atomic uint32_t next_mark;
static _Atomic uint32_t followed; /* marks below or at this have had their follow-up */
static _Atomic uint32_t follow_up_wanted, follow_up_served; /* requests without a mark */
static atomic_flag running = ATOMIC_FLAG_INIT;
static uint32_t collecting_for; /* mark whose collection runs in this process, 0 = none */
static bool borrowed; /* that collection is the program's own, and serves the mark as well */
static uint64_t collection_began;
static _Atomic bool ending; /* the exit mark is set */

static uint64_t now_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

static struct tm_mark *mark_at(uint32_t number)
{
	return (struct tm_mark *)tm_segment_at(TM_R_MARKS, 0) + number;
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
	tm_put(&followed, 0);
	tm_put(&follow_up_wanted, 0);
	tm_put(&follow_up_served, 0);
	tm_put(&ending, false);
	collecting_for = 0;
	if (!tm_segment_back(TM_R_MARKS, 64 * sizeof(*start)))
		return;
	start = mark_at(0);
	stamp(start);
	memcpy(start->name, "start", 5);
	start->name_length = 5;
	tm_put(&start->flags, TM_MF_START);
	tm_publish(&start->state, TM_MARK_FOLLOWED);
	tm_publish(&header->regions[TM_R_MARKS].used, 1);
	tm_record_enter(forked ? 1 : 0, true);
	tm_publish(&header->start_set, forked);
}

void tm_marks_after_fork(void)
{
	atomic_flag_clear(&running);
	collecting_for = 0;
	borrowed = false;
}

void tm_marks_program_begins(void)
{
	struct tm_header *header = tm_segment.header;

	/* A mark set during start-up has already opened an interval of its own. */
	if (!tm_recorder_is_on() || tm_get(&header->start_set) || tm_get(&header->current) != 0)
		return;
	stamp(mark_at(0));
	mark_at(0)->figures.rss = tm_proc_rss();
	tm_record_enter(1, false);
	tm_publish(&header->start_set, 1);
}

/* ---- the bump -------------------------------------------------------------- */

static void raise_to(_Atomic uint32_t *word, uint32_t value)
{
	uint32_t seen = tm_get(word);

	while (seen < value && !atomic_compare_exchange_weak(word, &seen, value))
		;
}

/* Bumps may overtake each other on two threads; the interval only ever goes up. */
static void enter_interval(uint32_t mark)
{
	tm_record_enter(mark + 1, false);
	raise_to(&tm_segment.header->current, mark);
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
	mark = mark_at(number);
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
		atomic_fetch_add(&follow_up_wanted, 1);
	} else {
		if (box->flags & TM_MB_NO_COLLECT)
			flags |= TM_MF_NO_COLLECT;
		box->mark = tm_marks_bump((const char *)box->name,
					  box->name_length <= TM_NAME_MAX ? box->name_length : 0,
					  flags);
	}
	tm_publish(&box->state, TM_MB_DONE);
}

/* ---- the follow-up --------------------------------------------------------- */

bool tm_marks_pending(void)
{
	return tm_get(&followed) < tm_get(&tm_segment.header->current) ||
	       tm_get(&follow_up_served) != tm_get(&follow_up_wanted);
}

static bool wants_collection(const struct tm_mark *mark)
{
	return tm_config.collect &&
	       !(tm_get(&((struct tm_mark *)(uintptr_t)mark)->flags) & TM_MF_NO_COLLECT);
}

/* From here on deaths in this thread are the trash of @mark. */
static void begin_collection(uint32_t mark)
{
	collecting_for = mark;
	collection_began = now_ns(CLOCK_MONOTONIC);
	tm_self.collected = 0;
	tm_self.collected_mark = (uint16_t)mark;
	tm_self.death_flags |= TM_DF_MARK_COLLECTION;
}

static void end_collection(void)
{
	tm_self.death_flags &= (uint16_t)~TM_DF_MARK_COLLECTION;
	collecting_for = 0;
}

/* The C function collects nothing while the program has switched the collector off. */
static void collect_now(void)
{
	uintptr_t gc = tm_python_gc();
	int *enabled = (int *)(gc + tm_python.adapter->gc.enabled);
	int was = *enabled;

	*enabled = 1;
	tm_python.collect();
	*enabled = was;
}

static void count_garbage(struct tm_mark *mark, uint32_t number)
{
	uintptr_t gc = tm_python_gc();
	uintptr_t list = gc ? TM_FIELD(uintptr_t, gc, tm_python.adapter->gc.garbage) : 0;
	uint64_t before = mark_at(number - 1)->garbage;

	if (!list || TM_FIELD(void *, list, TM_OB_TYPE) != tm_python.list_type)
		return;
	mark->garbage = TM_FIELD(uint64_t, list, TM_OB_SIZE);
	mark->garbage_new = mark->garbage > before ? mark->garbage - before : 0;
}

/* Figures of mark @number, and of those before it that this follow-up serves as well. */
static void finish(uint32_t number, bool collected, uint64_t pause)
{
	for (uint32_t n = tm_get(&followed) + 1; n <= number; n++) {
		struct tm_mark *mark = mark_at(n);

		count_garbage(mark, n);
		mark->figures.rss = tm_proc_rss();
		if (n < number) {
			atomic_fetch_or(&mark->flags, TM_MF_MERGED);
		} else {
			mark->pause_ns += pause;
			mark->collected_objects = collected ? tm_self.collected : 0;
			if (collected)
				atomic_fetch_or(&mark->flags, TM_MF_COLLECTED);
		}
		tm_publish(&mark->state, TM_MARK_FOLLOWED);
	}
	raise_to(&followed, number);
}

/*
 * Up to 3.11 a collection may run inside an allocation, whose block is not filled in yet
 * (Modules/gcmodule.c, _PyObject_GC_Alloc): @inside_allocation leaves this thread's newest alone.
 */
static void resolve_pending_types(bool inside_allocation)
{
	struct tm_self *self = &tm_self;
	uintptr_t unborn = 0;

	if (inside_allocation && self->recent && self->recent_count)
		unborn = self->recent[self->recent_count - 1];

	if (tm_python.family == TM_FAMILY_ALLOCATOR &&
	    !(tm_get(&tm_segment.header->blind) & TM_B_TYPES))
		tm_thread_each_recent(tm_resolve_blocks, unborn);
}

void tm_marks_follow_up(void)
{
	uint64_t begin;
	uint32_t number, requests;
	bool collect;
	int saved = errno;

	if (!tm_recorder_is_on() || !tm_marks_pending() || atomic_flag_test_and_set(&running))
		return;
	begin = now_ns(CLOCK_MONOTONIC);
	requests = tm_get(&follow_up_wanted);
	number = tm_get(&tm_segment.header->current);
	resolve_pending_types(false);
	if (number > tm_get(&followed)) {
		collect = wants_collection(mark_at(number));
		if (collect) {
			begin_collection(number);
			collect_now();
			end_collection();
		}
		finish(number, collect, now_ns(CLOCK_MONOTONIC) - begin);
	}
	if (requests != tm_get(&follow_up_served)) {
		tm_put(&follow_up_served, requests);
		atomic_fetch_add(&tm_segment.header->follow_ups, 1);
	}
	atomic_flag_clear(&running);
	errno = saved;
}

/* ---- collections not of our making ------------------------------------------ */

void tm_marks_collection_starts(int generation)
{
	uint32_t number;

	tm_self.death_flags |= TM_DF_COLLECTOR;
	if (generation < 2 || collecting_for || !tm_recorder_is_on())
		return;
	number = tm_get(&tm_segment.header->current);
	if (number > tm_get(&followed) && (tm_get(&ending) || wants_collection(mark_at(number))) &&
	    !atomic_flag_test_and_set(&running)) {
		begin_collection(number);
		borrowed = true;
	}
}

void tm_marks_collection_stops(int generation)
{
	uint32_t number = collecting_for;

	tm_self.death_flags &= (uint16_t)~TM_DF_COLLECTOR;
	if (generation < 2 || !borrowed || !(tm_self.death_flags & TM_DF_MARK_COLLECTION))
		return;
	borrowed = false;
	resolve_pending_types(true);
	finish(number, true, now_ns(CLOCK_MONOTONIC) - collection_began);
	end_collection();
	atomic_flag_clear(&running);
	if (tm_get(&ending))
		tm_recorder_freeze();
}

/* ---- the end --------------------------------------------------------------- */

void tm_marks_exit(bool collector_enabled)
{
	uint32_t number;

	if (!tm_recorder_is_on() || atomic_exchange(&ending, true))
		return;
	resolve_pending_types(false);
	number = tm_marks_bump("exit", 4, TM_MF_EXIT);
	tm_publish(&tm_segment.header->state, TM_PS_EXITED);
	if (number && tm_config.collect && collector_enabled)
		return;
	if (number)
		finish(number, false, 0);
	tm_recorder_freeze();
}

/* Where nothing of the interpreter may be touched any more, marks get no figures. */
static void finish_bare(uint32_t number)
{
	for (uint32_t n = tm_get(&followed) + 1; n <= number; n++)
		tm_publish(&mark_at(n)->state, TM_MARK_FOLLOWED);
	raise_to(&followed, number);
}

void tm_marks_teardown(void)
{
	if (!tm_recorder_is_on())
		return;
	if (!atomic_exchange(&ending, true)) {
		tm_marks_bump("exit", 4, TM_MF_EXIT);
		tm_publish(&tm_segment.header->state, TM_PS_EXITED);
	}
	finish_bare(tm_get(&tm_segment.header->current));
	tm_recorder_freeze();
}

void tm_marks_process_ends(void)
{
	if (!tm_recorder_is_on())
		return;
	if (tm_python.holds_gil())
		resolve_pending_types(false);
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

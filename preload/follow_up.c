#include "follow_up.h"

#include "cpython/cpython.h"
#include "figures.h"
#include "garbage.h"
#include "marks.h"
#include "intern.h"
#include "nursery.h"
#include "owner.h"
#include "record.h"
#include "recorder.h"
#include "recycled.h"
#include "resolve.h"
#include "segment.h"
#include "signals.h"

#include <errno.h>
#include <time.h>

/* For counting what is resident: */
#define LEAST_BUDGET_NS 2000000ull
#define QUICK_BUDGET_NS 200000ull   /* without a collection, which is to take no millisecond */
#define LAST_BUDGET_NS	20000000ull /* at the end, when nobody waits for the program */

#define HEAP_SHARE 128 /* of a collection of the program's own */

#define OVERDUE_NS 200000000ull

/* A full collection of the program's own that serves a waiting mark as well. */
struct borrowed {
	uint32_t mark; /* 0 = there is none */
	uint64_t began_ns;
};

static _Atomic uint32_t followed;	/* marks below or at this have had their follow-up */
static _Atomic uint32_t wanted, served; /* requests without a mark */
static atomic_flag running = ATOMIC_FLAG_INIT;
static bool own; /* the collection under way is of our making */
static struct borrowed borrowed;
static bool ending; /* the recording ends with the next follow-up */

static uint64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

void tm_follow_up_restart(void)
{
	tm_put(&followed, 0);
	tm_put(&wanted, 0);
	tm_put(&served, 0);
	ending = false;
	tm_follow_up_after_fork();
	tm_garbage_restart();
}

void tm_follow_up_after_fork(void)
{
	atomic_flag_clear(&running);
	own = false;
	borrowed.mark = 0;
	tm_collections_restart();
}

void tm_follow_up_ask(void)
{
	atomic_fetch_add(&wanted, 1);
}

static uint32_t current(void)
{
	return tm_get(&tm_segment.header->current);
}

bool tm_follow_up_pending(void)
{
	return tm_get(&followed) < current() || tm_get(&served) != tm_get(&wanted);
}

bool tm_follow_up_overdue(void)
{
	uint32_t number;

	if (!tm_segment.header || likely(!tm_follow_up_pending()))
		return false;
	number = current();
	return number <= tm_get(&followed) ||
	       now_ns() - tm_mark_at(number)->monotonic_ns > OVERDUE_NS;
}

static bool wants_collection(uint32_t number)
{
	return tm_config.collect && !(tm_get(&tm_mark_at(number)->flags) & TM_MF_NO_COLLECT);
}

/* ---- what it does ----------------------------------------------------------------- */

/*
 * Up to 3.13 an audit event tells of each sub-interpreter (setup.c); from 3.14 on there may be none
 * (`_interpreters.create()` raises no cpython.PyInterpreterState_New), and it is looked for.
 */
static void notice_interpreters(void)
{
	if (!tm_python.adapter->gc.in_runtime && !tm_python_alone())
		tm_blind(TM_B_INTERPRETERS);
}

/*
 * Up to 3.11 a collection may run inside an allocation, whose block is not filled in yet
 * (Modules/gcmodule.c, _PyObject_GC_Alloc): @inside_allocation leaves this thread's newest alone.
 */
static void resolve_pending_types(bool inside_allocation)
{
	struct tm_self *self = &tm_self;
	uintptr_t unborn = 0;

	notice_interpreters();
	tm_nursery_empty();
	tm_intern_names_again();
	tm_owner_settle();
	if (inside_allocation && self->recent)
		unborn = self->recent_next[-1];

	if (tm_get(&tm_segment.header->blind) & TM_B_TYPES)
		return;
	if (tm_resolve_others_run_freely())
		tm_resolve_blocks(self->recent, self->stacks ? TM_RECENT : 0, unborn);
	else
		tm_thread_each_recent(tm_resolve_blocks, unborn);
}

/* The mark that what is in gc.garbage now is there since, if it is new. */
static uint32_t next_to_see(void)
{
	return tm_get(&followed) < current() ? current() : current() + 1;
}

/* Those that a later mark's follow-up serves as well; the collection is the later one's. */
static void merge(struct tm_mark *mark, const struct tm_mark *into,
		  const struct tm_garbage_count *garbage)
{
	mark->figures = into->figures;
	mark->garbage = garbage->entries - garbage->fresh;
	atomic_fetch_or(&mark->flags, TM_MF_MERGED);
	tm_publish(&mark->state, TM_MARK_FOLLOWED);
}

/* A collection costs a program what it must; what is counted after it is to be lost in that. */
static void take_figures(struct tm_figures *figures, bool collected)
{
	uint64_t budget_ns = tm_collections_lasted() / 32;

	if (collected)
		tm_figures_take(figures, TM_FIGURES_FULL,
				budget_ns > LEAST_BUDGET_NS ? budget_ns : LEAST_BUDGET_NS);
	else if (ending)
		tm_figures_take(figures, TM_FIGURES_FULL, LAST_BUDGET_NS);
	else
		tm_figures_take(figures, TM_FIGURES_QUICK, QUICK_BUDGET_NS);
}

/* Mark @number, and those before it that wait, get their facts; @began_ns: the follow-up. */
static void finish(uint32_t number, bool collected, uint64_t began_ns)
{
	struct tm_mark *mark = tm_mark_at(number);
	struct tm_garbage_count garbage = tm_garbage_look(number);

	if (collected)
		tm_recycled_look(number + 1, TM_DF_MARK_COLLECTION | TM_DF_COLLECTOR);
	take_figures(&mark->figures, collected);
	for (uint32_t n = tm_get(&followed) + 1; n < number; n++)
		merge(tm_mark_at(n), mark, &garbage);
	mark->garbage = garbage.entries;
	mark->garbage_new = garbage.fresh;
	if (collected) {
		mark->collected_objects = tm_collections_reclaimed();
		atomic_fetch_or(&mark->flags, TM_MF_COLLECTED);
	}
	mark->pause_ns += now_ns() - began_ns;
	tm_publish(&mark->state, TM_MARK_FOLLOWED);
	tm_raise(&followed, number);
}

/*
 * The C function collects nothing while the program has switched the collector off.  Where our
 * callback is not among gc.callbacks, the run is told of here.
 */
static void collect_for(uint32_t number)
{
	struct tm_collected what = {.generation = TM_GENERATIONS - 1};
	uintptr_t gc = tm_python_gc();
	int *enabled = (int *)(gc + tm_python.adapter->gc.enabled);
	int was = *enabled;

	tm_collections_begin(number);
	own = true;
	*enabled = 1;
	what.collected = (uint64_t)tm_python.collect();
	*enabled = was;
	own = false;
	if (tm_collections_here())
		tm_collections_end(&what);
}

static void follow_up_marks(uint32_t number, uint64_t began_ns)
{
	bool collect = wants_collection(number);

	if (collect)
		collect_for(number);
	finish(number, collect, began_ns);
}

static void follow_up_requests(uint32_t requests)
{
	tm_garbage_look(next_to_see());
	tm_put(&served, requests);
	atomic_fetch_add(&tm_segment.header->follow_ups, 1);
}

/* The collection that was borrowed is over. */
static void return_borrowed(void)
{
	uint32_t mark = borrowed.mark;

	borrowed.mark = 0;
	finish(mark, true, borrowed.began_ns);
	atomic_flag_clear(&running);
	if (ending)
		tm_recorder_freeze();
}

/* A run whose end nobody told: the program emptied gc.callbacks meanwhile. */
static void settle(void)
{
	tm_collections_drop();
	if (borrowed.mark)
		return_borrowed();
}

void tm_follow_up_run(void)
{
	uint64_t began_ns = now_ns();
	uint32_t number, requests;
	int saved = errno;

	if (!tm_recorder_is_on() || !tm_follow_up_pending())
		return;
	if (tm_collections_any() && !tm_python_collecting())
		settle();
	number = current();
	if (wants_collection(number) && number > tm_get(&followed) && tm_python_collecting())
		return;
	if (atomic_flag_test_and_set(&running))
		return;
	requests = tm_get(&wanted);
	resolve_pending_types(false);
	if (number > tm_get(&followed) && !wants_collection(number))
		tm_recycled_look_quickly(next_to_see());
	else
		tm_recycled_look(next_to_see(), 0);
	if (number > tm_get(&followed))
		follow_up_marks(number, began_ns);
	if (requests != tm_get(&served))
		follow_up_requests(requests);
	atomic_flag_clear(&running);
	errno = saved;
}

/* ---- collections ------------------------------------------------------------------ */

/* The waiting mark that a full collection which begins now serves; 0 = none. */
static uint32_t borrow(int generation)
{
	uint32_t number = current();

	if (generation < TM_GENERATIONS - 1 || number <= tm_get(&followed) ||
	    !(ending || wants_collection(number)) || atomic_flag_test_and_set(&running))
		return 0;
	borrowed.mark = number;
	borrowed.began_ns = now_ns();
	tm_recycled_look(next_to_see(), 0);
	return number;
}

void tm_follow_up_collection_starts(int generation)
{
	if (!tm_recorder_is_on())
		return;
	if (own && tm_collections_here()) {
		tm_collections_begin(tm_collections_mark());
		return;
	}
	settle();
	notice_interpreters();
	tm_collections_begin(borrow(generation));
}

void tm_follow_up_collection_stops(const struct tm_collected *what)
{
	if (!tm_recorder_is_on() || !tm_collections_here())
		return;
	tm_collections_end(what);
	if (own)
		return;
	if (borrowed.mark) {
		resolve_pending_types(true);
		return_borrowed();
	} else if (what->generation >= TM_GENERATIONS - 1) {
		tm_recycled_look(next_to_see(), 0);
		tm_garbage_look(next_to_see());
		tm_figures_look_at_heap(tm_collections_lasted() / HEAP_SHARE);
	}
	if (tm_recorder_is_on() && tm_follow_up_pending())
		tm_signals_wake();
}

/* ---- the end ---------------------------------------------------------------------- */

void tm_follow_up_last(uint32_t number, bool wait)
{
	uint64_t began_ns = now_ns();

	ending = true;
	resolve_pending_types(false);
	tm_recycled_look(next_to_see(), 0);
	if (number && wait)
		return;
	if (number)
		finish(number, false, began_ns);
	tm_recorder_freeze();
}

void tm_follow_up_now(uint32_t number)
{
	uint64_t began_ns = now_ns();

	ending = true;
	resolve_pending_types(false);
	tm_recycled_look(next_to_see(), 0);
	if (number > tm_get(&followed))
		finish(number, false, began_ns);
}

void tm_follow_up_bare(uint32_t number)
{
	for (uint32_t n = tm_get(&followed) + 1; n <= number; n++) {
		tm_figures_take(&tm_mark_at(n)->figures, TM_FIGURES_BARE, 0);
		tm_publish(&tm_mark_at(n)->state, TM_MARK_FOLLOWED);
	}
	tm_raise(&followed, number);
}

#include "collections.h"

#include "cpython/cpython.h"
#include "intern.h"
#include "nursery.h"
#include "record.h"
#include "segment.h"
#include "tallies.h"

#include <time.h>

/*
 * The collector of an interpreter does not run twice at a time (`collecting` of its state), so
 * there is one run, and the thread that makes it.
 */
static struct {
	_Atomic(struct tm_self *) thread; /* NULL: none is under way */
	uint32_t mark;
	uint64_t time_ns, began_ns;
	uint64_t reclaimed;
	uint64_t lasted_ns; /* the one before */
} run;

static uint64_t now_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

/* ---- a run ------------------------------------------------------------------------ */

void tm_collections_restart(void)
{
	tm_put(&run.thread, NULL);
}

void tm_collections_drop(void)
{
	if (!atomic_exchange(&run.thread, NULL))
		return;
	tm_interval_collecting(false);
	tm_nursery_open();
}

void tm_collections_begin(uint32_t mark)
{
	tm_collections_drop();
	run.mark = mark;
	run.reclaimed = 0;
	run.time_ns = now_ns(CLOCK_REALTIME);
	run.began_ns = now_ns(CLOCK_MONOTONIC);
	tm_publish(&run.thread, &tm_self);
	tm_nursery_shut();
	tm_interval_collecting(true);
}

bool tm_collections_here(void)
{
	return tm_get(&run.thread) == &tm_self;
}

uint32_t tm_collections_mark(void)
{
	return tm_collections_any() ? run.mark : 0;
}

bool tm_collections_any(void)
{
	return tm_get(&run.thread) != NULL;
}

uint64_t tm_collections_lasted(void)
{
	return run.lasted_ns;
}

uint64_t tm_collections_reclaimed(void)
{
	return run.reclaimed;
}

/* ---- in the recording ------------------------------------------------------------- */

static void add_to_mark(const struct tm_collection *record)
{
	struct tm_mark *mark = (struct tm_mark *)tm_segment_at(TM_R_MARKS, 0) + record->mark;
	struct tm_collections *sums = &mark->collections[record->generation];

	sums->ns += record->duration_ns;
	if (sums->longest_ns < record->duration_ns)
		sums->longest_ns = record->duration_ns;
	sums->collected += record->collected;
	sums->uncollectable += record->uncollectable;
	sums->count++;
}

/* A slot that is written anew is void meanwhile. */
static void add_to_ring(const struct tm_collection *record)
{
	struct tm_region *region = &tm_segment.header->regions[TM_R_COLLECTIONS];
	uint64_t slots = region->capacity / sizeof(*record);
	uint64_t index = tm_get(&region->used);
	uint64_t at = index % slots;
	struct tm_collection *slot;

	tm_put(&region->used, index + 1);
	if (!tm_segment_back(TM_R_COLLECTIONS, (at + 1) * sizeof(*record)))
		return;
	slot = (struct tm_collection *)tm_segment_at(TM_R_COLLECTIONS, 0) + at;
	tm_put(&slot->sequence, 0);
	atomic_thread_fence(memory_order_release);
	slot->time_ns = record->time_ns;
	slot->duration_ns = record->duration_ns;
	slot->collected = record->collected;
	slot->uncollectable = record->uncollectable;
	slot->mark = record->mark;
	slot->generation = record->generation;
	slot->flags = record->flags;
	tm_publish(&slot->sequence, (uint32_t)(index + 1));
}

void tm_collections_end(const struct tm_collected *what)
{
	struct tm_collection record = {
		.time_ns = run.time_ns,
		.duration_ns = now_ns(CLOCK_MONOTONIC) - run.began_ns,
		.collected = what->collected,
		.uncollectable = what->uncollectable,
		.mark = run.mark ? run.mark : tm_get(&tm_segment.header->current),
		.generation = (uint16_t)(what->generation < TM_GENERATIONS ? what->generation
									   : TM_GENERATIONS - 1),
		.flags = run.mark ? TM_CO_OF_MARK : 0,
	};

	run.lasted_ns = record.duration_ns;
	tm_collections_drop();
	add_to_ring(&record);
	add_to_mark(&record);
}

/* ---- what dies in it -------------------------------------------------------------- */

/* An object of unknown size counts as one of its type's: it is in no block of the allocator. */
static uint64_t size_or_basic(uint64_t word, uint64_t size)
{
	uint32_t type = tm_word_type(word);

	if (size || type >= tm_get(&tm_segment.header->regions[TM_R_TYPES].used))
		return size;
	return ((const struct tm_type *)tm_segment_at(TM_R_TYPES, 0))[type].basic_size;
}

static void tally(uint64_t word, uint64_t size, uint32_t interval)
{
	word &= TM_KIND_MASK | TM_SITE_MASK | TM_TYPE_MASK;
	if (!tm_tallies_add(TM_R_CYCLIC, word, interval, size_or_basic(word, size)))
		tm_lose(TM_L_CYCLIC);
}

unsigned tm_collections_account(uint64_t word, uint64_t size, bool made_here, uint32_t *mark)
{
	unsigned flags = TM_DF_COLLECTOR;
	uint32_t interval = *mark;

	if (likely(!tm_collections_here()))
		return 0;
	if (unlikely(!tm_python_collecting())) {
		tm_collections_drop();
		return 0;
	}
	/* Only what was alive at the mark is its trash: born in an earlier interval. */
	if (run.mark && tm_word_birth(word) <= run.mark) {
		flags |= TM_DF_MARK_COLLECTION;
		*mark = run.mark;
		interval = run.mark - 1;
	}
	if (tm_word_kind(word) != TM_OBJECT)
		return flags;
	if (!made_here)
		tally(word, size, interval);
	if (flags & TM_DF_MARK_COLLECTION)
		run.reclaimed++;
	return flags;
}

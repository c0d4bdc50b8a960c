/* test_collections.c - the runs of the collector, and what dies in them */
#include "objects.h"

#include "collections.h"

#include <pthread.h>
#include <time.h>

static const struct tm_collection *record(uint64_t index)
{
	uint64_t slots = tm_segment.header->regions[TM_R_COLLECTIONS].capacity /
			 sizeof(struct tm_collection);

	return (const struct tm_collection *)tm_segment_at(TM_R_COLLECTIONS, 0) + index % slots;
}

struct sum {
	uint64_t count, bytes;
};

/* What CYCLIC says of objects of a type, wherever they were made. */
static struct sum reclaimed(uint32_t type, uint32_t interval)
{
	const struct tm_tally *tallies = tm_segment_at(TM_R_CYCLIC, 0);
	uint64_t slots = tm_segment.header->regions[TM_R_CYCLIC].capacity / sizeof(*tallies);
	struct sum sum = {0, 0};

	for (uint64_t i = 0; rig_used(TM_R_CYCLIC) && i < slots; i++) {
		if (tm_word_type(tallies[i].word) != type ||
		    tallies[i].death != (interval | TM_TALLY_VALID))
			continue;
		sum.count += tallies[i].count;
		sum.bytes += tallies[i].bytes;
	}
	return sum;
}

static uint32_t type_index(unsigned i)
{
	return tm_intern_type((uintptr_t)&rig.types[i]);
}

static void expect_reclaimed(uint32_t interval, uint64_t count)
{
	struct sum sum = reclaimed(type_index(1), interval);

	assert_int_equal(sum.count, count);
	assert_int_equal(sum.bytes, 64 * count);
}

/* ---- runs --------------------------------------------------------------------------- */

static uint64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static void a_run_is_recorded_with_what_the_collector_says(void **state)
{
	uint64_t before = realtime_ns();

	(void)state;
	rig_set_mark();
	rig_collection_starts(1);
	nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
	rig_collection_stops(1, 12, 3);
	assert_int_equal(rig_used(TM_R_COLLECTIONS), 1);
	assert_in_range(record(0)->time_ns, before, realtime_ns());
	assert_in_range(record(0)->duration_ns, 3000000, realtime_ns() - before);
	assert_int_equal(record(0)->collected, 12);
	assert_int_equal(record(0)->uncollectable, 3);
	assert_int_equal(record(0)->mark, 1);
	assert_int_equal(record(0)->generation, 1);
	assert_int_equal(record(0)->flags, 0);
	assert_int_equal(record(0)->sequence, 1);
}

static void the_mark_sums_up_its_interval(void **state)
{
	const struct tm_collections *sums;
	uint64_t ns = 0, longest = 0;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		if (i == 4)
			rig_set_mark();
		rig_collection_starts(i % 2);
		rig_collection_stops(i % 2, i, 10 * i);
	}
	for (unsigned i = 0; i < 4; i += 2) {
		ns += record(i)->duration_ns;
		longest = record(i)->duration_ns > longest ? record(i)->duration_ns : longest;
	}
	sums = rig_mark(0)->collections;
	assert_int_equal(sums[0].count, 2);
	assert_int_equal(sums[0].ns, ns);
	assert_int_equal(sums[0].longest_ns, longest);
	assert_int_equal(sums[0].collected, 0 + 2);
	assert_int_equal(sums[0].uncollectable, 0 + 20);
	assert_int_equal(sums[1].collected, 1 + 3);
	assert_int_equal(sums[2].count, 0);
	assert_int_equal(rig_mark(1)->collections[0].collected, 4);
	assert_int_equal(rig_mark(1)->collections[1].collected, 5);
}

static void a_run_is_of_the_interval_it_ended_in(void **state)
{
	(void)state;
	rig_collection_starts(0);
	rig_set_mark();
	rig_collection_stops(0, 1, 0);
	assert_int_equal(record(0)->mark, 1);
	assert_int_equal(rig_mark(0)->collections[0].count, 0);
	assert_int_equal(rig_mark(1)->collections[0].count, 1);
}

/* A generation there is not (3.14.0 to 3.14.4 have others) counts as the last. */
static void a_strange_generation_counts_as_the_oldest(void **state)
{
	(void)state;
	rig_collection_starts(9);
	rig_collection_stops(9, 1, 0);
	assert_int_equal(record(0)->generation, 2);
	assert_int_equal(rig_mark(0)->collections[2].count, 1);
}

static void the_ring_keeps_the_newest(void **state)
{
	uint64_t slots = tm_segment.header->regions[TM_R_COLLECTIONS].capacity /
			 sizeof(struct tm_collection);
	uint64_t total = slots + 100;

	(void)state;
	for (uint64_t i = 0; i < total; i++) {
		rig_collection_starts(0);
		rig_collection_stops(0, i, 0);
	}
	assert_int_equal(rig_used(TM_R_COLLECTIONS), total);
	for (uint64_t i = total - slots; i < total; i++) {
		assert_int_equal(record(i)->sequence, i + 1);
		assert_int_equal(record(i)->collected, i);
	}
	assert_int_equal(rig_mark(0)->collections[0].count, total);
}

static void without_space_runs_are_counted_all_the_same(void **state)
{
	(void)state;
	tm_put(&tm_segment.reserved, tm_segment.max);
	rig_collection_starts(0);
	rig_collection_stops(0, 5, 0);
	assert_int_equal(rig_used(TM_R_COLLECTIONS), 1);
	assert_int_equal(rig_mark(0)->collections[0].collected, 5);
}

static void an_end_without_a_begin_is_nothing(void **state)
{
	(void)state;
	rig_collection_stops(2, 5, 0);
	assert_int_equal(rig_used(TM_R_COLLECTIONS), 0);
	assert_int_equal(rig_mark(0)->collections[2].count, 0);
}

/* ---- what dies in them ---------------------------------------------------------------- */

static void a_run_counts_what_dies_in_it_whenever_born(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++)
		born(i);
	rig_set_mark();
	for (unsigned i = 10; i < 14; i++)
		born(i);
	dies(0);
	dies(10);
	assert_int_equal(rig_used(TM_R_CYCLIC), 0);
	rig_collection_starts(0);
	for (unsigned i = 1; i < 4; i++)
		dies(i);
	for (unsigned i = 11; i < 13; i++)
		dies(i);
	rig_collection_stops(0, 5, 0);
	dies(4);
	dies(13);
	expect_reclaimed(1, 5);
	expect_reclaimed(0, 0);
	assert_int_equal(rig_lost(TM_L_CYCLIC), 0);
	/* birth and size are not told apart */
	assert_int_equal(rig_used(TM_R_CYCLIC), 1);
}

static void what_a_finalizer_makes_and_drops_does_not_count(void **state)
{
	(void)state;
	born(0);
	rig_collection_starts(0);
	born(1);
	dies(1);
	dies(0);
	rig_collection_stops(0, 1, 0);
	expect_reclaimed(0, 1);
}

/* It outlives the run, and dies in one of a later interval. */
static void what_a_finalizer_makes_and_keeps_counts_later(void **state)
{
	(void)state;
	rig_collection_starts(0);
	born(1);
	rig_collection_stops(0, 0, 0);
	rig_set_mark();
	rig_collection_starts(0);
	dies(1);
	rig_collection_stops(0, 1, 0);
	expect_reclaimed(1, 1);
}

static void classes_are_watched_and_count_all_the_same(void **state)
{
	uintptr_t type = (uintptr_t)rig.heap + TM_CHUNK_HEAP + 16;
	uintptr_t object = type + 4096;
	struct rig_text name;
	void *text = &name;

	(void)state;
	rig_set_text(&name, "Made");
	rig_set_type((void *)type, "Made", 32, TM_FLAG_READY | TM_FLAG_HEAPTYPE);
	memcpy((char *)type + RIG_QUALNAME, &text, sizeof(text));
	tm_birth_expected(type - 16, 600);
	tm_birth_object(type);
	rig_set_object(object, (void *)type);
	tm_birth_expected(object, 32);
	tm_birth_object(object);
	assert_true(rig_word(type) & TM_WATCHED);
	rig_collection_starts(0);
	tm_death_object(object);
	tm_death_object(type);
	rig_collection_stops(0, 2, 0);
	assert_int_equal(reclaimed(tm_intern_type((uintptr_t)&rig.type_type), 0).count, 1);
}

static void the_callbacks_own_arguments_are_left_out(void **state)
{
	(void)state;
	born(0);
	born(1);
	rig_collection_starts(0);
	tm_record_leave_out(block_at(0) + 16);
	tm_record_leave_out(block_at(9) + 16); /* not known */
	dies(0);
	dies(1);
	rig_collection_stops(0, 1, 0);
	expect_reclaimed(0, 1);
}

static void *other_thread(void *unused)
{
	born(20);
	dies(20);
	dies(1);
	tm_self.pending = 0;
	return unused;
}

static void what_dies_in_other_threads_meanwhile_does_not_count(void **state)
{
	pthread_t thread;

	(void)state;
	born(0);
	born(1);
	rig_set_mark();
	rig_collection_starts(0);
	assert_int_equal(pthread_create(&thread, NULL, other_thread, NULL), 0);
	pthread_join(thread, NULL);
	dies(0);
	rig_collection_stops(0, 1, 0);
	expect_reclaimed(1, 1);
	assert_int_equal(rig_death(0)->meta >> 48, 0);
	assert_int_equal(rig_death(1)->meta >> 48, TM_DF_COLLECTOR);
}

static void blocks_without_an_object_do_not_count(void **state)
{
	(void)state;
	tm_birth_block(block_at(0), 64, TM_BUFFER);
	pending_nonsense(1);
	pending_object(2);
	rig_collection_starts(0);
	for (unsigned i = 0; i < 3; i++)
		tm_death_block(block_at(i));
	rig_collection_stops(0, 1, 0);
	expect_reclaimed(0, 1);
	assert_int_equal(rig_used(TM_R_CYCLIC), 1);
}

/* An object that is in no block of the allocator counts with its type's size. */
static void an_object_of_unknown_size_counts_with_its_types(void **state)
{
	uintptr_t object = block_at(0) + 16;

	(void)state;
	rig_set_object(object, &rig.types[1]);
	tm_birth_object(object);
	rig_collection_starts(0);
	tm_death_object(object);
	rig_collection_stops(0, 1, 0);
	assert_int_equal(reclaimed(type_index(1), 0).bytes, 16 + TM_GC_HEAD);
}

static void without_space_each_is_counted_as_lost(void **state)
{
	(void)state;
	born(0);
	born(1);
	tm_put(&tm_segment.reserved, tm_segment.max);
	rig_collection_starts(0);
	dies(0);
	dies(1);
	rig_collection_stops(0, 2, 0);
	assert_int_equal(rig_lost(TM_L_CYCLIC), 2);
}

/* ---- marks -------------------------------------------------------------------------- */

static long collect(void)
{
	rig_collection_starts(2);
	dies(1);
	dies(2);
	rig_collection_stops(2, 2, 0);
	return 2;
}

static int setup_collecting(void **state)
{
	(void)state;
	return rig_setup_collecting(collect);
}

/* What was trash at the mark was trash of the interval that the mark ended. */
static void a_marks_own_collection_counts_for_the_interval_before(void **state)
{
	(void)state;
	born(1);
	rig_set_mark();
	born(2);
	tm_follow_up_run();
	expect_reclaimed(0, 1);
	expect_reclaimed(1, 1);
	assert_int_equal(rig_mark(1)->collected_objects, 1);
	assert_int_equal(record(0)->flags, TM_CO_OF_MARK);
	assert_int_equal(record(0)->mark, 1);
	assert_int_equal(rig_mark(1)->collections[2].count, 1);
}

/* The program emptied gc.callbacks: nobody tells of the run. */
static long collect_untold(void)
{
	rig.gc.collecting = 1;
	dies(1);
	rig.gc.collecting = 0;
	return 1;
}

static void a_marks_own_collection_is_known_without_callbacks(void **state)
{
	(void)state;
	tm_python.collect = collect_untold;
	born(1);
	rig_set_mark();
	tm_follow_up_run();
	expect_reclaimed(0, 1);
	assert_int_equal(rig_used(TM_R_COLLECTIONS), 1);
	assert_int_equal(record(0)->collected, 1);
	assert_int_equal(record(0)->flags, TM_CO_OF_MARK);
	assert_false(tm_collections_any());
}

/* A collection is under way, below a finalizer or in another thread: no second one can be made. */
static void a_mark_waits_for_the_end_of_a_collection_under_way(void **state)
{
	(void)state;
	born(1);
	rig_collection_starts(0);
	rig_set_mark();
	tm_follow_up_run();
	assert_int_equal(rig_mark(1)->state, TM_MARK_TAKEN);
	rig_collection_stops(0, 0, 0);
	assert_true(tm_follow_up_pending());
	tm_follow_up_run();
	assert_int_equal(rig_mark(1)->state, TM_MARK_FOLLOWED);
	assert_int_equal(rig_mark(1)->collected_objects, 1);
}

/* ---- ends that nobody tells of -------------------------------------------------------- */

static void a_run_that_is_over_takes_no_more_deaths(void **state)
{
	(void)state;
	born(0);
	born(1);
	rig_collection_starts(0);
	dies(0);
	rig.gc.collecting = 0;
	dies(1);
	expect_reclaimed(0, 1);
	assert_false(tm_collections_any());
	assert_int_equal(tm_get(&tm_birth_bits) & TM_WATCHED, 0);
}

static void the_next_run_ends_it(void **state)
{
	(void)state;
	rig_collection_starts(0);
	rig_collection_starts(1);
	rig_collection_stops(1, 7, 0);
	assert_int_equal(rig_used(TM_R_COLLECTIONS), 1);
	assert_int_equal(record(0)->collected, 7);
	assert_int_equal(tm_get(&tm_birth_bits) & TM_WATCHED, 0);
}

static void a_mark_it_served_is_followed_up(void **state)
{
	(void)state;
	born(1);
	rig_set_mark();
	rig_collection_starts(2);
	dies(1);
	rig.gc.collecting = 0;
	assert_int_equal(rig_mark(1)->state, TM_MARK_TAKEN);
	tm_follow_up_run();
	assert_int_equal(rig_mark(1)->state, TM_MARK_FOLLOWED);
	rig_set_mark();
	tm_follow_up_run();
	assert_int_equal(rig_mark(2)->state, TM_MARK_FOLLOWED);
}

#define COLLECTING_TEST(name) cmocka_unit_test_setup_teardown(name, setup_collecting, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_run_is_recorded_with_what_the_collector_says),
		RIG_TEST(the_mark_sums_up_its_interval),
		RIG_TEST(a_run_is_of_the_interval_it_ended_in),
		RIG_TEST(a_strange_generation_counts_as_the_oldest),
		RIG_TEST(the_ring_keeps_the_newest),
		RIG_TEST(without_space_runs_are_counted_all_the_same),
		RIG_TEST(an_end_without_a_begin_is_nothing),
		RIG_TEST(a_run_counts_what_dies_in_it_whenever_born),
		RIG_TEST(what_a_finalizer_makes_and_drops_does_not_count),
		RIG_TEST(what_a_finalizer_makes_and_keeps_counts_later),
		RIG_TEST(classes_are_watched_and_count_all_the_same),
		RIG_TEST(the_callbacks_own_arguments_are_left_out),
		RIG_TEST(what_dies_in_other_threads_meanwhile_does_not_count),
		RIG_ALLOCATOR_TEST(blocks_without_an_object_do_not_count),
		RIG_TEST(an_object_of_unknown_size_counts_with_its_types),
		RIG_TEST(without_space_each_is_counted_as_lost),
		COLLECTING_TEST(a_marks_own_collection_counts_for_the_interval_before),
		COLLECTING_TEST(a_marks_own_collection_is_known_without_callbacks),
		COLLECTING_TEST(a_mark_waits_for_the_end_of_a_collection_under_way),
		RIG_TEST(a_run_that_is_over_takes_no_more_deaths),
		RIG_TEST(the_next_run_ends_it),
		COLLECTING_TEST(a_mark_it_served_is_followed_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

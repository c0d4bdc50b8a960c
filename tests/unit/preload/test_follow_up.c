/* test_follow_up.c - the second step of a mark, and what the end makes of those that wait */
#include "objects.h"

static uint32_t current(void)
{
	return tm_get(&tm_segment.header->current);
}

static unsigned flags_of(uint32_t number)
{
	return tm_get(&((struct tm_mark *)(uintptr_t)rig_mark(number))->flags);
}

/* ---- the follow-up -------------------------------------------------------------- */

static unsigned collections;

/* A collection that reclaims block 1, and makes and reclaims block 9 meanwhile. */
static long collect(void)
{
	assert_int_equal(rig.gc.enabled, 1);
	collections++;
	rig_collection_starts(2);
	dies(1);
	born(9);
	dies(9);
	rig_collection_stops(2, 0, 0);
	return 0;
}

static int setup_collecting(void **state)
{
	(void)state;
	collections = 0;
	return rig_setup_collecting(collect);
}

static void a_follow_up_takes_the_figures_once(void **state)
{
	uintptr_t items[10];
	struct rig_list list = {1, &rig.list_type, 3, items};

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		born(i);
		items[i] = block_at(i) + 16;
	}
	rig.gc.garbage = &list;
	rig_set_mark();
	tm_follow_up_run();
	assert_int_equal(rig_mark(1)->state, TM_MARK_FOLLOWED);
	assert_int_equal(rig_mark(1)->garbage, 3);
	assert_int_equal(rig_mark(1)->garbage_new, 3);
	assert_true(rig_mark(1)->figures.rss > 0);
	assert_true(rig_mark(1)->pause_ns > 0);
	assert_int_equal(flags_of(1), TM_MF_API);
	assert_false(tm_follow_up_pending());
	list.length = 10;
	tm_follow_up_run();
	assert_int_equal(rig_mark(1)->garbage, 3);
	rig_set_mark();
	tm_follow_up_run();
	assert_int_equal(rig_mark(2)->garbage, 10);
	assert_int_equal(rig_mark(2)->garbage_new, 7);
	list.length = 4;
	rig_set_mark();
	tm_follow_up_run();
	assert_int_equal(rig_mark(3)->garbage, 4);
	assert_int_equal(rig_mark(3)->garbage_new, 0);
}

static void what_is_no_list_is_not_counted_as_garbage(void **state)
{
	uint64_t impostor[3] = {1, (uintptr_t)&rig.dict_type, 3};

	(void)state;
	rig.gc.garbage = impostor;
	rig_set_mark();
	tm_follow_up_run();
	assert_int_equal(rig_mark(1)->garbage, 0);
	assert_int_equal(rig_mark(1)->state, TM_MARK_FOLLOWED);
}

static void marks_faster_than_follow_ups_are_merged_and_say_so(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		rig_set_mark();
	tm_follow_up_run();
	assert_int_equal(flags_of(1), TM_MF_API | TM_MF_MERGED);
	assert_int_equal(flags_of(2), TM_MF_API | TM_MF_MERGED);
	assert_int_equal(flags_of(3), TM_MF_API);
	for (unsigned i = 1; i <= 3; i++)
		assert_int_equal(rig_mark(i)->state, TM_MARK_FOLLOWED);
	rig_set_mark();
	tm_follow_up_run();
	assert_int_equal(flags_of(3), TM_MF_API);
	assert_int_equal(flags_of(4), TM_MF_API);
}

static void the_marks_own_collection_reclaims_what_was_alive_at_it(void **state)
{
	(void)state;
	born(1);
	rig_set_mark();
	tm_follow_up_run();
	assert_int_equal(collections, 1);
	assert_int_equal(flags_of(1), TM_MF_API | TM_MF_COLLECTED);
	assert_int_equal(rig_mark(1)->collected_objects, 1);
	assert_int_equal(rig_used(TM_R_DEATHS), 1);
	rig_expect_death(0, block_at(1) + 16, rig_death(0)->word, 64, 1,
			 TM_DF_MARK_COLLECTION | TM_DF_COLLECTOR);
	assert_false(tm_collections_any());
	/* and the program's setting is as it was */
	assert_int_equal(rig.gc.enabled, 0);
}

static void a_mark_without_collection_makes_none(void **state)
{
	(void)state;
	born(1);
	tm_marks_bump(NULL, 0, TM_MF_REQUEST | TM_MF_NO_COLLECT);
	tm_follow_up_run();
	assert_int_equal(collections, 0);
	assert_int_equal(flags_of(1), TM_MF_REQUEST | TM_MF_NO_COLLECT);
	assert_int_not_equal(birth_of(1), 0);
}

/* The mark came first, the program's own full collection before the follow-up. */
static void a_full_collection_of_the_programs_own_serves_a_waiting_mark(void **state)
{
	(void)state;
	born(1);
	rig_set_mark();
	rig.gc.enabled = 1;
	collect();
	assert_int_equal(flags_of(1), TM_MF_API | TM_MF_COLLECTED);
	assert_int_equal(rig_mark(1)->collected_objects, 1);
	assert_int_equal(rig_death(0)->meta >> 48, TM_DF_MARK_COLLECTION | TM_DF_COLLECTOR);
	assert_false(tm_follow_up_pending());
	tm_follow_up_run();
	assert_int_equal(collections, 1);
}

static void a_young_collection_serves_no_mark(void **state)
{
	(void)state;
	born(1);
	rig_set_mark();
	rig_collection_starts(1);
	dies(1);
	rig_collection_stops(1, 0, 0);
	assert_int_equal(rig_death(0)->meta >> 48, TM_DF_COLLECTOR);
	assert_true(tm_follow_up_pending());
	assert_int_equal(rig_mark(1)->state, TM_MARK_TAKEN);
}

static void with_no_mark_waiting_a_collection_is_the_programs(void **state)
{
	(void)state;
	born(1);
	born(2);
	rig_set_mark();
	tm_follow_up_run();
	rig_set_mark();
	tm_marks_bump(NULL, 0, TM_MF_NO_COLLECT);
	tm_follow_up_run();
	assert_int_equal(collections, 1);
	rig_collection_starts(2);
	dies(2);
	rig_collection_stops(2, 0, 0);
	assert_int_equal(rig_death(1)->meta >> 48, TM_DF_COLLECTOR);
	assert_false(tm_collections_any());
}

/* A mark set while the collection of the one before runs belongs to the next follow-up. */
static long collect_and_mark(void)
{
	collections++;
	rig_collection_starts(2);
	dies(1);
	if (collections == 1)
		rig_set_mark();
	born(2);
	rig_collection_stops(2, 0, 0);
	return 0;
}

static void a_mark_during_a_follow_up_gets_one_of_its_own(void **state)
{
	(void)state;
	tm_python.collect = collect_and_mark;
	born(1);
	rig_set_mark();
	tm_follow_up_run();
	assert_int_equal(rig_mark(1)->state, TM_MARK_FOLLOWED);
	assert_int_equal(rig_mark(2)->state, TM_MARK_TAKEN);
	assert_int_equal(birth_of(2), 3);
	assert_true(tm_follow_up_pending());
	tm_follow_up_run();
	assert_int_equal(collections, 2);
	assert_int_equal(rig_mark(2)->state, TM_MARK_FOLLOWED);
	assert_int_equal(flags_of(2) & TM_MF_MERGED, 0);
}

static long follow_up_again(void)
{
	collections++;
	tm_follow_up_run();
	return 0;
}

static void a_follow_up_inside_a_follow_up_does_nothing(void **state)
{
	(void)state;
	tm_python.collect = follow_up_again;
	rig_set_mark();
	tm_follow_up_run();
	assert_int_equal(collections, 1);
	assert_int_equal(rig_mark(1)->state, TM_MARK_FOLLOWED);
}

static void a_follow_up_looks_at_blocks_of_unknown_type(void **state)
{
	(void)state;
	pending_object(1);
	pending_nonsense(2);
	rig_set_mark();
	tm_follow_up_run();
	assert_int_equal(tm_word_kind(rig_word(block_at(1))), TM_SIZE_HEAD);
	assert_int_equal(tm_word_kind(rig_word(block_at(1) + 16)), TM_OBJECT);
	assert_int_equal(birth_of(1), 1);
	assert_int_equal(rig_word(block_at(2)), tm_word(TM_BUFFER, 1, 0, 64));
}

static void while_a_collection_runs_what_may_be_half_made_waits(void **state)
{
	(void)state;
	pending_nonsense(2);
	rig.gc.collecting = 1;
	rig_set_mark();
	tm_follow_up_run();
	assert_int_equal(rig_word(block_at(2)), tm_word(TM_PENDING, 1, 0, 64));
	rig.gc.collecting = 0;
	rig_set_object(block_at(2) + 16, &rig.types[1]);
	rig_set_mark();
	tm_follow_up_run();
	assert_int_equal(birth_of(2), 1);
}

/* ---- the end -------------------------------------------------------------------- */

static void without_a_last_collection_the_exit_mark_is_the_end(void **state)
{
	(void)state;
	born(1);
	tm_marks_exit(false);
	assert_int_equal(current(), 1);
	assert_int_equal(flags_of(1), TM_MF_EXIT);
	assert_memory_equal(rig_mark(1)->name, "exit", 5);
	assert_int_equal(rig_mark(1)->state, TM_MARK_FOLLOWED);
	assert_int_equal(tm_segment.header->state, TM_PS_EXITED);
	assert_false(tm_recorder_is_on());
	assert_null(tm_shadow_find(block_at(1)));
}

static void the_last_collection_is_the_exit_marks_own(void **state)
{
	(void)state;
	born(1);
	tm_marks_exit(true);
	assert_true(tm_recorder_is_on());
	assert_int_equal(rig_mark(1)->state, TM_MARK_TAKEN);
	rig.gc.enabled = 1;
	collect();
	assert_int_equal(flags_of(1), TM_MF_EXIT | TM_MF_COLLECTED);
	assert_int_equal(rig_mark(1)->collected_objects, 1);
	assert_int_equal(rig_mark(1)->state, TM_MARK_FOLLOWED);
	assert_false(tm_recorder_is_on());
}

static void a_teardown_sets_the_exit_mark_if_nobody_did(void **state)
{
	(void)state;
	rig_set_mark();
	tm_marks_teardown();
	assert_int_equal(current(), 2);
	assert_int_equal(flags_of(2), TM_MF_EXIT);
	assert_int_equal(rig_mark(1)->state, TM_MARK_FOLLOWED);
	assert_int_equal(rig_mark(2)->state, TM_MARK_FOLLOWED);
	assert_int_equal(tm_segment.header->state, TM_PS_EXITED);
	assert_false(tm_recorder_is_on());
	tm_marks_teardown();
	tm_marks_exit(false);
	assert_int_equal(current(), 2);
}

static void a_teardown_after_the_exit_mark_completes_it(void **state)
{
	(void)state;
	tm_marks_exit(true);
	tm_marks_teardown();
	assert_int_equal(current(), 1);
	assert_int_equal(rig_mark(1)->state, TM_MARK_FOLLOWED);
	assert_false(tm_recorder_is_on());
}

static void a_process_that_ends_early_looks_at_its_blocks_if_it_may(void **state)
{
	(void)state;
	pending_object(1);
	tm_marks_process_ends();
	tm_shadow_attach();
	assert_int_equal(birth_of(1), 1);
	assert_int_equal(flags_of(1), TM_MF_EXIT);
}

/* Up to 3.11 the thread state that is found then is the one of whoever holds it. */
static void *no_thread_of_its_own(void)
{
	return NULL;
}

static void a_process_that_ends_without_the_gil_touches_no_object(void **state)
{
	(void)state;
	tm_python.own_thread_state = no_thread_of_its_own;
	pending_object(1);
	tm_marks_process_ends();
	tm_shadow_attach();
	assert_int_equal(rig_word(block_at(1)), tm_word(TM_PENDING, 1, 0, 64));
	assert_int_equal(flags_of(1), TM_MF_EXIT);
}

#define COLLECTING_TEST(name) cmocka_unit_test_setup_teardown(name, setup_collecting, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_follow_up_takes_the_figures_once),
		RIG_TEST(what_is_no_list_is_not_counted_as_garbage),
		RIG_TEST(marks_faster_than_follow_ups_are_merged_and_say_so),
		COLLECTING_TEST(the_marks_own_collection_reclaims_what_was_alive_at_it),
		COLLECTING_TEST(a_mark_without_collection_makes_none),
		COLLECTING_TEST(a_full_collection_of_the_programs_own_serves_a_waiting_mark),
		COLLECTING_TEST(a_young_collection_serves_no_mark),
		COLLECTING_TEST(with_no_mark_waiting_a_collection_is_the_programs),
		COLLECTING_TEST(a_mark_during_a_follow_up_gets_one_of_its_own),
		COLLECTING_TEST(a_follow_up_inside_a_follow_up_does_nothing),
		RIG_ALLOCATOR_TEST(a_follow_up_looks_at_blocks_of_unknown_type),
		RIG_ALLOCATOR_TEST(while_a_collection_runs_what_may_be_half_made_waits),
		RIG_TEST(without_a_last_collection_the_exit_mark_is_the_end),
		COLLECTING_TEST(the_last_collection_is_the_exit_marks_own),
		RIG_TEST(a_teardown_sets_the_exit_mark_if_nobody_did),
		COLLECTING_TEST(a_teardown_after_the_exit_mark_completes_it),
		RIG_ALLOCATOR_TEST(a_process_that_ends_early_looks_at_its_blocks_if_it_may),
		RIG_ALLOCATOR_TEST(a_process_that_ends_without_the_gil_touches_no_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

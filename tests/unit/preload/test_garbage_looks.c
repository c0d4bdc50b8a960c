/* test_garbage_looks.c - when gc.garbage is looked at, and for which mark */
#include "objects.h"

#include "garbage.h"

static uintptr_t items[4];
static struct rig_list list;

static void put(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		items[i] = block_at(i) + 16;
	list = (struct rig_list){1, &rig.list_type, count, items};
	rig.gc.garbage = &list;
}

static const struct tm_garbage *garbage(uint64_t index)
{
	return (const struct tm_garbage *)tm_segment_at(TM_R_GARBAGE, 0) + index;
}

static void a_full_collection_looks_at_garbage_for_the_next_mark(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		born(i);
	rig_set_mark();
	tm_follow_up_run();
	put(1);
	rig_collection_starts(1);
	rig_collection_stops(1, 0, 0);
	assert_int_equal(rig_used(TM_R_GARBAGE), 0);
	rig_collection_starts(2);
	rig_collection_stops(2, 0, 1);
	assert_int_equal(garbage(0)->since, 2);
	put(3);
	rig_set_mark();
	tm_follow_up_run();
	assert_int_equal(rig_mark(2)->garbage, 3);
	assert_int_equal(rig_mark(2)->garbage_new, 3);
	assert_int_equal(garbage(2)->since, 2);
	assert_int_equal(rig_mark(1)->garbage, 0);
}

/* The mark waits for its follow-up: what comes before is there at the mark. */
static void what_comes_before_the_follow_up_is_there_at_the_mark(void **state)
{
	(void)state;
	born(0);
	rig_set_mark();
	put(1);
	rig_collection_starts(2);
	rig_collection_stops(2, 0, 1);
	assert_int_equal(garbage(0)->since, 1);
	tm_follow_up_run();
	assert_int_equal(rig_mark(1)->garbage_new, 1);
}

static void of_marks_followed_up_together_the_last_has_the_news(void **state)
{
	(void)state;
	born(0);
	born(1);
	put(1);
	rig_set_mark();
	tm_follow_up_run();
	put(2);
	rig_set_mark();
	rig_set_mark();
	tm_follow_up_run();
	assert_int_equal(rig_mark(2)->garbage, 1);
	assert_int_equal(rig_mark(2)->garbage_new, 0);
	assert_int_equal(rig_mark(3)->garbage, 2);
	assert_int_equal(rig_mark(3)->garbage_new, 1);
	assert_int_equal(rig_mark(2)->figures.rss, rig_mark(3)->figures.rss);
}

static void the_exit_mark_looks_as_well(void **state)
{
	(void)state;
	born(0);
	put(1);
	tm_marks_exit(false);
	assert_int_equal(rig_mark(1)->garbage, 1);
	assert_int_equal(rig_mark(1)->garbage_new, 1);
}

static void a_process_that_ends_early_looks_if_it_may(void **state)
{
	(void)state;
	born(0);
	put(1);
	tm_marks_process_ends();
	assert_int_equal(rig_mark(1)->garbage, 1);
	assert_int_equal(rig_mark(1)->flags, TM_MF_EXIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_full_collection_looks_at_garbage_for_the_next_mark),
		RIG_TEST(what_comes_before_the_follow_up_is_there_at_the_mark),
		RIG_TEST(of_marks_followed_up_together_the_last_has_the_news),
		RIG_TEST(the_exit_mark_looks_as_well),
		RIG_TEST(a_process_that_ends_early_looks_if_it_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

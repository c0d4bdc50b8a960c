/* test_diff.c - who survives from one mark to another */
#include "view.h"

static void what_is_born_between_two_marks_and_stays_is_reported(void **state)
{
	struct story *s = *state;

	mark(s, "before");
	at_line(s, "/srv/app.py", "work", 12);
	birth(s, "app.Session", HEAP, 64);
	birth(s, "app.Session", HEAP + 64, 64);
	mark(s, "after");
	expect_survivors(s, "before", "after", "app.Session", 2, 128);
	expect_survivors(s, "before", "now", "app.Session", 2, 128);
	expect_survivors(s, "start", "before", "app.Session", 0, 0);
}

static void what_was_there_before_and_what_comes_after_is_not(void **state)
{
	struct story *s = *state;

	birth(s, "early", HEAP, 32);
	mark(s, "before");
	mark(s, "after");
	birth(s, "late", HEAP + 32, 32);
	expect_survivors(s, "before", "after", "early", 0, 0);
	expect_survivors(s, "before", "after", "late", 0, 0);
	expect_survivors(s, "start", "after", "early", 1, 32);
	expect_survivors(s, "after", "now", "late", 1, 32);
}

static void what_dies_between_the_marks_is_not(void **state)
{
	struct story *s = *state;
	struct view v;

	mark(s, "before");
	birth(s, "short", HEAP, 32);
	death(s, HEAP);
	mark(s, "after");
	v = view_of(s, "before", "after");
	assert_int_equal(v.groups.count, 0);
	assert_int_equal(v.diff.totals.created, 1);
	assert_int_equal(v.diff.totals.destroyed, 1);
	view_end(&v);
}

/* A dict of the interval that ends at b, and at its address another object of the next one. */
static void tell_of_one_address(struct story *s, const char *type, uint64_t size)
{
	mark(s, "a");
	birth(s, "dict", HEAP, 64);
	mark(s, "b");
	death(s, HEAP);
	birth(s, type, HEAP, size);
	mark(s, "c");
}

static void an_address_used_twice_counts_as_two_objects(void **state)
{
	struct story *s = *state;

	tell_of_one_address(s, "list", 56);
	expect_survivors(s, "a", "b", "dict", 1, 64);
	expect_survivors(s, "a", "b", "list", 0, 0);
	expect_survivors(s, "b", "c", "list", 1, 56);
	expect_survivors(s, "a", "c", "dict", 0, 0);
	expect_survivors(s, "a", "c", "list", 1, 56);
}

static void the_same_type_at_the_same_address_is_another_object(void **state)
{
	struct story *s = *state;

	tell_of_one_address(s, "dict", 64);
	expect_survivors(s, "a", "b", "dict", 1, 64);
	expect_survivors(s, "a", "c", "dict", 1, 64);
	expect_survivors(s, "b", "c", "dict", 1, 64);
}

static void a_diff_of_the_past_stays_as_it_was(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	birth(s, "dict", HEAP, 64);
	birth(s, "list", HEAP + 64, 56);
	mark(s, "b");
	mark(s, "c");
	death(s, HEAP);
	mark(s, "d");
	death(s, HEAP + 64);
	for (int i = 0; i < 3; i++) {
		expect_survivors(s, "a", "b", "dict", 1, 64);
		expect_survivors(s, "a", "c", "dict", 1, 64);
		expect_survivors(s, "a", "d", "dict", 0, 0);
		expect_survivors(s, "a", "d", "list", 1, 56);
		expect_survivors(s, "a", "now", "list", 0, 0);
		mark(s, "more");
	}
}

static void what_the_marks_own_collection_reclaims_is_trash_and_no_survivor(void **state)
{
	struct story *s = *state;
	struct view v;

	mark(s, "a");
	birth(s, "cycle", HEAP, 64);
	birth(s, "kept", HEAP + 64, 64);
	birth(s, "dropped", HEAP + 128, 64);
	mark(s, "b");
	mark_reclaims(s, HEAP);
	death(s, HEAP + 128);
	v = view_of(s, "a", "b");
	expect_group(group_of(&v, "kept"), 1, 64);
	expect_group(group_of(&v, "dropped"), 1, 64);
	assert_null(group_in(&v, &v.groups, "cycle"));
	expect_group(group_in(&v, &v.trash, "cycle"), 1, 64);
	assert_int_equal(v.trash.count, 1);
	assert_int_equal(v.diff.totals.survived_objects, 2);
	assert_int_equal(v.diff.totals.trash_objects, 1);
	view_end(&v);
	expect_survivors(s, "a", "now", "cycle", 0, 0);
}

static void trash_of_a_later_mark_was_alive_at_this_one(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	birth(s, "cycle", HEAP, 64);
	mark(s, "b");
	mark(s, "c");
	mark_reclaims(s, HEAP);
	expect_survivors(s, "a", "b", "cycle", 1, 64);
	expect_survivors(s, "a", "c", "cycle", 0, 0);
}

static void what_was_alive_at_from_and_dies_before_to_is_freed(void **state)
{
	struct story *s = *state;
	struct tm_totals totals;

	for (uint64_t i = 0; i < 5; i++)
		birth(s, "old", HEAP + 64 * i, 48);
	mark(s, "a");
	death(s, HEAP);
	birth(s, "new", HEAP + 1024, 32);
	mark(s, "b");
	death(s, HEAP + 64);
	death(s, HEAP + 1024);
	mark(s, "c");
	death(s, HEAP + 128);
	totals = totals_of(s, "a", "b");
	assert_int_equal(totals.freed_objects, 1);
	assert_int_equal(totals.freed_bytes, 48);
	assert_int_equal(totals_of(s, "a", "c").freed_objects, 2);
	assert_int_equal(totals_of(s, "b", "now").freed_objects, 3);
}

static void births_of_before_the_start_mark_are_baseline(void **state)
{
	struct story *s = *state;
	struct story_options early = {.no_start = true};

	birth(s, "type", HEAP, 32);
	*word_at(s, HEAP) &= ~TM_BIRTH_MASK;
	birth(s, "dict", HEAP + 32, 32);
	mark(s, "a");
	expect_survivors(s, "start", "a", "type", 0, 0);
	expect_survivors(s, "start", "a", "dict", 1, 32);

	s = story_begin(&early);
	birth(s, "type", HEAP, 32);
	*word_at(s, HEAP) &= ~TM_BIRTH_MASK;
	mark(s, "a");
	expect_survivors(s, "start", "a", "type", 1, 32);
	expect_survivors(s, "a", "now", "type", 0, 0);
	story_end(s);
}

static void events_are_counted_from_point_to_point(void **state)
{
	struct story *s = *state;
	struct tm_totals totals;

	for (uint64_t i = 0; i < 7; i++)
		birth(s, "x", HEAP + 64 * i, 48);
	mark(s, "a");
	for (uint64_t i = 0; i < 4; i++)
		death(s, HEAP + 64 * i);
	birth(s, "x", HEAP, 48);
	mark(s, "b");
	birth(s, "x", HEAP + 64, 48);
	totals = totals_of(s, "a", "b");
	assert_int_equal(totals.created, 1);
	assert_int_equal(totals.destroyed, 4);
	totals = totals_of(s, "start", "now");
	assert_int_equal(totals.created, 9);
	assert_int_equal(totals.destroyed, 4);
}

static void garbage_is_the_growth_of_the_marks_counters(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	mark_record(s, 1)->garbage = 3;
	mark(s, "b");
	mark_record(s, 2)->garbage = 10;
	assert_int_equal(totals_of(s, "a", "now").garbage, 7);
	assert_int_equal(totals_of(s, "b", "b").garbage, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY_TEST(what_is_born_between_two_marks_and_stays_is_reported),
		STORY_TEST(what_was_there_before_and_what_comes_after_is_not),
		STORY_TEST(what_dies_between_the_marks_is_not),
		STORY_TEST(an_address_used_twice_counts_as_two_objects),
		STORY_TEST(the_same_type_at_the_same_address_is_another_object),
		STORY_TEST(a_diff_of_the_past_stays_as_it_was),
		STORY_TEST(what_the_marks_own_collection_reclaims_is_trash_and_no_survivor),
		STORY_TEST(trash_of_a_later_mark_was_alive_at_this_one),
		STORY_TEST(what_was_alive_at_from_and_dies_before_to_is_freed),
		STORY_TEST(births_of_before_the_start_mark_are_baseline),
		STORY_TEST(events_are_counted_from_point_to_point),
		STORY_TEST(garbage_is_the_growth_of_the_marks_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

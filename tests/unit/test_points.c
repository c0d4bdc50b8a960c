/* test_points.c - which marks FROM and TO mean */
#include "view.h"

/* The note on what is hidden by every interpreter. */
#define ALWAYS_SAID 1

#include <stdio.h>
#include <unistd.h>

#include "error.h"

/* The exit status of choosing; a refusal is one line on stderr. */
static int choose(const struct story *s, bool live, const char *from, const char *to,
		  struct tm_span *span)
{
	struct tm_reader *reader = open_story(s);
	int status = tm_points_choose(reader, live, from, to, span);

	tm_reader_close(reader);
	return status;
}

static void expect_span(const struct story *s, bool live, const char *from, const char *to,
			uint32_t want_from, uint32_t want_to)
{
	struct tm_span span;

	assert_int_equal(choose(s, live, from, to, &span), TM_EXIT_OK);
	if (span.from.number != want_from || span.to.number != want_to)
		fail_msg("%s to %s means %u to %u, expected %u to %u", from ? from : "nothing",
			 to ? to : "nothing", span.from.number, span.to.number, want_from, want_to);
}

static void expect_refusal(const struct story *s, bool live, const char *from, const char *to)
{
	struct tm_span span;

	assert_int_equal(choose(s, live, from, to, &span), TM_EXIT_USAGE);
}

static void by_default_a_live_process_is_looked_at_from_the_last_mark_to_now(void **state)
{
	struct story *s = *state;

	expect_span(s, true, NULL, NULL, 0, 1);
	mark(s, "a");
	mark(s, "b");
	expect_span(s, true, NULL, NULL, 2, 3);
	expect_span(s, true, "1", NULL, 1, 3);
}

static void by_default_a_finished_one_is_looked_at_up_to_its_exit(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	expect_span(s, false, NULL, NULL, 1, 2);
	exit_mark(s);
	expect_span(s, false, NULL, NULL, 1, 2);
	expect_span(s, false, "start", NULL, 0, 2);
	expect_span(s, false, "exit", "now", 2, 3);
	expect_span(s, false, "a", "now", 1, 3);
}

static void a_recording_of_start_and_exit_alone_has_a_default_too(void **state)
{
	struct story *s = *state;

	exit_mark(s);
	expect_span(s, false, NULL, NULL, 0, 1);
}

static void marks_go_by_number_and_by_name(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	mark(s, "two words");
	mark(s, "77");
	expect_span(s, true, "1", "2", 1, 2);
	expect_span(s, true, "0", "a", 0, 1);
	expect_span(s, true, "a", "two words", 1, 2);
	expect_span(s, true, "2", "77", 2, 3);
	expect_span(s, true, "2", "2", 2, 2);
}

static void of_marks_with_one_name_the_newest_is_meant_and_it_is_said(void **state)
{
	struct story *s = *state;
	struct view v;

	mark(s, "warm");
	mark(s, "warm");
	mark(s, "warm");
	expect_span(s, true, "warm", "now", 3, 4);
	v = view_of(s, "warm", "now");
	assert_true(noted(&v, "2 older marks are named 'warm' too"));
	view_end(&v);
	v = view_of(s, "2", "now");
	assert_false(noted(&v, "older mark"));
	view_end(&v);
}

static void what_does_not_exist_is_refused(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	mark(s, "b");
	expect_refusal(s, true, "nobody", NULL);
	expect_refusal(s, true, "3", NULL);
	expect_refusal(s, true, "99999999999999999999", NULL);
	expect_refusal(s, true, "", NULL);
	expect_refusal(s, true, "a", "exit");
	expect_refusal(s, false, "a", "exit");
	expect_refusal(s, true, "b", "a");
	expect_refusal(s, true, "now", "b");
	expect_refusal(s, true, "-1", NULL);
}

static void the_automatic_points_have_names_and_times(void **state)
{
	struct story *s = *state;
	struct tm_span span;

	mark(s, "");
	exit_mark(s);
	assert_int_equal(choose(s, false, "start", "exit", &span), 0);
	assert_memory_equal(tm_point_name(&span.from).data, "start", 5);
	assert_memory_equal(tm_point_name(&span.to).data, "exit", 4);
	assert_int_equal(span.to.time_ns, s->header->time_ns + 2000000000ull);
	assert_int_equal(choose(s, false, "1", "now", &span), 0);
	assert_int_equal(tm_point_name(&span.from).size, 0);
	assert_memory_equal(tm_point_name(&span.to).data, "now", 3);
	assert_int_equal(span.to.time_ns, 0);
	assert_int_equal(choose(s, true, "1", "now", &span), 0);
	assert_true(span.to.time_ns > s->header->time_ns);
}

/* ---- what is said about them ---- */

static void a_mark_without_its_collection_is_said_to_be_so(void **state)
{
	struct story *s = *state;
	struct view v;

	mark(s, "a");
	mark(s, "b");
	v = view_of(s, "a", "b");
	assert_int_equal(v.notes.count, ALWAYS_SAID);
	view_end(&v);
	mark_record(s, 2)->flags = TM_MF_SIGNAL;
	v = view_of(s, "a", "b");
	assert_true(noted(&v, "no collection was made at mark 2"));
	view_end(&v);
	mark_record(s, 2)->flags = TM_MF_SIGNAL | TM_MF_MERGED;
	v = view_of(s, "a", "b");
	assert_true(noted(&v, "together with a later one"));
	view_end(&v);
	mark_record(s, 2)->state = TM_MARK_TAKEN;
	v = view_of(s, "a", "b");
	assert_true(noted(&v, "not followed up yet"));
	assert_false(v.notes.incomplete);
	view_end(&v);
	v = view_of(s, "a", "now");
	assert_true(noted(&v, "now makes no collection"));
	view_end(&v);
}

static void losses_of_births_or_deaths_make_a_report_incomplete(void **state)
{
	static const struct {
		enum tm_loss loss;
		bool incomplete;
	} cases[] = {
		{TM_L_NO_SPACE, true}, {TM_L_ADDRESS, true},	 {TM_L_TALLIES, true},
		{TM_L_TRACER, true},   {TM_L_SITES, false},	 {TM_L_TYPES, false},
		{TM_L_MARKS, false},   {TM_L_BIRTH_OVER, false}, {TM_L_FREED_LIVE, false},
	};
	struct story *s = *state;

	mark(s, "a");
	mark(s, "b");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct view v;

		s->header->losses[cases[i].loss] = 1234;
		v = view_of(s, "a", "b");
		assert_int_equal(v.notes.incomplete, cases[i].incomplete);
		assert_int_equal(v.notes.count, ALWAYS_SAID + 1);
		assert_true(cases[i].loss == TM_L_TRACER || noted(&v, "1,234 "));
		view_end(&v);
		s->header->losses[cases[i].loss] = 0;
	}
}

static void blind_spots_are_named(void **state)
{
	struct story *s = *state;
	struct view v;

	mark(s, "a");
	mark(s, "b");
	s->header->blind = TM_B_FLOATS | TM_B_STACKS;
	s->header->full_since_ns = s->header->time_ns;
	memcpy(s->header->message, "offsets differ", 15);
	v = view_of(s, "a", "b");
	assert_true(noted(&v, "floats that the interpreter recycles"));
	assert_true(noted(&v, "no object has a site"));
	assert_true(noted(&v, "space for the recording ended"));
	assert_true(noted(&v, "the recorder says: offsets differ"));
	assert_int_equal(v.notes.count, ALWAYS_SAID + 4);
	assert_true(v.notes.incomplete);
	view_end(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY_TEST(by_default_a_live_process_is_looked_at_from_the_last_mark_to_now),
		STORY_TEST(by_default_a_finished_one_is_looked_at_up_to_its_exit),
		STORY_TEST(a_recording_of_start_and_exit_alone_has_a_default_too),
		STORY_TEST(marks_go_by_number_and_by_name),
		STORY_TEST(of_marks_with_one_name_the_newest_is_meant_and_it_is_said),
		STORY_TEST(what_does_not_exist_is_refused),
		STORY_TEST(the_automatic_points_have_names_and_times),
		STORY_TEST(a_mark_without_its_collection_is_said_to_be_so),
		STORY_TEST(losses_of_births_or_deaths_make_a_report_incomplete),
		STORY_TEST(blind_spots_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_marks.c - marks: the bump and the mailbox */
#include "objects.h"

#include <pthread.h>
#include <time.h>

static struct tm_mailbox *mailbox(void)
{
	return (struct tm_mailbox *)(tm_segment.base + TM_MAILBOX_OFFSET);
}

static uint32_t current(void)
{
	return tm_get(&tm_segment.header->current);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* ---- the bump ---------------------------------------------------------------------------- */

static void mark_0_is_the_start_of_the_program_proper(void **state)
{
	const struct tm_mark *start = rig_mark(0);

	(void)state;
	assert_int_equal(current(), 0);
	assert_int_equal(rig_used(TM_R_MARKS), 1);
	assert_int_equal(start->state, TM_MARK_FOLLOWED);
	assert_int_equal(start->flags, TM_MF_START);
	assert_memory_equal(start->name, "start", 6);
	assert_int_equal(start->name_length, 5);
	assert_int_equal(tm_segment.header->start_set, 1);
	born(0);
	assert_int_equal(birth_of(0), 1);
	assert_false(tm_follow_up_pending());
}

static void what_is_born_before_the_program_has_birth_0(void **state)
{
	(void)state;
	tm_marks_restart(false);
	assert_int_equal(tm_segment.header->start_set, 0);
	born(0);
	born(1);
	assert_int_equal(birth_of(0), 0);
	dies(1);
	assert_int_equal(rig_used(TM_R_DEATHS), 0);
	tm_marks_program_begins();
	assert_int_equal(tm_segment.header->start_set, 1);
	assert_int_equal(rig_mark(0)->created, 2);
	assert_int_equal(rig_mark(0)->destroyed, 1);
	assert_true(rig_mark(0)->figures.rss > 0);
	dies(0);
	assert_int_equal(rig_used(TM_R_DEATHS), 1);
	assert_int_equal(tm_word_birth(rig_death(0)->word), 0);
	/* and it begins once */
	born(2);
	tm_marks_program_begins();
	assert_int_equal(rig_mark(0)->created, 2);
}

static void a_mark_set_during_start_up_stays_the_first(void **state)
{
	(void)state;
	tm_marks_restart(false);
	assert_int_equal(rig_set_mark(), 1);
	tm_marks_program_begins();
	assert_int_equal(tm_segment.header->start_set, 0);
	born(0);
	assert_int_equal(birth_of(0), 2);
}

static void a_mark_opens_its_interval_and_keeps_the_counters_of_its_moment(void **state)
{
	uint64_t before = now_ns();
	const struct tm_mark *mark = rig_mark(1);

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		born(i);
	dies(0);
	assert_int_equal(tm_marks_bump("warm", 4, TM_MF_API), 1);
	born(5);
	assert_int_equal(birth_of(4), 1);
	assert_int_equal(birth_of(5), 2);
	assert_int_equal(current(), 1);
	assert_int_equal(rig_used(TM_R_MARKS), 2);
	assert_int_equal(mark->state, TM_MARK_TAKEN);
	assert_int_equal(mark->flags, TM_MF_API);
	assert_int_equal(mark->created, 5);
	assert_int_equal(mark->destroyed, 1);
	assert_in_range(mark->time_ns, before, now_ns());
	assert_true(mark->monotonic_ns > rig_mark(0)->monotonic_ns);
	assert_int_equal(mark->name_length, 4);
	assert_memory_equal(mark->name, "warm", 5);
	assert_true(tm_follow_up_pending());
}

static void names_are_cut_at_their_most_and_may_be_missing(void **state)
{
	char name[400];

	(void)state;
	memset(name, 'n', sizeof(name));
	tm_marks_bump(name, sizeof(name), 0);
	assert_int_equal(rig_mark(1)->name_length, TM_NAME_MAX);
	assert_memory_equal(rig_mark(1)->name, name, TM_NAME_MAX);
	assert_int_equal(rig_mark(1)->name[TM_NAME_MAX], 0);
	tm_marks_bump(name, TM_NAME_MAX, 0);
	assert_int_equal(rig_mark(2)->name_length, TM_NAME_MAX);
	tm_marks_bump(NULL, 7, 0);
	tm_marks_bump(name, 0, 0);
	assert_int_equal(rig_mark(3)->name_length, 0);
	assert_int_equal(rig_mark(4)->name_length, 0);
	assert_int_equal(rig_mark(4)->name[0], 0);
}

static void a_full_table_refuses_marks_and_counts_them(void **state)
{
	uint64_t most = tm_segment.header->regions[TM_R_MARKS].capacity / sizeof(struct tm_mark);

	(void)state;
	assert_int_equal(most, 4096);
	for (uint32_t number = 1; number < most; number++)
		assert_int_equal(rig_set_mark(), number);
	assert_int_equal(rig_set_mark(), 0);
	assert_int_equal(rig_set_mark(), 0);
	assert_int_equal(rig_lost(TM_L_MARKS), 2);
	assert_int_equal(current(), most - 1);
	assert_int_equal(rig_used(TM_R_MARKS), most);
	born(0);
	assert_int_equal(birth_of(0), most);
}

static int setup_large(void **state)
{
	(void)state;
	rig_configure();
	tm_config.max = 256 << 20;
	rig_begin(TM_FAMILY_TRACER);
	return 0;
}

static void the_last_mark_is_the_last_whose_interval_a_word_can_name(void **state)
{
	(void)state;
	for (uint32_t number = 1; number <= TM_MAX_MARK; number++)
		assert_int_equal(rig_set_mark(), number);
	assert_int_equal(rig_set_mark(), 0);
	assert_int_equal(rig_lost(TM_L_MARKS), 1);
	born(0);
	assert_int_equal(birth_of(0), TM_MAX_BIRTH);
	dies(0);
	assert_int_equal(rig_used(TM_R_DEATHS), 0);
}

static void without_space_a_mark_is_refused_and_nothing_is_touched(void **state)
{
	uint64_t backed = tm_segment.header->regions[TM_R_MARKS].backed / sizeof(struct tm_mark);
	uint32_t number = 0;

	(void)state;
	tm_put(&tm_segment.reserved, tm_segment.max);
	while (rig_set_mark())
		number++;
	assert_int_equal(number, backed - 1);
	assert_int_equal(current(), number);
	assert_int_equal(rig_lost(TM_L_MARKS), 1);
}

static void *set_many(void *unused)
{
	for (unsigned i = 0; i < 500; i++)
		assert_int_not_equal(tm_marks_bump("t", 1, TM_MF_API), 0);
	return unused;
}

static void marks_of_several_threads_get_numbers_of_their_own(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, set_many, NULL), 0);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(current(), 2000);
	assert_int_equal(rig_used(TM_R_MARKS), 2001);
	for (uint32_t number = 1; number <= 2000; number++) {
		assert_int_equal(rig_mark(number)->state, TM_MARK_TAKEN);
		assert_int_equal(rig_mark(number)->name_length, 1);
	}
	born(0);
	assert_int_equal(birth_of(0), 2001);
}

/* ---- the mailbox --------------------------------------------------------------------------- */

static void put_request(const char *name, uint32_t token, uint32_t flags)
{
	struct tm_mailbox *box = mailbox();

	memset(box, 0, sizeof(*box));
	box->token = token;
	box->flags = flags;
	box->mark = 999;
	box->name_length = (uint32_t)strlen(name);
	memcpy(box->name, name, strlen(name));
	tm_publish(&box->state, TM_MB_READY);
}

static void a_request_is_answered_with_its_number(void **state)
{
	(void)state;
	put_request("after login", 7, 0);
	tm_marks_serve_mailbox(7);
	assert_int_equal(mailbox()->state, TM_MB_DONE);
	assert_int_equal(mailbox()->mark, 1);
	assert_int_equal(rig_mark(1)->flags, TM_MF_REQUEST);
	assert_int_equal(rig_mark(1)->name_length, 11);
	assert_memory_equal(rig_mark(1)->name, "after login", 12);
	/* a second signal with the same token sets no second mark */
	tm_marks_serve_mailbox(7);
	assert_int_equal(current(), 1);
}

static void a_signal_with_another_token_leaves_the_request_alone(void **state)
{
	(void)state;
	put_request("mine", 7, 0);
	tm_marks_serve_mailbox(8);
	assert_int_equal(mailbox()->state, TM_MB_READY);
	assert_int_equal(mailbox()->mark, 999);
	assert_int_equal(current(), 0);
}

static void a_request_that_is_not_ready_is_left_alone(void **state)
{
	static const uint32_t states[] = {TM_MB_FREE, TM_MB_CLAIMED, TM_MB_TAKING, TM_MB_DONE, 77};

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		put_request("early", 7, 0);
		tm_put(&mailbox()->state, states[i]);
		tm_marks_serve_mailbox(7);
		assert_int_equal(mailbox()->state, states[i]);
		assert_int_equal(mailbox()->mark, 999);
	}
	assert_int_equal(current(), 0);
}

static void a_name_longer_than_a_name_can_be_is_none(void **state)
{
	static const uint32_t lengths[] = {TM_NAME_MAX + 1, 100000, UINT32_MAX};

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		put_request("x", 7, 0);
		mailbox()->name_length = lengths[i];
		tm_marks_serve_mailbox(7);
		assert_int_equal(mailbox()->mark, i + 1);
		assert_int_equal(rig_mark(i + 1)->name_length, 0);
	}
}

static void a_request_without_collection_says_so_in_its_mark(void **state)
{
	(void)state;
	put_request("x", 7, TM_MB_NO_COLLECT);
	tm_marks_serve_mailbox(7);
	assert_int_equal(rig_mark(1)->flags, TM_MF_REQUEST | TM_MF_NO_COLLECT);
}

static void a_refused_request_is_answered_with_0(void **state)
{
	(void)state;
	while (rig_set_mark())
		;
	put_request("late", 7, 0);
	tm_marks_serve_mailbox(7);
	assert_int_equal(mailbox()->state, TM_MB_DONE);
	assert_int_equal(mailbox()->mark, 0);
}

static void a_request_for_a_follow_up_alone_sets_no_mark(void **state)
{
	(void)state;
	put_request("ignored", 7, TM_MB_FOLLOW_UP);
	tm_marks_serve_mailbox(7);
	assert_int_equal(mailbox()->state, TM_MB_DONE);
	assert_int_equal(mailbox()->mark, 0);
	assert_int_equal(current(), 0);
	assert_int_equal(tm_segment.header->follow_ups, 0);
	assert_true(tm_follow_up_pending());
	tm_follow_up_run();
	assert_int_equal(tm_segment.header->follow_ups, 1);
	assert_false(tm_follow_up_pending());
	tm_follow_up_run();
	assert_int_equal(tm_segment.header->follow_ups, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(mark_0_is_the_start_of_the_program_proper),
		RIG_TEST(what_is_born_before_the_program_has_birth_0),
		RIG_TEST(a_mark_set_during_start_up_stays_the_first),
		RIG_TEST(a_mark_opens_its_interval_and_keeps_the_counters_of_its_moment),
		RIG_TEST(names_are_cut_at_their_most_and_may_be_missing),
		RIG_TEST(a_full_table_refuses_marks_and_counts_them),
		cmocka_unit_test_setup_teardown(
			the_last_mark_is_the_last_whose_interval_a_word_can_name, setup_large,
			rig_teardown),
		RIG_TEST(without_space_a_mark_is_refused_and_nothing_is_touched),
		RIG_TEST(marks_of_several_threads_get_numbers_of_their_own),
		RIG_TEST(a_request_is_answered_with_its_number),
		RIG_TEST(a_signal_with_another_token_leaves_the_request_alone),
		RIG_TEST(a_request_that_is_not_ready_is_left_alone),
		RIG_TEST(a_name_longer_than_a_name_can_be_is_none),
		RIG_TEST(a_request_without_collection_says_so_in_its_mark),
		RIG_TEST(a_refused_request_is_answered_with_0),
		RIG_TEST(a_request_for_a_follow_up_alone_sets_no_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

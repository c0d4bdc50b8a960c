/* test_marks.c - marks: the bump, the mailbox, the follow-up, the exit */
#include "rig.h"

#include "proc.h"

#include <pthread.h>
#include <time.h>

static struct tm_mailbox *mailbox(void)
{
	return (struct tm_mailbox *)(tm_segment.base + TM_MAILBOX_OFFSET);
}

static uintptr_t block_at(unsigned i)
{
	return (uintptr_t)rig.heap + 64 * (uintptr_t)i;
}

static void born(unsigned i)
{
	rig_set_object(block_at(i) + 16, &rig.types[1]);
	tm_birth_expected(block_at(i), 64);
	tm_birth_object(block_at(i) + 16);
}

static void dies(unsigned i)
{
	tm_death_object(block_at(i) + 16);
}

static uint32_t birth_of(unsigned i)
{
	return tm_word_birth(rig_word(block_at(i) + 16));
}

static uint32_t current(void)
{
	return tm_get(&tm_segment.header->current);
}

static unsigned flags_of(uint32_t number)
{
	return tm_get(&((struct tm_mark *)(uintptr_t)rig_mark(number))->flags);
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

/* ---- the follow-up ----------------------------------------------------------------------------
 */

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
	rig_configure();
	tm_config.collect = true;
	rig_begin(TM_FAMILY_TRACER);
	tm_python.collect = collect;
	collections = 0;
	return 0;
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
	tm_birth_pending(block_at(1), 64);
	rig_set_object(block_at(1) + 16, &rig.types[1]);
	tm_birth_pending(block_at(2), 64);
	memset((void *)block_at(2), 0xa5, 64);
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
	tm_birth_pending(block_at(2), 64);
	memset((void *)block_at(2), 0xa5, 64);
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

/* ---- the end ------------------------------------------------------------------------------------
 */

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
	tm_birth_pending(block_at(1), 64);
	rig_set_object(block_at(1) + 16, &rig.types[1]);
	tm_marks_process_ends();
	tm_shadow_attach();
	assert_int_equal(birth_of(1), 1);
	assert_int_equal(flags_of(1), TM_MF_EXIT);
}

static void a_process_that_ends_without_the_gil_touches_no_object(void **state)
{
	(void)state;
	tm_python.holds_gil = rig_no;
	tm_birth_pending(block_at(1), 64);
	rig_set_object(block_at(1) + 16, &rig.types[1]);
	tm_marks_process_ends();
	tm_shadow_attach();
	assert_int_equal(rig_word(block_at(1)), tm_word(TM_PENDING, 1, 0, 64));
	assert_int_equal(flags_of(1), TM_MF_EXIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
#define ALLOCATOR_TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, rig_setup_allocator, rig_teardown)
#define COLLECTING_TEST(name) cmocka_unit_test_setup_teardown(name, setup_collecting, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mark_0_is_the_start_of_the_program_proper),
		TEST(what_is_born_before_the_program_has_birth_0),
		TEST(a_mark_set_during_start_up_stays_the_first),
		TEST(a_mark_opens_its_interval_and_keeps_the_counters_of_its_moment),
		TEST(names_are_cut_at_their_most_and_may_be_missing),
		TEST(a_full_table_refuses_marks_and_counts_them),
		cmocka_unit_test_setup_teardown(
			the_last_mark_is_the_last_whose_interval_a_word_can_name, setup_large,
			rig_teardown),
		TEST(without_space_a_mark_is_refused_and_nothing_is_touched),
		TEST(marks_of_several_threads_get_numbers_of_their_own),
		TEST(a_request_is_answered_with_its_number),
		TEST(a_signal_with_another_token_leaves_the_request_alone),
		TEST(a_request_that_is_not_ready_is_left_alone),
		TEST(a_name_longer_than_a_name_can_be_is_none),
		TEST(a_request_without_collection_says_so_in_its_mark),
		TEST(a_refused_request_is_answered_with_0),
		TEST(a_request_for_a_follow_up_alone_sets_no_mark),
		TEST(a_follow_up_takes_the_figures_once),
		TEST(what_is_no_list_is_not_counted_as_garbage),
		TEST(marks_faster_than_follow_ups_are_merged_and_say_so),
		COLLECTING_TEST(the_marks_own_collection_reclaims_what_was_alive_at_it),
		COLLECTING_TEST(a_mark_without_collection_makes_none),
		COLLECTING_TEST(a_full_collection_of_the_programs_own_serves_a_waiting_mark),
		COLLECTING_TEST(a_young_collection_serves_no_mark),
		COLLECTING_TEST(with_no_mark_waiting_a_collection_is_the_programs),
		COLLECTING_TEST(a_mark_during_a_follow_up_gets_one_of_its_own),
		COLLECTING_TEST(a_follow_up_inside_a_follow_up_does_nothing),
		ALLOCATOR_TEST(a_follow_up_looks_at_blocks_of_unknown_type),
		ALLOCATOR_TEST(while_a_collection_runs_what_may_be_half_made_waits),
		TEST(without_a_last_collection_the_exit_mark_is_the_end),
		COLLECTING_TEST(the_last_collection_is_the_exit_marks_own),
		TEST(a_teardown_sets_the_exit_mark_if_nobody_did),
		COLLECTING_TEST(a_teardown_after_the_exit_mark_completes_it),
		ALLOCATOR_TEST(a_process_that_ends_early_looks_at_its_blocks_if_it_may),
		ALLOCATOR_TEST(a_process_that_ends_without_the_gil_touches_no_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_record_deaths.c - deaths, one shape at a time, and what is watched for them */
#include "shapes.h"

/* ---- deaths ------------------------------------------------------------------------------- */

static void what_dies_in_its_own_interval_leaves_no_record(void **state)
{
	(void)state;
	for (unsigned mark = 0; mark < 3; mark++) {
		tm_death_object(born(middle(), 64, mark));
		tm_death_block(middle());
		tm_birth_block(middle(), 64, TM_BUFFER);
		tm_death_block(middle());
		rig_set_mark();
	}
	assert_int_equal(rig_used(TM_R_DEATHS), 0);
}

static void every_kind_that_dies_across_a_mark_leaves_its_record(void **state)
{
	uintptr_t block = edge() - 512;

	(void)state;
	for (unsigned type = 0; type < 3; type++)
		born(block + 64 * type, 50 + type, type);
	tm_birth_block(block + 192, 40, TM_BUFFER);
	tm_birth_block(block + 256, TM_SIZE_BIG + 5, TM_BUFFER);
	tm_birth_expected(block + 320, 24);
	tm_flush_pending(&tm_self);
	rig_set_mark();
	rig_set_mark();
	for (unsigned type = 0; type < 3; type++) {
		tm_death_object(block + 64 * type + 16 * type);
		rig_expect_death(type, block + 64 * type + 16 * type, object_word(type, 1),
				 50 + type, 2, 0);
	}
	for (unsigned i = 3; i < 6; i++)
		tm_death_block(block + 64 * i);
	rig_expect_death(3, block + 192, tm_word(TM_BUFFER, 1, 0, 40), 40, 2, 0);
	rig_expect_death(4, block + 256, tm_word(TM_BUFFER, 1, 0, TM_SIZE_BIG), TM_SIZE_BIG + 5, 2,
			 0);
	rig_expect_death(5, block + 320, tm_word(TM_BUFFER, 1, 0, 24), 24, 2, 0);
	assert_int_equal(rig_used(TM_R_DEATHS), 6);
}

static void a_block_freed_with_a_live_object_ends_the_object(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 3; type++) {
		uintptr_t object = born(middle(), 64, type);

		rig_set_mark();
		assert_true(tm_death_block(middle()));
		rig_expect_death(type, object, object_word(type, type + 1), 64, type + 1, 0);
		rig_expect_words(middle(), 4, (uint64_t[4]){0});
		assert_int_equal(rig_lost(TM_L_FREED_LIVE), type + 1);
		assert_int_equal(tm_thread_sums().destroyed, type + 1);
	}
}

static void a_birth_over_a_live_object_ends_that_one(void **state)
{
	uintptr_t object = born(middle(), 64, 1);

	(void)state;
	tm_birth_object(object);
	assert_int_equal(rig_lost(TM_L_BIRTH_OVER), 1);
	assert_int_equal(rig_used(TM_R_DEATHS), 0);
	rig_set_mark();
	tm_birth_object(object);
	assert_int_equal(rig_lost(TM_L_BIRTH_OVER), 2);
	rig_expect_death(0, object, object_word(1, 1), 64, 1, 0);
	rig_expect_words(middle(), 2,
			 (uint64_t[]){tm_size_word(TM_SIZE_HEAD, 64), object_word(1, 2)});
}

static void the_death_of_an_unknown_object_is_counted_as_that(void **state)
{
	(void)state;
	born(middle(), 64, 0);
	tm_death_object(middle() + 256);
	assert_int_equal(rig_lost(TM_L_DEATH_UNKNOWN), 1);
	/* where nothing was ever born there is nothing to say */
	tm_death_object(edge() + TM_CHUNK_HEAP);
	assert_int_equal(rig_lost(TM_L_DEATH_UNKNOWN), 1);
	assert_int_equal(tm_thread_sums().destroyed, 0);
	assert_int_equal(rig_used(TM_R_DEATHS), 0);
}

static void a_block_not_known_is_said_to_be_not_known(void **state)
{
	(void)state;
	born(middle(), 64, 0);
	assert_false(tm_death_block(middle() + 256));
	assert_false(tm_death_block(edge() + TM_CHUNK_HEAP));
	rig_expect_words(middle(), 2,
			 (uint64_t[]){object_word(0, 1), tm_size_word(TM_SIZE_TAIL, 64)});
}

static void what_begins_in_the_middle_of_a_granule_is_nobody_elses(void **state)
{
	(void)state;
	born(middle(), 16, 0);
	tm_death_object(middle() + 8);
	assert_false(tm_death_block(middle() + 8));
	rig_expect_words(middle(), 1, (uint64_t[]){object_word(0, 1)});
	assert_int_equal(tm_thread_sums().destroyed, 0);
}

/* ---- what is watched ------------------------------------------------------------ */

static void a_class_is_watched_once_its_name_is_known_and_forgotten_when_it_dies(void **state)
{
	uintptr_t type = class_at(middle()), object = middle() + 1024 + 16;
	const struct tm_type *types = tm_segment_at(TM_R_TYPES, 0);
	uint32_t index;

	(void)state;
	assert_false(rig_word(type) & TM_WATCHED);
	rig_set_object(object, (void *)type);
	tm_birth_expected(middle() + 1024, 80);
	tm_birth_object(object);
	index = tm_word_type(rig_word(object));
	assert_int_not_equal(index, 0);
	assert_int_equal(types[index].basic_size, 64 + 16);
	assert_true(rig_word(type) & TM_WATCHED);
	assert_true(tm_intern_known_type(type));
	tm_death_object(type);
	assert_false(tm_intern_known_type(type));
	/* nothing of the bit stays in the record of a death */
	assert_int_equal(rig_used(TM_R_DEATHS), 0);
}

static void a_watched_class_whose_block_is_freed_or_moved_is_forgotten(void **state)
{
	struct tm_block_words words;
	uintptr_t type = class_at(middle());

	(void)state;
	assert_int_not_equal(tm_intern_type(type), 0);
	assert_true(tm_intern_known_type(type));
	tm_block_take(middle(), &words);
	tm_block_renew(&words);
	tm_block_move(&words, middle() + 2048, 600, TM_BUFFER);
	assert_false(tm_intern_known_type(type));
	assert_false(rig_word(middle() + 2048 + 16) & TM_WATCHED);
	memcpy((void *)(middle() + 2048), (void *)middle(), 600);
	type = middle() + 2048 + 16;
	assert_int_not_equal(tm_intern_type(type), 0);
	assert_true(rig_word(type) & TM_WATCHED);
	rig_set_mark();
	tm_death_block(middle() + 2048);
	assert_false(tm_intern_known_type(type));
	assert_false(rig_death(0)->word & TM_WATCHED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(what_dies_in_its_own_interval_leaves_no_record),
		RIG_TEST(every_kind_that_dies_across_a_mark_leaves_its_record),
		RIG_TEST(a_block_freed_with_a_live_object_ends_the_object),
		RIG_TEST(what_begins_in_the_middle_of_a_granule_is_nobody_elses),
		RIG_TEST(a_birth_over_a_live_object_ends_that_one),
		RIG_TEST(the_death_of_an_unknown_object_is_counted_as_that),
		RIG_TEST(a_block_not_known_is_said_to_be_not_known),
		RIG_TEST(a_class_is_watched_once_its_name_is_known_and_forgotten_when_it_dies),
		RIG_TEST(a_watched_class_whose_block_is_freed_or_moved_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

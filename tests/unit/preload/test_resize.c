/* test_resize.c - blocks that move, and what buffers grew out of */
#include "shapes.h"

static void a_block_resized_in_its_interval_keeps_birth_and_site(void **state)
{
	struct tm_block_words words;
	struct rig_frame frame = {NULL, &rig.codes[1], 1};
	uint32_t site;

	(void)state;
	rig.frame = &frame;
	site = tm_site_here();
	tm_birth_block(middle(), 64, TM_BUFFER);
	assert_int_not_equal(site, 0);
	frame.last = 2;
	tm_block_take(middle(), &words);
	assert_int_equal(words.size, 64);
	tm_block_renew(&words);
	assert_int_equal(rig_word(middle()), 0);
	tm_block_move(&words, middle() + 1024, 128, TM_BUFFER);
	assert_int_equal(rig_word(middle()), 0);
	assert_int_equal(rig_word(middle() + 1024), tm_word(TM_BUFFER, 1, site, 128));
	assert_int_equal(rig_used(TM_R_DEATHS), 0);
	rig.frame = NULL;
}

static void a_block_resized_across_a_mark_is_a_new_one(void **state)
{
	struct tm_block_words words;
	struct rig_frame frame = {NULL, &rig.codes[1], 1};
	uint32_t old, site;

	(void)state;
	rig.frame = &frame;
	old = tm_site_here();
	tm_birth_block(middle(), 64, TM_BUFFER);
	rig_set_mark();
	frame.last = 2;
	site = tm_site_here();
	assert_int_not_equal(site, old);
	tm_block_take(middle(), &words);
	tm_block_renew(&words);
	tm_block_move(&words, middle(), 128, TM_BUFFER);
	rig_expect_death(0, middle(), tm_word(TM_BUFFER, 1, old, 64), 64, 1, TM_DF_RESIZED);
	assert_int_equal(rig_death(0)->past, 0);
	rig_expect_words(middle(), 3,
			 (uint64_t[3]){tm_word(TM_BUFFER, 2, site, 128) | TM_WATCHED,
				       tm_grown_word(middle(), 0)});
	rig.frame = NULL;
}

static void resize(uintptr_t from, uintptr_t to, size_t size)
{
	struct tm_block_words words;

	tm_block_take(from, &words);
	tm_block_renew(&words);
	tm_block_move(&words, to, size, TM_BUFFER);
}

/* Three blocks, one after the other, in intervals 0, 1, 1 and 2. */
static void a_buffer_says_what_it_grew_out_of(void **state)
{
	uintptr_t a = middle(), b = middle() + 1024, c = middle() + 2048, d = middle() + 4096;

	(void)state;
	tm_birth_block(a, 64, TM_BUFFER);
	rig_set_mark();
	resize(a, b, 128);
	resize(b, c, 256);
	assert_int_equal(rig_used(TM_R_DEATHS), 1);
	rig_expect_words(b, 3, (uint64_t[3]){0});
	rig_expect_words(
		c, 3,
		(uint64_t[3]){tm_word(TM_BUFFER, 2, 0, 256) | TM_WATCHED, tm_grown_word(a, 0)});
	rig_set_mark();
	resize(c, d, 2 << 20);
	rig_expect_death(1, c, tm_word(TM_BUFFER, 2, 0, 256), 256, 2, TM_DF_RESIZED);
	assert_int_equal(rig_death(1)->past, tm_grown_word(a, 0));
	rig_expect_words(d, 3,
			 (uint64_t[3]){tm_word(TM_BUFFER, 3, 0, TM_SIZE_BIG) | TM_WATCHED,
				       tm_size_word(TM_SIZE_TAIL, 2 << 20), tm_grown_word(c, 0)});
	rig_set_mark();
	tm_death_block(d);
	rig_expect_death(2, d, tm_word(TM_BUFFER, 3, 0, TM_SIZE_BIG), 2 << 20, 3, 0);
	assert_int_equal(rig_death(2)->past, tm_grown_word(c, 0));
	rig_expect_words(d, 3, (uint64_t[3]){0});
}

static void the_link_goes_with_its_block(void **state)
{
	(void)state;
	tm_birth_block(middle(), 64, TM_BUFFER);
	rig_set_mark();
	resize(middle(), middle() + 1024, 128);
	/* it dies in the interval it was born in */
	tm_death_block(middle() + 1024);
	rig_expect_words(middle() + 1024, 3, (uint64_t[3]){0});
	assert_int_equal(rig_used(TM_R_DEATHS), 1);
	/* and what comes after it has none */
	tm_birth_block(middle() + 1024, 128, TM_BUFFER);
	rig_set_mark();
	tm_death_block(middle() + 1024);
	assert_int_equal(rig_death(1)->past, 0);
}

/* The second granule is a neighbour's. */
static void a_block_of_one_granule_says_nothing(void **state)
{
	(void)state;
	tm_birth_block(middle(), 64, TM_BUFFER);
	rig_set_mark();
	resize(middle(), middle() + 1024, 16);
	rig_expect_words(middle() + 1024, 3, (uint64_t[3]){tm_word(TM_BUFFER, 2, 0, 16)});
	rig_expect_death(0, middle(), tm_word(TM_BUFFER, 1, 0, 64), 64, 1, TM_DF_RESIZED);
}

static void a_resize_that_fails_changes_nothing(void **state)
{
	struct tm_block_words words;
	const uint64_t linked[3] = {tm_word(TM_BUFFER, 2, 0, 64) | TM_WATCHED,
				    tm_grown_word(middle(), 0)};

	(void)state;
	tm_birth_block(middle(), 64, TM_BUFFER);
	rig_set_mark();
	tm_block_take(middle(), &words);
	tm_block_renew(&words);
	tm_block_restore(&words);
	rig_expect_words(middle(), 3, (uint64_t[3]){tm_word(TM_BUFFER, 1, 0, 64)});
	assert_int_equal(rig_used(TM_R_DEATHS), 0);
	resize(middle(), middle(), 64);
	rig_expect_words(middle(), 3, linked);
	tm_block_take(middle(), &words);
	tm_block_renew(&words);
	tm_block_restore(&words);
	rig_expect_words(middle(), 3, linked);
	assert_int_equal(rig_used(TM_R_DEATHS), 1);
	rig_expect_death(0, middle(), tm_word(TM_BUFFER, 1, 0, 64), 64, 1, TM_DF_RESIZED);
}

static void an_object_that_is_resized_is_no_growth(void **state)
{
	(void)state;
	born(middle(), 64, 1);
	rig_set_mark();
	resize(middle(), middle() + 1024, 128);
	assert_int_equal(rig_death(0)->meta >> 48, 0);
	rig_expect_words(middle() + 1024, 3,
			 (uint64_t[3]){tm_size_word(TM_SIZE_HEAD, 128), object_word(1, 2)});
}

static void an_object_moves_with_its_block(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 3; type++) {
		struct tm_block_words words;
		uintptr_t to = edge() - 16;

		born(middle(), 64, type);
		tm_block_take(middle(), &words);
		tm_block_renew(&words);
		rig_expect_words(middle(), 3, (uint64_t[3]){0});
		tm_block_move(&words, to, 96, TM_BUFFER);
		assert_int_equal(rig_word(to + 16 * type), object_word(type, 1));
		assert_int_equal(rig_word(type ? to : to + 16),
				 tm_size_word(type ? TM_SIZE_HEAD : TM_SIZE_TAIL, 96));
		tm_death_block(to);
		rig_expect_words(to, 3, (uint64_t[3]){0});
	}
}

static void what_was_taken_can_be_put_back_word_for_word(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 3; type++) {
		uintptr_t block = edge() - 16 * (type + 1);
		struct tm_block_words words;
		uint64_t before[3];

		born(block, 64, type);
		for (unsigned i = 0; i < 3; i++)
			before[i] = rig_word(block + 16 * i);
		tm_block_take(block, &words);
		assert_int_equal(words.size, 64);
		tm_block_renew(&words);
		rig_expect_words(block, 3, (uint64_t[3]){0});
		tm_block_restore(&words);
		rig_expect_words(block, 3, before);
		tm_death_block(block);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_block_resized_in_its_interval_keeps_birth_and_site),
		RIG_TEST(a_block_resized_across_a_mark_is_a_new_one),
		RIG_TEST(a_buffer_says_what_it_grew_out_of),
		RIG_TEST(the_link_goes_with_its_block),
		RIG_TEST(a_block_of_one_granule_says_nothing),
		RIG_TEST(a_resize_that_fails_changes_nothing),
		RIG_TEST(an_object_that_is_resized_is_no_growth),
		RIG_TEST(an_object_moves_with_its_block),
		RIG_TEST(what_was_taken_can_be_put_back_word_for_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

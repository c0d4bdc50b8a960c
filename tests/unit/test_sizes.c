/* test_sizes.c - how large what survives is, and of what kind */
#include "view.h"

/* ---- sizes ---- */

/* A block of every shape, made between the marks a and b. */
static void tell_every_shape(struct story *s)
{
	mark(s, "a");
	birth(s, "one.granule", HEAP, 16);
	birth(s, "tail", HEAP + 0x100, 123456);
	assert_int_equal(birth_behind_head(s, "head16", HEAP + 0x200, 16, 72), HEAP + 0x210);
	assert_int_equal(birth_behind_head(s, "head32", HEAP + 0x300, 32, 88), HEAP + 0x320);
	birth_outside(s, "outside", HEAP + 0x400, 400);
	birth_outside(s, "nothing.known", HEAP + 0x500, 0);
	buffer(s, HEAP + 0x600, 1000);
	buffer(s, HEAP + 0x700, 3 << 20);
	mark(s, "b");
}

static void expect_every_size(const struct story *s)
{
	expect_survivors(s, "a", "b", "one.granule", 1, 16);
	expect_survivors(s, "a", "b", "tail", 1, 123456);
	expect_survivors(s, "a", "b", "head16", 1, 72);
	expect_survivors(s, "a", "b", "head32", 1, 88);
	expect_survivors(s, "a", "b", "outside", 1, 400);
	expect_survivors(s, "a", "b", "nothing.known", 1, 16);
	expect_survivors(s, "a", "b", "(buffer)", 2, 1000 + (3 << 20));
}

static void the_size_is_that_of_the_block_whatever_its_shape(void **state)
{
	struct story *s = *state;

	tell_every_shape(s);
	expect_every_size(s);
}

static void sizes_are_the_same_from_the_record_of_a_death(void **state)
{
	static const uint64_t blocks[] = {0, 0x100, 0x210, 0x320, 0x400, 0x500, 0x600, 0x700};
	struct story *s = *state;

	tell_every_shape(s);
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		death(s, HEAP + blocks[i]);
	assert_int_equal(totals_of(s, "a", "now").survived_bytes, 0);
	expect_every_size(s);
}

static void a_block_on_a_free_list_is_no_object_and_lends_its_size_to_none(void **state)
{
	struct story *s = *state;
	uint64_t object;

	mark(s, "a");
	object = birth_behind_head(s, "gone", HEAP, 16, 32);
	death_to_free_list(s, object);
	birth_outside(s, "neighbour", HEAP + 32, 24);
	birth(s, "gone", HEAP + 0x100, 32);
	death_to_free_list(s, HEAP + 0x100);
	mark(s, "b");
	expect_survivors(s, "a", "b", "gone", 0, 0);
	expect_survivors(s, "a", "b", "neighbour", 1, 24);
}

static void an_object_uses_up_the_head_before_it_even_if_it_is_old(void **state)
{
	struct story *s = *state;

	birth_behind_head(s, "old", HEAP, 16, 64);
	mark(s, "a");
	birth_outside(s, "new", HEAP + 32, 24);
	mark(s, "b");
	expect_survivors(s, "a", "b", "new", 1, 24);
}

static void a_block_may_straddle_two_chunks(void **state)
{
	struct story *s = *state;
	uint64_t seam = HEAP + TM_CHUNK_HEAP;

	mark(s, "a");
	birth(s, "first", seam, 48); /* so that the later chunk comes first in the file */
	birth(s, "elsewhere", FAR, 32);
	birth(s, "tail", seam - 16, 5000);
	*word_at(s, seam) = tm_size_word(TM_SIZE_TAIL, 5000);
	birth(s, "after", seam + 64, 32);
	mark(s, "b");
	expect_survivors(s, "a", "b", "tail", 1, 5000);
	expect_survivors(s, "a", "b", "after", 1, 32);
}

static void a_head_may_be_in_the_chunk_before_its_object(void **state)
{
	struct story *s = *state;
	uint64_t seam = HEAP + TM_CHUNK_HEAP;

	mark(s, "a");
	birth_behind_head(s, "head16", seam - 16, 16, 72);
	birth_behind_head(s, "head32", seam + TM_CHUNK_HEAP - 16, 32, 88);
	mark(s, "b");
	expect_survivors(s, "a", "b", "head16", 1, 72);
	expect_survivors(s, "a", "b", "head32", 1, 88);
}

static void chunks_that_do_not_touch_share_nothing(void **state)
{
	struct story *s = *state;
	uint64_t end = HEAP + TM_CHUNK_HEAP;

	mark(s, "a");
	birth_outside(s, "last", end - 16, 24);
	*word_at(s, FAR) = tm_size_word(TM_SIZE_TAIL, 9999);
	*word_at(s, end - 32) = tm_size_word(TM_SIZE_HEAD, 16);
	birth_outside(s, "other", FAR + 0x100, 24);
	mark(s, "b");
	expect_survivors(s, "a", "b", "last", 1, 24);
	expect_survivors(s, "a", "b", "other", 1, 24);
}

/* ---- kinds ---- */

static void an_unresolved_block_is_a_buffer_where_the_tracer_names_objects(void **state)
{
	struct story *s = *state;
	struct story_options allocator = {.family = TM_FAMILY_ALLOCATOR};
	struct view v;

	mark(s, "a");
	pending(s, HEAP, 100);
	v = view_of(s, "a", "now");
	assert_int_equal(group_of(&v, "(buffer)")->kind, TM_BUFFER);
	assert_int_equal(v.diff.totals.survived_objects, 0);
	assert_int_equal(v.diff.totals.survived_bytes, 100);
	view_end(&v);

	s = story_begin(&allocator);
	mark(s, "a");
	pending(s, HEAP, 100);
	buffer(s, HEAP + 0x100, 10);
	v = view_of(s, "a", "now");
	expect_group(group_of(&v, "(pending)"), 1, 100);
	expect_group(group_of(&v, "(buffer)"), 1, 10);
	assert_int_equal(v.diff.totals.survived_objects, 1);
	assert_int_equal(v.diff.totals.pending, 1);
	view_end(&v);
	story_end(s);
}

static void the_watched_bit_changes_nothing(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	birth(s, "type", HEAP, 1000);
	*word_at(s, HEAP) |= TM_WATCHED;
	birth(s, "type", HEAP + 1024, 1000);
	expect_survivors(s, "a", "now", "type", 2, 2000);
	mark(s, "b");
	death(s, HEAP);
	expect_survivors(s, "a", "b", "type", 2, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY_TEST(the_size_is_that_of_the_block_whatever_its_shape),
		STORY_TEST(sizes_are_the_same_from_the_record_of_a_death),
		STORY_TEST(a_block_on_a_free_list_is_no_object_and_lends_its_size_to_none),
		STORY_TEST(an_object_uses_up_the_head_before_it_even_if_it_is_old),
		STORY_TEST(a_block_may_straddle_two_chunks),
		STORY_TEST(a_head_may_be_in_the_chunk_before_its_object),
		STORY_TEST(chunks_that_do_not_touch_share_nothing),
		STORY_TEST(an_unresolved_block_is_a_buffer_where_the_tracer_names_objects),
		STORY_TEST(the_watched_bit_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

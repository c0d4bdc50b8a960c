/* test_resolve.c - what a block holds that was written down before that was known */
#include "shapes.h"

#include "resolve.h"

/* ---- allocator family ----------------------------------------------------------- */

static void blocks_are_looked_at_when_many_came_after_but_never_the_newest(void **state)
{
	uintptr_t base = (uintptr_t)rig.heap;

	(void)state;
	for (unsigned i = 0; i < TM_RECENT; i++) {
		uintptr_t block = base + 64 * i;

		tm_birth_pending(block, 64);
		rig_set_object(block + 16, &rig.types[1]);
	}
	/* inherited lists may be partly filled: some were looked at by now, the newest never */
	assert_int_equal(tm_word_kind(rig_word(base + 64 * (TM_RECENT - 1))), TM_PENDING);
	rig_expect_words(base, 2, (uint64_t[]){tm_size_word(TM_SIZE_HEAD, 64), object_word(1, 1)});
	assert_int_equal(tm_thread_sums().created, TM_RECENT);
}

static void a_block_that_dies_across_a_mark_is_looked_at_for_the_last_time(void **state)
{
	uintptr_t block = middle();

	(void)state;
	tm_birth_pending(block, 64);
	rig_set_object(block + 32, &rig.types[2]);
	memset((void *)block, 0xa5, 32);
	tm_birth_pending(block + 64, 64);
	memset((void *)(block + 64), 0xa5, 64);
	rig_set_mark();
	assert_true(tm_death_block(block));
	assert_true(tm_death_block(block + 64));
	rig_expect_death(0, block + 32, object_word(2, 1), 64, 1, 0);
	rig_expect_death(1, block + 64, tm_word(TM_BUFFER, 1, 0, 64), 64, 1, 0);
	rig_expect_words(block, 8, (uint64_t[8]){0});
}

static void a_class_in_a_block_not_looked_at_is_watched_all_the_same(void **state)
{
	static struct rig_text name;
	uintptr_t block = middle(), type = block + 16;
	void *text = &name;

	(void)state;
	tm_birth_pending(block, 512);
	rig_set_text(&name, "Early");
	rig_set_type((void *)type, "Early", 64, TM_FLAG_HEAPTYPE | TM_FLAG_READY | TM_FLAG_GC);
	memcpy((char *)type + RIG_QUALNAME, &text, sizeof(text));
	assert_int_not_equal(tm_intern_type(type), 0);
	assert_true(rig_word(block) & TM_WATCHED);
	assert_true(tm_death_block(block));
	assert_false(tm_intern_known_type(type));
	assert_int_equal(rig_word(block), 0);
}

/* ---- several that are looked at together ---------------------------------------- */

/* Objects of the interpreter's own types; those of others are looked into one by one. */
static void make_types_the_interpreters(void)
{
	rig_set_type(&rig.types[0], "plain", 16, TM_FLAG_READY);
	rig_set_type(&rig.types[1], "collected", 16, TM_FLAG_READY | TM_FLAG_GC);
	rig_set_type(&rig.types[2], "withdict", 16, TM_FLAG_READY | TM_FLAG_GC | RIG_PREHEADER);
}

/* Blocks one after the other; the first ones have made all of rig.types known. */
static uintptr_t together[RIG_TYPES + 1];

static uintptr_t look_at_together_with(size_t size, void (*fill)(uintptr_t block))
{
	uintptr_t last = middle() + 96 * RIG_TYPES;

	make_types_the_interpreters();
	for (unsigned i = 0; i < RIG_TYPES; i++) {
		together[i] = middle() + 96 * i;
		tm_birth_block(together[i], 64, TM_PENDING);
		rig_set_object(together[i] + 16 * i, &rig.types[i]);
	}
	together[RIG_TYPES] = last;
	tm_birth_block(last, size, TM_PENDING);
	memset((void *)last, 0, size);
	fill(last);
	tm_resolve_blocks(together, RIG_TYPES + 1, 0);
	return last;
}

/* A collector's head refers to another, and to what looks like a type but in its place. */
static void fill_collected(uintptr_t block)
{
	((uintptr_t *)block)[0] = 1;
	((uintptr_t *)block)[1] = together[1];
	rig_set_object(block + 16, &rig.types[1]);
}

static void a_collectors_head_is_no_object(void **state)
{
	uintptr_t block = look_at_together_with(64, fill_collected);

	(void)state;
	rig_expect_words(block, 2,
			 (uint64_t[2]){tm_size_word(TM_SIZE_HEAD, 64), object_word(1, 1)});
}

/* Before any type was seen.  Of the words before the heads one may look like a count. */
static void what_is_before_two_heads_is_no_object(void **state)
{
	uintptr_t block = middle();

	(void)state;
	tm_birth_block(block, 64, TM_PENDING);
	memset((void *)block, 0, 64);
	((uintptr_t *)block)[0] = 1;
	rig_set_object(block + 32, &rig.types[2]);
	tm_resolve_blocks(&block, 1, 0);
	rig_expect_words(middle(), 3,
			 (uint64_t[3]){tm_size_word(TM_SIZE_HEAD, 64), 0, object_word(2, 1)});
}

/* Memory whose first words are a count and a type whose objects lie elsewhere in their blocks. */
static void fill_misplaced(uintptr_t block)
{
	rig_set_object(block, &rig.types[1]);
}

static void an_object_is_where_its_type_says(void **state)
{
	uintptr_t block = look_at_together_with(64, fill_misplaced);

	(void)state;
	rig_expect_words(block, 2, (uint64_t[2]){tm_word(TM_BUFFER, 1, 0, 64), 0});
}

/* An object of a type that nobody has seen, holding what looks like one of a type that was. */
static struct rig_type unseen;

static void fill_unseen(uintptr_t block)
{
	rig_set_type(&unseen, "rig.Unseen", 48, TM_FLAG_READY);
	rig_set_object(block, &unseen);
	rig_set_object(block + 16, &rig.types[1]);
}

static void what_an_object_holds_is_not_taken_for_it(void **state)
{
	uintptr_t block = look_at_together_with(64, fill_unseen);

	(void)state;
	rig_expect_words(block, 2,
			 (uint64_t[2]){tm_word(TM_OBJECT, 1, 0, tm_intern_type((uintptr_t)&unseen)),
				       tm_size_word(TM_SIZE_TAIL, 64)});
}

static void a_block_too_small_for_its_type_holds_none(void **state)
{
	uintptr_t blocks[2] = {middle(), middle() + 96};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		tm_birth_block(blocks[i], i ? 32 : 48, TM_PENDING);
		memset((void *)blocks[i], 0, 48);
		rig_set_object(blocks[i], &rig.dict_type);
	}
	tm_resolve_blocks(blocks, 2, 0);
	assert_int_equal(tm_word_kind(rig_word(middle())), TM_OBJECT);
	assert_int_equal(rig_word(middle() + 96), tm_word(TM_BUFFER, 1, 0, 32));
}

/* ---- what is written down first and turns out to be more ------------------------ */

static void memory_may_become_an_object_late(void **state)
{
	uint64_t object = tm_word(TM_OBJECT, 1, 0, tm_intern_type((uintptr_t)&rig.types[0]));

	(void)state;
	rig_set_object(middle(), &rig.types[0]);
	tm_birth_expected(middle(), 200);
	tm_birth_expected(middle() + 1024, 64); /* anything in between */
	tm_birth_object(middle());
	rig_expect_words(middle(), 3, (uint64_t[3]){object, tm_size_word(TM_SIZE_TAIL, 200)});
}

/* A gap of the tracer: the block's first object came and went unseen, its second did not. */
static void what_the_tracer_told_is_not_typed_late(void **state)
{
	uint32_t type = tm_intern_type((uintptr_t)&rig.types[1]);
	uintptr_t block = middle();

	(void)state;
	rig_set_object(middle() + 16, &rig.types[1]);
	tm_birth_block(middle(), 80, TM_PENDING);
	rig_set_mark();
	tm_birth_object(middle() + 16);
	tm_resolve_blocks(&block, 1, 0);
	rig_expect_words(
		middle(), 2,
		(uint64_t[2]){tm_size_word(TM_SIZE_HEAD, 80), tm_word(TM_OBJECT, 2, 0, type)});
}

static void a_large_object_behind_two_heads_has_two_words(void **state)
{
	uint64_t object = tm_word(TM_OBJECT, 1, 0, tm_intern_type((uintptr_t)&rig.types[2]));

	(void)state;
	tm_birth_pending(middle(), 2 << 20);
	rig_set_object(middle() + 32, &rig.types[2]);
	memset((void *)middle(), 0xa5, 32);
	rig_set_mark();
	tm_follow_up_run();
	rig_expect_words(middle(), 3,
			 (uint64_t[3]){tm_size_word(TM_SIZE_HEAD, 2 << 20), 0, object});
}

/* ---- blocks that a free list keeps ---------------------------------------------- */

static void an_object_in_a_kept_block_dies_and_is_born(void **state)
{
	uint64_t type = tm_intern_type((uintptr_t)&rig.types[1]);

	(void)state;
	rig_set_object(middle() + 16, &rig.types[1]);
	tm_birth_pending(middle(), 80);
	tm_birth_kept(middle() + 16, 16); /* fresh: nothing to say */
	rig_expect_words(middle(), 2, (uint64_t[2]){tm_word(TM_PENDING, 1, 0, 80)});
	rig_set_mark();
	tm_death_kept(middle() + 16, 16);
	rig_expect_death(0, middle() + 16, tm_word(TM_OBJECT, 1, 0, (uint32_t)type), 80, 1, 0);
	rig_expect_words(middle(), 2, (uint64_t[2]){tm_size_word(TM_SIZE_HEAD, 80)});
	tm_birth_kept(middle() + 16, 16);
	rig_expect_words(middle(), 2,
			 (uint64_t[2]){tm_size_word(TM_SIZE_HEAD, 80),
				       tm_word(TM_OBJECT, 2, 0, (uint32_t)type)});
	tm_death_kept(middle() + 16, 16);
	assert_true(tm_death_block(middle()));
	rig_expect_words(middle(), 2, (uint64_t[2]){0});
	assert_int_equal(rig_used(TM_R_DEATHS), 1);
}

/* What the reserve held before anybody looked counts as memory until it is given out. */
static void an_object_from_a_reserve_of_before_is_born_then(void **state)
{
	uint64_t type = tm_intern_type((uintptr_t)&rig.types[1]);

	(void)state;
	tm_birth_block(middle(), 80, TM_BUFFER);
	rig_set_mark();
	rig_set_object(middle() + 16, &rig.types[1]);
	tm_birth_kept(middle() + 16, 16);
	rig_expect_death(0, middle(), tm_word(TM_BUFFER, 1, 0, 80), 80, 1, 0);
	rig_expect_words(middle(), 2,
			 (uint64_t[2]){tm_size_word(TM_SIZE_HEAD, 80),
				       tm_word(TM_OBJECT, 2, 0, (uint32_t)type)});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_ALLOCATOR_TEST(blocks_are_looked_at_when_many_came_after_but_never_the_newest),
		RIG_ALLOCATOR_TEST(a_block_that_dies_across_a_mark_is_looked_at_for_the_last_time),
		RIG_ALLOCATOR_TEST(a_class_in_a_block_not_looked_at_is_watched_all_the_same),
		RIG_ALLOCATOR_TEST(a_collectors_head_is_no_object),
		RIG_ALLOCATOR_TEST(what_is_before_two_heads_is_no_object),
		RIG_ALLOCATOR_TEST(an_object_is_where_its_type_says),
		RIG_ALLOCATOR_TEST(what_an_object_holds_is_not_taken_for_it),
		RIG_ALLOCATOR_TEST(a_block_too_small_for_its_type_holds_none),
		RIG_TEST(memory_may_become_an_object_late),
		RIG_TEST(what_the_tracer_told_is_not_typed_late),
		RIG_ALLOCATOR_TEST(a_large_object_behind_two_heads_has_two_words),
		RIG_ALLOCATOR_TEST(an_object_in_a_kept_block_dies_and_is_born),
		RIG_ALLOCATOR_TEST(an_object_from_a_reserve_of_before_is_born_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

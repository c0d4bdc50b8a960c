/* test_young_resize.c - small blocks that are resized in the interval they were made in */
#include "below.h"

static struct tm_allocator *const domains[] = {&obj, &mem};
static const enum tm_kind kinds[] = {TM_PENDING, TM_BUFFER};

static void expect_word(void *block, enum tm_kind kind, uint32_t site, uint32_t size)
{
	assert_int_equal(rig_word((uintptr_t)block), tm_word(kind, 1, site, size));
}

static bool is_young(void *block)
{
	return tm_young_at(tm_get(&tm_nursery)->blocks, (uintptr_t)block) != NULL;
}

static void a_block_that_fits_stays_and_waits_where_it_was_made(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		const struct tm_allocator *of = domains[i];
		uint32_t site;
		void *block;

		begin_open();
		block = of->malloc(of->ctx, SIZE);
		site = tm_word_site(rig_word((uintptr_t)block));
		assert_int_not_equal(site, 0);
		assert_ptr_equal(of->realloc(of->ctx, block, SIZE - 9), block);
		expect_word(block, kinds[i], site, SIZE - 9);
		assert_ptr_equal(of->realloc(of->ctx, block, SIZE), block);
		expect_word(block, kinds[i], site, SIZE);
		assert_ptr_equal(of->realloc(of->ctx, block, SIZE - 1), block);
		of->free(of->ctx, block);
		assert_int_equal(rig_word((uintptr_t)block), 0);
		assert_ptr_equal(of->malloc(of->ctx, SIZE), block);
		expect_word(block, kinds[i], site, SIZE);
		assert_int_equal(below.freed, 0);
		rig_end();
	}
}

/* Made elsewhere than who waited, whose place it takes. */
static void a_block_that_moves_takes_one_that_waits(void **state)
{
	static struct rig_frame elsewhere;
	struct rig_frame *here;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		const struct tm_allocator *of = domains[i];
		const uint32_t sizes[] = {SIZE + 1, SIZE - 10};
		uint32_t site;
		char *block;
		void *waits;

		for (unsigned j = 0; j < 2; j++) {
			begin_open();
			here = rig.frame;
			elsewhere = (struct rig_frame){NULL, &rig.codes[1], 1};
			rig.frame = &elsewhere;
			waits = of->malloc(of->ctx, sizes[j]);
			of->free(of->ctx, waits);
			of->free(of->ctx, of->malloc(of->ctx, sizes[j]));
			rig.frame = here;
			block = of->malloc(of->ctx, SIZE);
			site = tm_word_site(rig_word((uintptr_t)block));
			memcpy(block, "twenty-nine bytes are copied", 29);
			assert_ptr_equal(of->realloc(of->ctx, block, sizes[j]), waits);
			assert_string_equal(waits, "twenty-nine bytes are copied");
			expect_word(waits, kinds[i], site, sizes[j]);
			assert_true(is_young(waits));
			assert_int_equal(rig_word((uintptr_t)block), 0);
			assert_ptr_equal(of->malloc(of->ctx, SIZE), block);
			assert_int_equal(below.freed, 0);
			of->free(of->ctx, waits);
			/* who is born there next, where its last object was made, is of that site
			 */
			rig.frame = &elsewhere;
			assert_ptr_equal(of->malloc(of->ctx, sizes[j]), waits);
			assert_int_not_equal(tm_word_site(rig_word((uintptr_t)waits)), site);
			rig_end();
		}
	}
}

static void a_block_that_moves_alone_takes_a_fresh_one(void **state)
{
	uint32_t site;
	void *block, *moved;

	(void)state;
	begin_open();
	block = make(SIZE);
	site = tm_word_site(rig_word((uintptr_t)block));
	moved = obj.realloc(obj.ctx, block, 2 * SIZE);
	assert_ptr_not_equal(moved, block);
	assert_int_equal(below.made, 2);
	expect_word(moved, TM_PENDING, site, 2 * SIZE);
	assert_int_equal(rig_word((uintptr_t)block), 0);
	assert_ptr_equal(make(SIZE), block);
	/* its type will be looked at, as those of others */
	assert_int_equal(tm_self.recent_next[-1], (uintptr_t)moved);
	rig_end();
}

/* None of another interval's, none that is large, and none while the nursery is closed. */
static void other_blocks_are_the_allocators_to_resize(void **state)
{
	void *block, *large;

	(void)state;
	begin_open();
	block = make(SIZE);
	rig_set_mark();
	tm_nursery_open();
	assert_ptr_equal(obj.realloc(obj.ctx, block, 2 * SIZE), block);
	large = make(TM_MAGAZINE_SIZE);
	assert_ptr_equal(obj.realloc(obj.ctx, large, SIZE), large);
	block = make(SIZE);
	assert_ptr_equal(obj.realloc(obj.ctx, block, TM_MAGAZINE_SIZE), block);
	block = make(SIZE);
	assert_ptr_equal(obj.realloc(obj.ctx, block, 0), block);
	tm_nursery_close();
	block = make(SIZE);
	assert_ptr_equal(obj.realloc(obj.ctx, block, 2 * SIZE), block);
	rig_end();
}

static void what_cannot_be_had_changes_nothing(void **state)
{
	uint64_t word;
	void *block;

	(void)state;
	begin_open();
	block = make(SIZE);
	word = rig_word((uintptr_t)block);
	below.none = true;
	assert_null(obj.realloc(obj.ctx, block, 2 * SIZE));
	assert_int_equal(rig_word((uintptr_t)block), word);
	below.none = false;
	drop(block);
	assert_int_equal(rig_word((uintptr_t)block), 0);
	rig_end();
}

/* Where the magazine for its size has filled while it lived, what it leaves is the allocator's. */
static void a_block_that_moves_out_of_a_full_house_is_freed(void **state)
{
	bool taken[1 << TM_YOUNG_BITS] = {0};
	void *blocks[TM_MAGAZINE_DEPTH + 1];

	(void)state;
	begin_open();
	for (unsigned i = 0; i < TM_MAGAZINE_DEPTH + 1; i++)
		blocks[i] = make_apart(taken);
	assert_ptr_equal(obj.realloc(obj.ctx, blocks[0], SIZE - 1), blocks[0]);
	for (unsigned i = 1; i < TM_MAGAZINE_DEPTH + 1; i++)
		drop(blocks[i]);
	assert_int_equal(below.freed, 0);
	obj.realloc(obj.ctx, blocks[0], 2 * SIZE);
	assert_int_equal(below.freed, 1);
	assert_int_equal(below.last_freed, (uintptr_t)blocks[0]);
	assert_int_equal(rig_word((uintptr_t)blocks[0]), 0);
	assert_false(is_young(blocks[0]));
	rig_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_block_that_fits_stays_and_waits_where_it_was_made,
					  clean_up),
		cmocka_unit_test_teardown(a_block_that_moves_takes_one_that_waits, clean_up),
		cmocka_unit_test_teardown(a_block_that_moves_alone_takes_a_fresh_one, clean_up),
		cmocka_unit_test_teardown(other_blocks_are_the_allocators_to_resize, clean_up),
		cmocka_unit_test_teardown(what_cannot_be_had_changes_nothing, clean_up),
		cmocka_unit_test_teardown(a_block_that_moves_out_of_a_full_house_is_freed,
					  clean_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

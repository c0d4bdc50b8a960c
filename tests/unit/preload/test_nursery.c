/*
 * test_nursery.c - which blocks wait in a magazine, and when they go down to the allocator
 *
 * That a block which waited is recorded as a new one is test_record_model.c's.
 */
#include "below.h"

#include "record.h"
#include "resolve.h"
#include "stack.h"

static void the_block_that_died_last_is_the_next_of_its_size(void **state)
{
	void *first, *second;

	(void)state;
	begin_open();
	first = make(SIZE);
	second = make(SIZE);
	drop(first);
	drop(second);
	assert_int_equal(below.freed, 0);
	assert_ptr_equal(make(SIZE), second);
	assert_ptr_equal(make(SIZE), first);
	assert_int_equal(below.made, 2);
	rig_end();
}

static void a_size_is_what_rounds_to_the_same_eight_bytes(void **state)
{
	void *block;

	(void)state;
	begin_open();
	block = make(SIZE);
	drop(block);
	assert_ptr_not_equal(make(SIZE + 1), block);
	assert_ptr_not_equal(make(SIZE - 8), block);
	assert_ptr_equal(make(SIZE - 7), block);
	rig_end();
}

static void the_domains_have_magazines_of_their_own(void **state)
{
	void *block;

	(void)state;
	begin_open();
	block = make(SIZE);
	drop(block);
	assert_ptr_not_equal(mem.malloc(mem.ctx, SIZE), block);
	assert_ptr_equal(make(SIZE), block);
	rig_end();
}

static void what_is_resized_from_nothing_is_made(void **state)
{
	const struct tm_allocator *domains[] = {&obj, &mem};
	const enum tm_kind kinds[] = {TM_PENDING, TM_BUFFER};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		const struct tm_allocator *of = domains[i];
		uint64_t word;
		void *block;

		begin_open();
		block = of->realloc(of->ctx, NULL, SIZE);
		word = rig_word((uintptr_t)block);
		assert_int_equal(word, tm_word(kinds[i], 1, tm_site_here(), SIZE));
		of->free(of->ctx, block);
		assert_int_equal(rig_word((uintptr_t)block), 0);
		assert_ptr_equal(of->realloc(of->ctx, NULL, SIZE), block);
		assert_int_equal(rig_word((uintptr_t)block), word);
		assert_int_equal(below.made, 1);
		rig_end();
	}
}

static void zeroed_memory_is_zeroed(void **state)
{
	const char zeroes[SIZE] = {0};
	char *block;

	(void)state;
	begin_open();
	block = make(SIZE);
	memset(block, 0xa5, SIZE);
	drop(block);
	assert_ptr_equal(obj.calloc(obj.ctx, 5, SIZE / 5), block);
	assert_memory_equal(block, zeroes, SIZE);
	rig_end();
}

static void a_product_that_is_too_large_is_the_allocators_to_refuse(void **state)
{
	(void)state;
	begin_open();
	drop(make(8));
	assert_int_equal(below.made, 1);
	assert_int_equal((SIZE_MAX / 8 + 2) * 8, 8);
	obj.calloc(obj.ctx, SIZE_MAX / 8 + 2, 8);
	assert_int_equal(below.made, 2);
	rig_end();
}

static void only_so_many_wait(void **state)
{
	bool taken[1 << TM_YOUNG_BITS] = {0};
	void *blocks[TM_MAGAZINE_DEPTH + 2];

	(void)state;
	begin_open();
	for (unsigned i = 0; i < TM_MAGAZINE_DEPTH + 2; i++)
		blocks[i] = make_apart(taken);
	for (unsigned i = 0; i < TM_MAGAZINE_DEPTH + 2; i++)
		drop(blocks[i]);
	assert_int_equal(below.freed, 2);
	assert_int_equal(below.last_freed, (uintptr_t)blocks[TM_MAGAZINE_DEPTH + 1]);
	tm_nursery_empty();
	assert_int_equal(below.freed, TM_MAGAZINE_DEPTH + 2);
	assert_int_equal(below.last_freed, (uintptr_t)blocks[0]);
	rig_end();
}

static void none_waits_that_is_large_or_of_an_earlier_interval(void **state)
{
	void *block;

	(void)state;
	begin_open();
	drop(make(TM_MAGAZINE_SIZE + 1));
	assert_int_equal(below.freed, 1);
	block = make(SIZE);
	rig_set_mark();
	drop(block);
	assert_int_equal(below.freed, 2);
	tm_nursery_open();
	drop(make(TM_MAGAZINE_SIZE));
	drop(make(0));
	assert_int_equal(below.freed, 2);
	rig_end();
}

/*
 * A tool that looks for memory that is used after it was freed needs the frees.  First: what is
 * allowed once stays so.
 */
static void another_allocator_than_cpythons_gets_every_free(void **state)
{
	(void)state;
	begin("pymalloc_debug");
	drop(make(SIZE));
	drop(make(SIZE));
	assert_int_equal(below.freed, 2);
	rig_end();
}

static void closed_ones_keep_what_they_have_until_they_are_opened(void **state)
{
	void *block;

	(void)state;
	begin_open();
	block = make(SIZE);
	drop(block);
	tm_nursery_close();
	tm_nursery_close();
	assert_ptr_not_equal(make(SIZE), block);
	drop(make(SIZE));
	assert_int_equal(below.freed, 1);
	tm_nursery_start();
	assert_int_equal(below.freed, 2);
	assert_int_equal(below.last_freed, (uintptr_t)block);
	drop(make(SIZE));
	assert_int_equal(below.freed, 2);
	rig_end();
}

static void a_pause_lasts_as_long_as_the_interval(void **state)
{
	(void)state;
	begin_open();
	tm_nursery_pause();
	drop(make(SIZE));
	tm_nursery_empty();
	drop(make(SIZE));
	assert_int_equal(below.freed, 2);
	rig_set_mark();
	drop(make(SIZE));
	assert_int_equal(below.freed, 3);
	tm_nursery_empty();
	drop(make(SIZE));
	assert_int_equal(below.freed, 3);
	rig_end();
}

static void a_forked_child_takes_none_before_its_recording_begins(void **state)
{
	void *block;
	int status;
	pid_t pid;

	(void)state;
	begin_open();
	block = make(SIZE);
	drop(block);
	pid = fork();
	if (pid == 0) {
		uint64_t word = tm_block_word_at((uintptr_t)block);
		void *first = make(SIZE); /* begins the recording, which gives back what is kept */
		bool right = word == 0 && first != block && below.freed == 1;

		drop(first);
		_exit(right && make(SIZE) == first && below.freed == 1 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_ptr_equal(make(SIZE), block);
	rig_end();
}

static void after_the_end_none_is_taken(void **state)
{
	void *block;

	(void)state;
	begin_open();
	block = make(SIZE);
	drop(block);
	tm_recorder_freeze();
	assert_ptr_not_equal(make(SIZE), block);
	rig_end();
}

/* What waits then is nobody's any more.  Last: it is for good. */
static void forbidden_ones_stay_closed(void **state)
{
	void *block;

	(void)state;
	begin_open();
	block = make(SIZE);
	drop(block);
	tm_nursery_forbid();
	tm_nursery_start();
	tm_nursery_empty();
	assert_ptr_not_equal(make(SIZE), block);
	drop(make(SIZE));
	drop(make(SIZE));
	assert_int_equal(below.freed, 2);
	rig_end();
}

/* Kept empty, a block says its size; the next word is its neighbour's. */
static void a_block_that_was_kept_goes_without_its_neighbour(void **state)
{
	uint64_t word;
	char *blocks;

	(void)state;
	begin_open();
	blocks = make(32);
	assert_ptr_equal(make(32), blocks + 32);
	rig_set_object((uintptr_t)blocks + 16, &rig.types[1]);
	rig_set_object((uintptr_t)blocks + 32, &rig.types[0]);
	tm_resolve_blocks((uintptr_t[]){(uintptr_t)blocks, (uintptr_t)blocks + 32}, 2, 0);
	word = rig_word((uintptr_t)blocks + 32);
	assert_int_equal(tm_word_kind(word), TM_OBJECT);
	tm_death_kept((uintptr_t)blocks + 16, 16);
	obj.free(obj.ctx, blocks);
	assert_int_equal(rig_word((uintptr_t)blocks), 0);
	assert_int_equal(rig_word((uintptr_t)blocks + 32), word);
	rig_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(another_allocator_than_cpythons_gets_every_free,
					  clean_up),
		cmocka_unit_test_teardown(the_block_that_died_last_is_the_next_of_its_size,
					  clean_up),
		cmocka_unit_test_teardown(a_size_is_what_rounds_to_the_same_eight_bytes, clean_up),
		cmocka_unit_test_teardown(the_domains_have_magazines_of_their_own, clean_up),
		cmocka_unit_test_teardown(what_is_resized_from_nothing_is_made, clean_up),
		cmocka_unit_test_teardown(zeroed_memory_is_zeroed, clean_up),
		cmocka_unit_test_teardown(a_product_that_is_too_large_is_the_allocators_to_refuse,
					  clean_up),
		cmocka_unit_test_teardown(only_so_many_wait, clean_up),
		cmocka_unit_test_teardown(none_waits_that_is_large_or_of_an_earlier_interval,
					  clean_up),
		cmocka_unit_test_teardown(closed_ones_keep_what_they_have_until_they_are_opened,
					  clean_up),
		cmocka_unit_test_teardown(a_pause_lasts_as_long_as_the_interval, clean_up),
		cmocka_unit_test_teardown(a_block_that_was_kept_goes_without_its_neighbour,
					  clean_up),
		cmocka_unit_test_teardown(a_forked_child_takes_none_before_its_recording_begins,
					  clean_up),
		cmocka_unit_test_teardown(after_the_end_none_is_taken, clean_up),
		cmocka_unit_test_teardown(forbidden_ones_stay_closed, clean_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

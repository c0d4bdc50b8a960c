/* test_record.c - births, one shape at a time; what cannot be recorded; threads and children */
#include "shapes.h"

#include <errno.h>
#include <pthread.h>

/* ---- births ------------------------------------------------------------------------------ */

static void an_object_has_the_words_of_its_place_in_the_block(void **state)
{
	static const uintptr_t places[] = {0, 16, 32, 48, 4096};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		/* from inside a chunk to blocks that end in the next one */
		uintptr_t block = edge() - places[i];

		born(block, 64, 0);
		rig_expect_words(
			block, 3,
			(uint64_t[]){object_word(0, 1), tm_size_word(TM_SIZE_TAIL, 64), 0});
		tm_death_object(block);
		tm_death_block(block);
		born(block, 64, 1);
		rig_expect_words(
			block, 3,
			(uint64_t[]){tm_size_word(TM_SIZE_HEAD, 64), object_word(1, 1), 0});
		tm_death_object(block + 16);
		tm_death_block(block);
		born(block, 64, 2);
		rig_expect_words(
			block, 3,
			(uint64_t[]){tm_size_word(TM_SIZE_HEAD, 64), 0, object_word(2, 1)});
		tm_death_object(block + 32);
		tm_death_block(block);
		rig_expect_words(block - 16, 5, (uint64_t[5]){0});
	}
}

static void a_block_of_one_granule_leaves_its_neighbours_alone(void **state)
{
	uintptr_t block = middle();

	(void)state;
	tm_birth_block(block - 16, 16, TM_BUFFER);
	tm_birth_block(block + 16, 32, TM_BUFFER);
	born(block, 16, 0);
	rig_expect_words(block - 16, 3,
			 (uint64_t[]){tm_word(TM_BUFFER, 1, 0, 16), object_word(0, 1),
				      tm_word(TM_BUFFER, 1, 0, 32)});
	assert_true(tm_death_block(block - 16));
	tm_death_object(block);
	tm_death_block(block);
	rig_expect_words(block - 16, 3, (uint64_t[]){0, 0, tm_word(TM_BUFFER, 1, 0, 32)});
}

static void a_buffer_says_its_size_in_one_word_or_two(void **state)
{
	static const uint64_t sizes[] = {
		0, 1, 512, TM_SIZE_BIG - 1, TM_SIZE_BIG, TM_SIZE_BIG + 1, 5ull << 30};
	static const uintptr_t places[] = {16, 32, 4096};

	(void)state;
	for (unsigned i = 0; i < 21; i++) {
		uint64_t size = sizes[i / 3], big = size >= TM_SIZE_BIG;
		uintptr_t block = edge() - places[i % 3];

		tm_birth_block(block, size, TM_BUFFER);
		rig_expect_words(
			block, 3,
			(uint64_t[]){tm_word(TM_BUFFER, 1, 0, big ? TM_SIZE_BIG : (uint32_t)size),
				     big ? tm_size_word(TM_SIZE_TAIL, size) : 0, 0});
		assert_true(tm_death_block(block));
		rig_expect_words(block, 3, (uint64_t[3]){0});
	}
}

static void a_large_object_keeps_its_exact_size(void **state)
{
	uintptr_t block = edge() - 16;

	(void)state;
	born(block, 3ull << 20, 0);
	rig_expect_words(block, 2,
			 (uint64_t[]){object_word(0, 1), tm_size_word(TM_SIZE_TAIL, 3ull << 20)});
	rig_set_mark();
	tm_death_object(block);
	rig_expect_death(0, block, object_word(0, 1), 3ull << 20, 1, 0);
	assert_true(tm_death_block(block));
	rig_expect_words(block, 2, (uint64_t[2]){0});
}

static void an_object_outside_of_blocks_has_no_size(void **state)
{
	uintptr_t object = middle();

	(void)state;
	rig_set_object(object, &rig.types[0]);
	tm_birth_object(object);
	rig_expect_words(object - 16, 3, (uint64_t[]){0, object_word(0, 1), 0});
	rig_set_mark();
	tm_death_object(object);
	rig_expect_death(0, object, object_word(0, 1), 0, 1, 0);
}

static void a_free_list_gives_an_object_a_new_birth_in_its_old_block(void **state)
{
	uintptr_t block = middle(), object = born(block, 80, 1);

	(void)state;
	tm_death_object(object);
	rig_expect_words(block, 2, (uint64_t[]){tm_size_word(TM_SIZE_HEAD, 80), 0});
	assert_int_equal(rig_set_mark(), 1);
	tm_birth_object(object);
	rig_expect_words(block, 2, (uint64_t[]){tm_size_word(TM_SIZE_HEAD, 80), object_word(1, 2)});
	assert_int_equal(rig_set_mark(), 2);
	tm_death_object(object);
	rig_expect_death(0, object, object_word(1, 2), 80, 2, 0);
	assert_int_equal(rig_used(TM_R_DEATHS), 1);
}

static void memory_no_object_comes_to_is_written_down_at_the_next_event(void **state)
{
	uintptr_t block = middle();

	(void)state;
	tm_birth_expected(block, 48);
	assert_int_equal(rig_word(block), 0);
	tm_birth_expected(block + 64, 32);
	assert_int_equal(rig_word(block), tm_word(TM_PENDING, 1, 0, 48));
	assert_int_equal(rig_word(block + 64), 0);
	tm_flush_pending(&tm_self);
	assert_int_equal(rig_word(block + 64), tm_word(TM_PENDING, 1, 0, 32));
	assert_int_equal(tm_self.pending, 0);
}

static void counters_count_births_and_deaths_of_objects(void **state)
{
	struct tm_sums sums;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		born(middle() + 64 * i, 64, 1);
	for (unsigned i = 0; i < 4; i++)
		tm_death_object(middle() + 64 * i + 16);
	tm_birth_block(middle() + 4096, 100, TM_BUFFER);
	assert_true(tm_death_block(middle() + 4096));
	sums = tm_thread_sums();
	assert_int_equal(sums.created, 10);
	assert_int_equal(sums.destroyed, 4);
	assert_int_equal(sums.lost, 0);
}

static void the_site_is_the_stack_of_the_birth(void **state)
{
	struct rig_frame frames[2] = {{&frames[1], &rig.codes[1], 5}, {NULL, &rig.codes[2], 3}};
	const struct tm_site *sites;
	const struct tm_code *codes;
	uint32_t site;

	(void)state;
	rig.frame = frames;
	born(middle(), 32, 0);
	site = tm_word_site(rig_word(middle()));
	sites = tm_segment_at(TM_R_SITES, 0);
	codes = tm_segment_at(TM_R_CODES, 0);
	assert_int_not_equal(site, 0);
	assert_true(site < rig_used(TM_R_SITES));
	assert_int_equal(sites[site].offset, 10);
	assert_int_equal(codes[sites[site].code].first_line, 10);
	assert_int_equal(sites[sites[site].parent].offset, 6);
	assert_int_equal(codes[sites[sites[site].parent].code].first_line, 20);
	assert_int_equal(sites[sites[site].parent].parent, 0);
	born(middle() + 64, 32, 0);
	assert_int_equal(tm_word_site(rig_word(middle() + 64)), site);
	frames[1].last = 4;
	born(middle() + 128, 32, 0);
	assert_int_not_equal(tm_word_site(rig_word(middle() + 128)), site);
	rig_set_thread(false);
	born(middle() + 192, 32, 0);
	assert_int_equal(tm_word_site(rig_word(middle() + 192)), 0);
	rig.frame = NULL;
}

static void types_without_a_record_share_one_and_are_counted(void **state)
{
	static struct rig_type many[2 * 2048];
	static char names[2 * 2048][16];
	struct tm_region *region = &tm_segment.header->regions[TM_R_TYPES];
	const struct tm_type *records = tm_segment_at(TM_R_TYPES, 0);
	const size_t most = sizeof(many) / sizeof(many[0]);
	const char *name;
	uint32_t index = 0, other;
	size_t first = 0;

	(void)state;
	region->capacity = TM_REGION_ALIGN; /* 2048 records, number 0 is none */
	for (size_t i = 0; i < most; i++) {
		snprintf(names[i], sizeof(names[i]), "many.T%zu", i);
		rig_set_type(&many[i], names[i], 48, TM_FLAG_READY);
		rig_set_object(middle() + 64 * i, &many[i]);
		tm_birth_expected(middle() + 64 * i, 48);
		tm_birth_object(middle() + 64 * i);
		index = tm_word_type(rig_word(middle() + 64 * i));
		name = (const char *)tm_segment_at(TM_R_STRINGS, records[index].name) + 4;
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			assert_int_equal(first, 0);
		else if (!first)
			first = i;
	}
	/* the last one's, and that of all after the first that was too many */
	other = index;
	assert_in_range(first, 2000, 2047);
	for (size_t i = first; i < most; i++)
		assert_int_equal(tm_word_type(rig_word(middle() + 64 * i)), other);
	name = (const char *)tm_segment_at(TM_R_STRINGS, records[other].name) + 4;
	assert_memory_equal(name, TM_OTHER_TYPES, strlen(TM_OTHER_TYPES));
	assert_int_equal(rig_lost(TM_L_TYPES), most - first);
	/* a second object of such a type is no further loss */
	tm_death_object(middle() + 64 * (most - 1));
	assert_int_equal(rig_word(middle() + 64 * (most - 1)), 0);
	tm_birth_object(middle() + 64 * (most - 1));
	assert_int_equal(rig_lost(TM_L_TYPES), most - first);
	assert_int_equal(tm_thread_sums().lost, 0);
}

/* ---- what cannot be recorded ---------------------------------------------------- */

static void addresses_that_have_no_word_are_counted(void **state)
{
	(void)state;
	errno = 4242;
	tm_birth_block(1ull << 47, 16, TM_BUFFER);
	tm_birth_block(middle() + 8, 16, TM_BUFFER);
	assert_int_equal(rig_lost(TM_L_ADDRESS), 2);
	assert_int_equal(tm_thread_sums().lost, 2);
	assert_int_equal(rig_word(middle()), 0);
	assert_false(tm_death_block(1ull << 47));
	tm_death_object(1ull << 47);
	assert_int_equal(errno, 4242);
}

static void births_without_space_are_counted_and_deaths_go_on(void **state)
{
	(void)state;
	born(middle(), 64, 0);
	tm_put(&tm_segment.reserved, tm_segment.max);
	errno = 4242;
	born(edge() + 64, 64, 0);
	tm_birth_block(edge() + 128, 64, TM_BUFFER);
	born(edge() - 16, 64, 0); /* whose second word has no place */
	assert_int_equal(errno, 4242);
	assert_int_equal(rig_lost(TM_L_NO_SPACE), 3);
	assert_int_equal(tm_thread_sums().lost, 3);
	assert_int_equal(rig_word(edge() - 16), 0);
	tm_death_object(middle());
	rig_expect_words(middle(), 2, (uint64_t[]){0, tm_size_word(TM_SIZE_TAIL, 64)});
	born(middle() + 128, 64, 0);
	assert_int_equal(rig_word(middle() + 128), object_word(0, 1));
}

static void after_the_freeze_nothing_changes(void **state)
{
	uintptr_t object = born(middle(), 64, 1);
	struct tm_sums before = tm_thread_sums(), after;

	(void)state;
	tm_recorder_freeze();
	tm_death_object(object);
	assert_false(tm_death_block(middle()));
	tm_birth_block(middle() + 1024, 64, TM_BUFFER);
	tm_shadow_attach();
	rig_expect_words(middle(), 2,
			 (uint64_t[]){tm_size_word(TM_SIZE_HEAD, 64), object_word(1, 1)});
	assert_int_equal(rig_word(middle() + 1024), 0);
	after = tm_thread_sums();
	assert_int_equal(after.destroyed, before.destroyed);
	assert_int_equal(rig_lost(TM_L_NO_SPACE), 0);
}

/* ---- threads and children ------------------------------------------------------- */

static void *make_some(void *base)
{
	for (unsigned i = 0; i < 1000; i++)
		born((uintptr_t)base + 64 * i, 64, 1);
	return NULL;
}

static void threads_count_for_themselves_and_share_the_words(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, make_some, rig.heap + i * TM_CHUNK_HEAP),
			0);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(tm_thread_sums().created, 4000);
	for (unsigned i = 0; i < 4000; i++) {
		uintptr_t block = (uintptr_t)rig.heap + i / 1000 * TM_CHUNK_HEAP + i % 1000 * 64;

		rig_expect_words(block, 2,
				 (uint64_t[]){tm_size_word(TM_SIZE_HEAD, 64), object_word(1, 1)});
	}
}

static int child_story(void)
{
	uint32_t parent = (uint32_t)tm_segment.pid;
	char parent_path[sizeof(tm_segment.path)];

	strcpy(parent_path, tm_segment.path);
	tm_death_object(middle() + 16); /* the parent's: nothing of ours */
	RIG_CHECK(tm_segment.base == NULL);
	born(middle() + 1024, 64, 0);
	RIG_CHECK(tm_segment.base != NULL);
	RIG_CHECK(strcmp(tm_segment.path, parent_path) != 0);
	RIG_CHECK(tm_segment.header->pid == (uint32_t)getpid());
	RIG_CHECK(tm_segment.header->parent_pid == parent);
	RIG_CHECK(tm_segment.header->blind == TM_B_INHERITED);
	RIG_CHECK(tm_word_kind(rig_word(middle() + 1024)) == TM_OBJECT);
	RIG_CHECK(tm_word_birth(rig_word(middle() + 1024)) == 1);
	RIG_CHECK(rig_word(middle() + 16) == 0);
	tm_death_object(middle() + 16);
	RIG_CHECK(rig_lost(TM_L_DEATH_UNKNOWN) == 0);
	RIG_CHECK(tm_thread_sums().created == 1);
	tm_segment_discard();
	return 0;
}

static void a_forked_child_begins_its_own_recording_at_its_first_birth(void **state)
{
	struct tm_sums before;

	(void)state;
	born(middle(), 64, 1);
	before = tm_thread_sums();
	rig_apart(child_story);
	assert_int_equal(tm_thread_sums().created, before.created);
	rig_expect_words(middle(), 2,
			 (uint64_t[]){tm_size_word(TM_SIZE_HEAD, 64), object_word(1, 1)});
	assert_int_equal(rig_word(middle() + 1024), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(an_object_has_the_words_of_its_place_in_the_block),
		RIG_TEST(a_block_of_one_granule_leaves_its_neighbours_alone),
		RIG_TEST(a_buffer_says_its_size_in_one_word_or_two),
		RIG_TEST(a_large_object_keeps_its_exact_size),
		RIG_TEST(an_object_outside_of_blocks_has_no_size),
		RIG_TEST(a_free_list_gives_an_object_a_new_birth_in_its_old_block),
		RIG_TEST(memory_no_object_comes_to_is_written_down_at_the_next_event),
		RIG_TEST(counters_count_births_and_deaths_of_objects),
		RIG_TEST(the_site_is_the_stack_of_the_birth),
		RIG_TEST(types_without_a_record_share_one_and_are_counted),
		RIG_TEST(addresses_that_have_no_word_are_counted),
		RIG_TEST(births_without_space_are_counted_and_deaths_go_on),
		RIG_TEST(after_the_freeze_nothing_changes),
		RIG_TEST(threads_count_for_themselves_and_share_the_words),
		RIG_TEST(a_forked_child_begins_its_own_recording_at_its_first_birth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

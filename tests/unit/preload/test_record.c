/* test_record.c - births and deaths, one shape at a time */
#include "rig.h"

#include "resolve.h"

#include <errno.h>
#include <pthread.h>

/* The last word of the first chunk of the heap is the one before this address. */
static uintptr_t edge(void)
{
	return (uintptr_t)rig.heap + TM_CHUNK_HEAP;
}

static uintptr_t middle(void)
{
	return (uintptr_t)rig.heap + 4096;
}

static uint32_t type_index(unsigned i)
{
	return tm_intern_type((uintptr_t)&rig.types[i]);
}

static uint64_t object_word(unsigned type, uint32_t birth)
{
	return tm_word(TM_OBJECT, birth, 0, type_index(type));
}

/* An object of rig.types[@type], at the place of its block where that type has it. */
static uintptr_t born(uintptr_t block, size_t size, unsigned type)
{
	uintptr_t object = block + 16 * type;

	rig_set_object(object, &rig.types[type]);
	tm_birth_expected(block, size);
	tm_birth_object(object);
	return object;
}

/* A class made at run time, behind a collector's head at @block. */
static uintptr_t class_at(uintptr_t block)
{
	static struct rig_text name;
	uintptr_t type = block + 16;
	void *text = &name;

	rig_set_text(&name, "Session");
	rig_set_type((void *)type, "Session", 64, TM_FLAG_HEAPTYPE | TM_FLAG_READY | TM_FLAG_GC);
	memcpy((char *)type + RIG_QUALNAME, &text, sizeof(text));
	tm_birth_expected(block, 512);
	tm_birth_object(type);
	return type;
}

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
	rig.no_thread = true;
	born(middle() + 192, 32, 0);
	assert_int_equal(tm_word_site(rig_word(middle() + 192)), 0);
	rig.frame = NULL;
}

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

/* ---- blocks that move ------------------------------------------------------------------------ */

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
	assert_int_equal(rig_death(0)->before, 0);
	rig_expect_words(middle(), 3,
			 (uint64_t[3]){tm_word(TM_BUFFER, 2, site, 128) | TM_WATCHED,
				       tm_size_word(TM_GROWN, middle() >> 4)});
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
	rig_expect_words(c, 3,
			 (uint64_t[3]){tm_word(TM_BUFFER, 2, 0, 256) | TM_WATCHED,
				       tm_size_word(TM_GROWN, a >> 4)});
	rig_set_mark();
	resize(c, d, 2 << 20);
	rig_expect_death(1, c, tm_word(TM_BUFFER, 2, 0, 256), 256, 2, TM_DF_RESIZED);
	assert_int_equal(rig_death(1)->before, a);
	rig_expect_words(d, 3,
			 (uint64_t[3]){tm_word(TM_BUFFER, 3, 0, TM_SIZE_BIG) | TM_WATCHED,
				       tm_size_word(TM_SIZE_TAIL, 2 << 20),
				       tm_size_word(TM_GROWN, c >> 4)});
	rig_set_mark();
	tm_death_block(d);
	rig_expect_death(2, d, tm_word(TM_BUFFER, 3, 0, TM_SIZE_BIG), 2 << 20, 3, 0);
	assert_int_equal(rig_death(2)->before, c);
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
	assert_int_equal(rig_death(1)->before, 0);
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
				    tm_size_word(TM_GROWN, middle() >> 4)};

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

/* ---- what is watched ---------------------------------------------------------------------------
 */

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

/* ---- what cannot be recorded
 * --------------------------------------------------------------------- */

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

/* ---- threads and children
 * ---------------------------------------------------------------------------- */

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

/* ---- allocator family
 * ----------------------------------------------------------------------------------- */

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

/* ---- what is written down first and turns out to be more ------------------------------------
 */

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

/* ---- blocks that a free list keeps --------------------------------------------------------------
 */

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
#define ALLOCATOR_TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, rig_setup_allocator, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_object_has_the_words_of_its_place_in_the_block),
		TEST(a_block_of_one_granule_leaves_its_neighbours_alone),
		TEST(a_buffer_says_its_size_in_one_word_or_two),
		TEST(a_large_object_keeps_its_exact_size),
		TEST(an_object_outside_of_blocks_has_no_size),
		TEST(a_free_list_gives_an_object_a_new_birth_in_its_old_block),
		TEST(memory_no_object_comes_to_is_written_down_at_the_next_event),
		TEST(counters_count_births_and_deaths_of_objects),
		TEST(the_site_is_the_stack_of_the_birth),
		TEST(what_dies_in_its_own_interval_leaves_no_record),
		TEST(every_kind_that_dies_across_a_mark_leaves_its_record),
		TEST(a_block_freed_with_a_live_object_ends_the_object),
		TEST(a_birth_over_a_live_object_ends_that_one),
		TEST(the_death_of_an_unknown_object_is_counted_as_that),
		TEST(a_block_not_known_is_said_to_be_not_known),
		TEST(a_block_resized_in_its_interval_keeps_birth_and_site),
		TEST(a_block_resized_across_a_mark_is_a_new_one),
		TEST(a_buffer_says_what_it_grew_out_of),
		TEST(the_link_goes_with_its_block),
		TEST(a_block_of_one_granule_says_nothing),
		TEST(a_resize_that_fails_changes_nothing),
		TEST(an_object_that_is_resized_is_no_growth),
		TEST(an_object_moves_with_its_block),
		TEST(what_was_taken_can_be_put_back_word_for_word),
		TEST(a_class_is_watched_once_its_name_is_known_and_forgotten_when_it_dies),
		TEST(a_watched_class_whose_block_is_freed_or_moved_is_forgotten),
		TEST(addresses_that_have_no_word_are_counted),
		TEST(births_without_space_are_counted_and_deaths_go_on),
		TEST(after_the_freeze_nothing_changes),
		TEST(threads_count_for_themselves_and_share_the_words),
		TEST(a_forked_child_begins_its_own_recording_at_its_first_birth),
		ALLOCATOR_TEST(blocks_are_looked_at_when_many_came_after_but_never_the_newest),
		ALLOCATOR_TEST(a_block_that_dies_across_a_mark_is_looked_at_for_the_last_time),
		ALLOCATOR_TEST(a_class_in_a_block_not_looked_at_is_watched_all_the_same),
		TEST(memory_may_become_an_object_late),
		TEST(what_the_tracer_told_is_not_typed_late),
		ALLOCATOR_TEST(a_large_object_behind_two_heads_has_two_words),
		ALLOCATOR_TEST(an_object_in_a_kept_block_dies_and_is_born),
		ALLOCATOR_TEST(an_object_from_a_reserve_of_before_is_born_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_shadow.c - from an address to its word, at the edges */
#include "rig.h"

#include "shadow.h"

#define TOP  (1ull << TM_ADDRESS_BITS)
#define HEAP 0x7f0000100000ull

static const struct tm_chunk *chunk_record(uint64_t index)
{
	assert_true(index < rig_used(TM_R_CHUNKS));
	return (const struct tm_chunk *)tm_segment_at(TM_R_CHUNKS, 0) + index;
}

/* The words of a place as events look for it; NULL: none. */
static tm_shadow_word *looked_up(uintptr_t address)
{
	size_t index = TM_CHUNK_WORDS;
	struct tm_slot *slot = tm_shadow_look(address, &index);

	assert_true(index < TM_CHUNK_WORDS);
	return slot->words ? slot->words + index : NULL;
}

static void nothing_has_a_word_at_first(void **state)
{
	static const uintptr_t addresses[] = {0,	16,  TM_CHUNK_HEAP, HEAP,
					      TOP - 16, TOP, UINTPTR_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		assert_null(tm_shadow_find(addresses[i]));
	assert_int_equal(rig_used(TM_R_CHUNKS), 0);
}

static void a_chunk_covers_its_mebibyte_and_no_more(void **state)
{
	struct tm_slot *slot = tm_shadow_extend(HEAP + 0x8000);

	(void)state;
	assert_non_null(slot);
	assert_ptr_equal(slot, tm_shadow_slot(HEAP));
	assert_ptr_equal(tm_shadow_find(HEAP), slot->words);
	assert_ptr_equal(tm_shadow_find(HEAP + TM_CHUNK_HEAP - 1),
			 slot->words + TM_CHUNK_WORDS - 1);
	assert_null(tm_shadow_find(HEAP - 1));
	assert_null(tm_shadow_find(HEAP + TM_CHUNK_HEAP));
}

static void sixteen_bytes_share_a_word(void **state)
{
	struct tm_slot *slot = tm_shadow_extend(HEAP);

	(void)state;
	assert_non_null(slot);
	for (unsigned i = 0; i < 64; i++)
		assert_ptr_equal(tm_shadow_find(HEAP + i), slot->words + i / 16);
}

static void the_record_of_a_chunk_leads_to_its_words(void **state)
{
	const struct tm_chunk *chunk;

	(void)state;
	assert_non_null(tm_shadow_extend(HEAP + 12345));
	assert_non_null(tm_shadow_extend(HEAP + 5 * TM_CHUNK_HEAP));
	assert_int_equal(rig_used(TM_R_CHUNKS), 2);
	assert_int_equal(rig_used(TM_R_SHADOW), 2 * TM_CHUNK_SHADOW);
	for (unsigned i = 0; i < 2; i++) {
		chunk = chunk_record(i);
		assert_int_equal(chunk->heap_base, HEAP + (i ? 5 * TM_CHUNK_HEAP : 0));
		assert_ptr_equal(tm_segment.base + chunk->shadow, tm_shadow_find(chunk->heap_base));
		assert_int_equal(chunk->newest_birth, 0);
	}
}

static void extending_twice_makes_one_chunk(void **state)
{
	struct tm_slot *slot = tm_shadow_extend(HEAP);

	(void)state;
	tm_put(tm_shadow_find(HEAP), 77);
	assert_ptr_equal(tm_shadow_extend(HEAP + 16), slot);
	assert_int_equal(rig_used(TM_R_CHUNKS), 1);
	assert_int_equal(rig_word(HEAP), 77);
}

static void the_lowest_and_the_highest_address_have_words(void **state)
{
	(void)state;
	assert_non_null(tm_shadow_extend(0));
	assert_non_null(tm_shadow_extend(TOP - 16));
	tm_put(tm_shadow_find(0), 1);
	tm_put(tm_shadow_find(TOP - 16), 2);
	assert_int_equal(rig_word(0), 1);
	assert_int_equal(rig_word(TOP - 1), 2);
	assert_int_equal(chunk_record(1)->heap_base, TOP - TM_CHUNK_HEAP);
}

static void beyond_47_bits_there_is_nothing(void **state)
{
	static const uintptr_t addresses[] = {TOP, TOP + 16, TOP << 1, 1ull << 63, UINTPTR_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		assert_null(tm_shadow_extend(addresses[i]));
		assert_null(tm_shadow_slot(addresses[i])->words);
		assert_null(tm_shadow_find(addresses[i]));
		assert_null(looked_up(addresses[i]));
	}
	assert_int_equal(rig_used(TM_R_CHUNKS), 0);
}

static void neighbours_across_a_leaf_are_apart(void **state)
{
	const uintptr_t edge = 3ull << TM_ROOT_SHIFT;

	(void)state;
	/* the first leaf is found by a comparison, all others by the directory */
	assert_non_null(tm_shadow_extend(edge - 16));
	assert_int_equal(tm_shadow_near.base, 2ull << TM_ROOT_SHIFT);
	assert_null(tm_shadow_find(edge));
	assert_non_null(tm_shadow_extend(edge));
	tm_put(tm_shadow_find(edge - 16), 1);
	tm_put(tm_shadow_find(edge), 2);
	assert_int_equal(rig_word(edge - 16), 1);
	assert_int_equal(rig_word(edge), 2);
}

static void a_look_finds_what_the_directory_does(void **state)
{
	static const uintptr_t chunks[] = {HEAP, HEAP + TM_CHUNK_HEAP, 0, 5ull << TM_ROOT_SHIFT,
					   TOP - TM_CHUNK_HEAP};
	static const uintptr_t offsets[] = {0, 16, 4096, TM_CHUNK_HEAP - 16};

	(void)state;
	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
		for (size_t k = 0; k < sizeof(offsets) / sizeof(offsets[0]); k++)
			assert_null(looked_up(chunks[i] + offsets[k]));
		assert_non_null(tm_shadow_extend(chunks[i]));
		for (size_t k = 0; k < sizeof(offsets) / sizeof(offsets[0]); k++)
			assert_ptr_equal(looked_up(chunks[i] + offsets[k]),
					 tm_shadow_find(chunks[i] + offsets[k]));
	}
}

static void a_look_into_a_granule_finds_nothing(void **state)
{
	(void)state;
	assert_non_null(tm_shadow_extend(HEAP));
	assert_non_null(tm_shadow_extend(5ull << TM_ROOT_SHIFT));
	for (uintptr_t i = 1; i < 16; i++) {
		assert_null(looked_up(HEAP + i));
		assert_null(looked_up((5ull << TM_ROOT_SHIFT) + i));
		assert_null(looked_up(i));
		assert_null(looked_up(UINTPTR_MAX - i + 1));
	}
}

static void detached_every_birth_is_slow_and_every_word_gone(void **state)
{
	(void)state;
	assert_non_null(tm_shadow_extend(HEAP));
	tm_put(tm_shadow_find(HEAP), 5);
	tm_shadow_detach();
	assert_null(tm_shadow_slot(HEAP)->words);
	assert_null(tm_shadow_find(HEAP));
	for (uintptr_t i = 0; i <= 16; i++)
		assert_null(looked_up(HEAP + i));
	tm_shadow_attach();
	assert_int_equal(rig_word(HEAP), 5);
}

static void a_forgotten_directory_starts_anew(void **state)
{
	(void)state;
	assert_non_null(tm_shadow_extend(HEAP));
	tm_put(tm_shadow_find(HEAP), 5);
	tm_shadow_forget();
	assert_null(tm_shadow_find(HEAP));
	assert_non_null(tm_shadow_extend(HEAP));
	assert_int_equal(rig_word(HEAP), 0);
}

static void the_newest_birth_goes_up_only(void **state)
{
	struct tm_slot *slot = tm_shadow_extend(HEAP);
	struct tm_slot none = {NULL, 0, 0};

	(void)state;
	assert_true(tm_shadow_newer(slot, 7));
	assert_int_equal(chunk_record(0)->newest_birth, 7);
	assert_true(tm_shadow_newer(slot, 3));
	assert_int_equal(chunk_record(0)->newest_birth, 7);
	assert_true(tm_shadow_newer(slot, TM_MAX_BIRTH));
	assert_int_equal(chunk_record(0)->newest_birth, TM_MAX_BIRTH);
	assert_false(tm_shadow_newer(&none, 1));
}

/* The header, what a recording begins with, and some chunks: then no more. */
static void without_space_there_is_no_chunk_and_no_crash(void **state)
{
	unsigned made = 0;

	(void)state;
	while (made < 1000 && tm_shadow_extend(HEAP + made * TM_CHUNK_HEAP))
		made++;
	assert_in_range(made, 64, 96);
	assert_int_equal(rig_used(TM_R_CHUNKS), made);
	assert_null(tm_shadow_find(HEAP + made * TM_CHUNK_HEAP));
	assert_non_null(tm_shadow_find(HEAP));
	assert_true(tm_get(&tm_segment.header->blind) & TM_B_SPACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(nothing_has_a_word_at_first),
		RIG_TEST(a_chunk_covers_its_mebibyte_and_no_more),
		RIG_TEST(sixteen_bytes_share_a_word),
		RIG_TEST(the_record_of_a_chunk_leads_to_its_words),
		RIG_TEST(extending_twice_makes_one_chunk),
		RIG_TEST(the_lowest_and_the_highest_address_have_words),
		RIG_TEST(beyond_47_bits_there_is_nothing),
		RIG_TEST(neighbours_across_a_leaf_are_apart),
		RIG_TEST(a_look_finds_what_the_directory_does),
		RIG_TEST(a_look_into_a_granule_finds_nothing),
		RIG_TEST(detached_every_birth_is_slow_and_every_word_gone),
		RIG_TEST(a_forgotten_directory_starts_anew),
		RIG_TEST(the_newest_birth_goes_up_only),
		RIG_TEST(without_space_there_is_no_chunk_and_no_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

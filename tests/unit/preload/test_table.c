/* test_table.c - the private hash tables, against an oracle that is slow and obvious */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "table.h"

/* ---- map --------------------------------------------------------------------- */

#define ADDRESSES 3000

static uintptr_t address_of(unsigned i)
{
	return 0x7f0000000000ull + 16ull * i;
}

static void expect_map(const struct tm_map *map, const uint32_t *oracle, unsigned addresses)
{
	uint32_t count = 0;

	for (unsigned i = 0; i < addresses; i++) {
		assert_int_equal(tm_map_get(map, address_of(i)), oracle[i]);
		count += oracle[i] != 0;
	}
	assert_int_equal(map->count, count);
}

static void an_empty_map_knows_nothing_and_removes_nothing(void **state)
{
	struct tm_map map = {0};

	(void)state;
	assert_int_equal(tm_map_get(&map, address_of(1)), 0);
	tm_map_remove(&map, address_of(1));
	assert_int_equal(map.count, 0);
	tm_map_clear(&map);
	assert_null(map.entries);
}

static void a_map_keeps_the_last_value_of_an_address(void **state)
{
	struct tm_map map = {0};

	(void)state;
	assert_true(tm_map_put(&map, address_of(1), 10));
	assert_true(tm_map_put(&map, address_of(1), 11));
	assert_int_equal(map.count, 1);
	assert_int_equal(tm_map_get(&map, address_of(1)), 11);
	tm_map_remove(&map, address_of(2));
	assert_int_equal(map.count, 1);
	tm_map_remove(&map, address_of(1));
	assert_int_equal(map.count, 0);
	assert_int_equal(tm_map_get(&map, address_of(1)), 0);
	tm_map_clear(&map);
}

static void a_map_agrees_with_its_oracle_through_growth_and_removal(void **state)
{
	static uint32_t oracle[ADDRESSES];
	struct tm_map map = {0};

	(void)state;
	memset(oracle, 0, sizeof(oracle));
	srand(2);
	for (unsigned step = 0; step < 200000; step++) {
		unsigned i = (unsigned)rand() % ADDRESSES;
		/* Phases that mostly fill and phases that mostly empty. */
		bool put = (unsigned)rand() % 8 < (step / 20000 % 2 ? 2u : 6u);

		if (put) {
			oracle[i] = (uint32_t)rand() | 1;
			assert_true(tm_map_put(&map, address_of(i), oracle[i]));
		} else {
			oracle[i] = 0;
			tm_map_remove(&map, address_of(i));
		}
		assert_int_equal(tm_map_get(&map, address_of(i)), oracle[i]);
		if (step % 5000 == 0)
			expect_map(&map, oracle, ADDRESSES);
	}
	expect_map(&map, oracle, ADDRESSES);
	assert_true(map.size >= 4096);
	tm_map_clear(&map);
}

/*
 * Few addresses that all want to be in the same places: every removal closes a gap in a long
 * run, also one that goes around the end of the table.
 */
static void a_removal_keeps_every_later_entry_of_its_run(void **state)
{
	enum {
		WANTED = 300
	};
	uintptr_t crowded[WANTED];
	uint32_t oracle[WANTED] = {0};
	struct tm_map map = {0};
	unsigned found = 0;

	(void)state;
	assert_true(tm_map_put(&map, 16, 1));
	tm_map_remove(&map, 16);
	for (uintptr_t address = 16; found < WANTED; address += 16) {
		uint32_t home = (uint32_t)(address * 0x9e3779b97f4a7c15ull >> 32) & (map.size - 1);

		if (home >= map.size - 20 || home < 4)
			crowded[found++] = address;
	}
	srand(3);
	for (unsigned step = 0; step < 20000; step++) {
		unsigned i = (unsigned)rand() % WANTED;

		if (oracle[i]) {
			oracle[i] = 0;
			tm_map_remove(&map, crowded[i]);
		} else {
			oracle[i] = step + 1;
			assert_true(tm_map_put(&map, crowded[i], step + 1));
		}
		for (unsigned k = 0; step % 7 == 0 && k < WANTED; k++)
			assert_int_equal(tm_map_get(&map, crowded[k]), oracle[k]);
	}
	assert_int_equal(map.size, 1024);
	tm_map_clear(&map);
}

static void a_cleared_map_starts_anew(void **state)
{
	struct tm_map map = {0};

	(void)state;
	for (unsigned i = 0; i < 2000; i++)
		assert_true(tm_map_put(&map, address_of(i), i + 1));
	tm_map_clear(&map);
	assert_int_equal(map.size, 0);
	assert_int_equal(map.count, 0);
	assert_int_equal(tm_map_get(&map, address_of(7)), 0);
	assert_true(tm_map_put(&map, address_of(7), 8));
	assert_int_equal(tm_map_get(&map, address_of(7)), 8);
	assert_int_equal(map.count, 1);
	tm_map_clear(&map);
}

/* ---- index ------------------------------------------------------------------- */

#define RECORDS 20000

static uint64_t records[RECORDS + 1]; /* by id */

static bool same(uint32_t id, const void *key)
{
	return records[id] == *(const uint64_t *)key;
}

static bool never(uint32_t id, const void *key)
{
	(void)id;
	(void)key;
	return false;
}

/* The id of @key, made when it is new. */
static uint32_t interned(struct tm_index *index, uint64_t hash, uint64_t key, uint32_t *last)
{
	struct tm_index_entry *entry = tm_index_find(index, hash, same, &key);

	assert_non_null(entry);
	if (!entry->id) {
		records[++*last] = key;
		entry->id = *last;
		index->count++;
	}
	return entry->id;
}

static void an_index_finds_what_was_put_through_growth(void **state)
{
	struct tm_index index = {0};
	uint32_t last = 0;

	(void)state;
	for (uint64_t key = 1; key <= RECORDS; key++)
		assert_int_equal(interned(&index, tm_hash(&key, 8, 0), key, &last), key);
	assert_int_equal(index.count, RECORDS);
	assert_true(index.size >= RECORDS);
	for (uint64_t key = 1; key <= RECORDS; key++)
		assert_int_equal(interned(&index, tm_hash(&key, 8, 0), key, &last), key);
	assert_int_equal(last, RECORDS);
	tm_index_clear(&index);
	assert_null(index.entries);
	assert_int_equal(index.count, 0);
}

static void equal_hashes_are_told_apart_by_content(void **state)
{
	struct tm_index index = {0};
	uint32_t last = 0;

	(void)state;
	for (uint64_t key = 1; key <= 600; key++)
		assert_int_equal(interned(&index, 0xfffffffful, key, &last), key);
	for (uint64_t key = 1; key <= 600; key++)
		assert_int_equal(interned(&index, 0xfffffffful, key, &last), key);
	assert_int_equal(index.count, 600);
	tm_index_clear(&index);
}

static void an_entry_left_empty_is_given_again(void **state)
{
	struct tm_index index = {0};
	uint64_t key = 5;
	struct tm_index_entry *first = tm_index_find(&index, 1, never, &key);

	(void)state;
	assert_non_null(first);
	assert_int_equal(first->id, 0);
	assert_ptr_equal(tm_index_find(&index, 1, never, &key), first);
	assert_int_equal(index.count, 0);
	tm_index_clear(&index);
}

static void an_index_is_never_full(void **state)
{
	struct tm_index index = {0};
	uint32_t last = 0;

	(void)state;
	for (uint64_t key = 1; key <= 5000; key++) {
		interned(&index, key, key, &last);
		assert_true(index.count < index.size);
	}
	tm_index_clear(&index);
}

/* ---- hash -------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void expect_all_different(uint64_t *hashes, size_t count)
{
	qsort(hashes, count, sizeof(*hashes), by_value);
	for (size_t i = 1; i < count; i++)
		assert_true(hashes[i] != hashes[i - 1]);
}

static void every_bit_and_every_length_changes_the_hash(void **state)
{
	unsigned char bytes[40] = {0};
	static uint64_t hashes[41 + 41 * 40 * 8];
	size_t count = 0;

	(void)state;
	for (size_t size = 0; size <= sizeof(bytes); size++) {
		hashes[count++] = tm_hash(bytes, size, 1);
		for (size_t bit = 0; bit < size * 8; bit++) {
			bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
			hashes[count++] = tm_hash(bytes, size, 1);
			bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		}
	}
	expect_all_different(hashes, count);
}

static void the_hash_reads_nothing_behind_the_end(void **state)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char copy[64];

	(void)state;
	assert_ptr_not_equal(page, MAP_FAILED);
	assert_int_equal(mprotect(page + 4096, 4096, PROT_NONE), 0);
	memset(page, 'x', 4096);
	memset(copy, 'x', sizeof(copy));
	copy[40] = 'y';
	for (size_t size = 0; size <= 40; size++)
		assert_true(tm_hash(page + 4096 - size, size, 7) == tm_hash(copy, size, 7));
	munmap(page, 8192);
}

static void seeds_make_different_hashes(void **state)
{
	(void)state;
	assert_true(tm_hash("text", 4, 1) != tm_hash("text", 4, 2));
	assert_true(tm_hash("", 0, 1) != tm_hash("", 0, 2));
	assert_true(tm_hash("text", 4, 1) == tm_hash("text", 4, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_map_knows_nothing_and_removes_nothing),
		cmocka_unit_test(a_map_keeps_the_last_value_of_an_address),
		cmocka_unit_test(a_map_agrees_with_its_oracle_through_growth_and_removal),
		cmocka_unit_test(a_removal_keeps_every_later_entry_of_its_run),
		cmocka_unit_test(a_cleared_map_starts_anew),
		cmocka_unit_test(an_index_finds_what_was_put_through_growth),
		cmocka_unit_test(equal_hashes_are_told_apart_by_content),
		cmocka_unit_test(an_entry_left_empty_is_given_again),
		cmocka_unit_test(an_index_is_never_full),
		cmocka_unit_test(every_bit_and_every_length_changes_the_hash),
		cmocka_unit_test(the_hash_reads_nothing_behind_the_end),
		cmocka_unit_test(seeds_make_different_hashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_cache.c - caches whose entries are written without a lock */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cache.h"

#define BITS	6
#define ADDRESS 0x7f12345678a0ull

static void a_packed_entry_answers_for_its_address_only(void **state)
{
	tm_packed cache[1 << BITS] = {0};
	tm_packed *slot = tm_packed_slot(cache, BITS, ADDRESS);

	(void)state;
	assert_int_equal(tm_packed_get(slot, ADDRESS), 0);
	tm_packed_put(slot, ADDRESS, 77);
	assert_int_equal(tm_packed_get(slot, ADDRESS), 77);
	assert_int_equal(tm_packed_get(slot, ADDRESS + 16), 0);
	assert_int_equal(tm_packed_get(slot, ADDRESS ^ 1ull << 46), 0);
}

static void a_packed_entry_holds_the_largest_address_and_value(void **state)
{
	const uintptr_t top = (1ull << 47) - 16;
	tm_packed slot = 0;

	(void)state;
	tm_packed_put(&slot, top, TM_PACKED_VALUE);
	assert_int_equal(tm_packed_get(&slot, top), TM_PACKED_VALUE);
	assert_int_equal(tm_packed_get(&slot, top - 16), 0);
	tm_packed_put(&slot, 16, 1);
	assert_int_equal(tm_packed_get(&slot, 16), 1);
	assert_int_equal(tm_packed_get(&slot, top), 0);
}

static void a_later_address_takes_the_packed_place(void **state)
{
	tm_packed slot = 0;

	(void)state;
	tm_packed_put(&slot, ADDRESS, 1);
	tm_packed_put(&slot, ADDRESS + 4096, 2);
	assert_int_equal(tm_packed_get(&slot, ADDRESS), 0);
	assert_int_equal(tm_packed_get(&slot, ADDRESS + 4096), 2);
}

static void only_its_own_address_drops_a_packed_entry(void **state)
{
	tm_packed slot = 0;

	(void)state;
	tm_packed_put(&slot, ADDRESS, 5);
	tm_packed_drop(&slot, ADDRESS + 16);
	assert_int_equal(tm_packed_get(&slot, ADDRESS), 5);
	tm_packed_drop(&slot, ADDRESS);
	assert_int_equal(tm_packed_get(&slot, ADDRESS), 0);
	tm_packed_drop(&slot, ADDRESS);
	assert_int_equal(slot, 0);
}

static void unaligned_addresses_are_not_kept(void **state)
{
	tm_packed slot = 0;

	(void)state;
	for (unsigned odd = 1; odd < 16; odd++) {
		tm_packed_put(&slot, ADDRESS + odd, 9);
		assert_int_equal(slot, 0);
		assert_int_equal(tm_packed_get(&slot, ADDRESS + odd), 0);
		assert_int_equal(tm_packed_get(&slot, ADDRESS), 0);
	}
}

static void packed_slots_lie_inside_the_cache(void **state)
{
	tm_packed cache[1 << BITS] = {0};
	unsigned used = 0;

	(void)state;
	for (uintptr_t address = 0; address < 1 << 20; address += 16) {
		tm_packed *slot = tm_packed_slot(cache, BITS, ADDRESS + address);

		assert_true(slot >= cache && slot < cache + (1 << BITS));
		used += tm_get(slot) == 0;
		tm_put(slot, 1);
	}
	assert_int_equal(used, 1 << BITS);
}

static void a_mixing_entry_answers_for_its_key_only(void **state)
{
	struct tm_cached cache[1 << BITS] = {0};
	const uint64_t key = 0x123456789abcdef0ull;
	struct tm_cached *slot = tm_cache_slot(cache, BITS, key);

	(void)state;
	assert_int_equal(tm_cache_get(slot, key), 0);
	tm_cache_put(slot, key, 0xffffff);
	assert_int_equal(tm_cache_get(slot, key), 0xffffff);
	for (unsigned bit = 0; bit < 64; bit++)
		assert_int_equal(tm_cache_get(slot, key ^ 1ull << bit), 0);
	tm_cache_put(slot, ~key, 3);
	assert_int_equal(tm_cache_get(slot, key), 0);
	assert_int_equal(tm_cache_get(slot, ~key), 3);
}

static void the_key_of_nothing_is_not_found_in_an_empty_cache(void **state)
{
	struct tm_cached empty = {0};

	(void)state;
	assert_int_equal(tm_cache_get(&empty, 0), 0);
}

static void mixing_slots_lie_inside_the_cache(void **state)
{
	struct tm_cached cache[1 << BITS] = {0};
	unsigned used = 0;

	(void)state;
	for (uint64_t key = 0; key < 1 << 14; key++) {
		struct tm_cached *slot = tm_cache_slot(cache, BITS, key << 7);

		assert_true(slot >= cache && slot < cache + (1 << BITS));
		used += tm_get(&slot->value) == 0;
		tm_put(&slot->value, 1);
	}
	assert_int_equal(used, 1 << BITS);
}

/* Two writers of one slot: the words of an entry may be of different ones. */
static void a_torn_entry_gives_no_wrong_answer(void **state)
{
	(void)state;
	srand(1);
	for (unsigned round = 0; round < 10000; round++) {
		uint64_t keys[2] = {(uint64_t)rand() << 32 | (unsigned)rand(),
				    (uint64_t)rand() << 32 | (unsigned)rand()};
		uint32_t values[2] = {(uint32_t)rand() % 0xffffff + 1,
				      (uint32_t)rand() % 0xffffff + 1};
		struct tm_cached whole[2] = {0}, torn;

		for (unsigned i = 0; i < 2; i++)
			tm_cache_put(&whole[i], keys[i], values[i]);
		for (unsigned i = 0; i < 2; i++) {
			torn.mixed = whole[i].mixed;
			torn.value = whole[!i].value;
			for (unsigned k = 0; k < 2; k++) {
				uint32_t got = tm_cache_get(&torn, keys[k]);

				assert_true(got == 0 || got == values[k]);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packed_entry_answers_for_its_address_only),
		cmocka_unit_test(a_packed_entry_holds_the_largest_address_and_value),
		cmocka_unit_test(a_later_address_takes_the_packed_place),
		cmocka_unit_test(only_its_own_address_drops_a_packed_entry),
		cmocka_unit_test(unaligned_addresses_are_not_kept),
		cmocka_unit_test(packed_slots_lie_inside_the_cache),
		cmocka_unit_test(a_mixing_entry_answers_for_its_key_only),
		cmocka_unit_test(the_key_of_nothing_is_not_found_in_an_empty_cache),
		cmocka_unit_test(mixing_slots_lie_inside_the_cache),
		cmocka_unit_test(a_torn_entry_gives_no_wrong_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

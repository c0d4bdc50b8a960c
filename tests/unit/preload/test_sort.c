/* test_sort.c - putting what has an address in its order */
#include "rig.h"

#include "sort.h"

enum {
	MANY = 5000
};

static struct tm_placed placed[MANY], scratch[MANY], expected[MANY];

static int by_address(const void *a, const void *b)
{
	const struct tm_placed *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->value < y->value ? -1 : x->value > y->value;
}

static void expect_sorted(size_t count)
{
	struct tm_placed *sorted;

	for (size_t i = 0; i < count; i++)
		placed[i].value = i;
	memcpy(expected, placed, count * sizeof(*placed));
	qsort(expected, count, sizeof(*expected), by_address);
	sorted = tm_sort(placed, scratch, count);
	assert_true(sorted == placed || sorted == scratch);
	assert_memory_equal(sorted, expected, count * sizeof(*sorted));
}

static uintptr_t some_address(unsigned bits)
{
	uintptr_t random = (uintptr_t)rand() ^ (uintptr_t)rand() << 20 ^ (uintptr_t)rand() << 40;

	return random & ((1ull << bits) - 1);
}

static void random_addresses_of_every_width_are_sorted(void **state)
{
	(void)state;
	srand(1);
	for (unsigned bits = 1; bits <= 48; bits++) {
		uintptr_t high = some_address(48) & ~((1ull << bits) - 1);

		for (size_t i = 0; i < MANY; i++)
			placed[i].address = high | some_address(bits);
		expect_sorted(MANY);
	}
}

static void equal_ones_stay_in_their_order(void **state)
{
	(void)state;
	srand(2);
	for (size_t i = 0; i < MANY; i++)
		placed[i].address = 0x7f0000000000ull + 64 * ((uintptr_t)rand() % 50);
	expect_sorted(MANY);
}

static void every_small_number_of_them_is_sorted(void **state)
{
	(void)state;
	srand(3);
	for (size_t count = 0; count < 300; count++) {
		for (size_t i = 0; i < count; i++)
			placed[i].address = some_address(47);
		expect_sorted(count);
	}
}

static void what_is_sorted_stays_where_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < MANY; i++)
		placed[i].address = 0x550000000000ull + 16 * i;
	assert_ptr_equal(tm_sort(placed, scratch, MANY), placed);
	expect_sorted(MANY);
	for (size_t i = 0; i < MANY; i++)
		placed[i].address = 0x550000000000ull - 16 * i;
	expect_sorted(MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_addresses_of_every_width_are_sorted),
		cmocka_unit_test(equal_ones_stay_in_their_order),
		cmocka_unit_test(every_small_number_of_them_is_sorted),
		cmocka_unit_test(what_is_sorted_stays_where_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

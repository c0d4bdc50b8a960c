/* test_describe.c - memory of a process that holds anything, described or left alone */
#include "view.h"

#include <unistd.h>

#include "describe.h"
#include "describe_layout.h"

#define WORDS 512u

static const uint32_t versions[] = {0x030812f0, 0x030912f0, 0x030a0df0, 0x030b07f0,
				    0x030c01f0, 0x030d05f0, 0x030e0af0, 0x030f02f0};
#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

static const struct tm_bytes thing = {"app.Thing", 9};

static struct tm_describer *begin(uint32_t version)
{
	struct tm_header header = {.python_hex = version};
	struct tm_describer *describer = tm_describe_begin(getpid(), &header);

	assert_non_null(describer);
	return describer;
}

static uint64_t address_of(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* An instance of a heap type, in this process's own memory; its type follows it. */
static void lay_thing(uint64_t words[WORDS], const char *name)
{
	uint64_t *type = words + 64;

	memset(words, 0, WORDS * sizeof(*words));
	words[8] = 1;
	words[9] = address_of(type);
	type[TM_PY_TP_NAME / 8] = address_of(name);
	type[TM_PY_TP_BASICSIZE / 8] = 16;
	type[TM_PY_TP_FLAGS / 8] = TM_PY_HEAP_TYPE;
}

static void a_version_that_is_not_known_is_left_alone(void **state)
{
	struct tm_header header = {.python_hex = 0x031000f0};

	(void)state;
	assert_null(tm_describe_begin(getpid(), &header));
	header.python_hex = 0x030712f0;
	assert_null(tm_describe_begin(getpid(), &header));
}

static void what_is_not_of_the_recorded_type_is_not_described(void **state)
{
	uint64_t words[WORDS];
	struct tm_describer *describer = begin(versions[0]);
	json_t *description;

	(void)state;
	lay_thing(words, "Thing");
	description = tm_describe(describer, address_of(words + 8), thing);
	assert_true(json_is_object(description));
	assert_true(json_is_null(json_object_get(description, "length")));
	assert_int_equal(json_array_size(json_object_get(description, "attributes")), 0);
	json_decref(description);
	lay_thing(words, "Thin");
	description = tm_describe(describer, address_of(words + 8), thing);
	assert_true(json_is_null(description));
	json_decref(description);
	tm_describe_end(describer);
}

static void what_cannot_be_read_is_null(void **state)
{
	static const uint64_t places[] = {0, 8, 0x1000, 1ull << 47, UINT64_MAX, UINT64_MAX - 15};
	struct tm_describer *describer = begin(versions[VERSIONS - 1]);

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		json_t *description = tm_describe(describer, places[i], thing);

		assert_true(json_is_null(description));
		json_decref(description);
	}
	assert_int_equal(tm_describe_refused(describer), 0);
	tm_describe_end(describer);
}

/* Pointers to anywhere in there, sizes of any size, and chains that bite their tails. */
static void scramble(uint64_t words[WORDS], unsigned short seed[3])
{
	static const uint64_t odd[] = {0,
				       1,
				       2,
				       8,
				       255,
				       1ull << 24,
				       1ull << 32,
				       INT64_MAX,
				       UINT64_MAX,
				       1ull << 63,
				       0x2828282828282828};

	for (unsigned i = 0; i < 200; i++) {
		unsigned at = (unsigned)nrand48(seed) % WORDS;

		if (nrand48(seed) % 3)
			words[at] = address_of(words + (unsigned)nrand48(seed) % WORDS) +
				    (unsigned)nrand48(seed) % 2;
		else
			words[at] = odd[(unsigned)nrand48(seed) % (sizeof(odd) / sizeof(odd[0]))];
	}
}

static void no_memory_can_crash_or_hang_it(void **state)
{
	unsigned short seed[3] = {1, 2, 3};
	uint64_t words[WORDS];
	unsigned described = 0, named = 0;

	(void)state;
	for (unsigned round = 0; round < 4000; round++) {
		struct tm_describer *describer = begin(versions[round % VERSIONS]);
		uint64_t flags = (uint64_t)(unsigned)nrand48(seed);
		json_t *description;

		lay_thing(words, "Thing");
		scramble(words, seed);
		words[9] = address_of(words + 64);
		words[64 + TM_PY_TP_NAME / 8] = address_of("Thing");
		words[64 + TM_PY_TP_FLAGS / 8] = flags | (round % 2 ? TM_PY_STR | TM_PY_DICT : 0);
		description = tm_describe(describer, address_of(words + 8), thing);
		described += json_is_object(description);
		named += json_array_size(json_object_get(description, "attributes")) > 0;
		assert_true(json_array_size(json_object_get(description, "attributes")) <=
			    TM_DESCRIBE_MOST_NAMES);
		json_decref(description);
		tm_describe_end(describer);
	}
	assert_true(described > 2000);
	assert_true(named > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_version_that_is_not_known_is_left_alone),
		cmocka_unit_test(what_is_not_of_the_recorded_type_is_not_described),
		cmocka_unit_test(what_cannot_be_read_is_null),
		cmocka_unit_test(no_memory_can_crash_or_hang_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

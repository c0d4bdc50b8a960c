/* test_lines.c - line tables, against what the interpreters say about them */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "lines.h"

struct vector {
	const char *name;
	enum tm_line_format format;
	int32_t first_line;
	uint32_t code_size;
	const char *table; /* hexadecimal */
	const char *lines; /* "offset:line …", each valid up to the next; line 0 = none */
};

static const struct vector vectors[] = {
#include "lines_vectors.inc"
};

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		char two[3] = {hex[2 * i], hex[2 * i + 1], 0};

		out[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	return n;
}

static void expect_line(const struct vector *v, const void *table, size_t size, uint32_t offset,
			uint32_t want)
{
	uint32_t line = tm_lines_find(v->format, table, size, v->first_line, offset);

	if (line != want)
		fail_msg("%s, offset %u: line %u, the interpreter says %u", v->name, offset, line,
			 want);
}

/* Walks the spans; an instruction of no line has the line before it, or the first. */
static void check_vector(const struct vector *v)
{
	uint8_t bytes[4096];
	size_t size = unhex(v->table, bytes);
	struct guard *g = guard_new(bytes, size);
	const char *at = v->lines;
	uint32_t offset = 0;
	uint32_t want = (uint32_t)v->first_line;

	while (*at) {
		uint32_t start, line, end = v->code_size;
		int used = 0;

		assert_int_equal(sscanf(at, "%u:%u %n", &start, &line, &used), 2);
		at += used;
		if (*at)
			end = (uint32_t)strtoul(at, NULL, 10);
		if (line)
			want = line;
		assert_int_equal(offset, start);
		for (; offset < end; offset += 2)
			expect_line(v, guard_data(g), size, offset, want);
	}
	assert_int_equal(offset, v->code_size);
	guard_free(g);
}

static void every_instruction_has_the_line_the_interpreter_says(void **state)
{
	unsigned formats[4] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		check_vector(&vectors[i]);
		formats[vectors[i].format]++;
	}
	assert_true(formats[TM_LINES_LNOTAB] > 20);
	assert_true(formats[TM_LINES_LINETABLE] > 10);
	assert_true(formats[TM_LINES_LOCATIONS] > 20);
}

static void an_offset_outside_the_code_has_no_line(void **state)
{
	static const uint8_t linetable[] = {4, 1, 6, 1};
	static const uint8_t locations[] = {0xf0, 0x03, 0x01, 0x01, 0x02};

	(void)state;
	assert_int_equal(tm_lines_find(TM_LINES_LINETABLE, linetable, 4, 10, 8), 12);
	assert_int_equal(tm_lines_find(TM_LINES_LINETABLE, linetable, 4, 10, 10), 0);
	assert_int_equal(tm_lines_find(TM_LINES_LOCATIONS, locations, 5, 10, 0), 9);
	assert_int_equal(tm_lines_find(TM_LINES_LOCATIONS, locations, 5, 10, 2), 0);
}

static void no_table_means_no_line(void **state)
{
	(void)state;
	assert_int_equal(tm_lines_find(TM_LINES_NONE, "", 0, 10, 0), 0);
	assert_int_equal(tm_lines_find((enum tm_line_format)99, "\x04\x01", 2, 10, 0), 0);
	assert_int_equal(tm_lines_find(TM_LINES_LINETABLE, "", 0, 10, 0), 0);
	assert_int_equal(tm_lines_find(TM_LINES_LOCATIONS, "", 0, 10, 0), 0);
}

static void a_line_that_cannot_be_is_none(void **state)
{
	static const uint8_t up[] = {0, 0x80, 2, 0x80};

	(void)state;
	assert_int_equal(tm_lines_find(TM_LINES_LNOTAB, up, 4, 10, 8), 0);
	assert_int_equal(tm_lines_find(TM_LINES_LNOTAB, "", 0, INT32_MIN, 8), 0);
	assert_int_equal(tm_lines_find(TM_LINES_LINETABLE, "\x04\x01", 2, INT32_MAX, 0), 0);
}

/* Tables cut anywhere and tables of noise end at an unmapped page: a byte too far is a crash. */
static void a_damaged_table_is_read_to_its_end_and_no_further(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		uint8_t bytes[64];
		size_t size = round % sizeof(bytes);
		struct guard *g;

		for (size_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)rand_r(&seed);
		g = guard_new(bytes, size);
		for (int format = TM_LINES_LNOTAB; format <= TM_LINES_LOCATIONS; format++)
			for (uint32_t offset = 0; offset < 600; offset += 150)
				tm_lines_find((enum tm_line_format)format, guard_data(g), size, 1,
					      offset);
		guard_free(g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_instruction_has_the_line_the_interpreter_says),
		cmocka_unit_test(an_offset_outside_the_code_has_no_line),
		cmocka_unit_test(no_table_means_no_line),
		cmocka_unit_test(a_line_that_cannot_be_is_none),
		cmocka_unit_test(a_damaged_table_is_read_to_its_end_and_no_further),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

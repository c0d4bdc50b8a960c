/*
 * test_text.c - data of others is cleaned, numbers read well
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <cmocka.h>
#include <jansson.h>

#include "guard.h"
#include "text.h"

static void expect_clean(const char *bytes, size_t length, const char *expected)
{
	char *clean = tm_text_clean(bytes, length);

	assert_string_equal(clean, expected);
	free(clean);
}

#define CLEANS(bytes, expected) expect_clean(bytes, sizeof(bytes) - 1, expected)

static void text_of_any_language_is_kept(void **state)
{
	(void)state;
	CLEANS("plain/path.py:12", "plain/path.py:12");
	CLEANS("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
	CLEANS("\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac");
	CLEANS("\xf0\x9f\x90\x8d", "\xf0\x9f\x90\x8d");
	CLEANS("", "");
}

static void controls_become_visible(void **state)
{
	(void)state;
	CLEANS("\033[31mred", "\\x1b[31mred");
	CLEANS("a\nb\tc\rd\x7f", "a\\x0ab\\x09c\\x0dd\\x7f");
	CLEANS("nul\0in", "nul\\x00in");
	/* C1: CSI in one character */
	CLEANS("\xc2\x9b"
	       "31m",
	       "\\xc2\\x9b31m");
}

static void text_cannot_change_direction_or_hide(void **state)
{
	(void)state;
	CLEANS("\xe2\x80\xae", "\\xe2\\x80\\xae");	    /* U+202E right-to-left override */
	CLEANS("\xe2\x81\xa6", "\\xe2\\x81\\xa6");	    /* U+2066 isolate */
	CLEANS("a\xe2\x80\x8b", "a\\xe2\\x80\\x8b");	    /* zero-width space */
	CLEANS("\xe2\x80\xa8", "\\xe2\\x80\\xa8");	    /* line separator */
	CLEANS("\xef\xbb\xbf", "\\xef\\xbb\\xbf");	    /* byte order mark */
	CLEANS("\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81"); /* tag character */
	CLEANS("\xef\xbf\xbf", "\\xef\\xbf\\xbf");	    /* noncharacter */
}

static void bytes_that_are_no_utf8_become_visible(void **state)
{
	(void)state;
	CLEANS("\xff\xfe", "\\xff\\xfe");
	CLEANS("a\x80z", "a\\x80z");
	CLEANS("\xc0\xaf", "\\xc0\\xaf");	   /* overlong slash */
	CLEANS("\xe0\x80\xaf", "\\xe0\\x80\\xaf"); /* again */
	CLEANS("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* surrogate */
	CLEANS("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
	CLEANS("cut \xe6\x97", "cut \\xe6\\x97");
}

/* A sequence that is cut by the end of the data must not be completed with what follows. */
static void nothing_behind_the_end_is_read(void **state)
{
	static const uint8_t cut[] = {'x', 0xf0, 0x9f};
	struct guard *g = guard_new(cut, sizeof(cut));
	char *clean = tm_text_clean(guard_data(g), sizeof(cut));

	(void)state;
	assert_string_equal(clean, "x\\xf0\\x9f");
	assert_false(tm_text_is_utf8(guard_data(g), sizeof(cut)));
	free(clean);
	guard_free(g);
}

static void all_bytes_survive_cleaning_as_printable(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (unsigned round = 0; round < 5000; round++) {
		char bytes[32], *clean;

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (char)rand_r(&seed);
		clean = tm_text_clean(bytes, sizeof(bytes));
		assert_true(tm_text_is_utf8(clean, strlen(clean)));
		for (const char *p = clean; *p != '\0'; p++)
			assert_true((uint8_t)*p >= 0x20 && *p != 0x7f);
		free(clean);
	}
}

static void width_counts_columns(void **state)
{
	(void)state;
	tm_text_init();
	assert_int_equal(tm_text_width("abc"), 3);
	assert_int_equal(tm_text_width("gr\xc3\xbc\xc3\x9f"), 4);
	assert_int_equal(tm_text_width("\xe6\x97\xa5\xe6\x9c\xac"), 4);
}

static void expect_short(const char *text, size_t columns, const char *expected)
{
	char *cut = tm_text_shorten(text, columns);

	assert_string_equal(cut, expected);
	assert_true(tm_text_width(cut) <= columns);
	free(cut);
}

static void shortening_keeps_both_ends(void **state)
{
	(void)state;
	tm_text_init();
	expect_short("short", 5, "short");
	expect_short("/srv/application/views.py", 13, "/srv\xe2\x80\xa6views.py");
	expect_short("abc", 1, "\xe2\x80\xa6");
	expect_short("abc", 0, "");
	/* a character two columns wide is not halved */
	expect_short("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 4, "\xe2\x80\xa6\xe8\xaa\x9e");
}

static void expect_json(const char *bytes, size_t length, const char *expected,
			size_t expected_length)
{
	json_t *value = tm_text_json(bytes, length);

	assert_true(json_is_string(value));
	assert_int_equal(json_string_length(value), expected_length);
	assert_memory_equal(json_string_value(value), expected, expected_length);
	json_decref(value);
}

static void json_holds_any_bytes(void **state)
{
	(void)state;
	expect_json("a\0b", 3, "a\0b", 3);
	expect_json("\xff", 1, "\xef\xbf\xbd", 3);
	expect_json("x\xed\xb2\x80", 4, "x\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 10);
	expect_json("\xc3\xbc", 2, "\xc3\xbc", 2);
}

static void counts_have_groups_of_three(void **state)
{
	char buf[TM_TEXT_NUMBER];

	(void)state;
	assert_string_equal(tm_text_count(buf, 0), "0");
	assert_string_equal(tm_text_count(buf, 999), "999");
	assert_string_equal(tm_text_count(buf, 1000), "1,000");
	assert_string_equal(tm_text_count(buf, 12345678), "12,345,678");
	assert_string_equal(tm_text_count(buf, UINT64_MAX), "18,446,744,073,709,551,615");
	assert_string_equal(tm_text_signed(buf, 0), "0");
	assert_string_equal(tm_text_signed(buf, 1234), "+1,234");
	assert_string_equal(tm_text_signed(buf, -5), "-5");
	assert_string_equal(tm_text_signed(buf, INT64_MIN), "-9,223,372,036,854,775,808");
}

static void bytes_have_units(void **state)
{
	char buf[TM_TEXT_NUMBER];

	(void)state;
	assert_string_equal(tm_text_bytes(buf, 0), "0 B");
	assert_string_equal(tm_text_bytes(buf, 1023), "1023 B");
	assert_string_equal(tm_text_bytes(buf, 1024), "1.0 KiB");
	assert_string_equal(tm_text_bytes(buf, 1536), "1.5 KiB");
	assert_string_equal(tm_text_bytes(buf, 1048575), "1.0 MiB");
	assert_string_equal(tm_text_bytes(buf, 5ull << 30), "5.0 GiB");
	assert_string_equal(tm_text_bytes(buf, UINT64_MAX), "16.0 EiB");
}

static void durations_have_fitting_units(void **state)
{
	char buf[TM_TEXT_NUMBER];

	(void)state;
	assert_string_equal(tm_text_duration(buf, 12), "12 ns");
	assert_string_equal(tm_text_duration(buf, 420000), "0.42 ms");
	assert_string_equal(tm_text_duration(buf, 42000000), "42 ms");
	assert_string_equal(tm_text_duration(buf, 1500000000), "1.5 s");
	assert_string_equal(tm_text_duration(buf, 59999999999), "1 min 00 s");
	assert_string_equal(tm_text_duration(buf, 125ull * 60 * 1000000000), "2 h 05 min");
	assert_string_equal(tm_text_duration(buf, 49ull * 3600 * 1000000000), "2 d 01 h");
}

static void times_are_local_and_nonsense_is_no_crash(void **state)
{
	char buf[TM_TEXT_NUMBER];

	(void)state;
	setenv("TZ", "UTC", 1);
	assert_string_equal(tm_text_time(buf, 1000000000ull * 1000000000), "2001-09-09 01:46:40");
	assert_string_equal(tm_text_clock(buf, 1000000000ull * 1000000000), "01:46:40");
	assert_true(strlen(tm_text_time(buf, UINT64_MAX)) > 0);
}

static void one_is_not_many(void **state)
{
	char *one = tm_text_plural(1, "object", "objects");
	char *many = tm_text_plural(12345, "object", "objects");

	(void)state;
	assert_string_equal(one, "1 object");
	assert_string_equal(many, "12,345 objects");
	free(one);
	free(many);
}

static void a_file_is_no_terminal(void **state)
{
	FILE *file = tmpfile();

	(void)state;
	setenv("COLUMNS", "200", 1);
	setenv("TERM", "xterm", 1);
	assert_int_equal(tm_text_columns(file), 0);
	assert_string_equal(tm_text_style(file, TM_STYLE_RED), "");
	fclose(file);
}

/* The terminal end of a pseudo-terminal. */
static FILE *terminal(FILE **other_end)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	*other_end = fdopen(master, "r+");
	return fopen(ptsname(master), "r+");
}

static void a_terminal_has_a_width_and_colours_unless_told(void **state)
{
	FILE *other_end, *out = terminal(&other_end);
	struct winsize size = {.ws_col = 93, .ws_row = 20};

	(void)state;
	assert_non_null(out);
	assert_int_equal(ioctl(fileno(out), TIOCSWINSZ, &size), 0);
	unsetenv("COLUMNS");
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	assert_int_equal(tm_text_columns(out), 93);
	setenv("COLUMNS", "132", 1);
	assert_int_equal(tm_text_columns(out), 132);
	setenv("COLUMNS", "many", 1);
	assert_int_equal(tm_text_columns(out), 93);
	assert_string_equal(tm_text_style(out, TM_STYLE_RED), "\033[31m");
	setenv("NO_COLOR", "1", 1);
	assert_string_equal(tm_text_style(out, TM_STYLE_RED), "");
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	assert_string_equal(tm_text_style(out, TM_STYLE_RED), "");
	fclose(out);
	fclose(other_end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_any_language_is_kept),
		cmocka_unit_test(controls_become_visible),
		cmocka_unit_test(text_cannot_change_direction_or_hide),
		cmocka_unit_test(bytes_that_are_no_utf8_become_visible),
		cmocka_unit_test(nothing_behind_the_end_is_read),
		cmocka_unit_test(all_bytes_survive_cleaning_as_printable),
		cmocka_unit_test(width_counts_columns),
		cmocka_unit_test(shortening_keeps_both_ends),
		cmocka_unit_test(json_holds_any_bytes),
		cmocka_unit_test(counts_have_groups_of_three),
		cmocka_unit_test(bytes_have_units),
		cmocka_unit_test(durations_have_fitting_units),
		cmocka_unit_test(times_are_local_and_nonsense_is_no_crash),
		cmocka_unit_test(one_is_not_many),
		cmocka_unit_test(a_file_is_no_terminal),
		cmocka_unit_test(a_terminal_has_a_width_and_colours_unless_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

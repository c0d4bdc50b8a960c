/* test_config.c - what TIDEMARK="key=value,..." is understood to ask for */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"

static struct tm_config parsed(const char *text)
{
	struct tm_config config;
	char error[512] = "";

	if (!tm_config_parse(text, &config, error, sizeof(error)))
		fail_msg("'%s' is refused: %s", text ? text : "NULL", error);
	assert_string_equal(error, "");
	return config;
}

/* Refused with one sentence that contains @part. */
static void expect_refusal(const char *text, const char *part)
{
	struct tm_config config;
	char error[512] = "";

	if (tm_config_parse(text, &config, error, sizeof(error)))
		fail_msg("'%s' is accepted", text);
	if (!strstr(error, part))
		fail_msg("'%s' is refused with '%s', without '%s'", text, error, part);
	assert_null(strchr(error, '\n'));
}

static void expect_defaults(struct tm_config config)
{
	assert_int_equal(config.signal, 42);
	assert_true(config.collect);
	assert_int_equal(config.frames, TM_DEFAULT_FRAMES);
	assert_int_equal(config.keep, TM_DEFAULT_KEEP);
	assert_int_equal(config.max, 0);
	assert_string_equal(config.dir, "");
	assert_string_equal(config.include, "");
	assert_string_equal(config.exclude, "");
	assert_string_equal(config.log, "");
}

static void nothing_said_means_the_defaults(void **state)
{
	(void)state;
	expect_defaults(parsed(NULL));
	expect_defaults(parsed(""));
	expect_defaults(parsed(","));
	expect_defaults(parsed(",,,"));
}

static void every_key_reaches_its_field(void **state)
{
	struct tm_config config = parsed("signal=50,collect=none,frames=7,dir=/var/tmp,max=1234567,"
					 "include=py*:uv,exclude=pip,keep=3,log=/tmp/log");

	(void)state;
	assert_int_equal(config.signal, 50);
	assert_false(config.collect);
	assert_int_equal(config.frames, 7);
	assert_string_equal(config.dir, "/var/tmp");
	assert_int_equal(config.max, 1234567);
	assert_string_equal(config.include, "py*:uv");
	assert_string_equal(config.exclude, "pip");
	assert_int_equal(config.keep, 3);
	assert_string_equal(config.log, "/tmp/log");
}

static void one_key_leaves_the_others_alone(void **state)
{
	struct tm_config config = parsed("frames=1");

	(void)state;
	assert_int_equal(config.frames, 1);
	config.frames = TM_DEFAULT_FRAMES;
	expect_defaults(config);
}

static void the_last_of_two_equal_keys_counts(void **state)
{
	struct tm_config config = parsed("frames=2,collect=none,frames=9,collect=full");

	(void)state;
	assert_int_equal(config.frames, 9);
	assert_true(config.collect);
}

static void empty_pairs_are_passed_over(void **state)
{
	(void)state;
	assert_int_equal(parsed(",frames=3,,keep=4,").frames, 3);
	assert_int_equal(parsed(",frames=3,,keep=4,").keep, 4);
}

static void a_value_may_contain_an_equals_sign(void **state)
{
	(void)state;
	assert_string_equal(parsed("dir=/tmp/a=b").dir, "/tmp/a=b");
}

static void signals_are_those_a_program_can_handle(void **state)
{
	static const char *const bad[] = {"0",	"9",   "19",  "32",   "33",
					  "65", "-1",  "+42", "4 2",  "USR1",
					  "",	" 42", "42 ", "0x2a", "99999999999999999999"};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "signal=%s", bad[i]);
		expect_refusal(text, "signal takes a signal number from 1 to 64");
	}
	assert_int_equal(parsed("signal=1").signal, 1);
	assert_int_equal(parsed("signal=10").signal, 10);
	assert_int_equal(parsed("signal=34").signal, 34);
	assert_int_equal(parsed("signal=64").signal, 64);
}

static void collect_is_full_or_none(void **state)
{
	(void)state;
	assert_true(parsed("collect=full").collect);
	assert_false(parsed("collect=none").collect);
	expect_refusal("collect=", "collect takes full or none");
	expect_refusal("collect=Full", "collect takes full or none");
	expect_refusal("collect=nonesuch", "collect takes full or none");
	expect_refusal("collect=1", "collect takes full or none");
}

static void frames_go_from_1_to_64(void **state)
{
	(void)state;
	assert_int_equal(parsed("frames=1").frames, 1);
	assert_int_equal(parsed("frames=64").frames, 64);
	expect_refusal("frames=0", "frames takes a number from 1 to 64");
	expect_refusal("frames=65", "frames takes a number from 1 to 64");
	expect_refusal("frames=18446744073709551617", "frames takes a number from 1 to 64");
	expect_refusal("frames=4.5", "frames takes a number from 1 to 64");
}

static void keep_may_be_nothing(void **state)
{
	(void)state;
	assert_int_equal(parsed("keep=0").keep, 0);
	assert_int_equal(parsed("keep=1000000").keep, 1000000);
	expect_refusal("keep=1000001", "keep takes how many recordings");
	expect_refusal("keep=-1", "keep takes how many recordings");
	expect_refusal("keep=all", "keep takes how many recordings");
}

static void sizes_have_units(void **state)
{
	(void)state;
	assert_int_equal(parsed("max=1048576").max, 1 << 20);
	assert_int_equal(parsed("max=1024k").max, 1 << 20);
	assert_int_equal(parsed("max=3000K").max, 3000 << 10);
	assert_int_equal(parsed("max=1m").max, 1 << 20);
	assert_int_equal(parsed("max=64M").max, 64 << 20);
	assert_int_equal(parsed("max=2g").max, 2ull << 30);
	assert_int_equal(parsed("max=2G").max, 2ull << 30);
	assert_int_equal(parsed("max=65536G").max, 1ull << 46);
}

static void sizes_too_small_too_large_or_unclear_are_refused(void **state)
{
	static const char *const bad[] = {"",
					  "0",
					  "0G",
					  "1048575",
					  "1023k",
					  "-1",
					  "M",
					  "1T",
					  "1GB",
					  "1 M",
					  "65537G",
					  "70368744177665",
					  "1.5G",
					  "18446744073709551617",
					  "17592186044417M",
					  "18014398509481985k"};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "max=%s", bad[i]);
		expect_refusal(text, "max takes a number of bytes from 1M up, with k, M or G");
	}
}

static void a_directory_is_an_absolute_path(void **state)
{
	(void)state;
	assert_string_equal(parsed("dir=/").dir, "/");
	expect_refusal("dir=", "dir takes an absolute path");
	expect_refusal("dir=tmp", "dir takes an absolute path");
	expect_refusal("dir=./tmp", "dir takes an absolute path");
}

static void a_log_is_stderr_none_or_a_path(void **state)
{
	(void)state;
	assert_string_equal(parsed("log=stderr").log, "stderr");
	assert_string_equal(parsed("log=none").log, "none");
	assert_string_equal(parsed("log=/var/log/x").log, "/var/log/x");
	expect_refusal("log=stdout", "log takes stderr, none, or an absolute path");
	expect_refusal("log=", "log takes stderr, none, or an absolute path");
}

static void texts_fit_or_are_refused_never_cut(void **state)
{
	static const char *const keys[] = {"dir", "include", "exclude", "log"};
	char text[512], part[64];
	struct tm_config config;

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		int at = snprintf(text, sizeof(text), "%s=/", keys[i]);

		memset(text + at, 'a', 254);
		text[at + 254] = '\0';
		config = parsed(text);
		assert_int_equal(strlen(config.dir) + strlen(config.include) +
					 strlen(config.exclude) + strlen(config.log),
				 255);
		strcat(text, "a");
		snprintf(part, sizeof(part), "%s takes", keys[i]);
		expect_refusal(text, part);
	}
}

static void an_unknown_key_is_named_next_to_those_known(void **state)
{
	static const char *const known[] = {"signal",  "collect", "frames", "dir", "max",
					    "include", "exclude", "keep",   "log"};

	(void)state;
	expect_refusal("frame=1", "unknown key 'frame'");
	expect_refusal("FRAMES=1", "unknown key 'FRAMES'");
	expect_refusal(" frames=1", "unknown key ' frames'");
	expect_refusal("frames=1,nonsense", "unknown key 'nonsense'");
	expect_refusal("=1", "unknown key ''");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		expect_refusal("x=1", known[i]);
}

static void a_key_without_a_value_is_told_what_it_takes(void **state)
{
	(void)state;
	expect_refusal("frames", "TIDEMARK: frames=: frames takes a number from 1 to 64");
	expect_refusal("dir", "dir takes an absolute path");
	expect_refusal("include", "include takes globs");
	expect_refusal("exclude=", "exclude takes globs");
}

static void what_came_before_a_mistake_is_kept(void **state)
{
	struct tm_config config;
	char error[256];

	(void)state;
	assert_false(tm_config_parse("log=none,frames=3,signal=9,keep=1", &config, error,
				     sizeof(error)));
	assert_string_equal(config.log, "none");
	assert_int_equal(config.frames, 3);
	assert_int_equal(config.signal, 42);
}

static void a_value_as_long_as_a_variable_may_be_is_refused_whole(void **state)
{
	char text[4096], error[256];
	struct tm_config config;

	(void)state;
	memset(text, ',', sizeof(text));
	text[2047] = '\0';
	expect_defaults(parsed(text));
	text[2047] = ',';
	text[2048] = '\0';
	expect_refusal(text, "longer than 2047 bytes");
	assert_false(tm_config_parse(text, &config, error, sizeof(error)));
	expect_defaults(config);
}

static void the_error_fits_its_buffer(void **state)
{
	char text[1024], error[40];
	struct tm_config config;

	(void)state;
	memset(text, 'k', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	memset(error, 'x', sizeof(error));
	assert_false(tm_config_parse(text, &config, error, 32));
	assert_int_equal(strlen(error), 31);
	assert_int_equal(error[32], 'x');
}

static bool wanted(const char *text, const char *first, const char *second)
{
	struct tm_config config = parsed(text);
	const char *names[] = {first, second, NULL};

	return tm_config_wants(&config, names);
}

static void without_globs_every_command_is_wanted(void **state)
{
	(void)state;
	assert_true(wanted("", "python3", NULL));
	assert_true(wanted("", NULL, NULL));
}

static void include_asks_for_one_name_that_matches(void **state)
{
	(void)state;
	assert_true(wanted("include=app.py", "python3", "app.py"));
	assert_false(wanted("include=app.py", "python3", "other.py"));
	assert_true(wanted("include=nothing:py*", "python3", NULL));
	assert_false(wanted("include=py", "python3", NULL));
	assert_true(wanted("include=python[23]", "python3", NULL));
	assert_true(wanted("include=python?", "python3", NULL));
	assert_false(wanted("include=PYTHON3", "python3", NULL));
}

static void exclude_wins_over_include(void **state)
{
	(void)state;
	assert_false(wanted("exclude=pip*", "python3", "pip3"));
	assert_true(wanted("exclude=pip*", "python3", "app.py"));
	assert_false(wanted("include=python3,exclude=pip3", "python3", "pip3"));
	assert_true(wanted("include=python3,exclude=pip3", "python3", "app.py"));
	assert_false(wanted("exclude=pip3,include=pip3", "python3", "pip3"));
}

static void empty_globs_match_nothing(void **state)
{
	(void)state;
	assert_false(wanted("include=:", "python3", NULL));
	assert_false(wanted("include=:", "", NULL));
	assert_true(wanted("exclude=:", "", "python3"));
	assert_true(wanted("include=::python3:", "python3", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_said_means_the_defaults),
		cmocka_unit_test(every_key_reaches_its_field),
		cmocka_unit_test(one_key_leaves_the_others_alone),
		cmocka_unit_test(the_last_of_two_equal_keys_counts),
		cmocka_unit_test(empty_pairs_are_passed_over),
		cmocka_unit_test(a_value_may_contain_an_equals_sign),
		cmocka_unit_test(signals_are_those_a_program_can_handle),
		cmocka_unit_test(collect_is_full_or_none),
		cmocka_unit_test(frames_go_from_1_to_64),
		cmocka_unit_test(keep_may_be_nothing),
		cmocka_unit_test(sizes_have_units),
		cmocka_unit_test(sizes_too_small_too_large_or_unclear_are_refused),
		cmocka_unit_test(a_directory_is_an_absolute_path),
		cmocka_unit_test(a_log_is_stderr_none_or_a_path),
		cmocka_unit_test(texts_fit_or_are_refused_never_cut),
		cmocka_unit_test(an_unknown_key_is_named_next_to_those_known),
		cmocka_unit_test(a_key_without_a_value_is_told_what_it_takes),
		cmocka_unit_test(what_came_before_a_mistake_is_kept),
		cmocka_unit_test(a_value_as_long_as_a_variable_may_be_is_refused_whole),
		cmocka_unit_test(the_error_fits_its_buffer),
		cmocka_unit_test(without_globs_every_command_is_wanted),
		cmocka_unit_test(include_asks_for_one_name_that_matches),
		cmocka_unit_test(exclude_wins_over_include),
		cmocka_unit_test(empty_globs_match_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

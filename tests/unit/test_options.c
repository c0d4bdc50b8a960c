/*
 * test_options.c - the command line: numbers, one-line errors, the table of commands
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "error.h"
#include "options.h"
#include "outcome.h"

static void expect_size(const char *text, uint64_t expected)
{
	uint64_t value = 0;

	if (tm_options_size(text, &value) != 0 || value != expected)
		fail_msg("%s gave %llu", text, (unsigned long long)value);
}

static void sizes_take_suffixes(void **state)
{
	(void)state;
	expect_size("0", 0);
	expect_size("10", 10);
	expect_size("10k", 10240);
	expect_size("1M", 1 << 20);
	expect_size("2GiB", 2ull << 30);
	expect_size("3kb", 3072);
	expect_size("5B", 5);
	expect_size("1T", 1ull << 40);
	expect_size("18446744073709551615", UINT64_MAX);
}

static void wrong_sizes_are_refused(void **state)
{
	static const char *const wrong[] = {"",	  "k",	"-1",  "1x",  "1.5M", "0x10",
					    " 1", "1 ", "1kk", "1Mi", "1,000"};
	uint64_t value = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (tm_options_size(wrong[i], &value) != -EINVAL)
			fail_msg("'%s' was taken", wrong[i]);
	assert_int_equal(tm_options_size("18446744073709551616", &value), -ERANGE);
	assert_int_equal(tm_options_size("18014398509481984k", &value), -ERANGE);
	assert_int_equal(value, 77);
}

static void numbers_are_plain(void **state)
{
	uint64_t value = 0;

	(void)state;
	assert_int_equal(tm_options_number("42", &value), 0);
	assert_int_equal(value, 42);
	assert_int_equal(tm_options_number("42k", &value), -EINVAL);
	assert_int_equal(tm_options_number("+42", &value), -EINVAL);
	assert_int_equal(tm_options_number("99999999999999999999", &value), -ERANGE);
}

static void seconds_take_fractions(void **state)
{
	uint64_t ms = 0;

	(void)state;
	assert_int_equal(tm_options_seconds("2", &ms), 0);
	assert_int_equal(ms, 2000);
	assert_int_equal(tm_options_seconds("0.25", &ms), 0);
	assert_int_equal(ms, 250);
	assert_int_equal(tm_options_seconds("nan", &ms), -EINVAL);
	assert_int_equal(tm_options_seconds("1e3", &ms), -EINVAL);
	assert_int_equal(tm_options_seconds("1.2.3", &ms), -EINVAL);
	assert_int_equal(tm_options_seconds("", &ms), -EINVAL);
	assert_int_equal(tm_options_seconds("99999999999", &ms), -ERANGE);
}

/* ---- a command to parse for ---- */

struct seen {
	char text[256];
};

static const struct argp_option sample_options[] = {
	{"number", 'n', "N", 0, "A number", 0},
	{0},
};

static error_t parse_sample(int key, char *arg, struct argp_state *state)
{
	struct seen *seen = state->input;

	switch (key) {
	case 'n':
		if (strcmp(arg, "bad") == 0)
			tm_options_error(state, "-n takes no '%s'", arg);
		if (strcmp(arg, "worse") == 0)
			argp_error(state, "Capital complaint");
		strcat(seen->text, "n:");
		strcat(seen->text, arg);
		strcat(seen->text, " ");
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 1)
			return ARGP_ERR_UNKNOWN;
		strcat(seen->text, arg);
		strcat(seen->text, " ");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run_sample(int argc, char **argv);

static const struct tm_command sample = {
	.name = "sample",
	.args = "TARGET",
	.summary = "Try things",
	.notes = "More about it.",
	.options = sample_options,
	.parse = parse_sample,
	.run = run_sample,
};

static int run_sample(int argc, char **argv)
{
	struct seen seen = {""};

	tm_options_parse(&sample, argc, argv, &seen);
	fputs(seen.text, stdout);
	return 0;
}

static void arguments_and_options_mix(void **state)
{
	struct outcome outcome;

	(void)state;
	outcome_of_command(&outcome, &sample, "sample", "a", "-n", "1", "b", "--number=2", NULL);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.err, "");
	/* argp hands arguments over when all options are read */
	assert_string_equal(outcome.out, "n:1 n:2 a b ");
}

static void nothing_after_two_dashes_is_an_option(void **state)
{
	struct outcome outcome;

	(void)state;
	outcome_of_command(&outcome, &sample, "sample", "--", "-n", "--help", NULL);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.out, "-n --help ");
}

static void expect_usage_error(const char *first, const char *second, const char *part)
{
	struct outcome outcome;

	outcome_of_command(&outcome, &sample, "sample", first, second, NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	assert_string_equal(outcome.out, "");
	expect_one_line(&outcome, part);
}

static void usage_errors_are_one_line(void **state)
{
	struct outcome outcome;

	(void)state;
	expect_usage_error("--what", NULL,
			   "sample: unrecognized option '--what'; see tidemark sample --help");
	expect_usage_error("-n", NULL, "sample: option requires an argument -- 'n'");
	expect_usage_error("-n", "bad", "sample: -n takes no 'bad'; see tidemark sample --help");
	expect_usage_error("-n", "worse", "sample: capital complaint");
	outcome_of_command(&outcome, &sample, "sample", "a", "b", "c", NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "sample: too many arguments");
}

static void an_error_cannot_carry_control_characters(void **state)
{
	(void)state;
	expect_usage_error("--\033[31m\nsecond", NULL, "--\\x1b[31m");
}

static void help_goes_to_standard_output(void **state)
{
	struct outcome outcome;

	(void)state;
	outcome_of_command(&outcome, &sample, "sample", "--help", NULL);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.err, "");
	assert_non_null(strstr(outcome.out, "Usage: tidemark sample"));
	assert_non_null(strstr(outcome.out, "Try things."));
	assert_non_null(strstr(outcome.out, "--number=N"));
	assert_non_null(strstr(outcome.out, "--any-user"));
	assert_non_null(strstr(outcome.out, "More about it."));
}

static void every_command_has_help(void **state)
{
	struct outcome outcome;
	unsigned count = 0;

	(void)state;
	for (; tm_command_at(count) != NULL; count++) {
		const struct tm_command *command = tm_command_at(count);

		outcome_of_command(&outcome, command, command->name, "--help", NULL);
		assert_int_equal(outcome.status, 0);
		assert_non_null(strstr(outcome.out, command->summary));
		assert_ptr_equal(tm_command_find(command->name), command);
	}
	assert_int_equal(count, 10);
}

static void slips_find_the_nearest_command(void **state)
{
	(void)state;
	assert_string_equal(tm_command_nearest("dif"), "diff");
	assert_string_equal(tm_command_nearest("makr"), "mark");
	assert_string_equal(tm_command_nearest("markss"), "marks");
	assert_null(tm_command_nearest("frobnicate"));
	assert_null(tm_command_nearest("x"));
	assert_null(tm_command_nearest(""));
	assert_null(tm_command_find("dif"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_take_suffixes),
		cmocka_unit_test(wrong_sizes_are_refused),
		cmocka_unit_test(numbers_are_plain),
		cmocka_unit_test(seconds_take_fractions),
		cmocka_unit_test(arguments_and_options_mix),
		cmocka_unit_test(nothing_after_two_dashes_is_an_option),
		cmocka_unit_test(usage_errors_are_one_line),
		cmocka_unit_test(an_error_cannot_carry_control_characters),
		cmocka_unit_test(help_goes_to_standard_output),
		cmocka_unit_test(every_command_has_help),
		cmocka_unit_test(slips_find_the_nearest_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

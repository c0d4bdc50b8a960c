/*
 * test_settings.c - TIDEMARK and LD_PRELOAD as `tidemark run` makes them
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "settings.h"

static void expect_good(const char *pair)
{
	char *why = tm_settings_check(pair);

	if (why != NULL)
		fail_msg("%s was refused: %s", pair, why);
}

static void expect_bad(const char *pair, const char *part)
{
	char *why = tm_settings_check(pair);

	if (why == NULL)
		fail_msg("%s was taken", pair);
	if (strstr(why, part) == NULL)
		fail_msg("'%s' does not say '%s'", why, part);
	free(why);
}

static void every_key_takes_its_values(void **state)
{
	(void)state;
	expect_good("signal=42");
	expect_good("signal=10");
	expect_good("collect=full");
	expect_good("collect=none");
	expect_good("frames=1");
	expect_good("frames=64");
	expect_good("dir=/var/tmp");
	expect_good("max=1");
	expect_good("max=512M");
	expect_good("max=70368744177664");
	expect_good("include=python*:gunicorn");
	expect_good("exclude=git");
	expect_good("keep=0");
	expect_good("log=stderr");
	expect_good("log=none");
	expect_good("log=/tmp/x.log");
}

static void other_values_are_refused_by_name(void **state)
{
	(void)state;
	expect_bad("signal=0", "signal takes");
	expect_bad("signal=9", "signal takes");
	expect_bad("signal=19", "signal takes");
	expect_bad("signal=32", "signal takes");
	expect_bad("signal=65", "signal takes");
	expect_bad("signal=USR1", "not 'USR1'");
	expect_bad("collect=yes", "full or none");
	expect_bad("frames=0", "from 1 to 64");
	expect_bad("frames=65", "from 1 to 64");
	expect_bad("dir=relative", "absolute path");
	expect_bad("dir=", "absolute path");
	expect_bad("max=0", "bytes");
	expect_bad("max=1T", "bytes");
	expect_bad("max=5Mi", "bytes");
	expect_bad("max=70368744177665", "bytes");
	expect_bad("include=", "globs");
	expect_bad("keep=-1", "how many");
	expect_bad("log=file", "stderr, none");
	expect_bad("signal", "signal takes");
	expect_bad("sig=42", "unknown key 'sig'; known are signal, collect, frames, dir, max, "
			     "include, exclude, keep, log");
	expect_bad("=x", "unknown key ''");
}

static void a_list_is_as_good_as_its_worst(void **state)
{
	char *why;

	(void)state;
	assert_null(tm_settings_check_all("frames=2,,signal=40"));
	assert_null(tm_settings_check_all(""));
	why = tm_settings_check_all("frames=2,frames=x");
	assert_non_null(why);
	free(why);
}

/* The recorder has no memory for more, so more must not get there. */
static void what_the_recorder_cannot_hold_is_refused(void **state)
{
	char pair[4096] = "dir=/";
	char *why;

	(void)state;
	memset(pair + 5, 'd', 254);
	expect_good(pair);
	pair[5 + 254] = 'd';
	expect_bad(pair, "absolute path");
	memset(pair, ',', sizeof(pair) - 1);
	why = tm_settings_check_all(pair);
	assert_non_null(why);
	free(why);
}

static void expect_merged(const char *base, const char *pairs, const char *expected)
{
	char *merged = tm_settings_merge(base, pairs);

	assert_string_equal(merged, expected);
	free(merged);
}

static void options_go_before_the_environment(void **state)
{
	(void)state;
	expect_merged(NULL, NULL, "");
	expect_merged("frames=1", NULL, "frames=1");
	expect_merged(NULL, "frames=1,keep=2", "frames=1,keep=2");
	expect_merged("frames=1,keep=2", "frames=3", "frames=3,keep=2");
	expect_merged("frames=1", "keep=2,frames=3", "frames=3,keep=2");
	expect_merged("keep=1,keep=2", "", "keep=2");
	expect_merged("", "keep=1,keep=2", "keep=2");
	/* a key that begins like another is another */
	expect_merged("frames=1", "frame=3", "frames=1,frame=3");
	/* nonsense in the environment is the recorder's to complain about */
	expect_merged("bogus", "keep=1", "bogus,keep=1");
}

static void expect_preload(const char *present, const char *expected)
{
	char *value = tm_settings_preload("/opt/libtidemark.so", present);

	assert_string_equal(value, expected);
	free(value);
}

static void other_preloads_stay(void **state)
{
	(void)state;
	expect_preload(NULL, "/opt/libtidemark.so");
	expect_preload("", "/opt/libtidemark.so");
	expect_preload("/lib/a.so", "/opt/libtidemark.so:/lib/a.so");
	expect_preload("/lib/a.so libb.so", "/opt/libtidemark.so:/lib/a.so:libb.so");
	expect_preload("/old/libtidemark.so:/lib/a.so", "/opt/libtidemark.so:/lib/a.so");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_takes_its_values),
		cmocka_unit_test(other_values_are_refused_by_name),
		cmocka_unit_test(a_list_is_as_good_as_its_worst),
		cmocka_unit_test(what_the_recorder_cannot_hold_is_refused),
		cmocka_unit_test(options_go_before_the_environment),
		cmocka_unit_test(other_preloads_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_say.c - where lines go, and that they go nowhere else */
#include "rig.h"

#include "say.h"

#include <errno.h>
#include <fcntl.h>

static void set_stderr(int fd)
{
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
}

static int file_in_memory(void)
{
	int fd = memfd_create("lines", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* What a file has, from its beginning. */
static const char *content(int fd)
{
	static char text[2048];
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);

	assert_true(length >= 0);
	text[length] = '\0';
	return text;
}

static void a_line_says_who_speaks(void **state)
{
	int file = file_in_memory(), saved = dup(STDERR_FILENO);
	char expected[64];

	(void)state;
	set_stderr(file);
	tm_say_to("stderr");
	errno = 4242;
	tm_say("%d is %s", 2, "two");
	set_stderr(saved);
	assert_int_equal(errno, 4242);
	snprintf(expected, sizeof(expected), "tidemark[%d]: 2 is two\n", (int)getpid());
	assert_string_equal(content(file), expected);
	close(file);
	close(saved);
}

/* Daemons close stderr; the next file they open has its number. */
static void a_file_that_took_the_number_of_stderr_gets_no_line(void **state)
{
	int before = file_in_memory(), after = file_in_memory();
	int saved = dup(STDERR_FILENO);

	(void)state;
	set_stderr(before);
	tm_say_to("");
	set_stderr(after);
	tm_say("not for this file");
	close(STDERR_FILENO);
	tm_say("nor for nobody");
	set_stderr(before);
	tm_say("it is back");
	set_stderr(saved);
	assert_string_equal(content(after), "");
	assert_non_null(strstr(content(before), "it is back"));
	assert_null(strstr(content(before), "not for"));
	close(before);
	close(after);
	close(saved);
}

static void a_log_takes_no_descriptor_for_good(void **state)
{
	char path[] = "/tmp/tidemark-say-XXXXXX";
	int log = mkstemp(path), saved = dup(STDERR_FILENO);

	(void)state;
	assert_true(log >= 0 && saved >= 0);
	close(STDERR_FILENO);
	tm_say_to(path);
	tm_say("to the log");
	assert_int_equal(fcntl(STDERR_FILENO, F_GETFD), -1);
	set_stderr(saved);
	assert_non_null(strstr(content(log), "to the log"));
	tm_say_to("none");
	tm_say("to nobody");
	assert_null(strstr(content(log), "to nobody"));
	unlink(path);
	close(log);
	close(saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_says_who_speaks),
		cmocka_unit_test(a_file_that_took_the_number_of_stderr_gets_no_line),
		cmocka_unit_test(a_log_takes_no_descriptor_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_run.c - starting programs: environment, statuses, signals
 */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "error.h"
#include "outcome.h"

/* Beside this test program, where `tidemark run` looks for it. */
static char library[512];

/* Any shared object will do, but the loader complains about anything else. */
static int make_library(void **state)
{
	char self[400], command[1024];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	Dl_info info;

	(void)state;
	if (length < 0 || dladdr(dlsym(RTLD_DEFAULT, "json_object"), &info) == 0)
		return -1;
	self[length] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(library, sizeof(library), "%s/libtidemark.so", self);
	snprintf(command, sizeof(command), "cp %s %s", info.dli_fname, library);
	return system(command);
}

static int remove_library(void **state)
{
	(void)state;
	return unlink(library);
}

static void expect_environment(const struct outcome *outcome, const char *name, const char *value)
{
	char line[1024];

	snprintf(line, sizeof(line), "%s=%s\n", name, value);
	if (strstr(outcome->out, line) == NULL)
		fail_msg("no %s in\n%s", line, outcome->out);
}

static void the_program_finds_its_environment(void **state)
{
	struct outcome outcome;
	char expected[1024];

	(void)state;
	setenv("LD_PRELOAD", "/lib/other.so", 1);
	setenv("TIDEMARK", "frames=1,keep=3", 1);
	outcome_of_command(&outcome, &tm_cmd_run, "run", "-o", "frames=2", "-o", "signal=44", "--",
			   "/usr/bin/printenv", NULL);
	unsetenv("LD_PRELOAD");
	unsetenv("TIDEMARK");
	assert_int_equal(outcome.status, 0);
	snprintf(expected, sizeof(expected), "%s:/lib/other.so", library);
	expect_environment(&outcome, "LD_PRELOAD", expected);
	expect_environment(&outcome, "TIDEMARK", "frames=2,keep=3,signal=44");
}

static void the_programs_own_options_are_left_to_it(void **state)
{
	struct outcome outcome;

	(void)state;
	outcome_of_command(&outcome, &tm_cmd_run, "run", "/bin/echo", "-o", "x=1", "--diff", "--",
			   "--help", NULL);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.out, "-o x=1 --diff -- --help\n");
}

static void expect_status(const char *program, const char *argument, int status)
{
	static const char *const options[] = {"--", "--diff"};
	struct outcome outcome;

	for (size_t i = 0; i < 2; i++) {
		outcome_of_command(&outcome, &tm_cmd_run, "run", options[i], program, "-c",
				   argument, NULL);
		assert_int_equal(outcome.status, status);
	}
}

static void statuses_are_the_programs_own(void **state)
{
	struct outcome outcome;

	(void)state;
	expect_status("/bin/sh", "exit 0", 0);
	expect_status("/bin/sh", "exit 7", 7);
	expect_status("/nonexistent", "", TM_CHILD_NOT_FOUND);
	expect_status("/etc", "", TM_CHILD_CANNOT_RUN);
	outcome_of_command(&outcome, &tm_cmd_run, "run", "--diff", "/bin/sh", "-c", "kill -9 $$",
			   NULL);
	assert_int_equal(outcome.status, TM_CHILD_SIGNALLED + SIGKILL);
	expect_one_line(&outcome, "left no recording");
	outcome_of_command(&outcome, &tm_cmd_run, "run", "--diff", "/nonexistent", NULL);
	expect_one_line(&outcome, "cannot run /nonexistent: No such file or directory");
}

static void usage_is_checked_before_anything_runs(void **state)
{
	struct outcome outcome;

	(void)state;
	outcome_of_command(&outcome, &tm_cmd_run, "run", "-o", "frames=x", "/bin/echo", "ran",
			   NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "frames takes a number from 1 to 64");
	assert_string_equal(outcome.out, "");
	outcome_of_command(&outcome, &tm_cmd_run, "run", NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "no command given");
	outcome_of_command(&outcome, &tm_cmd_run, "run", "--diff", "-O", "/nonexistent/file",
			   "/bin/echo", "ran", NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "cannot write /nonexistent/file");
	assert_string_equal(outcome.out, "");
}

static void without_its_library_nothing_runs(void **state)
{
	struct outcome outcome;
	char hidden[520];

	(void)state;
	snprintf(hidden, sizeof(hidden), "%s.hidden", library);
	assert_int_equal(rename(library, hidden), 0);
	outcome_of_command(&outcome, &tm_cmd_run, "run", "/bin/echo", "ran", NULL);
	assert_int_equal(rename(hidden, library), 0);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "cannot find libtidemark.so");
	assert_string_equal(outcome.out, "");
}

/* ---- signals ---- */

/* Runs a shell that says when it is ready and how it ends. */
static int run_shell(void *context)
{
	char *argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, context, NULL};
	struct tm_child child;

	if (tm_child_run(argv, &child) != 0)
		return 99;
	printf("started at %d\n", child.start_ticks > 0);
	return child.status;
}

static const int ending_signals[] = {SIGTERM, SIGHUP, SIGINT};

/* The process that runs it, once the shell has written to `flag`. */
static pid_t running(char *script, const char *flag)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		/* a shell cannot trap what it finds ignored, as under nohup */
		for (size_t i = 0; i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++)
			signal(ending_signals[i], SIG_DFL);
		freopen("/dev/null", "w", stdout);
		_exit(run_shell(script));
	}
	for (int tries = 0; access(flag, F_OK) != 0 && tries < 10000; tries++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	return pid;
}

/* The script makes the file $FLAG when it is ready for the signal. */
static void expect_end(int number, const char *script, int status)
{
	char directory[] = "/tmp/run.XXXXXX", flag[32], text[256];
	int ended;
	pid_t pid;

	assert_non_null(mkdtemp(directory));
	snprintf(flag, sizeof(flag), "%s/flag", directory);
	setenv("FLAG", flag, 1);
	snprintf(text, sizeof(text), "%s", script);
	pid = running(text, flag);
	kill(pid, number);
	assert_int_equal(waitpid(pid, &ended, 0), pid);
	assert_true(WIFEXITED(ended));
	assert_int_equal(WEXITSTATUS(ended), status);
	unlink(flag);
	rmdir(directory);
}

static void termination_is_handed_on(void **state)
{
	(void)state;
	expect_end(SIGTERM, "trap 'exit 5' TERM; : >$FLAG; while :; do sleep 0.02; done", 5);
	expect_end(SIGHUP, "trap 'exit 6' HUP; : >$FLAG; while :; do sleep 0.02; done", 6);
	expect_end(SIGTERM, ": >$FLAG; exec sleep 100", TM_CHILD_SIGNALLED + SIGTERM);
}

/* A terminal sends Ctrl-C to both; the program may go on, so we must too. */
static void an_interrupt_is_the_programs_to_answer(void **state)
{
	(void)state;
	expect_end(SIGINT, ": >$FLAG; sleep 0.1; exit 8", 8);
}

/* The line of our own status that begins so. */
static void own_line(const char *key, char *line, int size)
{
	FILE *status = fopen("/proc/self/status", "r");

	assert_non_null(status);
	do {
		assert_non_null(fgets(line, size, status));
	} while (strncmp(line, key, strlen(key)) != 0);
	fclose(status);
}

static void the_program_gets_the_signals_we_had(void **state)
{
	char script[] = "grep -E 'SigIgn|SigBlk' /proc/self/status";
	char ignored[64], blocked[64];
	struct outcome outcome;

	(void)state;
	signal(SIGQUIT, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGUSR2, SIG_IGN);
	own_line("SigIgn", ignored, sizeof(ignored));
	own_line("SigBlk", blocked, sizeof(blocked));
	outcome_of(&outcome, run_shell, script);
	signal(SIGUSR2, SIG_DFL);
	assert_int_equal(outcome.status, 0);
	assert_non_null(strstr(outcome.out, ignored));
	assert_non_null(strstr(outcome.out, blocked));
	assert_non_null(strstr(outcome.out, "started at 1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_program_finds_its_environment),
		cmocka_unit_test(the_programs_own_options_are_left_to_it),
		cmocka_unit_test(statuses_are_the_programs_own),
		cmocka_unit_test(usage_is_checked_before_anything_runs),
		cmocka_unit_test(without_its_library_nothing_runs),
		cmocka_unit_test(termination_is_handed_on),
		cmocka_unit_test(an_interrupt_is_the_programs_to_answer),
		cmocka_unit_test(the_program_gets_the_signals_we_had),
	};

	return cmocka_run_group_tests(tests, make_library, remove_library);
}

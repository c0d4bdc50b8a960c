#include "outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void read_back(int fd, char *to, size_t size)
{
	ssize_t length = pread(fd, to, size - 1, 0);

	to[length > 0 ? length : 0] = '\0';
	close(fd);
}

void outcome_of(struct outcome *outcome, int (*function)(void *context), void *context)
{
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		status = function(context);
		fflush(NULL);
		_exit(status);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	outcome->status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
	read_back(out, outcome->out, sizeof(outcome->out));
	read_back(err, outcome->err, sizeof(outcome->err));
}

struct words {
	const struct tm_command *command;
	int count;
	char *list[16];
};

static int run_words(void *context)
{
	struct words *words = context;

	return words->command->run(words->count, words->list);
}

void outcome_of_command(struct outcome *outcome, const struct tm_command *command, ...)
{
	struct words words = {.command = command};
	char *word;
	va_list args;

	va_start(args, command);
	while ((word = va_arg(args, char *)) != NULL && words.count < 15)
		words.list[words.count++] = word;
	va_end(args);
	outcome_of(outcome, run_words, &words);
}

void expect_one_line(const struct outcome *outcome, const char *part)
{
	const char *end = strchr(outcome->err, '\n');

	if (strncmp(outcome->err, "tidemark: ", 10) != 0 || end == NULL || end[1] != '\0' ||
	    strstr(outcome->err, part) == NULL)
		fail_msg("expected one line with '%s', got '%s'", part, outcome->err);
}

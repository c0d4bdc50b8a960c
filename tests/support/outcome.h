/*
 * outcome.h - what a piece of the program prints and exits with, seen from outside
 */
#ifndef TIDEMARK_TESTS_OUTCOME_H
#define TIDEMARK_TESTS_OUTCOME_H

#include "command.h"

struct outcome {
	int status; /* exit status, or 1000 + the signal that ended it */
	char out[1 << 18];
	char err[1 << 14];
};

/* Calls @function in a forked child, whose status is what it returns or exits with. */
void outcome_of(struct outcome *outcome, int (*function)(void *context), void *context);

/* Runs a command with these words, NULL-terminated, its own name first. */
void outcome_of_command(struct outcome *outcome, const struct tm_command *command, ...)
	__attribute__((sentinel));

/* Fails the test unless stderr holds exactly one line that contains @part. */
void expect_one_line(const struct outcome *outcome, const char *part);

#endif

/*
 * child.h - a program that is started and waited for
 */
#ifndef TM_CHILD_H
#define TM_CHILD_H

#include <stdint.h>
#include <sys/types.h>

/* Exit statuses of those who start programs: env, nohup, time. */
#define TM_CHILD_CANNOT_RUN 126
#define TM_CHILD_NOT_FOUND  127
#define TM_CHILD_SIGNALLED  128 /* plus the number */

/* Replaces this process.  Returns only on failure: the status to exit with, said in a line. */
int tm_child_exec(char **argv);

/* What became of it. */
struct tm_child {
	pid_t pid;
	uint64_t start_ticks; /* with the pid: which process it was */
	int status;	      /* to exit with: its own, or 128 + signal */
};

/*
 * tm_child_run - start a program and wait for its end
 *
 * Meanwhile SIGINT and SIGQUIT are left to the program (a terminal sends them to both),
 * SIGTERM and SIGHUP are handed on to it.  Returns 0, or -errno when it was not started;
 * a failing exec is a status of 126 or 127 with start_ticks 0.
 */
int tm_child_run(char **argv, struct tm_child *out);

#endif

/*
 * standin.h - a process that looks like a recorded one from outside
 *
 * A forked child with a story (story.h) mapped from a file that is named as recordings
 * are, in a directory of its own that TIDEMARK points to.  It serves the mailbox by the
 * words of layout.h, with nothing of the recorder.
 */
#ifndef TIDEMARK_TESTS_STANDIN_H
#define TIDEMARK_TESTS_STANDIN_H

#include <sys/types.h>

#include "story.h"

/* What it does with the mark signal. */
enum standin_manner {
	STANDIN_SERVES,
	STANDIN_LATE,	/* sets the mark, but its follow-up does not come */
	STANDIN_FULL,	/* its table of marks is full */
	STANDIN_BLOCKS, /* has a handler, and the signal blocked */
	STANDIN_IGNORES,
	STANDIN_DEFAULT, /* the signal would end it */
};

struct standin {
	struct story *story; /* shared with the child */
	pid_t pid;
	char directory[32];
	char path[64];
};

struct standin *standin_begin(enum standin_manner manner, const struct story_options *options);

/* Ends the child with this signal, and waits until it is gone. */
void standin_kill(struct standin *s, int number);

/* Kills what is left and removes the directory. */
void standin_end(struct standin *s);

/* The header's facts about a process: pid, start, boot. */
void standin_identify(struct tm_header *header, pid_t pid);

/* Field 22 of /proc/PID/stat, read here with other code than the analyzer's. */
uint64_t standin_start_ticks(pid_t pid);

/* Waits until the process is in this state (a letter of /proc/PID/stat). */
void standin_wait_state(pid_t pid, char state);

#endif

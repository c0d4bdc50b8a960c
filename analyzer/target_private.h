/*
 * target_private.h - what the files of target share
 */
#ifndef TM_TARGET_PRIVATE_H
#define TM_TARGET_PRIVATE_H

#include "recordings.h"
#include "target.h"

/* Why a file was not opened: an exit status and one line. */
struct tm_target_refusal {
	int status;	/* enum tm_exit; 0 = none */
	char text[512]; /* starts with the path or the pid, ends with what to do */
};

/*
 * Takes over @fd (also on failure), checks kind, owner and content.  Returns 0, or
 * -EACCES and the like with @why filled in.  The state is not known yet.
 */
int tm_target_adopt(int fd, const char *path, struct tm_target **out,
		    struct tm_target_refusal *why);

/* Why tm_recordings_open*() failed with @error, into @why. */
void tm_target_explain_open(const char *path, int error, struct tm_target_refusal *why);

/* tm_target_open() for a pid; prints nothing. */
int tm_target_open_pid(pid_t pid, struct tm_target **out, struct tm_target_refusal *why);

/*
 * Finds out the process and the state.  @likely is a process that may be the recorded one,
 * 0 = none in particular.
 */
void tm_target_find_process(struct tm_target *target, pid_t likely);

#endif

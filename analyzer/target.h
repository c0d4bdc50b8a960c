/*
 * target.h - from what the user names (a pid, a recording, a saved file) to a reader
 */
#ifndef TM_TARGET_H
#define TM_TARGET_H

#include <stdbool.h>
#include <sys/types.h>

#include "reader.h"

enum tm_target_state {
	TM_TARGET_LIVE,	  /* the process runs and maps this very file */
	TM_TARGET_EXITED, /* the recorder saw the end (or an exec, or switched itself off) */
	TM_TARGET_KILLED, /* the process is gone and the recorder did not see it go */
	TM_TARGET_SAVED,  /* a copy by `tidemark save` */
};

/*
 * An opened target.  The state is that of the moment of opening; ask
 * tm_target_refresh() for a newer one.  One thread per target.
 */
struct tm_target {
	struct tm_reader *reader;
	char *path; /* of the recording, as it can be opened from here */
	pid_t pid;  /* of the process as seen from here; 0 = no process of here (saved, other boot)
		     */
	enum tm_target_state state;
};

/*
 * tm_target_open - find, check and open what @text names
 * @out: set on success only; release with tm_target_close()
 *
 * Digits are a pid (./42 is a file).  Returns TM_EXIT_OK, or after one tm_error()
 * TM_EXIT_USAGE (no such process, no recording, not permitted, ...) or TM_EXIT_DAMAGED.
 */
int tm_target_open(const char *text, struct tm_target **out);

void tm_target_close(struct tm_target *target);

/* "live", "exited", "killed", "saved". */
const char *tm_target_state_name(enum tm_target_state state);

/*
 * Is it certain that no process writes to it any more?  One in a pid namespace beside ours
 * cannot be seen, and its recording looks as if it was killed.
 */
bool tm_target_is_finished(const struct tm_target *target);

/* Look again at the process and update the state. */
enum tm_target_state tm_target_refresh(struct tm_target *target);

/* Is @pid the process that this recording is of, and does it still write to it? */
bool tm_target_is_recorded_by(const struct tm_target *target, pid_t pid);

/*
 * Recordings of other users are refused (their content is chosen by whoever wrote them)
 * until this is called with true; the option --any-user does.
 */
void tm_target_any_user(bool allowed);

#endif

/*
 * marks.h - setting marks
 *
 * Two steps.  The bump moves the process into the next interval: lock-free, from a signal handler
 * or any thread, exact in time.  The follow-up (follow_up.h) comes at the next point where Python
 * code could run.
 */
#ifndef TIDEMARK_MARKS_H
#define TIDEMARK_MARKS_H

#include "base.h"
#include "segment.h"

/* The record of a mark that is in the table. */
TM_INLINE struct tm_mark *tm_mark_at(uint32_t number)
{
	return (struct tm_mark *)tm_segment_at(TM_R_MARKS, 0) + number;
}

/* tm_marks_restart - a new recording begins; @forked: in a forked child, which is under way. */
void tm_marks_restart(bool forked);

/* tm_marks_program_begins - interpreter start-up is over: mark 0 is now. */
void tm_marks_program_begins(void);

/*
 * tm_marks_bump - set a mark
 * @name: NULL or empty for none; cut at TM_NAME_MAX bytes
 * @flags: enum tm_mark_flags
 *
 * Returns its number, 0 when the table is full (counted).  Async-signal-safe, thread-safe.
 */
uint32_t tm_marks_bump(const char *name, size_t length, uint32_t flags);

/*
 * tm_marks_exit - the interpreter is about to take itself down: set the exit mark
 *
 * The collection that finalization makes is the mark's own; the recording ends with it, or at
 * once when there will be none.
 */
void tm_marks_exit(bool collector_enabled);

/*
 * tm_marks_teardown - nothing more can be recorded: the interpreter is coming down, or the
 * process ends without finalization (_exit)
 *
 * Sets the exit mark if it is not set yet.  Touches nothing of the interpreter.
 */
void tm_marks_teardown(void);

/* tm_marks_process_ends - the same, from _exit(): the interpreter is still whole. */
void tm_marks_process_ends(void);

/*
 * tm_marks_replaced - the process is about to be replaced by another program, or it was not after
 * all (@yes false)
 *
 * Returns whether this process records, and so whether there is something to take back.  Keeps
 * errno.  Async-signal-safe.
 */
bool tm_marks_replaced(bool yes);

/* tm_marks_serve_mailbox - a queued signal with @token came.  Async-signal-safe. */
void tm_marks_serve_mailbox(uint32_t token);

#endif

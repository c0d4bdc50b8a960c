/*
 * marks.h - setting marks
 *
 * Two steps.  The bump moves the process into the next interval: lock-free, from a signal handler
 * or any thread, exact in time.  The follow-up, at the next point where Python code could run,
 * makes the full collection that was asked for and takes the figures.
 */
#ifndef TIDEMARK_MARKS_H
#define TIDEMARK_MARKS_H

#include "base.h"

/* tm_marks_restart - a new recording begins; @forked: in a forked child, which is under way. */
void tm_marks_restart(bool forked);

/* tm_marks_after_fork - the child has no follow-up running, whatever the parent did. */
void tm_marks_after_fork(void);

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

/* tm_marks_pending - whether a mark, or a request through the mailbox, waits for its follow-up. */
bool tm_marks_pending(void);

/* tm_marks_follow_up - do it.  Holds the GIL of the main interpreter, where Python code may run. */
void tm_marks_follow_up(void);

/*
 * The collector has begun, or ended, a collection in this thread.  A full one that begins while
 * a mark waits serves as that mark's own.
 */
void tm_marks_collection_starts(int generation);
void tm_marks_collection_stops(int generation);

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

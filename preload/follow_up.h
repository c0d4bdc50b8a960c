/*
 * follow_up.h - the second step of a mark
 *
 * At the next point where Python code could run: the types of young blocks are looked at, the full
 * collection that was asked for is made, gc.garbage is looked at, the figures are taken.
 */
#ifndef TIDEMARK_FOLLOW_UP_H
#define TIDEMARK_FOLLOW_UP_H

#include "base.h"
#include "collections.h"

/* tm_follow_up_restart - a new recording begins: nothing waits. */
void tm_follow_up_restart(void);

/* tm_follow_up_after_fork - the child has none running, whatever the parent did. */
void tm_follow_up_after_fork(void);

/* tm_follow_up_ask - one without a mark is wanted.  Async-signal-safe. */
void tm_follow_up_ask(void);

/* tm_follow_up_pending - whether a mark, or a request without one, waits.  Async-signal-safe. */
bool tm_follow_up_pending(void);

/*
 * tm_follow_up_overdue - whether something has waited so long that the main thread, which runs the
 * handlers of signals, seems to be in C code for good; then any thread may do it
 */
bool tm_follow_up_overdue(void);

/*
 * tm_follow_up_run - do what waits
 *
 * Holds the GIL of the main interpreter, where Python code may run.  A mark that wants a collection
 * while one is under way (in another thread, or below a finalizer) waits for its end.
 */
void tm_follow_up_run(void);

/*
 * The collector has begun, or ended, a collection in this thread.  A full one that begins while a
 * mark waits serves as that mark's own.
 */
void tm_follow_up_collection_starts(int generation);
void tm_follow_up_collection_stops(const struct tm_collected *what);

/*
 * tm_follow_up_last - @number is the exit mark, set; @wait: a last collection is about to be made
 * The recording ends with that, or at once.  Holds the GIL.
 */
void tm_follow_up_last(uint32_t number, bool wait);

/*
 * tm_follow_up_now - the process ends: mark @number and those before it get what can be had without
 * a collection
 * Holds the GIL, at any point.
 */
void tm_follow_up_now(uint32_t number);

/* tm_follow_up_bare - the same where nothing of the interpreter may be touched any more. */
void tm_follow_up_bare(uint32_t number);

#endif

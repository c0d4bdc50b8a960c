/*
 * recorder.h - whether and what this process records now
 */
#ifndef TIDEMARK_RECORDER_H
#define TIDEMARK_RECORDER_H

#include "base.h"
#include "config.h"

extern struct tm_config tm_config;

/* Number of the current mark. */
uint32_t tm_recorder_current(void);

/*
 * tm_recorder_begin - start the recording of this process
 *
 * Called when the interpreter installs.  Returns 0 or -errno.
 */
int tm_recorder_begin(void);

/*
 * tm_recorder_awake - whether births are to be recorded
 *
 * In a forked child that has no recording yet this makes one, so it answers for the moment
 * after.  For slow paths; keeps errno.
 */
bool tm_recorder_awake(void);

/* tm_recorder_is_on - the same, but changes nothing.  Async-signal-safe. */
bool tm_recorder_is_on(void);

/* tm_recorder_freeze - stop recording for good; what is recorded stays as it is. */
void tm_recorder_freeze(void);

/* tm_recorder_off - something does not match: stop, and keep the reason in the recording. */
void tm_recorder_note(const char *message);

#endif

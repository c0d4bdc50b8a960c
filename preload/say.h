/*
 * say.h - lines to the user
 */
#ifndef TIDEMARK_SAY_H
#define TIDEMARK_SAY_H

/*
 * tm_say_to - choose where lines go: "stderr", "none", or a path that is appended to
 *
 * The string must stay valid.  NULL or empty: stderr.  Called early, before the first line: what
 * file stderr is then is remembered, and no line goes to another one that has its number later.
 */
void tm_say_to(const char *target);

/*
 * tm_say - print one line "tidemark[PID]: ..." with a single write
 *
 * Formats into a buffer on the stack; keeps errno; never allocates.  Not for signal handlers.
 */
void tm_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

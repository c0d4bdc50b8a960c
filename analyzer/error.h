/*
 * error.h - exit statuses and one-line messages
 *
 * Every message is one line on stderr, "tidemark: what is wrong; what to do", whatever
 * bytes its arguments hold: control characters are written as \xNN.
 */
#ifndef TM_ERROR_H
#define TM_ERROR_H

/* The exit statuses scripts depend on. */
enum tm_exit {
	TM_EXIT_OK = 0,
	TM_EXIT_CHECK = 1,   /* --fail-if found more than it allows */
	TM_EXIT_USAGE = 2,   /* usage, no such target, a system error */
	TM_EXIT_DAMAGED = 3, /* the recording is damaged or incomplete beyond use */
};

/*
 * tm_error - say in one line what is wrong, then what to do
 *
 * No newline at the end of @fmt.  Keeps errno.  Does not exit.
 */
void tm_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same, and exit with @status. */
void tm_die(enum tm_exit status, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

#endif

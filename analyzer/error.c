#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "text.h"

/* Longer messages are cut; the start says what is wrong. */
#define MESSAGE_MAX 2048

static void say(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));

static void say(const char *fmt, va_list args)
{
	char raw[MESSAGE_MAX];
	char *clean, *line;
	int length = vsnprintf(raw, sizeof(raw), fmt, args);

	if (length < 0)
		return;
	clean = tm_text_clean(raw, strlen(raw));
	/* What stdout holds so far belongs above the message when both go to one place. */
	fflush(stdout);
	/*
	 * One write, past stdio: lines of several processes do not mix, and a diverted
	 * `stderr` (options.c) does not swallow it.
	 */
	length = asprintf(&line, "tidemark: %s\n", clean);
	free(clean);
	if (length < 0)
		return;
	if (write(STDERR_FILENO, line, (size_t)length) < 0) {
		/* There is no one left to tell. */
	}
	free(line);
}

void tm_error(const char *fmt, ...)
{
	int saved = errno;
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	errno = saved;
}

void tm_die(enum tm_exit status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	exit((int)status);
}

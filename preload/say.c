#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *say_target;

void tm_say_to(const char *target)
{
	say_target = target;
}

static int say_open(void)
{
	if (!say_target || !*say_target || strcmp(say_target, "stderr") == 0)
		return STDERR_FILENO;
	if (strcmp(say_target, "none") == 0)
		return -1;
	return open(say_target, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
}

void tm_say(const char *format, ...)
{
	int saved = errno;
	int fd = say_open();
	char line[1024];
	int length;
	va_list args;

	if (fd >= 0) {
		length = snprintf(line, sizeof(line), "tidemark[%d]: ", (int)getpid());
		va_start(args, format);
		length += vsnprintf(line + length, sizeof(line) - (size_t)length - 1, format, args);
		va_end(args);
		if (length > (int)sizeof(line) - 2)
			length = (int)sizeof(line) - 2;
		line[length++] = '\n';
		if (write(fd, line, (size_t)length) < 0) {
			/* Nowhere left to complain to. */
		}
		if (fd != STDERR_FILENO)
			close(fd);
	}
	errno = saved;
}

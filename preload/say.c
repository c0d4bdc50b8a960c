#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *say_target;

/* What file stderr was when lines were first told where to go. */
static struct {
	bool known;
	dev_t device;
	ino_t inode;
} first_stderr;

static void note_stderr(void)
{
	struct stat is;

	first_stderr.known = fstat(STDERR_FILENO, &is) == 0;
	if (first_stderr.known) {
		first_stderr.device = is.st_dev;
		first_stderr.inode = is.st_ino;
	}
}

/* A program may close stderr, and a file of its own have that number from then on. */
static bool is_still_stderr(void)
{
	struct stat is;

	return first_stderr.known && fstat(STDERR_FILENO, &is) == 0 &&
	       is.st_dev == first_stderr.device && is.st_ino == first_stderr.inode;
}

void tm_say_to(const char *target)
{
	say_target = target;
	note_stderr();
}

static bool is_for_stderr(void)
{
	return !say_target || !*say_target || strcmp(say_target, "stderr") == 0;
}

static int say_open(void)
{
	if (is_for_stderr())
		return is_still_stderr() ? STDERR_FILENO : -1;
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
		if (!is_for_stderr())
			close(fd);
	}
	errno = saved;
}

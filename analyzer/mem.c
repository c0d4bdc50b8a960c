#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "mem.h"

static void out_of_memory(void) __attribute__((noreturn));

static void out_of_memory(void)
{
	static const char line[] = "tidemark: out of memory; narrow the request or use a larger "
				   "machine on a file from `tidemark save`\n";

	/* tm_error() itself allocates. */
	if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		_exit(TM_EXIT_USAGE);
	_exit(TM_EXIT_USAGE);
}

void *tm_mem_new(size_t size)
{
	return tm_mem_array(1, size);
}

void *tm_mem_array(size_t count, size_t size)
{
	/* calloc() may answer NULL for nothing; callers need not care. */
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *tm_mem_resize(void *p, size_t count, size_t size)
{
	void *moved = reallocarray(p, count ? count : 1, size ? size : 1);

	if (moved == NULL)
		out_of_memory();
	return moved;
}

void *tm_mem_grow(void *p, size_t used, size_t *capacity, size_t size)
{
	if (used < *capacity)
		return p;
	if (*capacity > SIZE_MAX / 2)
		out_of_memory();
	*capacity = *capacity ? *capacity * 2 : 16;
	return tm_mem_resize(p, *capacity, size);
}

char *tm_mem_string(const char *text)
{
	return tm_mem_bytes(text, strlen(text));
}

char *tm_mem_bytes(const void *bytes, size_t length)
{
	char *copy = tm_mem_new(length + 1);

	if (length > 0)
		memcpy(copy, bytes, length);
	return copy;
}

char *tm_mem_format(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = tm_mem_vformat(fmt, args);
	va_end(args);
	return text;
}

char *tm_mem_vformat(const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		out_of_memory();
	return text;
}

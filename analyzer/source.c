/*
 * source.c - find one line of a source file
 *
 * The path comes from the recording, so it may name anything: only regular files are
 * read, without waiting, and no more of them than a source file has.
 */
#include "source.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"
#include "text.h"

#define MOST_FILE_BYTES (16 << 20)
#define MOST_LINE_BYTES 4096

/* NULL for what is no path: "<string>", or a name with a NUL in it. */
static char *path_of(struct tm_reader *reader, struct tm_bytes file)
{
	struct tm_bytes directory = tm_reader_string(reader, tm_reader_header(reader)->directory);

	if (file.size == 0 || file.data[0] == '<' || memchr(file.data, 0, file.size))
		return NULL;
	if (file.data[0] == '/')
		return tm_mem_bytes(file.data, file.size);
	if (directory.size == 0 || memchr(directory.data, 0, directory.size))
		return NULL;
	return tm_mem_format("%.*s/%.*s", (int)directory.size, directory.data, (int)file.size,
			     file.data);
}

static FILE *open_source(const char *path, uint64_t *changed_ns)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	FILE *file;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > MOST_FILE_BYTES) {
		close(fd);
		return NULL;
	}
	*changed_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
	file = fdopen(fd, "r");
	if (!file)
		close(fd);
	return file;
}

static char *trimmed(const char *text, size_t length)
{
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		length--;
	while (length > 0 && isspace((unsigned char)*text)) {
		text++;
		length--;
	}
	if (length > MOST_LINE_BYTES)
		length = MOST_LINE_BYTES;
	return length > 0 ? tm_text_clean(text, length) : NULL;
}

static char *read_line(FILE *file, uint32_t number)
{
	char *text = NULL, *result = NULL;
	size_t room = 0;
	ssize_t length = 0;

	for (uint32_t n = 0; n < number && length >= 0; n++)
		length = getline(&text, &room, file);
	if (length > 0)
		result = trimmed(text, (size_t)length);
	free(text);
	return result;
}

char *tm_source_line(struct tm_reader *reader, struct tm_bytes file, uint32_t line, bool *changed)
{
	char *path = path_of(reader, file);
	char *result = NULL;
	uint64_t changed_ns = 0;
	FILE *source;

	if (!path)
		return NULL;
	source = line > 0 ? open_source(path, &changed_ns) : NULL;
	if (source) {
		result = read_line(source, line);
		*changed = changed_ns > tm_reader_header(reader)->time_ns;
		fclose(source);
	}
	free(path);
	return result;
}

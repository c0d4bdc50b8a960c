/*
 * process_maps.c - /proc/PID/maps: what a process has mapped
 */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tidemark/layout.h>

#include "mem.h"
#include "process.h"

#define DELETED " (deleted)"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && strcmp(text + length - tail, end) == 0;
}

bool tm_process_is_recording_name(const char *path)
{
	const char *name = base_name(path);

	return strncmp(name, TM_FILE_PREFIX, strlen(TM_FILE_PREFIX)) == 0 &&
	       ends_with(name, TM_FILE_SUFFIX);
}

/* The kernel writes a newline in a name as \012. */
static void unescape_newlines(char *path)
{
	char *to = path;

	for (const char *from = path; *from != '\0';) {
		if (strncmp(from, "\\012", 4) == 0) {
			*to++ = '\n';
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/* One line: `start-end perms offset dev inode path`.  False for lines without a path. */
static bool parse_line(char *line, struct tm_process_mapping *out)
{
	size_t length = strcspn(line, "\n");
	int at = 0;

	line[length] = '\0';
	memset(out, 0, sizeof(*out));
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %" SCNu64 " %n", &out->start,
		   &out->end, &out->inode, &at) != 3)
		return false;
	if (at == 0 || line[at] != '/')
		return false;
	out->path = line + at;
	out->deleted = ends_with(out->path, DELETED);
	if (out->deleted)
		out->path[strlen(out->path) - strlen(DELETED)] = '\0';
	unescape_newlines(out->path);
	return true;
}

/* Calls @visit with each mapping of a file until it says false.  Returns 0 or -errno. */
static int walk(pid_t pid, bool (*visit)(const struct tm_process_mapping *, void *), void *context)
{
	char path[64], *line = NULL;
	struct tm_process_mapping mapping;
	size_t size = 0;
	int error;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	if (maps == NULL)
		return errno == ENOENT ? -ESRCH : -errno;
	errno = 0;
	while (getline(&line, &size, maps) > 0)
		if (parse_line(line, &mapping) && !visit(&mapping, context))
			break;
	/* Permission is checked when a line is read as well, and so is death. */
	error = ferror(maps) ? -errno : 0;
	free(line);
	fclose(maps);
	return error;
}

struct found {
	struct tm_process_mapping *mappings;
	size_t count, capacity;
};

static bool collect_recording(const struct tm_process_mapping *mapping, void *context)
{
	struct found *found = context;
	struct tm_process_mapping *last;

	if (!tm_process_is_recording_name(mapping->path))
		return true;
	last = found->count ? &found->mappings[found->count - 1] : NULL;
	if (last != NULL && last->inode == mapping->inode && strcmp(last->path, mapping->path) == 0)
		return true;
	found->mappings = tm_mem_grow(found->mappings, found->count, &found->capacity,
				      sizeof(*found->mappings));
	last = &found->mappings[found->count++];
	*last = *mapping;
	last->path = tm_mem_string(mapping->path);
	return true;
}

ssize_t tm_process_mappings(pid_t pid, struct tm_process_mapping **out)
{
	struct found found = {0};
	int error = walk(pid, collect_recording, &found);

	if (error != 0) {
		tm_process_mappings_free(found.mappings, found.count);
		return error;
	}
	*out = found.mappings;
	return (ssize_t)found.count;
}

void tm_process_mappings_free(struct tm_process_mapping *mappings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(mappings[i].path);
	free(mappings);
}

/* Does a mapping's base name match one of the patterns? */
struct search {
	const char *const *patterns; /* NULL-terminated */
	bool found;
};

static bool match_name(const struct tm_process_mapping *mapping, void *context)
{
	struct search *search = context;

	for (const char *const *pattern = search->patterns; *pattern != NULL; pattern++)
		if (fnmatch(*pattern, base_name(mapping->path), 0) == 0)
			search->found = true;
	return !search->found;
}

bool tm_process_preloaded(pid_t pid)
{
	static const char *const patterns[] = {"libtidemark.so*", NULL};
	struct search search = {.patterns = patterns};

	return walk(pid, match_name, &search) == 0 && search.found;
}

bool tm_process_is_python(pid_t pid)
{
	static const char *const patterns[] = {"python[0-9]*", "python", "libpython[0-9]*.so*",
					       "pypy*", NULL};
	struct search search = {.patterns = patterns};

	return walk(pid, match_name, &search) == 0 && search.found;
}

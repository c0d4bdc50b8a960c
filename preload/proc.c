#include "proc.h"

#include "tidemark/layout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PRUNE_MAX 256 /* finished recordings looked at in one go */

size_t tm_proc_read(const char *path, char *out, size_t size)
{
	int saved = errno;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;

	while (fd >= 0 && length < size) {
		ssize_t got = read(fd, out + length, size - length);

		if (got <= 0)
			break;
		length += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	errno = saved;
	return length;
}

uint64_t tm_proc_start_ticks(int pid)
{
	char path[64], text[1024];
	size_t length;
	char *field;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	length = tm_proc_read(path, text, sizeof(text) - 1);
	text[length] = '\0';
	/* The command name is in parentheses and may hold anything; fields count from its end. */
	field = strrchr(text, ')');
	for (int i = 2; field && i < 22; i++)
		field = strchr(field + 1, ' ');
	return field ? strtoull(field + 1, NULL, 10) : 0;
}

void tm_proc_boot_id(uint8_t out[16])
{
	char text[64];
	size_t length = tm_proc_read("/proc/sys/kernel/random/boot_id", text, sizeof(text) - 1);
	unsigned count = 0;

	text[length] = '\0';
	memset(out, 0, 16);
	for (const char *c = text; c[0] && c[1] && count < 16;) {
		char pair[3] = {c[0], c[1], '\0'};

		if (*c == '-') {
			c++;
			continue;
		}
		out[count++] = (uint8_t)strtoul(pair, NULL, 16);
		c += 2;
	}
}

uint64_t tm_proc_pid_namespace(void)
{
	struct stat info;

	return stat("/proc/self/ns/pid", &info) == 0 ? (uint64_t)info.st_ino : 0;
}

uint64_t tm_proc_rss(void)
{
	char text[128];
	size_t length = tm_proc_read("/proc/self/statm", text, sizeof(text) - 1);
	char *resident;

	text[length] = '\0';
	resident = strchr(text, ' ');
	return resident ? strtoull(resident + 1, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

uint64_t tm_proc_rss_exact(void)
{
	char text[4096];
	size_t length = tm_proc_read("/proc/self/smaps_rollup", text, sizeof(text) - 1);
	char *line;

	text[length] = '\0';
	line = strstr(text, "\nRss:");
	return line ? strtoull(line + 5, NULL, 10) * 1024 : 0;
}

struct finished {
	char name[96];
	time_t time;
};

/* Whether the recording @name in @dir is ours to judge and its process is gone. */
static int is_finished(int dir, const char *name, time_t *time)
{
	struct tm_header header;
	struct stat info;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int finished = 0;

	if (fd < 0)
		return 0;
	if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
	    pread(fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header) &&
	    header.magic == TM_MAGIC && !header.saved &&
	    header.pid_namespace == tm_proc_pid_namespace()) {
		*time = info.st_mtime;
		finished = tm_proc_start_ticks((int)header.pid) != header.start_ticks;
	}
	close(fd);
	return finished;
}

/* A name as the recorder gives it; a copy that somebody saved beside it has another. */
static bool is_named_by_us(const char *name)
{
	unsigned long long ticks;
	int pid, number, length = 0;

	return sscanf(name, TM_FILE_PREFIX "%d.%llu.%d" TM_FILE_SUFFIX "%n", &pid, &ticks, &number,
		      &length) == 3 &&
	       length > 0 && name[length] == '\0';
}

static int older_first(const void *a, const void *b)
{
	const struct finished *x = a, *y = b;

	return (x->time > y->time) - (x->time < y->time);
}

/* The finished recordings in a directory, on the heap; their number, as many as memory holds. */
static unsigned list_finished(DIR *dir, struct finished **found)
{
	unsigned count = 0, room = 0;
	struct dirent *entry;

	while ((entry = readdir(dir)) != NULL) {
		if (!is_named_by_us(entry->d_name) ||
		    strlen(entry->d_name) >= sizeof((*found)->name))
			continue;
		if (count == room) {
			unsigned larger = room ? 2 * room : 64;
			void *moved = realloc(*found, larger * sizeof(**found));

			if (!moved)
				break;
			*found = moved;
			room = larger;
		}
		if (is_finished(dirfd(dir), entry->d_name, &(*found)[count].time))
			strcpy((*found)[count++].name, entry->d_name);
	}
	return count;
}

void tm_proc_prune(const char *path, unsigned keep)
{
	/* Without /proc every process looks finished. */
	bool can_tell = tm_proc_start_ticks((int)getpid()) != 0;
	DIR *dir = can_tell ? opendir(path) : NULL;
	struct finished *found = NULL;
	unsigned count = dir ? list_finished(dir, &found) : 0;

	if (count > keep) {
		qsort(found, count, sizeof(*found), older_first);
		for (unsigned i = 0; i < count - keep; i++)
			unlinkat(dirfd(dir), found[i].name, 0);
	}
	if (dir)
		closedir(dir);
	free(found);
}

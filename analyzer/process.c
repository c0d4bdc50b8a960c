/*
 * process.c - /proc/PID/stat, status and task
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"
#include "process.h"

/* Longer than any stat or status file gets. */
#define PROC_MAX 8192

/* Reads a small /proc file into @buf, NUL added.  Returns its length or -errno. */
static ssize_t read_file(char buf[PROC_MAX], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static ssize_t read_file(char buf[PROC_MAX], const char *fmt, ...)
{
	char path[128];
	va_list args;
	ssize_t length;
	int fd;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	length = read(fd, buf, PROC_MAX - 1);
	if (length < 0)
		length = -errno;
	else
		buf[length] = '\0';
	close(fd);
	return length;
}

/* `pid (name) S ppid ...`: the name may hold anything, also ") S". */
static int parse_stat(const char *text, struct tm_process_stat *out)
{
	const char *open = strchr(text, '('), *shut = strrchr(text, ')');
	size_t length;
	int parent;

	if (open == NULL || shut == NULL || shut < open)
		return -EPROTO;
	memset(out, 0, sizeof(*out));
	length = (size_t)(shut - open - 1);
	if (length >= sizeof(out->name))
		length = sizeof(out->name) - 1;
	memcpy(out->name, open + 1, length);
	if (sscanf(shut + 1,
		   " %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		   "%" SCNu64,
		   &out->state, &parent, &out->start_ticks) != 3)
		return -EPROTO;
	out->parent = parent;
	return 0;
}

static int stat_result(ssize_t length, const char *text, struct tm_process_stat *out)
{
	if (length < 0)
		return length == -ENOENT ? -ESRCH : (int)length;
	return parse_stat(text, out);
}

int tm_process_stat(pid_t pid, struct tm_process_stat *out)
{
	char text[PROC_MAX];

	return stat_result(read_file(text, "/proc/%d/stat", pid), text, out);
}

int tm_process_thread_stat(pid_t pid, pid_t tid, struct tm_process_stat *out)
{
	char text[PROC_MAX];

	return stat_result(read_file(text, "/proc/%d/task/%d/stat", pid, tid), text, out);
}

bool tm_process_alive(pid_t pid)
{
	struct tm_process_stat stat;

	if (tm_process_stat(pid, &stat) != 0)
		return false;
	return stat.state != 'Z' && stat.state != 'X' && stat.state != 'x';
}

/* What follows "Key:" in a status file; NULL when it is not there. */
static const char *status_field(const char *status, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = status; line != NULL && *line != '\0';) {
		if (strncmp(line, key, length) == 0 && line[length] == ':')
			return line + length + 1;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return NULL;
}

pid_t tm_process_inner_pid(pid_t pid)
{
	char status[PROC_MAX];
	const char *pids;
	long inner = pid;

	if (read_file(status, "/proc/%d/status", pid) < 0)
		return pid;
	pids = status_field(status, "NSpid");
	if (pids == NULL)
		return pid;
	/* One per namespace, from ours inwards. */
	while (*pids == '\t' || *pids == ' ') {
		char *end;
		long value = strtol(pids, &end, 10);

		if (end == pids)
			break;
		inner = value;
		pids = end;
	}
	return (pid_t)inner;
}

/* Is signal @number in the set that follows @key? 1, 0, or -1 when it is not known. */
static int in_set(const char *status, const char *key, int number)
{
	const char *set = status_field(status, key);

	if (set == NULL || number < 1 || number > 64)
		return -1;
	return (int)(strtoull(set, NULL, 16) >> (number - 1) & 1);
}

enum tm_process_signal tm_process_signal(pid_t pid, int number)
{
	char status[PROC_MAX];
	int caught;

	if (read_file(status, "/proc/%d/status", pid) < 0)
		return TM_SIGNAL_UNKNOWN;
	caught = in_set(status, "SigCgt", number);
	if (caught < 0)
		return TM_SIGNAL_UNKNOWN;
	if (caught)
		return TM_SIGNAL_HANDLED;
	return in_set(status, "SigIgn", number) == 1 ? TM_SIGNAL_IGNORED : TM_SIGNAL_DEFAULT;
}

bool tm_process_thread_blocks(pid_t pid, pid_t tid, int number)
{
	char status[PROC_MAX];

	if (read_file(status, "/proc/%d/task/%d/status", pid, tid) < 0)
		return false;
	return in_set(status, "SigBlk", number) == 1;
}

static int by_number(const void *a, const void *b)
{
	const pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* The entries of a directory that are numbers, ascending. */
static size_t list_numbers(const char *path, pid_t **out)
{
	DIR *dir = opendir(path);
	size_t count = 0, capacity = 0;
	struct dirent *entry;
	pid_t *numbers = NULL;

	*out = NULL;
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		char *end;
		long number = strtol(entry->d_name, &end, 10);

		if (*end != '\0' || number <= 0)
			continue;
		numbers = tm_mem_grow(numbers, count, &capacity, sizeof(*numbers));
		numbers[count++] = (pid_t)number;
	}
	closedir(dir);
	if (count > 0)
		qsort(numbers, count, sizeof(*numbers), by_number);
	*out = numbers;
	return count;
}

size_t tm_process_threads(pid_t pid, pid_t **tids)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	return list_numbers(path, tids);
}

size_t tm_process_list(pid_t **pids)
{
	return list_numbers("/proc", pids);
}

bool tm_process_boot_id(uint8_t out[16])
{
	char text[PROC_MAX];
	unsigned digits = 0;

	if (read_file(text, "/proc/sys/kernel/random/boot_id") < 0)
		return false;
	for (const char *p = text; *p != '\0' && digits < 32; p++) {
		unsigned value;

		if (*p == '-')
			continue;
		if (sscanf((char[]){*p, '\0'}, "%1x", &value) != 1)
			return false;
		out[digits / 2] = (uint8_t)(digits % 2 ? out[digits / 2] | value : value << 4);
		digits++;
	}
	return digits == 32;
}

uint64_t tm_process_pid_namespace(void)
{
	struct stat own;

	return stat("/proc/self/ns/pid", &own) == 0 ? own.st_ino : 0;
}

int tm_process_user(pid_t pid, uid_t *out)
{
	char status[PROC_MAX];
	const char *uids;
	unsigned real, effective;

	if (read_file(status, "/proc/%d/status", pid) < 0)
		return -ESRCH;
	uids = status_field(status, "Uid");
	if (uids == NULL || sscanf(uids, "%u %u", &real, &effective) != 2)
		return -EPROTO;
	*out = effective;
	return 0;
}

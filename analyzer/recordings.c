#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tidemark/layout.h>

#include "mem.h"
#include "process.h"
#include "recordings.h"

/* O_NONBLOCK: a FIFO of that name must not stop us. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)

static struct tm_recording *add(struct tm_recordings *recordings, char *path)
{
	struct tm_recording *last;

	recordings->list = tm_mem_grow(recordings->list, recordings->count, &recordings->capacity,
				       sizeof(*recordings->list));
	last = &recordings->list[recordings->count++];
	memset(last, 0, sizeof(*last));
	last->path = path;
	return last;
}

/* The process's path as it can be used from here. */
static char *path_from_here(pid_t pid, const struct tm_process_mapping *mapping)
{
	struct stat stat;

	/* st_dev is not compared: maps and stat disagree about it on some file systems. */
	if (!mapping->deleted && lstat(mapping->path, &stat) == 0 && stat.st_ino == mapping->inode)
		return tm_mem_string(mapping->path);
	return tm_mem_format("/proc/%d/root%s", pid, mapping->path);
}

int tm_recordings_add_mapped(struct tm_recordings *recordings, pid_t pid)
{
	struct tm_process_mapping *mappings;
	ssize_t count = tm_process_mappings(pid, &mappings);

	if (count < 0)
		return (int)count;
	for (ssize_t i = 0; i < count; i++) {
		struct tm_recording *recording = add(recordings, path_from_here(pid, &mappings[i]));

		recording->mapped_by = pid;
		recording->map_start = mappings[i].start;
		recording->map_end = mappings[i].end;
		recording->inode = mappings[i].inode;
	}
	tm_process_mappings_free(mappings, (size_t)count);
	return 0;
}

/* Is the file known already, by inode? (Of one directory or one mapping it is the same.) */
static bool is_known(const struct tm_recordings *recordings, uint64_t inode, const char *path)
{
	for (size_t i = 0; i < recordings->count; i++)
		if (recordings->list[i].inode == inode &&
		    strcmp(recordings->list[i].path, path) == 0)
			return true;
	return false;
}

static void add_directory(struct tm_recordings *recordings, const char *directory, pid_t pid)
{
	char prefix[64] = TM_FILE_PREFIX;
	DIR *dir = opendir(directory);
	struct dirent *entry;

	if (dir == NULL)
		return;
	if (pid != 0)
		snprintf(prefix, sizeof(prefix), "%s%d.", TM_FILE_PREFIX, pid);
	while ((entry = readdir(dir)) != NULL) {
		char *path;

		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
		    !tm_process_is_recording_name(entry->d_name))
			continue;
		path = tm_mem_format("%s/%s", directory, entry->d_name);
		if (is_known(recordings, entry->d_ino, path))
			free(path);
		else
			add(recordings, path)->inode = entry->d_ino;
	}
	closedir(dir);
}

/* The value of dir= in $TIDEMARK; NULL without one.  Release with free(). */
static char *configured_directory(void)
{
	const char *pair = getenv("TIDEMARK");

	while (pair != NULL && *pair != '\0') {
		size_t length = strcspn(pair, ",");

		if (strncmp(pair, "dir=", 4) == 0)
			return tm_mem_bytes(pair + 4, length - 4);
		pair += length + (pair[length] == ',');
	}
	return NULL;
}

void tm_recordings_add_places(struct tm_recordings *recordings, pid_t pid)
{
	char *configured = configured_directory();
	const char *places[] = {configured, "/dev/shm", getenv("TMPDIR"), "/tmp"};
	char *seen[4] = {NULL};

	for (size_t i = 0; i < 4; i++) {
		bool again = false;

		seen[i] = places[i] ? realpath(places[i], NULL) : NULL;
		for (size_t j = 0; j < i && seen[i] != NULL; j++)
			again |= seen[j] != NULL && strcmp(seen[j], seen[i]) == 0;
		if (seen[i] != NULL && !again)
			add_directory(recordings, seen[i], pid);
	}
	for (size_t i = 0; i < 4; i++)
		free(seen[i]);
	free(configured);
}

void tm_recordings_free(struct tm_recordings *recordings)
{
	for (size_t i = 0; i < recordings->count; i++)
		free(recordings->list[i].path);
	free(recordings->list);
	memset(recordings, 0, sizeof(*recordings));
}

int tm_recordings_open_path(const char *path)
{
	int fd = open(path, OPEN_FLAGS);

	return fd < 0 ? -errno : fd;
}

/*
 * Inside another root, a directory of the path may be a link made by the process we look
 * at; RESOLVE_IN_ROOT keeps even that inside.
 */
static int open_in_root(pid_t pid, const char *path)
{
	struct open_how how = {.flags = OPEN_FLAGS, .resolve = RESOLVE_IN_ROOT};
	char root[64];
	int root_fd, fd;

	snprintf(root, sizeof(root), "/proc/%d/root", pid);
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	if (fd < 0)
		fd = -errno;
	close(root_fd);
	return fd;
}

static bool is_inode(int fd, uint64_t inode)
{
	struct stat stat;

	return fstat(fd, &stat) == 0 && stat.st_ino == inode;
}

/* Through the mapping itself: right whatever became of the name, but a privilege. */
static int open_mapping(const struct tm_recording *recording)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", recording->mapped_by,
		 (unsigned long long)recording->map_start, (unsigned long long)recording->map_end);
	fd = open(path, OPEN_FLAGS & ~O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

int tm_recordings_open(const struct tm_recording *recording)
{
	char root[64];
	int fd, mapped;

	snprintf(root, sizeof(root), "/proc/%d/root/", recording->mapped_by);
	if (recording->mapped_by != 0 && strncmp(recording->path, root, strlen(root)) == 0)
		fd = open_in_root(recording->mapped_by, recording->path + strlen(root) - 1);
	else
		fd = tm_recordings_open_path(recording->path);
	if (recording->mapped_by == 0 || (fd >= 0 && is_inode(fd, recording->inode)))
		return fd;
	mapped = open_mapping(recording);
	if (mapped < 0)
		return fd >= 0 ? fd : (fd == -ENOENT ? mapped : fd);
	if (fd >= 0)
		close(fd);
	return mapped;
}

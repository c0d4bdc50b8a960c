#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uthash.h>

#include "error.h"
#include "listing.h"
#include "mem.h"
#include "process.h"
#include "target_private.h"

/* A file that was looked at. */
struct file {
	struct key {
		uint64_t device, inode;
	} key;
	UT_hash_handle hh;
};

struct making {
	struct tm_listing *listing;
	struct file *files; /* uthash */
	size_t capacity, broken_capacity;
};

/* Is this the first time? One file is found as often as it has names and is mapped. */
static bool is_new(struct making *making, int fd)
{
	struct key key = {0};
	struct file *file;
	struct stat stat;

	if (fstat(fd, &stat) != 0)
		return true;
	key.device = stat.st_dev;
	key.inode = stat.st_ino;
	HASH_FIND(hh, making->files, &key, sizeof(key), file);
	if (file != NULL)
		return false;
	file = tm_mem_new(sizeof(*file));
	file->key = key;
	HASH_ADD(hh, making->files, key, sizeof(file->key), file);
	return true;
}

static void add(struct making *making, struct tm_target *target, pid_t likely)
{
	struct tm_listing *listing = making->listing;

	tm_target_find_process(target, likely);
	listing->targets = tm_mem_grow(listing->targets, listing->count, &making->capacity,
				       sizeof(struct tm_target *));
	listing->targets[listing->count++] = target;
}

static void add_broken(struct making *making, const char *path)
{
	struct tm_listing *listing = making->listing;

	listing->broken = tm_mem_grow(listing->broken, listing->broken_count,
				      &making->broken_capacity, sizeof(char *));
	listing->broken[listing->broken_count++] = tm_mem_string(path);
}

/* A process that was killed between making its file and laying it out left it empty. */
static bool is_empty(const char *path)
{
	struct stat stat;

	return lstat(path, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size == 0;
}

static void consider(struct making *making, const struct tm_recording *recording)
{
	struct tm_target_refusal why = {0};
	struct tm_target *target;
	int fd = tm_recordings_open(recording), error = fd;

	if (fd >= 0 && !is_new(making, fd)) {
		close(fd);
		return;
	}
	if (fd >= 0)
		error = tm_target_adopt(fd, recording->path, &target, &why);
	if (error >= 0)
		add(making, target, recording->mapped_by);
	else if (error == -EPERM || error == -EACCES)
		making->listing->others++;
	else if (why.status == TM_EXIT_DAMAGED || is_empty(recording->path))
		add_broken(making, recording->path);
	/* The rest is gone again, or no recording at all. */
}

static void add_mapped(struct tm_recordings *recordings)
{
	pid_t *pids;
	size_t count = tm_process_list(&pids);

	/* Those of other users cannot be looked at; that is nothing to report. */
	for (size_t i = 0; i < count; i++)
		(void)tm_recordings_add_mapped(recordings, pids[i]);
	free(pids);
}

static int by_start(const void *a, const void *b)
{
	const struct tm_target *const *x = a, *const *y = b;
	uint64_t left = tm_reader_header((*x)->reader)->time_ns;
	uint64_t right = tm_reader_header((*y)->reader)->time_ns;

	return (left > right) - (left < right);
}

static void free_files(struct file *files)
{
	struct file *file, *next;

	HASH_ITER(hh, files, file, next)
	{
		HASH_DEL(files, file);
		free(file);
	}
}

/* Each listed recording stays open, and the usual limit of 1024 is soft. */
static void raise_open_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

void tm_listing_make(struct tm_listing *listing, bool mapped)
{
	struct making making = {.listing = listing};
	struct tm_recordings recordings = {0};

	memset(listing, 0, sizeof(*listing));
	raise_open_files();
	if (mapped)
		add_mapped(&recordings);
	tm_recordings_add_places(&recordings, 0);
	for (size_t i = 0; i < recordings.count; i++)
		consider(&making, &recordings.list[i]);
	tm_recordings_free(&recordings);
	free_files(making.files);
	if (listing->count > 0)
		qsort(listing->targets, listing->count, sizeof(*listing->targets), by_start);
}

void tm_listing_free(struct tm_listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		tm_target_close(listing->targets[i]);
	for (size_t i = 0; i < listing->broken_count; i++)
		free(listing->broken[i]);
	free(listing->targets);
	free(listing->broken);
}

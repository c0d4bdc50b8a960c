#include "segment.h"

#include "proc.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

#define STEP	   65536ull /* bytes a table grows by */
#define SMALL_FILE (1ull << 30)
#define SPARE	   (1ull << 20) /* bytes of a table that stay mapped ahead of what is used */

struct tm_segment tm_segment;

static const struct {
	uint64_t capacity;
	bool shrinks; /* takes a sixteenth where address space or file size is limited */
} plan[TM_R_COUNT] = {
	[TM_R_THREADS] = {1024 * sizeof(struct tm_thread), false},
	[TM_R_MARKS] = {65536ull * sizeof(struct tm_mark), true},
	[TM_R_STRINGS] = {64ull << 20, true},
	[TM_R_CODES] = {(1ull << 20) * sizeof(struct tm_code), true},
	[TM_R_SITES] = {(uint64_t)TM_MAX_SITES * sizeof(struct tm_site), true},
	[TM_R_TYPES] = {(uint64_t)TM_MAX_TYPES * sizeof(struct tm_type), true},
	[TM_R_DEATHS] = {(1ull << 18) * sizeof(struct tm_death), false},
	[TM_R_TALLIES] = {8 * TM_TALLY_TABLE, false},
	[TM_R_CHUNKS] = {(1ull << 20) * sizeof(struct tm_chunk), true},
	[TM_R_CYCLIC] = {4 * TM_TALLY_TABLE, false},
	[TM_R_GARBAGE] = {(1ull << 21) * sizeof(struct tm_garbage), true},
	[TM_R_COLLECTIONS] = {(1ull << 14) * sizeof(struct tm_collection), false},
};

static uint64_t round_up(uint64_t value, uint64_t step)
{
	return (value + step - 1) / step * step;
}

/* A limited process keeps its address space: an eighth of the limit is all we take. */
static uint64_t share_of(uint64_t limit)
{
	return limit / 8;
}

static uint64_t size_limit(void)
{
	struct rlimit space, file;
	uint64_t limit = UINT64_MAX;

	if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY)
		limit = share_of(space.rlim_cur);
	/* Growing a file past this limit raises SIGXFSZ, which ends a program. */
	if (getrlimit(RLIMIT_FSIZE, &file) == 0 && file.rlim_cur != RLIM_INFINITY &&
	    file.rlim_cur < limit)
		limit = file.rlim_cur;
	return limit;
}

static uint64_t default_max(void)
{
	long pages = sysconf(_SC_PHYS_PAGES);
	long page = sysconf(_SC_PAGESIZE);
	uint64_t memory = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 4ull << 30;

	return memory / 4;
}

/* Lays the regions out one behind the other; returns the size of the file, 0 = no room. */
static uint64_t lay_out(struct tm_region *regions, uint64_t max, uint64_t limit)
{
	uint64_t offset = TM_REGION_ALIGN;
	bool small = limit < SMALL_FILE || max < SMALL_FILE / 16;
	uint64_t shadow;

	for (unsigned i = 0; i < TM_R_SHADOW; i++) {
		uint64_t capacity = plan[i].capacity;

		if (small && plan[i].shrinks)
			capacity /= 16;
		regions[i].offset = offset;
		regions[i].capacity = round_up(capacity, TM_REGION_ALIGN);
		offset += regions[i].capacity;
	}
	if (limit < offset + TM_CHUNK_SHADOW)
		return 0;
	shadow = round_up(max, TM_CHUNK_SHADOW);
	if (shadow > limit - offset)
		shadow = (limit - offset) / TM_CHUNK_SHADOW * TM_CHUNK_SHADOW;
	regions[TM_R_SHADOW].offset = offset;
	regions[TM_R_SHADOW].capacity = shadow;
	return offset + shadow;
}

/*
 * Populating a mapping reports a full file system as an error, needs no descriptor and no
 * path (which a chroot or a change of user may have taken away), and spares the hot path
 * its page faults.  Before Linux 5.14 the file is opened once more and allocated.
 */
static int reserve(struct tm_segment *segment, uint64_t offset, uint64_t bytes)
{
	int fd;
	int err = 0;

	if (atomic_fetch_add(&segment->reserved, bytes) + bytes > segment->max)
		goto no_space;
	if (!segment->by_path) {
		if (madvise(segment->base + offset, bytes, MADV_POPULATE_WRITE) == 0)
			return 0;
		if (errno != EINVAL) {
			/* What was got before it failed is not wanted: others need the space. */
			madvise(segment->base + offset, bytes, MADV_REMOVE);
			goto no_space;
		}
		segment->by_path = true;
	}
	fd = open(segment->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		goto no_space;
	if (fallocate(fd, 0, (off_t)offset, (off_t)bytes) != 0)
		err = errno;
	close(fd);
	if (!err)
		return 0;
no_space:
	atomic_fetch_sub(&segment->reserved, bytes);
	return -ENOSPC;
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

void tm_blind(enum tm_blind what)
{
	if (tm_segment.header)
		atomic_fetch_or(&tm_segment.header->blind, (uint32_t)what);
}

void tm_lose_many(enum tm_loss what, uint64_t count)
{
	if (tm_segment.header)
		atomic_fetch_add_explicit(&tm_segment.header->losses[what], count,
					  memory_order_relaxed);
}

void tm_lose(enum tm_loss what)
{
	tm_lose_many(what, 1);
}

static void note_full(void)
{
	uint64_t unset = 0;

	tm_blind(TM_B_SPACE);
	atomic_compare_exchange_strong(&tm_segment.header->full_since_ns, &unset,
				       now_ns(CLOCK_REALTIME));
}

bool tm_segment_back(enum tm_region_id id, uint64_t bytes)
{
	struct tm_region *region = &tm_segment.header->regions[id];
	uint64_t backed = tm_get(&region->backed);
	uint64_t target;
	int saved;

	if (likely(bytes <= backed))
		return true;
	/* Once space has ended it is not asked for again and again. */
	if (tm_get(&tm_segment.header->blind) & TM_B_SPACE)
		return false;
	if (bytes > region->capacity) {
		if (id == TM_R_SHADOW || id == TM_R_CHUNKS)
			note_full();
		return false;
	}
	target = id == TM_R_SHADOW ? bytes : round_up(bytes, STEP);
	saved = errno;
	if (reserve(&tm_segment, region->offset + backed, target - backed) != 0) {
		note_full();
		errno = saved;
		return false;
	}
	while (backed < target && !atomic_compare_exchange_weak(&region->backed, &backed, target))
		;
	errno = saved;
	return true;
}

static void fill_header(struct tm_header *header, const struct tm_config *config, uint64_t size)
{
	header->major = TM_LAYOUT_MAJOR;
	header->minor = TM_LAYOUT_MINOR;
	header->header_size = sizeof(*header);
	header->file_size = size;
	header->pid = (uint32_t)getpid();
	header->uid = (uint32_t)geteuid();
	header->start_ticks = tm_proc_start_ticks((int)header->pid);
	header->time_ns = now_ns(CLOCK_REALTIME);
	tm_proc_boot_id(header->boot_id);
	header->pid_namespace = tm_proc_pid_namespace();
	header->frames = config->frames;
	header->signal = (uint32_t)config->signal;
	header->config_flags = config->collect ? TM_CF_COLLECT : 0;
}

/* Opens a new file in @dir; the number at its end counts programs of one process (exec). */
static int open_new(struct tm_segment *segment, const char *dir)
{
	int pid = (int)getpid();
	unsigned long long ticks = tm_proc_start_ticks(pid);

	for (int n = 0; n < 10000; n++) {
		int fd;
		int length = snprintf(segment->path, sizeof(segment->path), "%s/%s%d.%llu.%d%s",
				      dir, TM_FILE_PREFIX, pid, ticks, n, TM_FILE_SUFFIX);

		if (length >= (int)sizeof(segment->path))
			return -ENAMETOOLONG;
		fd = open(segment->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0 || errno != EEXIST)
			return fd >= 0 ? fd : -errno;
	}
	return -EEXIST;
}

static int create_in(struct tm_segment *segment, const struct tm_config *config, const char *dir)
{
	struct tm_region regions[TM_R_COUNT];
	uint64_t size = 0;
	void *base = MAP_FAILED;
	int fd, err = 0;

	memset(regions, 0, sizeof(regions));
	segment->max = config->max ? config->max : default_max();
	fd = open_new(segment, dir);
	if (fd < 0)
		return fd;
	size = lay_out(regions, segment->max, size_limit());
	if (size == 0 || ftruncate(fd, (off_t)size) != 0) {
		err = size ? -errno : -EFBIG;
		goto out;
	}
	base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (base == MAP_FAILED) {
		err = -errno;
		goto out;
	}
	/* Core dumps are for the program's memory; this file outlives the process anyway. */
	madvise(base, size, MADV_DONTDUMP);
	segment->base = base;
	segment->header = base;
	segment->size = size;
	segment->pid = (int)getpid();
	/* Header, counters and the first marks are written without asking: no recording without. */
	err = reserve(segment, 0, TM_REGION_ALIGN);
	if (!err)
		err = reserve(segment, regions[TM_R_THREADS].offset, STEP);
	if (!err)
		err = reserve(segment, regions[TM_R_MARKS].offset, STEP);
	if (err)
		goto out;
	regions[TM_R_THREADS].backed = STEP;
	regions[TM_R_MARKS].backed = STEP;
	memcpy(segment->header->regions, regions, sizeof(regions));
	fill_header(segment->header, config, size);
out:
	if (err) {
		if (base != MAP_FAILED)
			munmap(base, size);
		unlink(segment->path);
	}
	close(fd);
	return err;
}

int tm_segment_create(const struct tm_config *config)
{
	const char *tmpdir = getenv("TMPDIR");
	const char *places[] = {config->dir, "/dev/shm", tmpdir ? tmpdir : "", "/tmp"};
	int first_error = 0;

	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct tm_segment fresh;
		int err;

		if (!*places[i])
			continue;
		memset(&fresh, 0, sizeof(fresh));
		err = create_in(&fresh, config, places[i]);
		if (!err) {
			memcpy(&tm_segment, &fresh, sizeof(fresh));
			tm_proc_prune(places[i], config->keep);
			return 0;
		}
		/* No other place has more room where it is the process that is limited. */
		if (err == -EFBIG)
			return err;
		if (i == 0)
			tm_say("dir=%s cannot be used (%s); trying the next place", places[i],
			       strerror(-err));
		if (!first_error)
			first_error = err;
	}
	return first_error;
}

const char *tm_segment_reason(int error)
{
	return error == -EFBIG ? "a limit on memory or file size, ulimit -v or -f, leaves no room"
			       : strerror(-error);
}

static void cut(struct tm_region *region, uint64_t keep)
{
	uint64_t had = region->capacity;

	if (keep >= had)
		return;
	region->capacity = keep;
	munmap(tm_segment.base + region->offset + keep, had - keep);
}

void tm_segment_yield(uint64_t limit)
{
	struct tm_region *regions = tm_segment.header->regions;
	struct tm_region *shadow = &regions[TM_R_SHADOW];
	uint64_t share = share_of(limit), taken = 0, more;

	for (unsigned i = 0; i < TM_R_SHADOW; i++) {
		/* Who finds a record by its capacity needs all of it. */
		if (plan[i].shrinks)
			cut(&regions[i],
			    round_up(tm_get(&regions[i].backed) + SPARE, TM_REGION_ALIGN));
		taken += regions[i].capacity;
	}
	taken += tm_get(&shadow->backed);
	more = share > taken + 8 * SPARE ? share - taken : 8 * SPARE;
	cut(shadow, round_up(tm_get(&shadow->backed) + more, TM_CHUNK_SHADOW));
}

void tm_segment_announce(void)
{
	tm_publish(&tm_segment.header->magic, TM_MAGIC);
}

void tm_segment_unmap(char *base)
{
	const struct tm_header *header = (const struct tm_header *)base;
	struct tm_region regions[TM_R_COUNT];

	/* Where the mapping gave way there is other memory by now. */
	memcpy(regions, header->regions, sizeof(regions));
	for (unsigned i = 0; i < TM_R_COUNT; i++)
		munmap(base + regions[i].offset, regions[i].capacity);
	munmap(base, TM_REGION_ALIGN);
}

void tm_segment_discard(void)
{
	unlink(tm_segment.path);
	tm_segment_unmap(tm_segment.base);
	tm_segment.base = NULL;
	tm_segment.header = NULL;
}

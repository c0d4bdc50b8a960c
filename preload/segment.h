/*
 * segment.h - the recording's file: create it, reserve space in it, find records in it
 */
#ifndef TIDEMARK_SEGMENT_H
#define TIDEMARK_SEGMENT_H

#include "base.h"
#include "config.h"
#include "tidemark/layout.h"

/*
 * The recording this process writes.  `base` is NULL while there is none.  The mapping is
 * as long as the file may ever get, but for what tm_segment_yield() took out of it; only
 * reserved parts of it may be touched.  No file
 * descriptor stays open: a program that closes or counts its descriptors sees none of ours.
 */
struct tm_segment {
	char *base;
	struct tm_header *header;
	uint64_t size;
	uint64_t max;		   /* bytes that may be reserved in all */
	_Atomic uint64_t reserved; /* bytes reserved so far */
	bool by_path;		   /* old kernel: reserve by reopening the file */
	int pid;
	char path[320];
};

extern struct tm_segment tm_segment;

/*
 * tm_segment_create - make the recording of this process and map it
 *
 * Tries config->dir, /dev/shm, $TMPDIR and /tmp in this order; the file is made with O_EXCL
 * and O_NOFOLLOW, mode 0600.  Fills in all of the header but what the interpreter knows, and
 * leaves `magic` to tm_segment_announce().  An earlier mapping is forgotten, not unmapped.
 * Returns 0 or -errno; then tm_segment is as it was.
 */
int tm_segment_create(const struct tm_config *config);

/* tm_segment_announce - store the magic: from here on readers accept the file. */
void tm_segment_announce(void);

/* tm_segment_unmap - take a recording's mapping away, this process's or an inherited one */
void tm_segment_unmap(char *base);

/* tm_segment_discard - remove the file again; for a start that failed half-way. */
void tm_segment_discard(void);

/*
 * tm_segment_back - make sure that the first @bytes of a region have space behind them
 *
 * A full file system is an answer here, never a SIGBUS later.  One system call at most, and
 * only when @bytes is beyond what is backed.  Async-signal-safe.
 * Returns false when there is no space; then TM_B_SPACE is set in the header.
 */
bool tm_segment_back(enum tm_region_id region, uint64_t bytes);

/*
 * tm_segment_yield - give address space back to a program that limits its own to @limit bytes
 *
 * What has space behind it stays, and so much more of each region as an eighth of the limit
 * allows; the rest of the mapping goes.  A growth under way in another thread finds its place:
 * some room always stays.
 */
void tm_segment_yield(uint64_t limit);

/* tm_segment_reason - why there is no recording, in words; @error as of tm_segment_create() */
const char *tm_segment_reason(int error);

/* tm_segment_at - address of a byte of a region; the caller knows that it is backed. */
TM_INLINE void *tm_segment_at(enum tm_region_id region, uint64_t byte)
{
	return tm_segment.base + tm_segment.header->regions[region].offset + byte;
}

/* tm_lose - count something that could not be recorded.  Async-signal-safe. */
void tm_lose(enum tm_loss what);
void tm_lose_many(enum tm_loss what, uint64_t count);

/* tm_blind - note in the header what cannot be seen from now on.  Async-signal-safe. */
void tm_blind(enum tm_blind what);

#endif

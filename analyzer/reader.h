/*
 * reader.h - a recording, opened read-only and checked
 *
 * Every byte of a recording is hostile: it may be truncated, damaged, or made by
 * somebody who wants the analyzer to crash.  What this interface hands out is bounded:
 * table sizes lie inside the file, indices and string offsets are checked, chains of
 * sites end.  The file is copied with pread(), never mapped, so that a file truncated
 * by someone else while we read is a short read and not a signal.
 *
 * A reader is used by one thread.  Pointers it returns live until the next
 * tm_reader_reload() or tm_reader_close().
 */
#ifndef TIDEMARK_READER_H
#define TIDEMARK_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <tidemark/layout.h>

struct tm_reader;

/* Bytes of the target: not terminated, any content (text.h prints them safely). */
struct tm_bytes {
	const char *data; /* never NULL */
	size_t size;
};

/* Why a recording could not be opened: one clause without a final dot. */
struct tm_reader_why {
	char text[256];
};

/* A region as far as it can be trusted: offset and backed lie inside the file. */
struct tm_reader_region {
	uint64_t offset;      /* in the file, bytes */
	uint64_t capacity;    /* bytes */
	uint64_t backed;      /* bytes with file space behind them */
	uint64_t used;	      /* records; DEATHS: ever begun; SHADOW and STRINGS: bytes */
	uint64_t used_bytes;  /* what of `backed` holds data, bytes */
	uint64_t record_size; /* bytes; 1 for SHADOW and STRINGS */
};

/* Sums over the thread slots. */
struct tm_reader_counters {
	uint64_t created;
	uint64_t destroyed;
	uint64_t lost;
};

/*
 * tm_reader_open - open and check a recording
 * @path: the file; never written, symbolic links are followed
 * @out:  set on success only; release with tm_reader_close()
 * @why:  filled on failure, fit for "cannot read PATH: <why>"
 *
 * Returns 0, -EPROTO (not a recording, or of another layout version), -EBADMSG (a
 * recording, but its header contradicts itself or the file ends inside its tables), or
 * another -errno from the system.  Works while the recorder still writes.
 */
int tm_reader_open(const char *path, struct tm_reader **out, struct tm_reader_why *why);

/* The same for a descriptor, which the reader owns from then on, also on failure. */
int tm_reader_open_fd(int fd, struct tm_reader **out, struct tm_reader_why *why);

void tm_reader_close(struct tm_reader *reader);

/* The descriptor, for fstat() and the like; stays the reader's. */
int tm_reader_fd(const struct tm_reader *reader);

/*
 * Reads the header again, and each table again when it is next asked for: a live
 * recording has grown.  Returns 0, or -EBADMSG or -errno when the file has become
 * unreadable; what was known before stays valid then.
 */
int tm_reader_reload(struct tm_reader *reader);

/* The header as of the last (re)load: a private copy. */
const struct tm_header *tm_reader_header(const struct tm_reader *reader);

struct tm_reader_region tm_reader_region(const struct tm_reader *reader, enum tm_region_id id);

/*
 * Damage found so far, as one sentence ("the file is truncated: …"); NULL = none.  A
 * report built on a damaged recording is not complete.
 */
const char *tm_reader_damage(const struct tm_reader *reader);

/* Records the first damage found; later ones are consequences more often than not. */
void tm_reader_damaged(struct tm_reader *reader, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Copies file bytes.  Returns how many there were (less than `size` at the end of the
 * file), or -errno.
 */
ssize_t tm_reader_copy(const struct tm_reader *reader, uint64_t offset, void *to, size_t size);

/* One 64-bit counter as it is in the file now, past the cached header; 0 when gone. */
uint64_t tm_reader_used_now(const struct tm_reader *reader, enum tm_region_id id);

/* Records of THREADS, MARKS, CODES, SITES, TYPES or CHUNKS that can be asked for. */
uint32_t tm_reader_count(struct tm_reader *reader, enum tm_region_id id);

/* Records by index; NULL when there is no such record. */
const struct tm_mark *tm_reader_mark(struct tm_reader *reader, uint32_t number);
const struct tm_code *tm_reader_code(struct tm_reader *reader, uint32_t index);
const struct tm_type *tm_reader_type(struct tm_reader *reader, uint32_t index);
const struct tm_chunk *tm_reader_chunk(struct tm_reader *reader, uint32_t index);

/*
 * A site; `*parent` gets the caller's index, always smaller than `index` (0 = none), so
 * that following it ends.  NULL when there is no such site; 0 never is one.
 */
const struct tm_site *tm_reader_site(struct tm_reader *reader, uint32_t index, uint32_t *parent);

/* A string by its offset; empty when the offset or the length is wrong. */
struct tm_bytes tm_reader_string(struct tm_reader *reader, uint32_t offset);

/* The mark's name; empty = unnamed. */
struct tm_bytes tm_mark_name(const struct tm_mark *mark);

/*
 * Reads one mark from the file as it is now: cheap, for polling its state.  Returns 0 or
 * -errno (-ENOENT: no such record).
 */
int tm_reader_fetch_mark(const struct tm_reader *reader, uint32_t number, struct tm_mark *out);

struct tm_reader_counters tm_reader_counters(struct tm_reader *reader);

#endif

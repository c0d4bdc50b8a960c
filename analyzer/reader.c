/*
 * reader.c - open a recording and check its header against the file
 */
#include "reader_private.h"

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

/*
 * A live recorder raises `backed` and then `used` while we copy the header; a copy that
 * caught the old one and the new other is taken again so many times.
 */
#define HEADER_TRIES 8

/*
 * What a region holds.  The most it may hold bounds our memory: a sparse file can claim
 * petabytes that cost its author nothing.
 */
static const struct {
	const char *name;
	uint32_t record_size;
	uint64_t most;
} kinds[TM_R_COUNT] = {
	[TM_R_THREADS] = {"thread", sizeof(struct tm_thread), 1u << 20},
	[TM_R_MARKS] = {"mark", sizeof(struct tm_mark), TM_MAX_MARK + 1},
	[TM_R_STRINGS] = {"string", 1, 1u << 30},
	[TM_R_CODES] = {"code", sizeof(struct tm_code), TM_MAX_SITES},
	[TM_R_SITES] = {"site", sizeof(struct tm_site), TM_MAX_SITES},
	[TM_R_TYPES] = {"type", sizeof(struct tm_type), TM_MAX_TYPES},
	[TM_R_DEATHS] = {"death", sizeof(struct tm_death), UINT64_MAX},
	[TM_R_TALLIES] = {"tally", sizeof(struct tm_tally), UINT64_MAX},
	[TM_R_CHUNKS] = {"chunk", sizeof(struct tm_chunk), 1u << 22},
	[TM_R_CYCLIC] = {"cyclic", sizeof(struct tm_tally), UINT64_MAX},
	[TM_R_GARBAGE] = {"garbage", sizeof(struct tm_garbage), 1u << 22},
	[TM_R_COLLECTIONS] = {"collection", sizeof(struct tm_collection), UINT64_MAX},
	[TM_R_SHADOW] = {"shadow", 1, UINT64_MAX},
};

/* The ring and the hash table are read whole, so their size itself is bounded. */
#define MOST_RING_BYTES (1ull << 30)

static int fail(struct tm_reader_why *why, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct tm_reader_why *why, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, args);
	va_end(args);
	return err;
}

void tm_reader_damaged(struct tm_reader *reader, const char *fmt, ...)
{
	va_list args;

	if (reader->damage[0])
		return;
	va_start(args, fmt);
	vsnprintf(reader->damage, sizeof(reader->damage), fmt, args);
	va_end(args);
}

ssize_t tm_reader_copy(const struct tm_reader *reader, uint64_t offset, void *to, size_t size)
{
	size_t done = 0;

	if (offset > INT64_MAX || size > (uint64_t)INT64_MAX - offset)
		return -EOVERFLOW;
	while (done < size) {
		ssize_t n =
			pread(reader->fd, (char *)to + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* Tables that turn: `used` counts the records ever begun. */
static bool is_ring(unsigned id)
{
	return id == TM_R_DEATHS || id == TM_R_COLLECTIONS;
}

/* Open hash tables: all that has space behind it is in use. */
static bool is_hash(unsigned id)
{
	return id == TM_R_TALLIES || id == TM_R_CYCLIC;
}

/* Offset and capacity: fixed for the life of the file, so wrong is wrong. */
static int check_place(const struct tm_header *h, unsigned id, struct tm_reader_why *why)
{
	const struct tm_region *region = &h->regions[id];
	uint64_t before = TM_MAILBOX_OFFSET + sizeof(struct tm_mailbox);

	if (id > 0)
		before = h->regions[id - 1].offset + h->regions[id - 1].capacity;
	if (region->offset % TM_REGION_ALIGN != 0 || region->offset < before ||
	    region->offset > h->file_size || region->capacity > h->file_size - region->offset)
		return fail(why, -EBADMSG, "damaged: the place of its %s table makes no sense",
			    kinds[id].name);
	if ((is_ring(id) || is_hash(id)) && region->capacity > MOST_RING_BYTES)
		return fail(why, -EBADMSG, "damaged: the size of its %s table makes no sense",
			    kinds[id].name);
	return 0;
}

static int check_identity(const struct tm_reader *reader, const struct tm_header *h, size_t got,
			  struct tm_reader_why *why)
{
	if (reader->file_size == 0)
		return fail(why, -EPROTO, "an empty file, not a recording");
	if (got < offsetof(struct tm_header, header_size) || h->magic != TM_MAGIC)
		return fail(why, -EPROTO, "not a recording");
	if (h->major != TM_LAYOUT_MAJOR)
		return fail(why, -EPROTO,
			    "recorded in layout version %u, this tidemark reads version %u",
			    (unsigned)h->major, (unsigned)TM_LAYOUT_MAJOR);
	if (got < sizeof(*h))
		return fail(why, -EBADMSG, "truncated: %" PRIu64 " bytes are left of it",
			    reader->file_size);
	if (h->header_size < sizeof(*h) || h->header_size > TM_MAILBOX_OFFSET)
		return fail(why, -EBADMSG, "damaged: a header of %" PRIu32 " bytes makes no sense",
			    h->header_size);
	return 0;
}

/* What of a region is in use, as far as its records have file space behind them. */
static uint64_t used_of(struct tm_reader_region *out, unsigned id, uint64_t used)
{
	uint64_t room = out->backed / out->record_size;
	uint64_t wanted = used;

	if (is_hash(id))
		wanted = room;
	else if (is_ring(id) && used > out->capacity / out->record_size)
		wanted = out->capacity / out->record_size;
	out->used = is_ring(id) ? used : (wanted > room ? room : wanted);
	out->used_bytes = (wanted > room ? room : wanted) * out->record_size;
	return wanted > room ? wanted - room : 0;
}

/*
 * Fill in one region.  Returns 0, -EAGAIN when `used` and `backed` disagree (which
 * another look may cure), or -EBADMSG.
 */
static int check_use(struct tm_reader *reader, const struct tm_header *h, unsigned id,
		     struct tm_reader_why *why)
{
	struct tm_reader_region *out = &reader->regions[id];
	uint64_t beyond;

	out->offset = h->regions[id].offset;
	out->capacity = h->regions[id].capacity;
	out->backed = h->regions[id].backed;
	out->record_size = kinds[id].record_size;
	if (out->backed > out->capacity)
		out->backed = out->capacity;
	beyond = used_of(out, id, h->regions[id].used);
	if (!is_ring(id) && !is_hash(id) && out->used > kinds[id].most)
		return fail(why, -EBADMSG, "damaged: the size of its %s table makes no sense",
			    kinds[id].name);
	return beyond ? -EAGAIN : 0;
}

/* The end of the file: a cut table is beyond use, cut shadow is so much shadow less. */
static int check_end(struct tm_reader *reader, unsigned id, struct tm_reader_why *why)
{
	struct tm_reader_region *region = &reader->regions[id];
	uint64_t size = reader->file_size;

	if (region->used_bytes == 0 ||
	    (region->offset <= size && region->used_bytes <= size - region->offset))
		return 0;
	if (id != TM_R_SHADOW)
		return fail(why, -EBADMSG,
			    "truncated: %" PRIu64
			    " bytes are left of it, its %s table ends at %" PRIu64,
			    size, kinds[id].name, region->offset + region->used_bytes);
	tm_reader_damaged(reader,
			  "the file is truncated: %" PRIu64 " of %" PRIu64 " bytes are left", size,
			  region->offset + region->used_bytes);
	region->used_bytes = region->offset < size ? size - region->offset : 0;
	region->used = region->used_bytes;
	if (region->backed > region->used_bytes)
		region->backed = region->used_bytes;
	return 0;
}

/* One look at the header.  -EAGAIN: usable, but tables claim more than they have. */
static int look(struct tm_reader *reader, struct tm_header *h, struct tm_reader_why *why)
{
	struct stat st;
	ssize_t got;
	int disagree = 0;
	int err;

	if (fstat(reader->fd, &st))
		return fail(why, -errno, "%s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return fail(why, -EISDIR, "a directory, not a recording");
	if (!S_ISREG(st.st_mode))
		return fail(why, -EPROTO, "not a regular file, so not a recording");
	reader->file_size = (uint64_t)st.st_size;
	memset(h, 0, sizeof(*h));
	got = tm_reader_copy(reader, 0, h, sizeof(*h));
	if (got < 0)
		return fail(why, (int)got, "%s", strerror((int)-got));
	err = check_identity(reader, h, (size_t)got, why);
	for (unsigned id = 0; id < TM_R_COUNT && !err; id++) {
		err = check_place(h, id, why);
		if (!err)
			err = check_use(reader, h, id, why);
		if (err == -EAGAIN) {
			disagree = err;
			err = 0;
		}
		if (!err)
			err = check_end(reader, id, why);
	}
	return err ? err : disagree;
}

static int read_header(struct tm_reader *reader, struct tm_reader_why *why)
{
	struct tm_header h;
	int err = -EAGAIN;

	for (int tries = 0; err == -EAGAIN && tries < HEADER_TRIES; tries++)
		err = look(reader, &h, why);
	if (err == -EAGAIN) {
		tm_reader_damaged(reader, "a table claims more records than it has room for");
		err = 0;
	}
	if (!err)
		memcpy(&reader->header, &h, sizeof(h));
	return err;
}

int tm_reader_open_fd(int fd, struct tm_reader **out, struct tm_reader_why *why)
{
	struct tm_reader *reader = tm_mem_new(sizeof(*reader));
	int err;

	reader->fd = fd;
	err = read_header(reader, why);
	if (err)
		tm_reader_close(reader);
	else
		*out = reader;
	return err;
}

int tm_reader_open(const char *path, struct tm_reader **out, struct tm_reader_why *why)
{
	/* not to hang on a fifo; without effect on files */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return fail(why, -errno, "%s", strerror(errno));
	return tm_reader_open_fd(fd, out, why);
}

void tm_reader_close(struct tm_reader *reader)
{
	if (!reader)
		return;
	tm_reader_drop_tables(reader);
	close(reader->fd);
	free(reader);
}

int tm_reader_fd(const struct tm_reader *reader)
{
	return reader->fd;
}

int tm_reader_reload(struct tm_reader *reader)
{
	struct tm_reader was = *reader;
	struct tm_reader_why why;
	int err = read_header(reader, &why);

	if (err) {
		*reader = was;
		tm_reader_damaged(reader, "the file was damaged while it was read: %s", why.text);
		return err;
	}
	for (unsigned id = 0; id < TM_R_COUNT; id++)
		reader->tables[id].fresh = false;
	return 0;
}

const struct tm_header *tm_reader_header(const struct tm_reader *reader)
{
	return &reader->header;
}

struct tm_reader_region tm_reader_region(const struct tm_reader *reader, enum tm_region_id id)
{
	return reader->regions[id];
}

const char *tm_reader_damage(const struct tm_reader *reader)
{
	return reader->damage[0] ? reader->damage : NULL;
}

uint64_t tm_reader_used_now(const struct tm_reader *reader, enum tm_region_id id)
{
	uint64_t used = 0;
	uint64_t at = offsetof(struct tm_header, regions) +
		      (uint64_t)id * sizeof(struct tm_region) + offsetof(struct tm_region, used);

	if (tm_reader_copy(reader, at, &used, sizeof(used)) != sizeof(used))
		return 0;
	return used;
}

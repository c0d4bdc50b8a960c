/*
 * saver.c - copy in the order in which a live recorder publishes, backwards
 *
 * Shadow words name sites and types, which name strings; an object's death is in the ring
 * before its word is cleared, and in the tallies before its record is overwritten.  So
 * shadow goes first, then ring and tallies, then the collector's side, then the tables:
 * whatever a copied part refers to is in a part that is copied after it.
 */
#include "saver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mem.h"
#include "shadow.h"

#define BLOCK	   (1u << 20)
#define PAGE	   4096u
#define SAVE_TRIES 4
#define RING_TRIES 16

/* A copy under way. */
struct saver {
	struct tm_reader *reader;
	int fd;
	struct tm_header header; /* of the copy */
	uint32_t current;	 /* marks after this one are not part of it */
	uint64_t deaths_before;	 /* records begun before the shadow was copied */
	uint8_t *block;		 /* BLOCK bytes */
	struct tm_saver_result *result;
};

/* Another try with fresh sizes may do. */
enum outcome {
	DONE,
	FAILED,
	AGAIN
};

static enum outcome fail_write(struct saver *s)
{
	s->result->failure = TM_SAVER_WRITE;
	s->result->errno_value = errno;
	return FAILED;
}

static enum outcome fail_damaged(struct saver *s, const char *what)
{
	s->result->failure = TM_SAVER_DAMAGED;
	snprintf(s->result->text, sizeof(s->result->text), "%s", what);
	return FAILED;
}

static enum outcome put(struct saver *s, uint64_t offset, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;

	while (size > 0) {
		ssize_t n = pwrite(s->fd, p, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail_write(s);
		p += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return DONE;
}

static enum outcome copy_range(struct saver *s, uint64_t from, uint64_t to, uint64_t size)
{
	while (size > 0) {
		size_t step = size < BLOCK ? (size_t)size : BLOCK;
		enum outcome outcome;

		if (tm_reader_copy(s->reader, from, s->block, step) != (ssize_t)step)
			return fail_damaged(s, "the file became shorter while it was read");
		outcome = put(s, to, s->block, step);
		if (outcome != DONE)
			return outcome;
		from += step;
		to += step;
		size -= step;
	}
	return DONE;
}

static uint64_t align_region(uint64_t offset)
{
	return (offset + TM_REGION_ALIGN - 1) & ~(uint64_t)(TM_REGION_ALIGN - 1);
}

static bool is_finished(const struct tm_header *header)
{
	return header->saved || header->state == TM_PS_EXITED;
}

/* Room for a region: what it has, and a quarter more when it may grow while we copy. */
static uint64_t room_for(const struct tm_reader *reader, enum tm_region_id id)
{
	struct tm_reader_region region = tm_reader_region(reader, id);
	uint64_t room = region.used_bytes;

	if (!is_finished(tm_reader_header(reader)))
		room += room / 4 + TM_REGION_ALIGN;
	return room < region.capacity ? room : region.capacity;
}

/* Gives each region its place; its final size comes when it has been copied. */
static void lay_out(struct saver *s)
{
	uint64_t offset = TM_REGION_ALIGN;

	for (unsigned id = 0; id < TM_R_COUNT; id++) {
		struct tm_region *region = &s->header.regions[id];

		memset(region, 0, sizeof(*region));
		region->offset = offset;
		region->capacity = room_for(s->reader, id);
		offset = align_region(offset + region->capacity);
	}
}

/* Does this much fit between a region's place and the next one's? */
static bool fits(const struct saver *s, enum tm_region_id id, uint64_t bytes)
{
	return bytes <= s->header.regions[id + 1].offset - s->header.regions[id].offset;
}

static void set_size(struct saver *s, enum tm_region_id id, uint64_t bytes, uint64_t used)
{
	struct tm_region *region = &s->header.regions[id];

	region->capacity = bytes;
	region->backed = bytes;
	region->used = used;
}

/* ---- shadow ------------------------------------------------------------------ */

/* What was born after the copy began is not part of it. */
static void drop_newer(uint64_t *words, uint32_t newest_birth)
{
	for (size_t i = 0; i < TM_CHUNK_WORDS; i++) {
		enum tm_kind kind = tm_word_kind(words[i]);

		if ((kind == TM_OBJECT || kind == TM_BUFFER || kind == TM_PENDING) &&
		    tm_word_birth(words[i]) > newest_birth)
			words[i] = 0;
	}
}

/* Writes the pages that hold something; the others stay holes. */
static enum outcome put_words(struct saver *s, uint64_t offset, const uint64_t *words, bool *any)
{
	static const uint64_t zero[PAGE / sizeof(uint64_t)];
	const uint8_t *bytes = (const uint8_t *)words;
	enum outcome outcome = DONE;

	*any = false;
	for (size_t at = 0; at < TM_CHUNK_SHADOW && outcome == DONE; at += PAGE) {
		if (memcmp(bytes + at, zero, PAGE) == 0)
			continue;
		*any = true;
		outcome = put(s, offset + at, bytes + at, PAGE);
	}
	return outcome;
}

static enum outcome copy_chunks(struct saver *s, const struct tm_shadow *shadow, uint64_t *words)
{
	uint64_t records = s->header.regions[TM_R_CHUNKS].offset;
	uint64_t start = s->header.regions[TM_R_SHADOW].offset, end = start;
	enum outcome outcome = DONE;
	uint64_t kept = 0;

	for (size_t i = 0; i < shadow->count && outcome == DONE; i++) {
		struct tm_chunk record = {.heap_base = shadow->chunks[i].heap_base,
					  .shadow = end,
					  .newest_birth = shadow->chunks[i].newest_birth};
		bool any;

		if (!tm_shadow_read(shadow, s->reader, i, words))
			return fail_damaged(s, "the file became shorter while it was read");
		drop_newer(words, s->current + 1);
		outcome = put_words(s, end, words, &any);
		if (outcome != DONE || !any)
			continue;
		outcome = put(s, records + kept * sizeof(record), &record, sizeof(record));
		kept++;
		end += TM_CHUNK_SHADOW;
	}
	set_size(s, TM_R_CHUNKS, kept * sizeof(struct tm_chunk), kept);
	set_size(s, TM_R_SHADOW, end - start, end - start);
	return outcome;
}

static enum outcome copy_shadow(struct saver *s)
{
	uint64_t *words = tm_mem_array(TM_SHADOW_WORDS, sizeof(*words));
	struct tm_shadow shadow;
	enum outcome outcome;

	tm_shadow_open(&shadow, s->reader);
	if (tm_reader_damage(s->reader) != NULL)
		outcome = fail_damaged(s, tm_reader_damage(s->reader));
	else
		outcome = copy_chunks(s, &shadow, words);
	tm_shadow_close(&shadow);
	free(words);
	return outcome;
}

/* ---- deaths ------------------------------------------------------------------ */

/* The slots of a ring that ever got a record, at their places; `used` of the source. */
static enum outcome copy_ring(struct saver *s, enum tm_region_id id, uint64_t used)
{
	struct tm_reader_region source = tm_reader_region(s->reader, id);
	struct tm_region *copy = &s->header.regions[id];
	uint64_t slots = source.capacity / source.record_size;
	uint64_t bytes = (used < slots ? used : slots) * source.record_size;

	/* A ring that has not turned yet may be cut: record i is still in slot i. */
	if (!fits(s, id, bytes))
		return AGAIN;
	set_size(s, id, bytes, used);
	return copy_range(s, source.offset, copy->offset, bytes);
}

/* A hash table only for the recorder; its readers take the records in any order. */
static enum outcome copy_tallies(struct saver *s, enum tm_region_id id)
{
	struct tm_reader_region source = tm_reader_region(s->reader, id);
	struct tm_tally *tallies = tm_mem_new(source.used_bytes + 1);
	ssize_t got = tm_reader_copy(s->reader, source.offset, tallies, source.used_bytes);
	size_t count = got > 0 ? (size_t)got / sizeof(*tallies) : 0, kept = 0;
	enum outcome outcome;

	for (size_t i = 0; i < count; i++)
		if (tallies[i].word != 0)
			memcpy(&tallies[kept++], &tallies[i], sizeof(*tallies));
	if (!fits(s, id, kept * sizeof(*tallies))) {
		free(tallies);
		return AGAIN;
	}
	set_size(s, id, kept * sizeof(*tallies), kept);
	outcome = put(s, s->header.regions[id].offset, tallies, kept * sizeof(*tallies));
	free(tallies);
	return outcome;
}

/*
 * Both, at a moment in which no record is begun if there is one.  When the ring turned
 * once around since the shadow was copied, deaths are in the tallies of objects that the
 * shadow shows alive, and no one could tell which.
 */
static enum outcome copy_deaths(struct saver *s)
{
	uint64_t slots =
		tm_reader_region(s->reader, TM_R_DEATHS).capacity / sizeof(struct tm_death);
	uint64_t before, after = tm_reader_used_now(s->reader, TM_R_DEATHS);
	enum outcome outcome;
	int tries = 0;

	do {
		before = after;
		outcome = copy_ring(s, TM_R_DEATHS, before);
		if (outcome == DONE)
			outcome = copy_tallies(s, TM_R_TALLIES);
		after = tm_reader_used_now(s->reader, TM_R_DEATHS);
	} while (outcome == DONE && before != after && ++tries < RING_TRIES);
	if (outcome != DONE)
		return outcome;
	/* It turned for the first time: a ring that was cut, and maybe no tallies yet. */
	if (after > slots && s->deaths_before <= slots && after != s->deaths_before)
		return AGAIN;
	if (after - s->deaths_before > slots)
		return AGAIN;
	/*
	 * Records begun after the ring was copied are of objects that the shadow shows alive.
	 * Those they overwrote are in the tallies, and must not count as kept.
	 */
	if (after > slots)
		s->header.regions[TM_R_DEATHS].used = after;
	return DONE;
}

/* ---- the collector's side ------------------------------------------------------ */

/* What came after the copy began is not part of it: entries, and that others went. */
static size_t keep_garbage(const struct saver *s, struct tm_garbage *entries, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (entries[i].since > s->current + 1)
			continue;
		if (entries[i].gone > s->current + 1)
			entries[i].gone = 0;
		if (kept != i)
			memcpy(&entries[kept], &entries[i], sizeof(*entries));
		kept++;
	}
	return kept;
}

static enum outcome copy_garbage(struct saver *s)
{
	struct tm_reader_region source = tm_reader_region(s->reader, TM_R_GARBAGE);
	struct tm_garbage *entries = (struct tm_garbage *)(void *)s->block;
	uint64_t start = s->header.regions[TM_R_GARBAGE].offset, kept = 0;
	enum outcome outcome = DONE;

	if (!fits(s, TM_R_GARBAGE, source.used * sizeof(*entries)))
		return AGAIN;
	for (uint64_t done = 0; done < source.used && outcome == DONE;) {
		uint64_t left = source.used - done, most = BLOCK / sizeof(*entries);
		size_t count = (size_t)(left < most ? left : most);
		size_t bytes = count * sizeof(*entries);

		if (tm_reader_copy(s->reader, source.offset + done * sizeof(*entries), entries,
				   bytes) != (ssize_t)bytes)
			return fail_damaged(s, "the file became shorter while it was read");
		done += count;
		count = keep_garbage(s, entries, count);
		outcome =
			put(s, start + kept * sizeof(*entries), entries, count * sizeof(*entries));
		kept += count;
	}
	set_size(s, TM_R_GARBAGE, kept * sizeof(*entries), kept);
	return outcome;
}

/* Runs of the collector that are overwritten or begun meanwhile are left out by readers. */
static enum outcome copy_collector(struct saver *s)
{
	enum outcome outcome = copy_garbage(s);

	if (outcome == DONE)
		outcome = copy_tallies(s, TM_R_CYCLIC);
	if (outcome == DONE)
		outcome = copy_ring(s, TM_R_COLLECTIONS,
				    tm_reader_region(s->reader, TM_R_COLLECTIONS).used);
	return outcome;
}

/* ---- tables and header --------------------------------------------------------- */

static enum outcome copy_table(struct saver *s, enum tm_region_id id)
{
	struct tm_reader_region source = tm_reader_region(s->reader, id);
	struct tm_region *copy = &s->header.regions[id];
	uint64_t used = source.used;

	if (id == TM_R_MARKS && used > (uint64_t)s->current + 1)
		used = (uint64_t)s->current + 1;
	if (!fits(s, id, used * source.record_size))
		return AGAIN;
	set_size(s, id, used * source.record_size, used);
	return copy_range(s, source.offset, copy->offset, used * source.record_size);
}

static enum outcome copy_tables(struct saver *s)
{
	static const enum tm_region_id tables[] = {TM_R_SITES,	 TM_R_TYPES, TM_R_CODES,
						   TM_R_STRINGS, TM_R_MARKS, TM_R_THREADS};
	enum outcome outcome = DONE;

	if (tm_reader_reload(s->reader) != 0)
		return fail_damaged(s, tm_reader_damage(s->reader));
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && outcome == DONE; i++)
		outcome = copy_table(s, tables[i]);
	return outcome;
}

/* All but the regions and what belongs to the moment the copy began. */
static void fill_header(struct saver *s, uint32_t state, uint64_t saved_ns)
{
	struct tm_region regions[TM_R_SLOTS];
	const struct tm_region *last = &s->header.regions[TM_R_SHADOW];
	uint64_t size = last->offset + last->capacity;

	memcpy(regions, s->header.regions, sizeof(regions));
	memcpy(&s->header, tm_reader_header(s->reader), sizeof(s->header));
	memcpy(s->header.regions, regions, sizeof(regions));
	s->header.file_size = size;
	s->header.header_size = sizeof(s->header);
	s->header.current = s->current;
	s->header.state = state;
	s->header.saved = 1;
	if (s->header.saved_ns == 0)
		s->header.saved_ns = saved_ns;
	s->result->bytes = size;
}

static enum outcome put_header(struct saver *s)
{
	const size_t magic = sizeof(s->header.magic);
	const uint8_t *bytes = (const uint8_t *)&s->header;
	enum outcome outcome;

	if (ftruncate(s->fd, (off_t)s->header.file_size) != 0)
		return fail_write(s);
	outcome = put(s, magic, bytes + magic, sizeof(s->header) - magic);
	/* Some file systems find out here that there is no room. */
	if (outcome == DONE && fsync(s->fd) != 0 && errno != EINVAL)
		return fail_write(s);
	return outcome == DONE ? put(s, 0, bytes, magic) : outcome;
}

static uint64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static enum outcome save_once(struct saver *s)
{
	uint64_t saved_ns = realtime_ns();
	enum outcome outcome;
	uint32_t state;

	if (tm_reader_reload(s->reader) != 0 || tm_reader_damage(s->reader) != NULL)
		return fail_damaged(s, tm_reader_damage(s->reader));
	if (ftruncate(s->fd, 0) != 0)
		return fail_write(s);
	s->current = tm_reader_header(s->reader)->current;
	state = tm_reader_header(s->reader)->state;
	s->deaths_before = tm_reader_used_now(s->reader, TM_R_DEATHS);
	lay_out(s);
	outcome = copy_shadow(s);
	if (outcome == DONE)
		outcome = copy_deaths(s);
	if (outcome == DONE)
		outcome = copy_collector(s);
	if (outcome == DONE)
		outcome = copy_tables(s);
	if (outcome != DONE)
		return outcome;
	fill_header(s, state, saved_ns);
	return put_header(s);
}

void tm_saver_write(struct tm_reader *reader, int fd, struct tm_saver_result *result)
{
	struct saver s = {.reader = reader, .fd = fd, .result = result};
	enum outcome outcome = AGAIN;

	memset(result, 0, sizeof(*result));
	s.block = tm_mem_new(BLOCK);
	for (int tries = 0; outcome == AGAIN && tries < SAVE_TRIES; tries++)
		outcome = save_once(&s);
	if (outcome == AGAIN)
		result->failure = TM_SAVER_TOO_FAST;
	free(s.block);
}

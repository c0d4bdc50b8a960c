/*
 * reader_tables.c - the records of a recording's tables, by index
 *
 * A table is copied into private memory when it is first asked for.  The tables that
 * only grow keep what they have over a reload and read on from there.
 */
#include "reader_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* Records of these are never changed once published. */
static bool append_only(enum tm_region_id id)
{
	return id == TM_R_STRINGS || id == TM_R_CODES || id == TM_R_SITES || id == TM_R_TYPES;
}

static const struct tm_reader_table *table(struct tm_reader *reader, enum tm_region_id id)
{
	struct tm_reader_table *t = &reader->tables[id];
	const struct tm_reader_region *region = &reader->regions[id];
	size_t size = region->record_size;
	uint64_t keep = append_only(id) ? t->loaded : 0;
	ssize_t got;

	if (t->fresh)
		return t;
	t->fresh = true;
	if (region->used <= keep)
		return t;
	t->data = tm_mem_resize(t->data, region->used, size);
	got = tm_reader_copy(reader, region->offset + keep * size, (char *)t->data + keep * size,
			     (region->used - keep) * size);
	t->loaded = keep + (got > 0 ? (uint64_t)got / size : 0);
	if (t->loaded < region->used)
		tm_reader_damaged(reader, "the file became shorter while it was read");
	return t;
}

static const void *record(struct tm_reader *reader, enum tm_region_id id, uint32_t index)
{
	const struct tm_reader_table *t = table(reader, id);

	if (index >= t->loaded)
		return NULL;
	return (const char *)t->data + (size_t)index * reader->regions[id].record_size;
}

void tm_reader_drop_tables(struct tm_reader *reader)
{
	for (unsigned id = 0; id < TM_R_COUNT; id++)
		free(reader->tables[id].data);
}

uint32_t tm_reader_count(struct tm_reader *reader, enum tm_region_id id)
{
	return (uint32_t)table(reader, id)->loaded;
}

const struct tm_mark *tm_reader_mark(struct tm_reader *reader, uint32_t number)
{
	return record(reader, TM_R_MARKS, number);
}

const struct tm_code *tm_reader_code(struct tm_reader *reader, uint32_t index)
{
	return index == 0 ? NULL : record(reader, TM_R_CODES, index);
}

const struct tm_type *tm_reader_type(struct tm_reader *reader, uint32_t index)
{
	return index == 0 ? NULL : record(reader, TM_R_TYPES, index);
}

const struct tm_chunk *tm_reader_chunk(struct tm_reader *reader, uint32_t index)
{
	return record(reader, TM_R_CHUNKS, index);
}

const struct tm_site *tm_reader_site(struct tm_reader *reader, uint32_t index, uint32_t *parent)
{
	const struct tm_site *site = index == 0 ? NULL : record(reader, TM_R_SITES, index);

	if (!site)
		return NULL;
	*parent = site->parent;
	if (site->parent >= index) {
		tm_reader_damaged(reader, "a call stack makes no sense");
		*parent = 0;
	}
	return site;
}

struct tm_bytes tm_reader_string(struct tm_reader *reader, uint32_t offset)
{
	static const struct tm_bytes empty = {"", 0};
	const struct tm_reader_table *t = table(reader, TM_R_STRINGS);
	struct tm_string head;

	if (offset == 0)
		return empty;
	if (offset % 4 == 0 && offset <= t->loaded && sizeof(head) <= t->loaded - offset) {
		memcpy(&head, (const char *)t->data + offset, sizeof(head));
		if (head.length <= t->loaded - offset - sizeof(head))
			return (struct tm_bytes){(const char *)t->data + offset + sizeof(head),
						 head.length};
	}
	tm_reader_damaged(reader, "a name lies outside the table of strings");
	return empty;
}

struct tm_bytes tm_mark_name(const struct tm_mark *mark)
{
	size_t most = mark->name_length < TM_NAME_MAX ? mark->name_length : TM_NAME_MAX;

	return (struct tm_bytes){(const char *)mark->name, strnlen((const char *)mark->name, most)};
}

int tm_reader_fetch_mark(const struct tm_reader *reader, uint32_t number, struct tm_mark *out)
{
	const struct tm_reader_region *region = &reader->regions[TM_R_MARKS];
	uint64_t at = (uint64_t)number * sizeof(*out);
	ssize_t got;

	/* capacity, not backed: the mark polled for may be newer than our header */
	if (at >= region->capacity || sizeof(*out) > region->capacity - at)
		return -ENOENT;
	got = tm_reader_copy(reader, region->offset + at, out, sizeof(*out));
	if (got < 0)
		return (int)got;
	return got == sizeof(*out) ? 0 : -ENOENT;
}

struct tm_reader_counters tm_reader_counters(struct tm_reader *reader)
{
	struct tm_reader_counters sum = {0};
	uint32_t count = tm_reader_count(reader, TM_R_THREADS);

	for (uint32_t i = 0; i < count; i++) {
		const struct tm_thread *t = record(reader, TM_R_THREADS, i);

		sum.created += t->created;
		sum.destroyed += t->destroyed;
		sum.lost += t->lost;
	}
	return sum;
}

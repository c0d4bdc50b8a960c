/*
 * garbage_list.c - the table of gc.garbage, read in pieces: it may have millions of records
 */
#include "garbage_list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "shadow.h"

#define BLOCK_RECORDS 4096u

struct search {
	struct tm_garbage_list *list;
	size_t capacity;
	const struct tm_span *span;
	uint64_t nonsense;
};

static bool sane(const struct tm_garbage *record, uint32_t gone)
{
	enum tm_kind kind = tm_word_kind(record->word);

	return (kind == TM_OBJECT || kind == TM_PENDING) && record->size <= TM_SHADOW_MOST_BYTES &&
	       (gone == 0 || gone >= record->since);
}

static void consider(struct search *s, const struct tm_garbage *record, uint32_t order)
{
	struct tm_garbage_list *list = s->list;
	uint32_t from = s->span->from.number, to = s->span->to.number;
	uint32_t gone = record->gone;

	if (!sane(record, gone)) {
		s->nonsense++;
		return;
	}
	if (record->since <= from || record->since > to || (gone != 0 && gone <= to))
		return;
	list->entries =
		tm_mem_grow(list->entries, list->count, &s->capacity, sizeof(*list->entries));
	list->entries[list->count++] = (struct tm_garbage_entry){
		record->address, record->word & ~TM_WATCHED, record->size, record->since, order};
}

static void read_table(struct search *s, struct tm_reader *reader)
{
	struct tm_reader_region region = tm_reader_region(reader, TM_R_GARBAGE);
	struct tm_garbage *block = tm_mem_array(BLOCK_RECORDS, sizeof(*block));
	uint64_t done = 0;

	while (done < region.used) {
		uint64_t left = region.used - done;
		size_t wanted = left < BLOCK_RECORDS ? (size_t)left : BLOCK_RECORDS;
		ssize_t got = tm_reader_copy(reader, region.offset + done * sizeof(*block), block,
					     wanted * sizeof(*block));
		size_t there = got > 0 ? (size_t)got / sizeof(*block) : 0;

		for (size_t i = 0; i < there; i++)
			consider(s, &block[i], (uint32_t)(done + i));
		if (there < wanted) {
			tm_reader_damaged(reader, "the file became shorter while it was read");
			break;
		}
		done += wanted;
	}
	free(block);
}

static int newest_first(const void *left, const void *right)
{
	const struct tm_garbage_entry *l = left;
	const struct tm_garbage_entry *r = right;

	if (l->since != r->since)
		return l->since > r->since ? -1 : 1;
	return l->order < r->order ? -1 : l->order > r->order;
}

void tm_garbage_make(struct tm_garbage_list *list, struct tm_reader *reader,
		     const struct tm_span *span)
{
	struct search s = {.list = list, .span = span};

	memset(list, 0, sizeof(*list));
	read_table(&s, reader);
	if (s.nonsense)
		tm_reader_damaged(reader, "%" PRIu64 " of its entries of gc.garbage make no sense",
				  s.nonsense);
	if (list->count > 1)
		qsort(list->entries, list->count, sizeof(*list->entries), newest_first);
}

void tm_garbage_free(struct tm_garbage_list *list)
{
	free(list->entries);
}

/* The entries [start, end) are of one mark; their groups go to the end of `all`. */
static void add_groups(struct tm_groups *all, const struct tm_garbage_list *list, size_t start,
		       size_t end, struct tm_model *model, const struct tm_scan_facts *facts,
		       enum tm_group_by by, const struct tm_filter *filter)
{
	struct tm_cells cells = {0};
	struct tm_groups more;

	for (size_t i = start; i < end; i++) {
		const struct tm_garbage_entry *e = &list->entries[i];

		tm_cells_add(&cells, e->word, 1, e->bytes, e->address);
	}
	more = tm_groups_make(&cells, model, facts, by, filter);
	for (size_t i = 0; i < more.count; i++)
		more.items[i].since = list->entries[start].since;
	tm_groups_join(all, &more);
	tm_cells_free(&cells);
}

struct tm_groups tm_garbage_groups(const struct tm_garbage_list *list, struct tm_model *model,
				   const struct tm_scan_facts *facts, enum tm_group_by by,
				   const struct tm_filter *filter)
{
	struct tm_groups groups = {NULL, 0};
	size_t end;

	for (size_t start = 0; start < list->count; start = end) {
		for (end = start + 1; end < list->count; end++)
			if (list->entries[end].since != list->entries[start].since)
				break;
		add_groups(&groups, list, start, end, model, facts, by, filter);
	}
	return groups;
}

/*
 * history.c - births and deaths summed up along the marks
 */
#include "history.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "points.h"

/*
 * Alive at mark k is who was born in an earlier interval and did not die in an earlier
 * one.  Each item adds to the first such mark and subtracts after the last; unsigned
 * sums wrap around and back.
 */
static void visit(void *context, const struct tm_scan_item *item)
{
	struct tm_history *h = context;
	int64_t first = tm_scan_interval(&h->facts, item->word) + 1;
	uint64_t objects = tm_word_kind(item->word) == TM_BUFFER ? 0 : (uint64_t)item->count;
	uint64_t bytes = item->count < 0 ? -item->bytes : item->bytes;

	if (first >= h->count || item->death < first)
		return;
	h->objects[first] += objects;
	h->bytes[first] += bytes;
	if (item->death < h->count - 1) {
		h->objects[item->death + 1] -= objects;
		h->bytes[item->death + 1] -= bytes;
	}
}

void tm_history_make(struct tm_history *h, struct tm_reader *reader)
{
	memset(h, 0, sizeof(*h));
	h->count = tm_points_newest(reader) + 1;
	h->objects = tm_mem_array(h->count, sizeof(*h->objects));
	h->bytes = tm_mem_array(h->count, sizeof(*h->bytes));
	tm_scan(reader, 0, visit, h, &h->facts);
	for (uint32_t i = 1; i < h->count; i++) {
		h->objects[i] += h->objects[i - 1];
		h->bytes[i] += h->bytes[i - 1];
	}
	tm_reader_reload(reader);
}

void tm_history_free(struct tm_history *h)
{
	free(h->objects);
	free(h->bytes);
}

/*
 * growth.c - follow buffers back through the blocks that they replaced, to what owned the first
 */
#include "growth.h"

#include <stdlib.h>

#include "mem.h"

void tm_growth_keep(struct tm_growth *g, const struct tm_scan_item *buffer)
{
	g->buffers =
		tm_mem_grow(g->buffers, g->buffer_count, &g->buffer_capacity, sizeof(*g->buffers));
	g->buffers[g->buffer_count++] = *buffer;
}

void tm_growth_link(struct tm_growth *g, const struct tm_scan_facts *facts,
		    const struct tm_scan_item *item, bool counted)
{
	g->links = tm_mem_grow(g->links, g->link_count, &g->link_capacity, sizeof(*g->links));
	g->links[g->link_count++] = (struct tm_growth_link){
		.address = item->address,
		.past = item->past,
		.bytes = item->bytes,
		.born = tm_scan_interval(facts, item->word),
		.death = item->death,
		.counted = counted,
	};
}

/* One block at a time is at an address, so address and death name a block. */
static int compare(const struct tm_growth_link *link, uint64_t address, int64_t death)
{
	if (link->address != address)
		return link->address < address ? -1 : 1;
	return link->death < death ? -1 : link->death > death;
}

static int by_address(const void *left, const void *right)
{
	const struct tm_growth_link *r = right;

	return compare(left, r->address, r->death);
}

/* The block at the address that was replaced in the interval of mark `death`; NULL = not there. */
static struct tm_growth_link *find(const struct tm_growth *g, uint64_t address, int64_t death)
{
	size_t low = 0, high = g->link_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(&g->links[middle], address, death);

		if (order == 0)
			return &g->links[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/*
 * Each step goes to a block that nobody came from yet, so all steps together are no more than
 * there are links, whatever a damaged recording says.
 */
static enum tm_growth_origin trace(const struct tm_growth *g, const struct tm_scan_facts *facts,
				   const struct tm_scan_item *buffer, uint32_t from,
				   const struct tm_growth_link **old)
{
	uint64_t past = buffer->past;
	int64_t born = tm_scan_interval(facts, buffer->word);

	while (tm_word_kind(past) == TM_GROWN) {
		struct tm_growth_link *link = find(g, tm_past_address(past), born);

		if (!link || link->taken)
			return TM_GROWTH_LOST;
		link->taken = true;
		if (link->born < (int64_t)from) {
			*old = link;
			return TM_GROWTH_OLD;
		}
		past = link->past;
		born = link->born;
	}
	if (tm_word_kind(past) == TM_OWNED && tm_scan_interval(facts, past) < (int64_t)from)
		return TM_GROWTH_OLD;
	return TM_GROWTH_NEW;
}

void tm_growth_each(struct tm_growth *g, const struct tm_scan_facts *facts, uint32_t from,
		    tm_growth_tell *tell, void *context)
{
	if (g->link_count > 1)
		qsort(g->links, g->link_count, sizeof(*g->links), by_address);
	for (size_t i = 0; i < g->buffer_count; i++) {
		const struct tm_scan_item *buffer = &g->buffers[i];
		const struct tm_growth_link *old = NULL;
		enum tm_growth_origin origin = trace(g, facts, buffer, from, &old);

		tell(context, buffer, origin, old);
	}
}

void tm_growth_free(struct tm_growth *g)
{
	free(g->buffers);
	free(g->links);
}

/*
 * steady.c - which intervals tell, and which groups have survivors in all of them
 */
#include "steady.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* An array of flags, one for each interval, to be released with free(). */
static bool *telling_intervals(const struct tm_groups *groups, const struct tm_diff *diff)
{
	const struct tm_span *span = &diff->span;
	uint32_t first = span->from.number, all = diff->intervals;
	bool *telling = tm_mem_array((size_t)all + 1, sizeof(*telling));

	for (size_t i = 0; i < groups->count; i++)
		for (uint32_t k = 0; k < groups->items[i].generations; k++)
			telling[groups->items[i].intervals[k].interval - first] = true;
	if (first == 0)
		telling[0] = false;
	if (all > 0 && (span->to.now || (span->to.mark.flags & TM_MF_EXIT)))
		telling[all - 1] = false;
	return telling;
}

static bool is_steady(const struct tm_group *group, const bool *telling, uint32_t count,
		      uint32_t first)
{
	uint32_t in = 0;

	for (uint32_t k = 0; k < group->generations; k++)
		in += telling[group->intervals[k].interval - first];
	return in == count;
}

static int by_bytes_down(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x < *y) - (*x > *y);
}

/* The fewest that hold nine tenths of what all hold: what is worth looking at. */
static void find_largest(struct tm_steady *s, uint64_t *bytes)
{
	uint64_t all = 0;

	for (uint64_t i = 0; i < s->of_groups; i++)
		tm_cells_sum(&all, bytes[i]);
	qsort(bytes, s->of_groups, sizeof(*bytes), by_bytes_down);
	while (s->groups < s->of_groups && s->bytes < all - all / 10)
		tm_cells_sum(&s->bytes, bytes[s->groups++]);
}

void tm_steady_make(struct tm_steady *s, const struct tm_groups *groups, const struct tm_diff *diff)
{
	bool *telling = telling_intervals(groups, diff);
	uint64_t *bytes = tm_mem_array(groups->count + 1, sizeof(*bytes));

	memset(s, 0, sizeof(*s));
	for (uint32_t k = 0; k < diff->intervals; k++)
		s->intervals += telling[k];
	s->all = s->intervals == diff->intervals;
	for (size_t i = 0; i < groups->count; i++) {
		const struct tm_group *group = &groups->items[i];

		tm_cells_sum(&s->of_bytes, group->bytes);
		if (!is_steady(group, telling, s->intervals, diff->span.from.number))
			continue;
		bytes[s->of_groups++] = group->bytes;
	}
	find_largest(s, bytes);
	free(bytes);
	free(telling);
}

bool tm_steady_telling(const struct tm_steady *s)
{
	return s->intervals >= TM_STEADY_INTERVALS;
}

/*
 * runs.c - sums by interval, and the ring of the newest runs
 */
#include "runs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "jsonout.h"
#include "mem.h"

static void add(struct tm_collections *sum, const struct tm_collections *more)
{
	tm_cells_sum(&sum->count, more->count);
	tm_cells_sum(&sum->ns, more->ns);
	tm_cells_sum(&sum->collected, more->collected);
	tm_cells_sum(&sum->uncollectable, more->uncollectable);
	if (more->longest_ns > sum->longest_ns)
		sum->longest_ns = more->longest_ns;
}

void tm_runs_sum(struct tm_runs_sum *sum, struct tm_reader *reader, const struct tm_span *span)
{
	memset(sum, 0, sizeof(*sum));
	for (uint32_t n = span->from.number; n < span->to.number; n++) {
		const struct tm_mark *mark = tm_reader_mark(reader, n);

		if (!mark || mark->state == TM_MARK_EMPTY)
			continue;
		for (unsigned g = 0; g < TM_GENERATIONS; g++) {
			add(&sum->generations[g], &mark->collections[g]);
			add(&sum->all, &mark->collections[g]);
		}
	}
}

/* The slots of the ring as they are in the file; *slots of them. */
static struct tm_collection *copy_ring(struct tm_reader *reader,
				       const struct tm_reader_region *region, uint64_t *slots)
{
	struct tm_collection *ring = tm_mem_new(region->used_bytes + 1);
	ssize_t got = tm_reader_copy(reader, region->offset, ring, region->used_bytes);

	*slots = got > 0 ? (uint64_t)got / sizeof(*ring) : 0;
	return ring;
}

struct tm_collection *tm_runs_newest(struct tm_reader *reader, size_t *count)
{
	struct tm_reader_region region = tm_reader_region(reader, TM_R_COLLECTIONS);
	uint64_t capacity = region.capacity / sizeof(struct tm_collection);
	uint64_t there, nonsense = 0;
	struct tm_collection *ring = copy_ring(reader, &region, &there);
	struct tm_collection *runs = tm_mem_array(there + 1, sizeof(*runs));
	uint32_t newest = tm_points_newest(reader);

	*count = 0;
	for (uint64_t i = region.used > capacity ? region.used - capacity : 0; i < region.used;
	     i++) {
		const struct tm_collection *run = &ring[i % capacity];

		/* overwritten since, not complete, or of a mark set since */
		if (i % capacity >= there || run->sequence != (uint32_t)(i + 1) ||
		    run->mark > newest)
			continue;
		if (run->generation < TM_GENERATIONS)
			memcpy(&runs[(*count)++], run, sizeof(*run));
		else
			nonsense++;
	}
	if (nonsense)
		tm_reader_damaged(reader, "%" PRIu64 " of its collections make no sense", nonsense);
	free(ring);
	return runs;
}

/* ---- JSON ---- */

static void set_sums(json_t *object, const struct tm_collections *c)
{
	json_object_set_new(object, "count", tm_json_count(c->count));
	json_object_set_new(object, "seconds", tm_json_seconds(c->ns));
	json_object_set_new(object, "longest", tm_json_seconds(c->longest_ns));
	json_object_set_new(object, "collected", tm_json_count(c->collected));
	json_object_set_new(object, "uncollectable", tm_json_count(c->uncollectable));
}

json_t *tm_runs_interval_json(const struct tm_collections generations[TM_GENERATIONS])
{
	json_t *array = json_array();

	for (unsigned g = 0; g < TM_GENERATIONS; g++) {
		json_t *object = json_object();

		json_object_set_new(object, "generation", json_integer(g));
		set_sums(object, &generations[g]);
		json_array_append_new(array, object);
	}
	return array;
}

json_t *tm_runs_sum_json(const struct tm_runs_sum *sum)
{
	json_t *object = json_object();

	set_sums(object, &sum->all);
	json_object_set_new(object, "generations", tm_runs_interval_json(sum->generations));
	return object;
}

json_t *tm_runs_json(const struct tm_collection *run)
{
	json_t *object = json_object();

	json_object_set_new(object, "time", tm_json_time(run->time_ns));
	json_object_set_new(object, "generation", json_integer(run->generation));
	json_object_set_new(object, "duration", tm_json_seconds(run->duration_ns));
	json_object_set_new(object, "collected", tm_json_count(run->collected));
	json_object_set_new(object, "uncollectable", tm_json_count(run->uncollectable));
	json_object_set_new(object, "mark", json_integer(run->mark));
	json_object_set_new(object, "own", json_boolean(run->flags & TM_CO_OF_MARK));
	return object;
}

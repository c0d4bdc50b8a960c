/*
 * diff.h - what was born between two points and is alive at the second
 *
 * Survivors of (A, B] were born in the interval of a mark i with A <= i < B and were
 * alive at B.  What the collection that B itself made reclaimed was alive at B, but
 * unreachable: it is apart, as trash.
 *
 * A buffer that took the place of one that was there at A is no survivor: what it is larger by
 * is growth, apart, and what it is smaller by is freed.  So survived_bytes + trash_bytes -
 * freed_bytes is what B has more than A.
 */
#ifndef TIDEMARK_DIFF_H
#define TIDEMARK_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cells.h"
#include "runs.h"
#include "cyclic.h"
#include "footprint.h"
#include "garbage_list.h"
#include "points.h"
#include "reader.h"
#include "scan.h"

struct tm_totals {
	uint64_t created; /* events between the points, as the recorder counts them */
	uint64_t destroyed;
	uint64_t survived_objects; /* objects, and blocks not resolved yet; no buffers */
	uint64_t survived_bytes;   /* what is new: buffers, and growth of old ones, included */
	uint64_t buffers;	   /* new blocks that are no objects */
	uint64_t buffer_bytes;
	uint64_t grown_buffers; /* blocks of before FROM that were resized to more */
	uint64_t grown_bytes;	/* by how much */
	uint64_t lost_buffers;	/* resized too, but nobody knows from what: they count as new */
	uint64_t lost_bytes;
	uint64_t pending; /* blocks whose type is not resolved yet */
	uint64_t trash_objects;
	uint64_t trash_bytes;
	uint64_t freed_objects; /* alive at FROM, dead at TO */
	uint64_t freed_bytes;	/* buffers, and what old ones were shortened by, included */
	uint64_t garbage;	/* entries new in gc.garbage and there at TO */
};

struct tm_diff {
	struct tm_span span;
	struct tm_scan_facts facts;
	struct tm_totals totals;
	uint32_t intervals; /* between the points */
	struct tm_cells kept;
	struct tm_cells trash;
	struct tm_cells
		grown; /* of older objects: bytes are what they grew by, types the owners' */
	struct tm_garbage_list garbage;
	struct tm_cyclic cyclic;
	struct tm_runs_sum collections;
	/* alive at one point only, after the collections made at them */
	struct tm_footprint gained; /* at TO */
	struct tm_footprint lost;   /* at FROM */
};

/*
 * Scans the recording and leaves the reader reloaded, fit for tm_model_new().  Release
 * with tm_diff_free().
 */
void tm_diff_make(struct tm_diff *diff, struct tm_reader *reader, const struct tm_span *span);

/* The same without scanning: span, garbage, cyclic and collections are filled, the rest is 0. */
void tm_diff_collector(struct tm_diff *diff, struct tm_reader *reader, const struct tm_span *span);

void tm_diff_free(struct tm_diff *diff);

/* The single survivors: calls `visit` for each that has an address, in no order. */
void tm_diff_survivors(struct tm_reader *reader, const struct tm_span *span, tm_scan_visit *visit,
		       void *context, struct tm_scan_facts *facts);

#endif

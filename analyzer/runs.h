/*
 * runs.h - the runs of the cyclic collector
 *
 * A run counts to the interval it ended in.  The one that mark m makes itself ends in the
 * interval that m opens; so the sums of a span have FROM's own collection in them, not TO's.
 */
#ifndef TIDEMARK_RUNS_H
#define TIDEMARK_RUNS_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "points.h"
#include "reader.h"

/* Sums over intervals. */
struct tm_runs_sum {
	struct tm_collections generations[TM_GENERATIONS];
	struct tm_collections all; /* of them together */
};

void tm_runs_sum(struct tm_runs_sum *sum, struct tm_reader *reader, const struct tm_span *span);

/*
 * The newest single runs, oldest first; *count of them, released with free().  What is nonsense
 * is noted as damage and left out.
 */
struct tm_collection *tm_runs_newest(struct tm_reader *reader, size_t *count);

/* ---- JSON ---- */

/* [{"generation","count","seconds","longest","collected","uncollectable"},…] */
json_t *tm_runs_interval_json(const struct tm_collections generations[TM_GENERATIONS]);

/* {"count","seconds","longest","collected","uncollectable","generations":[as above]} */
json_t *tm_runs_sum_json(const struct tm_runs_sum *sum);

/* {"time","generation","duration","collected","uncollectable","mark","own"} */
json_t *tm_runs_json(const struct tm_collection *run);

#endif

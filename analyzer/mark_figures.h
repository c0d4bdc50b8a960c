/*
 * mark_figures.h - what a process consists of at a point, as far as it is known
 */
#ifndef TIDEMARK_MARK_FIGURES_H
#define TIDEMARK_MARK_FIGURES_H

#include <stdint.h>

#include <jansson.h>

#include "reader.h"

/*
 * The figures of a mark with everything that is not to be believed made TM_UNKNOWN: figures
 * that were never taken (no process has an rss of 0), and such as no machine has.
 */
struct tm_figures tm_figures_known(const struct tm_figures *figures);

/* The resident set without Tidemark's own part, of known figures; TM_UNKNOWN where rss is. */
uint64_t tm_figures_resident(const struct tm_figures *known);

/* {"rss","own","arenas","malloc_used","malloc_free"}: bytes, null where unknown. */
json_t *tm_figures_json(const struct tm_figures *figures);

#endif

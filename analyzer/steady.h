/*
 * steady.h - groups that have survivors in every interval, as leaks do
 */
#ifndef TIDEMARK_STEADY_H
#define TIDEMARK_STEADY_H

#include <stdbool.h>
#include <stdint.h>

#include "diff.h"
#include "groups.h"

/* From so many intervals on it can be said that something keeps growing. */
#define TM_STEADY_INTERVALS 3u

struct tm_steady {
	uint32_t intervals; /* that tell growth from what was made once, see below */
	bool all;	    /* these are all of the diff's */
	uint64_t of_groups; /* that have survivors in each of them */
	uint64_t groups;    /* the largest of these, which hold nine tenths of their bytes */
	uint64_t bytes;	    /* of `groups` */
	uint64_t of_bytes;  /* of all groups, steady or not */
};

/*
 * Intervals that tell: not that of the program's own start, nor the last one unless a set mark
 * ends it, nor any in which nothing survived at all.
 */
void tm_steady_make(struct tm_steady *steady, const struct tm_groups *groups,
		    const struct tm_diff *diff);

/* Are there intervals enough to say anything? */
bool tm_steady_telling(const struct tm_steady *steady);

#endif

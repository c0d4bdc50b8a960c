/*
 * groups.h - survivors put together by what they have in common, most suspicious first
 */
#ifndef TIDEMARK_GROUPS_H
#define TIDEMARK_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cells.h"
#include "model.h"
#include "scan.h"

enum tm_group_by {
	TM_BY_TYPE_AND_SITE, /* type, file, line, function */
	TM_BY_TYPE,
	TM_BY_SITE, /* file, line, function */
	TM_BY_FILE,
	TM_BY_MODULE,
	TM_BY_STACK, /* type and whole stack */
};

/* Type of a group that holds several. */
#define TM_SEVERAL_TYPES UINT32_MAX

/* How many intervals share a number when there are more than these. */
#define TM_GROUP_MOST_NUMBERS 1000u

/* Survivors of one interval. */
struct tm_group_interval {
	uint32_t interval; /* number of the mark that opens it */
	uint64_t objects;
};

struct tm_group {
	uint32_t type;	   /* text number, or TM_SEVERAL_TYPES */
	enum tm_kind kind; /* OBJECT, BUFFER, PENDING; GROWN: `type` is the owners' */
	uint64_t objects;  /* or blocks */
	uint64_t bytes;
	uint32_t site;	      /* the most frequent one of them; 0 = no Python frame */
	uint32_t generations; /* intervals with survivors: so many in `intervals` */
	struct tm_group_interval *intervals;
	uint64_t ids[TM_CELL_IDS]; /* addresses, of the oldest first */
	uint32_t id_count;
	uint32_t since; /* of entries of gc.garbage: the mark at which they were first there */
};

struct tm_groups {
	struct tm_group *items; /* by generations, then bytes, both descending */
	size_t count;
};

/* What may be left out before grouping; NULL = nothing. */
struct tm_filter {
	const char *type; /* glob for the type's name; "builtins." need not be given */
	const char *file; /* glob for the path or the name of the innermost frame's file */
};

/* Does a thing of this word pass? */
bool tm_filter_pass(const struct tm_filter *filter, struct tm_model *model, uint64_t word);

/* Groups all cells that pass; release with tm_groups_free(). */
struct tm_groups tm_groups_make(const struct tm_cells *cells, struct tm_model *model,
				const struct tm_scan_facts *facts, enum tm_group_by by,
				const struct tm_filter *filter);
/* Looks up all call stacks, so that damage in them is known before a report is begun. */
void tm_groups_resolve(const struct tm_groups *groups, struct tm_model *model);

/* Puts all of `more` behind what is in `groups`; `more` is empty afterwards. */
void tm_groups_join(struct tm_groups *groups, struct tm_groups *more);

void tm_groups_free(struct tm_groups *groups);

#endif

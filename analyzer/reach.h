/*
 * reach.h - what has become of single objects: still the same, another one, or gone
 *
 * An object is named by its address and its birth.  A list by `tidemark ids` has both, and
 * the point at which it was made; of a bare id it is known at which mark it is taken from.
 * What lives at the address and was born before that point is the object that was there
 * then, for memory holds one object at a time: this is exact however often an address was
 * used.  Only between two looks at one and the same unfinished interval (both at "now") an
 * object born in it and one that took its place are alike; such answers are not certain.
 */
#ifndef TIDEMARK_REACH_H
#define TIDEMARK_REACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "model.h"
#include "points.h"
#include "scan.h"

enum tm_reach_state {
	TM_REACH_GONE,	 /* nothing lives there */
	TM_REACH_REUSED, /* what lives there is another one */
	TM_REACH_SAME,
};

/* A life at an address; word 0 = none known. */
struct tm_reach_life {
	uint64_t word;
	uint64_t bytes;
	uint32_t death; /* the mark in whose interval it died, or TM_SCAN_ALIVE */
};

struct tm_reach_id {
	uint64_t address;
	const json_t *entry;	    /* of the list it is from; NULL = a bare id */
	int64_t born;		    /* of listed ones: the mark after which it was created */
	struct tm_reach_life there; /* what lives there at the point asked for */
	struct tm_reach_life was;   /* the one that is meant, as far as it is known */
	enum tm_reach_state state;
	bool certain;
	json_t *description; /* see describe.h; NULL = not asked for */
};

/* What is asked for.  Zeroed to begin with; release with tm_reach_list_free(). */
struct tm_reach_list {
	struct tm_reach_id *ids; /* in the order given */
	size_t count;
	size_t capacity;
	json_t *document; /* the list they are from; NULL = bare ids */
	bool of_now;	  /* the list was made at "now", in the interval of mark `point` */
	uint32_t point;	  /* the mark the list was made for */
	double time;	  /* when that was, seconds; 0 = not known */
};

/* ---- reading what is asked for (reach_list.c) ---- */

/* One id, 0x… or decimal.  TM_EXIT_OK, or TM_EXIT_USAGE after one tm_error(). */
int tm_reach_list_add(struct tm_reach_list *list, const char *text);

/* Ids, or a document by `ids --json`, from `in`.  Returns as above. */
int tm_reach_list_read(struct tm_reach_list *list, FILE *in);

/* Is the list from this recording?  TM_EXIT_OK also for bare ids; errors as above. */
int tm_reach_list_check(const struct tm_reach_list *list, const struct tm_reader *reader);

void tm_reach_list_free(struct tm_reach_list *list);

/* ---- answers (reach.c) ---- */

/*
 * tm_reach_find - look up all ids in a recording
 * @span: to: the point asked for; from: the mark that bare ids are from
 *
 * Leaves the reader reloaded, fit for tm_model_new().
 */
void tm_reach_find(struct tm_reach_list *list, struct tm_reader *reader, const struct tm_span *span,
		   struct tm_scan_facts *facts);

/*
 * tm_reach_judge - decide about each of them
 * @still: the recording does not change any more
 */
void tm_reach_judge(struct tm_reach_list *list, struct tm_model *model, const struct tm_span *span,
		    const struct tm_scan_facts *facts, bool still);

/* "same", "reused", "gone" */
const char *tm_reach_state_name(enum tm_reach_state state);

#endif

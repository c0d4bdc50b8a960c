/*
 * points.h - FROM and TO of a report: which marks the user means
 */
#ifndef TIDEMARK_POINTS_H
#define TIDEMARK_POINTS_H

#include <stdbool.h>
#include <stdint.h>

#include "reader.h"

struct tm_point {
	uint32_t number; /* of the mark; of now: one more than the newest mark's */
	bool now;
	uint64_t time_ns; /* CLOCK_REALTIME; 0 = not known */
	/* zeroed for now, but that its figures are unknown, and for a mark without a record */
	struct tm_mark mark;
};

struct tm_span {
	struct tm_point from;
	struct tm_point to;
	uint32_t alike_from; /* older marks of the name FROM was given by */
	uint32_t alike_to;
};

/*
 * tm_points_choose - find the marks that FROM and TO name
 * @live:     the recorded process runs: now is the present
 * @from, @to: a mark's number or name, "start", "now", "exit"; NULL = the default: from
 *            the last mark (not exit) to now, or to exit once that is there
 *
 * The newest of several marks of one name is meant.  Returns TM_EXIT_OK, or
 * TM_EXIT_USAGE after one tm_error().  Do not reload the reader between this and the scan.
 */
int tm_points_choose(struct tm_reader *reader, bool live, const char *from, const char *to,
		     struct tm_span *span);

/* The name to show: the mark's own, "start", "exit", "now"; empty = unnamed. */
struct tm_bytes tm_point_name(const struct tm_point *point);

/* The same for a mark's record. */
struct tm_bytes tm_points_mark_name(const struct tm_mark *mark);

/* The newest mark, or the last one whose number can be named. */
uint32_t tm_points_newest(const struct tm_reader *reader);

#endif

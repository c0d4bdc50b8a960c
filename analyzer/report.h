/*
 * report.h - a diff as text for people and as JSON for scripts
 */
#ifndef TIDEMARK_REPORT_H
#define TIDEMARK_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include "diff.h"
#include "groups.h"
#include "jsonout.h"
#include "model.h"
#include "notes.h"
#include "reader.h"

/* What a report is made from; owns nothing. */
struct tm_report {
	struct tm_reader *reader;
	struct tm_model *model;
	const struct tm_diff *diff;
	const struct tm_groups *groups;
	const struct tm_groups *all; /* by type and site, whatever was asked for */
	const struct tm_groups *trash;
	const struct tm_groups *grown;	 /* buffers of older objects: bytes are their growth */
	const struct tm_groups *garbage; /* the entries of the diff's list that pass the filter */
	const struct tm_filter *filter;
	const struct tm_notes *notes;
	const char *state; /* of the process: "live", … */
	enum tm_group_by by;
	bool filtered;	    /* the groups are not all there are */
	uint64_t limit;	    /* groups to show of each kind; 0 = all */
	uint64_t min_bytes; /* smaller groups are not shown */
};

void tm_report_text(const struct tm_report *report, FILE *out);
void tm_report_json(const struct tm_report *report, FILE *out);

/* What a table of groups says of each beside numbers and type. */
enum tm_report_column {
	TM_COLUMN_NONE,
	TM_COLUMN_INTERVALS, /* in how many it has survivors, and how many in each */
	TM_COLUMN_SINCE,     /* the mark at which it was first there */
};

/* The table of groups in a text report. */
void tm_report_groups_text(const struct tm_report *report, const struct tm_groups *groups,
			   enum tm_report_column column, FILE *out);

/* Process and span, above a text report; the collector's runs are in it. */
void tm_report_head_text(const struct tm_report *report, FILE *out);

/* ---- what the process grew by, and what that is (report_verdict.c) ---- */

/*
 * A sentence, and a table of what the growth is made of.  Returns whether the sentence speaks
 * of groups that have survivors in every interval.
 */
bool tm_report_verdict_text(const struct tm_report *report, FILE *out);

/* The member "verdict". */
void tm_report_verdict_json(struct tm_json *json, const struct tm_report *report);

/* ---- growth of older objects' buffers (report_growth.c) ---- */

/* Whether a group is of buffers that grew and whose owners' type is known, or are several. */
bool tm_report_is_owned(const struct tm_report *report, const struct tm_group *group);

/* The member "growth": groups of buffers, by owner's type and the line that resized them. */
void tm_report_growth_json(struct tm_json *json, const struct tm_report *report);

/* A section with the same; nothing when nothing grew. */
void tm_report_growth_text(const struct tm_report *report, FILE *out);

/* ---- gc.garbage and cyclic trash (report_garbage.c) ---- */

/* The member "garbage": each entry that passes the filter, up to the limit. */
void tm_report_garbage_json(struct tm_json *json, const struct tm_report *report);

/* The member "cyclic": groups of what the collector reclaimed. */
void tm_report_cyclic_json(struct tm_json *json, const struct tm_report *report,
			   const struct tm_groups *groups);

/* A section with the groups of entries; nothing when there are none. */
void tm_report_garbage_text(const struct tm_report *report, FILE *out);

/* One line: what the collector alone reclaimed between the points; nothing when nothing. */
void tm_report_cyclic_line(const struct tm_report *report, FILE *out);

/* A section with its groups. */
void tm_report_cyclic_text(const struct tm_report *report, const struct tm_groups *groups,
			   FILE *out);

/* ---- what several reports have in common (report_common.c) ---- */

/* How many of the groups are shown: marks those to be left out by min_bytes and limit. */
bool tm_report_shows(const struct tm_report *report, const struct tm_group *group,
		     uint64_t shown_before);

/*
 * A group's survivors per interval, oldest first, as *count numbers; when there are more
 * than `most` intervals, neighbours are put together, *each of them in a number.
 * Release with free().
 */
uint64_t *tm_report_by_interval(const struct tm_report *report, const struct tm_group *group,
				uint32_t most, uint32_t *count, uint32_t *each);

/* The name of a group's type, "several types" included. */
struct tm_bytes tm_report_type(const struct tm_report *report, const struct tm_group *group);

/* The same in JSON, null for several. */
json_t *tm_report_type_json(const struct tm_report *report, const struct tm_group *group);

/* The arguments of the recorded process: those of one string, each followed by NUL. */
json_t *tm_report_command_json(struct tm_reader *reader);
void tm_report_command_text(struct tm_reader *reader, FILE *out);

/* "3.13.5" */
struct tm_bytes tm_report_python(const struct tm_reader *reader);

/* What tells one recording from all others, and is the same in copies of it. */
#define TM_REPORT_ID 64
const char *tm_report_recording_id(const struct tm_reader *reader, char id[TM_REPORT_ID]);

/* The frames of a site, innermost first. */
json_t *tm_report_stack_json(struct tm_model *model, uint32_t site);

/* {"file","line","function"}, or null for no frame; an unknown line is null. */
json_t *tm_report_site_json(struct tm_model *model, uint32_t site);

/* The members every report begins with: process, completeness, notes, health. */
void tm_report_process_json(struct tm_json *json, struct tm_reader *reader);
void tm_report_span_json(struct tm_json *json, const struct tm_span *span);
json_t *tm_report_point_json(const struct tm_point *point);
void tm_report_notes_json(struct tm_json *json, const struct tm_notes *notes,
			  struct tm_reader *reader);

/* The notes as the end of a text report, wrapped to the terminal. */
void tm_report_notes_text(const struct tm_notes *notes, FILE *out);

/* "mark 3 'after'", "start", "now" */
void tm_report_point_text(const struct tm_point *point, FILE *out);

#endif

/*
 * notes.h - what a reader of a report must know about the limits of its numbers
 *
 * Each note is one plain sentence without a final dot.  Mark names and messages in them
 * are data of the target: print notes through text.h.
 */
#ifndef TIDEMARK_NOTES_H
#define TIDEMARK_NOTES_H

#include <stdbool.h>
#include <stddef.h>

#include "points.h"
#include "reader.h"
#include "scan.h"

/* Zeroed to begin with. */
struct tm_notes {
	char **lines;
	size_t count;
	size_t capacity;
	bool incomplete; /* births or deaths were lost: numbers may be wrong */
};

void tm_notes_add(struct tm_notes *notes, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Losses, blind spots and damage of the recording. */
void tm_notes_recording(struct tm_notes *notes, struct tm_reader *reader);

/* What the scan could not be sure of, for reports that count deaths of the past. */
void tm_notes_scan(struct tm_notes *notes, const struct tm_scan_facts *facts);

/* What is not final about the two points of a diff, and tm_notes_names(). */
void tm_notes_span(struct tm_notes *notes, const struct tm_span *span,
		   const struct tm_scan_facts *facts);

/* The names FROM and TO were given by, where others have them too. */
void tm_notes_names(struct tm_notes *notes, const struct tm_span *span);

/* What the figures of the two points do not have, for reports with a verdict. */
void tm_notes_figures(struct tm_notes *notes, const struct tm_span *span);

/* What a report on the collector's side alone must say of its second point. */
void tm_notes_collector(struct tm_notes *notes, const struct tm_span *span);

void tm_notes_free(struct tm_notes *notes);

#endif

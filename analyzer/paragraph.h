/*
 * paragraph.h - running text, broken to the width of a terminal
 */
#ifndef TIDEMARK_PARAGRAPH_H
#define TIDEMARK_PARAGRAPH_H

#include <stdio.h>

#include "reader.h"

/*
 * tm_paragraph_put - print `text` and end the line
 * @lead: stands before the first line, as it is
 * @hang: stands before each other line
 *
 * Lines are broken at spaces, and a word longer than a line is cut in its middle, so that
 * nothing is wider than the terminal behind `out`; elsewhere the text is one line.  The
 * text is cleaned (text.h).
 */
void tm_paragraph_put(FILE *out, const char *lead, const char *hang, const char *text);

/* A paragraph written piece by piece: print to `stream`, then end it. */
struct tm_paragraph {
	FILE *stream;
	char *text;
	size_t size;
};

/* In place: the paragraph must not be moved until its end. */
void tm_paragraph_begin(struct tm_paragraph *paragraph);

/* Prints it as tm_paragraph_put() does and releases it. */
void tm_paragraph_end(struct tm_paragraph *paragraph, FILE *out, const char *lead,
		      const char *hang);

/*
 * A text of the target, cleaned, and on a terminal cut in its middle to the columns that
 * `used` leaves of a line.
 */
void tm_paragraph_fit(FILE *out, struct tm_bytes text, size_t used);

/* Columns that a text of the target takes when cleaned. */
size_t tm_paragraph_width(struct tm_bytes text);

#endif

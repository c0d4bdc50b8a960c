/*
 * text.h - text for people: cleaned data, numbers with units, terminal facts
 *
 * Names that come from the target (types, files, marks, arguments) are data.  They go
 * through tm_text_clean() or tm_text_put() before they reach a terminal or a pipe.
 */
#ifndef TM_TEXT_H
#define TM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Set the locale so that output is UTF-8, whatever LANG says; once, at the start.
 */
void tm_text_init(void);

/*
 * Valid UTF-8 is kept; control characters, line and paragraph separators, characters
 * that change the direction of text or are invisible, and invalid bytes become \xNN,
 * byte by byte.  The result is released with free().
 */
char *tm_text_clean(const void *bytes, size_t length);

/* The same, written to @out. */
void tm_text_put(FILE *out, const void *bytes, size_t length);

/* Columns that a cleaned text takes on a terminal. */
size_t tm_text_width(const char *clean);

/*
 * Cut a cleaned text to @columns in place of the middle (the end of a path and its start
 * say most): "/srv/…/views.py".  Released with free().
 */
char *tm_text_shorten(const char *clean, size_t columns);

/*
 * Is @text @length bytes of valid UTF-8?  JSON needs it: see tm_text_json().
 */
bool tm_text_is_utf8(const void *bytes, size_t length);

/*
 * Bytes as a JSON string value: valid UTF-8 as it is, an invalid byte as U+FFFD, lone
 * surrogates too.  NUL ends nothing.
 * Returns a new reference to a jansson string, never NULL.
 */
struct json_t;
struct json_t *tm_text_json(const void *bytes, size_t length);

/* Room for any of the numbers below. */
#define TM_TEXT_NUMBER 48

/* Each fills @buf and returns it. */
char *tm_text_count(char buf[TM_TEXT_NUMBER], uint64_t count);	     /* 12,345,678 */
char *tm_text_signed(char buf[TM_TEXT_NUMBER], int64_t count);	     /* +1,234; -5; 0 */
char *tm_text_bytes(char buf[TM_TEXT_NUMBER], uint64_t bytes);	     /* 512 B, 1.4 MiB */
char *tm_text_duration(char buf[TM_TEXT_NUMBER], uint64_t ns);	     /* 0.4 ms, 2 h 05 min */
char *tm_text_time(char buf[TM_TEXT_NUMBER], uint64_t realtime_ns);  /* 2026-02-03 14:05:06 */
char *tm_text_clock(char buf[TM_TEXT_NUMBER], uint64_t realtime_ns); /* 14:05:06 */

/* "1 object", "12,345 objects".  Released with free(). */
char *tm_text_plural(uint64_t count, const char *one, const char *many);

/* Columns of the terminal behind @out (COLUMNS wins); 0 = not a terminal. */
unsigned tm_text_columns(FILE *out);

enum tm_text_style {
	TM_STYLE_NONE, /* ends any other */
	TM_STYLE_BOLD,
	TM_STYLE_DIM,
	TM_STYLE_RED,
	TM_STYLE_GREEN,
	TM_STYLE_YELLOW,
	TM_STYLE_CYAN,
};

/* The escape sequence of a style; "" unless @out is a terminal and NO_COLOR is not set. */
const char *tm_text_style(FILE *out, enum tm_text_style style);

#endif

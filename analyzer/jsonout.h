/*
 * jsonout.h - JSON written piece by piece, so that a report of any size needs no more memory
 */
#ifndef TIDEMARK_JSONOUT_H
#define TIDEMARK_JSONOUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "reader.h"

/* Version of what reports look like; goes up when a key changes its meaning. */
#define TM_JSON_SCHEMA 1

struct tm_json {
	FILE *out;
	bool more; /* something stands before the next member or element */
};

/* Opens the one object a report is, with its schema version. */
struct tm_json tm_json_open(FILE *out);
void tm_json_close(struct tm_json *json);

/* A member of the object.  Takes over the reference. */
void tm_json_member(struct tm_json *json, const char *name, json_t *value);

/* A member that is an array, its elements, and its end. */
void tm_json_array(struct tm_json *json, const char *name);
void tm_json_element(struct tm_json *json, json_t *value);

/* An element as text, for those of which there are millions: the text must be JSON. */
void tm_json_elementf(struct tm_json *json, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

void tm_json_array_end(struct tm_json *json);

/* A value as text, released with free().  Takes over the reference. */
char *tm_json_text(json_t *value);

/* Values. */
json_t *tm_json_bytes(struct tm_bytes bytes);
json_t *tm_json_count(uint64_t count);	    /* the highest value there is, if it is more */
json_t *tm_json_seconds(uint64_t ns);	    /* a number */
json_t *tm_json_time(uint64_t realtime_ns); /* seconds; null for 0, which is "not known" */
json_t *tm_json_address(uint64_t address);  /* "0x…", as Python's hex(id(x)) */

#endif

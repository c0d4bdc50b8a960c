/*
 * health.h - what a recorder lost or could not see, in words
 */
#ifndef TM_HEALTH_H
#define TM_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include <tidemark/layout.h>

#include "reader.h"

/* Something that a recorder does not see. */
struct tm_health_blind {
	const char *name;
	const char *meaning; /* what it means for a report: one clause */
	const char *bound;   /* how many objects that is, at most */
	bool of_recorder;    /* the recorder said so; else it is so on every such interpreter */
};

/* The next one that holds for the recording, *at beginning with 0; NULL after the last. */
const struct tm_health_blind *tm_health_next_blind(const struct tm_header *header, unsigned *at);

/* Times that interpreter and allocator contradicted each other. */
uint64_t tm_health_disagreements(const struct tm_header *header);

/* The same as a sentence about a report, by what it was.  Release with free(). */
char *tm_health_disagreed(const struct tm_header *header);

/* From when to when the reference tracer was another tool's; NULL = never.  Release with free(). */
char *tm_health_gap(const struct tm_header *header);

/*
 * The types whose objects extension modules were seen to recycle, as a sentence; NULL = none were.
 * Release with free().
 */
char *tm_health_recycled(struct tm_reader *reader);

/* The same as data: [{"type", "times"}], the most often seen first. */
struct json_t;
struct json_t *tm_health_recycled_json(struct tm_reader *reader);

/* The value of the member "health" of a report. */
struct json_t *tm_health_json(struct tm_reader *reader);

/* The name of a loss counter; NULL past the last. */
const char *tm_health_loss_name(unsigned loss);

/* "tracer", "allocator"; "?" for nonsense. */
const char *tm_health_family(const struct tm_header *header);

/* "no_space 12, sites 3"; empty when nothing was lost.  Release with free(). */
char *tm_health_losses(const struct tm_header *header);

/* "stacks, floats": what the recorder itself says; empty when nothing.  Release with free(). */
char *tm_health_blind(const struct tm_header *header);

/* What the user should know at first sight; empty when all is well.  Release with free(). */
char *tm_health_alarm(const struct tm_header *header);

#endif

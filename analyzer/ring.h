/*
 * ring.h - deaths across marks: the ring's records, followed while it turns
 *
 * The recorder writes a record before it clears the object's word, so an object may be
 * seen in the shadow and in the ring.  Each chunk of the shadow is copied at some moment;
 * its objects are as they were then.  Of the ring that means, chunk by chunk: a record
 * from after the moment is dropped, and one from around it is dropped if the copied word
 * still shows that very object.  Copies of finished and saved recordings come out right
 * by the same rule.
 */
#ifndef TIDEMARK_RING_H
#define TIDEMARK_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reader.h"
#include "shadow.h"

struct tm_ring_record {
	uint64_t index; /* how many were begun before it */
	uint64_t address;
	uint64_t word;
	uint64_t size;
	uint64_t past; /* its GROWN or OWNED word; 0 = none */
	uint32_t death;
	uint16_t flags; /* enum tm_death_flags */
	bool dropped;	/* alive as far as this scan goes */
	uint32_t next;	/* record of the same chunk, see tm_ring.newest */
};

struct tm_ring {
	struct tm_reader *reader;
	const struct tm_shadow *shadow;
	uint64_t offset; /* of the ring in the file */
	uint64_t slots;
	uint64_t next;	 /* index of the first record not looked at */
	uint64_t missed; /* records of during the scan, overwritten before we came to them */
	struct tm_ring_record *records;
	size_t count;
	size_t capacity;
	uint32_t *newest;	/* per chunk: 1 + place of its last record; 0 = none */
	uint64_t *moment;	/* per chunk: records begun when it was copied; 0 = not copied */
	struct tm_death *block; /* file reads go here */
};

/* Reads what the ring holds.  `shadow` and `reader` must outlive it. */
void tm_ring_open(struct tm_ring *ring, struct tm_reader *reader, const struct tm_shadow *shadow);
void tm_ring_close(struct tm_ring *ring);

/* To be called right after chunk `index` was copied to `words`. */
void tm_ring_chunk_copied(struct tm_ring *ring, size_t index, const uint64_t *words);

/* Reads what came last; what is not complete now never will be. */
void tm_ring_finish(struct tm_ring *ring);

#endif

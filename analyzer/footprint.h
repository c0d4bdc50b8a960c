/*
 * footprint.h - what objects and buffers take of the process's memory
 *
 * An allocator gives more than it is asked for.  CPython's serves up to TM_SMALL_MOST bytes from
 * pools of blocks of one size, a multiple of 16; pools have a header of 48 bytes and a rest in
 * which no block fits (Objects/obmalloc.c: POOL_OVERHEAD, ALIGNMENT, INDEX2SIZE).  What is larger
 * goes to malloc(), which rounds up to 16 after adding 8 (glibc malloc.c: request2size).
 */
#ifndef TIDEMARK_FOOTPRINT_H
#define TIDEMARK_FOOTPRINT_H

#include <stdint.h>

#include "scan.h"

#define TM_FOOTPRINT_CLASSES (TM_SMALL_MOST / TM_GRANULE)

/* Zeroed to begin with.  Sums may wrap around while they are made, and come back. */
struct tm_footprint {
	uint64_t objects;		       /* blocks not resolved yet included */
	uint64_t bytes;			       /* asked for, buffers included */
	uint64_t blocks[TM_FOOTPRINT_CLASSES]; /* small ones, by size: 16, 32, … */
	uint64_t large_chunks;		       /* bytes that the larger ones take of malloc() */
};

/* An item that is alive there; one that takes back (negative count) takes back here too. */
void tm_footprint_add(struct tm_footprint *footprint, const struct tm_scan_item *item);

/* Bytes of arenas that the small ones fill when they lie close. */
uint64_t tm_footprint_arenas(const struct tm_footprint *footprint, uint32_t python_hex);

/* Bytes of malloc() that they take where CPython is told to use that for them. */
uint64_t tm_footprint_small_chunks(const struct tm_footprint *footprint);

#endif

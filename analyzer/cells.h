/*
 * cells.h - counts of things that are alike in kind, birth, site and type
 */
#ifndef TIDEMARK_CELLS_H
#define TIDEMARK_CELLS_H

#include <stddef.h>
#include <stdint.h>

/* Addresses kept of the things in a cell, and of those in a group. */
#define TM_CELL_IDS 10u

struct tm_cell {
	uint64_t word; /* kind, birth, site, type; 0 = free slot */
	uint64_t count;
	uint64_t bytes;
	uint32_t ids;	   /* 1 + place of the last kept address; 0 = none */
	uint32_t ids_kept; /* how many are kept */
};

struct tm_cell_id {
	uint64_t address;
	uint32_t next; /* 1 + place of the one kept before */
};

/* Zeroed to begin with.  A hash table of its own: every survivor is looked up in it. */
struct tm_cells {
	struct tm_cell *slots;
	size_t slot_count; /* a power of two, or 0 */
	size_t used;
	struct tm_cell_id *ids;
	size_t id_count;
	size_t id_capacity;
	struct tm_cell *last; /* neighbours are often alike */
};

/*
 * Adds `count` things of `bytes` together; a negative count takes away.  `address` is
 * kept if there is room for it in the cell; 0 = no address.  Sums stick at their limit.
 */
void tm_cells_add(struct tm_cells *cells, uint64_t word, int64_t count, uint64_t bytes,
		  uint64_t address);

/* The cells in no order: start with *at = 0; NULL after the last one. */
const struct tm_cell *tm_cells_next(const struct tm_cells *cells, size_t *at);

void tm_cells_free(struct tm_cells *cells);

/* *sum += more, or the highest value there is. */
static inline void tm_cells_sum(uint64_t *sum, uint64_t more)
{
	if (__builtin_add_overflow(*sum, more, sum))
		*sum = UINT64_MAX;
}

#endif

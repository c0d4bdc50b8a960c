/*
 * sort.h - putting what has an address in its order
 */
#ifndef TIDEMARK_SORT_H
#define TIDEMARK_SORT_H

#include "base.h"

struct tm_placed {
	uintptr_t address;
	uint64_t value;
};

/*
 * tm_sort - sort by address; equal ones stay in their order
 * @scratch: room for as many.  Returns which of the two holds the result.  Allocates nothing; a
 * million take some ten milliseconds in the worst order, and one when they are sorted already.
 */
struct tm_placed *tm_sort(struct tm_placed *placed, struct tm_placed *scratch, size_t count);

#endif

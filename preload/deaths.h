/*
 * deaths.h - deaths across marks: the ring, and the tallies behind it
 */
#ifndef TIDEMARK_DEATHS_H
#define TIDEMARK_DEATHS_H

#include "base.h"
#include "tidemark/layout.h"

/*
 * tm_deaths_prepare - reserve what recording a death may need
 * Called when a recording begins; without it deaths across marks are only counted as lost.
 */
void tm_deaths_prepare(void);

/* What dies: an object, or a block that holds none. */
struct tm_dying {
	uintptr_t address;
	uint64_t word; /* what stood for it */
	uint64_t size; /* bytes of its block, 0 = not known */
	uint64_t past; /* its GROWN or OWNED word, 0 = none */
};

/*
 * tm_deaths_add - record a death in the interval of @mark
 * @flags: enum tm_death_flags; TM_DF_LARGE is added here.  The caller clears the words afterwards.
 * Lock-free; may be called from several threads at once.
 */
void tm_deaths_add(const struct tm_dying *dying, uint32_t mark, unsigned flags);

#endif

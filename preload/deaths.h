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

/*
 * tm_deaths_add - record that what @word stands for died in the interval of @mark
 * @size: bytes of its block, 0 = not known.  The caller clears the word afterwards.
 * Lock-free; may be called from several threads at once.
 */
void tm_deaths_add(uintptr_t address, uint64_t word, uint64_t size, uint32_t mark, unsigned flags);

#endif

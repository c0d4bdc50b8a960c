/*
 * tallies.h - counting what needs no record of its own: open hash tables of struct tm_tally
 *
 * What finds no place in a region's first table goes to the next, which is made then.
 */
#ifndef TIDEMARK_TALLIES_H
#define TIDEMARK_TALLIES_H

#include "base.h"
#include "tidemark/layout.h"

/*
 * tm_tallies_add - one more of @word and @death in the table of region @id
 * @death: as bits 32 to 63 of tm_death.meta, shifted down
 *
 * False when it could not be counted: no space, or no free slot near where it belongs.  Lock-free;
 * may be called from several threads at once.
 */
bool tm_tallies_add(enum tm_region_id id, uint64_t word, uint64_t death, uint64_t bytes);

#endif

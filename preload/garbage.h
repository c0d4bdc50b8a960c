/*
 * garbage.h - what is in gc.garbage, since which mark and until which
 */
#ifndef TIDEMARK_GARBAGE_H
#define TIDEMARK_GARBAGE_H

#include "base.h"
#include "tidemark/layout.h"

/* tm_garbage_restart - a new recording begins: nothing is known to be there. */
void tm_garbage_restart(void);

struct tm_garbage_count {
	uint64_t entries; /* objects that are there now */
	uint64_t fresh;	  /* of these, those that are there since the mark asked about */
};

/*
 * tm_garbage_look - note what came to gc.garbage and what left it since the last look
 * @mark: the mark whose follow-up this is, or the next one that will be followed up
 *
 * An object born after @mark, when its follow-up is late, is there since the mark after its birth.
 * Reads the list raw: no object is made, no reference taken.  The caller holds the GIL of the main
 * interpreter.  Nothing is read but two words when the list is empty, as it was before.
 */
struct tm_garbage_count tm_garbage_look(uint32_t mark);

#endif

/*
 * collections.h - the runs of the cyclic collector, and what dies in them
 *
 * What gc.callbacks tell (Modules/gcmodule.c, invoke_gc_callback; Python/gc.c from 3.13 on): runs
 * of the main interpreter, in whatever thread; up to 3.8 those of every interpreter, which share
 * one collector.  Not told of are the runs of sub-interpreters from 3.9 on (TM_B_INTERPRETERS) and
 * those of finalization after the exit mark (_PyGC_CollectNoFail).
 */
#ifndef TIDEMARK_COLLECTIONS_H
#define TIDEMARK_COLLECTIONS_H

#include "base.h"
#include "tidemark/layout.h"

/* What the collector says when it has run. */
struct tm_collected {
	int generation;
	uint64_t collected, uncollectable; /* objects */
};

/* tm_collections_restart - none is under way: a new recording, or a forked child. */
void tm_collections_restart(void);

/*
 * tm_collections_begin - a run begins in this thread
 * @mark: the mark whose own collection it is, 0 = none
 * A run that is still under way has ended without a word: a program may empty gc.callbacks.
 */
void tm_collections_begin(uint32_t mark);

/* tm_collections_end - the run under way in this thread has ended; it goes into the recording. */
void tm_collections_end(const struct tm_collected *what);

/* tm_collections_drop - the run under way has ended, and nothing is known of it. */
void tm_collections_drop(void);

/* tm_collections_here - whether a run is under way in this thread. */
bool tm_collections_here(void);

/* tm_collections_mark - the mark that the run under way was begun for; 0 = none. */
uint32_t tm_collections_mark(void);

/* tm_collections_any - whether one is under way in any thread. */
bool tm_collections_any(void);

/* How long the newest run that has ended took, ns. */
uint64_t tm_collections_lasted(void);

/* Objects alive at the mark that the newest run for a mark has reclaimed so far. */
uint64_t tm_collections_reclaimed(void);

/*
 * tm_collections_account - what @word stands for dies in this thread now
 * @size: bytes of its block, 0 = not known
 * @made_here: it was born in the run of the collector that is under way
 * @mark: in: of the current interval; out: in whose interval the death counts
 *
 * Returns the enum tm_death_flags of that death.  An object that dies inside a run of the
 * collector is counted in TM_R_CYCLIC, under the interval that it was trash in: what the own
 * collection of a mark reclaims of that what was alive at the mark, under the one before.
 * Lock-free.
 */
unsigned tm_collections_account(uint64_t word, uint64_t size, bool made_here, uint32_t *mark);

#endif

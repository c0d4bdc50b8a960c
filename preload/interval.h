/*
 * interval.h - the interval that births belong to now
 */
#ifndef TIDEMARK_INTERVAL_H
#define TIDEMARK_INTERVAL_H

#include "base.h"
#include "tidemark/layout.h"

/*
 * The birth field of now, in place for a word; changes when a mark is set.  While the collector
 * runs it has TM_WATCHED as well, so that what finalizers make during the run can be told.
 */
extern TM_HIDDEN _Atomic uint64_t tm_birth_bits;

/*
 * What the slot of a chunk that has seen a birth of now is stamped with; see shadow.h.  Goes up
 * before the birth field does: who reads that field first can't find too old a stamp for it.
 */
extern TM_HIDDEN _Atomic uint32_t tm_birth_stamp;

/* The stamp of a chunk whose newest birth is @birth. */
TM_INLINE uint32_t tm_interval_stamp(uint32_t birth)
{
	return birth + 1;
}

/*
 * What a quiet death's word is compared with: the birth field of now, or, while the collector runs
 * in any thread, something that no word is equal to, so that every death takes the slow way.
 */
extern TM_HIDDEN _Atomic uint64_t tm_death_bits;

/* A death needs no record when its word says: born in this interval, nobody watches. */
#define TM_QUIET_MASK (TM_BIRTH_MASK | TM_WATCHED)

/* The birth field of now and nothing else, in place for a word. */
TM_INLINE uint64_t tm_birth_now(void)
{
	return tm_get(&tm_birth_bits) & TM_BIRTH_MASK;
}

/*
 * tm_interval_collecting - a run of the collector begins (@yes), or has ended, in some interpreter
 * Runs may overlap where interpreters have a lock of their own.
 */
void tm_interval_collecting(bool yes);

/*
 * tm_interval_enter - births belong to the interval with birth field @birth from now on, if that is
 * a later one
 * Lock-free, async-signal-safe.  @anew: a new recording begins, whatever the field was.
 */
void tm_interval_enter(uint32_t birth, bool anew);

#endif

/*
 * recycled.h - objects whose extension module keeps their memory for the next ones (allocator
 * family)
 *
 * A private free list, such as Cython's @freelist, takes and gives objects without the allocator:
 * a block lives on while its object is dead, and holds another one later.  Nobody tells of it, so
 * a bounded number of blocks is looked at again at each mark and after each full collection.  One
 * whose object is dead, or is of another type by now, is corrected in the recording: the old
 * object's death and the new one's birth count in the interval that the look ends, the latter
 * without a site.  What died and was replaced between two looks can't be told from one object that
 * lived on; that its type does so is counted in its record (tm_type.recycled).
 *
 * All functions need the GIL of the main interpreter.
 */
#ifndef TIDEMARK_RECYCLED_H
#define TIDEMARK_RECYCLED_H

#include "base.h"

/*
 * tm_recycled_note - a block was found to hold an object of this type, alive or (@dead) with a
 * reference count of 0, which may as well be memory that looks like one
 * @head: bytes before the object in its block
 *
 * Does nothing for types whose objects the interpreter itself deallocates, nor where it can't be
 * told whose interpreter's block it is.
 */
void tm_recycled_note(uintptr_t block, size_t head, uint32_t type, bool dead);

/*
 * tm_recycled_look - look at the noted blocks again
 * @birth: birth field of the interval in which what happened since the last look counts
 * @flags: enum tm_death_flags of the deaths
 */
void tm_recycled_look(uint32_t birth, unsigned flags);

/*
 * tm_recycled_look_quickly - the same where it takes less than a millisecond, at a mark without a
 * collection; else the next look tells
 */
void tm_recycled_look_quickly(uint32_t birth);

/* tm_recycled_restart - a new recording begins. */
void tm_recycled_restart(void);

#endif

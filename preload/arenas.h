/*
 * arenas.h - whose CPython's arenas are
 *
 * From 3.12 on an interpreter with a lock of its own has arenas of its own: what lies in them is
 * changed, and given back, under that lock alone.  A thread goes from one interpreter to another
 * with what it has still to look at (allocator family), so it asks before it does.
 */
#ifndef TIDEMARK_ARENAS_H
#define TIDEMARK_ARENAS_H

#include "base.h"

enum tm_whose {
	TM_OURS,     /* of an interpreter whose lock the calling thread holds */
	TM_ANOTHERS, /* not to be read: it may be gone the next moment */
	TM_NOBODYS,  /* in no arena: the C library's memory does not say whose it is */
};

/*
 * tm_arenas_made, tm_arenas_gone - CPython's arena allocator has mapped, or is about to unmap
 * Take the recorder's lock.  Do nothing where interpreters share one lock or blocks are not
 * looked at later.
 */
void tm_arenas_made(uintptr_t arena, size_t size);
void tm_arenas_gone(uintptr_t arena, size_t size);

/* tm_arenas_whose - whose block that is; TM_OURS stays true as long as the lock is held. */
enum tm_whose tm_arenas_whose(uintptr_t block);

#endif

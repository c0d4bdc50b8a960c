/*
 * free_lists.h - making free lists really free (allocator family)
 *
 * A list, dict, tuple or float that dies goes to a free list and comes back as another object
 * without the allocator seeing either.  Here its deallocation is led past the free list.
 */
#ifndef TIDEMARK_FREE_LISTS_H
#define TIDEMARK_FREE_LISTS_H

#include "cpython.h"

/*
 * tm_free_lists_patch - redirect the deallocation of the built-in types that have free lists
 *
 * Once, when the types are ready (the first audit event is late enough).  Returns the
 * enum tm_blind bits for what still recycles.
 */
unsigned tm_free_lists_patch(void);

/*
 * tm_free_lists_refresh - close the float free list again; a full collection reopens it
 * Needs the GIL of the main interpreter.
 */
void tm_free_lists_refresh(void);

#endif

/*
 * young_resize.h - a small block of this interval is resized
 *
 * A list that gets items, a string that is put together: made small, resized once or twice,
 * dropped. Were each block left to the allocator's realloc, it would be asked for under one size
 * and waited for under another, and no magazine would ever have one.
 */
#ifndef TIDEMARK_YOUNG_RESIZE_H
#define TIDEMARK_YOUNG_RESIZE_H

#include "hook_alloc.h"
#include "nursery.h"

/*
 * tm_young_resized - @block, of this domain, is to have @size bytes
 * @next: whose block it is
 *
 * It stays where it is under the conditions of CPython's own allocator (Objects/obmalloc.c,
 * pymalloc_realloc, 3.8 to 3.15): it fits, and no quarter would be lost.  Else its bytes move to
 * one that waits, or to a fresh one.  It keeps its birth and its site, and is young from now on,
 * under the size it was made with.  Returns where it is now; NULL: it takes more, and nothing was
 * done.
 */
TM_NOINLINE void *tm_young_resized(const struct tm_allocator *next, enum tm_young_domain domain,
				   uintptr_t block, size_t size);

#endif

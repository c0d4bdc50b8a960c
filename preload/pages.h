/*
 * pages.h - private memory straight from the kernel
 */
#ifndef TIDEMARK_PAGES_H
#define TIDEMARK_PAGES_H

#include "base.h"

/* tm_pages - zeroed memory, of which only what is touched takes space; NULL when there is none. */
void *tm_pages(size_t bytes);

/* tm_pages_free - give it back. */
void tm_pages_free(void *pages, size_t bytes);

/*
 * tm_pages_resident - bytes of it that are in memory
 * Asks the kernel about every large mapping; small ones count whole.  Lock-free,
 * async-signal-safe.
 */
uint64_t tm_pages_resident(void);

#endif

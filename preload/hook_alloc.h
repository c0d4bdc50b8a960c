/*
 * hook_alloc.h - the allocator domains
 */
#ifndef TIDEMARK_HOOK_ALLOC_H
#define TIDEMARK_HOOK_ALLOC_H

#include "cpython/cpython.h"

/* What was there before our hooks. */
extern TM_HIDDEN struct tm_allocator tm_next_obj, tm_next_mem;

/* The unusual shapes of what their names say (hot_births.h); each returns its block. */
TM_NOINLINE void *tm_mem_born(void *block, size_t size);
TM_NOINLINE void *tm_block_born(void *block, size_t size);
TM_NOINLINE void *tm_object_born(void *block, size_t size);
TM_NOINLINE void *tm_recent_is_full(void *block);
TM_NOINLINE void *tm_object_resized(void *ctx, void *block, size_t size);

/* tm_object_free - the object domain's free, tracer family */
void tm_object_free(void *ctx, void *block);

/* tm_hook_alloc_install - wrap the object and mem domains; before the first object. */
void tm_hook_alloc_install(void);

/* tm_hook_alloc_tracer - the tracer that belongs to those hooks; NULL on the allocator family. */
tm_tracer tm_hook_alloc_tracer(void);

/* tm_hook_alloc_installed - whether the object domain is ours right now. */
bool tm_hook_alloc_installed(void);

#endif

/*
 * resolve.h - from an allocator block to the object in it (allocator family)
 *
 * The allocator hook sees blocks, not objects.  A block that has lived for a while is looked at:
 * does a valid object header stand where its type says it should?
 */
#ifndef TIDEMARK_RESOLVE_H
#define TIDEMARK_RESOLVE_H

#include "base.h"
#include "tidemark/layout.h"

/*
 * tm_resolve_kind - what a block of the object domain holds
 * @dying:  it is about to be freed, so a reference count of zero is as it should be
 * @object: where the object begins, when there is one
 *
 * Returns OBJECT, BUFFER, or PENDING when that cannot be told.  Dereferences nothing that is not
 * known to be mapped.  The caller holds the GIL of the block's interpreter.
 */
enum tm_kind tm_resolve_kind(uintptr_t block, size_t size, bool dying, uintptr_t *object);

/*
 * tm_resolve_blocks - replace the PENDING words of these blocks
 * @unborn: a block that its owner has not filled in yet, left alone; 0 = none
 *
 * Entries of 0 and blocks that are no longer pending are skipped.  Up to 3.11 a collection may run
 * inside an allocation whose block is not filled in yet (Modules/gcmodule.c,
 * _PyObject_GC_Alloc), so while one runs, what does not look like an object stays undecided.
 * Decided entries are set to 0.
 */
void tm_resolve_blocks(uintptr_t *blocks, uint32_t count, uintptr_t unborn);

/*
 * tm_resolve_others_run_freely - whether other threads may run in interpreters whose lock is not
 * the one that is held here; what they have made is theirs to look at, when their lists are full.
 */
bool tm_resolve_others_run_freely(void);

/* Objects of before a fork exist: addresses without a word of ours may be valid too. */
void tm_resolve_inherited(bool inherited);

#endif

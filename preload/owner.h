/*
 * owner.h - whose memory it is that grows
 *
 * A block does not say what object it belongs to.  When the memory of a list, dict, set, bytearray
 * or deque grows, that object is being worked with: the Python frame that runs refers to it, from
 * its value stack mostly.  So these references are looked through for a live container that has the
 * block's address in its own field.  That the addresses are equal makes it certain; where none is
 * found the owner is not known.
 *
 * No lock, no allocation, no reference taken.  Only memory that the shadow knows to be a live
 * object's is read, besides the running frame's.  All under one GIL: while there are
 * sub-interpreters that may have one of their own (3.12 and newer) nothing is looked for.
 */
#ifndef TIDEMARK_OWNER_H
#define TIDEMARK_OWNER_H

#include "blocks.h"

/*
 * Whose a block is that replaces no other is asked only where that is small beside what the block
 * itself takes: from so many bytes on where it was resized, or came by way of realloc(), and from
 * so many where it was just allocated, which passes hot.h.  A deque's blocks are asked for as well.
 */
#define TM_OWNED_LEAST 512u
#define TM_OWNED_LARGE 2048u

/* Modules/_collectionsmodule.c (3.8 to 3.15), struct BLOCK: 64 items and two links. */
#define TM_DEQUE_BLOCK (66 * sizeof(void *))

/* tm_owner_start, _stop - whether to look at all; a report says when not (TM_B_OWNERS). */
void tm_owner_start(void);
void tm_owner_stop(void);

/* tm_owner_forget - a new recording begins, or a process was forked.  Async-signal-safe. */
void tm_owner_forget(void);

/*
 * tm_owner_of - what holds @block, or @other if that is not 0
 * @far: objects that the frame's objects refer to are looked at as well
 * Returns a word with the owner's birth and type; 0 = not known.
 */
uint64_t tm_owner_of(uintptr_t block, uintptr_t other, bool far);

/*
 * tm_owner_expect - @block was just made, and its words written; nobody refers to it yet
 *
 * Older containers at hand are remembered, and which of them has taken it is looked at the next
 * time, or by tm_owner_settle(), which whoever needs the result now calls with the GIL: the block
 * gets its OWNED word then.
 */
TM_NOINLINE void tm_owner_expect(uintptr_t block);
void tm_owner_settle(void);

/* tm_owner_awaits - whether the owner of @block is still to be settled. */
bool tm_owner_awaits(uintptr_t block);

#endif

/*
 * magazine.h - blocks that died just now, at hand for the next births (allocator family)
 *
 * CPython keeps some dead objects in free lists, so that what is made and dropped in a loop needs
 * no allocator.  These lists are closed, as nobody would see who lives there (free_lists.h), and
 * this takes their place: a block that is freed in the interval it was born in waits in the
 * magazine of its size, next to where its word is, and the next birth of that size takes it back.
 * For the recording, and for its reader, it is dead as if the allocator had it.
 *
 * What is in a magazine of the object domain is among the recent blocks of some thread (thread.h)
 * and so need not be put there again.  That holds until one of these lists is looked at: then all
 * that waits goes to the allocator.
 *
 * Magazines are one GIL's and one heap's: where there is an interpreter with another of either
 * (3.12 and newer), or blocks are not all listed, they are closed for good.
 */
#ifndef TIDEMARK_MAGAZINE_H
#define TIDEMARK_MAGAZINE_H

#include "shadow.h"

/*
 * A magazine for every eight bytes of size.  A block has room for as much as its size rounded up to
 * eight, whatever allocator it is from: it may have been large once, and not CPython's.
 */
#define TM_MAGAZINE_SIZE  512u /* largest block */
#define TM_MAGAZINE_STEP  8u
#define TM_MAGAZINE_DEPTH 7u
#define TM_MAGAZINE_COUNT (TM_MAGAZINE_SIZE / TM_MAGAZINE_STEP + 1)

struct tm_waiting {
	uintptr_t block; /* 0: none */
	tm_shadow_word *word;
	struct tm_slot *slot;
};

/* 256 bytes, a power of two; empty when the newest is the first entry, which is no block. */
struct tm_magazine {
	_Alignas(256) struct tm_waiting waiting[1 + TM_MAGAZINE_DEPTH];
	struct tm_waiting *newest;
	struct tm_waiting *last; /* the newest of a full one */
};

enum tm_magazine_domain {
	TM_MAGAZINES_OBJ,
	TM_MAGAZINES_MEM,
	TM_MAGAZINE_DOMAINS
};

/* Those in use, by domain and size; while closed, others that are empty and full at once. */
extern TM_HIDDEN struct tm_magazine *_Atomic tm_magazines;

/*
 * tm_magazines_forget - closed and empty; before the first hook is in place
 * Nothing is given back: what an interpreter left that has ended is not the next one's.
 */
void tm_magazines_forget(void);

/* tm_magazines_allow - they may be opened */
void tm_magazines_allow(void);

/*
 * tm_magazines_forbid - closed for good; what waits stays there, a quarter of a megabyte at most
 * Any thread may call it, and no other is disturbed; async-signal-safe.
 */
void tm_magazines_forbid(void);

/* tm_magazines_open - what waits goes to the allocator, and if they may, they are used from now on
 */
void tm_magazines_open(void);

/* tm_magazines_close - neither give nor take; the blocks stay.  Async-signal-safe. */
void tm_magazines_close(void);

/* tm_magazines_pause - closed as long as this interval lasts */
void tm_magazines_pause(void);

/* tm_magazines_empty - what waits goes to the allocator; a pause that is over ends */
void tm_magazines_empty(void);

/* The magazine for a size, which is at most TM_MAGAZINE_SIZE. */
TM_INLINE struct tm_magazine *tm_magazine_of(enum tm_magazine_domain domain, size_t size)
{
	size_t number = (size + TM_MAGAZINE_STEP - 1) / TM_MAGAZINE_STEP;
	struct tm_magazine *magazine = tm_get(&tm_magazines) + domain * TM_MAGAZINE_COUNT + number;

	/* Its address is better kept in a register than its parts. */
	__asm__("" : "+r"(magazine));
	return magazine;
}

/* Returns whether the magazine has taken the block, whose word was cleared. */
TM_INLINE bool tm_magazine_put(struct tm_magazine *magazine, uintptr_t block, tm_shadow_word *word,
			       struct tm_slot *slot)
{
	struct tm_waiting *newest = magazine->newest;

	if (unlikely(newest == magazine->last))
		return false;
	newest[1] = (struct tm_waiting){block, word, slot};
	magazine->newest = newest + 1;
	return true;
}

#endif

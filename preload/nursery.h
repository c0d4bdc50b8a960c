/*
 * nursery.h - the young: blocks that died just now, and what was born in them since
 *
 * CPython keeps some dead objects in free lists, so that what is made and dropped in a loop needs
 * no allocator.  These lists are closed, as nobody would see who lives there (free_lists.h), and
 * this takes their place: a block that is freed in the interval it was born in waits in the
 * magazine of its size, and the next birth of that size takes it back.
 *
 * What is born again and again in one place finds here where its word goes and what it is, so that
 * neither shadow memory nor the stack is searched.  Shadow memory holds everything nevertheless, at
 * every moment: what is here may be forgotten at any time.
 *
 * What is known here is of one interval.  A mark closes the nursery, until somebody with the GIL
 * opens it again.
 *
 * What is in a magazine of the object domain is among the recent blocks of some thread (thread.h)
 * and so need not be put there again.  That holds until one of these lists is looked at: then all
 * that waits goes to the allocator.
 *
 * A nursery is one GIL's and one heap's: where there is an interpreter with another of either
 * (3.12 and newer), or blocks are not all listed, it is closed for good.
 */
#ifndef TIDEMARK_NURSERY_H
#define TIDEMARK_NURSERY_H

#include "shadow.h"

/*
 * A magazine for every eight bytes of size.  A block has room for as much as its size rounded up to
 * eight, whatever allocator it is from: it may have been large once, and not CPython's.
 */
#define TM_MAGAZINE_SIZE  512u /* largest block */
#define TM_MAGAZINE_DEPTH 7u
#define TM_MAGAZINE_COUNT (TM_MAGAZINE_SIZE / 8 + 1)

#define TM_YOUNG_BITS 8 /* log2 of how many blocks, and how many objects */

/*
 * Of the objects that die and are not young one in so many is worth a place.  Who is born again and
 * again gets one soon; who is made and dropped with a thousand others would be gone before it is
 * found again.
 */
#define TM_YOUNG_PATIENCE 32u

/* Added to an address in struct tm_young; no block and no object begins there. */
#define TM_YOUNG_NONE  1ull /* to 0: nobody's place */
#define TM_YOUNG_WAITS 2ull /* in a magazine, or just out of one */
#define TM_YOUNG_DEAD  4ull /* an object that died, in a block that was not freed yet */

/* What no frame executes: */
#define TM_KEY_NONE    1ull /* neither key nor place nor birth are known */
#define TM_KEY_SEVERAL 2ull /* it takes several frames */

/* A block, or, where the tracer tells of objects, an object. */
struct tm_young {
	_Alignas(64) uintptr_t address; /* of the block or object while it lives */
	uintptr_t block;		/* an object's: the one it is in; 0 = not known */
	uint64_t key;			/* what the innermost frame executed at its last birth */
	uint64_t word;			/* its word, if it is born with this key, size and type */
	tm_shadow_word *place;		/* of that */
	union {
		struct {	     /* an object's: */
			size_t size; /* of its block */
			uintptr_t type;
		};
		struct { /* a block's, as two lines may take turns: the same of a birth before */
			uint64_t other_key;
			uint64_t other_word;
		};
	};
	struct tm_magazine *home;
};
_Static_assert(sizeof(struct tm_young) == 64, "a line of the cache");

struct tm_magazine {
	_Alignas(128) struct tm_young *waiting[1 + TM_MAGAZINE_DEPTH]; /* the first is nobody */
	struct tm_young **newest;
	struct tm_young **last; /* the newest of a full one */
};

enum tm_young_domain {
	TM_YOUNG_OBJ,
	TM_YOUNG_MEM,
	TM_YOUNG_DOMAINS
};

struct tm_nursery {
	_Alignas(128) struct tm_young blocks[1 << TM_YOUNG_BITS];
	struct tm_young objects[1 << TM_YOUNG_BITS];
	struct tm_magazine magazines[TM_YOUNG_DOMAINS][TM_MAGAZINE_COUNT];
	struct tm_thread *counters; /* in the recording; NULL: the closed one */
	struct tm_young *died_last; /* of the objects */
	uintptr_t old_died_last;    /* an object that died last, but is not here */
	unsigned patience;	    /* deaths of others until one is worth a place here */
};

/* The one in use; while closed, another that is empty and whose magazines are full at once. */
extern TM_HIDDEN struct tm_nursery *_Atomic tm_nursery;

/*
 * tm_nursery_forget - closed and empty; before the first hook is in place
 * Nothing is given back: what an interpreter left that has ended is not the next one's.
 */
void tm_nursery_forget(void);

/* tm_nursery_allow_magazines - blocks may wait; before it is started */
void tm_nursery_allow_magazines(void);

/*
 * tm_nursery_forbid - closed for good; what waits stays there, a quarter of a megabyte at most
 * Any thread may call it, and no other is disturbed; async-signal-safe.
 */
void tm_nursery_forbid(void);

/*
 * tm_nursery_start - what is left of the time before this recording goes; from now on it is opened
 * whenever it may be
 */
void tm_nursery_start(void);

/*
 * tm_nursery_stop - neither give nor take: the blocks stay, and who is young is forgotten
 * Async-signal-safe.
 */
void tm_nursery_stop(void);

/*
 * tm_nursery_close - a new interval has begun
 * Any thread may call it; async-signal-safe.
 */
void tm_nursery_close(void);

/* The following need the GIL. */

/* tm_nursery_shut - everybody who lives is forgotten; closed until tm_nursery_open() */
void tm_nursery_shut(void);

/* tm_nursery_open - the same, and open again, unless a collector runs */
void tm_nursery_open(void);

/* tm_nursery_pause - shut as long as this interval lasts */
void tm_nursery_pause(void);

/* tm_nursery_empty - shut, what waits goes to the allocator, and open again */
void tm_nursery_empty(void);

/* tm_nursery_forget_at - the words at @address are about to be changed: it is not known here */
void tm_nursery_forget_at(uintptr_t address);

/* tm_nursery_forget_block - the same for what is a block and no object */
void tm_nursery_forget_block(uintptr_t block);

/* tm_nursery_forget_keys - what a frame executes may mean something else from now on */
void tm_nursery_forget_keys(void);

/*
 * tm_nursery_add_block - a block that is not young is freed, and its words are cleared
 * Returns whether it waits in the magazine for @size; false: it is the allocator's.
 */
bool tm_nursery_add_block(uintptr_t block, size_t size, enum tm_young_domain domain);

/*
 * tm_nursery_adopt - a block that lives and is not young is from now on
 * @place: of its word.  Returns NULL: none of @size could wait.
 */
struct tm_young *tm_nursery_adopt(uintptr_t block, size_t size, enum tm_young_domain domain,
				  tm_shadow_word *place);

/* tm_young_resize - the block, which is the one that was there, has this size now */
void tm_young_resize(struct tm_young *young, size_t size);

/* tm_young_leaves - nobody is known at this place any more, and the block has no words */
void tm_young_leaves(struct tm_young *young);

/*
 * tm_nursery_add_object - an object that is not young died, and its @word is cleared; patience
 * ended Returns 0.
 */
int tm_nursery_add_object(uintptr_t object, tm_shadow_word *word);

/*
 * tm_nursery_died_in - @block is about to be freed
 * Returns who is known to have died in it; NULL: nobody, and who did not die is forgotten.
 */
struct tm_young *tm_nursery_died_in(uintptr_t block);

/* What a block of this domain is as long as nobody looked at it. */
TM_INLINE enum tm_kind tm_young_kind(enum tm_young_domain domain)
{
	return domain == TM_YOUNG_OBJ ? TM_PENDING : TM_BUFFER;
}

/* The two places, among a nursery's blocks or objects, for who begins at @address. */
TM_INLINE struct tm_young *tm_young_first(struct tm_young *among, uintptr_t address)
{
	return &among[(uint32_t)address * 0x9e3779b1u >> (32 - TM_YOUNG_BITS)];
}

TM_INLINE struct tm_young *tm_young_second(struct tm_young *first)
{
	return (struct tm_young *)((uintptr_t)first ^ sizeof(*first));
}

/* Who has this address, that may be more than an address; NULL: nobody. */
TM_INLINE struct tm_young *tm_young_at(struct tm_young *among, uintptr_t address)
{
	struct tm_young *young = tm_young_first(among, address & ~(uintptr_t)(TM_GRANULE - 1));

	if (young->address == address)
		return young;
	young = tm_young_second(young);
	return young->address == address ? young : NULL;
}

/* The magazine for a size, which is at most TM_MAGAZINE_SIZE. */
TM_INLINE struct tm_magazine *tm_magazine_of(struct tm_nursery *nursery,
					     enum tm_young_domain domain, size_t size)
{
	const size_t step = sizeof(struct tm_magazine) / 8;
	struct tm_magazine *magazine = &nursery->magazines[domain][0];

	magazine = (struct tm_magazine *)((char *)magazine + ((size + 7) & ~7ul) * step);
	/* Its address is better kept in a register than its parts. */
	__asm__("" : "+r"(magazine));
	return magazine;
}

/* What every block in it has room for. */
TM_INLINE size_t tm_magazine_size(const struct tm_nursery *nursery, enum tm_young_domain domain,
				  const struct tm_magazine *magazine)
{
	return 8 * (size_t)(magazine - nursery->magazines[domain]);
}

TM_INLINE bool tm_magazine_is_full(const struct tm_magazine *magazine)
{
	return magazine->newest == magazine->last;
}

/* Whether somebody died in @block, which may be NULL, and its size is known here. */
TM_INLINE bool tm_young_died_in(const struct tm_young *young, uintptr_t block)
{
	return young->block == block && young->address & TM_YOUNG_DEAD && block;
}

/* From now on somebody waits at home, where there is room.  @was: what is added to the address. */
TM_INLINE void tm_young_waits(struct tm_young *young, uintptr_t was, struct tm_magazine *home)
{
	struct tm_young **newest = home->newest;

	young->address += TM_YOUNG_WAITS - was;
	home->newest = newest + 1;
	newest[1] = young;
}

#endif

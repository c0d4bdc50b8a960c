/*
 * shadow.h - from a heap address to its shadow word
 *
 * A directory of two levels in private memory: the root is indexed by the address's high bits,
 * a leaf covers 16 GiB with one slot per 1 MiB chunk.  Two dependent loads find the words of a
 * chunk; a missing root entry or chunk is the slow path's business.
 */
#ifndef TIDEMARK_SHADOW_H
#define TIDEMARK_SHADOW_H

#include "base.h"
#include "tidemark/layout.h"

#define TM_ADDRESS_BITS 47
#define TM_LEAF_BITS	14
#define TM_ROOT_SHIFT	(TM_CHUNK_SHIFT + TM_LEAF_BITS)
#define TM_ROOT_SIZE	(1u << (TM_ADDRESS_BITS - TM_ROOT_SHIFT))
#define TM_LEAF_SIZE	(1u << TM_LEAF_BITS)

#define TM_LEAF_GRANULES (1ull << (TM_ROOT_SHIFT - TM_GRANULE_SHIFT))

typedef _Atomic uint64_t tm_shadow_word;

struct tm_slot {
	tm_shadow_word *words; /* NULL: no chunk here */
	uint32_t stamp;	       /* of the newest birth of its record, see interval.h; 0 = no chunk */
	uint32_t chunk;	       /* index of that record */
};

struct tm_leaf {
	struct tm_slot slots[TM_LEAF_SIZE];
};

/*
 * The directory in use.  While nothing is recorded (before the start, in a forked child that
 * has not begun its own recording, after the exit mark) it points at an empty root, which
 * makes every birth slow and every death nothing: no other switch is needed.
 */
extern TM_HIDDEN struct tm_leaf **tm_shadow_root;

/*
 * The leaf that CPython's first arena lies in, and so most of what follows: one comparison finds
 * it.  While nothing is recorded no address is within it.
 */
extern TM_HIDDEN struct tm_near {
	uintptr_t base; /* lowest address of its 16 GiB */
	struct tm_leaf *leaf;
} tm_shadow_near;

/* A leaf without chunks; never written, so it costs no memory. */
extern TM_HIDDEN struct tm_leaf tm_shadow_none;

/* tm_shadow_attach / _detach - put the real, or the empty, root in place. */
void tm_shadow_attach(void);
void tm_shadow_detach(void);

/* tm_shadow_forget - drop every chunk; for a new recording in this process. */
void tm_shadow_forget(void);

/*
 * tm_shadow_extend - make the chunk for @address
 * Takes the recorder's lock.  Returns its slot, or NULL when space ended.
 */
struct tm_slot *tm_shadow_extend(uintptr_t address);

/*
 * tm_shadow_newer - a birth under @birth is about to be stored in the chunk of @slot
 * Returns false when there is no such chunk.
 */
bool tm_shadow_newer(struct tm_slot *slot, uint32_t birth);

/* The leaf of an address by the directory; one without chunks where there is none. */
TM_INLINE struct tm_leaf *tm_shadow_leaf(uintptr_t address)
{
	uintptr_t number = address >> TM_ROOT_SHIFT;
	struct tm_leaf *leaf = number < TM_ROOT_SIZE ? tm_shadow_root[number] : NULL;

	return likely(leaf != NULL) ? leaf : &tm_shadow_none;
}

/* The slot of an address; one without words where there is no chunk. */
TM_INLINE struct tm_slot *tm_shadow_slot(uintptr_t address)
{
	return &tm_shadow_leaf(address)->slots[address >> TM_CHUNK_SHIFT & (TM_LEAF_SIZE - 1)];
}

TM_INLINE unsigned tm_shadow_index(uintptr_t address)
{
	return address >> TM_GRANULE_SHIFT & (TM_CHUNK_WORDS - 1);
}

/*
 * For what every event runs: the slot of an address, and the index of its word.  An address in the
 * middle of a granule has no words here.  Rotated, its low bits make the number too large, so that
 * one comparison says: near, and the beginning of a granule.
 */
TM_INLINE struct tm_slot *tm_shadow_look(uintptr_t address, size_t *index)
{
	uintptr_t granule = address - tm_shadow_near.base;
	struct tm_leaf *leaf = tm_shadow_near.leaf;

	granule = granule >> TM_GRANULE_SHIFT | granule << (64 - TM_GRANULE_SHIFT);
	if (unlikely(granule >= TM_LEAF_GRANULES)) {
		leaf = address & (TM_GRANULE - 1) ? &tm_shadow_none : tm_shadow_leaf(address);
		granule &= TM_LEAF_GRANULES - 1;
		/* Where two looks follow each other, gcc 12 took the second's number unmasked. */
		__asm__("" : "+r"(granule));
	}
	*index = granule & (TM_CHUNK_WORDS - 1);
	return &leaf->slots[granule / TM_CHUNK_WORDS];
}

/* The word of an address, NULL when its chunk does not exist. */
TM_INLINE tm_shadow_word *tm_shadow_find(uintptr_t address)
{
	struct tm_slot *slot = tm_shadow_slot(address);

	if (unlikely(!slot->words))
		return NULL;
	return &slot->words[tm_shadow_index(address)];
}

#endif

/*
 * hot_deaths.h - what is run when a block is freed or resized
 *
 * As in hot_births.h: the usual shapes, all others are left to the complete functions.
 */
#ifndef TIDEMARK_HOT_DEATHS_H
#define TIDEMARK_HOT_DEATHS_H

#include "hot_births.h"
#include "nursery.h"
#include "owner.h"
#include "record.h"

/* What a word has in common with a quiet death: its kind, if it was born in this interval. */
TM_INLINE uint64_t tm_hot_quiet(uint64_t word)
{
	return (word ^ tm_get(&tm_death_bits)) & (TM_QUIET_MASK | TM_KIND_MASK);
}

/*
 * Whether the word is a quiet block's that has no other word: a BUFFER's or a PENDING's, and no
 * size as large as TM_SIZE_BIG; the upper half of the sizes is left out, which takes one bit.
 */
TM_INLINE bool tm_hot_quiet_block(uint64_t word)
{
	const uint64_t either = TM_KIND_MASK & ~(uint64_t)(TM_BUFFER ^ TM_PENDING);

	return ((word ^ tm_get(&tm_death_bits)) & (1ull << 63 | TM_QUIET_MASK | either)) ==
	       (TM_BUFFER & TM_PENDING);
}

/*
 * Takes out the word of a block that is about to be resized, from a size and to a size that nobody
 * asks the owner of.  Returns the word's place and, as *@value, what it was; NULL: it takes more.
 */
TM_INLINE tm_shadow_word *tm_hot_take(uintptr_t block, size_t size, uint64_t *value)
{
	size_t index;
	tm_shadow_word *words = tm_shadow_look(block, &index)->words;

	if (unlikely(!words))
		return NULL;
	*value = tm_get(words + index);
	if (unlikely(!tm_hot_quiet_block(*value) || size >= TM_OWNED_LEAST ||
		     *value >> TM_TYPE_SHIFT >= TM_OWNED_LEAST || tm_owner_awaits(block)))
		return NULL;
	tm_put(words + index, 0);
	return words + index;
}

/* The word of a block without an object, of another size. */
TM_INLINE uint64_t tm_hot_with_size(uint64_t word, size_t size)
{
	return (word & ((1ull << TM_TYPE_SHIFT) - 1)) | size << TM_TYPE_SHIFT;
}

/* Puts it where the block is now: it keeps its birth and its site. */
TM_INLINE void tm_hot_put_back(uintptr_t block, size_t size, uint64_t value)
{
	size_t index;
	struct tm_slot *slot = tm_hot_slot(block, &index);

	value = tm_hot_with_size(value, size);
	if (likely(slot != NULL))
		tm_put(slot->words + index, value);
	else
		tm_block_put(block, size, value, 0);
}

/* What was found where a block begins that is about to be freed. */
enum tm_found {
	TM_FOUND_NOTHING,
	TM_FOUND_KEPT, /* in a magazine now, not to be freed */
	TM_FOUND_DONE, /* its words are cleared, no record is needed */
	TM_FOUND_MORE, /* tm_death_block() has to look */
};

/* A block whose object has been seen to die: what is left is its size. */
TM_INLINE enum tm_found tm_hot_free_rest(tm_shadow_word *words)
{
	uint64_t value = tm_get(words);

	if (value == 0) {
		if (tm_word_kind(tm_get(words + 1)) != TM_SIZE_TAIL)
			return TM_FOUND_NOTHING;
		tm_put(words + 1, 0);
		return TM_FOUND_DONE;
	}
	if (unlikely(tm_word_kind(value) != TM_SIZE_HEAD || tm_word_size(value) <= 2 * TM_GC_HEAD ||
		     tm_word_kind(tm_get(words + 1)) == TM_OBJECT ||
		     tm_word_kind(tm_get(words + 2)) == TM_OBJECT))
		return TM_FOUND_MORE;
	tm_put(words, 0);
	return TM_FOUND_DONE;
}

/* A block, of the allocator family, whose object was found when others were looked at. */
TM_INLINE enum tm_found tm_hot_free_found(tm_shadow_word *words)
{
	uint64_t value = tm_get(words);
	unsigned at = 0;

	if (tm_word_kind(value) == TM_SIZE_HEAD) {
		at = tm_get(words + 1) ? 1 : 2;
		if (unlikely(tm_word_size(value) <= at * TM_GC_HEAD))
			return TM_FOUND_MORE;
	}
	if (unlikely(tm_hot_quiet(tm_get(words + at)) != TM_OBJECT))
		return TM_FOUND_MORE;
	if (at)
		tm_put(words, 0);
	else if (tm_word_kind(tm_get(words + 1)) == TM_SIZE_TAIL)
		tm_put(words + 1, 0);
	tm_put(words + at, 0);
	return TM_FOUND_DONE;
}

/* Blocks that are most often without an object, or with one that nobody saw die; others: @rest. */
TM_INLINE enum tm_found tm_hot_free(uintptr_t block, enum tm_found (*rest)(tm_shadow_word *words))
{
	size_t index;
	tm_shadow_word *words = tm_shadow_look(block, &index)->words;

	if (unlikely(!words))
		return TM_FOUND_NOTHING;
	words += index;
	if (likely(tm_hot_quiet_block(tm_get(words)))) {
		tm_put(words, 0);
		return TM_FOUND_DONE;
	}
	return unlikely(index > TM_NEAR_END) ? TM_FOUND_MORE : rest(words);
}

/* A block that is not young: of this kind and of this interval, and not large, it may wait. */
TM_INLINE enum tm_found tm_hot_put_away(enum tm_young_domain domain, enum tm_kind kind,
					uintptr_t block)
{
	size_t index;
	tm_shadow_word *words = tm_shadow_look(block, &index)->words;
	uint64_t value;

	if (unlikely(!words))
		return TM_FOUND_MORE;
	value = tm_get(words + index);
	if (unlikely(tm_hot_quiet(value) != kind || value >> TM_TYPE_SHIFT > TM_MAGAZINE_SIZE))
		return TM_FOUND_MORE;
	tm_put(words + index, 0);
	return tm_nursery_add_block(block, value >> TM_TYPE_SHIFT, domain) ? TM_FOUND_KEPT
									   : TM_FOUND_DONE;
}

/* @young, if it is who begins at @block, dies and waits; false: there is more to do. */
TM_INLINE bool tm_hot_young_dies(struct tm_young *young, uintptr_t block)
{
	struct tm_magazine *home;

	if (unlikely(young->address != block))
		return false;
	home = young->home;
	if (unlikely(tm_magazine_is_full(home)))
		return false;
	tm_young_waits(young, 0, home);
	tm_put(young->place, 0);
	return true;
}

/* The object domain's on the tracer family. */
TM_INLINE enum tm_found tm_hot_free_emptied(uintptr_t block)
{
	size_t index;
	tm_shadow_word *words = tm_shadow_look(block, &index)->words;
	enum tm_found found;

	if (unlikely(!words))
		return TM_FOUND_NOTHING;
	if (unlikely(index > TM_NEAR_END))
		return TM_FOUND_MORE;
	found = tm_hot_free_rest(words + index);
	if (unlikely(found == TM_FOUND_MORE && tm_hot_quiet_block(tm_get(words + index)))) {
		tm_put(words + index, 0);
		return TM_FOUND_DONE;
	}
	return found;
}

#endif

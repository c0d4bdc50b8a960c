/*
 * hot_births.h - what is run when a block is allocated
 *
 * Each function tries the usual shape of its event and leaves all others to record.h's complete
 * one, as its last act, so that the usual way saves no registers for the other.
 */
#ifndef TIDEMARK_HOT_BIRTHS_H
#define TIDEMARK_HOT_BIRTHS_H

#include "cpython/cpython.h"
#include "hook_alloc.h"
#include "nursery.h"
#include "owner.h"
#include "record.h"

/* Where a birth happens; NULL: finding that takes more than a look, see stack.h. */
typedef struct tm_stack *(*tm_stack_function)(void);

/* The same where @key says what the innermost frame executes. */
typedef struct tm_stack *(*tm_stack_at_function)(uint64_t key);

/* What the innermost frame executes, where a site is that and no more; else 0. */
typedef uint64_t (*tm_key_function)(void);

/*
 * The slot of a chunk that has seen a birth in this interval; NULL: there is more to do.  The birth
 * field that goes with it has to be read before.
 */
TM_INLINE struct tm_slot *tm_hot_slot(uintptr_t address, size_t *index)
{
	struct tm_slot *slot = tm_shadow_look(address, index);

	return likely(slot->stamp == tm_get(&tm_birth_stamp)) ? slot : NULL;
}

TM_INLINE uint64_t tm_hot_birth_field(void)
{
	return atomic_load_explicit(&tm_birth_bits, memory_order_acquire);
}

/* Where the word of who begins at @address goes, and the birth field for it; NULL: see above. */
TM_INLINE tm_shadow_word *tm_hot_place(uintptr_t address, uint64_t *birth)
{
	struct tm_slot *slot;
	size_t index;

	*birth = tm_hot_birth_field();
	slot = tm_hot_slot(address, &index);
	return likely(slot != NULL) ? slot->words + index : NULL;
}

/* Whether what is born here, with this key and size, has the word that goes with @its_key. */
TM_INLINE bool tm_hot_is_as(uint64_t its_key, uint64_t word, uint64_t key, size_t size)
{
	return its_key == key && word >> TM_TYPE_SHIFT == size;
}

/*
 * What is born in the place of @young is of the site here, as its frames are not those of the last
 * times, or its size is not.  @key: see tm_key_function.  false: it takes more than a look.
 */
TM_INLINE bool tm_hot_young_anew(tm_stack_at_function stack_at, struct tm_young *young,
				 uint64_t key, enum tm_young_domain domain, size_t size)
{
	struct tm_stack *stack = stack_at(key);
	uint64_t birth = young->word & TM_BIRTH_MASK;

	if (unlikely(!stack))
		return false;
	/* Where it goes, and the birth, are the same as long as the nursery is open. */
	if (unlikely(young->key == TM_KEY_NONE)) {
		young->place = tm_hot_place(young->block, &birth);
		if (unlikely(!young->place))
			return false;
	}
	if (key) {
		young->other_key = young->key;
		young->other_word = young->word;
	}
	young->key = key ? key : TM_KEY_SEVERAL;
	young->word = tm_young_kind(domain) | birth | (uint64_t)stack->site << TM_SITE_SHIFT |
		      size << TM_TYPE_SHIFT;
	return true;
}

/* @young, the newest in the magazine, is born with this word. */
TM_INLINE void *tm_hot_born(struct tm_nursery *nursery, struct tm_young *young, uint64_t word,
			    enum tm_young_domain domain)
{
	uintptr_t block = young->block;

	young->home->newest--;
	tm_self.newest_plain = block;
	young->address = block;
	tm_put(young->place, word);
	if (domain == TM_YOUNG_OBJ)
		tm_count(&nursery->counters->created);
	if (!block)
		__builtin_unreachable();
	return (void *)block;
}

/* The newest in the magazine for this size; NULL: nobody waits. */
TM_INLINE struct tm_young *tm_hot_newest(struct tm_nursery *nursery, enum tm_young_domain domain,
					 size_t size)
{
	if (unlikely(size > TM_MAGAZINE_SIZE))
		return NULL;
	return *tm_magazine_of(nursery, domain, size)->newest;
}

/* Writes the word of a fresh block; false: it takes more. */
TM_INLINE bool tm_hot_block(tm_stack_function stack_here, uintptr_t block, size_t size,
			    enum tm_kind kind)
{
	struct tm_stack *stack = stack_here();
	struct tm_slot *slot;
	uint64_t birth;
	size_t index;

	if (unlikely(!stack || size >= TM_OWNED_LARGE ||
		     (kind == TM_BUFFER && size == TM_DEQUE_BLOCK)))
		return false;
	birth = tm_hot_birth_field();
	slot = tm_hot_slot(block, &index);
	if (unlikely(!slot))
		return false;
	tm_self.newest_plain = block;
	tm_put(slot->words + index,
	       kind | birth | (uint64_t)stack->site << TM_SITE_SHIFT | size << TM_TYPE_SHIFT);
	return true;
}

/* The mem domain: buffers.  Each *_born below follows an allocation that may have failed. */
TM_INLINE void *tm_hot_buffer_born(tm_stack_function stack_here, void *block, size_t size)
{
	if (unlikely(!block) || likely(tm_hot_block(stack_here, (uintptr_t)block, size, TM_BUFFER)))
		return block;
	return tm_mem_born(block, size);
}

/* The object domain, allocator family. */
TM_INLINE void *tm_hot_block_born(tm_stack_function stack_here, void *block, size_t size)
{
	struct tm_self *self = &tm_self;

	if (unlikely(!block))
		return block;
	/* A thread without a list of recent blocks remembers no stacks either. */
	if (unlikely(!tm_hot_block(stack_here, (uintptr_t)block, size, TM_PENDING)))
		return tm_block_born(block, size);
	tm_count(&self->counters->created);
	*self->recent_next++ = (uintptr_t)block;
	return likely(self->recent_next != self->recent_end) ? block : tm_recent_is_full(block);
}

#endif

/*
 * hot_births.h - what is run when a block is allocated, or the tracer tells of a birth
 *
 * Each function tries the usual shape of its event and leaves all others to record.h's complete
 * one, as its last act, so that the usual way saves no registers for the other.
 */
#ifndef TIDEMARK_HOT_BIRTHS_H
#define TIDEMARK_HOT_BIRTHS_H

#include "cpython/cpython.h"
#include "hook_alloc.h"
#include "hook_tracer.h"
#include "magazine.h"
#include "owner.h"
#include "record.h"

/* Where a birth happens; NULL: finding that takes more than a look, see stack.h. */
typedef struct tm_stack *(*tm_stack_function)(void);

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

/*
 * Allocator family: a block that died in this interval is born again.  It is among the recent ones
 * already, if it is one of the object domain.  NULL: none of that size waits, or it takes more.
 */
TM_INLINE void *tm_hot_born_again(tm_stack_function stack_here, enum tm_magazine_domain domain,
				  size_t size)
{
	struct tm_magazine *magazine;
	const struct tm_waiting *newest;
	struct tm_stack *stack;
	uintptr_t block;
	uint64_t birth;

	if (unlikely(size > TM_MAGAZINE_SIZE))
		return NULL;
	magazine = tm_magazine_of(domain, size);
	newest = magazine->newest;
	block = newest->block;
	if (unlikely(!block))
		return NULL;
	stack = stack_here();
	if (unlikely(!stack))
		return NULL;
	birth = tm_hot_birth_field();
	if (unlikely(newest->slot->stamp != tm_get(&tm_birth_stamp)))
		return NULL;
	magazine->newest--;
	tm_self.newest_plain = block;
	tm_put(newest->word, size << TM_TYPE_SHIFT | birth |
				     (domain == TM_MAGAZINES_OBJ ? stack->pending : stack->buffer));
	return (void *)block;
}

TM_INLINE void *tm_hot_block_again(tm_stack_function stack_here, size_t size)
{
	void *block = tm_hot_born_again(stack_here, TM_MAGAZINES_OBJ, size);

	if (likely(block != NULL))
		tm_count(&tm_self.counters->created);
	return block;
}

TM_INLINE void *tm_hot_buffer_again(tm_stack_function stack_here, size_t size)
{
	return tm_hot_born_again(stack_here, TM_MAGAZINES_MEM, size);
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

/* The object domain, tracer family. */
TM_INLINE void *tm_hot_object_born(tm_stack_function stack_here, void *block, size_t size)
{
	struct tm_self *self = &tm_self;
	struct tm_stack *stack;

	if (unlikely(!block))
		return block;
	stack = stack_here();
	if (unlikely(self->pending || !stack))
		return tm_object_born(block, size);
	self->pending_stack = stack;
	self->pending_size = size;
	self->pending = (uintptr_t)block;
	return block;
}

/*
 * Has stack->object be the word of @object, but for its birth.  What is born at a place is most
 * often of the type that was born there last.  false: its type is not known well enough.
 */
TM_INLINE bool tm_hot_type(struct tm_stack *stack, uintptr_t object)
{
	uintptr_t type = TM_FIELD(uintptr_t, object, TM_OB_TYPE);
	uint64_t bits;

	if (likely(stack->type == type))
		return true;
	bits = tm_type_quick(object);
	if (unlikely(!bits))
		return false;
	stack->type = type;
	stack->object = TM_OBJECT | bits | (uint64_t)stack->site << TM_SITE_SHIFT;
	return true;
}

/* The words of an object in the fresh block it belongs to. */
TM_INLINE bool tm_hot_fresh(struct tm_self *self, uintptr_t object)
{
	uintptr_t block = self->pending;
	uint64_t size = self->pending_size, birth;
	struct tm_stack *stack = self->pending_stack;
	tm_shadow_word *words;
	struct tm_slot *slot;
	size_t index;

	if (unlikely(!stack || size >= TM_SIZE_BIG || !tm_hot_type(stack, object)))
		return false;
	birth = tm_hot_birth_field();
	slot = tm_hot_slot(block, &index);
	if (unlikely(!slot || index > TM_NEAR_END))
		return false;
	self->pending = 0;
	words = slot->words + index;
	if (object != block)
		tm_put(words, tm_size_word(TM_SIZE_HEAD, size));
	else if (size > TM_GRANULE)
		tm_put(words + 1, tm_size_word(TM_SIZE_TAIL, size));
	tm_publish(words + ((object - block) >> TM_GRANULE_SHIFT), stack->object | birth);
	return true;
}

/* The word of an object that has no fresh block: it comes off a free list. */
TM_INLINE bool tm_hot_again(tm_stack_function stack_here, uintptr_t object)
{
	struct tm_stack *stack = stack_here();
	tm_shadow_word *word;
	struct tm_slot *slot;
	uint64_t birth;
	size_t index;

	if (unlikely(!stack || !tm_hot_type(stack, object)))
		return false;
	birth = tm_hot_birth_field();
	slot = tm_hot_slot(object, &index);
	if (unlikely(!slot))
		return false;
	word = slot->words + index;
	if (unlikely(tm_word_kind(tm_get(word)) != TM_FREE))
		return false;
	tm_publish(word, stack->object | birth);
	return true;
}

TM_INLINE int tm_hot_birth(tm_stack_function stack_here, void *at)
{
	struct tm_self *self = &tm_self;
	uintptr_t object = (uintptr_t)at, offset = object - self->pending;

	if (offset <= 2 * TM_GC_HEAD && offset < self->pending_size) {
		if (unlikely(!tm_hot_fresh(self, object)))
			return tm_trace(at, TM_CREATED);
	} else if (unlikely(!tm_hot_again(stack_here, object))) {
		return tm_trace(at, TM_CREATED);
	}
	tm_count(&self->counters->created);
	return 0;
}

#endif

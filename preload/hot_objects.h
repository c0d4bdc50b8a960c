/*
 * hot_objects.h - what is run when the tracer tells of an object's birth, and before and after
 *
 * As in hot_births.h: the usual shapes, all others are left to the complete functions.
 */
#ifndef TIDEMARK_HOT_OBJECTS_H
#define TIDEMARK_HOT_OBJECTS_H

#include "hook_tracer.h"
#include "hot_births.h"
#include "nursery.h"
#include "record.h"

#include <string.h>

/* ---- a block for one ----------------------------------------------------------- */

TM_INLINE void tm_hot_pending(struct tm_self *self, struct tm_stack *stack, uintptr_t block,
			      size_t size, struct tm_young *young)
{
	self->pending_stack = stack;
	self->pending_size = size;
	self->pending_young = young;
	self->pending = block;
}

/* Who waits for a block of this size; NULL: nobody, or another block is pending. */
TM_INLINE struct tm_young *tm_hot_waiting(size_t size)
{
	if (unlikely(size > TM_MAGAZINE_SIZE || tm_self.pending))
		return NULL;
	return *tm_magazine_of(tm_get(&tm_nursery), TM_YOUNG_OBJ, size)->newest;
}

/* The block of who waits, the newest in its magazine, is given out. */
TM_INLINE void *tm_hot_give(struct tm_young *young, struct tm_stack *stack, size_t size)
{
	young->home->newest--;
	tm_hot_pending(&tm_self, stack, young->block, size, young);
	if (!young->block)
		__builtin_unreachable();
	return (void *)young->block;
}

/* The same where it was born the last time, with that size. */
TM_INLINE void *tm_hot_give_again(struct tm_young *young, size_t size)
{
	tm_self.pending_site = tm_word_site(young->word);
	return tm_hot_give(young, NULL, size);
}

/* Elsewhere, on @stack; NULL: that takes more, and nothing was done. */
TM_INLINE void *tm_hot_give_anew(struct tm_stack *stack, struct tm_young *young, size_t size)
{
	if (unlikely(!stack))
		return NULL;
	if (young->key != TM_KEY_NONE)
		young->key = TM_KEY_SEVERAL;
	return tm_hot_give(young, stack, size);
}

/* A block that waits is given out; NULL: none of that size does, or it takes more. */
TM_INLINE void *tm_hot_block_given(tm_stack_function stack_here, size_t size)
{
	struct tm_young *young = tm_hot_waiting(size);

	return likely(young != NULL) ? tm_hot_give_anew(stack_here(), young, size) : NULL;
}

/* A fresh one. */
TM_INLINE void *tm_hot_object_born(tm_stack_function stack_here, void *block, size_t size)
{
	struct tm_self *self = &tm_self;
	struct tm_stack *stack;

	if (unlikely(!block))
		return block;
	stack = stack_here();
	if (unlikely(self->pending || !stack))
		return tm_object_born(block, size);
	tm_hot_pending(self, stack, (uintptr_t)block, size, NULL);
	return block;
}

/*
 * The block of an object that died just now, as a str's does that is about to be another size, is
 * resized for the next.  As pymalloc does, it moves when it grows, or shrinks by a quarter
 * (_PyObject_Realloc).  NULL: it takes more, and nothing was done.
 */
TM_INLINE void *tm_hot_resized(tm_stack_function stack_here, uintptr_t block, size_t size)
{
	struct tm_young *young = tm_get(&tm_nursery)->died_last;
	struct tm_stack *stack;
	void *moved;

	if (unlikely(!tm_young_died_in(young, block) ||
		     (size <= young->size && size > young->size - young->size / 4)))
		return NULL;
	moved = tm_hot_block_given(stack_here, size);
	if (!moved) {
		stack = stack_here();
		if (unlikely(tm_self.pending || !stack))
			return NULL;
		moved = tm_next_obj.malloc(tm_next_obj.ctx, size);
		if (unlikely(!moved))
			return NULL;
		tm_hot_pending(&tm_self, stack, (uintptr_t)moved, size, NULL);
	}
	memcpy(moved, (void *)block, size < young->size ? size : young->size);
	tm_object_free(tm_next_obj.ctx, (void *)block);
	return moved;
}

/* ---- births ---------------------------------------------------------------------- */

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

TM_INLINE void tm_hot_young_born(struct tm_nursery *nursery, struct tm_young *young,
				 uintptr_t object)
{
	young->address = object;
	tm_publish(young->place, young->word);
	tm_count(&nursery->counters->created);
}

/* @young is born as @object, on @stack; false: it takes more, or is to be watched. */
TM_INLINE bool tm_hot_young_object(struct tm_nursery *nursery, struct tm_young *young,
				   struct tm_stack *stack, uint64_t key, uintptr_t object)
{
	uint64_t birth = young->word & TM_BIRTH_MASK;

	if (unlikely(!stack || !tm_hot_type(stack, object) || stack->object & TM_WATCHED))
		return false;
	if (unlikely(young->key == TM_KEY_NONE)) {
		young->place = tm_hot_place(object, &birth);
		if (unlikely(!young->place))
			return false;
	}
	young->key = key ? key : TM_KEY_SEVERAL;
	young->type = stack->type;
	young->word = stack->object | birth;
	tm_hot_young_born(nursery, young, object);
	return true;
}

/* An object is born where one died that the nursery knows. */
TM_INLINE int tm_hot_young_again(tm_key_function key_here, tm_stack_at_function stack_at,
				 struct tm_nursery *nursery, struct tm_young *young, void *at)
{
	uintptr_t object = (uintptr_t)at;
	uint64_t key = key_here();

	if (likely(young->key == key && young->type == TM_FIELD(uintptr_t, object, TM_OB_TYPE))) {
		tm_hot_young_born(nursery, young, object);
		return 0;
	}
	if (unlikely(!tm_hot_young_object(nursery, young, stack_at(key), key, object)))
		return tm_trace(at, TM_CREATED);
	return 0;
}

/* Whether the block that is pending is for this object. */
TM_INLINE bool tm_hot_is_pending(const struct tm_self *self, uintptr_t object)
{
	uintptr_t offset = object - self->pending;

	return offset <= 2 * TM_GC_HEAD && offset < self->pending_size;
}

/* Whether the block that is pending is for this object, and out of its magazine for its place. */
TM_INLINE bool tm_hot_is_given(const struct tm_self *self, const struct tm_young *young,
			       uintptr_t object)
{
	return young->address == object + TM_YOUNG_WAITS && self->pending_young == young &&
	       self->pending && young->key > TM_KEY_SEVERAL;
}

/* Its site is known, and it is of another type than the last time. */
TM_INLINE bool tm_hot_given_type(struct tm_young *young, uintptr_t object, uintptr_t type)
{
	uint64_t bits = tm_type_quick(object);

	if (unlikely(!bits || bits & TM_WATCHED))
		return false;
	young->word = TM_OBJECT | bits | (young->word & (TM_SITE_MASK | TM_BIRTH_MASK));
	young->type = type;
	return true;
}

/* An object is born in the block that was given to it where it was born the last time. */
TM_INLINE bool tm_hot_given_again(struct tm_self *self, struct tm_nursery *nursery,
				  struct tm_young *young, uintptr_t object)
{
	uintptr_t type = TM_FIELD(uintptr_t, object, TM_OB_TYPE);

	if (unlikely(young->type != type && !tm_hot_given_type(young, object, type)))
		return false;
	self->pending = 0;
	tm_hot_young_born(nursery, young, object);
	return true;
}

/* The same elsewhere. */
TM_INLINE bool tm_hot_given_anew(struct tm_self *self, struct tm_nursery *nursery,
				 struct tm_young *young, uintptr_t object, bool one_frame)
{
	struct tm_stack *stack = self->pending_stack;
	uint64_t key = one_frame && stack ? stack->keys[0] : 0;

	if (unlikely(!tm_hot_young_object(nursery, young, stack, key, object)))
		return false;
	if (young->size != self->pending_size)
		tm_young_resize(young, self->pending_size);
	self->pending = 0;
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
	tm_count(&self->counters->created);
	return true;
}

/* The word of an object that has no fresh block, and is not known to the nursery. */
TM_INLINE bool tm_hot_again(struct tm_self *self, tm_stack_function stack_here, uintptr_t object)
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
	tm_count(&self->counters->created);
	return true;
}

/* ---- deaths ---------------------------------------------------------------------- */

/* @young, if it is this object, dies. */
TM_INLINE bool tm_hot_object_dies(struct tm_nursery *nursery, struct tm_young *young,
				  uintptr_t object)
{
	if (unlikely(young->address != object))
		return false;
	tm_put(young->place, 0);
	young->address += TM_YOUNG_DEAD;
	nursery->died_last = young;
	tm_count(&nursery->counters->destroyed);
	return true;
}

/*
 * An object that is not young dies, in the interval it was born in.  Returns its word's place;
 * NULL: it takes more.
 */
TM_INLINE tm_shadow_word *tm_hot_old_dies(struct tm_nursery *nursery, uintptr_t object)
{
	struct tm_self *self = &tm_self;
	size_t index;
	tm_shadow_word *words = tm_shadow_look(object, &index)->words;

	if (unlikely(!words || !self->counters || tm_hot_quiet(tm_get(words + index)) != TM_OBJECT))
		return NULL;
	tm_put(words + index, 0);
	tm_count(&self->counters->destroyed);
	nursery->old_died_last = object;
	return words + index;
}

#endif

/*
 * record.h - births and deaths
 *
 * What every object pays is inline here: a stack walk, two loads to the shadow word, a store.
 * What few pay (a new chunk, a death across a mark, something watched) is in record.c.  No lock,
 * no allocation, no system call; errno untouched.
 */
#ifndef TIDEMARK_RECORD_H
#define TIDEMARK_RECORD_H

#include "base.h"
#include "intern.h"
#include "shadow.h"
#include "stack.h"
#include "thread.h"

/*
 * The birth field of now, in place for a word; changes when a mark is set.  While the collector
 * runs it has TM_WATCHED as well, so that what finalizers make during the run can be told.
 */
extern _Atomic uint64_t tm_birth_bits;

/*
 * What a quiet death's word is compared with: the birth field of now, or, while the collector runs
 * in any thread, something that no word is equal to, so that every death takes the slow way.
 */
extern _Atomic uint64_t tm_death_bits;

/* A death needs no record when its word says: born in this interval, nobody watches. */
#define TM_QUIET_MASK (TM_BIRTH_MASK | TM_WATCHED)

enum {
	TM_NEAR_END = TM_CHUNK_WORDS - 3, /* words after this index may lie in the next chunk */
};

/*
 * Slow halves of births: begin the recording of a forked child, extend the shadow, take the
 * unusual shapes; or count what was lost.  They look up site and type themselves.
 * @block: the fresh block of the object, 0 when it has none; then @size and @site are void.
 */
TM_NOINLINE uint32_t tm_birth_block_slow(uintptr_t block, size_t size, enum tm_kind kind);
TM_NOINLINE void tm_birth_object_slow(uintptr_t object, uintptr_t block, size_t size,
				      uint32_t site);

/*
 * Slow halves of deaths: across a mark, of something watched, or of an unusual shape.  False: the
 * object was not known to live.
 */
TM_NOINLINE void tm_death_block_slow(uintptr_t block);
TM_NOINLINE bool tm_death_object_slow(uintptr_t object, tm_shadow_word *word);

/* The calling thread's list of recent blocks is full: look at their types. */
TM_NOINLINE void tm_recent_full(void);

/*
 * tm_record_collecting - a run of the collector begins (@yes), or has ended, in some interpreter
 * Runs may overlap where interpreters have a lock of their own.
 */
void tm_record_collecting(bool yes);

/*
 * tm_record_enter - births belong to the interval with birth field @birth from now on, if that is
 * a later one
 * Lock-free, async-signal-safe.  @anew: a new recording begins, whatever the field was.
 */
void tm_record_enter(uint32_t birth, bool anew);

/* What a block's words were before a realloc took it apart. */
struct tm_block_words {
	uintptr_t block;
	uint64_t word[3]; /* of its first three granules, those that belong to it; else 0 */
	uint64_t size;	  /* 0 = unknown */
};

/* tm_block_take - remember and clear a block's words without recording a death. */
void tm_block_take(uintptr_t block, struct tm_block_words *out);

/* tm_block_renew - if the block was born under an earlier mark, record that one's death. */
void tm_block_renew(struct tm_block_words *words);

/* tm_block_restore - put them back: the realloc failed. */
void tm_block_restore(const struct tm_block_words *words);

/* tm_block_move - the block lives on at @block with @size bytes. */
void tm_block_move(const struct tm_block_words *words, uintptr_t block, size_t size,
		   enum tm_kind kind);

/* The birth field of now and nothing else, in place for a word. */
TM_INLINE uint64_t tm_birth_now(void)
{
	return tm_get(&tm_birth_bits) & TM_BIRTH_MASK;
}

TM_INLINE struct tm_self *tm_self_here(void)
{
	struct tm_self *self = &tm_self;

	if (unlikely(!self->counters))
		tm_thread_begin();
	return self;
}

/* Slot for a birth now; NULL sends the caller to the slow path. */
TM_INLINE struct tm_slot *tm_birth_slot(uintptr_t address, uint64_t birth)
{
	struct tm_slot *slot = tm_shadow_slot(address);
	uint32_t field = (uint32_t)(birth >> TM_BIRTH_SHIFT);

	if (unlikely(!slot))
		return NULL;
	if (unlikely(slot->stamp != field + 1) && !tm_shadow_newer(slot, field))
		return NULL;
	return slot;
}

/* The word of a block whose nature, or whose type, is not known (yet). */
TM_INLINE uint64_t tm_block_word(enum tm_kind kind, uint64_t birth, uint32_t site, size_t size)
{
	uint64_t field = likely(size < TM_SIZE_BIG) ? size : TM_SIZE_BIG;

	return (uint64_t)kind | birth | (uint64_t)site << TM_SITE_SHIFT | field << TM_TYPE_SHIFT;
}

/* A block was allocated: @kind is BUFFER or PENDING.  Returns its site. */
TM_INLINE uint32_t tm_birth_block(uintptr_t block, size_t size, enum tm_kind kind)
{
	uint64_t birth = tm_get(&tm_birth_bits);
	struct tm_slot *slot = tm_birth_slot(block, birth);
	uint32_t site;

	if (unlikely(!slot || size >= TM_SIZE_BIG || block & (TM_GRANULE - 1)))
		return tm_birth_block_slow(block, size, kind);
	site = tm_site_here();
	tm_put(&slot->words[tm_shadow_index(block)], tm_block_word(kind, birth, site, size));
	return site;
}

/* The type of what is in this block will be looked at when it has lived for a while. */
TM_INLINE void tm_recent_add(struct tm_self *self, uintptr_t block)
{
	if (unlikely(self->recent == NULL))
		return;
	self->recent[self->recent_count++] = block;
	if (unlikely(self->recent_count == TM_RECENT))
		tm_recent_full();
}

/* An object-domain block of the allocator family: counts as an object until it is looked at. */
TM_INLINE void tm_birth_pending(uintptr_t block, size_t size)
{
	struct tm_self *self;

	tm_birth_block(block, size, TM_PENDING);
	self = tm_self_here();
	if (unlikely(!self->counters))
		return;
	tm_count(&self->counters->created);
	tm_recent_add(self, block);
}

/*
 * The same on the tracer family: the tracer is about to say what object the block becomes, so
 * nothing is written yet.  When it does not, the next event of the thread writes the block down.
 */
TM_NOINLINE void tm_flush_pending(struct tm_self *self);

TM_INLINE void tm_birth_expected(uintptr_t block, size_t size)
{
	uint32_t site = tm_site_here();
	struct tm_self *self = &tm_self;

	if (unlikely(self->pending != 0))
		tm_flush_pending(self);
	self->pending_site = site;
	self->pending_size = size;
	self->pending = block;
}

/* The words of an object in a fresh block that lies in one chunk. */
TM_INLINE void tm_put_object(struct tm_slot *slot, uintptr_t object, uintptr_t block, size_t size,
			     uint64_t word)
{
	unsigned index = tm_shadow_index(block);

	if (object != block)
		tm_put(&slot->words[index], tm_size_word(TM_SIZE_HEAD, size));
	else if (size > TM_GRANULE)
		tm_put(&slot->words[index + 1], tm_size_word(TM_SIZE_TAIL, size));
	tm_publish(&slot->words[tm_shadow_index(object)], word);
}

/* The tracer says that an object is born.  Its block, if it is new, was allocated just before. */
TM_INLINE void tm_birth_object(uintptr_t object)
{
	struct tm_self *self = &tm_self;
	uint64_t birth = tm_get(&tm_birth_bits);
	uintptr_t block = self->pending;
	bool fresh = object - block <= 2 * TM_GC_HEAD && object - block < self->pending_size;
	struct tm_slot *slot = tm_birth_slot(fresh ? block : object, birth);
	uint64_t word;

	if (fresh)
		self->pending = 0;
	if (unlikely(!slot)) {
		tm_birth_object_slow(object, fresh ? block : 0, self->pending_size,
				     self->pending_site);
	} else if (fresh && likely(tm_shadow_index(block) <= TM_NEAR_END &&
				   self->pending_size < TM_SIZE_BIG)) {
		word = tm_word(TM_OBJECT, 0, self->pending_site, tm_type_of(object)) | birth;
		tm_put_object(slot, object, block, self->pending_size, word);
	} else if (fresh ||
		   tm_word_kind(tm_get(&slot->words[tm_shadow_index(object)])) != TM_FREE) {
		tm_birth_object_slow(object, fresh ? block : 0, self->pending_size,
				     self->pending_site);
	} else {
		word = tm_word(TM_OBJECT, 0, tm_site_here(), tm_type_of(object)) | birth;
		tm_publish(&slot->words[tm_shadow_index(object)], word);
	}
	self = tm_self_here();
	if (likely(self->counters != NULL))
		tm_count(&self->counters->created);
}

/* The tracer says that an object dies. */
TM_INLINE void tm_death_object(uintptr_t object)
{
	tm_shadow_word *word = tm_shadow_find(object);
	struct tm_self *self;
	uint64_t value;

	if (unlikely(!word))
		return;
	value = tm_get(word);
	if (likely(((value ^ tm_get(&tm_death_bits)) & (TM_QUIET_MASK | TM_KIND_MASK)) ==
		   TM_OBJECT))
		tm_put(word, 0);
	else if (!tm_death_object_slow(object, word))
		return;
	self = tm_self_here();
	if (likely(self->counters != NULL))
		tm_count(&self->counters->destroyed);
}

/*
 * A block is about to be freed: every object word in it goes.  Returns whether it was known.
 */
TM_INLINE bool tm_death_block(uintptr_t block)
{
	struct tm_slot *slot = tm_shadow_slot(block);
	unsigned index = tm_shadow_index(block);
	uint64_t value, quiet;
	tm_shadow_word *words;

	if (unlikely(!slot || !slot->words))
		return false;
	words = &slot->words[index];
	value = tm_get(words);
	quiet = (value ^ tm_get(&tm_death_bits)) & (TM_QUIET_MASK | TM_KIND_MASK);
	if (likely((quiet == TM_PENDING || quiet == TM_BUFFER) &&
		   value >> TM_TYPE_SHIFT != TM_SIZE_BIG)) {
		tm_put(words, 0);
		return true;
	}
	if (unlikely(index > TM_NEAR_END)) {
		tm_death_block_slow(block);
		return true;
	}
	switch (tm_word_kind(value)) {
	case TM_FREE:
		/* An object at the start of its block that the tracer has seen die left its size.
		 */
		if (tm_word_kind(tm_get(words + 1)) != TM_SIZE_TAIL)
			return false;
		tm_put(words + 1, 0);
		return true;
	case TM_SIZE_HEAD:
		if (tm_word_kind(tm_get(words + 1)) != TM_OBJECT &&
		    (tm_word_size(value) <= 2 * TM_GC_HEAD ||
		     tm_word_kind(tm_get(words + 2)) != TM_OBJECT)) {
			tm_put(words, 0);
			return true;
		}
		break;
	default:
		break;
	}
	tm_death_block_slow(block);
	return true;
}

#endif

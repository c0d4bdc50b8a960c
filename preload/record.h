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
extern TM_HIDDEN _Atomic uint64_t tm_birth_bits;

/*
 * What a quiet death's word is compared with: the birth field of now, or, while the collector runs
 * in any thread, something that no word is equal to, so that every death takes the slow way.
 */
extern TM_HIDDEN _Atomic uint64_t tm_death_bits;

/* A death needs no record when its word says: born in this interval, nobody watches. */
#define TM_QUIET_MASK (TM_BIRTH_MASK | TM_WATCHED)

enum {
	TM_NEAR_END = TM_CHUNK_WORDS - 3, /* words after this index may lie in the next chunk */
};

/*
 * A block was allocated, born is
 *   tm_birth_block     memory that is no object (TM_BUFFER), or what is not known yet (TM_PENDING)
 *   tm_birth_pending   allocator family, object domain: an object until it is looked at
 *   tm_birth_expected  tracer family, object domain: the tracer is about to say what object it
 *                      becomes, so nothing is written yet; when it does not, the next event of the
 *                      thread writes the block down
 *
 * These and those below take every shape: they begin the recording of a forked child, extend the
 * shadow, intern what is new, and count what is lost.  hot.h tries the usual shapes first.
 */
TM_NOINLINE void tm_birth_block(uintptr_t block, size_t size, enum tm_kind kind);
TM_NOINLINE void tm_birth_pending(uintptr_t block, size_t size);
TM_NOINLINE void tm_birth_expected(uintptr_t block, size_t size);

/* The tracer says that an object is born.  Its block, if it is new, was allocated just before. */
TM_NOINLINE void tm_birth_object(uintptr_t object);

/* The tracer says that an object dies. */
TM_NOINLINE void tm_death_object(uintptr_t object);

/*
 * A block is about to be freed: every object word in it goes.  Returns whether it was known.
 * On the allocator family the caller counts it as destroyed.
 */
TM_NOINLINE bool tm_death_block(uintptr_t block);

/* What tm_birth_expected() left is no object: write it down. */
TM_NOINLINE void tm_flush_pending(struct tm_self *self);

/* Size of the block an object lives in, from the words around it; 0 = not known. */
uint64_t tm_object_size(uintptr_t object);

/* The calling thread's list of recent blocks is full: look at their types. */
TM_NOINLINE void tm_recent_full(void);

/*
 * tm_record_collecting - a run of the collector begins (@yes), or has ended, in some interpreter
 * Runs may overlap where interpreters have a lock of their own.
 */
void tm_record_collecting(bool yes);

/*
 * tm_record_leave_out - an object that is about to die in a run of the collector, by no doing of it
 * It is taken for one made in that run.  An object that is not known is left alone.
 */
void tm_record_leave_out(uintptr_t object);

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
	uint64_t before;  /* address of the memory that it took the place of; 0 = none */
	bool renews;	  /* it was born under an earlier mark, and is still in place */
	uintptr_t object; /* what it turned out to hold when it was looked into; 0 = nothing */
	uint32_t type;	  /* of that */
};

/* tm_block_take - remember a block's words. */
void tm_block_take(uintptr_t block, struct tm_block_words *out);

/*
 * tm_block_renew - a realloc is about to be tried
 * A block of this interval is taken out; one that was born under an earlier mark stays until it
 * is known that it goes, as its death can't be taken back.
 */
void tm_block_renew(struct tm_block_words *words);

/* tm_block_leave - the realloc succeeded: what was born earlier is dead now. */
void tm_block_leave(struct tm_block_words *words);

/* tm_block_restore - it failed: all is as it was. */
void tm_block_restore(const struct tm_block_words *words);

/* tm_block_move - it succeeded, and the block lives on at @block with @size bytes. */
void tm_block_move(struct tm_block_words *words, uintptr_t block, size_t size, enum tm_kind kind);

/* The birth field of now and nothing else, in place for a word. */
TM_INLINE uint64_t tm_birth_now(void)
{
	return tm_get(&tm_birth_bits) & TM_BIRTH_MASK;
}

/*
 * tm_death_kept, tm_birth_kept - an object whose block stays in a free list from death to birth
 * @head: bytes before the object in its block
 *
 * Allocator family.  The second is called for fresh blocks too, and leaves those as they are.
 */
void tm_death_kept(uintptr_t object, size_t head);
void tm_birth_kept(uintptr_t object, size_t head);

TM_INLINE struct tm_self *tm_self_here(void)
{
	struct tm_self *self = &tm_self;

	if (unlikely(!self->counters))
		tm_thread_begin();
	return self;
}

/* The word of a block whose nature, or whose type, is not known (yet). */
TM_INLINE uint64_t tm_block_word(enum tm_kind kind, uint64_t birth, uint32_t site, size_t size)
{
	uint64_t field = likely(size < TM_SIZE_BIG) ? size : TM_SIZE_BIG;

	return (uint64_t)kind | birth | (uint64_t)site << TM_SITE_SHIFT | field << TM_TYPE_SHIFT;
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

/* What dies as the newest needs no look: most objects live no longer than that. */
TM_INLINE void tm_recent_drop(struct tm_self *self, uintptr_t block)
{
	uint32_t count = self->recent_count;

	if (count && self->recent[count - 1] == block)
		self->recent_count = count - 1;
}

#endif

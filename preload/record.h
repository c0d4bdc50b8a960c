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
#include "blocks.h"
#include "intern.h"
#include "interval.h"
#include "shadow.h"
#include "stack.h"
#include "thread.h"

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

/*
 * Parts of tm_death_block(), for blocks that go in another way.  A block whose type was not looked
 * at is looked into while its memory is as it was; then it dies as what it held, or as memory.
 * @at: index of the object among the words; @flags: more enum tm_death_flags.
 */
void tm_death_look_into(struct tm_block_words *words);
void tm_death_of_plain(const struct tm_block_words *words, unsigned flags);
void tm_death_of_object_in(const struct tm_block_words *words, unsigned at);

/* What tm_birth_expected() left is no object: write it down. */
TM_NOINLINE void tm_flush_pending(struct tm_self *self);

/* tm_pending_drop - nothing is pending any more, and who died in that block does not wait there */
TM_NOINLINE void tm_pending_drop(struct tm_self *self);

/* The calling thread's list of recent blocks is full: look at their types. */
TM_NOINLINE void tm_recent_full(void);

/*
 * tm_record_leave_out - an object that is about to die in a run of the collector, by no doing of it
 * It is taken for one made in that run.  An object that is not known is left alone.
 */
void tm_record_leave_out(uintptr_t object);

/*
 * tm_death_kept, tm_birth_kept - an object whose block stays in a free list from death to birth
 * @head: bytes before the object in its block
 *
 * Allocator family.  The second is called for fresh blocks too, and leaves those as they are.
 */
void tm_death_kept(uintptr_t object, size_t head);
void tm_birth_kept(uintptr_t object, size_t head);

/* The word of a block whose nature, or whose type, is not known (yet). */
TM_INLINE uint64_t tm_block_word(enum tm_kind kind, uint64_t birth, uint32_t site, size_t size)
{
	uint64_t field = likely(size < TM_SIZE_BIG) ? size : TM_SIZE_BIG;

	return (uint64_t)kind | birth | (uint64_t)site << TM_SITE_SHIFT | field << TM_TYPE_SHIFT;
}

/* The type of what is in this block will be looked at when it has lived for a while. */
TM_INLINE void tm_recent_add(struct tm_self *self, uintptr_t block)
{
	if (unlikely(!self->stacks))
		return;
	*self->recent_next++ = block;
	if (unlikely(self->recent_next == self->recent_end))
		tm_recent_full();
}

/*
 * What dies as the newest, or as the one before, needs no look: most objects live no longer than
 * that.  The thread has begun.
 */
TM_INLINE void tm_recent_drop(struct tm_self *self, uintptr_t block)
{
	uintptr_t *next = self->recent_next;

	if (next[-1] == block) {
		self->recent_next = next - 1;
	} else if (next[-2] == block) {
		next[-2] = next[-1];
		self->recent_next = next - 1;
	}
}

#endif

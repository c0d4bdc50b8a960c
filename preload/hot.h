/*
 * hot.h - what every allocation, birth and death runs
 *
 * Each function here tries the usual shape of its event and leaves all others to record.h's
 * complete one, as its last act, so that the usual way saves no registers for the other.
 *
 * The site of a birth is found by following CPython's frames.  An adapter has these functions
 * made for its own chain of frames, whose offsets are then constants of the code, and in two
 * ways: with one frame kept for a site, which takes one look, and with several.
 */
#ifndef TIDEMARK_HOT_H
#define TIDEMARK_HOT_H

#include "cpython/cpython.h"
#include "hook_alloc.h"
#include "magazine.h"
#include "owner.h"
#include "record.h"

#include <string.h>

/* tm_trace - an event of the tracer, whatever it takes. */
TM_NOINLINE int tm_trace(void *object, int event);

/* The unusual shapes of what their names say; each returns, or frees, its block. */
TM_NOINLINE void *tm_mem_born(void *block, size_t size);
TM_NOINLINE void *tm_block_born(void *block, size_t size);
TM_NOINLINE void *tm_object_born(void *block, size_t size);
TM_NOINLINE void *tm_recent_is_full(void *block);

/* Include/cpython/object.h: enum PyRefTracerEvent; 2 comes with a NULL object (3.15). */
enum {
	TM_CREATED = 0,
	TM_DESTROYED = 1
};

struct tm_hooks {
	void *(*obj_malloc)(void *ctx, size_t size);
	void *(*obj_calloc)(void *ctx, size_t count, size_t size);
	void *(*mem_malloc)(void *ctx, size_t size);
	void *(*mem_calloc)(void *ctx, size_t count, size_t size);
	tm_tracer tracer; /* NULL on the allocator family */
};

/* One version's: [0] keeps one frame of a site, [1] several. */
struct tm_hot {
	struct tm_hooks blocks[2]; /* allocator family; NULLs where the version has none */
	struct tm_hooks traced[2]; /* tracer family */
};

/* Where a birth happens; NULL: finding that takes more than a look, see stack.h. */
typedef struct tm_stack *(*tm_stack_function)(void);

/* ---- births ---------------------------------------------------------------- */

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

/* ---- deaths ---------------------------------------------------------------- */

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

TM_INLINE int tm_hot_death(void *at)
{
	struct tm_self *self = &tm_self;
	size_t index;
	tm_shadow_word *words = tm_shadow_look((uintptr_t)at, &index)->words;

	if (unlikely(!words || !self->counters || tm_hot_quiet(tm_get(words + index)) != TM_OBJECT))
		return tm_trace(at, TM_DESTROYED);
	tm_put(words + index, 0);
	tm_count(&self->counters->destroyed);
	return 0;
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

/* Puts it where the block is now: it keeps its birth and its site. */
TM_INLINE void tm_hot_put_back(uintptr_t block, size_t size, uint64_t value)
{
	size_t index;
	struct tm_slot *slot = tm_hot_slot(block, &index);

	value = (value & ((1ull << TM_TYPE_SHIFT) - 1)) | size << TM_TYPE_SHIFT;
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

/* Blocks that are most often without an object, or with one that nobody saw die. */
TM_INLINE enum tm_found tm_hot_free(uintptr_t block)
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
	return unlikely(index > TM_NEAR_END) ? TM_FOUND_MORE : tm_hot_free_rest(words);
}

/* Allocator family: a block of this kind, of this interval, and not large. */
TM_INLINE enum tm_found tm_hot_put_away(enum tm_magazine_domain domain, enum tm_kind kind,
					uintptr_t block)
{
	size_t index;
	struct tm_slot *slot = tm_shadow_look(block, &index);
	tm_shadow_word *word;
	uint64_t value;

	if (unlikely(!slot->words))
		return TM_FOUND_MORE;
	word = slot->words + index;
	value = tm_get(word);
	if (unlikely(tm_hot_quiet(value) != kind || value >> TM_TYPE_SHIFT > TM_MAGAZINE_SIZE))
		return TM_FOUND_MORE;
	tm_put(word, 0);
	if (likely(tm_magazine_put(tm_magazine_of(domain, value >> TM_TYPE_SHIFT), block, word,
				   slot)))
		return TM_FOUND_KEPT;
	return TM_FOUND_DONE;
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

/* ---- the hooks ------------------------------------------------------------- */

#define TM_HOT_FRESH(domain, name, way)                                                            \
	static __attribute__((noinline)) void *name##_fresh_##way(size_t size)                     \
	{                                                                                          \
		void *block = tm_next_##domain.malloc(tm_next_##domain.ctx, size);                 \
                                                                                                   \
		return tm_hot_##name##_born(stack_of_##way, block, size);                          \
	}

#define TM_HOT_MALLOC(domain, name, hook, way)                                                     \
	static void *hook(void *ctx, size_t size)                                                  \
	{                                                                                          \
		void *block = tm_next_##domain.malloc(ctx, size);                                  \
                                                                                                   \
		return tm_hot_##name##_born(stack_of_##way, block, size);                          \
	}

#define TM_HOT_CALLOC(domain, name, hook, way)                                                     \
	static __attribute__((noinline)) void *hook(void *ctx, size_t count, size_t size)          \
	{                                                                                          \
		void *block = tm_next_##domain.calloc(ctx, count, size);                           \
                                                                                                   \
		return tm_hot_##name##_born(stack_of_##way, block, count * size);                  \
	}

/*
 * What waits in a magazine is handed out without saving registers for a call of the allocator.  No
 * product of two sizes that a magazine may be for is too large for a number.
 */
#define TM_HOT_MAGAZINE(domain, name, way)                                                         \
	TM_HOT_FRESH(domain, name, way)                                                            \
	static void *name##_malloc_##way(void *ctx, size_t size)                                   \
	{                                                                                          \
		void *block = tm_hot_##name##_again(stack_of_##way, size);                         \
                                                                                                   \
		(void)ctx;                                                                         \
		return likely(block != NULL) ? block : name##_fresh_##way(size);                   \
	}                                                                                          \
	TM_HOT_CALLOC(domain, name, name##_zeroed_##way, way)                                      \
	static void *name##_calloc_##way(void *ctx, size_t count, size_t size)                     \
	{                                                                                          \
		void *block = NULL;                                                                \
                                                                                                   \
		if (likely((count | size) <= TM_MAGAZINE_SIZE))                                    \
			block = tm_hot_##name##_again(stack_of_##way, count * size);               \
		return likely(block != NULL) ? memset(block, 0, count * size)                      \
					     : name##_zeroed_##way(ctx, count, size);              \
	}

/* Births and deaths are functions of their own: the light one does not pay for the other's stack.
 */
#define TM_HOT_TRACE(way)                                                                          \
	static __attribute__((noinline)) int birth_##way(void *object)                             \
	{                                                                                          \
		return tm_hot_birth(stack_of_##way, object);                                       \
	}                                                                                          \
	static int trace_##way(void *object, int event, void *data)                                \
	{                                                                                          \
		(void)data;                                                                        \
		if (event == TM_CREATED)                                                           \
			return birth_##way(object);                                                \
		return likely(event == TM_DESTROYED) ? tm_hot_death(object) : 0;                   \
	}

/*
 * For @chain, a constant.  Several frames are compared in a loop, which is better off in a function
 * of its own.
 */
#define TM_HOT_SITES(chain)                                                                        \
	TM_INLINE struct tm_stack *stack_of_frame(void)                                            \
	{                                                                                          \
		return tm_stack_of_frame(&(chain));                                                \
	}                                                                                          \
	static __attribute__((noinline)) struct tm_stack *stack_of_stack(void)                     \
	{                                                                                          \
		return tm_stack_of_stack(&(chain));                                                \
	}

/* The hooks of one family; TM_HOT_SITES comes before, once for both. */
#define TM_HOT_BLOCKS                                                                              \
	TM_HOT_MAGAZINE(obj, block, frame)                                                         \
	TM_HOT_MAGAZINE(obj, block, stack)                                                         \
	TM_HOT_MAGAZINE(mem, buffer, frame)                                                        \
	TM_HOT_MAGAZINE(mem, buffer, stack)

#define TM_HOT_TRACED                                                                              \
	TM_HOT_MALLOC(obj, object, object_malloc_frame, frame)                                     \
	TM_HOT_MALLOC(obj, object, object_malloc_stack, stack)                                     \
	TM_HOT_CALLOC(obj, object, object_calloc_frame, frame)                                     \
	TM_HOT_CALLOC(obj, object, object_calloc_stack, stack)                                     \
	TM_HOT_MALLOC(mem, buffer, mem_malloc_frame, frame)                                        \
	TM_HOT_MALLOC(mem, buffer, mem_malloc_stack, stack)                                        \
	TM_HOT_CALLOC(mem, buffer, mem_calloc_frame, frame)                                        \
	TM_HOT_CALLOC(mem, buffer, mem_calloc_stack, stack)                                        \
	TM_HOT_TRACE(frame)                                                                        \
	TM_HOT_TRACE(stack)

#define TM_HOT_OF(way, obj, mem, tracer)                                                           \
	{                                                                                          \
		obj##_malloc_##way, obj##_calloc_##way, mem##_malloc_##way, mem##_calloc_##way,    \
			tracer                                                                     \
	}

#define TM_HOT_OF_BLOCKS                                                                           \
	{                                                                                          \
		TM_HOT_OF(frame, block, buffer, NULL), TM_HOT_OF(stack, block, buffer, NULL)       \
	}
#define TM_HOT_OF_TRACED                                                                           \
	{                                                                                          \
		TM_HOT_OF(frame, object, mem, trace_frame),                                        \
			TM_HOT_OF(stack, object, mem, trace_stack)                                 \
	}
#define TM_HOT_NONE                                                                                \
	{                                                                                          \
		{                                                                                  \
			NULL, NULL, NULL, NULL, NULL                                               \
		}                                                                                  \
	}

#endif

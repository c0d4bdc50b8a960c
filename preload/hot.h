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
#include "owner.h"
#include "record.h"

/* What was there before our hooks. */
extern TM_HIDDEN struct tm_allocator tm_next_obj, tm_next_mem;

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
TM_INLINE void *tm_hot_mem_born(tm_stack_function stack_here, void *block, size_t size)
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

/* What was found where a block begins that is about to be freed. */
enum tm_found {
	TM_FOUND_NOTHING,
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

#define TM_HOT_ALLOCATOR(domain, name, way)                                                        \
	static void *name##_malloc_##way(void *ctx, size_t size)                                   \
	{                                                                                          \
		void *block = tm_next_##domain.malloc(ctx, size);                                  \
                                                                                                   \
		return tm_hot_##name##_born(stack_of_##way, block, size);                          \
	}                                                                                          \
	static void *name##_calloc_##way(void *ctx, size_t count, size_t size)                     \
	{                                                                                          \
		void *block = tm_next_##domain.calloc(ctx, count, size);                           \
                                                                                                   \
		return tm_hot_##name##_born(stack_of_##way, block, count * size);                  \
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
	}                                                                                          \
	TM_HOT_ALLOCATOR(mem, mem, frame)                                                          \
	TM_HOT_ALLOCATOR(mem, mem, stack)

/* The hooks of one family; TM_HOT_SITES comes before, once for both. */
#define TM_HOT_BLOCKS                                                                              \
	TM_HOT_ALLOCATOR(obj, block, frame)                                                        \
	TM_HOT_ALLOCATOR(obj, block, stack)

#define TM_HOT_TRACED                                                                              \
	TM_HOT_ALLOCATOR(obj, object, frame)                                                       \
	TM_HOT_ALLOCATOR(obj, object, stack)                                                       \
	TM_HOT_TRACE(frame)                                                                        \
	TM_HOT_TRACE(stack)

#define TM_HOT_OF(way, name, tracer)                                                               \
	{                                                                                          \
		name##_malloc_##way, name##_calloc_##way, mem_malloc_##way, mem_calloc_##way,      \
			tracer                                                                     \
	}

#define TM_HOT_OF_BLOCKS                                                                           \
	{                                                                                          \
		TM_HOT_OF(frame, block, NULL), TM_HOT_OF(stack, block, NULL)                       \
	}
#define TM_HOT_OF_TRACED                                                                           \
	{                                                                                          \
		TM_HOT_OF(frame, object, trace_frame), TM_HOT_OF(stack, object, trace_stack)       \
	}
#define TM_HOT_NONE                                                                                \
	{                                                                                          \
		{                                                                                  \
			NULL, NULL, NULL, NULL, NULL                                               \
		}                                                                                  \
	}

#endif

/*
 * hot.h - the hooks that every allocation, birth and death runs, made for one version
 *
 * The site of a birth is found by following CPython's frames.  An adapter has these functions
 * made for its own chain of frames, whose offsets are then constants of the code, and in two
 * ways: with one frame kept for a site, which takes one look, and with several.
 */
#ifndef TIDEMARK_HOT_H
#define TIDEMARK_HOT_H

#include "hot_births.h"
#include "hot_deaths.h"
#include "hot_objects.h"

#include <string.h>

struct tm_hooks {
	void *(*obj_malloc)(void *ctx, size_t size);
	void *(*obj_calloc)(void *ctx, size_t count, size_t size);
	void *(*obj_realloc)(void *ctx, void *block, size_t size); /* tracer family */
	void *(*mem_malloc)(void *ctx, size_t size);
	void *(*mem_calloc)(void *ctx, size_t count, size_t size);
	tm_tracer tracer; /* NULL on the allocator family */
};

/* One version's: [0] keeps one frame of a site, [1] several. */
struct tm_hot {
	struct tm_hooks blocks[2]; /* allocator family; NULLs where the version has none */
	struct tm_hooks traced[2]; /* tracer family */
};

#define TM_HOT_FRESH(domain, name, way)                                                            \
	static __attribute__((noinline)) void *name##_fresh_##way(size_t size)                     \
	{                                                                                          \
		void *block = tm_next_##domain.malloc(tm_next_##domain.ctx, size);                 \
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
#define TM_HOT_MAGAZINE(domain, name, young, way)                                                  \
	TM_HOT_FRESH(domain, name, way)                                                            \
	static __attribute__((noinline)) void *name##_anew_##way(                                  \
		size_t size, struct tm_young *at, struct tm_nursery *nursery, uint64_t key)        \
	{                                                                                          \
		if (likely(tm_hot_young_anew(stack_at_##way, at, key, young, size)))               \
			return tm_hot_born(nursery, at, at->word, young);                          \
		return name##_fresh_##way(size);                                                   \
	}                                                                                          \
	static __attribute__((noinline)) void *name##_other_##way(                                 \
		size_t size, struct tm_young *at, struct tm_nursery *nursery, uint64_t key)        \
	{                                                                                          \
		if (likely(tm_hot_is_as(at->other_key, at->other_word, key, size)))                \
			return tm_hot_born(nursery, at, at->other_word, young);                    \
		return name##_anew_##way(size, at, nursery, key);                                  \
	}                                                                                          \
	static void *name##_malloc_##way(void *ctx, size_t size)                                   \
	{                                                                                          \
		struct tm_nursery *nursery = tm_get(&tm_nursery);                                  \
		struct tm_young *at = tm_hot_newest(nursery, young, size);                         \
		uint64_t key;                                                                      \
                                                                                                   \
		(void)ctx;                                                                         \
		if (unlikely(!at))                                                                 \
			return name##_fresh_##way(size);                                           \
		key = key_of_##way();                                                              \
		if (unlikely(!tm_hot_is_as(at->key, at->word, key, size)))                         \
			return name##_other_##way(size, at, nursery, key);                         \
		return tm_hot_born(nursery, at, at->word, young);                                  \
	}                                                                                          \
	TM_HOT_CALLOC(domain, name, name##_zeroed_##way, way)                                      \
	static void *name##_calloc_##way(void *ctx, size_t count, size_t size)                     \
	{                                                                                          \
		struct tm_nursery *nursery = tm_get(&tm_nursery);                                  \
		struct tm_young *at = NULL;                                                        \
		uint64_t key;                                                                      \
		void *block;                                                                       \
                                                                                                   \
		if (likely((count | size) <= TM_MAGAZINE_SIZE))                                    \
			at = tm_hot_newest(nursery, young, count * size);                          \
		if (unlikely(!at))                                                                 \
			return name##_zeroed_##way(ctx, count, size);                              \
		key = key_of_##way();                                                              \
		block = likely(tm_hot_is_as(at->key, at->word, key, count * size))                 \
				? tm_hot_born(nursery, at, at->word, young)                        \
				: name##_other_##way(count * size, at, nursery, key);              \
		return likely(block != NULL) ? memset(block, 0, count * size) : NULL;              \
	}

/* The same for a block that is to hold an object of the tracer's. */
#define TM_HOT_GIVEN(way)                                                                          \
	static __attribute__((noinline)) void *object_fresh_##way(size_t size)                     \
	{                                                                                          \
		void *block = tm_next_obj.malloc(tm_next_obj.ctx, size);                           \
                                                                                                   \
		return tm_hot_object_born(stack_of_##way, block, size);                            \
	}                                                                                          \
	static __attribute__((noinline)) void *object_anew_##way(                                  \
		size_t size, struct tm_young *young, uint64_t key)                                 \
	{                                                                                          \
		void *block = tm_hot_give_anew(stack_at_##way(key), young, size);                  \
                                                                                                   \
		return likely(block != NULL) ? block : object_fresh_##way(size);                   \
	}                                                                                          \
	static void *object_malloc_##way(void *ctx, size_t size)                                   \
	{                                                                                          \
		struct tm_young *young = tm_hot_waiting(size);                                     \
		uint64_t key;                                                                      \
                                                                                                   \
		(void)ctx;                                                                         \
		if (unlikely(!young))                                                              \
			return object_fresh_##way(size);                                           \
		key = key_of_##way();                                                              \
		if (unlikely(young->key != key || young->size != size))                            \
			return object_anew_##way(size, young, key);                                \
		return tm_hot_give_again(young, size);                                             \
	}                                                                                          \
	TM_HOT_CALLOC(obj, object, object_zeroed_##way, way)                                       \
	static void *object_calloc_##way(void *ctx, size_t count, size_t size)                     \
	{                                                                                          \
		void *block = NULL;                                                                \
                                                                                                   \
		if (likely((count | size) <= TM_MAGAZINE_SIZE))                                    \
			block = tm_hot_block_given(stack_of_##way, count * size);                  \
		return likely(block != NULL) ? memset(block, 0, count * size)                      \
					     : object_zeroed_##way(ctx, count, size);              \
	}                                                                                          \
	static void *object_realloc_##way(void *ctx, void *block, size_t size)                     \
	{                                                                                          \
		void *moved = tm_hot_resized(stack_of_##way, (uintptr_t)block, size);              \
                                                                                                   \
		return likely(moved != NULL) ? moved : tm_object_resized(ctx, block, size);        \
	}

/*
 * Each shape of an event is a function of its own, and ends with the call of the next: none pays
 * for the registers that another needs, and as all have the same parameters nothing moves between.
 */
#define TM_HOT_TRACE(way, one_frame)                                                               \
	static __attribute__((noinline)) int birth_given_##way(                                    \
		void *at, int event, struct tm_nursery *nursery, struct tm_young *young)           \
	{                                                                                          \
		return likely(tm_hot_given_anew(&tm_self, nursery, young, (uintptr_t)at,           \
						one_frame))                                        \
			       ? 0                                                                 \
			       : tm_trace(at, event);                                              \
	}                                                                                          \
	static __attribute__((noinline)) int birth_pending_##way(                                  \
		void *at, int event, struct tm_nursery *nursery, struct tm_young *first)           \
	{                                                                                          \
		struct tm_young *young = tm_self.pending_young;                                    \
		uintptr_t object = (uintptr_t)at;                                                  \
                                                                                                   \
		(void)first;                                                                       \
		if (!young)                                                                        \
			return likely(tm_hot_fresh(&tm_self, object)) ? 0 : tm_trace(at, event);   \
		if (unlikely(young->address != object + TM_YOUNG_WAITS || !nursery->counters))     \
			return tm_trace(at, event);                                                \
		if (unlikely(young->key <= TM_KEY_SEVERAL ||                                       \
			     !tm_hot_given_again(&tm_self, nursery, young, object)))               \
			return birth_given_##way(at, event, nursery, young);                       \
		return 0;                                                                          \
	}                                                                                          \
	static __attribute__((noinline)) int birth_again_##way(                                    \
		void *at, int event, struct tm_nursery *nursery, struct tm_young *young)           \
	{                                                                                          \
		(void)event;                                                                       \
		return tm_hot_young_again(key_of_##way, stack_at_##way, nursery, young, at);       \
	}                                                                                          \
	static __attribute__((noinline)) int birth_old_##way(                                      \
		void *at, int event, struct tm_nursery *nursery, struct tm_young *first)           \
	{                                                                                          \
		struct tm_young *second = tm_young_second(first);                                  \
		uintptr_t object = (uintptr_t)at;                                                  \
                                                                                                   \
		if (likely(tm_hot_is_given(&tm_self, first, object)) &&                            \
		    likely(tm_hot_given_again(&tm_self, nursery, first, object)))                  \
			return 0;                                                                  \
		if (tm_hot_is_pending(&tm_self, object))                                           \
			return birth_pending_##way(at, event, nursery, first);                     \
		if (unlikely(second->address == object + TM_YOUNG_DEAD))                           \
			return birth_again_##way(at, event, nursery, second);                      \
		return likely(tm_hot_again(&tm_self, stack_of_##way, object))                      \
			       ? 0                                                                 \
			       : tm_trace(at, event);                                              \
	}                                                                                          \
	static int trace_##way(void *at, int event, void *data)                                    \
	{                                                                                          \
		struct tm_nursery *nursery = tm_get(&tm_nursery);                                  \
		struct tm_young *first = tm_young_first(nursery->objects, (uintptr_t)at);          \
                                                                                                   \
		(void)data;                                                                        \
		if (event == TM_CREATED) {                                                         \
			if (unlikely(first->address != (uintptr_t)at + TM_YOUNG_DEAD))             \
				return birth_old_##way(at, event, nursery, first);                 \
			return tm_hot_young_again(key_of_##way, stack_at_##way, nursery, first,    \
						  at);                                             \
		}                                                                                  \
		return likely(tm_hot_object_dies(nursery, first, (uintptr_t)at))                   \
			       ? 0                                                                 \
			       : tm_traced_death(at, event, nursery, first);                       \
	}

/*
 * For @chain, a constant.  Several frames are compared in a loop, which is better off in a function
 * of its own.
 */
#define TM_HOT_SITES(chain)                                                                        \
	TM_INLINE uint64_t key_of_frame(void)                                                      \
	{                                                                                          \
		return tm_stack_key(&(chain));                                                     \
	}                                                                                          \
	TM_INLINE struct tm_stack *stack_at_frame(uint64_t key)                                    \
	{                                                                                          \
		return tm_stack_of_frame(key);                                                     \
	}                                                                                          \
	TM_INLINE struct tm_stack *stack_of_frame(void)                                            \
	{                                                                                          \
		return tm_stack_of_frame(key_of_frame());                                          \
	}                                                                                          \
	TM_INLINE uint64_t key_of_stack(void)                                                      \
	{                                                                                          \
		return 0;                                                                          \
	}                                                                                          \
	static __attribute__((noinline)) struct tm_stack *stack_of_stack(void)                     \
	{                                                                                          \
		return tm_stack_of_stack(&(chain));                                                \
	}                                                                                          \
	TM_INLINE struct tm_stack *stack_at_stack(uint64_t key)                                    \
	{                                                                                          \
		(void)key;                                                                         \
		return stack_of_stack();                                                           \
	}

/* The hooks of one family; TM_HOT_SITES and TM_HOT_BUFFERS come before, once for both. */
#define TM_HOT_BUFFERS                                                                             \
	TM_HOT_MAGAZINE(mem, buffer, TM_YOUNG_MEM, frame)                                          \
	TM_HOT_MAGAZINE(mem, buffer, TM_YOUNG_MEM, stack)

#define TM_HOT_BLOCKS                                                                              \
	TM_HOT_MAGAZINE(obj, block, TM_YOUNG_OBJ, frame)                                           \
	TM_HOT_MAGAZINE(obj, block, TM_YOUNG_OBJ, stack)

#define TM_HOT_TRACED                                                                              \
	TM_HOT_GIVEN(frame)                                                                        \
	TM_HOT_GIVEN(stack)                                                                        \
	TM_HOT_TRACE(frame, true)                                                                  \
	TM_HOT_TRACE(stack, false)

#define TM_HOT_OF(way, obj, realloc, tracer)                                                       \
	{                                                                                          \
		obj##_malloc_##way, obj##_calloc_##way, realloc, buffer_malloc_##way,              \
			buffer_calloc_##way, tracer                                                \
	}

#define TM_HOT_OF_BLOCKS                                                                           \
	{                                                                                          \
		TM_HOT_OF(frame, block, NULL, NULL), TM_HOT_OF(stack, block, NULL, NULL)           \
	}
#define TM_HOT_OF_TRACED                                                                           \
	{                                                                                          \
		TM_HOT_OF(frame, object, object_realloc_frame, trace_frame),                       \
			TM_HOT_OF(stack, object, object_realloc_stack, trace_stack)                \
	}
#define TM_HOT_NONE                                                                                \
	{                                                                                          \
		{                                                                                  \
			NULL, NULL, NULL, NULL, NULL, NULL                                         \
		}                                                                                  \
	}

#endif

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

#include <string.h>

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

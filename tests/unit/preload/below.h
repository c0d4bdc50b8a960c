/*
 * below.h - the hooks in front of an allocator that only counts, for what waits in a magazine
 */
#ifndef TIDEMARK_TEST_BELOW_H
#define TIDEMARK_TEST_BELOW_H

#include "rig.h"

#include "nursery.h"

#define SIZE 40

static struct {
	unsigned made, freed;
	uintptr_t last_freed;
	size_t used;
	bool none; /* there is no more memory */
} below;

static inline void *below_malloc(void *ctx, size_t size)
{
	(void)ctx;
	if (below.none)
		return NULL;
	below.made++;
	below.used += (size + 15) & ~(size_t)15;
	return rig.heap + below.used - ((size + 15) & ~(size_t)15);
}

static inline void *below_calloc(void *ctx, size_t count, size_t size)
{
	return memset(below_malloc(ctx, count * size), 0, count * size);
}

static inline void *below_realloc(void *ctx, void *block, size_t size)
{
	(void)ctx;
	(void)size;
	return below.none ? NULL : block;
}

static inline void below_free(void *ctx, void *block)
{
	(void)ctx;
	below.freed++;
	below.last_freed = (uintptr_t)block;
}

static struct tm_allocator obj, mem;

static inline void get_allocator(int domain, struct tm_allocator *out)
{
	(void)domain;
	*out = (struct tm_allocator){NULL, below_malloc, below_calloc, below_realloc, below_free};
}

static inline void set_allocator(int domain, struct tm_allocator *in)
{
	*(domain == TM_DOMAIN_MEM ? &mem : &obj) = *in;
}

static inline void begin(const char *allocator)
{
	static struct rig_frame frame;

	memset(&below, 0, sizeof(below));
	rig_configure();
	tm_config.frames = 1;
	rig_begin(TM_FAMILY_ALLOCATOR);
	frame = (struct rig_frame){NULL, &rig.codes[0], 1};
	rig.frame = &frame;
	rig.allocator = allocator;
	tm_python.get_allocator = get_allocator;
	tm_python.set_allocator = set_allocator;
	tm_hook_alloc_install();
	tm_nursery_start();
}

static inline void *make(size_t size)
{
	return obj.malloc(obj.ctx, size);
}

static inline void drop(void *block)
{
	obj.free(obj.ctx, block);
}

static inline void begin_open(void)
{
	begin("pymalloc");
	drop(make(SIZE)); /* the stack is remembered from here on */
	tm_nursery_empty();
	below.made = below.freed = 0;
}

/* A block of SIZE that competes with no other of these for a place among the young. */
static inline void *make_apart(bool *taken)
{
	for (;; below.used += 16) {
		struct tm_young *among = tm_get(&tm_nursery)->blocks;
		struct tm_young *first = tm_young_first(among, (uintptr_t)rig.heap + below.used);

		if (!taken[(first - among) / 2]) {
			taken[(first - among) / 2] = true;
			return make(SIZE);
		}
	}
}

static inline int clean_up(void **state)
{
	(void)state;
	if (tm_segment.base)
		rig_end();
	return 0;
}

#endif

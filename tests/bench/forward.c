/*
 * forward.c - the recorder with hooks that only forward, in the place of hook_alloc.c's
 *
 * What a program pays for being called at each allocation, birth and death, and for free lists that
 * are closed, before anything is recorded: no recorder that uses these entry points costs less.
 */
#include "hook_alloc.h"

struct tm_allocator tm_next_obj, tm_next_mem;

#define FORWARD(domain)                                                                            \
	static void *domain##_malloc(void *ctx, size_t size)                                       \
	{                                                                                          \
		return tm_next_##domain.malloc(ctx, size);                                         \
	}                                                                                          \
	static void *domain##_calloc(void *ctx, size_t count, size_t size)                         \
	{                                                                                          \
		return tm_next_##domain.calloc(ctx, count, size);                                  \
	}                                                                                          \
	static void *domain##_realloc(void *ctx, void *block, size_t size)                         \
	{                                                                                          \
		return tm_next_##domain.realloc(ctx, block, size);                                 \
	}                                                                                          \
	static void domain##_free(void *ctx, void *block)                                          \
	{                                                                                          \
		tm_next_##domain.free(ctx, block);                                                 \
	}                                                                                          \
	static const struct tm_allocator forward_##domain = {                                      \
		NULL, domain##_malloc, domain##_calloc, domain##_realloc, domain##_free}

FORWARD(obj);
FORWARD(mem);

static int seen(void *object, int event, void *data)
{
	(void)object;
	(void)event;
	(void)data;
	return 0;
}

static void put_before(int domain, struct tm_allocator *next, const struct tm_allocator *forward)
{
	struct tm_allocator ours = *forward;

	tm_python.get_allocator(domain, next);
	ours.ctx = next->ctx;
	tm_python.set_allocator(domain, &ours);
}

void tm_hook_alloc_install(void)
{
	put_before(TM_DOMAIN_OBJ, &tm_next_obj, &forward_obj);
	put_before(TM_DOMAIN_MEM, &tm_next_mem, &forward_mem);
}

tm_tracer tm_hook_alloc_tracer(void)
{
	return tm_python.family == TM_FAMILY_TRACER ? seen : NULL;
}

bool tm_hook_alloc_installed(void)
{
	struct tm_allocator now;

	tm_python.get_allocator(TM_DOMAIN_OBJ, &now);
	return now.free == obj_free;
}

/* What the hooks that record call; these do not. */

void *tm_mem_born(void *block, size_t size)
{
	(void)size;
	return block;
}

void *tm_block_born(void *block, size_t size)
{
	(void)size;
	return block;
}

void *tm_object_born(void *block, size_t size)
{
	(void)size;
	return block;
}

void *tm_recent_is_full(void *block)
{
	return block;
}

void *tm_object_resized(void *ctx, void *block, size_t size)
{
	return tm_next_obj.realloc(ctx, block, size);
}

void tm_object_free(void *ctx, void *block)
{
	tm_next_obj.free(ctx, block);
}

/*
 * Every block of the object and mem domains passes here.  Words are cleared before a block is
 * given back and written after it was obtained: whoever gets the address next finds it free.
 */
#include "hook_alloc.h"

#include "cpython/cpython.h"
#include "record.h"

static struct tm_allocator obj, mem; /* what was there before us */

/* ---- mem domain: buffers ---------------------------------------------------- */

static void *mem_malloc(void *ctx, size_t size)
{
	void *block = mem.malloc(ctx, size);

	if (likely(block != NULL))
		tm_birth_block((uintptr_t)block, size, TM_BUFFER);
	return block;
}

static void *mem_calloc(void *ctx, size_t count, size_t size)
{
	void *block = mem.calloc(ctx, count, size);

	if (likely(block != NULL))
		tm_birth_block((uintptr_t)block, count * size, TM_BUFFER);
	return block;
}

/* Common to both domains.  Within an interval a block keeps its birth and its site. */
static void *move_block(const struct tm_allocator *next, void *ctx, void *block, size_t size,
			enum tm_kind kind)
{
	struct tm_block_words words;
	void *moved;

	tm_block_take((uintptr_t)block, &words);
	tm_block_renew(&words);
	moved = next->realloc(ctx, block, size);
	if (unlikely(!moved))
		tm_block_restore(&words);
	else
		tm_block_move(&words, (uintptr_t)moved, size, kind);
	return moved;
}

static void *mem_realloc(void *ctx, void *block, size_t size)
{
	void *fresh;

	if (block)
		return move_block(&mem, ctx, block, size, TM_BUFFER);
	fresh = mem.realloc(ctx, NULL, size);
	if (likely(fresh != NULL))
		tm_birth_block((uintptr_t)fresh, size, TM_BUFFER);
	return fresh;
}

static void mem_free(void *ctx, void *block)
{
	if (likely(block != NULL))
		tm_death_block((uintptr_t)block);
	mem.free(ctx, block);
}

/* ---- object domain, allocator family: a block is an object until looked at --- */

static void *block_malloc(void *ctx, size_t size)
{
	void *block = obj.malloc(ctx, size);

	if (likely(block != NULL))
		tm_birth_pending((uintptr_t)block, size);
	return block;
}

static void *block_calloc(void *ctx, size_t count, size_t size)
{
	void *block = obj.calloc(ctx, count, size);

	if (likely(block != NULL))
		tm_birth_pending((uintptr_t)block, count * size);
	return block;
}

static void *block_realloc(void *ctx, void *block, size_t size)
{
	void *fresh;

	if (block)
		return move_block(&obj, ctx, block, size, TM_PENDING);
	fresh = obj.realloc(ctx, NULL, size);
	if (likely(fresh != NULL))
		tm_birth_pending((uintptr_t)fresh, size);
	return fresh;
}

static void block_free(void *ctx, void *block)
{
	if (likely(block != NULL) && tm_death_block((uintptr_t)block) &&
	    likely(tm_self.counters != NULL))
		tm_count(&tm_self.counters->destroyed);
	obj.free(ctx, block);
}

/* ---- object domain, tracer family: the tracer says what a block becomes ------ */

static void *object_malloc(void *ctx, size_t size)
{
	void *block = obj.malloc(ctx, size);

	if (likely(block != NULL))
		tm_birth_expected((uintptr_t)block, size);
	return block;
}

static void *object_calloc(void *ctx, size_t count, size_t size)
{
	void *block = obj.calloc(ctx, count, size);

	if (likely(block != NULL))
		tm_birth_expected((uintptr_t)block, count * size);
	return block;
}

/*
 * A tuple, bytes or str that grows is reported dead before and born after; in between its block
 * holds no object, and the one that comes belongs to this block.
 */
static void *object_realloc(void *ctx, void *block, size_t size)
{
	struct tm_block_words words;
	void *moved;

	if (unlikely(tm_self.pending != 0))
		tm_flush_pending(&tm_self);
	if (block) {
		tm_block_take((uintptr_t)block, &words);
		tm_block_renew(&words);
	}
	moved = obj.realloc(ctx, block, size);
	if (unlikely(!moved)) {
		if (block)
			tm_block_restore(&words);
		return NULL;
	}
	if (block &&
	    (tm_word_kind(words.word[0]) == TM_PENDING || tm_word_kind(words.word[0]) == TM_BUFFER))
		tm_block_move(&words, (uintptr_t)moved, size, TM_PENDING);
	else
		tm_birth_expected((uintptr_t)moved, size);
	return moved;
}

static void object_free(void *ctx, void *block)
{
	if (likely(block != NULL)) {
		if (unlikely(tm_self.pending == (uintptr_t)block))
			tm_self.pending = 0;
		else
			tm_death_block((uintptr_t)block);
	}
	obj.free(ctx, block);
}

/* ---- installing --------------------------------------------------------------- */

bool tm_hook_alloc_installed(void)
{
	struct tm_allocator now;

	tm_python.get_allocator(TM_DOMAIN_OBJ, &now);
	return now.malloc == block_malloc || now.malloc == object_malloc;
}

void tm_hook_alloc_install(void)
{
	bool traced = tm_python.family == TM_FAMILY_TRACER;
	struct tm_allocator ours;

	tm_python.get_allocator(TM_DOMAIN_OBJ, &obj);
	tm_python.get_allocator(TM_DOMAIN_MEM, &mem);
	ours.ctx = obj.ctx;
	ours.malloc = traced ? object_malloc : block_malloc;
	ours.calloc = traced ? object_calloc : block_calloc;
	ours.realloc = traced ? object_realloc : block_realloc;
	ours.free = traced ? object_free : block_free;
	tm_python.set_allocator(TM_DOMAIN_OBJ, &ours);
	ours.ctx = mem.ctx;
	ours.malloc = mem_malloc;
	ours.calloc = mem_calloc;
	ours.realloc = mem_realloc;
	ours.free = mem_free;
	tm_python.set_allocator(TM_DOMAIN_MEM, &ours);
}

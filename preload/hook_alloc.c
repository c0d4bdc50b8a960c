/*
 * Every block of the object and mem domains passes here.  Words are cleared before a block is
 * given back and written after it was obtained: whoever gets the address next finds it free.
 */
#include "hook_alloc.h"

#include "hot.h"
#include "recorder.h"
#include "resize.h"

struct tm_allocator tm_next_obj, tm_next_mem;

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
		return move_block(&tm_next_mem, ctx, block, size, TM_BUFFER);
	fresh = tm_next_mem.realloc(ctx, NULL, size);
	if (likely(fresh != NULL))
		tm_birth_block((uintptr_t)fresh, size, TM_BUFFER);
	return fresh;
}

void *tm_mem_born(void *block, size_t size)
{
	tm_birth_block((uintptr_t)block, size, TM_BUFFER);
	return block;
}

static TM_NOINLINE void mem_free_rest(void *ctx, void *block)
{
	tm_death_block((uintptr_t)block);
	tm_next_mem.free(ctx, block);
}

static void mem_free(void *ctx, void *block)
{
	if (unlikely(tm_hot_free((uintptr_t)block) == TM_FOUND_MORE))
		mem_free_rest(ctx, block);
	else
		tm_next_mem.free(ctx, block);
}

/* ---- object domain, allocator family ----------------------------------------- */

static void *block_realloc(void *ctx, void *block, size_t size)
{
	void *fresh;

	if (block)
		return move_block(&tm_next_obj, ctx, block, size, TM_PENDING);
	fresh = tm_next_obj.realloc(ctx, NULL, size);
	if (likely(fresh != NULL))
		tm_birth_pending((uintptr_t)fresh, size);
	return fresh;
}

void *tm_block_born(void *block, size_t size)
{
	tm_birth_pending((uintptr_t)block, size);
	return block;
}

void *tm_recent_is_full(void *block)
{
	tm_recent_full();
	return block;
}

static TM_NOINLINE void block_free_rest(void *ctx, void *block)
{
	bool known = tm_death_block((uintptr_t)block);

	if (tm_self_here()->counters) {
		if (known)
			tm_count(&tm_self.counters->destroyed);
		tm_recent_drop(&tm_self, (uintptr_t)block);
	}
	tm_next_obj.free(ctx, block);
}

static void block_free(void *ctx, void *block)
{
	struct tm_self *self = &tm_self;
	enum tm_found found =
		likely(self->counters) ? tm_hot_free((uintptr_t)block) : TM_FOUND_MORE;

	if (unlikely(found == TM_FOUND_MORE)) {
		block_free_rest(ctx, block);
		return;
	}
	if (likely(found == TM_FOUND_DONE))
		tm_count(&self->counters->destroyed);
	tm_recent_drop(self, (uintptr_t)block);
	tm_next_obj.free(ctx, block);
}

/* ---- object domain, tracer family --------------------------------------------- */

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
	moved = tm_next_obj.realloc(ctx, block, size);
	if (unlikely(!moved)) {
		if (block)
			tm_block_restore(&words);
		return NULL;
	}
	if (block && (tm_word_kind(words.word[0]) == TM_PENDING ||
		      tm_word_kind(words.word[0]) == TM_BUFFER)) {
		tm_block_move(&words, (uintptr_t)moved, size, TM_PENDING);
		return moved;
	}
	if (block)
		tm_block_leave(&words);
	tm_birth_expected((uintptr_t)moved, size);
	return moved;
}

void *tm_object_born(void *block, size_t size)
{
	tm_birth_expected((uintptr_t)block, size);
	return block;
}

static TM_NOINLINE void object_free_rest(void *ctx, void *block)
{
	if (tm_self.pending == (uintptr_t)block)
		tm_self.pending = 0;
	else
		tm_death_block((uintptr_t)block);
	tm_next_obj.free(ctx, block);
}

static void object_free(void *ctx, void *block)
{
	if (unlikely(tm_self.pending == (uintptr_t)block ||
		     tm_hot_free_emptied((uintptr_t)block) == TM_FOUND_MORE))
		object_free_rest(ctx, block);
	else
		tm_next_obj.free(ctx, block);
}

/* ---- installing --------------------------------------------------------------- */

static const struct tm_hooks *hooks(void)
{
	const struct tm_hot *hot = tm_python.adapter->hot;
	bool several = tm_config.frames > 1;

	return tm_python.family == TM_FAMILY_TRACER ? &hot->traced[several] : &hot->blocks[several];
}

tm_tracer tm_hook_alloc_tracer(void)
{
	return hooks()->tracer;
}

bool tm_hook_alloc_installed(void)
{
	struct tm_allocator now;

	tm_python.get_allocator(TM_DOMAIN_OBJ, &now);
	return now.free == block_free || now.free == object_free;
}

void tm_hook_alloc_install(void)
{
	bool traced = tm_python.family == TM_FAMILY_TRACER;
	struct tm_allocator ours;

	tm_python.get_allocator(TM_DOMAIN_OBJ, &tm_next_obj);
	tm_python.get_allocator(TM_DOMAIN_MEM, &tm_next_mem);
	ours.ctx = tm_next_obj.ctx;
	ours.malloc = hooks()->obj_malloc;
	ours.calloc = hooks()->obj_calloc;
	ours.realloc = traced ? object_realloc : block_realloc;
	ours.free = traced ? object_free : block_free;
	tm_python.set_allocator(TM_DOMAIN_OBJ, &ours);
	ours.ctx = tm_next_mem.ctx;
	ours.malloc = hooks()->mem_malloc;
	ours.calloc = hooks()->mem_calloc;
	ours.realloc = mem_realloc;
	ours.free = mem_free;
	tm_python.set_allocator(TM_DOMAIN_MEM, &ours);
}

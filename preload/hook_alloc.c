/*
 * Every block of the object and mem domains passes here.  Words are cleared before a block is
 * given back and written after it was obtained: whoever gets the address next finds it free.
 */
#include "hook_alloc.h"

#include "hot.h"
#include "nursery.h"
#include "recorder.h"
#include "resize.h"
#include "young_resize.h"

#include <string.h>

struct tm_allocator tm_next_obj, tm_next_mem;

/* What is in front of them; for a block that is resized from nothing, as a list's first items are.
 */
static struct tm_allocator our_obj, our_mem;

/* A block that is no object, as most are that are resized: a list's items, a string's writer. */
static void *move_small(const struct tm_allocator *next, void *ctx, void *block, size_t size,
			tm_shadow_word *word, uint64_t value)
{
	void *moved = next->realloc(ctx, block, size);

	if (unlikely(!moved)) {
		tm_put(word, value);
		return NULL;
	}
	tm_hot_put_back((uintptr_t)moved, size, value);
	/* In place it is among the recent ones already. */
	if (moved != block && tm_word_kind(value) == TM_PENDING &&
	    tm_python.family == TM_FAMILY_ALLOCATOR)
		tm_recent_add(tm_self_here(), (uintptr_t)moved);
	return moved;
}

/* Common to both domains.  Within an interval a block keeps its birth and its site. */
static void *move_block(const struct tm_allocator *next, void *ctx, void *block, size_t size,
			enum tm_young_domain domain)
{
	struct tm_block_words words;
	uint64_t value;
	tm_shadow_word *word;
	void *moved = tm_young_resized(next, domain, (uintptr_t)block, size);

	if (likely(moved != NULL))
		return moved;
	tm_nursery_forget_at((uintptr_t)block);
	word = tm_hot_take((uintptr_t)block, size, &value);
	if (likely(word != NULL))
		return move_small(next, ctx, block, size, word, value);
	tm_block_take((uintptr_t)block, &words);
	tm_block_renew(&words);
	moved = next->realloc(ctx, block, size);
	if (unlikely(!moved))
		tm_block_restore(&words);
	else
		tm_block_move(&words, (uintptr_t)moved, size, tm_young_kind(domain));
	return moved;
}

static void *mem_realloc(void *ctx, void *block, size_t size)
{
	return likely(block != NULL) ? move_block(&tm_next_mem, ctx, block, size, TM_YOUNG_MEM)
				     : our_mem.malloc(ctx, size);
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
	if (unlikely(tm_hot_free((uintptr_t)block, tm_hot_free_rest) == TM_FOUND_MORE))
		mem_free_rest(ctx, block);
	else
		tm_next_mem.free(ctx, block);
}

/* From the nursery and to it, as blocks below.  A young one that comes here can't wait. */
static __attribute__((noinline)) void buffer_free_old(void *ctx, void *block)
{
	enum tm_found found;

	tm_nursery_forget_block((uintptr_t)block);
	found = tm_hot_put_away(TM_YOUNG_MEM, TM_BUFFER, (uintptr_t)block);
	if (likely(found == TM_FOUND_KEPT))
		return;
	if (found == TM_FOUND_DONE)
		tm_next_mem.free(ctx, block);
	else
		mem_free(ctx, block);
}

static __attribute__((noinline)) void buffer_free_second(void *ctx, void *block)
{
	struct tm_nursery *nursery = tm_get(&tm_nursery);
	uintptr_t at = (uintptr_t)block;

	if (unlikely(!tm_hot_young_dies(tm_young_second(tm_young_first(nursery->blocks, at)), at)))
		buffer_free_old(ctx, block);
}

static void buffer_free(void *ctx, void *block)
{
	uintptr_t at = (uintptr_t)block;

	if (unlikely(!tm_hot_young_dies(tm_young_first(tm_get(&tm_nursery)->blocks, at), at)))
		buffer_free_second(ctx, block);
}

/* ---- object domain, allocator family ----------------------------------------- */

static void *block_realloc(void *ctx, void *block, size_t size)
{
	return likely(block != NULL) ? move_block(&tm_next_obj, ctx, block, size, TM_YOUNG_OBJ)
				     : our_obj.malloc(ctx, size);
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

static __attribute__((noinline)) void block_free_other(void *ctx, void *block)
{
	struct tm_self *self = &tm_self;
	enum tm_found found = likely(self->counters)
				      ? tm_hot_free((uintptr_t)block, tm_hot_free_found)
				      : TM_FOUND_MORE;

	if (unlikely(found == TM_FOUND_MORE)) {
		block_free_rest(ctx, block);
		return;
	}
	if (likely(found == TM_FOUND_DONE))
		tm_count(&self->counters->destroyed);
	tm_recent_drop(self, (uintptr_t)block);
	tm_next_obj.free(ctx, block);
}

static __attribute__((noinline)) void block_free_old(void *ctx, void *block)
{
	struct tm_self *self = &tm_self;
	enum tm_found found;

	tm_nursery_forget_block((uintptr_t)block);
	found = likely(self->counters) ? tm_hot_put_away(TM_YOUNG_OBJ, TM_PENDING, (uintptr_t)block)
				       : TM_FOUND_MORE;

	if (unlikely(found == TM_FOUND_MORE)) {
		block_free_other(ctx, block);
		return;
	}
	tm_count(&self->counters->destroyed);
	if (likely(found == TM_FOUND_KEPT))
		return;
	tm_recent_drop(self, (uintptr_t)block);
	tm_next_obj.free(ctx, block);
}

static __attribute__((noinline)) void block_free_second(void *ctx, void *block)
{
	struct tm_nursery *nursery = tm_get(&tm_nursery);
	struct tm_thread *counters = nursery->counters;
	uintptr_t at = (uintptr_t)block;

	if (unlikely(
		    !tm_hot_young_dies(tm_young_second(tm_young_first(nursery->blocks, at)), at))) {
		block_free_old(ctx, block);
		return;
	}
	tm_count(&counters->destroyed);
}

static void block_free(void *ctx, void *block)
{
	struct tm_nursery *nursery = tm_get(&tm_nursery);
	struct tm_thread *counters = nursery->counters;
	uintptr_t at = (uintptr_t)block;

	if (unlikely(!tm_hot_young_dies(tm_young_first(nursery->blocks, at), at))) {
		block_free_second(ctx, block);
		return;
	}
	tm_count(&counters->destroyed);
}

/* ---- object domain, tracer family --------------------------------------------- */

/*
 * A tuple, bytes or str that grows is reported dead before and born after; in between its block
 * holds no object, and the one that comes belongs to this block.
 */
void *tm_object_resized(void *ctx, void *block, size_t size)
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
	if (block && tm_self.pending == (uintptr_t)block)
		tm_pending_drop(&tm_self);
	else
		tm_death_block((uintptr_t)block);
	tm_next_obj.free(ctx, block);
}

/* Whether somebody died in a block is looked for. */
static __attribute__((noinline)) void object_free_other(void *ctx, void *block)
{
	uintptr_t at = (uintptr_t)block;
	struct tm_young *young = tm_nursery_died_in(at);

	if (young && young->block) {
		if (!tm_magazine_is_full(young->home)) {
			tm_young_waits(young, TM_YOUNG_DEAD, young->home);
			return;
		}
	} else if (unlikely(tm_self.pending == at || tm_hot_free_emptied(at) == TM_FOUND_MORE)) {
		object_free_rest(ctx, block);
		return;
	}
	if (young)
		tm_young_leaves(young);
	tm_next_obj.free(ctx, block);
}

/* A block whose object died just now and is not in the nursery. */
static __attribute__((noinline)) void object_free_old(void *ctx, void *block)
{
	struct tm_nursery *nursery = tm_get(&tm_nursery);

	/* That may have been in another block, which began where this one that is pending does. */
	if (unlikely(nursery->old_died_last - (uintptr_t)block > 2 * TM_GC_HEAD ||
		     tm_self.pending == (uintptr_t)block)) {
		object_free_other(ctx, block);
		return;
	}
	nursery->old_died_last = 0;
	if (unlikely(tm_hot_free_emptied((uintptr_t)block) == TM_FOUND_MORE))
		object_free_rest(ctx, block);
	else
		tm_next_obj.free(ctx, block);
}

/* @young, if it died in this block, waits; false: there is more to do. */
static inline bool object_waits(struct tm_young *young, uintptr_t block)
{
	struct tm_magazine *home;

	if (unlikely(!tm_young_died_in(young, block)))
		return false;
	home = young->home;
	if (unlikely(tm_magazine_is_full(home)))
		return false;
	tm_young_waits(young, TM_YOUNG_DEAD, home);
	return true;
}

/* What a container refers to dies after it, and before its block is freed. */
static __attribute__((noinline)) void object_free_container(void *ctx, void *block)
{
	struct tm_young *objects = tm_get(&tm_nursery)->objects;
	uintptr_t at = (uintptr_t)block;

	if (unlikely(!object_waits(tm_young_first(objects, at + 2 * TM_GC_HEAD), at)) &&
	    unlikely(!object_waits(tm_young_first(objects, at + TM_GC_HEAD), at)))
		object_free_old(ctx, block);
}

void tm_object_free(void *ctx, void *block)
{
	if (unlikely(!object_waits(tm_get(&tm_nursery)->died_last, (uintptr_t)block)))
		object_free_container(ctx, block);
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
	return now.free == block_free || now.free == tm_object_free;
}

/*
 * In front of CPython's own allocator alone: what stands in its place may be there to find out what
 * a program does with memory that it has freed.
 */
static void allow_magazines(void)
{
	const char *below = tm_python.allocator_name();

	if (below && strcmp(below, "pymalloc") == 0)
		tm_nursery_allow_magazines();
}

void tm_hook_alloc_install(void)
{
	const struct tm_hooks *hot = hooks();
	bool traced = tm_python.family == TM_FAMILY_TRACER;

	tm_python.get_allocator(TM_DOMAIN_OBJ, &tm_next_obj);
	tm_python.get_allocator(TM_DOMAIN_MEM, &tm_next_mem);
	allow_magazines();
	our_obj = (struct tm_allocator){tm_next_obj.ctx, hot->obj_malloc, hot->obj_calloc,
					traced ? hot->obj_realloc : block_realloc,
					traced ? tm_object_free : block_free};
	tm_python.set_allocator(TM_DOMAIN_OBJ, &our_obj);
	our_mem = (struct tm_allocator){tm_next_mem.ctx, hot->mem_malloc, hot->mem_calloc,
					mem_realloc, buffer_free};
	tm_python.set_allocator(TM_DOMAIN_MEM, &our_mem);
}

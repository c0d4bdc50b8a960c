/*
 * model_heap.h - the memory that the model's blocks are in, below the recorder's hooks
 */
#ifndef TIDEMARK_TESTS_MODEL_HEAP_H
#define TIDEMARK_TESTS_MODEL_HEAP_H

#include "model.h"

#include "hook_alloc.h"
#include "hook_tracer.h"

static inline unsigned granules_of(size_t size)
{
	return size ? (unsigned)((size + 15) / 16) : 1;
}

static inline bool is_big(size_t size)
{
	return size > GRANULES * 16;
}

/* The first ends its chunk: its second word lies in the next. */
static inline uintptr_t big_place(unsigned i)
{
	return (uintptr_t)rig.heap + (2 + 3 * i) * TM_CHUNK_HEAP + (i ? 4096 : TM_CHUNK_HEAP - 16);
}

static inline void *take_big(void)
{
	for (unsigned i = 0; i < BIG_PLACES; i++) {
		if (!model.big_taken[i]) {
			model.big_taken[i] = true;
			return (void *)big_place(i);
		}
	}
	return NULL;
}

static inline bool is_room(unsigned at, unsigned count)
{
	return at + count <= GRANULES && !memchr(model.taken + at, 1, count);
}

static inline bool is_room_for(size_t size)
{
	if (is_big(size))
		return !model.big_taken[0] || !model.big_taken[1];
	for (unsigned at = 0; at < GRANULES; at++) {
		if (is_room(at, granules_of(size)))
			return true;
	}
	return false;
}

static inline void *below_malloc(void *ctx, size_t size)
{
	unsigned count = granules_of(size), start = pick(GRANULES);

	(void)ctx;
	model.asked = true;
	if (model.refuse)
		return NULL;
	if (is_big(size))
		return take_big();
	for (unsigned i = 0; i < GRANULES; i++) {
		unsigned at = (start + i) % GRANULES;

		if (is_room(at, count)) {
			memset(model.taken + at, 1, count);
			model.held[at] = size;
			return (void *)(base() + at * 16);
		}
	}
	return NULL;
}

static inline void *below_calloc(void *ctx, size_t count, size_t size)
{
	void *block = below_malloc(ctx, count * size);

	return block ? memset(block, 0, count * size) : NULL;
}

static inline void below_free(void *ctx, void *block)
{
	uintptr_t at = (uintptr_t)block;
	unsigned index = (unsigned)((at - base()) / 16);

	(void)ctx;
	if (!block)
		return;
	for (unsigned i = 0; i < BIG_PLACES; i++) {
		if (at == big_place(i)) {
			model.big_taken[i] = false;
			return;
		}
	}
	assert_true(index < GRANULES && model.taken[index]);
	memset(model.taken + index, 0, granules_of(model.held[index]));
	model.waiting[index] = 0;
	forget_rest(at);
}

static inline size_t size_at(uintptr_t at)
{
	for (unsigned i = 0; i < BIG_PLACES; i++) {
		if (at == big_place(i))
			return TM_SIZE_BIG;
	}
	return model.held[(at - base()) / 16];
}

/* Small blocks stay where they are now and then. */
static inline bool resize_in_place(uintptr_t at, size_t old, size_t size)
{
	unsigned index = (unsigned)((at - base()) / 16);
	unsigned had = granules_of(old), wants = granules_of(size);

	if (is_big(old) || is_big(size))
		return is_big(old) && is_big(size);
	if (wants > had && !is_room(index + had, wants - had))
		return false;
	memset(model.taken + index, 0, had);
	memset(model.taken + index, 1, wants);
	model.held[index] = size;
	return true;
}

static inline void *below_realloc(void *ctx, void *block, size_t size)
{
	uintptr_t at = (uintptr_t)block;
	size_t old = block ? size_at(at) : 0;
	void *fresh;

	model.asked = true;
	if (!block)
		return below_malloc(ctx, size);
	if (model.refuse)
		return NULL;
	if (pick(2) && resize_in_place(at, old, size))
		return block;
	fresh = below_malloc(ctx, size);
	if (fresh) {
		memcpy(fresh, block, old < size ? old : size);
		below_free(ctx, block);
	}
	return fresh;
}

/* ---- blocks that wait in a magazine ---------------------------------------------------- */

/*
 * What may wait: born now, no collector about, no object seen in it, its size known and not large.
 * On the tracer family an object was, and died.
 */
static inline bool may_wait(const struct block *b)
{
	if (!model.magazines || model.flags || b->before || b->size > TM_MAGAZINE_SIZE)
		return false;
	if (model.family == TM_FAMILY_TRACER && !b->mem)
		return b->known == DEAD;
	return b->birth == now() && !b->in_run && b->known == (b->mem ? BUFFER : PENDING);
}

static inline size_t step_of(size_t size)
{
	return (size + 7) / 8;
}

/* An object's block says its size while it waits. */
static inline void leave_rest(const struct block *b, unsigned index)
{
	if (b->mem || b->known != DEAD)
		return;
	model.rest[index] = b->offset ? tm_size_word(TM_SIZE_HEAD, b->size) : 0;
	if (has_tail(b))
		model.rest[index + 1] = tm_size_word(TM_SIZE_TAIL, b->size);
}

/* The block was freed.  Returns whether it waits. */
static inline bool waits(const struct block *b)
{
	unsigned index = (unsigned)((b->at - base()) / 16);

	if (index >= GRANULES || !model.taken[index])
		return false;
	assert_true(may_wait(b));
	leave_rest(b, index);
	model.waiting[index] = model.again = b->size;
	model.kept++;
	return true;
}

static inline bool waits_at(uintptr_t at)
{
	return (at - base()) / 16 < GRANULES && model.waiting[(at - base()) / 16];
}

/* A block has moved, and what was there was not given back. */
static inline void waits_after_move(const struct block *b, const void *moved)
{
	unsigned index = (unsigned)((b->at - base()) / 16);

	if (b->at == (uintptr_t)moved || index >= GRANULES || !model.taken[index])
		return;
	assert_true(may_wait(b));
	leave_rest(b, index);
	model.waiting[index] = b->size;
	model.kept++;
}

/* The block was made.  Returns whether it was waiting, and so is among the recent ones already. */
static inline bool waited(uintptr_t at, size_t size)
{
	unsigned index = (unsigned)((at - base()) / 16);

	if (model.asked)
		return false;
	assert_true(model.magazines && index < GRANULES);
	assert_int_not_equal(model.waiting[index], 0);
	/* Under the size it had, or the one it was made with. */
	assert_true(step_of(size) == step_of(model.waiting[index]) ||
		    step_of(size) == step_of(model.held[index]));
	model.waiting[index] = 0;
	if (model.held[index] < size) /* there is room for as much */
		model.held[index] = size;
	model.given++;
	return true;
}

/* Where a list of recent blocks was looked at nothing waits. */
static inline void expect_none_waits(void)
{
	for (unsigned i = 0; i < GRANULES; i++)
		assert_int_equal(model.waiting[i], 0);
}

/* ---- installing the recorder on it ---------------------------------------------------- */

static inline void get_allocator(int domain, struct tm_allocator *out)
{
	const struct tm_allocator below = {NULL, below_malloc, below_calloc, below_realloc,
					   below_free};

	(void)domain;
	*out = below;
}

static inline void set_allocator(int domain, struct tm_allocator *in)
{
	*(domain == TM_DOMAIN_MEM ? &model.mem : &model.obj) = *in;
}

static inline int set_tracer(tm_tracer tracer, void *data)
{
	(void)data;
	model.trace = tracer;
	return 0;
}

static inline void begin(enum tm_family family, unsigned seed, enum young young)
{
	static const char *const names[RIG_TYPES] = {"rig.Other0", "rig.Other1", "rig.Other2"};

	memset(&model, 0, sizeof(model));
	model.family = family;
	model.magazines = young == WITH_MAGAZINES;
	model.seed = seed;
	rig_configure();
	tm_config.frames = seed % 2 ? 1 : 1 + seed / 2 % 3;
	rig_begin(family);
	tm_python.get_allocator = get_allocator;
	tm_python.set_allocator = set_allocator;
	tm_python.set_tracer = set_tracer;
	rig.allocator = model.magazines ? "pymalloc" : "malloc";
	tm_hook_alloc_install();
	if (young != NONE_YOUNG)
		tm_nursery_start();
	if (family == TM_FAMILY_TRACER)
		assert_true(tm_hook_tracer_install());
	for (unsigned i = 0; i < RIG_TYPES; i++) {
		model.others[i] = rig.types[i];
		memcpy((char *)&model.others[i] + TM_TP_NAME, &names[i], sizeof(*names));
		model.types[i] = tm_intern_type((uintptr_t)&rig.types[i]);
		model.other_types[i] = tm_intern_type((uintptr_t)&model.others[i]);
		assert_int_not_equal(model.types[i], 0);
		assert_int_not_equal(model.other_types[i], 0);
		assert_int_not_equal(model.other_types[i], model.types[i]);
	}
	/* Lists of blocks go from thread to thread; this one starts with none. */
	assert_non_null(tm_self_here()->recent);
	memset(tm_self.recent, 0, TM_RECENT * sizeof(*tm_self.recent));
	tm_self.recent_next = tm_self.recent;
	srand(seed);
}

#endif

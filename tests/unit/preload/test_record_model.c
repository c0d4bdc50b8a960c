/*
 * test_record_model.c - thousands of random events against a model that is slow and obvious
 *
 * Blocks are made, resized and freed through the allocator hooks, objects are born and die
 * through the tracer, marks come in between.  The model knows blocks and objects and what
 * layout.h says their words are; after every event the words of the whole neighbourhood, and at the
 * end every death record and every counter, must be the model's.
 */
#include "rig.h"

#include "hook_alloc.h"
#include "hook_tracer.h"

enum {
	GRANULES = 2048, /* around the boundary of two chunks */
	BLOCKS = 160,	 /* alive at a time, at most */
	BIG_PLACES = 2,	 /* places for blocks whose size does not fit in a word */
	EVENTS = 20000,
	DEATHS = 3 * EVENTS,
};

/* What the recording is to know of a block. */
enum known {
	NOTHING, /* no block here */
	HELD,	 /* tracer family: allocated just now, nothing written yet */
	PENDING,
	BUFFER,
	LIVING, /* holds a live object */
	DEAD,	/* held one; its size is still known */
};

struct block {
	enum known known;
	uintptr_t at;
	size_t size;
	bool mem;	 /* of the mem domain */
	bool object;	 /* the memory holds an object, at `offset` */
	unsigned offset; /* 0, 16 or 32; in the order of rig.types times 16 */
	uint32_t birth, site, type;
	uintptr_t before; /* what it grew out of and has room to say */
	bool in_run;	  /* born while a collector ran */
};

struct death {
	uintptr_t address, before;
	uint64_t word, size;
	uint32_t mark, flags;
};

/* A death inside a run of the collector. */
struct reclaimed {
	uint64_t word, size;
	uint32_t mark;
};

static struct {
	enum tm_family family;
	struct tm_allocator obj, mem; /* the recorder's hooks */
	tm_tracer trace;
	struct block blocks[BLOCKS];
	unsigned char taken[GRANULES];
	bool big_taken[BIG_PLACES];
	bool refuse; /* the allocator below has no memory */
	uint32_t mark;
	unsigned flags; /* of deaths now */
	struct death deaths[DEATHS];
	unsigned death_count;
	struct reclaimed reclaimed[DEATHS];
	unsigned reclaimed_count;
	uint64_t created, destroyed, freed_live, birth_over, unknown;
	uintptr_t recent[TM_RECENT]; /* allocator family: blocks not looked at yet */
	unsigned recent_count;
	uintptr_t newest; /* written down last as memory, or not looked at */
	uint32_t site;	  /* of the event under way */
	uint32_t types[RIG_TYPES];
	struct rig_frame frames[2];
	const char *event;
	unsigned seed, number;
} model;

static unsigned pick(unsigned count)
{
	return (unsigned)rand() % count;
}

/* ---- the allocator below the hooks ------------------------------------------------ */

static uintptr_t base(void)
{
	return (uintptr_t)rig.heap + TM_CHUNK_HEAP - GRANULES / 2 * 16;
}

static unsigned granules_of(size_t size)
{
	return size ? (unsigned)((size + 15) / 16) : 1;
}

static bool is_big(size_t size)
{
	return size > GRANULES * 16;
}

/* The first ends its chunk: its second word lies in the next. */
static uintptr_t big_place(unsigned i)
{
	return (uintptr_t)rig.heap + (2 + 3 * i) * TM_CHUNK_HEAP + (i ? 4096 : TM_CHUNK_HEAP - 16);
}

static void *take_big(void)
{
	for (unsigned i = 0; i < BIG_PLACES; i++) {
		if (!model.big_taken[i]) {
			model.big_taken[i] = true;
			return (void *)big_place(i);
		}
	}
	return NULL;
}

static bool is_room(unsigned at, unsigned count)
{
	return at + count <= GRANULES && !memchr(model.taken + at, 1, count);
}

static bool is_room_for(size_t size)
{
	if (is_big(size))
		return !model.big_taken[0] || !model.big_taken[1];
	for (unsigned at = 0; at < GRANULES; at++) {
		if (is_room(at, granules_of(size)))
			return true;
	}
	return false;
}

static void *below_malloc(void *ctx, size_t size)
{
	unsigned count = granules_of(size), start = pick(GRANULES);

	(void)ctx;
	if (model.refuse)
		return NULL;
	if (is_big(size))
		return take_big();
	for (unsigned i = 0; i < GRANULES; i++) {
		unsigned at = (start + i) % GRANULES;

		if (is_room(at, count)) {
			memset(model.taken + at, 1, count);
			return (void *)(base() + at * 16);
		}
	}
	return NULL;
}

static void *below_calloc(void *ctx, size_t count, size_t size)
{
	void *block = below_malloc(ctx, count * size);

	return block ? memset(block, 0, count * size) : NULL;
}

static void below_free(void *ctx, void *block)
{
	uintptr_t at = (uintptr_t)block;

	(void)ctx;
	if (!block)
		return;
	for (unsigned i = 0; i < BIG_PLACES; i++) {
		if (at == big_place(i)) {
			model.big_taken[i] = false;
			return;
		}
	}
	for (unsigned i = 0; i < BLOCKS; i++) {
		if (model.blocks[i].known != NOTHING && model.blocks[i].at == at)
			memset(model.taken + (at - base()) / 16, 0,
			       granules_of(model.blocks[i].size));
	}
}

static size_t size_at(uintptr_t at)
{
	for (unsigned i = 0; i < BLOCKS; i++) {
		if (model.blocks[i].known != NOTHING && model.blocks[i].at == at)
			return model.blocks[i].size;
	}
	return 0;
}

/* Small blocks stay where they are now and then. */
static bool resize_in_place(uintptr_t at, size_t old, size_t size)
{
	unsigned index = (unsigned)((at - base()) / 16);
	unsigned had = granules_of(old), wants = granules_of(size);

	if (is_big(old) || is_big(size))
		return is_big(old) && is_big(size);
	if (wants > had && !is_room(index + had, wants - had))
		return false;
	memset(model.taken + index, 0, had);
	memset(model.taken + index, 1, wants);
	return true;
}

static void *below_realloc(void *ctx, void *block, size_t size)
{
	uintptr_t at = (uintptr_t)block;
	size_t old = size_at(at);
	void *fresh;

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

/* ---- installing the recorder on it --------------------------------------------------- */

static void get_allocator(int domain, struct tm_allocator *out)
{
	const struct tm_allocator below = {NULL, below_malloc, below_calloc, below_realloc,
					   below_free};

	(void)domain;
	*out = below;
}

static void set_allocator(int domain, struct tm_allocator *in)
{
	*(domain == TM_DOMAIN_MEM ? &model.mem : &model.obj) = *in;
}

static int set_tracer(tm_tracer tracer, void *data)
{
	(void)data;
	model.trace = tracer;
	return 0;
}

static void begin(enum tm_family family, unsigned seed)
{
	memset(&model, 0, sizeof(model));
	model.family = family;
	model.seed = seed;
	rig_configure();
	tm_config.frames = 1 + seed % 3;
	rig_begin(family);
	tm_python.get_allocator = get_allocator;
	tm_python.set_allocator = set_allocator;
	tm_python.set_tracer = set_tracer;
	tm_hook_alloc_install();
	if (family == TM_FAMILY_TRACER)
		assert_true(tm_hook_tracer_install());
	for (unsigned i = 0; i < RIG_TYPES; i++) {
		model.types[i] = tm_intern_type((uintptr_t)&rig.types[i]);
		assert_int_not_equal(model.types[i], 0);
	}
	/* Lists of blocks go from thread to thread; this one starts with none. */
	assert_non_null(tm_self_here()->recent);
	memset(tm_self.recent, 0, TM_RECENT * sizeof(*tm_self.recent));
	tm_self.recent_count = 0;
	srand(seed);
}

/* ---- what the words should be --------------------------------------------------------- */

static uint64_t size_field(size_t size)
{
	return size < TM_SIZE_BIG ? size : TM_SIZE_BIG;
}

static uint64_t first_word(const struct block *b)
{
	switch (b->known) {
	case PENDING:
		return tm_word(TM_PENDING, b->birth, b->site, (uint32_t)size_field(b->size));
	case BUFFER:
		return tm_word(TM_BUFFER, b->birth, b->site, (uint32_t)size_field(b->size));
	case LIVING:
	case DEAD:
		if (b->offset)
			return tm_size_word(TM_SIZE_HEAD, b->size);
		return b->known == LIVING ? tm_word(TM_OBJECT, b->birth, b->site, b->type) : 0;
	default:
		return 0;
	}
}

static bool has_tail(const struct block *b)
{
	if (b->known == PENDING || b->known == BUFFER)
		return b->size >= TM_SIZE_BIG;
	return (b->known == LIVING || b->known == DEAD) && !b->offset && b->size > 16;
}

/* Where a block says what it grew out of: behind what says its size. */
static unsigned grown_at(const struct block *b)
{
	return has_tail(b) ? 2 : 1;
}

/* Word @i of a block, counted in granules from its start. */
static uint64_t word_of(const struct block *b, unsigned i)
{
	if (i == 0)
		return first_word(b);
	if (i == 1 && has_tail(b))
		return tm_size_word(TM_SIZE_TAIL, b->size);
	if (b->known == LIVING && b->offset && i == b->offset / 16)
		return tm_word(TM_OBJECT, b->birth, b->site, b->type);
	if (b->before && i == grown_at(b))
		return tm_size_word(TM_GROWN, b->before / 16);
	return 0;
}

static void expect_word(uintptr_t address, uint64_t expected)
{
	uint64_t word = rig_word(address) & ~TM_WATCHED;

	if (word != expected)
		fail_msg("seed %u, event %u, %s: the word of granule %lld is %#llx, expected %#llx",
			 model.seed, model.number, model.event, (long long)(address - base()) / 16,
			 (unsigned long long)word, (unsigned long long)expected);
}

static void expect_neighbourhood(void)
{
	static uint64_t expected[GRANULES];

	memset(expected, 0, sizeof(expected));
	for (unsigned i = 0; i < BLOCKS; i++) {
		const struct block *b = &model.blocks[i];

		if (b->known == NOTHING)
			continue;
		for (unsigned k = 0; k < 3 && k < granules_of(b->size); k++) {
			if (is_big(b->size))
				expect_word(b->at + 16 * k, word_of(b, k));
			else
				expected[(b->at - base()) / 16 + k] = word_of(b, k);
		}
	}
	for (unsigned i = 0; i < GRANULES; i++)
		expect_word(base() + 16 * i, expected[i]);
}

/* Every word there is: nothing was written anywhere else. */
static void expect_nothing_elsewhere(void)
{
	uint64_t words = 0, expected = 0;

	for (uintptr_t at = 0; at < RIG_HEAP_SIZE; at += 16)
		words += rig_word((uintptr_t)rig.heap + at) != 0;
	for (unsigned i = 0; i < BLOCKS; i++) {
		for (unsigned k = 0; model.blocks[i].known != NOTHING && k < 3; k++)
			expected += word_of(&model.blocks[i], k) != 0;
	}
	assert_int_equal(words, expected);
}

static void expect_stamps(void)
{
	uint64_t chunks = rig_used(TM_R_CHUNKS);

	for (uint64_t c = 0; c < chunks; c++) {
		const struct tm_chunk *chunk =
			(const struct tm_chunk *)tm_segment_at(TM_R_CHUNKS, 0) + c;
		const uint64_t *words = (const uint64_t *)(tm_segment.base + chunk->shadow);

		for (unsigned i = 0; i < TM_CHUNK_WORDS; i++) {
			enum tm_kind kind = tm_word_kind(words[i]);

			if (kind == TM_OBJECT || kind == TM_BUFFER || kind == TM_PENDING)
				assert_true(tm_word_birth(words[i]) <= chunk->newest_birth);
		}
	}
}

static void expect_deaths(void)
{
	assert_int_equal(rig_used(TM_R_DEATHS), model.death_count);
	for (unsigned i = 0; i < model.death_count; i++) {
		const struct death *d = &model.deaths[i];

		rig_expect_death(i, d->address, d->word, d->size, d->mark, d->flags);
		assert_int_equal(rig_death(i)->before, d->before);
	}
}

static void expect_reclaimed(void)
{
	const struct tm_tally *tallies = tm_segment_at(TM_R_CYCLIC, 0);
	uint64_t slots = tm_segment.header->regions[TM_R_CYCLIC].capacity / sizeof(*tallies);
	uint64_t total = 0;

	for (uint64_t i = 0; rig_used(TM_R_CYCLIC) && i < slots; i++) {
		uint64_t count = 0, bytes = 0;

		if (!tallies[i].word)
			continue;
		for (unsigned k = 0; k < model.reclaimed_count; k++) {
			const struct reclaimed *r = &model.reclaimed[k];
			bool same = r->word == tallies[i].word &&
				    (r->mark | TM_TALLY_VALID) == tallies[i].death;

			count += same;
			bytes += same ? r->size : 0;
		}
		assert_int_equal(tallies[i].count, count);
		assert_int_equal(tallies[i].bytes, bytes);
		total += count;
	}
	assert_int_equal(total, model.reclaimed_count);
}

static void expect_counters(void)
{
	struct tm_sums sums = tm_thread_sums();

	assert_int_equal(sums.created, model.created);
	assert_int_equal(sums.destroyed, model.destroyed);
	assert_int_equal(sums.lost, 0);
	for (unsigned i = 0; i < TM_L_COUNT; i++) {
		uint64_t expected = i == TM_L_FREED_LIVE      ? model.freed_live
				    : i == TM_L_BIRTH_OVER    ? model.birth_over
				    : i == TM_L_DEATH_UNKNOWN ? model.unknown
							      : 0;

		assert_int_equal(rig_lost(i), expected);
	}
}

/* ---- the model's bookkeeping ----------------------------------------------------------- */

static uint32_t now(void)
{
	return model.mark + 1;
}

static struct block *any_block(bool (*fits)(const struct block *))
{
	unsigned start = pick(BLOCKS);

	for (unsigned i = 0; i < BLOCKS; i++) {
		struct block *b = &model.blocks[(start + i) % BLOCKS];

		if (fits(b))
			return b;
	}
	return NULL;
}

static bool is_nothing(const struct block *b)
{
	return b->known == NOTHING;
}

static bool is_something(const struct block *b)
{
	return b->known != NOTHING;
}

static bool is_living(const struct block *b)
{
	return b->known == LIVING;
}

static bool is_dead(const struct block *b)
{
	return b->known == DEAD;
}

/* Of a type: what it says, and the collector's head before it. */
static uint64_t basic_size(const struct block *b)
{
	return 16 + (b->offset ? 16 : 0);
}

static uint64_t object_word(const struct block *b)
{
	return tm_word(TM_OBJECT, b->birth, b->site, b->type);
}

static bool dies_an_object(const struct block *b)
{
	return b->known == LIVING ||
	       (b->known == PENDING && model.family == TM_FAMILY_ALLOCATOR && b->object);
}

/* What is born and dies in one run of the collector does not count, nor what is no object. */
static void note_reclaimed(const struct block *b)
{
	struct reclaimed *r = &model.reclaimed[model.reclaimed_count];
	bool lone = b->known == LIVING && b->size <= 16;

	if (!model.flags || !dies_an_object(b) || (b->in_run && b->birth == now()))
		return;
	assert_true(model.reclaimed_count < DEATHS);
	r->word = tm_word(TM_OBJECT, 0, b->site, b->type);
	r->size = lone ? basic_size(b) : b->size;
	r->mark = model.mark;
	model.reclaimed_count++;
}

/* What the record of a death now says, if there is one. */
static void note_death(const struct block *b)
{
	struct death *d = &model.deaths[model.death_count];
	bool resolves = b->known == PENDING && dies_an_object(b);

	note_reclaimed(b);
	if (b->birth == now() || (b->known != LIVING && b->known != PENDING && b->known != BUFFER))
		return;
	assert_true(model.death_count < DEATHS);
	d->address = b->at;
	d->size = b->size;
	d->mark = model.mark;
	d->flags = model.flags;
	d->before = dies_an_object(b) ? 0 : b->before;
	if (b->known == LIVING || resolves) {
		d->address += b->offset;
		d->word = object_word(b);
		/* A lone word leaves no room to say how much of its granule is used. */
		if (b->known == LIVING && b->size <= 16)
			d->size = 0;
	} else {
		d->word = tm_word(TM_BUFFER, b->birth, b->site, (uint32_t)size_field(b->size));
	}
	model.death_count++;
}

/*
 * The recorder looks at a block of the allocator family.  While a collector runs, what does not
 * look like an object may not be filled in yet: it is left for another time.
 */
static bool look_at(uintptr_t at)
{
	for (unsigned i = 0; i < BLOCKS; i++) {
		struct block *b = &model.blocks[i];

		if (b->known != PENDING || b->at != at)
			continue;
		if (!b->object && model.flags)
			return false;
		b->known = b->object ? LIVING : BUFFER;
	}
	return true;
}

/* Called before the block at @at, the newest, is filled in. */
static void add_recent(uintptr_t at)
{
	unsigned left = 0;

	model.recent[model.recent_count++] = at;
	if (model.recent_count < TM_RECENT)
		return;
	for (unsigned i = 0; i < TM_RECENT; i++) {
		if (model.recent[i] == at || !look_at(model.recent[i]))
			model.recent[left++] = model.recent[i];
	}
	model.recent_count = left;
}

static void drop_recent(uintptr_t at)
{
	if (model.recent_count && model.recent[model.recent_count - 1] == at)
		model.recent_count--;
}

/* The block that the tracer family has not written down yet is, now. */
static void write_down_held(void)
{
	for (unsigned i = 0; i < BLOCKS; i++) {
		struct block *b = &model.blocks[i];

		if (b->known != HELD)
			continue;
		b->known = PENDING;
		b->birth = now();
		b->in_run = model.flags != 0;
		model.newest = b->at;
	}
}

static void choose_site(void)
{
	rig.no_thread = pick(10) == 0;
	for (unsigned i = 0; i < 2; i++) {
		model.frames[i].code = &rig.codes[pick(RIG_CODES)];
		model.frames[i].last = (int)pick(3);
	}
	model.frames[0].previous = pick(3) ? &model.frames[1] : NULL;
	rig.frame = pick(10) ? &model.frames[0] : NULL;
	model.site = tm_site_here();
}

static size_t some_size(void)
{
	static const size_t edges[] = {1, 8, 15, 16, 17, 31, 32, 33, 47, 48, 49, 512};

	if (pick(200) == 0)
		return TM_SIZE_BIG + pick(100);
	return pick(2) ? edges[pick(sizeof(edges) / sizeof(edges[0]))] : 1 + pick(300);
}

/* Memory is never clean: what is no object must not look like one. */
static void fill(struct block *b, bool object)
{
	size_t size = b->size < 512 ? b->size : 512;

	memset((void *)b->at, 0xa5, size);
	b->object = object && b->offset + 16 <= b->size;
	if (b->object)
		rig_set_object(b->at + b->offset, &rig.types[b->offset / 16]);
}

static void remember_block(struct block *b, void *at, size_t size, bool mem)
{
	memset(b, 0, sizeof(*b));
	b->at = (uintptr_t)at;
	b->size = size;
	b->mem = mem;
	b->birth = now();
	b->in_run = model.flags != 0;
	b->site = model.site;
	b->offset = pick(size < TM_SIZE_BIG ? 3 : 2) * 16;
	b->type = model.types[b->offset / 16];
}

static void *make(struct tm_allocator *hooks, size_t size)
{
	switch (pick(3)) {
	case 0:
		return hooks->calloc(hooks->ctx, 1, size);
	case 1:
		if (hooks == &model.obj && model.family == TM_FAMILY_TRACER)
			write_down_held();
		return hooks->realloc(hooks->ctx, NULL, size);
	default:
		return hooks->malloc(hooks->ctx, size);
	}
}

/* ---- events ---------------------------------------------------------------------------- */

static void a_buffer_is_made(void)
{
	struct block *b = any_block(is_nothing);
	size_t size = some_size();
	void *at = b ? make(&model.mem, size) : NULL;

	if (!at)
		return;
	remember_block(b, at, size, true);
	b->known = BUFFER;
	model.newest = b->at;
}

static void a_block_is_made(bool object)
{
	struct block *b = any_block(is_nothing);
	size_t size = some_size();
	void *at = b ? make(&model.obj, size) : NULL;

	if (!at)
		return;
	remember_block(b, at, size, false);
	if (model.family == TM_FAMILY_ALLOCATOR) {
		add_recent(b->at);
		fill(b, object);
		b->known = PENDING;
		model.newest = b->at;
		model.created++;
		return;
	}
	write_down_held();
	fill(b, object);
	b->known = HELD;
	if (b->object) {
		model.trace((void *)(b->at + b->offset), 0, NULL);
		b->known = LIVING;
		model.created++;
	}
}

static void an_object_is_made(void)
{
	a_block_is_made(true);
}

static void memory_is_made(void)
{
	a_block_is_made(false);
}

/* Memory is freed by the line that made larger memory last: a table that was replaced. */
static void note_replaced(const struct block *old)
{
	bool earlier = old->birth != now();
	struct block *b = model.blocks, *end = b + BLOCKS;
	uintptr_t newest = model.newest;

	if ((old->known != PENDING && old->known != BUFFER) || dies_an_object(old) || !newest ||
	    !(earlier || old->before))
		return;
	model.newest = 0;
	while (b < end && (b->at != newest || (b->known != PENDING && b->known != BUFFER)))
		b++;
	if (b == end || b->birth != now() || b->before || b->size <= old->size ||
	    b->site != model.site || (b->known == PENDING && b->object) ||
	    b->size <= 16 * grown_at(b))
		return;
	b->before = earlier ? old->at : old->before;
	if (earlier)
		model.deaths[model.death_count - 1].flags |= TM_DF_RESIZED;
}

static void a_block_is_freed(void)
{
	struct block *b = any_block(is_something);
	struct tm_allocator *hooks;

	if (!b)
		return;
	hooks = b->mem ? &model.mem : &model.obj;
	note_death(b);
	note_replaced(b);
	if (model.family == TM_FAMILY_TRACER && b->known == LIVING) {
		model.freed_live++;
		model.destroyed++;
	}
	if (model.family == TM_FAMILY_ALLOCATOR && !b->mem) {
		model.destroyed++;
		drop_recent(b->at);
	}
	if (b->object && pick(2))
		memset((void *)(b->at + b->offset), 0, 8); /* no references any more */
	hooks->free(hooks->ctx, (void *)b->at);
	memset(b, 0, sizeof(*b));
}

static void an_object_dies(void)
{
	struct block *b = any_block(is_living);

	if (!b || model.family != TM_FAMILY_TRACER)
		return;
	note_death(b);
	model.trace((void *)(b->at + b->offset), 1, NULL);
	model.destroyed++;
	b->known = DEAD;
}

static void an_object_dies_and_its_block_is_freed(void)
{
	struct block *b = any_block(is_living);

	if (!b || model.family != TM_FAMILY_TRACER)
		return;
	note_death(b);
	model.trace((void *)(b->at + b->offset), 1, NULL);
	model.destroyed++;
	model.obj.free(model.obj.ctx, (void *)b->at);
	memset(b, 0, sizeof(*b));
}

static void a_free_list_gives_an_object(void)
{
	struct block *b = any_block(is_dead);

	if (!b)
		return;
	model.trace((void *)(b->at + b->offset), 0, NULL);
	model.created++;
	b->known = LIVING;
	b->birth = now();
	b->in_run = model.flags != 0;
	b->site = model.site;
}

static void a_death_goes_unreported(void)
{
	struct block *b = any_block(is_living);

	if (!b || model.family != TM_FAMILY_TRACER)
		return;
	note_death(b);
	model.trace((void *)(b->at + b->offset), 0, NULL);
	model.created++;
	model.birth_over++;
	b->birth = now();
	b->in_run = model.flags != 0;
	b->site = model.site;
}

static void the_unborn_die(void)
{
	struct block *b = any_block(is_dead);

	if (!b)
		return;
	model.trace((void *)(b->at + b->offset), 1, NULL);
	model.unknown++;
}

/* What a block that lives on is known as, and since when. */
static void renew(struct block *b)
{
	bool grows = !dies_an_object(b);

	if (b->known == DEAD || b->known == HELD || b->birth == now())
		return;
	note_death(b);
	if (grows)
		model.deaths[model.death_count - 1].flags |= TM_DF_RESIZED;
	b->before = grows ? b->at : 0;
	b->birth = now();
	b->in_run = model.flags != 0;
	b->site = model.site;
}

static void settle(struct block *b, void *moved, size_t size)
{
	if (size > b->size)
		memset((char *)moved + b->size, 0xa5, size - b->size);
	b->at = (uintptr_t)moved;
	b->size = size;
	if (size <= 16 * grown_at(b))
		b->before = 0;
	if (b->mem)
		return;
	if (model.family == TM_FAMILY_ALLOCATOR) {
		if (b->known == PENDING || b->known == BUFFER)
			add_recent(b->at);
		return;
	}
	if (b->known == PENDING || b->known == BUFFER)
		return;
	b->known = HELD;
	b->birth = now();
	b->in_run = model.flags != 0;
	b->site = model.site;
	if (b->object) {
		model.trace((void *)(b->at + b->offset), 0, NULL);
		model.created++;
		b->known = LIVING;
	}
}

/* Objects keep their header; what grows and shrinks is behind it. */
static size_t another_size(const struct block *b)
{
	size_t size = some_size();

	return b->object && size < b->offset + 16u ? b->offset + 16u : size;
}

static void a_block_is_resized(void)
{
	struct block *b = any_block(is_something);
	struct tm_allocator *hooks;
	size_t size;
	void *moved;

	if (!b)
		return;
	hooks = b->mem ? &model.mem : &model.obj;
	size = another_size(b);
	if (!is_room_for(size)) /* failing is another event */
		return;
	if (model.family == TM_FAMILY_TRACER && !b->mem)
		write_down_held();
	if (model.family == TM_FAMILY_TRACER && b->known == LIVING && pick(2)) {
		note_death(b);
		model.trace((void *)(b->at + b->offset), 1, NULL);
		model.destroyed++;
		b->known = DEAD;
	}
	renew(b);
	moved = hooks->realloc(hooks->ctx, (void *)b->at, size);
	assert_non_null(moved);
	settle(b, moved, size);
}

static void a_block_cannot_be_resized(void)
{
	struct block *b = any_block(is_something);
	struct tm_allocator *hooks;

	if (!b)
		return;
	hooks = b->mem ? &model.mem : &model.obj;
	if (model.family == TM_FAMILY_TRACER && !b->mem)
		write_down_held();
	model.refuse = true;
	assert_null(hooks->realloc(hooks->ctx, (void *)b->at, some_size()));
	model.refuse = false;
}

static void a_mark_is_set(void)
{
	if (pick(4))
		return;
	model.mark++;
	assert_int_equal(rig_set_mark(), model.mark);
}

static void marks_are_followed_up(void)
{
	if (!tm_follow_up_pending())
		return;
	tm_follow_up_run();
	for (unsigned i = 0; model.family == TM_FAMILY_ALLOCATOR && i < TM_RECENT; i++) {
		if (model.recent[i] && look_at(model.recent[i]))
			model.recent[i] = 0;
	}
}

static void the_collector_starts_or_stops(void)
{
	model.flags ^= TM_DF_COLLECTOR;
	if (model.flags)
		rig_collection_starts(0);
	else
		rig_collection_stops(0, 0, 0);
}

static const struct {
	const char *name;
	void (*happens)(void);
	unsigned weight;
} events[] = {
	{"a buffer is made", a_buffer_is_made, 10},
	{"an object is made", an_object_is_made, 20},
	{"memory is made", memory_is_made, 5},
	{"a block is freed", a_block_is_freed, 12},
	{"an object dies", an_object_dies, 6},
	{"an object dies and its block is freed", an_object_dies_and_its_block_is_freed, 8},
	{"a free list gives an object", a_free_list_gives_an_object, 5},
	{"a death goes unreported", a_death_goes_unreported, 1},
	{"the unborn die", the_unborn_die, 1},
	{"a block is resized", a_block_is_resized, 8},
	{"a block cannot be resized", a_block_cannot_be_resized, 2},
	{"a mark is set", a_mark_is_set, 4},
	{"marks are followed up", marks_are_followed_up, 2},
	{"the collector starts or stops", the_collector_starts_or_stops, 2},
};

static unsigned some_event(void)
{
	unsigned total = 0, at, i = 0;

	for (unsigned k = 0; k < sizeof(events) / sizeof(events[0]); k++)
		total += events[k].weight;
	for (at = pick(total); at >= events[i].weight; i++)
		at -= events[i].weight;
	return i;
}

static void run(enum tm_family family, unsigned seed)
{
	begin(family, seed);
	for (model.number = 1; model.number <= EVENTS; model.number++) {
		unsigned i = some_event();

		model.event = events[i].name;
		choose_site();
		events[i].happens();
		expect_neighbourhood();
		if (model.number % 2000 == 0) {
			expect_nothing_elsewhere();
			expect_stamps();
		}
	}
	expect_deaths();
	expect_reclaimed();
	expect_counters();
	/* The model saw enough of what it is for. */
	assert_true(model.death_count > EVENTS / 20);
	assert_true(model.mark > EVENTS / 200);
	assert_true(model.reclaimed_count > EVENTS / 50);
	rig_end();
}

static void every_word_is_the_tracer_models(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 5; seed++)
		run(TM_FAMILY_TRACER, seed);
	assert_true(model.freed_live > 0 && model.birth_over > 0 && model.unknown > 0);
}

static void every_word_is_the_allocator_models(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 5; seed++)
		run(TM_FAMILY_ALLOCATOR, seed);
}

/* After a failure, too. */
static int clean_up(void **state)
{
	(void)state;
	if (tm_segment.base)
		rig_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_word_is_the_tracer_models, clean_up),
		cmocka_unit_test_teardown(every_word_is_the_allocator_models, clean_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

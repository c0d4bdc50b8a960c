/*
 * model.h - what a recording is to hold, kept in a way that is slow and obvious
 *
 * Blocks and objects, and what layout.h says of them; the events that befall them are the test's.
 */
#ifndef TIDEMARK_TESTS_MODEL_H
#define TIDEMARK_TESTS_MODEL_H

#include "rig.h"

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

/* Whether the recorder keeps to itself what is young. */
enum young {
	NONE_YOUNG,
	WITHOUT_MAGAZINES,
	WITH_MAGAZINES,
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

/* Where something happens. */
struct place {
	bool thread;		    /* its state is known */
	struct rig_frame frames[2]; /* innermost first */
	struct rig_frame *frame;    /* the innermost; NULL: no Python frame */
};

static struct {
	enum tm_family family;
	struct tm_allocator obj, mem; /* the recorder's hooks */
	tm_tracer trace;
	struct block blocks[BLOCKS];
	unsigned char taken[GRANULES];
	size_t held[GRANULES]; /* size of the block that begins there, for who is below the hooks */
	size_t waiting[GRANULES]; /* of one that was freed and has not come down */
	uint64_t rest[GRANULES];  /* words of one that waits, or was given out since: its size */
	bool magazines;
	bool asked;   /* the allocator below, for memory */
	bool repeats; /* in a loop: blocks come by malloc, objects lie where the last did */
	unsigned last_offset;
	size_t again;	      /* the size of what waits since just now; 0 = nothing does */
	unsigned kept, given; /* how often a block waited, and how often it was made again */
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
	uintptr_t newest;		   /* written down last as memory, or not looked at */
	uint32_t site;			   /* of the event under way */
	struct rig_type others[RIG_TYPES]; /* like rig.types, by another name */
	uint32_t types[RIG_TYPES], other_types[RIG_TYPES];
	struct place places[2]; /* two may take turns */
	unsigned place;
	const char *event;
	unsigned seed, number;
} model;

static inline unsigned pick(unsigned count)
{
	return (unsigned)rand() % count;
}

static inline uint64_t size_field(size_t size)
{
	return size < TM_SIZE_BIG ? size : TM_SIZE_BIG;
}

static inline bool has_tail(const struct block *b)
{
	if (b->known == PENDING || b->known == BUFFER)
		return b->size >= TM_SIZE_BIG;
	return (b->known == LIVING || b->known == DEAD) && !b->offset && b->size > 16;
}

/* Where a block says what it grew out of: behind what says its size. */
static inline unsigned grown_at(const struct block *b)
{
	return has_tail(b) ? 2 : 1;
}

static inline uint32_t now(void)
{
	return model.mark + 1;
}

static inline struct block *any_block(bool (*fits)(const struct block *))
{
	unsigned start = pick(BLOCKS);

	for (unsigned i = 0; i < BLOCKS; i++) {
		struct block *b = &model.blocks[(start + i) % BLOCKS];

		if (fits(b))
			return b;
	}
	return NULL;
}

static inline bool is_nothing(const struct block *b)
{
	return b->known == NOTHING;
}

static inline bool is_something(const struct block *b)
{
	return b->known != NOTHING;
}

static inline bool is_living(const struct block *b)
{
	return b->known == LIVING;
}

static inline bool is_dead(const struct block *b)
{
	return b->known == DEAD;
}

/* Of a type: what it says, and the collector's head before it. */
static inline uint64_t basic_size(const struct block *b)
{
	return 16 + (b->offset ? 16 : 0);
}

static inline uint64_t object_word(const struct block *b)
{
	return tm_word(TM_OBJECT, b->birth, b->site, b->type);
}

static inline bool dies_an_object(const struct block *b)
{
	return b->known == LIVING ||
	       (b->known == PENDING && model.family == TM_FAMILY_ALLOCATOR && b->object);
}

/* What is born and dies in one run of the collector does not count, nor what is no object. */
static inline void note_reclaimed(const struct block *b)
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
static inline void note_death(const struct block *b)
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
static inline bool look_at(uintptr_t at)
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

/* Called before the block at @at, the newest, is filled in.  Returns whether the others were looked
 * at. */
static inline bool add_recent(uintptr_t at)
{
	unsigned left = 0;

	model.recent[model.recent_count++] = at;
	if (model.recent_count < TM_RECENT)
		return false;
	for (unsigned i = 0; i < TM_RECENT - 1; i++) {
		if (model.recent[i] != at && !look_at(model.recent[i]))
			model.recent[left++] = model.recent[i];
	}
	model.recent[left++] = at;
	model.recent_count = left;
	return true;
}

static inline void drop_recent(uintptr_t at)
{
	unsigned count = model.recent_count;

	if (count > 0 && model.recent[count - 1] == at) {
		model.recent_count--;
	} else if (count > 1 && model.recent[count - 2] == at) {
		model.recent[count - 2] = model.recent[count - 1];
		model.recent_count--;
	}
}

static inline uintptr_t base(void)
{
	return (uintptr_t)rig.heap + TM_CHUNK_HEAP - GRANULES / 2 * 16;
}

/* Nothing is left of what waited at @at. */
static inline void forget_rest(uintptr_t at)
{
	uintptr_t index = (at - base()) / 16;

	if (index >= GRANULES)
		return;
	model.rest[index] = 0;
	if (index + 1 < GRANULES && tm_word_kind(model.rest[index + 1]) == TM_SIZE_TAIL)
		model.rest[index + 1] = 0;
}

/* The block that the tracer family has not written down yet is, now. */
static inline void write_down_held(void)
{
	for (unsigned i = 0; i < BLOCKS; i++) {
		struct block *b = &model.blocks[i];

		if (b->known != HELD)
			continue;
		forget_rest(b->at);
		b->known = PENDING;
		b->birth = now();
		b->in_run = model.flags != 0;
		model.newest = b->at;
	}
}

static inline void make_place(struct place *place)
{
	place->thread = pick(10) > 0;
	for (unsigned i = 0; i < 2; i++) {
		place->frames[i].code = &rig.codes[pick(RIG_CODES)];
		place->frames[i].last = (int)pick(3);
	}
	place->frames[0].previous = pick(3) ? &place->frames[1] : NULL;
	place->frame = pick(10) ? &place->frames[0] : NULL;
}

/* What happens happens where the last did, or where it did before that, or elsewhere. */
static inline void choose_site(void)
{
	struct place *place;

	if (model.number > 1 && pick(2))
		return;
	model.place = !model.place;
	place = &model.places[model.place];
	if (!place->frames[0].code || pick(2))
		make_place(place);
	rig_set_thread(place->thread);
	rig.frame = place->frame;
	model.site = tm_site_here();
}

static inline size_t some_size(void)
{
	static const size_t edges[] = {1, 8, 15, 16, 17, 31, 32, 33, 47, 48, 49, 512};

	if (model.again && pick(2)) {
		size_t size = model.again;

		model.again = 0;
		return size;
	}
	if (pick(200) == 0)
		return TM_SIZE_BIG + pick(100);
	return pick(2) ? edges[pick(sizeof(edges) / sizeof(edges[0]))] : 1 + pick(300);
}

/* Who lives in a block from now on is of one of the types that begin there. */
static inline void begins_object(struct block *b)
{
	unsigned i = b->offset / 16;
	bool other = pick(4) == 0;

	b->type = other ? model.other_types[i] : model.types[i];
	rig_set_object(b->at + b->offset, other ? &model.others[i] : &rig.types[i]);
}

/* Memory is never clean: what is no object must not look like one. */
static inline void fill(struct block *b, bool object)
{
	size_t size = b->size < 512 ? b->size : 512;

	memset((void *)b->at, 0xa5, size);
	b->object = object && b->offset + 16 <= b->size;
	if (b->object)
		begins_object(b);
}

/* What @b holds is born here and now. */
static inline void begins_now(struct block *b)
{
	b->birth = now();
	b->in_run = model.flags != 0;
	b->site = model.site;
}

static inline void remember_block(struct block *b, void *at, size_t size, bool mem)
{
	memset(b, 0, sizeof(*b));
	b->at = (uintptr_t)at;
	b->size = size;
	b->mem = mem;
	begins_now(b);
	if (!model.repeats)
		model.last_offset = pick(size < TM_SIZE_BIG ? 3 : 2) * 16;
	b->offset = model.last_offset;
}

static inline void *make_zeroed(struct tm_allocator *hooks, size_t size)
{
	unsigned char *block = hooks->calloc(hooks->ctx, 1, size);

	for (size_t i = 0; block && i < size && size < TM_SIZE_BIG; i++)
		assert_int_equal(block[i], 0);
	return block;
}

/* model.asked says afterwards whether the allocator below was. */
static inline void *make(struct tm_allocator *hooks, size_t size)
{
	model.asked = false;
	switch (model.repeats ? 2 : pick(3)) {
	case 0:
		return make_zeroed(hooks, size);
	case 1:
		if (hooks == &model.obj && model.family == TM_FAMILY_TRACER)
			write_down_held();
		return hooks->realloc(hooks->ctx, NULL, size);
	default:
		return hooks->malloc(hooks->ctx, size);
	}
}

#endif

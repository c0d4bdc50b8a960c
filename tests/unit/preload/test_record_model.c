/*
 * test_record_model.c - thousands of random events against a model that is slow and obvious
 *
 * Blocks are made, resized and freed through the allocator hooks, objects are born and die
 * through the tracer, marks come in between.  The model knows blocks and objects and what
 * layout.h says their words are; after every event the words of the whole neighbourhood, and at the
 * end every death record and every counter, must be the model's.
 */
#include "model_check.h"

static void a_buffer_is_made(void)
{
	struct block *b = any_block(is_nothing);
	size_t size = some_size();
	void *at = b ? make(&model.mem, size) : NULL;

	if (!at)
		return;
	remember_block(b, at, size, true);
	waited(b->at, size);
	b->known = BUFFER;
	model.newest = b->at;
}

/* The tracer is told of the object of @b, that it is there or that it dies. */
static void trace_birth(struct block *b)
{
	model.trace((void *)(b->at + b->offset), 0, NULL);
	model.created++;
	forget_rest(b->at);
	b->known = LIVING;
}

static void trace_death(struct block *b)
{
	note_death(b);
	model.trace((void *)(b->at + b->offset), 1, NULL);
	model.destroyed++;
	b->known = DEAD;
}

/* Returns the block; NULL: there is none to be had. */
static struct block *a_block_is_made(bool object, size_t size)
{
	struct block *b = any_block(is_nothing);
	void *at = b ? make(&model.obj, size) : NULL;

	if (!at)
		return NULL;
	remember_block(b, at, size, false);
	if (model.family == TM_FAMILY_ALLOCATOR) {
		if (!waited(b->at, size) && add_recent(b->at))
			expect_none_waits();
		fill(b, object);
		b->known = PENDING;
		model.newest = b->at;
		model.created++;
		return b;
	}
	waited(b->at, size);
	write_down_held();
	fill(b, object);
	b->known = HELD;
	if (b->object)
		trace_birth(b);
	return b;
}

static void an_object_is_made(void)
{
	a_block_is_made(true, some_size());
}

static void memory_is_made(void)
{
	a_block_is_made(false, some_size());
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

static void waits_or_is_gone(const struct block *b)
{
	bool kept = waits(b);

	if (model.family != TM_FAMILY_ALLOCATOR || b->mem)
		return;
	model.destroyed++;
	if (!kept)
		drop_recent(b->at);
}

static void free_block(struct block *b)
{
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
	if (b->object && pick(2))
		memset((void *)(b->at + b->offset), 0, 8); /* no references any more */
	hooks->free(hooks->ctx, (void *)b->at);
	waits_or_is_gone(b);
	memset(b, 0, sizeof(*b));
}

static void a_block_is_freed(void)
{
	free_block(any_block(is_something));
}

/* One of the newest three of the list, where two are looked at. */
static bool is_among_the_newest(const struct block *b)
{
	for (unsigned i = 1; i <= 3 && i <= model.recent_count; i++) {
		if (b->known != NOTHING && b->at == model.recent[model.recent_count - i])
			return true;
	}
	return false;
}

static void a_new_block_is_freed(void)
{
	free_block(any_block(is_among_the_newest));
}

/* It is the newest where a follow-up has looked at all: such a place of the list is 0. */
static void nothing_is_freed(void)
{
	if (model.family == TM_FAMILY_ALLOCATOR)
		drop_recent(0);
	model.obj.free(model.obj.ctx, NULL);
	model.mem.free(model.mem.ctx, NULL);
}

static void an_object_dies(void)
{
	struct block *b = any_block(is_living);

	if (!b || model.family != TM_FAMILY_TRACER)
		return;
	trace_death(b);
}

static void an_object_dies_and_its_block_is_freed(void)
{
	struct block *b = any_block(is_living);

	if (!b || model.family != TM_FAMILY_TRACER)
		return;
	trace_death(b);
	model.obj.free(model.obj.ctx, (void *)b->at);
	waits_or_is_gone(b);
	memset(b, 0, sizeof(*b));
}

/* As a loop does it that keeps nothing, some of whose lines take turns. */
static void an_object_is_made_and_dropped_some_times(void)
{
	unsigned times = 1 + pick(8);
	size_t size = some_size();

	while (times--) {
		struct block *b = a_block_is_made(pick(8) > 0, size);

		expect_neighbourhood();
		if (b && b->known == LIVING && pick(8))
			trace_death(b);
		free_block(b);
		expect_neighbourhood();
		model.repeats = true;
		choose_site();
	}
	model.repeats = false;
}

static void a_free_list_gives_an_object(void)
{
	struct block *b = any_block(is_dead);

	if (!b)
		return;
	begins_object(b);
	trace_birth(b);
	begins_now(b);
}

static void a_death_goes_unreported(void)
{
	struct block *b = any_block(is_living);

	if (!b || model.family != TM_FAMILY_TRACER)
		return;
	note_death(b);
	trace_birth(b);
	model.birth_over++;
	begins_now(b);
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
	begins_now(b);
}

/* @listed: it is among the recent ones */
static void settle(struct block *b, void *moved, size_t size, bool listed)
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
		if (b->known == PENDING && !listed && add_recent(b->at))
			expect_none_waits();
		return;
	}
	if (b->known == PENDING || b->known == BUFFER)
		return;
	b->known = HELD;
	begins_now(b);
	if (b->object)
		trace_birth(b);
}

/* Objects keep their header; what grows and shrinks is behind it. */
static size_t another_size(const struct block *b)
{
	size_t size = some_size();

	return b->object && size < b->offset + 16u ? b->offset + 16u : size;
}

/* @b was given this memory.  @listed: it was among the recent ones where it was */
static void note_resized(struct block *b, void *moved, size_t size, bool listed)
{
	waits_after_move(b, moved);
	if (b->at == (uintptr_t)moved && !model.asked)
		assert_true(step_of(size) <= step_of(size_at(b->at)));
	model.asked = !waits_at((uintptr_t)moved);
	listed = listed && b->at == (uintptr_t)moved;
	settle(b, moved, size, waited((uintptr_t)moved, size) || listed);
}

static void a_block_is_resized(void)
{
	struct block *b = any_block(is_something);
	struct tm_allocator *hooks;
	bool listed;
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
	if (model.family == TM_FAMILY_TRACER && b->known == LIVING && pick(2))
		trace_death(b);
	listed = b->birth == now();
	renew(b);
	model.asked = false;
	moved = hooks->realloc(hooks->ctx, (void *)b->at, size);
	assert_non_null(moved);
	note_resized(b, moved, size, listed);
}

/* There is no more memory: a young block may be resized all the same. */
static void a_block_cannot_be_resized(void)
{
	struct block *b = any_block(is_something);
	struct tm_allocator *hooks;
	size_t size;
	void *moved;

	/* Where somebody just died it can, to what waits. */
	if (!b || (b->known == DEAD && model.magazines))
		return;
	hooks = b->mem ? &model.mem : &model.obj;
	size = another_size(b);
	if (model.family == TM_FAMILY_TRACER && !b->mem)
		write_down_held();
	model.asked = false;
	model.refuse = true;
	moved = hooks->realloc(hooks->ctx, (void *)b->at, size);
	model.refuse = false;
	if (!moved)
		return;
	assert_true(may_wait(b));
	note_resized(b, moved, size, true);
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
	expect_none_waits();
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
	{"a new block is freed", a_new_block_is_freed, 6},
	{"nothing is freed", nothing_is_freed, 1},
	{"an object dies", an_object_dies, 6},
	{"an object dies and its block is freed", an_object_dies_and_its_block_is_freed, 8},
	{"an object is made and dropped some times", an_object_is_made_and_dropped_some_times, 6},
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

static void run(enum tm_family family, unsigned seed, enum young young)
{
	begin(family, seed, young);
	for (model.number = 1; model.number <= EVENTS; model.number++) {
		unsigned i = some_event();

		model.event = events[i].name;
		tm_get(&tm_nursery)->patience = 1 + pick(2);
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
		run(TM_FAMILY_TRACER, seed, NONE_YOUNG);
	assert_true(model.freed_live > 0 && model.birth_over > 0 && model.unknown > 0);
}

static void every_word_is_the_allocator_models(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 5; seed++)
		run(TM_FAMILY_ALLOCATOR, seed, NONE_YOUNG);
}

static void a_block_that_waited_is_a_new_one(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 5; seed++) {
		run(TM_FAMILY_ALLOCATOR, seed, WITH_MAGAZINES);
		assert_true(model.kept > EVENTS / 100);
		assert_true(model.given > EVENTS / 100);
	}
}

/* First: magazines that were allowed once stay so. */
static void the_young_are_the_tracer_models(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 5; seed++)
		run(TM_FAMILY_TRACER, seed, WITHOUT_MAGAZINES);
	for (unsigned seed = 1; seed <= 5; seed++) {
		run(TM_FAMILY_TRACER, seed, WITH_MAGAZINES);
		assert_true(model.kept > EVENTS / 100);
		assert_true(model.given > EVENTS / 200);
	}
	assert_true(model.freed_live > 0 && model.birth_over > 0 && model.unknown > 0);
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
		cmocka_unit_test_teardown(the_young_are_the_tracer_models, clean_up),
		cmocka_unit_test_teardown(every_word_is_the_tracer_models, clean_up),
		cmocka_unit_test_teardown(every_word_is_the_allocator_models, clean_up),
		cmocka_unit_test_teardown(a_block_that_waited_is_a_new_one, clean_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

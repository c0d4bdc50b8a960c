/* test_growth.c - buffers that were resized: what is new of them, and what was there before */
#include "view.h"

#include "history.h"

/* So much is new, so many grew by so much, and so much was freed, from one point to the other. */
static void expect_bytes(const struct story *s, const char *from, const char *to, uint64_t fresh,
			 uint64_t grown, uint64_t freed)
{
	struct view v = view_of(s, from, to);
	const struct tm_totals *t = &v.diff.totals;
	uint64_t in_groups = 0, in_grown = 0;

	for (size_t i = 0; i < v.groups.count; i++)
		in_groups += v.groups.items[i].bytes;
	for (size_t i = 0; i < v.grown.count; i++)
		in_grown += v.grown.items[i].bytes;
	if (t->buffer_bytes != fresh || t->grown_bytes != grown || t->freed_bytes != freed)
		fail_msg("from %s to %s: new %" PRIu64 ", grown %" PRIu64 ", freed %" PRIu64
			 "; expected %" PRIu64 ", %" PRIu64 ", %" PRIu64,
			 from, to, t->buffer_bytes, t->grown_bytes, t->freed_bytes, fresh, grown,
			 freed);
	assert_int_equal(in_groups, fresh);
	assert_int_equal(in_grown, grown);
	assert_int_equal(t->survived_bytes, fresh + grown);
	view_end(&v);
}

static void what_an_old_buffer_grew_by_is_growth_at_the_line_that_resized_it(void **state)
{
	struct story *s = *state;
	struct tm_place place;
	struct view v;

	at_line(s, "/srv/app.py", "make", 3);
	buffer(s, HEAP, 1000);
	mark(s, "a");
	at_line(s, "/srv/app.py", "fill", 9);
	resized(s, HEAP, HEAP + 0x1000, 5000);
	mark(s, "b");
	expect_bytes(s, "a", "b", 0, 4000, 0);
	expect_bytes(s, "a", "now", 0, 4000, 0);
	expect_bytes(s, "start", "a", 1000, 0, 0);
	expect_bytes(s, "start", "b", 5000, 0, 0);
	expect_bytes(s, "b", "now", 0, 0, 0);
	v = view_of(s, "a", "b");
	assert_int_equal(v.grown.count, 1);
	assert_int_equal(v.grown.items[0].objects, 1);
	assert_true(tm_model_place(v.model, v.grown.items[0].site, &place));
	assert_int_equal(place.line, 9);
	assert_int_equal(v.diff.totals.grown_buffers, 1);
	assert_int_equal(v.diff.totals.buffers, 0);
	assert_false(noted(&v, "resized"));
	view_end(&v);
}

static void it_may_stay_where_it_is_and_be_of_any_size(void **state)
{
	struct story *s = *state;

	buffer(s, HEAP, 600);
	mark(s, "a");
	resized(s, HEAP, HEAP, TM_SIZE_BIG);
	mark(s, "b");
	resized(s, HEAP, HEAP, 3 << 20);
	mark(s, "c");
	resized(s, HEAP, HEAP, 40);
	mark(s, "d");
	expect_bytes(s, "a", "b", 0, TM_SIZE_BIG - 600, 0);
	expect_bytes(s, "b", "c", 0, (3 << 20) - TM_SIZE_BIG, 0);
	expect_bytes(s, "a", "c", 0, (3 << 20) - 600, 0);
	expect_bytes(s, "c", "d", 0, 0, (3 << 20) - 40);
	expect_bytes(s, "a", "d", 0, 0, 560);
	expect_bytes(s, "start", "d", 40, 0, 0);
}

/* The words that say it lie beyond the end of the chunk. */
static void it_may_lie_across_two_chunks(void **state)
{
	struct story *s;

	(void)state;
	for (uint64_t at = HEAP + TM_CHUNK_HEAP - 2 * TM_GRANULE; at < HEAP + TM_CHUNK_HEAP;
	     at += TM_GRANULE) {
		s = story_begin(NULL);
		buffer(s, HEAP + TM_CHUNK_HEAP, 16);
		death(s, HEAP + TM_CHUNK_HEAP); /* the next chunk is there */
		buffer(s, HEAP, 1000);
		mark(s, "a");
		resized(s, HEAP, at, 3 << 20);
		expect_bytes(s, "a", "now", 0, (3 << 20) - 1000, 0);
		death(s, at);
		expect_bytes(s, "a", "now", 0, 0, 1000);
		story_end(s);
	}
}

static void many_steps_in_many_intervals_are_one_growth(void **state)
{
	struct story *s = *state;

	buffer(s, HEAP, 100);
	mark(s, "a");
	for (unsigned i = 1; i <= 20; i++) {
		resized(s, HEAP + 0x1000 * (i - 1), HEAP + 0x1000 * i, 100 + 50 * i);
		if (i % 2 == 0)
			mark(s, "m");
	}
	expect_bytes(s, "a", "now", 0, 1000, 0);
	expect_bytes(s, "start", "now", 1100, 0, 0);
	expect_bytes(s, "2", "now", 0, 900, 0);
}

static void one_that_dies_later_has_grown_all_the_same(void **state)
{
	struct story *s = *state;

	buffer(s, HEAP, 100);
	mark(s, "a");
	resized(s, HEAP, HEAP + 0x1000, 300);
	mark(s, "b");
	death(s, HEAP + 0x1000);
	mark(s, "c");
	expect_bytes(s, "a", "b", 0, 200, 0);
	expect_bytes(s, "a", "c", 0, 0, 100);
	expect_bytes(s, "b", "c", 0, 0, 300);
}

static void one_made_after_the_first_point_is_new_however_often_resized(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	buffer(s, HEAP, 100);
	resized(s, HEAP, HEAP + 0x1000, 200);
	mark(s, "b");
	resized(s, HEAP + 0x1000, HEAP + 0x2000, 400);
	mark(s, "c");
	expect_bytes(s, "a", "b", 200, 0, 0);
	expect_bytes(s, "a", "c", 400, 0, 0);
	expect_bytes(s, "b", "c", 0, 200, 0);
	assert_int_equal(totals_of(s, "a", "c").lost_buffers, 0);
}

/* Another buffer has come to the old one's address, and another one died there. */
static void an_address_used_again_is_not_taken_for_the_past(void **state)
{
	struct story *s = *state;

	buffer(s, HEAP, 100);
	mark(s, "a");
	resized(s, HEAP, HEAP + 0x1000, 300);
	buffer(s, HEAP, 70);
	mark(s, "b");
	resized(s, HEAP, HEAP + 0x2000, 80);
	buffer(s, HEAP, 10);
	mark(s, "c");
	death(s, HEAP);
	resized(s, HEAP + 0x1000, HEAP, 1000);
	expect_bytes(s, "a", "b", 70, 200, 0);
	expect_bytes(s, "a", "c", 80 + 10, 200, 0);
	expect_bytes(s, "a", "now", 80, 900, 0);
	expect_bytes(s, "b", "now", 0, 10 + 700, 0);
}

/* ---- whose it is ---- */

static const struct tm_group *grown_of(const struct view *v, const char *type)
{
	const struct tm_group *group = group_in(v, &v->grown, type);

	if (!group)
		fail_msg("nothing of type %s grew", type);
	return group;
}

static void growth_goes_by_the_type_of_its_owner(void **state)
{
	struct story *s = *state;
	struct view v;

	for (unsigned i = 0; i < 4; i++)
		buffer(s, HEAP + 0x10000 * i, 100);
	mark(s, "a");
	s->owner = type_named(s, "builtins.list", 56);
	resized(s, HEAP, HEAP + 0x1000, 300);
	resized(s, HEAP + 0x10000, HEAP + 0x11000, 400);
	s->owner = type_named(s, "app.Cache", 64);
	resized(s, HEAP + 0x20000, HEAP + 0x21000, 2 << 20);
	s->owner = 0;
	resized(s, HEAP + 0x30000, HEAP + 0x31000, 101);
	v = view_of(s, "a", "now");
	assert_int_equal(v.grown.count, 3);
	expect_group(grown_of(&v, "builtins.list"), 2, 500);
	expect_group(grown_of(&v, "app.Cache"), 1, (2 << 20) - 100);
	expect_group(grown_of(&v, "(buffer)"), 1, 1);
	assert_int_equal(v.grown.items[0].kind, TM_GROWN);
	assert_int_equal(v.groups.count, 0);
	view_end(&v);
}

static void the_newest_step_says_whose_it_is(void **state)
{
	struct story *s = *state;
	struct view v;

	buffer(s, HEAP, 100);
	mark(s, "a");
	s->owner = type_named(s, "app.Old", 56);
	resized(s, HEAP, HEAP + 0x1000, 300);
	mark(s, "b");
	s->owner = type_named(s, "app.New", 56);
	resized(s, HEAP + 0x1000, HEAP + 0x2000, 500);
	v = view_of(s, "a", "now");
	assert_int_equal(v.grown.count, 1);
	expect_group(grown_of(&v, "app.New"), 1, 400);
	view_end(&v);
	v = view_of(s, "a", "b");
	expect_group(grown_of(&v, "app.Old"), 1, 200);
	view_end(&v);
}

/* Its birth fields: 1 is the interval of the start mark. */
static void
the_first_memory_of_an_older_owner_is_growth_and_that_of_a_newer_one_is_new(void **state)
{
	struct story *s = *state;
	struct view v;

	mark(s, "a");
	mark(s, "b");
	s->owner = type_named(s, "builtins.list", 56);
	owned(s, HEAP, 1000, 2); /* born between a and b */
	mark(s, "c");
	resized(s, HEAP, HEAP, 3 << 20);
	mark(s, "d");
	expect_bytes(s, "a", "c", 1000, 0, 0);
	expect_bytes(s, "b", "c", 0, 1000, 0);
	expect_bytes(s, "a", "d", 3 << 20, 0, 0);
	expect_bytes(s, "b", "d", 0, 3 << 20, 0);
	expect_bytes(s, "c", "d", 0, (3 << 20) - 1000, 0);
	expect_bytes(s, "start", "now", 3 << 20, 0, 0);
	v = view_of(s, "b", "d");
	expect_group(grown_of(&v, "builtins.list"), 1, 3 << 20);
	assert_int_equal(v.diff.totals.lost_buffers, 0);
	assert_int_equal(v.diff.totals.grown_buffers, 1);
	view_end(&v);
	death(s, HEAP);
	expect_bytes(s, "b", "d", 0, 3 << 20, 0);
	expect_bytes(s, "b", "now", 0, 0, 0);
}

static void expect_filtered(const struct story *s, const char *glob, unsigned groups)
{
	struct tm_filter filter = {.type = glob};
	struct view v = view_filtered(s, "a", "now", TM_BY_TYPE_AND_SITE, &filter);

	if (v.grown.count != groups)
		fail_msg("%zu groups of growth match %s, expected %u", v.grown.count, glob, groups);
	view_end(&v);
}

static void a_type_chooses_growth_by_its_owner_and_all_of_it_are_buffers(void **state)
{
	struct story *s = *state;
	static const struct tm_filter all;
	struct view v;

	buffer(s, HEAP, 100);
	buffer(s, HEAP + 0x10000, 100);
	mark(s, "a");
	at_line(s, "/srv/app.py", "fill", 9);
	s->owner = type_named(s, "builtins.list", 56);
	resized(s, HEAP, HEAP + 0x1000, 300);
	s->owner = type_named(s, "app.Cache", 64);
	resized(s, HEAP + 0x10000, HEAP + 0x11000, 500);
	expect_filtered(s, "list", 1);
	expect_filtered(s, "builtins.*", 1);
	expect_filtered(s, "app.*", 1);
	expect_filtered(s, "(buffer)", 2);
	expect_filtered(s, "dict", 0);
	v = view_filtered(s, "a", "now", TM_BY_TYPE, &all);
	assert_int_equal(v.grown.count, 2);
	view_end(&v);
	v = view_filtered(s, "a", "now", TM_BY_SITE, &all);
	assert_int_equal(v.grown.count, 1);
	assert_int_equal(v.grown.items[0].type, TM_SEVERAL_TYPES);
	expect_group(&v.grown.items[0], 2, 600);
	view_end(&v);
}

/* ---- what is lost or wrong ---- */

static void when_the_ring_has_turned_it_counts_as_new_and_says_so(void **state)
{
	struct story *s = *state;
	struct tm_totals totals;

	buffer(s, HEAP, 1000);
	for (unsigned i = 0; i < 3000; i++)
		birth(s, "x", HEAP + 0x10000 + 32 * i, 32);
	mark(s, "a");
	resized(s, HEAP, HEAP + 0x1000, 5000);
	for (unsigned i = 0; i < 3000; i++)
		death(s, HEAP + 0x10000 + 32 * i);
	mark(s, "b");
	totals = totals_of(s, "a", "b");
	assert_int_equal(totals.lost_buffers, 1);
	assert_int_equal(totals.lost_bytes, 5000);
	assert_int_equal(totals.buffer_bytes, 5000);
	assert_int_equal(totals.freed_bytes, 1000 + 32 * 3000);
	assert_int_equal(totals.grown_buffers, 0);
}

/* A recording may say that two came from one, that one came from itself, or from nowhere. */
static void nonsense_ends_and_changes_no_sum(void **state)
{
	struct story *s = *state;
	struct tm_death *ring = story_table(s, TM_R_DEATHS);
	struct tm_totals totals;
	struct view v;

	buffer(s, HEAP, 100);
	buffer(s, HEAP + 0x100, 100);
	mark(s, "a");
	resized(s, HEAP, HEAP + 0x1000, 300);
	resized(s, HEAP + 0x100, HEAP + 0x2000, 300);
	mark(s, "b");
	resized(s, HEAP + 0x2000, HEAP + 0x3000, 400);
	*word_at(s, HEAP + 0x1000 + TM_GRANULE) = tm_grown_word(HEAP + 0x100, 0);
	totals = totals_of(s, "a", "now");
	assert_int_equal(totals.lost_buffers, 1);
	assert_int_equal(totals.grown_buffers, 1);
	ring[2].past = tm_grown_word(HEAP + 0x2000, 0); /* it replaced itself */
	ring[1].past = tm_grown_word(HEAP + 0x2000, 0);
	totals = totals_of(s, "a", "now");
	assert_true(totals.lost_buffers >= 1);
	assert_true(totals.survived_bytes <= 700);
	*word_at(s, HEAP + 0x3000 + TM_GRANULE) = ~0xfull | TM_GROWN;
	*word_at(s, HEAP + 0x8000) = tm_grown_word(16, 0); /* of no buffer */
	v = view_of(s, "a", "now");
	assert_null(tm_reader_damage(v.reader));
	view_end(&v);
}

static void nonsense_of_owners_ends_and_changes_no_sum(void **state)
{
	struct story *s = *state;
	struct tm_death *ring = story_table(s, TM_R_DEATHS);
	struct tm_totals totals;
	struct view v;

	buffer(s, HEAP, 100);
	mark(s, "a");
	resized(s, HEAP, HEAP + 0x1000, 300);
	mark(s, "b");
	resized(s, HEAP + 0x1000, HEAP + 0x2000, 400);
	/* a past that is none is no past */
	for (unsigned kind = 0; kind < 8; kind++) {
		if (kind == TM_GROWN)
			continue;
		ring[1].past = ~7ull | kind;
		totals = totals_of(s, "a", "now");
		assert_int_equal(totals.grown_buffers, 0);
		assert_int_equal(totals.survived_bytes, 400);
	}
	/* an owner younger than its memory, of a type that is not there */
	*word_at(s, HEAP + 0x2000 + TM_GRANULE) = tm_word(TM_OWNED, TM_MAX_BIRTH, 0, 7);
	expect_bytes(s, "a", "now", 400, 0, 100 + 0);
	*word_at(s, HEAP + 0x2000 + TM_GRANULE) = tm_word(TM_OWNED, 1, 1 << 20, (1 << 20) - 1);
	v = view_of(s, "a", "now");
	assert_int_equal(v.diff.totals.grown_bytes, 400);
	assert_int_equal(v.grown.count, 1);
	assert_true(text_is(&v, v.grown.items[0].type, "(unknown)"));
	assert_non_null(tm_reader_damage(v.reader));
	view_end(&v);
	/* and one of no memory */
	*word_at(s, HEAP + 0x8000) = tm_word(TM_OWNED, 1, 0, 1);
	*word_at(s, HEAP + 0x2000 + TM_GRANULE) = 0;
	v = view_of(s, "a", "now");
	assert_null(tm_reader_damage(v.reader));
	view_end(&v);
}

/* ---- against a model ---- */

#define OWNERS 40u
#define MARKS  12u

/* What an owner's buffer was at each mark; it is made once, and may die.  The owner may be another
 * one when its buffer is made again. */
struct owner {
	uint32_t born; /* the mark that opens the interval it was born in */
	uint32_t born_at[MARKS + 1];
	uint64_t address; /* 0 = it has none */
	uint64_t size;
	uint64_t at[MARKS + 1];
	uint64_t made; /* the number of its buffer, another one each time it is made again */
	uint64_t made_at[MARKS + 1];
};

struct model {
	struct owner owners[OWNERS];
	bool used[2 * OWNERS]; /* places */
	unsigned made;
	unsigned short seed[3];
};

static unsigned below(struct model *m, unsigned limit)
{
	return (unsigned)nrand48(m->seed) % limit;
}

static uint64_t take_place(struct model *m)
{
	unsigned place;

	do
		place = below(m, 2 * OWNERS);
	while (m->used[place]);
	m->used[place] = true;
	return HEAP + place * 0x2000ull;
}

static void leave_place(struct model *m, uint64_t address)
{
	m->used[(address - HEAP) / 0x2000] = false;
}

static void do_something(struct story *s, struct model *m)
{
	struct owner *o = &m->owners[below(m, OWNERS)];
	uint64_t size = 40 + below(m, 5000), to;

	if (!o->address) {
		o->address = take_place(m);
		o->made = ++m->made;
		o->size = size;
		if (below(m, 2))
			o->born = s->header->current;
		if (o->born < s->header->current)
			owned(s, o->address, size, o->born + 1);
		else
			buffer(s, o->address, size);
		return;
	}
	if (below(m, 4) == 0) {
		death(s, o->address);
		leave_place(m, o->address);
		o->address = o->size = 0;
		return;
	}
	to = below(m, 2) ? o->address : take_place(m);
	resized(s, o->address, to, o->size = size);
	if (to != o->address)
		leave_place(m, o->address);
	o->address = to;
}

static void expect_model(const struct story *s, const struct model *m, unsigned a, unsigned b)
{
	uint64_t fresh = 0, grown = 0, freed = 0;
	char from[8], to[8];

	for (unsigned i = 0; i < OWNERS; i++) {
		const struct owner *o = &m->owners[i];
		bool same = o->at[a] && o->at[b] && o->made_at[a] == o->made_at[b];

		if (same && o->at[b] > o->at[a])
			grown += o->at[b] - o->at[a];
		else if (same)
			freed += o->at[a] - o->at[b];
		else {
			if (o->born_at[b] < a)
				grown += o->at[b];
			else
				fresh += o->at[b];
			freed += o->at[a];
		}
	}
	snprintf(from, sizeof(from), "%u", a);
	snprintf(to, sizeof(to), "%u", b);
	expect_bytes(s, from, to, fresh, grown, freed);
}

static void any_history_of_buffers_gives_what_a_model_says(void **state)
{
	(void)state;
	for (unsigned short seed = 1; seed <= 10; seed++) {
		struct story *s = story_begin(NULL);
		struct model m = {.seed = {seed, 4, 7}};
		struct tm_history history;
		struct tm_reader *reader;

		for (unsigned number = 1; number <= MARKS; number++) {
			for (unsigned i = 0; i < 60; i++)
				do_something(s, &m);
			mark(s, "m");
			for (unsigned i = 0; i < OWNERS; i++) {
				m.owners[i].at[number] = m.owners[i].size;
				m.owners[i].made_at[number] = m.owners[i].made;
				m.owners[i].born_at[number] = m.owners[i].born;
			}
		}
		for (unsigned a = 1; a <= MARKS; a++)
			for (unsigned b = a; b <= MARKS; b++)
				expect_model(s, &m, a, b);
		reader = open_story(s);
		tm_history_make(&history, reader);
		for (unsigned b = 1; b <= MARKS; b++) {
			uint64_t all = 0;

			for (unsigned i = 0; i < OWNERS; i++)
				all += m.owners[i].at[b];
			assert_int_equal(history.bytes[b], all);
		}
		tm_history_free(&history);
		tm_reader_close(reader);
		story_end(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY_TEST(what_an_old_buffer_grew_by_is_growth_at_the_line_that_resized_it),
		STORY_TEST(it_may_stay_where_it_is_and_be_of_any_size),
		cmocka_unit_test(it_may_lie_across_two_chunks),
		STORY_TEST(many_steps_in_many_intervals_are_one_growth),
		STORY_TEST(one_that_dies_later_has_grown_all_the_same),
		STORY_TEST(one_made_after_the_first_point_is_new_however_often_resized),
		STORY_TEST(an_address_used_again_is_not_taken_for_the_past),
		STORY_TEST(when_the_ring_has_turned_it_counts_as_new_and_says_so),
		STORY_TEST(nonsense_ends_and_changes_no_sum),
		STORY_TEST(growth_goes_by_the_type_of_its_owner),
		STORY_TEST(the_newest_step_says_whose_it_is),
		STORY_TEST(
			the_first_memory_of_an_older_owner_is_growth_and_that_of_a_newer_one_is_new),
		STORY_TEST(a_type_chooses_growth_by_its_owner_and_all_of_it_are_buffers),
		STORY_TEST(nonsense_of_owners_ends_and_changes_no_sum),
		cmocka_unit_test(any_history_of_buffers_gives_what_a_model_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

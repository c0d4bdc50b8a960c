/* test_diff.c - who survives from one mark to another, and how they are put together */
#include "view.h"

/* Any place in the heap, and one far from it. */
#define HEAP 0x7f0000100000ull
#define FAR  0x7f1000100000ull

static void what_is_born_between_two_marks_and_stays_is_reported(void **state)
{
	struct story *s = *state;

	mark(s, "before");
	at_line(s, "/srv/app.py", "work", 12);
	birth(s, "app.Session", HEAP, 64);
	birth(s, "app.Session", HEAP + 64, 64);
	mark(s, "after");
	expect_survivors(s, "before", "after", "app.Session", 2, 128);
	expect_survivors(s, "before", "now", "app.Session", 2, 128);
	expect_survivors(s, "start", "before", "app.Session", 0, 0);
}

static void what_was_there_before_and_what_comes_after_is_not(void **state)
{
	struct story *s = *state;

	birth(s, "early", HEAP, 32);
	mark(s, "before");
	mark(s, "after");
	birth(s, "late", HEAP + 32, 32);
	expect_survivors(s, "before", "after", "early", 0, 0);
	expect_survivors(s, "before", "after", "late", 0, 0);
	expect_survivors(s, "start", "after", "early", 1, 32);
	expect_survivors(s, "after", "now", "late", 1, 32);
}

static void what_dies_between_the_marks_is_not(void **state)
{
	struct story *s = *state;
	struct view v;

	mark(s, "before");
	birth(s, "short", HEAP, 32);
	death(s, HEAP);
	mark(s, "after");
	v = view_of(s, "before", "after");
	assert_int_equal(v.groups.count, 0);
	assert_int_equal(v.diff.totals.created, 1);
	assert_int_equal(v.diff.totals.destroyed, 1);
	view_end(&v);
}

static void an_address_used_twice_counts_as_two_objects(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	birth(s, "dict", HEAP, 64);
	mark(s, "b");
	death(s, HEAP);
	birth(s, "list", HEAP, 56);
	mark(s, "c");
	expect_survivors(s, "a", "b", "dict", 1, 64);
	expect_survivors(s, "a", "b", "list", 0, 0);
	expect_survivors(s, "b", "c", "list", 1, 56);
	expect_survivors(s, "a", "c", "dict", 0, 0);
	expect_survivors(s, "a", "c", "list", 1, 56);
}

static void the_same_type_at_the_same_address_is_another_object(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	birth(s, "dict", HEAP, 64);
	mark(s, "b");
	death(s, HEAP);
	birth(s, "dict", HEAP, 64);
	mark(s, "c");
	expect_survivors(s, "a", "b", "dict", 1, 64);
	expect_survivors(s, "a", "c", "dict", 1, 64);
	expect_survivors(s, "b", "c", "dict", 1, 64);
}

static void a_diff_of_the_past_stays_as_it_was(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	birth(s, "dict", HEAP, 64);
	birth(s, "list", HEAP + 64, 56);
	mark(s, "b");
	mark(s, "c");
	death(s, HEAP);
	mark(s, "d");
	death(s, HEAP + 64);
	for (int i = 0; i < 3; i++) {
		expect_survivors(s, "a", "b", "dict", 1, 64);
		expect_survivors(s, "a", "c", "dict", 1, 64);
		expect_survivors(s, "a", "d", "dict", 0, 0);
		expect_survivors(s, "a", "d", "list", 1, 56);
		expect_survivors(s, "a", "now", "list", 0, 0);
		mark(s, "more");
	}
}

static void what_the_marks_own_collection_reclaims_is_trash_and_no_survivor(void **state)
{
	struct story *s = *state;
	struct view v;

	mark(s, "a");
	birth(s, "cycle", HEAP, 64);
	birth(s, "kept", HEAP + 64, 64);
	birth(s, "dropped", HEAP + 128, 64);
	mark(s, "b");
	collection_begins(s);
	death(s, HEAP);
	collection_ends(s);
	death(s, HEAP + 128);
	v = view_of(s, "a", "b");
	expect_group(group_of(&v, "kept"), 1, 64);
	expect_group(group_of(&v, "dropped"), 1, 64);
	assert_null(group_in(&v, &v.groups, "cycle"));
	expect_group(group_in(&v, &v.trash, "cycle"), 1, 64);
	assert_int_equal(v.trash.count, 1);
	assert_int_equal(v.diff.totals.survived_objects, 2);
	assert_int_equal(v.diff.totals.trash_objects, 1);
	view_end(&v);
	expect_survivors(s, "a", "now", "cycle", 0, 0);
}

static void trash_of_a_later_mark_was_alive_at_this_one(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	birth(s, "cycle", HEAP, 64);
	mark(s, "b");
	mark(s, "c");
	collection_begins(s);
	death(s, HEAP);
	collection_ends(s);
	expect_survivors(s, "a", "b", "cycle", 1, 64);
	expect_survivors(s, "a", "c", "cycle", 0, 0);
}

static void what_was_alive_at_from_and_dies_before_to_is_freed(void **state)
{
	struct story *s = *state;
	struct view v;

	for (uint64_t i = 0; i < 5; i++)
		birth(s, "old", HEAP + 64 * i, 48);
	mark(s, "a");
	death(s, HEAP);
	birth(s, "new", HEAP + 1024, 32);
	mark(s, "b");
	death(s, HEAP + 64);
	death(s, HEAP + 1024);
	mark(s, "c");
	death(s, HEAP + 128);
	v = view_of(s, "a", "b");
	assert_int_equal(v.diff.totals.freed_objects, 1);
	assert_int_equal(v.diff.totals.freed_bytes, 48);
	view_end(&v);
	v = view_of(s, "a", "c");
	assert_int_equal(v.diff.totals.freed_objects, 2);
	view_end(&v);
	v = view_of(s, "b", "now");
	assert_int_equal(v.diff.totals.freed_objects, 3);
	view_end(&v);
}

static void births_of_before_the_start_mark_are_baseline(void **state)
{
	struct story *s = *state;
	struct story_options early = {.no_start = true};

	birth(s, "type", HEAP, 32);
	*word_at(s, HEAP) &= ~TM_BIRTH_MASK;
	birth(s, "dict", HEAP + 32, 32);
	mark(s, "a");
	expect_survivors(s, "start", "a", "type", 0, 0);
	expect_survivors(s, "start", "a", "dict", 1, 32);

	s = story_begin(&early);
	birth(s, "type", HEAP, 32);
	*word_at(s, HEAP) &= ~TM_BIRTH_MASK;
	mark(s, "a");
	expect_survivors(s, "start", "a", "type", 1, 32);
	expect_survivors(s, "a", "now", "type", 0, 0);
	story_end(s);
}

static void events_are_counted_from_point_to_point(void **state)
{
	struct story *s = *state;
	struct view v;

	for (uint64_t i = 0; i < 7; i++)
		birth(s, "x", HEAP + 64 * i, 48);
	mark(s, "a");
	for (uint64_t i = 0; i < 4; i++)
		death(s, HEAP + 64 * i);
	birth(s, "x", HEAP, 48);
	mark(s, "b");
	birth(s, "x", HEAP + 64, 48);
	v = view_of(s, "a", "b");
	assert_int_equal(v.diff.totals.created, 1);
	assert_int_equal(v.diff.totals.destroyed, 4);
	view_end(&v);
	v = view_of(s, "start", "now");
	assert_int_equal(v.diff.totals.created, 9);
	assert_int_equal(v.diff.totals.destroyed, 4);
	view_end(&v);
}

static void garbage_is_the_growth_of_the_marks_counters(void **state)
{
	struct story *s = *state;
	struct view v;

	mark(s, "a");
	mark_record(s, 1)->garbage = 3;
	mark(s, "b");
	mark_record(s, 2)->garbage = 10;
	v = view_of(s, "a", "now");
	assert_int_equal(v.diff.totals.garbage, 7);
	view_end(&v);
	v = view_of(s, "b", "b");
	assert_int_equal(v.diff.totals.garbage, 0);
	view_end(&v);
}

/* ---- sizes ---- */

static void the_size_is_that_of_the_block_whatever_its_shape(void **state)
{
	struct story *s = *state;
	uint64_t object;

	mark(s, "a");
	birth(s, "one.granule", HEAP, 16);
	birth(s, "tail", HEAP + 0x100, 123456);
	object = birth_behind_head(s, "head16", HEAP + 0x200, 16, 72);
	assert_int_equal(object, HEAP + 0x210);
	birth_behind_head(s, "head32", HEAP + 0x300, 32, 88);
	birth_outside(s, "outside", HEAP + 0x400, 400);
	birth_outside(s, "nothing.known", HEAP + 0x500, 0);
	buffer(s, HEAP + 0x600, 1000);
	buffer(s, HEAP + 0x700, 3 << 20);
	mark(s, "b");
	expect_survivors(s, "a", "b", "one.granule", 1, 16);
	expect_survivors(s, "a", "b", "tail", 1, 123456);
	expect_survivors(s, "a", "b", "head16", 1, 72);
	expect_survivors(s, "a", "b", "head32", 1, 88);
	expect_survivors(s, "a", "b", "outside", 1, 400);
	expect_survivors(s, "a", "b", "nothing.known", 1, 16);
	expect_survivors(s, "a", "b", "(buffer)", 2, 1000 + (3 << 20));
}

static void sizes_are_the_same_from_the_record_of_a_death(void **state)
{
	struct story *s = *state;
	uint64_t object;

	mark(s, "a");
	birth(s, "tail", HEAP + 0x100, 123456);
	object = birth_behind_head(s, "head32", HEAP + 0x300, 32, 88);
	birth_outside(s, "outside", HEAP + 0x400, 400);
	buffer(s, HEAP + 0x600, 1000);
	buffer(s, HEAP + 0x700, 3 << 20);
	mark(s, "b");
	death(s, HEAP + 0x100);
	death(s, object);
	death(s, HEAP + 0x400);
	death(s, HEAP + 0x600);
	death(s, HEAP + 0x700);
	expect_survivors(s, "a", "b", "tail", 1, 123456);
	expect_survivors(s, "a", "b", "head32", 1, 88);
	expect_survivors(s, "a", "b", "outside", 1, 400);
	expect_survivors(s, "a", "b", "(buffer)", 2, 1000 + (3 << 20));
}

static void a_block_on_a_free_list_is_no_object_and_lends_its_size_to_none(void **state)
{
	struct story *s = *state;
	uint64_t object;

	mark(s, "a");
	object = birth_behind_head(s, "gone", HEAP, 16, 32);
	death_to_free_list(s, object);
	birth_outside(s, "neighbour", HEAP + 32, 24);
	birth(s, "gone", HEAP + 0x100, 32);
	death_to_free_list(s, HEAP + 0x100);
	mark(s, "b");
	expect_survivors(s, "a", "b", "gone", 0, 0);
	expect_survivors(s, "a", "b", "neighbour", 1, 24);
}

static void an_object_uses_up_the_head_before_it_even_if_it_is_old(void **state)
{
	struct story *s = *state;

	birth_behind_head(s, "old", HEAP, 16, 64);
	mark(s, "a");
	birth_outside(s, "new", HEAP + 32, 24);
	mark(s, "b");
	expect_survivors(s, "a", "b", "new", 1, 24);
}

static void a_block_may_straddle_two_chunks(void **state)
{
	struct story *s = *state;
	uint64_t seam = HEAP + TM_CHUNK_HEAP;

	mark(s, "a");
	birth(s, "first", seam, 48); /* so that the later chunk comes first in the file */
	birth(s, "elsewhere", FAR, 32);
	birth(s, "tail", seam - 16, 5000);
	*word_at(s, seam) = tm_size_word(TM_SIZE_TAIL, 5000);
	birth(s, "after", seam + 64, 32);
	mark(s, "b");
	expect_survivors(s, "a", "b", "tail", 1, 5000);
	expect_survivors(s, "a", "b", "after", 1, 32);
}

static void a_head_may_be_in_the_chunk_before_its_object(void **state)
{
	struct story *s = *state;
	uint64_t seam = HEAP + TM_CHUNK_HEAP;

	mark(s, "a");
	birth_behind_head(s, "head16", seam - 16, 16, 72);
	birth_behind_head(s, "head32", seam + TM_CHUNK_HEAP - 16, 32, 88);
	mark(s, "b");
	expect_survivors(s, "a", "b", "head16", 1, 72);
	expect_survivors(s, "a", "b", "head32", 1, 88);
}

static void chunks_that_do_not_touch_share_nothing(void **state)
{
	struct story *s = *state;
	uint64_t end = HEAP + TM_CHUNK_HEAP;

	mark(s, "a");
	birth_outside(s, "last", end - 16, 24);
	*word_at(s, FAR) = tm_size_word(TM_SIZE_TAIL, 9999);
	*word_at(s, end - 32) = tm_size_word(TM_SIZE_HEAD, 16);
	birth_outside(s, "other", FAR + 0x100, 24);
	mark(s, "b");
	expect_survivors(s, "a", "b", "last", 1, 24);
	expect_survivors(s, "a", "b", "other", 1, 24);
}

/* ---- kinds ---- */

static void an_unresolved_block_is_a_buffer_where_the_tracer_names_objects(void **state)
{
	struct story *s = *state;
	struct story_options allocator = {.family = TM_FAMILY_ALLOCATOR};
	struct view v;

	mark(s, "a");
	pending(s, HEAP, 100);
	v = view_of(s, "a", "now");
	assert_int_equal(group_of(&v, "(buffer)")->kind, TM_BUFFER);
	assert_int_equal(v.diff.totals.survived_objects, 0);
	assert_int_equal(v.diff.totals.survived_bytes, 100);
	view_end(&v);

	s = story_begin(&allocator);
	mark(s, "a");
	pending(s, HEAP, 100);
	buffer(s, HEAP + 0x100, 10);
	v = view_of(s, "a", "now");
	expect_group(group_of(&v, "(pending)"), 1, 100);
	expect_group(group_of(&v, "(buffer)"), 1, 10);
	assert_int_equal(v.diff.totals.survived_objects, 1);
	assert_int_equal(v.diff.totals.pending, 1);
	view_end(&v);
	story_end(s);
}

static void the_watched_bit_changes_nothing(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	birth(s, "type", HEAP, 1000);
	*word_at(s, HEAP) |= TM_WATCHED;
	birth(s, "type", HEAP + 1024, 1000);
	expect_survivors(s, "a", "now", "type", 2, 2000);
	mark(s, "b");
	death(s, HEAP);
	expect_survivors(s, "a", "b", "type", 2, 2000);
}

/* ---- groups ---- */

static void groups_are_ranked_by_intervals_with_survivors_then_by_bytes(void **state)
{
	struct story *s = *state;
	static const char *const order[] = {"leak", "cache", "batch", "small"};
	struct view v;

	mark(s, "1");
	for (uint64_t i = 0; i < 4; i++) {
		birth(s, "leak", HEAP + 0x1000 * i, 32);
		if (i < 2)
			birth(s, "cache", HEAP + 0x1000 * i + 0x100, 64);
		if (i == 2)
			birth(s, "batch", HEAP + 0x1000 * i + 0x200, 100000);
		if (i == 3)
			birth(s, "small", HEAP + 0x1000 * i + 0x200, 16);
		mark(s, "");
	}
	v = view_of(s, "1", "now");
	assert_int_equal(v.groups.count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_true(text_is(&v, v.groups.items[i].type, order[i]));
	assert_int_equal(v.groups.items[0].generations, 4);
	assert_int_equal(v.groups.items[1].generations, 2);
	assert_int_equal(v.diff.intervals, 5);
	view_end(&v);
}

static void a_group_knows_its_survivors_of_each_interval(void **state)
{
	struct story *s = *state;
	const struct tm_group *group;
	struct view v;

	mark(s, "1");
	birth(s, "x", HEAP, 32);
	birth(s, "x", HEAP + 32, 32);
	mark(s, "2");
	mark(s, "3");
	birth(s, "x", HEAP + 64, 32);
	v = view_of(s, "1", "now");
	group = group_of(&v, "x");
	assert_int_equal(group->generations, 2);
	assert_int_equal(group->intervals[0].interval, 1);
	assert_int_equal(group->intervals[0].objects, 2);
	assert_int_equal(group->intervals[1].interval, 3);
	assert_int_equal(group->intervals[1].objects, 1);
	assert_int_equal(group->id_count, 3);
	assert_int_equal(group->ids[0], HEAP);
	assert_int_equal(group->ids[1], HEAP + 32);
	assert_int_equal(group->ids[2], HEAP + 64);
	view_end(&v);
}

static void at_most_ten_ids_are_kept_the_oldest(void **state)
{
	struct story *s = *state;
	const struct tm_group *group;
	struct view v;

	mark(s, "1");
	for (uint64_t i = 0; i < 6; i++)
		birth(s, "x", HEAP + 0x10000 - 32 * i, 32);
	mark(s, "2");
	for (uint64_t i = 0; i < 20; i++)
		birth(s, "x", HEAP + 32 * i, 32);
	v = view_of(s, "1", "now");
	group = group_of(&v, "x");
	expect_group(group, 26, 26 * 32);
	assert_int_equal(group->id_count, 10);
	assert_int_equal(group->ids[5], HEAP + 0x10000);
	assert_int_equal(group->ids[6], HEAP);
	view_end(&v);
}

static void tell_two_files(struct story *s)
{
	uint32_t main_line = site_called(s, 0, "/srv/main.py", "main", 3);
	uint32_t other_line = site_called(s, 0, "/srv/main.py", "main", 4);

	mark(s, "1");
	s->site = site_called(s, main_line, "/srv/app/__init__.py", "make", 10);
	birth(s, "app.A", HEAP, 32);
	birth(s, "app.B", HEAP + 0x100, 64);
	s->site = site_called(s, other_line, "/srv/app/__init__.py", "make", 10);
	birth(s, "app.A", HEAP + 0x200, 32);
	birth(s, "app.A", HEAP + 0x300, 32);
	s->site = site_called(s, main_line, "/srv/app/views.py", "view", 20);
	birth(s, "app.A", HEAP + 0x400, 32);
	s->site = 0;
	birth(s, "app.A", HEAP + 0x500, 32);
}

static size_t groups_by(struct story *s, enum tm_group_by by)
{
	static const struct tm_filter all;
	struct view v = view_filtered(s, "1", "now", by, &all);
	size_t count = v.groups.count;

	view_end(&v);
	return count;
}

static void survivors_can_be_grouped_by_what_they_share(void **state)
{
	struct story *s = *state;

	tell_two_files(s);
	assert_int_equal(groups_by(s, TM_BY_TYPE_AND_SITE), 4);
	assert_int_equal(groups_by(s, TM_BY_TYPE), 2);
	assert_int_equal(groups_by(s, TM_BY_SITE), 3);
	assert_int_equal(groups_by(s, TM_BY_FILE), 3);
	assert_int_equal(groups_by(s, TM_BY_MODULE), 3);
	assert_int_equal(groups_by(s, TM_BY_STACK), 5);
}

static void a_group_shows_the_stack_most_of_it_has(void **state)
{
	struct story *s = *state;
	struct tm_place place;
	struct view v;

	tell_two_files(s);
	v = view_of(s, "1", "now");
	for (size_t i = 0; i < v.groups.count; i++) {
		const struct tm_group *group = &v.groups.items[i];

		if (group->objects != 3)
			continue;
		assert_true(tm_model_place(v.model, group->site, &place));
		assert_true(text_is(&v, place.file, "/srv/app/__init__.py"));
		assert_true(text_is(&v, place.function, "make"));
		assert_int_equal(place.line, 10);
		assert_true(tm_model_place(v.model, tm_model_caller(v.model, group->site), &place));
		assert_int_equal(place.line, 4);
		view_end(&v);
		return;
	}
	fail_msg("no group of three");
}

static void a_module_is_the_stem_of_its_file(void **state)
{
	struct story *s = *state;
	static const struct {
		const char *file, *module;
	} cases[] = {
		{"/srv/app/views.py", "views"},
		{"/srv/app/__init__.py", "app"},
		{"views.py", "views"},
		{"app/__init__.py", "app"},
		{"__init__.py", "__init__"},
		{"<string>", "<string>"},
		{"/usr/bin/tool", "tool"},
		{"", ""},
		{".py", ".py"},
	};
	struct tm_place place;
	struct view v;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		site_called(s, 0, cases[i].file, "f", 1);
	v = view_of(s, "start", "now");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(tm_model_place(v.model, (uint32_t)i + 1, &place));
		if (!text_is(&v, tm_model_module(v.model, place.file), cases[i].module))
			fail_msg("the module of %s is not %s", cases[i].file, cases[i].module);
	}
	view_end(&v);
}

static void names_are_compared_not_indices(void **state)
{
	struct story *s = *state;
	struct view v;

	mark(s, "1");
	at_line(s, "/srv/app.py", "f", 7);
	birth_outside(s, "app.A", HEAP, 40);
	at_line(s, "/srv/app.py", "f", 7); /* the module loaded again: another code object */
	birth_outside(s, "app.A", HEAP + 0x100, 48); /* the class made again, larger */
	v = view_of(s, "1", "now");
	assert_int_equal(v.groups.count, 1);
	expect_group(&v.groups.items[0], 2, 88);
	view_end(&v);
}

static uint64_t filtered(struct story *s, const char *type, const char *file)
{
	struct tm_filter filter = {type, file};
	struct view v = view_filtered(s, "1", "now", TM_BY_TYPE_AND_SITE, &filter);
	uint64_t objects = 0;

	for (size_t i = 0; i < v.groups.count; i++)
		objects += v.groups.items[i].objects;
	view_end(&v);
	return objects;
}

static void survivors_can_be_chosen_by_type_and_file(void **state)
{
	struct story *s = *state;

	tell_two_files(s);
	birth(s, "builtins.dict", HEAP + 0x600, 64);
	assert_int_equal(filtered(s, NULL, NULL), 7);
	assert_int_equal(filtered(s, "app.*", NULL), 6);
	assert_int_equal(filtered(s, "app.B", NULL), 1);
	assert_int_equal(filtered(s, "dict", NULL), 1);
	assert_int_equal(filtered(s, "builtins.dict", NULL), 1);
	assert_int_equal(filtered(s, "A", NULL), 0);
	assert_int_equal(filtered(s, NULL, "*/app/*"), 5);
	assert_int_equal(filtered(s, NULL, "views.py"), 1);
	assert_int_equal(filtered(s, "app.B", "views.py"), 0);
	assert_int_equal(filtered(s, "app.A", "__init__.py"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY_TEST(what_is_born_between_two_marks_and_stays_is_reported),
		STORY_TEST(what_was_there_before_and_what_comes_after_is_not),
		STORY_TEST(what_dies_between_the_marks_is_not),
		STORY_TEST(an_address_used_twice_counts_as_two_objects),
		STORY_TEST(the_same_type_at_the_same_address_is_another_object),
		STORY_TEST(a_diff_of_the_past_stays_as_it_was),
		STORY_TEST(what_the_marks_own_collection_reclaims_is_trash_and_no_survivor),
		STORY_TEST(trash_of_a_later_mark_was_alive_at_this_one),
		STORY_TEST(what_was_alive_at_from_and_dies_before_to_is_freed),
		STORY_TEST(births_of_before_the_start_mark_are_baseline),
		STORY_TEST(events_are_counted_from_point_to_point),
		STORY_TEST(garbage_is_the_growth_of_the_marks_counters),
		STORY_TEST(the_size_is_that_of_the_block_whatever_its_shape),
		STORY_TEST(sizes_are_the_same_from_the_record_of_a_death),
		STORY_TEST(a_block_on_a_free_list_is_no_object_and_lends_its_size_to_none),
		STORY_TEST(an_object_uses_up_the_head_before_it_even_if_it_is_old),
		STORY_TEST(a_block_may_straddle_two_chunks),
		STORY_TEST(a_head_may_be_in_the_chunk_before_its_object),
		STORY_TEST(chunks_that_do_not_touch_share_nothing),
		STORY_TEST(an_unresolved_block_is_a_buffer_where_the_tracer_names_objects),
		STORY_TEST(the_watched_bit_changes_nothing),
		STORY_TEST(groups_are_ranked_by_intervals_with_survivors_then_by_bytes),
		STORY_TEST(a_group_knows_its_survivors_of_each_interval),
		STORY_TEST(at_most_ten_ids_are_kept_the_oldest),
		STORY_TEST(survivors_can_be_grouped_by_what_they_share),
		STORY_TEST(a_group_shows_the_stack_most_of_it_has),
		STORY_TEST(a_module_is_the_stem_of_its_file),
		STORY_TEST(names_are_compared_not_indices),
		STORY_TEST(survivors_can_be_chosen_by_type_and_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

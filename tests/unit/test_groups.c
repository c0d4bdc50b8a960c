/* test_groups.c - how survivors are put together, ranked and chosen */
#include "view.h"

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

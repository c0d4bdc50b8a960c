/* test_health.c - what a recording does not hold is said: in notes, and as data */
#include "view.h"

#include "health.h"

static json_t *member(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	if (!value)
		fail_msg("no member %s", key);
	return value;
}

/* The entry of a blind spot; NULL = it is not blind to that. */
static const json_t *spot(const json_t *health, const char *name)
{
	const json_t *list = member(health, "blind");
	json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		if (strcmp(json_string_value(member(entry, "name")), name) == 0)
			return entry;
	}
	return NULL;
}

static json_t *health_of(const struct story *s)
{
	struct tm_reader *reader = open_story(s);
	json_t *health = tm_health_json(reader);

	tm_reader_close(reader);
	return health;
}

static bool notes_say(const struct story *s, const char *part)
{
	struct view v = view_of(s, "start", "now");
	bool found = noted(&v, part);

	view_end(&v);
	return found;
}

static bool is_complete(const struct story *s)
{
	struct view v = view_of(s, "start", "now");
	bool complete = !v.notes.incomplete;

	view_end(&v);
	return complete;
}

static void a_good_recording_hides_what_its_interpreter_recycles_and_no_more(void **state)
{
	struct story *s = *state;
	json_t *health = health_of(s);
	json_t *losses = member(health, "losses"), *count;
	const char *name;

	assert_string_equal(json_string_value(member(health, "family")), "tracer");
	assert_int_equal(json_object_size(losses), TM_L_COUNT);
	json_object_foreach(losses, name, count) assert_int_equal(json_integer_value(count), 0);
	assert_int_equal(json_integer_value(member(health, "disagreements")), 0);
	assert_true(json_is_null(member(health, "tracer_gap")));
	assert_int_equal(json_array_size(member(health, "blind")), 1);
	assert_non_null(spot(health, "buffers"));
	assert_true(notes_say(s, "16 blocks for each deque"));
	assert_false(notes_say(s, "disagreement"));
	assert_true(is_complete(s));
	json_decref(health);
}

static void every_loss_is_told_by_its_name(void **state)
{
	struct story *s = *state;
	json_t *health;

	for (unsigned i = 0; i < TM_L_COUNT; i++)
		s->header->losses[i] = 100 + i;
	health = health_of(s);
	for (unsigned i = 0; i < TM_L_COUNT; i++)
		assert_int_equal(json_integer_value(
					 member(member(health, "losses"), tm_health_loss_name(i))),
				 100 + i);
	assert_null(tm_health_loss_name(TM_L_COUNT));
	json_decref(health);
}

static void every_blind_bit_is_told_with_a_meaning_and_a_bound(void **state)
{
	struct story *s = *state;

	for (uint32_t bit = 1; bit <= TM_B_INTERPRETERS; bit <<= 1) {
		json_t *health, *entry;

		s->header->blind = bit;
		health = health_of(s);
		assert_int_equal(json_array_size(member(health, "blind")), 2);
		entry = json_array_get(member(health, "blind"), 0);
		assert_true(json_string_length(member(entry, "meaning")) > 20);
		assert_true(json_string_length(member(entry, "bound")) > 0);
		assert_int_equal(
			notes_say(s, json_string_value(member(entry, "bound"))),
			bit != TM_B_SPACE); /* that is said with its time, when it has one */
		json_decref(health);
	}
}

static void expect_spot(struct story *s, uint32_t family, uint32_t version, const char *name,
			bool there)
{
	json_t *health;

	s->header->family = family;
	s->header->python_hex = version;
	health = health_of(s);
	if ((spot(health, name) != NULL) != there)
		fail_msg("%s on %x: %s", name, version, there ? "not told" : "told");
	json_decref(health);
}

static void what_an_interpreter_hides_depends_on_its_version(void **state)
{
	struct story *s = *state;
	const uint32_t tracer = TM_FAMILY_TRACER, allocator = TM_FAMILY_ALLOCATOR;

	expect_spot(s, allocator, 0x030812f0, "extension_free_lists", true);
	expect_spot(s, tracer, 0x030d05f0, "extension_free_lists", false);
	expect_spot(s, tracer, 0x030d05f0, "trashcan", false);
	expect_spot(s, tracer, 0x030e00f0, "trashcan", true);
	expect_spot(s, tracer, 0x030e07f0, "trashcan", true);
	expect_spot(s, tracer, 0x030e08f0, "trashcan", false);
	expect_spot(s, tracer, 0x030f00c1, "trashcan", true);
	expect_spot(s, tracer, 0x030f01f0, "trashcan", false);
	expect_spot(s, allocator, 0x030812f0, "buffers", true);
}

static void disagreements_are_summed_and_said(void **state)
{
	struct story *s = *state;
	json_t *health;

	s->header->losses[TM_L_DEATH_UNKNOWN] = 1;
	s->header->losses[TM_L_FREED_LIVE] = 1200;
	assert_true(notes_say(s, "built on a recording with 1,201 disagreements: 1 death of an "
				 "object not known, 1,200 blocks freed with objects believed"));
	assert_true(is_complete(s));
	s->header->losses[TM_L_BIRTH_OVER] = UINT64_MAX;
	health = health_of(s);
	assert_true(json_integer_value(member(health, "disagreements")) == INT64_MAX);
	json_decref(health);
}

static void a_gap_of_the_tracer_is_told_with_its_times(void **state)
{
	struct story *s = *state;
	json_t *health, *gap;

	s->header->losses[TM_L_TRACER] = 2;
	s->header->tracer_lost_ns = 1700000000500000000u;
	assert_true(notes_say(s, "since then are missing"));
	assert_false(is_complete(s));
	health = health_of(s);
	gap = member(health, "tracer_gap");
	assert_true(json_is_null(member(gap, "to")));
	json_decref(health);
	s->header->tracer_back_ns = 1700000009500000000u;
	assert_true(notes_say(s, "of that time may be missing"));
	health = health_of(s);
	gap = member(health, "tracer_gap");
	assert_true(json_real_value(member(gap, "from")) == 1700000000.5);
	assert_true(json_real_value(member(gap, "to")) == 1700000009.5);
	assert_int_equal(json_integer_value(member(gap, "times")), 2);
	json_decref(health);
}

static void a_heap_that_was_not_counted_is_told_for_marks_and_not_for_now(void **state)
{
	struct story *s = *state;
	struct view v;

	mark(s, "a");
	mark(s, "b");
	v = view_of(s, "a", "b");
	assert_false(noted(&v, "malloc()"));
	view_end(&v);
	figures_at(s, 2, &(struct tm_figures){.rss = 1 << 24, .heap_ns = 4200000});
	v = view_of(s, "a", "b");
	assert_true(noted(&v, "mark 2 does not know what malloc() has handed out and keeps free: "
			      "counting it could have taken 4.20 ms, too long without"));
	assert_false(v.notes.incomplete);
	view_end(&v);
	v = view_of(s, "b", "now");
	assert_false(noted(&v, "malloc()"));
	view_end(&v);
}

static void seen_to_recycle(struct story *s, const char *name, uint64_t basic_size, uint64_t times)
{
	struct tm_type *types = story_table(s, TM_R_TYPES);

	types[type_named(s, name, basic_size)].recycled = times;
}

static void types_that_recycle_are_named_the_most_often_seen_first(void **state)
{
	struct story *s = *state;
	json_t *health = health_of(s), *list;

	type_named(s, "app.Plain", 48);
	assert_int_equal(json_array_size(member(health, "recycled")), 0);
	assert_false(notes_say(s, "recycle the memory of"));
	json_decref(health);
	seen_to_recycle(s, "app.Rare", 48, 1);
	seen_to_recycle(s, "app.Session", 48, 20);
	seen_to_recycle(s, "app.Session", 64, 22); /* the class, made again */
	health = health_of(s);
	list = member(health, "recycled");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_string_value(member(json_array_get(list, 0), "type")),
			    "app.Session");
	assert_int_equal(json_integer_value(member(json_array_get(list, 0), "times")), 42);
	assert_true(notes_say(s, "recycle the memory of app.Session (42), app.Rare (1) (times"));
	assert_true(is_complete(s));
	json_decref(health);
	for (unsigned i = 0; i < 7; i++) {
		char name[16];

		snprintf(name, sizeof(name), "many.T%u", i);
		seen_to_recycle(s, name, 48, 10);
	}
	assert_true(notes_say(s, "(10), many.T3 (10) and 4 more (times"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY_TEST(a_good_recording_hides_what_its_interpreter_recycles_and_no_more),
		STORY_TEST(every_loss_is_told_by_its_name),
		STORY_TEST(every_blind_bit_is_told_with_a_meaning_and_a_bound),
		STORY_TEST(what_an_interpreter_hides_depends_on_its_version),
		STORY_TEST(types_that_recycle_are_named_the_most_often_seen_first),
		STORY_TEST(disagreements_are_summed_and_said),
		STORY_TEST(a_gap_of_the_tracer_is_told_with_its_times),
		STORY_TEST(a_heap_that_was_not_counted_is_told_for_marks_and_not_for_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

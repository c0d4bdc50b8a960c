/* test_reach.c - whether an object is still the same one, and how lists of them are read */
#include "view.h"

#include "error.h"
#include "reach.h"
#include "report.h"

/* The point a list was made for. */
#define AT_MARK(n)	  "{\"mark\":" #n ",\"name\":\"\",\"time\":1.5}"
#define AT_NOW(m)	  AT_NOW_TIME(m, 1.5)
#define AT_NOW_TIME(m, t) "{\"mark\":null,\"name\":\"now\",\"time\":" #t ",\"after_mark\":" #m "}"

#define NO_SITE "\"bytes\":64,\"site\":null"

struct reach {
	struct tm_reader *reader;
	struct tm_model *model;
	struct tm_reach_list list;
	struct tm_scan_facts facts;
};

static int read_text(struct tm_reach_list *list, const char *text)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	int status;

	assert_non_null(in);
	status = tm_reach_list_read(list, in);
	fclose(in);
	return status;
}

/* An entry for `ids`. */
static char *entry(uint64_t address, const char *type, int born, const char *more)
{
	char *text = NULL;

	if (asprintf(&text, "{\"id\":\"0x%" PRIx64 "\",\"type\":\"%s\",\"born\":%d%s%s}", address,
		     type, born, *more ? "," : "", more) < 0)
		fail();
	return text;
}

/* Takes over the entry. */
static void read_list(struct tm_reach_list *list, const struct tm_reader *reader, const char *to,
		      char *one)
{
	char id[TM_REPORT_ID];
	char *text = NULL;

	if (asprintf(&text, "{\"tidemark\":1,\"recording_id\":\"%s\",\"to\":%s,\"ids\":[%s]}",
		     tm_report_recording_id(reader, id), to, one) < 0)
		fail();
	assert_int_equal(read_text(list, text), TM_EXIT_OK);
	assert_int_equal(tm_reach_list_check(list, reader), TM_EXIT_OK);
	free(text);
	free(one);
}

static void answer(struct reach *r, const char *from, const char *to, bool still)
{
	struct tm_span span;

	assert_int_equal(tm_points_choose(r->reader, false, from, to, &span), TM_EXIT_OK);
	tm_reach_find(&r->list, r->reader, &span, &r->facts);
	r->model = tm_model_new(r->reader);
	tm_reach_judge(&r->list, r->model, &span, &r->facts, still);
}

static void reach_end(struct reach *r)
{
	tm_model_free(r->model);
	tm_reach_list_free(&r->list);
	tm_reader_close(r->reader);
}

static void expect_answer(const struct tm_reach_id *id, const char *state, bool certain)
{
	if (strcmp(tm_reach_state_name(id->state), state) != 0 || id->certain != certain)
		fail_msg("0x%" PRIx64 " is %s%s, expected %s%s", id->address,
			 tm_reach_state_name(id->state), id->certain ? "" : ", not certain", state,
			 certain ? "" : ", not certain");
}

/* One listed object, looked for at `at`.  Takes over the entry. */
static void expect_listed(const struct story *s, const char *list_to, char *one, const char *at,
			  const char *state, bool certain)
{
	struct reach r = {.reader = open_story(s)};

	read_list(&r.list, r.reader, list_to, one);
	answer(&r, "start", at, false);
	assert_int_equal(r.list.count, 1);
	expect_answer(&r.list.ids[0], state, certain);
	reach_end(&r);
}

static void expect_bare(const struct story *s, uint64_t address, const char *from, const char *at,
			const char *state)
{
	struct reach r = {.reader = open_story(s)};
	char text[32];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	assert_int_equal(tm_reach_list_add(&r.list, text), TM_EXIT_OK);
	answer(&r, from, at, false);
	expect_answer(&r.list.ids[0], state, true);
	reach_end(&r);
}

/* ---- who is who ---- */

static void what_lives_on_is_the_same(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	birth(s, "dict", HEAP, 64);
	mark(s, "b");
	expect_listed(s, AT_MARK(2), entry(HEAP, "dict", 1, ""), "now", "same", true);
	mark(s, "c");
	expect_listed(s, AT_MARK(2), entry(HEAP, "dict", 1, ""), "c", "same", true);
	expect_listed(s, AT_MARK(2), entry(HEAP, "dict", 1, ""), "now", "same", true);
	expect_listed(s, AT_NOW(2), entry(HEAP, "dict", 1, ""), "now", "same", true);
}

static void what_died_is_gone_and_stays_so(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	birth(s, "dict", HEAP, 64);
	mark(s, "b");
	death(s, HEAP);
	mark(s, "c");
	expect_listed(s, AT_MARK(2), entry(HEAP, "dict", 1, ""), "b", "same", true);
	expect_listed(s, AT_MARK(2), entry(HEAP, "dict", 1, ""), "c", "gone", true);
	expect_listed(s, AT_MARK(2), entry(HEAP, "dict", 1, ""), "now", "gone", true);
	expect_listed(s, AT_MARK(2), entry(HEAP, "dict", 1, ""), "a", "gone", true);
}

static void the_same_type_at_the_same_address_is_another_one(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	birth(s, "dict", HEAP, 64);
	mark(s, "b");
	death(s, HEAP);
	birth(s, "dict", HEAP, 64);
	mark(s, "c");
	death(s, HEAP);
	birth(s, "dict", HEAP, 64);
	for (int i = 0; i < 2; i++) {
		expect_listed(s, AT_MARK(2), entry(HEAP, "dict", 1, ""), "b", "same", true);
		expect_listed(s, AT_MARK(2), entry(HEAP, "dict", 1, ""), "c", "reused", true);
		expect_listed(s, AT_MARK(2), entry(HEAP, "dict", 1, ""), "now", "reused", true);
		expect_listed(s, AT_MARK(3), entry(HEAP, "dict", 2, ""), "b", "reused", true);
		expect_listed(s, AT_MARK(3), entry(HEAP, "dict", 2, ""), "c", "same", true);
		expect_listed(s, AT_MARK(3), entry(HEAP, "dict", 2, ""), "now", "reused", true);
		mark(s, "more");
	}
}

static void born_in_one_interval_a_list_for_a_mark_tells_them_apart(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	birth(s, "dict", HEAP, 64);
	death(s, HEAP);
	birth(s, "dict", HEAP, 64); /* this one is alive at b */
	mark(s, "b");
	expect_listed(s, AT_MARK(2), entry(HEAP, "dict", 1, ""), "now", "same", true);
}

static void a_list_for_now_leaves_a_doubt_about_the_young(void **state)
{
	struct story *s = *state;

	birth(s, "old", HEAP + 64, 64);
	mark(s, "a");
	birth(s, "dict", HEAP, 64);
	/* here a list is made, or is it after this: */
	death(s, HEAP);
	birth(s, "dict", HEAP, 64);
	expect_listed(s, AT_NOW(1), entry(HEAP, "dict", 1, NO_SITE), "now", "same", false);
	expect_listed(s, AT_NOW(1), entry(HEAP + 64, "old", 0, NO_SITE), "now", "same", true);
	mark(s, "b");
	expect_listed(s, AT_NOW(1), entry(HEAP, "dict", 1, NO_SITE), "b", "same", false);
	expect_listed(s, AT_NOW(1), entry(HEAP, "dict", 1, NO_SITE), "now", "same", false);
	/* another size, another line: another object */
	expect_listed(s, AT_NOW(1), entry(HEAP, "dict", 1, "\"bytes\":65,\"site\":null"), "now",
		      "reused", true);
	expect_listed(s, AT_NOW(1), entry(HEAP, "dict", 1, "\"site\":{\"file\":\"a.py\"}"), "now",
		      "reused", true);
	/* of a later list for now the older ones are certain */
	expect_listed(s, AT_NOW(2), entry(HEAP, "dict", 1, NO_SITE), "now", "same", true);
}

/* A file saved before the list was made. */
static void an_older_copy_is_in_doubt_about_its_last_interval(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	birth(s, "dict", HEAP, 64);
	expect_listed(s, AT_MARK(3), entry(HEAP, "dict", 1, NO_SITE), "now", "same", false);
	expect_listed(s, AT_NOW(3), entry(HEAP, "dict", 1, NO_SITE), "now", "same", false);
	expect_listed(s, AT_MARK(3), entry(HEAP, "dict", 2, NO_SITE), "now", "reused", true);
	expect_listed(s, AT_MARK(3), entry(HEAP + 64, "dict", 2, NO_SITE), "now", "gone", true);
}

static void two_looks_at_the_same_moment_are_certain(void **state)
{
	struct story *s = *state;
	struct reach r;

	mark(s, "a");
	birth(s, "dict", HEAP, 64);
	s->header->saved_ns = 1700000000123456789u;
	for (int still = 0; still < 2; still++) {
		r = (struct reach){.reader = open_story(s)};
		read_list(&r.list, r.reader, AT_NOW_TIME(1, 1700000000.123457),
			  entry(HEAP, "dict", 1, NO_SITE));
		answer(&r, "start", "now", still);
		expect_answer(&r.list.ids[0], "same", still);
		reach_end(&r);
	}
}

static void another_type_is_another_object(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	birth(s, "dict", HEAP, 64);
	mark(s, "b");
	expect_listed(s, AT_MARK(2), entry(HEAP, "list", 1, ""), "now", "reused", true);
}

static void a_type_not_resolved_then_or_now_contradicts_nothing(void **state)
{
	struct story *s = story_begin(&(struct story_options){.family = TM_FAMILY_ALLOCATOR});

	(void)state;
	mark(s, "a");
	birth(s, "dict", HEAP, 64);
	pending(s, HEAP + 64, 64);
	mark(s, "b");
	expect_listed(s, AT_MARK(2), entry(HEAP, "(pending)", 1, ""), "now", "same", true);
	expect_listed(s, AT_MARK(2), entry(HEAP + 64, "list", 1, ""), "now", "same", true);
	expect_listed(s, AT_MARK(2), entry(HEAP + 64, "list", 0, ""), "now", "reused", true);
	story_end(s);
}

static void what_the_marks_own_collection_took_is_gone_at_the_mark(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	birth(s, "cycle", HEAP, 64);
	mark(s, "b");
	mark(s, "c");
	mark_reclaims(s, HEAP);
	expect_listed(s, AT_MARK(2), entry(HEAP, "cycle", 1, ""), "b", "same", true);
	expect_listed(s, AT_MARK(2), entry(HEAP, "cycle", 1, ""), "c", "gone", true);
}

static void a_bare_id_is_of_the_mark_it_is_said_to_be_from(void **state)
{
	struct story *s = *state;

	birth(s, "dict", HEAP, 64);
	mark(s, "a");
	death(s, HEAP);
	birth(s, "dict", HEAP, 64);
	mark(s, "b");
	expect_bare(s, HEAP, "a", "a", "same");
	expect_bare(s, HEAP, "a", "b", "reused");
	expect_bare(s, HEAP, "a", "now", "reused");
	expect_bare(s, HEAP, "b", "b", "same");
	expect_bare(s, HEAP, "b", "now", "same");
	expect_bare(s, HEAP + 16, "a", "now", "gone");
	expect_bare(s, 0, "a", "now", "gone");
	expect_bare(s, UINT64_MAX, "a", "now", "gone");
	death(s, HEAP);
	expect_bare(s, HEAP, "b", "now", "gone");
	birth(s, "dict", HEAP, 64);
	expect_bare(s, HEAP, "b", "now", "reused");
}

static void of_what_died_it_says_what_it_was_and_when(void **state)
{
	struct story *s = *state;
	struct reach r;

	mark(s, "a");
	birth(s, "dict", HEAP, 64);
	birth(s, "list", HEAP + 64, 64);
	mark(s, "b");
	mark(s, "c");
	death(s, HEAP);
	death(s, HEAP + 64);
	birth(s, "dict", HEAP, 64);
	r = (struct reach){.reader = open_story(s)};
	read_list(&r.list, r.reader, AT_MARK(2), entry(HEAP, "dict", 1, ""));
	tm_reach_list_add(&r.list, "0x7f0000100040");
	answer(&r, "b", "now", false);
	assert_int_equal(r.list.ids[0].was.death, 3);
	assert_int_equal(tm_word_birth(r.list.ids[0].was.word), 2);
	assert_int_equal(tm_word_birth(r.list.ids[0].there.word), 4);
	assert_int_equal(r.list.ids[1].was.death, 3);
	assert_int_equal(r.list.ids[1].there.word, 0);
	reach_end(&r);
}

/* In any order, more than once, over the whole heap: each gets its own answer. */
static void every_id_of_many_is_found(void **state)
{
	struct story *s = *state;
	struct reach r = {0};
	const unsigned objects = 5000;
	char text[32];

	mark(s, "a");
	for (unsigned i = 0; i < objects; i++)
		birth(s, i % 3 ? "dict" : "list", HEAP + i * 64ull, 64);
	mark(s, "b");
	for (unsigned i = 0; i < objects; i += 7)
		death(s, HEAP + i * 64ull);
	for (unsigned i = 0; i < objects; i += 14)
		birth(s, "dict", HEAP + i * 64ull, 64);
	r.reader = open_story(s);
	for (unsigned i = 0; i < 2 * objects; i++) {
		snprintf(text, sizeof(text), "%llu", HEAP + i * 7919ull % objects * 64);
		tm_reach_list_add(&r.list, text);
	}
	answer(&r, "b", "now", false);
	for (unsigned i = 0; i < 2 * objects; i++) {
		unsigned k = (unsigned)(i * 7919ull % objects);

		expect_answer(&r.list.ids[i], k % 7 ? "same" : k % 14 ? "gone" : "reused", true);
	}
	reach_end(&r);
}

/* ---- reading ---- */

static void ids_are_read_as_python_prints_them(void **state)
{
	struct tm_reach_list list = {0};

	(void)state;
	assert_int_equal(read_text(&list, "0x7f00\n 32512 \t0X7F00,18446744073709551615\n"),
			 TM_EXIT_OK);
	assert_int_equal(list.count, 4);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(list.ids[i].address, 0x7f00);
	assert_true(list.ids[3].address == UINT64_MAX);
	tm_reach_list_free(&list);
}

static void what_is_no_id_is_refused(void **state)
{
	static const char *const wrong[] = {
		"0x", "x", "-1", "+1", "0x1g", "12ab", "0x-1", "1.5", "18446744073709551616"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct tm_reach_list list = {0};

		assert_int_equal(tm_reach_list_add(&list, wrong[i]), TM_EXIT_USAGE);
		tm_reach_list_free(&list);
	}
}

static void what_is_no_list_is_refused(void **state)
{
	static const char *const wrong[] = {
		"{",
		"{}",
		"{\"tidemark\":2,\"to\":{\"mark\":1},\"ids\":[]}",
		"{\"tidemark\":1,\"ids\":[]}",
		"{\"tidemark\":1,\"to\":{\"mark\":1}}",
		"{\"tidemark\":1,\"to\":{\"mark\":1},\"ids\":{}}",
		"{\"tidemark\":1,\"to\":{\"mark\":-1},\"ids\":[]}",
		"{\"tidemark\":1,\"to\":{\"mark\":1e99},\"ids\":[]}",
		"{\"tidemark\":1,\"to\":{\"mark\":4294967297},\"ids\":[]}",
		"{\"tidemark\":1,\"to\":{\"mark\":null},\"ids\":[]}",
		"{\"tidemark\":1,\"to\":7,\"ids\":[]}",
		"{\"tidemark\":1,\"to\":{\"mark\":1},\"ids\":[7]}",
		"{\"tidemark\":1,\"to\":{\"mark\":1},\"ids\":[{\"id\":\"0x10\",\"type\":\"t\"}]}",
		"{\"tidemark\":1,\"to\":{\"mark\":1},\"ids\":[{\"id\":16,\"type\":\"t\",\"born\":1}"
		"]}",
		"{\"tidemark\":1,\"to\":{\"mark\":1},\"ids\":[{\"id\":\"0x10\",\"born\":1}]}",
		"{\"tidemark\":1,\"to\":{\"mark\":1},\"ids\":[{\"id\":\"q\",\"type\":\"t\","
		"\"born\":1}]}",
		"{\"tidemark\":1,\"to\":{\"mark\":1},"
		"\"ids\":[{\"id\":\"0x10\",\"type\":\"t\",\"born\":-1}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct tm_reach_list list = {0};

		if (read_text(&list, wrong[i]) != TM_EXIT_USAGE)
			fail_msg("taken for a list: %s", wrong[i]);
		tm_reach_list_free(&list);
	}
}

static void a_list_of_another_recording_is_refused(void **state)
{
	struct story *s = *state;
	struct tm_reader *reader = open_story(s);
	struct tm_reach_list list = {0};

	read_list(&list, reader, AT_MARK(1), entry(HEAP, "dict", 1, ""));
	tm_reader_close(reader);
	s->header->time_ns++;
	reader = open_story(s);
	assert_int_equal(tm_reach_list_check(&list, reader), TM_EXIT_USAGE);
	s->header->time_ns--;
	tm_reader_reload(reader);
	assert_int_equal(tm_reach_list_check(&list, reader), TM_EXIT_OK);
	json_object_del(list.document, "recording_id");
	assert_int_equal(tm_reach_list_check(&list, reader), TM_EXIT_USAGE);
	tm_reach_list_free(&list);
	tm_reader_close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY_TEST(what_lives_on_is_the_same),
		STORY_TEST(what_died_is_gone_and_stays_so),
		STORY_TEST(the_same_type_at_the_same_address_is_another_one),
		STORY_TEST(born_in_one_interval_a_list_for_a_mark_tells_them_apart),
		STORY_TEST(a_list_for_now_leaves_a_doubt_about_the_young),
		STORY_TEST(an_older_copy_is_in_doubt_about_its_last_interval),
		STORY_TEST(two_looks_at_the_same_moment_are_certain),
		STORY_TEST(another_type_is_another_object),
		cmocka_unit_test(a_type_not_resolved_then_or_now_contradicts_nothing),
		STORY_TEST(what_the_marks_own_collection_took_is_gone_at_the_mark),
		STORY_TEST(a_bare_id_is_of_the_mark_it_is_said_to_be_from),
		STORY_TEST(of_what_died_it_says_what_it_was_and_when),
		STORY_TEST(every_id_of_many_is_found),
		cmocka_unit_test(ids_are_read_as_python_prints_them),
		cmocka_unit_test(what_is_no_id_is_refused),
		cmocka_unit_test(what_is_no_list_is_refused),
		STORY_TEST(a_list_of_another_recording_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

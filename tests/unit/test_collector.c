/* test_collector.c - gc.garbage, what only the collector reclaimed, and its runs */
#include "view.h"

#include <jansson.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runs.h"
#include "saver.h"

static struct tm_span span_of(struct tm_reader *reader, const char *from, const char *to)
{
	struct tm_span span;

	assert_int_equal(tm_points_choose(reader, false, from, to, &span), 0);
	return span;
}

/* ---- gc.garbage ---- */

/* The addresses of the entries from one point to the other, less HEAP, in order. */
static void expect_entries(const struct story *s, const char *from, const char *to,
			   const char *want)
{
	struct tm_reader *reader = open_story(s);
	struct tm_span span = span_of(reader, from, to);
	struct tm_garbage_list list;
	char have[256] = "", one[32];

	tm_garbage_make(&list, reader, &span);
	for (size_t i = 0; i < list.count; i++) {
		snprintf(one, sizeof(one), "%s%" PRIx64 "@%" PRIu32, i ? " " : "",
			 list.entries[i].address - HEAP, list.entries[i].since);
		strcat(have, one);
	}
	assert_string_equal(have, want);
	tm_garbage_free(&list);
	tm_reader_close(reader);
}

static void entries_count_from_the_mark_they_were_found_at(void **state)
{
	struct story *s = *state;

	for (uint64_t i = 0; i < 5; i++)
		birth(s, "app.Leak", HEAP + 0x100 * i, 64);
	mark(s, "1");
	in_garbage(s, HEAP, 1);
	mark(s, "2");
	in_garbage(s, HEAP + 0x100, 2);
	in_garbage(s, HEAP + 0x200, 2);
	mark(s, "3");
	in_garbage(s, HEAP + 0x300, 4);
	expect_entries(s, "start", "1", "0@1");
	expect_entries(s, "1", "2", "100@2 200@2");
	expect_entries(s, "start", "2", "100@2 200@2 0@1");
	expect_entries(s, "2", "3", "");
	expect_entries(s, "3", "now", "300@4");
	expect_entries(s, "start", "now", "300@4 100@2 200@2 0@1");
	expect_entries(s, "2", "2", "");
	mark(s, "4");
	expect_entries(s, "3", "4", "300@4");
	expect_entries(s, "4", "now", "");
}

static void entries_that_went_count_where_they_were(void **state)
{
	struct story *s = *state;

	birth(s, "app.Leak", HEAP, 64);
	birth(s, "app.Leak", HEAP + 0x100, 64);
	mark(s, "1");
	in_garbage(s, HEAP, 1);
	in_garbage(s, HEAP + 0x100, 1);
	mark(s, "2");
	out_of_garbage(s, HEAP, 2);
	mark(s, "3");
	out_of_garbage(s, HEAP + 0x100, 4);
	expect_entries(s, "start", "1", "0@1 100@1");
	expect_entries(s, "start", "2", "100@1");
	expect_entries(s, "start", "3", "100@1");
	expect_entries(s, "start", "now", "");
	/* it came back: another record */
	in_garbage(s, HEAP + 0x100, 4);
	expect_entries(s, "start", "now", "100@4");
	expect_entries(s, "3", "now", "100@4");
}

static void the_total_is_what_is_new_not_what_the_list_grew_by(void **state)
{
	struct story *s = *state;
	struct view v;

	birth(s, "app.Leak", HEAP, 64);
	birth(s, "app.Leak", HEAP + 0x100, 64);
	in_garbage(s, HEAP, mark(s, "1"));
	mark_record(s, 1)->garbage = 1;
	in_garbage(s, HEAP + 0x100, mark(s, "2"));
	out_of_garbage(s, HEAP, 2);
	mark_record(s, 2)->garbage = 1;
	assert_int_equal(totals_of(s, "1", "2").garbage, 1);
	/* no space for the records of some */
	mark_record(s, 2)->garbage = 8;
	s->header->losses[TM_L_GARBAGE] = 6;
	v = view_of(s, "1", "2");
	assert_int_equal(v.diff.totals.garbage, 7);
	assert_true(noted(&v, "6 entries of gc.garbage are not recorded"));
	view_end(&v);
}

static void groups_of_the_newest_mark_come_first(void **state)
{
	struct story *s = *state;
	struct view v;

	at_line(s, "/srv/app.py", "work", 12);
	for (uint64_t i = 0; i < 4; i++)
		birth(s, i == 2 ? "app.Other" : "app.Leak", HEAP + 0x100 * i, i == 2 ? 512 : 64);
	mark(s, "1");
	in_garbage(s, HEAP, 1);
	in_garbage(s, HEAP + 0x100, 1);
	in_garbage(s, HEAP + 0x200, 1);
	mark(s, "2");
	in_garbage(s, HEAP + 0x300, 2);
	v = view_of(s, "start", "2");
	assert_int_equal(v.garbage.count, 3);
	assert_int_equal(v.garbage.items[0].since, 2);
	assert_true(text_is(&v, v.garbage.items[0].type, "app.Leak"));
	expect_group(&v.garbage.items[0], 1, 64);
	assert_int_equal(v.garbage.items[1].since, 1);
	assert_true(text_is(&v, v.garbage.items[1].type, "app.Other"));
	expect_group(&v.garbage.items[1], 1, 512);
	assert_int_equal(v.garbage.items[2].since, 1);
	expect_group(&v.garbage.items[2], 2, 128);
	assert_int_equal(v.garbage.items[2].ids[1], HEAP + 0x100);
	view_end(&v);
}

static struct tm_garbage *entry_at(struct story *s, size_t index)
{
	return (struct tm_garbage *)story_table(s, TM_R_GARBAGE) + index;
}

static void entries_that_make_no_sense_are_damage(void **state)
{
	struct story *s = *state;
	struct tm_garbage good;

	birth(s, "app.Leak", HEAP, 64);
	mark(s, "1");
	mark(s, "2");
	in_garbage(s, HEAP, 2);
	memcpy(&good, entry_at(s, 0), sizeof(good));
	for (unsigned spoil = 0; spoil < 5; spoil++) {
		struct view v;

		memcpy(entry_at(s, 0), &good, sizeof(good));
		if (spoil == 1)
			entry_at(s, 0)->word = tm_word(TM_FREE, 1, 0, 1);
		if (spoil == 2)
			entry_at(s, 0)->word = tm_word(TM_SIZE_HEAD, 1, 0, 1);
		if (spoil == 3)
			entry_at(s, 0)->size = UINT64_MAX;
		if (spoil == 4)
			entry_at(s, 0)->gone = 1;
		v = view_of(s, "start", "2");
		assert_int_equal(v.diff.garbage.count, spoil == 0);
		assert_true(noted(&v, "gc.garbage make no sense") == (spoil != 0));
		assert_true(v.notes.incomplete == (spoil != 0));
		view_end(&v);
	}
}

/* ---- what only the collector reclaimed ---- */

static void expect_cyclic(const struct story *s, const char *from, const char *to, uint64_t objects,
			  uint64_t bytes)
{
	struct tm_reader *reader = open_story(s);
	struct tm_span span = span_of(reader, from, to);
	struct tm_cyclic cyclic;

	tm_cyclic_make(&cyclic, reader, &span);
	assert_int_equal(cyclic.objects, objects);
	assert_int_equal(cyclic.bytes, bytes);
	tm_cyclic_free(&cyclic);
	tm_reader_close(reader);
}

static void what_a_marks_own_collection_reclaims_was_garbage_before_it(void **state)
{
	struct story *s = *state;

	birth(s, "app.Node", HEAP, 48);
	birth(s, "app.Node", HEAP + 0x100, 48);
	birth(s, "app.Node", HEAP + 0x200, 48);
	birth(s, "app.Node", HEAP + 0x300, 48);
	mark(s, "1");
	mark_reclaims(s, HEAP);
	program_collects(s);
	death(s, HEAP + 0x100);
	buffer(s, HEAP + 0x800, 64);
	death(s, HEAP + 0x800); /* of an object's: no object */
	program_collected(s, 2, 1000, 1);
	death(s, HEAP + 0x200); /* by itself */
	mark(s, "2");
	mark_reclaims(s, HEAP + 0x300);
	expect_cyclic(s, "start", "1", 1, 48); /* mark 1's own */
	expect_cyclic(s, "1", "2", 2, 96);     /* the program's, and mark 2's own */
	expect_cyclic(s, "start", "2", 3, 144);
	expect_cyclic(s, "2", "now", 0, 0);
	expect_cyclic(s, "start", "now", 3, 144);
}

static void what_is_born_and_collected_in_one_interval_counts(void **state)
{
	struct story *s = *state;
	struct view v;

	mark(s, "1");
	at_line(s, "/srv/app.py", "work", 12);
	for (uint64_t i = 0; i < 10; i++) {
		birth(s, "app.Node", HEAP + 0x100 * i, 48);
		if (i % 5 == 4)
			mark(s, "");
	}
	program_collects(s);
	for (uint64_t i = 0; i < 10; i++)
		death(s, HEAP + 0x100 * i);
	program_collected(s, 0, 1000, 10);
	v = view_of(s, "1", "now");
	/* one group, whenever its members were born */
	assert_int_equal(v.cyclic.count, 1);
	expect_group(&v.cyclic.items[0], 10, 480);
	assert_true(text_is(&v, v.cyclic.items[0].type, "app.Node"));
	view_end(&v);
}

static void counts_that_make_no_sense_are_damage(void **state)
{
	const struct tm_tally bad[] = {
		{tm_word(TM_SIZE_TAIL, 1, 0, 1), TM_TALLY_VALID, 1, 16},
		{tm_word(TM_BUFFER, 1, 0, 0), TM_TALLY_VALID, 1, 16},
		{tm_word(TM_OBJECT, 1, 0, 1), TM_TALLY_VALID, UINT64_MAX, 16},
		{tm_word(TM_OBJECT, 1, 0, 1), TM_TALLY_VALID, 1, UINT64_MAX},
	};
	struct story *s = *state;

	mark(s, "1");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct view v;

		memcpy(story_table(s, TM_R_CYCLIC), &bad[i], sizeof(bad[i]));
		v = view_of(s, "start", "1");
		assert_int_equal(v.diff.cyclic.objects, 0);
		assert_true(noted(&v, "counts of cyclic trash make no sense"));
		view_end(&v);
	}
}

/* ---- runs ---- */

static size_t runs_of(const struct story *s, struct tm_collection **runs)
{
	struct tm_reader *reader = open_story(s);
	size_t count;

	*runs = tm_runs_newest(reader, &count);
	tm_reader_close(reader);
	return count;
}

static void runs_are_summed_by_interval_and_generation(void **state)
{
	struct story *s = *state;
	struct tm_reader *reader;
	struct tm_runs_sum sum;
	struct tm_span span;

	program_collected(s, 0, 500, 5); /* in the interval of start */
	mark(s, "1");
	program_collected(s, 0, 1000, 10);
	program_collected(s, 0, 3000, 20);
	program_collected(s, 2, 9000, 30);
	mark(s, "2");
	program_collected(s, 0, 2000, 7);
	mark(s, "3");
	program_collected(s, 1, 100, 0);
	reader = open_story(s);
	span = span_of(reader, "1", "3");
	tm_runs_sum(&sum, reader, &span);
	assert_int_equal(sum.generations[0].count, 3);
	assert_int_equal(sum.generations[0].ns, 6000);
	assert_int_equal(sum.generations[0].longest_ns, 3000);
	assert_int_equal(sum.generations[0].collected, 37);
	assert_int_equal(sum.generations[1].count, 0);
	assert_int_equal(sum.generations[2].count, 1);
	assert_int_equal(sum.all.count, 4);
	assert_int_equal(sum.all.ns, 15000);
	assert_int_equal(sum.all.longest_ns, 9000);
	tm_reader_close(reader);
}

static void the_ring_of_runs_has_the_newest(void **state)
{
	struct story *s = *state;
	uint64_t slots =
		s->header->regions[TM_R_COLLECTIONS].capacity / sizeof(struct tm_collection);
	struct tm_collection *ring = story_table(s, TM_R_COLLECTIONS), *runs;

	assert_int_equal(runs_of(s, &runs), 0);
	free(runs);
	for (uint64_t i = 0; i < slots + 3; i++)
		program_collected(s, 0, i, 0);
	assert_int_equal(runs_of(s, &runs), slots);
	assert_int_equal(runs[0].duration_ns, 3);
	assert_int_equal(runs[slots - 1].duration_ns, slots + 2);
	free(runs);
	ring[0].sequence = 1; /* being written */
	ring[1].mark = 7;     /* of a mark still to be set when the header was read */
	ring[2].generation = TM_GENERATIONS;
	assert_int_equal(runs_of(s, &runs), slots - 3);
	assert_int_equal(runs[slots - 4].duration_ns, slots - 1);
	free(runs);
}

/* ---- reports ---- */

static char *printed(const struct story *s, const char *from, const char *to, bool json)
{
	struct view v = view_of(s, from, to);
	struct tm_report r = view_report(&v);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct tm_json j;

	if (json) {
		j = tm_json_open(out);
		tm_report_garbage_json(&j, &r);
		tm_report_cyclic_json(&j, &r, &v.cyclic);
		tm_json_close(&j);
	} else {
		tm_report_cyclic_line(&r, out);
		tm_report_garbage_text(&r, out);
		tm_report_cyclic_text(&r, &v.cyclic, out);
	}
	fclose(out);
	view_end(&v);
	return text;
}

static void tell_of_cycles(struct story *s)
{
	birth(s, "app.Old", HEAP + 0x900, 64);
	mark(s, "before");
	at_line(s, "/srv/app.py", "work", 12);
	birth(s, "app.Leak", HEAP, 64);
	birth(s, "app.Node", HEAP + 0x100, 48);
	mark(s, "after");
	mark_reclaims(s, HEAP + 0x100);
	in_garbage(s, HEAP, 2);
	in_garbage(s, HEAP + 0x900, 2);
	entry_at(s, 1)->word &= ~(TM_BIRTH_MASK | TM_SITE_MASK);
	entry_at(s, 1)->size = 0;
}

static void the_json_is_as_agreed(void **state)
{
	struct story *s = *state;
	char *text;
	json_t *want;
	json_t *have;

	tell_of_cycles(s);
	text = printed(s, "before", "after", true);
	want = json_pack("{s:i, s:[{s:s, s:s, s:{s:s, s:i, s:s}, s:i, s:i, s:i},"
			 "         {s:s, s:s, s:n, s:i, s:n, s:n}],"
			 " s:[{s:s, s:{s:s, s:i, s:s}, s:i, s:i}]}",
			 "tidemark", 1, "garbage", "type", "app.Leak", "id", "0x7f0000100000",
			 "site", "file", "/srv/app.py", "line", 12, "function", "work",
			 "since_mark", 2, "born", 1, "bytes", 64, "type", "app.Old", "id",
			 "0x7f0000100900", "site", "since_mark", 2, "born", "bytes", "cyclic",
			 "type", "app.Node", "site", "file", "/srv/app.py", "line", 12, "function",
			 "work", "objects", 1, "bytes", 48);
	assert_non_null(want);
	have = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!json_equal(have, want))
		fail_msg("%s", text);
	json_decref(want);
	json_decref(have);
	free(text);
}

static void the_text_names_mark_type_and_line(void **state)
{
	struct story *s = *state;
	char *text;

	tell_of_cycles(s);
	text = printed(s, "before", "after", false);
	assert_non_null(strstr(text, "1 object (48 B) could only be reclaimed by the cyclic "
				     "collector\n"));
	assert_non_null(strstr(text, "2 entries are new and still there"));
	assert_non_null(strstr(text, "COUNT  BYTES   SINCE  TYPE\n"
				     "   1      1   64 B  mark 2  app.Leak\n"
				     "       /srv/app.py:12 in work\n"));
	assert_non_null(strstr(text, "app.Old\n       no Python frame\n"));
	assert_non_null(strstr(text, "Reclaimed only by the cyclic collector\n"));
	free(text);
	mark_record(s, 2)->state = TM_MARK_EMPTY;
	s->header->current = 1;
	text = printed(s, "before", "now", false);
	assert_non_null(strstr(text, "   1      1   64 B    now  app.Leak\n"));
	free(text);
	text = printed(s, "start", "before", false);
	assert_string_equal(text, "");
	free(text);
}

/* ---- saved ---- */

static void a_copy_shows_the_same(void **state)
{
	struct story *s = *state;
	struct tm_saver_result result;
	struct tm_reader *reader;
	struct story copy = *s;
	struct tm_collection *runs;
	char *whole, *copied;

	tell_of_cycles(s);
	program_collected(s, 1, 77, 0);
	/* an entry found, one gone and a run of after a mark that the copy does not have */
	in_garbage(s, HEAP, 4);
	out_of_garbage(s, HEAP + 0x900, 4);
	program_collected(s, 1, 78, 0);
	((struct tm_collection *)story_table(s, TM_R_COLLECTIONS))[1].mark = 3;
	reader = open_story(s);
	copy.fd = memfd_create("copy", MFD_CLOEXEC);
	snprintf(copy.path, sizeof(copy.path), "/proc/self/fd/%d", copy.fd);
	tm_saver_write(reader, copy.fd, &result);
	tm_reader_close(reader);
	assert_int_equal(result.failure, TM_SAVER_OK);
	for (int json = 0; json < 2; json++) {
		whole = printed(s, "before", "after", json);
		copied = printed(&copy, "before", "after", json);
		assert_string_equal(whole, copied);
		free(whole);
		free(copied);
	}
	expect_entries(&copy, "start", "now", "0@2 900@2");
	expect_cyclic(&copy, "start", "now", 1, 48);
	assert_int_equal(runs_of(&copy, &runs), 1);
	assert_int_equal(runs[0].duration_ns, 77);
	free(runs);
	close(copy.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY_TEST(entries_count_from_the_mark_they_were_found_at),
		STORY_TEST(entries_that_went_count_where_they_were),
		STORY_TEST(the_total_is_what_is_new_not_what_the_list_grew_by),
		STORY_TEST(groups_of_the_newest_mark_come_first),
		STORY_TEST(entries_that_make_no_sense_are_damage),
		STORY_TEST(what_a_marks_own_collection_reclaims_was_garbage_before_it),
		STORY_TEST(what_is_born_and_collected_in_one_interval_counts),
		STORY_TEST(counts_that_make_no_sense_are_damage),
		STORY_TEST(runs_are_summed_by_interval_and_generation),
		STORY_TEST(the_ring_of_runs_has_the_newest),
		STORY_TEST(the_json_is_as_agreed),
		STORY_TEST(the_text_names_mark_type_and_line),
		STORY_TEST(a_copy_shows_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

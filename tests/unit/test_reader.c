/*
 * test_reader.c - recordings that are cut short, spoiled, or grow while they are read
 *
 * What these cannot show is that each check is needed; what they do show is that no byte
 * can make the analyzer crash, hang or (under the sanitizers) touch what is not its own.
 */
#include "view.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "history.h"
#include "report.h"

/* One of everything, small. */
static struct story *tell_everything(void)
{
	struct story_options small = {.chunks = 2};
	struct story *s = story_begin(&small);
	uint32_t outer;

	birth(s, "app.Old", HEAP + 0x800, 100);
	mark(s, "one");
	outer = site_called(s, 0, "/srv/main.py", "main", 3);
	s->site = site_called(s, outer, "/srv/app.py", "work", 12);
	birth(s, "app.A", HEAP, 64);
	birth_behind_head(s, "app.B", HEAP + 0x100, 16, 72);
	buffer(s, HEAP + 0x200, 3 << 20);
	pending(s, HEAP + 0x300, 50);
	birth(s, "app.C", HEAP + TM_CHUNK_HEAP - 16, 48);
	mark(s, "two");
	death(s, HEAP);
	mark_reclaims(s, HEAP + 0x200);
	death(s, HEAP + 0x800);
	birth(s, "app.A", HEAP, 64);
	program_collects(s);
	death(s, HEAP + 0x300);
	program_collected(s, 2, 1000, 1);
	mark(s, "three");
	in_garbage(s, HEAP, 3);
	in_garbage(s, HEAP + 0x110, 4);
	figures_at(s, 1,
		   &(struct tm_figures){1 << 24, 1 << 20, 1 << 21, 2, 1 << 20, 1 << 19, 0, 0});
	figures_at(s, 3,
		   &(struct tm_figures){1 << 25, 1 << 21, 1 << 22, 4, 1 << 21, 1 << 18, 0, 0});
	return s;
}

static int open_error(const char *path, struct tm_reader_why *why)
{
	struct tm_reader *reader;
	int err = tm_reader_open(path, &reader, why);

	if (err == 0)
		tm_reader_close(reader);
	return err;
}

static void expect_error(const struct story *s, int want, const char *part)
{
	struct tm_reader_why why = {""};
	int err = open_error(s->path, &why);

	if (err != want || !strstr(why.text, part))
		fail_msg("error %d (%s), expected %d (%s)", err, why.text, want, part);
}

/* ---- refusals ---- */

static void a_file_that_is_no_recording_is_refused_with_a_reason(void **state)
{
	struct story *s = *state;
	struct tm_reader_why why;

	assert_int_equal(open_error("/nonexistent/recording", &why), -ENOENT);
	assert_int_equal(open_error("/tmp", &why), -EISDIR);
	assert_non_null(strstr(why.text, "directory"));
	assert_int_equal(open_error("/dev/null", &why), -EPROTO);
	s->header->magic = 7;
	expect_error(s, -EPROTO, "not a recording");
	assert_int_equal(ftruncate(s->fd, 0), 0);
	expect_error(s, -EPROTO, "empty");
}

static void another_layout_version_is_named(void **state)
{
	struct story *s = *state;

	s->header->major = 9;
	expect_error(s, -EPROTO, "version 9");
	s->header->major = TM_LAYOUT_MAJOR;
	s->header->minor = 99;
	view_end(&(struct view){.reader = open_story(s)});
}

static void a_header_that_contradicts_itself_is_refused(void **state)
{
	struct story *s = *state;
	struct tm_region *r = s->header->regions;
	struct tm_region was;

	s->header->header_size = 8;
	expect_error(s, -EBADMSG, "header");
	s->header->header_size = sizeof(*s->header);

	for (unsigned id = 0; id < TM_R_COUNT; id++) {
		was = r[id];
		r[id].offset = UINT64_MAX - 65535;
		expect_error(s, -EBADMSG, "makes no sense");
		r[id].offset = was.offset + 8;
		expect_error(s, -EBADMSG, "makes no sense");
		r[id].offset = was.offset;
		r[id].capacity = UINT64_MAX - 10;
		expect_error(s, -EBADMSG, "makes no sense");
		r[id].capacity = was.capacity;
	}
	r[TM_R_MARKS].offset = r[TM_R_THREADS].offset;
	expect_error(s, -EBADMSG, "makes no sense");
}

static void a_table_that_claims_more_than_it_has_is_damage(void **state)
{
	struct story *s = *state;
	struct tm_reader *reader;

	s->header->regions[TM_R_TYPES].used = UINT64_MAX;
	reader = open_story(s);
	assert_non_null(tm_reader_damage(reader));
	assert_true(tm_reader_count(reader, TM_R_TYPES) <=
		    s->header->regions[TM_R_TYPES].backed / sizeof(struct tm_type));
	assert_null(tm_reader_type(reader, UINT32_MAX));
	tm_reader_close(reader);
}

/* ---- records ---- */

static void strings_lie_inside_their_table_or_are_empty(void **state)
{
	struct story *s = *state;
	uint32_t good = string_of(s, "good", 4);
	uint32_t bad = string_of(s, "bad!", 4);
	uint32_t inside = string_of(s, "x\1\0\0\0y", 6) + 5; /* looks like a string */
	uint64_t used = s->header->regions[TM_R_STRINGS].used;
	struct tm_reader *reader;

	*(uint32_t *)(void *)((char *)story_table(s, TM_R_STRINGS) + bad) = 1 << 30;
	reader = open_story(s);
	assert_int_equal(tm_reader_string(reader, good).size, 4);
	assert_memory_equal(tm_reader_string(reader, good).data, "good", 4);
	assert_null(tm_reader_damage(reader));
	assert_int_equal(tm_reader_string(reader, 0).size, 0);
	assert_null(tm_reader_damage(reader));
	assert_int_equal(tm_reader_string(reader, bad).size, 0);
	assert_non_null(tm_reader_damage(reader));
	assert_int_equal(tm_reader_string(reader, good + 1).size, 0);
	assert_int_equal(tm_reader_string(reader, inside).size, 0);
	assert_int_equal(tm_reader_string(reader, (uint32_t)used).size, 0);
	assert_int_equal(tm_reader_string(reader, (uint32_t)used - 2).size, 0);
	assert_int_equal(tm_reader_string(reader, UINT32_MAX).size, 0);
	tm_reader_close(reader);
}

static void a_call_stack_ends_whatever_the_file_says(void **state)
{
	struct story *s = *state;
	uint32_t inner = site_called(s, 0, "a.py", "f", 1);
	struct tm_site *sites = story_table(s, TM_R_SITES);
	struct tm_reader *reader;
	uint32_t parent = 99;

	sites[inner].parent = inner;
	reader = open_story(s);
	assert_non_null(tm_reader_site(reader, inner, &parent));
	assert_int_equal(parent, 0);
	assert_non_null(tm_reader_damage(reader));
	assert_null(tm_reader_site(reader, 0, &parent));
	assert_null(tm_reader_site(reader, inner + 1, &parent));
	tm_reader_close(reader);
}

static void a_mark_name_ends_at_its_length_at_a_nul_and_at_its_field(void **state)
{
	struct tm_mark m;

	(void)state;
	memset(&m, 'x', sizeof(m));
	assert_int_equal(tm_mark_name(&m).size, TM_NAME_MAX);
	m.name_length = 3;
	assert_int_equal(tm_mark_name(&m).size, 3);
	m.name[1] = 0;
	assert_int_equal(tm_mark_name(&m).size, 1);
}

/* ---- a recording that lives ---- */

static void a_live_recording_grows_with_each_reload(void **state)
{
	struct story *s = *state;
	struct tm_reader *reader = open_story(s);
	struct tm_mark m;
	uint32_t type;

	assert_int_equal(tm_reader_count(reader, TM_R_TYPES), 1);
	type = type_named(s, "app.New", 32);
	mark(s, "new");
	assert_null(tm_reader_type(reader, type));
	assert_int_equal(tm_reader_fetch_mark(reader, 1, &m), 0);
	assert_int_equal(m.state, TM_MARK_FOLLOWED);
	assert_int_equal(tm_reader_fetch_mark(reader, 1u << 20, &m), -ENOENT);
	assert_int_equal(tm_reader_reload(reader), 0);
	assert_non_null(tm_reader_type(reader, type));
	assert_int_equal(tm_mark_name(tm_reader_mark(reader, 1)).size, 3);
	birth(s, "app.New", HEAP, 32);
	tm_reader_reload(reader);
	assert_int_equal(tm_reader_counters(reader).created, 1);
	tm_reader_close(reader);
}

static void a_file_cut_while_it_is_read_is_damage_and_no_crash(void **state)
{
	struct story *s = *state;
	struct tm_reader *reader;
	struct tm_span span;
	struct tm_diff diff;

	birth(s, "x", HEAP, 32);
	reader = open_story(s);
	assert_int_equal(tm_points_choose(reader, false, "start", "now", &span), 0);
	assert_int_equal(ftruncate(s->fd, 4096), 0);
	tm_diff_make(&diff, reader, &span);
	assert_non_null(tm_reader_damage(reader));
	assert_int_equal(diff.totals.survived_objects, 0);
	tm_diff_free(&diff);
	assert_int_equal(tm_reader_reload(reader), -EBADMSG);
	tm_reader_close(reader);
}

/* ---- the whole analyzer on spoiled files ---- */

struct outcome {
	bool opened;
	bool complete;
	uint64_t objects;
	uint64_t bytes;
};

static void report_to(FILE *out, const struct view *v)
{
	struct tm_report r = view_report(v);
	struct tm_json json;

	r.limit = 20;
	tm_report_json(&r, out);
	tm_report_text(&r, out);
	json = tm_json_open(out);
	tm_report_cyclic_json(&json, &r, &v->cyclic);
	tm_json_close(&json);
	tm_report_cyclic_text(&r, &v->cyclic, out);
}

static void runs_to(FILE *out, struct tm_reader *reader)
{
	size_t count;
	struct tm_collection *runs = tm_runs_newest(reader, &count);
	struct tm_json json = tm_json_open(out);

	tm_json_array(&json, "collections");
	for (size_t i = 0; i < count; i++)
		tm_json_element(&json, tm_runs_json(&runs[i]));
	tm_json_array_end(&json);
	tm_json_close(&json);
	free(runs);
}

/* Every report there is, on a path; what is wrong with the text is not looked at. */
static struct outcome run_all(const char *path, FILE *out, enum tm_group_by by)
{
	static const struct tm_filter all;
	struct outcome o = {false, false, 0, 0};
	struct tm_reader_why why;
	struct tm_history history;
	struct view v = {.reader = NULL};

	if (tm_reader_open(path, &v.reader, &why) != 0)
		return o;
	o.opened = true;
	view_fill(&v, "start", "now", by, &all);
	rewind(out);
	report_to(out, &v);
	runs_to(out, v.reader);
	o.complete = !v.notes.incomplete;
	o.objects = v.diff.totals.survived_objects;
	o.bytes = v.diff.totals.survived_bytes;
	tm_history_make(&history, v.reader);
	tm_history_free(&history);
	view_end(&v);
	return o;
}

static void a_recording_cut_at_any_byte_is_refused_or_says_so(void **state)
{
	struct story *s = tell_everything();
	FILE *out = fopen("/dev/null", "w");
	struct outcome whole = run_all(s->path, out, TM_BY_TYPE_AND_SITE);
	int fd = memfd_create("cut", MFD_CLOEXEC);
	char path[64];
	unsigned partial = 0;

	(void)state;
	assert_true(whole.complete && whole.objects == 3);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(write(fd, s->image, s->size), s->size);
	for (uint64_t size = s->size; size-- > 0;) {
		struct outcome o;

		/* every byte where the structure is, then samples with all remainders */
		if (size > sizeof(struct tm_header) + 64 && size % 4099 != 0 &&
		    size % TM_REGION_ALIGN > 2 && size % TM_REGION_ALIGN < TM_REGION_ALIGN - 2)
			continue;
		assert_int_equal(ftruncate(fd, (off_t)size), 0);
		o = run_all(path, out, TM_BY_TYPE_AND_SITE);
		if (o.opened && o.complete &&
		    (o.objects != whole.objects || o.bytes != whole.bytes))
			fail_msg("cut at %" PRIu64 ": called complete with %" PRIu64 " objects",
				 size, o.objects);
		partial += o.opened && !o.complete;
	}
	assert_true(partial > 50);
	fclose(out);
	close(fd);
	story_end(s);
}

static void no_header_byte_can_crash_the_analyzer(void **state)
{
	static const uint8_t masks[] = {0x01, 0xff};
	struct story *s = tell_everything();
	FILE *out = fopen("/dev/null", "w");

	(void)state;
	for (size_t at = 0; at < sizeof(struct tm_header); at++)
		for (size_t m = 0; m < sizeof(masks); m++) {
			s->image[at] ^= masks[m];
			run_all(s->path, out, TM_BY_STACK);
			s->image[at] ^= masks[m];
		}
	assert_true(run_all(s->path, out, TM_BY_STACK).complete);
	fclose(out);
	story_end(s);
}

/* A byte of one of the tables in use, or of the shadow around the story. */
static uint8_t *some_byte(struct story *s, unsigned *seed)
{
	enum tm_region_id id = (enum tm_region_id)(rand_r(seed) % TM_R_COUNT);
	struct tm_region *r = &s->header->regions[id];
	uint64_t size = r->used * 32;

	if (id == TM_R_MARKS)
		size = r->used * sizeof(struct tm_mark);
	if (id == TM_R_STRINGS)
		size = r->used;
	if (id == TM_R_SHADOW)
		size = 0x1000 / TM_GRANULE * sizeof(uint64_t);
	return s->image + r->offset + (uint64_t)rand_r(seed) % (size + 1);
}

static void no_few_bytes_anywhere_can_crash_the_analyzer(void **state)
{
	struct story *s = tell_everything();
	FILE *out = fopen("/dev/null", "w");
	unsigned seed = 42;

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		uint8_t *bytes[6];
		uint8_t was[6];

		for (unsigned i = 0; i < 6; i++) {
			bytes[i] = some_byte(s, &seed);
			was[i] = *bytes[i];
			*bytes[i] = rand_r(&seed) % 4 ? (uint8_t)rand_r(&seed) : 0xff;
		}
		run_all(s->path, out, (enum tm_group_by)(round % 6));
		for (unsigned i = 6; i-- > 0;)
			*bytes[i] = was[i];
	}
	assert_true(run_all(s->path, out, TM_BY_STACK).complete);
	fclose(out);
	story_end(s);
}

static void words_that_mean_nothing_are_damage(void **state)
{
	struct story *s = *state;
	struct view v;

	mark(s, "a");
	birth(s, "x", HEAP, 32);
	*word_at(s, HEAP + 0x100) = 7;				     /* no such kind */
	*word_at(s, HEAP + 0x200) = tm_word(TM_OBJECT, 60000, 0, 1); /* of the future */
	*word_at(s, HEAP + 0x300) = tm_word(TM_OBJECT, 2, 999, 999); /* of nowhere */
	v = view_of(s, "a", "now");
	assert_true(v.notes.incomplete);
	assert_true(noted(&v, "damaged"));
	expect_group(group_of(&v, "x"), 1, 32);
	expect_group(group_of(&v, "(unknown)"), 1, 16);
	view_end(&v);
}

/* A story with one object, "x", and one thing wrong: damage, and nothing but the object. */
static void expect_damage_and_x(const struct story *s, const char *from, const char *to)
{
	struct view v = view_of(s, from, to);

	assert_true(v.notes.incomplete);
	assert_true(noted(&v, "damaged"));
	expect_group(group_of(&v, "x"), 1, 32);
	assert_int_equal(v.groups.count, 1);
	view_end(&v);
}

static void a_birth_of_the_future_is_damage(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	birth(s, "x", HEAP, 32);
	*word_at(s, HEAP + 0x200) = tm_word(TM_OBJECT, 4, 0, 1);
	expect_damage_and_x(s, "a", "now");
}

static void a_death_before_the_birth_is_damage(void **state)
{
	struct story *s = *state;
	struct tm_death *record = story_table(s, TM_R_DEATHS);

	mark(s, "a");
	birth(s, "x", HEAP, 32);
	birth(s, "y", HEAP + 0x100, 32);
	mark(s, "b");
	death(s, HEAP + 0x100);
	record->word = tm_word(TM_OBJECT, 3, 0, 1);
	expect_damage_and_x(s, "a", "b");
	record->word = tm_size_word(TM_SIZE_TAIL, 3);
	expect_damage_and_x(s, "a", "b");
}

static void a_size_no_machine_has_is_damage_and_counts_as_unknown(void **state)
{
	struct story *s = *state;
	struct view v;

	mark(s, "a");
	birth(s, "x", HEAP, 32);
	*word_at(s, HEAP + 16) = tm_size_word(TM_SIZE_TAIL, 1ull << 50);
	v = view_of(s, "a", "now");
	assert_true(v.notes.incomplete);
	expect_group(group_of(&v, "x"), 1, 16);
	view_end(&v);
}

static void a_chunk_out_of_place_is_damage_and_left_out(void **state)
{
	struct story *s = *state;
	struct tm_chunk *chunks = story_table(s, TM_R_CHUNKS);
	struct tm_chunk was;

	mark(s, "a");
	birth(s, "x", HEAP, 32);
	birth(s, "y", HEAP + 2 * TM_CHUNK_HEAP, 32);
	was = chunks[1];
	chunks[1].heap_base += 64;
	expect_damage_and_x(s, "a", "now");
	chunks[1] = was;
	chunks[1].heap_base = 1ull << 63;
	expect_damage_and_x(s, "a", "now");
	chunks[1] = was;
	chunks[1].heap_base = chunks[0].heap_base;
	chunks[1].shadow = chunks[0].shadow;
	expect_damage_and_x(s, "a", "now");
	chunks[1] = was;
	chunks[1].shadow += 8; /* its end is behind the space there is */
	expect_damage_and_x(s, "a", "now");
	chunks[1].shadow = 0;
	expect_damage_and_x(s, "a", "now");
	chunks[1].shadow = UINT64_MAX - 7;
	expect_damage_and_x(s, "a", "now");
	chunks[1] = was;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY_TEST(a_file_that_is_no_recording_is_refused_with_a_reason),
		STORY_TEST(another_layout_version_is_named),
		STORY_TEST(a_header_that_contradicts_itself_is_refused),
		STORY_TEST(a_table_that_claims_more_than_it_has_is_damage),
		STORY_TEST(strings_lie_inside_their_table_or_are_empty),
		STORY_TEST(a_call_stack_ends_whatever_the_file_says),
		cmocka_unit_test(a_mark_name_ends_at_its_length_at_a_nul_and_at_its_field),
		STORY_TEST(a_live_recording_grows_with_each_reload),
		STORY_TEST(a_file_cut_while_it_is_read_is_damage_and_no_crash),
		cmocka_unit_test(a_recording_cut_at_any_byte_is_refused_or_says_so),
		cmocka_unit_test(no_header_byte_can_crash_the_analyzer),
		cmocka_unit_test(no_few_bytes_anywhere_can_crash_the_analyzer),
		STORY_TEST(words_that_mean_nothing_are_damage),
		STORY_TEST(a_birth_of_the_future_is_damage),
		STORY_TEST(a_death_before_the_birth_is_damage),
		STORY_TEST(a_size_no_machine_has_is_damage_and_counts_as_unknown),
		STORY_TEST(a_chunk_out_of_place_is_damage_and_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

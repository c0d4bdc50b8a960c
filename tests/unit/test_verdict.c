/* test_verdict.c - what a process grew by: sizes as allocators round them, figures, rules, words */
#include "view.h"

#include <jansson.h>
#include <stdio.h>

#include "mark_figures.h"
#include "verdict.h"

#define MIB	((int64_t)1 << 20)
#define PY_3_9	0x030912f0u
#define PY_3_10 0x030a00f0u
#define HOSTILE UINT64_C(0xfffffffffffffff0)

/* ---- footprints ---- */

static void add(struct tm_footprint *f, int64_t count, uint64_t each, uint16_t flags)
{
	uint64_t things = (uint64_t)(count < 0 ? -count : count);
	struct tm_scan_item item = {.word = tm_word(TM_OBJECT, 1, 0, 1),
				    .count = count,
				    .bytes = things * each,
				    .flags = flags};

	tm_footprint_add(f, &item);
}

static void small_blocks_fill_pools_of_their_size(void **state)
{
	struct tm_footprint f = {0};

	(void)state;
	/* 16 KiB less a header of 48 bytes have room for 145 blocks of 112, 4 KiB for 36 */
	add(&f, 145 * 7, 100, 0);
	assert_int_equal(tm_footprint_arenas(&f, PY_3_10), 7 * 16384);
	add(&f, -145 * 7, 100, 0);
	assert_int_equal(tm_footprint_arenas(&f, PY_3_10), 0);
	add(&f, 36 * 5, 97, 0);
	assert_int_equal(tm_footprint_arenas(&f, PY_3_9), 5 * 4096);
	add(&f, 7 * 3, 512, 0);
	assert_int_equal(tm_footprint_arenas(&f, PY_3_9), 8 * 4096);
	assert_int_equal(f.objects, 36 * 5 + 21);
	assert_int_equal(f.large_chunks, 0);
}

static void larger_blocks_are_the_c_librarys(void **state)
{
	struct tm_footprint f = {0};

	(void)state;
	add(&f, 3, 513, 0); /* 521 rounded up to 528 */
	assert_int_equal(f.large_chunks, 3 * 528);
	/* several that died alike, as the flag says; their sizes are not known singly */
	add(&f, 10, 1000, TM_DF_LARGE);
	assert_int_equal(f.large_chunks, 3 * 528 + 10 * 1008);
	add(&f, 10, 24, 0);
	assert_int_equal(f.large_chunks, 3 * 528 + 10 * 1008);
	assert_int_equal(f.bytes, 3 * 513 + 10 * 1000 + 240);
	assert_int_equal(tm_footprint_small_chunks(&f), 10 * 48);
}

static void blocks_alive_at_both_points_count_for_neither(void **state)
{
	struct story *s = *state;
	struct view v;

	birth(s, "stays", HEAP, 64);
	birth(s, "goes", HEAP + 0x100, 96);
	birth(s, "trash of a", HEAP + 0x200, 160);
	mark(s, "a");
	mark_reclaims(s, HEAP + 0x200);
	birth(s, "comes", HEAP + 0x300, 32);
	birth(s, "comes and goes", HEAP + 0x400, 32);
	birth(s, "trash of b", HEAP + 0x500, 128);
	buffer(s, HEAP + 0x600, 600);
	death(s, HEAP + 0x100);
	death(s, HEAP + 0x400);
	mark(s, "b");
	mark_reclaims(s, HEAP + 0x500);
	birth(s, "later", HEAP + 0x700, 48);
	v = view_of(s, "a", "b");
	/* after the collections made at the marks */
	assert_int_equal(v.diff.gained.objects, 1);
	assert_int_equal(v.diff.gained.bytes, 32 + 600);
	assert_int_equal(v.diff.gained.large_chunks, 608);
	assert_int_equal(v.diff.lost.objects, 1);
	assert_int_equal(v.diff.lost.bytes, 96);
	view_end(&v);
}

/* ---- figures ---- */

static void figures_not_to_be_believed_are_unknown(void **state)
{
	struct tm_figures none = {0}, wild, some = {.rss = 1 << 24, .own = 1 << 20}, f;

	(void)state;
	memset(&wild, 0xf0, sizeof(wild));
	f = tm_figures_known(&none);
	assert_true(f.rss == TM_UNKNOWN && f.arenas == TM_UNKNOWN && f.malloc_free == TM_UNKNOWN);
	f = tm_figures_known(&wild);
	assert_true(f.rss == TM_UNKNOWN && f.own == TM_UNKNOWN && f.arenas == TM_UNKNOWN &&
		    f.malloc_used == TM_UNKNOWN && f.malloc_free == TM_UNKNOWN);
	f = tm_figures_known(&some);
	assert_int_equal(f.arenas, 0); /* none mapped: may be */
	assert_true(f.malloc_used == TM_UNKNOWN && f.malloc_free == TM_UNKNOWN);
	assert_int_equal(tm_figures_resident(&f), (1 << 24) - (1 << 20));
	f.own = TM_UNKNOWN;
	assert_int_equal(tm_figures_resident(&f), 1 << 24);
}

/* ---- parts and rules ---- */

/* A process of 100 MiB that grew by these MiB; live ones are large blocks. */
struct grown {
	int64_t live, arenas_free, native, malloc_free, rest, trash;
};

static struct tm_verdict_facts facts_of(const struct grown *g)
{
	struct tm_verdict_facts f = {
		.from = {.rss = 110 << 20,
			 .own = 10 << 20,
			 .arenas = 40 << 20,
			 .malloc_used = 30 << 20,
			 .malloc_free = 20 << 20},
		.trash_bytes = (uint64_t)(g->trash * MIB),
		.python_hex = PY_3_10,
	};
	int64_t all = g->live + g->arenas_free + g->native + g->malloc_free + g->rest;

	f.to = f.from;
	f.to.own += 5 << 20;
	f.to.rss += (uint64_t)(all * MIB) + (5 << 20);
	f.to.arenas += (uint64_t)(g->arenas_free * MIB);
	f.to.malloc_used += (uint64_t)((g->native + g->live) * MIB);
	f.to.malloc_free += (uint64_t)(g->malloc_free * MIB);
	if (g->live >= 0)
		f.gained.large_chunks = (uint64_t)(g->live * MIB);
	else
		f.lost.large_chunks = (uint64_t)(-g->live * MIB);
	return f;
}

static void expect_finding(const struct grown *g, const char *want)
{
	struct tm_verdict_facts f = facts_of(g);
	struct tm_verdict v;

	tm_verdict_make(&v, &f);
	if (strcmp(tm_finding_name(v.finding), want) != 0)
		fail_msg("live %" PRId64 " arenas %" PRId64 " native %" PRId64 " malloc %" PRId64
			 " rest %" PRId64 " trash %" PRId64 ": %s, expected %s",
			 g->live, g->arenas_free, g->native, g->malloc_free, g->rest, g->trash,
			 tm_finding_name(v.finding), want);
}

static void the_parts_add_up_without_tidemark(void **state)
{
	const struct grown g = {20, 7, -3, 5, -2, 1};
	struct tm_verdict_facts f = facts_of(&g);
	struct tm_verdict v;

	(void)state;
	tm_verdict_make(&v, &f);
	assert_int_equal(v.growth.bytes, 27 * MIB);
	assert_int_equal(v.own.bytes, 5 * MIB);
	assert_int_equal(v.parts[TM_PART_LIVE].bytes, 20 * MIB);
	assert_int_equal(v.parts[TM_PART_ARENAS_FREE].bytes, 7 * MIB);
	assert_int_equal(v.parts[TM_PART_NATIVE].bytes, -3 * MIB);
	assert_int_equal(v.parts[TM_PART_MALLOC_FREE].bytes, 5 * MIB);
	assert_int_equal(v.parts[TM_PART_REST].bytes, -2 * MIB);
	assert_int_equal(tm_verdict_grown(&v), 32 * MIB);
	for (unsigned i = 0; i < TM_PARTS; i++)
		assert_true(v.parts[i].known);
}

static void the_part_of_two_thirds_is_what_grew(void **state)
{
	(void)state;
	expect_finding(&(struct grown){.live = 20, .native = 10}, "objects");
	expect_finding(&(struct grown){.live = 19, .native = 10}, "mixed");
	expect_finding(&(struct grown){.live = 20, .native = 10, .rest = -5}, "objects");
	expect_finding(&(struct grown){.arenas_free = 200, .live = 1}, "arena_space");
	expect_finding(&(struct grown){.arenas_free = 200, .trash = 99}, "arena_space");
	expect_finding(&(struct grown){.arenas_free = 200, .trash = 100}, "cycles");
	expect_finding(&(struct grown){.native = 64}, "native");
	expect_finding(&(struct grown){.native = 64, .live = -10}, "native");
	expect_finding(&(struct grown){.malloc_free = 8}, "malloc_space");
	expect_finding(&(struct grown){.rest = 8, .live = 1}, "elsewhere");
	expect_finding(&(struct grown){10, 10, 10, 10, 10, 0}, "mixed");
}

static void what_is_not_much_is_no_growth(void **state)
{
	struct tm_verdict_facts f;
	struct tm_verdict v;

	(void)state;
	expect_finding(&(struct grown){.live = 0}, "none");
	expect_finding(&(struct grown){.live = 1}, "objects");
	expect_finding(&(struct grown){.live = 5, .arenas_free = -5}, "refilled");
	expect_finding(&(struct grown){.live = 5, .arenas_free = -5, .trash = 2}, "trash");
	expect_finding(&(struct grown){.trash = 1}, "trash");
	expect_finding(&(struct grown){.native = -1}, "shrank");
	expect_finding(&(struct grown){.native = -9, .live = 3}, "shrank");
	/* of a large process it is a half of a percent */
	f = facts_of(&(struct grown){.live = 9});
	f.from.rss += UINT64_C(2000) << 20;
	f.to.rss += UINT64_C(2000) << 20;
	tm_verdict_make(&v, &f);
	assert_int_equal(v.finding, TM_FINDING_NONE);
	f.to.rss += 2 << 20;
	tm_verdict_make(&v, &f);
	assert_int_equal(v.finding, TM_FINDING_OBJECTS);
}

static void what_is_not_known_is_not_guessed(void **state)
{
	struct tm_verdict_facts f = facts_of(&(struct grown){.native = 30, .live = 1});
	struct tm_verdict v;

	(void)state;
	f.to.malloc_used = f.to.malloc_free = TM_UNKNOWN;
	tm_verdict_make(&v, &f);
	assert_int_equal(v.finding, TM_FINDING_UNTOLD);
	assert_false(v.parts[TM_PART_NATIVE].known);
	assert_int_equal(v.parts[TM_PART_REST].bytes, 30 * MIB);
	f.to.rss = TM_UNKNOWN;
	tm_verdict_make(&v, &f);
	assert_int_equal(v.finding, TM_FINDING_UNKNOWN);
	assert_false(v.growth.known || v.parts[TM_PART_REST].known);
	assert_int_equal(v.parts[TM_PART_LIVE].bytes, MIB);
	f = facts_of(&(struct grown){.live = 30});
	f.to.arenas = f.to.malloc_used = f.to.malloc_free = TM_UNKNOWN;
	tm_verdict_make(&v, &f);
	assert_int_equal(v.finding, TM_FINDING_OBJECTS);
	f.from.own = TM_UNKNOWN;
	tm_verdict_make(&v, &f);
	assert_false(v.own.known);
	assert_int_equal(v.growth.bytes, 35 * MIB); /* with what may be ours */
}

static void without_arenas_small_blocks_are_mallocs(void **state)
{
	struct tm_verdict_facts f = facts_of(&(struct grown){.native = 8});
	struct tm_verdict v;

	(void)state;
	f.gained.blocks[1] = 1 << 17; /* of 32 bytes: in chunks of 48, or 4 MiB of pools and more */
	f.from.arenas = f.to.arenas = 0;
	tm_verdict_make(&v, &f);
	assert_int_equal(v.parts[TM_PART_LIVE].bytes, 6 * MIB);
	assert_int_equal(v.parts[TM_PART_NATIVE].bytes, 2 * MIB);
	assert_int_equal(v.parts[TM_PART_ARENAS_FREE].bytes, 0);
	f.to.arenas = 6 << 20;
	tm_verdict_make(&v, &f);
	assert_in_range(v.parts[TM_PART_LIVE].bytes, 4 * MIB, 4 * MIB + MIB / 32);
	assert_int_equal(v.parts[TM_PART_NATIVE].bytes, 8 * MIB);
}

static void no_figures_overflow(void **state)
{
	struct tm_verdict_facts f;
	struct tm_verdict v;

	(void)state;
	for (unsigned spoiled = 0; spoiled < 64; spoiled++) {
		f = facts_of(&(struct grown){.live = 1});
		for (unsigned i = 0; i < TM_FOOTPRINT_CLASSES; i++) {
			f.gained.blocks[i] = spoiled & 1 ? HOSTILE : 0;
			f.lost.blocks[i] = spoiled & 2 ? HOSTILE / 3 : 0;
		}
		f.gained.large_chunks = spoiled & 4 ? HOSTILE / 2 : 0;
		f.lost.large_chunks = spoiled & 8 ? HOSTILE / 2 + 1 : 0;
		f.trash_bytes = spoiled & 16 ? HOSTILE : 0;
		if (spoiled & 32)
			f.from.arenas = f.to.arenas = 0;
		tm_verdict_make(&v, &f);
		assert_true(v.finding < TM_FINDINGS && tm_verdict_grown(&v) > 0);
	}
}

/* ---- words ---- */

static struct tm_figures figures(uint64_t rss, uint64_t arenas, uint64_t used)
{
	return (struct tm_figures){.rss = (rss + 10) << 20,
				   .own = 10 << 20,
				   .arenas = arenas << 20,
				   .malloc_used = used << 20,
				   .malloc_free = 1 << 20};
}

/* Three intervals in each of which a MiB of one line stays. */
static void tell_a_leak(struct story *s)
{
	mark(s, "a");
	figures_at(s, 1, &(struct tm_figures){0});
	at_line(s, "/srv/app.py", "work", 12);
	for (uint64_t i = 0; i < 3; i++) {
		birth(s, "app.Leak", HEAP + 0x1000 * i, 1 << 20);
		mark(s, i == 2 ? "b" : "");
	}
}

static char *report(const struct story *s, const char *from, const char *to, bool json)
{
	struct view v = view_of(s, from, to);
	struct tm_report r = view_report(&v);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (json)
		tm_report_json(&r, out);
	else
		tm_report_text(&r, out);
	fclose(out);
	view_end(&v);
	return text;
}

static void expect_text(const struct story *s, const char *from, const char *to, const char *want)
{
	char *text = report(s, from, to, false);

	if (!strstr(text, want))
		fail_msg("no '%s' in\n%s", want, text);
	free(text);
}

static void the_sentence_names_what_grows_all_the_time(void **state)
{
	struct story *s = *state;
	struct tm_figures before = figures(100, 40, 30), after = figures(104, 40, 33);
	char *text;

	tell_a_leak(s);
	figures_at(s, 1, &before);
	figures_at(s, 4, &after);
	expect_text(s, "a", "b",
		    "the process grew by 4.0 MiB: 1 group grows in every interval and explains 75% "
		    "of the growth\n");
	expect_text(s, "a", "b",
		    "     +3.0 MiB  live objects and buffers; new: app.Leak at app.py:12 3.0 "
		    "MiB\n");
	expect_text(s, "a", "b", "         +0 B  free space inside Python's arenas\n");
	expect_text(s, "a", "b", "     +1.0 MiB  the rest: mappings, stacks, libraries\n");
	expect_text(s, "a", "b", "         +0 B  Tidemark's own memory, in no sum\n");
	/* said once */
	text = report(s, "a", "b", false);
	assert_null(strstr(text, "as leaks do"));
	free(text);
}

static void the_sentence_says_what_is_not_objects(void **state)
{
	struct story *s = *state;
	struct tm_figures before = figures(100, 40, 30), after = figures(200, 140, 30);

	mark(s, "a");
	birth(s, "app.One", HEAP, 64);
	birth(s, "app.Cycle", HEAP + 0x2000, 60 << 20);
	mark(s, "b");
	figures_at(s, 1, &before);
	figures_at(s, 2, &after);
	expect_text(s, "a", "a", "the process did not grow\n");
	death(s, HEAP + 0x2000);
	figures_at(s, 2, &after);
	mark(s, "c");
	figures_at(s, 3, &after);
	expect_text(s, "a", "c",
		    "the process grew by 100.0 MiB: objects are flat; the growth is free arena "
		    "space\n");
	after = figures(130, 40, 60);
	figures_at(s, 3, &after);
	expect_text(s, "a", "c",
		    "objects are flat; the growth is native memory: C code took it and has not "
		    "freed it\n");
	expect_text(s, "a", "now",
		    "by how much the process grew is not known; live objects and "
		    "buffers grew by 64 B\n");
	after.malloc_used = TM_UNKNOWN;
	figures_at(s, 3, &after);
	expect_text(s, "a", "c",
		    "objects are flat; what the growth is can't be told here, only "
		    "between two marks with a collection\n");
	expect_text(s, "a", "c", "    not known  native memory, taken by C code\n");
}

static void trash_that_waited_for_the_mark_is_named(void **state)
{
	struct story *s = *state;
	struct tm_figures before = figures(100, 40, 30), after = figures(160, 100, 30);

	mark(s, "a");
	birth(s, "app.Cycle", HEAP, 50 << 20);
	mark(s, "b");
	mark_reclaims(s, HEAP);
	figures_at(s, 1, &before);
	figures_at(s, 2, &after);
	expect_text(s, "a", "b",
		    "the growth is free arena space, left by cyclic trash that waited for the "
		    "mark's collection\n");
	expect_text(s, "a", "b",
		    "    +50.0 MiB  cyclic trash until the mark's collection took it; "
		    "in no sum\n");
	figures_at(s, 2, &before);
	expect_text(s, "a", "b",
		    "the process did not grow; 50.0 MiB of cyclic trash waited for "
		    "the mark's collection\n");
}

static void the_json_has_figures_parts_and_sentence(void **state)
{
	struct story *s = *state;
	struct tm_figures before = figures(100, 40, 30), after = figures(104, 40, 33);
	json_t *root, *verdict, *want;
	char *text;

	after.malloc_free = TM_UNKNOWN;
	tell_a_leak(s);
	figures_at(s, 1, &before);
	figures_at(s, 4, &after);
	text = report(s, "a", "b", true);
	root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	verdict = json_object_get(root, "verdict");
	want = json_pack("{s:s, s:s, s:i, s:{s:i, s:i, s:i, s:n, s:i}, s:{s:i, s:i}, s:{s:i, s:i},"
			 " s:i, s:i, s:{s:i, s:i, s:i, s:i},"
			 " s:[{s:s, s:{s:s, s:i, s:s}, s:i, s:i}],"
			 " s:{s:i, s:i, s:i, s:i, s:i}, s:{s:i, s:i, s:i, s:i, s:n}}",
			 "finding", "objects", "sentence",
			 "the process grew by 4.0 MiB: 1 group grows in every interval and "
			 "explains 75% of the growth",
			 "growth", 4 << 20, "parts", "live", (3 << 20) + 48, "arenas_free", 0,
			 "native", -48, "malloc_free", "rest", 1 << 20, "gained", "objects", 3,
			 "bytes", 3 << 20, "lost", "objects", 0, "bytes", 0, "trash", 0, "own", 0,
			 "steady", "intervals", 3, "of_groups", 1, "groups", 1, "bytes", 3 << 20,
			 "top", "type", "app.Leak", "site", "file", "/srv/app.py", "line", 12,
			 "function", "work", "objects", 3, "bytes", 3 << 20, "from", "rss",
			 110 << 20, "own", 10 << 20, "arenas", 40 << 20, "malloc_used", 30 << 20,
			 "malloc_free", 1 << 20, "to", "rss", 114 << 20, "own", 10 << 20, "arenas",
			 40 << 20, "malloc_used", 33 << 20, "malloc_free");
	assert_non_null(want);
	if (!json_equal(verdict, want))
		fail_msg("%s", text);
	json_decref(want);
	json_decref(root);
	free(text);
}

static void names_of_any_bytes_stay_harmless(void **state)
{
	struct story *s = *state;
	struct tm_figures before = figures(100, 40, 30), after = figures(110, 40, 40);
	json_t *root;
	char *text;

	mark(s, "a");
	at_line(s, "/srv/\x1b[31m.py", "\xff", 12);
	birth(s, "app.\x1b[2J\xc3", HEAP, 10 << 20);
	mark(s, "b");
	figures_at(s, 1, &before);
	figures_at(s, 2, &after);
	expect_text(s, "a", "b", "100% of what survived is app.\\x1b[2J\\xc3 at \\x1b[31m.py:12\n");
	text = report(s, "a", "b", false);
	assert_null(strchr(text, '\x1b'));
	free(text);
	text = report(s, "a", "b", true);
	root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	json_decref(root);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_blocks_fill_pools_of_their_size),
		cmocka_unit_test(larger_blocks_are_the_c_librarys),
		STORY_TEST(blocks_alive_at_both_points_count_for_neither),
		cmocka_unit_test(figures_not_to_be_believed_are_unknown),
		cmocka_unit_test(the_parts_add_up_without_tidemark),
		cmocka_unit_test(the_part_of_two_thirds_is_what_grew),
		cmocka_unit_test(what_is_not_much_is_no_growth),
		cmocka_unit_test(what_is_not_known_is_not_guessed),
		cmocka_unit_test(without_arenas_small_blocks_are_mallocs),
		cmocka_unit_test(no_figures_overflow),
		STORY_TEST(the_sentence_names_what_grows_all_the_time),
		STORY_TEST(the_sentence_says_what_is_not_objects),
		STORY_TEST(trash_that_waited_for_the_mark_is_named),
		STORY_TEST(the_json_has_figures_parts_and_sentence),
		STORY_TEST(names_of_any_bytes_stay_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

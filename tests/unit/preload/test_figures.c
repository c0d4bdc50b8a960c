/* test_figures.c - what the process consists of: resident set, own memory, arenas, heap */
#include "rig.h"

#include "figures.h"
#include "pages.h"

#include <malloc.h>

#define KB  1024ul
#define MB  (1024ul * KB)
#define FAR (UINT64_MAX / 4) /* a budget for anything */

/* Far larger than what a sanitizer does meanwhile. */
#define MUCH (64 * MB)

static unsigned allocations, releases;

static void *get_arena(void *ctx, size_t size)
{
	assert_ptr_equal(ctx, &allocations);
	allocations++;
	return size == 7 * MB ? NULL : (void *)(uintptr_t)0x10000;
}

static void put_arena(void *ctx, void *arena, size_t size)
{
	assert_ptr_equal(ctx, &allocations);
	assert_non_null(arena);
	assert_true(size > 0);
	releases++;
}

static const struct tm_arena_allocator own = {&allocations, get_arena, put_arena};

static struct tm_figures now(enum tm_figures_how how)
{
	struct tm_figures figures;

	memset(&figures, 0x5a, sizeof(figures));
	tm_figures_take(&figures, how, how == TM_FIGURES_FULL ? FAR : 0);
	return figures;
}

static int ended(int result)
{
	rig_end();
	return result;
}

/* The hook stays for the life of a process, so its story is told in one of its own. */
static int with_arenas(int (*story)(void))
{
	rig_configure();
	rig_begin(TM_FAMILY_TRACER);
	rig.arenas = own;
	rig.allocator = "pymalloc";
	tm_figures_install();
	return ended(story());
}

/* ---- arenas ------------------------------------------------------------------------- */

static int arenas_are_counted_story(void)
{
	struct tm_figures start = now(TM_FIGURES_QUICK);
	void *arena;

	RIG_CHECK(start.arenas == 0 && start.arena_count == 0);
	arena = rig.arenas.alloc(rig.arenas.ctx, MB);
	RIG_CHECK(arena == (void *)(uintptr_t)0x10000);
	RIG_CHECK(rig.arenas.alloc(rig.arenas.ctx, 256 * KB));
	RIG_CHECK(rig.arenas.alloc(rig.arenas.ctx, 16 * KB)); /* a stack of frames */
	RIG_CHECK(!rig.arenas.alloc(rig.arenas.ctx, 7 * MB)); /* refused */
	RIG_CHECK(allocations == 4);
	RIG_CHECK(now(TM_FIGURES_QUICK).arenas == MB + 256 * KB);
	RIG_CHECK(now(TM_FIGURES_FULL).arena_count == 2);
	RIG_CHECK(now(TM_FIGURES_BARE).arenas == MB + 256 * KB);
	rig.arenas.free(rig.arenas.ctx, arena, MB);
	rig.arenas.free(rig.arenas.ctx, arena, 16 * KB);
	RIG_CHECK(releases == 2);
	RIG_CHECK(now(TM_FIGURES_QUICK).arenas == 256 * KB);
	RIG_CHECK(now(TM_FIGURES_QUICK).arena_count == 1);
	return 0;
}

static int another_hook_is_noticed_story(void)
{
	struct tm_arena_allocator ours = rig.arenas;

	RIG_CHECK(now(TM_FIGURES_QUICK).arenas == 0);
	rig.arenas = own;
	RIG_CHECK(now(TM_FIGURES_QUICK).arenas == TM_UNKNOWN);
	RIG_CHECK(now(TM_FIGURES_QUICK).arena_count == TM_UNKNOWN);
	/* what came and went meanwhile is not known later either */
	rig.arenas = ours;
	RIG_CHECK(now(TM_FIGURES_FULL).arenas == TM_UNKNOWN);
	return 0;
}

static int a_second_life_with_the_hook_in_place_story(void)
{
	struct tm_arena_allocator ours = rig.arenas;

	rig.arenas.alloc(rig.arenas.ctx, MB);
	tm_figures_install();
	RIG_CHECK(rig.arenas.alloc == ours.alloc && rig.arenas.ctx == ours.ctx);
	RIG_CHECK(now(TM_FIGURES_QUICK).arenas == MB);
	return 0;
}

static int a_second_life_without_it_story(void)
{
	rig.arenas.alloc(rig.arenas.ctx, MB);
	rig.arenas = own;
	tm_figures_install();
	RIG_CHECK(rig.arenas.alloc != own.alloc);
	RIG_CHECK(now(TM_FIGURES_QUICK).arenas == TM_UNKNOWN);
	return 0;
}

static int mimalloc_story(void)
{
	rig_configure();
	rig_begin(TM_FAMILY_TRACER);
	rig.arenas = own;
	rig.allocator = "mimalloc_debug";
	tm_figures_install();
	RIG_CHECK(now(TM_FIGURES_FULL).arenas == TM_UNKNOWN);
	return ended(0);
}

static int arenas_are_counted_in(void)
{
	return with_arenas(arenas_are_counted_story);
}

static int another_hook_in(void)
{
	return with_arenas(another_hook_is_noticed_story);
}

static int second_life_in(void)
{
	return with_arenas(a_second_life_with_the_hook_in_place_story);
}

static int second_life_without_in(void)
{
	return with_arenas(a_second_life_without_it_story);
}

static void arenas_are_counted(void **state)
{
	(void)state;
	rig_apart(arenas_are_counted_in);
}

static void another_hook_is_noticed(void **state)
{
	(void)state;
	rig_apart(another_hook_in);
}

static void a_second_life_keeps_the_count_or_knows_that_it_cannot(void **state)
{
	(void)state;
	rig_apart(second_life_in);
	rig_apart(second_life_without_in);
}

static void of_mimalloc_nothing_is_known(void **state)
{
	(void)state;
	rig_apart(mimalloc_story);
}

/* ---- the resident set and Tidemark's part of it --------------------------------------- */

/* What /proc says, counted by the test. */
static uint64_t rss_of_smaps(void)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	unsigned long kb;
	uint64_t total = 0;
	char line[512];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Rss: %lu kB", &kb) == 1)
			total += kb * KB;
	}
	fclose(file);
	return total;
}

static void expect_near(uint64_t value, uint64_t expected, uint64_t most)
{
	if (value + most < expected || expected + most < value)
		fail_msg("%llu is not within %llu of %llu", (unsigned long long)value,
			 (unsigned long long)most, (unsigned long long)expected);
}

static void the_resident_set_is_what_is_resident(void **state)
{
	uint64_t before, summed;
	char *much;

	(void)state;
	before = now(TM_FIGURES_FULL).rss;
	summed = rss_of_smaps();
	expect_near(before, summed, MB);
	expect_near(now(TM_FIGURES_QUICK).rss, summed, 8 * MB);
	/* writing to it would take memory of a sanitizer's as well */
	much = mmap(NULL, MUCH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
		    -1, 0);
	expect_near(now(TM_FIGURES_FULL).rss - before, MUCH, MB);
	munmap(much, MUCH);
}

/* A count that would take longer than it may is not made: the kernel's own is good enough. */
static void a_budget_is_kept(void **state)
{
	struct tm_figures figures;

	(void)state;
	now(TM_FIGURES_FULL);
	tm_figures_take(&figures, TM_FIGURES_FULL, 1);
	expect_near(figures.rss, rss_of_smaps(), 8 * MB);
}

static void what_the_recorder_takes_is_its_own(void **state)
{
	uint64_t before = now(TM_FIGURES_QUICK).own, own_now;
	char *pages;

	(void)state;
	assert_true(before > TM_REGION_ALIGN);
	assert_true(tm_segment_back(TM_R_SITES, 4 * MB));
	own_now = now(TM_FIGURES_QUICK).own;
	assert_int_equal(own_now - before, 4 * MB);
	pages = tm_pages(MUCH);
	assert_int_equal(now(TM_FIGURES_QUICK).own, own_now);
	memset(pages, 1, 5 * MB);
	expect_near(now(TM_FIGURES_BARE).own, own_now + 5 * MB, 2 * MB);
	tm_pages_free(pages, MUCH);
	assert_int_equal(now(TM_FIGURES_QUICK).own, own_now);
}

static void small_pages_count_whole_and_many_large_ones_too(void **state)
{
	enum {
		MANY = 300
	};
	uint64_t before = tm_pages_resident();
	char *pages[MANY];

	(void)state;
	pages[0] = tm_pages(5000);
	assert_int_equal(tm_pages_resident(), before + 8192);
	tm_pages_free(pages[0], 5000);
	assert_int_equal(tm_pages_resident(), before);
	for (unsigned i = 0; i < MANY; i++) {
		pages[i] = tm_pages(64 * KB);
		pages[i][0] = 1;
	}
	/* where there is no place to remember them, all of them */
	assert_in_range(tm_pages_resident(), before + MANY * 4 * KB, before + MANY * 64 * KB);
	for (unsigned i = 0; i < MANY; i++)
		tm_pages_free(pages[i], 64 * KB);
	assert_int_equal(tm_pages_resident(), before);
}

/* ---- the C library's heap -------------------------------------------------------------- */

/* Under a sanitizer malloc() is not the C library's. */
static void another_malloc_is_noticed(void **state)
{
	size_t before = mallinfo2().uordblks;
	void *volatile block = malloc(30000);
	bool is_other = mallinfo2().uordblks < before + 30000;

	(void)state;
	free(block);
	if (!is_other)
		skip();
	tm_figures_install();
	assert_int_equal(now(TM_FIGURES_FULL).malloc_used, TM_UNKNOWN);
	assert_int_equal(now(TM_FIGURES_FULL).malloc_free, TM_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arenas_are_counted),
		cmocka_unit_test(another_hook_is_noticed),
		cmocka_unit_test(a_second_life_keeps_the_count_or_knows_that_it_cannot),
		cmocka_unit_test(of_mimalloc_nothing_is_known),
		RIG_TEST(the_resident_set_is_what_is_resident),
		RIG_TEST(a_budget_is_kept),
		RIG_TEST(what_the_recorder_takes_is_its_own),
		RIG_TEST(small_pages_count_whole_and_many_large_ones_too),
		RIG_TEST(another_malloc_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

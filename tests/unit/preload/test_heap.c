/* test_heap.c - when the C library is asked for its heap, with a stand-in for mallinfo2() */
#include "rig.h"

#include "figures.h"
#include "heap.h"

#include <malloc.h>
#include <time.h>

#define MB     (1024ul * 1024)
#define BUDGET 400000ul

static struct {
	unsigned asked;
	uint64_t lasts_ns; /* each time that it is asked */
	size_t pieces;
	size_t used;
} heap;

static uint64_t cpu_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

/* Grows by more than any block that is asked for meanwhile, as if it were malloc()'s own count. */
static struct mallinfo2 tells(void)
{
	uint64_t end_ns = cpu_ns() + heap.lasts_ns;

	while (cpu_ns() < end_ns)
		;
	heap.asked++;
	heap.used += 50000;
	return (struct mallinfo2){.uordblks = heap.used,
				  .hblkhd = 7 * MB,
				  .fordblks = 3 * MB,
				  .ordblks = heap.pieces / 2,
				  .smblks = heap.pieces - heap.pieces / 2};
}

static struct mallinfo2 tells_of_another(void)
{
	return (struct mallinfo2){.uordblks = 12345};
}

static int begin(void **state)
{
	rig_setup(state);
	memset(&heap, 0, sizeof(heap));
	tm_heap_ask(tells);
	heap.asked = 0;
	return 0;
}

static int end(void **state)
{
	tm_heap_ask(NULL);
	return rig_teardown(state);
}

static struct tm_figures take_with(uint64_t rss, uint64_t budget_ns)
{
	struct tm_figures figures = {.rss = rss,
				     .own = 10 * MB,
				     .arenas = 20 * MB,
				     .malloc_used = TM_UNKNOWN,
				     .malloc_free = TM_UNKNOWN};

	tm_heap_take(&figures, budget_ns);
	return figures;
}

static struct tm_figures take(uint64_t budget_ns)
{
	return take_with(50 * MB, budget_ns);
}

static void expect_known(struct tm_figures figures)
{
	assert_int_equal(figures.malloc_used, heap.used + 7 * MB);
	assert_int_equal(figures.malloc_free, 3 * MB);
	assert_int_equal(figures.heap_ns, 0);
}

static void expect_unknown(struct tm_figures figures, uint64_t least_ns)
{
	assert_true(figures.malloc_used == TM_UNKNOWN && figures.malloc_free == TM_UNKNOWN);
	assert_true(figures.heap_ns >= least_ns);
}

static void what_is_mapped_for_one_block_counts_as_handed_out(void **state)
{
	(void)state;
	expect_known(take(TM_HEAP_ANY));
	expect_known(take(BUDGET));
}

static void nothing_is_known_of_another_malloc_nor_without_the_function(void **state)
{
	(void)state;
	tm_heap_ask(tells_of_another);
	expect_unknown(take(TM_HEAP_ANY), 0);
	tm_heap_ask(NULL);
	expect_unknown(take(TM_HEAP_ANY), 0);
	assert_int_equal(take(0).heap_ns, 0);
}

/* 200,000 pieces: 2 ms.  It is over when somebody who has the time finds that they are gone. */
static void what_took_long_is_not_done_again_within_a_small_budget(void **state)
{
	(void)state;
	heap.pieces = 200000;
	heap.lasts_ns = 2000000;
	expect_known(take(TM_HEAP_ANY));
	heap.asked = 0;
	for (unsigned i = 0; i < 3; i++)
		expect_unknown(take(BUDGET), 2000000);
	assert_int_equal(heap.asked, 0);
	expect_known(take(50000000));
	heap.pieces = 200;
	heap.lasts_ns = 0;
	expect_unknown(take(BUDGET), 2000000);
	expect_known(take(TM_HEAP_ANY));
	expect_known(take(BUDGET));
}

/* The machine may have been busy with something else. */
static void few_pieces_are_no_long_work_whatever_they_took(void **state)
{
	(void)state;
	heap.pieces = 300;
	heap.lasts_ns = 2000000;
	expect_known(take(TM_HEAP_ANY));
	heap.lasts_ns = 0;
	expect_known(take(BUDGET));
	heap.pieces = 3000; /* 0.9 ms at most */
	heap.lasts_ns = 2000000;
	expect_known(take(BUDGET));
	expect_unknown(take(BUDGET), BUDGET);
}

/* The break is the test's own to move: a sanitizer's heap is elsewhere. */
static void a_heap_that_grew_much_may_be_full_of_holes(void **state)
{
	(void)state;
	heap.pieces = 100;
	expect_known(take(TM_HEAP_ANY));
	assert_true(sbrk(4 * MB) != (void *)-1);
	expect_known(take(BUDGET));
	assert_true(sbrk(12 * MB) != (void *)-1);
	expect_unknown(take(BUDGET), 600000);
	expect_known(take(1000000));
	expect_known(take(BUDGET));
	sbrk(-16 * (intptr_t)MB);
	expect_known(take(BUDGET));
}

static void heaps_of_other_threads_are_in_what_is_resident_beside_arenas(void **state)
{
	struct tm_region *threads = &tm_segment.header->regions[TM_R_THREADS];

	(void)state;
	expect_known(take_with(50 * MB, TM_HEAP_ANY));
	tm_put(&threads->used, 2);
	expect_known(take_with(150 * MB, BUDGET));
	expect_known(take_with(50 * MB, BUDGET));
	tm_put(&threads->used, 3);
	expect_known(take_with(54 * MB, BUDGET));
	expect_unknown(take_with(154 * MB, BUDGET), 4000000);
	expect_known(take_with(154 * MB, TM_HEAP_ANY));
	expect_known(take_with(154 * MB, BUDGET));
	expect_known(take_with(50 * MB, BUDGET));
}

/* ---- as part of the figures --------------------------------------------------------- */

static struct tm_figures figures(enum tm_figures_how how)
{
	struct tm_figures out;

	tm_figures_take(&out, how, 0);
	return out;
}

static void only_marks_in_a_hurry_go_without(void **state)
{
	(void)state;
	heap.pieces = 100000;
	heap.lasts_ns = 2000000;
	expect_known(figures(TM_FIGURES_FULL));
	expect_known(figures(TM_FIGURES_FULL));
	expect_unknown(figures(TM_FIGURES_QUICK), 2000000);
	expect_unknown(figures(TM_FIGURES_BARE), 0);
	assert_int_equal(figures(TM_FIGURES_BARE).heap_ns, 0);
}

static void a_long_collection_has_the_time_to_look(void **state)
{
	(void)state;
	heap.pieces = 100000;
	heap.lasts_ns = 2000000;
	expect_known(figures(TM_FIGURES_FULL));
	heap.lasts_ns = 0;
	heap.asked = 0;
	tm_figures_look_at_heap(BUDGET);
	tm_figures_look_at_heap(1000000);
	assert_int_equal(heap.asked, 0);
	expect_unknown(figures(TM_FIGURES_QUICK), 2000000);
	tm_figures_look_at_heap(50000000);
	assert_int_equal(heap.asked, 1);
	expect_known(figures(TM_FIGURES_QUICK));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_mapped_for_one_block_counts_as_handed_out),
		TEST(nothing_is_known_of_another_malloc_nor_without_the_function),
		TEST(what_took_long_is_not_done_again_within_a_small_budget),
		TEST(few_pieces_are_no_long_work_whatever_they_took),
		TEST(a_heap_that_grew_much_may_be_full_of_holes),
		TEST(heaps_of_other_threads_are_in_what_is_resident_beside_arenas),
		TEST(only_marks_in_a_hurry_go_without),
		TEST(a_long_collection_has_the_time_to_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

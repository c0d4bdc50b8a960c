#include "heap.h"

#include "segment.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST_NS_A_PIECE	 300ull /* where none of them is in a cache */
#define USUAL_NS_A_PIECE 100ull
#define BYTES_A_PIECE	 2048ull /* of memory that the heap has grown by */

typedef struct mallinfo2 (*heap_function)(void);
static heap_function heap_info;

/* When it was last asked. */
static struct {
	uint64_t ns;	 /* CPU time it took */
	uint64_t pieces; /* of free memory */
	uintptr_t top;	 /* end of the heap of the main thread */
	uint64_t around; /* resident memory that other threads' heaps may be in */
} last;

/* ---- which malloc() it is --------------------------------------------------------- */

/*
 * Whether malloc() is the C library's own; a program may bring another one along.  Names do not
 * tell: a program that is not relocatable has an address of its own for the same function.  What
 * is asked for is less than what would be mapped, and is given back at once.
 */
static bool counts(heap_function info)
{
	const size_t size = 20000;
	size_t before = info().uordblks;
	void *volatile block = malloc(size);
	size_t after = info().uordblks;

	free(block);
	return block && after >= before + size;
}

void tm_heap_ask(heap_function info)
{
	heap_info = info && counts(info) ? info : NULL;
}

/* malloc_info() would take memory itself. */
void tm_heap_install(void)
{
	void *address = dlsym(RTLD_DEFAULT, "mallinfo2");
	heap_function info;

	memcpy((void *)&info, &address, sizeof(address));
	tm_heap_ask(info);
}

/* ---- what it will take ------------------------------------------------------------ */

static uintptr_t top(void)
{
	return (uintptr_t)sbrk(0);
}

/* Resident, and neither CPython's arenas nor Tidemark's own. */
static uint64_t around(const struct tm_figures *figures)
{
	uint64_t other = figures->own + (figures->arenas != TM_UNKNOWN ? figures->arenas : 0);

	return figures->rss != TM_UNKNOWN && figures->rss > other ? figures->rss - other : 0;
}

/* Another thread's heap is among its mappings.  Slot 0 is no thread's own. */
static bool has_threads(void)
{
	return tm_get(&tm_segment.header->regions[TM_R_THREADS].used) > 2;
}

static uint64_t growth(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

static uint64_t expected_ns(const struct tm_figures *figures)
{
	uint64_t most = last.pieces * MOST_NS_A_PIECE;
	uint64_t grown = growth(top(), last.top);

	if (has_threads())
		grown += growth(around(figures), last.around);
	return (last.ns < most ? last.ns : most) + grown / BYTES_A_PIECE * USUAL_NS_A_PIECE;
}

/* ---- the figures ------------------------------------------------------------------ */

static uint64_t cpu_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

static void ask(struct tm_figures *out)
{
	uint64_t began_ns = cpu_ns();
	struct mallinfo2 heap = heap_info();

	last.ns = cpu_ns() - began_ns;
	last.pieces = heap.ordblks + heap.smblks;
	last.top = top();
	last.around = around(out);
	out->malloc_used = heap.uordblks + heap.hblkhd;
	out->malloc_free = heap.fordblks;
}

void tm_heap_take(struct tm_figures *out, uint64_t budget_ns)
{
	uint64_t expected;

	if (!heap_info)
		return;
	expected = expected_ns(out);
	if (expected <= budget_ns)
		ask(out);
	else
		out->heap_ns = expected;
}

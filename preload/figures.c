#include "figures.h"

#include "arenas.h"
#include "cpython/cpython.h"
#include "heap.h"
#include "pages.h"
#include "proc.h"
#include "segment.h"

#include <string.h>
#include <time.h>

/* ---- CPython's arenas ------------------------------------------------------------- */

/*
 * From 3.11 on the same allocator serves the stacks of Python frames, 16 KiB at first
 * (Python/pystate.c, allocate_chunk); an arena has 256 KiB, 1 MiB from 3.10 on
 * (Objects/obmalloc.c, ARENA_SIZE).
 */
#define ARENA_LEAST (256ul << 10)

static struct tm_arena_allocator beneath; /* what was there before us */
static _Atomic uint64_t arena_bytes, arena_count;
static _Atomic bool arenas_known;

static void *arena_alloc(void *ctx, size_t size)
{
	void *arena = beneath.alloc(ctx, size);

	if (arena && size >= ARENA_LEAST) {
		atomic_fetch_add_explicit(&arena_bytes, size, memory_order_relaxed);
		atomic_fetch_add_explicit(&arena_count, 1, memory_order_relaxed);
		tm_arenas_made((uintptr_t)arena, size);
	}
	return arena;
}

static void arena_free(void *ctx, void *arena, size_t size)
{
	if (size >= ARENA_LEAST) {
		atomic_fetch_sub_explicit(&arena_bytes, size, memory_order_relaxed);
		atomic_fetch_sub_explicit(&arena_count, 1, memory_order_relaxed);
		tm_arenas_gone((uintptr_t)arena, size);
	}
	beneath.free(ctx, arena, size);
}

static bool is_ours(const struct tm_arena_allocator *allocator)
{
	return allocator->alloc == arena_alloc && allocator->free == arena_free;
}

/* mimalloc (PYTHONMALLOC=mimalloc, 3.13 and newer) maps memory by itself. */
static bool uses_mimalloc(void)
{
	const char *name = tm_python.allocator_name();

	return name && strncmp(name, "mimalloc", 8) == 0;
}

/*
 * A second life of the interpreter may find the hook of the first in place, or gone together with
 * its count of arenas (Python/pystate.c, _PyRuntimeState_Init from 3.12 on).
 */
static void hook_arenas(void)
{
	struct tm_arena_allocator ours = {.alloc = arena_alloc, .free = arena_free};
	struct tm_arena_allocator now;

	tm_python.get_arena_allocator(&now);
	if (is_ours(&now))
		return;
	tm_put(&arenas_known, !beneath.alloc && !uses_mimalloc());
	beneath = now;
	ours.ctx = now.ctx;
	tm_python.set_arena_allocator(&ours);
}

/* Another's hook may pass calls on to ours or not. */
static void check_arenas(void)
{
	struct tm_arena_allocator now;

	tm_python.get_arena_allocator(&now);
	if (!is_ours(&now))
		tm_put(&arenas_known, false);
}

static void take_arenas(struct tm_figures *out)
{
	if (!tm_get(&arenas_known))
		return;
	out->arenas = tm_get(&arena_bytes);
	out->arena_count = tm_get(&arena_count);
}

/* ---- Tidemark's own --------------------------------------------------------------- */

/* From the first byte of this shared object in memory to its last. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

/* What is reserved in the recording is populated; the shared object counts whole. */
static void take_own(struct tm_figures *out)
{
	out->own_private = tm_pages_resident() + ((uintptr_t)_end - (uintptr_t)__ehdr_start);
	out->own = tm_get(&tm_segment.reserved) + out->own_private;
}

/* ---- the resident set ------------------------------------------------------------- */

/* Of counting it page by page, when that was last done; at first a guess. */
static uint64_t ns_per_mb = 5000;

static uint64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

/* Page by page, 0 where that cannot be had. */
static uint64_t count_pages(void)
{
	uint64_t began_ns = now_ns();
	uint64_t bytes = tm_proc_rss_exact();

	if (bytes)
		ns_per_mb = (now_ns() - began_ns) / ((bytes >> 20) + 1);
	return bytes;
}

static uint64_t resident_set(uint64_t budget_ns)
{
	uint64_t kept = tm_proc_rss();
	uint64_t counted = 0;

	if (budget_ns && (kept >> 20) * ns_per_mb <= budget_ns)
		counted = count_pages();
	if (counted)
		return counted;
	return kept ? kept : TM_UNKNOWN;
}

/* ---- all of them ------------------------------------------------------------------ */

/* Of the millisecond that a mark without a collection may take. */
#define HEAP_BUDGET_NS 400000ull

void tm_figures_install(void)
{
	tm_heap_install();
	hook_arenas();
}

static void take(struct tm_figures *out, uint64_t pages_ns)
{
	memset(out, 0, sizeof(*out));
	out->rss = resident_set(pages_ns);
	take_own(out);
	out->arenas = out->arena_count = TM_UNKNOWN;
	out->malloc_used = out->malloc_free = TM_UNKNOWN;
	take_arenas(out);
}

void tm_figures_take(struct tm_figures *out, enum tm_figures_how how, uint64_t budget_ns)
{
	if (how == TM_FIGURES_FULL || how == TM_FIGURES_QUICK)
		check_arenas();
	take(out, budget_ns);
	if (how != TM_FIGURES_BARE)
		tm_heap_take(out, how == TM_FIGURES_FULL ? TM_HEAP_ANY : HEAP_BUDGET_NS);
}

void tm_figures_look_at_heap(uint64_t budget_ns)
{
	struct tm_figures unused;

	if (budget_ns <= HEAP_BUDGET_NS)
		return;
	take(&unused, 0);
	tm_heap_take(&unused, budget_ns);
}

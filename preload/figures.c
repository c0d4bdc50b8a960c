#include "figures.h"

#include "cpython/cpython.h"
#include "proc.h"
#include "segment.h"

#include <dlfcn.h>
#include <malloc.h>
#include <string.h>

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
	}
	return arena;
}

static void arena_free(void *ctx, void *arena, size_t size)
{
	if (size >= ARENA_LEAST) {
		atomic_fetch_sub_explicit(&arena_bytes, size, memory_order_relaxed);
		atomic_fetch_sub_explicit(&arena_count, 1, memory_order_relaxed);
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

/* ---- the C library's heap --------------------------------------------------------- */

/* Since glibc 2.33; malloc_info() would take memory itself. */
static struct mallinfo2 (*info)(void);

/* Whether malloc() is the C library's own: a program may bring another one along. */
static bool has_own_malloc(void)
{
	void *function = dlsym(RTLD_DEFAULT, "malloc");
	void *library = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
	Dl_info of_function, of_library;

	return function && library && dladdr(function, &of_function) &&
	       dladdr(library, &of_library) && of_function.dli_fbase == of_library.dli_fbase;
}

static void find_info(void)
{
	void *address = has_own_malloc() ? dlsym(RTLD_DEFAULT, "mallinfo2") : NULL;

	memcpy((void *)&info, &address, sizeof(address));
}

static void take_malloc(struct tm_figures *out)
{
	struct mallinfo2 heap;

	if (!info)
		return;
	heap = info();
	out->malloc_used = heap.uordblks + heap.hblkhd;
	out->malloc_free = heap.fordblks;
}

/* ---- all of them ------------------------------------------------------------------ */

/* From the first byte of this shared object in memory to its last. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

/*
 * What is reserved in the recording is populated; of the private memory and the shared object some
 * pages may never have been touched, a few hundred KiB in all.
 */
static uint64_t own_bytes(void)
{
	return tm_get(&tm_segment.reserved) + tm_pages_held() + (uint64_t)(_end - __ehdr_start);
}

static uint64_t or_unknown(uint64_t bytes)
{
	return bytes ? bytes : TM_UNKNOWN;
}

void tm_figures_install(void)
{
	find_info();
	hook_arenas();
}

void tm_figures_take(struct tm_figures *out, enum tm_figures_how how)
{
	uint64_t rss = how == TM_FIGURES_EXACT ? tm_proc_rss_exact() : 0;

	memset(out, 0, sizeof(*out));
	out->rss = rss ? rss : or_unknown(tm_proc_rss());
	out->own = own_bytes();
	out->arenas = out->arena_count = TM_UNKNOWN;
	out->malloc_used = out->malloc_free = TM_UNKNOWN;
	if (how != TM_FIGURES_BARE)
		check_arenas();
	take_arenas(out);
	if (how == TM_FIGURES_EXACT)
		take_malloc(out);
}

/*
 * mark_figures.c - unknown is unknown, whatever the bytes say
 */
#include "mark_figures.h"

#include <string.h>

#include "jsonout.h"

/* More than an address space has. */
#define MOST_BYTES (1ull << 48)

static uint64_t known(uint64_t bytes)
{
	return bytes <= MOST_BYTES ? bytes : TM_UNKNOWN;
}

struct tm_figures tm_figures_known(const struct tm_figures *figures)
{
	struct tm_figures f = {
		.rss = known(figures->rss),
		.own = known(figures->own),
		.arenas = known(figures->arenas),
		.arena_count = figures->arena_count,
		.malloc_used = known(figures->malloc_used),
		.malloc_free = known(figures->malloc_free),
	};

	if (f.rss == 0)
		f.rss = f.own = f.arenas = f.arena_count = TM_UNKNOWN;
	/* an interpreter has something of the C library's heap */
	if (figures->rss == 0 || f.malloc_used == 0)
		f.malloc_used = f.malloc_free = TM_UNKNOWN;
	return f;
}

uint64_t tm_figures_resident(const struct tm_figures *f)
{
	if (f->rss == TM_UNKNOWN || f->own == TM_UNKNOWN)
		return f->rss;
	return f->rss > f->own ? f->rss - f->own : 0;
}

static void set(json_t *object, const char *name, uint64_t bytes)
{
	json_object_set_new(object, name, bytes == TM_UNKNOWN ? json_null() : tm_json_count(bytes));
}

json_t *tm_figures_json(const struct tm_figures *figures)
{
	struct tm_figures f = tm_figures_known(figures);
	json_t *object = json_object();

	set(object, "rss", f.rss);
	set(object, "own", f.own);
	set(object, "arenas", f.arenas);
	set(object, "malloc_used", f.malloc_used);
	set(object, "malloc_free", f.malloc_free);
	return object;
}

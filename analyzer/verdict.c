/*
 * verdict.c - figures and rules; the words are in report_verdict.c
 */
#include "verdict.h"

#include <string.h>

#define MUCH_LEAST 1048576u
#define MUCH_SHARE 200u /* one part in so many of what is resident */

/* Sums of a few amounts do not overflow, whatever a recording says. */
#define MOST_AMOUNT ((int64_t)1 << 56)

static struct tm_amount amount(uint64_t from, uint64_t to)
{
	int64_t bytes = (int64_t)(to - from);

	if (bytes > MOST_AMOUNT)
		bytes = MOST_AMOUNT;
	if (bytes < -MOST_AMOUNT)
		bytes = -MOST_AMOUNT;
	return (struct tm_amount){true, bytes};
}

static struct tm_amount growth(uint64_t from, uint64_t to)
{
	struct tm_amount unknown = {false, 0};

	return from == TM_UNKNOWN || to == TM_UNKNOWN ? unknown : amount(from, to);
}

static struct tm_amount less(struct tm_amount amount, int64_t bytes)
{
	if (amount.known)
		amount.bytes -= bytes;
	return amount;
}

/* CPython told to use malloc() for everything (PYTHONMALLOC) maps no arenas. */
static bool uses_arenas(const struct tm_verdict_facts *f)
{
	return f->from.arenas != 0 || f->to.arenas != 0;
}

static void split(struct tm_verdict *v, const struct tm_verdict_facts *f)
{
	const struct tm_footprint *a = &f->lost, *b = &f->gained;
	int64_t chunks = amount(a->large_chunks, b->large_chunks).bytes;
	int64_t small = 0;

	if (uses_arenas(f))
		small = amount(tm_footprint_arenas(a, f->python_hex),
			       tm_footprint_arenas(b, f->python_hex))
				.bytes;
	else
		chunks += amount(tm_footprint_small_chunks(a), tm_footprint_small_chunks(b)).bytes;
	v->parts[TM_PART_LIVE] = (struct tm_amount){true, small + chunks};
	v->parts[TM_PART_ARENAS_FREE] = less(growth(f->from.arenas, f->to.arenas), small);
	v->parts[TM_PART_NATIVE] = less(growth(f->from.malloc_used, f->to.malloc_used), chunks);
	v->parts[TM_PART_MALLOC_FREE] = growth(f->from.malloc_free, f->to.malloc_free);
	v->parts[TM_PART_REST] = v->growth;
	for (unsigned i = 0; i < TM_PART_REST; i++)
		v->parts[TM_PART_REST] = less(v->parts[TM_PART_REST], v->parts[i].bytes);
}

static bool is_much(const struct tm_verdict *v, int64_t bytes)
{
	return bytes > 0 && (uint64_t)bytes >= v->much;
}

static enum tm_finding without_growth(const struct tm_verdict *v)
{
	if (is_much(v, -v->growth.bytes))
		return TM_FINDING_SHRANK;
	if (v->trash_bytes >= v->much)
		return TM_FINDING_TRASH;
	if (is_much(v, v->parts[TM_PART_LIVE].bytes))
		return TM_FINDING_REFILLED;
	return TM_FINDING_NONE;
}

uint64_t tm_verdict_grown(const struct tm_verdict *v)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < TM_PARTS; i++)
		if (v->parts[i].bytes > 0)
			sum += (uint64_t)v->parts[i].bytes;
	return sum ? sum : 1;
}

static bool has_unknown(const struct tm_verdict *v)
{
	for (unsigned i = 0; i < TM_PARTS; i++)
		if (!v->parts[i].known)
			return true;
	return false;
}

static enum tm_finding of_part(const struct tm_verdict *v, enum tm_verdict_part part)
{
	switch (part) {
	case TM_PART_LIVE:
		return TM_FINDING_OBJECTS;
	case TM_PART_ARENAS_FREE:
		return v->trash_bytes >= (uint64_t)v->parts[part].bytes / 2 ? TM_FINDING_CYCLES
									    : TM_FINDING_ARENAS;
	case TM_PART_NATIVE:
		return TM_FINDING_NATIVE;
	case TM_PART_MALLOC_FREE:
		return TM_FINDING_MALLOC;
	default:
		return has_unknown(v) ? TM_FINDING_UNTOLD : TM_FINDING_REST;
	}
}

static enum tm_finding with_growth(const struct tm_verdict *v)
{
	uint64_t grown = tm_verdict_grown(v);

	for (unsigned i = 0; i < TM_PARTS; i++) {
		int64_t bytes = v->parts[i].bytes;

		if (bytes > 0 && (uint64_t)bytes >= grown - grown / 3)
			return of_part(v, (enum tm_verdict_part)i);
	}
	return TM_FINDING_MIXED;
}

void tm_verdict_make(struct tm_verdict *v, const struct tm_verdict_facts *f)
{
	bool own = f->from.own != TM_UNKNOWN && f->to.own != TM_UNKNOWN;

	memset(v, 0, sizeof(*v));
	v->own = growth(f->from.own, f->to.own);
	v->growth = growth(f->from.rss, f->to.rss);
	if (own)
		v->growth = less(v->growth, v->own.bytes);
	v->trash_bytes = f->trash_bytes;
	v->much = f->from.rss != TM_UNKNOWN ? f->from.rss / MUCH_SHARE : 0;
	if (v->much < MUCH_LEAST)
		v->much = MUCH_LEAST;
	split(v, f);
	if (!v->growth.known)
		v->finding = TM_FINDING_UNKNOWN;
	else if (is_much(v, v->growth.bytes))
		v->finding = with_growth(v);
	else
		v->finding = without_growth(v);
}

const char *tm_finding_name(enum tm_finding finding)
{
	static const char *const names[TM_FINDINGS] = {
		[TM_FINDING_UNKNOWN] = "unknown", [TM_FINDING_SHRANK] = "shrank",
		[TM_FINDING_TRASH] = "trash",	  [TM_FINDING_REFILLED] = "refilled",
		[TM_FINDING_NONE] = "none",	  [TM_FINDING_OBJECTS] = "objects",
		[TM_FINDING_CYCLES] = "cycles",	  [TM_FINDING_ARENAS] = "arena_space",
		[TM_FINDING_NATIVE] = "native",	  [TM_FINDING_MALLOC] = "malloc_space",
		[TM_FINDING_UNTOLD] = "untold",	  [TM_FINDING_REST] = "elsewhere",
		[TM_FINDING_MIXED] = "mixed",
	};

	return names[finding];
}

const char *tm_part_name(enum tm_verdict_part part)
{
	static const char *const names[TM_PARTS] = {
		[TM_PART_LIVE] = "live",     [TM_PART_ARENAS_FREE] = "arenas_free",
		[TM_PART_NATIVE] = "native", [TM_PART_MALLOC_FREE] = "malloc_free",
		[TM_PART_REST] = "rest",
	};

	return names[part];
}

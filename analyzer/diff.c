/*
 * diff.c - classify what a scan visits by the two points
 */
#include "diff.h"

#include <string.h>

#include "growth.h"

enum fate {
	FATE_OTHER,    /* not of this diff */
	FATE_SURVIVED, /* born between the points, alive at TO */
	FATE_TRASH,    /* the same, but TO's own collection reclaimed it */
	FATE_FREED,    /* alive at FROM, dead at TO */
};

static enum fate fate_of(const struct tm_scan_item *item, const struct tm_scan_facts *facts,
			 uint32_t from, uint32_t to)
{
	int64_t born = tm_scan_interval(facts, item->word);

	if (born >= to)
		return FATE_OTHER;
	if (item->death < to)
		return born < from && item->death >= from ? FATE_FREED : FATE_OTHER;
	if (born < from)
		return FATE_OTHER;
	if (item->death == to && (item->flags & TM_DF_MARK_COLLECTION))
		return FATE_TRASH;
	return FATE_SURVIVED;
}

/* Alive at a point once the collection made at it is over. */
static bool stays(const struct tm_scan_item *item, const struct tm_scan_facts *facts,
		  uint32_t number)
{
	if (tm_scan_interval(facts, item->word) >= number || item->death < number)
		return false;
	return item->death > number || !(item->flags & TM_DF_MARK_COLLECTION);
}

static bool is_buffer(const struct tm_scan_item *item)
{
	return tm_word_kind(item->word) == TM_BUFFER;
}

/* Add to a sum, or (count below zero) take from it. */
static void adjust(uint64_t *sum, int64_t count, uint64_t amount)
{
	if (count < 0)
		*sum -= amount < *sum ? amount : *sum;
	else
		tm_cells_sum(sum, amount);
}

static void count_survivor(struct tm_totals *t, const struct tm_scan_item *item)
{
	uint64_t n = (uint64_t)(item->count < 0 ? -item->count : item->count);

	adjust(&t->survived_bytes, item->count, item->bytes);
	if (is_buffer(item)) {
		adjust(&t->buffers, item->count, n);
		adjust(&t->buffer_bytes, item->count, item->bytes);
		return;
	}
	adjust(&t->survived_objects, item->count, n);
	if (tm_word_kind(item->word) == TM_PENDING)
		adjust(&t->pending, item->count, n);
}

static void add_survivor(struct tm_diff *d, const struct tm_scan_item *item)
{
	count_survivor(&d->totals, item);
	tm_cells_add(&d->kept, item->word, item->count, item->bytes, item->address);
}

/* A diff under way. */
struct making {
	struct tm_diff *diff;
	struct tm_growth growth;
};

static void visit(void *context, const struct tm_scan_item *item)
{
	struct making *m = context;
	struct tm_diff *d = m->diff;
	uint64_t n = (uint64_t)(item->count < 0 ? -item->count : item->count);
	uint64_t objects = is_buffer(item) ? 0 : n;
	bool before = stays(item, &d->facts, d->span.from.number);
	bool after = stays(item, &d->facts, d->span.to.number);

	if (before != after)
		tm_footprint_add(after ? &d->gained : &d->lost, item);
	switch (fate_of(item, &d->facts, d->span.from.number, d->span.to.number)) {
	case FATE_SURVIVED:
		if (item->past)
			tm_growth_keep(&m->growth, item);
		else
			add_survivor(d, item);
		break;
	case FATE_TRASH:
		adjust(&d->totals.trash_objects, item->count, objects);
		adjust(&d->totals.trash_bytes, item->count, item->bytes);
		tm_cells_add(&d->trash, item->word, item->count, item->bytes, item->address);
		break;
	case FATE_FREED:
		adjust(&d->totals.freed_objects, item->count, objects);
		adjust(&d->totals.freed_bytes, item->count, item->bytes);
		break;
	case FATE_OTHER:
		break;
	}
}

static void link_resized(void *context, const struct tm_scan_item *item, bool counted)
{
	struct making *m = context;

	tm_growth_link(&m->growth, &m->diff->facts, item, counted);
}

/*
 * The old block was counted as freed when it was visited; what both have in common is not.  The
 * cell's word is of kind GROWN and says the owner's type.
 */
static void add_grown(struct tm_diff *d, const struct tm_scan_item *buffer,
		      const struct tm_growth_link *old)
{
	uint64_t less = old ? old->bytes : 0;
	uint64_t more = buffer->bytes > less ? buffer->bytes - less : 0;
	uint64_t word = tm_word(TM_GROWN, tm_word_birth(buffer->word), tm_word_site(buffer->word),
				tm_past_type(buffer->past));
	struct tm_totals *t = &d->totals;

	if (old && old->counted)
		adjust(&t->freed_bytes, -1, buffer->bytes - more);
	if (more == 0)
		return;
	t->grown_buffers++;
	tm_cells_sum(&t->grown_bytes, more);
	tm_cells_sum(&t->survived_bytes, more);
	tm_cells_add(&d->grown, word, 1, more, buffer->address);
}

static void tell_origin(void *context, const struct tm_scan_item *buffer,
			enum tm_growth_origin origin, const struct tm_growth_link *old)
{
	struct tm_diff *d = context;

	if (origin == TM_GROWTH_OLD) {
		add_grown(d, buffer, old);
		return;
	}
	if (origin == TM_GROWTH_LOST) {
		d->totals.lost_buffers++;
		tm_cells_sum(&d->totals.lost_bytes, buffer->bytes);
	}
	add_survivor(d, buffer);
}

/* The event counters at a point; now they are what the threads say. */
static struct tm_reader_counters counters_at(struct tm_reader *reader, const struct tm_point *point,
					     bool before_is_start)
{
	struct tm_reader_counters none = {0, 0, 0};

	if (point->now)
		return tm_reader_counters(reader);
	if (point->number == 0 && before_is_start)
		return none;
	return (struct tm_reader_counters){point->mark.created, point->mark.destroyed,
					   point->mark.lost};
}

static uint64_t growth(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

/* gc.garbage is looked at when a mark is followed up: now it is what it was at the newest. */
static uint64_t garbage_at(struct tm_reader *reader, const struct tm_point *point)
{
	const struct tm_mark *newest;

	if (!point->now)
		return point->mark.garbage;
	newest = tm_reader_mark(reader, tm_points_newest(reader));
	return newest ? newest->garbage : 0;
}

static void count_events(struct tm_diff *d, struct tm_reader *reader)
{
	bool all = d->facts.before_is_start;
	struct tm_reader_counters from = counters_at(reader, &d->span.from, all);
	struct tm_reader_counters to = counters_at(reader, &d->span.to, all);

	d->totals.created = growth(from.created, to.created);
	d->totals.destroyed = growth(from.destroyed, to.destroyed);
	/* more than it grew by where others left it; less where there was no space for some */
	d->totals.garbage =
		growth(garbage_at(reader, &d->span.from), garbage_at(reader, &d->span.to));
	if (d->totals.garbage < d->garbage.count)
		d->totals.garbage = d->garbage.count;
}

/* Birth fields below this are of no interest among the living. */
static uint32_t oldest_birth(const struct tm_reader *reader, const struct tm_span *span)
{
	if (span->from.number == 0 && tm_reader_header(reader)->start_set == 0)
		return 0;
	return span->from.number + 1;
}

/* What the recorder noted of the collector, its tables as old as the header. */
static void read_collector(struct tm_diff *d, struct tm_reader *reader)
{
	tm_garbage_make(&d->garbage, reader, &d->span);
	tm_cyclic_make(&d->cyclic, reader, &d->span);
	tm_reader_reload(reader);
	tm_runs_sum(&d->collections, reader, &d->span);
}

static void begin(struct tm_diff *d, const struct tm_span *span)
{
	memset(d, 0, sizeof(*d));
	d->span = *span;
	d->intervals = span->to.number - span->from.number;
}

void tm_diff_make(struct tm_diff *d, struct tm_reader *reader, const struct tm_span *span)
{
	struct making m = {.diff = d};

	begin(d, span);
	tm_scan_with_resized(reader, oldest_birth(reader, span), visit, link_resized, &m,
			     &d->facts);
	tm_growth_each(&m.growth, &d->facts, span->from.number, tell_origin, d);
	tm_growth_free(&m.growth);
	read_collector(d, reader);
	count_events(d, reader);
}

void tm_diff_collector(struct tm_diff *d, struct tm_reader *reader, const struct tm_span *span)
{
	begin(d, span);
	d->facts = tm_scan_facts_of(reader);
	read_collector(d, reader);
}

void tm_diff_free(struct tm_diff *d)
{
	tm_cells_free(&d->kept);
	tm_cells_free(&d->trash);
	tm_cells_free(&d->grown);
	tm_garbage_free(&d->garbage);
	tm_cyclic_free(&d->cyclic);
}

/* ---- the single survivors ---- */

struct sieve {
	const struct tm_span *span;
	tm_scan_visit *visit;
	void *context;
	struct tm_scan_facts *facts;
	struct tm_growth growth;
};

static void sift(void *context, const struct tm_scan_item *item)
{
	struct sieve *s = context;

	if (item->address == 0 ||
	    fate_of(item, s->facts, s->span->from.number, s->span->to.number) != FATE_SURVIVED)
		return;
	if (item->past)
		tm_growth_keep(&s->growth, item);
	else
		s->visit(s->context, item);
}

static void sift_resized(void *context, const struct tm_scan_item *item, bool counted)
{
	struct sieve *s = context;

	tm_growth_link(&s->growth, s->facts, item, counted);
}

static void tell_new(void *context, const struct tm_scan_item *buffer, enum tm_growth_origin origin,
		     const struct tm_growth_link *old)
{
	struct sieve *s = context;

	(void)old;
	if (origin != TM_GROWTH_OLD)
		s->visit(s->context, buffer);
}

void tm_diff_survivors(struct tm_reader *reader, const struct tm_span *span, tm_scan_visit *visitor,
		       void *context, struct tm_scan_facts *facts)
{
	struct sieve s = {span, visitor, context, facts, {0}};

	tm_scan_with_resized(reader, oldest_birth(reader, span), sift, sift_resized, &s, facts);
	tm_growth_each(&s.growth, facts, span->from.number, tell_new, &s);
	tm_growth_free(&s.growth);
	tm_reader_reload(reader);
}

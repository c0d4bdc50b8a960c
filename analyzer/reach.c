/*
 * reach.c - find the lives at the addresses asked for, and say which is which
 */
#include "reach.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "report.h"

/* Times go through JSON as seconds: to the microsecond they are alike. */
#define SAME_TIME 1e-6

/* The ids by address; the heap is visited by ascending addresses, so look where it was last. */
struct finder {
	struct tm_reach_list *list;
	const struct tm_span *span;
	struct tm_scan_facts *facts;
	struct tm_reach_id **sorted;
	size_t hint;
};

static int by_address(const void *left, const void *right)
{
	const struct tm_reach_id *l = *(struct tm_reach_id *const *)left;
	const struct tm_reach_id *r = *(struct tm_reach_id *const *)right;

	return l->address < r->address ? -1 : l->address > r->address;
}

/* The first of those at this address or after it, between `low` and `high`. */
static size_t bisect(const struct finder *f, size_t low, size_t high, uint64_t address)
{
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (f->sorted[middle]->address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first of those at this address or after it: steps that double, from the last place on. */
static size_t find(struct finder *f, uint64_t address)
{
	size_t count = f->list->count;
	size_t low = f->hint, step = 1;

	if (low > 0 && f->sorted[low - 1]->address >= address)
		return f->hint = bisect(f, 0, low, address);
	while (step < count - low && f->sorted[low + step - 1]->address < address)
		step *= 2;
	f->hint = bisect(f, low, step < count - low ? low + step : count, address);
	return f->hint;
}

/* Alive and reachable at a point, as in a diff to it. */
static bool lives_at(const struct tm_scan_item *item, const struct tm_scan_facts *facts,
		     const struct tm_point *point)
{
	if (tm_scan_interval(facts, item->word) >= (int64_t)point->number ||
	    item->death < point->number)
		return false;
	return item->death != point->number || !(item->flags & TM_DF_MARK_COLLECTION);
}

/* Is it the one that a list means?  One that was alive after the mark that the list is of. */
static bool is_listed(const struct tm_reach_list *list, const struct tm_reach_id *id,
		      const struct tm_scan_item *item, const struct tm_scan_facts *facts)
{
	return tm_scan_interval(facts, item->word) == id->born && item->death >= list->point;
}

static void visit(void *context, const struct tm_scan_item *item)
{
	struct finder *f = context;
	struct tm_reach_life life = {item->word, item->bytes, item->death};

	if (item->address == 0)
		return;
	for (size_t i = find(f, item->address);
	     i < f->list->count && f->sorted[i]->address == item->address; i++) {
		struct tm_reach_id *id = f->sorted[i];

		if (lives_at(item, f->facts, &f->span->to))
			id->there = life;
		if (id->entry ? is_listed(f->list, id, item, f->facts)
			      : lives_at(item, f->facts, &f->span->from))
			id->was = life;
	}
}

void tm_reach_find(struct tm_reach_list *list, struct tm_reader *reader, const struct tm_span *span,
		   struct tm_scan_facts *facts)
{
	struct finder f = {list, span, facts, tm_mem_array(list->count + 1, sizeof(*f.sorted)), 0};

	for (size_t i = 0; i < list->count; i++)
		f.sorted[i] = &list->ids[i];
	if (list->count > 1)
		qsort(f.sorted, list->count, sizeof(*f.sorted), by_address);
	tm_scan(reader, 0, visit, &f, facts);
	tm_reader_reload(reader);
	free(f.sorted);
}

/* ---- judging ---- */

struct judge {
	const struct tm_reach_list *list;
	struct tm_model *model;
	const struct tm_span *span;
	const struct tm_scan_facts *facts;
	bool same_moment; /* the list was made at the very point asked for */
};

/*
 * Things born in the interval in which the earlier look was taken, if that was a "now", may
 * have been replaced in it between the looks.
 */
static bool may_be_replaced(const struct judge *j, int64_t born)
{
	const struct tm_point *at = &j->span->to;
	uint32_t asked =
		at->number - at->now; /* the interval of now is the one before its number */

	if (j->same_moment)
		return false;
	if (j->list->of_now && (at->now || asked > j->list->point))
		return born == (at->now && asked < j->list->point ? asked : j->list->point);
	return at->now && j->list->point > asked && born == asked;
}

static bool is_unresolved(const char *type)
{
	return strcmp(type, "(pending)") == 0 || strcmp(type, "(unknown)") == 0;
}

/* A type not resolved when it was listed, or not yet, contradicts nothing. */
static bool type_differs(const struct judge *j, const struct tm_reach_id *id)
{
	const char *listed = json_string_value(json_object_get(id->entry, "type"));
	json_t *now;
	bool differs;

	if (tm_word_kind(id->there.word) == TM_PENDING || is_unresolved(listed))
		return false;
	now = tm_json_bytes(tm_model_text(j->model, tm_model_type(j->model, id->there.word)));
	differs = !json_equal(now, json_object_get(id->entry, "type"));
	json_decref(now);
	return differs;
}

/* Where nothing proves that it is the same, whatever else is known of both speaks. */
static bool looks_different(const struct judge *j, const struct tm_reach_id *id)
{
	const json_t *bytes = json_object_get(id->entry, "bytes");
	const json_t *listed = json_object_get(id->entry, "site");
	json_t *site;
	bool differs;

	if (json_is_integer(bytes) && (uint64_t)json_integer_value(bytes) != id->there.bytes)
		return true;
	if (!listed)
		return false;
	site = tm_report_site_json(j->model, tm_word_site(id->there.word));
	differs = !json_equal(site, listed);
	json_decref(site);
	return differs;
}

static void judge_listed(const struct judge *j, struct tm_reach_id *id)
{
	bool doubt = may_be_replaced(j, id->born);

	id->certain = true;
	if (tm_scan_interval(j->facts, id->there.word) != id->born || type_differs(j, id) ||
	    (doubt && looks_different(j, id))) {
		id->state = TM_REACH_REUSED;
		return;
	}
	id->state = TM_REACH_SAME;
	id->certain = !doubt;
}

void tm_reach_judge(struct tm_reach_list *list, struct tm_model *model, const struct tm_span *span,
		    const struct tm_scan_facts *facts, bool still)
{
	struct judge j = {list, model, span, facts, false};

	j.same_moment = still && span->to.now && list->of_now &&
			fabs((double)span->to.time_ns / 1e9 - list->time) < SAME_TIME;
	for (size_t i = 0; i < list->count; i++) {
		struct tm_reach_id *id = &list->ids[i];

		id->certain = true;
		if (!id->there.word)
			id->state = TM_REACH_GONE;
		else if (id->entry)
			judge_listed(&j, id);
		else
			id->state =
				tm_scan_interval(facts, id->there.word) < (int64_t)span->from.number
					? TM_REACH_SAME
					: TM_REACH_REUSED;
	}
}

const char *tm_reach_state_name(enum tm_reach_state state)
{
	switch (state) {
	case TM_REACH_SAME:
		return "same";
	case TM_REACH_REUSED:
		return "reused";
	case TM_REACH_GONE:
		break;
	}
	return "gone";
}

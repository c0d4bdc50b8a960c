/*
 * groups.c - sort cells so that a group's lie together, then add up
 */
#include "groups.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* What the members of a group have in common.  Padding would not compare equal. */
struct key {
	uint32_t type;
	uint32_t kind;
	uint32_t has_place;
	uint32_t where; /* file, module or stack */
	uint32_t function;
	uint32_t line;
};

_Static_assert(sizeof(struct key) == 3 * sizeof(uint64_t), "compared as three words");

struct member {
	struct key key;
	int64_t interval;
	const struct tm_cell *cell;
};

static struct key key_of(struct tm_model *model, uint64_t word, enum tm_group_by by)
{
	struct key key = {.kind = tm_word_kind(word)};
	struct tm_place place;

	if (by == TM_BY_TYPE_AND_SITE || by == TM_BY_TYPE || by == TM_BY_STACK)
		key.type = tm_model_type(model, word);
	if (by == TM_BY_TYPE || !tm_model_place(model, tm_word_site(word), &place))
		return key;
	key.has_place = 1;
	switch (by) {
	case TM_BY_TYPE_AND_SITE:
	case TM_BY_SITE:
		key.where = place.file;
		key.function = place.function;
		key.line = place.line;
		break;
	case TM_BY_FILE:
		key.where = place.file;
		break;
	case TM_BY_MODULE:
		key.where = tm_model_module(model, place.file);
		break;
	case TM_BY_STACK:
		key.where = tm_model_stack(model, tm_word_site(word));
		break;
	case TM_BY_TYPE:
		break;
	}
	return key;
}

/* Some order of keys: millions may have to be sorted, so not by memcmp(). */
static int compare_keys(const struct key *left, const struct key *right)
{
	uint64_t l[3], r[3];

	memcpy(l, left, sizeof(l));
	memcpy(r, right, sizeof(r));
	for (unsigned i = 0; i < 3; i++)
		if (l[i] != r[i])
			return l[i] < r[i] ? -1 : 1;
	return 0;
}

/* By group, then by interval; the word makes the order complete. */
static int by_group(const void *left, const void *right)
{
	const struct member *l = left;
	const struct member *r = right;
	int order = compare_keys(&l->key, &r->key);

	if (order != 0)
		return order;
	if (l->interval != r->interval)
		return l->interval < r->interval ? -1 : 1;
	return l->cell->word < r->cell->word ? -1 : l->cell->word > r->cell->word;
}

static struct member *members_of(const struct tm_cells *cells, struct tm_model *model,
				 const struct tm_scan_facts *facts, enum tm_group_by by,
				 const struct tm_filter *filter, size_t *count)
{
	struct member *members = tm_mem_array(cells->used + 1, sizeof(*members));
	const struct tm_cell *cell;
	size_t at = 0;

	*count = 0;
	while ((cell = tm_cells_next(cells, &at))) {
		if (!tm_filter_pass(filter, model, cell->word))
			continue;
		members[(*count)++] = (struct member){key_of(model, cell->word, by),
						      tm_scan_interval(facts, cell->word), cell};
	}
	qsort(members, *count, sizeof(*members), by_group);
	return members;
}

static int by_site(const void *left, const void *right)
{
	const struct tm_cell *l = *(const struct tm_cell *const *)left;
	const struct tm_cell *r = *(const struct tm_cell *const *)right;
	uint32_t ls = tm_word_site(l->word);
	uint32_t rs = tm_word_site(r->word);

	return ls < rs ? -1 : ls > rs;
}

static uint32_t most_frequent_site(const struct member *members, size_t count)
{
	const struct tm_cell **cells = tm_mem_array(count, sizeof(*cells));
	uint64_t most = 0, here = 0;
	uint32_t best = tm_word_site(members[0].cell->word);

	for (size_t i = 0; i < count; i++)
		cells[i] = members[i].cell;
	qsort(cells, count, sizeof(*cells), by_site);
	for (size_t i = 0; i < count; i++) {
		uint32_t site = tm_word_site(cells[i]->word);

		if (i > 0 && site != tm_word_site(cells[i - 1]->word))
			here = 0;
		tm_cells_sum(&here, cells[i]->count);
		if (here > most) {
			most = here;
			best = site;
		}
	}
	free(cells);
	return best;
}

static void add_ids(struct tm_group *group, const struct tm_cells *cells,
		    const struct tm_cell *cell)
{
	uint64_t kept[TM_CELL_IDS];
	uint32_t first = TM_CELL_IDS;

	/* the list has the last one first */
	for (uint32_t at = cell->ids; at && first > 0; at = cells->ids[at - 1].next)
		kept[--first] = cells->ids[at - 1].address;
	while (first < TM_CELL_IDS && group->id_count < TM_CELL_IDS)
		group->ids[group->id_count++] = kept[first++];
}

/* Members lie by interval, so each interval is a run of them. */
static void add_intervals(struct tm_group *group, const struct member *members, size_t count)
{
	uint32_t runs = 0;

	for (size_t i = 0; i < count; i++)
		runs += i == 0 || members[i].interval != members[i - 1].interval;
	group->intervals = tm_mem_array(runs, sizeof(*group->intervals));
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || members[i].interval != members[i - 1].interval)
			group->intervals[group->generations++].interval =
				(uint32_t)members[i].interval;
		tm_cells_sum(&group->intervals[group->generations - 1].objects,
			     members[i].cell->count);
	}
}

static void fill_group(struct tm_group *group, const struct tm_cells *cells, struct tm_model *model,
		       const struct member *members, size_t count)
{
	memset(group, 0, sizeof(*group));
	group->type = tm_model_type(model, members[0].cell->word);
	group->kind = (enum tm_kind)members[0].key.kind;
	for (size_t i = 0; i < count; i++) {
		const struct tm_cell *cell = members[i].cell;

		tm_cells_sum(&group->objects, cell->count);
		tm_cells_sum(&group->bytes, cell->bytes);
		if (group->type != tm_model_type(model, cell->word))
			group->type = TM_SEVERAL_TYPES;
		add_ids(group, cells, cell);
	}
	group->site = most_frequent_site(members, count);
	add_intervals(group, members, count);
}

/* Descending; text and site numbers settle the rest, so that a report is reproducible. */
static int by_suspicion(const void *left, const void *right)
{
	const struct tm_group *l = left;
	const struct tm_group *r = right;

	if (l->generations != r->generations)
		return l->generations > r->generations ? -1 : 1;
	if (l->bytes != r->bytes)
		return l->bytes > r->bytes ? -1 : 1;
	if (l->objects != r->objects)
		return l->objects > r->objects ? -1 : 1;
	if (l->type != r->type)
		return l->type < r->type ? -1 : 1;
	return l->site < r->site ? -1 : l->site > r->site;
}

struct tm_groups tm_groups_make(const struct tm_cells *cells, struct tm_model *model,
				const struct tm_scan_facts *facts, enum tm_group_by by,
				const struct tm_filter *filter)
{
	struct tm_groups groups = {NULL, 0};
	size_t capacity = 0, count, end;
	struct member *members = members_of(cells, model, facts, by, filter, &count);

	for (size_t start = 0; start < count; start = end) {
		for (end = start + 1; end < count; end++)
			if (compare_keys(&members[end].key, &members[start].key) != 0)
				break;
		groups.items =
			tm_mem_grow(groups.items, groups.count, &capacity, sizeof(*groups.items));
		fill_group(&groups.items[groups.count++], cells, model, &members[start],
			   end - start);
	}
	if (groups.count > 1)
		qsort(groups.items, groups.count, sizeof(*groups.items), by_suspicion);
	free(members);
	return groups;
}

void tm_groups_resolve(const struct tm_groups *groups, struct tm_model *model)
{
	for (size_t i = 0; i < groups->count; i++)
		tm_model_resolve(model, groups->items[i].site);
}

void tm_groups_join(struct tm_groups *groups, struct tm_groups *more)
{
	if (more->count) {
		groups->items = tm_mem_resize(groups->items, groups->count + more->count,
					      sizeof(*groups->items));
		memcpy(groups->items + groups->count, more->items,
		       more->count * sizeof(*more->items));
		groups->count += more->count;
	}
	free(more->items);
	*more = (struct tm_groups){NULL, 0};
}

void tm_groups_free(struct tm_groups *groups)
{
	for (size_t i = 0; i < groups->count; i++)
		free(groups->items[i].intervals);
	free(groups->items);
}

/*
 * cells.c - a hash table from words to counts
 */
#include "cells.h"

#include <stdlib.h>

#include "mem.h"

#define FIRST_SLOTS 1024u

static size_t slot_of(const struct tm_cells *cells, uint64_t word)
{
	/* multiplication mixes upwards, so the high half is the good one */
	return (size_t)((word * 0x9e3779b97f4a7c15ull) >> 32) & (cells->slot_count - 1);
}

static struct tm_cell *find(struct tm_cells *cells, uint64_t word)
{
	size_t at = slot_of(cells, word);

	while (cells->slots[at].word != 0 && cells->slots[at].word != word)
		at = (at + 1) & (cells->slot_count - 1);
	return &cells->slots[at];
}

static void grow(struct tm_cells *cells)
{
	struct tm_cell *old = cells->slots;
	size_t old_count = cells->slot_count;

	cells->slot_count = old_count ? 2 * old_count : FIRST_SLOTS;
	cells->slots = tm_mem_array(cells->slot_count, sizeof(*cells->slots));
	for (size_t i = 0; i < old_count; i++)
		if (old[i].word)
			*find(cells, old[i].word) = old[i];
	free(old);
}

static struct tm_cell *cell_of(struct tm_cells *cells, uint64_t word)
{
	struct tm_cell *cell = cells->last;

	if (cell && cell->word == word)
		return cell;
	if (3 * cells->slot_count <= 4 * (cells->used + 1))
		grow(cells);
	cell = find(cells, word);
	if (cell->word == 0) {
		cell->word = word;
		cells->used++;
	}
	cells->last = cell;
	return cell;
}

static void keep_id(struct tm_cells *cells, struct tm_cell *cell, uint64_t address)
{
	if (cell->ids_kept == TM_CELL_IDS || cells->id_count == UINT32_MAX)
		return;
	cells->ids =
		tm_mem_grow(cells->ids, cells->id_count, &cells->id_capacity, sizeof(*cells->ids));
	cells->ids[cells->id_count] = (struct tm_cell_id){address, cell->ids};
	cell->ids = (uint32_t)++cells->id_count;
	cell->ids_kept++;
}

void tm_cells_add(struct tm_cells *cells, uint64_t word, int64_t count, uint64_t bytes,
		  uint64_t address)
{
	struct tm_cell *cell = cell_of(cells, word);

	if (count < 0) {
		uint64_t less = (uint64_t)-count;

		cell->count -= less < cell->count ? less : cell->count;
		cell->bytes -= bytes < cell->bytes ? bytes : cell->bytes;
		return;
	}
	tm_cells_sum(&cell->count, (uint64_t)count);
	tm_cells_sum(&cell->bytes, bytes);
	if (address)
		keep_id(cells, cell, address);
}

const struct tm_cell *tm_cells_next(const struct tm_cells *cells, size_t *at)
{
	while (*at < cells->slot_count) {
		const struct tm_cell *cell = &cells->slots[(*at)++];

		if (cell->word && cell->count)
			return cell;
	}
	return NULL;
}

void tm_cells_free(struct tm_cells *cells)
{
	free(cells->slots);
	free(cells->ids);
}

/*
 * cyclic.c - sum up the tallies of deaths inside collections
 */
#include "cyclic.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "shadow.h"

/* More than any machine can do, and no sum of sane tables overflows with it. */
#define MOST_COUNT (1ull << 44)

/* Kind, site and type alone: what died is alike whenever it was born. */
static uint64_t plain_word(uint64_t word)
{
	word &= ~(TM_WATCHED | TM_BIRTH_MASK);
	return tm_word_kind(word) == TM_OBJECT ? word : word & ~TM_TYPE_MASK;
}

static bool sane(const struct tm_tally *t)
{
	enum tm_kind kind = tm_word_kind(t->word);

	return (kind == TM_OBJECT || kind == TM_PENDING) && t->count <= MOST_COUNT &&
	       t->bytes <= TM_SHADOW_MOST_BYTES;
}

/* Gives false for nonsense. */
static bool add(struct tm_cyclic *cyclic, const struct tm_tally *t, const struct tm_span *span)
{
	uint32_t interval = (uint32_t)t->death & 0xffff;

	if (t->word == 0 || !(t->death & TM_TALLY_VALID) || t->count == 0)
		return true;
	if (!sane(t))
		return false;
	if (interval < span->from.number || interval >= span->to.number)
		return true;
	tm_cells_add(&cyclic->cells, plain_word(t->word), (int64_t)t->count, t->bytes, 0);
	tm_cells_sum(&cyclic->objects, t->count);
	tm_cells_sum(&cyclic->bytes, t->bytes);
	return true;
}

void tm_cyclic_make(struct tm_cyclic *cyclic, struct tm_reader *reader, const struct tm_span *span)
{
	struct tm_reader_region region = tm_reader_region(reader, TM_R_CYCLIC);
	struct tm_tally *copy = tm_mem_new(region.used_bytes + 1);
	ssize_t got = tm_reader_copy(reader, region.offset, copy, region.used_bytes);
	size_t count = got > 0 ? (size_t)got / sizeof(*copy) : 0;
	uint64_t nonsense = 0;

	memset(cyclic, 0, sizeof(*cyclic));
	for (size_t i = 0; i < count; i++)
		nonsense += !add(cyclic, &copy[i], span);
	if (nonsense)
		tm_reader_damaged(reader, "%" PRIu64 " of its counts of cyclic trash make no sense",
				  nonsense);
	free(copy);
}

void tm_cyclic_free(struct tm_cyclic *cyclic)
{
	tm_cells_free(&cyclic->cells);
}

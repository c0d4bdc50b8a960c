#include "deaths.h"

#include "segment.h"
#include "tallies.h"

static struct tm_region *ring_region(void)
{
	return &tm_segment.header->regions[TM_R_DEATHS];
}

void tm_deaths_prepare(void)
{
	struct tm_region *tallies = &tm_segment.header->regions[TM_R_TALLIES];

	tm_segment_back(TM_R_DEATHS, sizeof(struct tm_death));
	tm_put(&ring_region()->used, 0);
	tm_put(&tallies->used, 0);
}

/* What the tallies count by: the word without what only a single record tells. */
static uint64_t tally_word(uint64_t word)
{
	enum tm_kind kind = tm_word_kind(word);

	if (kind == TM_BUFFER || kind == TM_PENDING)
		word &= ~TM_TYPE_MASK;
	return word & ~TM_WATCHED;
}

/* The record that was in the slot for one round of the ring goes to the tallies. */
static void retire(struct tm_death *slot)
{
	uint64_t meta = atomic_exchange(&slot->meta, 0);

	tm_lose(TM_L_RING);
	if (meta && !tm_tallies_add(TM_R_TALLIES, tally_word(slot->word), meta >> 32, slot->size))
		tm_lose(TM_L_TALLIES);
}

void tm_deaths_add(const struct tm_dying *dying, uint32_t mark, unsigned flags)
{
	struct tm_region *region = ring_region();
	uint64_t slots = region->capacity / sizeof(struct tm_death);
	uint64_t index = atomic_fetch_add(&region->used, 1);
	uint64_t at = index % slots;
	struct tm_death *slot = (struct tm_death *)tm_segment_at(TM_R_DEATHS, 0) + at;

	if (index < slots && !tm_segment_back(TM_R_DEATHS, (at + 1) * sizeof(*slot))) {
		tm_lose(TM_L_TALLIES);
		return;
	}
	if (index >= slots) {
		if ((at + 1) * sizeof(*slot) > tm_get(&region->backed)) {
			tm_lose(TM_L_TALLIES);
			return;
		}
		retire(slot);
	}
	if (dying->size > TM_SMALL_MOST)
		flags |= TM_DF_LARGE;
	slot->address = dying->address;
	slot->word = dying->word & ~TM_WATCHED;
	slot->size = dying->size;
	slot->past = dying->past;
	tm_publish(&slot->meta, TM_DEATH_META(index + 1, mark, flags));
}

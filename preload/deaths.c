#include "deaths.h"

#include "segment.h"

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

static void tally(uint64_t word, uint64_t death, uint64_t size)
{
	struct tm_region *region = &tm_segment.header->regions[TM_R_TALLIES];
	struct tm_tally *slots;
	uint64_t count = region->capacity / sizeof(*slots);
	uint64_t at = (word * 0x9e3779b97f4a7c15ull ^ death * 0xff51afd7ed558ccdull) >> 44;

	if (!tm_segment_back(TM_R_TALLIES, region->capacity)) {
		tm_lose(TM_L_TALLIES);
		return;
	}
	slots = tm_segment_at(TM_R_TALLIES, 0);
	for (unsigned probe = 0; probe < 64; probe++) {
		struct tm_tally *slot = &slots[(at + probe) % count];
		uint64_t empty = 0;

		if (tm_get(&slot->word) == 0 &&
		    atomic_compare_exchange_strong(&slot->word, &empty, word)) {
			atomic_fetch_add(&region->used, 1);
			tm_publish(&slot->death, death | TM_TALLY_VALID);
		}
		/* Another thread may have claimed the slot and not yet said for which death: then
		 * the next one serves as well, readers add equal ones up. */
		if (tm_get(&slot->word) == word &&
		    tm_get(&slot->death) == (death | TM_TALLY_VALID)) {
			atomic_fetch_add_explicit(&slot->bytes, size, memory_order_relaxed);
			atomic_fetch_add_explicit(&slot->count, 1, memory_order_release);
			return;
		}
	}
	tm_lose(TM_L_TALLIES);
}

/* The record that was in the slot for one round of the ring goes to the tallies. */
static void retire(struct tm_death *slot)
{
	uint64_t meta = atomic_exchange(&slot->meta, 0);

	tm_lose(TM_L_RING);
	if (meta)
		tally(tally_word(slot->word), meta >> 32, slot->size);
}

void tm_deaths_add(uintptr_t address, uint64_t word, uint64_t size, uint32_t mark, unsigned flags)
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
	slot->address = address;
	slot->word = word & ~TM_WATCHED;
	slot->size = size;
	slot->before = 0;
	tm_publish(&slot->meta, TM_DEATH_META(index + 1, mark, flags));
}

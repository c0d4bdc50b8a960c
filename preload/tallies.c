#include "tallies.h"

#include "segment.h"

enum {
	PROBES = 64,
};

/* Of one table; false when it is full around there. */
static bool add_in(struct tm_region *region, struct tm_tally *slots, uint64_t word, uint64_t death,
		   uint64_t bytes)
{
	uint64_t at = (word * 0x9e3779b97f4a7c15ull ^ death * 0xff51afd7ed558ccdull) >> 44;

	for (unsigned probe = 0; probe < PROBES; probe++) {
		struct tm_tally *slot = &slots[(at + probe) % TM_TALLY_SLOTS];
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
			atomic_fetch_add_explicit(&slot->bytes, bytes, memory_order_relaxed);
			atomic_fetch_add_explicit(&slot->count, 1, memory_order_release);
			return true;
		}
	}
	return false;
}

bool tm_tallies_add(enum tm_region_id id, uint64_t word, uint64_t death, uint64_t bytes)
{
	struct tm_region *region = &tm_segment.header->regions[id];
	struct tm_tally *slots = tm_segment_at(id, 0);

	for (uint64_t end = TM_TALLY_TABLE; end <= region->capacity; end += TM_TALLY_TABLE) {
		if (!tm_segment_back(id, end))
			return false;
		if (add_in(region, slots, word, death, bytes))
			return true;
		slots += TM_TALLY_SLOTS;
	}
	return false;
}

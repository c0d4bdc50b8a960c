#include "tallies.h"

#include "segment.h"

enum {
	PROBES = 64
};

bool tm_tallies_add(enum tm_region_id id, uint64_t word, uint64_t death, uint64_t bytes)
{
	struct tm_region *region = &tm_segment.header->regions[id];
	struct tm_tally *slots;
	uint64_t count = region->capacity / sizeof(*slots);
	uint64_t at = (word * 0x9e3779b97f4a7c15ull ^ death * 0xff51afd7ed558ccdull) >> 44;

	if (!tm_segment_back(id, region->capacity))
		return false;
	slots = tm_segment_at(id, 0);
	for (unsigned probe = 0; probe < PROBES; probe++) {
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
			atomic_fetch_add_explicit(&slot->bytes, bytes, memory_order_relaxed);
			atomic_fetch_add_explicit(&slot->count, 1, memory_order_release);
			return true;
		}
	}
	return false;
}

#include "shadow.h"

#include "interval.h"
#include "lock.h"
#include "pages.h"
#include "segment.h"

static struct tm_leaf *real_root[TM_ROOT_SIZE];
static struct tm_leaf *empty_root[TM_ROOT_SIZE]; /* never written: costs no memory */

struct tm_leaf **tm_shadow_root = empty_root;
struct tm_leaf tm_shadow_none;

/* No program has memory there.  With half of it in place, and half of another, all are right. */
#define NOWHERE ((struct tm_near){1ull << 63, &tm_shadow_none})
struct tm_near tm_shadow_near = NOWHERE;
static struct tm_near real_near = NOWHERE; /* in place while attached */

void tm_shadow_attach(void)
{
	tm_shadow_root = real_root;
	tm_shadow_near = real_near;
}

void tm_shadow_detach(void)
{
	tm_shadow_root = empty_root;
	tm_shadow_near = NOWHERE;
}

void tm_shadow_forget(void)
{
	for (unsigned i = 0; i < TM_ROOT_SIZE; i++) {
		if (real_root[i])
			tm_pages_free(real_root[i], sizeof(struct tm_leaf));
		real_root[i] = NULL;
	}
	tm_shadow_near = real_near = NOWHERE;
}

static struct tm_leaf *make_leaf(uintptr_t number)
{
	struct tm_leaf *leaf = tm_pages(sizeof(*leaf));

	if (leaf && real_near.leaf == &tm_shadow_none) {
		real_near = (struct tm_near){number << TM_ROOT_SHIFT, leaf};
		tm_shadow_near = real_near;
	}
	return leaf;
}

static struct tm_slot *slot_for(uintptr_t address)
{
	struct tm_leaf **entry = &real_root[address >> TM_ROOT_SHIFT];

	if (!*entry)
		*entry = make_leaf(address >> TM_ROOT_SHIFT);
	return *entry ? &(*entry)->slots[address >> TM_CHUNK_SHIFT & (TM_LEAF_SIZE - 1)] : NULL;
}

static bool make_chunk(struct tm_slot *slot, uintptr_t address)
{
	struct tm_header *header = tm_segment.header;
	struct tm_region *chunks = &header->regions[TM_R_CHUNKS];
	struct tm_region *shadow = &header->regions[TM_R_SHADOW];
	uint64_t index = tm_get(&chunks->used);
	struct tm_chunk *chunk;

	if (!tm_segment_back(TM_R_CHUNKS, (index + 1) * sizeof(*chunk)) ||
	    !tm_segment_back(TM_R_SHADOW, (index + 1) * TM_CHUNK_SHADOW))
		return false;
	chunk = (struct tm_chunk *)tm_segment_at(TM_R_CHUNKS, 0) + index;
	chunk->heap_base = address & ~(TM_CHUNK_HEAP - 1);
	chunk->shadow = shadow->offset + index * TM_CHUNK_SHADOW;
	tm_put(&chunk->newest_birth, 0);
	tm_publish(&shadow->used, (index + 1) * TM_CHUNK_SHADOW);
	tm_publish(&chunks->used, index + 1);
	slot->chunk = (uint32_t)index;
	slot->stamp = tm_interval_stamp(0);
	slot->words = tm_segment_at(TM_R_SHADOW, index * TM_CHUNK_SHADOW);
	return true;
}

struct tm_slot *tm_shadow_extend(uintptr_t address)
{
	struct tm_slot *slot = NULL;

	if (address >> TM_ADDRESS_BITS)
		return NULL;
	tm_lock();
	if (!(atomic_load(&tm_segment.header->blind) & TM_B_SPACE))
		slot = slot_for(address);
	if (slot && !slot->words && !make_chunk(slot, address))
		slot = NULL;
	tm_unlock();
	return slot;
}

bool tm_shadow_newer(struct tm_slot *slot, uint32_t birth)
{
	struct tm_chunk *chunk;

	if (!slot->words)
		return false;
	chunk = (struct tm_chunk *)tm_segment_at(TM_R_CHUNKS, 0) + slot->chunk;
	/* Only ever up: two threads may store an old and a new interval at the same time. */
	if (tm_get(&chunk->newest_birth) < birth)
		tm_publish(&chunk->newest_birth, birth);
	slot->stamp = tm_interval_stamp(birth);
	return true;
}

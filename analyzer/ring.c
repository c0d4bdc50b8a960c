/*
 * ring.c - copy the ring of deaths and find what the shadow shows as well
 */
#include "ring.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mem.h"

#define BLOCK_RECORDS 4096u

/* A writer may lose its processor in the middle of a record. */
#define WRITING_NS 10000000

enum slot_state {
	SLOT_COMPLETE,
	SLOT_BEGUN,	  /* its record is not written yet */
	SLOT_OVERWRITTEN, /* a later record is in it */
};

static enum slot_state slot_state(const struct tm_ring *ring, uint64_t meta, uint64_t index)
{
	uint32_t sequence = (uint32_t)meta;

	if (sequence == (uint32_t)(index + 1))
		return SLOT_COMPLETE;
	if (sequence == 0 || sequence == (uint32_t)(index + 1 - ring->slots))
		return SLOT_BEGUN;
	return SLOT_OVERWRITTEN;
}

/* A record of an object that the chunk's copy shows alive must not count. */
static void add(struct tm_ring *ring, const struct tm_death *from, uint64_t index)
{
	uint64_t meta = from->meta;
	size_t chunk = tm_shadow_find(ring->shadow, from->address);
	struct tm_ring_record *record;

	ring->records =
		tm_mem_grow(ring->records, ring->count, &ring->capacity, sizeof(*ring->records));
	record = &ring->records[ring->count++];
	*record = (struct tm_ring_record){
		.index = index,
		.address = from->address,
		.word = from->word & ~TM_WATCHED,
		.size = from->size,
		.past = tm_word_is_past(from->past) ? from->past : 0,
		.death = (uint32_t)(meta >> 32) & 0xffff,
		.flags = (uint16_t)(meta >> 48),
	};
	if (chunk == SIZE_MAX)
		return;
	record->dropped = ring->moment[chunk] != 0 && index + 1 >= ring->moment[chunk];
	record->next = ring->newest[chunk];
	ring->newest[chunk] = (uint32_t)ring->count;
}

/* Records [ring->next, ring->next + wanted) lie in one piece; false = stop here. */
static bool take_block(struct tm_ring *ring, uint64_t wanted, bool finish)
{
	uint64_t slot = ring->next % ring->slots;
	ssize_t got = tm_reader_copy(ring->reader, ring->offset + slot * sizeof(struct tm_death),
				     ring->block, wanted * sizeof(struct tm_death));
	uint64_t there = got > 0 ? (uint64_t)got / sizeof(struct tm_death) : 0;

	for (uint64_t i = 0; i < there; i++, ring->next++) {
		switch (slot_state(ring, ring->block[i].meta, ring->next)) {
		case SLOT_COMPLETE:
			add(ring, &ring->block[i], ring->next);
			break;
		case SLOT_BEGUN:
			if (!finish)
				return false;
			break;
		case SLOT_OVERWRITTEN:
			ring->missed++;
			break;
		}
	}
	if (there < wanted)
		tm_reader_damaged(ring->reader, "the file became shorter while it was read");
	return there == wanted;
}

/* Take the records up to index `end`, or to the first one still being written. */
static void follow(struct tm_ring *ring, uint64_t end, bool finish)
{
	if (ring->slots == 0 || end <= ring->next)
		return;
	if (end - ring->next > ring->slots) {
		ring->missed += end - ring->slots - ring->next;
		ring->next = end - ring->slots;
	}
	while (ring->next < end && ring->count < UINT32_MAX - BLOCK_RECORDS) {
		uint64_t wanted = end - ring->next;
		uint64_t in_piece = ring->slots - ring->next % ring->slots;

		if (wanted > in_piece)
			wanted = in_piece;
		if (wanted > BLOCK_RECORDS)
			wanted = BLOCK_RECORDS;
		if (!take_block(ring, wanted, finish))
			return;
	}
}

void tm_ring_open(struct tm_ring *ring, struct tm_reader *reader, const struct tm_shadow *shadow)
{
	struct tm_reader_region region = tm_reader_region(reader, TM_R_DEATHS);

	memset(ring, 0, sizeof(*ring));
	ring->reader = reader;
	ring->shadow = shadow;
	ring->offset = region.offset;
	/* a ring without file space never gets a record */
	if (region.backed > 0)
		ring->slots = region.capacity / sizeof(struct tm_death);
	ring->newest = tm_mem_array(shadow->count + 1, sizeof(*ring->newest));
	ring->moment = tm_mem_array(shadow->count + 1, sizeof(*ring->moment));
	ring->block = tm_mem_array(BLOCK_RECORDS, sizeof(*ring->block));
	follow(ring, region.used, false);
	if (ring->next < region.used) {
		/* one being written now is there in a moment; one that is not never will be */
		nanosleep(&(struct timespec){.tv_nsec = WRITING_NS}, NULL);
		follow(ring, region.used, true);
	}
	ring->missed = 0;
}

void tm_ring_close(struct tm_ring *ring)
{
	free(ring->records);
	free(ring->newest);
	free(ring->moment);
	free(ring->block);
}

/* Does the copy of a chunk still show the object the record says is dead? */
static bool shown(const struct tm_ring_record *record, uint64_t heap_base, const uint64_t *words)
{
	uint64_t granule = (record->address - heap_base) >> TM_GRANULE_SHIFT;
	uint64_t word = words[granule] & ~TM_WATCHED;
	enum tm_kind kind = tm_word_kind(word);

	return record->address % TM_GRANULE == 0 &&
	       (kind == TM_OBJECT || kind == TM_BUFFER || kind == TM_PENDING) &&
	       tm_word_birth(word) == tm_word_birth(record->word);
}

void tm_ring_chunk_copied(struct tm_ring *ring, size_t index, const uint64_t *words)
{
	follow(ring, tm_reader_used_now(ring->reader, TM_R_DEATHS), false);
	/*
	 * Not the number of records begun: one that is still being written now has its
	 * word cleared later, so the copy shows its object.
	 */
	ring->moment[index] = ring->next + 1;
	for (uint32_t at = ring->newest[index]; at; at = ring->records[at - 1].next) {
		struct tm_ring_record *record = &ring->records[at - 1];

		record->dropped |= shown(record, ring->shadow->chunks[index].heap_base, words);
	}
}

void tm_ring_finish(struct tm_ring *ring)
{
	follow(ring, tm_reader_used_now(ring->reader, TM_R_DEATHS), true);
}

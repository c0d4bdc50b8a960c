/*
 * footprint.c - sizes asked for, as allocators round them
 */
#include "footprint.h"

#define POOL_HEADER 48u
#define CHUNK_HEAD  8u
#define CHUNK_LEAST 32u

/* Pools have had 16 KiB since 3.10, 4 KiB before (obmalloc.c: POOL_BITS, USE_LARGE_POOLS). */
#define LARGE_POOLS_SINCE 0x030a0000u

static uint64_t chunk_bytes(uint64_t size)
{
	uint64_t chunk = (size + CHUNK_HEAD + TM_GRANULE - 1) & ~(uint64_t)(TM_GRANULE - 1);

	return chunk < CHUNK_LEAST ? CHUNK_LEAST : chunk;
}

/* `size` is at most TM_SMALL_MOST; nothing asked for is one byte. */
static unsigned class_of(uint64_t size)
{
	return size == 0 ? 0 : (unsigned)((size - 1) / TM_GRANULE);
}

void tm_footprint_add(struct tm_footprint *f, const struct tm_scan_item *item)
{
	uint64_t count = (uint64_t)item->count; /* modulo 2^64, as the sums */
	uint64_t things = item->count < 0 ? -count : count;
	uint64_t each = things ? item->bytes / things : 0;

	f->objects += tm_word_kind(item->word) == TM_BUFFER ? 0 : count;
	f->bytes += item->count < 0 ? -item->bytes : item->bytes;
	/* of several that died alike only the sum is known, and by the flag on which side they were
	 */
	if ((item->flags & TM_DF_LARGE) || each > TM_SMALL_MOST)
		f->large_chunks += count * chunk_bytes(each);
	else
		f->blocks[class_of(each)] += count;
}

uint64_t tm_footprint_arenas(const struct tm_footprint *f, uint32_t python_hex)
{
	uint64_t pool = python_hex >= LARGE_POOLS_SINCE ? 16384 : 4096;
	uint64_t sum = 0;

	for (unsigned i = 0; i < TM_FOOTPRINT_CLASSES; i++) {
		uint64_t in_pool = (pool - POOL_HEADER) / ((i + 1) * TM_GRANULE);

		/* first what fills whole pools: the product has room for any sane count */
		sum += f->blocks[i] / in_pool * pool + f->blocks[i] % in_pool * pool / in_pool;
	}
	return sum;
}

uint64_t tm_footprint_small_chunks(const struct tm_footprint *f)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < TM_FOOTPRINT_CLASSES; i++)
		sum += f->blocks[i] * chunk_bytes((i + 1) * TM_GRANULE);
	return sum;
}

/*
 * table.h - hash tables of the recorder's slow paths, in private pages
 *
 * The caller holds the recorder's lock.  Nothing here allocates from the C library.
 */
#ifndef TIDEMARK_TABLE_H
#define TIDEMARK_TABLE_H

#include "base.h"

/* From content to the index of a record of the recording: open addressing, never shrinks. */
struct tm_index_entry {
	uint32_t hash;
	uint32_t id; /* 0 = empty */
};

struct tm_index {
	struct tm_index_entry *entries;
	uint32_t size; /* a power of two, or 0 */
	uint32_t count;
};

typedef bool (*tm_index_same)(uint32_t id, const void *key);

/*
 * tm_index_find - the entry of @key, or the empty one where it belongs
 *
 * Returns NULL only when the table could not be made or grown.  A caller that fills an
 * empty entry's `id` also adds one to `count`.
 */
struct tm_index_entry *tm_index_find(struct tm_index *index, uint64_t hash, tm_index_same same,
				     const void *key);

/* From an address to a number, with removal; for what lives in the recorded process now. */
struct tm_map_entry {
	uintptr_t address; /* 0 = empty */
	uint32_t value;
	uint32_t reserved;
};

struct tm_map {
	struct tm_map_entry *entries;
	uint32_t size;
	uint32_t count;
};

uint32_t tm_map_get(const struct tm_map *map, uintptr_t address); /* 0 = not there */
bool tm_map_put(struct tm_map *map, uintptr_t address, uint32_t value);
void tm_map_remove(struct tm_map *map, uintptr_t address);

/* Give a table's pages back and leave it empty. */
void tm_index_clear(struct tm_index *index);
void tm_map_clear(struct tm_map *map);

/* A 64-bit hash of bytes. */
uint64_t tm_hash(const void *bytes, size_t size, uint64_t seed);

#endif

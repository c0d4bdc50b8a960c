#include "table.h"

#include "pages.h"

#include <string.h>

#define FIRST_SIZE 1024u

uint64_t tm_hash(const void *bytes, size_t size, uint64_t seed)
{
	const unsigned char *p = bytes;
	uint64_t hash = seed ^ (size * 0x9e3779b97f4a7c15ull);
	uint64_t word;

	for (; size >= 8; size -= 8, p += 8) {
		memcpy(&word, p, 8);
		hash = (hash ^ word) * 0xff51afd7ed558ccdull;
		hash ^= hash >> 32;
	}
	word = 0;
	memcpy(&word, p, size);
	hash = (hash ^ word) * 0xff51afd7ed558ccdull;
	return hash ^ hash >> 29;
}

static bool index_grow(struct tm_index *index)
{
	uint32_t size = index->size ? index->size * 2 : FIRST_SIZE;
	struct tm_index_entry *entries = tm_pages(size * sizeof(*entries));

	if (!entries)
		return false;
	for (uint32_t i = 0; i < index->size; i++) {
		uint32_t at = index->entries[i].hash & (size - 1);

		if (!index->entries[i].id)
			continue;
		while (entries[at].id)
			at = (at + 1) & (size - 1);
		entries[at] = index->entries[i];
	}
	if (index->entries)
		tm_pages_free(index->entries, index->size * sizeof(*entries));
	index->entries = entries;
	index->size = size;
	return true;
}

struct tm_index_entry *tm_index_find(struct tm_index *index, uint64_t hash, tm_index_same same,
				     const void *key)
{
	uint32_t short_hash = (uint32_t)(hash ^ hash >> 32);
	uint32_t at;

	if ((index->count + 1) * 4ull > index->size * 3ull && !index_grow(index))
		return NULL;
	at = short_hash & (index->size - 1);
	while (index->entries[at].id) {
		if (index->entries[at].hash == short_hash && same(index->entries[at].id, key))
			break;
		at = (at + 1) & (index->size - 1);
	}
	index->entries[at].hash = short_hash;
	return &index->entries[at];
}

void tm_index_clear(struct tm_index *index)
{
	if (index->entries)
		tm_pages_free(index->entries, index->size * sizeof(*index->entries));
	memset(index, 0, sizeof(*index));
}

static uint32_t map_home(const struct tm_map *map, uintptr_t address)
{
	return (uint32_t)((uint64_t)address * 0x9e3779b97f4a7c15ull >> 32) & (map->size - 1);
}

/* Where @address is, or the empty entry where it would go. */
static uint32_t map_find(const struct tm_map *map, uintptr_t address)
{
	uint32_t at = map_home(map, address);

	while (map->entries[at].address && map->entries[at].address != address)
		at = (at + 1) & (map->size - 1);
	return at;
}

uint32_t tm_map_get(const struct tm_map *map, uintptr_t address)
{
	return map->size ? map->entries[map_find(map, address)].value : 0;
}

static bool map_grow(struct tm_map *map)
{
	struct tm_map old = *map;

	map->size = old.size ? old.size * 2 : FIRST_SIZE;
	map->entries = tm_pages(map->size * sizeof(*map->entries));
	if (!map->entries) {
		*map = old;
		return false;
	}
	for (uint32_t i = 0; i < old.size; i++) {
		if (old.entries[i].address)
			map->entries[map_find(map, old.entries[i].address)] = old.entries[i];
	}
	if (old.entries)
		tm_pages_free(old.entries, old.size * sizeof(*old.entries));
	return true;
}

bool tm_map_put(struct tm_map *map, uintptr_t address, uint32_t value)
{
	uint32_t at;

	if ((map->count + 1) * 4ull > map->size * 3ull && !map_grow(map))
		return false;
	at = map_find(map, address);
	if (!map->entries[at].address)
		map->count++;
	map->entries[at].address = address;
	map->entries[at].value = value;
	return true;
}

/* Closes the gap by moving later entries of the same run back, so no marker stays behind. */
void tm_map_remove(struct tm_map *map, uintptr_t address)
{
	uint32_t hole, at, mask = map->size - 1;

	if (!map->size)
		return;
	hole = map_find(map, address);
	if (!map->entries[hole].address)
		return;
	for (at = (hole + 1) & mask; map->entries[at].address; at = (at + 1) & mask) {
		uint32_t home = map_home(map, map->entries[at].address);

		if (((at - home) & mask) >= ((at - hole) & mask)) {
			map->entries[hole] = map->entries[at];
			hole = at;
		}
	}
	memset(&map->entries[hole], 0, sizeof(map->entries[hole]));
	map->count--;
}

void tm_map_clear(struct tm_map *map)
{
	if (map->entries)
		tm_pages_free(map->entries, map->size * sizeof(*map->entries));
	memset(map, 0, sizeof(*map));
}

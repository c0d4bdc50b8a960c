/*
 * cache.h - small direct-mapped caches in front of the interning tables
 *
 * An entry is two words written without a lock.  The first is the key mixed with the value,
 * so that an entry half-written by another thread does not match any key it should not.
 */
#ifndef TIDEMARK_CACHE_H
#define TIDEMARK_CACHE_H

#include "base.h"

struct tm_cached {
	_Atomic uint64_t mixed; /* key ^ spread value */
	_Atomic uint64_t value; /* 0 = empty */
};

#define TM_CACHE_MIX 0x9e3779b97f4a7c15ull

TM_INLINE struct tm_cached *tm_cache_slot(struct tm_cached *cache, unsigned bits, uint64_t key)
{
	return &cache[key * TM_CACHE_MIX >> (64 - bits)];
}

/* The value kept for @key, 0 when there is none. */
TM_INLINE uint32_t tm_cache_get(struct tm_cached *slot, uint64_t key)
{
	uint64_t value = tm_get(&slot->value);

	if (likely((tm_get(&slot->mixed) ^ value * TM_CACHE_MIX) == key))
		return (uint32_t)value;
	return 0;
}

TM_INLINE void tm_cache_put(struct tm_cached *slot, uint64_t key, uint32_t value)
{
	tm_put(&slot->mixed, key ^ value * TM_CACHE_MIX);
	tm_put(&slot->value, value);
}

/* Empties the slot if it is @key's: an address that is about to mean something else. */
TM_INLINE void tm_cache_drop(struct tm_cached *slot, uint64_t key)
{
	if (tm_cache_get(slot, key)) {
		tm_put(&slot->value, 0);
		tm_put(&slot->mixed, 0);
	}
}

#endif

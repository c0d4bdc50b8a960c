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

/*
 * Where the key is the address of a Python object, 16-aligned in 47 bits, key and a value of 20
 * bits and a flag fit in one word: no half-written entry exists.
 */
typedef _Atomic uint64_t tm_packed;

#define TM_PACKED_BITS	21
#define TM_PACKED_FLAG	(1ull << 20)
#define TM_PACKED_VALUE (TM_PACKED_FLAG - 1)

TM_INLINE tm_packed *tm_packed_slot(tm_packed *cache, unsigned bits, uintptr_t address)
{
	return &cache[(address >> 4 ^ address >> 13) & ((1u << bits) - 1)];
}

/* The value kept for @address with its flag, 0 when there is none. */
TM_INLINE uint64_t tm_packed_find(const tm_packed *slot, uintptr_t address)
{
	uint64_t word = tm_get(slot);
	/* Rotated, so that the low bits of an address that is not aligned find no equal. */
	uint64_t key = address >> 4 | address << 60;

	return likely(word >> TM_PACKED_BITS == key) ? word & (TM_PACKED_FLAG | TM_PACKED_VALUE)
						     : 0;
}

/* The value kept for @address, 0 when there is none. */
TM_INLINE uint32_t tm_packed_get(const tm_packed *slot, uintptr_t address)
{
	return (uint32_t)(tm_packed_find(slot, address) & TM_PACKED_VALUE);
}

TM_INLINE void tm_packed_put(tm_packed *slot, uintptr_t address, uint64_t value)
{
	/* Static types are aligned as their compiler likes: those are looked up the long way. */
	if (!(address & 15))
		tm_put(slot, (uint64_t)address >> 4 << TM_PACKED_BITS | value);
}

TM_INLINE void tm_packed_drop(tm_packed *slot, uintptr_t address)
{
	if (tm_packed_get(slot, address))
		tm_put(slot, 0);
}

#endif

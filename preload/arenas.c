#include "arenas.h"

#include "cpython/cpython.h"
#include "lock.h"
#include "table.h"

/*
 * From 3.10 on an arena has 1 MiB, at any page (Include/internal/pycore_obmalloc.h, ARENA_BITS), so
 * at most one begins between two multiples of that.
 */
#define ARENA	   (1ul << 20)
#define PAGE_SHIFT 12

/* By the multiple of ARENA below.  Bits 0..7: the page that it begins at, 8..30: the lock. */
static struct tm_map arenas;

enum {
	PAGES = 0xff,
	LOCK_SHIFT = 8,
	THERE = 1u << 31
};

static uintptr_t below(uintptr_t address)
{
	return address & ~(ARENA - 1);
}

static uint32_t lock_bits(void)
{
	return tm_python_lock() << LOCK_SHIFT & ~(uint32_t)THERE;
}

static bool is_of_interest(size_t size)
{
	return size == ARENA && tm_python.family == TM_FAMILY_ALLOCATOR &&
	       tm_python.adapter->own_gils;
}

void tm_arenas_made(uintptr_t arena, size_t size)
{
	uint32_t value;

	if (!is_of_interest(size))
		return;
	value = THERE | lock_bits() | (uint32_t)((arena - below(arena)) >> PAGE_SHIFT);
	tm_lock();
	tm_map_put(&arenas, below(arena), value);
	tm_unlock();
}

void tm_arenas_gone(uintptr_t arena, size_t size)
{
	if (!is_of_interest(size))
		return;
	tm_lock();
	tm_map_remove(&arenas, below(arena));
	tm_unlock();
}

static uintptr_t begin_of(uintptr_t multiple, uint32_t value)
{
	return multiple + ((uintptr_t)(value & PAGES) << PAGE_SHIFT);
}

/* The value of the arena that an address is in; 0 = none. */
static uint32_t find(uintptr_t address)
{
	uintptr_t multiple = below(address);
	uint32_t value = tm_map_get(&arenas, multiple);

	if (value && begin_of(multiple, value) <= address)
		return value;
	multiple -= ARENA;
	value = tm_map_get(&arenas, multiple);
	return value && address - begin_of(multiple, value) < ARENA ? value : 0;
}

enum tm_whose tm_arenas_whose(uintptr_t block)
{
	uint32_t value;

	tm_lock();
	value = find(block);
	tm_unlock();
	if (!value)
		return TM_NOBODYS;
	return (value & ~(uint32_t)(THERE | PAGES)) == lock_bits() ? TM_OURS : TM_ANOTHERS;
}

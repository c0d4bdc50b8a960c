/*
 * objects.h - objects in the rig's heap, called by numbers: each in a block of 64 bytes, behind a
 * collector's head
 */
#ifndef TIDEMARK_TESTS_OBJECTS_H
#define TIDEMARK_TESTS_OBJECTS_H

#include "rig.h"

static inline uintptr_t block_at(unsigned i)
{
	return (uintptr_t)rig.heap + 64 * (uintptr_t)i;
}

static inline void born(unsigned i)
{
	rig_set_object(block_at(i) + 16, &rig.types[1]);
	tm_birth_expected(block_at(i), 64);
	tm_birth_object(block_at(i) + 16);
}

/* A block whose type nobody has looked at yet, with an object in it. */
static inline void pending_object(unsigned i)
{
	tm_birth_pending(block_at(i), 64);
	rig_set_object(block_at(i) + 16, &rig.types[1]);
}

/* The same, with what is no object in it. */
static inline void pending_nonsense(unsigned i)
{
	tm_birth_pending(block_at(i), 64);
	memset((void *)block_at(i), 0xa5, 64);
}

static inline void dies(unsigned i)
{
	tm_death_object(block_at(i) + 16);
}

static inline uint32_t birth_of(unsigned i)
{
	return tm_word_birth(rig_word(block_at(i) + 16));
}

#endif

/*
 * shapes.h - places in the rig's heap, chunk boundaries included, and objects of each shape there
 */
#ifndef TIDEMARK_TESTS_SHAPES_H
#define TIDEMARK_TESTS_SHAPES_H

#include "rig.h"

/* The last word of the first chunk of the heap is the one before this address. */
static inline uintptr_t edge(void)
{
	return (uintptr_t)rig.heap + TM_CHUNK_HEAP;
}

static inline uintptr_t middle(void)
{
	return (uintptr_t)rig.heap + 4096;
}

static inline uint32_t type_index(unsigned i)
{
	return tm_intern_type((uintptr_t)&rig.types[i]);
}

static inline uint64_t object_word(unsigned type, uint32_t birth)
{
	return tm_word(TM_OBJECT, birth, 0, type_index(type));
}

/* An object of rig.types[@type], at the place of its block where that type has it. */
static inline uintptr_t born(uintptr_t block, size_t size, unsigned type)
{
	uintptr_t object = block + 16 * type;

	rig_set_object(object, &rig.types[type]);
	tm_birth_expected(block, size);
	tm_birth_object(object);
	return object;
}

/* A class made at run time, behind a collector's head at @block. */
static inline uintptr_t class_at(uintptr_t block)
{
	static struct rig_text name;
	uintptr_t type = block + 16;
	void *text = &name;

	rig_set_text(&name, "Session");
	rig_set_type((void *)type, "Session", 64, TM_FLAG_HEAPTYPE | TM_FLAG_READY | TM_FLAG_GC);
	memcpy((char *)type + RIG_QUALNAME, &text, sizeof(text));
	tm_birth_expected(block, 512);
	tm_birth_object(type);
	return type;
}

#endif

/*
 * blocks.h - the words of an allocator's block, wherever chunks end
 */
#ifndef TIDEMARK_BLOCKS_H
#define TIDEMARK_BLOCKS_H

#include "base.h"
#include "interval.h"
#include "shadow.h"
#include "thread.h"

/* What a block's words were at some moment. */
struct tm_block_words {
	uintptr_t block;
	uint64_t word[3]; /* of its first three granules, those that belong to it; else 0 */
	uint64_t size;	  /* 0 = unknown */
	uint64_t past;	  /* its GROWN or OWNED word; 0 = none */
	bool renews;	  /* it was born under an earlier mark, and is still in place */
	uintptr_t object; /* what it turned out to hold when it was looked into; 0 = nothing */
	uint32_t type;	  /* of that */
};

/* tm_block_take - remember a block's words. */
void tm_block_take(uintptr_t block, struct tm_block_words *out);

/* tm_block_clear - clear the words that were taken. */
void tm_block_clear(const struct tm_block_words *words);

/* The live object in the block whose words were taken, if there is one: its index, else 3. */
unsigned tm_block_object(const struct tm_block_words *words);

/* Whether a word is that of a block without an object, or not looked at yet. */
bool tm_block_is_plain(uint64_t word);

/* The word of an address; 0 also where there is no chunk. */
uint64_t tm_block_word_at(uintptr_t address);

/* Size of the block an object lives in, from the words around it; 0 = not known. */
uint64_t tm_object_size(uintptr_t object);

/* tm_block_lost - count a birth that could not be recorded. */
void tm_block_lost(uintptr_t address);

/* The word of an address, its chunk made if need be and stamped with @birth; NULL: no space. */
tm_shadow_word *tm_block_place(uintptr_t address, uint64_t birth);

/* Where a block's GROWN or OWNED word goes; NULL where the block has no granule for it. */
tm_shadow_word *tm_block_past_place(uintptr_t block, size_t size, uint64_t birth);

/*
 * tm_block_put - write a block's words
 * @value: its first word
 * @past: its GROWN or OWNED word, 0 = none.  A block that has one is watched, so that its death
 * takes the slow way, which clears that word as well.
 */
void tm_block_put(uintptr_t block, size_t size, uint64_t value, uint64_t past);

/* tm_block_put_object - write the words of an object in a block; false: no space. */
bool tm_block_put_object(uintptr_t object, uintptr_t block, size_t size, uint64_t value,
			 uint64_t birth);

#endif

/*
 * shadow.h - the shadow of the heap: which blocks and objects are in it
 */
#ifndef TIDEMARK_SHADOW_H
#define TIDEMARK_SHADOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reader.h"

/* A block larger than this is damage: no machine has the memory. */
#define TM_SHADOW_MOST_BYTES (1ull << 44)

/* A chunk that lies in the file, see struct tm_chunk. */
struct tm_shadow_chunk {
	uint64_t heap_base;
	uint64_t shadow;
	uint32_t newest_birth;
};

struct tm_shadow {
	struct tm_shadow_chunk *chunks; /* by ascending heap_base, no two alike */
	size_t count;
};

/* Copies the list of chunks; what does not lie in the file is damage, and left out. */
void tm_shadow_open(struct tm_shadow *shadow, struct tm_reader *reader);
void tm_shadow_close(struct tm_shadow *shadow);

/* The chunk `address` lies in, SIZE_MAX when there is none. */
size_t tm_shadow_find(const struct tm_shadow *shadow, uint64_t address);

/* What is said of a block lies in its first words: so many after the one that names it. */
#define TM_SHADOW_AHEAD 2u

/* A chunk's words, and as many after them. */
#define TM_SHADOW_WORDS (TM_CHUNK_WORDS + TM_SHADOW_AHEAD)

/*
 * Copies a chunk's words into `words`, and after them the first words of the next chunk
 * if the heap goes on there (0 otherwise): room for TM_SHADOW_WORDS.  Returns false,
 * having noted the damage, when the file does not have them.
 */
bool tm_shadow_read(const struct tm_shadow *shadow, struct tm_reader *reader, size_t index,
		    uint64_t *words);

/* The same for the last `count` words of the chunk: room for count + TM_SHADOW_AHEAD. */
bool tm_shadow_read_end(const struct tm_shadow *shadow, struct tm_reader *reader, size_t index,
			size_t count, uint64_t *words);

/* Does the heap go on from this chunk into the next of the list? */
bool tm_shadow_goes_on(const struct tm_shadow *shadow, size_t index);

/*
 * Called for each object and each block that is no object.
 * @word: as in the file
 * @size: bytes of its block; 0 = the recording has none for it
 * @past: its GROWN or OWNED word; 0 = none
 */
typedef void tm_shadow_visit(void *context, uint64_t address, uint64_t word, uint64_t size,
			     uint64_t past);

/*
 * One walk over the heap by ascending addresses.  Zeroed but for the first three members;
 * a block behind a collector's head may straddle two chunks, so the state stays with the
 * walk.
 */
struct tm_shadow_walk {
	tm_shadow_visit *visit;
	void *context;
	uint32_t oldest_birth; /* nothing with a lower birth field is visited */
	uint64_t head_at;      /* of the last SIZE_HEAD whose object is still to come */
	uint64_t head_size;
	uint64_t nonsense; /* words that mean nothing */
};

/* `count` words from heap address `from` on, and TM_SHADOW_AHEAD to look at. */
void tm_shadow_walk(struct tm_shadow_walk *walk, uint64_t from, const uint64_t *words,
		    size_t count);

#endif

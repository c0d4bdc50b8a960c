/*
 * shadow.c - chunks in the order of the heap, and the blocks in them
 */
#include "shadow.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define HEAP_END (1ull << 47)

static bool usable(const struct tm_chunk *chunk, const struct tm_reader_region *shadow)
{
	uint64_t at = chunk->shadow - shadow->offset;

	return chunk->heap_base % TM_CHUNK_HEAP == 0 && chunk->heap_base != 0 &&
	       chunk->heap_base <= HEAP_END - TM_CHUNK_HEAP && chunk->shadow >= shadow->offset &&
	       chunk->shadow % sizeof(uint64_t) == 0 && at <= shadow->backed &&
	       TM_CHUNK_SHADOW <= shadow->backed - at;
}

static int by_heap(const void *left, const void *right)
{
	const struct tm_shadow_chunk *l = left;
	const struct tm_shadow_chunk *r = right;

	return l->heap_base < r->heap_base ? -1 : l->heap_base > r->heap_base;
}

void tm_shadow_open(struct tm_shadow *shadow, struct tm_reader *reader)
{
	struct tm_reader_region region = tm_reader_region(reader, TM_R_SHADOW);
	uint32_t listed = tm_reader_count(reader, TM_R_CHUNKS);
	size_t found = 0;

	shadow->chunks = tm_mem_array((size_t)listed + 1, sizeof(*shadow->chunks));
	shadow->count = 0;
	for (uint32_t i = 0; i < listed; i++) {
		const struct tm_chunk *chunk = tm_reader_chunk(reader, i);

		if (usable(chunk, &region))
			shadow->chunks[found++] = (struct tm_shadow_chunk){
				chunk->heap_base, chunk->shadow, chunk->newest_birth};
	}
	qsort(shadow->chunks, found, sizeof(*shadow->chunks), by_heap);
	for (size_t i = 0; i < found; i++)
		if (i == 0 || shadow->chunks[i].heap_base != shadow->chunks[i - 1].heap_base)
			shadow->chunks[shadow->count++] = shadow->chunks[i];
	if (shadow->count < listed)
		tm_reader_damaged(reader,
				  "the objects of %" PRIu64 " of %" PRIu32
				  " MiB of the heap are not in the file",
				  (uint64_t)(listed - shadow->count), listed);
}

void tm_shadow_close(struct tm_shadow *shadow)
{
	free(shadow->chunks);
}

size_t tm_shadow_find(const struct tm_shadow *shadow, uint64_t address)
{
	size_t low = 0;
	size_t high = shadow->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (shadow->chunks[middle].heap_base <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || address - shadow->chunks[low - 1].heap_base >= TM_CHUNK_HEAP)
		return SIZE_MAX;
	return low - 1;
}

bool tm_shadow_goes_on(const struct tm_shadow *shadow, size_t index)
{
	return index + 1 < shadow->count && shadow->chunks[index + 1].heap_base ==
						    shadow->chunks[index].heap_base + TM_CHUNK_HEAP;
}

/* The words after the last one of a chunk. */
static void words_after(const struct tm_shadow *shadow, struct tm_reader *reader, size_t index,
			uint64_t words[TM_SHADOW_AHEAD])
{
	const size_t size = TM_SHADOW_AHEAD * sizeof(*words);

	if (!tm_shadow_goes_on(shadow, index) ||
	    tm_reader_copy(reader, shadow->chunks[index + 1].shadow, words, size) != (ssize_t)size)
		memset(words, 0, size);
}

bool tm_shadow_read_end(const struct tm_shadow *shadow, struct tm_reader *reader, size_t index,
			size_t count, uint64_t *words)
{
	size_t size = count * sizeof(*words);
	uint64_t at = shadow->chunks[index].shadow + TM_CHUNK_SHADOW - size;

	if (tm_reader_copy(reader, at, words, size) != (ssize_t)size) {
		tm_reader_damaged(reader, "the file became shorter while it was read");
		return false;
	}
	words_after(shadow, reader, index, &words[count]);
	return true;
}

bool tm_shadow_read(const struct tm_shadow *shadow, struct tm_reader *reader, size_t index,
		    uint64_t *words)
{
	return tm_shadow_read_end(shadow, reader, index, TM_CHUNK_WORDS, words);
}

static uint64_t plausible_size(struct tm_shadow_walk *walk, uint64_t word)
{
	uint64_t size = tm_word_size(word);

	if (size <= TM_SHADOW_MOST_BYTES)
		return size;
	walk->nonsense++;
	return 0;
}

/*
 * The size of the block an object lies in: in the granule after it if the block starts
 * with the object, or in the block's first granule if a collector's head (of one or two
 * granules) comes before the object.
 */
static uint64_t object_size(struct tm_shadow_walk *walk, uint64_t address, uint64_t next)
{
	uint64_t behind = address - walk->head_at;

	if (tm_word_kind(next) == TM_SIZE_TAIL)
		return plausible_size(walk, next);
	if ((behind == TM_GRANULE || behind == 2 * TM_GRANULE) && behind < walk->head_size) {
		walk->head_at = 0;
		return walk->head_size;
	}
	return 0;
}

static uint64_t block_size(struct tm_shadow_walk *walk, uint64_t word, uint64_t next)
{
	uint32_t size = tm_word_type(word);

	if (size == TM_SIZE_BIG && tm_word_kind(next) == TM_SIZE_TAIL)
		return plausible_size(walk, next);
	return size;
}

/* Its first word names the block, the next one may have its size: then where it comes from follows.
 */
static uint64_t past_of(const uint64_t *block)
{
	unsigned at = tm_word_kind(block[1]) == TM_SIZE_TAIL ? 2 : 1;

	return tm_word_is_past(block[at]) ? block[at] : 0;
}

void tm_shadow_walk(struct tm_shadow_walk *walk, uint64_t from, const uint64_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t word = words[i];
		uint64_t address = from + i * TM_GRANULE;
		uint64_t size;

		if (word == 0)
			continue;
		switch (tm_word_kind(word)) {
		case TM_OBJECT:
			/* sized even when too old: it uses up the head before it */
			size = object_size(walk, address, words[i + 1]);
			if (tm_word_birth(word) >= walk->oldest_birth)
				walk->visit(walk->context, address, word, size, 0);
			break;
		case TM_BUFFER:
		case TM_PENDING:
			if (tm_word_birth(word) >= walk->oldest_birth)
				walk->visit(walk->context, address, word,
					    block_size(walk, word, words[i + 1]),
					    past_of(&words[i]));
			break;
		case TM_SIZE_HEAD:
			walk->head_at = address;
			walk->head_size = plausible_size(walk, word);
			break;
		case TM_SIZE_TAIL:
		case TM_GROWN:
		case TM_OWNED:
			break;
		case TM_FREE:
		default:
			walk->nonsense++;
		}
	}
}

/*
 * large_recording.c - make a recording of a large heap, to measure the analyzer on
 *
 *     large_recording FILE [OBJECTS]
 *
 * Twenty marks, at each of which a tenth of what was born one interval before dies;
 * types, lines and block shapes as varied as in a real program, addresses in the order an
 * allocator gives them out.  Link with tests/support/story.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "story.h"

#define MARKS	       20u
#define TYPES	       300u
#define SITES	       2000u
#define TYPES_PER_SITE 4u
#define HEAP	       0x7f0000000000ull
#define BLOCK_MOST     144u

struct heap {
	struct story *s;
	uint64_t next; /* free address */
	unsigned seed;
	uint32_t first_type;
};

static uint32_t any(struct heap *h, uint32_t below)
{
	return (uint32_t)rand_r(&h->seed) % below;
}

static void tell_names(struct heap *h)
{
	char name[32];

	for (uint32_t i = 0; i < TYPES; i++) {
		snprintf(name, sizeof(name), "app.models.Type%" PRIu32, i);
		type_named(h->s, name, 48);
	}
	for (uint32_t i = 0; i < SITES; i++) {
		snprintf(name, sizeof(name), "/srv/app/file%" PRIu32 ".py", i % 50);
		site_called(h->s, i / 2, name, "function", (int32_t)i + 1);
	}
}

/* A few lines make most objects, as in every program. */
static uint32_t skewed(struct heap *h, uint32_t below)
{
	return any(h, any(h, any(h, below) + 1) + 1);
}

static uint64_t give_birth(struct heap *h)
{
	uint64_t size = 32 + any(h, (BLOCK_MOST - 32) / 16 + 1) * 16;
	uint32_t birth = h->s->header->current + 1;
	uint64_t block = h->next, object = block;
	uint32_t kind = any(h, 10);
	uint32_t site = 1 + skewed(h, SITES);
	uint32_t type = 1 + (site + any(h, TYPES_PER_SITE)) % TYPES;

	h->next += (size + 15) / 16 * 16;
	if (kind < 2) {
		*word_at(h->s, block) = tm_word(TM_BUFFER, birth, site, (uint32_t)size);
	} else if (kind < 6) {
		object += 16;
		*word_at(h->s, block) = tm_size_word(TM_SIZE_HEAD, size);
		*word_at(h->s, object) = tm_word(TM_OBJECT, birth, site, type);
	} else {
		*word_at(h->s, block) = tm_word(TM_OBJECT, birth, site, type);
		*word_at(h->s, block + 16) = tm_size_word(TM_SIZE_TAIL, size);
	}
	return object;
}

static void note_births(struct heap *h)
{
	struct tm_chunk *chunks = story_table(h->s, TM_R_CHUNKS);
	uint64_t count = h->s->header->regions[TM_R_CHUNKS].used;

	for (uint64_t i = 0; i < count; i++)
		if (chunks[i].newest_birth == 0)
			chunks[i].newest_birth = MARKS;
}

int main(int argc, char **argv)
{
	uint64_t objects = argc > 2 ? strtoull(argv[2], NULL, 10) : 5000000;
	uint64_t kept = objects / MARKS, dying = kept / 10;
	uint64_t *doomed = calloc(dying + 1, sizeof(*doomed));
	struct story_options options = {.path = argc > 1 ? argv[1] : NULL,
					.ring_slots = 1u << 20,
					.marks = 128,
					.chunks = (uint32_t)(objects * BLOCK_MOST >> 20) + 2};
	struct heap h = {.next = HEAP, .seed = 1};

	if (argc < 2 || !doomed) {
		fprintf(stderr, "usage: large_recording FILE [OBJECTS]\n");
		return 2;
	}
	h.s = story_begin(&options);
	tell_names(&h);
	for (uint32_t m = 0; m < MARKS; m++) {
		for (uint64_t i = 0; i < kept; i++)
			give_birth(&h);
		for (uint64_t i = 0; i < dying; i++)
			doomed[i] = give_birth(&h);
		mark(h.s, "");
		for (uint64_t i = 0; i < dying; i++)
			death(h.s, doomed[i]);
	}
	note_births(&h);
	story_end(h.s);
	free(doomed);
	return 0;
}

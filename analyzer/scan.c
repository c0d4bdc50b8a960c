/*
 * scan.c - shadow, ring of deaths and tallies as one stream of items
 *
 * The order matters: a death is written to the ring before the shadow forgets the
 * object, and added to the tallies before the ring forgets it, so reading in this order
 * misses nothing.  What is seen twice that way is sorted out in ring.c (shadow and ring)
 * and here (ring and tallies).
 */
#include "scan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "ring.h"
#include "shadow.h"

/* Types published after our copy of their table are rare; a damaged file is full of them. */
#define TYPE_RELOADS 16

/* How often to look for a moment in which the ring stands still. */
#define TALLY_TRIES 16

/* More than any machine can hold or do, and no sum of sane tables overflows with it. */
#define MOST_COUNT (1ull << 44)

/* Granules before an object that belong to its block. */
#define LONGEST_HEAD 2u

struct scan {
	struct tm_reader *reader;
	tm_scan_visit *visit;
	tm_scan_resized *resized; /* may be NULL */
	void *context;
	struct tm_scan_facts *facts;
	bool tracer;	       /* family: PENDING means BUFFER */
	uint32_t newest_birth; /* of a thing born before the scan began */
	uint32_t seen_birth;   /* the highest birth field met */
	unsigned type_reloads; /* left to do */
	uint64_t nonsense;     /* records that mean nothing */
};

static uint64_t type_size(struct scan *s, uint32_t index)
{
	const struct tm_type *type;

	if (index == 0)
		return 0;
	type = tm_reader_type(s->reader, index);
	if (!type && s->type_reloads > 0) {
		s->type_reloads--;
		if (tm_reader_reload(s->reader) == 0)
			type = tm_reader_type(s->reader, index);
	}
	return type && type->basic_size <= TM_SHADOW_MOST_BYTES ? type->basic_size : 0;
}

/* Kind, birth, site and type alone, as in the tallies. */
static uint64_t plain_word(const struct scan *s, uint64_t word)
{
	word &= ~TM_WATCHED;
	if (tm_word_kind(word) == TM_OBJECT)
		return word;
	word &= ~TM_TYPE_MASK;
	if (s->tracer)
		word = (word & ~TM_KIND_MASK) | TM_BUFFER;
	return word;
}

/*
 * `size` is that of the block, 0 = not known: then an object has at least its type's size,
 * and a block may have its size in its own word.
 */
static uint64_t size_of(struct scan *s, uint64_t word, uint64_t size)
{
	if (size)
		return size;
	if (tm_word_kind(word) == TM_OBJECT) {
		size = type_size(s, tm_word_type(word));
		return size ? size : TM_GRANULE;
	}
	return tm_word_type(word) == TM_SIZE_BIG ? 0 : tm_word_type(word);
}

static void visit_live(void *context, uint64_t address, uint64_t word, uint64_t size, uint64_t past)
{
	struct scan *s = context;
	uint32_t birth = tm_word_birth(word);
	struct tm_scan_item item = {
		.address = address, .count = 1, .death = TM_SCAN_ALIVE, .flags = 0, .past = past};

	if (birth > s->newest_birth) {
		if (birth > s->seen_birth)
			s->seen_birth = birth;
		return;
	}
	item.bytes = size_of(s, word, size);
	item.word = plain_word(s, word);
	s->visit(s->context, &item);
}

/*
 * A chunk without births of interest may still have, in its last granules, the collector's
 * head of an object in the next chunk.
 */
static void walk_end(struct scan *s, const struct tm_shadow *shadow, size_t index,
		     struct tm_shadow_walk *walk)
{
	uint64_t words[LONGEST_HEAD + TM_SHADOW_AHEAD];
	uint64_t end = shadow->chunks[index].heap_base + TM_CHUNK_HEAP;

	if (tm_shadow_goes_on(shadow, index) &&
	    tm_shadow_read_end(shadow, s->reader, index, LONGEST_HEAD, words))
		tm_shadow_walk(walk, end - LONGEST_HEAD * TM_GRANULE, words, LONGEST_HEAD);
}

static void scan_shadow(struct scan *s, const struct tm_shadow *shadow, struct tm_ring *ring,
			uint32_t oldest_birth)
{
	uint64_t *words = tm_mem_array(TM_SHADOW_WORDS, sizeof(*words));
	struct tm_shadow_walk walk = {visit_live, s, oldest_birth, 0, 0, 0};

	s->facts->chunks = shadow->count;
	for (size_t i = 0; i < shadow->count; i++) {
		if (shadow->chunks[i].newest_birth < oldest_birth) {
			s->facts->skipped++;
			walk_end(s, shadow, i, &walk);
			continue;
		}
		if (!tm_shadow_read(shadow, s->reader, i, words))
			continue;
		tm_ring_chunk_copied(ring, i, words);
		tm_shadow_walk(&walk, shadow->chunks[i].heap_base, words, TM_CHUNK_WORDS);
	}
	s->nonsense += walk.nonsense;
	free(words);
}

/* A death record or tally: a kind that lives, dead in a later interval than it was born in. */
static bool sane(const struct scan *s, uint64_t word, uint32_t death)
{
	uint32_t birth = tm_word_birth(word);
	enum tm_kind kind = tm_word_kind(word);

	if (kind != TM_OBJECT && kind != TM_BUFFER && kind != TM_PENDING)
		return false;
	if (birth == 0)
		return true;
	return birth <= death && birth <= s->newest_birth;
}

static void tell_resized(struct scan *s, const struct tm_ring_record *r)
{
	struct tm_scan_item item = {.address = r->address,
				    .word = plain_word(s, r->word),
				    .count = 1,
				    .death = r->death,
				    .flags = r->flags,
				    .past = r->past};

	if (!s->resized || !(r->flags & TM_DF_RESIZED) || !sane(s, r->word, r->death) ||
	    tm_word_kind(r->word) == TM_OBJECT)
		return;
	item.bytes = size_of(s, r->word, r->size <= TM_SHADOW_MOST_BYTES ? r->size : 0);
	s->resized(s->context, &item, !r->dropped);
}

static void scan_ring(struct scan *s, const struct tm_ring *ring, uint64_t oldest_kept)
{
	for (size_t i = 0; i < ring->count; i++) {
		const struct tm_ring_record *r = &ring->records[i];
		bool tallied = r->index < oldest_kept;
		uint64_t size = r->size <= TM_SHADOW_MOST_BYTES ? r->size : 0;
		struct tm_scan_item item = {
			.count = tallied ? -1 : 1, .death = r->death, .flags = r->flags};

		tell_resized(s, r);
		if (tallied != r->dropped)
			continue;
		if (!sane(s, r->word, r->death)) {
			/* one born after the scan began is none of its business */
			s->nonsense += tm_word_birth(r->word) <= s->newest_birth;
			continue;
		}
		item.address = tallied ? 0 : r->address;
		item.word = plain_word(s, r->word);
		item.bytes = tallied ? size : size_of(s, r->word, size);
		item.past = tallied ? 0 : r->past;
		s->visit(s->context, &item);
	}
}

static void visit_tally(struct scan *s, const struct tm_tally *t)
{
	uint32_t death = (uint32_t)t->death & 0xffff;
	struct tm_scan_item item = {.address = 0,
				    .count = (int64_t)t->count,
				    .bytes = t->bytes,
				    .death = death,
				    .flags = (uint16_t)(t->death >> 16)};

	if (t->word == 0 || !(t->death & TM_TALLY_VALID) || t->count == 0)
		return;
	if (!sane(s, t->word, death) || t->count > MOST_COUNT || t->bytes > TM_SHADOW_MOST_BYTES) {
		s->nonsense += tm_word_birth(t->word) <= s->newest_birth;
		return;
	}
	item.word = plain_word(s, t->word);
	s->visit(s->context, &item);
}

/*
 * Copy the tallies at a moment in which no record is begun, so that it is known which
 * records they hold: those before index *oldest_kept.  Returns the copy.
 */
static struct tm_tally *copy_tallies(struct scan *s, const struct tm_ring *ring, size_t *count,
				     uint64_t *oldest_kept)
{
	struct tm_reader_region region = tm_reader_region(s->reader, TM_R_TALLIES);
	struct tm_tally *copy = tm_mem_new(region.used_bytes + 1);
	uint64_t before, after = tm_reader_used_now(s->reader, TM_R_DEATHS);
	int tries = 0;
	ssize_t got;

	do {
		before = after;
		got = tm_reader_copy(s->reader, region.offset, copy, region.used_bytes);
		after = tm_reader_used_now(s->reader, TM_R_DEATHS);
	} while (before != after && ++tries < TALLY_TRIES);
	*count = got > 0 ? (size_t)got / sizeof(*copy) : 0;
	*oldest_kept = ring->slots && after > ring->slots ? after - ring->slots : 0;
	if (*oldest_kept) {
		s->facts->overwritten = *oldest_kept;
		s->facts->unsure = ring->missed + (after - before);
	}
	if (*oldest_kept > ring->next)
		s->facts->unsure += *oldest_kept - ring->next;
	return copy;
}

static void scan_deaths(struct scan *s, struct tm_ring *ring)
{
	struct tm_tally *tallies;
	uint64_t oldest_kept;
	size_t count;

	tm_ring_finish(ring);
	tallies = copy_tallies(s, ring, &count, &oldest_kept);
	for (size_t i = 0; i < count; i++)
		visit_tally(s, &tallies[i]);
	scan_ring(s, ring, oldest_kept);
	free(tallies);
}

/* What was met must fit what the header says, unless that has moved on in the meantime. */
static void judge(struct scan *s)
{
	if (s->seen_birth > s->newest_birth) {
		tm_reader_reload(s->reader);
		if (s->seen_birth > tm_reader_header(s->reader)->current + 1)
			s->nonsense++;
	}
	if (s->nonsense)
		tm_reader_damaged(s->reader, "%" PRIu64 " of its records make no sense",
				  s->nonsense);
}

struct tm_scan_facts tm_scan_facts_of(const struct tm_reader *reader)
{
	const struct tm_header *header = tm_reader_header(reader);

	return (struct tm_scan_facts){
		.current = header->current < TM_MAX_MARK ? header->current : TM_MAX_MARK,
		.before_is_start = header->start_set == 0,
	};
}

void tm_scan(struct tm_reader *reader, uint32_t oldest_birth, tm_scan_visit *visit, void *context,
	     struct tm_scan_facts *facts)
{
	tm_scan_with_resized(reader, oldest_birth, visit, NULL, context, facts);
}

void tm_scan_with_resized(struct tm_reader *reader, uint32_t oldest_birth, tm_scan_visit *visit,
			  tm_scan_resized *resized, void *context, struct tm_scan_facts *facts)
{
	const struct tm_header *header = tm_reader_header(reader);
	struct scan s = {.reader = reader,
			 .visit = visit,
			 .resized = resized,
			 .context = context,
			 .facts = facts,
			 .tracer = header->family == TM_FAMILY_TRACER,
			 .type_reloads = TYPE_RELOADS};
	struct tm_shadow shadow;
	struct tm_ring ring;

	*facts = tm_scan_facts_of(reader);
	s.newest_birth = facts->current + 1;
	tm_shadow_open(&shadow, reader);
	tm_ring_open(&ring, reader, &shadow);
	scan_shadow(&s, &shadow, &ring, oldest_birth);
	scan_deaths(&s, &ring);
	judge(&s);
	tm_ring_close(&ring);
	tm_shadow_close(&shadow);
}

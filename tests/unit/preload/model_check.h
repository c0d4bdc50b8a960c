/*
 * model_check.h - whether the recording holds what the model says
 */
#ifndef TIDEMARK_TESTS_MODEL_CHECK_H
#define TIDEMARK_TESTS_MODEL_CHECK_H

#include "model_heap.h"

static inline uint64_t first_word(const struct block *b)
{
	switch (b->known) {
	case PENDING:
		return tm_word(TM_PENDING, b->birth, b->site, (uint32_t)size_field(b->size));
	case BUFFER:
		return tm_word(TM_BUFFER, b->birth, b->site, (uint32_t)size_field(b->size));
	case LIVING:
	case DEAD:
		if (b->offset)
			return tm_size_word(TM_SIZE_HEAD, b->size);
		return b->known == LIVING ? tm_word(TM_OBJECT, b->birth, b->site, b->type) : 0;
	default:
		return 0;
	}
}

/* Word @i of a block, counted in granules from its start. */
static inline uint64_t word_of(const struct block *b, unsigned i)
{
	if (i == 0)
		return first_word(b);
	if (i == 1 && has_tail(b))
		return tm_size_word(TM_SIZE_TAIL, b->size);
	if (b->known == LIVING && b->offset && i == b->offset / 16)
		return tm_word(TM_OBJECT, b->birth, b->site, b->type);
	if (b->before && i == grown_at(b))
		return tm_grown_word(b->before, 0);
	return 0;
}

static inline void expect_word(uintptr_t address, uint64_t expected)
{
	uint64_t word = rig_word(address) & ~TM_WATCHED;

	if (word != expected)
		fail_msg("seed %u, event %u, %s: the word of granule %lld is %#llx, expected %#llx",
			 model.seed, model.number, model.event, (long long)(address - base()) / 16,
			 (unsigned long long)word, (unsigned long long)expected);
}

static inline void expect_neighbourhood(void)
{
	static uint64_t expected[GRANULES];

	memcpy(expected, model.rest, sizeof(expected));
	for (unsigned i = 0; i < BLOCKS; i++) {
		const struct block *b = &model.blocks[i];

		if (b->known == NOTHING || b->known == HELD)
			continue;
		for (unsigned k = 0; k < 3 && k < granules_of(b->size); k++) {
			if (is_big(b->size))
				expect_word(b->at + 16 * k, word_of(b, k));
			else
				expected[(b->at - base()) / 16 + k] = word_of(b, k);
		}
	}
	for (unsigned i = 0; i < GRANULES; i++)
		expect_word(base() + 16 * i, expected[i]);
}

/* Every word there is: nothing was written anywhere else. */
static inline void expect_nothing_elsewhere(void)
{
	uint64_t words = 0, expected = 0;

	for (uintptr_t at = 0; at < RIG_HEAP_SIZE; at += 16)
		words += rig_word((uintptr_t)rig.heap + at) != 0;
	for (unsigned i = 0; i < BLOCKS; i++) {
		for (unsigned k = 0; model.blocks[i].known != NOTHING && k < 3; k++)
			expected += word_of(&model.blocks[i], k) != 0;
	}
	for (unsigned i = 0; i < GRANULES; i++)
		expected += model.rest[i] != 0;
	assert_int_equal(words, expected);
}

static inline void expect_stamps(void)
{
	uint64_t chunks = rig_used(TM_R_CHUNKS);

	for (uint64_t c = 0; c < chunks; c++) {
		const struct tm_chunk *chunk =
			(const struct tm_chunk *)tm_segment_at(TM_R_CHUNKS, 0) + c;
		const uint64_t *words = (const uint64_t *)(tm_segment.base + chunk->shadow);

		for (unsigned i = 0; i < TM_CHUNK_WORDS; i++) {
			enum tm_kind kind = tm_word_kind(words[i]);

			if (kind == TM_OBJECT || kind == TM_BUFFER || kind == TM_PENDING)
				assert_true(tm_word_birth(words[i]) <= chunk->newest_birth);
		}
	}
}

static inline void expect_deaths(void)
{
	assert_int_equal(rig_used(TM_R_DEATHS), model.death_count);
	for (unsigned i = 0; i < model.death_count; i++) {
		const struct death *d = &model.deaths[i];

		rig_expect_death(i, d->address, d->word, d->size, d->mark, d->flags);
		assert_int_equal(rig_death(i)->past, d->before ? tm_grown_word(d->before, 0) : 0);
	}
}

static inline void expect_reclaimed(void)
{
	const struct tm_tally *tallies = tm_segment_at(TM_R_CYCLIC, 0);
	uint64_t slots = tm_segment.header->regions[TM_R_CYCLIC].capacity / sizeof(*tallies);
	uint64_t total = 0;

	for (uint64_t i = 0; rig_used(TM_R_CYCLIC) && i < slots; i++) {
		uint64_t count = 0, bytes = 0;

		if (!tallies[i].word)
			continue;
		for (unsigned k = 0; k < model.reclaimed_count; k++) {
			const struct reclaimed *r = &model.reclaimed[k];
			bool same = r->word == tallies[i].word &&
				    (r->mark | TM_TALLY_VALID) == tallies[i].death;

			count += same;
			bytes += same ? r->size : 0;
		}
		assert_int_equal(tallies[i].count, count);
		assert_int_equal(tallies[i].bytes, bytes);
		total += count;
	}
	assert_int_equal(total, model.reclaimed_count);
}

static inline void expect_counters(void)
{
	struct tm_sums sums = tm_thread_sums();

	assert_int_equal(sums.created, model.created);
	assert_int_equal(sums.destroyed, model.destroyed);
	assert_int_equal(sums.lost, 0);
	for (unsigned i = 0; i < TM_L_COUNT; i++) {
		uint64_t expected = i == TM_L_FREED_LIVE      ? model.freed_live
				    : i == TM_L_BIRTH_OVER    ? model.birth_over
				    : i == TM_L_DEATH_UNKNOWN ? model.unknown
							      : 0;

		assert_int_equal(rig_lost(i), expected);
	}
}

#endif

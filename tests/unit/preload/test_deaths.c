/* test_deaths.c - the ring of deaths across marks, and the tallies behind it */
#include "rig.h"

#include "deaths.h"
#include "tallies.h"

static void add(uintptr_t address, uint64_t word, uint64_t size, uint32_t mark, unsigned flags)
{
	struct tm_dying dying = {address, word, size, 0};

	tm_deaths_add(&dying, mark, flags);
}

#define ADDRESS 0x7f0000100000ull
#define LARGE	((uint64_t)TM_DF_LARGE << 16) /* where meta and tallies have it */

static uint64_t slots(void)
{
	return tm_segment.header->regions[TM_R_DEATHS].capacity / sizeof(struct tm_death);
}

static const struct tm_tally *tally(uint64_t index)
{
	return (const struct tm_tally *)tm_segment_at(TM_R_TALLIES, 0) + index;
}

static uint64_t tally_slots(void)
{
	return tm_segment.header->regions[TM_R_TALLIES].capacity / sizeof(struct tm_tally);
}

struct sum {
	uint64_t count, bytes;
};

/* What ring and tallies say of the deaths of @word in @mark's interval with @flags, of any size. */
static struct sum sum_of(uint64_t word, uint32_t mark, unsigned flags)
{
	uint64_t death = (uint64_t)mark | (uint64_t)flags << 16;
	struct sum sum = {0, 0};

	for (uint64_t i = 0; i < slots() && i < rig_used(TM_R_DEATHS); i++) {
		const struct tm_death *d = rig_death(i);

		if (d->word == word && (d->meta >> 32 & ~LARGE) == death) {
			sum.count++;
			sum.bytes += d->size;
		}
	}
	for (uint64_t i = 0; rig_used(TM_R_TALLIES) && i < tally_slots(); i++) {
		const struct tm_tally *t = tally(i);

		if (t->word == word && (t->death & ~LARGE) == (death | TM_TALLY_VALID)) {
			sum.count += t->count;
			sum.bytes += t->bytes;
		}
	}
	return sum;
}

static void expect_sum(uint64_t word, uint32_t mark, unsigned flags, uint64_t count, uint64_t bytes)
{
	struct sum sum = sum_of(word, mark, flags);

	assert_int_equal(sum.count, count);
	assert_int_equal(sum.bytes, bytes);
}

static void records_stand_in_the_order_of_deaths(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5000; i++)
		add(ADDRESS + 16 * i, tm_word(TM_OBJECT, 1, i, 7), 100 + i, i % 9, i % 8);
	assert_int_equal(rig_used(TM_R_DEATHS), 5000);
	for (unsigned i = 0; i < 5000; i++)
		rig_expect_death(i, ADDRESS + 16 * i, tm_word(TM_OBJECT, 1, i, 7), 100 + i, i % 9,
				 i % 8);
	assert_int_equal(rig_used(TM_R_TALLIES), 0);
	assert_int_equal(rig_lost(TM_L_RING), 0);
}

static void the_watched_bit_is_not_recorded(void **state)
{
	uint64_t word = tm_word(TM_OBJECT, 3, 4, 5);

	(void)state;
	add(ADDRESS, word | TM_WATCHED, 48, 9, 0);
	rig_expect_death(0, ADDRESS, word, 48, 9, 0);
}

static void a_record_holds_the_largest_of_everything(void **state)
{
	uint64_t word = tm_word(TM_BUFFER, TM_MAX_BIRTH, TM_MAX_SITES - 1, TM_SIZE_BIG);

	(void)state;
	add((1ull << 47) - 16, word, UINT64_MAX, TM_MAX_MARK, 0xffff);
	rig_expect_death(0, (1ull << 47) - 16, word, UINT64_MAX, TM_MAX_MARK, 0xffff);
}

/* Three times around, over keys that differ in one thing each. */
static void ring_and_tallies_together_are_exact(void **state)
{
	enum {
		KEYS = 7
	};
	const struct {
		uint64_t word;
		uint32_t mark;
		unsigned flags;
	} keys[KEYS] = {
		{tm_word(TM_OBJECT, 1, 10, 3), 5, 0},
		{tm_word(TM_OBJECT, 1, 11, 3), 5, 0},
		{tm_word(TM_OBJECT, 1, 10, 4), 5, 0},
		{tm_word(TM_OBJECT, 2, 10, 3), 5, 0},
		{tm_word(TM_OBJECT, 1, 10, 3), 6, 0},
		{tm_word(TM_OBJECT, 1, 10, 3), 5, TM_DF_COLLECTOR},
		{tm_word(TM_OBJECT, 1, 10, 3), 5, TM_DF_MARK_COLLECTION | TM_DF_COLLECTOR},
	};
	uint64_t count[KEYS] = {0}, bytes[KEYS] = {0};
	uint64_t total = 3 * slots() + 1234;

	(void)state;
	srand(4);
	for (uint64_t i = 0; i < total; i++) {
		unsigned k = (unsigned)rand() % KEYS;
		uint64_t size = (uint64_t)rand() % 1000;

		add(ADDRESS + 16 * i, keys[k].word | (i % 3 ? 0 : TM_WATCHED), size, keys[k].mark,
		    keys[k].flags);
		count[k]++;
		bytes[k] += size;
	}
	assert_int_equal(rig_used(TM_R_DEATHS), total);
	assert_int_equal(rig_used(TM_R_TALLIES), 2 * KEYS); /* small ones and large ones */
	for (unsigned k = 0; k < KEYS; k++)
		expect_sum(keys[k].word, keys[k].mark, keys[k].flags, count[k], bytes[k]);
	assert_int_equal(rig_lost(TM_L_RING), total - slots());
	assert_int_equal(rig_lost(TM_L_TALLIES), 0);
}

static void what_is_no_longer_small_is_told_apart(void **state)
{
	uint64_t word = tm_word(TM_BUFFER, 1, 2, 0);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		for (uint64_t size = TM_SMALL_MOST; size <= TM_SMALL_MOST + 1; size++)
			add(ADDRESS, word, size, 3, 0);
	}
	assert_int_equal(rig_death(0)->meta >> 48, 0);
	assert_int_equal(rig_death(1)->meta >> 48, TM_DF_LARGE);
	for (uint64_t i = 0; i < slots(); i++)
		add(ADDRESS, tm_word(TM_OBJECT, 1, 1, 1), 0, 3, 0);
	assert_int_equal(rig_used(TM_R_TALLIES), 2);
	expect_sum(word, 3, 0, 4, 4 * TM_SMALL_MOST + 2);
}

static void the_newest_records_are_all_there_after_a_turn(void **state)
{
	uint64_t total = slots() + slots() / 2;

	(void)state;
	for (uint64_t i = 0; i < total; i++)
		add(ADDRESS + 16 * i, tm_word(TM_OBJECT, 1, 2, 3), i, 4, 0);
	for (uint64_t i = total - slots(); i < total; i++)
		rig_expect_death(i, ADDRESS + 16 * i, tm_word(TM_OBJECT, 1, 2, 3), i, 4, 0);
}

static void tallies_do_not_tell_buffers_apart_by_size(void **state)
{
	static const enum tm_kind kinds[] = {TM_BUFFER, TM_PENDING};

	(void)state;
	for (uint64_t i = 0; i < slots(); i++) {
		unsigned size = 12 + (unsigned)(i % 500);

		add(ADDRESS, tm_word(kinds[i % 2], 1, 2, size), size, 3, 0);
	}
	for (uint64_t i = 0; i < slots(); i++)
		add(ADDRESS, tm_word(TM_OBJECT, 1, 1, 1), 0, 3, 0);
	assert_int_equal(rig_used(TM_R_TALLIES), 2);
	for (unsigned k = 0; k < 2; k++) {
		uint64_t bytes = 0;

		for (uint64_t i = k; i < slots(); i += 2)
			bytes += 12 + i % 500;
		expect_sum(tm_word(kinds[k], 1, 2, 0), 3, 0, slots() / 2, bytes);
	}
}

static void a_table_that_is_full_is_followed_by_another(void **state)
{
	struct tm_region *region = &tm_segment.header->regions[TM_R_CYCLIC];
	const struct tm_tally *tallies = tm_segment_at(TM_R_CYCLIC, 0);
	uint64_t keys = 3 * TM_TALLY_SLOTS, most = region->capacity / sizeof(*tallies), count = 0;
	uint64_t refused = 0;

	(void)state;
	assert_int_equal(region->backed, 0);
	assert_true(tm_tallies_add(TM_R_CYCLIC, tm_word(TM_OBJECT, 0, 1, 1), 0, 1));
	assert_int_equal(region->backed, TM_TALLY_TABLE);
	for (uint64_t i = 0; i < 2 * keys; i++)
		assert_true(tm_tallies_add(
			TM_R_CYCLIC, tm_word(TM_OBJECT, 0, (uint32_t)(i % keys) + 2, 1), 0, 10));
	assert_in_range(region->backed, keys * sizeof(*tallies), region->capacity);
	for (uint64_t i = 0; i < region->backed / sizeof(*tallies); i++)
		count += tallies[i].count;
	assert_int_equal(count, 2 * keys + 1);
	assert_int_equal(region->used, keys + 1);
	/* beyond the last there is no room, and nothing that is there is lost */
	for (uint32_t i = 0; i < 2 * most; i++)
		refused += !tm_tallies_add(TM_R_CYCLIC, tm_word(TM_OBJECT, 0, i + 2, 2), 0, 10);
	assert_in_range(refused, 2 * most - (most - keys), 2 * most);
	assert_true(tm_tallies_add(TM_R_CYCLIC, tm_word(TM_OBJECT, 0, 2, 1), 0, 10));
}

static void tallies_keep_types_apart(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 2 * slots(); i++)
		add(ADDRESS, tm_word(TM_OBJECT, 1, 2, (uint32_t)(i % 60)), 1, 3, 0);
	assert_int_equal(rig_used(TM_R_TALLIES), 60);
	for (uint32_t type = 0; type < 60; type++)
		expect_sum(tm_word(TM_OBJECT, 1, 2, type), 3, 0,
			   2 * slots() / 60 + (type < 2 * slots() % 60),
			   2 * slots() / 60 + (type < 2 * slots() % 60));
}

/* More keys than the tallies hold: what is in neither is counted, one by one. */
static void what_the_tallies_cannot_hold_is_counted_as_lost(void **state)
{
	uint64_t kept = 0, total = 2 * slots();

	(void)state;
	for (uint64_t i = 0; i < total; i++)
		add(ADDRESS, tm_word(TM_OBJECT, 1, (uint32_t)i, 1), 1, 3, 0);
	for (uint64_t i = 0; i < total; i++)
		add(ADDRESS, tm_word(TM_OBJECT, 2, (uint32_t)i, 1), 1, 3, 0);
	for (uint64_t i = 0; i < tally_slots(); i++)
		kept += tally(i)->count;
	assert_true(rig_lost(TM_L_TALLIES) > 0);
	assert_int_equal(kept + rig_lost(TM_L_TALLIES) + slots(), 2 * total);
	assert_int_equal(rig_lost(TM_L_RING), 2 * total - slots());
}

/* With no space for the ring deaths are only counted, and nothing is touched. */
static void without_space_every_death_is_counted_as_lost(void **state)
{
	struct tm_region *ring = &tm_segment.header->regions[TM_R_DEATHS];
	uint64_t fit = tm_get(&ring->backed) / sizeof(struct tm_death);

	(void)state;
	tm_put(&tm_segment.reserved, tm_segment.max);
	for (uint64_t i = 0; i < 2 * slots(); i++)
		add(ADDRESS, tm_word(TM_OBJECT, 1, 2, 3), 1, 3, 0);
	assert_int_equal(tm_get(&ring->backed) / sizeof(struct tm_death), fit);
	assert_int_equal(rig_lost(TM_L_TALLIES), 2 * slots() - fit);
	assert_int_equal(sum_of(tm_word(TM_OBJECT, 1, 2, 3), 3, 0).count, fit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(records_stand_in_the_order_of_deaths),
		RIG_TEST(the_watched_bit_is_not_recorded),
		RIG_TEST(a_record_holds_the_largest_of_everything),
		RIG_TEST(ring_and_tallies_together_are_exact),
		RIG_TEST(what_is_no_longer_small_is_told_apart),
		RIG_TEST(the_newest_records_are_all_there_after_a_turn),
		RIG_TEST(tallies_do_not_tell_buffers_apart_by_size),
		RIG_TEST(a_table_that_is_full_is_followed_by_another),
		RIG_TEST(tallies_keep_types_apart),
		RIG_TEST(what_the_tallies_cannot_hold_is_counted_as_lost),
		RIG_TEST(without_space_every_death_is_counted_as_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

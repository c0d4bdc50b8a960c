/*
 * test_scan.c - each object once: a ring that wraps, and a recording that changes meanwhile
 *
 * The recorder is played by the test itself, between two steps of the scan, so each race
 * comes at the same place every time.
 */
#include "view.h"

#include "ring.h"
#include "scan.h"
#include "shadow.h"

#define SLOTS 2048u

/* ---- the ring of finished recordings ---- */

static void deaths_gone_from_the_ring_still_count_in_the_tallies(void **state)
{
	struct story *s = *state;
	const uint64_t many = 3 * SLOTS;
	struct tm_totals totals;
	struct view v;

	mark(s, "a");
	at_line(s, "/srv/app.py", "f", 1);
	for (uint64_t i = 0; i < many; i++)
		birth(s, "x", HEAP + 64 * i, 48);
	birth(s, "kept", HEAP + 64 * many, 48);
	mark(s, "b");
	for (uint64_t i = 0; i < many; i++)
		death(s, HEAP + 64 * i);
	v = view_of(s, "a", "b");
	expect_group(group_of(&v, "x"), many, many * 48);
	expect_group(group_of(&v, "kept"), 1, 48);
	assert_int_equal(v.diff.facts.overwritten, many - SLOTS);
	assert_int_equal(v.diff.facts.unsure, 0);
	assert_false(v.notes.incomplete);
	assert_true(noted(&v, "only counts are left"));
	view_end(&v);
	totals = totals_of(s, "b", "now");
	assert_int_equal(totals.freed_objects, many);
	assert_int_equal(totals.freed_bytes, many * 48);
	expect_survivors(s, "a", "now", "x", 0, 0);
}

static void tallies_keep_trash_and_deaths_of_each_mark_apart(void **state)
{
	struct story *s = *state;
	struct view v;

	mark(s, "a");
	for (uint64_t i = 0; i < SLOTS + 30; i++)
		birth(s, "x", HEAP + 64 * i, 48);
	mark(s, "b");
	collection_begins(s);
	for (uint64_t i = 0; i < 10; i++)
		death(s, HEAP + 64 * i);
	collection_ends(s);
	for (uint64_t i = 10; i < 20; i++)
		death(s, HEAP + 64 * i);
	mark(s, "c");
	for (uint64_t i = 20; i < SLOTS + 30; i++)
		death(s, HEAP + 64 * i);
	v = view_of(s, "a", "b");
	expect_group(group_of(&v, "x"), SLOTS + 20, (SLOTS + 20) * 48);
	expect_group(group_in(&v, &v.trash, "x"), 10, 480);
	view_end(&v);
	expect_survivors(s, "a", "c", "x", SLOTS + 10, (SLOTS + 10) * 48);
}

/* Two objects of the interval from a to b, at HEAP and behind it. */
static void tell_of_two(struct story *s)
{
	mark(s, "a");
	birth(s, "x", HEAP, 48);
	birth(s, "x", HEAP + 64, 48);
	mark(s, "b");
}

static void without_a_ring_the_tallies_alone_are_right(void **state)
{
	struct story_options none = {.ring_slots = STORY_NO_RING};
	struct story *s = story_begin(&none);

	(void)state;
	tell_of_two(s);
	death(s, HEAP);
	expect_survivors(s, "a", "b", "x", 2, 96);
	expect_survivors(s, "a", "now", "x", 1, 48);
	story_end(s);
}

static void an_object_killed_in_the_middle_of_its_death_counts_once(void **state)
{
	struct story *s = *state;

	tell_of_two(s);
	death_cut_short(s, HEAP);
	expect_survivors(s, "a", "b", "x", 2, 96);
	expect_survivors(s, "a", "now", "x", 2, 96);
	assert_int_equal(totals_of(s, "start", "now").survived_objects, 2);
}

static void a_record_that_was_never_finished_is_none(void **state)
{
	struct story *s = *state;

	mark(s, "a");
	birth(s, "x", HEAP, 48);
	mark(s, "b");
	s->header->regions[TM_R_DEATHS].used++;
	expect_survivors(s, "a", "b", "x", 1, 48);
	expect_survivors(s, "a", "now", "x", 1, 48);
}

/* ---- step by step ---- */

struct steps {
	struct tm_reader *reader;
	struct tm_shadow shadow;
	struct tm_ring ring;
	uint64_t *words;
};

static struct steps steps_begin(const struct story *s)
{
	struct steps t = {.reader = open_story(s)};

	t.words = calloc(TM_SHADOW_WORDS, sizeof(*t.words));
	assert_non_null(t.words);
	return t;
}

/* From here on deaths may fall between the steps. */
static void steps_open(struct steps *t)
{
	tm_shadow_open(&t->shadow, t->reader);
	tm_ring_open(&t->ring, t->reader, &t->shadow);
}

static void steps_end(struct steps *t)
{
	tm_ring_close(&t->ring);
	tm_shadow_close(&t->shadow);
	tm_reader_close(t->reader);
	free(t->words);
}

static const struct tm_ring_record *record_of(const struct steps *t, uint64_t address)
{
	for (size_t i = 0; i < t->ring.count; i++)
		if (t->ring.records[i].address == address)
			return &t->ring.records[i];
	fail_msg("no record of %" PRIx64, address);
	return NULL;
}

static void a_death_counts_as_seen_by_the_copy_of_its_chunk(void **state)
{
	struct story *s = *state;
	struct steps t;

	for (uint64_t i = 0; i < 5; i++)
		birth(s, "x", HEAP + 64 * i, 48);
	mark(s, "a");
	t = steps_begin(s);
	death(s, HEAP); /* before anything is read */
	tm_reader_reload(t.reader);
	steps_open(&t);
	death(s, HEAP + 64); /* between ring and copy */
	assert_true(tm_shadow_read(&t.shadow, t.reader, 0, t.words));
	death(s, HEAP + 128); /* between copy and the look at the ring after it */
	tm_ring_chunk_copied(&t.ring, 0, t.words);
	death(s, HEAP + 192); /* after both */
	tm_ring_finish(&t.ring);
	assert_false(record_of(&t, HEAP)->dropped);
	assert_false(record_of(&t, HEAP + 64)->dropped);
	assert_true(record_of(&t, HEAP + 128)->dropped);
	assert_true(record_of(&t, HEAP + 192)->dropped);
	assert_int_equal(t.ring.count, 4);
	steps_end(&t);
}

static void a_new_object_at_the_address_does_not_hide_a_death(void **state)
{
	struct story *s = *state;
	struct steps t;

	birth(s, "x", HEAP, 48);
	mark(s, "a");
	t = steps_begin(s);
	steps_open(&t);
	death(s, HEAP);
	birth(s, "x", HEAP, 48);
	assert_true(tm_shadow_read(&t.shadow, t.reader, 0, t.words));
	tm_ring_chunk_copied(&t.ring, 0, t.words);
	tm_ring_finish(&t.ring);
	assert_false(record_of(&t, HEAP)->dropped);
	steps_end(&t);
}

static void a_record_still_being_written_belongs_to_an_object_the_copy_shows(void **state)
{
	struct story *s = *state;
	struct tm_death *slots = story_table(s, TM_R_DEATHS);
	struct tm_death record;
	struct steps t;

	birth(s, "x", HEAP, 48);
	mark(s, "a");
	t = steps_begin(s);
	steps_open(&t);
	assert_true(tm_shadow_read(&t.shadow, t.reader, 0, t.words));
	death(s, HEAP);
	memcpy(&record, &slots[0], sizeof(record));
	memset(&slots[0], 0, sizeof(slots[0])); /* begun, but nothing in it yet */
	tm_ring_chunk_copied(&t.ring, 0, t.words);
	assert_int_equal(t.ring.count, 0);
	memcpy(&slots[0], &record, sizeof(record));
	tm_ring_finish(&t.ring);
	assert_true(record_of(&t, HEAP)->dropped);
	steps_end(&t);
}

/* ---- a scan while the program goes on ---- */

/* Objects spread over three chunks that do not touch; so many in each. */
#define PER_CHUNK 3000u
#define CHUNKS	  3u

static uint64_t address_of(uint64_t chunk, uint64_t i)
{
	return HEAP + chunk * 2 * TM_CHUNK_HEAP + 64 * i;
}

struct play {
	struct story *s;
	uint64_t visited;
	int64_t alive;
	int64_t dead;
	uint64_t kill_each_chunk; /* in every chunk when the first of a chunk is visited */
	uint64_t killed;	  /* in each chunk so far */
	uint64_t last_chunk;
	bool new_mark; /* before each of these, and something is born after it */
	uint64_t born;
};

static void kill_some(struct play *p)
{
	for (uint64_t i = 0; i < p->kill_each_chunk; i++)
		for (uint64_t c = 0; c < CHUNKS; c++)
			death(p->s, address_of(c, p->killed + i));
	p->killed += p->kill_each_chunk;
}

static void play_on(void *context, const struct tm_scan_item *item)
{
	struct play *p = context;
	uint64_t chunk = item->address & ~(TM_CHUNK_HEAP - 1);

	if (item->death == TM_SCAN_ALIVE)
		p->alive += item->count;
	else
		p->dead += item->count;
	if (item->death != TM_SCAN_ALIVE || chunk == p->last_chunk)
		return;
	p->last_chunk = chunk;
	if (p->new_mark) {
		mark(p->s, "during");
		birth(p->s, "x", address_of(CHUNKS - 1, PER_CHUNK + p->born++), 48);
	}
	kill_some(p);
}

static void scan_while_playing(struct play *p, struct tm_scan_facts *facts)
{
	struct story_options options = {.ring_slots = SLOTS, .chunks = CHUNKS};
	struct tm_reader *reader;

	p->s = story_begin(&options);
	for (uint64_t c = 0; c < CHUNKS; c++)
		for (uint64_t i = 0; i < PER_CHUNK; i++)
			birth(p->s, "x", address_of(c, i), 48);
	mark(p->s, "a");
	reader = open_story(p->s);
	tm_scan(reader, 0, play_on, p, facts);
	assert_null(tm_reader_damage(reader));
	tm_reader_close(reader);
	story_end(p->s);
}

static void objects_that_die_during_the_scan_come_once(void **state)
{
	struct play p = {.kill_each_chunk = 100};
	struct tm_scan_facts facts;

	(void)state;
	scan_while_playing(&p, &facts);
	/* the first chunk is seen whole, the second after 100 deaths, the third after 200 */
	assert_int_equal(p.alive, CHUNKS * PER_CHUNK - 300);
	assert_int_equal(p.dead, 300);
	assert_int_equal(facts.unsure, 0);
}

static void they_come_once_even_when_the_ring_wraps_meanwhile(void **state)
{
	struct play p = {.kill_each_chunk = 600};
	struct tm_scan_facts facts;

	(void)state;
	scan_while_playing(&p, &facts);
	assert_int_equal(p.killed, 3 * 600);
	assert_true(facts.overwritten > 0);
	assert_int_equal(p.alive, CHUNKS * PER_CHUNK - 600 - 1200);
	assert_int_equal(p.alive + p.dead, CHUNKS * PER_CHUNK);
}

static void a_ring_too_fast_to_follow_is_admitted(void **state)
{
	struct play p = {.kill_each_chunk = 900};
	struct tm_scan_facts facts;

	(void)state;
	scan_while_playing(&p, &facts);
	assert_true(p.alive + p.dead > CHUNKS * PER_CHUNK);
	assert_true((uint64_t)(p.alive + p.dead) <= CHUNKS * PER_CHUNK + facts.unsure);
}

static void marks_set_during_the_scan_change_nothing(void **state)
{
	struct play p = {.kill_each_chunk = 100, .new_mark = true};
	struct tm_scan_facts facts;

	(void)state;
	scan_while_playing(&p, &facts);
	assert_int_equal(facts.current, 1);
	assert_int_equal(p.alive, CHUNKS * PER_CHUNK - 300);
	assert_int_equal(p.alive + p.dead, CHUNKS * PER_CHUNK);
}

static void chunks_without_recent_births_are_not_read(void **state)
{
	struct story *s = *state;
	struct view v;

	birth(s, "old", HEAP, 48);
	mark(s, "a");
	birth(s, "new", HEAP + 4 * TM_CHUNK_HEAP, 48);
	v = view_of(s, "a", "now");
	assert_int_equal(v.diff.facts.chunks, 2);
	assert_int_equal(v.diff.facts.skipped, 1);
	expect_group(group_of(&v, "new"), 1, 48);
	view_end(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY_TEST(deaths_gone_from_the_ring_still_count_in_the_tallies),
		STORY_TEST(tallies_keep_trash_and_deaths_of_each_mark_apart),
		cmocka_unit_test(without_a_ring_the_tallies_alone_are_right),
		STORY_TEST(an_object_killed_in_the_middle_of_its_death_counts_once),
		STORY_TEST(a_record_that_was_never_finished_is_none),
		STORY_TEST(a_death_counts_as_seen_by_the_copy_of_its_chunk),
		STORY_TEST(a_new_object_at_the_address_does_not_hide_a_death),
		STORY_TEST(a_record_still_being_written_belongs_to_an_object_the_copy_shows),
		cmocka_unit_test(objects_that_die_during_the_scan_come_once),
		cmocka_unit_test(they_come_once_even_when_the_ring_wraps_meanwhile),
		cmocka_unit_test(a_ring_too_fast_to_follow_is_admitted),
		cmocka_unit_test(marks_set_during_the_scan_change_nothing),
		STORY_TEST(chunks_without_recent_births_are_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

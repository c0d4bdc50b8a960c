/* test_young_lines.c - one block, in which the births of several lines take turns */
#include "below.h"

#include "stack.h"

enum {
	LINES = 3
};
static struct rig_frame lines[LINES];

static void begin_lines(void)
{
	begin_open();
	for (unsigned i = 0; i < LINES; i++)
		lines[i] = (struct rig_frame){NULL, &rig.codes[i % RIG_CODES], (int)(1 + i)};
}

/* Returns what is born on a line, which is recorded as that. */
static void *born(unsigned line, uint32_t size)
{
	uint32_t birth = tm_word_birth(tm_birth_now()), site;
	void *block;

	rig.frame = &lines[line];
	site = tm_site_here();
	block = make(size);
	assert_int_equal(rig_word((uintptr_t)block), tm_word(TM_PENDING, birth, site, size));
	return block;
}

static void each_birth_is_of_its_line_and_size(void **state)
{
	(void)state;
	begin_lines();
	srandom(1);
	for (unsigned i = 0; i < 1000; i++)
		drop(born((unsigned)random() % LINES, SIZE - (unsigned)random() % 3));
	assert_int_equal(below.made, 1);
	rig_end();
}

static void two_lines_take_turns(void)
{
	for (unsigned i = 0; i < 4; i++)
		drop(born(i % 2, SIZE));
}

static void after_a_mark_it_is_the_next_interval(void **state)
{
	(void)state;
	begin_lines();
	two_lines_take_turns();
	rig_set_mark();
	tm_nursery_open();
	/* The first of an interval is not from a magazine. */
	drop(born(1, SIZE));
	assert_int_equal(below.made, 2);
	born(1, SIZE);
	two_lines_take_turns();
	assert_int_equal(below.made, 2);
	rig_end();
}

/* Who comes to the first place of somebody who lives knows nothing of it. */
static void who_takes_a_place_is_not_who_was_there(void **state)
{
	struct tm_young *first, *among;
	uint64_t word;
	void *block;

	(void)state;
	begin_lines();
	two_lines_take_turns();
	block = born(0, SIZE);
	word = rig_word((uintptr_t)block);
	among = tm_get(&tm_nursery)->blocks;
	first = tm_young_first(among, (uintptr_t)block);
	assert_ptr_equal(tm_young_at(among, (uintptr_t)block), first);
	while (tm_young_first(among, (uintptr_t)rig.heap + below.used) != first)
		below.used += 16;
	drop(born(2, SIZE));
	assert_ptr_equal(tm_young_at(among, (uintptr_t)block), tm_young_second(first));
	drop(born(1, SIZE));
	two_lines_take_turns();
	assert_int_equal(below.made, 2);
	assert_int_equal(rig_word((uintptr_t)block), word);
	rig_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(each_birth_is_of_its_line_and_size, clean_up),
		cmocka_unit_test_teardown(after_a_mark_it_is_the_next_interval, clean_up),
		cmocka_unit_test_teardown(who_takes_a_place_is_not_who_was_there, clean_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

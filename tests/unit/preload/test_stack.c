/*
 * test_stack.c - the stacks that a thread remembers, as hot code looks at them
 *
 * With one frame kept there are 512 places, each with a second one next to it.
 */
#include "rig.h"

static struct rig_frame inner, outer;

static int begin(void **state)
{
	(void)state;
	rig_configure();
	tm_config.frames = 1;
	rig_begin(TM_FAMILY_ALLOCATOR);
	tm_self_here();
	inner = (struct rig_frame){&outer, &rig.codes[0], 0};
	outer = (struct rig_frame){NULL, &rig.codes[1], 0};
	rig.frame = &inner;
	return 0;
}

static int end(void **state)
{
	(void)state;
	rig_end();
	return 0;
}

static struct tm_stack *look(int instruction)
{
	inner.last = instruction;
	return stack_of_frame();
}

static uint32_t site_of(int instruction)
{
	inner.last = instruction;
	return tm_site_here();
}

static struct tm_stack *place_of(int instruction)
{
	inner.last = instruction;
	return tm_stack_entry(tm_self.stacks, TM_STACK_SHIFT_LEAST,
			      tm_frame_key(&rig_chain, (uintptr_t)&inner), 0, 0);
}

/* The next instruction from @start on that has the place of the first one. */
static int same_place(int start)
{
	while (place_of(start) != place_of(0))
		start++;
	return start;
}

static void a_stack_is_found_once_it_was_seen(void **state)
{
	uint32_t site;

	(void)state;
	assert_null(look(2));
	site = site_of(2);
	assert_int_not_equal(site, 0);
	assert_non_null(look(2));
	assert_int_equal(look(2)->site, site);
	assert_null(look(4));
}

static void two_in_one_place_are_both_found(void **state)
{
	int other = same_place(1);
	uint32_t first, second;

	(void)state;
	first = site_of(0);
	second = site_of(other);
	for (unsigned i = 0; i < 3; i++) {
		assert_non_null(look(0));
		assert_int_equal(look(0)->site, first);
		assert_non_null(look(other));
		assert_int_equal(look(other)->site, second);
	}
}

static void a_third_takes_the_place_of_the_one_seen_first(void **state)
{
	int second = same_place(1), third = same_place(second + 1);
	uint32_t site;

	(void)state;
	site_of(0);
	site_of(second);
	site = site_of(third);
	assert_null(look(0));
	assert_non_null(look(second));
	assert_non_null(look(third));
	assert_int_equal(look(third)->site, site);
}

static void places_next_to_each_other_are_one_anothers_second(void **state)
{
	struct tm_stack *place = place_of(0);

	(void)state;
	for (int i = 1; i < 2000; i++) {
		uintptr_t distance = (uintptr_t)place_of(i) ^ (uintptr_t)place;

		assert_true((uintptr_t)place_of(i) - (uintptr_t)tm_self.stacks < TM_STACK_BYTES);
		if (distance == 1u << TM_STACK_SHIFT_LEAST)
			return;
	}
	fail();
}

/* Of frames that are left out of a site each has a key, and the first of several is not enough. */
static void one_key_of_several_is_not_enough(void **state)
{
	struct tm_stack *second;

	(void)state;
	site_of(2);
	second = (struct tm_stack *)((uintptr_t)place_of(2) ^ 1u << TM_STACK_SHIFT_LEAST);
	memcpy(second, place_of(2), 1u << TM_STACK_SHIFT_LEAST);
	memset(place_of(2), 0, 1u << TM_STACK_SHIFT_LEAST);
	assert_ptr_equal(look(2), second);
	second->depth = 2;
	assert_null(look(2));
}

static void what_is_forgotten_is_not_found(void **state)
{
	uint32_t site;

	(void)state;
	site = site_of(2);
	tm_stack_forget();
	assert_null(look(2));
	assert_int_equal(site_of(2), site);
	assert_non_null(look(2));
}

static void without_a_thread_state_or_a_frame_none_is_found(void **state)
{
	(void)state;
	site_of(2);
	rig_set_thread(false);
	assert_null(look(2));
	rig_set_thread(true);
	assert_non_null(look(2));
	rig.frame = NULL;
	assert_null(look(2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_stack_is_found_once_it_was_seen, begin, end),
		cmocka_unit_test_setup_teardown(two_in_one_place_are_both_found, begin, end),
		cmocka_unit_test_setup_teardown(a_third_takes_the_place_of_the_one_seen_first,
						begin, end),
		cmocka_unit_test_setup_teardown(places_next_to_each_other_are_one_anothers_second,
						begin, end),
		cmocka_unit_test_setup_teardown(one_key_of_several_is_not_enough, begin, end),
		cmocka_unit_test_setup_teardown(what_is_forgotten_is_not_found, begin, end),
		cmocka_unit_test_setup_teardown(without_a_thread_state_or_a_frame_none_is_found,
						begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_recycled.c - blocks that outlive their objects, as the looks at marks find them */
#include "rig.h"

#include "recycled.h"
#include "resolve.h"

enum {
	SIZE = 48,
	SAMPLE = 2048, /* blocks looked at of a type that was never seen to recycle */
};

static uintptr_t at(unsigned i)
{
	return (uintptr_t)rig.heap + 4096 + (uintptr_t)i * 96;
}

static uint32_t index_of(const void *type)
{
	return tm_intern_type((uintptr_t)type);
}

static uint64_t times(const void *type)
{
	const struct tm_type *types = tm_segment_at(TM_R_TYPES, 0);

	return types[index_of(type)].recycled;
}

/* The reference count of what is in the block: 0 is how a free list leaves it. */
static void references(uintptr_t object, uint64_t count)
{
	*(uint64_t *)object = count;
}

static void resolve(uintptr_t block)
{
	tm_resolve_blocks(&block, 1, 0);
}

/* An object of rig.types[@type] in a block of its own, its type resolved. */
static uintptr_t born(uintptr_t block, unsigned type)
{
	uintptr_t object = block + 16 * type;

	rig_set_object(object, &rig.types[type]);
	tm_birth_block(block, SIZE, TM_PENDING);
	resolve(block);
	return object;
}

static uint64_t object_word(const void *type, uint32_t birth)
{
	return tm_word(TM_OBJECT, birth, 0, index_of(type));
}

static void expect_empty(uintptr_t block)
{
	rig_expect_words(block, 4, (uint64_t[]){tm_size_word(TM_SIZE_HEAD, SIZE), 0, 0, 0});
}

static void an_object_dead_in_its_block_died_in_the_interval_that_the_look_ends(void **state)
{
	(void)state;
	for (unsigned type = 0; type < RIG_TYPES; type++) {
		const uint32_t birth = 1 + 2 * type; /* field of now: two marks in each round */
		uintptr_t object = born(at(type), type);

		rig_set_mark();
		references(object, 0);
		tm_recycled_look(birth, 0); /* no mark has seen it */
		assert_int_equal(rig_used(TM_R_DEATHS), type);
		expect_empty(at(type));
		/* that it stayed dead is what a free list does */
		assert_int_equal(times(&rig.types[type]), 0);
		tm_recycled_look(birth + 1, 0);
		assert_int_equal(times(&rig.types[type]), 1);
		tm_recycled_look(birth + 1, 0);
		assert_int_equal(times(&rig.types[type]), 1);
		/* one more, which a mark has seen */
		object = born(at(100 + type), type);
		rig_set_mark();
		references(object, 0);
		tm_recycled_look(birth + 2, 0);
		rig_expect_death(type, object, object_word(&rig.types[type], birth + 1), SIZE,
				 birth + 1, 0);
		expect_empty(at(100 + type));
		tm_death_block(at(100 + type));
		tm_death_block(at(type));
	}
}

static void of_objects_that_were_found_together_each_is_looked_at(void **state)
{
	uintptr_t blocks[] = {at(0), at(1), at(2)};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		rig_set_object(blocks[i], &rig.types[0]);
		tm_birth_block(blocks[i], SIZE, TM_PENDING);
	}
	tm_resolve_blocks(blocks, 3, 0);
	rig_set_mark();
	for (unsigned i = 0; i < 3; i++)
		references(at(i), 0);
	tm_recycled_look(1, 0);
	for (unsigned i = 0; i < 3; i++)
		expect_empty(at(i));
}

static void what_the_collection_of_a_mark_takes_is_its_trash(void **state)
{
	const unsigned flags = TM_DF_MARK_COLLECTION | TM_DF_COLLECTOR;
	uintptr_t object = born(at(0), 0);

	(void)state;
	assert_int_equal(rig_set_mark(), 1);
	tm_recycled_look(1, 0);
	assert_int_equal(rig_word(object), object_word(&rig.types[0], 1));
	references(object, 0);
	tm_recycled_look(2, flags);
	rig_expect_death(0, object, object_word(&rig.types[0], 1), SIZE, 1, flags);
}

static void one_that_comes_after_is_born_without_a_site_in_the_interval_of_the_look(void **state)
{
	uintptr_t object = born(at(0), 1);

	(void)state;
	rig_set_mark();
	references(object, 0);
	tm_recycled_look(1, 0);
	rig_set_mark();
	references(object, 1);
	tm_recycled_look(2, 0);
	rig_expect_words(
		at(0), 3,
		(uint64_t[]){tm_size_word(TM_SIZE_HEAD, SIZE), object_word(&rig.types[1], 2), 0});
	assert_int_equal(times(&rig.types[1]), 1);
	rig_set_mark();
	references(object, 0);
	tm_recycled_look(3, 0);
	rig_expect_death(0, object, object_word(&rig.types[1], 2), SIZE, 2, 0);
	assert_int_equal(rig_used(TM_R_DEATHS), 1);
	assert_int_equal(rig_lost(TM_L_NO_SPACE), 0);
}

static void a_link_where_the_type_was_is_a_dead_object(void **state)
{
	uintptr_t object = born(at(0), 0), other = born(at(1), 0);

	(void)state;
	rig_set_mark();
	*(uintptr_t *)(object + 8) = other; /* as floats are linked */
	*(uintptr_t *)other = object;	    /* and in place of the reference count */
	tm_recycled_look(1, 0);
	expect_empty(at(0));
	expect_empty(at(1));
}

static void an_object_of_another_type_is_another_object(void **state)
{
	static struct rig_type derived;
	uintptr_t object = born(at(0), 0);

	(void)state;
	rig_set_type(&derived, "rig.Derived", 16, TM_FLAG_READY);
	tm_intern_alias((uintptr_t)&derived, (uintptr_t)&derived);
	rig_set_mark();
	rig_set_mark();
	rig_set_object(object, &derived);
	tm_recycled_look(2, 0);
	rig_expect_death(0, object, object_word(&rig.types[0], 1), SIZE, 1, 0);
	rig_expect_words(object, 2,
			 (uint64_t[]){object_word(&derived, 2), tm_size_word(TM_SIZE_TAIL, SIZE)});
	assert_int_equal(times(&rig.types[0]), 1);
	assert_int_equal(times(&derived), 0);
}

/* A class made at run time from an extension's type; where is not the point here. */
static void make_class(struct rig_type *class, struct rig_text *name, const char *text)
{
	void *qualname = name, *base = &rig.types[0];

	rig_set_text(name, text);
	rig_set_type(class, text, 16, TM_FLAG_READY | TM_FLAG_HEAPTYPE);
	memcpy((char *)class + RIG_QUALNAME, &qualname, sizeof(qualname));
	memcpy((char *)class + TM_TP_BASE, &base, sizeof(base));
}

static void an_object_that_is_given_another_class_is_the_same_object(void **state)
{
	static struct rig_text names[2];
	uintptr_t object = at(50);
	uint64_t word;

	(void)state;
	make_class(rig.types + 1, &names[0], "One");
	make_class(rig.types + 2, &names[1], "Two");
	rig_set_object(object, &rig.types[1]);
	tm_birth_block(object, SIZE, TM_PENDING);
	resolve(object);
	word = rig_word(object);
	assert_int_equal(word, object_word(&rig.types[1], 1));
	rig_set_mark();
	rig_set_object(object, &rig.types[2]);
	tm_recycled_look(1, 0);
	tm_recycled_look(1, 0);
	assert_int_equal(rig_word(object), word);
	assert_int_equal(times(&rig.types[1]) + times(&rig.types[2]), 0);
	references(object, 0); /* it is looked at: a death would be seen */
	tm_recycled_look(1, 0);
	expect_empty(object);
}

static void one_that_was_dead_when_it_was_first_looked_at_is_memory_until_it_lives(void **state)
{
	uintptr_t object = at(0);
	uint64_t memory = tm_word(TM_BUFFER, 1, 0, SIZE);

	(void)state;
	rig_set_object(object, &rig.types[0]);
	references(object, 0);
	tm_birth_block(object, SIZE, TM_PENDING);
	resolve(object);
	assert_int_equal(rig_word(object), memory);
	tm_recycled_look(1, 0);
	tm_recycled_look(1, 0);
	assert_int_equal(rig_word(object), memory);
	assert_int_equal(times(&rig.types[0]), 0);
	rig_set_mark();
	rig_set_mark();
	references(object, 2);
	tm_recycled_look(2, 0);
	rig_expect_death(0, object, memory, SIZE, 1, 0);
	assert_int_equal(rig_word(object), object_word(&rig.types[0], 2));
	assert_int_equal(times(&rig.types[0]), 1);
}

static void of_a_type_that_recycles_it_is_dead_at_once(void **state)
{
	uintptr_t one = born(at(0), 0), object = at(1);

	(void)state;
	references(one, 0);
	tm_recycled_look(1, 0);
	tm_recycled_look(1, 0);
	assert_int_equal(times(&rig.types[0]), 1);
	rig_set_object(object, &rig.types[0]);
	references(object, 0);
	tm_birth_block(object, SIZE, TM_PENDING);
	resolve(object);
	tm_recycled_look(1, 0);
	expect_empty(object);
}

static void memory_that_looked_like_a_dead_object_stays_memory(void **state)
{
	uintptr_t block = at(0);

	(void)state;
	rig_set_object(block, &rig.types[0]);
	references(block, 0);
	tm_birth_block(block, SIZE, TM_PENDING);
	resolve(block);
	memset((void *)block, 'x', SIZE);
	tm_recycled_look(1, 0);
	/* not looked at any more, whatever is written there */
	rig_set_object(block, &rig.types[0]);
	tm_recycled_look(1, 0);
	assert_int_equal(rig_word(block), tm_word(TM_BUFFER, 1, 0, SIZE));
	assert_int_equal(times(&rig.types[0]), 0);
}

static void a_block_that_was_freed_is_not_looked_at(void **state)
{
	uintptr_t freed = born(at(0), 0), again = born(at(1), 0);

	(void)state;
	tm_death_block(freed);
	memset((void *)freed, 0, SIZE);
	tm_death_block(again);
	tm_birth_block(again, SIZE, TM_BUFFER);
	memset((void *)again, 0, SIZE);
	rig_set_mark();
	tm_recycled_look(1, 0);
	tm_recycled_look(1, 0);
	assert_int_equal(rig_word(freed), 0);
	assert_int_equal(rig_word(again), tm_word(TM_BUFFER, 1, 0, SIZE));
	assert_int_equal(rig_used(TM_R_DEATHS), 0);
	assert_int_equal(times(&rig.types[0]), 0);
}

static void an_empty_block_that_is_freed_and_taken_by_another_is_that(void **state)
{
	uintptr_t object = born(at(0), 0);

	(void)state;
	references(object, 0);
	tm_recycled_look(1, 0);
	expect_empty(at(0));
	assert_true(tm_death_block(at(0)));
	assert_int_equal(rig_word(at(0)), 0);
	born(at(0), 0);
	tm_recycled_look(1, 0);
	tm_recycled_look(1, 0);
	assert_int_equal(rig_word(object), object_word(&rig.types[0], 1));
	assert_int_equal(times(&rig.types[0]), 0);
}

static void types_of_the_interpreter_itself_are_left_alone(void **state)
{
	uintptr_t object = at(0);

	(void)state;
	rig_set_object(object, &rig.list_type);
	tm_birth_block(object, SIZE, TM_PENDING);
	resolve(object);
	references(object, 0);
	tm_recycled_look(1, 0);
	assert_int_equal(rig_word(object), object_word(&rig.list_type, 1));
}

static unsigned empty(unsigned count)
{
	unsigned found = 0;

	for (unsigned i = 0; i < count; i++)
		found += rig_word(at(i)) == tm_size_word(TM_SIZE_HEAD, SIZE);
	return found;
}

static void
of_a_type_with_many_objects_a_sample_is_looked_at_until_it_is_seen_to_recycle(void **state)
{
	enum {
		MANY = 3 * SAMPLE
	};
	unsigned first;

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		born(at(i), 0);
	for (unsigned i = 0; i < MANY; i++)
		references(at(i), 0);
	tm_recycled_look(1, 0);
	first = empty(MANY);
	assert_int_equal(first, SAMPLE);
	tm_recycled_look(1, 0);
	assert_int_equal(times(&rig.types[0]), SAMPLE);
	for (unsigned i = 0; i < MANY; i++)
		born(at(MANY + i), 0);
	for (unsigned i = 0; i < MANY; i++)
		references(at(MANY + i), 0);
	tm_recycled_look(1, 0);
	assert_int_equal(empty(2 * MANY), SAMPLE + MANY);
}

static void a_sample_makes_room_for_newer_objects(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * SAMPLE; i++)
		born(at(i), 0);
	tm_recycled_look(1, 0);
	for (unsigned i = 2 * SAMPLE; i < 3 * SAMPLE; i++)
		references(born(at(i), 0), 0);
	tm_recycled_look(1, 0);
	assert_in_range(empty(3 * SAMPLE), SAMPLE / 4, 3 * SAMPLE / 4);
}

static void a_quick_look_leaves_many_blocks_to_the_next_one(void **state)
{
	uintptr_t objects[RIG_TYPES * SAMPLE];

	(void)state;
	for (unsigned i = 0; i < RIG_TYPES * SAMPLE; i++)
		objects[i] = born(at(i), i / SAMPLE);
	references(objects[0], 0);
	tm_recycled_look_quickly(1);
	assert_int_equal(empty(SAMPLE), 0);
	for (unsigned i = SAMPLE; i < 2 * SAMPLE; i++)
		tm_death_block(at(i));
	tm_recycled_look(1, 0);
	assert_int_equal(empty(SAMPLE), 1);
	references(objects[1], 0);
	tm_recycled_look_quickly(1);
	assert_int_equal(empty(SAMPLE), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup_allocator, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_object_dead_in_its_block_died_in_the_interval_that_the_look_ends),
		TEST(of_objects_that_were_found_together_each_is_looked_at),
		TEST(what_the_collection_of_a_mark_takes_is_its_trash),
		TEST(one_that_comes_after_is_born_without_a_site_in_the_interval_of_the_look),
		TEST(a_link_where_the_type_was_is_a_dead_object),
		TEST(an_object_of_another_type_is_another_object),
		TEST(an_object_that_is_given_another_class_is_the_same_object),
		TEST(one_that_was_dead_when_it_was_first_looked_at_is_memory_until_it_lives),
		TEST(of_a_type_that_recycles_it_is_dead_at_once),
		TEST(memory_that_looked_like_a_dead_object_stays_memory),
		TEST(a_block_that_was_freed_is_not_looked_at),
		TEST(an_empty_block_that_is_freed_and_taken_by_another_is_that),
		TEST(types_of_the_interpreter_itself_are_left_alone),
		TEST(of_a_type_with_many_objects_a_sample_is_looked_at_until_it_is_seen_to_recycle),
		TEST(a_sample_makes_room_for_newer_objects),
		TEST(a_quick_look_leaves_many_blocks_to_the_next_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

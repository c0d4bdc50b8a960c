/* test_garbage.c - what is in gc.garbage, since when and until when */
#include "rig.h"

#include "garbage.h"
#include "resolve.h"

enum {
	OBJECTS = 64
};

static uintptr_t items[OBJECTS];
static struct rig_list list;

static uintptr_t object_at(unsigned i)
{
	return (uintptr_t)rig.heap + 64 * (uintptr_t)i + 16;
}

static void born(unsigned i)
{
	rig_set_object(object_at(i), &rig.types[1]);
	tm_birth_expected(object_at(i) - 16, 56);
	tm_birth_object(object_at(i));
}

static const struct tm_garbage *record(uint64_t index)
{
	assert_true(index < rig_used(TM_R_GARBAGE));
	return (const struct tm_garbage *)tm_segment_at(TM_R_GARBAGE, 0) + index;
}

/* The list holds @count objects from @first on. */
static void put(unsigned first, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		items[i] = object_at(first + i);
	list.length = count;
}

static void expect_look(uint32_t mark, uint64_t entries, uint64_t fresh)
{
	struct tm_garbage_count count = tm_garbage_look(mark);

	assert_int_equal(count.entries, entries);
	assert_int_equal(count.fresh, fresh);
}

static uintptr_t others[OBJECTS];
static struct rig_list other;
static void *attribute;

static void *get(void *dict, void *key)
{
	assert_non_null(key);
	return dict == &rig ? &rig.file : dict == &rig.file ? attribute : NULL;
}

static void *modules(void)
{
	return &rig;
}

static void *same(void *module)
{
	return module;
}

static void clear(void)
{
}

static void have_attribute(void *value)
{
	attribute = value;
	tm_python.dict_get = get;
	tm_python.modules = modules;
	tm_python.module_dict = same;
	tm_python.error_clear = clear;
	tm_python_garbage_ready();
}

static int setup(void **state)
{
	rig_setup(state);
	list = (struct rig_list){1, &rig.list_type, 0, items};
	rig.gc.garbage = &list;
	have_attribute(NULL);
	return 0;
}

static int setup_allocator(void **state)
{
	rig_setup_allocator(state);
	list = (struct rig_list){1, &rig.list_type, 0, items};
	rig.gc.garbage = &list;
	have_attribute(NULL);
	return 0;
}

static void an_entry_is_recorded_with_what_is_known_of_it(void **state)
{
	(void)state;
	born(3);
	put(3, 1);
	expect_look(1, 1, 1);
	assert_int_equal(rig_used(TM_R_GARBAGE), 1);
	assert_int_equal(record(0)->address, object_at(3));
	assert_int_equal(record(0)->word, rig_word(object_at(3)));
	assert_int_equal(tm_word_birth(record(0)->word), 1);
	assert_int_equal(record(0)->size, 56);
	assert_int_equal(record(0)->since, 1);
	assert_int_equal(record(0)->gone, 0);
}

static void what_stays_is_no_news(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++)
		born(i);
	put(0, 4);
	expect_look(1, 4, 4);
	expect_look(1, 4, 4);
	put(0, 10);
	expect_look(2, 10, 6);
	expect_look(3, 10, 0);
	assert_int_equal(rig_used(TM_R_GARBAGE), 10);
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(record(i)->since, i < 4 ? 1 : 2);
		assert_int_equal(record(i)->gone, 0);
	}
}

static void what_leaves_is_gone_from_that_mark_on(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++)
		born(i);
	put(0, 10);
	expect_look(1, 10, 10);
	put(5, 3);
	expect_look(4, 3, 0);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(record(i)->gone, i >= 5 && i < 8 ? 0 : 4);
	list.length = 0;
	expect_look(6, 0, 0);
	for (unsigned i = 5; i < 8; i++)
		assert_int_equal(record(i)->gone, 6);
	expect_look(7, 0, 0);
	assert_int_equal(record(9)->gone, 4);
}

static void what_comes_back_has_another_record(void **state)
{
	(void)state;
	born(1);
	put(1, 1);
	expect_look(1, 1, 1);
	list.length = 0;
	expect_look(2, 0, 0);
	put(1, 1);
	expect_look(3, 1, 1);
	assert_int_equal(rig_used(TM_R_GARBAGE), 2);
	assert_int_equal(record(0)->gone, 2);
	assert_int_equal(record(1)->address, record(0)->address);
	assert_int_equal(record(1)->since, 3);
	assert_int_equal(record(1)->gone, 0);
}

/* Same address, another birth: the list was cleared and filled between two looks. */
static void another_object_at_the_address_is_another_entry(void **state)
{
	(void)state;
	born(1);
	put(1, 1);
	expect_look(1, 1, 1);
	tm_death_object(object_at(1));
	rig_set_mark();
	born(1);
	expect_look(2, 1, 1);
	assert_int_equal(rig_used(TM_R_GARBAGE), 2);
	assert_int_equal(record(0)->gone, 2);
	assert_int_equal(record(1)->gone, 0);
	assert_int_equal(tm_word_birth(record(1)->word), 2);
}

/* The follow-up of mark 1 is late: what it finds may be younger than the mark. */
static void nothing_is_there_before_it_is_born(void **state)
{
	(void)state;
	born(0);
	rig_set_mark();
	born(1);
	put(0, 2);
	expect_look(1, 2, 1);
	assert_int_equal(record(0)->since, 1);
	assert_int_equal(record(1)->since, 2);
	expect_look(2, 2, 1);
}

static void an_object_that_is_there_twice_is_one_entry(void **state)
{
	(void)state;
	born(0);
	born(1);
	put(0, 2);
	items[2] = object_at(0);
	items[3] = object_at(1);
	list.length = 4;
	expect_look(1, 2, 2);
	assert_int_equal(rig_used(TM_R_GARBAGE), 2);
	expect_look(2, 2, 0);
}

static void holes_in_the_list_are_skipped(void **state)
{
	(void)state;
	born(0);
	put(0, 1);
	items[1] = 0;
	items[2] = object_at(0);
	items[0] = 0;
	list.length = 3;
	expect_look(1, 1, 1);
}

static void an_object_that_was_not_seen_being_born_has_its_type_alone(void **state)
{
	(void)state;
	rig_set_object(object_at(2), &rig.types[0]);
	put(2, 1);
	expect_look(1, 1, 1);
	expect_look(2, 1, 0);
	assert_int_equal(rig_used(TM_R_GARBAGE), 1);
	assert_int_equal(record(0)->word, tm_word(TM_OBJECT, 0, 0, tm_type_of(object_at(2))));
	assert_int_equal(record(0)->size, 0);
}

/* Allocator family: what is recorded is what resolving the block would have said. */
static void a_block_that_was_not_looked_at_yet_is_as_good(void **state)
{
	uintptr_t blocks[1] = {object_at(1) - 16};
	uint64_t word;

	(void)state;
	tm_birth_pending(blocks[0], 56);
	rig_set_object(object_at(1), &rig.types[1]);
	put(1, 1);
	expect_look(1, 1, 1);
	word = record(0)->word;
	assert_int_equal(record(0)->size, 56);
	tm_resolve_blocks(blocks, 1, 0);
	assert_int_equal(rig_word(object_at(1)), word);
	expect_look(2, 1, 0);
	assert_int_equal(rig_used(TM_R_GARBAGE), 1);
}

/* ---- which list ------------------------------------------------------------------- */

static void a_list_that_took_the_attribute_counts_as_well(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++)
		born(i);
	put(0, 3);
	other = (struct rig_list){1, &rig.list_type, 2, others};
	others[0] = object_at(2);
	others[1] = object_at(7);
	have_attribute(&other);
	expect_look(1, 4, 4);
	assert_int_equal(rig_used(TM_R_GARBAGE), 4);
	have_attribute(&list);
	expect_look(2, 3, 0);
	assert_int_equal(record(3)->address, object_at(7));
	assert_int_equal(record(3)->gone, 2);
}

static void an_attribute_that_is_no_list_is_left_alone(void **state)
{
	uint64_t impostor[4] = {1, (uintptr_t)&rig.dict_type, 3, 4096};

	(void)state;
	born(0);
	put(0, 1);
	have_attribute(impostor);
	expect_look(1, 1, 1);
	have_attribute(NULL);
	expect_look(2, 1, 0);
	rig.gc.garbage = impostor;
	expect_look(3, 0, 0);
	rig.gc.garbage = NULL;
	expect_look(4, 0, 0);
	assert_int_equal(record(0)->gone, 3);
}

static void a_subclass_of_list_is_a_list(void **state)
{
	static struct rig_type type;

	(void)state;
	rig_set_type(&type, "rig.List", 40, TM_FLAG_READY | TM_FLAG_LIST);
	list.type = &type;
	born(0);
	put(0, 1);
	expect_look(1, 1, 1);
}

/* ---- much of it ------------------------------------------------------------------- */

static int by_chance(const void *a, const void *b)
{
	(void)a;
	(void)b;
	return rand() % 3 - 1;
}

/* Random lists against a model that knows for each object since when it is there. */
static void random_lists_are_the_models(void **state)
{
	enum {
		ROUNDS = 400
	};
	bool there[OBJECTS] = {false};
	uint64_t open, total = 0;

	(void)state;
	srand(7);
	for (unsigned i = 0; i < OBJECTS; i++)
		born(i);
	for (uint32_t mark = 1; mark <= ROUNDS; mark++) {
		uint64_t count = 0, fresh = 0;

		for (unsigned i = 0; i < OBJECTS; i++) {
			bool now = rand() % 8 ? there[i] : rand() % 2;

			fresh += now && !there[i];
			there[i] = now;
			if (now)
				items[count++] = object_at(i);
		}
		if (mark % 3 == 0)
			qsort(items, count, sizeof(*items), by_chance);
		list.length = count;
		expect_look(mark, count, fresh);
		total += fresh;
	}
	assert_int_equal(rig_used(TM_R_GARBAGE), total);
	open = 0;
	for (uint64_t i = 0; i < total; i++) {
		open += record(i)->gone == 0;
		assert_true(record(i)->gone == 0 || record(i)->gone > record(i)->since);
	}
	assert_int_equal(open, list.length);
}

static int setup_full(void **state)
{
	struct tm_region *region;

	setup(state);
	region = &tm_segment.header->regions[TM_R_GARBAGE];
	assert_true(tm_segment_back(TM_R_GARBAGE, 1));
	tm_put(&tm_segment.reserved, tm_segment.max);
	tm_put(&region->used, region->backed / sizeof(struct tm_garbage) - 10);
	return 0;
}

/* There is room for ten more; what has no place is counted once, not at every look. */
static void what_finds_no_place_is_counted(void **state)
{
	uint64_t first = rig_used(TM_R_GARBAGE);

	(void)state;
	for (unsigned i = 0; i < OBJECTS; i++)
		born(i);
	put(0, 14);
	expect_look(1, 14, 14);
	expect_look(2, 14, 0);
	assert_int_equal(rig_used(TM_R_GARBAGE), first + 10);
	assert_int_equal(rig_lost(TM_L_GARBAGE), 4);
	put(0, 20);
	expect_look(3, 20, 6);
	assert_int_equal(rig_lost(TM_L_GARBAGE), 10);
	put(5, 3);
	expect_look(4, 3, 0);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(record(first + i)->gone, i >= 5 && i < 8 ? 0 : 4);
}

static void a_new_recording_knows_of_none(void **state)
{
	born(0);
	put(0, 1);
	expect_look(5, 1, 1);
	rig_end();
	setup(state);
	born(0);
	put(0, 1);
	expect_look(1, 1, 1);
	assert_int_equal(rig_used(TM_R_GARBAGE), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_entry_is_recorded_with_what_is_known_of_it),
		TEST(what_stays_is_no_news),
		TEST(what_leaves_is_gone_from_that_mark_on),
		TEST(what_comes_back_has_another_record),
		TEST(another_object_at_the_address_is_another_entry),
		TEST(nothing_is_there_before_it_is_born),
		TEST(an_object_that_is_there_twice_is_one_entry),
		TEST(holes_in_the_list_are_skipped),
		TEST(an_object_that_was_not_seen_being_born_has_its_type_alone),
		cmocka_unit_test_setup_teardown(a_block_that_was_not_looked_at_yet_is_as_good,
						setup_allocator, rig_teardown),
		TEST(a_list_that_took_the_attribute_counts_as_well),
		TEST(an_attribute_that_is_no_list_is_left_alone),
		TEST(a_subclass_of_list_is_a_list),
		TEST(random_lists_are_the_models),
		cmocka_unit_test_setup_teardown(what_finds_no_place_is_counted, setup_full,
						rig_teardown),
		TEST(a_new_recording_knows_of_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

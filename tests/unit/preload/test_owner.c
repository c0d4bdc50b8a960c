/* test_owner.c - whose memory it is that grows: never a guess, and never memory that may be gone */
#include "rig.h"

#include "owner.h"

/* Where an object of a type with a collector's head begins in its block. */
#define HEAD  16
#define BLOCK 96 /* its bytes */

enum kind {
	LIST,
	DICT,
	DEQUE,
};

struct object {
	uint64_t refcnt;
	void *type;
	uint64_t size;
	uintptr_t fields[5]; /* a list's items, a dict's keys and values, a deque's ends */
};

static struct rig_scope scope;

static uintptr_t heap(unsigned kilobytes)
{
	return (uintptr_t)rig.heap + kilobytes * 1024ul;
}

static struct object *at(uintptr_t object)
{
	return (struct object *)object;
}

static void begin(void)
{
	rig_set_type(&rig.types[LIST], "rig.List", 40, TM_FLAG_READY | TM_FLAG_GC | TM_FLAG_LIST);
	rig_set_type(&rig.types[DICT], "rig.Dict", 48, TM_FLAG_READY | TM_FLAG_GC | TM_FLAG_DICT);
	rig_set_type(&rig.types[DEQUE], "collections.deque", 40, TM_FLAG_READY | TM_FLAG_GC);
	memset(&scope, 0, sizeof(scope));
	scope.frame.code = &rig.codes[1];
	rig.codes[1].variables = 3;
	rig.codes[1].stack = 5;
	rig.frame = &scope.frame;
	tm_owner_start();
}

static int setup(void **state)
{
	rig_setup(state);
	begin();
	return 0;
}

static int setup_allocator(void **state)
{
	rig_setup_allocator(state);
	begin();
	return 0;
}

static int teardown(void **state)
{
	tm_owner_stop();
	rig.frame = NULL;
	return rig_teardown(state);
}

/* An object with a head in the block at @block, not recorded yet; its fields are 0. */
static uintptr_t laid(enum kind kind, uintptr_t block)
{
	memset((void *)block, 0, BLOCK);
	rig_set_object(block + HEAD, &rig.types[kind]);
	return block + HEAD;
}

/* The same, born as one of its type. */
static uintptr_t made(enum kind kind, uintptr_t block)
{
	uintptr_t object = laid(kind, block);

	tm_birth_expected(block, BLOCK);
	tm_birth_object(object);
	assert_int_equal(tm_word_kind(rig_word(object)), TM_OBJECT);
	return object;
}

/* The same, born in a block that nobody has looked at yet. */
static uintptr_t made_pending(enum kind kind, uintptr_t block)
{
	uintptr_t object = laid(kind, block);

	tm_birth_pending(block, BLOCK);
	return object;
}

/* An object at heap(0) that a slot of the frame refers to. */
static uintptr_t made_in_slot(enum kind kind, unsigned slot)
{
	return scope.slots[slot] = made(kind, heap(0));
}

/* New memory at @block, which @list then has as its items. */
static void takes(uintptr_t list, uintptr_t block, size_t size)
{
	tm_birth_block(block, size, TM_BUFFER);
	at(list)->fields[0] = block;
}

/* A list in a slot, older than a mark after which it took memory of this size at heap(64). */
static uintptr_t older_with_new_memory(unsigned slot, size_t size)
{
	uintptr_t list = made_in_slot(LIST, slot);

	rig_set_mark();
	takes(list, heap(64), size);
	return list;
}

static void resize(uintptr_t from, uintptr_t to, size_t size)
{
	struct tm_block_words words;

	tm_block_take(from, &words);
	tm_block_renew(&words);
	tm_block_move(&words, to, size, TM_BUFFER);
}

static uint32_t type_of(uintptr_t object)
{
	return tm_word_type(rig_word(object));
}

static uint64_t past_at(uintptr_t block)
{
	struct tm_block_words words;

	tm_block_take(block, &words);
	return words.past;
}

/* A list with memory of its own that a mark has seen, and that is now resized; its past's word. */
static uint64_t grown(uintptr_t list)
{
	uintptr_t block = heap(64);

	at(list)->fields[0] = block;
	tm_birth_block(block, 64, TM_BUFFER);
	rig_set_mark();
	resize(block, heap(72), 128);
	return past_at(heap(72));
}

/* ---- memory that is resized ------------------------------------------------------------ */

static void memory_is_of_the_container_on_the_stack_that_has_its_address(void **state)
{
	uintptr_t other = made(LIST, heap(0)), list = made(LIST, heap(1));

	(void)state;
	scope.slots[2] = other;
	scope.slots[6] = list;
	assert_int_equal(grown(list), tm_grown_word(heap(64), type_of(list)));
	assert_int_not_equal(type_of(list), 0);
}

static void references_may_be_tagged(void **state)
{
	uintptr_t list = made(LIST, heap(0));

	(void)state;
	scope.slots[7] = list | 1;
	assert_int_equal(tm_past_type(grown(list)), type_of(list));
}

static void the_dict_of_a_frames_names_is_found(void **state)
{
	uintptr_t dict = made(DICT, heap(0));

	(void)state;
	scope.names[1] = dict;
	at(dict)->fields[1] = heap(64);
	assert_int_equal(tm_owner_of(heap(64), 0, false),
			 (rig_word(dict) & TM_BIRTH_MASK) | tm_word(TM_OWNED, 0, 0, type_of(dict)));
	assert_int_equal(tm_owner_of(heap(65), heap(64), false), tm_owner_of(heap(64), 0, false));
}

static void one_step_further_is_found_but_not_two(void **state)
{
	uintptr_t list = made(LIST, heap(0)), holder = made(LIST, heap(1)),
		  far = made(LIST, heap(2));

	(void)state;
	at(list)->fields[0] = heap(64);
	at(holder)->fields[2] = list;
	at(far)->fields[2] = holder;
	scope.slots[0] = far;
	assert_int_equal(tm_owner_of(heap(64), 0, true), 0);
	scope.slots[0] = holder;
	assert_int_equal(tm_owner_of(heap(64), 0, false), 0);
	assert_int_equal(tm_word_type(tm_owner_of(heap(64), 0, true)), type_of(list));
}

/* From 3.11 on an object's dict is referred to from before it. */
static void a_dict_before_its_object_is_found(void **state)
{
	uintptr_t dict = made(DICT, heap(0)), block = heap(1), object = block + 2 * HEAD;

	(void)state;
	rig_set_type(&rig.types[DEQUE], "rig.WithDict", 16,
		     TM_FLAG_READY | TM_FLAG_GC | RIG_PREHEADER);
	rig_set_object(object, &rig.types[DEQUE]);
	tm_birth_expected(block, 64);
	tm_birth_object(object);
	at(dict)->fields[1] = heap(64);
	*(uintptr_t *)(object - 24) = dict;
	scope.slots[0] = object;
	assert_int_equal(tm_word_type(tm_owner_of(heap(64), 0, true)), type_of(dict));
}

static void what_has_another_address_or_is_no_container_owns_nothing(void **state)
{
	uintptr_t list = made(LIST, heap(0)), plain = made(DEQUE, heap(1));

	(void)state;
	rig_set_type(&rig.types[DEQUE], "rig.Plain", 40, TM_FLAG_READY | TM_FLAG_GC);
	scope.slots[0] = list;
	scope.slots[1] = plain;
	at(list)->fields[0] = heap(65);
	at(plain)->fields[0] = at(plain)->fields[1] = heap(64);
	assert_int_equal(tm_owner_of(heap(64), 0, true), 0);
}

/* Slots above the top of the stack hold what was there before: it may be unmapped by now. */
static void what_is_not_known_to_live_is_not_read(void **state)
{
	uintptr_t list = made(LIST, heap(1024 + 4)), page = heap(1024 + 4);

	(void)state;
	at(list)->fields[0] = heap(64);
	scope.slots[0] = list;
	scope.slots[1] = list + 1;
	scope.slots[2] = list + 8;
	scope.slots[3] = list + 32;
	scope.slots[4] = 16;
	scope.slots[5] = ~0ul & ~15ul;
	scope.slots[6] = 1ul << 47;
	assert_int_not_equal(tm_owner_of(heap(64), 0, true), 0);
	tm_death_object(list);
	assert_int_equal(mprotect((void *)page, 4096, PROT_NONE), 0);
	assert_int_equal(tm_owner_of(heap(64), 0, true), 0);
	assert_int_equal(mprotect((void *)page, 4096, PROT_READ | PROT_WRITE), 0);
}

static void slots_that_the_code_does_not_have_are_not_looked_at(void **state)
{
	uintptr_t list = made_in_slot(LIST, 4);

	(void)state;
	at(list)->fields[0] = heap(64);
	assert_int_not_equal(tm_owner_of(heap(64), 0, false), 0);
	rig.codes[1].stack = 1;
	assert_int_equal(tm_owner_of(heap(64), 0, true), 0);
	rig.codes[1].stack = -100;
	assert_int_equal(tm_owner_of(heap(64), 0, true), 0);
}

static void without_a_frame_or_when_it_is_off_nothing_is_known(void **state)
{
	uintptr_t list = made_in_slot(LIST, 0);

	(void)state;
	rig.frame = NULL;
	assert_int_equal(grown(list), tm_grown_word(heap(64), 0));
	rig.frame = &scope.frame;
	tm_owner_stop();
	assert_int_equal(tm_owner_of(heap(64), 0, true), 0);
}

static void what_was_known_stays_known(void **state)
{
	uintptr_t list = made_in_slot(LIST, 0);

	(void)state;
	assert_int_not_equal(tm_past_type(grown(list)), 0);
	scope.slots[0] = 0;
	/* within the interval, and beyond it */
	resize(heap(72), heap(80), 256);
	assert_int_equal(past_at(heap(80)), tm_grown_word(heap(64), type_of(list)));
	rig_set_mark();
	resize(heap(80), heap(88), 512);
	assert_int_equal(past_at(heap(88)), tm_grown_word(heap(80), type_of(list)));
	assert_int_equal(rig_death(1)->past, tm_grown_word(heap(64), type_of(list)));
}

static void a_table_that_replaces_another_is_of_who_has_the_new_one(void **state)
{
	uintptr_t dict = made_in_slot(DICT, 0);

	(void)state;
	at(dict)->fields[1] = heap(64);
	tm_birth_block(heap(64), 208, TM_BUFFER);
	rig_set_mark();
	tm_birth_block(heap(72), 400, TM_BUFFER);
	at(dict)->fields[1] = heap(72);
	tm_death_block(heap(64));
	assert_int_equal(past_at(heap(72)), tm_grown_word(heap(64), type_of(dict)));
	/* and what replaces that within the interval is of the same */
	scope.slots[0] = 0;
	tm_birth_block(heap(80), 800, TM_BUFFER);
	tm_death_block(heap(72));
	assert_int_equal(past_at(heap(80)), tm_grown_word(heap(64), type_of(dict)));
}

static void a_type_that_does_not_fit_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(tm_past_type(tm_grown_word(0x7ffffffffff0, TM_GROWN_TYPES - 1)),
			 TM_GROWN_TYPES - 1);
	assert_int_equal(tm_past_address(tm_grown_word(0x7ffffffffff0, TM_GROWN_TYPES - 1)),
			 0x7ffffffffff0);
	assert_int_equal(tm_past_type(tm_grown_word(0x7ffffffffff0, TM_GROWN_TYPES)), 0);
}

/* ---- memory that takes the place of none ------------------------------------------------ */

static uint64_t owned_by(uintptr_t object, uint32_t birth)
{
	return tm_word(TM_OWNED, birth, 0, type_of(object));
}

static void the_first_memory_of_an_older_container_says_so(void **state)
{
	uintptr_t list = older_with_new_memory(5, TM_OWNED_LEAST);

	(void)state;
	assert_int_equal(past_at(heap(64)), 0);
	tm_owner_settle();
	assert_int_equal(past_at(heap(64)), owned_by(list, 1));
	assert_true(rig_word(heap(64)) & TM_WATCHED);
	/* its words go with it */
	tm_death_block(heap(64));
	rig_expect_words(heap(64), 3, (uint64_t[3]){0});
}

static void the_next_large_block_settles_it_too(void **state)
{
	uintptr_t deque = made_in_slot(DEQUE, 5);

	(void)state;
	rig_set_mark();
	tm_birth_block(heap(64), TM_DEQUE_BLOCK, TM_BUFFER);
	at(deque)->fields[1] = heap(64);
	tm_birth_block(heap(72), TM_DEQUE_BLOCK, TM_BUFFER);
	at(deque)->fields[0] = heap(72);
	tm_owner_settle();
	assert_int_equal(past_at(heap(64)), owned_by(deque, 1));
	assert_int_equal(past_at(heap(72)), owned_by(deque, 1));
}

static void memory_that_moves_on_is_settled_before(void **state)
{
	uintptr_t list = older_with_new_memory(5, 600);

	(void)state;
	resize(heap(64), heap(72), 700);
	assert_int_equal(past_at(heap(72)), owned_by(list, 1));
	/* a mark later it is resized memory, whose first was of an older owner */
	rig_set_mark();
	at(list)->fields[0] = heap(72);
	resize(heap(72), heap(80), 800);
	assert_int_equal(past_at(heap(80)), tm_grown_word(heap(72), type_of(list)));
	assert_int_equal(rig_death(0)->past, owned_by(list, 1));
}

static void memory_that_was_small_is_asked_for_when_it_is_large(void **state)
{
	uintptr_t list = older_with_new_memory(5, 64);

	(void)state;
	resize(heap(64), heap(72), TM_OWNED_LEAST - 1);
	assert_int_equal(past_at(heap(72)), 0);
	at(list)->fields[0] = heap(72);
	resize(heap(72), heap(80), TM_OWNED_LEAST);
	assert_int_equal(past_at(heap(80)), owned_by(list, 1));
}

static void memory_of_a_container_of_this_interval_says_nothing(void **state)
{
	uintptr_t list;

	(void)state;
	rig_set_mark();
	list = made_in_slot(LIST, 5);
	takes(list, heap(64), 600);
	tm_owner_settle();
	assert_int_equal(past_at(heap(64)), 0);
	resize(heap(64), heap(72), 5000);
	assert_int_equal(past_at(heap(72)), 0);
}

static void whoever_has_not_taken_it_does_not_own_it(void **state)
{
	uintptr_t list = made(LIST, heap(0)), page = heap(1024 + 4), gone = made(LIST, page);

	(void)state;
	scope.slots[0] = list;
	scope.slots[1] = gone;
	rig_set_mark();
	tm_birth_block(heap(64), 600, TM_BUFFER);
	at(list)->fields[0] = heap(65);
	tm_death_object(gone);
	assert_int_equal(mprotect((void *)page, 4096, PROT_NONE), 0);
	tm_owner_settle();
	assert_int_equal(mprotect((void *)page, 4096, PROT_READ | PROT_WRITE), 0);
	assert_int_equal(past_at(heap(64)), 0);
	/* nor does another one that came to the address of one that might have */
	tm_birth_block(heap(72), 600, TM_BUFFER);
	tm_death_object(list);
	list = made(LIST, heap(0));
	at(list)->fields[0] = heap(72);
	tm_owner_settle();
	assert_int_equal(past_at(heap(72)), 0);
}

static void memory_that_is_gone_or_linked_is_left_alone(void **state)
{
	(void)state;
	older_with_new_memory(0, 600);
	tm_death_block(heap(64));
	tm_owner_settle();
	rig_expect_words(heap(64), 3, (uint64_t[3]){0});
	tm_birth_block(heap(64), 600, TM_BUFFER);
	tm_block_put(heap(64), 600, rig_word(heap(64)), tm_grown_word(heap(80), 0));
	tm_owner_settle();
	assert_int_equal(past_at(heap(64)), tm_grown_word(heap(80), 0));
}

static void a_new_recording_begins_with_no_expectations(void **state)
{
	(void)state;
	older_with_new_memory(0, 600);
	assert_true(tm_owner_awaits(heap(64)));
	tm_owner_forget();
	tm_owner_settle();
	assert_int_equal(past_at(heap(64)), 0);
}

/* ---- allocator family --------------------------------------------------------------------- */

/* Its type is looked at by the mark's follow-up, which is still to come. */
static void an_owner_whose_type_nobody_looked_at_yet_is_found(void **state)
{
	uintptr_t list = made_pending(LIST, heap(0)), young;
	uint64_t type;

	(void)state;
	at(list)->fields[0] = heap(64);
	tm_birth_block(heap(64), 64, TM_BUFFER);
	scope.slots[0] = list;
	rig_set_mark();
	assert_int_equal(tm_word_kind(rig_word(heap(0))), TM_PENDING);
	resize(heap(64), heap(72), 128);
	type = tm_past_type(past_at(heap(72)));
	assert_int_equal(type, tm_type_of(list));
	/* as the owner of new memory only an older one counts */
	young = made_pending(LIST, heap(1));
	scope.slots[0] = young;
	at(young)->fields[0] = heap(80);
	assert_int_equal(tm_owner_of(heap(80), 0, false), 0);
	assert_int_equal(tm_word_type(tm_owner_of(heap(80), 0, true)), type);
}

static void a_block_that_looks_like_no_object_owns_nothing(void **state)
{
	uintptr_t block = heap(0), list = block + HEAD;

	(void)state;
	memset((void *)block, 0, BLOCK);
	tm_birth_pending(block, BLOCK);
	rig_set_mark();
	at(list)->fields[0] = heap(64);
	scope.slots[0] = list;
	scope.slots[1] = block;
	assert_int_equal(tm_owner_of(heap(64), 0, true), 0);
}

#define TEST(f)	    cmocka_unit_test_setup_teardown(f, setup, teardown)
#define TEST_OLD(f) cmocka_unit_test_setup_teardown(f, setup_allocator, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(memory_is_of_the_container_on_the_stack_that_has_its_address),
		TEST(references_may_be_tagged),
		TEST(the_dict_of_a_frames_names_is_found),
		TEST(one_step_further_is_found_but_not_two),
		TEST(a_dict_before_its_object_is_found),
		TEST(what_has_another_address_or_is_no_container_owns_nothing),
		TEST(what_is_not_known_to_live_is_not_read),
		TEST(slots_that_the_code_does_not_have_are_not_looked_at),
		TEST(without_a_frame_or_when_it_is_off_nothing_is_known),
		TEST(what_was_known_stays_known),
		TEST(a_table_that_replaces_another_is_of_who_has_the_new_one),
		TEST(a_type_that_does_not_fit_is_unknown),
		TEST(the_first_memory_of_an_older_container_says_so),
		TEST(the_next_large_block_settles_it_too),
		TEST(memory_that_moves_on_is_settled_before),
		TEST(memory_that_was_small_is_asked_for_when_it_is_large),
		TEST(memory_of_a_container_of_this_interval_says_nothing),
		TEST(whoever_has_not_taken_it_does_not_own_it),
		TEST(memory_that_is_gone_or_linked_is_left_alone),
		TEST(a_new_recording_begins_with_no_expectations),
		TEST_OLD(an_owner_whose_type_nobody_looked_at_yet_is_found),
		TEST_OLD(a_block_that_looks_like_no_object_owns_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

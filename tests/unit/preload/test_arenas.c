/* test_arenas.c - whose memory is whose, where interpreters have locks of their own */
#include "rig.h"

#include "arenas.h"
#include "resolve.h"

#define ARENA (1ul << 20)
#define PAGE  4096ul

enum {
	MAIN,
	SHARING, /* the main one's lock */
	APART,
	OTHER,
	INTERPRETERS
};

static struct interpreter {
	void *unused, *gil;
	int64_t id;
} interpreters[INTERPRETERS];

static struct {
	void *frame, *unused;
	struct interpreter *interpreter;
} thread;

static struct tm_adapter adapter;

static void *thread_state(void)
{
	return &thread;
}

static void *main_interpreter(void)
{
	return &interpreters[MAIN];
}

static int64_t interpreter_id(void *interpreter)
{
	return ((struct interpreter *)interpreter)->id;
}

static void enter(unsigned interpreter)
{
	thread.interpreter = &interpreters[interpreter];
}

static int setup(void **state)
{
	rig_setup_allocator(state);
	adapter = rig_adapter;
	adapter.own_gils = true;
	adapter.gil = offsetof(struct interpreter, gil);
	for (unsigned i = 0; i < INTERPRETERS; i++)
		interpreters[i] = (struct interpreter){NULL, &interpreters[i], i};
	interpreters[SHARING].gil = interpreters[MAIN].gil;
	tm_python.adapter = &adapter;
	tm_python.thread_state = thread_state;
	tm_python.main_interpreter = main_interpreter;
	tm_python.interpreter_id = interpreter_id;
	tm_blind(TM_B_INTERPRETERS);
	enter(MAIN);
	return 0;
}

/* An arena of the interpreter's, 3 pages behind the beginning of a chunk. */
static uintptr_t arena_of(unsigned interpreter, unsigned chunk)
{
	uintptr_t arena = (uintptr_t)rig.heap + chunk * ARENA + 3 * PAGE;

	enter(interpreter);
	tm_arenas_made(arena, ARENA);
	return arena;
}

static void gone(uintptr_t arena)
{
	tm_arenas_gone(arena, ARENA);
}

static void an_arena_is_its_makers_from_its_first_byte_to_its_last(void **state)
{
	uintptr_t arena = arena_of(APART, 2);

	(void)state;
	assert_int_equal(tm_arenas_whose(arena - 16), TM_NOBODYS);
	assert_int_equal(tm_arenas_whose(arena), TM_OURS);
	assert_int_equal(tm_arenas_whose(arena + ARENA - 16), TM_OURS);
	assert_int_equal(tm_arenas_whose(arena + ARENA), TM_NOBODYS);
	enter(OTHER);
	assert_int_equal(tm_arenas_whose(arena), TM_ANOTHERS);
	enter(MAIN);
	assert_int_equal(tm_arenas_whose(arena + ARENA - 16), TM_ANOTHERS);
	gone(arena);
	assert_int_equal(tm_arenas_whose(arena), TM_NOBODYS);
}

static void arenas_side_by_side_are_told_apart(void **state)
{
	uintptr_t first = arena_of(APART, 2), second = arena_of(OTHER, 3);

	(void)state;
	assert_int_equal(tm_arenas_whose(second), TM_OURS);
	assert_int_equal(tm_arenas_whose(second - 16), TM_ANOTHERS);
	gone(first);
	assert_int_equal(tm_arenas_whose(second - 16), TM_NOBODYS);
	gone(second);
}

static void interpreters_that_share_a_lock_share_their_arenas(void **state)
{
	uintptr_t arena = arena_of(SHARING, 2);

	(void)state;
	enter(MAIN);
	assert_int_equal(tm_arenas_whose(arena), TM_OURS);
	enter(APART);
	assert_int_equal(tm_arenas_whose(arena), TM_ANOTHERS);
	gone(arena);
}

static bool is_looked_at(uintptr_t block)
{
	uintptr_t blocks[1] = {block};

	tm_resolve_blocks(blocks, 1, 0);
	assert_int_equal(tm_word_kind(rig_word(block)) == TM_PENDING, blocks[0] != 0);
	return !blocks[0];
}

/* A thread has come from there, and brings what it made there along. */
static void what_lies_in_anothers_arena_is_left_alone(void **state)
{
	uintptr_t arena = arena_of(APART, 2);

	(void)state;
	rig_set_object(arena + 16, &rig.types[1]);
	tm_birth_pending(arena, 64);
	enter(MAIN);
	assert_false(is_looked_at(arena));
	enter(APART);
	assert_true(is_looked_at(arena));
	gone(arena);
}

/* The classes are in blocks of their own, too large for an arena. */
static void an_instance_in_no_arena_is_looked_at_if_its_class_is_ours(void **state)
{
	uintptr_t arena = arena_of(APART, 2);
	uintptr_t block = (uintptr_t)rig.heap, class = block + 4096, dict = arena + 256;
	static struct rig_text name;
	void *text = &name;

	(void)state;
	rig_set_text(&name, "Made");
	rig_set_type((void *)class, "Made", 64, TM_FLAG_HEAPTYPE | TM_FLAG_READY);
	memcpy((char *)class + RIG_QUALNAME, &text, sizeof(text));
	tm_birth_pending(class, 1024);
	rig_set_object(block, (void *)class);
	tm_birth_pending(block, 1024);
	rig_set_object(dict, &rig.types[0]);
	memcpy((char *)class + TM_TP_DICT, &dict, sizeof(dict));
	enter(MAIN);
	assert_false(is_looked_at(block));
	enter(APART);
	assert_true(is_looked_at(block));
	gone(arena);
}

#define ARENAS_TEST(f) cmocka_unit_test_setup_teardown(f, setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENAS_TEST(an_arena_is_its_makers_from_its_first_byte_to_its_last),
		ARENAS_TEST(arenas_side_by_side_are_told_apart),
		ARENAS_TEST(interpreters_that_share_a_lock_share_their_arenas),
		ARENAS_TEST(what_lies_in_anothers_arena_is_left_alone),
		ARENAS_TEST(an_instance_in_no_arena_is_looked_at_if_its_class_is_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

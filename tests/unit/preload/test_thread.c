/* test_thread.c - counters and lists of threads that come and go */
#include "rig.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

static void born(uintptr_t block)
{
	rig_set_object(block + 16, &rig.types[1]);
	tm_birth_expected(block, 64);
	tm_birth_object(block + 16);
}

static void *make_one(void *block)
{
	born((uintptr_t)block);
	return NULL;
}

static void run_alone(void *(*story)(void *), void *argument)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, story, argument), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void threads_one_after_the_other_need_few_slots_and_lose_no_count(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2000; i++)
		run_alone(make_one, rig.heap + 64 * i);
	assert_int_equal(tm_thread_sums().created, 2000);
	assert_true(rig_used(TM_R_THREADS) < 32);
	assert_int_equal(rig_lost(TM_L_THREADS), 0);
}

static void a_thread_begins_at_its_first_event_and_keeps_errno(void **state)
{
	(void)state;
	assert_null(tm_self.counters);
	errno = 4242;
	born((uintptr_t)rig.heap);
	assert_int_equal(errno, 4242);
	assert_non_null(tm_self.counters);
	assert_int_equal(tm_self.counters->tid, gettid());
	assert_int_equal(tm_self.counters->created, 1);
	assert_non_null(tm_self.recent);
	assert_non_null(tm_self.stacks);
}

static void a_new_recording_counts_from_nothing(void **state)
{
	(void)state;
	born((uintptr_t)rig.heap);
	rig_end();
	rig_begin(TM_FAMILY_TRACER);
	assert_int_equal(tm_thread_sums().created, 0);
	born((uintptr_t)rig.heap);
	assert_int_equal(tm_thread_sums().created, 1);
}

/* ---- more threads than slots ---------------------------------------------------------- */

#define CROWD 1100

static sem_t begun, may_end;

static void *make_one_and_stay(void *block)
{
	born((uintptr_t)block);
	sem_post(&begun);
	sem_wait(&may_end);
	return NULL;
}

static void threads_without_a_slot_share_one_and_are_counted(void **state)
{
	static pthread_t threads[CROWD];
	pthread_attr_t small;

	(void)state;
	sem_init(&begun, 0, 0);
	sem_init(&may_end, 0, 0);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 256 << 10);
	for (unsigned i = 0; i < CROWD; i++) {
		assert_int_equal(
			pthread_create(&threads[i], &small, make_one_and_stay, rig.heap + 64 * i),
			0);
		/* one at a time, so that the shared slot is exact here */
		sem_wait(&begun);
	}
	assert_int_equal(rig_used(TM_R_THREADS), 1024);
	assert_int_equal(rig_lost(TM_L_THREADS), CROWD - 1023);
	assert_int_equal(tm_thread_sums().created, CROWD);
	for (unsigned i = 0; i < CROWD; i++)
		sem_post(&may_end);
	for (unsigned i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	run_alone(make_one, rig.heap + 64 * CROWD);
	assert_int_equal(rig_lost(TM_L_THREADS), CROWD - 1023);
	assert_int_equal(tm_thread_sums().created, CROWD + 1);
}

/* ---- blocks not looked at yet ------------------------------------------------------------ */

static void *make_a_block(void *block)
{
	tm_birth_pending((uintptr_t)block, 64);
	rig_set_object((uintptr_t)block + 16, &rig.types[1]);
	return NULL;
}

static void blocks_of_a_thread_that_ended_are_looked_at(void **state)
{
	uintptr_t heap = (uintptr_t)rig.heap;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		run_alone(make_a_block, rig.heap + 64 * i);
	rig_set_mark();
	tm_follow_up_run();
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(tm_word_kind(rig_word(heap + 64 * i + 16)), TM_OBJECT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(threads_one_after_the_other_need_few_slots_and_lose_no_count),
		RIG_TEST(a_thread_begins_at_its_first_event_and_keeps_errno),
		RIG_TEST(a_new_recording_counts_from_nothing),
		RIG_TEST(threads_without_a_slot_share_one_and_are_counted),
		RIG_ALLOCATOR_TEST(blocks_of_a_thread_that_ended_are_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

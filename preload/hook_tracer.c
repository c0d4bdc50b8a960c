#include "hook_tracer.h"

#include "hook_alloc.h"
#include "hot.h"
#include "segment.h"

#include <time.h>

static tm_tracer chained; /* another tool's tracer, called after ours; NULL = none */
static void *chained_data;

int tm_trace(void *object, int event)
{
	if (event == TM_CREATED)
		tm_birth_object((uintptr_t)object);
	else
		tm_death_object((uintptr_t)object);
	return 0;
}

static __attribute__((noinline)) int second_dies(struct tm_young *second,
						 struct tm_nursery *nursery)
{
	tm_hot_object_dies(nursery, second, second->address);
	return 0;
}

int tm_traced_death(void *at, int event, struct tm_nursery *nursery, struct tm_young *first)
{
	struct tm_young *second = tm_young_second(first);
	uintptr_t object = (uintptr_t)at;
	tm_shadow_word *word;

	if (unlikely(event != TM_DESTROYED))
		return 0;
	if (unlikely(second->address == object))
		return second_dies(second, nursery);
	word = tm_hot_old_dies(nursery, object);
	if (unlikely(!word))
		return tm_trace(at, TM_DESTROYED);
	return likely(--nursery->patience) ? 0 : tm_nursery_add_object(object, word);
}

/* In place of the hot one while there is another tool's to call. */
static int trace_both(void *object, int event, void *data)
{
	tm_tracer next = chained;

	(void)data;
	/* Or it is taken away, with no object (3.15, Objects/object.c, PyRefTracer_SetTracer). */
	if (event != TM_CREATED && event != TM_DESTROYED)
		return 0;
	tm_trace(object, event);
	return next ? next(object, event, chained_data) : 0;
}

static tm_tracer ours(void)
{
	return chained ? trace_both : tm_hook_alloc_tracer();
}

bool tm_hook_tracer_install(void)
{
	chained = NULL;
	return tm_python.set_tracer(ours(), NULL) == 0;
}

static uint64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

bool tm_hook_tracer_check(void)
{
	uint64_t unset = 0;
	void *data = NULL;
	tm_tracer owner;

	if (tm_python.family != TM_FAMILY_TRACER || !tm_segment.header)
		return false;
	owner = tm_python.get_tracer(&data);
	if (owner == ours())
		return false;
	tm_lose(TM_L_TRACER);
	atomic_compare_exchange_strong(&tm_segment.header->tracer_lost_ns, &unset, realtime_ns());
	chained_data = data;
	chained = owner;
	if (tm_python.set_tracer(ours(), NULL) == 0)
		tm_put(&tm_segment.header->tracer_back_ns, realtime_ns());
	return true;
}

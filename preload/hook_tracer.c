#include "hook_tracer.h"

#include "cpython/cpython.h"
#include "record.h"
#include "segment.h"

#include <time.h>

/* Include/cpython/object.h: enum PyRefTracerEvent; 2 comes with a NULL object (3.15). */
enum {
	CREATED = 0,
	DESTROYED = 1
};

static tm_tracer chained; /* another tool's tracer, called after ours */
static void *chained_data;

static int trace_chained(void *object, int event)
{
	return chained ? chained(object, event, chained_data) : 0;
}

/* Births and deaths are functions of their own: the light one does not pay for the other's stack.
 */
static __attribute__((noinline)) int trace_birth(void *object)
{
	tm_birth_object((uintptr_t)object);
	if (unlikely(chained != NULL))
		return trace_chained(object, CREATED);
	return 0;
}

static int trace(void *object, int event, void *data)
{
	(void)data;
	if (event == CREATED)
		return trace_birth(object);
	if (unlikely(event != DESTROYED))
		return 0;
	tm_death_object((uintptr_t)object);
	if (unlikely(chained != NULL))
		return trace_chained(object, DESTROYED);
	return 0;
}

bool tm_hook_tracer_install(void)
{
	chained = NULL;
	return tm_python.set_tracer(trace, NULL) == 0;
}

static uint64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

void tm_hook_tracer_check(void)
{
	uint64_t unset = 0;
	void *data = NULL;
	tm_tracer owner;

	if (tm_python.family != TM_FAMILY_TRACER || !tm_segment.header)
		return;
	owner = tm_python.get_tracer(&data);
	if (owner == trace)
		return;
	tm_lose(TM_L_TRACER);
	atomic_compare_exchange_strong(&tm_segment.header->tracer_lost_ns, &unset, realtime_ns());
	chained = owner;
	chained_data = data;
	if (tm_python.set_tracer(trace, NULL) == 0)
		tm_put(&tm_segment.header->tracer_back_ns, realtime_ns());
}

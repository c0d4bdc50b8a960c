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

static int trace(void *object, int event, void *data)
{
	(void)data;
	if (event == CREATED)
		tm_birth_object((uintptr_t)object);
	else if (likely(event == DESTROYED))
		tm_death_object((uintptr_t)object);
	else
		return 0;
	if (unlikely(chained != NULL))
		return chained(object, event, chained_data);
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

#include "hook_tracer.h"

#include "hook_alloc.h"
#include "hot.h"
#include "segment.h"

#include <time.h>

tm_tracer tm_chained; /* another tool's tracer, called after ours */
static void *chained_data;

int tm_trace(void *object, int event)
{
	if (event == TM_CREATED)
		tm_birth_object((uintptr_t)object);
	else
		tm_death_object((uintptr_t)object);
	return tm_chained ? tm_chained(object, event, chained_data) : 0;
}

static tm_tracer ours(void)
{
	return tm_hook_alloc_tracer();
}

bool tm_hook_tracer_install(void)
{
	tm_chained = NULL;
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
	tm_chained = owner;
	chained_data = data;
	if (tm_python.set_tracer(ours(), NULL) == 0)
		tm_put(&tm_segment.header->tracer_back_ns, realtime_ns());
	return true;
}

/*
 * hook_tracer.h - the reference tracer, 3.13.3 and newer
 */
#ifndef TIDEMARK_HOOK_TRACER_H
#define TIDEMARK_HOOK_TRACER_H

#include "base.h"

/* Include/cpython/object.h: enum PyRefTracerEvent; 2 comes with a NULL object (3.15). */
enum {
	TM_CREATED = 0,
	TM_DESTROYED = 1
};

/* tm_trace - an event of the tracer, whatever it takes. */
TM_NOINLINE int tm_trace(void *object, int event);

struct tm_nursery;
struct tm_young;

/* tm_traced_death - the death of an object that is not young, or in the place after its @first */
int tm_traced_death(void *object, int event, struct tm_nursery *nursery, struct tm_young *first);

/* tm_hook_tracer_install - take the slot, before the first object; false if that fails. */
bool tm_hook_tracer_install(void);

/*
 * tm_hook_tracer_check - see that the slot is still ours, and take it back if it is not
 *
 * Who took it (tracemalloc) is chained to: it goes on getting births, as before.  The gap is
 * noted in the recording.  Needs the GIL.  Returns whether it was taken.
 */
bool tm_hook_tracer_check(void);

#endif

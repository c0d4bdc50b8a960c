/*
 * hook_collector.h - the cyclic collector: its callbacks, its state
 */
#ifndef TIDEMARK_HOOK_COLLECTOR_H
#define TIDEMARK_HOOK_COLLECTOR_H

#include "base.h"

/*
 * tm_hook_collector_install - append a callable to the interpreter's list of collector callbacks
 *
 * The list is the one gc.callbacks names; it is reached without importing gc, which would show
 * in sys.modules.  Holds the GIL of the main interpreter.  False: not there, or not a list.
 */
bool tm_hook_collector_install(void);

/* tm_hook_collector_will_run - whether the collection that finalization makes will reach us. */
bool tm_hook_collector_will_run(void);

#endif

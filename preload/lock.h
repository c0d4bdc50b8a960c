/*
 * lock.h - the one lock of the recorder's slow paths
 *
 * Guards what is made once and found often: chunks, interned names, code, types, sites.  No
 * call into CPython happens under it, so a holder always gets on; a signal handler never
 * takes it; a forked child starts with it open.
 */
#ifndef TIDEMARK_LOCK_H
#define TIDEMARK_LOCK_H

#include "base.h"

#include <sched.h>

extern atomic_flag tm_lock_flag;

TM_INLINE void tm_lock(void)
{
	while (atomic_flag_test_and_set_explicit(&tm_lock_flag, memory_order_acquire))
		sched_yield();
}

TM_INLINE void tm_unlock(void)
{
	atomic_flag_clear_explicit(&tm_lock_flag, memory_order_release);
}

#endif

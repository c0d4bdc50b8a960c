/*
 * heap.h - the C library's heap, at a mark
 *
 * mallinfo2() looks at every piece of memory that malloc() keeps free, with its locks held: some
 * ten microseconds for the few hundred that most programs have, 20 to 300 ns for each where there
 * are many.  So it is asked where that is expected to be within a budget.  What is expected comes
 * from what it took last, and from how much the heap has grown since: what fills memory for the
 * first time leaves few holes, and 2 KiB for each is as many as were seen in Python programs.  What
 * is freed in between without the heap growing cannot be seen, so that once, at the first mark
 * after it, it may take longer than the budget.
 */
#ifndef TIDEMARK_HEAP_H
#define TIDEMARK_HEAP_H

#include "base.h"
#include "tidemark/layout.h"

#define TM_HEAP_ANY UINT64_MAX /* a budget for anything */

/*
 * tm_heap_install - look at which malloc() the process has
 * Only the C library's own says anything, since glibc 2.33.
 */
void tm_heap_install(void);

/* tm_heap_ask - the same, with @info in place of mallinfo2(), NULL: there is none */
struct mallinfo2;
void tm_heap_ask(struct mallinfo2 (*info)(void));

/*
 * tm_heap_take - fill in what malloc() has handed out and keeps free
 * @out: has the other figures already; heap_ns says what was expected where that is more than
 *       @budget_ns of CPU time
 *
 * Takes malloc()'s locks.  By one thread at a time.
 */
void tm_heap_take(struct tm_figures *out, uint64_t budget_ns);

#endif

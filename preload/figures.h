/*
 * figures.h - what the process consists of, at a mark
 */
#ifndef TIDEMARK_FIGURES_H
#define TIDEMARK_FIGURES_H

#include "base.h"
#include "tidemark/layout.h"

/*
 * tm_figures_install - follow CPython's arenas, and look at which malloc() the process has
 * Called when the recorder installs: before the first object, and before the object domain is
 * hooked.
 */
void tm_figures_install(void);

enum tm_figures_how {
	TM_FIGURES_FULL,  /* takes locks of malloc(), and a while where it keeps much free */
	TM_FIGURES_QUICK, /* half a millisecond at most, as far as can be told: see heap.h */
	TM_FIGURES_CHILD, /* the same, calls nothing of the interpreter, which has just forked */
	TM_FIGURES_BARE, /* nothing of malloc(); async-signal-safe, calls nothing of the interpreter
			  */
};

/*
 * tm_figures_take - fill in @out, TM_UNKNOWN where something cannot be told
 * @budget_ns: what counting the resident set page by page may take, going by what it took before;
 *             else it is as the kernel keeps count of it, which may lag by some pages for each CPU
 */
void tm_figures_take(struct tm_figures *out, enum tm_figures_how how, uint64_t budget_ns);

/*
 * tm_figures_look_at_heap - see what looking at the heap takes now, so that the next
 * TM_FIGURES_QUICK need not expect the worst
 * @budget_ns: not done for less than what that one may take itself
 */
void tm_figures_look_at_heap(uint64_t budget_ns);

#endif

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
	TM_FIGURES_EXACT, /* takes as long as the resident set is large, and takes locks of malloc()
			   */
	TM_FIGURES_QUICK, /* some microseconds: the resident set as the kernel counts it by the way
			   */
	TM_FIGURES_BARE,  /* the same; async-signal-safe, calls nothing of the interpreter */
};

/* tm_figures_take - fill in @out, TM_UNKNOWN where something cannot be told. */
void tm_figures_take(struct tm_figures *out, enum tm_figures_how how);

#endif

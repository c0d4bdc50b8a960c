/*
 * setup.h - what can only be installed once the interpreter runs
 */
#ifndef TIDEMARK_SETUP_H
#define TIDEMARK_SETUP_H

#include "base.h"

/*
 * tm_setup_watch - follow the interpreter's start through its audit events
 * Called when the recorder installs, before the interpreter exists.  False: no audit hook.
 */
bool tm_setup_watch(void);

#endif

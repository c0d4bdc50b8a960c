/*
 * signals.h - the mark signal
 */
#ifndef TIDEMARK_SIGNALS_H
#define TIDEMARK_SIGNALS_H

#include "base.h"

/*
 * tm_signals_install - handle the mark signal, in C for the bump and in Python for the follow-up
 * @function: a callable, called by the main thread between bytecodes after each signal
 *
 * Runs in the main thread with the GIL.  Returns false when Python refuses (not the main
 * thread): then nothing is installed.
 */
bool tm_signals_install(void *function);

/* tm_signals_make_timer - in a forked child, whose timers are gone; its main thread calls. */
void tm_signals_make_timer(void);

/* tm_signals_wake - have the main thread call the follow-up soon.  Any thread, any moment. */
void tm_signals_wake(void);

#endif

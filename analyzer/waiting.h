/*
 * waiting.h - what keeps a recorded process from serving a request
 */
#ifndef TM_WAITING_H
#define TM_WAITING_H

#include <stdbool.h>

#include "target.h"

/*
 * One clause, as far as /proc tells: "the process is stopped (SIGSTOP or a debugger)".
 * @taken: the signal handler has run; what is missing is the part that needs the
 * interpreter.  Release with free().
 */
char *tm_waiting_reason(const struct tm_target *target, bool taken);

#endif

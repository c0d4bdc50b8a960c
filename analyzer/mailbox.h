/*
 * mailbox.h - requests to a live recorded process (protocol: struct tm_mailbox)
 */
#ifndef TM_MAILBOX_H
#define TM_MAILBOX_H

#include <stdint.h>

#include "target.h"

/*
 * tm_mailbox_follow_up - have types still pending resolved, without setting a mark
 *
 * Waits up to @timeout_ms until that is done.  Returns 0, or
 *   -ESRCH      the process is gone, or the target is not live
 *   -EPERM      not permitted to signal it, or to write its mailbox
 *   -EBUSY      another analyzer holds the mailbox
 *   -EOPNOTSUPP the process does not handle the mark signal (the program took it, or none
 *               was installed); nothing was sent
 *   -ETIMEDOUT  the process was signalled but has not got round to it
 * Prints nothing.
 */
int tm_mailbox_follow_up(const struct tm_target *target, unsigned timeout_ms);

#endif

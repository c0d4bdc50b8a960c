/*
 * mailbox.h - requests to a live recorded process (protocol: struct tm_mailbox)
 *
 * Analyzers that want the same mailbox take turns by flock() on the recording, which the
 * kernel undoes when one of them is killed.  One thread per request.
 */
#ifndef TM_MAILBOX_H
#define TM_MAILBOX_H

#include <stddef.h>
#include <stdint.h>

#include "target.h"

/*
 * Whether a request can be served, found without sending anything: a signal that is not
 * handled would end the process.  Returns 0, or
 *   -ESRCH      the target is not live
 *   -EPERM      not permitted to signal it, or to write its recording
 *   -EOPNOTSUPP the process does not handle the mark signal: the program took it, or the
 *               recorder has no handler (any more)
 *   -EBADMSG    the recording names no signal that could be a mark's, or is truncated
 */
int tm_mailbox_check(const struct tm_target *target);

/* A request under way. */
struct tm_request;

/*
 * tm_mailbox_send - hand over a request and signal the process
 * @name:    of the mark, @length bytes, at most TM_NAME_MAX
 * @flags:   enum tm_mailbox_flags
 * @wait_ms: how long to wait for other analyzers' requests to be taken
 * @out:     set on success only; release with tm_mailbox_finish()
 *
 * Returns 0, an error of tm_mailbox_check(), -EBUSY (another request is still waiting),
 * -EINTR (a signal came while waiting for it), -EAGAIN (the process has too many signals
 * queued) or another -errno.
 */
int tm_mailbox_send(const struct tm_target *target, const void *name, size_t length, unsigned flags,
		    uint64_t wait_ms, struct tm_request **out);

enum tm_request_stage {
	TM_REQUEST_SENT,     /* signalled, not taken yet */
	TM_REQUEST_TAKEN,    /* the mark is set (or a follow-up begun); the rest is under way */
	TM_REQUEST_FOLLOWED, /* all done */
	TM_REQUEST_REFUSED,  /* the table of marks is full */
	TM_REQUEST_GONE,     /* the process ended or was replaced before it was done */
};

/* Where it stands now; does not wait. */
enum tm_request_stage tm_mailbox_poll(struct tm_request *request);

/* Number of the mark, once the stage is TAKEN or FOLLOWED. */
uint32_t tm_mailbox_mark(const struct tm_request *request);

/*
 * Let go of it, at any stage.  A request that was not taken stays in the mailbox for the
 * signal that is on its way, so the mark still gets its name.
 */
void tm_mailbox_finish(struct tm_request *request);

/*
 * tm_mailbox_follow_up - have pending types and owners resolved, without setting a mark
 *
 * Waits up to @timeout_ms until that is done.  Returns 0, an error of tm_mailbox_send()
 * or -ETIMEDOUT: the process was signalled but has not got round to it.  Prints nothing.
 */
int tm_mailbox_follow_up(const struct tm_target *target, unsigned timeout_ms);

/* Whether anything may be pending that a follow-up would resolve. */
static inline bool tm_mailbox_follow_up_tells(const struct tm_header *header)
{
	return header->family == TM_FAMILY_ALLOCATOR || header->unsettled;
}

/* Sleep as long as polls should be apart after @elapsed_ms; a signal cuts it short. */
void tm_mailbox_pause(uint64_t elapsed_ms);

/* CLOCK_MONOTONIC in milliseconds. */
uint64_t tm_mailbox_now_ms(void);

#endif

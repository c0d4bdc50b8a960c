#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <tidemark/layout.h>

#include "mailbox.h"
#include "mem.h"
#include "process.h"

#define PROMISE_WAIT_MS 1000 /* for a mark asked for before that is not set yet */

struct tm_request {
	const struct tm_target *target;
	int fd;			/* of the recording, for reading and writing; holds the flock() */
	struct tm_mailbox *box; /* mapped, shared with the process */
	uint32_t token;
	uint32_t flags;
	uint32_t follow_ups; /* of the header, before the request */
	uint32_t mark;
	unsigned polls;
	uint64_t start_ticks; /* of the process */
	enum tm_request_stage stage;
};

uint64_t tm_mailbox_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void tm_mailbox_pause(uint64_t elapsed_ms)
{
	/* A mark takes well below a millisecond as a rule; who waits longer can wait longer. */
	uint64_t ms = elapsed_ms < 20 ? 1 : elapsed_ms < 200 ? 5 : 20;
	struct timespec time = {.tv_nsec = (long)ms * 1000000};

	nanosleep(&time, NULL);
}

int tm_mailbox_check(const struct tm_target *target)
{
	const struct tm_header *header = tm_reader_header(target->reader);
	int number = (int)header->signal;

	if (target->state != TM_TARGET_LIVE || target->pid <= 0)
		return -ESRCH;
	if (header->signal < 1 || header->signal > 64 || number == SIGKILL || number == SIGSTOP)
		return -EBADMSG;
	if (header->state == TM_PS_STOPPED || (header->blind & TM_B_SIGNAL_TAKEN))
		return -EOPNOTSUPP;
	if (kill(target->pid, 0) != 0)
		return -errno;
	/* Unknown is as good as unhandled: the signal may be deadly. */
	if (tm_process_signal(target->pid, number) != TM_SIGNAL_HANDLED)
		return -EOPNOTSUPP;
	return 0;
}

/* The very file that the reader has, writable. */
static int open_writable(const struct tm_target *target)
{
	char path[64];
	struct stat stat;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", tm_reader_fd(target->reader));
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno == EACCES ? -EPERM : -errno;
	/* A page beyond the end would be a SIGBUS. */
	if (fstat(fd, &stat) != 0 ||
	    stat.st_size < (off_t)(TM_MAILBOX_OFFSET + sizeof(struct tm_mailbox))) {
		close(fd);
		return -EBADMSG;
	}
	return fd;
}

static int take_turn(int fd, uint64_t wait_ms)
{
	uint64_t start = tm_mailbox_now_ms(), elapsed = 0;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return -errno;
		if (elapsed >= wait_ms)
			return -EBUSY;
		errno = 0;
		tm_mailbox_pause(elapsed);
		if (errno == EINTR)
			return -EINTR;
		elapsed = tm_mailbox_now_ms() - start;
	}
	return 0;
}

static int open_box(const struct tm_target *target, uint64_t wait_ms, struct tm_request **out)
{
	struct tm_request *request;
	void *page;
	int fd = open_writable(target), error;

	if (fd < 0)
		return fd;
	error = take_turn(fd, wait_ms);
	if (error != 0) {
		close(fd);
		return error;
	}
	page = mmap(NULL, sizeof(struct tm_mailbox), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    TM_MAILBOX_OFFSET);
	if (page == MAP_FAILED) {
		error = -errno;
		close(fd);
		return error;
	}
	request = tm_mem_new(sizeof(*request));
	request->target = target;
	request->fd = fd;
	request->box = page;
	*out = request;
	return 0;
}

static void close_box(struct tm_request *request)
{
	munmap(request->box, sizeof(*request->box));
	/* The lock goes with the description. */
	close(request->fd);
	free(request);
}

/* The process could end and its pid be taken between a look and a kill(); not with a pidfd. */
static int send_by_pidfd(const struct tm_target *target, int number, siginfo_t *info)
{
	int pidfd = (int)syscall(SYS_pidfd_open, target->pid, 0);
	int error = 0;

	if (pidfd < 0)
		return -errno;
	if (!tm_target_is_recorded_by(target, target->pid))
		error = -ESRCH;
	else if (syscall(SYS_pidfd_send_signal, pidfd, number, info, 0) != 0)
		error = -errno;
	close(pidfd);
	return error;
}

static int send_signal(const struct tm_target *target, uint32_t token)
{
	int number = (int)tm_reader_header(target->reader)->signal;
	siginfo_t info = {.si_signo = number, .si_code = SI_QUEUE};
	int error;

	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_ptr = (void *)(uintptr_t)token;
	error = send_by_pidfd(target, number, &info);
	/* A kernel, or a container's filter, without pidfds. */
	if (error == -ENOSYS || error == -EPERM)
		error = sigqueue(target->pid, number, info.si_value) == 0 ? 0 : -errno;
	return error;
}

/* A mark that was asked for and is not set yet: who asked was told that it will be. */
static bool holds_promise(const struct tm_mailbox *box)
{
	return atomic_load_explicit(&box->state, memory_order_acquire) == TM_MB_READY &&
	       !(box->flags & TM_MB_FOLLOW_UP);
}

/*
 * With the lock held, whatever is in the mailbox was left by an analyzer that is gone.
 * Between READY and DONE the state is the handler's own, and a mark that waits for it stays:
 * its signal is sent once more, lest it was never sent, and the handler has its time.
 */
static int claim(const struct tm_target *target, struct tm_mailbox *box, uint64_t wait_ms)
{
	uint64_t start = tm_mailbox_now_ms(), elapsed = 0;
	int error = holds_promise(box) ? send_signal(target, box->token) : 0;

	while (error == 0) {
		uint32_t state = atomic_load(&box->state);

		if (state != TM_MB_TAKING && !holds_promise(box)) {
			if (atomic_compare_exchange_strong(&box->state, &state, TM_MB_CLAIMED))
				break;
		} else if (elapsed >= wait_ms || elapsed >= PROMISE_WAIT_MS) {
			error = -EBUSY;
		} else {
			tm_mailbox_pause(elapsed);
			elapsed = tm_mailbox_now_ms() - start;
		}
	}
	return error;
}

/* Never 0: that is the value of a signal without a token. */
static uint32_t new_token(void)
{
	uint32_t token = 0;

	while (token == 0)
		if (getrandom(&token, sizeof(token), 0) != sizeof(token))
			token = (uint32_t)tm_mailbox_now_ms() ^ (uint32_t)getpid() << 16;
	return token;
}

static void fill(struct tm_request *request, const void *name, size_t length)
{
	struct tm_mailbox *box = request->box;
	struct tm_process_stat own = {0};

	(void)tm_process_stat(getpid(), &own);
	atomic_store(&box->owner_pid, (uint32_t)getpid());
	atomic_store(&box->owner_start, own.start_ticks);
	box->token = request->token;
	box->flags = request->flags;
	box->mark = 0;
	box->name_length = (uint32_t)length;
	memset(box->name, 0, sizeof(box->name));
	if (length > 0)
		memcpy(box->name, name, length);
	atomic_store_explicit(&box->state, TM_MB_READY, memory_order_release);
}

/* A field of the header as it is in the file now. */
static uint32_t header_now(const struct tm_target *target, size_t offset)
{
	uint32_t value = 0;

	if (tm_reader_copy(target->reader, offset, &value, sizeof(value)) != sizeof(value))
		return 0;
	return value;
}

static uint32_t follow_ups_now(const struct tm_target *target)
{
	return header_now(target, offsetof(struct tm_header, follow_ups));
}

int tm_mailbox_send(const struct tm_target *target, const void *name, size_t length, unsigned flags,
		    uint64_t wait_ms, struct tm_request **out)
{
	struct tm_process_stat process = {0};
	struct tm_request *request = NULL;
	int error;

	if (length > TM_NAME_MAX)
		return -ENAMETOOLONG;
	error = tm_mailbox_check(target);
	if (error == 0)
		error = open_box(target, wait_ms, &request);
	if (error != 0)
		return error;
	error = claim(target, request->box, wait_ms);
	if (error != 0) {
		close_box(request);
		return error;
	}
	request->token = new_token();
	request->flags = flags;
	request->follow_ups = follow_ups_now(target);
	(void)tm_process_stat(target->pid, &process);
	request->start_ticks = process.start_ticks;
	fill(request, name, length);
	error = send_signal(target, request->token);
	if (error != 0) {
		atomic_store(&request->box->state, TM_MB_FREE);
		close_box(request);
		return error;
	}
	*out = request;
	return 0;
}

static bool is_followed(const struct tm_request *request)
{
	struct tm_mark mark;

	if (request->flags & TM_MB_FOLLOW_UP)
		return follow_ups_now(request->target) != request->follow_ups;
	return tm_reader_fetch_mark(request->target->reader, request->mark, &mark) == 0 &&
	       mark.state == TM_MARK_FOLLOWED;
}

/* The answer is in: others may use the mailbox while we wait for the follow-up. */
static void take_answer(struct tm_request *request)
{
	request->mark = request->box->mark;
	atomic_store(&request->box->state, TM_MB_FREE);
	flock(request->fd, LOCK_UN);
	request->stage = request->mark == 0 && !(request->flags & TM_MB_FOLLOW_UP)
				 ? TM_REQUEST_REFUSED
				 : TM_REQUEST_TAKEN;
}

/* Its end, or an exec(): then no one is there any more to serve the request. */
static bool is_gone(struct tm_request *request)
{
	const struct tm_target *target = request->target;
	struct tm_process_stat process;

	if (header_now(target, offsetof(struct tm_header, state)) == TM_PS_EXITED)
		return true;
	if (tm_process_stat(target->pid, &process) != 0 ||
	    process.start_ticks != request->start_ticks || process.state == 'Z')
		return true;
	/* Looking at the mappings costs more than the rest together. */
	return ++request->polls % 64 == 0 && !tm_target_is_recorded_by(target, target->pid);
}

enum tm_request_stage tm_mailbox_poll(struct tm_request *request)
{
	/* First, so that an end right after the last step is not taken for an end before it. */
	bool gone = is_gone(request);

	if (request->stage == TM_REQUEST_SENT &&
	    atomic_load_explicit(&request->box->state, memory_order_acquire) == TM_MB_DONE)
		take_answer(request);
	if (request->stage == TM_REQUEST_TAKEN && is_followed(request))
		request->stage = TM_REQUEST_FOLLOWED;
	if (gone && (request->stage == TM_REQUEST_SENT || request->stage == TM_REQUEST_TAKEN))
		request->stage = TM_REQUEST_GONE;
	return request->stage;
}

uint32_t tm_mailbox_mark(const struct tm_request *request)
{
	return request->mark;
}

void tm_mailbox_finish(struct tm_request *request)
{
	close_box(request);
}

int tm_mailbox_follow_up(const struct tm_target *target, unsigned timeout_ms)
{
	uint64_t start = tm_mailbox_now_ms(), elapsed = 0;
	struct tm_request *request;
	enum tm_request_stage stage;
	int error = tm_mailbox_send(target, NULL, 0, TM_MB_FOLLOW_UP, timeout_ms, &request);

	if (error != 0)
		return error;
	while ((stage = tm_mailbox_poll(request)) < TM_REQUEST_FOLLOWED && elapsed < timeout_ms) {
		tm_mailbox_pause(elapsed);
		elapsed = tm_mailbox_now_ms() - start;
	}
	tm_mailbox_finish(request);
	if (stage == TM_REQUEST_FOLLOWED)
		return 0;
	return stage == TM_REQUEST_GONE ? -ESRCH : -ETIMEDOUT;
}

/*
 * CPython's own signal machinery runs the follow-up: a callable is registered for the mark
 * signal the usual way, and our C handler stands in front of CPython's.  That wakes a main thread
 * that sleeps, waits for a lock, a socket or a child, or sits in an event loop, without a thread
 * of ours and without a lock in the handler.
 */
#include "signals.h"

#include "cpython/cpython.h"
#include "follow_up.h"
#include "hook_collector.h"
#include "marks.h"
#include "recorder.h"
#include "say.h"
#include "segment.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

typedef int (*sigaction_function)(int, const struct sigaction *, struct sigaction *);
typedef void (*handler_function)(int);

static handler_function python_handler; /* what CPython installed: sets a flag, wakes the loop */
static bool installing;
static bool taken; /* the program has a handler of its own */
static bool over;  /* finalizing: CPython has forgotten its handlers, and wonders at a signal */

static sigaction_function real_sigaction(void)
{
	static sigaction_function volatile found;

	if (!found) {
		void *address = dlsym(RTLD_NEXT, "sigaction");

		memcpy((void *)(uintptr_t)&found, &address, sizeof(address));
	}
	return found;
}

/*
 * A signal that comes just before the main thread blocks in a system call is noted by CPython but
 * interrupts nothing, and one that another thread takes does not wake the main thread at all.  So
 * a timer sends it again, to the main thread, a few times and ever later, until the follow-up is
 * done.  Timers are no threads; a forked child starts without them.
 */
enum {
	NUDGES = 7
};

static _Atomic int nudges; /* sent for what is pending now */
static int timer_id = -1;

static void arm(unsigned nudge)
{
	struct itimerspec when;

	if (timer_id < 0)
		return;
	memset(&when, 0, sizeof(when));
	when.it_value.tv_nsec = 10000000l << nudge; /* 10 ms, 20 ms, ... */
	syscall(SYS_timer_settime, timer_id, 0, &when, NULL);
}

void tm_signals_make_timer(void)
{
	struct sigevent event;

	timer_id = -1;
	if (!python_handler)
		return;
	memset(&event, 0, sizeof(event));
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = tm_config.signal;
	event.sigev_value.sival_ptr = &timer_id;
	event._sigev_un._tid = (int)getpid();
	if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer_id) != 0)
		timer_id = -1;
}

void tm_signals_wake(void)
{
	if (!python_handler || taken || over)
		return;
	tm_put(&nudges, 0);
	python_handler(tm_config.signal);
	arm(0);
}

static void nudge(void)
{
	int count = atomic_fetch_add(&nudges, 1) + 1;

	if (taken || over || count > NUDGES || !tm_follow_up_pending())
		return;
	python_handler(tm_config.signal);
	if (count < NUDGES)
		arm((unsigned)count);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)number;
	(void)context;
	if (tm_recorder_is_on() && info->si_code == SI_TIMER &&
	    info->si_value.sival_ptr == &timer_id) {
		nudge();
	} else if (tm_recorder_is_on()) {
		if (info->si_code == SI_QUEUE && info->si_value.sival_int != 0)
			tm_marks_serve_mailbox((uint32_t)info->si_value.sival_int);
		else
			tm_marks_bump(NULL, 0, TM_MF_SIGNAL);
		tm_signals_wake();
	}
	errno = saved;
}

bool tm_signals_install(void *function)
{
	struct sigaction ours, theirs;
	void *module, *result = NULL;

	module = tm_python.import("_signal");
	installing = true;
	if (module)
		result = tm_python.call_method(module, "signal", "iO", tm_config.signal, function);
	installing = false;
	if (result)
		tm_python.decref(result);
	else
		tm_python.error_clear();
	if (module)
		tm_python.decref(module);
	if (!result || real_sigaction()(tm_config.signal, NULL, &theirs) != 0)
		return false;
	python_handler = theirs.sa_handler;
	taken = over = false;
	memset(&ours, 0, sizeof(ours));
	ours.sa_sigaction = on_signal;
	sigemptyset(&ours.sa_mask);
	/* Not SA_RESTART: a blocked main thread has to come back to Python, as with any signal
	 * that Python handles; CPython starts the interrupted call again (PEP 475). */
	ours.sa_flags = SA_SIGINFO | (theirs.sa_flags & SA_ONSTACK);
	if (real_sigaction()(tm_config.signal, &ours, NULL) != 0)
		return false;
	tm_signals_make_timer();
	return true;
}

/*
 * Finalization resets every signal that Python handles (_PySignal_Fini, before the last
 * collection and before modules are taken down): that is where the exit mark belongs.  The reset
 * itself is not passed on, or a late mark would end the process.
 */
static bool is_finalization(const struct sigaction *action)
{
	return action->sa_handler == SIG_DFL && tm_python.is_finalizing &&
	       tm_python.is_finalizing();
}

static void note_taken(void)
{
	if (taken)
		return;
	taken = true;
	tm_blind(TM_B_SIGNAL_TAKEN);
	tm_say("the program handles signal %d itself: it gets it, marks need another one "
	       "(TIDEMARK=signal=N)",
	       tm_config.signal);
}

/* Returns whether the change is to be kept from the kernel. */
static bool intercept(int number, const struct sigaction *action)
{
	if (likely(number != tm_config.signal) || !action || installing || !python_handler)
		return false;
	/* Between vfork() and exec() the child runs in our memory and resets its own handlers. */
	if (!tm_recorder_is_on())
		return false;
	if (is_finalization(action)) {
		over = true; /* the last collection runs Python code, which looks for signals */
		tm_marks_exit(tm_hook_collector_will_run());
		return true;
	}
	note_taken();
	return false;
}

TM_EXPORT int sigaction(int number, const struct sigaction *restrict action,
			struct sigaction *restrict old)
{
	if (unlikely(intercept(number, action)))
		return real_sigaction()(number, NULL, old);
	return real_sigaction()(number, action, old);
}

TM_EXPORT handler_function signal(int number, handler_function handler)
{
	static handler_function (*volatile real)(int, handler_function);
	struct sigaction action;

	if (!real) {
		void *address = dlsym(RTLD_NEXT, "signal");

		memcpy((void *)(uintptr_t)&real, &address, sizeof(address));
	}
	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	if (unlikely(intercept(number, &action)))
		return SIG_DFL;
	return real(number, handler);
}

/*
 * The recording's life: begun when an interpreter installs, begun anew in a forked child at its
 * first birth, frozen after the exit mark.
 */
#include "recorder.h"

#include "cpython/cpython.h"
#include "deaths.h"
#include "follow_up.h"
#include "intern.h"
#include "lock.h"
#include "marks.h"
#include "nursery.h"
#include "owner.h"
#include "proc.h"
#include "record.h"
#include "recycled.h"
#include "resolve.h"
#include "say.h"
#include "segment.h"
#include "signals.h"
#include "stack.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum state {
	OFF,
	ON,
	CHILD,	/* forked: a recording begins at the first birth */
	FROZEN, /* after the exit mark, or the child could not begin */
};

struct tm_config tm_config;

static _Atomic int state;
static char *parent_base; /* the parent's mapping, in a child that has not begun */
static uint32_t parent_pid;

uint32_t tm_recorder_current(void)
{
	return tm_get(&tm_segment.header->current);
}

bool tm_recorder_is_on(void)
{
	return tm_get(&state) == ON && tm_segment.pid == (int)getpid();
}

void tm_recorder_freeze(void)
{
	tm_put(&state, FROZEN);
	tm_nursery_stop();
	tm_shadow_detach();
}

void tm_recorder_note(const char *message)
{
	snprintf((char *)tm_segment.header->message, TM_TEXT_MAX, "%s", message);
	tm_say("%s", message);
}

static void describe_process(struct tm_header *header)
{
	char text[4096];
	ssize_t length;

	header->command =
		tm_intern_string(text, tm_proc_read("/proc/self/cmdline", text, sizeof(text)));
	length = readlink("/proc/self/exe", text, sizeof(text));
	header->executable = tm_intern_string(text, length > 0 ? (size_t)length : 0);
	if (getcwd(text, sizeof(text)))
		header->directory = tm_intern_string(text, strlen(text));
	snprintf((char *)header->python, TM_CPYTHON_MAX, "%s", tm_python.version);
	header->python_hex = tm_python.version_hex;
	header->family = tm_python.family;
	header->parent_pid = parent_pid;
	tm_put(&header->blind, tm_python.adapter->blind | (parent_base ? TM_B_INHERITED : 0));
}

/* Everything of a recording but its file: private tables, directory, counters, first mark. */
static void begin_tables(void)
{
	tm_shadow_forget();
	tm_shadow_attach();
	tm_thread_restart();
	tm_resolve_inherited(parent_base != NULL);
	tm_intern_restart(parent_base);
	tm_owner_forget();
	tm_recycled_restart();
	tm_deaths_prepare();
	describe_process(tm_segment.header);
	tm_marks_restart(parent_base != NULL);
}

/*
 * In the child, before CPython has repaired itself: only our own memory is touched.  The parent's
 * file stays mapped until the child's own recording begins, but nothing points to it any more.
 */
static void after_fork_in_child(void)
{
	if (tm_get(&state) != ON && tm_get(&state) != FROZEN)
		return;
	tm_nursery_stop();
	tm_shadow_detach();
	tm_stack_forget();
	tm_owner_forget();
	tm_self.counters = NULL;
	tm_self.pending = 0;
	tm_self.pending_young = NULL;
	atomic_flag_clear(&tm_lock_flag);
	tm_follow_up_after_fork();
	if (tm_get(&state) == FROZEN || !tm_segment.base)
		return;
	parent_base = tm_segment.base;
	parent_pid = (uint32_t)tm_segment.pid;
	tm_segment.base = NULL;
	tm_segment.header = NULL;
	tm_put(&state, CHILD);
}

int tm_recorder_begin(void)
{
	static bool watches_forks;
	int err = tm_segment_create(&tm_config);

	if (err)
		return err;
	if (!watches_forks)
		watches_forks = pthread_atfork(NULL, NULL, after_fork_in_child) == 0;
	tm_nursery_forget();
	begin_tables();
	tm_put(&state, ON);
	tm_segment_announce();
	return 0;
}

static void begin_child(void)
{
	int err = tm_segment_create(&tm_config);

	if (err) {
		tm_put(&state, FROZEN);
		tm_say("no recording for this forked process: %s", tm_segment_reason(err));
		return;
	}
	begin_tables();
	tm_segment_unmap(parent_base);
	parent_base = NULL;
	tm_signals_make_timer();
	tm_put(&state, ON);
	tm_nursery_start();
	tm_segment_announce();
}

bool tm_recorder_awake(void)
{
	int expected = CHILD;
	int saved;

	if (likely(tm_get(&state) == ON))
		return true;
	if (tm_get(&state) != CHILD || !atomic_compare_exchange_strong(&state, &expected, FROZEN))
		return false;
	saved = errno;
	begin_child();
	errno = saved;
	return tm_get(&state) == ON;
}

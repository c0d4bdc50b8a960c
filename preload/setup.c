/*
 * The audit hook tells how far the interpreter's start has come.  The first event finds the
 * built-in types ready; from the first one after initialization on, Python code can run; a
 * cpython.run_* event means that the program proper begins; the last ones come when it is over.
 *
 * After the start the hook is a comparison and a look whether a follow-up is overdue: where the
 * main thread stays in C code, as in programs that embed Python and serve requests in other
 * threads, an event of one of those is a place where Python code may run.
 */
#include "setup.h"

#include "cpython/cpython.h"
#include "cpython/free_lists.h"
#include "hook_collector.h"
#include "hook_tracer.h"
#include "intern.h"
#include "owner.h"
#include "stack.h"
#include "follow_up.h"
#include "nursery.h"
#include "marks.h"
#include "recorder.h"
#include "segment.h"
#include "signals.h"

#include <string.h>

static bool types_done, hooks_done, check_done;
static _Thread_local bool busy; /* what we call here may raise audit events itself */

static void *on_mark_signal(void *self, void *args)
{
	(void)self;
	(void)args;
	tm_hook_tracer_check();
	tm_follow_up_run();
	tm_python.incref(tm_python.none);
	return tm_python.none;
}

static struct tm_method_def definition = {"tidemark", on_mark_signal, TM_METH_VARARGS, NULL};

static void install_types(void)
{
	types_done = true;
	tm_intern_ready();
	if (tm_python.family == TM_FAMILY_ALLOCATOR)
		tm_blind(tm_free_lists_patch());
	tm_nursery_start();
}

static void install_hooks(void)
{
	void *function = tm_python.new_function(&definition, NULL, NULL);

	hooks_done = true;
	if (!tm_hook_collector_install())
		tm_blind(TM_B_COLLECTOR);
	if (!function || !tm_signals_install(function))
		tm_blind(TM_B_EXECUTOR);
	if (function)
		tm_python.decref(function);
}

static void check_adapter(void)
{
	char why[TM_TEXT_MAX];
	int wrong = tm_python_check(why, sizeof(why));

	check_done = wrong >= 0;
	if (wrong == 0)
		tm_owner_start();
	if (wrong <= 0)
		return;
	tm_blind((enum tm_blind)wrong);
	tm_recorder_note(why);
	if (wrong == TM_B_STACKS)
		tm_stack_stop();
}

static bool begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* One step of the start; exceptions in flight are the program's and survive. */
static void step(const char *event)
{
	bool runs = begins_with(event, "cpython.run_");
	bool initialized = runs || tm_python.is_initialized();
	void *type, *value, *traceback;

	if (!tm_python_thread() || !tm_python_in_main())
		return;
	busy = true;
	tm_python.error_fetch(&type, &value, &traceback);
	if (!types_done)
		install_types();
	if (initialized && !hooks_done)
		install_hooks();
	if (initialized && !check_done)
		check_adapter();
	if (runs)
		tm_marks_program_begins();
	tm_python.error_restore(type, value, traceback);
	busy = false;
}

static void run_overdue(void)
{
	void *type, *value, *traceback;

	if (busy || !tm_recorder_is_on() || !tm_python_thread() || !tm_python_in_main() ||
	    tm_python.is_finalizing())
		return;
	busy = true;
	tm_python.error_fetch(&type, &value, &traceback);
	tm_hook_tracer_check();
	tm_follow_up_run();
	tm_python.error_restore(type, value, traceback);
	busy = false;
}

static int on_audit(const char *event, void *args, void *data)
{
	(void)args;
	(void)data;
	if (likely(check_done && event[0] != 'c')) {
		if (unlikely(hooks_done && tm_follow_up_overdue()))
			run_overdue();
		return 0;
	}
	if (!tm_recorder_is_on() || busy)
		return 0;
	if (begins_with(event, "cpython.PyInterpreterState_Clear")) {
		if (tm_python_in_main() && tm_python.is_finalizing())
			tm_marks_teardown();
	} else if (begins_with(event, "cpython.PyInterpreterState_New")) {
		/* Each but the first comes with a collector of its own, where that is not one for
		 * all, and with callbacks of its own. */
		if (hooks_done && !tm_python.adapter->gc.in_runtime)
			tm_blind(TM_B_INTERPRETERS);
	} else if (!check_done || begins_with(event, "cpython.run_")) {
		step(event);
	}
	return 0;
}

bool tm_setup_watch(void)
{
	types_done = hooks_done = check_done = false;
	return tm_python.add_audit_hook(on_audit, NULL) == 0;
}

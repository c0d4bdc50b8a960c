/*
 * How the recorder gets in.
 *
 * When CPython creates its GIL it calls the C library's pthread_mutex_init(), whatever way it was
 * built, linked or loaded; at that moment its allocators have been chosen and no object exists.
 * In every other process the interposed function asks one cheap question per image that calls
 * it, and nothing else of this library ever runs.
 */
#include "cpython/cpython.h"
#include "figures.h"
#include "hook_alloc.h"
#include "hook_tracer.h"
#include "stack.h"
#include "nursery.h"
#include "marks.h"
#include "recorder.h"
#include "say.h"
#include "segment.h"
#include "setup.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc.h"

typedef int (*mutex_init)(pthread_mutex_t *, const pthread_mutexattr_t *);

#define IMAGES 16

static struct {
	uintptr_t start, end;
} others[IMAGES]; /* images known not to be CPython */
static _Atomic unsigned other_count;
static bool refused; /* decided once: this process is not recorded */

static mutex_init real_mutex_init(void)
{
	static mutex_init volatile found;

	if (!found) {
		void *address = dlsym(RTLD_NEXT, "pthread_mutex_init");

		memcpy((void *)(uintptr_t)&found, &address, sizeof(address));
	}
	return found;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The names a command goes by: the program's, argv[0]'s, and its script's or module's. */
static bool is_wanted(void)
{
	char command[4096], program[1024];
	size_t length = tm_proc_read("/proc/self/cmdline", command, sizeof(command) - 1);
	ssize_t linked = readlink("/proc/self/exe", program, sizeof(program) - 1);
	const char *names[4];
	unsigned count = 0;
	size_t at;

	command[length] = '\0';
	program[linked > 0 ? linked : 0] = '\0';
	names[count++] = base_name(program);
	names[count++] = base_name(command);
	at = strlen(command) + 1;
	while (at < length && command[at] == '-' && strcmp(command + at, "-m") != 0)
		at += strlen(command + at) + 1;
	if (at < length && strcmp(command + at, "-m") == 0)
		at += 3;
	if (at < length)
		names[count++] = base_name(command + at);
	names[count] = NULL;
	return tm_config_wants(&tm_config, names);
}

static bool prepare(const struct tm_image *image)
{
	char why[512];
	const char *text = getenv("TIDEMARK");
	bool understood = tm_config_parse(text, &tm_config, why, sizeof(why));
	int err;

	tm_say_to(tm_config.log);
	if (!understood) {
		tm_say("%s; running unrecorded", why);
		return false;
	}
	if (!is_wanted())
		return false;
	if (!tm_python_find(image, why, sizeof(why))) {
		if (*why)
			tm_say("%s; running unrecorded", why);
		return false;
	}
	err = tm_recorder_begin();
	if (err)
		tm_say("cannot make a recording (%s); running unrecorded", tm_segment_reason(err));
	return err == 0;
}

static void install(const struct tm_image *image)
{
	if (!prepare(image)) {
		refused = true;
		return;
	}
	tm_stack_start(tm_config.frames);
	tm_figures_install();
	if (!tm_hook_alloc_installed())
		tm_hook_alloc_install();
	if (tm_python.family == TM_FAMILY_TRACER && !tm_hook_tracer_install())
		tm_recorder_note("the reference tracer could not be set");
	if (!tm_setup_watch())
		tm_recorder_note("no audit hook: marks get no follow-up");
}

static bool in_others(uintptr_t address)
{
	unsigned count = atomic_load_explicit(&other_count, memory_order_acquire);

	for (unsigned i = 0; i < count && i < IMAGES; i++) {
		if (address >= others[i].start && address < others[i].end)
			return true;
	}
	return false;
}

static void remember_other(const struct tm_image *image)
{
	unsigned at = atomic_load(&other_count);

	/* One writer a slot; past the last the question is simply asked again. */
	if (at >= IMAGES || !atomic_compare_exchange_strong(&other_count, &at, at + 1))
		return;
	others[at].end = image->end;
	others[at].start = image->start;
}

/*
 * A sub-interpreter with a GIL of its own makes the same call later (3.12 and newer; a forked
 * child, which has no recording yet, makes its GIL anew), when other tools may have wrapped the
 * allocators on top of us: only an interpreter that is not initialized counts.
 */
static void mutex_made_by(const void *caller)
{
	struct tm_image image;
	uintptr_t address = (uintptr_t)caller;

	if (refused || in_others(address))
		return;
	if (tm_python.handle && address >= tm_python.image.start && address < tm_python.image.end) {
		bool initialized = tm_python.is_initialized(), on = tm_recorder_is_on();

		if (!initialized && !on)
			install(&tm_python.image);
		else if (initialized && on && tm_python.adapter->own_gils)
			tm_nursery_forbid();
		return;
	}
	if (!tm_image_of(caller, &image))
		return;
	if (tm_image_exports(&image, "PyMem_SetAllocator"))
		install(&image);
	else
		remember_other(&image);
}

TM_EXPORT int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
	int saved = errno;

	mutex_made_by(__builtin_return_address(0));
	errno = saved;
	return real_mutex_init()(mutex, attributes);
}

TM_EXPORT void _exit(int status)
{
	tm_marks_process_ends();
	for (;;)
		syscall(SYS_exit_group, status);
}

TM_EXPORT void _Exit(int status)
{
	_exit(status);
}

/*
 * exec(): the program ends here, unless the call fails.  Nothing is recorded in between; a new
 * Python begins a recording of its own.
 */
#define EXEC(name, arguments, call)                                                                \
	TM_EXPORT int name arguments                                                               \
	{                                                                                          \
		static int(*volatile real) arguments;                                              \
		bool replaced = tm_marks_replaced(true);                                           \
		int result;                                                                        \
                                                                                                   \
		if (!real) {                                                                       \
			void *address = dlsym(RTLD_NEXT, #name);                                   \
                                                                                                   \
			memcpy((void *)(uintptr_t)&real, &address, sizeof(address));               \
		}                                                                                  \
		result = real call;                                                                \
		if (replaced)                                                                      \
			tm_marks_replaced(false);                                                  \
		return result;                                                                     \
	}

EXEC(execve, (const char *path, char *const *argv, char *const *envp), (path, argv, envp))
EXEC(execv, (const char *path, char *const *argv), (path, argv))
EXEC(fexecve, (int fd, char *const *argv, char *const *envp), (fd, argv, envp))

__attribute__((destructor)) static void process_ends(void)
{
	tm_marks_teardown();
}

/*
 * A program may limit its own address space when it runs, and would find most of the limit taken
 * by the recording's mapping, which is as long as the file may ever get.  So the mapping gives way
 * before the limit is set.  (A limit from before the start is looked at when the file is made.)
 */
#include "recorder.h"
#include "segment.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void give_way(__rlimit_resource_t resource, const struct rlimit *limits)
{
	int saved = errno;

	/* Between vfork() and exec() the memory is the parent's, and the limit is not. */
	if (resource == RLIMIT_AS && limits && limits->rlim_cur != RLIM_INFINITY &&
	    tm_recorder_is_on())
		tm_segment_yield(limits->rlim_cur);
	errno = saved;
}

#define SETRLIMIT(name, limit_type)                                                                \
	TM_EXPORT int name(__rlimit_resource_t resource, const struct limit_type *limits)          \
	{                                                                                          \
		static int (*volatile real)(__rlimit_resource_t, const struct limit_type *);       \
                                                                                                   \
		if (!real) {                                                                       \
			void *address = dlsym(RTLD_NEXT, #name);                                   \
                                                                                                   \
			memcpy((void *)(uintptr_t)&real, &address, sizeof(address));               \
		}                                                                                  \
		give_way(resource, (const struct rlimit *)limits);                                 \
		return real(resource, limits);                                                     \
	}

#define PRLIMIT(name, limit_type)                                                                  \
	TM_EXPORT int name(pid_t pid, __rlimit_resource_t resource,                                \
			   const struct limit_type *limits, struct limit_type *old)                \
	{                                                                                          \
		static int (*volatile real)(pid_t, __rlimit_resource_t, const struct limit_type *, \
					    struct limit_type *);                                  \
                                                                                                   \
		if (!real) {                                                                       \
			void *address = dlsym(RTLD_NEXT, #name);                                   \
                                                                                                   \
			memcpy((void *)(uintptr_t)&real, &address, sizeof(address));               \
		}                                                                                  \
		if (pid == 0 || pid == getpid())                                                   \
			give_way(resource, (const struct rlimit *)limits);                         \
		return real(pid, resource, limits, old);                                           \
	}

_Static_assert(sizeof(struct rlimit) == sizeof(struct rlimit64), "one layout for both names");

SETRLIMIT(setrlimit, rlimit)
SETRLIMIT(setrlimit64, rlimit64)
PRLIMIT(prlimit, rlimit)
PRLIMIT(prlimit64, rlimit64)

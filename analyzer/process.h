/*
 * process.h - what /proc says about processes
 *
 * Pids are those of the analyzer's own pid namespace unless said otherwise.  Nothing
 * here is cached: a process may be gone, or its pid reused, one call later.
 */
#ifndef TM_PROCESS_H
#define TM_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Parts of /proc/PID/stat. */
struct tm_process_stat {
	char name[64]; /* command name, any bytes */
	char state;    /* R, S, D, T, t, Z, ... */
	pid_t parent;
	uint64_t start_ticks; /* clock ticks since boot: with the pid, names a process for good */
};

/* Returns 0, or -ESRCH (no such process) or another -errno. */
int tm_process_stat(pid_t pid, struct tm_process_stat *out);

/* A thread of it; @tid as in /proc/PID/task. */
int tm_process_thread_stat(pid_t pid, pid_t tid, struct tm_process_stat *out);

/* There is such a process, and it is no zombie. */
bool tm_process_alive(pid_t pid);

/* The pid it has in its own, innermost pid namespace; @pid itself when unknown. */
pid_t tm_process_inner_pid(pid_t pid);

/* What a process does with a signal. */
enum tm_process_signal {
	TM_SIGNAL_UNKNOWN, /* /proc does not say */
	TM_SIGNAL_DEFAULT, /* the default: a real-time signal ends the process */
	TM_SIGNAL_IGNORED,
	TM_SIGNAL_HANDLED,
};
enum tm_process_signal tm_process_signal(pid_t pid, int number);

/* Does this thread block the signal? */
bool tm_process_thread_blocks(pid_t pid, pid_t tid, int number);

/* Threads, ascending.  Returns how many (0 when gone); release *tids with free(). */
size_t tm_process_threads(pid_t pid, pid_t **tids);

/* All processes, ascending.  Release with free(). */
size_t tm_process_list(pid_t **pids);

/* The id of this boot of the machine; false when the system does not tell. */
bool tm_process_boot_id(uint8_t out[16]);

/*
 * Inode of our own pid namespace; 0 when unknown.  In the first one of the machine every
 * process can be seen.
 */
uint64_t tm_process_pid_namespace(void);
#define TM_FIRST_PID_NAMESPACE 0xeffffffcull

/* Effective user of the process; -errno when gone. */
int tm_process_user(pid_t pid, uid_t *out);

/* A recording that a process has mapped. */
struct tm_process_mapping {
	char *path; /* as the process sees it, without " (deleted)" */
	uint64_t inode;
	uint64_t start, end; /* addresses, for /proc/PID/map_files */
	bool deleted;
};

/*
 * The recordings mapped into a process, each file once (maps lines of one file follow each
 * other).  Returns their number, or -EACCES, -ESRCH or another -errno.  Release with
 * tm_process_mappings_free().
 */
ssize_t tm_process_mappings(pid_t pid, struct tm_process_mapping **out);
void tm_process_mappings_free(struct tm_process_mapping *mappings, size_t count);

/* Does it have libtidemark.so mapped? */
bool tm_process_preloaded(pid_t pid);

/* Does it look like a CPython (by its program or a mapped library)? */
bool tm_process_is_python(pid_t pid);

/*
 * What of it is resident now, in bytes, and what of that are recordings that it has mapped.
 * Returns 0, or -EACCES, -ESRCH or another -errno.
 */
int tm_process_memory(pid_t pid, uint64_t *resident, uint64_t *recording);

/* Is the base name of @path that of a recording? */
bool tm_process_is_recording_name(const char *path);

#endif

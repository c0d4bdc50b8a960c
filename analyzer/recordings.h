/*
 * recordings.h - where recordings are: mapped by processes, and lying in directories
 */
#ifndef TM_RECORDINGS_H
#define TM_RECORDINGS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A file that is named like a recording. */
struct tm_recording {
	char *path;	    /* as it can be opened from here, most of the time */
	pid_t mapped_by;    /* process that has it mapped; 0 = found in a directory */
	uint64_t map_start; /* addresses of that mapping, 0 without one */
	uint64_t map_end;
	uint64_t inode;
};

struct tm_recordings {
	struct tm_recording *list;
	size_t count, capacity;
};

/*
 * Adds what process @pid has mapped.  Its path is the process's own where that leads to
 * the same file from here, else through /proc/PID/root (containers).  Returns 0, or
 * -EACCES, -ESRCH or another -errno.
 */
int tm_recordings_add_mapped(struct tm_recordings *recordings, pid_t pid);

/*
 * Adds the files in the places the recorder uses: dir= of $TIDEMARK, /dev/shm, $TMPDIR,
 * /tmp.  @pid limits them to names with that number; 0 = all.
 */
void tm_recordings_add_places(struct tm_recordings *recordings, pid_t pid);

void tm_recordings_free(struct tm_recordings *recordings);

/*
 * tm_recordings_open - open one for reading without being led elsewhere
 *
 * A link in place of the file is refused, a path through /proc/PID/root stays inside that
 * root, and a file that was deleted is opened through its mapping.  Returns a descriptor
 * or -errno (-ELOOP: a symbolic link).
 */
int tm_recordings_open(const struct tm_recording *recording);

/* The same for a path that was named by the user. */
int tm_recordings_open_path(const char *path);

#endif

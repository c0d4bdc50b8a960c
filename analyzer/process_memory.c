/*
 * process_memory.c - /proc/PID/smaps: what of a process is resident
 *
 * The same sum as smaps_rollup has, but with that of the recordings told apart.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process.h"

/* `start-end perms offset dev inode path`: gives the path, "" for none; NULL = another line. */
static char *mapping_path(char *line)
{
	uint64_t start, end, inode;
	int at = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %" SCNu64 " %n", &start, &end, &inode,
		   &at) != 3 ||
	    at == 0)
		return NULL;
	return line + at;
}

static bool is_recording(char *path)
{
	char *deleted = strstr(path, " (deleted)");

	if (deleted != NULL)
		*deleted = '\0';
	return tm_process_is_recording_name(path);
}

int tm_process_memory(pid_t pid, uint64_t *resident, uint64_t *recording)
{
	char path[64], *line = NULL, *mapping;
	bool ours = false;
	uint64_t kilobytes;
	size_t size = 0;
	int error;
	FILE *smaps;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	smaps = fopen(path, "re");
	if (smaps == NULL)
		return errno == ENOENT ? -ESRCH : -errno;
	*resident = *recording = 0;
	errno = 0;
	while (getline(&line, &size, smaps) > 0) {
		if (sscanf(line, "Rss: %" SCNu64 " kB", &kilobytes) == 1) {
			*resident += kilobytes * 1024;
			*recording += ours ? kilobytes * 1024 : 0;
		} else if ((mapping = mapping_path(line)) != NULL) {
			ours = is_recording(mapping);
		}
	}
	/* a process without any memory is gone */
	error = ferror(smaps) ? -errno : *resident == 0 ? -ESRCH : 0;
	free(line);
	fclose(smaps);
	return error;
}

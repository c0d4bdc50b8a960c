#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "process.h"
#include "waiting.h"

static bool all_threads_block(pid_t pid, int number)
{
	pid_t *tids;
	size_t count = tm_process_threads(pid, &tids);
	bool all = count > 0;

	for (size_t i = 0; i < count && all; i++)
		all = tm_process_thread_blocks(pid, tids[i], number);
	free(tids);
	return all;
}

/* A thread other than the main one that is on a processor now; 0 = none. */
static pid_t running_thread(pid_t pid)
{
	struct tm_process_stat stat;
	pid_t *tids, found = 0;
	size_t count = tm_process_threads(pid, &tids);

	for (size_t i = 0; i < count && found == 0; i++)
		if (tids[i] != pid && tm_process_thread_stat(pid, tids[i], &stat) == 0 &&
		    stat.state == 'R')
			found = tids[i];
	free(tids);
	return found;
}

/* The kernel function the main thread sleeps in, where the kernel tells. */
static char *kernel_function(pid_t pid)
{
	char path[64], name[80] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/wchan", pid);
	file = fopen(path, "re");
	if (file != NULL) {
		if (fgets(name, sizeof(name), file) == NULL)
			name[0] = '\0';
		fclose(file);
	}
	name[strcspn(name, "\n")] = '\0';
	if (name[0] == '\0' || strcmp(name, "0") == 0)
		return tm_mem_string("");
	return tm_mem_format(" (%s)", name);
}

/* The follow-up runs in the main thread, between two bytecodes. */
static char *main_thread_reason(pid_t pid, char state)
{
	pid_t other = running_thread(pid);
	char *function, *text;

	if (state == 'R')
		return tm_mem_string("the main thread is busy in C code");
	if (other != 0)
		return tm_mem_format("the main thread waits for thread %d, which keeps running",
				     other);
	function = kernel_function(pid);
	text = tm_mem_format("the main thread sleeps in C code%s", function);
	free(function);
	return text;
}

char *tm_waiting_reason(const struct tm_target *target, bool taken)
{
	int number = (int)tm_reader_header(target->reader)->signal;
	struct tm_process_stat stat;

	if (tm_process_stat(target->pid, &stat) != 0)
		return tm_mem_string("the process has ended");
	if (stat.state == 'T' || stat.state == 't')
		return tm_mem_string("the process is stopped (SIGSTOP or a debugger)");
	if (stat.state == 'D')
		return tm_mem_string("the main thread is in an uninterruptible system call");
	if (taken)
		return main_thread_reason(target->pid, stat.state);
	if (all_threads_block(target->pid, number))
		return tm_mem_format("every thread blocks signal %d", number);
	return tm_mem_string("the signal is on its way");
}

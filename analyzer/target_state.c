/*
 * target_state.c - which process a recording is of, and what became of it
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "process.h"
#include "target_private.h"

static bool same_boot(const struct tm_header *header)
{
	uint8_t boot[16];

	return tm_process_boot_id(boot) && memcmp(boot, header->boot_id, sizeof(boot)) == 0;
}

static bool maps_inode(const struct tm_process_mapping *mappings, size_t count, uint64_t inode)
{
	for (size_t i = 0; i < count; i++)
		if (mappings[i].inode == inode)
			return true;
	return false;
}

bool tm_target_is_recorded_by(const struct tm_target *target, pid_t pid)
{
	const struct tm_header *header = tm_reader_header(target->reader);
	struct tm_process_mapping *mappings;
	struct tm_process_stat process;
	struct stat file;
	ssize_t count;
	bool mapped;

	if (tm_process_stat(pid, &process) != 0 || !tm_process_alive(pid))
		return false;
	/* A forked child inherits the mapping; its pid is another. */
	if (tm_process_inner_pid(pid) != (pid_t)header->pid)
		return false;
	if (fstat(tm_reader_fd(target->reader), &file) != 0)
		return false;
	count = tm_process_mappings(pid, &mappings);
	/* Not permitted to look: the pair of pid and start is what tells processes apart. */
	if (count < 0)
		return process.start_ticks == header->start_ticks;
	mapped = maps_inode(mappings, (size_t)count, file.st_ino);
	tm_process_mappings_free(mappings, (size_t)count);
	return mapped;
}

/* The process by the number in the header, or (other pid namespaces) by looking at all. */
static pid_t find_recorded(const struct tm_target *target, pid_t likely)
{
	pid_t own = (pid_t)tm_reader_header(target->reader)->pid;
	pid_t *pids, found = 0;
	size_t count;

	if (likely > 0 && tm_target_is_recorded_by(target, likely))
		return likely;
	if (own > 0 && own != likely && tm_target_is_recorded_by(target, own))
		return own;
	count = tm_process_list(&pids);
	for (size_t i = 0; i < count && found == 0; i++)
		if (tm_process_inner_pid(pids[i]) == own && pids[i] != own &&
		    tm_target_is_recorded_by(target, pids[i]))
			found = pids[i];
	free(pids);
	return found;
}

static bool is_our_number(const struct tm_header *header)
{
	return header->pid_namespace == 0 || header->pid_namespace == tm_process_pid_namespace();
}

/* exec() ends a recording without a word: the process lives on and maps it no more. */
static bool was_replaced(const struct tm_header *header)
{
	struct tm_process_stat process;

	if (!is_our_number(header))
		return false;
	return tm_process_stat((pid_t)header->pid, &process) == 0 &&
	       process.start_ticks == header->start_ticks && process.state != 'Z';
}

void tm_target_find_process(struct tm_target *target, pid_t likely)
{
	const struct tm_header *header = tm_reader_header(target->reader);

	target->pid = 0;
	if (header->saved) {
		target->state = TM_TARGET_SAVED;
		return;
	}
	/* An exit mark is set a moment before the process is gone. */
	if (header->state == TM_PS_EXITED) {
		target->state = TM_TARGET_EXITED;
		return;
	}
	if (!same_boot(header)) {
		target->state = TM_TARGET_KILLED;
		return;
	}
	target->pid = find_recorded(target, likely);
	if (target->pid != 0)
		target->state = TM_TARGET_LIVE;
	else
		target->state = was_replaced(header) ? TM_TARGET_EXITED : TM_TARGET_KILLED;
}

bool tm_target_is_finished(const struct tm_target *target)
{
	const struct tm_header *header = tm_reader_header(target->reader);

	if (target->state == TM_TARGET_LIVE)
		return false;
	if (target->state != TM_TARGET_KILLED || !same_boot(header) || is_our_number(header))
		return true;
	return tm_process_pid_namespace() == TM_FIRST_PID_NAMESPACE;
}

enum tm_target_state tm_target_refresh(struct tm_target *target)
{
	/* When the file has become unreadable, the header of before still names the process. */
	(void)tm_reader_reload(target->reader);
	tm_target_find_process(target, target->pid);
	return target->state;
}

const char *tm_target_state_name(enum tm_target_state state)
{
	static const char *const names[] = {
		[TM_TARGET_LIVE] = "live",
		[TM_TARGET_EXITED] = "exited",
		[TM_TARGET_KILLED] = "killed",
		[TM_TARGET_SAVED] = "saved",
	};

	return names[state];
}

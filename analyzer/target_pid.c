/*
 * target_pid.c - the recording of a process, by its pid
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "process.h"
#include "target_private.h"

/* A search under way. */
struct search {
	pid_t pid;
	struct tm_target *best;
	struct tm_target_refusal refusal; /* of the last recording that could not be opened */
	pid_t forked_from;		  /* a recording it inherited is of this process */
};

/* Of two recordings of one process the later is the one that counts: exec() begins a new. */
static void keep_newer(struct search *search, struct tm_target *target)
{
	if (search->best != NULL && tm_reader_header(search->best->reader)->time_ns >=
					    tm_reader_header(target->reader)->time_ns) {
		tm_target_close(target);
		return;
	}
	tm_target_close(search->best);
	search->best = target;
}

static void consider(struct search *search, const struct tm_recording *recording)
{
	struct tm_target *target;
	const struct tm_header *header;
	pid_t wanted = search->pid;
	int fd = tm_recordings_open(recording);

	if (fd < 0) {
		tm_target_explain_open(recording->path, fd, &search->refusal);
		return;
	}
	if (tm_target_adopt(fd, recording->path, &target, &search->refusal) != 0)
		return;
	header = tm_reader_header(target->reader);
	if (recording->mapped_by != 0)
		wanted = tm_process_inner_pid(recording->mapped_by);
	if ((pid_t)header->pid == wanted) {
		tm_target_find_process(target, search->pid);
		keep_newer(search, target);
		return;
	}
	search->forked_from = (pid_t)header->pid;
	tm_target_close(target);
}

static void consider_all(struct search *search, struct tm_recordings *recordings)
{
	for (size_t i = 0; i < recordings->count; i++)
		consider(search, &recordings->list[i]);
	tm_recordings_free(recordings);
}

static void explain_living(const struct search *search, const struct tm_process_stat *process,
			   int maps_error, struct tm_target_refusal *why)
{
	pid_t pid = search->pid;
	char who[96];

	snprintf(who, sizeof(who), "process %d (%s)", pid, process->name);
	if (search->refusal.status != 0)
		*why = search->refusal;
	else if (maps_error == -EACCES || maps_error == -EPERM)
		snprintf(why->text, sizeof(why->text),
			 "%s cannot be looked at, it is another user's or protected; run as that "
			 "user or "
			 "with more rights",
			 who);
	else if (search->forked_from != 0)
		snprintf(why->text, sizeof(why->text),
			 "%s was forked from %d and has no recording of its own yet; it begins "
			 "with its first new object",
			 who, search->forked_from);
	else if (process->state == 'Z')
		snprintf(why->text, sizeof(why->text),
			 "%s has ended and left no recording; tidemark ps lists what is recorded",
			 who);
	else if (!tm_process_is_python(pid))
		snprintf(why->text, sizeof(why->text),
			 "%s is no Python process; tidemark ps lists what is recorded", who);
	else if (tm_process_preloaded(pid))
		snprintf(why->text, sizeof(why->text),
			 "%s has libtidemark.so loaded but is not recorded; see what it said on "
			 "stderr when it started",
			 who);
	else
		snprintf(why->text, sizeof(why->text),
			 "%s is not recorded; start it with tidemark run", who);
}

static void explain_none(const struct search *search, int maps_error, struct tm_target_refusal *why)
{
	struct tm_process_stat process;

	why->status = TM_EXIT_USAGE;
	if (tm_process_stat(search->pid, &process) == 0)
		explain_living(search, &process, maps_error, why);
	else if (search->refusal.status != 0)
		*why = search->refusal;
	else
		snprintf(why->text, sizeof(why->text),
			 "no process %d, and no recording of one; tidemark ps lists what is "
			 "recorded",
			 search->pid);
}

/*
 * A finished recording by this number may be of an earlier process: to show it for the one
 * that has the number now would be a lie.
 */
static bool is_of_earlier_process(const struct tm_target *target, pid_t pid)
{
	const struct tm_header *header = tm_reader_header(target->reader);
	struct tm_process_stat process;

	if (target->state == TM_TARGET_LIVE || tm_process_stat(pid, &process) != 0)
		return false;
	return process.state != 'Z' && process.start_ticks != header->start_ticks;
}

int tm_target_open_pid(pid_t pid, struct tm_target **out, struct tm_target_refusal *why)
{
	struct search search = {.pid = pid};
	struct tm_recordings recordings = {0};
	int maps_error = tm_recordings_add_mapped(&recordings, pid);

	consider_all(&search, &recordings);
	if (search.best == NULL || search.best->state != TM_TARGET_LIVE) {
		tm_recordings_add_places(&recordings, pid);
		consider_all(&search, &recordings);
	}
	if (search.best == NULL) {
		explain_none(&search, maps_error, why);
		return -ENOENT;
	}
	if (is_of_earlier_process(search.best, pid)) {
		why->status = TM_EXIT_USAGE;
		snprintf(why->text, sizeof(why->text),
			 "process %d is not recorded; %s is of an earlier process of that number",
			 pid, search.best->path);
		tm_target_close(search.best);
		return -ENOENT;
	}
	*out = search.best;
	return 0;
}

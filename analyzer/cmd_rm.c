/*
 * cmd_rm.c - `tidemark rm`: remove recordings of finished processes
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "error.h"
#include "listing.h"
#include "mem.h"
#include "options.h"
#include "process.h"
#include "recordings.h"
#include "target.h"
#include "text.h"

/* A file without a header this old is none that a process is just making. */
#define STARTING_SECONDS 60

struct arguments {
	char **targets;
	size_t count, capacity;
	bool dead;
};

enum {
	KEY_DEAD = 1
};

static const struct argp_option options[] = {
	{"dead", KEY_DEAD, NULL, 0, "Remove the recordings of all finished processes", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case KEY_DEAD:
		arguments->dead = true;
		return 0;
	case ARGP_KEY_ARG:
		arguments->targets = tm_mem_grow(arguments->targets, arguments->count,
						 &arguments->capacity, sizeof(char *));
		arguments->targets[arguments->count++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (arguments->dead == (arguments->count > 0))
			tm_options_error(state, "needs either TARGETs or --dead");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* What was done so far. */
struct removal {
	uint64_t files;
	uint64_t bytes; /* of file space */
	int status;
};

static void remove_file(struct removal *removal, const char *path)
{
	struct stat stat = {0};

	(void)lstat(path, &stat);
	if (unlink(path) != 0) {
		tm_error("cannot remove %s: %s; remove it as its owner", path, strerror(errno));
		removal->status = TM_EXIT_USAGE;
		return;
	}
	removal->files++;
	removal->bytes += (uint64_t)stat.st_blocks * 512;
}

/*
 * Each exec() of a process made a recording; a pid means all of them.  The newest being
 * finished, so are the others, which have its start in their names and another number.
 */
static void remove_earlier(struct removal *removal, const struct tm_header *header)
{
	char *prefix = tm_mem_format(TM_FILE_PREFIX "%" PRIu32 ".%" PRIu64 ".", header->pid,
				     header->start_ticks);
	struct tm_recordings recordings = {0};

	tm_recordings_add_places(&recordings, (pid_t)header->pid);
	for (size_t i = 0; i < recordings.count; i++) {
		const char *name = strrchr(recordings.list[i].path, '/') + 1;

		if (strncmp(name, prefix, strlen(prefix)) == 0 &&
		    access(recordings.list[i].path, F_OK) == 0)
			remove_file(removal, recordings.list[i].path);
	}
	tm_recordings_free(&recordings);
	free(prefix);
}

static bool is_removable(const struct tm_target *target)
{
	int pid = (int)tm_reader_header(target->reader)->pid;

	if (target->state == TM_TARGET_SAVED)
		tm_error("%s is a saved copy, not a recording; remove it with rm", target->path);
	else if (target->state == TM_TARGET_LIVE)
		tm_error("process %d is still recorded; end it first, or save and read it live",
			 (int)target->pid);
	else if (!tm_target_is_finished(target))
		tm_error("process %d ran in another container, where it may still run; remove %s "
			 "from there",
			 pid, target->path);
	else
		return true;
	return false;
}

static void remove_named(struct removal *removal, const char *text)
{
	bool by_pid = text[strspn(text, "0123456789")] == '\0';
	struct tm_target *target;
	int status = tm_target_open(text, &target);

	if (status != TM_EXIT_OK) {
		removal->status = status;
		return;
	}
	if (!is_removable(target)) {
		removal->status = TM_EXIT_USAGE;
	} else {
		remove_file(removal, target->path);
		if (by_pid)
			remove_earlier(removal, tm_reader_header(target->reader));
	}
	tm_target_close(target);
}

/* Without a header only its name tells whose it was. */
static bool is_abandoned(const char *path)
{
	struct tm_process_stat process;
	struct stat stat;
	uint64_t ticks;
	int pid;

	if (lstat(path, &stat) != 0 || time(NULL) - stat.st_mtime < STARTING_SECONDS)
		return false;
	if (sscanf(strrchr(path, '/') + 1, TM_FILE_PREFIX "%d.%" SCNu64 ".", &pid, &ticks) != 2)
		return false;
	return tm_process_stat(pid, &process) != 0 || process.start_ticks != ticks;
}

static void remove_dead(struct removal *removal)
{
	struct tm_listing listing;

	/* Not those mapped elsewhere: that somebody maps them is why they are known. */
	tm_listing_make(&listing, false);
	for (size_t i = 0; i < listing.count; i++)
		if (listing.targets[i]->state != TM_TARGET_SAVED &&
		    tm_target_is_finished(listing.targets[i]))
			remove_file(removal, listing.targets[i]->path);
	for (size_t i = 0; i < listing.broken_count; i++)
		if (is_abandoned(listing.broken[i]))
			remove_file(removal, listing.broken[i]);
	tm_listing_free(&listing);
}

static int run(int argc, char **argv)
{
	struct arguments arguments = {0};
	struct removal removal = {.status = TM_EXIT_OK};
	char size[TM_TEXT_NUMBER], *files;

	tm_options_parse(&tm_cmd_rm, argc, argv, &arguments);
	if (arguments.dead)
		remove_dead(&removal);
	for (size_t i = 0; i < arguments.count; i++)
		remove_named(&removal, arguments.targets[i]);
	if (removal.files > 0 || arguments.dead) {
		files = tm_text_plural(removal.files, "recording", "recordings");
		printf("removed %s, %s\n", files, tm_text_bytes(size, removal.bytes));
		free(files);
	}
	free(arguments.targets);
	return removal.status;
}

const struct tm_command tm_cmd_rm = {
	.name = "rm",
	.args = "TARGET...\n--dead",
	.summary = "Remove recordings of finished processes",
	.notes = "A pid stands for every recording of that process (exec() begins a new one).  "
		 "Recordings of running processes are kept.  --dead looks in dir= of TIDEMARK, "
		 "/dev/shm, TMPDIR and /tmp.",
	.options = options,
	.parse = parse,
	.run = run,
};

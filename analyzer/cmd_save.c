/*
 * cmd_save.c - `tidemark save`: one file with everything the reports need
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "command.h"
#include "error.h"
#include "mailbox.h"
#include "mem.h"
#include "options.h"
#include "saver.h"
#include "target.h"
#include "text.h"

/* For types that only the process itself can resolve; a sleeping one answers at once. */
#define FOLLOW_UP_MS 1000

struct arguments {
	const char *target;
	const char *file;
	bool force;
};

static const struct argp_option options[] = {
	{"force", 'f', NULL, 0, "Replace FILE if it is there", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'f':
		arguments->force = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 1)
			return ARGP_ERR_UNKNOWN;
		*(state->arg_num == 0 ? &arguments->target : &arguments->file) = arg;
		return 0;
	case ARGP_KEY_END:
		if (arguments->file == NULL)
			tm_options_error(state, "needs a TARGET and a FILE");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The unfinished copy, for the signal handler; NULL = there is none. */
static char *volatile unfinished;

static void remove_unfinished(int number)
{
	if (unfinished != NULL)
		unlink(unfinished);
	signal(number, SIG_DFL);
	raise(number);
}

static void guard_unfinished(void)
{
	static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	struct sigaction action = {.sa_handler = remove_unfinished}, old;

	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		if (sigaction(deadly[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(deadly[i], &action, NULL);
	/* A limit on file sizes is an error to report like any other. */
	signal(SIGXFSZ, SIG_IGN);
}

static int fail_to_write(const char *path, int error)
{
	const char *what = error == ENOSPC || error == EDQUOT ? "make room or name another place"
							      : "name another file";

	tm_error("cannot write %s: %s; %s", path, strerror(error), what);
	return TM_EXIT_USAGE;
}

/* Also what rename() would find out after all the work. */
static int check_file(const struct tm_target *target, const struct arguments *arguments)
{
	struct stat source, file;

	if (lstat(arguments->file, &file) != 0)
		return errno == ENOENT ? TM_EXIT_OK : fail_to_write(arguments->file, errno);
	if (S_ISDIR(file.st_mode))
		return fail_to_write(arguments->file, EISDIR);
	if (!arguments->force) {
		tm_error("%s is there already; name another file, or add --force", arguments->file);
		return TM_EXIT_USAGE;
	}
	if (fstat(tm_reader_fd(target->reader), &source) == 0 && source.st_dev == file.st_dev &&
	    source.st_ino == file.st_ino) {
		tm_error("%s is the recording itself; name another file", arguments->file);
		return TM_EXIT_USAGE;
	}
	return TM_EXIT_OK;
}

static int explain(const struct tm_saver_result *result, const char *path,
		   const struct tm_target *target)
{
	switch (result->failure) {
	case TM_SAVER_WRITE:
		return fail_to_write(path, result->errno_value);
	case TM_SAVER_DAMAGED:
		tm_error("%s is damaged: %s; copy the file itself to keep what is left",
			 target->path, result->text);
		return TM_EXIT_DAMAGED;
	case TM_SAVER_TOO_FAST:
		tm_error("process %d frees objects faster than they can be copied; try again when "
			 "it is less busy",
			 (int)target->pid);
		return TM_EXIT_USAGE;
	case TM_SAVER_OK:
	default:
		return TM_EXIT_OK;
	}
}

/* Under its final name in one step.  Without --force never over a file made meanwhile. */
static int publish(const char *from, const char *to, bool force)
{
	if (force)
		return rename(from, to) == 0 ? 0 : errno;
	if (syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return errno;
	/* A file system without that: a link cannot replace either. */
	if (link(from, to) != 0)
		return errno;
	unlink(from);
	return 0;
}

static int write_copy(const struct tm_target *target, const struct arguments *arguments, int fd,
		      const char *temporary, uint64_t *bytes)
{
	struct tm_saver_result result;
	int status, error;

	tm_saver_write(target->reader, fd, &result);
	status = explain(&result, arguments->file, target);
	if (status != TM_EXIT_OK)
		return status;
	error = publish(temporary, arguments->file, arguments->force);
	if (error != 0)
		return fail_to_write(arguments->file, error);
	*bytes = result.bytes;
	return TM_EXIT_OK;
}

static void print_saved(const struct tm_target *target, const char *file, uint64_t bytes)
{
	char size[TM_TEXT_NUMBER];

	printf("saved process %u to ", tm_reader_header(target->reader)->pid);
	tm_text_put(stdout, file, strlen(file));
	printf(", %s\n", tm_text_bytes(size, bytes));
}

static int save(const struct tm_target *target, const struct arguments *arguments)
{
	int status = check_file(target, arguments), fd;
	uint64_t bytes = 0;
	char *temporary;

	if (status != TM_EXIT_OK)
		return status;
	if (target->state == TM_TARGET_LIVE &&
	    tm_mailbox_follow_up_tells(tm_reader_header(target->reader)))
		/* What stays pending is a group of the reports with a note of its own. */
		(void)tm_mailbox_follow_up(target, FOLLOW_UP_MS);
	guard_unfinished();
	temporary = tm_mem_format("%s.XXXXXX", arguments->file);
	unfinished = temporary;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		unfinished = NULL;
		status = fail_to_write(arguments->file, errno);
		free(temporary);
		return status;
	}
	status = write_copy(target, arguments, fd, temporary, &bytes);
	if (status != TM_EXIT_OK)
		unlink(temporary);
	unfinished = NULL;
	close(fd);
	free(temporary);
	if (status == TM_EXIT_OK)
		print_saved(target, arguments->file, bytes);
	return status;
}

static int run(int argc, char **argv)
{
	struct arguments arguments = {0};
	struct tm_target *target;
	int status;

	tm_options_parse(&tm_cmd_save, argc, argv, &arguments);
	status = tm_target_open(arguments.target, &target);
	if (status != TM_EXIT_OK)
		return status;
	status = save(target, &arguments);
	tm_target_close(target);
	return status;
}

const struct tm_command tm_cmd_save = {
	.name = "save",
	.args = "TARGET FILE",
	.summary = "Save a recording to one file that every command reads, on any machine",
	.notes = "FILE appears when it is complete, readable by its owner only.  Of a running "
		 "process "
		 "it shows what a report would show now; the process is not stopped.",
	.options = options,
	.parse = parse,
	.run = run,
};

/*
 * cmd_run.c - `tidemark run`: start a program with the recorder in it
 */
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "command.h"
#include "error.h"
#include "mem.h"
#include "options.h"
#include "recordings.h"
#include "settings.h"
#include "target.h"

#define LIBRARY "libtidemark.so"

struct arguments {
	char *settings; /* of all -o, merged */
	bool diff;
	const char *output; /* for the report; NULL = standard output */
	char **command;	    /* NULL-terminated */
};

static const struct argp_option options[] = {
	{"option", 'o', "KEY=VAL", 0,
	 "Set what TIDEMARK=KEY=VAL would (repeatable); it goes before what is in the environment",
	 0},
	{"diff", 'd', NULL, 0,
	 "Wait for the end, then print what was created since the start and is still there", 0},
	{"output", 'O', "FILE", 0, "Write that report to FILE", 0},
	{0},
};

static void add_setting(const struct argp_state *state, struct arguments *arguments,
			const char *pairs)
{
	char *why = tm_settings_check_all(pairs);
	char *merged;

	if (why != NULL)
		tm_options_error(state, "-o %s: %s", pairs, why);
	merged = tm_settings_merge(arguments->settings, pairs);
	free(arguments->settings);
	arguments->settings = merged;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'o':
		add_setting(state, arguments, arg);
		return 0;
	case 'd':
		arguments->diff = true;
		return 0;
	case 'O':
		arguments->output = arg;
		return 0;
	case ARGP_KEY_ARG:
		/* The program's own options are its own. */
		arguments->command = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		if (arguments->command == NULL)
			tm_options_error(state, "no command given");
		if (arguments->output != NULL && !arguments->diff)
			tm_options_error(state, "--output is for the report of --diff; add --diff");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The library beside this program, or where `make install` puts it; NULL = neither. */
static char *find_library(void)
{
	static const char *const places[] = {"", "/../lib/tidemark"};
	char self[PATH_MAX], *library = NULL;
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *directory;

	if (length < 0)
		return NULL;
	self[length] = '\0';
	directory = dirname(self);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && library == NULL; i++) {
		char *path = tm_mem_format("%s%s/" LIBRARY, directory, places[i]);

		library = realpath(path, NULL);
		free(path);
	}
	return library;
}

/* Returns an exit status. */
static int set_environment(const struct arguments *arguments)
{
	char *library = find_library(), *preload, *settings;

	if (library == NULL) {
		tm_error("cannot find " LIBRARY " beside tidemark or in ../lib/tidemark; run make, "
			 "or make install");
		return TM_EXIT_USAGE;
	}
	/* LD_PRELOAD has no way to quote. */
	if (strpbrk(library, ": ") != NULL) {
		tm_error("%s cannot be preloaded: its path holds a space or a colon; install it "
			 "elsewhere",
			 library);
		return TM_EXIT_USAGE;
	}
	/* What the environment says is the recorder's to judge: it then runs the program as it is.
	 */
	settings = tm_settings_merge(getenv("TIDEMARK"), arguments->settings);
	preload = tm_settings_preload(library, getenv("LD_PRELOAD"));
	setenv("LD_PRELOAD", preload, 1);
	if (*settings != '\0')
		setenv("TIDEMARK", settings, 1);
	free(preload);
	free(settings);
	free(library);
	return TM_EXIT_OK;
}

/*
 * The last recording of the process: with exec() it may have made several.  Their names
 * carry its pid, when it started, and a number.  NULL = none.
 */
static char *recording_of(const struct tm_child *child)
{
	struct tm_recordings recordings = {0};
	char *found = NULL;
	unsigned newest = 0;

	tm_recordings_add_places(&recordings, child->pid);
	for (size_t i = 0; i < recordings.count; i++) {
		const char *path = recordings.list[i].path;
		unsigned number = 0;
		uint64_t ticks = 0;

		if (sscanf(strrchr(path, '/') + 1, "tidemark.%*d.%" SCNu64 ".%u.rec", &ticks,
			   &number) != 2 ||
		    ticks != child->start_ticks || (found != NULL && number < newest))
			continue;
		newest = number;
		free(found);
		found = tm_mem_string(path);
	}
	tm_recordings_free(&recordings);
	return found;
}

static void report(const struct tm_child *child, const char *name)
{
	char *path = recording_of(child);
	char command[] = "diff", from[] = "start";
	char *words[] = {command, path, from, NULL};

	if (path == NULL) {
		tm_error("%s (process %d) left no recording: it is no Python program, or said why "
			 "above; tidemark ps lists those of its children",
			 name, (int)child->pid);
		return;
	}
	(void)tm_cmd_diff.run(3, words);
	free(path);
}

/* What is under way in stdio belongs to where it was written. */
static int redirect_output(const char *path)
{
	fflush(stdout);
	if (freopen(path, "we", stdout) != NULL)
		return TM_EXIT_OK;
	tm_error("cannot write %s: %s; name another file", path, strerror(errno));
	return TM_EXIT_USAGE;
}

static int check_output(const char *path)
{
	FILE *file = fopen(path, "ae");

	/* Before the program runs for an hour. */
	if (file == NULL) {
		tm_error("cannot write %s: %s; name another file", path, strerror(errno));
		return TM_EXIT_USAGE;
	}
	fclose(file);
	return TM_EXIT_OK;
}

static int run_and_report(const struct arguments *arguments)
{
	struct tm_child child;
	int error;

	if (arguments->output != NULL && check_output(arguments->output) != TM_EXIT_OK)
		return TM_EXIT_USAGE;
	error = tm_child_run(arguments->command, &child);
	if (error != 0) {
		tm_error("cannot start a process: %s; try again", strerror(-error));
		return TM_CHILD_CANNOT_RUN;
	}
	/* The exec failed, and that was said. */
	if (child.start_ticks == 0)
		return child.status;
	if (arguments->output == NULL || redirect_output(arguments->output) == TM_EXIT_OK)
		report(&child, arguments->command[0]);
	return child.status;
}

static int run(int argc, char **argv)
{
	struct arguments arguments = {0};
	int status;

	tm_options_parse_in_order(&tm_cmd_run, argc, argv, &arguments);
	status = set_environment(&arguments);
	free(arguments.settings);
	if (status != TM_EXIT_OK)
		return status;
	return arguments.diff ? run_and_report(&arguments) : tm_child_exec(arguments.command);
}

const struct tm_command tm_cmd_run = {
	.name = "run",
	.args = "[--] COMMAND [ARGUMENT...]",
	.summary = "Start a program with the recorder in it",
	.notes = "Sets LD_PRELOAD (keeping what is there) and TIDEMARK, then executes COMMAND.  "
		 "Keys "
		 "of -o: signal=NUMBER, collect=full|none, frames=NUMBER, dir=PATH, max=BYTES, "
		 "include=GLOBS, exclude=GLOBS, keep=NUMBER, log=stderr|none|PATH.\n\n"
		 "The exit status is COMMAND's own; with --diff 128 plus the signal's number when "
		 "one ended it.  127: COMMAND was not found; 126: it "
		 "cannot be run; 2: tidemark's own options are wrong.",
	.options = options,
	.parse = parse,
	.run = run,
};

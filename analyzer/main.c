/*
 * main.c - `tidemark COMMAND ...`
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tidemark/layout.h>

#include "command.h"
#include "error.h"
#include "mem.h"
#include "text.h"

static void list_commands(void)
{
	for (unsigned i = 0; tm_command_at(i) != NULL; i++)
		printf("  %-8s %s\n", tm_command_at(i)->name, tm_command_at(i)->summary);
}

static int show_help(void)
{
	puts("Usage: tidemark COMMAND [ARGUMENT...]\n"
	     "Find what a running CPython process keeps.\n"
	     "\n"
	     "Commands:");
	list_commands();
	puts("\n"
	     "  tidemark run -- python3 app.py      record a program\n"
	     "  tidemark mark PID                   set a mark (or: kill -42 PID)\n"
	     "  tidemark diff PID [FROM [TO]]       what was created since then and is still "
	     "there\n"
	     "\n"
	     "TARGET is a pid, a saved file, or the path of a recording.\n"
	     "`tidemark COMMAND --help` tells more.  --version gives the version.\n"
	     "\n"
	     "Exit status: 0 done; 1 a check asked for with --fail-if found more; 2 usage or no "
	     "such\n"
	     "target; 3 the recording is damaged or incomplete beyond use.");
	return TM_EXIT_OK;
}

static int show_version(void)
{
	printf("tidemark %s (recording layout %d.%d)\n", TIDEMARK_VERSION, TM_LAYOUT_MAJOR,
	       TM_LAYOUT_MINOR);
	return TM_EXIT_OK;
}

static int unknown_command(const char *name)
{
	const char *nearest = tm_command_nearest(name);

	if (*name == '-')
		tm_error("unknown option %s; see tidemark --help", name);
	else if (nearest != NULL)
		tm_error("unknown command '%s'; did you mean tidemark %s?", name, nearest);
	else
		tm_error("unknown command '%s'; see tidemark --help", name);
	return TM_EXIT_USAGE;
}

static int dispatch(int argc, char **argv)
{
	const struct tm_command *command;

	if (argc < 2) {
		tm_error("no command given; see tidemark --help");
		return TM_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
		return show_help();
	if (strcmp(argv[1], "--version") == 0)
		return show_version();
	command = tm_command_find(argv[1]);
	if (command == NULL)
		return unknown_command(argv[1]);
	return command->run(argc - 1, argv + 1);
}

/* A report that did not arrive whole is a failure; a reader that went away is none. */
static int finish_output(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (errno != EPIPE)
		tm_error("cannot write the output: %s; make room or write elsewhere",
			 strerror(errno));
	return status != TM_EXIT_OK || errno == EPIPE ? status : TM_EXIT_USAGE;
}

/*
 * A standard stream that is closed would be the next file opened, such as a recording, and what
 * is printed would go into it.  What takes its place can be neither read nor written, so that the
 * error is still told; and a program that is run finds the stream as closed as ever.
 */
static void occupy_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/", O_PATH | O_CLOEXEC) != fd)
			_exit(TM_EXIT_USAGE);
}

int main(int argc, char **argv)
{
	occupy_standard_streams();
	tm_text_init();
	return finish_output(dispatch(argc, argv));
}

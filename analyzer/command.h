/*
 * command.h - the table of commands
 *
 * One command a file: its options, its help and its function in a const struct
 * tm_command named tm_cmd_<name>, listed in command.c.
 */
#ifndef TM_COMMAND_H
#define TM_COMMAND_H

#include <argp.h>

struct tm_command {
	const char *name;
	const char *args;    /* "TARGET [FROM [TO]]", for the usage line */
	const char *summary; /* one line, no full stop, for `tidemark --help` */
	const char *notes;   /* paragraphs after the options in --help; NULL = none */
	const struct argp_option *options;
	/* Gets the command's options, ARGP_KEY_ARG and the rest; NULL = takes no argument. */
	argp_parser_t parse;
	/*
	 * argv[0] is the command's name.  Reads its arguments with tm_options_parse() and
	 * returns an exit status (enum tm_exit), after at most one tm_error().
	 */
	int (*run)(int argc, char **argv);
};

extern const struct tm_command tm_cmd_run, tm_cmd_ps, tm_cmd_mark, tm_cmd_marks, tm_cmd_diff,
	tm_cmd_garbage, tm_cmd_ids, tm_cmd_reach, tm_cmd_save, tm_cmd_rm;

/* The command of this name; NULL when there is none. */
const struct tm_command *tm_command_find(const char *name);

/* The name of the command most like @name, NULL when none is alike. */
const char *tm_command_nearest(const char *name);

/* All commands in the order of the help; index past the end gives NULL. */
const struct tm_command *tm_command_at(unsigned index);

#endif

/*
 * options.h - reading the command line (argp, with one-line errors)
 */
#ifndef TM_OPTIONS_H
#define TM_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "command.h"

/*
 * tm_options_parse - read a command's arguments with its options and parser
 * @input: what the parser finds in state->input
 *
 * Adds --help, --usage and --any-user (see target.h).  Returns only when all is well:
 * help exits with 0, a usage error is one line on stderr and exits with TM_EXIT_USAGE.
 * Arguments keep their order; nothing after `--` is an option.
 */
void tm_options_parse(const struct tm_command *command, int argc, char **argv, void *input);

/* The same, but the first argument that is no option ends the options (for `run`). */
void tm_options_parse_in_order(const struct tm_command *command, int argc, char **argv,
			       void *input);

/*
 * From inside a parser: one line "tidemark COMMAND: what is wrong; see tidemark COMMAND
 * --help" and exit.  To be used in place of argp_error() and argp_usage().
 */
void tm_options_error(const struct argp_state *state, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/*
 * A plain number, or a number of bytes with a suffix: k, M, G, T (powers of 1024; "kB",
 * "KiB" and lower case are the same).  Return 0, or -EINVAL (no number) or -ERANGE.
 */
int tm_options_number(const char *text, uint64_t *out);
int tm_options_size(const char *text, uint64_t *out);

/* Seconds, possibly with a fraction, into milliseconds.  Errors as above. */
int tm_options_seconds(const char *text, uint64_t *out_ms);

#endif

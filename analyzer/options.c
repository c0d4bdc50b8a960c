/*
 * options.c - argp, taught to complain in one line
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "mem.h"
#include "options.h"
#include "target.h"

/* Out of the way of the commands' own keys; argp keeps 24 bits with a sign. */
enum {
	KEY_HELP = 0x700000,
	KEY_USAGE,
	KEY_ANY_USER,
};

static const struct argp_option common_options[] = {
	{"any-user", KEY_ANY_USER, NULL, 0, "Read recordings that belong to another user too", -2},
	{"help", KEY_HELP, NULL, 0, "Give this help and exit", -1},
	{"usage", KEY_USAGE, NULL, 0, "Give a short usage message and exit", -1},
	{0},
};

static void usage_error(const char *command, const char *text)
{
	tm_die(TM_EXIT_USAGE, "%s: %s; see tidemark %s --help", command, text, command);
}

void tm_options_error(const struct argp_state *state, const char *fmt, ...)
{
	/* state->name is "tidemark COMMAND". */
	const char *command = strchr(state->name, ' ');
	va_list args;
	char *text;

	va_start(args, fmt);
	text = tm_mem_vformat(fmt, args);
	va_end(args);
	usage_error(command ? command + 1 : state->name, text);
	abort(); /* not reached: usage_error() exits */
}

static void show_help(const struct argp_state *state, unsigned flags) __attribute__((noreturn));

static void show_help(const struct argp_state *state, unsigned flags)
{
	argp_state_help(state, stdout, flags);
	exit(TM_EXIT_OK);
}

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->input;
		return 0;
	case KEY_ANY_USER:
		tm_target_any_user(true);
		return 0;
	case KEY_HELP:
		show_help(state, ARGP_HELP_LONG | ARGP_HELP_USAGE | ARGP_HELP_DOC);
	case KEY_USAGE:
		show_help(state, ARGP_HELP_USAGE);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/*
 * What getopt or argp printed, as one clause: "tidemark diff: unrecognized option '--x'"
 * and a "Try ..." line become "unrecognized option '--x'".
 */
static char *first_clause(const char *printed, const char *program)
{
	size_t prefix = strlen(program);
	char *clause;

	if (strncmp(printed, program, prefix) == 0 && printed[prefix] == ':')
		printed += prefix + 1;
	while (*printed == ' ')
		printed++;
	clause = tm_mem_bytes(printed, strcspn(printed, "\n"));
	/* argp starts some with a capital; clauses do not. */
	clause[0] = (char)tolower((unsigned char)clause[0]);
	return clause;
}

/*
 * getopt prints its complaints to `stderr` and argp copies that variable when it starts;
 * both are diverted while they run, and brought into our shape afterwards.
 */
static void parse(const struct tm_command *command, int argc, char **argv, void *input,
		  unsigned flags)
{
	struct argp_child children[] = {{0}, {0}};
	struct argp own = {.options = command->options, .parser = command->parse};
	struct argp all = {.options = common_options, .parser = parse_common, .children = children};
	FILE *real_stderr = stderr;
	char *printed = NULL, *program, *doc;
	size_t length = 0;
	FILE *diverted;
	error_t error;

	program = tm_mem_format("tidemark %s", command->name);
	doc = tm_mem_format("%s.%s%s", command->summary, command->notes ? "\v" : "",
			    command->notes ? command->notes : "");
	children[0].argp = &own;
	all.args_doc = command->args;
	all.doc = doc;
	argv[0] = program;
	diverted = open_memstream(&printed, &length);
	if (diverted == NULL)
		tm_die(TM_EXIT_USAGE, "out of memory; try again");
	stderr = diverted;
	error = argp_parse(&all, argc, argv, flags | ARGP_NO_HELP | ARGP_NO_EXIT, NULL, input);
	stderr = real_stderr;
	fclose(diverted);
	if (length > 0)
		usage_error(command->name, first_clause(printed, program));
	if (error != 0)
		usage_error(command->name, strerror(error));
	free(printed);
	free(doc);
	/* argv[0] keeps `program`. */
}

void tm_options_parse(const struct tm_command *command, int argc, char **argv, void *input)
{
	parse(command, argc, argv, input, 0);
}

void tm_options_parse_in_order(const struct tm_command *command, int argc, char **argv, void *input)
{
	parse(command, argc, argv, input, ARGP_IN_ORDER);
}

/* The digits at the start of @text; `*rest` is what follows them. */
static int leading_number(const char *text, const char **rest, uint64_t *out)
{
	uint64_t value = 0;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	for (; isdigit((unsigned char)*text); text++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return -ERANGE;
	*rest = text;
	*out = value;
	return 0;
}

int tm_options_number(const char *text, uint64_t *out)
{
	const char *rest;
	uint64_t value;
	int error = leading_number(text, &rest, &value);

	if (error != 0)
		return error;
	if (*rest != '\0')
		return -EINVAL;
	*out = value;
	return 0;
}

/* Powers of two that a suffix stands for; -1 = not a suffix. */
static int suffix_shift(const char *suffix)
{
	static const char letters[] = "kmgt";
	const char *letter;

	if (*suffix == '\0' || strcasecmp(suffix, "b") == 0)
		return 0;
	letter = strchr(letters, tolower((unsigned char)*suffix));
	if (letter == NULL)
		return -1;
	suffix++;
	if (*suffix != '\0' && strcasecmp(suffix, "b") != 0 && strcasecmp(suffix, "ib") != 0)
		return -1;
	return 10 * (int)(letter - letters + 1);
}

int tm_options_size(const char *text, uint64_t *out)
{
	const char *rest;
	uint64_t value;
	int error = leading_number(text, &rest, &value);
	int shift;

	if (error != 0)
		return error;
	shift = suffix_shift(rest);
	if (shift < 0)
		return -EINVAL;
	if (value > UINT64_MAX >> shift)
		return -ERANGE;
	*out = value << shift;
	return 0;
}

int tm_options_seconds(const char *text, uint64_t *out_ms)
{
	double seconds;
	char *end;

	/* strtod() would take "nan", "inf", hexadecimal and leading space as well. */
	if (*text == '\0' || strspn(text, "0123456789.") != strlen(text))
		return -EINVAL;
	seconds = strtod(text, &end);
	if (*end != '\0' || end == text)
		return -EINVAL;
	if (seconds > 1e9)
		return -ERANGE;
	*out_ms = (uint64_t)ceil(seconds * 1000);
	return 0;
}

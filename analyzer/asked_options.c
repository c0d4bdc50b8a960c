/*
 * asked_options.c - the arguments that reports on a span have in common
 */
#include "asked_options.h"

#include "options.h"

error_t tm_asked_parse(int key, char *arg, struct argp_state *state,
		       struct tm_asked_options *options)
{
	switch (key) {
	case TM_ASKED_LIMIT:
		if (tm_options_number(arg, &options->limit) != 0)
			tm_options_error(state, "--limit wants a number, not '%s'", arg);
		options->has_limit = true;
		return 0;
	case TM_ASKED_MIN:
		if (tm_options_size(arg, &options->min_bytes) != 0)
			tm_options_error(state, "--min wants a number of bytes, not '%s'", arg);
		return 0;
	case TM_ASKED_TYPE:
		options->filter.type = arg;
		return 0;
	case TM_ASKED_FILE:
		options->filter.file = arg;
		return 0;
	case TM_ASKED_JSON:
		options->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!tm_asked_take(&options->words, arg))
			tm_options_error(state, "too many arguments, from '%s' on", arg);
		return 0;
	case ARGP_KEY_NO_ARGS:
		tm_options_error(state, "no target given");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

uint64_t tm_asked_limit(const struct tm_asked_options *options, uint64_t usual)
{
	if (options->has_limit)
		return options->limit;
	return options->json ? 0 : usual;
}

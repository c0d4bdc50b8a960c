/*
 * asked_options.h - the arguments of reports on a span: TARGET [FROM [TO]], and what of it to show
 */
#ifndef TIDEMARK_ASKED_OPTIONS_H
#define TIDEMARK_ASKED_OPTIONS_H

#include <argp.h>

#include "asked.h"
#include "groups.h"

struct tm_asked_options {
	struct tm_asked_words words;
	struct tm_filter filter;
	uint64_t limit;
	uint64_t min_bytes;
	bool has_limit;
	bool json;
};

/* Keys of a command's own options lie below these. */
enum {
	TM_ASKED_LIMIT = 0x1000,
	TM_ASKED_MIN,
	TM_ASKED_TYPE,
	TM_ASKED_FILE,
	TM_ASKED_JSON,
};

/* Entries of a table of options; what --limit counts is the command's to say. */
/* clang-format off */
#define TM_ASKED_OPTION_LIMIT(text) {"limit", TM_ASKED_LIMIT, "N", 0, text, 0}
#define TM_ASKED_OPTION_MIN \
	{"min", TM_ASKED_MIN, "BYTES", 0, \
	 "Leave out groups below so many bytes: 4096, 10k, 1M", 0}
#define TM_ASKED_OPTION_TYPE \
	{"type", TM_ASKED_TYPE, "GLOB", 0, "Only types that match: app.*, dict", 0}
#define TM_ASKED_OPTION_FILE \
	{"file", TM_ASKED_FILE, "GLOB", 0, \
	 "Only objects created in files that match: */app/*, views.py", 0}
#define TM_ASKED_OPTION_JSON {"json", TM_ASKED_JSON, NULL, 0, "Print JSON", 0}
/* clang-format on */

/*
 * tm_asked_parse - the part of a command's parser for these, and for the arguments
 * A wrong one is one line on stderr and the end.  Returns ARGP_ERR_UNKNOWN for all others.
 */
error_t tm_asked_parse(int key, char *arg, struct argp_state *state,
		       struct tm_asked_options *options);

/* How many things to show, 0 = all: as asked for, or @usual to a person and all to a script. */
uint64_t tm_asked_limit(const struct tm_asked_options *options, uint64_t usual);

#endif

/*
 * cmd_diff.c - `tidemark diff`: what was created between two marks and is still there
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asked.h"
#include "asked_options.h"
#include "command.h"
#include "error.h"
#include "mem.h"
#include "options.h"
#include "report.h"
#include "text.h"

/* Groups a person is shown without asking for more; a script gets all. */
#define TEXT_LIMIT 20

enum check_subject {
	CHECK_OBJECTS,
	CHECK_BYTES,
	CHECK_GARBAGE,
	CHECK_SUBJECTS,
};

static const char *const subject_names[CHECK_SUBJECTS] = {"objects", "bytes", "garbage"};

struct check {
	enum check_subject subject;
	uint64_t most;
};

struct arguments {
	struct tm_asked_options asked;
	enum tm_group_by by;
	struct check *checks; /* in the order given */
	size_t check_count;
	size_t check_capacity;
};

enum {
	KEY_BY = 1,
	KEY_FAIL_IF,
};

static const struct argp_option options[] = {
	{"by", KEY_BY, "WHAT", 0,
	 "Group by type, site, file, module or stack (default: by type and site)", 0},
	TM_ASKED_OPTION_LIMIT("Show N groups (default: 20, with --json all; 0: all)"),
	TM_ASKED_OPTION_MIN,
	TM_ASKED_OPTION_TYPE,
	TM_ASKED_OPTION_FILE,
	{"fail-if", KEY_FAIL_IF, "CHECK", 0,
	 "Exit with status 1 if the survivors are more: objects>N, bytes>N, garbage>N; may be "
	 "given "
	 "several times",
	 0},
	TM_ASKED_OPTION_JSON,
	{0},
};

static const char notes[] =
	"FROM and TO are a mark's number or name, or start, now, exit.  Without them the report "
	"is from the last mark to now, or to the exit mark once that is there.\n"
	"\n"
	"Objects count that were created after FROM and before TO and were alive at TO.  Groups "
	"with survivors in the most intervals between marks come first, for that is what a leak "
	"does; then the largest.  Bytes are what the allocator was asked for, headers of the "
	"objects included.  A (buffer) is memory of an object that is no object itself.  One that "
	"was there at FROM and was resized since is no survivor.  What such ones grew by is apart: "
	"buffers of older objects that grew, with the type of the container they belong to where "
	"it "
	"is known, at the line that resized them.\n"
	"\n"
	"What comes first is by how much the resident set grew, without Tidemark's own memory, and "
	"what that is: live objects and buffers, space that is free inside Python's arenas or the "
	"C "
	"library, native memory, the rest.  These figures are taken at marks, after the "
	"collection; "
	"of now only the resident set is known.\n"
	"\n"
	"--by file, module and type show the place and stack most of a group come from.  A module "
	"is the name of its file without .py.  --type and --file choose what is grouped and "
	"checked, not what the totals say; --min and --limit choose what is shown.";

static enum tm_group_by parse_by(const struct argp_state *state, const char *text)
{
	static const struct {
		const char *name;
		enum tm_group_by by;
	} names[] = {
		{"type", TM_BY_TYPE},	  {"site", TM_BY_SITE},	  {"file", TM_BY_FILE},
		{"module", TM_BY_MODULE}, {"stack", TM_BY_STACK},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i].name) == 0)
			return names[i].by;
	tm_options_error(state, "cannot group by '%s', only by type, site, file, module, stack",
			 text);
}

static void parse_check(const struct argp_state *state, struct arguments *a, const char *text)
{
	struct check check;

	for (unsigned i = 0; i < CHECK_SUBJECTS; i++) {
		size_t length = strlen(subject_names[i]);

		if (strncmp(text, subject_names[i], length) != 0 || text[length] != '>')
			continue;
		if (tm_options_size(text + length + 1, &check.most) != 0)
			break;
		check.subject = (enum check_subject)i;
		a->checks = tm_mem_grow(a->checks, a->check_count, &a->check_capacity,
					sizeof(*a->checks));
		a->checks[a->check_count++] = check;
		return;
	}
	tm_options_error(state, "cannot check '%s', only objects>N, bytes>N, garbage>N", text);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case KEY_BY:
		a->by = parse_by(state, arg);
		return 0;
	case KEY_FAIL_IF:
		parse_check(state, a, arg);
		return 0;
	default:
		return tm_asked_parse(key, arg, state, &a->asked);
	}
}

/* What is checked is all that --type and --file let through, shown or not. */
static int run_checks(const struct arguments *a, const struct tm_diff *diff,
		      const struct tm_groups *groups, const struct tm_groups *grown)
{
	uint64_t found[CHECK_SUBJECTS] = {0, 0, diff->totals.garbage};
	int status = TM_EXIT_OK;
	char have[TM_TEXT_NUMBER];
	char most[TM_TEXT_NUMBER];

	for (size_t i = 0; i < groups->count; i++) {
		if (groups->items[i].kind != TM_BUFFER)
			tm_cells_sum(&found[CHECK_OBJECTS], groups->items[i].objects);
		tm_cells_sum(&found[CHECK_BYTES], groups->items[i].bytes);
	}
	for (size_t i = 0; i < grown->count; i++)
		tm_cells_sum(&found[CHECK_BYTES], grown->items[i].bytes);
	for (size_t i = 0; i < a->check_count; i++) {
		const struct check *check = &a->checks[i];

		if (found[check->subject] <= check->most)
			continue;
		tm_error("the check %s>%s found %s", subject_names[check->subject],
			 tm_text_count(most, check->most),
			 tm_text_count(have, found[check->subject]));
		status = TM_EXIT_CHECK;
	}
	return status;
}

static void note_lost(struct tm_notes *said, const struct tm_totals *totals)
{
	char size[TM_TEXT_NUMBER];
	char *buffers;

	if (totals->lost_buffers == 0)
		return;
	buffers = tm_text_plural(totals->lost_buffers, "buffer", "buffers");
	tm_notes_add(said,
		     "%s, %s, were resized, but the records of what they were before are "
		     "overwritten: they count as new, as a whole",
		     buffers, tm_text_bytes(size, totals->lost_bytes));
	free(buffers);
}

static int report(const struct arguments *a, const struct tm_asked *asked,
		  const struct tm_diff *diff)
{
	struct tm_reader *reader = asked->target->reader;
	struct tm_model *model = tm_model_new(reader);
	struct tm_groups kept = {0}, all = {0}, grown, trash, garbage;
	bool filtered = a->asked.filter.type || a->asked.filter.file;
	bool usual = !filtered && a->by == TM_BY_TYPE_AND_SITE;
	struct tm_notes said = {0};
	struct tm_report r = {
		.reader = reader,
		.model = model,
		.diff = diff,
		.groups = &kept,
		.all = usual ? &kept : &all,
		.grown = &grown,
		.trash = &trash,
		.garbage = &garbage,
		.filter = &a->asked.filter,
		.notes = &said,
		.state = tm_target_state_name(asked->target->state),
		.by = a->by,
		.filtered = filtered,
		.limit = tm_asked_limit(&a->asked, TEXT_LIMIT),
		.min_bytes = a->asked.min_bytes,
	};
	int status;

	if (!usual)
		all = tm_groups_make(&diff->kept, model, &diff->facts, TM_BY_TYPE_AND_SITE,
				     &(struct tm_filter){NULL, NULL});
	kept = tm_groups_make(&diff->kept, model, &diff->facts, a->by, &a->asked.filter);
	grown = tm_groups_make(&diff->grown, model, &diff->facts, a->by, &a->asked.filter);
	trash = tm_groups_make(&diff->trash, model, &diff->facts, a->by, &a->asked.filter);
	garbage = tm_garbage_groups(&diff->garbage, model, &diff->facts, a->by, &a->asked.filter);
	tm_groups_resolve(&all, model);
	tm_groups_resolve(&kept, model);
	tm_groups_resolve(&grown, model);
	tm_groups_resolve(&trash, model);
	tm_groups_resolve(&garbage, model);
	/* only now: what was looked up so far may have been damaged */
	tm_asked_notes(asked, &said, &diff->facts, diff->totals.pending);
	tm_notes_figures(&said, &asked->span);
	note_lost(&said, &diff->totals);
	if (a->asked.json && diff->intervals > TM_GROUP_MOST_NUMBERS)
		tm_notes_add(&said,
			     "each number of by_interval stands for several of the %u intervals",
			     (unsigned)diff->intervals);
	if (a->asked.json)
		tm_report_json(&r, stdout);
	else
		tm_report_text(&r, stdout);
	status = run_checks(a, diff, &kept, &grown);
	tm_notes_free(&said);
	tm_groups_free(&all);
	tm_groups_free(&kept);
	tm_groups_free(&grown);
	tm_groups_free(&trash);
	tm_groups_free(&garbage);
	tm_model_free(model);
	return status;
}

static int run(int argc, char **argv)
{
	struct arguments a = {.by = TM_BY_TYPE_AND_SITE};
	struct tm_asked asked;
	struct tm_diff diff;
	int status;

	tm_options_parse(&tm_cmd_diff, argc, argv, &a);
	status = tm_asked_open(&asked, &a.asked.words);
	if (status == TM_EXIT_OK) {
		tm_diff_make(&diff, asked.target->reader, &asked.span);
		status = report(&a, &asked, &diff);
		tm_diff_free(&diff);
		tm_asked_close(&asked);
	}
	free(a.checks);
	return status;
}

const struct tm_command tm_cmd_diff = {
	.name = "diff",
	.args = "TARGET [FROM [TO]]",
	.summary = "Show what was created between two marks and is still there",
	.notes = notes,
	.options = options,
	.parse = parse,
	.run = run,
};

/*
 * cmd_garbage.c - `tidemark garbage`: gc.garbage, and what only the collector reclaimed
 */
#include <stdio.h>

#include "asked.h"
#include "asked_options.h"
#include "command.h"
#include "error.h"
#include "options.h"
#include "paragraph.h"
#include "report.h"

/* Groups a person is shown without asking for more; a script gets all. */
#define TEXT_LIMIT 20

static const struct argp_option options[] = {
	TM_ASKED_OPTION_LIMIT("Show N groups of each kind; with --json N entries of gc.garbage "
			      "(default: 20, with --json all; 0: all)"),
	TM_ASKED_OPTION_MIN,
	TM_ASKED_OPTION_TYPE,
	TM_ASKED_OPTION_FILE,
	TM_ASKED_OPTION_JSON,
	{0},
};

static const char notes[] =
	"FROM and TO as for tidemark diff.\n"
	"\n"
	"Entries of gc.garbage are shown that were not there at FROM and are there at TO, the "
	"newest first, with the mark at which each was first found.  The list is looked at when a "
	"mark is followed up and after each full collection; now is as it was found last.\n"
	"\n"
	"What only the cyclic collector reclaimed died inside one of its runs, automatic ones and "
	"those by gc.collect() alike, and shows where the program makes reference cycles.  The "
	"collection that TO itself made counts, the one that FROM made does not: that was "
	"garbage of before.  --type and --file choose what is shown, not what the first lines "
	"say.";

static error_t parse(int key, char *arg, struct argp_state *state)
{
	return tm_asked_parse(key, arg, state, state->input);
}

static void print_text(const struct tm_report *r, const struct tm_groups *cyclic)
{
	tm_report_head_text(r, stdout);
	if (r->diff->garbage.count == 0)
		tm_paragraph_put(stdout, "", "  ", "nothing new is in gc.garbage");
	if (r->diff->cyclic.objects == 0)
		tm_paragraph_put(stdout, "", "  ", "nothing was reclaimed by the cyclic collector");
	tm_report_cyclic_line(r, stdout);
	tm_report_garbage_text(r, stdout);
	tm_report_cyclic_text(r, cyclic, stdout);
	tm_report_notes_text(r->notes, stdout);
}

static void print_json(const struct tm_report *r, const struct tm_groups *cyclic)
{
	struct tm_json json = tm_json_open(stdout);

	tm_report_process_json(&json, r->reader);
	tm_report_span_json(&json, &r->diff->span);
	tm_report_notes_json(&json, r->notes, r->reader);
	tm_report_garbage_json(&json, r);
	tm_report_cyclic_json(&json, r, cyclic);
	tm_json_close(&json);
}

static void report(const struct tm_asked_options *a, const struct tm_asked *asked,
		   const struct tm_diff *diff)
{
	struct tm_reader *reader = asked->target->reader;
	struct tm_model *model = tm_model_new(reader);
	struct tm_groups garbage, cyclic;
	struct tm_notes said = {0};
	struct tm_report r = {
		.reader = reader,
		.model = model,
		.diff = diff,
		.garbage = &garbage,
		.filter = &a->filter,
		.notes = &said,
		.state = tm_target_state_name(asked->target->state),
		.limit = tm_asked_limit(a, TEXT_LIMIT),
		.min_bytes = a->min_bytes,
	};

	garbage = tm_garbage_groups(&diff->garbage, model, &diff->facts, TM_BY_TYPE_AND_SITE,
				    &a->filter);
	cyclic = tm_groups_make(&diff->cyclic.cells, model, &diff->facts, TM_BY_TYPE_AND_SITE,
				&a->filter);
	/* before the notes: what is looked up may be damaged */
	tm_groups_resolve(&garbage, model);
	tm_groups_resolve(&cyclic, model);
	tm_asked_collector_notes(asked, &said);
	if (a->json)
		print_json(&r, &cyclic);
	else
		print_text(&r, &cyclic);
	tm_notes_free(&said);
	tm_groups_free(&garbage);
	tm_groups_free(&cyclic);
	tm_model_free(model);
}

static int run(int argc, char **argv)
{
	struct tm_asked_options a = {0};
	struct tm_asked asked;
	struct tm_diff diff;
	int status;

	tm_options_parse(&tm_cmd_garbage, argc, argv, &a);
	status = tm_asked_open(&asked, &a.words);
	if (status != TM_EXIT_OK)
		return status;
	tm_diff_collector(&diff, asked.target->reader, &asked.span);
	report(&a, &asked, &diff);
	tm_diff_free(&diff);
	tm_asked_close(&asked);
	return status;
}

const struct tm_command tm_cmd_garbage = {
	.name = "garbage",
	.args = "TARGET [FROM [TO]]",
	.summary = "Show what is new in gc.garbage, and what only the collector reclaimed",
	.notes = notes,
	.options = options,
	.parse = parse,
	.run = run,
};

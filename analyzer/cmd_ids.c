/*
 * cmd_ids.c - `tidemark ids`: the single survivors
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asked.h"
#include "asked_options.h"
#include "command.h"
#include "diff.h"
#include "error.h"
#include "groups.h"
#include "mem.h"
#include "options.h"
#include "paragraph.h"
#include "report.h"
#include "table.h"
#include "text.h"

struct survivor {
	uint64_t address;
	uint64_t word;
	uint64_t bytes;
};

/* What the scan found; where an object is is not known before the scan is over. */
struct found {
	struct survivor *items;
	size_t count;
	size_t capacity;
	uint64_t pending;
};

static const struct argp_option options[] = {
	TM_ASKED_OPTION_LIMIT("Show N of them (default and 0: all)"),
	TM_ASKED_OPTION_TYPE,
	TM_ASKED_OPTION_FILE,
	TM_ASKED_OPTION_JSON,
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	return tm_asked_parse(key, arg, state, state->input);
}

static void visit(void *context, const struct tm_scan_item *item)
{
	struct found *f = context;

	f->pending += tm_word_kind(item->word) == TM_PENDING;
	f->items = tm_mem_grow(f->items, f->count, &f->capacity, sizeof(*f->items));
	f->items[f->count++] = (struct survivor){item->address, item->word, item->bytes};
}

static int by_address(const void *left, const void *right)
{
	const struct survivor *l = left;
	const struct survivor *r = right;

	return l->address < r->address ? -1 : l->address > r->address;
}

/* The interval: every report calls it by the mark that opens it; -1 cannot survive a diff. */
static uint32_t born(const struct tm_scan_facts *facts, uint64_t word)
{
	return (uint32_t)tm_scan_interval(facts, word);
}

static const char *kind_name(uint64_t word)
{
	return tm_word_kind(word) == TM_BUFFER ? "buffer" : "object";
}

static json_t *survivor_json(struct tm_model *model, const struct survivor *s,
			     const struct tm_scan_facts *facts)
{
	struct tm_bytes type = tm_model_text(model, tm_model_type(model, s->word));
	json_t *object = json_object();

	json_object_set_new(object, "id", tm_json_address(s->address));
	json_object_set_new(object, "type", tm_json_bytes(type));
	json_object_set_new(object, "kind", json_string(kind_name(s->word)));
	json_object_set_new(object, "bytes", tm_json_count(s->bytes));
	json_object_set_new(object, "born", json_integer(born(facts, s->word)));
	json_object_set_new(object, "site", tm_report_site_json(model, tm_word_site(s->word)));
	return object;
}

/* Columns of the numbers before the type, and of a terminal too narrow for the site there. */
#define NUMBERS 36u
#define NARROW	76u

static void print_site(struct tm_model *model, uint32_t site, size_t used)
{
	struct tm_place place;
	char line[24] = "";

	if (!tm_model_place(model, site, &place))
		return;
	if (place.line)
		snprintf(line, sizeof(line), ":%" PRIu32, place.line);
	tm_paragraph_fit(stdout, tm_model_text(model, place.file), used + strlen(line));
	fputs(line, stdout);
}

static bool is_narrow(unsigned columns)
{
	return columns && columns < NARROW;
}

static void print_survivor(struct tm_model *model, const struct survivor *s,
			   const struct tm_scan_facts *facts, unsigned columns)
{
	struct tm_bytes type = tm_model_text(model, tm_model_type(model, s->word));
	bool narrow = is_narrow(columns);
	size_t width = tm_paragraph_width(type);

	printf("0x%-14" PRIx64 "  %8" PRIu64 "  %6" PRIu32 "  ", s->address, s->bytes,
	       born(facts, s->word));
	/* the type may have half of what the numbers leave, or a line of its own */
	fputs(narrow ? "\n    " : "", stdout);
	tm_paragraph_fit(stdout, type, narrow ? 4 : NUMBERS + (columns - NUMBERS) / 2);
	fputs(narrow ? "\n    " : "  ", stdout);
	if (!narrow && columns && width > (columns - NUMBERS) / 2)
		width = (columns - NUMBERS) / 2;
	print_site(model, tm_word_site(s->word), narrow ? 4 : NUMBERS + width + 2);
	putchar('\n');
}

static void print_text(const struct tm_asked_options *a, struct tm_model *model,
		       const struct found *f, const struct tm_scan_facts *facts,
		       const struct tm_notes *said)
{
	unsigned columns = tm_text_columns(stdout);
	uint64_t shown = 0;

	printf("%-16s  %8s  %6s  %s\n", "ID", "BYTES", "BORN",
	       is_narrow(columns) ? "\n    TYPE\n    SITE" : "TYPE  SITE");
	for (size_t i = 0; i < f->count && (a->limit == 0 || shown < a->limit); i++)
		if (tm_filter_pass(&a->filter, model, f->items[i].word)) {
			print_survivor(model, &f->items[i], facts, columns);
			shown++;
		}
	tm_report_notes_text(said, stdout);
}

static void print_json(const struct tm_asked_options *a, const struct tm_asked *asked,
		       struct tm_model *model, const struct found *f,
		       const struct tm_scan_facts *facts, const struct tm_notes *said)
{
	struct tm_json json = tm_json_open(stdout);
	uint64_t shown = 0;

	tm_report_process_json(&json, asked->target->reader);
	tm_report_span_json(&json, &asked->span);
	tm_report_notes_json(&json, said, asked->target->reader);
	tm_json_array(&json, "ids");
	for (size_t i = 0; i < f->count && (a->limit == 0 || shown < a->limit); i++)
		if (tm_filter_pass(&a->filter, model, f->items[i].word)) {
			tm_json_element(&json, survivor_json(model, &f->items[i], facts));
			shown++;
		}
	tm_json_array_end(&json);
	tm_json_close(&json);
}

/* What is damaged in the tables must be known before the notes are made. */
static void resolve(struct tm_model *model, const struct found *f)
{
	struct tm_place place;

	for (size_t i = 0; i < f->count; i++) {
		tm_model_type(model, f->items[i].word);
		tm_model_place(model, tm_word_site(f->items[i].word), &place);
	}
}

static int run(int argc, char **argv)
{
	struct tm_asked_options a = {0};
	struct tm_scan_facts facts = {0};
	struct found found = {0};
	struct tm_notes said = {0};
	struct tm_asked asked;
	struct tm_model *model;
	int status;

	tm_options_parse(&tm_cmd_ids, argc, argv, &a);
	status = tm_asked_open(&asked, &a.words);
	if (status != TM_EXIT_OK)
		return status;
	tm_diff_survivors(asked.target->reader, &asked.span, visit, &found, &facts);
	if (found.count > 1)
		qsort(found.items, found.count, sizeof(*found.items), by_address);
	model = tm_model_new(asked.target->reader);
	resolve(model, &found);
	tm_asked_notes(&asked, &said, &facts, found.pending);
	if (a.json)
		print_json(&a, &asked, model, &found, &facts, &said);
	else
		print_text(&a, model, &found, &facts, &said);
	tm_model_free(model);
	tm_notes_free(&said);
	tm_asked_close(&asked);
	free(found.items);
	return status;
}

const struct tm_command tm_cmd_ids = {
	.name = "ids",
	.args = "TARGET [FROM [TO]]",
	.summary = "List the single survivors between two marks",
	.notes = "FROM and TO as for tidemark diff.  The id is that of Python's id(); BORN is the "
		 "mark after which the object was created.  Buffers of older objects that were "
		 "resized are not listed: see the growth in tidemark diff.",
	.options = options,
	.parse = parse,
	.run = run,
};

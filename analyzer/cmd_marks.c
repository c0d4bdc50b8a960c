/*
 * cmd_marks.c - `tidemark marks`: the marks of a recording and what was alive at each
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "runs.h"
#include "command.h"
#include "error.h"
#include "mark_figures.h"
#include "history.h"
#include "options.h"
#include "report.h"
#include "table.h"
#include "target.h"
#include "text.h"

struct arguments {
	const char *target;
	bool json;
};

enum {
	KEY_JSON = 1,
};

static const struct argp_option options[] = {
	{"json", KEY_JSON, NULL, 0, "Print JSON", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case KEY_JSON:
		a->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (a->target)
			tm_options_error(state, "too many arguments, from '%s' on", arg);
		a->target = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		tm_options_error(state, "no target given");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* A mark's record, or one with nothing in it where there is none. */
static const struct tm_mark *mark_of(struct tm_reader *reader, uint32_t number)
{
	static const struct tm_mark none;
	const struct tm_mark *mark = tm_reader_mark(reader, number);

	return mark && mark->state != TM_MARK_EMPTY ? mark : &none;
}

static struct tm_bytes name_of(const struct tm_mark *mark, uint32_t number)
{
	if (number == 0)
		return (struct tm_bytes){"start", 5};
	return tm_points_mark_name(mark);
}

static json_t *mark_json(struct tm_reader *reader, const struct tm_history *history,
			 uint32_t number)
{
	const struct tm_mark *mark = mark_of(reader, number);
	json_t *object = json_object();

	json_object_set_new(object, "mark", json_integer(number));
	json_object_set_new(object, "name", tm_json_bytes(name_of(mark, number)));
	json_object_set_new(object, "time", tm_json_time(mark->time_ns));
	json_object_set_new(object, "objects", tm_json_count(history->objects[number]));
	json_object_set_new(object, "bytes", tm_json_count(history->bytes[number]));
	json_object_set_new(object, "garbage", tm_json_count(mark->garbage_new));
	json_object_set_new(object, "pause", tm_json_seconds(mark->pause_ns));
	json_object_set_new(object, "collected", json_boolean(mark->flags & TM_MF_COLLECTED));
	json_object_set_new(object, "collections", tm_runs_interval_json(mark->collections));
	json_object_set_new(object, "figures", tm_figures_json(&mark->figures));
	return object;
}

static void collections_json(struct tm_json *json, const struct tm_collection *runs, size_t count)
{
	tm_json_array(json, "collections");
	for (size_t i = 0; i < count; i++)
		tm_json_element(json, tm_runs_json(&runs[i]));
	tm_json_array_end(json);
}

static void print_json(struct tm_reader *reader, const struct tm_history *history,
		       const struct tm_collection *runs, size_t count, const struct tm_notes *said)
{
	struct tm_json json = tm_json_open(stdout);

	tm_report_process_json(&json, reader);
	tm_report_notes_json(&json, said, reader);
	tm_json_array(&json, "marks");
	for (uint32_t i = 0; i < history->count; i++)
		tm_json_element(&json, mark_json(reader, history, i));
	tm_json_array_end(&json);
	collections_json(&json, runs, count);
	tm_json_close(&json);
}

static const char *collection(const struct tm_mark *mark)
{
	if (mark->state != TM_MARK_FOLLOWED)
		return "to come";
	return mark->flags & TM_MF_COLLECTED ? "yes" : "no";
}

enum {
	COLUMN_MARK,
	COLUMN_NAME,
	COLUMN_TIME,
	COLUMN_OBJECTS,
	COLUMN_BYTES,
	COLUMN_RESIDENT,
	COLUMN_GARBAGE,
	COLUMN_PAUSE,
	COLUMN_GC,
};

/* Terminals of fewer columns have no room for the date that all marks may have in common. */
#define NARROW 100u
#define DAY_NS (24u * 3600u * 1000000000ull)

static bool needs_dates(struct tm_reader *reader, const struct tm_history *history)
{
	unsigned columns = tm_text_columns(stdout);
	uint64_t first = mark_of(reader, 0)->time_ns;
	uint64_t last = mark_of(reader, history->count - 1)->time_ns;

	return columns == 0 || columns >= NARROW || first == 0 || last < first ||
	       last - first >= DAY_NS;
}

static void add_row(struct tm_table *table, struct tm_reader *reader,
		    const struct tm_history *history, uint32_t number, bool dates)
{
	const struct tm_mark *mark = mark_of(reader, number);
	struct tm_figures figures = tm_figures_known(&mark->figures);
	uint64_t resident = tm_figures_resident(&figures);
	struct tm_bytes name = name_of(mark, number);
	char text[TM_TEXT_NUMBER];

	tm_table_row(table);
	tm_table_cellf(table, COLUMN_MARK, "%" PRIu32, number);
	tm_table_cell_bytes(table, COLUMN_NAME, name.data, name.size);
	tm_table_cell(table, COLUMN_OBJECTS, tm_text_count(text, history->objects[number]));
	tm_table_cell(table, COLUMN_BYTES, tm_text_bytes(text, history->bytes[number]));
	if (mark->time_ns)
		tm_table_cell(table, COLUMN_TIME,
			      dates ? tm_text_time(text, mark->time_ns)
				    : tm_text_clock(text, mark->time_ns));
	if (resident != TM_UNKNOWN)
		tm_table_cell(table, COLUMN_RESIDENT, tm_text_bytes(text, resident));
	tm_table_cell(table, COLUMN_GARBAGE, tm_text_count(text, mark->garbage_new));
	tm_table_cell(table, COLUMN_PAUSE, tm_text_duration(text, mark->pause_ns));
	tm_table_cell(table, COLUMN_GC, collection(mark));
}

static void print_table(struct tm_reader *reader, const struct tm_history *history,
			const struct tm_notes *said)
{
	struct tm_table *table = tm_table_new(stdout);
	bool dates = needs_dates(reader, history);

	tm_table_column(table, "MARK", TM_TABLE_RIGHT);
	tm_table_column(table, "NAME", TM_TABLE_CUT);
	tm_table_column(table, "TIME", TM_TABLE_OPTIONAL);
	tm_table_column(table, "OBJECTS", TM_TABLE_RIGHT);
	tm_table_column(table, "BYTES", TM_TABLE_RIGHT);
	tm_table_column(table, "RESIDENT", TM_TABLE_RIGHT | TM_TABLE_OPTIONAL);
	tm_table_column(table, "GARBAGE", TM_TABLE_RIGHT | TM_TABLE_OPTIONAL);
	tm_table_column(table, "PAUSE", TM_TABLE_RIGHT | TM_TABLE_OPTIONAL);
	tm_table_column(table, "GC", TM_TABLE_OPTIONAL);
	for (uint32_t i = 0; i < history->count; i++)
		add_row(table, reader, history, i, dates);
	tm_table_print(table);
	tm_table_free(table);
	tm_report_notes_text(said, stdout);
}

static int run(int argc, char **argv)
{
	struct arguments a = {NULL, false};
	struct tm_target *target;
	struct tm_history history;
	struct tm_notes said = {0};
	struct tm_collection *runs;
	size_t count;
	int status;

	tm_options_parse(&tm_cmd_marks, argc, argv, &a);
	status = tm_target_open(a.target, &target);
	if (status != TM_EXIT_OK)
		return status;
	tm_history_make(&history, target->reader);
	runs = tm_runs_newest(target->reader, &count);
	tm_notes_scan(&said, &history.facts);
	tm_notes_recording(&said, target->reader);
	if (a.json)
		print_json(target->reader, &history, runs, count, &said);
	else
		print_table(target->reader, &history, &said);
	free(runs);
	tm_history_free(&history);
	tm_notes_free(&said);
	tm_target_close(target);
	return status;
}

const struct tm_command tm_cmd_marks = {
	.name = "marks",
	.args = "TARGET",
	.summary = "List the marks, and what was alive at each",
	.notes = "OBJECTS and BYTES are what was alive at the mark, before its own collection; "
		 "bytes include buffers.  GARBAGE is how many entries of gc.garbage were new.  "
		 "PAUSE is the time the mark took from the process.  RESIDENT is without "
		 "Tidemark's own memory.  GC says whether the mark's own collection was made.  A "
		 "narrow terminal leaves out the date that all marks have in common, and "
		 "columns, which it names.  --json has the collector's runs too: sums per "
		 "interval, and the newest.",
	.options = options,
	.parse = parse,
	.run = run,
};

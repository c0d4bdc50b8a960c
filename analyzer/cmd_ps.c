/*
 * cmd_ps.c - `tidemark ps`: recorded processes, running and finished
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "error.h"
#include "health.h"
#include "listing.h"
#include "mem.h"
#include "options.h"
#include "paragraph.h"
#include "report.h"
#include "text.h"
#include "table.h"

struct arguments {
	bool json;
	bool verbose;
};

enum {
	KEY_JSON = 1
};

static const struct argp_option options[] = {
	{"json", KEY_JSON, NULL, 0, "Print JSON", 0},
	{"verbose", 'v', NULL, 0,
	 "Also what the recorder lost or cannot see, and where its recording is", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	(void)arg;
	switch (key) {
	case KEY_JSON:
		arguments->json = true;
		return 0;
	case 'v':
		arguments->verbose = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The pid to use from here; of a process that is gone the one it had. */
static uint32_t pid_of(const struct tm_target *target)
{
	return target->pid ? (uint32_t)target->pid : tm_reader_header(target->reader)->pid;
}

/* Births less deaths; a forked child sees deaths of objects whose births it did not. */
static uint64_t objects_of(struct tm_reader *reader)
{
	struct tm_reader_counters counters = tm_reader_counters(reader);

	return counters.created > counters.destroyed ? counters.created - counters.destroyed : 0;
}

/* Marks that someone set: `start` and `exit` are automatic. */
static uint32_t marks_of(struct tm_reader *reader)
{
	uint32_t current = tm_reader_header(reader)->current;
	const struct tm_mark *last = tm_reader_mark(reader, current);

	return current > 0 && last != NULL && (last->flags & TM_MF_EXIT) ? current - 1 : current;
}

/* Bytes of file space; holes of the sparse file take none. */
static uint64_t disk_bytes(const struct tm_reader *reader)
{
	struct stat stat;

	return fstat(tm_reader_fd(reader), &stat) == 0 ? (uint64_t)stat.st_blocks * 512 : 0;
}

/* ---- JSON -------------------------------------------------------------------- */

static json_t *blind_json(const struct tm_header *header)
{
	json_t *blind = json_array();
	const struct tm_health_blind *spot;
	unsigned at = 0;

	while ((spot = tm_health_next_blind(header, &at)) != NULL)
		if (spot->of_recorder)
			json_array_append_new(blind, json_string(spot->name));
	return blind;
}

static void add_health_json(json_t *object, const struct tm_target *target)
{
	const struct tm_header *header = tm_reader_header(target->reader);
	const char *message = (const char *)header->message;

	json_object_set_new(object, "started", tm_json_time(header->time_ns));
	json_object_set_new(object, "family", json_string(tm_health_family(header)));
	json_object_set(object, "losses",
			json_object_get(json_object_get(object, "health"), "losses"));
	json_object_set_new(object, "blind", blind_json(header));
	json_object_set_new(object, "message",
			    tm_text_json(message, strnlen(message, TM_TEXT_MAX)));
	json_object_set_new(object, "disk_bytes", tm_json_count(disk_bytes(target->reader)));
}

static json_t *process_json(const struct tm_target *target, bool verbose)
{
	const struct tm_header *header = tm_reader_header(target->reader);
	json_t *object = json_object();

	json_object_set_new(object, "pid", json_integer(pid_of(target)));
	json_object_set_new(object, "recording", tm_text_json(target->path, strlen(target->path)));
	json_object_set_new(object, "command", tm_report_command_json(target->reader));
	json_object_set_new(object, "python", tm_json_bytes(tm_report_python(target->reader)));
	json_object_set_new(object, "state", json_string(tm_target_state_name(target->state)));
	json_object_set_new(object, "parent",
			    header->parent_pid ? json_integer(header->parent_pid) : json_null());
	json_object_set_new(object, "marks", json_integer(marks_of(target->reader)));
	json_object_set_new(object, "objects", tm_json_count(objects_of(target->reader)));
	json_object_set_new(object, "health", tm_health_json(target->reader));
	if (verbose)
		add_health_json(object, target);
	return object;
}

static void print_json(const struct tm_listing *listing, bool verbose)
{
	struct tm_json json = tm_json_open(stdout);

	tm_json_array(&json, "processes");
	for (size_t i = 0; i < listing->count; i++)
		tm_json_element(&json, process_json(listing->targets[i], verbose));
	tm_json_array_end(&json);
	tm_json_close(&json);
}

/* ---- text -------------------------------------------------------------------- */

enum column {
	PID,
	STATE,
	PYTHON,
	OBJECTS,
	MARKS,
	COMMAND,
	FIRST_OPTIONAL
};

static void set_command(struct tm_table *table, unsigned column, struct tm_reader *reader)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		return;
	tm_report_command_text(reader, out);
	fclose(out);
	tm_table_cell_bytes(table, column, text, length);
	free(text);
}

static void add_row(struct tm_table *table, const struct tm_target *target)
{
	struct tm_bytes python = tm_report_python(target->reader);
	char number[TM_TEXT_NUMBER];

	tm_table_row(table);
	tm_table_cellf(table, PID, "%u", pid_of(target));
	tm_table_cell(table, STATE, tm_target_state_name(target->state));
	tm_table_cell_bytes(table, PYTHON, python.data, python.size);
	tm_table_cell(table, OBJECTS, tm_text_count(number, objects_of(target->reader)));
	tm_table_cell(table, MARKS, tm_text_count(number, marks_of(target->reader)));
	set_command(table, COMMAND, target->reader);
}

/* Sets a cell to a text that is the caller's to give away. */
static void give(struct tm_table *table, unsigned column, char *text)
{
	tm_table_cell(table, column, *text ? text : "-");
	free(text);
}

static void add_verbose_cells(struct tm_table *table, const struct tm_target *target)
{
	const struct tm_header *header = tm_reader_header(target->reader);
	char number[TM_TEXT_NUMBER];
	unsigned column = FIRST_OPTIONAL;

	if (header->parent_pid != 0)
		tm_table_cellf(table, column, "%u", header->parent_pid);
	else
		tm_table_cell(table, column, "-");
	tm_table_cell(table, ++column, tm_text_time(number, header->time_ns));
	tm_table_cell(table, ++column, tm_health_family(header));
	give(table, ++column, tm_health_losses(header));
	give(table, ++column, tm_health_blind(header));
	tm_table_cell(table, ++column, tm_text_bytes(number, disk_bytes(target->reader)));
	tm_table_cell(table, ++column, target->path);
	give(table, ++column, tm_health_alarm(header));
}

static void add_columns(struct tm_table *table, bool verbose, bool alarms)
{
	tm_table_column(table, "PID", TM_TABLE_RIGHT);
	tm_table_column(table, "STATE", 0);
	tm_table_column(table, "PYTHON", TM_TABLE_OPTIONAL);
	tm_table_column(table, "OBJECTS", TM_TABLE_RIGHT | TM_TABLE_OPTIONAL);
	tm_table_column(table, "MARKS", TM_TABLE_RIGHT | TM_TABLE_OPTIONAL);
	tm_table_column(table, "COMMAND", TM_TABLE_CUT);
	if (verbose) {
		tm_table_column(table, "PARENT", TM_TABLE_RIGHT);
		tm_table_column(table, "STARTED", 0);
		tm_table_column(table, "FAMILY", 0);
		tm_table_column(table, "LOST", 0);
		tm_table_column(table, "BLIND TO", 0);
		tm_table_column(table, "ON DISK", TM_TABLE_RIGHT);
		tm_table_column(table, "RECORDING", 0);
	}
	if (verbose || alarms)
		tm_table_column(table, "NOTE", TM_TABLE_CUT);
}

static bool has_alarm(const struct tm_target *target)
{
	char *alarm = tm_health_alarm(tm_reader_header(target->reader));
	bool any = *alarm != '\0';

	free(alarm);
	return any;
}

static void print_table(const struct tm_listing *listing, bool verbose)
{
	struct tm_table *table = tm_table_new(stdout);
	bool alarms = false;

	/* a terminal has no room for that many columns: print_health() says it in lines */
	verbose = verbose && tm_text_columns(stdout) == 0;
	for (size_t i = 0; i < listing->count; i++)
		alarms |= has_alarm(listing->targets[i]);
	add_columns(table, verbose, alarms);
	for (size_t i = 0; i < listing->count; i++) {
		add_row(table, listing->targets[i]);
		if (verbose)
			add_verbose_cells(table, listing->targets[i]);
		else if (alarms)
			give(table, FIRST_OPTIONAL,
			     tm_health_alarm(tm_reader_header(listing->targets[i]->reader)));
	}
	tm_table_print(table);
	tm_table_free(table);
}

/* A line of its own for a text that is the caller's to give away. */
static void say(const char *lead, char *text)
{
	if (*text)
		tm_paragraph_put(stdout, lead, "  ", text);
	free(text);
}

/* What add_verbose_cells() has in columns. */
static void print_verbose_lines(const struct tm_target *target)
{
	const struct tm_header *header = tm_reader_header(target->reader);
	char since[TM_TEXT_NUMBER], size[TM_TEXT_NUMBER];

	say("  started ", tm_mem_string(tm_text_time(since, header->time_ns)));
	if (header->parent_pid)
		say("  parent ", tm_mem_format("%u", header->parent_pid));
	say("  family ", tm_mem_string(tm_health_family(header)));
	say("  lost ", tm_health_losses(header));
	say("  blind to ", tm_health_blind(header));
	say("  on disk ", tm_mem_string(tm_text_bytes(size, disk_bytes(target->reader))));
	say("  recording ", tm_mem_string(target->path));
	say("  note: ", tm_health_alarm(header));
}

/* What the columns have no room for: each thing in a line of its own. */
static void print_health(const struct tm_target *target)
{
	const struct tm_header *header = tm_reader_header(target->reader);
	const struct tm_health_blind *blind;
	char *gap = tm_health_gap(header);
	char *recycled = tm_health_recycled(target->reader);
	unsigned at = 0;
	char *text;

	printf("\npid %u\n", pid_of(target));
	if (tm_text_columns(stdout) != 0)
		print_verbose_lines(target);
	if (tm_health_disagreements(header) > 0) {
		text = tm_health_disagreed(header);
		tm_paragraph_put(stdout, "- ", "  ", text);
		free(text);
	}
	if (gap)
		tm_paragraph_put(stdout, "- ", "  ", gap);
	while ((blind = tm_health_next_blind(header, &at)) != NULL) {
		text = tm_mem_format("%s: %s (bound: %s)", blind->name, blind->meaning,
				     blind->bound);
		tm_paragraph_put(stdout, "- ", "  ", text);
		free(text);
	}
	if (recycled) {
		tm_paragraph_put(stdout, "- ", "  ", recycled);
		free(recycled);
	}
	free(gap);
}

static void print_text(const struct tm_listing *listing, bool verbose)
{
	if (listing->count > 0)
		print_table(listing, verbose);
	else
		tm_paragraph_put(stdout, "", "  ",
				 "no recordings; tidemark run -- python3 app.py makes one");
	for (size_t i = 0; verbose && i < listing->count; i++)
		print_health(listing->targets[i]);
	if (listing->others > 0)
		say("",
		    tm_mem_format("%zu of other users not shown; add --any-user", listing->others));
	if (listing->broken_count > 0)
		say("", tm_mem_format("%zu unreadable, damaged or of another version; tidemark rm "
				      "--dead removes them",
				      listing->broken_count));
}

static int run(int argc, char **argv)
{
	struct arguments arguments = {0};
	struct tm_listing listing;

	tm_options_parse(&tm_cmd_ps, argc, argv, &arguments);
	tm_listing_make(&listing, true);
	if (arguments.json)
		print_json(&listing, arguments.verbose);
	else
		print_text(&listing, arguments.verbose);
	tm_listing_free(&listing);
	return TM_EXIT_OK;
}

const struct tm_command tm_cmd_ps = {
	.name = "ps",
	.args = "",
	.summary = "List recorded processes, running and finished",
	.notes =
		"Looks at the files that processes have mapped, and in dir= of TIDEMARK, /dev/shm, "
		"TMPDIR and /tmp.  OBJECTS is births less deaths; on Python before 3.13.3 blocks "
		"of "
		"the object allocator are counted.  MARKS counts those set by someone: start and "
		"exit are automatic.",
	.options = options,
	.parse = parse,
	.run = run,
};

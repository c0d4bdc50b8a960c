/*
 * cmd_reach.c - `tidemark reach`: which of these objects are there still
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asked.h"
#include "command.h"
#include "describe.h"
#include "error.h"
#include "mem.h"
#include "options.h"
#include "paragraph.h"
#include "reach.h"
#include "report.h"
#include "table.h"
#include "text.h"

struct arguments {
	const char *target;
	const char *at;
	const char *from;
	struct tm_reach_list list;
	bool read;
	bool describe;
	bool json;
};

/* Objects that are described: reading them takes system calls. */
#define MOST_DESCRIBED 10000u

enum {
	KEY_AT = 1,
	KEY_FROM,
	KEY_DESCRIBE,
	KEY_JSON,
};

static const struct argp_option options[] = {
	{"at", KEY_AT, "MARK", 0, "What was there at this mark (default: now)", 0},
	{"from", KEY_FROM, "MARK", 0,
	 "The mark that bare ids are from: what was created after it is another object (default: "
	 "the last mark; with --at that one)",
	 0},
	{"describe", KEY_DESCRIBE, NULL, 0,
	 "Also length and attribute names of what lives there, read from the running process", 0},
	{"json", KEY_JSON, NULL, 0, "Print JSON", 0},
	{0},
};

static const char notes[] =
	"An ID is a number as id() or hex(id()) print it.  With - they are read from the standard "
	"input: one after the other, or a list as tidemark ids --json prints it.  MARK is a "
	"mark's number or name, or start, now, exit.\n"
	"\n"
	"same: the very object lives.  reused: its memory is another object's.  gone: nothing "
	"lives there.  BORN is the mark after which the object was created, DIED the one after "
	"which it was gone.\n"
	"\n"
	"A list says of each object when it was created, and of itself for which mark it is and "
	"of which recording; a list of another recording is refused.  So it is told apart from an "
	"object of the same type that came to the same address later, however often that "
	"happened.  Only a list made for now leaves a doubt, about objects created after the "
	"last mark of then: they are \"certain\": false in JSON.\n"
	"\n"
	"A bare id says nothing of that.  It is taken to be of an object that lived at the mark "
	"--from: what lives there and was created before that mark is the same, what was created "
	"later is not.\n"
	"\n"
	"--describe reads the memory of the running process, as a debugger does and with the same "
	"permission: how long a container or text is, and what its attributes are called.  Values "
	"are "
	"not read.";

static void take_argument(struct arguments *a, const char *text)
{
	if (!a->target) {
		a->target = text;
		return;
	}
	if (strcmp(text, "-") == 0) {
		a->read = true;
		return;
	}
	if (tm_reach_list_add(&a->list, text) != TM_EXIT_OK)
		exit(TM_EXIT_USAGE);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case KEY_AT:
		a->at = arg;
		return 0;
	case KEY_FROM:
		a->from = arg;
		return 0;
	case KEY_DESCRIBE:
		a->describe = true;
		return 0;
	case KEY_JSON:
		a->json = true;
		return 0;
	case ARGP_KEY_ARG:
		take_argument(a, arg);
		return 0;
	case ARGP_KEY_END:
		if (!a->target)
			tm_options_error(state, "no target given");
		if (!a->read && a->list.count == 0)
			tm_options_error(state, "no ids given; - reads them");
		if (a->describe && a->at)
			tm_options_error(state, "--describe tells what is there now, so not with "
						"--at");
		if (a->read && a->list.count > 0)
			tm_options_error(state, "give ids, or - to read them, not both");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The life to tell about: what is there, or else the one that was meant. */
static const struct tm_reach_life *life_of(const struct tm_reach_id *id)
{
	return id->there.word ? &id->there : &id->was;
}

/* ---- JSON -------------------------------------------------------------------- */

static json_t *born_json(const struct tm_scan_facts *facts, uint64_t word)
{
	int64_t born = tm_scan_interval(facts, word);

	return born < 0 ? json_null() : json_integer(born);
}

/* Of what nothing is known the list may know something. */
static void add_identity(json_t *object, struct tm_model *model, const struct tm_reach_id *id,
			 const struct tm_scan_facts *facts)
{
	uint64_t word = life_of(id)->word;
	json_t *type = json_null();
	json_t *born = json_null();

	if (word) {
		type = tm_json_bytes(tm_model_text(model, tm_model_type(model, word)));
		born = born_json(facts, word);
	} else if (id->entry) {
		type = json_incref(json_object_get(id->entry, "type"));
		born = json_integer(id->born);
	}
	json_object_set_new(object, "type", type);
	json_object_set_new(object, "born", born);
}

/* What lives there, if anything does that is an object; else null. */
static json_t *description_of(struct tm_describer *describer, struct tm_model *model,
			      const struct tm_reach_id *id)
{
	if (tm_word_kind(id->there.word) != TM_OBJECT)
		return json_null();
	return tm_describe(describer, id->address,
			   tm_model_text(model, tm_model_type(model, id->there.word)));
}

static json_t *answer_json(const struct arguments *a, struct tm_model *model,
			   const struct tm_reach_id *id, const struct tm_scan_facts *facts)
{
	json_t *object = json_object();
	bool died = id->state != TM_REACH_SAME && id->was.word && id->was.death != TM_SCAN_ALIVE;

	json_object_set_new(object, "id", tm_json_address(id->address));
	json_object_set_new(object, "state", json_string(tm_reach_state_name(id->state)));
	add_identity(object, model, id, facts);
	json_object_set_new(object, "died", died ? json_integer(id->was.death) : json_null());
	json_object_set_new(object, "certain", json_boolean(id->certain));
	if (a->describe)
		json_object_set(object, "description", id->description);
	return object;
}

static void print_json(const struct arguments *a, const struct tm_asked *asked,
		       struct tm_model *model, const struct tm_scan_facts *facts,
		       const struct tm_notes *said)
{
	struct tm_json json = tm_json_open(stdout);

	tm_report_process_json(&json, asked->target->reader);
	tm_json_member(&json, "at", tm_report_point_json(&asked->span.to));
	tm_report_notes_json(&json, said, asked->target->reader);
	tm_json_array(&json, "ids");
	for (size_t i = 0; i < a->list.count; i++)
		tm_json_element(&json, answer_json(a, model, &a->list.ids[i], facts));
	tm_json_array_end(&json);
	tm_json_close(&json);
}

/* ---- text -------------------------------------------------------------------- */

enum column {
	ID,
	STATE,
	BORN,
	DIED,
	TYPE,
	LENGTH,
	ATTRIBUTES,
};

static void add_description(struct tm_table *table, const json_t *description)
{
	const json_t *length = json_object_get(description, "length");
	const json_t *names = json_object_get(description, "attributes");
	struct tm_paragraph text;
	json_t *name;
	size_t i;

	if (json_is_integer(length))
		tm_table_cellf(table, LENGTH, "%lld", (long long)json_integer_value(length));
	tm_paragraph_begin(&text);
	json_array_foreach(names, i, name)
	{
		fputs(i ? ", " : "", text.stream);
		fwrite(json_string_value(name), 1, json_string_length(name), text.stream);
	}
	fclose(text.stream);
	tm_table_cell_bytes(table, ATTRIBUTES, text.text, text.size);
	free(text.text);
}

static void add_row(struct tm_table *table, struct tm_model *model, const struct tm_reach_id *id,
		    const struct tm_scan_facts *facts)
{
	uint64_t word = life_of(id)->word;
	struct tm_bytes type = {"", 0};
	int64_t born = id->born;

	tm_table_row(table);
	tm_table_cellf(table, ID, "0x%" PRIx64, id->address);
	tm_table_cell(table, STATE, tm_reach_state_name(id->state));
	if (word) {
		type = tm_model_text(model, tm_model_type(model, word));
		born = tm_scan_interval(facts, word);
	} else if (id->entry) {
		type.data = json_string_value(json_object_get(id->entry, "type"));
		type.size = json_string_length(json_object_get(id->entry, "type"));
	}
	if (born < 0)
		tm_table_cell(table, BORN, "earlier");
	else if (word || id->entry)
		tm_table_cellf(table, BORN, "%" PRId64, born);
	if (id->state != TM_REACH_SAME && id->was.word && id->was.death != TM_SCAN_ALIVE)
		tm_table_cellf(table, DIED, "%" PRIu32, id->was.death);
	tm_table_cell_bytes(table, TYPE, type.data, type.size);
	if (id->description)
		add_description(table, id->description);
}

static void print_sums(const struct tm_reach_list *list)
{
	size_t states[TM_REACH_SAME + 1] = {0};
	char number[TM_TEXT_NUMBER];
	struct tm_paragraph line;

	for (size_t i = 0; i < list->count; i++)
		states[list->ids[i].state]++;
	tm_paragraph_begin(&line);
	fprintf(line.stream, "%s same, ", tm_text_count(number, states[TM_REACH_SAME]));
	fprintf(line.stream, "%s reused, ", tm_text_count(number, states[TM_REACH_REUSED]));
	fprintf(line.stream, "%s gone", tm_text_count(number, states[TM_REACH_GONE]));
	putchar('\n');
	tm_paragraph_end(&line, stdout, "", "  ");
}

static void print_text(const struct arguments *a, struct tm_model *model,
		       const struct tm_scan_facts *facts, const struct tm_notes *said)
{
	struct tm_table *table = tm_table_new(stdout);

	tm_table_column(table, "ID", 0);
	tm_table_column(table, "STATE", 0);
	tm_table_column(table, "BORN", TM_TABLE_RIGHT | TM_TABLE_OPTIONAL);
	tm_table_column(table, "DIED", TM_TABLE_RIGHT | TM_TABLE_OPTIONAL);
	tm_table_column(table, "TYPE", TM_TABLE_CUT);
	if (a->describe) {
		tm_table_column(table, "LENGTH", TM_TABLE_RIGHT | TM_TABLE_OPTIONAL);
		tm_table_column(table, "ATTRIBUTES", TM_TABLE_CUT);
	}
	for (size_t i = 0; i < a->list.count; i++)
		add_row(table, model, &a->list.ids[i], facts);
	tm_table_print(table);
	tm_table_free(table);
	print_sums(&a->list);
	tm_report_notes_text(said, stdout);
}

/* ---- the command ------------------------------------------------------------- */

static void note_doubts(struct tm_notes *said, const struct tm_reach_list *list)
{
	uint64_t doubts = 0;
	char *objects;

	for (size_t i = 0; i < list->count; i++)
		doubts += !list->ids[i].certain;
	if (doubts == 0)
		return;
	objects = tm_text_plural(doubts, "of these is", "of these are");
	tm_notes_add(said,
		     "%s taken for the same though another object of the same type and line may "
		     "have come in its place since the list was made: no mark was set between its "
		     "birth and the list",
		     objects);
	free(objects);
}

static uint64_t pending_of(struct tm_reach_list *list, struct tm_model *model)
{
	uint64_t pending = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct tm_reach_life *life = life_of(&list->ids[i]);

		pending += tm_word_kind(life->word) == TM_PENDING;
		/* what is damaged in the tables must be known before the notes are made */
		if (life->word)
			tm_model_type(model, life->word);
	}
	return pending;
}

/* Before anything is printed: what could not be read is in the notes. */
static void describe(struct arguments *a, const struct tm_target *target, struct tm_model *model,
		     struct tm_notes *said)
{
	const struct tm_header *header = tm_reader_header(target->reader);
	struct tm_describer *describer = tm_describe_begin(target->pid, header);

	for (size_t i = 0; i < a->list.count; i++)
		a->list.ids[i].description =
			describer && i < MOST_DESCRIBED
				? description_of(describer, model, &a->list.ids[i])
				: json_null();
	if (!describer)
		tm_notes_add(said, "nothing is described: this Python's objects are not known");
	else if (tm_describe_refused(describer))
		tm_notes_add(said, "not all is described: reading the memory of the process was "
				   "not permitted (ptrace_scope, or another user's)");
	if (a->list.count > MOST_DESCRIBED)
		tm_notes_add(said, "only the first %u are described", MOST_DESCRIBED);
	if (describer)
		tm_describe_end(describer);
}

static int report(struct arguments *a, const struct tm_asked *asked)
{
	struct tm_target *target = asked->target;
	struct tm_notes said = {0};
	struct tm_scan_facts facts = {0};
	struct tm_model *model;
	int status = tm_reach_list_check(&a->list, target->reader);

	if (status == TM_EXIT_OK && a->describe && target->state != TM_TARGET_LIVE) {
		tm_error(
			"only objects of a running process can be described; leave out --describe");
		status = TM_EXIT_USAGE;
	}
	if (status != TM_EXIT_OK)
		return status;
	tm_reach_find(&a->list, target->reader, &asked->span, &facts);
	model = tm_model_new(target->reader);
	tm_reach_judge(&a->list, model, &asked->span, &facts, target->state != TM_TARGET_LIVE);
	if (a->describe)
		describe(a, target, model, &said);
	note_doubts(&said, &a->list);
	tm_asked_notes(asked, &said, &facts, pending_of(&a->list, model));
	if (a->json)
		print_json(a, asked, model, &facts, &said);
	else
		print_text(a, model, &facts, &said);
	tm_model_free(model);
	tm_notes_free(&said);
	return status;
}

static int read_ids(struct arguments *a)
{
	int status = a->read ? tm_reach_list_read(&a->list, stdin) : TM_EXIT_OK;

	if (status == TM_EXIT_OK && a->list.document && a->from) {
		tm_error("a list knows what mark it is from; leave out --from");
		status = TM_EXIT_USAGE;
	}
	return status;
}

static int run(int argc, char **argv)
{
	struct arguments a = {0};
	struct tm_asked_words words;
	struct tm_asked asked;
	int status;

	tm_options_parse(&tm_cmd_reach, argc, argv, &a);
	status = read_ids(&a);
	words = (struct tm_asked_words){a.target, a.from, a.at};
	if (!a.from && a.at && strcmp(a.at, "now") != 0)
		words.from = a.at;
	if (status == TM_EXIT_OK)
		status = tm_asked_open(&asked, &words);
	if (status == TM_EXIT_OK) {
		status = report(&a, &asked);
		tm_asked_close(&asked);
	}
	tm_reach_list_free(&a.list);
	return status;
}

const struct tm_command tm_cmd_reach = {
	.name = "reach",
	.args = "TARGET ID…|-",
	.summary = "Say which of these objects live, and whether they are the same",
	.notes = notes,
	.options = options,
	.parse = parse,
	.run = run,
};

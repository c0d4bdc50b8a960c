/*
 * report_garbage.c - gc.garbage and cyclic trash, in the diff and in a report of their own
 */
#include <inttypes.h>
#include <stdlib.h>

#include "paragraph.h"
#include "report.h"
#include "text.h"

/* ---- JSON ---- */

/*
 * The text of what entries of one word have in common: there may be millions of them, and most
 * are alike.
 */
struct alike {
	uint64_t word;
	bool passes;
	char *type; /* NULL = none yet */
	char *site;
	char *born;
};

static void forget(struct alike *a)
{
	free(a->type);
	free(a->site);
	free(a->born);
}

/* The mark in whose interval it was born; null before the start mark, or not known. */
static json_t *born_json(const struct tm_scan_facts *facts, uint64_t word)
{
	int64_t interval = tm_scan_interval(facts, word);

	if (interval < 0 || (tm_word_birth(word) == 0 && tm_word_site(word) == 0))
		return json_null();
	return json_integer(interval);
}

static void look_up(struct alike *a, const struct tm_report *report, uint64_t word)
{
	struct tm_model *model = report->model;

	if (a->type && a->word == word)
		return;
	forget(a);
	a->word = word;
	a->passes = tm_filter_pass(report->filter, model, word);
	a->type = tm_json_text(tm_json_bytes(tm_model_text(model, tm_model_type(model, word))));
	a->site = tm_json_text(tm_report_site_json(model, tm_word_site(word)));
	a->born = tm_json_text(born_json(&report->diff->facts, word));
}

static void put_entry(struct tm_json *json, const struct alike *a, const struct tm_garbage_entry *e)
{
	char bytes[24] = "null";

	if (e->bytes)
		snprintf(bytes, sizeof(bytes), "%" PRIu64, e->bytes);
	tm_json_elementf(json,
			 "{\"type\":%s,\"id\":\"0x%" PRIx64 "\",\"site\":%s,\"since_mark\":%" PRIu32
			 ",\"born\":%s,\"bytes\":%s}",
			 a->type, e->address, a->site, e->since, a->born, bytes);
}

void tm_report_garbage_json(struct tm_json *json, const struct tm_report *report)
{
	const struct tm_garbage_list *list = &report->diff->garbage;
	struct alike a = {0};
	uint64_t shown = 0;

	tm_json_array(json, "garbage");
	for (size_t i = 0; i < list->count && (report->limit == 0 || shown < report->limit); i++) {
		look_up(&a, report, list->entries[i].word);
		if (!a.passes)
			continue;
		put_entry(json, &a, &list->entries[i]);
		shown++;
	}
	tm_json_array_end(json);
	forget(&a);
}

static json_t *cyclic_json(const struct tm_report *report, const struct tm_group *group)
{
	json_t *object = json_object();

	json_object_set_new(object, "type", tm_report_type_json(report, group));
	json_object_set_new(object, "site", tm_report_site_json(report->model, group->site));
	json_object_set_new(object, "objects", tm_json_count(group->objects));
	json_object_set_new(object, "bytes", tm_json_count(group->bytes));
	return object;
}

void tm_report_cyclic_json(struct tm_json *json, const struct tm_report *report,
			   const struct tm_groups *groups)
{
	uint64_t shown = 0;

	tm_json_array(json, "cyclic");
	for (size_t i = 0; i < groups->count; i++)
		if (tm_report_shows(report, &groups->items[i], shown)) {
			tm_json_element(json, cyclic_json(report, &groups->items[i]));
			shown++;
		}
	tm_json_array_end(json);
}

/* ---- text ---- */

static void put_title(const char *title, FILE *out)
{
	fprintf(out, "\n%s", tm_text_style(out, TM_STYLE_BOLD));
	tm_paragraph_put(out, "", "  ", title);
	fputs(tm_text_style(out, TM_STYLE_NONE), out);
}

static void put_counted(FILE *out, uint64_t count, const char *one, const char *many)
{
	char *text = tm_text_plural(count, one, many);

	fputs(text, out);
	free(text);
}

void tm_report_garbage_text(const struct tm_report *report, FILE *out)
{
	uint64_t count = 0, bytes = 0;
	struct tm_paragraph line;
	char size[TM_TEXT_NUMBER];

	for (size_t i = 0; i < report->garbage->count; i++) {
		tm_cells_sum(&count, report->garbage->items[i].objects);
		tm_cells_sum(&bytes, report->garbage->items[i].bytes);
	}
	if (count == 0)
		return;
	put_title("gc.garbage", out);
	tm_paragraph_begin(&line);
	put_counted(line.stream, count, "entry is", "entries are");
	fprintf(line.stream, " new and still there: %s without what they refer to",
		tm_text_bytes(size, bytes));
	tm_paragraph_end(&line, out, "", "  ");
	tm_report_groups_text(report, report->garbage, TM_COLUMN_SINCE, out);
}

void tm_report_cyclic_line(const struct tm_report *report, FILE *out)
{
	const struct tm_cyclic *cyclic = &report->diff->cyclic;
	struct tm_paragraph line;
	char size[TM_TEXT_NUMBER];

	if (cyclic->objects == 0)
		return;
	tm_paragraph_begin(&line);
	put_counted(line.stream, cyclic->objects, "object", "objects");
	fprintf(line.stream, " (%s) could only be reclaimed by the cyclic collector",
		tm_text_bytes(size, cyclic->bytes));
	tm_paragraph_end(&line, out, "", "  ");
}

void tm_report_cyclic_text(const struct tm_report *report, const struct tm_groups *groups,
			   FILE *out)
{
	if (groups->count == 0)
		return;
	put_title("Reclaimed only by the cyclic collector", out);
	tm_report_groups_text(report, groups, TM_COLUMN_NONE, out);
}

/*
 * report_verdict.c - the verdict in words and as JSON; its rules are in verdict.h
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mark_figures.h"
#include "paragraph.h"
#include "report.h"
#include "steady.h"
#include "text.h"
#include "verdict.h"

/* Groups named in it. */
#define TOP 3u

/* A share of the growth, or of what survived, from which on a group is worth a word. */
#define WORTH_PERCENT 50u

struct weighed {
	const struct tm_report *report;
	struct tm_verdict_facts facts;
	struct tm_verdict verdict;
	struct tm_steady steady; /* all of the diff's groups, whatever was asked for */
	const struct tm_group *top[TOP];
	unsigned top_count;
	unsigned steady_percent; /* of the growth, by steady groups; 0 = nothing to say of them */
};

static void find_top(struct weighed *w)
{
	const struct tm_groups *all = w->report->all;

	for (size_t i = 0; i < all->count; i++) {
		const struct tm_group *group = &all->items[i];
		unsigned at = w->top_count;

		while (at > 0 && w->top[at - 1]->bytes < group->bytes)
			at--;
		if (at == TOP)
			continue;
		if (w->top_count < TOP)
			w->top_count++;
		memmove(&w->top[at + 1], &w->top[at], (w->top_count - at - 1) * sizeof(w->top[0]));
		w->top[at] = group;
	}
}

static unsigned percent_of(uint64_t part, uint64_t whole)
{
	double percent = whole ? 100.0 * (double)part / (double)whole : 0.0;

	return percent > 100.0 ? 100 : (unsigned)(percent + 0.5);
}

/* Steady groups have the share of the live part's growth that they have of what survived. */
static unsigned explained(const struct weighed *w)
{
	double live = (double)w->verdict.parts[TM_PART_LIVE].bytes;
	double share = (double)w->steady.bytes / ((double)w->steady.of_bytes + 1.0);
	unsigned percent = percent_of((uint64_t)(live * share), (uint64_t)w->verdict.growth.bytes);

	return w->steady.groups && percent >= WORTH_PERCENT ? percent : 0;
}

static void weigh(struct weighed *w, const struct tm_report *report)
{
	const struct tm_diff *diff = report->diff;

	memset(w, 0, sizeof(*w));
	w->report = report;
	w->facts = (struct tm_verdict_facts){
		.from = tm_figures_known(&diff->span.from.mark.figures),
		.to = tm_figures_known(&diff->span.to.mark.figures),
		.gained = diff->gained,
		.lost = diff->lost,
		.trash_bytes = diff->totals.trash_bytes,
		.python_hex = tm_reader_header(report->reader)->python_hex,
	};
	tm_verdict_make(&w->verdict, &w->facts);
	tm_steady_make(&w->steady, report->all, diff);
	find_top(w);
	if (w->verdict.finding == TM_FINDING_OBJECTS && tm_steady_telling(&w->steady))
		w->steady_percent = explained(w);
}

/* ---- the sentence: names of the target in it are as they are, to be cleaned ---- */

static const char *bytes_text(char text[TM_TEXT_NUMBER], int64_t bytes)
{
	return tm_text_bytes(text, bytes < 0 ? -(uint64_t)bytes : (uint64_t)bytes);
}

static void put_bytes(FILE *out, struct tm_bytes bytes)
{
	fwrite(bytes.data, 1, bytes.size, out);
}

/* "app.Session at app.py:34" */
static void put_group(const struct weighed *w, const struct tm_group *group, FILE *out)
{
	struct tm_model *model = w->report->model;
	struct tm_place place;
	struct tm_bytes file;
	const char *slash;

	put_bytes(out, tm_report_type(w->report, group));
	if (!tm_model_place(model, group->site, &place))
		return;
	file = tm_model_text(model, place.file);
	slash = memrchr(file.data, '/', file.size);
	if (slash)
		file = (struct tm_bytes){slash + 1, (size_t)(file.data + file.size - slash - 1)};
	fputs(" at ", out);
	put_bytes(out, file);
	if (place.line)
		fprintf(out, ":%" PRIu32, place.line);
}

static void put_objects(const struct weighed *w, FILE *out)
{
	const struct tm_steady *s = &w->steady;
	unsigned first = w->top_count ? percent_of(w->top[0]->bytes, s->of_bytes) : 0;
	char *groups;

	if (w->steady_percent && s->groups == s->of_groups) {
		groups = tm_text_plural(s->groups, "group grows", "groups grow");
		fprintf(out, "%s in every %sinterval and explain%s %u%% of the growth", groups,
			s->all ? "" : "full ", s->groups == 1 ? "s" : "", w->steady_percent);
		free(groups);
		return;
	}
	if (w->steady_percent) {
		fprintf(out, "of %" PRIu64 " groups that grow in every %sinterval the largest ",
			s->of_groups, s->all ? "" : "full ");
		if (s->groups == 1)
			fputs("explains", out);
		else
			fprintf(out, "%" PRIu64 " explain", s->groups);
		fprintf(out, " %u%% of the growth", w->steady_percent);
		return;
	}
	fputs("the growth is live objects and buffers", out);
	if (first >= WORTH_PERCENT) {
		fprintf(out, "; %u%% of what survived is ", first);
		put_group(w, w->top[0], out);
	}
}

/* Live objects, where something else grew. */
static const char *objects_beside(const struct tm_verdict *v)
{
	uint64_t live =
		v->parts[TM_PART_LIVE].bytes > 0 ? (uint64_t)v->parts[TM_PART_LIVE].bytes : 0;

	return live < v->much || live < tm_verdict_grown(v) / 10 ? "objects are flat; " : "";
}

static const char *const part_words[TM_PARTS] = {
	[TM_PART_LIVE] = "live objects and buffers",
	[TM_PART_ARENAS_FREE] = "free space inside Python's arenas",
	[TM_PART_NATIVE] = "native memory, taken by C code",
	[TM_PART_MALLOC_FREE] = "free space inside the C library",
	[TM_PART_REST] = "the rest: mappings, stacks, libraries",
};

/* The largest part but for one. */
static enum tm_verdict_part largest(const struct tm_verdict *v, enum tm_verdict_part but)
{
	enum tm_verdict_part best = but == TM_PART_LIVE ? TM_PART_ARENAS_FREE : TM_PART_LIVE;

	for (unsigned i = 0; i < TM_PARTS; i++)
		if (i != but && v->parts[i].bytes > v->parts[best].bytes)
			best = (enum tm_verdict_part)i;
	return best;
}

/* The two largest parts and their shares. */
static void put_mixed(const struct tm_verdict *v, FILE *out)
{
	enum tm_verdict_part first = largest(v, TM_PARTS);
	enum tm_verdict_part second = largest(v, first);
	uint64_t grown = tm_verdict_grown(v);

	fprintf(out, "the growth is mixed: %u%% %s, %u%% %s",
		percent_of((uint64_t)v->parts[first].bytes, grown), part_words[first],
		percent_of((uint64_t)v->parts[second].bytes, grown), part_words[second]);
}

static void put_finding(const struct weighed *w, FILE *out)
{
	const struct tm_verdict *v = &w->verdict;
	char text[TM_TEXT_NUMBER];

	switch (v->finding) {
	case TM_FINDING_TRASH:
		fprintf(out, "; %s of cyclic trash waited for the mark's collection",
			bytes_text(text, (int64_t)v->trash_bytes));
		break;
	case TM_FINDING_REFILLED:
		fprintf(out, "; live objects and buffers did, by %s, in space that was free",
			bytes_text(text, v->parts[TM_PART_LIVE].bytes));
		break;
	case TM_FINDING_OBJECTS:
		put_objects(w, out);
		break;
	case TM_FINDING_CYCLES:
		fprintf(out,
			"%sthe growth is free arena space, left by cyclic trash that waited "
			"for the mark's collection",
			objects_beside(v));
		break;
	case TM_FINDING_ARENAS:
		fprintf(out, "%sthe growth is free arena space", objects_beside(v));
		break;
	case TM_FINDING_NATIVE:
		fprintf(out, "%sthe growth is native memory: C code took it and has not freed it",
			objects_beside(v));
		break;
	case TM_FINDING_MALLOC:
		fprintf(out, "%sthe growth is free space inside the C library", objects_beside(v));
		break;
	case TM_FINDING_UNTOLD:
		fprintf(out,
			"%swhat the growth is can't be told here, only between two marks with a "
			"collection",
			objects_beside(v));
		break;
	case TM_FINDING_REST:
		fprintf(out, "%sthe growth is in no allocator: mappings, stacks or libraries",
			objects_beside(v));
		break;
	case TM_FINDING_MIXED:
		put_mixed(v, out);
		break;
	case TM_FINDING_UNKNOWN:
	case TM_FINDING_SHRANK:
	case TM_FINDING_NONE:
	case TM_FINDINGS:
		break;
	}
}

static void put_sentence(const struct weighed *w, FILE *out)
{
	const struct tm_verdict *v = &w->verdict;
	char text[TM_TEXT_NUMBER];

	switch (v->finding) {
	case TM_FINDING_UNKNOWN:
		fprintf(out,
			"by how much the process grew is not known; live objects and buffers %s",
			v->parts[TM_PART_LIVE].bytes < 0 ? "shrank" : "grew");
		fprintf(out, " by %s", bytes_text(text, v->parts[TM_PART_LIVE].bytes));
		return;
	case TM_FINDING_SHRANK:
		fprintf(out, "the process shrank by %s", bytes_text(text, v->growth.bytes));
		return;
	case TM_FINDING_NONE:
	case TM_FINDING_TRASH:
	case TM_FINDING_REFILLED:
		fputs("the process did not grow", out);
		break;
	default:
		fprintf(out, "the process grew by %s: ", bytes_text(text, v->growth.bytes));
	}
	put_finding(w, out);
}

/* ---- text ---- */

/* A line of the table: its number, then words. */
static void put_line(FILE *out, const struct tm_amount *amount, const char *words)
{
	char text[TM_TEXT_NUMBER];
	char lead[2 * TM_TEXT_NUMBER];

	if (!amount->known)
		snprintf(lead, sizeof(lead), "  %11s  ", "not known");
	else
		snprintf(lead, sizeof(lead), "  %*s%s  ",
			 10 - (int)strlen(bytes_text(text, amount->bytes)) + 1,
			 amount->bytes < 0 ? "-" : "+", text);
	tm_paragraph_put(out, lead, "               ", words);
}

static bool is_top(const struct weighed *w, const struct tm_group *group)
{
	for (unsigned i = 0; i < w->top_count; i++)
		if (w->top[i] == group)
			return true;
	return false;
}

/* Live things are named by their largest groups of survivors, in the order of the report. */
static void put_live(const struct weighed *w, FILE *out)
{
	const struct tm_groups *all = w->report->all;
	struct tm_paragraph words;
	char text[TM_TEXT_NUMBER];
	unsigned named = 0;

	tm_paragraph_begin(&words);
	fputs(part_words[TM_PART_LIVE], words.stream);
	for (size_t i = 0; i < all->count && named < w->top_count; i++) {
		if (!is_top(w, &all->items[i]))
			continue;
		fputs(named++ ? ", " : "; new: ", words.stream);
		put_group(w, &all->items[i], words.stream);
		fprintf(words.stream, " %s", tm_text_bytes(text, all->items[i].bytes));
	}
	fclose(words.stream);
	put_line(out, &w->verdict.parts[TM_PART_LIVE], words.text);
	free(words.text);
}

static void put_table(const struct weighed *w, FILE *out)
{
	const struct tm_verdict *v = &w->verdict;
	struct tm_amount trash = {true, (int64_t)v->trash_bytes};

	put_live(w, out);
	for (unsigned i = TM_PART_LIVE + 1; i < TM_PARTS; i++)
		put_line(out, &v->parts[i], part_words[i]);
	fputs(tm_text_style(out, TM_STYLE_DIM), out);
	if (v->trash_bytes > 0 && v->trash_bytes <= INT64_MAX)
		put_line(out, &trash,
			 "cyclic trash until the mark's collection took it; in no sum");
	if (v->own.known)
		put_line(out, &v->own, "Tidemark's own memory, in no sum");
	fputs(tm_text_style(out, TM_STYLE_NONE), out);
}

bool tm_report_verdict_text(const struct tm_report *report, FILE *out)
{
	struct weighed w;
	struct tm_paragraph line;

	weigh(&w, report);
	tm_paragraph_begin(&line);
	put_sentence(&w, line.stream);
	fputs(tm_text_style(out, TM_STYLE_BOLD), out);
	tm_paragraph_end(&line, out, "", "  ");
	fputs(tm_text_style(out, TM_STYLE_NONE), out);
	if (w.verdict.growth.known)
		put_table(&w, out);
	fputc('\n', out);
	return w.steady_percent != 0;
}

/* ---- JSON ---- */

static json_t *amount_json(const struct tm_amount *amount)
{
	return amount->known ? json_integer(amount->bytes) : json_null();
}

static json_t *parts_json(const struct tm_verdict *v)
{
	json_t *object = json_object();

	for (unsigned i = 0; i < TM_PARTS; i++)
		json_object_set_new(object, tm_part_name((enum tm_verdict_part)i),
				    amount_json(&v->parts[i]));
	return object;
}

static json_t *footprint_json(const struct tm_footprint *footprint)
{
	json_t *object = json_object();

	json_object_set_new(object, "objects", tm_json_count(footprint->objects));
	json_object_set_new(object, "bytes", tm_json_count(footprint->bytes));
	return object;
}

static json_t *steady_json(const struct tm_steady *s)
{
	json_t *object;

	if (!tm_steady_telling(s))
		return json_null();
	object = json_object();
	json_object_set_new(object, "intervals", json_integer(s->intervals));
	json_object_set_new(object, "of_groups", tm_json_count(s->of_groups));
	json_object_set_new(object, "groups", tm_json_count(s->groups));
	json_object_set_new(object, "bytes", tm_json_count(s->bytes));
	return object;
}

static json_t *top_json(const struct weighed *w)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < w->top_count; i++) {
		const struct tm_group *group = w->top[i];
		json_t *object = json_object();

		json_object_set_new(object, "type", tm_report_type_json(w->report, group));
		json_object_set_new(object, "site",
				    tm_report_site_json(w->report->model, group->site));
		json_object_set_new(object, "objects", tm_json_count(group->objects));
		json_object_set_new(object, "bytes", tm_json_count(group->bytes));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *sentence_json(const struct weighed *w)
{
	struct tm_paragraph sentence;
	json_t *text;

	tm_paragraph_begin(&sentence);
	put_sentence(w, sentence.stream);
	fclose(sentence.stream);
	text = tm_text_json(sentence.text, sentence.size);
	free(sentence.text);
	return text;
}

void tm_report_verdict_json(struct tm_json *json, const struct tm_report *report)
{
	json_t *object = json_object();
	struct weighed w;

	weigh(&w, report);
	json_object_set_new(object, "finding", json_string(tm_finding_name(w.verdict.finding)));
	json_object_set_new(object, "sentence", sentence_json(&w));
	json_object_set_new(object, "growth", amount_json(&w.verdict.growth));
	json_object_set_new(object, "parts", parts_json(&w.verdict));
	json_object_set_new(object, "gained", footprint_json(&w.facts.gained));
	json_object_set_new(object, "lost", footprint_json(&w.facts.lost));
	json_object_set_new(object, "trash", tm_json_count(w.verdict.trash_bytes));
	json_object_set_new(object, "own", amount_json(&w.verdict.own));
	json_object_set_new(object, "steady", steady_json(&w.steady));
	json_object_set_new(object, "top", top_json(&w));
	json_object_set_new(object, "from", tm_figures_json(&w.facts.from));
	json_object_set_new(object, "to", tm_figures_json(&w.facts.to));
	tm_json_member(json, "verdict", object);
}

/*
 * report_groups.c - groups of survivors for people: a line of numbers, then where they are from
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "paragraph.h"
#include "report.h"
#include "source.h"
#include "text.h"

/* Callers of one group that are printed. */
#define MOST_CALLERS 15u

/* Numbers in a row of survivors per interval, at most. */
#define MOST_NUMBERS 12u

/* Terminals of fewer columns go without the column of intervals. */
#define NARROW 60u

#define INDENT	     "       "
#define FIRST_CALLER INDENT "  called from "
#define NEXT_CALLER  INDENT "              "

/* Everything that prints has the stream, the width and the report at hand. */
struct page {
	const struct tm_report *report;
	FILE *out;
	enum tm_report_column column; /* NONE where there is no room for it */
	bool by_interval;	      /* a row of numbers for each group */
	unsigned columns;	      /* 0 = unlimited */
	int count_width;
	int bytes_width;
	int column_width;
};

static const char *style(const struct page *p, enum tm_text_style which)
{
	return tm_text_style(p->out, which);
}

/* File and line, and the function in the same line or, where it does not fit, in the next. */
static void put_where(const struct page *p, const char *lead, const struct tm_place *place)
{
	struct tm_bytes file = tm_model_text(p->report->model, place->file);
	struct tm_bytes function = tm_model_text(p->report->model, place->function);
	char line[24] = "";
	size_t before = strlen(lead), after;

	if (place->line)
		snprintf(line, sizeof(line), ":%" PRIu32, place->line);
	after = strlen(line) + strlen(" in ") + tm_paragraph_width(function);
	fputs(lead, p->out);
	if (!p->columns || before + tm_paragraph_width(file) + after <= p->columns) {
		tm_text_put(p->out, file.data, file.size);
		fprintf(p->out, "%s in ", line);
		tm_text_put(p->out, function.data, function.size);
	} else {
		tm_paragraph_fit(p->out, file, before + strlen(line));
		fprintf(p->out, "%s\n%*sin ", line, (int)before, "");
		tm_paragraph_fit(p->out, function, before + strlen("in "));
	}
	fputc('\n', p->out);
}

static void put_source(const struct page *p, const struct tm_place *place)
{
	bool changed = false;
	char *line = tm_source_line(p->report->reader, tm_model_text(p->report->model, place->file),
				    place->line, &changed);

	if (!line)
		return;
	fprintf(p->out, INDENT "  %s| ", style(p, TM_STYLE_DIM));
	tm_paragraph_fit(p->out, (struct tm_bytes){line, strlen(line)}, strlen(INDENT) + 4);
	if (changed)
		fputs("\n" INDENT "  (the file was changed since)", p->out);
	fprintf(p->out, "%s\n", style(p, TM_STYLE_NONE));
	free(line);
}

static void put_callers(const struct page *p, uint32_t site)
{
	struct tm_place place;
	unsigned shown = 0, more = 0;

	while ((site = tm_model_caller(p->report->model, site)) != 0 &&
	       shown + more < TM_MODEL_MOST_FRAMES) {
		if (shown == MOST_CALLERS) {
			more++;
			continue;
		}
		if (tm_model_place(p->report->model, site, &place))
			put_where(p, shown ? NEXT_CALLER : FIRST_CALLER, &place);
		shown++;
	}
	if (more)
		fprintf(p->out, NEXT_CALLER "and %u frames more\n", more);
}

/* The file or module that a group by these has in common. */
static void put_common(const struct page *p, const struct tm_place *place)
{
	struct tm_model *model = p->report->model;

	if (p->report->by == TM_BY_FILE) {
		fputs(INDENT, p->out);
		tm_paragraph_fit(p->out, tm_model_text(model, place->file), strlen(INDENT));
	} else if (p->report->by == TM_BY_MODULE) {
		fputs(INDENT "module ", p->out);
		tm_paragraph_fit(p->out, tm_model_text(model, tm_model_module(model, place->file)),
				 strlen(INDENT "module "));
	} else {
		return;
	}
	fputc('\n', p->out);
}

/* Of a group with several places: the most frequent one. */
static void put_site(const struct page *p, const struct tm_group *group)
{
	enum tm_group_by by = p->report->by;
	bool mostly = by == TM_BY_TYPE || by == TM_BY_FILE || by == TM_BY_MODULE;
	struct tm_place place;

	if (!tm_model_place(p->report->model, group->site, &place)) {
		fprintf(p->out, INDENT "%sno Python frame\n", by == TM_BY_TYPE ? "mostly " : "");
		return;
	}
	put_common(p, &place);
	put_where(p, mostly ? INDENT "mostly " : INDENT, &place);
	put_source(p, &place);
	put_callers(p, group->site);
}

static void put_by_interval(const struct page *p, const struct tm_group *group)
{
	uint32_t count, each;
	uint64_t *numbers;
	char number[TM_TEXT_NUMBER];
	struct tm_paragraph row;

	numbers = tm_report_by_interval(p->report, group, MOST_NUMBERS, &count, &each);
	tm_paragraph_begin(&row);
	if (each > 1)
		fprintf(row.stream, "per %" PRIu32 " intervals:", each);
	else
		fputs("per interval:", row.stream);
	for (uint32_t i = 0; i < count; i++)
		fprintf(row.stream, " %s", tm_text_count(number, numbers[i]));
	fputs(style(p, TM_STYLE_DIM), p->out);
	tm_paragraph_end(&row, p->out, INDENT, INDENT "  ");
	fputs(style(p, TM_STYLE_NONE), p->out);
	free(numbers);
}

static const char *const column_titles[] = {
	[TM_COLUMN_NONE] = "", [TM_COLUMN_INTERVALS] = "INTERVALS", [TM_COLUMN_SINCE] = "SINCE"};

static const char *column_text(const struct page *p, const struct tm_group *group,
			       char text[TM_TEXT_NUMBER])
{
	const struct tm_point *to = &p->report->diff->span.to;

	if (p->column == TM_COLUMN_INTERVALS)
		snprintf(text, TM_TEXT_NUMBER, "%" PRIu32 " of %" PRIu32, group->generations,
			 p->report->diff->intervals);
	else if (to->now && group->since == to->number)
		snprintf(text, TM_TEXT_NUMBER, "now");
	else
		snprintf(text, TM_TEXT_NUMBER, "mark %" PRIu32, group->since);
	return text;
}

static void put_column(const struct page *p, const struct tm_group *group)
{
	char text[TM_TEXT_NUMBER];

	if (p->column != TM_COLUMN_NONE)
		fprintf(p->out, "  %*s", p->column_width, column_text(p, group, text));
}

static void put_type(const struct page *p, const struct tm_group *group, size_t used)
{
	struct tm_bytes type = tm_report_type(p->report, group);
	char *text;

	if (!tm_report_is_owned(p->report, group)) {
		tm_paragraph_fit(p->out, type, used);
		return;
	}
	text = tm_mem_format("(buffer of %.*s)", (int)type.size, type.data);
	tm_paragraph_fit(p->out, (struct tm_bytes){text, strlen(text)}, used);
	free(text);
}

static void put_group(const struct page *p, const struct tm_group *group, uint64_t rank)
{
	char count[TM_TEXT_NUMBER];
	char bytes[TM_TEXT_NUMBER];
	size_t used = 4 + 2 + (size_t)p->count_width + 2 + (size_t)p->bytes_width + 2;

	if (p->column != TM_COLUMN_NONE)
		used += 2 + (size_t)p->column_width;
	fprintf(p->out, "\n%4" PRIu64 "  %*s  %*s", rank, p->count_width,
		tm_text_count(count, group->objects), p->bytes_width,
		tm_text_bytes(bytes, group->bytes));
	put_column(p, group);
	fprintf(p->out, "  %s", style(p, TM_STYLE_BOLD));
	put_type(p, group, used);
	fprintf(p->out, "%s\n", style(p, TM_STYLE_NONE));
	put_site(p, group);
	if (p->by_interval)
		put_by_interval(p, group);
}

static void widen(int *width, const char *text)
{
	int length = (int)strlen(text);

	if (length > *width)
		*width = length;
}

static void fit_columns(struct page *p, const struct tm_groups *groups)
{
	char text[TM_TEXT_NUMBER];
	uint64_t shown = 0;

	if (p->columns && p->columns < NARROW)
		p->column = TM_COLUMN_NONE;
	p->count_width = (int)strlen("COUNT");
	p->bytes_width = (int)strlen("BYTES");
	p->column_width = (int)strlen(column_titles[p->column]);
	for (size_t i = 0; i < groups->count; i++) {
		const struct tm_group *group = &groups->items[i];

		if (!tm_report_shows(p->report, group, shown))
			continue;
		shown++;
		widen(&p->count_width, tm_text_count(text, group->objects));
		widen(&p->bytes_width, tm_text_bytes(text, group->bytes));
		if (p->column != TM_COLUMN_NONE)
			widen(&p->column_width, column_text(p, group, text));
	}
}

static void put_left_out(const struct page *p, uint64_t groups, uint64_t things, uint64_t bytes)
{
	char number[TM_TEXT_NUMBER];
	char size[TM_TEXT_NUMBER];
	char *counted, *text;

	if (groups == 0)
		return;
	counted = tm_text_plural(groups, "more group", "more groups");
	text = tm_mem_format("%s: %s allocations, %s; --limit 0 --min 0 shows all", counted,
			     tm_text_count(number, things), tm_text_bytes(size, bytes));
	fputc('\n', p->out);
	tm_paragraph_put(p->out, "      and ", "      ", text);
	free(counted);
	free(text);
}

static void put_titles(const struct page *p)
{
	fprintf(p->out, "\n%s      %*s  %*s", style(p, TM_STYLE_DIM), p->count_width, "COUNT",
		p->bytes_width, "BYTES");
	if (p->column != TM_COLUMN_NONE)
		fprintf(p->out, "  %*s", p->column_width, column_titles[p->column]);
	fprintf(p->out, "  TYPE%s", style(p, TM_STYLE_NONE));
}

void tm_report_groups_text(const struct tm_report *report, const struct tm_groups *groups,
			   enum tm_report_column column, FILE *out)
{
	struct page page = {
		.report = report, .out = out, .columns = tm_text_columns(out), .column = column};
	uint64_t shown = 0, left = 0, things = 0, bytes = 0;

	if (column == TM_COLUMN_INTERVALS && report->diff->intervals < 2)
		page.column = TM_COLUMN_NONE;
	page.by_interval = page.column == TM_COLUMN_INTERVALS;
	fit_columns(&page, groups);
	put_titles(&page);
	for (size_t i = 0; i < groups->count; i++) {
		const struct tm_group *group = &groups->items[i];

		if (tm_report_shows(report, group, shown)) {
			put_group(&page, group, ++shown);
			continue;
		}
		left++;
		tm_cells_sum(&things, group->objects);
		tm_cells_sum(&bytes, group->bytes);
	}
	if (shown == 0)
		fputc('\n', out);
	put_left_out(&page, left, things, bytes);
}

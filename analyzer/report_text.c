/*
 * report_text.c - a diff for people: what it says first, then what it rests on
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "report.h"
#include "source.h"
#include "text.h"

/* Callers of one group that are printed. */
#define MOST_CALLERS 15u

/* Numbers in a row of survivors per interval, at most. */
#define MOST_NUMBERS 12u

/* From so many intervals on it can be said that something keeps growing. */
#define TELLING_INTERVALS 3u

#define INDENT "       "

/* Everything that prints has the stream, the width and the report at hand. */
struct page {
	const struct tm_report *report;
	FILE *out;
	unsigned columns; /* 0 = unlimited */
	int count_width;
	int bytes_width;
	int intervals_width; /* 0 = there is one interval, no column for it */
};

static const char *style(const struct page *p, enum tm_text_style which)
{
	return tm_text_style(p->out, which);
}

/* A text of the target, cut in its middle to what is left of a line after `used` columns. */
static void put_fitted(const struct page *p, struct tm_bytes text, size_t used)
{
	char *clean = tm_text_clean(text.data, text.size);
	char *cut = clean;

	if (p->columns) {
		size_t left = p->columns > used + 10 ? p->columns - used : 10;

		cut = tm_text_shorten(clean, left);
		free(clean);
	}
	fputs(cut, p->out);
	free(cut);
}

static size_t width_of(struct tm_bytes text)
{
	char *clean = tm_text_clean(text.data, text.size);
	size_t width = tm_text_width(clean);

	free(clean);
	return width;
}

/* ---- head ---- */

static void put_point(const struct page *p, const char *label, const struct tm_point *point)
{
	char time[TM_TEXT_NUMBER];

	fprintf(p->out, "%s ", label);
	tm_report_point_text(point, p->out);
	if (point->time_ns)
		fprintf(p->out, ", %s", tm_text_time(time, point->time_ns));
	if (!point->now && point->mark.rss) {
		char rss[TM_TEXT_NUMBER];

		fprintf(p->out, ", %s resident", tm_text_bytes(rss, point->mark.rss));
	}
	fputc('\n', p->out);
}

static void put_head(const struct page *p)
{
	const struct tm_report *r = p->report;
	const struct tm_span *span = &r->diff->span;
	struct tm_bytes python = tm_report_python(r->reader);

	fputs(style(p, TM_STYLE_BOLD), p->out);
	tm_report_command_text(r->reader, p->out);
	fprintf(p->out, "%s\npid %" PRIu32 " (%s), Python ", style(p, TM_STYLE_NONE),
		tm_reader_header(r->reader)->pid, r->state);
	tm_text_put(p->out, python.data, python.size);
	fputc('\n', p->out);
	put_point(p, "from", &span->from);
	put_point(p, "to  ", &span->to);
	if (r->diff->intervals > 1) {
		char time[TM_TEXT_NUMBER];

		fprintf(p->out, "     %" PRIu32 " intervals", r->diff->intervals);
		if (span->to.time_ns > span->from.time_ns && span->from.time_ns)
			fprintf(p->out, " in %s",
				tm_text_duration(time, span->to.time_ns - span->from.time_ns));
		fputc('\n', p->out);
	}
	fputc('\n', p->out);
}

/* ---- totals and finding ---- */

static void put_counted(const struct page *p, uint64_t count, const char *one, const char *many)
{
	char *text = tm_text_plural(count, one, many);

	fputs(text, p->out);
	free(text);
}

static void put_totals(const struct page *p)
{
	const struct tm_totals *t = &p->report->diff->totals;
	char number[TM_TEXT_NUMBER];

	fputs(style(p, TM_STYLE_BOLD), p->out);
	put_counted(p, t->survived_objects, "object", "objects");
	fprintf(p->out, " (%s)", tm_text_bytes(number, t->survived_bytes - t->buffer_bytes));
	if (t->buffers) {
		fputs(" and ", p->out);
		put_counted(p, t->buffers, "buffer", "buffers");
		fprintf(p->out, " (%s)", tm_text_bytes(number, t->buffer_bytes));
	}
	fprintf(p->out, " survived%s\n", style(p, TM_STYLE_NONE));
	fprintf(p->out, "%s created, ", tm_text_count(number, t->created));
	fprintf(p->out, "%s destroyed", tm_text_count(number, t->destroyed));
	if (t->freed_objects)
		fprintf(p->out, ", of these %s from before",
			tm_text_count(number, t->freed_objects));
	if (t->garbage)
		fprintf(p->out, "; gc.garbage grew by %s", tm_text_count(number, t->garbage));
	fputc('\n', p->out);
}

/* Intervals that left any survivors: nothing can be in the others. */
static uint32_t telling_intervals(const struct tm_report *r)
{
	bool *any = tm_mem_array((size_t)r->diff->intervals + 1, sizeof(*any));
	uint32_t first = r->diff->span.from.number, count = 0;

	for (size_t i = 0; i < r->groups->count; i++)
		for (uint32_t k = 0; k < r->groups->items[i].generations; k++)
			any[r->groups->items[i].intervals[k].interval - first] = true;
	for (uint32_t k = 0; k < r->diff->intervals; k++)
		count += any[k];
	free(any);
	return count;
}

static void put_finding(const struct page *p)
{
	const struct tm_report *r = p->report;
	uint32_t intervals = telling_intervals(r);
	uint64_t steady = 0, bytes = 0, all = 0;

	for (size_t i = 0; i < r->groups->count; i++) {
		const struct tm_group *group = &r->groups->items[i];

		tm_cells_sum(&all, group->bytes);
		if (group->generations < intervals)
			continue;
		steady++;
		tm_cells_sum(&bytes, group->bytes);
	}
	if (intervals < TELLING_INTERVALS)
		return;
	if (steady == 0) {
		fputs("no group has survivors in every interval: nothing grows all the time\n",
		      p->out);
		return;
	}
	fputs(style(p, TM_STYLE_YELLOW), p->out);
	put_counted(p, steady, "group has", "groups have");
	fprintf(p->out,
		" survivors in every interval%s, as leaks do, and hold%s %.0f%% of the bytes%s\n",
		intervals < r->diff->intervals ? " that left any" : "", steady == 1 ? "s" : "",
		all ? 100.0 * (double)bytes / (double)all : 0.0, style(p, TM_STYLE_NONE));
}

static void put_verdict(const struct page *p)
{
	const struct tm_report *r = p->report;

	if (r->notes->incomplete)
		fprintf(p->out, "%sincomplete: numbers may be wrong, see the notes at the end%s\n",
			style(p, TM_STYLE_RED), style(p, TM_STYLE_NONE));
	put_totals(p);
	put_finding(p);
	if (r->groups->count == 0)
		fputs(r->filtered ? "nothing of what was asked for survived\n"
				  : "nothing that was created in between is still there\n",
		      p->out);
}

/* ---- groups ---- */

static void put_where(const struct page *p, const char *lead, const struct tm_place *place)
{
	struct tm_bytes function = tm_model_text(p->report->model, place->function);
	char line[24] = "";
	size_t tail;

	if (place->line)
		snprintf(line, sizeof(line), ":%" PRIu32, place->line);
	tail = strlen(line) + (function.size ? 4 + width_of(function) : 0);
	fputs(lead, p->out);
	put_fitted(p, tm_model_text(p->report->model, place->file), strlen(lead) + tail);
	fputs(line, p->out);
	if (function.size) {
		fputs(" in ", p->out);
		tm_text_put(p->out, function.data, function.size);
	}
	fputc('\n', p->out);
}

static void put_source(const struct page *p, const struct tm_place *place)
{
	bool changed = false;
	char *line = tm_source_line(p->report->reader, tm_model_text(p->report->model, place->file),
				    place->line, &changed);
	const char *warning = changed ? "  (file changed since)" : "";

	if (!line)
		return;
	fprintf(p->out, INDENT "  %s| ", style(p, TM_STYLE_DIM));
	put_fitted(p, (struct tm_bytes){line, strlen(line)}, strlen(INDENT) + 4 + strlen(warning));
	fprintf(p->out, "%s%s\n", warning, style(p, TM_STYLE_NONE));
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
			put_where(p, shown ? INDENT "         " : INDENT "  called ", &place);
		shown++;
	}
	if (more)
		fprintf(p->out, INDENT "         and %u frames more\n", more);
}

/* What the group has in common of its place; the rest is that of its most frequent site. */
static void put_site(const struct page *p, const struct tm_group *group)
{
	enum tm_group_by by = p->report->by;
	bool mostly = by == TM_BY_TYPE || by == TM_BY_FILE || by == TM_BY_MODULE;
	struct tm_place place;

	if (!tm_model_place(p->report->model, group->site, &place)) {
		fprintf(p->out, INDENT "%sno Python frame\n", mostly ? "mostly " : "");
		return;
	}
	put_where(p, mostly ? INDENT "mostly " : INDENT, &place);
	put_source(p, &place);
	put_callers(p, group->site);
}

static void put_by_interval(const struct page *p, const struct tm_group *group)
{
	uint32_t count, each;
	uint64_t *numbers = tm_report_by_interval(p->report, group, MOST_NUMBERS, &count, &each);
	char text[TM_TEXT_NUMBER];

	if (p->report->diff->intervals > 1) {
		fprintf(p->out, INDENT "%sper ", style(p, TM_STYLE_DIM));
		if (each > 1)
			fprintf(p->out, "%" PRIu32 " intervals:", each);
		else
			fputs("interval:", p->out);
		for (uint32_t i = 0; i < count; i++)
			fprintf(p->out, " %s", tm_text_count(text, numbers[i]));
		fprintf(p->out, "%s\n", style(p, TM_STYLE_NONE));
	}
	free(numbers);
}

static void put_intervals(const struct page *p, const struct tm_group *group)
{
	char text[TM_TEXT_NUMBER];

	if (p->intervals_width) {
		snprintf(text, sizeof(text), "%" PRIu32 " of %" PRIu32, group->generations,
			 p->report->diff->intervals);
		fprintf(p->out, "  %*s", p->intervals_width, text);
	}
}

static void put_group(const struct page *p, const struct tm_group *group, uint64_t rank)
{
	char count[TM_TEXT_NUMBER];
	char bytes[TM_TEXT_NUMBER];
	size_t used = 4 + 2 + (size_t)p->count_width + 2 + (size_t)p->bytes_width + 2;

	if (p->intervals_width)
		used += 2 + (size_t)p->intervals_width;
	fprintf(p->out, "\n%4" PRIu64 "  %*s  %*s", rank, p->count_width,
		tm_text_count(count, group->objects), p->bytes_width,
		tm_text_bytes(bytes, group->bytes));
	put_intervals(p, group);
	fprintf(p->out, "  %s", style(p, TM_STYLE_BOLD));
	put_fitted(p, tm_report_type(p->report, group), used);
	fprintf(p->out, "%s\n", style(p, TM_STYLE_NONE));
	put_site(p, group);
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

	p->count_width = (int)strlen("COUNT");
	p->bytes_width = (int)strlen("BYTES");
	for (size_t i = 0; i < groups->count; i++)
		if (tm_report_shows(p->report, &groups->items[i], shown)) {
			widen(&p->count_width, tm_text_count(text, groups->items[i].objects));
			widen(&p->bytes_width, tm_text_bytes(text, groups->items[i].bytes));
			shown++;
		}
	p->intervals_width = 0;
	if (p->report->diff->intervals > 1) {
		snprintf(text, sizeof(text), "%" PRIu32 " of %" PRIu32, p->report->diff->intervals,
			 p->report->diff->intervals);
		p->intervals_width = (int)strlen("INTERVALS");
		widen(&p->intervals_width, text);
	}
}

static void put_left_out(const struct page *p, uint64_t groups, uint64_t things, uint64_t bytes)
{
	char number[TM_TEXT_NUMBER];
	char size[TM_TEXT_NUMBER];

	if (groups == 0)
		return;
	fputs("\n      and ", p->out);
	put_counted(p, groups, "group", "groups");
	fprintf(p->out, " more with %s in %s; --limit 0 --min 0 shows all\n",
		tm_text_bytes(size, bytes), tm_text_count(number, things));
}

static void put_groups(struct page *p, const struct tm_groups *groups)
{
	uint64_t shown = 0, left = 0, things = 0, bytes = 0;

	fit_columns(p, groups);
	fprintf(p->out, "\n%s      %*s  %*s", style(p, TM_STYLE_DIM), p->count_width, "COUNT",
		p->bytes_width, "BYTES");
	if (p->intervals_width)
		fprintf(p->out, "  %*s", p->intervals_width, "INTERVALS");
	fprintf(p->out, "  TYPE%s", style(p, TM_STYLE_NONE));
	for (size_t i = 0; i < groups->count; i++) {
		const struct tm_group *group = &groups->items[i];

		if (tm_report_shows(p->report, group, shown)) {
			put_group(p, group, ++shown);
			continue;
		}
		left++;
		tm_cells_sum(&things, group->objects);
		tm_cells_sum(&bytes, group->bytes);
	}
	put_left_out(p, left, things, bytes);
}

static void put_trash(struct page *p)
{
	const struct tm_totals *t = &p->report->diff->totals;
	char bytes[TM_TEXT_NUMBER];

	if (p->report->trash->count == 0)
		return;
	fprintf(p->out, "\n%sCyclic trash%s: ", style(p, TM_STYLE_BOLD), style(p, TM_STYLE_NONE));
	put_counted(p, t->trash_objects, "object", "objects");
	fprintf(p->out,
		" more (%s with buffers) were alive but unreachable,\n"
		"and went in the collection made for the mark\n",
		tm_text_bytes(bytes, t->trash_bytes));
	put_groups(p, p->report->trash);
}

void tm_report_text(const struct tm_report *report, FILE *out)
{
	struct page page = {.report = report, .out = out, .columns = tm_text_columns(out)};

	put_head(&page);
	put_verdict(&page);
	if (report->groups->count)
		put_groups(&page, report->groups);
	put_trash(&page);
	tm_report_notes_text(report->notes, out);
}

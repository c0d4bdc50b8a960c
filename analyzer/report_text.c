/*
 * report_text.c - a diff for people: what it says first, then what it rests on
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mark_figures.h"
#include "mem.h"
#include "paragraph.h"
#include "report.h"
#include "steady.h"
#include "text.h"

/* Everything that prints has the stream and the report at hand. */
struct page {
	const struct tm_report *report;
	FILE *out;
	bool steady_said; /* the verdict has named the groups that grow all the time */
};

static const char *style(const struct page *p, enum tm_text_style which)
{
	return tm_text_style(p->out, which);
}

static void put_counted(FILE *out, uint64_t count, const char *one, const char *many)
{
	char *text = tm_text_plural(count, one, many);

	fputs(text, out);
	free(text);
}

static void put_point(const struct page *p, const char *label, const struct tm_point *point)
{
	struct tm_figures figures = tm_figures_known(&point->mark.figures);
	uint64_t resident = tm_figures_resident(&figures);
	struct tm_paragraph line;
	char text[TM_TEXT_NUMBER];

	tm_paragraph_begin(&line);
	tm_report_point_text(point, line.stream);
	if (point->time_ns)
		fprintf(line.stream, ", %s", tm_text_time(text, point->time_ns));
	if (resident != TM_UNKNOWN)
		fprintf(line.stream, ", %s resident", tm_text_bytes(text, resident));
	tm_paragraph_end(&line, p->out, label, "     ");
}

static void put_intervals(const struct page *p, const struct tm_span *span)
{
	struct tm_paragraph line;
	char time[TM_TEXT_NUMBER];

	if (p->report->diff->intervals < 2)
		return;
	tm_paragraph_begin(&line);
	fprintf(line.stream, "%" PRIu32 " intervals", p->report->diff->intervals);
	if (span->from.time_ns && span->to.time_ns > span->from.time_ns)
		fprintf(line.stream, " in %s",
			tm_text_duration(time, span->to.time_ns - span->from.time_ns));
	tm_paragraph_end(&line, p->out, "     ", "     ");
}

/* Marks' own collections included, see runs.h. */
static void put_collections(const struct page *p)
{
	const struct tm_collections *all = &p->report->diff->collections.all;
	struct tm_paragraph line;
	char time[TM_TEXT_NUMBER];

	if (all->count == 0)
		return;
	tm_paragraph_begin(&line);
	put_counted(line.stream, all->count, "collection", "collections");
	fprintf(line.stream, " took %s", tm_text_duration(time, all->ns));
	if (all->count > 1)
		fprintf(line.stream, ", the longest %s", tm_text_duration(time, all->longest_ns));
	tm_paragraph_end(&line, p->out, "     ", "     ");
}

static void put_head(const struct page *p)
{
	const struct tm_report *r = p->report;
	struct tm_bytes python = tm_report_python(r->reader);
	struct tm_paragraph line;

	tm_paragraph_begin(&line);
	tm_report_command_text(r->reader, line.stream);
	fputs(style(p, TM_STYLE_BOLD), p->out);
	tm_paragraph_end(&line, p->out, "", "  ");
	fputs(style(p, TM_STYLE_NONE), p->out);
	tm_paragraph_begin(&line);
	fprintf(line.stream, "pid %" PRIu32 " (%s), Python ", tm_reader_header(r->reader)->pid,
		r->state);
	tm_text_put(line.stream, python.data, python.size);
	tm_paragraph_end(&line, p->out, "", "  ");
	put_point(p, "from ", &r->diff->span.from);
	put_point(p, "to   ", &r->diff->span.to);
	put_intervals(p, &r->diff->span);
	put_collections(p);
	fputc('\n', p->out);
}

/* ---- totals and finding ---- */

static void put_survivors(const struct page *p)
{
	const struct tm_totals *t = &p->report->diff->totals;
	struct tm_paragraph line;
	char number[TM_TEXT_NUMBER];

	tm_paragraph_begin(&line);
	put_counted(line.stream, t->survived_objects, "object", "objects");
	fprintf(line.stream, " (%s)",
		tm_text_bytes(number, t->survived_bytes - t->buffer_bytes - t->grown_bytes));
	if (t->buffers) {
		fputs(" and ", line.stream);
		put_counted(line.stream, t->buffers, "buffer", "buffers");
		fprintf(line.stream, " (%s)", tm_text_bytes(number, t->buffer_bytes));
	}
	fputs(" survived", line.stream);
	if (t->grown_buffers) {
		fputs("; ", line.stream);
		put_counted(line.stream, t->grown_buffers, "buffer", "buffers");
		fprintf(line.stream, " of older objects grew by %s",
			tm_text_bytes(number, t->grown_bytes));
	}
	fputs(style(p, TM_STYLE_BOLD), p->out);
	tm_paragraph_end(&line, p->out, "", "  ");
	fputs(style(p, TM_STYLE_NONE), p->out);
}

static void put_events(const struct page *p)
{
	const struct tm_totals *t = &p->report->diff->totals;
	struct tm_paragraph line;
	char number[TM_TEXT_NUMBER];

	tm_paragraph_begin(&line);
	fprintf(line.stream, "%s created, ", tm_text_count(number, t->created));
	fprintf(line.stream, "%s destroyed", tm_text_count(number, t->destroyed));
	if (t->freed_objects)
		fprintf(line.stream, ", of these %s from before",
			tm_text_count(number, t->freed_objects));
	if (t->garbage)
		fprintf(line.stream, "; %s new in gc.garbage", tm_text_count(number, t->garbage));
	tm_paragraph_end(&line, p->out, "", "  ");
}

static void put_steady(const struct page *p, const struct tm_steady *steady)
{
	double percent =
		steady->of_bytes ? 100.0 * (double)steady->bytes / (double)steady->of_bytes : 0.0;
	struct tm_paragraph line;

	if (steady->of_groups == 0) {
		tm_paragraph_put(p->out, "", "  ",
				 "no group has survivors in every interval: nothing grows all the "
				 "time");
		return;
	}
	tm_paragraph_begin(&line);
	put_counted(line.stream, steady->of_groups, "group has", "groups have");
	fprintf(line.stream, " survivors in every %sinterval, as leaks do",
		steady->all ? "" : "full ");
	if (steady->groups < steady->of_groups)
		fprintf(line.stream, "; the largest %" PRIu64, steady->groups);
	else
		fputs(", and", line.stream);
	fprintf(line.stream, " hold%s %.0f%% of the bytes", steady->groups == 1 ? "s" : "",
		percent);
	fputs(style(p, TM_STYLE_YELLOW), p->out);
	tm_paragraph_end(&line, p->out, "", "  ");
	fputs(style(p, TM_STYLE_NONE), p->out);
}

static void put_finding(const struct page *p)
{
	struct tm_steady steady;

	tm_steady_make(&steady, p->report->groups, p->report->diff);
	if (tm_steady_telling(&steady) && !p->steady_said)
		put_steady(p, &steady);
}

static void put_incomplete(const struct page *p)
{
	if (!p->report->notes->incomplete)
		return;
	fputs(style(p, TM_STYLE_RED), p->out);
	tm_paragraph_put(p->out, "", "  ",
			 "incomplete: numbers may be wrong, see the notes at the end");
	fputs(style(p, TM_STYLE_NONE), p->out);
}

static void put_summary(const struct page *p)
{
	const struct tm_report *r = p->report;

	put_survivors(p);
	put_events(p);
	tm_report_cyclic_line(p->report, p->out);
	put_finding(p);
	if (r->groups->count == 0)
		tm_paragraph_put(p->out, "", "  ",
				 r->filtered
					 ? "nothing of what was asked for survived"
					 : "nothing that was created in between is still there");
}

/* Buffers alone are nobody's cycle: the collector frees some of its own. */
static void put_trash(const struct page *p)
{
	const struct tm_totals *t = &p->report->diff->totals;
	struct tm_paragraph line;
	char bytes[TM_TEXT_NUMBER];

	if (p->report->trash->count == 0 || t->trash_objects == 0)
		return;
	tm_paragraph_begin(&line);
	put_counted(line.stream, t->trash_objects, "more object", "more objects");
	fprintf(line.stream,
		", %s with buffers, alive but unreachable; the collection made for the mark took "
		"them",
		tm_text_bytes(bytes, t->trash_bytes));
	fprintf(p->out, "\n%sCyclic trash%s\n", style(p, TM_STYLE_BOLD), style(p, TM_STYLE_NONE));
	tm_paragraph_end(&line, p->out, "", "  ");
	tm_report_groups_text(p->report, p->report->trash, TM_COLUMN_INTERVALS, p->out);
}

void tm_report_head_text(const struct tm_report *report, FILE *out)
{
	struct page page = {.report = report, .out = out};

	put_head(&page);
}

void tm_report_text(const struct tm_report *report, FILE *out)
{
	struct page page = {.report = report, .out = out};

	put_head(&page);
	put_incomplete(&page);
	page.steady_said = tm_report_verdict_text(report, out) && !report->filtered &&
			   report->by == TM_BY_TYPE_AND_SITE;
	put_summary(&page);
	if (report->groups->count)
		tm_report_groups_text(report, report->groups, TM_COLUMN_INTERVALS, out);
	tm_report_growth_text(report, out);
	put_trash(&page);
	tm_report_garbage_text(report, out);
	tm_report_notes_text(report->notes, out);
}

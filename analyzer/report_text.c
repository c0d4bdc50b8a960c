/*
 * report_text.c - a diff for people: what it says first, then what it rests on
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "report.h"
#include "text.h"

/* From so many intervals on it can be said that something keeps growing. */
#define TELLING_INTERVALS 3u

/* Everything that prints has the stream and the report at hand. */
struct page {
	const struct tm_report *report;
	FILE *out;
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

static void put_totals(const struct page *p)
{
	const struct tm_totals *t = &p->report->diff->totals;
	char number[TM_TEXT_NUMBER];

	fputs(style(p, TM_STYLE_BOLD), p->out);
	put_counted(p->out, t->survived_objects, "object", "objects");
	fprintf(p->out, " (%s)", tm_text_bytes(number, t->survived_bytes - t->buffer_bytes));
	if (t->buffers) {
		fputs(" and ", p->out);
		put_counted(p->out, t->buffers, "buffer", "buffers");
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

/*
 * The intervals that tell growth from what was made once: not that of the program's own
 * start, nor the last one unless a set mark ends it, nor any in which nothing survived at
 * all.  Gives an array of flags, to be released with free().
 */
static bool *telling_intervals(const struct tm_report *r, uint32_t *count)
{
	const struct tm_span *span = &r->diff->span;
	uint32_t first = span->from.number, all = r->diff->intervals;
	bool *telling = tm_mem_array((size_t)all + 1, sizeof(*telling));

	for (size_t i = 0; i < r->groups->count; i++)
		for (uint32_t k = 0; k < r->groups->items[i].generations; k++)
			telling[r->groups->items[i].intervals[k].interval - first] = true;
	if (first == 0)
		telling[0] = false;
	if (all > 0 && (span->to.now || (span->to.mark.flags & TM_MF_EXIT)))
		telling[all - 1] = false;
	*count = 0;
	for (uint32_t k = 0; k < all; k++)
		*count += telling[k];
	return telling;
}

static bool is_steady(const struct tm_group *group, const bool *telling, uint32_t count,
		      uint32_t first)
{
	uint32_t in = 0;

	for (uint32_t k = 0; k < group->generations; k++)
		in += telling[group->intervals[k].interval - first];
	return in == count;
}

static void put_finding(const struct page *p)
{
	const struct tm_report *r = p->report;
	uint64_t steady = 0, bytes = 0, all = 0;
	uint32_t count;
	bool *telling = telling_intervals(r, &count);

	for (size_t i = 0; i < r->groups->count; i++) {
		const struct tm_group *group = &r->groups->items[i];

		tm_cells_sum(&all, group->bytes);
		if (!is_steady(group, telling, count, r->diff->span.from.number))
			continue;
		steady++;
		tm_cells_sum(&bytes, group->bytes);
	}
	free(telling);
	if (count < TELLING_INTERVALS)
		return;
	if (steady == 0) {
		fputs("no group has survivors in every interval: nothing grows all the time\n",
		      p->out);
		return;
	}
	fputs(style(p, TM_STYLE_YELLOW), p->out);
	put_counted(p->out, steady, "group has", "groups have");
	fprintf(p->out,
		" survivors in every %sinterval, as leaks do, and hold%s %.0f%% of the bytes%s\n",
		count < r->diff->intervals ? "full " : "", steady == 1 ? "s" : "",
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

/* Buffers alone are nobody's cycle: the collector frees some of its own. */
static void put_trash(const struct page *p)
{
	const struct tm_totals *t = &p->report->diff->totals;
	char bytes[TM_TEXT_NUMBER];

	if (p->report->trash->count == 0 || t->trash_objects == 0)
		return;
	fprintf(p->out, "\n%sCyclic trash:%s ", style(p, TM_STYLE_BOLD), style(p, TM_STYLE_NONE));
	put_counted(p->out, t->trash_objects, "more object", "more objects");
	fprintf(p->out, ", %s with buffers, alive but unreachable;\n",
		tm_text_bytes(bytes, t->trash_bytes));
	fputs("the collection made for the mark took them\n", p->out);
	tm_report_groups_text(p->report, p->report->trash, p->out);
}

void tm_report_text(const struct tm_report *report, FILE *out)
{
	struct page page = {.report = report, .out = out};

	put_head(&page);
	put_verdict(&page);
	if (report->groups->count)
		tm_report_groups_text(report, report->groups, out);
	put_trash(&page);
	tm_report_notes_text(report->notes, out);
}

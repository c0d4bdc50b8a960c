/*
 * points.c - from what the user types to marks
 */
#include "points.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "error.h"
#include "options.h"

#define NO_MARK UINT32_MAX

struct chooser {
	struct tm_reader *reader;
	bool live;
	uint32_t newest;
	uint32_t exit_mark; /* NO_MARK = none was set */
};

static struct tm_bytes literal(const char *text)
{
	return (struct tm_bytes){text, strlen(text)};
}

struct tm_bytes tm_points_mark_name(const struct tm_mark *mark)
{
	struct tm_bytes name = tm_mark_name(mark);

	if (name.size == 0 && (mark->flags & TM_MF_START))
		return literal("start");
	if (name.size == 0 && (mark->flags & TM_MF_EXIT))
		return literal("exit");
	return name;
}

struct tm_bytes tm_point_name(const struct tm_point *point)
{
	if (point->now)
		return literal("now");
	if (point->number == 0)
		return literal("start");
	return tm_points_mark_name(&point->mark);
}

uint32_t tm_points_newest(const struct tm_reader *reader)
{
	uint32_t current = tm_reader_header(reader)->current;

	return current < TM_MAX_MARK ? current : TM_MAX_MARK;
}

static uint32_t find_exit(struct tm_reader *reader, uint32_t newest)
{
	for (uint32_t n = newest; n > 0; n--) {
		const struct tm_mark *mark = tm_reader_mark(reader, n);

		if (mark && (mark->flags & TM_MF_EXIT))
			return n;
	}
	return NO_MARK;
}

static void set_mark(const struct chooser *c, uint32_t number, struct tm_point *out)
{
	const struct tm_mark *mark = tm_reader_mark(c->reader, number);

	memset(out, 0, sizeof(*out));
	out->number = number;
	if (mark && mark->state != TM_MARK_EMPTY) {
		memcpy(&out->mark, mark, sizeof(out->mark));
		out->time_ns = mark->time_ns;
	} else if (number == 0) {
		out->time_ns = tm_reader_header(c->reader)->time_ns;
	}
}

static void set_now(const struct chooser *c, struct tm_point *out)
{
	struct timespec t;

	memset(out, 0, sizeof(*out));
	out->number = c->newest + 1;
	out->now = true;
	memset(&out->mark.figures, 0xff, sizeof(out->mark.figures)); /* TM_UNKNOWN */
	if (c->live && clock_gettime(CLOCK_REALTIME, &t) == 0)
		out->time_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	else
		out->time_ns = tm_reader_header(c->reader)->saved_ns;
}

static bool is_named(struct tm_reader *reader, uint32_t number, struct tm_bytes name)
{
	const struct tm_mark *mark = tm_reader_mark(reader, number);
	struct tm_bytes has;

	if (!mark || mark->state == TM_MARK_EMPTY)
		return false;
	has = tm_mark_name(mark);
	return has.size == name.size && memcmp(has.data, name.data, name.size) == 0;
}

static int find_name(const struct chooser *c, const char *text, struct tm_point *out,
		     uint32_t *alike)
{
	struct tm_bytes name = literal(text);
	uint32_t found = NO_MARK;

	for (uint32_t n = c->newest; n > 0 && name.size > 0; n--) {
		if (!is_named(c->reader, n, name))
			continue;
		if (found == NO_MARK)
			found = n;
		else
			++*alike;
	}
	if (found == NO_MARK) {
		tm_error("no mark is named '%s'; see tidemark marks", text);
		return TM_EXIT_USAGE;
	}
	set_mark(c, found, out);
	return TM_EXIT_OK;
}

static int find_number(const struct chooser *c, const char *text, uint64_t number,
		       struct tm_point *out, uint32_t *alike)
{
	if (number <= c->newest) {
		set_mark(c, (uint32_t)number, out);
		return TM_EXIT_OK;
	}
	for (uint32_t n = c->newest; n > 0; n--)
		if (is_named(c->reader, n, literal(text)))
			return find_name(c, text, out, alike);
	tm_error("there is no mark %s, the newest is %" PRIu32 "; see tidemark marks", text,
		 c->newest);
	return TM_EXIT_USAGE;
}

static int find(const struct chooser *c, const char *text, struct tm_point *out, uint32_t *alike)
{
	uint64_t number;

	if (strcmp(text, "now") == 0) {
		set_now(c, out);
		return TM_EXIT_OK;
	}
	if (strcmp(text, "start") == 0) {
		set_mark(c, 0, out);
		return TM_EXIT_OK;
	}
	if (strcmp(text, "exit") == 0) {
		if (c->exit_mark == NO_MARK) {
			tm_error("there is no exit mark, %s; use now",
				 c->live ? "the process still runs"
					 : "the process ended without one");
			return TM_EXIT_USAGE;
		}
		set_mark(c, c->exit_mark, out);
		return TM_EXIT_OK;
	}
	if (tm_options_number(text, &number) == 0)
		return find_number(c, text, number, out, alike);
	return find_name(c, text, out, alike);
}

/* The last mark that somebody set: the exit mark comes by itself. */
static uint32_t last_set(const struct chooser *c)
{
	if (c->exit_mark == NO_MARK || c->exit_mark != c->newest)
		return c->newest;
	return c->exit_mark - 1;
}

int tm_points_choose(struct tm_reader *reader, bool live, const char *from, const char *to,
		     struct tm_span *span)
{
	struct chooser c = {reader, live, tm_points_newest(reader), NO_MARK};
	int status = TM_EXIT_OK;

	memset(span, 0, sizeof(*span));
	c.exit_mark = find_exit(reader, c.newest);
	if (to)
		status = find(&c, to, &span->to, &span->alike_to);
	else if (c.exit_mark != NO_MARK && !live)
		set_mark(&c, c.exit_mark, &span->to);
	else
		set_now(&c, &span->to);
	if (status != TM_EXIT_OK)
		return status;
	if (from)
		status = find(&c, from, &span->from, &span->alike_from);
	else
		set_mark(&c, last_set(&c), &span->from);
	if (status == TM_EXIT_OK && span->from.number > span->to.number) {
		tm_error("FROM (%s) is later than TO (%s); give them the other way round",
			 from ? from : "the last mark", to ? to : "exit");
		status = TM_EXIT_USAGE;
	}
	return status;
}

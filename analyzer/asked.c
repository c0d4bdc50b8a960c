/*
 * asked.c - from the command line to an opened target and two points
 */
#include "asked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "mailbox.h"
#include "process.h"
#include "text.h"

/* A busy process may take that long to reach a safe point; a report can do without. */
#define FOLLOW_UP_MS 2000

bool tm_asked_take(struct tm_asked_words *words, const char *argument)
{
	const char **places[] = {&words->target, &words->from, &words->to};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (!*places[i]) {
			*places[i] = argument;
			return true;
		}
	return false;
}

static const char *follow_up(const struct tm_target *target)
{
	switch (tm_mailbox_follow_up(target, FOLLOW_UP_MS)) {
	case 0:
		return NULL;
	case -ESRCH:
		return "the process is gone";
	case -EPERM:
		return "the process may not be signalled";
	case -EBUSY:
		return "another request to the process is still waiting";
	case -EOPNOTSUPP:
		return "the process does not take the mark signal";
	case -ETIMEDOUT:
		return "the process has not reached a safe point in time";
	default:
		return "the process could not be asked";
	}
}

static int reload(struct tm_asked *asked)
{
	const char *damage;

	if (tm_reader_reload(asked->target->reader) == 0)
		return TM_EXIT_OK;
	damage = tm_reader_damage(asked->target->reader);
	tm_error("cannot read %s: %s; record again", asked->target->path, damage ? damage : "");
	return TM_EXIT_DAMAGED;
}

/* The present has no mark that looked: what the system says of the process must do. */
static void look_now(const struct tm_target *target, struct tm_point *point)
{
	struct tm_figures *figures = &point->mark.figures;
	const struct tm_mark *newest = tm_reader_mark(target->reader, point->number - 1);
	uint64_t resident, recording;

	if (!point->now || tm_process_memory(target->pid, &resident, &recording) != 0)
		return;
	figures->rss = resident;
	/* what is ours beside the recording hardly grows once the program's threads are there */
	if (newest && newest->figures.own_private)
		figures->own = recording + newest->figures.own_private;
}

static int prepare(struct tm_asked *asked, const struct tm_asked_words *words)
{
	struct tm_target *target = asked->target;
	bool live = target->state == TM_TARGET_LIVE;
	bool now = words->to ? strcmp(words->to, "now") == 0 : live;
	int status = TM_EXIT_OK;

	if (now && tm_mailbox_follow_up_tells(tm_reader_header(target->reader))) {
		asked->unresolved = live ? follow_up(target) : "the process has ended";
		status = reload(asked);
	}
	if (status == TM_EXIT_OK)
		status = tm_points_choose(target->reader, live, words->from, words->to,
					  &asked->span);
	if (status == TM_EXIT_OK && live) {
		look_now(target, &asked->span.from);
		look_now(target, &asked->span.to);
	}
	return status;
}

int tm_asked_open(struct tm_asked *asked, const struct tm_asked_words *words)
{
	int status;

	memset(asked, 0, sizeof(*asked));
	status = tm_target_open(words->target, &asked->target);
	if (status != TM_EXIT_OK)
		return status;
	status = prepare(asked, words);
	if (status != TM_EXIT_OK)
		tm_asked_close(asked);
	return status;
}

void tm_asked_close(struct tm_asked *asked)
{
	tm_target_close(asked->target);
}

static void note_recording(const struct tm_asked *asked, struct tm_notes *notes)
{
	if (asked->target->state == TM_TARGET_KILLED)
		tm_notes_add(notes, "the process was killed: the recording ends where it was then");
	tm_notes_recording(notes, asked->target->reader);
}

void tm_asked_notes(const struct tm_asked *asked, struct tm_notes *notes,
		    const struct tm_scan_facts *facts, uint64_t pending)
{
	char *blocks = tm_text_plural(pending, "block is", "blocks is");

	tm_notes_span(notes, &asked->span, facts);
	if (pending)
		tm_notes_add(notes, "the type of %s not resolved%s%s", blocks,
			     asked->unresolved ? ": " : " yet",
			     asked->unresolved ? asked->unresolved : "");
	note_recording(asked, notes);
	free(blocks);
}

void tm_asked_collector_notes(const struct tm_asked *asked, struct tm_notes *notes)
{
	tm_notes_names(notes, &asked->span);
	tm_notes_collector(notes, &asked->span);
	note_recording(asked, notes);
}

/*
 * notes.c - from counters and flags to sentences
 */
#include "notes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "health.h"
#include "mem.h"
#include "text.h"

void tm_notes_add(struct tm_notes *notes, const char *fmt, ...)
{
	va_list args;

	notes->lines =
		tm_mem_grow(notes->lines, notes->count, &notes->capacity, sizeof(*notes->lines));
	va_start(args, fmt);
	notes->lines[notes->count++] = tm_mem_vformat(fmt, args);
	va_end(args);
}

void tm_notes_free(struct tm_notes *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		free(notes->lines[i]);
	free(notes->lines);
}

/*
 * What a loss counter means.  `one` and `many` follow the number; `numbers` says whether
 * births or deaths are missing from the numbers because of it.
 */
static const struct {
	enum tm_loss loss;
	bool numbers;
	const char *one;
	const char *many;
} losses[] = {
	{TM_L_NO_SPACE, true, "birth is not recorded: no space was left for it",
	 "births are not recorded: no space was left for them"},
	{TM_L_ADDRESS, true, "birth is not recorded: its address has no place in a recording",
	 "births are not recorded: their addresses have no place in a recording"},
	{TM_L_TALLIES, true, "death across marks is not recorded: no space was left for it",
	 "deaths across marks are not recorded: no space was left for them"},
	{TM_L_SITES, false, "object has no site: the table of call stacks was full",
	 "objects have no site: the table of call stacks was full"},
	{TM_L_TYPES, false,
	 "class has no name here, its objects are of " TM_OTHER_TYPES ": the table of types was "
	 "full",
	 "classes have no names here, their objects are of " TM_OTHER_TYPES ": the table of types "
	 "was full"},
	{TM_L_MARKS, false, "mark was refused: the table of marks was full",
	 "marks were refused: the table of marks was full"},
	{TM_L_GARBAGE, false, "entry of gc.garbage is not recorded: no space was left for it",
	 "entries of gc.garbage are not recorded: no space was left for them"},
	{TM_L_CYCLIC, false,
	 "object that the collector reclaimed is not counted as such: no space was left for it",
	 "objects that the collector reclaimed are not counted as such: no space was left for "
	 "them"},
};

static void note_losses(struct tm_notes *notes, const struct tm_header *header)
{
	char number[TM_TEXT_NUMBER];

	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		uint64_t lost = header->losses[losses[i].loss];

		if (lost == 0)
			continue;
		notes->incomplete |= losses[i].numbers;
		tm_notes_add(notes, "%s %s", tm_text_count(number, lost),
			     lost == 1 ? losses[i].one : losses[i].many);
	}
}

static void note_space(struct tm_notes *notes, const struct tm_header *header)
{
	char since[TM_TEXT_NUMBER];

	if (header->full_since_ns) {
		tm_notes_add(notes,
			     "space for the recording ended at %s; what came later is not in it",
			     tm_text_time(since, header->full_since_ns));
		notes->incomplete = true;
	}
}

static void note_tracer(struct tm_notes *notes, const struct tm_header *header)
{
	char *gap = tm_health_gap(header);

	if (!gap)
		return;
	notes->incomplete = true;
	tm_notes_add(notes, "%s", gap);
	free(gap);
}

static void note_disagreements(struct tm_notes *notes, const struct tm_header *header)
{
	char *text;

	if (tm_health_disagreements(header) == 0)
		return;
	text = tm_health_disagreed(header);
	tm_notes_add(notes, "%s", text);
	free(text);
}

/* That space ended is said with its time already. */
static void note_blind(struct tm_notes *notes, const struct tm_header *header)
{
	const struct tm_health_blind *blind;
	unsigned at = 0;

	while ((blind = tm_health_next_blind(header, &at)) != NULL)
		if (strcmp(blind->name, "space") != 0)
			tm_notes_add(notes, "%s (bound: %s)", blind->meaning, blind->bound);
}

static void note_recycled(struct tm_notes *notes, struct tm_reader *reader)
{
	char *text = tm_health_recycled(reader);

	if (text)
		tm_notes_add(notes, "%s", text);
	free(text);
}

static void note_recorder(struct tm_notes *notes, const struct tm_header *header)
{
	size_t length = strnlen((const char *)header->message, sizeof(header->message));

	if (header->state == TM_PS_STOPPED) {
		tm_notes_add(notes, "the recorder switched itself off: %.*s", (int)length,
			     (const char *)header->message);
		notes->incomplete = true;
	} else if (length > 0) {
		tm_notes_add(notes, "the recorder says: %.*s", (int)length,
			     (const char *)header->message);
	}
}

void tm_notes_recording(struct tm_notes *notes, struct tm_reader *reader)
{
	const struct tm_header *header = tm_reader_header(reader);
	const char *damage = tm_reader_damage(reader);

	if (damage) {
		tm_notes_add(notes, "the recording is damaged: %s", damage);
		notes->incomplete = true;
	}
	note_recorder(notes, header);
	note_space(notes, header);
	note_losses(notes, header);
	note_disagreements(notes, header);
	note_tracer(notes, header);
	note_blind(notes, header);
	note_recycled(notes, reader);
}

void tm_notes_scan(struct tm_notes *notes, const struct tm_scan_facts *facts)
{
	char *deaths;

	if (facts->unsure == 0)
		return;
	deaths = tm_text_plural(facts->unsure, "death", "deaths");
	tm_notes_add(notes, "up to %s may count twice: they came faster than they could be read",
		     deaths);
	free(deaths);
	notes->incomplete = true;
}

/* Marks are named in sentences as the user may type them. */
static void note_mark(struct tm_notes *notes, const struct tm_point *point)
{
	uint32_t flags = point->mark.flags;

	if (point->mark.state == TM_MARK_EMPTY)
		tm_notes_add(notes, "mark %" PRIu32 " was being set when the recording ended",
			     point->number);
	else if (point->mark.state != TM_MARK_FOLLOWED)
		tm_notes_add(notes,
			     "mark %" PRIu32 " is not followed up yet: its collection is still to "
			     "come, and types may be",
			     point->number);
	else if (flags & TM_MF_MERGED)
		tm_notes_add(notes,
			     "mark %" PRIu32 " was followed up together with a later one, so no "
			     "collection was made at it and cyclic trash counts as surviving",
			     point->number);
	else if (!(flags & TM_MF_COLLECTED))
		tm_notes_add(notes,
			     "no collection was made at mark %" PRIu32
			     ", so cyclic trash counts as surviving",
			     point->number);
}

static void note_heap(struct tm_notes *notes, const struct tm_point *point)
{
	uint64_t ns = point->mark.figures.heap_ns;
	char lasting[TM_TEXT_NUMBER];

	if (ns)
		tm_notes_add(notes,
			     "mark %" PRIu32
			     " does not know what malloc() has handed out and keeps "
			     "free: counting it could have taken %s, too long without a collection",
			     point->number, tm_text_duration(lasting, ns));
}

static void note_alike(struct tm_notes *notes, const struct tm_point *point, uint32_t older)
{
	struct tm_bytes name = tm_point_name(point);

	if (older)
		tm_notes_add(notes,
			     "%" PRIu32 " older mark%s named '%.*s' too; the newest, %" PRIu32
			     ", is taken",
			     older, older == 1 ? " is" : "s are", (int)name.size, name.data,
			     point->number);
}

void tm_notes_names(struct tm_notes *notes, const struct tm_span *span)
{
	note_alike(notes, &span->from, span->alike_from);
	note_alike(notes, &span->to, span->alike_to);
}

void tm_notes_figures(struct tm_notes *notes, const struct tm_span *span)
{
	if (span->to.now) /* which knows less */
		return;
	note_heap(notes, &span->from);
	note_heap(notes, &span->to);
}

void tm_notes_collector(struct tm_notes *notes, const struct tm_span *span)
{
	uint32_t flags = span->to.mark.flags;

	if (span->to.now)
		tm_notes_add(notes, "gc.garbage is looked at at marks and after full collections: "
				    "for now it is as it was found last");
	else if (span->to.mark.state != TM_MARK_FOLLOWED)
		tm_notes_add(notes,
			     "mark %" PRIu32 " is not followed up: gc.garbage was not "
			     "looked at for it",
			     span->to.number);
	else if (!(flags & TM_MF_COLLECTED))
		tm_notes_add(notes,
			     "no collection was made at mark %" PRIu32
			     ", so cyclic trash may wait for one",
			     span->to.number);
}

void tm_notes_span(struct tm_notes *notes, const struct tm_span *span,
		   const struct tm_scan_facts *facts)
{
	char *deaths;

	tm_notes_names(notes, span);
	if (span->to.now) {
		/* the dead are no survivors of now, so being unsure of them matters not */
		tm_notes_add(notes, "now makes no collection, so cyclic trash counts as surviving");
		return;
	}
	note_mark(notes, &span->to);
	tm_notes_scan(notes, facts);
	if (facts->overwritten) {
		deaths = tm_text_plural(facts->overwritten, "death", "deaths");
		tm_notes_add(notes,
			     "of %s only counts are left, so some survivors of this past have no "
			     "id here",
			     deaths);
		free(deaths);
	}
}

/*
 * asked.h - what a report command was asked for: TARGET [FROM [TO]], opened and looked up
 */
#ifndef TIDEMARK_ASKED_H
#define TIDEMARK_ASKED_H

#include <argp.h>

#include "notes.h"
#include "points.h"
#include "target.h"

/* The arguments as given; NULL = left out. */
struct tm_asked_words {
	const char *target;
	const char *from;
	const char *to;
};

struct tm_asked {
	struct tm_target *target;
	struct tm_span span;
	const char *unresolved; /* why types may be unresolved now; NULL = no reason known */
};

/* One more argument; false when there is no place for it. */
bool tm_asked_take(struct tm_asked_words *words, const char *argument);

/*
 * Opens the target and finds the marks.  For "now" the process is first asked to resolve types
 * and owners, where some may be open; of a live process the figures of now are what of it is
 * resident.  Returns TM_EXIT_OK, to be released with
 * tm_asked_close(), or another status after one tm_error().
 */
int tm_asked_open(struct tm_asked *asked, const struct tm_asked_words *words);
void tm_asked_close(struct tm_asked *asked);

/* All notes on a report about it; `pending` is the number of unresolved survivors. */
void tm_asked_notes(const struct tm_asked *asked, struct tm_notes *notes,
		    const struct tm_scan_facts *facts, uint64_t pending);

/* The same on a report about gc.garbage and the collector alone. */
void tm_asked_collector_notes(const struct tm_asked *asked, struct tm_notes *notes);

#endif

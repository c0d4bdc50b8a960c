/*
 * history.h - what was alive at each mark
 */
#ifndef TIDEMARK_HISTORY_H
#define TIDEMARK_HISTORY_H

#include <stdint.h>

#include "reader.h"
#include "scan.h"

struct tm_history {
	uint32_t count;	   /* marks, the start mark included */
	uint64_t *objects; /* per mark; blocks not resolved yet count as objects */
	uint64_t *bytes;   /* per mark; buffers included */
	struct tm_scan_facts facts;
};

/* Scans the recording, leaves the reader reloaded.  Release with tm_history_free(). */
void tm_history_make(struct tm_history *history, struct tm_reader *reader);
void tm_history_free(struct tm_history *history);

#endif

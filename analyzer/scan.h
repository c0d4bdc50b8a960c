/*
 * scan.h - one look at everything a recording knows to be or to have been alive
 */
#ifndef TIDEMARK_SCAN_H
#define TIDEMARK_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "reader.h"

#define TM_SCAN_ALIVE UINT32_MAX

/* An object, a block, or (out of the tallies) several that died alike. */
struct tm_scan_item {
	uint64_t address; /* 0 = several, or one whose address is not kept */
	uint64_t word;	  /* kind, birth, site, type; type is 0 unless the kind is OBJECT */
	int64_t count;	  /* negative: takes back what was counted twice */
	uint64_t bytes;	  /* of all of them */
	uint32_t death;	  /* the mark in whose interval it died, or TM_SCAN_ALIVE */
	uint16_t flags;	  /* of the death, enum tm_death_flags */
	uint64_t past;	  /* a block's GROWN or OWNED word; 0 = none */
};

typedef void tm_scan_visit(void *context, const struct tm_scan_item *item);

/*
 * Called for each record of a block that was replaced by another one when it was resized
 * (TM_DF_RESIZED), whether it comes as an item or not.
 * @counted: it comes as an item that died
 */
typedef void tm_scan_resized(void *context, const struct tm_scan_item *item, bool counted);

struct tm_scan_facts {
	uint32_t current;     /* the newest mark when the scan began: "now" is in its interval */
	bool before_is_start; /* birth 0 counts as born in the interval of mark 0 */
	uint64_t chunks;      /* of the heap, and how many of them were not looked at */
	uint64_t skipped;
	uint64_t overwritten; /* deaths whose single records are gone from the ring */
	uint64_t unsure;      /* deaths that may count twice: the ring turned too fast */
};

/* What is known before anything is scanned: `current` and `before_is_start`, zero the rest. */
struct tm_scan_facts tm_scan_facts_of(const struct tm_reader *reader);

/*
 * tm_scan - visit every object and block alive now, and every death across marks
 * @oldest_birth: birth field; what is alive and was born before it need not be visited
 *
 * Kinds visited are OBJECT, BUFFER and PENDING (an unresolved block on the tracer family
 * is a BUFFER).  Each object comes once, alive or dead, however fast a live recording
 * changes.  Nonsense in the recording is skipped and noted as damage.  The tables of
 * sites and types may be older than what is visited: reload the reader afterwards.
 */
void tm_scan(struct tm_reader *reader, uint32_t oldest_birth, tm_scan_visit *visit, void *context,
	     struct tm_scan_facts *facts);

/* The same, and all records of resized blocks. */
void tm_scan_with_resized(struct tm_reader *reader, uint32_t oldest_birth, tm_scan_visit *visit,
			  tm_scan_resized *resized, void *context, struct tm_scan_facts *facts);

/* The mark that opens the interval an item was born in; -1 = before the start mark. */
static inline int64_t tm_scan_interval(const struct tm_scan_facts *facts, uint64_t word)
{
	uint32_t birth = tm_word_birth(word);

	if (birth == 0)
		return facts->before_is_start ? 0 : -1;
	return (int64_t)birth - 1;
}

#endif

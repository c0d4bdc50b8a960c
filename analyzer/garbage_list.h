/*
 * garbage_list.h - what was new in gc.garbage between two marks
 */
#ifndef TIDEMARK_GARBAGE_LIST_H
#define TIDEMARK_GARBAGE_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "groups.h"
#include "points.h"
#include "reader.h"

/* An entry of gc.garbage: new after FROM, there at TO. */
struct tm_garbage_entry {
	uint64_t address;
	uint64_t word;	/* kind, birth, site, type; birth 0 and site 0: not known */
	uint64_t bytes; /* of its block; 0 = not known */
	uint32_t since; /* the first mark at which it was there; one more than the newest: now */
	uint32_t order; /* its place in the recording */
};

struct tm_garbage_list {
	struct tm_garbage_entry *entries; /* the newest mark first, then as they were found */
	size_t count;
};

/*
 * tm_garbage_make - the entries with FROM < since <= TO that were still there at TO
 *
 * What is nonsense is noted as damage and left out.  Names types and sites that may be newer
 * than the reader's tables: reload it afterwards.  Release with tm_garbage_free().
 */
void tm_garbage_make(struct tm_garbage_list *list, struct tm_reader *reader,
		     const struct tm_span *span);
void tm_garbage_free(struct tm_garbage_list *list);

/*
 * The entries that pass, in groups: those of the newest mark first (`since` says which), of
 * one mark in the order of tm_groups_make().  Release with tm_groups_free().
 */
struct tm_groups tm_garbage_groups(const struct tm_garbage_list *list, struct tm_model *model,
				   const struct tm_scan_facts *facts, enum tm_group_by by,
				   const struct tm_filter *filter);

#endif

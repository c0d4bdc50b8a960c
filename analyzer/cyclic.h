/*
 * cyclic.h - what only the cyclic collector reclaimed: the reference cycles a program makes
 */
#ifndef TIDEMARK_CYCLIC_H
#define TIDEMARK_CYCLIC_H

#include <stdint.h>

#include "cells.h"
#include "points.h"
#include "reader.h"

struct tm_cyclic {
	struct tm_cells cells; /* words without birth: it does not matter here */
	uint64_t objects;
	uint64_t bytes;
};

/*
 * tm_cyclic_make - the deaths inside runs of the collector, from FROM to TO
 *
 * That is those of the intervals from FROM's up to, not including, TO's.  The recorder counts a
 * death inside the collection that mark m itself makes to interval m-1, since it was garbage
 * before m: so TO's own collection is in, FROM's is not, and spans that follow each other
 * share no death.  With TO = now, what was collected since the newest mark is in.
 *
 * What is nonsense is noted as damage and left out.  Names types and sites that may be newer
 * than the reader's tables: reload it afterwards.  Release with tm_cyclic_free().
 */
void tm_cyclic_make(struct tm_cyclic *cyclic, struct tm_reader *reader, const struct tm_span *span);
void tm_cyclic_free(struct tm_cyclic *cyclic);

#endif

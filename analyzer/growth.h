/*
 * growth.h - buffers that are not all new: new memory, or an old owner's growth
 *
 * A buffer that is resized after a mark that it has seen dies, and another one is born in its
 * place, at the line that resized it; the recording links the two (TM_DF_RESIZED).  So a
 * buffer that is new between two points may go back, by such links, to one that was there at
 * the first point: then its owner is old, and what is new is the difference in size.  A buffer
 * that took no other's place may say when its owner was born (TM_OWNED): if that was there at the
 * first point, all of the buffer is its growth.
 */
#ifndef TIDEMARK_GROWTH_H
#define TIDEMARK_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scan.h"

/* A block that lives on as another one. */
struct tm_growth_link {
	uint64_t address;
	uint64_t past; /* its own GROWN or OWNED word; 0 = none */
	uint64_t bytes;
	int64_t born; /* mark that opens its interval; -1 = before the start mark */
	uint32_t death;
	bool counted; /* among what died, see tm_scan_resized */
	bool taken;   /* is a known buffer's past: two cannot have the same */
};

enum tm_growth_origin {
	TM_GROWTH_NEW,	/* nothing of it was there at the first point */
	TM_GROWTH_OLD,	/* it was, as another block, or its owner was */
	TM_GROWTH_LOST, /* it was resized, but the recording has lost from what */
};

/* Zeroed to begin with. */
struct tm_growth {
	struct tm_scan_item *buffers; /* those with a past, born between the points */
	size_t buffer_count;
	size_t buffer_capacity;
	struct tm_growth_link *links;
	size_t link_count;
	size_t link_capacity;
};

/* Keeps a surviving buffer whose item has a `past`, to be looked at when the scan is over. */
void tm_growth_keep(struct tm_growth *growth, const struct tm_scan_item *buffer);

/* To be called from the scan, see tm_scan_resized. */
void tm_growth_link(struct tm_growth *growth, const struct tm_scan_facts *facts,
		    const struct tm_scan_item *item, bool counted);

/*
 * tm_growth_each - tell of each buffer kept where it came from
 * @from: the mark that is the first point
 * @tell: gets the buffer and, for TM_GROWTH_OLD, the block that was there at the first point; NULL
 * if only its owner was
 */
typedef void tm_growth_tell(void *context, const struct tm_scan_item *buffer,
			    enum tm_growth_origin origin, const struct tm_growth_link *old);
void tm_growth_each(struct tm_growth *growth, const struct tm_scan_facts *facts, uint32_t from,
		    tm_growth_tell *tell, void *context);

void tm_growth_free(struct tm_growth *growth);

#endif

/*
 * listing.h - the recordings of this machine, each once
 */
#ifndef TM_LISTING_H
#define TM_LISTING_H

#include <stddef.h>

#include "target.h"

struct tm_listing {
	struct tm_target **targets; /* by the time they began */
	size_t count;
	size_t others; /* recordings of other users, left out */
	char **broken; /* paths of files named like recordings that cannot be read */
	size_t broken_count;
};

/*
 * Those in the usual places and, with @mapped, those that processes have mapped anywhere
 * else (containers, dir=).  Release with tm_listing_free().
 */
void tm_listing_make(struct tm_listing *listing, bool mapped);
void tm_listing_free(struct tm_listing *listing);

#endif

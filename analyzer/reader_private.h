/*
 * reader_private.h - what reader.c and reader_tables.c share
 */
#ifndef TIDEMARK_READER_PRIVATE_H
#define TIDEMARK_READER_PRIVATE_H

#include "reader.h"

/* A region's private copy; `loaded` records of it are in `data`. */
struct tm_reader_table {
	void *data;
	uint64_t loaded;
	bool fresh; /* as long as the header it was loaded for */
};

struct tm_reader {
	int fd;
	uint64_t file_size; /* as fstat() says: nothing after it is touched */
	struct tm_header header;
	struct tm_reader_region regions[TM_R_COUNT];
	struct tm_reader_table tables[TM_R_COUNT];
	char damage[160]; /* empty = none */
};

/* Frees the private copies. */
void tm_reader_drop_tables(struct tm_reader *reader);

#endif

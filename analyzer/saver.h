/*
 * saver.h - a compact copy of a recording
 *
 * Same layout, each region cut to what is used, shadow without chunks that hold nothing.
 * Of a live process the copy shows what a report at that moment would have shown.
 */
#ifndef TM_SAVER_H
#define TM_SAVER_H

#include "reader.h"

enum tm_saver_failure {
	TM_SAVER_OK,
	TM_SAVER_WRITE,	   /* the copy could not be written: errno_value */
	TM_SAVER_DAMAGED,  /* the recording is: text */
	TM_SAVER_TOO_FAST, /* it changed faster than it could be copied */
};

struct tm_saver_result {
	enum tm_saver_failure failure;
	int errno_value;
	char text[200];
	uint64_t bytes; /* apparent size of the copy */
};

/*
 * tm_saver_write - copy what @reader shows to @fd, an empty file open for writing
 *
 * Reloads the reader.  On failure the file holds no recording (its magic is written last).
 */
void tm_saver_write(struct tm_reader *reader, int fd, struct tm_saver_result *result);

#endif

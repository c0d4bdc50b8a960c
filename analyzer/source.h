/*
 * source.h - lines of source files, where they are at hand
 */
#ifndef TIDEMARK_SOURCE_H
#define TIDEMARK_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "reader.h"

/*
 * tm_source_line - a line of a file the recording names
 * @file: path; a relative one starts at the recorded process's first directory
 * @line: from 1
 * @changed: set when the file was changed after the recording began, so that the line
 *           may be another than the one that ran
 *
 * Returns the line cleaned (text.h) and without the spaces around it, to be released
 * with free(); NULL when there is none, or nothing on it.
 */
char *tm_source_line(struct tm_reader *reader, struct tm_bytes file, uint32_t line, bool *changed);

#endif

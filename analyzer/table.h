/*
 * table.h - aligned columns: fitted to a terminal, untruncated in a pipe
 */
#ifndef TM_TABLE_H
#define TM_TABLE_H

#include <stddef.h>
#include <stdio.h>

struct tm_table;

enum tm_table_flags {
	TM_TABLE_RIGHT = 1,    /* numbers */
	TM_TABLE_CUT = 2,      /* cells may lose their middle when the terminal is narrow */
	TM_TABLE_OPTIONAL = 4, /* may be left out when it is; of several the last one first */
};

/* A table for @out; release with tm_table_free(). */
struct tm_table *tm_table_new(FILE *out);

/* Columns first, in their order. */
void tm_table_column(struct tm_table *table, const char *title, unsigned flags);

/* Starts a row; cells not set stay empty. */
void tm_table_row(struct tm_table *table);

/*
 * Cell @column (from 0) of the row under way.  Text is copied and cleaned (text.h), so
 * data of the target may be given as it is.
 */
void tm_table_cell(struct tm_table *table, unsigned column, const char *text);
void tm_table_cell_bytes(struct tm_table *table, unsigned column, const void *bytes, size_t length);
void tm_table_cellf(struct tm_table *table, unsigned column, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * On a terminal no line is wider than that, unless the columns that must stay are: then cells are
 * not cut to shreds for nothing.  What was left out is named below the table.
 */
void tm_table_print(struct tm_table *table);
void tm_table_free(struct tm_table *table);

#endif

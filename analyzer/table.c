#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "table.h"
#include "text.h"

struct tm_table {
	struct libscols_table *scols;
	struct libscols_line *row; /* under way; owned by scols */
	FILE *out;
	bool on_terminal;
};

/* libsmartcols fails for want of memory only; mem.c has the words for that. */
static void *must(void *p)
{
	return p != NULL ? p : tm_mem_resize(NULL, SIZE_MAX, 1);
}

struct tm_table *tm_table_new(FILE *out)
{
	struct tm_table *table = tm_mem_new(sizeof(*table));
	unsigned columns = tm_text_columns(out);

	table->out = out;
	table->on_terminal = columns != 0;
	table->scols = must(scols_new_table());
	scols_table_set_stream(table->scols, out);
	scols_table_set_column_separator(table->scols, "  ");
	/* Cells are clean already, and a second pass would escape the escapes. */
	scols_table_enable_noencoding(table->scols, 1);
	scols_table_set_termforce(table->scols,
				  columns ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	if (columns)
		scols_table_set_termwidth(table->scols, columns);
	scols_table_enable_colors(table->scols, *tm_text_style(out, TM_STYLE_BOLD) != '\0');
	return table;
}

void tm_table_column(struct tm_table *table, const char *title, unsigned flags)
{
	int scols_flags = 0;
	struct libscols_column *column;

	if (flags & TM_TABLE_RIGHT)
		scols_flags |= SCOLS_FL_RIGHT;
	/* A pipe gets every character, so nothing there may be fitted to a width. */
	if (flags & TM_TABLE_CUT && table->on_terminal)
		scols_flags |= SCOLS_FL_TRUNC;
	column = must(scols_table_new_column(table->scols, title, 0, scols_flags));
	if (scols_table_colors_wanted(table->scols))
		scols_cell_set_color(scols_column_get_header(column),
				     tm_text_style(table->out, TM_STYLE_BOLD));
}

void tm_table_row(struct tm_table *table)
{
	table->row = must(scols_table_new_line(table->scols, NULL));
}

void tm_table_cell(struct tm_table *table, unsigned column, const char *text)
{
	tm_table_cell_bytes(table, column, text, strlen(text));
}

void tm_table_cell_bytes(struct tm_table *table, unsigned column, const void *bytes, size_t length)
{
	scols_line_refer_data(table->row, column, tm_text_clean(bytes, length));
}

void tm_table_cellf(struct tm_table *table, unsigned column, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = tm_mem_vformat(fmt, args);
	va_end(args);
	tm_table_cell(table, column, text);
	free(text);
}

void tm_table_print(struct tm_table *table)
{
	scols_print_table(table->scols);
}

void tm_table_free(struct tm_table *table)
{
	if (table == NULL)
		return;
	scols_unref_table(table->scols);
	free(table);
}

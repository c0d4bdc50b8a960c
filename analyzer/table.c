#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "paragraph.h"
#include "table.h"
#include "text.h"

/* What a cut cell keeps as long as columns can be left out instead, and at the very least. */
#define CUT_USUALLY 12u
#define CUT_LEAST   6u

static const char separator[] = "  ";

struct column {
	struct libscols_column *scols; /* owned by the table's */
	const char *title;
	unsigned flags;
	size_t width; /* of its widest cell; counted for terminals only */
	bool left_out;
};

struct tm_table {
	struct libscols_table *scols;
	struct libscols_line *row; /* under way; owned by scols */
	struct column *columns;
	size_t count;
	size_t capacity;
	FILE *out;
	unsigned room; /* columns of the terminal; 0 = none */
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
	table->room = columns;
	table->scols = must(scols_new_table());
	scols_table_set_stream(table->scols, out);
	scols_table_set_column_separator(table->scols, separator);
	/* Cells are clean already, and a second pass would escape the escapes. */
	scols_table_enable_noencoding(table->scols, 1);
	scols_table_set_termforce(table->scols,
				  columns ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	scols_table_enable_colors(table->scols, *tm_text_style(out, TM_STYLE_BOLD) != '\0');
	return table;
}

void tm_table_column(struct tm_table *table, const char *title, unsigned flags)
{
	struct libscols_column *scols = must(scols_table_new_column(
		table->scols, title, 0, flags & TM_TABLE_RIGHT ? SCOLS_FL_RIGHT : 0));

	if (scols_table_colors_wanted(table->scols))
		scols_cell_set_color(scols_column_get_header(scols),
				     tm_text_style(table->out, TM_STYLE_BOLD));
	table->columns = tm_mem_grow(table->columns, table->count, &table->capacity,
				     sizeof(*table->columns));
	table->columns[table->count++] =
		(struct column){scols, title, flags, tm_text_width(title), false};
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
	char *clean = tm_text_clean(bytes, length);

	if (table->room) {
		size_t width = tm_text_width(clean);

		if (width > table->columns[column].width)
			table->columns[column].width = width;
	}
	scols_line_refer_data(table->row, column, clean);
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

/* ---- fitting to a terminal ---- */

/* Columns that the table takes when those that may be cut are @cut wide at most. */
static size_t width_of(const struct tm_table *table, size_t cut)
{
	size_t width = 0, shown = 0;

	for (size_t i = 0; i < table->count; i++) {
		const struct column *column = &table->columns[i];
		bool cuts = column->flags & TM_TABLE_CUT && column->width > cut;

		if (column->left_out)
			continue;
		width += cuts ? cut : column->width;
		shown++;
	}
	return shown ? width + (shown - 1) * strlen(separator) : 0;
}

static bool leave_one_out(struct tm_table *table)
{
	for (size_t i = table->count; i-- > 0;) {
		struct column *column = &table->columns[i];

		if (column->left_out || !(column->flags & TM_TABLE_OPTIONAL))
			continue;
		column->left_out = true;
		scols_column_set_flags(column->scols,
				       scols_column_get_flags(column->scols) | SCOLS_FL_HIDDEN);
		return true;
	}
	return false;
}

/* The most that a cut cell can keep. */
static size_t widest_cut(const struct tm_table *table)
{
	size_t cut = width_of(table, CUT_USUALLY) > table->room ? CUT_LEAST : CUT_USUALLY;

	if (width_of(table, cut) > table->room)
		return CUT_USUALLY;
	while (cut < table->room && width_of(table, cut + 1) <= table->room)
		cut++;
	return cut;
}

static void cut_cell(struct libscols_cell *cell, size_t cut)
{
	const char *text = scols_cell_get_data(cell);

	if (text)
		scols_cell_refer_data(cell, tm_text_shorten(text, cut));
}

/* A title is cut with its column. */
static void cut_column(struct tm_table *table, size_t column, size_t cut)
{
	struct libscols_iter *lines = must(scols_new_iter(SCOLS_ITER_FORWARD));
	struct libscols_line *line;

	cut_cell(scols_column_get_header(table->columns[column].scols), cut);
	while (scols_table_next_line(table->scols, lines, &line) == 0)
		cut_cell(must(scols_line_get_cell(line, column)), cut);
	scols_free_iter(lines);
}

static void cut_columns(struct tm_table *table, size_t cut)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->columns[i].flags & TM_TABLE_CUT && table->columns[i].width > cut)
			cut_column(table, i, cut);
}

static void fit(struct tm_table *table)
{
	size_t cut;

	while (width_of(table, CUT_USUALLY) > table->room && leave_one_out(table))
		;
	cut = widest_cut(table);
	if (width_of(table, SIZE_MAX) > table->room)
		cut_columns(table, cut);
	/* never less than it takes: nothing is left for libsmartcols to fit */
	scols_table_set_termwidth(table->scols, table->room + width_of(table, cut));
}

static void name_left_out(const struct tm_table *table)
{
	struct tm_paragraph line;
	unsigned named = 0;

	tm_paragraph_begin(&line);
	fputs("no room for ", line.stream);
	for (size_t i = 0; i < table->count; i++)
		if (table->columns[i].left_out)
			fprintf(line.stream, "%s%s", named++ ? ", " : "", table->columns[i].title);
	fputs(": a wider terminal or a pipe has it", line.stream);
	if (named) {
		fputs(tm_text_style(table->out, TM_STYLE_DIM), table->out);
		tm_paragraph_end(&line, table->out, "", "  ");
		fputs(tm_text_style(table->out, TM_STYLE_NONE), table->out);
		return;
	}
	fclose(line.stream);
	free(line.text);
}

void tm_table_print(struct tm_table *table)
{
	if (table->room)
		fit(table);
	scols_print_table(table->scols);
	if (table->room)
		name_left_out(table);
}

void tm_table_free(struct tm_table *table)
{
	if (table == NULL)
		return;
	scols_unref_table(table->scols);
	free(table->columns);
	free(table);
}

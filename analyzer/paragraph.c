/*
 * paragraph.c - break lines at spaces, cut what still does not fit
 */
#include "paragraph.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "text.h"

/* What is left of a line is never less than this: a name cut to nothing says nothing. */
#define LEAST_COLUMNS 8u

static size_t columns_left(unsigned columns, size_t used)
{
	return columns > used + LEAST_COLUMNS ? columns - used : LEAST_COLUMNS;
}

static void put_word(FILE *out, const char *word, size_t room)
{
	char *cut = tm_text_shorten(word, room);

	fputs(cut, out);
	free(cut);
}

void tm_paragraph_put(FILE *out, const char *lead, const char *hang, const char *text)
{
	unsigned columns = tm_text_columns(out);
	size_t indent = tm_text_width(hang);
	size_t at = tm_text_width(lead);
	char *clean = tm_text_clean(text, strlen(text));
	char *rest = clean, *word;
	bool first = true;

	fputs(lead, out);
	while ((word = strsep(&rest, " "))) {
		size_t width = tm_text_width(word);

		if (!first && columns && at + 1 + width > columns) {
			fprintf(out, "\n%s", hang);
			at = indent;
			first = true;
		}
		if (!first)
			fputc(' ', out);
		at += !first;
		put_word(out, word, columns ? columns_left(columns, at) : width);
		at += width;
		first = false;
	}
	fputc('\n', out);
	free(clean);
}

void tm_paragraph_begin(struct tm_paragraph *paragraph)
{
	paragraph->stream = open_memstream(&paragraph->text, &paragraph->size);
	if (!paragraph->stream)
		tm_die(TM_EXIT_USAGE, "out of memory; try again");
}

void tm_paragraph_end(struct tm_paragraph *paragraph, FILE *out, const char *lead, const char *hang)
{
	fclose(paragraph->stream);
	tm_paragraph_put(out, lead, hang, paragraph->text);
	free(paragraph->text);
}

void tm_paragraph_fit(FILE *out, struct tm_bytes text, size_t used)
{
	unsigned columns = tm_text_columns(out);
	char *clean = tm_text_clean(text.data, text.size);

	if (columns)
		put_word(out, clean, columns_left(columns, used));
	else
		fputs(clean, out);
	free(clean);
}

size_t tm_paragraph_width(struct tm_bytes text)
{
	char *clean = tm_text_clean(text.data, text.size);
	size_t width = tm_text_width(clean);

	free(clean);
	return width;
}

/*
 * test_table.c - tables: whole in a pipe, fitted on a terminal, clean everywhere
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

/* The recorder has a table.h too. */
#include "../../analyzer/table.h"
#include "text.h"

static void fill(struct tm_table *table)
{
	tm_table_column(table, "N", TM_TABLE_RIGHT);
	tm_table_column(table, "WHAT", TM_TABLE_CUT);
	tm_table_row(table);
	tm_table_cellf(table, 0, "%d", 7);
	tm_table_cell(table, 1, "a rather long text that a narrow terminal has no room for");
	tm_table_row(table);
	tm_table_cellf(table, 0, "%d", 1234);
	tm_table_cell_bytes(table, 1, "\033[31m\nnext\\x", 12);
}

static void a_pipe_gets_every_character(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = tmpfile();
	struct tm_table *table = tm_table_new(file);

	(void)state;
	tm_text_init();
	setenv("COLUMNS", "20", 1);
	fill(table);
	tm_table_print(table);
	tm_table_free(table);
	unsetenv("COLUMNS");
	rewind(file);
	assert_true(getdelim(&text, &size, '\0', file) > 0);
	assert_string_equal(text,
			    "   N  WHAT\n"
			    "   7  a rather long text that a narrow terminal has no room for\n"
			    "1234  \\x1b[31m\\x0anext\\x\n");
	free(text);
	fclose(file);
}

/* What a table prints on a terminal of so many columns, up to the line that has @last in it. */
static void on_terminal(unsigned columns, void (*fill_in)(struct tm_table *), const char *last,
			char text[1024])
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = 10};
	struct tm_table *table;
	size_t length = 0;
	FILE *out;

	memset(text, 0, 1024);
	tm_text_init();
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	setenv("NO_COLOR", "1", 1);
	unsetenv("COLUMNS");
	out = fopen(ptsname(master), "r+");
	assert_non_null(out);
	table = tm_table_new(out);
	fill_in(table);
	tm_table_print(table);
	tm_table_free(table);
	fflush(out);
	/* a terminal gives a line at a time */
	while (strstr(text, last) == NULL) {
		ssize_t got = read(master, text + length, 1023 - length);

		assert_true(got > 0);
		length += (size_t)got;
	}
	fclose(out);
	close(master);
}

static void expect_fits(char *text, unsigned columns)
{
	for (char *line = strtok(text, "\r\n"); line != NULL; line = strtok(NULL, "\r\n"))
		assert_true(tm_text_width(line) <= columns);
}

static void a_terminal_is_not_overrun(void **state)
{
	char text[1024];

	(void)state;
	on_terminal(30, fill, "next", text);
	assert_non_null(strstr(text, "   7  a rathe\u2026 has no room for\r\n"));
	assert_null(strstr(text, "no room for N"));
	expect_fits(text, 30);
}

/* 2 + 2 + 16 + 2 + 10 + 2 + 8 columns. */
static void fill_four(struct tm_table *table)
{
	tm_table_column(table, "ID", 0);
	tm_table_column(table, "NAME", TM_TABLE_CUT);
	tm_table_column(table, "SIZE", TM_TABLE_RIGHT | TM_TABLE_OPTIONAL);
	tm_table_column(table, "TIME", TM_TABLE_OPTIONAL);
	tm_table_row(table);
	tm_table_cell(table, 0, "17");
	tm_table_cell(table, 1, "0123456789abcdef");
	tm_table_cell(table, 2, "12,345,678");
	tm_table_cell(table, 3, "12:34:56");
}

static void optional_columns_make_room_the_last_first(void **state)
{
	char text[1024];

	(void)state;
	on_terminal(42, fill_four, "12:34:56", text);
	assert_non_null(strstr(text, "17  0123456789abcdef  12,345,678  12:34:56\r\n"));
	on_terminal(38, fill_four, "12:34:56", text);
	assert_non_null(strstr(text, "17  012\u202689abcdef"));
	assert_null(strstr(text, "no room"));
	expect_fits(text, 38);
	on_terminal(37, fill_four, " it\r\n", text);
	assert_non_null(strstr(text, "17  0123456789abcdef  12,345,678\r\n"));
	assert_non_null(strstr(text, "no room for TIME: a wider terminal or"));
	expect_fits(text, 37);
	on_terminal(16, fill_four, " it\r\n", text);
	assert_non_null(strstr(text, "17  012\u202689abcdef\r\n"));
	assert_non_null(strstr(text, "no room for"));
	expect_fits(text, 16);
}

/* Where even that does not make it fit, a name is not cut to a few characters for nothing. */
static void a_name_is_never_cut_to_shreds(void **state)
{
	char text[1024];

	(void)state;
	on_terminal(10, fill_four, " it\r\n", text);
	assert_non_null(strstr(text, "17  0\u2026cdef\r\n"));
	on_terminal(9, fill_four, " it\r\n", text);
	assert_non_null(strstr(text, "17  012\u202689abcdef\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipe_gets_every_character),
		cmocka_unit_test(a_terminal_is_not_overrun),
		cmocka_unit_test(optional_columns_make_room_the_last_first),
		cmocka_unit_test(a_name_is_never_cut_to_shreds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

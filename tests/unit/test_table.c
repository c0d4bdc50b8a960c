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

static void a_terminal_is_not_overrun(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	struct winsize size = {.ws_col = 30, .ws_row = 10};
	struct tm_table *table;
	char text[1024] = "";
	size_t length = 0;
	FILE *out;

	(void)state;
	tm_text_init();
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	setenv("NO_COLOR", "1", 1);
	unsetenv("COLUMNS");
	out = fopen(ptsname(master), "r+");
	assert_non_null(out);
	table = tm_table_new(out);
	fill(table);
	tm_table_print(table);
	tm_table_free(table);
	fflush(out);
	/* a terminal gives a line at a time */
	while (strstr(text, "next") == NULL) {
		ssize_t got = read(master, text + length, sizeof(text) - 1 - length);

		assert_true(got > 0);
		length += (size_t)got;
	}
	assert_non_null(strstr(text, "   7  a rather long text that "));
	for (char *line = strtok(text, "\r\n"); line != NULL; line = strtok(NULL, "\r\n"))
		assert_true(strlen(line) <= 30);
	fclose(out);
	close(master);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipe_gets_every_character),
		cmocka_unit_test(a_terminal_is_not_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

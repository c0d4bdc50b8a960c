/*
 * text_terminal.c - what is known about the terminal
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "text.h"

#define COLUMNS_DEFAULT 80
#define COLUMNS_MAX	10000

static unsigned columns_from_environment(void)
{
	const char *text = getenv("COLUMNS");
	unsigned long columns;
	char *end;

	if (text == NULL || *text < '0' || *text > '9')
		return 0;
	columns = strtoul(text, &end, 10);
	return *end == '\0' && columns <= COLUMNS_MAX ? (unsigned)columns : 0;
}

unsigned tm_text_columns(FILE *out)
{
	struct winsize size;
	unsigned columns;
	int fd = fileno(out);

	if (fd < 0 || !isatty(fd))
		return 0;
	columns = columns_from_environment();
	if (columns == 0 && ioctl(fd, TIOCGWINSZ, &size) == 0)
		columns = size.ws_col;
	return columns ? columns : COLUMNS_DEFAULT;
}

static bool wants_colour(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	int fd = fileno(out);

	if (no != NULL && *no != '\0')
		return false;
	if (term == NULL || strcmp(term, "dumb") == 0)
		return false;
	return fd >= 0 && isatty(fd);
}

const char *tm_text_style(FILE *out, enum tm_text_style style)
{
	static const char *const sequences[] = {
		[TM_STYLE_NONE] = "\033[0m",   [TM_STYLE_BOLD] = "\033[1m",
		[TM_STYLE_DIM] = "\033[2m",    [TM_STYLE_RED] = "\033[31m",
		[TM_STYLE_GREEN] = "\033[32m", [TM_STYLE_YELLOW] = "\033[33m",
		[TM_STYLE_CYAN] = "\033[36m",
	};

	return wants_colour(out) ? sequences[style] : "";
}

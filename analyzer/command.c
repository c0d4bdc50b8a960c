#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "mem.h"

static const struct tm_command *const commands[] = {
	&tm_cmd_run,	 &tm_cmd_ps,  &tm_cmd_mark,  &tm_cmd_marks, &tm_cmd_diff,
	&tm_cmd_garbage, &tm_cmd_ids, &tm_cmd_reach, &tm_cmd_save,  &tm_cmd_rm,
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

const struct tm_command *tm_command_at(unsigned index)
{
	return index < COMMANDS ? commands[index] : NULL;
}

const struct tm_command *tm_command_find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Edits (insert, delete, replace) that turn @a into @b; @b is short. */
static unsigned distance(const char *a, const char *b)
{
	size_t columns = strlen(b);
	unsigned *row = tm_mem_array(columns + 1, sizeof(*row));
	unsigned result;

	for (unsigned j = 0; j <= columns; j++)
		row[j] = j;
	for (; *a != '\0'; a++) {
		unsigned diagonal = row[0]++;

		for (size_t j = 1; j <= columns; j++) {
			unsigned replaced = diagonal + (*a != b[j - 1]);

			diagonal = row[j];
			row[j] = smaller(replaced, smaller(row[j], row[j - 1]) + 1);
		}
	}
	result = row[columns];
	free(row);
	return result;
}

const char *tm_command_nearest(const char *name)
{
	const char *best = NULL;
	/* More than two slips, or nothing but slips, is another word. */
	unsigned allowed = strlen(name) < 3 ? 1 : 2, least = allowed + 1;

	for (size_t i = 0; i < COMMANDS; i++) {
		unsigned slips = distance(name, commands[i]->name);

		if (slips < least && slips < strlen(commands[i]->name)) {
			least = slips;
			best = commands[i]->name;
		}
	}
	return best;
}

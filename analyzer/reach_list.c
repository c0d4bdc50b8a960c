/*
 * reach_list.c - ids from the command line, from a stream, and from `ids --json`
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "mem.h"
#include "reach.h"
#include "report.h"

#define BLOCK	  (1u << 16)
#define MOST_WORD 80 /* characters of a word that is no id which an error shows */

static struct tm_reach_id *append(struct tm_reach_list *list)
{
	struct tm_reach_id *id;

	list->ids = tm_mem_grow(list->ids, list->count, &list->capacity, sizeof(*list->ids));
	id = &list->ids[list->count++];
	memset(id, 0, sizeof(*id));
	return id;
}

/* What Python's id(), hex() and %x print: digits, or 0x and hexadecimal ones. */
static bool parse_id(const char *text, uint64_t *out)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	unsigned long long value;
	char *end;

	if (hex ? !isxdigit((unsigned char)*digits) : !isdigit((unsigned char)*digits))
		return false;
	errno = 0;
	value = strtoull(digits, &end, hex ? 16 : 10);
	if (errno || *end)
		return false;
	*out = value;
	return true;
}

int tm_reach_list_add(struct tm_reach_list *list, const char *text)
{
	uint64_t address;

	if (!parse_id(text, &address)) {
		tm_error("'%.*s' is no id; give numbers as id() or hex(id()) print them", MOST_WORD,
			 text);
		return TM_EXIT_USAGE;
	}
	append(list)->address = address;
	return TM_EXIT_OK;
}

/* All of a stream, NUL added; NULL after a read error. */
static char *read_all(FILE *in, size_t *size)
{
	size_t room = BLOCK;
	char *text = tm_mem_array(room + 1, 1);

	*size = 0;
	for (;;) {
		size_t got = fread(text + *size, 1, room - *size, in);

		if (got == 0)
			break;
		*size += got;
		if (room - *size < BLOCK)
			text = tm_mem_resize(text, (room *= 2) + 1, 1);
	}
	text[*size] = '\0';
	if (ferror(in)) {
		free(text);
		return NULL;
	}
	return text;
}

static int read_words(struct tm_reach_list *list, char *text)
{
	int status = TM_EXIT_OK;
	char *rest = text;
	char *word;

	while (status == TM_EXIT_OK && (word = strsep(&rest, " \t\r\n,")) != NULL)
		if (*word)
			status = tm_reach_list_add(list, word);
	return status;
}

static int refuse(const char *why)
{
	tm_error("what is read is no list by tidemark ids --json: %s", why);
	return TM_EXIT_USAGE;
}

static bool add_entry(struct tm_reach_list *list, const json_t *entry)
{
	const char *text = json_string_value(json_object_get(entry, "id"));
	const json_t *born = json_object_get(entry, "born");
	struct tm_reach_id *id;
	uint64_t address;

	if (!text || !parse_id(text, &address) || !json_is_integer(born) ||
	    json_integer_value(born) < 0 || !json_is_string(json_object_get(entry, "type")))
		return false;
	id = append(list);
	id->address = address;
	id->entry = entry;
	id->born = json_integer_value(born);
	return true;
}

/* The point a list was made for: a mark, or now, which is after one. */
static bool read_point(struct tm_reach_list *list)
{
	const json_t *to = json_object_get(list->document, "to");
	const json_t *mark = json_object_get(to, "mark");

	list->of_now = json_is_null(mark);
	if (list->of_now)
		mark = json_object_get(to, "after_mark");
	if (!json_is_integer(mark) || json_integer_value(mark) < 0 ||
	    json_integer_value(mark) > TM_MAX_MARK)
		return false;
	list->point = (uint32_t)json_integer_value(mark);
	list->time = json_number_value(json_object_get(to, "time"));
	return true;
}

static int read_document(struct tm_reach_list *list, const char *text, size_t size)
{
	const json_t *ids;
	json_error_t error;
	json_t *entry;
	size_t i;

	list->document = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (!list->document)
		return refuse(error.text);
	if (json_integer_value(json_object_get(list->document, "tidemark")) != TM_JSON_SCHEMA)
		return refuse("its \"tidemark\" is not 1");
	ids = json_object_get(list->document, "ids");
	if (!json_is_array(ids) || !read_point(list))
		return refuse("it has no \"ids\" or no \"to\"");
	json_array_foreach(ids, i, entry)
	{
		if (!add_entry(list, entry))
			return refuse("an entry has no \"id\", \"type\" or \"born\"");
	}
	return TM_EXIT_OK;
}

int tm_reach_list_read(struct tm_reach_list *list, FILE *in)
{
	size_t size;
	char *text = read_all(in, &size);
	int status;

	if (!text) {
		tm_error("cannot read the ids: %s", strerror(errno));
		return TM_EXIT_USAGE;
	}
	if (text[strspn(text, " \t\r\n")] == '{')
		status = read_document(list, text, size);
	else
		status = read_words(list, text);
	free(text);
	return status;
}

int tm_reach_list_check(const struct tm_reach_list *list, const struct tm_reader *reader)
{
	const char *has = json_string_value(json_object_get(list->document, "recording_id"));
	char wanted[TM_REPORT_ID];

	if (!list->document)
		return TM_EXIT_OK;
	if (!has)
		return refuse("it has no \"recording_id\"");
	if (strcmp(has, tm_report_recording_id(reader, wanted)) == 0)
		return TM_EXIT_OK;
	tm_error("the list is of another recording (%.*s, this is %s); list the ids of this one",
		 TM_REPORT_ID, has, wanted);
	return TM_EXIT_USAGE;
}

void tm_reach_list_free(struct tm_reach_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		json_decref(list->ids[i].description);
	json_decref(list->document);
	free(list->ids);
}

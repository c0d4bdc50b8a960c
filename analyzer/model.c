/*
 * model.c - resolve sites and types, each once
 */
#include "model.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "lines.h"
#include "mem.h"

/* Marks an entry of a cache that is not filled: no number gets there. */
#define UNKNOWN UINT32_MAX

struct text {
	struct tm_bytes bytes; /* in the reader's strings, or a literal */
	uint32_t number;
	UT_hash_handle hh;
};

/* A stack, told by its innermost frame and the stack below it. */
struct stack_key {
	struct tm_place place;
	uint32_t caller;
};

struct stack {
	struct stack_key key;
	uint32_t number;
	UT_hash_handle hh;
};

struct tm_model {
	struct tm_reader *reader;
	struct text *texts; /* hash by content */
	struct text **by_number;
	size_t text_count;
	size_t text_capacity;
	struct stack *stacks; /* hash */
	uint32_t stack_count;
	uint32_t *type_names; /* per type index, or UNKNOWN */
	uint32_t type_count;
	struct tm_place *places; /* per site; file UNKNOWN = not looked up */
	uint32_t *site_stacks;	 /* per site, or UNKNOWN; made when asked for */
	uint32_t site_count;
};

static uint32_t intern(struct tm_model *m, struct tm_bytes bytes)
{
	struct text *text;

	HASH_FIND(hh, m->texts, bytes.data, bytes.size, text);
	if (text)
		return text->number;
	text = tm_mem_new(sizeof(*text));
	text->bytes = bytes;
	text->number = (uint32_t)m->text_count;
	HASH_ADD_KEYPTR(hh, m->texts, text->bytes.data, text->bytes.size, text);
	m->by_number =
		tm_mem_grow(m->by_number, m->text_count, &m->text_capacity, sizeof(*m->by_number));
	m->by_number[m->text_count++] = text;
	return text->number;
}

static uint32_t intern_literal(struct tm_model *m, const char *text)
{
	return intern(m, (struct tm_bytes){text, strlen(text)});
}

struct tm_model *tm_model_new(struct tm_reader *reader)
{
	struct tm_model *m = tm_mem_new(sizeof(*m));

	m->reader = reader;
	intern_literal(m, "");
	m->type_count = tm_reader_count(reader, TM_R_TYPES);
	m->site_count = tm_reader_count(reader, TM_R_SITES);
	m->type_names = tm_mem_array((size_t)m->type_count + 1, sizeof(*m->type_names));
	m->places = tm_mem_array((size_t)m->site_count + 1, sizeof(*m->places));
	memset(m->type_names, 0xff, m->type_count * sizeof(*m->type_names));
	memset(m->places, 0xff, m->site_count * sizeof(*m->places));
	return m;
}

void tm_model_free(struct tm_model *m)
{
	struct stack *stack, *next;

	if (!m)
		return;
	HASH_CLEAR(hh, m->texts);
	for (size_t i = 0; i < m->text_count; i++)
		free(m->by_number[i]);
	HASH_ITER(hh, m->stacks, stack, next)
	{
		HASH_DEL(m->stacks, stack);
		free(stack);
	}
	free(m->by_number);
	free(m->type_names);
	free(m->places);
	free(m->site_stacks);
	free(m);
}

struct tm_bytes tm_model_text(const struct tm_model *m, uint32_t text)
{
	return m->by_number[text < m->text_count ? text : 0]->bytes;
}

uint32_t tm_model_texts(const struct tm_model *m)
{
	return (uint32_t)m->text_count;
}

static uint32_t type_name(struct tm_model *m, uint32_t index)
{
	const struct tm_type *type = tm_reader_type(m->reader, index);
	struct tm_bytes name;

	if (!type) {
		if (index != 0)
			tm_reader_damaged(m->reader, "an object is of a type not in the file");
		return intern_literal(m, "(unknown)");
	}
	name = tm_reader_string(m->reader, type->name);
	return name.size ? intern(m, name) : intern_literal(m, "(unknown)");
}

uint32_t tm_model_type(struct tm_model *m, uint64_t word)
{
	uint32_t index = tm_word_type(word);

	if (tm_word_kind(word) == TM_BUFFER || (tm_word_kind(word) == TM_GROWN && index == 0))
		return intern_literal(m, "(buffer)");
	if (tm_word_kind(word) == TM_PENDING)
		return intern_literal(m, "(pending)");
	if (index >= m->type_count)
		return type_name(m, index);
	if (m->type_names[index] == UNKNOWN)
		m->type_names[index] = type_name(m, index);
	return m->type_names[index];
}

static struct tm_place place_of(struct tm_model *m, const struct tm_site *site)
{
	const struct tm_code *code = tm_reader_code(m->reader, site->code);
	struct tm_place place = {0, 0, 0};
	struct tm_bytes table;

	if (!code) {
		tm_reader_damaged(m->reader, "a frame is of code not in the file");
		return place;
	}
	table = tm_reader_string(m->reader, code->lines);
	place.file = intern(m, tm_reader_string(m->reader, code->file));
	place.function = intern(m, tm_reader_string(m->reader, code->name));
	place.line = tm_lines_find((enum tm_line_format)code->line_format, table.data, table.size,
				   code->first_line, site->offset);
	return place;
}

bool tm_model_place(struct tm_model *m, uint32_t site, struct tm_place *out)
{
	uint32_t caller;
	const struct tm_site *record;

	if (site == 0)
		return false;
	record = tm_reader_site(m->reader, site, &caller);
	if (!record || site >= m->site_count) {
		tm_reader_damaged(m->reader, "an object is of a call stack not in the file");
		return false;
	}
	if (m->places[site].file == UNKNOWN)
		m->places[site] = place_of(m, record);
	*out = m->places[site];
	return true;
}

uint32_t tm_model_caller(struct tm_model *m, uint32_t site)
{
	uint32_t caller = 0;

	tm_reader_site(m->reader, site, &caller);
	return caller;
}

void tm_model_resolve(struct tm_model *m, uint32_t site)
{
	struct tm_place place;

	for (unsigned i = 0; site != 0 && i < TM_MODEL_MOST_FRAMES; i++) {
		tm_model_place(m, site, &place);
		site = tm_model_caller(m, site);
	}
}

static uint32_t intern_stack(struct tm_model *m, const struct stack_key *key)
{
	struct stack *stack;

	HASH_FIND(hh, m->stacks, key, sizeof(*key), stack);
	if (!stack) {
		stack = tm_mem_new(sizeof(*stack));
		stack->key = *key;
		stack->number = ++m->stack_count;
		HASH_ADD(hh, m->stacks, key, sizeof(stack->key), stack);
	}
	return stack->number;
}

/* The number of the stack if it is known already, 0 for the empty one. */
static uint32_t known_stack(const struct tm_model *m, uint32_t site)
{
	return site == 0 || site >= m->site_count ? 0 : m->site_stacks[site];
}

/*
 * From the innermost frame outwards to one whose stack is known, then back: no recursion,
 * a chain may be as long as the table of sites.
 */
uint32_t tm_model_stack(struct tm_model *m, uint32_t site)
{
	uint32_t *path = NULL;
	size_t length = 0, room = 0;
	uint32_t number;

	if (!m->site_stacks) {
		m->site_stacks = tm_mem_array((size_t)m->site_count + 1, sizeof(*m->site_stacks));
		memset(m->site_stacks, 0xff, m->site_count * sizeof(*m->site_stacks));
	}
	for (; known_stack(m, site) == UNKNOWN; site = tm_model_caller(m, site)) {
		path = tm_mem_grow(path, length, &room, sizeof(*path));
		path[length++] = site;
	}
	number = known_stack(m, site);
	while (length-- > 0) {
		struct stack_key key = {.caller = number};

		tm_model_place(m, path[length], &key.place);
		number = intern_stack(m, &key);
		m->site_stacks[path[length]] = number;
	}
	free(path);
	return number;
}

uint32_t tm_model_module(struct tm_model *m, uint32_t file)
{
	struct tm_bytes path = tm_model_text(m, file);
	const char *slash = memrchr(path.data, '/', path.size);
	static const char init[] = "__init__.py";
	struct tm_bytes name = path;

	if (slash) {
		name.data = slash + 1;
		name.size = (size_t)(path.data + path.size - name.data);
	}
	if (slash && name.size == sizeof(init) - 1 && !memcmp(name.data, init, name.size)) {
		size_t left = (size_t)(slash - path.data);
		const char *before = memrchr(path.data, '/', left);

		name.data = before ? before + 1 : path.data;
		name.size = (size_t)(slash - name.data);
	} else if (name.size > 3 && !memcmp(name.data + name.size - 3, ".py", 3)) {
		name.size -= 3;
	}
	return intern(m, name);
}

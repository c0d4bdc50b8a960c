/*
 * describe_names.c - names of attributes: of __slots__, and in an object's __dict__
 *
 * A dict, and an object with values of its own, has names in a table of keys; whether one is in
 * use is told by its value being there, which is looked at for being NULL and nothing else.
 */
#include "describe_private.h"

#include <stdlib.h>
#include <string.h>

#include "jsonout.h"
#include "mem.h"
#include <tidemark/utf8.h>

/* Longer names are left out. */
#define MOST_NAME 200u

/* Members of a type, and entries of a table, that are looked at. */
#define MOST_MEMBERS 200u
#define MOST_ENTRIES 1000u

/* PEP 393: state of a str. */
#define STR_WIDTH(state) ((state) >> 2 & 7)
#define STR_COMPACT	 (1u << 5)
#define STR_ASCII	 (1u << 6)
#define STR_HEAD	 36u /* bytes up to the end of the state */

/* Kinds of tables from 3.11 on: only this one has hashes beside keys and values. */
#define KEYS_GENERAL 0

/* ---- names ---- */

static bool is_full(const json_t *names)
{
	return json_array_size(names) >= TM_DESCRIBE_MOST_NAMES;
}

static uint32_t character(const uint8_t *text, size_t index, unsigned width)
{
	uint32_t c = 0;

	memcpy(&c, text + index * width, width); /* little-endian */
	return c;
}

static void add_characters(json_t *names, const uint8_t *text, size_t length, unsigned width)
{
	char utf8[TM_UTF8_MOST * MOST_NAME];
	size_t size = 0;

	for (size_t i = 0; i < length; i++)
		size += tm_utf8_put(character(text, i, width), utf8 + size);
	json_array_append_new(names, tm_json_bytes((struct tm_bytes){utf8, size}));
}

/* Adds a name that is a str object; what is none is left out. */
static void add_str(struct tm_describer *d, json_t *names, uint64_t address)
{
	uint8_t head[STR_HEAD], text[4 * MOST_NAME];
	struct tm_describe_type type;
	uint64_t type_address, length;
	uint32_t state;
	unsigned width, begin;

	if (!tm_describe_peek(d, address, head, sizeof(head)))
		return;
	memcpy(&type_address, head + TM_PY_OB_TYPE, sizeof(type_address));
	memcpy(&length, head + TM_PY_OB_SIZE, sizeof(length));
	memcpy(&state, head + TM_PY_STR_STATE, sizeof(state));
	width = STR_WIDTH(state);
	if (length > MOST_NAME || !(state & STR_COMPACT) ||
	    (width != 1 && width != 2 && width != 4) ||
	    !tm_describe_read_type(d, type_address, &type) || !(type.flags & TM_PY_STR))
		return;
	begin = state & STR_ASCII ? d->layout->ascii : d->layout->compact;
	if (length == 0 || tm_describe_peek(d, address + begin, text, length * width))
		add_characters(names, text, length, width);
}

/* ---- __slots__ ---- */

static void add_member(struct tm_describer *d, json_t *names, uint64_t object,
		       const uint64_t member[TM_PY_MEMBER_SIZE / 8])
{
	uint64_t offset = member[TM_PY_MEMBER_OFFSET / 8], value;
	char name[MOST_NAME];

	if ((uint32_t)member[TM_PY_MEMBER_TYPE / 8] != TM_PY_MEMBER_OBJECT)
		return;
	if (!tm_describe_word(d, object + offset, &value) || value == 0 ||
	    !tm_describe_text(d, member[0], name, sizeof(name)))
		return;
	json_array_append_new(names, tm_json_bytes((struct tm_bytes){name, strlen(name)}));
}

/* Those of one class: a list that ends with a member without a name. */
static void add_members(struct tm_describer *d, json_t *names, uint64_t object, uint64_t members)
{
	uint64_t member[TM_PY_MEMBER_SIZE / 8];

	for (unsigned i = 0; i < MOST_MEMBERS && !is_full(names); i++) {
		if (!tm_describe_peek(d, members + i * TM_PY_MEMBER_SIZE, member, sizeof(member)) ||
		    member[0] == 0)
			return;
		add_member(d, names, object, member);
	}
}

static void add_slots(struct tm_describer *d, json_t *names, uint64_t object,
		      struct tm_describe_type type)
{
	for (unsigned i = 0; i < TM_DESCRIBE_MOST_BASES && !is_full(names); i++) {
		if (type.flags & TM_PY_HEAP_TYPE && type.members)
			add_members(d, names, object, type.members);
		if (!type.base || !tm_describe_read_type(d, type.base, &type))
			return;
	}
}

/* ---- tables of keys ---- */

struct table {
	uint64_t entries; /* address */
	uint64_t count;
	unsigned entry_size;
	unsigned key; /* where in an entry; the value follows */
};

/* Bytes of the indices that come before the entries; 3.8 to 3.10: Objects/dictobject.c DK_IXSIZE.
 */
static uint64_t indices_size(uint64_t slots)
{
	if (slots <= 0xff)
		return slots;
	if (slots <= 0xffff)
		return 2 * slots;
	return slots <= 0xffffffff ? 4 * slots : 8 * slots;
}

static bool read_table(struct tm_describer *d, uint64_t keys, struct table *out)
{
	uint64_t words[5];
	uint64_t indices;
	uint8_t log2_bytes;
	bool hashes = true;

	if (!tm_describe_peek(d, keys, words, sizeof(words)))
		return false;
	if (d->layout->packed_keys) {
		log2_bytes = (uint8_t)(words[1] >> 8);
		if (log2_bytes > 40)
			return false;
		indices = 1ull << log2_bytes;
		hashes = (uint8_t)(words[1] >> 16) == KEYS_GENERAL;
	} else {
		if (words[1] > 1ull << 40)
			return false;
		indices = indices_size(words[1]);
	}
	out->entries = keys + d->layout->indices + indices;
	out->count = words[d->layout->entry_count / 8];
	out->entry_size = hashes ? 24 : 16;
	out->key = hashes ? 1 : 0;
	return true;
}

/* @values: where they are if not in the table; 0 = they are. */
static bool add_keys(struct tm_describer *d, json_t *names, uint64_t keys, uint64_t values)
{
	uint64_t entry[3], value;
	struct table table;

	if (!read_table(d, keys, &table))
		return false;
	for (uint64_t i = 0; i < table.count && i < MOST_ENTRIES && !is_full(names); i++) {
		if (!tm_describe_peek(d, table.entries + i * table.entry_size, entry,
				      table.entry_size))
			return false;
		value = entry[table.key + 1];
		if (values &&
		    !tm_describe_word(d, values + d->layout->values + i * sizeof(value), &value))
			return false;
		if (value && entry[table.key])
			add_str(d, names, entry[table.key]);
	}
	return true;
}

static bool add_dict(struct tm_describer *d, json_t *names, uint64_t dict)
{
	uint64_t head[6];
	struct tm_describe_type type;

	if (!tm_describe_peek(d, dict, head, sizeof(head)) ||
	    !tm_describe_read_type(d, head[TM_PY_OB_TYPE / 8], &type) || !(type.flags & TM_PY_DICT))
		return false;
	return add_keys(d, names, head[TM_PY_MA_KEYS / 8], head[TM_PY_MA_VALUES / 8]);
}

/* ---- where an object has them ---- */

static bool add_own(struct tm_describer *d, json_t *names, const struct tm_describe_type *type,
		    uint64_t values)
{
	uint64_t keys;

	return tm_describe_word(d, type->address + d->layout->cached_keys, &keys) && keys &&
	       add_keys(d, names, keys, values);
}

/* The values behind an object: their fourth byte says whether they are in use. */
static bool add_inline(struct tm_describer *d, json_t *names, uint64_t object,
		       const struct tm_describe_type *type)
{
	uint64_t values = object + (uint64_t)type->basic_size, head;

	if (!(type->flags & TM_PY_INLINE_VALUES))
		return true;
	if (!tm_describe_word(d, values, &head))
		return false;
	return !(head >> 24 & 0xff) || add_own(d, names, type, values);
}

static bool add_managed(struct tm_describer *d, json_t *names, uint64_t object,
			const struct tm_describe_type *type)
{
	uint64_t before[2]; /* 32 and 24 bytes before the object */

	if (!tm_describe_peek(d, object - 32, before, sizeof(before)))
		return false;
	if (d->layout->managed == TM_MANAGED_TAGGED && before[1] & 1)
		return add_own(d, names, type, before[1] + 1);
	if (before[1])
		return add_dict(d, names, before[1]);
	if (d->layout->managed == TM_MANAGED_TWO)
		return !before[0] || add_own(d, names, type, before[0]);
	return d->layout->managed != TM_MANAGED_INLINE || add_inline(d, names, object, type);
}

/* Objects of variable size have the pointer at their end (_PyObject_GetDictPtr). */
static bool add_by_offset(struct tm_describer *d, json_t *names, uint64_t object,
			  const struct tm_describe_type *type)
{
	uint64_t at = object + (uint64_t)type->dict_offset; /* wraps around if damaged */
	uint64_t dict, items;

	if (type->dict_offset == 0)
		return true;
	if (type->dict_offset < 0) {
		if (!tm_describe_word(d, object + TM_PY_OB_SIZE, &items))
			return false;
		if ((int64_t)items < 0)
			items = 0 - items;
		items = items * (uint64_t)type->item_size + (uint64_t)type->basic_size;
		at += (items + 7) & ~7ull;
	}
	if (!tm_describe_word(d, at, &dict))
		return false;
	return dict == 0 || add_dict(d, names, dict);
}

json_t *tm_describe_names(struct tm_describer *d, uint64_t address,
			  const struct tm_describe_type *type)
{
	json_t *names = json_array();
	bool managed = type->flags & TM_PY_MANAGED_DICT && d->layout->managed != TM_MANAGED_NONE;

	add_slots(d, names, address, *type);
	if (managed ? add_managed(d, names, address, type) : add_by_offset(d, names, address, type))
		return names;
	json_decref(names);
	return NULL;
}

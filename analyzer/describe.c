/*
 * describe.c - memory of the process, types and lengths
 */
#include "describe_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "jsonout.h"
#include "mem.h"
#include "text.h"

/* Type names are short; longer than this is no name. */
#define MOST_NAME 256u

/* No container has more: there is no memory for it. */
#define MOST_LENGTH (1ull << 47)

#define PAGE 4096u

struct tm_describer *tm_describe_begin(pid_t pid, const struct tm_header *header)
{
	const struct tm_describe_layout *layout = tm_describe_layout(header->python_hex);
	struct tm_describer *d;

	if (!layout)
		return NULL;
	d = tm_mem_new(sizeof(*d));
	d->pid = pid;
	d->layout = layout;
	return d;
}

void tm_describe_end(struct tm_describer *d)
{
	free(d);
}

int tm_describe_refused(const struct tm_describer *d)
{
	return d->refused;
}

bool tm_describe_peek(struct tm_describer *d, uint64_t address, void *to, size_t size)
{
	struct iovec local = {to, size};
	struct iovec remote = {(void *)(uintptr_t)address, size};
	ssize_t got = process_vm_readv(d->pid, &local, 1, &remote, 1, 0);

	if (got < 0 && errno == EPERM)
		d->refused = errno;
	return got == (ssize_t)size;
}

bool tm_describe_word(struct tm_describer *d, uint64_t address, uint64_t *out)
{
	return tm_describe_peek(d, address, out, sizeof(*out));
}

/* The end of a page may be the end of what can be read, so it is read up to there first. */
bool tm_describe_text(struct tm_describer *d, uint64_t address, char *out, size_t size)
{
	size_t have = 0;

	while (have < size) {
		size_t step = PAGE - (address + have) % PAGE;

		if (step > size - have)
			step = size - have;
		if (!tm_describe_peek(d, address + have, out + have, step))
			return false;
		if (memchr(out + have, '\0', step))
			return true;
		have += step;
	}
	return false;
}

static uint64_t at(const uint8_t *bytes, size_t offset)
{
	uint64_t word;

	memcpy(&word, bytes + offset, sizeof(word));
	return word;
}

bool tm_describe_read_type(struct tm_describer *d, uint64_t address, struct tm_describe_type *out)
{
	uint8_t bytes[TM_PY_TYPE_SIZE];

	if (!tm_describe_peek(d, address, bytes, sizeof(bytes)))
		return false;
	*out = (struct tm_describe_type){
		.address = address,
		.name = at(bytes, TM_PY_TP_NAME),
		.basic_size = (int64_t)at(bytes, TM_PY_TP_BASICSIZE),
		.item_size = (int64_t)at(bytes, TM_PY_TP_ITEMSIZE),
		.flags = at(bytes, TM_PY_TP_FLAGS),
		.members = at(bytes, TM_PY_TP_MEMBERS),
		.base = at(bytes, TM_PY_TP_BASE),
		.dict_offset = (int64_t)at(bytes, TM_PY_TP_DICTOFFSET),
	};
	return true;
}

/* ---- length ---- */

/* Where the length of an object of a built-in type is; 0 = it has none that is known. */
static unsigned length_by_name(const char *name)
{
	static const struct {
		const char *name;
		unsigned offset;
	} known[] = {
		{"set", TM_PY_SET_USED},
		{"frozenset", TM_PY_SET_USED},
		{"bytearray", TM_PY_OB_SIZE},
		{"collections.deque", TM_PY_OB_SIZE},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(name, known[i].name) == 0)
			return known[i].offset;
	return 0;
}

/*
 * A class made by a class statement is none of these, whatever it is called; its base may be.
 * Heap types of C modules have their module in their name.
 */
static unsigned length_offset(struct tm_describer *d, struct tm_describe_type type)
{
	const uint64_t sized = TM_PY_LIST | TM_PY_TUPLE | TM_PY_BYTES | TM_PY_STR | TM_PY_DICT;
	char name[MOST_NAME];

	if (type.flags & sized)
		return TM_PY_OB_SIZE;
	for (unsigned i = 0; i < TM_DESCRIBE_MOST_BASES; i++) {
		if (tm_describe_text(d, type.name, name, sizeof(name)) &&
		    (!(type.flags & TM_PY_HEAP_TYPE) || strchr(name, '.')) && length_by_name(name))
			return length_by_name(name);
		if (!type.base || !tm_describe_read_type(d, type.base, &type))
			return 0;
	}
	return 0;
}

static json_t *length_json(struct tm_describer *d, uint64_t address,
			   const struct tm_describe_type *type)
{
	unsigned offset = length_offset(d, *type);
	uint64_t length;

	if (offset == 0 || !tm_describe_word(d, address + offset, &length) || length > MOST_LENGTH)
		return json_null();
	return tm_json_count(length);
}

/* ---- all of it ---- */

/* The last part: heap types have their module elsewhere. */
static struct tm_bytes tail(struct tm_bytes name)
{
	const char *dot = memrchr(name.data, '.', name.size);

	if (!dot)
		return name;
	return (struct tm_bytes){dot + 1, (size_t)(name.data + name.size - dot - 1)};
}

/* Is what lies there what the recording says it is? */
static bool is_of_type(const char *found, struct tm_bytes recorded)
{
	struct tm_bytes here = tail((struct tm_bytes){found, strlen(found)});
	struct tm_bytes there = tail(recorded);

	return here.size == there.size && memcmp(here.data, there.data, here.size) == 0;
}

json_t *tm_describe(struct tm_describer *d, uint64_t address, struct tm_bytes recorded)
{
	struct tm_describe_type type;
	uint64_t before, after;
	char name[MOST_NAME];
	json_t *description, *names;

	if (!tm_describe_word(d, address + TM_PY_OB_TYPE, &before) ||
	    !tm_describe_read_type(d, before, &type) ||
	    !tm_describe_text(d, type.name, name, sizeof(name)) || !is_of_type(name, recorded))
		return json_null();
	description = json_object();
	json_object_set_new(description, "type", tm_json_bytes(recorded));
	json_object_set_new(description, "length", length_json(d, address, &type));
	names = tm_describe_names(d, address, &type);
	json_object_set_new(description, "attributes", names ? names : json_null());
	/* another object may have come there meanwhile */
	if (!tm_describe_word(d, address + TM_PY_OB_TYPE, &after) || after != before) {
		json_decref(description);
		return json_null();
	}
	return description;
}

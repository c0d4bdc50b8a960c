#include "intern.h"

#include "blocks.h"
#include "intern_private.h"
#include "lock.h"
#include "nursery.h"
#include "segment.h"
#include "shadow.h"
#include "stack.h"

#include <string.h>

static struct tm_index strings;
static bool inherited; /* objects of before a fork live at addresses we know nothing of */

/* ---- strings --------------------------------------------------------------- */

struct text {
	const char *bytes;
	size_t size;
};

static bool same_string(uint32_t id, const void *key)
{
	const struct text *text = key;
	const struct tm_string *string = tm_segment_at(TM_R_STRINGS, id);

	return string->length == text->size && memcmp(string + 1, text->bytes, text->size) == 0;
}

static uint32_t add_string(const struct text *text)
{
	struct tm_region *region = &tm_segment.header->regions[TM_R_STRINGS];
	uint64_t offset = tm_get(&region->used);
	uint64_t end;
	struct tm_string *string;

	if (offset == 0)
		offset = 4; /* offset 0 is the empty string */
	end = (offset + sizeof(*string) + text->size + 3) & ~3ull;
	if (!tm_segment_back(TM_R_STRINGS, end))
		return 0;
	string = tm_segment_at(TM_R_STRINGS, offset);
	string->length = (uint32_t)text->size;
	memcpy(string + 1, text->bytes, text->size);
	tm_publish(&region->used, end);
	return (uint32_t)offset;
}

uint32_t tm_intern_string_locked(const char *bytes, size_t size)
{
	struct text text = {bytes, size};
	struct tm_index_entry *entry;

	if (size == 0)
		return 0;
	entry = tm_index_find(&strings, tm_hash(bytes, size, 1), same_string, &text);
	if (!entry)
		return 0;
	if (!entry->id) {
		entry->id = add_string(&text);
		strings.count += entry->id != 0;
	}
	return entry->id;
}

uint32_t tm_intern_string(const char *bytes, size_t size)
{
	uint32_t id;

	tm_lock();
	id = tm_intern_string_locked(bytes, size);
	tm_unlock();
	return id;
}

/* ---- records ---------------------------------------------------------------- */

/* A new record at the end of a table; NULL when the table or the space is full. */
static void *append(enum tm_region_id id, size_t record, uint32_t limit, uint32_t *index)
{
	struct tm_region *region = &tm_segment.header->regions[id];
	uint64_t next = tm_get(&region->used);

	if (next == 0)
		next = 1; /* record 0 is reserved */
	if (next >= limit || !tm_segment_back(id, (next + 1) * record))
		return NULL;
	*index = (uint32_t)next;
	return (char *)tm_segment_at(id, 0) + next * record;
}

uint32_t tm_intern_record_locked(struct tm_index *index, enum tm_region_id id, const void *record,
				 size_t size, uint32_t limit, tm_index_same same, enum tm_loss loss)
{
	struct tm_index_entry *entry = tm_index_find(index, tm_hash(record, size, 2), same, record);
	void *place;
	uint32_t at;

	if (!entry || entry->id)
		return entry ? entry->id : 0;
	place = append(id, size, limit, &at);
	if (!place) {
		tm_lose(loss);
		return 0;
	}
	memcpy(place, record, size);
	tm_publish(&tm_segment.header->regions[id].used, at + 1ull);
	entry->id = at;
	index->count++;
	return at;
}

/* ---- seeing deaths --------------------------------------------------------- */

/* What was inherited over a fork gets a word of its own. */
bool tm_intern_watch(uintptr_t address)
{
	static const unsigned before[] = {0, TM_GC_HEAD, 2 * TM_GC_HEAD};
	struct tm_slot *slot;

	if (address >= tm_python.image.start && address < tm_python.image.end)
		return true; /* part of the program: never dies */
	for (unsigned i = 0; i < 3; i++) {
		enum tm_kind kind;

		tm_nursery_forget_at(address - before[i]);
		kind = tm_word_kind(tm_block_word_at(address - before[i]));
		if ((i == 0 && kind == TM_OBJECT) || kind == TM_PENDING) {
			atomic_fetch_or(tm_shadow_find(address - before[i]), TM_WATCHED);
			return true;
		}
	}
	if (!inherited)
		return false;
	slot = tm_shadow_slot(address);
	if (!slot || !slot->words)
		slot = tm_shadow_extend(address);
	if (!slot)
		return false;
	tm_put(&slot->words[tm_shadow_index(address)], tm_word(TM_OBJECT, 0, 0, 0) | TM_WATCHED);
	return true;
}

bool tm_intern_forget(uintptr_t address)
{
	bool code, type;

	tm_lock();
	code = tm_intern_forget_code_locked(address);
	type = tm_intern_forget_type_locked(address);
	/* Threads remember instructions of code objects, and, where objects are told of, types. */
	if (code || (type && tm_python.family == TM_FAMILY_TRACER))
		tm_stack_forget();
	tm_unlock();
	return code || type;
}

void tm_intern_restart(const char *old_base)
{
	tm_index_clear(&strings);
	inherited = old_base != NULL;
	tm_intern_restart_codes();
	tm_stack_forget();
	tm_intern_restart_types(old_base);
}

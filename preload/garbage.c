#include "garbage.h"

#include "cpython/cpython.h"
#include "intern.h"
#include "pages.h"
#include "record.h"
#include "segment.h"
#include "sort.h"

#include <string.h>

/*
 * Entries are put in the order of their addresses and compared with those of the look before, which
 * are in that order already: shadow words and records are met one after the other, so that a
 * million take some ten milliseconds.  A list that is as it was needs no sorting.
 */

#define NONE UINT64_MAX /* for a record: there was no space for one */

static struct tm_placed *known; /* what was there at the last look, by address; value: its record */
static size_t known_count, known_bytes;
static uintptr_t *before; /* the entries of the lists at the last look */
static size_t before_count;
static uint32_t newest; /* no record has a later `since` */

struct look {
	uint32_t mark;
	uintptr_t lists[TM_GARBAGE_LISTS];
	size_t places; /* in all lists */
	struct tm_garbage_count count;
};

static struct tm_region *region(void)
{
	return &tm_segment.header->regions[TM_R_GARBAGE];
}

static struct tm_garbage *record_at(uint64_t index)
{
	return (struct tm_garbage *)tm_segment_at(TM_R_GARBAGE, 0) + index;
}

static void keep(struct tm_placed *placed, size_t count, size_t bytes)
{
	if (known)
		tm_pages_free(known, known_bytes);
	known = placed;
	known_count = count;
	known_bytes = bytes;
}

static void keep_entries(uintptr_t *entries, size_t count)
{
	if (before)
		tm_pages_free(before, before_count * sizeof(*before));
	before = entries;
	before_count = count;
}

void tm_garbage_restart(void)
{
	keep(NULL, 0, 0);
	keep_entries(NULL, 0);
	newest = 0;
}

/* ---- an object -------------------------------------------------------------------- */

static uint64_t word_at(uintptr_t address)
{
	return tm_block_word_at(address) & ~TM_WATCHED;
}

/* The block whose type was not looked at yet that an object is in; 0 = none. */
static uintptr_t pending_block(uintptr_t object)
{
	for (uintptr_t head = 0; head <= 2 * TM_GC_HEAD; head += TM_GC_HEAD) {
		uint64_t word = word_at(object - head);

		if (tm_word_kind(word) == TM_PENDING && tm_word_type(word) > head)
			return object - head;
	}
	return 0;
}

/* The word of an object, as it is if its type is resolved already; 0 when it has none. */
static uint64_t word_of(uintptr_t object)
{
	uint64_t word = word_at(object);
	uintptr_t block;

	if (tm_word_kind(word) == TM_OBJECT)
		return word;
	block = pending_block(object);
	if (!block)
		return 0;
	return (word_at(block) & (TM_BIRTH_MASK | TM_SITE_MASK)) |
	       tm_word(TM_OBJECT, 0, 0, tm_type_of(object));
}

/* Of its block; 0 = not known. */
static uint64_t size_of(uintptr_t object)
{
	uintptr_t block;
	uint32_t size;

	if (tm_word_kind(word_at(object)) == TM_OBJECT)
		return tm_object_size(object);
	block = pending_block(object);
	size = tm_word_type(word_at(block));
	return size == TM_SIZE_BIG ? tm_word_size(word_at(block + TM_GRANULE)) : size;
}

/* ---- its record ------------------------------------------------------------------- */

/* Identity is address and birth; what the recorder knows nothing of has an address only. */
static bool is_same(const struct tm_garbage *record, uintptr_t object)
{
	uint64_t word;

	if (record->address != object)
		return false;
	word = word_of(object);
	return word ? record->word == word
		    : !(record->word & (TM_BIRTH_MASK | TM_SITE_MASK)) && !record->size;
}

/* A record for what was not there before; NONE when there is no space for it. */
static uint64_t add(struct look *look, uintptr_t object)
{
	uint64_t next = tm_get(&region()->used);
	uint64_t word = word_of(object);
	struct tm_garbage *record;

	if (!tm_segment_back(TM_R_GARBAGE, (next + 1) * sizeof(*record))) {
		tm_lose(TM_L_GARBAGE);
		look->count.fresh++;
		return NONE;
	}
	record = record_at(next);
	record->address = object;
	record->word = word ? word : tm_word(TM_OBJECT, 0, 0, tm_type_of(object));
	record->size = word ? size_of(object) : 0;
	record->since = look->mark;
	/* A late follow-up finds what is younger than its mark. */
	if (record->since < tm_word_birth(word))
		record->since = tm_word_birth(word);
	if (newest < record->since)
		newest = record->since;
	tm_put(&record->gone, 0);
	tm_publish(&region()->used, next + 1);
	return next;
}

static void leave(const struct look *look, uint64_t record)
{
	if (record != NONE)
		tm_publish(&record_at(record)->gone, look->mark);
}

/* ---- the lists -------------------------------------------------------------------- */

/* Fails to be the same, too, when another object has come to an address. */
static bool are_as_they_were(const struct look *look, const uintptr_t *entries)
{
	if (look->places != before_count || memcmp(entries, before, before_count * sizeof(*before)))
		return false;
	for (size_t i = 0; i < known_count; i++) {
		if (known[i].value != NONE && !is_same(record_at(known[i].value), known[i].address))
			return false;
	}
	return true;
}

static void copy_entries(const struct look *look, uintptr_t *entries)
{
	for (unsigned i = 0; i < TM_GARBAGE_LISTS; i++) {
		uintptr_t list = look->lists[i];
		size_t count = list ? TM_FIELD(size_t, list, TM_OB_SIZE) : 0;

		if (!count)
			continue;
		memcpy(entries, (const void *)TM_FIELD(uintptr_t, list, TM_LIST_ITEMS),
		       count * sizeof(*entries));
		entries += count;
	}
}

/* The objects among the entries. */
static size_t collect(const uintptr_t *entries, size_t count, struct tm_placed *placed)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		if (entries[i])
			placed[found++].address = entries[i];
	}
	return found;
}

/* The record of an object; @at: the next of those known, in whose order objects come. */
static uint64_t find(struct look *look, uintptr_t object, size_t *at)
{
	uint64_t record;

	while (*at < known_count && known[*at].address < object)
		leave(look, known[(*at)++].value);
	if (*at == known_count || known[*at].address != object)
		return add(look, object);
	record = known[(*at)++].value;
	if (record == NONE || is_same(record_at(record), object))
		return record;
	leave(look, record);
	return add(look, object);
}

/* What is there twice keeps one entry.  Returns how many there are. */
static size_t compare_with_known(struct look *look, struct tm_placed *placed, size_t found)
{
	size_t kept = 0, at = 0;

	for (size_t i = 0; i < found; i++) {
		uintptr_t object = placed[i].address;

		if (kept && placed[kept - 1].address == object)
			continue;
		placed[kept].address = object;
		placed[kept++].value = find(look, object, &at);
	}
	while (at < known_count)
		leave(look, known[at++].value);
	return kept;
}

/* False: there is no memory for it. */
static bool look_closely(struct look *look, const uintptr_t *entries)
{
	size_t bytes = look->places * sizeof(struct tm_placed);
	struct tm_placed *placed = tm_pages(bytes);
	struct tm_placed *scratch = placed ? tm_pages(bytes) : NULL;
	struct tm_placed *sorted;
	size_t found;

	if (!scratch) {
		if (placed)
			tm_pages_free(placed, bytes);
		return false;
	}
	found = collect(entries, look->places, placed);
	sorted = tm_sort(placed, scratch, found);
	tm_pages_free(sorted == placed ? scratch : placed, bytes);
	keep(sorted, compare_with_known(look, sorted, found), bytes);
	return true;
}

static void look_at_entries(struct look *look)
{
	uintptr_t *entries = tm_pages(look->places * sizeof(*entries));

	if (entries)
		copy_entries(look, entries);
	if (entries && (are_as_they_were(look, entries) || look_closely(look, entries))) {
		keep_entries(entries, look->places);
		return;
	}
	if (entries)
		tm_pages_free(entries, look->places * sizeof(*entries));
	tm_lose(TM_L_GARBAGE);
}

static void all_leave(const struct look *look)
{
	for (size_t i = 0; i < known_count; i++)
		leave(look, known[i].value);
	keep(NULL, 0, 0);
	keep_entries(NULL, 0);
}

/* ---- a look ----------------------------------------------------------------------- */

static void count(struct look *look)
{
	look->count.entries = known_count;
	for (size_t i = 0; newest >= look->mark && i < known_count; i++) {
		if (known[i].value != NONE)
			look->count.fresh += record_at(known[i].value)->since == look->mark;
	}
}

struct tm_garbage_count tm_garbage_look(uint32_t mark)
{
	struct look look = {.mark = mark};

	tm_python_garbage(look.lists);
	for (unsigned i = 0; i < TM_GARBAGE_LISTS; i++) {
		if (look.lists[i])
			look.places += TM_FIELD(size_t, look.lists[i], TM_OB_SIZE);
	}
	if (!look.places)
		all_leave(&look);
	else
		look_at_entries(&look);
	count(&look);
	return look.count;
}

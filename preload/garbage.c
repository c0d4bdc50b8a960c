#include "garbage.h"

#include "cpython/cpython.h"
#include "intern.h"
#include "pages.h"
#include "record.h"
#include "segment.h"
#include "table.h"

/*
 * Records are found by address in a private map; each look stamps what it meets, and what has no
 * stamp of this look has left.  A list that is only appended to is met in the order of its
 * records, so that next to no entry needs the map.
 */
static struct tm_map present; /* objects there now: index of the record, plus 1 */
static uint32_t *stamps;      /* by record: the look that met it last */
static size_t stamps_size;    /* bytes */
static uint32_t looks;
static uint32_t oldest;	 /* no record below this is of an object that is there */
static uint64_t refused; /* the most entries without a record in one look: counted once each */

struct look {
	uint32_t mark;
	uint32_t next; /* the record that the next entry most likely has */
	uint64_t met;  /* records stamped */
	uint64_t refused;
	struct tm_garbage_count count;
};

static struct tm_region *region(void)
{
	return &tm_segment.header->regions[TM_R_GARBAGE];
}

static struct tm_garbage *record_at(uint32_t index)
{
	return (struct tm_garbage *)tm_segment_at(TM_R_GARBAGE, 0) + index;
}

void tm_garbage_restart(void)
{
	tm_map_clear(&present);
	if (stamps)
		tm_pages_free(stamps, stamps_size);
	stamps = NULL;
	looks = 0;
	oldest = 0;
	refused = 0;
}

/* ---- an entry --------------------------------------------------------------------- */

static uint64_t word_at(uintptr_t address)
{
	tm_shadow_word *word = tm_shadow_find(address);

	return word ? tm_get(word) & ~TM_WATCHED : 0;
}

/*
 * The word of an object, as it is if its type is resolved already; 0 when it has none.
 * @size: of its block, 0 = not known.
 */
static uint64_t word_of(uintptr_t object, uint64_t *size)
{
	uint64_t word = word_at(object);

	if (tm_word_kind(word) == TM_OBJECT) {
		*size = tm_object_size(object);
		return word;
	}
	*size = 0;
	for (uintptr_t before = 0; before <= 2 * TM_GC_HEAD; before += TM_GC_HEAD) {
		word = word_at(object - before);
		if (tm_word_kind(word) != TM_PENDING || tm_word_type(word) <= before)
			continue;
		*size = tm_word_type(word);
		if (*size == TM_SIZE_BIG)
			*size = tm_word_size(word_at(object - before + TM_GRANULE));
		return (word & (TM_BIRTH_MASK | TM_SITE_MASK)) |
		       tm_word(TM_OBJECT, 0, 0, tm_type_of(object));
	}
	return 0;
}

/* Identity is address and birth; what the recorder knows nothing of has an address only. */
static bool is_same(const struct tm_garbage *record, uintptr_t object, uint64_t word)
{
	if (record->address != object || record->gone)
		return false;
	return word ? record->word == word
		    : !(record->word & (TM_BIRTH_MASK | TM_SITE_MASK)) && !record->size;
}

static uint32_t later(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* A record for what was not there before; false when there is no space for it. */
static bool add(const struct look *look, uintptr_t object, uint64_t word, uint64_t size,
		uint32_t *index)
{
	uint64_t next = tm_get(&region()->used);
	struct tm_garbage *record;

	if (!stamps) {
		stamps_size = region()->capacity / sizeof(*record) * sizeof(*stamps);
		stamps = tm_pages(stamps_size);
	}
	if (!stamps || !tm_segment_back(TM_R_GARBAGE, (next + 1) * sizeof(*record)) ||
	    !tm_map_put(&present, object, (uint32_t)next + 1))
		return false;
	record = record_at((uint32_t)next);
	record->address = object;
	record->word = word ? word : tm_word(TM_OBJECT, 0, 0, tm_type_of(object));
	record->size = size;
	record->since = later(look->mark, tm_word_birth(word));
	tm_put(&record->gone, 0);
	tm_publish(&region()->used, next + 1);
	*index = (uint32_t)next;
	return true;
}

/* The record of an entry, an old or a new one; false when it has none. */
static bool find(const struct look *look, uintptr_t object, uint32_t *index)
{
	uint64_t size, word = word_of(object, &size);
	uint32_t known;

	if (look->next < tm_get(&region()->used) && is_same(record_at(look->next), object, word)) {
		*index = look->next;
		return true;
	}
	known = tm_map_get(&present, object);
	if (known && is_same(record_at(known - 1), object, word)) {
		*index = known - 1;
		return true;
	}
	/* Another object was there: it has left, and the map forgets it. */
	if (known)
		tm_put(&record_at(known - 1)->gone, look->mark);
	if (add(look, object, word, size, index))
		return true;
	if (known)
		tm_map_remove(&present, object);
	return false;
}

static void see(struct look *look, uintptr_t object)
{
	uint32_t index;

	if (!find(look, object, &index)) {
		look->refused++;
		look->count.entries++;
		return;
	}
	look->next = index + 1;
	if (stamps[index] == looks)
		return; /* it is there twice */
	stamps[index] = looks;
	look->met++;
	look->count.entries++;
	if (record_at(index)->since == look->mark)
		look->count.fresh++;
}

/* ---- a look ----------------------------------------------------------------------- */

static void see_list(struct look *look, uintptr_t list)
{
	size_t count = list ? TM_FIELD(size_t, list, TM_OB_SIZE) : 0;
	uintptr_t items = count ? TM_FIELD(uintptr_t, list, TM_LIST_ITEMS) : 0;

	for (size_t i = 0; items && i < count; i++) {
		uintptr_t object = TM_FIELD(uintptr_t, items, i * sizeof(void *));

		if (object)
			see(look, object);
	}
}

/* What was there and was not met has left. */
static void sweep(const struct look *look)
{
	uint32_t used = (uint32_t)tm_get(&region()->used);
	uint32_t first = used;

	for (uint32_t i = oldest; i < used; i++) {
		struct tm_garbage *record = record_at(i);

		if (tm_get(&record->gone))
			continue;
		if (stamps[i] == looks) {
			first = first < i ? first : i;
			continue;
		}
		tm_publish(&record->gone, look->mark);
		if (look->met)
			tm_map_remove(&present, record->address);
	}
	oldest = first;
	if (!look->met)
		tm_map_clear(&present);
}

/* An entry that finds no space is counted when it comes, not at every look again. */
static void count_refused(struct look *look)
{
	if (look->refused <= refused)
		return;
	look->count.fresh += look->refused - refused;
	tm_lose_many(TM_L_GARBAGE, look->refused - refused);
	refused = look->refused;
}

struct tm_garbage_count tm_garbage_look(uint32_t mark)
{
	struct look look = {.mark = mark, .next = oldest};
	uintptr_t lists[TM_GARBAGE_LISTS];

	tm_python_garbage(lists);
	looks++;
	for (unsigned i = 0; i < TM_GARBAGE_LISTS; i++)
		see_list(&look, lists[i]);
	if (look.met < present.count)
		sweep(&look);
	count_refused(&look);
	return look.count;
}

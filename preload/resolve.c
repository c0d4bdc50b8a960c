#include "resolve.h"

#include "arenas.h"
#include "blocks.h"
#include "intern.h"
#include "recycled.h"
#include "segment.h"
#include "shadow.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static bool inherited;

void tm_resolve_inherited(bool yes)
{
	inherited = yes;
}

bool tm_resolve_others_run_freely(void)
{
	return tm_python.adapter->own_gils && tm_get(&tm_segment.header->blind) & TM_B_INTERPRETERS;
}

static bool is_mapped(uintptr_t address)
{
	unsigned char state;
	int saved = errno;
	uintptr_t page = address & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
	bool mapped = mincore((void *)page, 1, &state) == 0;

	errno = saved;
	return mapped;
}

/* A class made at run time is itself an object in a block of ours, behind a collector's head. */
static bool in_live_block(uintptr_t type)
{
	for (uintptr_t before = 0; before <= 2 * TM_GC_HEAD; before += TM_GC_HEAD) {
		enum tm_kind kind = tm_word_kind(tm_block_word_at(type - before));

		if (kind == TM_PENDING || (before == 0 && kind == TM_OBJECT))
			return true;
	}
	return false;
}

/* A collector's head refers to others, where an object without one would to its type. */
static bool is_collectors_head(uintptr_t address)
{
	return tm_word_kind(tm_block_word_at(address)) == TM_SIZE_HEAD;
}

static bool may_be_read(uintptr_t type)
{
	struct tm_image image;

	if (type & 7 || type < 4096 || type >> TM_ADDRESS_BITS)
		return false;
	if (in_live_block(type) || tm_image_of((void *)type, &image))
		return true;
	return inherited && is_mapped(type) && is_mapped(type + TM_TP_DICT);
}

/* Whether @type is a type: its own type's type's ... type is `type`, within a few steps. */
static bool is_type(uintptr_t type, unsigned steps)
{
	uintptr_t meta;

	if (type == (uintptr_t)tm_python.type_type || tm_intern_known_type(type))
		return true;
	if (steps == 0 || is_collectors_head(type) || !may_be_read(type))
		return false;
	meta = TM_FIELD(uintptr_t, type, TM_OB_TYPE);
	if (TM_FIELD(uint64_t, type, TM_OB_REFCNT) == 0 || !is_type(meta, steps - 1))
		return false;
	return TM_FIELD(uint64_t, meta, TM_TP_FLAGS) & TM_FLAG_TYPE;
}

static size_t offset_in_block(uintptr_t type)
{
	uint64_t flags = TM_FIELD(uint64_t, type, TM_TP_FLAGS);
	size_t offset = 0;

	if (flags & TM_FLAG_GC)
		offset += TM_GC_HEAD;
	if (flags & tm_python.adapter->preheader_flags)
		offset += TM_GC_HEAD;
	return offset;
}

/* On a free list the count is 0, or its place holds the link to the next block. */
static bool may_be_count(uintptr_t object, bool dying)
{
	uint64_t references = TM_FIELD(uint64_t, object, TM_OB_REFCNT);

	references &= tm_python.adapter->refcount_mask;
	return references <= UINT32_MAX && (references || dying);
}

/* Of @type's objects the smallest block; those of some may be shorter than the basic size. */
static uint64_t least_size(uintptr_t type, size_t offset)
{
	uint64_t size = TM_FIELD(uint64_t, type, TM_TP_BASICSIZE) + offset;

	if (TM_FIELD(uint64_t, type, TM_TP_FLAGS) & (TM_FLAG_STR | TM_FLAG_INT) || size < 8)
		return 0;
	return size - 8;
}

static bool is_object(uintptr_t object, size_t offset, size_t size, bool dying)
{
	uintptr_t type = TM_FIELD(uintptr_t, object, TM_OB_TYPE);

	if (!may_be_count(object, dying))
		return false;
	if (!is_type(type, 4) || offset_in_block(type) != offset)
		return false;
	/* Kept by their code object and by a free list, dead or alive: memory, not objects. */
	if (type == (uintptr_t)tm_python.frame_type && tm_python.adapter->blind & TM_B_FRAMES)
		return false;
	return size >= least_size(type, offset);
}

enum tm_kind tm_resolve_kind(uintptr_t block, size_t size, bool dying, uintptr_t *object)
{
	for (size_t offset = 0; offset <= 2 * TM_GC_HEAD && offset + 16 <= size;
	     offset += TM_GC_HEAD) {
		if (is_object(block + offset, offset, size, dying)) {
			*object = block + offset;
			return TM_OBJECT;
		}
	}
	return TM_BUFFER;
}

static uint64_t pending_size(uintptr_t block, uint64_t word)
{
	tm_shadow_word *tail;

	if (tm_word_type(word) != TM_SIZE_BIG)
		return tm_word_type(word);
	tail = tm_shadow_find(block + TM_GRANULE);
	return tail ? tm_word_size(tm_get(tail)) : TM_SIZE_BIG;
}

/* An object that is dead already, in a block that lives: perhaps its extension module keeps it. */
static void note_dead(uintptr_t block, size_t size)
{
	uintptr_t object;

	if (tm_resolve_kind(block, size, true, &object) == TM_OBJECT)
		tm_recycled_note(block, object - block, tm_type_of(object), true);
}

/*
 * Naming a class reads more than its head.  One that was made at run time lies in memory that does
 * not say whose it is, but its dictionary's does.
 */
static bool may_be_named(uintptr_t type)
{
	return !(TM_FIELD(uint64_t, type, TM_TP_FLAGS) & TM_FLAG_HEAPTYPE) ||
	       tm_intern_known_type(type) ||
	       tm_arenas_whose(TM_FIELD(uintptr_t, type, TM_TP_DICT)) == TM_OURS;
}

/* ---- what was seen just now -------------------------------------------------------- */

/* Types that were found while blocks are looked at, for most of those are of few. */
enum {
	SEEN = 32
};
struct seen {
	uintptr_t type; /* 0 = none */
	size_t offset;	/* of its objects in their blocks */
	uint64_t least; /* size of such a block */
	uint32_t index;
};

static struct seen *seen_at(struct seen *seen, uintptr_t type)
{
	return &seen[(type >> 4 ^ type >> 9) % SEEN];
}

/* Those that extension modules free are looked into, each of them (recycled.h). */
static void remember(struct seen *seen, uintptr_t type, size_t offset, uint32_t index)
{
	const struct tm_type *record = (struct tm_type *)tm_segment_at(TM_R_TYPES, 0) + index;

	if (!(record->flags & TM_TF_FOREIGN))
		*seen_at(seen, type) = (struct seen){type, offset, least_size(type, offset), index};
}

/*
 * As tm_resolve_kind(), among what was seen.  Returns the object, its type's index in *@index; 0:
 * that is not enough to tell.
 */
static uintptr_t find_seen(struct seen *seen, uintptr_t block, size_t size, uint32_t *index)
{
	for (size_t offset = 0; offset <= 2 * TM_GC_HEAD && offset + 16 <= size;
	     offset += TM_GC_HEAD) {
		uintptr_t object = block + offset, type;
		const struct seen *known;

		type = TM_FIELD(uintptr_t, object, TM_OB_TYPE);
		if (!type || !may_be_count(object, false))
			continue;
		known = seen_at(seen, type);
		*index = known->index;
		if (known->type == type && known->offset == offset && size >= known->least)
			return object;
		if (known->type != type && !is_collectors_head(type))
			return 0;
	}
	return 0;
}

/* ---- blocks ------------------------------------------------------------------------ */

/* The type of an object that was found the long way. */
static uint32_t type_of_found(struct seen *seen, uintptr_t block, uintptr_t object)
{
	uint32_t index = tm_type_of(object);

	if (index && tm_python.family == TM_FAMILY_ALLOCATOR) {
		remember(seen, TM_FIELD(uintptr_t, object, TM_OB_TYPE), object - block, index);
		tm_recycled_note(block, object - block, index, false);
	}
	return index;
}

static void put_memory(tm_shadow_word *word, uintptr_t block, uint64_t size)
{
	tm_put(word, (tm_get(word) & ~TM_KIND_MASK) | TM_BUFFER);
	if (tm_python.family == TM_FAMILY_ALLOCATOR)
		note_dead(block, size);
}

static void put_object(tm_shadow_word *word, uintptr_t block, uint64_t size, uintptr_t object,
		       uint32_t type)
{
	tm_shadow_word *place = tm_shadow_find(object == block ? block + TM_GRANULE : object);
	/* Interning its type may have set the watched bit of this very block. */
	uint64_t keep = tm_get(word) & (TM_BIRTH_MASK | TM_SITE_MASK | TM_WATCHED);

	if (!place && size > TM_GRANULE)
		return;
	if (object == block) {
		if (size > TM_GRANULE)
			tm_put(place, tm_size_word(TM_SIZE_TAIL, size));
		tm_publish(word, tm_word(TM_OBJECT, 0, 0, type) | keep);
		return;
	}
	/* The tracer, back from another tool, may have told of a later one in this block. */
	if (tm_word_kind(tm_get(place)) != TM_OBJECT)
		tm_publish(place, tm_word(TM_OBJECT, 0, 0, type) | keep);
	tm_publish(word, tm_size_word(TM_SIZE_HEAD, size));
	/* Behind two heads lies what was the tail of a large block. */
	if (object == block + 2 * TM_GC_HEAD)
		tm_put(tm_shadow_find(block + TM_GRANULE), 0);
}

/* Returns false when it cannot be decided now. */
static bool resolve_block(uintptr_t block, bool collecting, struct seen *seen)
{
	/* Asked first: of an arena that is gone by now no word is left. */
	enum tm_whose whose = tm_resolve_others_run_freely() ? tm_arenas_whose(block) : TM_OURS;
	tm_shadow_word *word = tm_shadow_find(block);
	uint64_t value = word ? tm_get(word) : 0, size;
	uintptr_t object;
	uint32_t type;

	if (tm_word_kind(value) != TM_PENDING)
		return true;
	if (whose == TM_ANOTHERS)
		return false;
	size = pending_size(block, value);
	object = find_seen(seen, block, size, &type);
	if (!object) {
		if (tm_resolve_kind(block, size, false, &object) != TM_OBJECT) {
			if (!collecting)
				put_memory(word, block, size);
			return !collecting;
		}
		if (whose == TM_NOBODYS && !may_be_named(TM_FIELD(uintptr_t, object, TM_OB_TYPE)))
			return false;
		type = type_of_found(seen, block, object);
	}
	if (type)
		put_object(word, block, size, object, type);
	return true;
}

void tm_resolve_blocks(uintptr_t *blocks, uint32_t count, uintptr_t unborn)
{
	bool collecting = tm_python_collecting();
	struct seen seen[SEEN] = {0};

	for (uint32_t i = 0; i < count; i++) {
		if (blocks[i] && blocks[i] != unborn && resolve_block(blocks[i], collecting, seen))
			blocks[i] = 0;
	}
}

#include "resolve.h"

#include "arenas.h"
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
		tm_shadow_word *word = tm_shadow_find(type - before);
		enum tm_kind kind = word ? tm_word_kind(tm_get(word)) : TM_FREE;

		if (kind == TM_PENDING || (before == 0 && kind == TM_OBJECT))
			return true;
	}
	return false;
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
	if (steps == 0 || !may_be_read(type))
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

static bool is_object(uintptr_t object, size_t offset, size_t size, bool dying)
{
	uintptr_t type = TM_FIELD(uintptr_t, object, TM_OB_TYPE);
	uint64_t references = TM_FIELD(uint64_t, object, TM_OB_REFCNT);
	uint64_t flags;

	/* On a free list the count is 0, or its place holds the link to the next block. */
	references &= tm_python.adapter->refcount_mask;
	if (references > UINT32_MAX || (references == 0 && !dying))
		return false;
	if (!is_type(type, 4) || offset_in_block(type) != offset)
		return false;
	/* Kept by their code object and by a free list, dead or alive: memory, not objects. */
	if (type == (uintptr_t)tm_python.frame_type && tm_python.adapter->blind & TM_B_FRAMES)
		return false;
	flags = TM_FIELD(uint64_t, type, TM_TP_FLAGS);
	if (flags & (TM_FLAG_STR | TM_FLAG_INT))
		return true; /* their blocks may be shorter than the basic size */
	return offset + TM_FIELD(uint64_t, type, TM_TP_BASICSIZE) <= size + 8;
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

/* Returns false when it cannot be decided now. */
static bool resolve_block(uintptr_t block, bool collecting)
{
	/* Asked first: of an arena that is gone by now no word is left. */
	enum tm_whose whose = tm_resolve_others_run_freely() ? tm_arenas_whose(block) : TM_OURS;
	tm_shadow_word *word = tm_shadow_find(block), *place;
	uint64_t value = word ? tm_get(word) : 0;
	uint64_t size, keep;
	uintptr_t object;
	uint32_t type;

	if (tm_word_kind(value) != TM_PENDING)
		return true;
	if (whose == TM_ANOTHERS)
		return false;
	size = pending_size(block, value);
	if (tm_resolve_kind(block, size, false, &object) != TM_OBJECT) {
		if (collecting)
			return false;
		tm_put(word, (value & ~TM_KIND_MASK) | TM_BUFFER);
		if (tm_python.family == TM_FAMILY_ALLOCATOR)
			note_dead(block, size);
		return true;
	}
	if (whose == TM_NOBODYS && !may_be_named(TM_FIELD(uintptr_t, object, TM_OB_TYPE)))
		return false;
	type = tm_type_of(object);
	place = tm_shadow_find(object == block ? block + TM_GRANULE : object);
	if (!type || (!place && size > TM_GRANULE))
		return true;
	if (tm_python.family == TM_FAMILY_ALLOCATOR)
		tm_recycled_note(block, object - block, type, false);
	/* Interning its type may have set the watched bit of this very block. */
	keep = tm_get(word) & (TM_BIRTH_MASK | TM_SITE_MASK | TM_WATCHED);
	if (object != block) {
		/* The tracer, back from another tool, may have told of a later one in this block.
		 */
		if (tm_word_kind(tm_get(place)) != TM_OBJECT)
			tm_publish(place, tm_word(TM_OBJECT, 0, 0, type) | keep);
		tm_publish(word, tm_size_word(TM_SIZE_HEAD, size));
		/* Behind two heads lies what was the tail of a large block. */
		if (object == block + 2 * TM_GC_HEAD)
			tm_put(tm_shadow_find(block + TM_GRANULE), 0);
		return true;
	}
	if (size > TM_GRANULE)
		tm_put(place, tm_size_word(TM_SIZE_TAIL, size));
	tm_publish(word, tm_word(TM_OBJECT, 0, 0, type) | keep);
	return true;
}

void tm_resolve_blocks(uintptr_t *blocks, uint32_t count, uintptr_t unborn)
{
	bool collecting = tm_python_collecting();

	for (uint32_t i = 0; i < count; i++) {
		if (blocks[i] && blocks[i] != unborn && resolve_block(blocks[i], collecting))
			blocks[i] = 0;
	}
}

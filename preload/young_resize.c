#include "young_resize.h"

#include "hot_deaths.h"

#include <string.h>

/* What lives and may wait once it is dead is young from now on; NULL: it may not. */
static struct tm_young *adopt(enum tm_young_domain domain, uintptr_t block)
{
	size_t index;
	tm_shadow_word *words = tm_shadow_look(block, &index)->words;
	uint64_t value = words ? tm_get(words + index) : 0;

	if (tm_hot_quiet(value) != tm_young_kind(domain) ||
	    value >> TM_TYPE_SHIFT > TM_MAGAZINE_SIZE)
		return NULL;
	return tm_nursery_adopt(block, value >> TM_TYPE_SHIFT, domain, words + index);
}

static bool stays(size_t room, size_t size)
{
	return size <= room && size > room - room / 4;
}

/* Who waits becomes a block with this word; false: its place takes more than a look. */
static bool take_over(struct tm_young *waiting, uint64_t word)
{
	uint64_t birth;

	if (waiting->key == TM_KEY_NONE)
		waiting->place = tm_hot_place(waiting->block, &birth);
	if (unlikely(!waiting->place))
		return false;
	waiting->home->newest--;
	waiting->address = waiting->block;
	waiting->key = TM_KEY_SEVERAL;
	waiting->word = word;
	tm_put(waiting->place, word);
	return true;
}

/* The bytes of @young are elsewhere. */
static void leave(const struct tm_allocator *next, struct tm_young *young)
{
	uintptr_t block = young->block;

	tm_put(young->place, 0);
	if (likely(!tm_magazine_is_full(young->home))) {
		tm_young_waits(young, 0, young->home);
		return;
	}
	tm_young_leaves(young);
	next->free(next->ctx, (void *)block);
}

/* @waiting: may be NULL */
static void *move(const struct tm_allocator *next, enum tm_young_domain domain,
		  struct tm_young *young, struct tm_young *waiting, size_t size)
{
	uint64_t value = tm_get(young->place);
	size_t held = value >> TM_TYPE_SHIFT;
	bool taken = waiting && take_over(waiting, tm_hot_with_size(value, size));
	void *moved = taken ? (void *)waiting->block : next->malloc(next->ctx, size);

	if (unlikely(!moved))
		return NULL;
	memcpy(moved, (void *)young->block, held < size ? held : size);
	if (!taken)
		tm_hot_put_back((uintptr_t)moved, size, value);
	leave(next, young);
	/* Who waited is there already.  Last, for these blocks may be looked into now. */
	if (!taken && domain == TM_YOUNG_OBJ)
		tm_recent_add(tm_self_here(), (uintptr_t)moved);
	return moved;
}

void *tm_young_resized(const struct tm_allocator *next, enum tm_young_domain domain,
		       uintptr_t block, size_t size)
{
	struct tm_nursery *nursery = tm_get(&tm_nursery);
	struct tm_young *young;
	uint64_t value;

	if (unlikely(!size || size >= TM_OWNED_LEAST))
		return NULL;
	young = tm_young_at(nursery->blocks, block);
	if (!young)
		young = adopt(domain, block);
	if (!young)
		return NULL;
	value = tm_get(young->place);
	if (unlikely(value >> TM_TYPE_SHIFT >= TM_OWNED_LEAST || tm_owner_awaits(block)))
		return NULL;
	if (!stays(tm_magazine_size(nursery, domain, young->home), size))
		return move(next, domain, young, *tm_magazine_of(nursery, domain, size)->newest,
			    size);
	tm_put(young->place, tm_hot_with_size(value, size));
	return (void *)block;
}

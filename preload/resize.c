#include "resize.h"

#include "owner.h"
#include "record.h"
#include "resolve.h"
#include "segment.h"

/*
 * A block that is resized under a later mark than it was born under becomes a new one: what was
 * there at the mark had another size, and the line that resizes it is the one that makes it grow.
 */
void tm_block_renew(struct tm_block_words *words)
{
	unsigned at;
	uint64_t value;

	if (unlikely(tm_owner_awaits(words->block))) {
		tm_owner_settle();
		tm_block_take(words->block, words);
	}
	at = tm_block_object(words);
	value = words->word[at < 3 ? at : 0];
	if ((at == 3 && !tm_block_is_plain(value)) || (value & TM_BIRTH_MASK) == tm_birth_now()) {
		tm_block_clear(words);
		return;
	}
	tm_death_look_into(words);
	words->renews = true;
}

/*
 * The memory is another's by now, who may have written words of its own already; these are of this
 * interval, and so none of the old ones.
 */
static void clear_old(const struct tm_block_words *words)
{
	for (unsigned i = 0; i < 3; i++) {
		tm_shadow_word *place =
			words->word[i] ? tm_shadow_find(words->block + i * TM_GRANULE) : NULL;
		uint64_t seen = place ? tm_get(place) : 0;

		if (place && ((seen ^ words->word[i]) & ~TM_WATCHED) == 0)
			atomic_compare_exchange_strong(place, &seen, 0);
	}
}

/*
 * What the new block is to say of the old one, which its owner still refers to.  What is known of
 * the owner already is not lost where it is not found again.
 */
static uint64_t grown_out_of(const struct tm_block_words *words)
{
	uint64_t owner = tm_owner_of(words->block, 0, true);

	return tm_grown_word(words->block, tm_past_type(owner ? owner : words->past));
}

void tm_block_leave(struct tm_block_words *words)
{
	unsigned at = tm_block_object(words);
	uint64_t *value = &words->word[at < 3 ? at : 0];

	if (!words->renews)
		return;
	if (at < 3)
		tm_death_of_object_in(words, at);
	else
		tm_death_of_plain(words, TM_DF_RESIZED);
	clear_old(words);
	words->past = at < 3 || words->object ? 0 : grown_out_of(words);
	*value = (*value & ~(TM_BIRTH_MASK | TM_SITE_MASK | TM_WATCHED)) | tm_get(&tm_birth_bits) |
		 (uint64_t)tm_site_here() << TM_SITE_SHIFT;
}

void tm_block_restore(const struct tm_block_words *words)
{
	if (words->renews)
		return;
	if (tm_block_is_plain(words->word[0])) {
		tm_block_put(words->block, words->size, words->word[0], words->past);
		return;
	}
	for (unsigned i = 0; i < 3; i++) {
		if (words->word[i])
			tm_put(tm_shadow_find(words->block + i * TM_GRANULE), words->word[i]);
	}
}

/*
 * What names knew at the old address is forgotten.  What was watched because it was born while a
 * collector ran is watched on.
 */
static uint64_t watch_on(const struct tm_block_words *words, uint64_t word)
{
	bool known = false;

	for (unsigned i = 0; word & TM_WATCHED && i < 3; i++)
		known |= tm_intern_forget(words->block + i * TM_GRANULE);
	return known ? word & ~TM_WATCHED : word;
}

static bool passes_power(uint64_t from, uint64_t to)
{
	return to > from && (from ^ to) > from;
}

/*
 * A block of this interval that was too small to ask for its owner when it was made, and no longer
 * is.  Asked each time that its size passes a power of two.
 */
static uint64_t past_of_larger(const struct tm_block_words *words, size_t size)
{
	uint64_t owner;

	if (words->past || words->renews || size < TM_OWNED_LEAST ||
	    !passes_power(words->size, size))
		return words->past;
	owner = tm_owner_of(words->block, 0, false);
	return (owner & TM_BIRTH_MASK) < (words->word[0] & TM_BIRTH_MASK) ? owner : 0;
}

/* The block is one without an object: it keeps its birth, and where it comes from. */
static void move_plain(const struct tm_block_words *words, uintptr_t block, size_t size)
{
	uint64_t first = words->word[0];
	uint64_t born = watch_on(words, first) & (TM_BIRTH_MASK | TM_WATCHED);

	tm_block_put(block, size,
		     tm_block_word(tm_word_kind(first), born, tm_word_site(first), size),
		     past_of_larger(words, size));
}

/* Whether a block is among the recent ones since it was made. */
static bool is_recent(const struct tm_block_words *words)
{
	return tm_word_kind(words->word[0]) == TM_PENDING && !words->renews;
}

void tm_block_move(struct tm_block_words *words, uintptr_t block, size_t size, enum tm_kind kind)
{
	unsigned at = tm_block_object(words);

	tm_block_leave(words);
	if (at < 3) {
		if (!tm_block_put_object(block + at * TM_GRANULE, block, size,
					 watch_on(words, words->word[at]), tm_get(&tm_birth_bits)))
			tm_block_lost(block);
		return;
	}
	if (tm_block_is_plain(words->word[0]))
		move_plain(words, block, size);
	else
		tm_birth_block(block, size, kind);
	if (kind == TM_PENDING && tm_python.family == TM_FAMILY_ALLOCATOR &&
	    tm_word_kind(words->word[0]) != TM_BUFFER &&
	    !(block == words->block && is_recent(words)))
		tm_recent_add(tm_self_here(), block);
}

/*
 * A dict or a set that grows takes a new table and gives the old one back before anything else
 * happens (Objects/dictobject.c, dictresize; Objects/setobject.c, set_table_resize): memory that is
 * no object and of an earlier interval is freed, by the very instruction that allocated larger
 * memory last.  Links the two; within an interval the new one takes over where the old one came
 * from. The owner refers to the new one by now; a bytearray that begins anew does so afterwards
 * (Objects/bytearrayobject.c, PyByteArray_Resize).  Returns whether the old one's record is to say
 * that it lives on.
 */
bool tm_resize_replaces(const struct tm_block_words *old)
{
	uintptr_t block = tm_self.newest_plain, object;
	uint64_t owner;
	struct tm_block_words fresh;
	bool earlier = (old->word[0] & TM_BIRTH_MASK) != tm_birth_now();

	if (!block || !(earlier || old->past))
		return false;
	tm_self.newest_plain = 0;
	tm_block_take(block, &fresh);
	if (!tm_block_is_plain(fresh.word[0]) ||
	    (fresh.word[0] & TM_BIRTH_MASK) != tm_birth_now() || fresh.past ||
	    fresh.size <= old->size ||
	    !tm_block_past_place(block, fresh.size, tm_get(&tm_birth_bits)) ||
	    tm_word_site(fresh.word[0]) != tm_site_here())
		return false;
	if (tm_word_kind(fresh.word[0]) == TM_PENDING &&
	    tm_resolve_kind(block, fresh.size, false, &object) == TM_OBJECT)
		return false;
	owner = earlier ? tm_owner_of(block, old->block, true) : 0;
	tm_block_put(block, fresh.size, fresh.word[0],
		     earlier ? tm_grown_word(old->block, tm_past_type(owner ? owner : old->past))
			     : old->past);
	return earlier;
}

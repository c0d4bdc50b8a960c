#include "blocks.h"

#include "cpython/cpython.h"
#include "nursery.h"
#include "segment.h"

void tm_block_lost(uintptr_t address)
{
	struct tm_self *self = tm_self_here();

	tm_lose(address >> TM_ADDRESS_BITS || address & (TM_GRANULE - 1) ? TM_L_ADDRESS
									 : TM_L_NO_SPACE);
	if (self->counters)
		tm_count(&self->counters->lost);
}

/* Slot for a birth now, its chunk's record stamped; NULL where there is no chunk. */
static struct tm_slot *slot_for_birth(uintptr_t address, uint64_t birth)
{
	struct tm_slot *slot = tm_shadow_slot(address);
	uint32_t field = (uint32_t)(birth >> TM_BIRTH_SHIFT);

	if (!slot->words ||
	    (slot->stamp != tm_interval_stamp(field) && !tm_shadow_newer(slot, field)))
		return NULL;
	return slot;
}

/* The word of an address, its chunk made if need be and stamped with the birth of now. */
tm_shadow_word *tm_block_place(uintptr_t address, uint64_t birth)
{
	struct tm_slot *slot = slot_for_birth(address, birth);

	if (!slot && tm_shadow_extend(address))
		slot = slot_for_birth(address, birth);
	return slot ? &slot->words[tm_shadow_index(address)] : NULL;
}

/* Where a block's GROWN or OWNED word goes; NULL where the block has no granule for it. */
tm_shadow_word *tm_block_past_place(uintptr_t block, size_t size, uint64_t birth)
{
	unsigned offset = size >= TM_SIZE_BIG ? 2 * TM_GRANULE : TM_GRANULE;

	return size > offset ? tm_block_place(block + offset, birth) : NULL;
}

/*
 * Writes a block's words, born under @born, whatever its size and wherever chunks end.
 * @past: its GROWN or OWNED word, 0 = none.  A block that has one is watched, so that its death
 * takes the slow way, which clears that word as well.
 */
void tm_block_put(uintptr_t block, size_t size, uint64_t value, uint64_t past)
{
	uint64_t birth = tm_get(&tm_birth_bits);
	tm_shadow_word *word = block & (TM_GRANULE - 1) ? NULL : tm_block_place(block, birth);
	tm_shadow_word *tail = NULL, *origin = NULL;

	if (word && size >= TM_SIZE_BIG)
		tail = tm_block_place(block + TM_GRANULE, birth);
	if (!word || (size >= TM_SIZE_BIG && !tail)) {
		tm_block_lost(block);
		return;
	}
	if (past)
		origin = tm_block_past_place(block, size, birth);
	if (tail)
		tm_put(tail, tm_size_word(TM_SIZE_TAIL, size));
	if (origin) {
		tm_put(origin, past);
		value |= TM_WATCHED;
	}
	tm_publish(word, value);
}

/* Writes the words of an object in a fresh block, wherever chunks end. */
bool tm_block_put_object(uintptr_t object, uintptr_t block, size_t size, uint64_t value,
			 uint64_t birth)
{
	tm_shadow_word *word = tm_block_place(object, birth);
	tm_shadow_word *other = tm_block_place(object == block ? block + TM_GRANULE : block, birth);

	if (!word || (!other && size > TM_GRANULE))
		return false;
	if (object != block)
		tm_put(other, tm_size_word(TM_SIZE_HEAD, size));
	else if (size > TM_GRANULE)
		tm_put(other, tm_size_word(TM_SIZE_TAIL, size));
	tm_publish(word, value);
	return true;
}

uint64_t tm_block_word_at(uintptr_t address)
{
	tm_shadow_word *word = tm_shadow_find(address);

	return word ? tm_get(word) : 0;
}

uint64_t tm_object_size(uintptr_t object)
{
	uint64_t word = tm_block_word_at(object - TM_GC_HEAD);

	if (tm_word_kind(word) == TM_SIZE_HEAD)
		return tm_word_size(word);
	word = tm_block_word_at(object - 2 * TM_GC_HEAD);
	if (tm_word_kind(word) == TM_SIZE_HEAD && tm_word_size(word) > 2 * TM_GC_HEAD)
		return tm_word_size(word);
	word = tm_block_word_at(object + TM_GRANULE);
	return tm_word_kind(word) == TM_SIZE_TAIL ? tm_word_size(word) : 0;
}

/* The live object in the block whose words were taken, if there is one: its index, else 3. */
unsigned tm_block_object(const struct tm_block_words *words)
{
	unsigned i = 0;

	while (i < 3 && tm_word_kind(words->word[i]) != TM_OBJECT)
		i++;
	return i;
}

/* Size of the block, from its first words; 0 = not known. */
static uint64_t size_in(const struct tm_block_words *words)
{
	bool tail = tm_word_kind(words->word[1]) == TM_SIZE_TAIL;
	uint64_t size;

	switch (tm_word_kind(words->word[0])) {
	case TM_SIZE_HEAD:
		return tm_word_size(words->word[0]);
	case TM_PENDING:
	case TM_BUFFER:
		size = tm_word_type(words->word[0]);
		return size == TM_SIZE_BIG && tail ? tm_word_size(words->word[1]) : size;
	default:
		return tail ? tm_word_size(words->word[1]) : 0;
	}
}

bool tm_block_is_plain(uint64_t word)
{
	return tm_word_kind(word) == TM_PENDING || tm_word_kind(word) == TM_BUFFER;
}

/* Which of the words belong to the block: what else lies there is of an object in it. */
static void keep_own(struct tm_block_words *words)
{
	bool head = tm_word_kind(words->word[0]) == TM_SIZE_HEAD;
	bool plain = tm_block_is_plain(words->word[0]);
	bool tail = tm_word_kind(words->word[1]) == TM_SIZE_TAIL;

	/* What lies behind the end of the block is its neighbour's. */
	if (words->size <= 2 * TM_GRANULE ||
	    !(head || (plain && tail && tm_word_is_past(words->word[2]))))
		words->word[2] = 0;
	if (words->size <= TM_GRANULE ||
	    !(head || tail || (plain && tm_word_is_past(words->word[1]))))
		words->word[1] = 0;
}

static void take_past(struct tm_block_words *words)
{
	for (unsigned i = 1; i < 3; i++) {
		if (tm_word_is_past(words->word[i]) && words->word[0] & TM_WATCHED)
			words->past = words->word[i];
	}
}

void tm_block_take(uintptr_t block, struct tm_block_words *out)
{
	out->block = block;
	for (unsigned i = 0; i < 3; i++)
		tm_nursery_forget_at(block + i * TM_GRANULE);
	for (unsigned i = 0; i < 3; i++)
		out->word[i] = tm_block_word_at(block + i * TM_GRANULE);
	out->size = size_in(out);
	out->past = 0;
	out->renews = false;
	out->object = 0;
	keep_own(out);
	if (tm_block_is_plain(out->word[0]))
		take_past(out);
}

void tm_block_clear(const struct tm_block_words *words)
{
	for (unsigned i = 0; i < 3; i++) {
		if (words->word[i])
			tm_put(tm_shadow_find(words->block + i * TM_GRANULE), 0);
	}
}

#include "recycled.h"

#include "cpython/cpython.h"
#include "deaths.h"
#include "record.h"
#include "resolve.h"
#include "segment.h"
#include "table.h"

#include <string.h>

/*
 * Of a type that was never seen to recycle, some objects are enough to find that out; of one that
 * was, all that there is room for, so that they can be corrected.
 */
enum {
	BLOCKS_MOST = 24000,
	SAMPLE = 2048,
	QUICK = 6000,  /* some 80 ns each */
	QUOTAS = 1024, /* types further apart than that share one */
};

/* What was known of a block at the last look. */
enum state {
	GONE = 0,
	LIVES = 1,
	UNSURE = 2, /* a buffer in the recording; maybe an object that was dead when it was found */
	DEAD = 3,
	KEPT = 4, /* dead, at two looks: counted */
};

/* A value of the map: bits 0..2 state, 3..4 head / 16, 5.. type. */
static uint32_t pack(enum state state, size_t head, uint32_t type)
{
	return (uint32_t)state | (uint32_t)(head >> TM_GRANULE_SHIFT) << 3 | type << 5;
}

static enum state state_of(uint32_t value)
{
	return (enum state)(value & 7);
}

static uint32_t in_state(uint32_t value, enum state state)
{
	return (value & ~7u) | (uint32_t)state;
}

static unsigned object_index(uint32_t value)
{
	return value >> 3 & 3;
}

static uint32_t type_of(uint32_t value)
{
	return value >> 5;
}

static struct tm_map blocks;
static uint16_t sampled[QUOTAS];
static bool refused[QUOTAS]; /* since the last look, an object for which there was no room */

struct look {
	uint32_t birth;
	unsigned flags;
};

static struct tm_type *type_at(uint32_t index)
{
	return (struct tm_type *)tm_segment_at(TM_R_TYPES, 0) + index;
}

static bool recycles(uint32_t type)
{
	return tm_get(&type_at(type)->recycled) != 0;
}

static uint16_t *quota(uint32_t type)
{
	return &sampled[type % QUOTAS];
}

static bool has_room(uint32_t type)
{
	return blocks.count < BLOCKS_MOST && (*quota(type) < SAMPLE || recycles(type));
}

void tm_recycled_restart(void)
{
	tm_map_clear(&blocks);
	memset(sampled, 0, sizeof(sampled));
	memset(refused, 0, sizeof(refused));
}

void tm_recycled_note(uintptr_t block, size_t head, uint32_t type, bool dead)
{
	uint32_t before;

	if (!type || !(type_at(type)->flags & TM_TF_FOREIGN) || !tm_python_in_main() ||
	    tm_resolve_others_run_freely())
		return;
	before = tm_map_get(&blocks, block);
	if (!before && !has_room(type)) {
		refused[type % QUOTAS] = true;
		return;
	}
	if (before)
		--*quota(type_of(before));
	if (tm_map_put(&blocks, block, pack(dead ? UNSURE : LIVES, head, type)))
		++*quota(type);
}

/* ---- corrections ------------------------------------------------------------------ */

/* What the block held ends, in the recording; its words go. */
static void end_content(const struct tm_block_words *words, const struct look *look)
{
	unsigned at = tm_block_object(words);
	struct tm_dying dying = {words->block, words->word[0], words->size, words->past};

	if (at < 3)
		dying = (struct tm_dying){words->block + at * TM_GRANULE, words->word[at],
					  words->size, 0};
	if (dying.word & TM_WATCHED)
		tm_intern_forget(dying.address);
	/* The record comes first, so that a reader misses nothing. */
	if (dying.word && tm_word_birth(dying.word) < look->birth)
		tm_deaths_add(&dying, look->birth - 1, look->flags);
	tm_block_clear(words);
}

/* A block without an object, whose size stays known. */
static void becomes_empty(const struct tm_block_words *words, const struct look *look)
{
	end_content(words, look);
	tm_put(tm_shadow_find(words->block), tm_size_word(TM_SIZE_HEAD, words->size));
}

/* Returns whether it is in the recording now. */
static bool becomes(const struct tm_block_words *words, uintptr_t object, uint32_t type,
		    const struct look *look)
{
	end_content(words, look);
	if (tm_block_put_object(object, words->block, words->size,
				tm_word(TM_OBJECT, look->birth, 0, type),
				(uint64_t)look->birth << TM_BIRTH_SHIFT))
		return true;
	tm_block_lost(object);
	return false;
}

/* ---- looking ---------------------------------------------------------------------- */

static void count(uint32_t type)
{
	atomic_fetch_add(&type_at(type)->recycled, 1);
}

/* Whether the recording still has in the block what it had. */
static bool is_as_it_was(const struct tm_block_words *words, uint32_t value)
{
	unsigned at = tm_block_object(words);

	switch (state_of(value)) {
	case LIVES:
		return at == object_index(value) && tm_word_type(words->word[at]) == type_of(value);
	case UNSURE:
		return tm_word_kind(words->word[0]) == TM_BUFFER;
	default:
		return tm_word_kind(words->word[0]) == TM_SIZE_HEAD && at == 3;
	}
}

/*
 * An object whose type is another one is a new object, unless the program gave it another class:
 * which takes two classes made at run time and laid out alike (Objects/typeobject.c,
 * object_set_class).
 */
static bool is_another(uintptr_t object, uint32_t was, uint32_t is)
{
	uintptr_t type = TM_FIELD(uintptr_t, object, TM_OB_TYPE);

	return was != is && (!(TM_FIELD(uint64_t, type, TM_TP_FLAGS) & TM_FLAG_HEAPTYPE) ||
			     type_at(was)->basic_size != type_at(is)->basic_size);
}

/* Something lives in the block.  Returns its new value. */
static uint32_t found_alive(const struct tm_block_words *words, uintptr_t object, uint32_t value,
			    const struct look *look)
{
	uint32_t type = tm_type_of(object);
	size_t head = object - words->block;

	if (!type)
		return in_state(value, GONE);
	if (state_of(value) == LIVES && head == object_index(value) * TM_GRANULE &&
	    !is_another(object, type_of(value), type))
		return value;
	if (state_of(value) != KEPT)
		count(type_of(value));
	if (!becomes(words, object, type, look))
		return in_state(value, GONE);
	--*quota(type_of(value));
	++*quota(type);
	return pack(LIVES, head, type);
}

/* Nothing does. */
static uint32_t found_dead(const struct tm_block_words *words, uint32_t value,
			   const struct look *look)
{
	uintptr_t object;

	switch (state_of(value)) {
	case LIVES:
		break;
	case UNSURE:
		if (tm_resolve_kind(words->block, words->size, true, &object) != TM_OBJECT)
			return in_state(value, GONE); /* memory that looked like an object once */
		if (!recycles(type_of(value)))
			return value;
		break;
	case DEAD:
		count(type_of(value));
		return in_state(value, KEPT);
	default:
		return value;
	}
	becomes_empty(words, look);
	return in_state(value, DEAD);
}

static uint32_t look_at(uintptr_t block, uint32_t value, const struct look *look)
{
	struct tm_block_words words;
	uintptr_t object;

	tm_block_take(block, &words);
	if (!is_as_it_was(&words, value) || words.size <= TM_GRANULE)
		return in_state(value, GONE);
	if (tm_resolve_kind(block, words.size, false, &object) == TM_OBJECT)
		return found_alive(&words, object, value, look);
	return found_dead(&words, value, look);
}

/* Half of a sample makes room for newer objects where these were refused. */
static bool goes(uint32_t value, unsigned turn)
{
	if (state_of(value) == LIVES)
		return turn % 2 && refused[type_of(value) % QUOTAS] && !recycles(type_of(value));
	return state_of(value) == GONE;
}

/* Removing an entry moves others up, so a place is looked at until what is there stays. */
static void drop_gone(void)
{
	for (uint32_t i = 0; i < blocks.size; i++) {
		for (unsigned turn = i; blocks.entries[i].address; turn++) {
			struct tm_map_entry entry = blocks.entries[i];

			if (!goes(entry.value, turn))
				break;
			--*quota(type_of(entry.value));
			tm_map_remove(&blocks, entry.address);
		}
	}
	memset(refused, 0, sizeof(refused));
}

void tm_recycled_look(uint32_t birth, unsigned flags)
{
	uint32_t now = (uint32_t)(tm_birth_now() >> TM_BIRTH_SHIFT);
	struct look look = {birth < now ? birth : now, flags};

	if (!blocks.count)
		return;
	for (uint32_t i = 0; i < blocks.size; i++) {
		struct tm_map_entry *entry = &blocks.entries[i];

		if (entry->address)
			entry->value = look_at(entry->address, entry->value, &look);
	}
	drop_gone();
}

void tm_recycled_look_quickly(uint32_t birth)
{
	if (blocks.count <= QUICK)
		tm_recycled_look(birth, 0);
}

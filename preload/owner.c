#include "owner.h"

#include "cpython/containers.h"
#include "cpython/frames.h"
#include "intern.h"
#include "resolve.h"
#include "segment.h"

enum {
	MOST_EXPECTED = 8,
	FAR_BYTES = 160, /* of an object that is looked at for references */
};

static bool looking;

/* The block that was made last, and older containers that may have taken it. */
static struct {
	uintptr_t block;
	unsigned count;
	struct {
		uintptr_t object;
		uint64_t birth;
	} at[MOST_EXPECTED];
} expected;

void tm_owner_start(void)
{
	looking = tm_python.adapter->frame.slots != 0;
}

void tm_owner_stop(void)
{
	looking = false;
}

void tm_owner_forget(void)
{
	expected.block = 0;
}

static bool may_look(void)
{
	if (!looking)
		return false;
	if (!tm_python.adapter->own_gils || tm_python_alone())
		return true;
	tm_blind(TM_B_OWNERS);
	return false;
}

static uintptr_t frame_to_look_at(void)
{
	return may_look() ? tm_frame_first() : 0;
}

/* ---- live objects ----------------------------------------------------------------- */

/*
 * Allocator family: an object whose type nobody has looked at yet, because the mark's follow-up is
 * still to come or, for @young ones, because it was born in this interval.
 */
static uint64_t pending_word(uintptr_t object, bool young)
{
	for (uintptr_t head = 0; head <= 2 * TM_GC_HEAD; head += TM_GC_HEAD) {
		struct tm_block_words words;
		uint64_t word = tm_block_word_at(object - head);
		uintptr_t found;

		if (tm_word_kind(word) != TM_PENDING)
			continue;
		if (!young && (word & TM_BIRTH_MASK) == tm_birth_now())
			return 0;
		tm_block_take(object - head, &words);
		if (tm_resolve_kind(words.block, words.size, false, &found) != TM_OBJECT ||
		    found != object)
			return 0;
		return word;
	}
	return 0;
}

/*
 * The word of @address if a live object is there; else 0.  Without @young those of this interval
 * may be left out where it takes time to tell.
 */
static uint64_t live_word(uintptr_t address, bool young)
{
	uint64_t word;

	if (!address || address & (TM_GRANULE - 1))
		return 0;
	word = tm_block_word_at(address);
	if (tm_word_kind(word) == TM_OBJECT)
		return word;
	return tm_python.family == TM_FAMILY_ALLOCATOR ? pending_word(address, young) : 0;
}

/* Birth and type of a live object. */
static uint64_t owner_word(uintptr_t object, uint64_t word)
{
	return (word & TM_BIRTH_MASK) | tm_word(TM_OWNED, 0, 0, tm_type_of(object));
}

/* ---- what a frame refers to -------------------------------------------------------- */

struct look {
	uintptr_t block, other;
	bool young;	/* look at objects of this interval, too */
	uint64_t owner; /* found */
};

/* Looks at a live object and its word; says whether to stop. */
typedef bool tm_visit(struct look *look, uintptr_t object, uint64_t word);

/* References may be tagged (Include/internal/pycore_stackref.h, 3.14). */
static bool visit_words(struct look *look, uintptr_t from, size_t count, tm_visit *visit)
{
	for (size_t i = 0; i < count; i++) {
		uintptr_t object = TM_FIELD(uintptr_t, from, i * sizeof(uintptr_t)) & ~(uintptr_t)7;
		uint64_t word = live_word(object, look->young);

		if (word && visit(look, object, word))
			return true;
	}
	return false;
}

static bool visit_slots(struct look *look, uintptr_t frame, tm_visit *visit)
{
	return visit_words(look, frame + tm_python.adapter->frame.slots, tm_frame_slots(frame),
			   visit);
}

static bool visit_names(struct look *look, uintptr_t frame, tm_visit *visit)
{
	enum {
		NAMES = 3
	};

	return visit_words(look, frame + tm_python.adapter->frame.names, NAMES, visit);
}

/* ---- whose a block is --------------------------------------------------------------- */

static bool look_at(struct look *look, uintptr_t object, uint64_t word)
{
	if (!tm_container_holds(object, look->block) &&
	    !(look->other && tm_container_holds(object, look->other)))
		return false;
	look->owner = owner_word(object, word);
	return true;
}

/* What an object refers to, a dict of its attributes before it included. */
static bool look_into(struct look *look, uintptr_t object, uint64_t word)
{
	uintptr_t block = object, end;
	uint64_t size = tm_object_size(object);

	if (tm_word_kind(word) != TM_OBJECT || !size)
		return false;
	while (object - block <= TM_GC_HEAD &&
	       tm_word_kind(tm_block_word_at(block)) != TM_SIZE_HEAD)
		block -= TM_GC_HEAD;
	if (tm_word_kind(tm_block_word_at(block)) != TM_SIZE_HEAD ||
	    tm_word_size(tm_block_word_at(block)) != size)
		block = object;
	end = block + (size & ~(uint64_t)7);
	if (end > object + FAR_BYTES)
		end = object + FAR_BYTES;
	return visit_words(look, block, (end - block) / sizeof(uintptr_t), look_at);
}

uint64_t tm_owner_of(uintptr_t block, uintptr_t other, bool far)
{
	struct look look = {block, other, far, 0};
	uintptr_t frame = frame_to_look_at();

	if (!frame)
		return 0;
	if (visit_slots(&look, frame, look_at) || visit_names(&look, frame, look_at))
		return look.owner;
	if (far && (visit_slots(&look, frame, look_into) || visit_names(&look, frame, look_into)))
		return look.owner;
	return 0;
}

/* ---- blocks that nobody refers to yet -------------------------------------------------- */

static bool remember(struct look *look, uintptr_t object, uint64_t word)
{
	if ((word & TM_BIRTH_MASK) >= tm_birth_now())
		return false;
	if (!tm_container_of(object)) {
		object = tm_container_attributes(object);
		word = live_word(object, look->young);
		if (!word || (word & TM_BIRTH_MASK) >= tm_birth_now())
			return false;
	}
	expected.at[expected.count].object = object;
	expected.at[expected.count].birth = word & TM_BIRTH_MASK;
	return ++expected.count == MOST_EXPECTED;
}

void tm_owner_expect(uintptr_t block)
{
	uintptr_t frame = frame_to_look_at();
	struct look look = {.block = block};

	if (!frame)
		return;
	tm_owner_settle();
	expected.count = 0;
	visit_slots(&look, frame, remember);
	if (expected.count) {
		expected.block = block;
		tm_put(&tm_segment.header->unsettled, 1);
	}
}

static void settle(uintptr_t block, uint64_t owner)
{
	struct tm_block_words words;

	tm_block_take(block, &words);
	if (tm_block_is_plain(words.word[0]) && !words.past &&
	    (words.word[0] & TM_BIRTH_MASK) > (owner & TM_BIRTH_MASK))
		tm_block_put(block, words.size, words.word[0], owner);
}

void tm_owner_settle(void)
{
	uintptr_t block = expected.block;

	if (!block)
		return;
	expected.block = 0;
	tm_put(&tm_segment.header->unsettled, 0);
	if (!may_look())
		return;
	for (unsigned i = 0; i < expected.count; i++) {
		uintptr_t object = expected.at[i].object;
		uint64_t word = live_word(object, false);

		if (!word || (word & TM_BIRTH_MASK) != expected.at[i].birth ||
		    !tm_container_holds(object, block))
			continue;
		settle(block, owner_word(object, word));
		return;
	}
}

bool tm_owner_awaits(uintptr_t block)
{
	return expected.block == block;
}

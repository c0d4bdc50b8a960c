#include "record.h"

#include "deaths.h"
#include "recorder.h"
#include "resolve.h"
#include "segment.h"

#include <string.h>

_Atomic uint64_t tm_birth_bits, tm_death_bits;

/* ---- the interval ----------------------------------------------------------- */

/* No word has all of these bits: a size never has TM_WATCHED, an object's kind is not 6. */
#define NEVER_QUIET (TM_KIND_MASK | TM_QUIET_MASK)

static _Atomic uint32_t collectors; /* runs under way */

/* Deaths follow births; again if a mark or a collector came between, which may be a signal's. */
static void follow_births(void)
{
	uint64_t birth, death;

	do {
		birth = tm_get(&tm_birth_bits);
		death = tm_get(&collectors) ? NEVER_QUIET : birth & TM_BIRTH_MASK;
		tm_put(&tm_death_bits, death);
		atomic_thread_fence(memory_order_seq_cst);
	} while (birth != tm_get(&tm_birth_bits) ||
		 (death == NEVER_QUIET) != (tm_get(&collectors) != 0));
}

void tm_record_collecting(bool yes)
{
	if (yes) {
		atomic_fetch_add(&collectors, 1);
		atomic_fetch_or(&tm_birth_bits, TM_WATCHED);
	} else if (tm_get(&collectors) && atomic_fetch_sub(&collectors, 1) == 1) {
		atomic_fetch_and(&tm_birth_bits, ~TM_WATCHED);
	}
	follow_births();
}

void tm_record_enter(uint32_t birth, bool anew)
{
	uint64_t bits = (uint64_t)birth << TM_BIRTH_SHIFT;
	uint64_t seen = tm_get(&tm_birth_bits);

	if (anew) {
		tm_put(&collectors, 0);
		tm_put(&tm_birth_bits, bits);
	}
	while ((seen & TM_BIRTH_MASK) < bits &&
	       !atomic_compare_exchange_weak(&tm_birth_bits, &seen, bits | (seen & TM_WATCHED)))
		;
	follow_births();
}

/* ---- births ---------------------------------------------------------------- */

static void lose_birth(uintptr_t address)
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

	if (!slot || (slot->stamp != field + 1 && !tm_shadow_newer(slot, field)))
		return NULL;
	return slot;
}

/* The word of an address, its chunk made if need be and stamped with the birth of now. */
static tm_shadow_word *word_for_birth(uintptr_t address, uint64_t birth)
{
	struct tm_slot *slot = slot_for_birth(address, birth);

	if (!slot && tm_shadow_extend(address))
		slot = slot_for_birth(address, birth);
	return slot ? &slot->words[tm_shadow_index(address)] : NULL;
}

/* Writes a block's words, born under @born, whatever its size and wherever chunks end. */
static void put_block_as(uintptr_t block, size_t size, enum tm_kind kind, uint32_t site,
			 uint64_t born)
{
	uint64_t birth = tm_get(&tm_birth_bits);
	tm_shadow_word *word = block & (TM_GRANULE - 1) ? NULL : word_for_birth(block, birth);
	tm_shadow_word *tail = NULL;

	if (word && size >= TM_SIZE_BIG)
		tail = word_for_birth(block + TM_GRANULE, birth);
	if (!word || (size >= TM_SIZE_BIG && !tail)) {
		lose_birth(block);
		return;
	}
	if (tail)
		tm_put(tail, tm_size_word(TM_SIZE_TAIL, size));
	tm_publish(word, tm_block_word(kind, born, site, size));
}

static void put_block(uintptr_t block, size_t size, enum tm_kind kind, uint32_t site)
{
	put_block_as(block, size, kind, site, tm_get(&tm_birth_bits));
}

void tm_birth_block(uintptr_t block, size_t size, enum tm_kind kind)
{
	if (tm_recorder_awake())
		put_block(block, size, kind, tm_site_here());
}

void tm_birth_pending(uintptr_t block, size_t size)
{
	struct tm_self *self;

	tm_birth_block(block, size, TM_PENDING);
	self = tm_self_here();
	if (!self->counters)
		return;
	tm_count(&self->counters->created);
	tm_recent_add(self, block);
}

void tm_birth_expected(uintptr_t block, size_t size)
{
	uint32_t site = tm_site_here();
	struct tm_self *self = &tm_self;

	if (self->pending)
		tm_flush_pending(self);
	self->pending_site = site;
	self->pending_size = size;
	self->pending = block;
}

void tm_flush_pending(struct tm_self *self)
{
	uintptr_t block = self->pending;

	self->pending = 0;
	if (tm_recorder_awake())
		put_block(block, self->pending_size, TM_PENDING, self->pending_site);
}

/* Writes the words of an object in a fresh block, wherever chunks end. */
static bool put_fresh(uintptr_t object, uintptr_t block, size_t size, uint64_t value,
		      uint64_t birth)
{
	tm_shadow_word *word = word_for_birth(object, birth);
	tm_shadow_word *other = word_for_birth(object == block ? block + TM_GRANULE : block, birth);

	if (!word || (!other && size > TM_GRANULE))
		return false;
	if (object != block)
		tm_put(other, tm_size_word(TM_SIZE_HEAD, size));
	else if (size > TM_GRANULE)
		tm_put(other, tm_size_word(TM_SIZE_TAIL, size));
	tm_publish(word, value);
	return true;
}

static void death_of(uintptr_t address, uint64_t value, uint64_t size);
static uint64_t size_of_object(uintptr_t object);

/* An object without a fresh block of its own: off a free list, or of another allocator. */
static void birth_elsewhere(uintptr_t object, uint64_t value, tm_shadow_word *word)
{
	uint64_t old = tm_get(word);

	if (tm_word_kind(old) == TM_OBJECT) {
		/* The death of what lived here was not reported. */
		tm_lose(TM_L_BIRTH_OVER);
		death_of(object, old, size_of_object(object));
	}
	tm_publish(word, value);
}

static void birth_of(uintptr_t object, uintptr_t block, size_t size, uint32_t site)
{
	uint64_t birth = tm_get(&tm_birth_bits), value;
	tm_shadow_word *word = object & (TM_GRANULE - 1) ? NULL : word_for_birth(object, birth);

	if (!word) {
		lose_birth(object);
		return;
	}
	value = tm_word(TM_OBJECT, 0, site, 0) | tm_type_bits(object) | birth;
	if (!block)
		birth_elsewhere(object, value, word);
	else if (!put_fresh(object, block, size, value, birth))
		lose_birth(object);
}

void tm_birth_object(uintptr_t object)
{
	struct tm_self *self = &tm_self;
	uintptr_t block = self->pending;
	bool fresh = object - block <= 2 * TM_GC_HEAD && object - block < self->pending_size;

	if (fresh)
		self->pending = 0;
	if (tm_recorder_awake())
		birth_of(object, fresh ? block : 0, self->pending_size,
			 fresh ? self->pending_site : tm_site_here());
	self = tm_self_here();
	if (self->counters)
		tm_count(&self->counters->created);
}

void tm_recent_full(void)
{
	struct tm_self *self = &tm_self;
	uint32_t left = 0;

	/* The newest is a block that its owner has not filled in yet: it waits a round.  The same
	 * address may stand further up, from a block that died since. */
	tm_resolve_blocks(self->recent, TM_RECENT, self->recent[TM_RECENT - 1]);
	for (uint32_t i = 0; i < TM_RECENT; i++) {
		uintptr_t block = self->recent[i];

		self->recent[i] = 0;
		if (block)
			self->recent[left++] = block;
	}
	/* What a long collection leaves undecided must not fill the list again at once. */
	self->recent_count = left <= TM_RECENT / 2 ? left : 0;
}

/* ---- deaths ---------------------------------------------------------------- */

/* Leaves a record if @value was born under an earlier mark; forgets it if it was watched. */
static void death_of(uintptr_t address, uint64_t value, uint64_t size)
{
	uint64_t current = tm_birth_now();
	struct tm_self *self = &tm_self;
	unsigned flags = self->death_flags;
	uint32_t birth = tm_word_birth(value);
	uint32_t mark;

	if (value & TM_WATCHED)
		tm_intern_forget(address);
	if ((value & TM_BIRTH_MASK) == current)
		return;
	mark = tm_recorder_current();
	if (flags & TM_DF_MARK_COLLECTION) {
		/* Only what was alive at the mark is its trash: born in an earlier interval. */
		if (birth <= self->collected_mark) {
			mark = self->collected_mark;
			self->collected++;
		} else {
			flags &= ~(unsigned)TM_DF_MARK_COLLECTION;
		}
	}
	tm_deaths_add(address, value, size, mark, flags);
}

static uint64_t word_at(uintptr_t address)
{
	tm_shadow_word *word = tm_shadow_find(address);

	return word ? tm_get(word) : 0;
}

/* Size of the block an object lives in, from the words around it; 0 = not known. */
static uint64_t size_of_object(uintptr_t object)
{
	uint64_t word = word_at(object - TM_GC_HEAD);

	if (tm_word_kind(word) == TM_SIZE_HEAD)
		return tm_word_size(word);
	word = word_at(object - 2 * TM_GC_HEAD);
	if (tm_word_kind(word) == TM_SIZE_HEAD && tm_word_size(word) > 2 * TM_GC_HEAD)
		return tm_word_size(word);
	word = word_at(object + TM_GRANULE);
	return tm_word_kind(word) == TM_SIZE_TAIL ? tm_word_size(word) : 0;
}

void tm_death_object(uintptr_t object)
{
	tm_shadow_word *word = tm_shadow_find(object);
	uint64_t value = word ? tm_get(word) : 0;
	struct tm_self *self;

	if (!word)
		return;
	if (tm_word_kind(value) != TM_OBJECT) {
		/* Objects of before a fork are not known, and their deaths are no surprise. */
		if (!(tm_get(&tm_segment.header->blind) & TM_B_INHERITED))
			tm_lose(TM_L_DEATH_UNKNOWN);
		return;
	}
	/* What may still come back dies when its block is freed. */
	if (value & TM_WATCHED && tm_intern_may_return(tm_word_type(value)))
		return;
	death_of(object, value, size_of_object(object));
	tm_put(word, 0);
	self = tm_self_here();
	if (self->counters)
		tm_count(&self->counters->destroyed);
}

/* A block that dies with its type not looked at: this is the last chance to. */
static void death_of_pending(uintptr_t block, uint64_t value, uint64_t size)
{
	uintptr_t object = block;
	enum tm_kind kind = TM_BUFFER;

	if (value & TM_WATCHED) {
		tm_intern_forget(block + TM_GC_HEAD);
		tm_intern_forget(block + 2 * TM_GC_HEAD);
	}
	if ((value & TM_BIRTH_MASK) != tm_birth_now() && tm_python.family == TM_FAMILY_ALLOCATOR)
		kind = tm_resolve_kind(block, size, true, &object);
	if (kind == TM_OBJECT)
		value = (value & (TM_BIRTH_MASK | TM_SITE_MASK | TM_WATCHED)) |
			tm_word(TM_OBJECT, 0, 0, tm_type_of(object));
	else
		value = (value & ~TM_KIND_MASK) | TM_BUFFER;
	death_of(object, value, size);
}

/* The live object in the block whose words were taken, if there is one: its index, else 3. */
static unsigned object_in(const struct tm_block_words *words)
{
	unsigned i = 0;

	while (i < 3 && tm_word_kind(words->word[i]) != TM_OBJECT)
		i++;
	return i;
}

/* The words of a block as they are. */
static void look_at(uintptr_t block, struct tm_block_words *out)
{
	memset(out, 0, sizeof(*out));
	out->block = block;
	out->word[0] = word_at(block);
	out->word[1] = word_at(block + TM_GRANULE);
	out->word[2] = word_at(block + 2 * TM_GRANULE);
	switch (tm_word_kind(out->word[0])) {
	case TM_SIZE_HEAD:
		out->size = tm_word_size(out->word[0]);
		break;
	case TM_PENDING:
	case TM_BUFFER:
		out->size = tm_word_type(out->word[0]);
		if (out->size == TM_SIZE_BIG && tm_word_kind(out->word[1]) == TM_SIZE_TAIL)
			out->size = tm_word_size(out->word[1]);
		break;
	default:
		if (tm_word_kind(out->word[1]) == TM_SIZE_TAIL)
			out->size = tm_word_size(out->word[1]);
		break;
	}
	/* What lies behind the end of the block is its neighbour's. */
	if (out->size <= TM_GRANULE)
		out->word[1] = 0;
	if (out->size <= 2 * TM_GRANULE)
		out->word[2] = 0;
	if (tm_word_kind(out->word[0]) != TM_SIZE_HEAD) {
		out->word[2] = 0;
		if (tm_word_kind(out->word[1]) != TM_SIZE_TAIL)
			out->word[1] = 0;
	}
}

static void clear(const struct tm_block_words *words)
{
	for (unsigned i = 0; i < 3; i++) {
		if (words->word[i])
			tm_put(tm_shadow_find(words->block + i * TM_GRANULE), 0);
	}
}

void tm_block_take(uintptr_t block, struct tm_block_words *out)
{
	look_at(block, out);
	clear(out);
}

void tm_block_restore(const struct tm_block_words *words)
{
	for (unsigned i = 0; i < 3; i++) {
		if (words->word[i])
			tm_put(tm_shadow_find(words->block + i * TM_GRANULE), words->word[i]);
	}
}

/* A block whose type is not known, or that is no object; the words are as they were. */
static void death_of_plain(const struct tm_block_words *words)
{
	if (tm_word_kind(words->word[0]) == TM_PENDING)
		death_of_pending(words->block, words->word[0], words->size);
	else
		death_of(words->block, words->word[0], words->size);
}

/* An object still lives in a block that is freed: on the tracer family its death came unsaid. */
static void death_in_block(const struct tm_block_words *words, unsigned at)
{
	uint64_t value = words->word[at];

	if (tm_python.family == TM_FAMILY_TRACER) {
		if (!(value & TM_WATCHED && tm_intern_may_return(tm_word_type(value))))
			tm_lose(TM_L_FREED_LIVE);
		if (tm_self_here()->counters)
			tm_count(&tm_self.counters->destroyed);
	}
	death_of(words->block + at * TM_GRANULE, value, words->size);
}

bool tm_death_block(uintptr_t block)
{
	struct tm_block_words words;
	unsigned at;
	enum tm_kind kind;

	if (!tm_shadow_find(block))
		return false;
	/* Records come before the words are cleared, so that a reader misses nothing. */
	look_at(block, &words);
	if (!words.word[0] && !words.word[1] && !words.word[2])
		return false;
	kind = tm_word_kind(words.word[0]);
	at = object_in(&words);
	if (kind == TM_PENDING || kind == TM_BUFFER)
		death_of_plain(&words);
	else if (at < 3)
		death_in_block(&words, at);
	clear(&words);
	return true;
}

/* ---- blocks that move ------------------------------------------------------ */

/*
 * A block that is resized under a later mark than it was born under becomes a new one: what was
 * there at the mark had another size, and the line that resizes it is the one that makes it grow.
 * Its memory is still as it was.
 */
void tm_block_renew(struct tm_block_words *words)
{
	unsigned at = object_in(words);
	uint64_t *value = &words->word[at < 3 ? at : 0];
	enum tm_kind kind = tm_word_kind(*value);
	uint64_t birth = tm_birth_now();
	uint64_t renewed;

	if ((kind != TM_OBJECT && kind != TM_BUFFER && kind != TM_PENDING) ||
	    (*value & TM_BIRTH_MASK) == birth)
		return;
	renewed = (*value & ~(TM_BIRTH_MASK | TM_SITE_MASK | TM_WATCHED)) | birth |
		  (uint64_t)tm_site_here() << TM_SITE_SHIFT;
	if (kind == TM_PENDING)
		death_of_pending(words->block, *value, words->size);
	else
		death_of(words->block + (at < 3 ? at : 0) * TM_GRANULE, *value, words->size);
	*value = renewed;
}

void tm_block_move(const struct tm_block_words *words, uintptr_t block, size_t size,
		   enum tm_kind kind)
{
	unsigned at = object_in(words);
	uint64_t first = words->word[0];

	if (at < 3) {
		if (words->word[at] & TM_WATCHED)
			tm_intern_forget(words->block + at * TM_GRANULE);
		if (!put_fresh(block + at * TM_GRANULE, block, size, words->word[at] & ~TM_WATCHED,
			       tm_get(&tm_birth_bits)))
			lose_birth(block);
		return;
	}
	if (tm_word_kind(first) != TM_PENDING && tm_word_kind(first) != TM_BUFFER) {
		tm_birth_block(block, size, kind);
		if (kind == TM_PENDING && tm_python.family == TM_FAMILY_ALLOCATOR)
			tm_recent_add(tm_self_here(), block);
		return;
	}
	put_block_as(block, size, tm_word_kind(first), tm_word_site(first), first & TM_BIRTH_MASK);
	if (kind == TM_PENDING && tm_python.family == TM_FAMILY_ALLOCATOR)
		tm_recent_add(tm_self_here(), block);
}

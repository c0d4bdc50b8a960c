#include "record.h"

#include "collections.h"
#include "deaths.h"
#include "hook_tracer.h"
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

/* The word that says whose place a block took; NULL where the block has no granule for it. */
static tm_shadow_word *grown_word(uintptr_t block, size_t size, uint64_t birth)
{
	unsigned offset = size >= TM_SIZE_BIG ? 2 * TM_GRANULE : TM_GRANULE;

	return size > offset ? word_for_birth(block + offset, birth) : NULL;
}

/*
 * Writes a block's words, born under @born, whatever its size and wherever chunks end.
 * @before: the memory it took the place of, 0 = none.  A block that says so is watched, so that its
 * death takes the slow way, which clears that word as well.
 */
static void put_block_as(uintptr_t block, size_t size, uint64_t value, uintptr_t before)
{
	uint64_t birth = tm_get(&tm_birth_bits);
	tm_shadow_word *word = block & (TM_GRANULE - 1) ? NULL : word_for_birth(block, birth);
	tm_shadow_word *tail = NULL, *grown = NULL;

	if (word && size >= TM_SIZE_BIG)
		tail = word_for_birth(block + TM_GRANULE, birth);
	if (!word || (size >= TM_SIZE_BIG && !tail)) {
		lose_birth(block);
		return;
	}
	if (before)
		grown = grown_word(block, size, birth);
	if (tail)
		tm_put(tail, tm_size_word(TM_SIZE_TAIL, size));
	if (grown) {
		tm_put(grown, tm_size_word(TM_GROWN, before >> TM_GRANULE_SHIFT));
		value |= TM_WATCHED;
	}
	tm_publish(word, value);
}

static void put_block(uintptr_t block, size_t size, enum tm_kind kind, uint32_t site)
{
	put_block_as(block, size, tm_block_word(kind, tm_get(&tm_birth_bits), site, size), 0);
	tm_self.newest_plain = block;
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
	if (!tm_recorder_awake())
		return;
	put_block(block, self->pending_size, TM_PENDING, self->pending_site);
	/* Or the tracer is another's now, and this is the first object that nobody told of. */
	if (unlikely(tm_hook_tracer_check()))
		tm_recent_add(tm_self_here(), block);
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

static void death_of(const struct tm_dying *dying, bool known, unsigned flags);

/* An object without a fresh block of its own: off a free list, or of another allocator. */
static void birth_elsewhere(uintptr_t object, uint64_t value, tm_shadow_word *word)
{
	uint64_t old = tm_get(word);

	/* Memory that was written down as such, and turns out to be an object's. */
	if (tm_word_kind(old) == TM_PENDING) {
		struct tm_block_words words;

		tm_block_take(object, &words);
		if (put_fresh(object, object, words.size, value, tm_get(&tm_birth_bits)))
			return;
	}
	if (tm_word_kind(old) == TM_OBJECT) {
		/* The death of what lived here was not reported. */
		tm_lose(TM_L_BIRTH_OVER);
		death_of(&(struct tm_dying){object, old, tm_object_size(object), 0}, false, 0);
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

/* Every object of a type that may return is watched. */
static bool is_watched_by_type(uint64_t word)
{
	return tm_word_kind(word) == TM_OBJECT && tm_intern_may_return(tm_word_type(word));
}

/*
 * Leaves a record of what was born under an earlier mark, counts what the collector reclaims, and
 * forgets what was watched.
 * @known: the tables of names knew what dies here
 * @flags: more enum tm_death_flags
 */
static void death_of(const struct tm_dying *dying, bool known, unsigned flags)
{
	uint64_t word = dying->word;
	bool now = (word & TM_BIRTH_MASK) == tm_birth_now();
	uint32_t mark = tm_recorder_current();

	if (word & TM_WATCHED)
		known |= tm_intern_forget(dying->address) || is_watched_by_type(word);
	/* Watched for no other reason than that it was born while a collector ran. */
	flags |= tm_collections_account(word, dying->size, now && word & TM_WATCHED && !known,
					&mark);
	if (!now)
		tm_deaths_add(dying, mark, flags);
}

static uint64_t word_at(uintptr_t address)
{
	tm_shadow_word *word = tm_shadow_find(address);

	return word ? tm_get(word) : 0;
}

uint64_t tm_object_size(uintptr_t object)
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
	death_of(&(struct tm_dying){object, value, tm_object_size(object), 0}, false, 0);
	tm_put(word, 0);
	self = tm_self_here();
	if (self->counters)
		tm_count(&self->counters->destroyed);
}

/* Whether it matters what a block of the object domain held: a record or a count is to be made. */
static bool type_matters(uint64_t value)
{
	return tm_python.family == TM_FAMILY_ALLOCATOR &&
	       ((value & TM_BIRTH_MASK) != tm_birth_now() || tm_collections_here());
}

/* The live object in the block whose words were taken, if there is one: its index, else 3. */
static unsigned object_in(const struct tm_block_words *words)
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

static bool is_plain(uint64_t word)
{
	return tm_word_kind(word) == TM_PENDING || tm_word_kind(word) == TM_BUFFER;
}

/* Which of the words belong to the block: what else lies there is of an object in it. */
static void keep_own(struct tm_block_words *words)
{
	bool head = tm_word_kind(words->word[0]) == TM_SIZE_HEAD;
	bool plain = is_plain(words->word[0]);
	enum tm_kind second = tm_word_kind(words->word[1]);

	/* What lies behind the end of the block is its neighbour's. */
	if (words->size <= 2 * TM_GRANULE || !(head || (plain && second == TM_SIZE_TAIL &&
							tm_word_kind(words->word[2]) == TM_GROWN)))
		words->word[2] = 0;
	if (words->size <= TM_GRANULE ||
	    !(head || second == TM_SIZE_TAIL || (plain && second == TM_GROWN)))
		words->word[1] = 0;
}

static void take_before(struct tm_block_words *words)
{
	for (unsigned i = 1; i < 3; i++) {
		if (tm_word_kind(words->word[i]) == TM_GROWN && words->word[0] & TM_WATCHED)
			words->before = tm_word_size(words->word[i]) << TM_GRANULE_SHIFT;
	}
}

void tm_block_take(uintptr_t block, struct tm_block_words *out)
{
	out->block = block;
	for (unsigned i = 0; i < 3; i++)
		out->word[i] = word_at(block + i * TM_GRANULE);
	out->size = size_in(out);
	out->before = 0;
	out->renews = false;
	out->object = 0;
	keep_own(out);
	if (is_plain(out->word[0]))
		take_before(out);
}

static void clear(const struct tm_block_words *words)
{
	for (unsigned i = 0; i < 3; i++) {
		if (words->word[i])
			tm_put(tm_shadow_find(words->block + i * TM_GRANULE), 0);
	}
}

void tm_block_restore(const struct tm_block_words *words)
{
	if (words->renews)
		return;
	if (is_plain(words->word[0])) {
		put_block_as(words->block, words->size, words->word[0], words->before);
		return;
	}
	for (unsigned i = 0; i < 3; i++) {
		if (words->word[i])
			tm_put(tm_shadow_find(words->block + i * TM_GRANULE), words->word[i]);
	}
}

/* A block goes with its type not looked at: while its memory is as it was is the last chance to. */
static void look_into(struct tm_block_words *words)
{
	if (tm_word_kind(words->word[0]) != TM_PENDING || !type_matters(words->word[0]) ||
	    tm_resolve_kind(words->block, words->size, true, &words->object) != TM_OBJECT) {
		words->object = 0;
		return;
	}
	words->type = tm_type_of(words->object);
}

/*
 * A dict or a set that grows takes a new table and gives the old one back before anything else
 * happens (Objects/dictobject.c, dictresize; Objects/setobject.c, set_table_resize): memory that is
 * no object and of an earlier interval is freed, by the very instruction that allocated larger
 * memory last.  Links the two; within an interval the new one takes over what the old one replaced.
 * Returns whether the old one's record is to say that it lives on.
 */
static bool is_replaced(const struct tm_block_words *old)
{
	uintptr_t block = tm_self.newest_plain, object;
	struct tm_block_words fresh;
	bool earlier = (old->word[0] & TM_BIRTH_MASK) != tm_birth_now();

	if (!block || !(earlier || old->before))
		return false;
	tm_self.newest_plain = 0;
	tm_block_take(block, &fresh);
	if (!is_plain(fresh.word[0]) || (fresh.word[0] & TM_BIRTH_MASK) != tm_birth_now() ||
	    fresh.before || fresh.size <= old->size ||
	    !grown_word(block, fresh.size, tm_get(&tm_birth_bits)) ||
	    tm_word_site(fresh.word[0]) != tm_site_here())
		return false;
	if (tm_word_kind(fresh.word[0]) == TM_PENDING &&
	    tm_resolve_kind(block, fresh.size, false, &object) == TM_OBJECT)
		return false;
	put_block_as(block, fresh.size, fresh.word[0], earlier ? old->block : old->before);
	return earlier;
}

/* The death of a block that was looked into. */
static void death_of_plain(const struct tm_block_words *words, unsigned flags)
{
	uint64_t word = words->word[0];
	struct tm_dying dying = {words->block, word, words->size, 0};
	bool known = false;

	if (tm_word_kind(word) == TM_PENDING && word & TM_WATCHED) {
		known = tm_intern_forget(words->block + TM_GC_HEAD);
		known |= tm_intern_forget(words->block + 2 * TM_GC_HEAD);
	}
	if (words->object) {
		dying.address = words->object;
		dying.word = (word & (TM_BIRTH_MASK | TM_SITE_MASK | TM_WATCHED)) |
			     tm_word(TM_OBJECT, 0, 0, words->type);
		flags = 0;
	} else {
		if (!(flags & TM_DF_RESIZED) && is_replaced(words))
			flags |= TM_DF_RESIZED;
		dying.word = (word & ~TM_KIND_MASK) | TM_BUFFER;
		dying.before = words->before;
	}
	death_of(&dying, known, flags);
}

/* The death of the object in a block, its index among the words. */
static void death_in(const struct tm_block_words *words, unsigned at)
{
	struct tm_dying dying = {words->block + at * TM_GRANULE, words->word[at], words->size, 0};

	death_of(&dying, false, 0);
}

/* An object still lives in a block that is freed: on the tracer family its death came unsaid. */
static void death_unsaid(const struct tm_block_words *words, unsigned at)
{
	uint64_t value = words->word[at];

	if (tm_python.family == TM_FAMILY_TRACER) {
		if (!(value & TM_WATCHED && tm_intern_may_return(tm_word_type(value))))
			tm_lose(TM_L_FREED_LIVE);
		if (tm_self_here()->counters)
			tm_count(&tm_self.counters->destroyed);
	}
	death_in(words, at);
}

bool tm_death_block(uintptr_t block)
{
	struct tm_block_words words;
	unsigned at;

	if (!tm_shadow_find(block))
		return false;
	/* Records come before the words are cleared, so that a reader misses nothing. */
	tm_block_take(block, &words);
	if (!words.word[0] && !words.word[1] && !words.word[2])
		return false;
	at = object_in(&words);
	look_into(&words);
	if (is_plain(words.word[0]))
		death_of_plain(&words, 0);
	else if (at < 3)
		death_unsaid(&words, at);
	clear(&words);
	return true;
}

void tm_record_leave_out(uintptr_t object)
{
	for (uintptr_t before = 0; before <= 2 * TM_GC_HEAD; before += TM_GC_HEAD) {
		tm_shadow_word *word = tm_shadow_find(object - before);
		enum tm_kind kind = word ? tm_word_kind(tm_get(word)) : TM_FREE;

		if ((before == 0 && kind == TM_OBJECT) || kind == TM_PENDING) {
			atomic_fetch_or(word, TM_WATCHED);
			return;
		}
	}
}

/* ---- blocks that move ------------------------------------------------------ */

/*
 * A block that is resized under a later mark than it was born under becomes a new one: what was
 * there at the mark had another size, and the line that resizes it is the one that makes it grow.
 */
void tm_block_renew(struct tm_block_words *words)
{
	unsigned at = object_in(words);
	uint64_t value = words->word[at < 3 ? at : 0];

	if ((at == 3 && !is_plain(value)) || (value & TM_BIRTH_MASK) == tm_birth_now()) {
		clear(words);
		return;
	}
	look_into(words);
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

void tm_block_leave(struct tm_block_words *words)
{
	unsigned at = object_in(words);
	uint64_t *value = &words->word[at < 3 ? at : 0];

	if (!words->renews)
		return;
	if (at < 3)
		death_in(words, at);
	else
		death_of_plain(words, TM_DF_RESIZED);
	clear_old(words);
	words->before = at < 3 || words->object ? 0 : words->block;
	*value = (*value & ~(TM_BIRTH_MASK | TM_SITE_MASK | TM_WATCHED)) | tm_get(&tm_birth_bits) |
		 (uint64_t)tm_site_here() << TM_SITE_SHIFT;
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

/* The block is one without an object: it keeps its birth, and what it grew out of. */
static void move_plain(const struct tm_block_words *words, uintptr_t block, size_t size)
{
	uint64_t first = words->word[0];
	uint64_t born = watch_on(words, first) & (TM_BIRTH_MASK | TM_WATCHED);

	put_block_as(block, size,
		     tm_block_word(tm_word_kind(first), born, tm_word_site(first), size),
		     words->before);
}

void tm_block_move(struct tm_block_words *words, uintptr_t block, size_t size, enum tm_kind kind)
{
	unsigned at = object_in(words);

	tm_block_leave(words);
	if (at < 3) {
		if (!put_fresh(block + at * TM_GRANULE, block, size,
			       watch_on(words, words->word[at]), tm_get(&tm_birth_bits)))
			lose_birth(block);
		return;
	}
	if (is_plain(words->word[0]))
		move_plain(words, block, size);
	else
		tm_birth_block(block, size, kind);
	if (kind == TM_PENDING && tm_python.family == TM_FAMILY_ALLOCATOR)
		tm_recent_add(tm_self_here(), block);
}

/* ---- blocks that a free list keeps ------------------------------------------ */

/* Records the end of what a block holds, and clears its words. */
static void end_of_content(struct tm_block_words *words)
{
	unsigned at = object_in(words);

	look_into(words);
	if (at < 3)
		death_in(words, at);
	else if (is_plain(words->word[0]))
		death_of_plain(words, 0);
	clear(words);
}

void tm_death_kept(uintptr_t object, size_t head)
{
	struct tm_block_words words;

	if (!tm_recorder_awake())
		return;
	tm_block_take(object - head, &words);
	end_of_content(&words);
	if (words.size)
		tm_put(tm_shadow_find(object - head), tm_size_word(TM_SIZE_HEAD, words.size));
}

void tm_birth_kept(uintptr_t object, size_t head)
{
	uint64_t birth = tm_get(&tm_birth_bits);
	struct tm_block_words words;

	if (!tm_recorder_awake())
		return;
	tm_block_take(object - head, &words);
	if (tm_word_kind(words.word[0]) == TM_PENDING &&
	    (words.word[0] & TM_BIRTH_MASK) == tm_birth_now())
		return;
	end_of_content(&words);
	if (!words.size ||
	    !put_fresh(object, object - head, words.size,
		       tm_word(TM_OBJECT, 0, tm_site_here(), tm_type_of(object)) | birth, birth))
		lose_birth(object);
}

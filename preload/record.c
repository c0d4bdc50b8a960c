#include "record.h"

#include "collections.h"
#include "deaths.h"
#include "hook_tracer.h"
#include "nursery.h"
#include "owner.h"
#include "recorder.h"
#include "resize.h"
#include "resolve.h"
#include "segment.h"

/* ---- births ---------------------------------------------------------------- */

static void put_block(uintptr_t block, size_t size, enum tm_kind kind, uint32_t site)
{
	tm_block_put(block, size, tm_block_word(kind, tm_get(&tm_birth_bits), site, size), 0);
	tm_self.newest_plain = block;
	if (size >= TM_OWNED_LEAST)
		tm_owner_expect(block);
}

/*
 * A sub-interpreter may have a heap of its own under the same GIL (3.12 and newer,
 * PyInterpreterConfig.use_main_obmalloc).  The first that it allocates comes here, as no frame of
 * it runs yet.
 */
static void close_nursery_to_others(void)
{
	if (tm_python.adapter->own_gils && tm_python_thread() && !tm_python_in_main())
		tm_nursery_forbid();
}

void tm_birth_block(uintptr_t block, size_t size, enum tm_kind kind)
{
	close_nursery_to_others();
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

void tm_pending_drop(struct tm_self *self)
{
	self->pending = 0;
	if (self->pending_young)
		tm_young_leaves(self->pending_young);
	self->pending_young = NULL;
}

void tm_birth_expected(uintptr_t block, size_t size)
{
	struct tm_self *self = &tm_self;
	uint32_t site;

	close_nursery_to_others();
	if (self->pending)
		tm_flush_pending(self);
	site = tm_site_here();
	self->pending_stack = NULL;
	self->pending_site = site;
	self->pending_size = size;
	self->pending_young = NULL;
	self->pending = block;
}

void tm_flush_pending(struct tm_self *self)
{
	uintptr_t block = self->pending;

	tm_pending_drop(self);
	if (!tm_recorder_awake())
		return;
	put_block(block, self->pending_size, TM_PENDING, tm_stack_pending_site(self));
	/* Or the tracer is another's now, and this is the first object that nobody told of. */
	if (unlikely(tm_hook_tracer_check()))
		tm_recent_add(tm_self_here(), block);
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
		if (tm_block_put_object(object, object, words.size, value, tm_get(&tm_birth_bits)))
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
	tm_shadow_word *word = object & (TM_GRANULE - 1) ? NULL : tm_block_place(object, birth);

	if (!word) {
		tm_block_lost(object);
		return;
	}
	value = tm_word(TM_OBJECT, 0, site, 0) | tm_type_bits(object) | birth;
	if (!block)
		birth_elsewhere(object, value, word);
	else if (!tm_block_put_object(object, block, size, value, birth))
		tm_block_lost(object);
}

void tm_birth_object(uintptr_t object)
{
	struct tm_self *self = &tm_self;
	uintptr_t block = self->pending;
	bool fresh = object - block <= 2 * TM_GC_HEAD && object - block < self->pending_size;

	close_nursery_to_others();
	if (fresh)
		tm_pending_drop(self);
	tm_nursery_forget_at(object);
	if (tm_recorder_awake())
		birth_of(object, fresh ? block : 0, self->pending_size,
			 fresh ? tm_stack_pending_site(self) : tm_site_here());
	self = tm_self_here();
	if (self->counters)
		tm_count(&self->counters->created);
}

void tm_recent_full(void)
{
	struct tm_self *self = &tm_self;
	uintptr_t newest = self->recent[TM_RECENT - 1];
	unsigned left = 0;

	/* The newest is a block that its owner has not filled in yet: it waits a round.  The same
	 * address may stand further up, from a block that died since. */
	tm_nursery_shut();
	tm_resolve_blocks(self->recent, TM_RECENT, newest);
	for (unsigned i = 0; i < TM_RECENT; i++) {
		uintptr_t block = self->recent[i];

		self->recent[i] = 0;
		if (block && (block != newest || i == TM_RECENT - 1))
			self->recent[left++] = block;
	}
	tm_nursery_empty();
	/* What a long collection, or another interpreter, leaves undecided must not fill the list
	 * again at once: the newest half is no longer listed. */
	if (left > TM_RECENT / 2) {
		left = TM_RECENT / 2;
		tm_nursery_pause();
	}
	self->recent_next = self->recent + left;
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

void tm_death_object(uintptr_t object)
{
	/* What begins in the middle of a granule has no word: the one there is another's. */
	tm_shadow_word *word = object & (TM_GRANULE - 1) ? NULL : tm_shadow_find(object);
	struct tm_self *self;
	uint64_t value;

	if (!word)
		return;
	tm_nursery_forget_at(object);
	value = tm_get(word);
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

/* A block goes with its type not looked at: while its memory is as it was is the last chance to. */
void tm_death_look_into(struct tm_block_words *words)
{
	if (tm_word_kind(words->word[0]) != TM_PENDING || !type_matters(words->word[0]) ||
	    tm_resolve_kind(words->block, words->size, true, &words->object) != TM_OBJECT) {
		words->object = 0;
		return;
	}
	words->type = tm_type_of(words->object);
}

/* The death of a block that was looked into. */
void tm_death_of_plain(const struct tm_block_words *words, unsigned flags)
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
		if (!(flags & TM_DF_RESIZED) && tm_resize_replaces(words))
			flags |= TM_DF_RESIZED;
		dying.word = (word & ~TM_KIND_MASK) | TM_BUFFER;
		dying.past = words->past;
	}
	death_of(&dying, known, flags);
}

/* The death of the object in a block, its index among the words. */
void tm_death_of_object_in(const struct tm_block_words *words, unsigned at)
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
	tm_death_of_object_in(words, at);
}

bool tm_death_block(uintptr_t block)
{
	struct tm_block_words words;
	unsigned at;

	if (block & (TM_GRANULE - 1) || !tm_shadow_find(block))
		return false;
	/* Records come before the words are cleared, so that a reader misses nothing. */
	tm_block_take(block, &words);
	if (!words.word[0] && !words.word[1] && !words.word[2])
		return false;
	at = tm_block_object(&words);
	tm_death_look_into(&words);
	if (tm_block_is_plain(words.word[0]))
		tm_death_of_plain(&words, 0);
	else if (at < 3)
		death_unsaid(&words, at);
	tm_block_clear(&words);
	return true;
}

void tm_record_leave_out(uintptr_t object)
{
	for (uintptr_t before = 0; before <= 2 * TM_GC_HEAD; before += TM_GC_HEAD) {
		enum tm_kind kind;

		tm_nursery_forget_at(object - before);
		kind = tm_word_kind(tm_block_word_at(object - before));
		if ((before == 0 && kind == TM_OBJECT) || kind == TM_PENDING) {
			atomic_fetch_or(tm_shadow_find(object - before), TM_WATCHED);
			return;
		}
	}
}

/* ---- blocks that a free list keeps ------------------------------------------ */

/* Records the end of what a block holds, and clears its words. */
static void end_of_content(struct tm_block_words *words)
{
	unsigned at = tm_block_object(words);

	tm_death_look_into(words);
	if (at < 3)
		tm_death_of_object_in(words, at);
	else if (tm_block_is_plain(words->word[0]))
		tm_death_of_plain(words, 0);
	tm_block_clear(words);
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
	    !tm_block_put_object(object, object - head, words.size,
				 tm_word(TM_OBJECT, 0, tm_site_here(), tm_type_of(object)) | birth,
				 birth))
		tm_block_lost(object);
}

#include "nursery.h"

#include "blocks.h"
#include "collections.h"
#include "cpython/cpython.h"
#include "hook_alloc.h"
#include "interval.h"
#include "segment.h"

static struct tm_nursery usual, closed;

struct tm_nursery *_Atomic tm_nursery = &closed;

static unsigned depth; /* of magazines, once they are allowed */
static bool started;
static bool is_shut; /* nobody is known since it was closed but who waits */
static _Atomic bool forbidden;

/* Closed until an interval with another birth field than this. */
static bool paused;
static uint64_t paused_birth;

#define PLACES (1u << TM_YOUNG_BITS)

/* ---- empty -------------------------------------------------------------------- */

static void make_empty(struct tm_nursery *nursery)
{
	/* Nobody's place, and where the nursery is closed none to be had. */
	const struct tm_young nobody = {.address = TM_YOUNG_NONE, .block = nursery == &closed};

	for (unsigned i = 0; i < PLACES; i++)
		nursery->blocks[i] = nursery->objects[i] = nobody;
	for (unsigned i = 0; i < TM_MAGAZINE_COUNT; i++) {
		for (unsigned domain = 0; domain < TM_YOUNG_DOMAINS; domain++) {
			struct tm_magazine *magazine = &nursery->magazines[domain][i];

			magazine->newest = magazine->waiting;
			magazine->last = magazine->waiting + (nursery == &closed ? 0 : depth);
		}
	}
	nursery->died_last = nursery->objects;
	nursery->patience = TM_YOUNG_PATIENCE;
}

void tm_nursery_forget(void)
{
	tm_nursery_stop();
	make_empty(&usual);
	make_empty(&closed);
}

void tm_nursery_allow_magazines(void)
{
	depth = TM_MAGAZINE_DEPTH;
	make_empty(&usual);
}

/* ---- forgetting ----------------------------------------------------------------- */

static uintptr_t place_of(const struct tm_young *young)
{
	return young->address & ~(uintptr_t)(TM_GRANULE - 1);
}

static bool waits(const struct tm_young *young)
{
	return young->address & TM_YOUNG_WAITS;
}

static void forget(struct tm_young *young)
{
	young->address = TM_YOUNG_NONE;
	young->block = 0;
}

static void forget_if_known(struct tm_young *among, uintptr_t address)
{
	struct tm_young *young = tm_young_at(among, address);

	if (unlikely(young != NULL))
		forget(young);
}

void tm_nursery_forget_block(uintptr_t block)
{
	forget_if_known(usual.blocks, block);
}

void tm_nursery_forget_at(uintptr_t address)
{
	tm_nursery_forget_block(address);
	forget_if_known(usual.objects, address);
	forget_if_known(usual.objects, address + TM_YOUNG_DEAD);
}

/* Where another interpreter's threads run beside the main one's, those leave this to it. */
static bool is_ours(void)
{
	return !tm_get(&forbidden) || tm_python_holds_main();
}

/* All but who waits: its block is nobody else's to use. */
static void forget_all(void)
{
	for (unsigned i = 0; i < PLACES; i++) {
		if (!waits(&usual.blocks[i]))
			forget(&usual.blocks[i]);
		if (!waits(&usual.objects[i]))
			forget(&usual.objects[i]);
	}
	tm_nursery_forget_keys();
}

void tm_nursery_shut(void)
{
	if (is_shut || !is_ours())
		return;
	atomic_store(&tm_nursery, &closed);
	forget_all();
	is_shut = true;
}

void tm_nursery_forget_keys(void)
{
	for (unsigned i = 0; i < PLACES; i++)
		usual.blocks[i].key = usual.blocks[i].other_key = usual.objects[i].key =
			TM_KEY_NONE;
}

/* ---- giving back ---------------------------------------------------------------- */

/* The word that says the size of an object's block; NULL: there is none. */
static tm_shadow_word *size_place(const struct tm_young *young)
{
	bool tail = young->block == place_of(young);

	if (!young->block || young < usual.objects || (tail && young->size <= TM_GRANULE))
		return NULL;
	return tm_shadow_find(tail ? young->block + TM_GRANULE : young->block);
}

void tm_young_leaves(struct tm_young *young)
{
	tm_shadow_word *word = size_place(young);

	if (word)
		tm_put(word, 0);
	forget(young);
}

void tm_young_resize(struct tm_young *young, size_t size)
{
	tm_shadow_word *word = size_place(young);

	if (word)
		tm_put(word, 0);
	young->size = size;
	word = size_place(young);
	if (word)
		tm_put(word,
		       tm_size_word(young->block == place_of(young) ? TM_SIZE_TAIL : TM_SIZE_HEAD,
				    size));
}

/* Whose blocks wait in a magazine. */
static const struct tm_allocator *allocator_of(const struct tm_magazine *magazine)
{
	return magazine < usual.magazines[TM_YOUNG_MEM] ? &tm_next_obj : &tm_next_mem;
}

static void give_back(struct tm_magazine *magazine)
{
	const struct tm_allocator *next = allocator_of(magazine);

	while (magazine->newest != magazine->waiting) {
		struct tm_young *young = *magazine->newest--;
		uintptr_t block = young->block;

		tm_young_leaves(young);
		next->free(next->ctx, (void *)block);
	}
}

/* Where in its magazine somebody waits; NULL: nowhere, its block was given out just now. */
static struct tm_young **find_waiting(const struct tm_young *young)
{
	struct tm_young **at = young->home->newest;

	while (at != young->home->waiting && *at != young)
		at--;
	return at != young->home->waiting ? at : NULL;
}

/* The block of who waits goes to the allocator; false: it does not wait. */
static bool give_up(struct tm_young *young)
{
	struct tm_magazine *home = young->home;
	const struct tm_allocator *next = allocator_of(home);
	struct tm_young **at = find_waiting(young);
	uintptr_t block = young->block;

	if (!at)
		return false;
	for (; at != home->newest; at++)
		at[0] = at[1];
	home->newest--;
	tm_young_leaves(young);
	next->free(next->ctx, (void *)block);
	return true;
}

/* @other waits in the place of @young; false: that does not wait. */
static bool stands_in(const struct tm_young *young, struct tm_young *other)
{
	struct tm_young **at = find_waiting(young);

	if (at)
		*at = other;
	return at != NULL;
}

static void give_back_all(void)
{
	for (unsigned i = 0; i < TM_MAGAZINE_COUNT; i++) {
		give_back(&usual.magazines[TM_YOUNG_OBJ][i]);
		give_back(&usual.magazines[TM_YOUNG_MEM][i]);
	}
}

/* ---- adding --------------------------------------------------------------------- */

/* Nobody is here any more; false: somebody's block was given out just now. */
static bool vacate(struct tm_young *young)
{
	if (waits(young))
		return give_up(young);
	forget(young);
	return true;
}

/* False: its block was given out just now. */
static bool move(struct tm_young *young, struct tm_young *to)
{
	if (waits(young) && !stands_in(young, to))
		return false;
	if (usual.died_last == young)
		usual.died_last = to;
	*to = *young;
	return true;
}

/* The first place for who begins at @address, for the newest is what is asked for most. */
static struct tm_young *room(struct tm_young *among, uintptr_t address)
{
	struct tm_young *first = tm_young_first(among, address);
	struct tm_young *second = tm_young_second(first);

	if (first->address == TM_YOUNG_NONE)
		return first;
	if (vacate(second))
		return move(first, second) ? first : second;
	return vacate(first) ? first : NULL;
}

static struct tm_young *add_block(uintptr_t block, size_t size, enum tm_young_domain domain)
{
	struct tm_nursery *nursery = tm_get(&tm_nursery);
	struct tm_magazine *home = tm_magazine_of(nursery, domain, size);
	struct tm_young *young;

	if (tm_magazine_is_full(home))
		return NULL;
	young = room(nursery->blocks, block);
	if (!young)
		return NULL;
	young->address = young->block = block;
	young->key = young->other_key = TM_KEY_NONE;
	young->home = home;
	return young;
}

bool tm_nursery_add_block(uintptr_t block, size_t size, enum tm_young_domain domain)
{
	struct tm_young *young = add_block(block, size, domain);

	if (young)
		tm_young_waits(young, 0, young->home);
	return young != NULL;
}

struct tm_young *tm_nursery_adopt(uintptr_t block, size_t size, enum tm_young_domain domain,
				  tm_shadow_word *place)
{
	struct tm_young *young = add_block(block, size, domain);

	if (young)
		young->place = place;
	return young;
}

/* What shadow memory says of an object's block, if that is not large. */
static void learn_size(struct tm_young *young, uintptr_t object, tm_shadow_word *word)
{
	static const struct {
		int at; /* from the object's word */
		enum tm_kind kind;
		size_t more_than;
	} places[] = {{-1, TM_SIZE_HEAD, TM_GC_HEAD},
		      {-2, TM_SIZE_HEAD, 2 * TM_GC_HEAD},
		      {1, TM_SIZE_TAIL, TM_GRANULE}};

	for (unsigned i = 0; i < 3; i++) {
		tm_shadow_word *place = word + places[i].at;
		uint64_t size = tm_word_size(tm_get(place));

		if (tm_word_kind(tm_get(place)) != places[i].kind || size <= places[i].more_than ||
		    size > TM_MAGAZINE_SIZE)
			continue;
		young->block = object - (i < 2 ? (i + 1) * TM_GC_HEAD : 0);
		young->size = size;
		young->home = tm_magazine_of(&usual, TM_YOUNG_OBJ, size);
		return;
	}
}

int tm_nursery_add_object(uintptr_t object, tm_shadow_word *word)
{
	unsigned index = tm_shadow_index(object);
	struct tm_nursery *nursery = tm_get(&tm_nursery);
	struct tm_young *young;

	nursery->patience = TM_YOUNG_PATIENCE;
	if (nursery == &closed)
		return 0;
	young = room(usual.objects, object);
	if (!young)
		return 0;
	young->address = object + TM_YOUNG_DEAD;
	young->block = 0;
	young->key = TM_KEY_NONE;
	if (index >= 2 && index < TM_CHUNK_WORDS - 1)
		learn_size(young, object, word);
	usual.died_last = young;
	usual.old_died_last = 0;
	return 0;
}

/* Whether somebody, an object @offset bytes behind @block, is in that block. */
static bool is_in(const struct tm_young *young, uintptr_t block, uintptr_t offset)
{
	if (young->block)
		return young->block == block;
	return offset == 0 || tm_word_kind(tm_block_word_at(block)) == TM_SIZE_HEAD;
}

/* Who lives, or has died, @offset bytes behind @block and in it; NULL: nobody. */
static struct tm_young *look_in(struct tm_young *among, uintptr_t block, uintptr_t offset)
{
	struct tm_young *young = tm_young_first(among, block + offset);

	if ((young->address & ~TM_YOUNG_DEAD) != block + offset)
		young = tm_young_second(young);
	if ((young->address & ~TM_YOUNG_DEAD) != block + offset || !is_in(young, block, offset))
		return NULL;
	return young;
}

struct tm_young *tm_nursery_died_in(uintptr_t block)
{
	struct tm_nursery *nursery = tm_get(&tm_nursery);

	for (uintptr_t offset = 0; offset <= 2 * TM_GC_HEAD; offset += TM_GC_HEAD) {
		struct tm_young *young = look_in(usual.objects, block, offset);

		if (young && young->address & TM_YOUNG_DEAD && nursery == &usual)
			return young;
		if (young)
			forget(young);
	}
	return NULL;
}

/* ---- open and closed -------------------------------------------------------------- */

static bool may_open(void)
{
	return started && !tm_get(&forbidden) && !tm_collections_any() &&
	       !(paused && paused_birth == tm_birth_now());
}

/* It is shut. */
static void open_if_allowed(void)
{
	uint64_t birth = tm_birth_now();

	if (!may_open())
		return;
	paused = is_shut = false;
	atomic_store(&tm_nursery, &usual);
	/* Whoever closes it does so last. */
	if (birth != tm_birth_now() || atomic_load(&forbidden))
		atomic_store(&tm_nursery, &closed);
}

void tm_nursery_open(void)
{
	tm_nursery_shut();
	open_if_allowed();
}

void tm_nursery_empty(void)
{
	tm_nursery_shut();
	if (!tm_get(&forbidden))
		give_back_all();
	open_if_allowed();
}

void tm_nursery_pause(void)
{
	tm_nursery_shut();
	paused = true;
	paused_birth = tm_birth_now();
}

void tm_nursery_close(void)
{
	atomic_store(&tm_nursery, &closed);
}

void tm_nursery_forbid(void)
{
	atomic_store(&forbidden, true);
	tm_nursery_close();
}

void tm_nursery_stop(void)
{
	started = paused = false;
	tm_nursery_close();
	forget_all();
}

void tm_nursery_start(void)
{
	if (tm_get(&forbidden) || !tm_segment_back(TM_R_THREADS, sizeof(struct tm_thread)))
		return;
	give_back_all();
	/* Slot 0 is everybody's, see thread.c. */
	usual.counters = tm_segment_at(TM_R_THREADS, 0);
	started = true;
	open_if_allowed();
}

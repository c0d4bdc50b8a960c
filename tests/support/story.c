/*
 * story.c - what a recorder would have written
 */
#include "story.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STRING_BYTES (4 * TM_REGION_ALIGN)
#define TALLY_SLOTS  2048u

static void broken(const char *what)
{
	fprintf(stderr, "story: %s\n", what);
	abort();
}

/* ---- the file ---- */

static uint64_t aligned(uint64_t bytes)
{
	return (bytes + TM_REGION_ALIGN - 1) / TM_REGION_ALIGN * TM_REGION_ALIGN;
}

static uint64_t lay_out(struct tm_header *h, const struct story_options *o)
{
	uint32_t slots = o->ring_slots ? o->ring_slots : 2048;
	uint64_t sizes[TM_R_COUNT] = {
		[TM_R_THREADS] = 16 * sizeof(struct tm_thread),
		[TM_R_MARKS] = (o->marks ? o->marks : 128) * sizeof(struct tm_mark),
		[TM_R_STRINGS] = STRING_BYTES,
		[TM_R_CODES] = 2048 * sizeof(struct tm_code),
		[TM_R_SITES] = 4096 * sizeof(struct tm_site),
		[TM_R_TYPES] = 2048 * sizeof(struct tm_type),
		[TM_R_DEATHS] = slots == STORY_NO_RING ? 0 : slots * sizeof(struct tm_death),
		[TM_R_TALLIES] = TALLY_SLOTS * sizeof(struct tm_tally),
		[TM_R_CHUNKS] = (o->chunks ? o->chunks : 4) * sizeof(struct tm_chunk),
		[TM_R_CYCLIC] = TALLY_SLOTS * sizeof(struct tm_tally),
		[TM_R_GARBAGE] = 1024 * sizeof(struct tm_garbage),
		[TM_R_COLLECTIONS] = 1024 * sizeof(struct tm_collection),
		[TM_R_SHADOW] = (o->chunks ? o->chunks : 4) * TM_CHUNK_SHADOW,
	};
	uint64_t at = TM_REGION_ALIGN;

	for (unsigned id = 0; id < TM_R_COUNT; id++) {
		h->regions[id].offset = at;
		h->regions[id].capacity = id == TM_R_DEATHS ? sizes[id] : aligned(sizes[id]);
		h->regions[id].backed = id == TM_R_SHADOW ? 0 : h->regions[id].capacity;
		at += aligned(h->regions[id].capacity);
	}
	return at;
}

static int make_file(struct story *s, const struct story_options *o)
{
	if (o->path) {
		snprintf(s->path, sizeof(s->path), "%s", o->path);
		return open(o->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	}
	s->fd = memfd_create("story", MFD_CLOEXEC);
	snprintf(s->path, sizeof(s->path), "/proc/self/fd/%d", s->fd);
	return s->fd;
}

static void fill_header(struct story *s, const struct story_options *o)
{
	struct tm_header *h = s->header;

	h->major = TM_LAYOUT_MAJOR;
	h->minor = TM_LAYOUT_MINOR;
	h->header_size = sizeof(*h);
	h->file_size = s->size;
	h->pid = 4712;
	h->family = o->family ? o->family : TM_FAMILY_TRACER;
	h->time_ns = 1700000000000000000u;
	h->python_hex = 0x030d05f0;
	h->frames = 1;
	h->signal = TM_DEFAULT_SIGNAL;
	h->config_flags = TM_CF_COLLECT;
	snprintf((char *)h->python, sizeof(h->python), "3.13.5");
	h->regions[TM_R_THREADS].used = 1;
	h->regions[TM_R_CODES].used = 1;
	h->regions[TM_R_SITES].used = 1;
	h->regions[TM_R_TYPES].used = 1;
	h->regions[TM_R_STRINGS].used = 4;
	h->command = string_of(s, "python3\0app.py", 15);
	h->directory = string_of(s, "/srv", 4);
	h->magic = TM_MAGIC;
}

static void set_mark(struct story *s, uint32_t number, const char *name, uint32_t flags)
{
	struct tm_mark *m = mark_record(s, number);
	const struct tm_thread *t = story_table(s, TM_R_THREADS);

	memset(m, 0, sizeof(*m));
	m->time_ns = s->header->time_ns + number * 1000000000ull;
	m->created = t->created;
	m->destroyed = t->destroyed;
	m->name_length = (uint32_t)strlen(name);
	memcpy(m->name, name, m->name_length);
	m->flags = flags;
	m->state = TM_MARK_FOLLOWED;
	s->header->regions[TM_R_MARKS].used = number + 1;
	s->header->current = number;
}

struct story *story_begin(const struct story_options *options)
{
	static const struct story_options usual;
	const struct story_options *o = options ? options : &usual;
	struct story *s = calloc(1, sizeof(*s));
	struct tm_header plan;

	if (!s)
		broken("no memory");
	memset(&plan, 0, sizeof(plan));
	s->size = lay_out(&plan, o);
	s->fd = make_file(s, o);
	if (s->fd < 0 || ftruncate(s->fd, (off_t)s->size))
		broken("cannot make the file");
	s->image = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	if (s->image == MAP_FAILED)
		broken("cannot map the file");
	memcpy(s->image, &plan, sizeof(plan));
	s->header = (struct tm_header *)s->image;
	fill_header(s, o);
	s->header->start_set = !o->no_start;
	set_mark(s, 0, "", TM_MF_START);
	return s;
}

void story_end(struct story *s)
{
	munmap(s->image, s->size);
	close(s->fd);
	free(s);
}

void *story_table(const struct story *s, enum tm_region_id id)
{
	return s->image + s->header->regions[id].offset;
}

/* Room for one more record; gives its index. */
static uint32_t append(struct story *s, enum tm_region_id id, size_t size)
{
	struct tm_region *r = &s->header->regions[id];

	if ((r->used + 1) * size > r->backed)
		broken("a table is full");
	return (uint32_t)r->used;
}

/* ---- marks ---- */

struct tm_mark *mark_record(struct story *s, uint32_t number)
{
	if ((number + 1) * sizeof(struct tm_mark) > s->header->regions[TM_R_MARKS].backed)
		broken("too many marks");
	return (struct tm_mark *)story_table(s, TM_R_MARKS) + number;
}

uint32_t mark(struct story *s, const char *name)
{
	uint32_t number = s->header->current + 1;

	set_mark(s, number, name, TM_MF_SIGNAL | TM_MF_COLLECTED);
	return number;
}

uint32_t exit_mark(struct story *s)
{
	uint32_t number = s->header->current + 1;

	set_mark(s, number, "", TM_MF_EXIT | TM_MF_COLLECTED);
	s->header->state = TM_PS_EXITED;
	return number;
}

void figures_at(struct story *s, uint32_t number, const struct tm_figures *figures)
{
	memcpy(&mark_record(s, number)->figures, figures, sizeof(*figures));
}

/* ---- the collector ---- */

void collection_begins(struct story *s)
{
	s->collector = STORY_COLLECTION_OF_MARK;
}

void collection_ends(struct story *s)
{
	s->collector = STORY_NOT_COLLECTING;
}

void program_collects(struct story *s)
{
	s->collector = STORY_COLLECTION;
}

static void note_run(struct story *s, const struct tm_collection *run)
{
	struct tm_region *r = &s->header->regions[TM_R_COLLECTIONS];
	struct tm_collection *ring = story_table(s, TM_R_COLLECTIONS);
	uint64_t slots = r->capacity / sizeof(*ring);
	struct tm_collection *slot = &ring[r->used % slots];

	memcpy(slot, run, sizeof(*run));
	slot->sequence = (uint32_t)(++r->used);
}

void program_collected(struct story *s, unsigned generation, uint64_t ns, uint64_t collected)
{
	struct tm_collections *sums = &mark_record(s, s->header->current)->collections[generation];
	struct tm_collection run = {.time_ns = s->header->time_ns,
				    .duration_ns = ns,
				    .collected = collected,
				    .mark = s->header->current,
				    .generation = (uint16_t)generation};

	s->collector = STORY_NOT_COLLECTING;
	note_run(s, &run);
	sums->count++;
	sums->ns += ns;
	sums->longest_ns = ns > sums->longest_ns ? ns : sums->longest_ns;
	sums->collected += collected;
}

/* ---- names and places ---- */

uint32_t string_of(struct story *s, const void *bytes, size_t size)
{
	struct tm_region *r = &s->header->regions[TM_R_STRINGS];
	uint8_t *at = (uint8_t *)story_table(s, TM_R_STRINGS) + r->used;
	struct tm_string head = {(uint32_t)size};
	uint32_t offset = (uint32_t)r->used;

	if (r->used + sizeof(head) + size + 3 > r->backed)
		broken("too many strings");
	memcpy(at, &head, sizeof(head));
	memcpy(at + sizeof(head), bytes, size);
	r->used = (r->used + sizeof(head) + size + 3) / 4 * 4;
	return offset;
}

static bool string_is(const struct story *s, uint32_t offset, const char *text)
{
	const uint8_t *at = (const uint8_t *)story_table(s, TM_R_STRINGS) + offset;
	struct tm_string head;

	memcpy(&head, at, sizeof(head));
	return head.length == strlen(text) && !memcmp(at + sizeof(head), text, head.length);
}

uint32_t type_named(struct story *s, const char *name, uint64_t basic_size)
{
	struct tm_type *types = story_table(s, TM_R_TYPES);
	uint32_t index = 1;

	for (; index < s->header->regions[TM_R_TYPES].used; index++)
		if (string_is(s, types[index].name, name) && types[index].basic_size == basic_size)
			return index;
	index = append(s, TM_R_TYPES, sizeof(*types));
	types[index].name = string_of(s, name, strlen(name));
	types[index].basic_size = basic_size;
	s->header->regions[TM_R_TYPES].used = index + 1;
	return index;
}

uint32_t site_called(struct story *s, uint32_t parent, const char *file, const char *function,
		     int32_t line)
{
	uint32_t code = append(s, TM_R_CODES, sizeof(struct tm_code));
	uint32_t site = append(s, TM_R_SITES, sizeof(struct tm_site));
	struct tm_code *c = (struct tm_code *)story_table(s, TM_R_CODES) + code;
	struct tm_site *t = (struct tm_site *)story_table(s, TM_R_SITES) + site;

	/* one range of 254 bytes, on the first line */
	*c = (struct tm_code){.file = string_of(s, file, strlen(file)),
			      .name = string_of(s, function, strlen(function)),
			      .lines = string_of(s, "\xfe\x00", 2),
			      .first_line = line,
			      .line_format = TM_LINES_LINETABLE};
	*t = (struct tm_site){.parent = parent, .code = code, .offset = 2 * (site % 100)};
	s->header->regions[TM_R_CODES].used = code + 1;
	s->header->regions[TM_R_SITES].used = site + 1;
	return site;
}

void at_line(struct story *s, const char *file, const char *function, int32_t line)
{
	s->site = site_called(s, 0, file, function, line);
}

/* ---- the shadow ---- */

static struct tm_chunk *chunk_of(struct story *s, uint64_t address)
{
	struct tm_chunk *chunks = story_table(s, TM_R_CHUNKS);
	struct tm_region *list = &s->header->regions[TM_R_CHUNKS];
	struct tm_region *shadow = &s->header->regions[TM_R_SHADOW];
	uint64_t base = address & ~(TM_CHUNK_HEAP - 1);

	if (s->last_chunk && s->last_chunk->heap_base == base)
		return s->last_chunk;
	for (uint64_t i = 0; i < list->used; i++)
		if (chunks[i].heap_base == base)
			return s->last_chunk = &chunks[i];
	if (shadow->used + TM_CHUNK_SHADOW > shadow->capacity)
		broken("the heap is too large");
	chunks += list->used;
	chunks->heap_base = base;
	chunks->shadow = shadow->offset + shadow->used;
	chunks->newest_birth = 0;
	shadow->used += TM_CHUNK_SHADOW;
	shadow->backed = shadow->used;
	list->used++;
	return chunks;
}

uint64_t *word_at(struct story *s, uint64_t address)
{
	const struct tm_chunk *chunk = chunk_of(s, address);

	return (uint64_t *)(void *)(s->image + chunk->shadow) +
	       (address & (TM_CHUNK_HEAP - 1)) / TM_GRANULE;
}

static uint32_t birth_now(const struct story *s)
{
	return s->header->current + 1;
}

static void put_born(struct story *s, enum tm_kind kind, uint64_t address, uint32_t type)
{
	struct tm_thread *t = story_table(s, TM_R_THREADS);

	chunk_of(s, address)->newest_birth = birth_now(s);
	*word_at(s, address) = tm_word(kind, birth_now(s), s->site, type);
	t->created += kind != TM_BUFFER;
}

void birth(struct story *s, const char *type, uint64_t address, uint64_t size)
{
	if (size > TM_GRANULE)
		*word_at(s, address + TM_GRANULE) = tm_size_word(TM_SIZE_TAIL, size);
	put_born(s, TM_OBJECT, address, type_named(s, type, TM_GRANULE));
}

uint64_t birth_behind_head(struct story *s, const char *type, uint64_t block, uint64_t head,
			   uint64_t size)
{
	*word_at(s, block) = tm_size_word(TM_SIZE_HEAD, size);
	put_born(s, TM_OBJECT, block + head, type_named(s, type, head + TM_GRANULE));
	return block + head;
}

void birth_outside(struct story *s, const char *type, uint64_t address, uint64_t basic_size)
{
	put_born(s, TM_OBJECT, address, type_named(s, type, basic_size));
}

static void put_block(struct story *s, enum tm_kind kind, uint64_t address, uint64_t size)
{
	if (size >= TM_SIZE_BIG)
		*word_at(s, address + TM_GRANULE) = tm_size_word(TM_SIZE_TAIL, size);
	put_born(s, kind, address, size >= TM_SIZE_BIG ? TM_SIZE_BIG : (uint32_t)size);
}

void buffer(struct story *s, uint64_t address, uint64_t size)
{
	put_block(s, TM_BUFFER, address, size);
}

void pending(struct story *s, uint64_t address, uint64_t size)
{
	put_block(s, TM_PENDING, address, size);
}

/* ---- deaths ---- */

struct block {
	uint64_t *object;    /* its word */
	uint64_t *size_word; /* HEAD or TAIL; NULL = none */
	uint64_t *past;	     /* GROWN or OWNED; NULL = none */
	uint64_t size;
};

static struct block block_of(struct story *s, uint64_t address)
{
	struct block b = {word_at(s, address), NULL, NULL, 0};
	uint64_t *after = word_at(s, address + TM_GRANULE);

	if (tm_word_kind(*b.object) != TM_OBJECT)
		b.size = tm_word_type(*b.object);
	if (tm_word_kind(*after) == TM_SIZE_TAIL)
		b.size_word = after;
	for (uint64_t head = TM_GRANULE; !b.size_word && head <= 2 * TM_GRANULE;
	     head += TM_GRANULE) {
		uint64_t *before = word_at(s, address - head);

		if (tm_word_kind(*before) == TM_SIZE_HEAD && tm_word_size(*before) > head)
			b.size_word = before;
	}
	if (b.size_word)
		b.size = tm_word_size(*b.size_word);
	after = word_at(s, address + (b.size_word ? 2 : 1) * TM_GRANULE);
	if (tm_word_kind(*b.object) == TM_BUFFER && tm_word_is_past(*after))
		b.past = after;
	return b;
}

static uint64_t past_of(const struct block *b)
{
	return b->past ? *b->past : 0;
}

static void clear(const struct block *b)
{
	*b->object = 0;
	if (b->size_word)
		*b->size_word = 0;
	if (b->past)
		*b->past = 0;
}

static void add_tally(struct story *s, enum tm_region_id id, uint64_t word, uint64_t death,
		      uint64_t size)
{
	struct tm_tally *t = story_table(s, id);
	unsigned i = 0;

	death |= TM_TALLY_VALID;
	if (tm_word_kind(word) != TM_OBJECT)
		word &= ~TM_TYPE_MASK;
	while (i < TALLY_SLOTS && t[i].word && (t[i].word != word || t[i].death != death))
		i++;
	if (i == TALLY_SLOTS)
		broken("too many tallies");
	t[i].word = word;
	t[i].death = death;
	t[i].count++;
	t[i].bytes += size;
}

static uint32_t death_flags(const struct story *s, uint64_t size)
{
	uint32_t flags = size > TM_SMALL_MOST ? TM_DF_LARGE : 0;

	if (s->collector == STORY_COLLECTION_OF_MARK)
		flags |= TM_DF_MARK_COLLECTION;
	if (s->collector != STORY_NOT_COLLECTING)
		flags |= TM_DF_COLLECTOR;
	return flags;
}

/* What the mark's own collection reclaims was garbage of the interval before. */
static void note_cyclic(struct story *s, const struct block *b)
{
	uint32_t interval = s->header->current - (s->collector == STORY_COLLECTION_OF_MARK);

	if (s->collector != STORY_NOT_COLLECTING && tm_word_kind(*b->object) != TM_BUFFER)
		add_tally(s, TM_R_CYCLIC, *b->object & ~TM_WATCHED, interval, b->size);
}

static void add_record(struct story *s, uint64_t address, const struct block *b, uint32_t more)
{
	struct tm_region *r = &s->header->regions[TM_R_DEATHS];
	struct tm_death *ring = story_table(s, TM_R_DEATHS);
	uint64_t slots = r->capacity / sizeof(*ring);
	uint64_t index = r->used++;
	uint32_t flags = death_flags(s, b->size) | more;
	struct tm_death record = {address, *b->object & ~TM_WATCHED, b->size, past_of(b),
				  TM_DEATH_META(index + 1, s->header->current, flags)};

	if (slots == 0) {
		add_tally(s, TM_R_TALLIES, record.word, record.meta >> 32, record.size);
		return;
	}
	if (index >= slots) {
		struct tm_death *old = &ring[index % slots];

		add_tally(s, TM_R_TALLIES, old->word, old->meta >> 32, old->size);
		s->header->losses[TM_L_RING]++;
	}
	memcpy(&ring[index % slots], &record, sizeof(record));
}

static struct block die(struct story *s, uint64_t address)
{
	struct block b = block_of(s, address);
	struct tm_thread *t = story_table(s, TM_R_THREADS);

	if (tm_word_kind(*b.object) == TM_FREE)
		broken("nothing lives there");
	note_cyclic(s, &b);
	if (tm_word_birth(*b.object) != birth_now(s))
		add_record(s, address, &b, 0);
	t->destroyed += tm_word_kind(*b.object) != TM_BUFFER;
	return b;
}

void death(struct story *s, uint64_t address)
{
	struct block b = die(s, address);

	clear(&b);
}

void mark_reclaims(struct story *s, uint64_t address)
{
	collection_begins(s);
	death(s, address);
	collection_ends(s);
}

static void put_past(struct story *s, uint64_t block, uint64_t size, uint64_t past)
{
	if (past && size > 2 * TM_GRANULE)
		*word_at(s, block + (size >= TM_SIZE_BIG ? 2 : 1) * TM_GRANULE) = past;
}

void owned(struct story *s, uint64_t address, uint64_t size, uint32_t birth)
{
	buffer(s, address, size);
	put_past(s, address, size, tm_word(TM_OWNED, birth, 0, s->owner));
}

void resized(struct story *s, uint64_t address, uint64_t to, uint64_t size)
{
	struct block b = block_of(s, address);
	uint64_t past = past_of(&b);
	uint32_t site = tm_word_site(*b.object), here = s->site;

	if (tm_word_kind(*b.object) != TM_BUFFER)
		broken("only a buffer is resized");
	if (tm_word_birth(*b.object) != birth_now(s)) {
		add_record(s, address, &b, TM_DF_RESIZED);
		past = tm_grown_word(address, s->owner);
		site = here;
	}
	clear(&b);
	s->site = site;
	buffer(s, to, size);
	s->site = here;
	put_past(s, to, size, past);
}

void death_to_free_list(struct story *s, uint64_t address)
{
	*die(s, address).object = 0;
}

void death_cut_short(struct story *s, uint64_t address)
{
	die(s, address);
}

/* ---- gc.garbage ---- */

void in_garbage(struct story *s, uint64_t address, uint32_t since)
{
	uint32_t index = append(s, TM_R_GARBAGE, sizeof(struct tm_garbage));
	struct tm_garbage *entry = (struct tm_garbage *)story_table(s, TM_R_GARBAGE) + index;
	struct block b = block_of(s, address);
	struct tm_garbage found = {address, *b.object, b.size, since, 0};

	memcpy(entry, &found, sizeof(found));
	s->header->regions[TM_R_GARBAGE].used = index + 1;
}

void out_of_garbage(struct story *s, uint64_t address, uint32_t gone)
{
	struct tm_garbage *entries = story_table(s, TM_R_GARBAGE);
	uint64_t i = s->header->regions[TM_R_GARBAGE].used;

	while (i-- > 0)
		if (entries[i].address == address && entries[i].gone == 0) {
			entries[i].gone = gone;
			return;
		}
	broken("it is not in gc.garbage");
}

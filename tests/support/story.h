/*
 * story.h - a recording told in sentences, kept by the recorder's own rules
 *
 * The file is mapped and changes with every sentence, so a reader that has it open sees a
 * live recording.  Written after layout.h alone, with nothing of recorder or analyzer, so
 * that it can contradict both.
 */
#ifndef TIDEMARK_TESTS_STORY_H
#define TIDEMARK_TESTS_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tidemark/layout.h>

/* Any place in the heap, and one far from it. */
#define HEAP UINT64_C(0x7f0000100000)
#define FAR  UINT64_C(0x7f1000100000)

struct story_options {
	enum tm_family family; /* 0 = tracer */
	bool no_start;	       /* start_set stays 0 */
	uint32_t ring_slots;   /* multiple of 2048, or 0 = 2048; STORY_NO_RING = none */
	uint32_t chunks;       /* room for so many; 0 = 4 */
	uint32_t marks;	       /* room for so many, 0 = 128 */
	const char *path;      /* file to make; NULL = in memory */
};
#define STORY_NO_RING UINT32_MAX

enum story_collector {
	STORY_NOT_COLLECTING,
	STORY_COLLECTION_OF_MARK, /* made by the newest mark */
	STORY_COLLECTION,	  /* made by the program */
};

struct story {
	char path[64]; /* to open it by */
	int fd;
	uint8_t *image; /* the file, mapped */
	size_t size;
	struct tm_header *header;
	uint32_t site;	/* of the births to come */
	uint32_t owner; /* type index of who owns the memory that grows; 0 = unknown */
	enum story_collector collector; /* deaths to come are its work */
	struct tm_chunk *last_chunk;
};

/* Ends the program when there is no memory or no room in a table: a test is wrong then. */
struct story *story_begin(const struct story_options *options);
void story_end(struct story *s);

/* A region's records. */
void *story_table(const struct story *s, enum tm_region_id id);

/* ---- sentences ---- */

/* A mark, followed up, its collection made.  Returns its number. */
uint32_t mark(struct story *s, const char *name);

/* The record of a mark, to be changed by hand. */
struct tm_mark *mark_record(struct story *s, uint32_t number);

uint32_t exit_mark(struct story *s);

/* Index of the type of this name, made when new. */
uint32_t type_named(struct story *s, const char *name, uint64_t basic_size);

/* A call stack: line `line` of `function`, called from `parent` (0 = none kept). */
uint32_t site_called(struct story *s, uint32_t parent, const char *file, const char *function,
		     int32_t line);

/* From here on objects are created on this line. */
void at_line(struct story *s, const char *file, const char *function, int32_t line);

/* An object at the start of its block of `size` bytes. */
void birth(struct story *s, const char *type, uint64_t address, uint64_t size);

/*
 * An object behind a collector's head of `head` bytes (16 or 32) in the block of `size`
 * bytes at `block`.  Returns the object's address.
 */
uint64_t birth_behind_head(struct story *s, const char *type, uint64_t block, uint64_t head,
			   uint64_t size);

/* An object that is in no block of the allocator. */
void birth_outside(struct story *s, const char *type, uint64_t address, uint64_t basic_size);

void buffer(struct story *s, uint64_t address, uint64_t size);
void pending(struct story *s, uint64_t address, uint64_t size);

/* The object or block at the address dies; its block is freed. */
void death(struct story *s, uint64_t address);

/* The same, but its block stays, on a free list. */
void death_to_free_list(struct story *s, uint64_t address);

/*
 * The buffer is resized, by the line that runs, and is then at `to` (which may be where it was).
 * One born under an older mark dies of it, and what takes its place knows what that was.
 */
void resized(struct story *s, uint64_t address, uint64_t to, uint64_t size);

/* A buffer is made for an owner with this birth field, which is older than it. */
void owned(struct story *s, uint64_t address, uint64_t size, uint32_t birth);

/* Its death is recorded, and the process killed before the shadow forgets it. */
void death_cut_short(struct story *s, uint64_t address);

/* The collection that the newest mark makes: deaths up to the end are its work. */
void collection_begins(struct story *s);
void collection_ends(struct story *s);

/* Such a collection, which takes this one alone. */
void mark_reclaims(struct story *s, uint64_t address);

/*
 * A collection of the program's own: deaths up to the end are its work, and it is noted as a
 * run of this generation that took `ns`.
 */
void program_collects(struct story *s);
void program_collected(struct story *s, unsigned generation, uint64_t ns, uint64_t collected);

/* The object is found in gc.garbage, new at mark `since`, which may be still to come. */
void in_garbage(struct story *s, uint64_t address, uint32_t since);

/* Its entry is found gone at this mark. */
void out_of_garbage(struct story *s, uint64_t address, uint32_t gone);

/* What the process consisted of when the mark was followed up; bytes. */
void figures_at(struct story *s, uint32_t number, const struct tm_figures *figures);

/* The shadow word of a granule, to be looked at or spoiled. */
uint64_t *word_at(struct story *s, uint64_t address);

/* A text in the table of strings: its offset. */
uint32_t string_of(struct story *s, const void *bytes, size_t size);

#endif

/*
 * verdict.h - what a process grew by, what that is made of, and what to say of it
 *
 * The figures of a mark are taken when it is followed up, after its collection.  So the parts
 * are those of that moment: what the mark's own collection reclaimed is not alive in them but
 * free space already (or given back), and is told beside them, in no sum.
 *
 * From A to B the resident set without Tidemark's own part grew by the sum of
 *
 *   live         what objects and buffers alive at B take more than those alive at A, as the
 *                allocators round sizes up (footprint.h)
 *   arenas_free  mapped by CPython's arenas, and taken by no live block: free blocks and pools,
 *                what is kept on free lists, what is lost between blocks
 *   native       handed out by malloc(), but not for Python's own larger blocks: C code's memory
 *   malloc_free  kept free by malloc()
 *   rest         what is left to the sum: mappings, thread stacks, code; less than nothing where
 *                memory was mapped but never touched
 *
 * A part whose figure is not known at both points is unknown, and in the rest.
 */
#ifndef TIDEMARK_VERDICT_H
#define TIDEMARK_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "footprint.h"
#include "reader.h"

enum tm_verdict_part {
	TM_PART_LIVE,
	TM_PART_ARENAS_FREE,
	TM_PART_NATIVE,
	TM_PART_MALLOC_FREE,
	TM_PART_REST,
	TM_PARTS,
};

/* Bytes, more or less. */
struct tm_amount {
	bool known;
	int64_t bytes; /* 0 when not known */
};

/*
 * What there is to say, by these rules, the first that holds.  "Much" is at least `much` bytes:
 * 1 MiB, or half a percent of the resident set at A if that is more.
 */
enum tm_finding {
	TM_FINDING_UNKNOWN,  /* by how much it grew is not known */
	TM_FINDING_SHRANK,   /* it shrank by much */
			     /* it did not grow by much: */
	TM_FINDING_TRASH,    /* - but much was cyclic trash, which B's collection reclaimed */
	TM_FINDING_REFILLED, /* - but live objects did, in space that was free */
	TM_FINDING_NONE,     /* - and nothing else did */
			     /* it grew by much, and two thirds of what grew are: */
	TM_FINDING_OBJECTS,  /* - live */
	TM_FINDING_CYCLES,   /* - arenas_free, at least half of which B's collection made free */
	TM_FINDING_ARENAS,   /* - arenas_free */
	TM_FINDING_NATIVE,   /* - native */
	TM_FINDING_MALLOC,   /* - malloc_free */
	TM_FINDING_UNTOLD,   /* - rest, and a part is not known */
	TM_FINDING_REST,     /* - rest */
	TM_FINDING_MIXED,    /* - no single part */
	TM_FINDINGS,
};

/* What the verdict rests on. */
struct tm_verdict_facts {
	struct tm_figures from, to; /* as tm_figures_known() gives them */
	struct tm_footprint gained; /* what is alive at B and was not at A */
	struct tm_footprint lost;   /* what was alive at A and is not at B */
	uint64_t trash_bytes;	    /* alive at B, but reclaimed by its own collection */
	uint32_t python_hex;
};

struct tm_verdict {
	struct tm_amount growth; /* without Tidemark's own part where that is known */
	struct tm_amount own;	 /* of Tidemark's own memory, in no other number */
	struct tm_amount parts[TM_PARTS];
	uint64_t trash_bytes;
	uint64_t much;
	enum tm_finding finding;
};

void tm_verdict_make(struct tm_verdict *verdict, const struct tm_verdict_facts *facts);

/* What the positive parts add up to, of which a part has its share; never 0. */
uint64_t tm_verdict_grown(const struct tm_verdict *verdict);

/* "objects", "arena_space", …: the key of a finding in JSON; "live", … that of a part. */
const char *tm_finding_name(enum tm_finding finding);
const char *tm_part_name(enum tm_verdict_part part);

#endif

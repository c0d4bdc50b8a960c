/*
 * layout.h - the recording: the one file format shared by recorder and analyzer
 *
 * A recording is one sparse file.  While the recorded process lives the file is
 * mapped shared by it (the only writer, but for the mailbox) and may be read by
 * anyone at any time; after its death, or after `tidemark save`, the same bytes
 * are the file format.  Everything is little-endian, fixed width, and addressed by
 * offsets from the start of the file: no pointer of either process is meaningful
 * in it, except heap addresses of the recorded process, which are data.
 *
 * What may change: append fields in reserved space and bump TM_LAYOUT_MINOR; any
 * change of the meaning, size or place of something that exists bumps
 * TM_LAYOUT_MAJOR, and readers refuse another major.
 *
 * Publication order: every append-only table stores its records first and then its
 * `used` counter with release; a reader loads `used` with acquire and may trust the
 * records below it to be complete (but not to be sane: a reader checks every index
 * and length it finds here).
 */
#ifndef TIDEMARK_LAYOUT_H
#define TIDEMARK_LAYOUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TM_MAGIC	0x4b52414d45444954ull /* "TIDEMARK" in memory */
#define TM_LAYOUT_MAJOR 3
#define TM_LAYOUT_MINOR 1

/* File name of a recording: tidemark.<pid>.<start ticks>.<n>.rec, n counts exec()s. */
#define TM_FILE_PREFIX "tidemark."
#define TM_FILE_SUFFIX ".rec"

#define TM_DEFAULT_SIGNAL 42
#define TM_NAME_MAX	  255 /* bytes of a mark name, terminator not counted */

/* ---- shadow words ------------------------------------------------------------ */

/*
 * One word per 16-byte granule of heap.  A word of zero means: nothing starts here.
 *
 *   bits  0..2   kind (enum tm_kind)
 *   bit   3      watched: the recorder wants to see this one die (a class or a code
 *                object that its tables refer to); readers mask it out
 *   bits  4..19  birth: 0 = before mark 0 (interpreter start-up, or inherited over a
 *                fork), k+1 = in the interval that mark k opens
 *   bits 20..43  site: index into the site table, 0 = no Python frame was running
 *   bits 44..63  type index (OBJECT), or size in bytes (BUFFER, PENDING)
 *
 * Words of kind SIZE_HEAD and SIZE_TAIL hold a size in bytes in bits 4..63 instead.  Those of kind
 * GROWN hold an address divided by 16 in bits 4..46 and the type index of the block's owner in
 * bits 47..63 (0 = not known, or too large for them); those of kind OWNED birth and type as above,
 * of the owner.
 *
 * A block of the allocator that starts at p and is n bytes long appears as one of
 *   p: BUFFER or PENDING, n in its size field; or TM_SIZE_BIG there and
 *      p+16: SIZE_TAIL(n) when n does not fit
 *   p: OBJECT, p+16: SIZE_TAIL(n)           object at the start of its block
 *   p: OBJECT alone                         the same, block of one granule: n = 16
 *   p: SIZE_HEAD(n), p+16 or p+32: OBJECT   object behind a garbage-collector head
 *   p: SIZE_HEAD(n) or p+16: SIZE_TAIL(n)   no live object in it now (a free list)
 *   q: OBJECT with no size word             not in an allocator block: its size is
 *                                           the type's basic size
 *   p: BUFFER, p+16 (p+32 behind a tail): GROWN   it took the place of an older one when its
 *                                           owner was resized; see TM_DF_RESIZED
 *   p: BUFFER, p+16 (p+32 behind a tail): OWNED   it took the place of none, but what owns it was
 *                                           born in an earlier interval than it
 */
enum tm_kind {
	TM_FREE = 0,
	TM_OBJECT = 1,	  /* a Python object, type known */
	TM_BUFFER = 2,	  /* allocator memory that is no object */
	TM_PENDING = 3,	  /* a block of the object domain whose type is not resolved yet */
	TM_SIZE_HEAD = 4, /* size of the block that starts here; its object follows */
	TM_SIZE_TAIL = 5, /* size of the block that started one granule before */
	TM_GROWN = 6,	  /* where the memory was that this buffer replaces */
	TM_OWNED = 7,	  /* birth and type of what owns this buffer, and is older */
};

#define TM_GRANULE_SHIFT 4
#define TM_GRANULE	 16u

#define TM_KIND_MASK   0x7ull
#define TM_WATCHED     0x8ull
#define TM_BIRTH_SHIFT 4
#define TM_BIRTH_BITS  16
#define TM_SITE_SHIFT  20
#define TM_SITE_BITS   24
#define TM_TYPE_SHIFT  44
#define TM_TYPE_BITS   20
#define TM_BIRTH_MASK  (((1ull << TM_BIRTH_BITS) - 1) << TM_BIRTH_SHIFT)
#define TM_SITE_MASK   (((1ull << TM_SITE_BITS) - 1) << TM_SITE_SHIFT)
#define TM_TYPE_MASK   (((1ull << TM_TYPE_BITS) - 1) << TM_TYPE_SHIFT)
#define TM_SIZE_BIG    ((1u << TM_TYPE_BITS) - 1) /* size field: see the SIZE_TAIL word */
#define TM_SIZE_SHIFT  4

#define TM_MAX_BIRTH ((1u << TM_BIRTH_BITS) - 1)
#define TM_MAX_MARK  (TM_MAX_BIRTH - 1) /* the last mark whose interval can be named */
#define TM_MAX_SITES (1u << TM_SITE_BITS)
#define TM_MAX_TYPES (1u << TM_TYPE_BITS)

static inline uint64_t tm_word(enum tm_kind kind, uint32_t birth, uint32_t site, uint32_t type)
{
	return (uint64_t)kind | (uint64_t)birth << TM_BIRTH_SHIFT |
	       (uint64_t)site << TM_SITE_SHIFT | (uint64_t)type << TM_TYPE_SHIFT;
}

static inline uint64_t tm_size_word(enum tm_kind kind, uint64_t size)
{
	return (uint64_t)kind | size << TM_SIZE_SHIFT;
}

static inline enum tm_kind tm_word_kind(uint64_t word)
{
	return (enum tm_kind)(word & TM_KIND_MASK);
}

static inline uint32_t tm_word_birth(uint64_t word)
{
	return (uint32_t)((word & TM_BIRTH_MASK) >> TM_BIRTH_SHIFT);
}

static inline uint32_t tm_word_site(uint64_t word)
{
	return (uint32_t)((word & TM_SITE_MASK) >> TM_SITE_SHIFT);
}

/* Type index of an OBJECT word, size field of a BUFFER or PENDING word. */
static inline uint32_t tm_word_type(uint64_t word)
{
	return (uint32_t)(word >> TM_TYPE_SHIFT);
}

static inline uint64_t tm_word_size(uint64_t word)
{
	return word >> TM_SIZE_SHIFT;
}

#define TM_GROWN_TYPE_SHIFT 47
#define TM_GROWN_TYPES	    (1u << (64 - TM_GROWN_TYPE_SHIFT))
#define TM_GROWN_ADDRESS    (((1ull << TM_GROWN_TYPE_SHIFT) - 1) & ~(uint64_t)(TM_GRANULE - 1))

/* @before: address of the memory that was replaced; @type: index of the owner's type, 0 = unknown.
 */
static inline uint64_t tm_grown_word(uint64_t before, uint32_t type)
{
	return TM_GROWN | (before & TM_GROWN_ADDRESS) |
	       (type < TM_GROWN_TYPES ? (uint64_t)type << TM_GROWN_TYPE_SHIFT : 0);
}

/* Whether a word says where its block's memory comes from. */
static inline bool tm_word_is_past(uint64_t word)
{
	return tm_word_kind(word) == TM_GROWN || tm_word_kind(word) == TM_OWNED;
}

/* Of a GROWN word: the address of what was replaced. */
static inline uint64_t tm_past_address(uint64_t word)
{
	return word & TM_GROWN_ADDRESS;
}

/* Of a GROWN or an OWNED word, or 0: type index of the owner, 0 = not known. */
static inline uint32_t tm_past_type(uint64_t word)
{
	return tm_word_kind(word) == TM_OWNED ? tm_word_type(word)
					      : (uint32_t)(word >> TM_GROWN_TYPE_SHIFT);
}

/*
 * A chunk is the shadow of 1 MiB of aligned heap address space: 65536 words, 512 KiB
 * of file, reserved whole before its record is published.  Never moved or removed.
 */
#define TM_CHUNK_SHIFT	20
#define TM_CHUNK_HEAP	(1ull << TM_CHUNK_SHIFT)
#define TM_CHUNK_WORDS	(TM_CHUNK_HEAP / TM_GRANULE)
#define TM_CHUNK_SHADOW (TM_CHUNK_WORDS * sizeof(uint64_t))

struct tm_chunk {
	uint64_t heap_base;	       /* heap address of its first granule */
	uint64_t shadow;	       /* file offset of its first word */
	_Atomic uint32_t newest_birth; /* no word in it that has a birth has a later one */
	uint32_t reserved[3];
};
_Static_assert(sizeof(struct tm_chunk) == 32, "layout changed: bump TM_LAYOUT_MAJOR");
_Static_assert(offsetof(struct tm_chunk, newest_birth) == 16, "layout changed");

/* ---- tables ------------------------------------------------------------------ */

/*
 * The regions of the file.  `offset` (bytes) never changes while the recorder runs, and
 * `capacity` only where the program limits its address space: it shrinks then, but not that of a
 * ring or of a hash table.  The first `backed` bytes have file space behind them, and a reader
 * must not touch what lies after.  `used` counts records (bytes for STRINGS, chunks'
 * bytes for SHADOW).  Regions lie on 64 KiB boundaries, in the order of the enum.
 */
enum tm_region_id {
	TM_R_THREADS,	  /* struct tm_thread */
	TM_R_MARKS,	  /* struct tm_mark, by mark number */
	TM_R_STRINGS,	  /* struct tm_string and its bytes, 4-aligned; offset 0 is the empty one */
	TM_R_CODES,	  /* struct tm_code; record 0 is unused */
	TM_R_SITES,	  /* struct tm_site; record 0 is unused */
	TM_R_TYPES,	  /* struct tm_type; record 0 is "unknown" */
	TM_R_DEATHS,	  /* struct tm_death: a ring, see below */
	TM_R_TALLIES,	  /* struct tm_tally: open hash tables, see below */
	TM_R_CHUNKS,	  /* struct tm_chunk */
	TM_R_CYCLIC,	  /* struct tm_tally: what the collector reclaimed, in the same way */
	TM_R_GARBAGE,	  /* struct tm_garbage */
	TM_R_COLLECTIONS, /* struct tm_collection: a ring of the newest */
	TM_R_SHADOW,	  /* the words */
	TM_R_COUNT,
	TM_R_SLOTS = 16
};

struct tm_region {
	uint64_t offset;
	uint64_t capacity;
	_Atomic uint64_t backed;
	_Atomic uint64_t used;
};
_Static_assert(sizeof(struct tm_region) == 32, "layout changed: bump TM_LAYOUT_MAJOR");

/*
 * Event counters of one thread.  Only its own thread adds to a slot, so the sums may lag
 * by the event under way.  Slot 0 is shared by threads that found no slot of their own.
 */
struct tm_thread {
	_Atomic uint64_t created;   /* objects; on the allocator family: object-domain blocks */
	_Atomic uint64_t destroyed; /* the same */
	_Atomic uint64_t lost;	    /* births that could not be recorded */
	_Atomic uint32_t tid;	    /* 0 = free slot */
	uint32_t reserved0;
	uint64_t reserved[4];
};
_Static_assert(sizeof(struct tm_thread) == 64, "layout changed: bump TM_LAYOUT_MAJOR");

enum tm_mark_state {
	TM_MARK_EMPTY = 0,
	TM_MARK_TAKEN = 1,    /* the bump is done: births count to its interval */
	TM_MARK_FOLLOWED = 2, /* the follow-up is done too; nothing will change any more */
};

enum tm_mark_flags {
	TM_MF_START = 1,
	TM_MF_EXIT = 2,
	TM_MF_COLLECTED = 4, /* a full collection was made for it */
	TM_MF_MERGED = 8,    /* followed up together with a later mark, which has the collection */
	TM_MF_SIGNAL = 16,   /* set by a plain signal */
	TM_MF_REQUEST = 32,  /* set through the mailbox */
	TM_MF_API = 64,	     /* set by tidemark_mark() */
	TM_MF_NO_COLLECT = 128, /* asked for without a collection */
};

/* Collections of one generation that ended in an interval. */
struct tm_collections {
	uint64_t count;
	uint64_t ns;	     /* all of them together */
	uint64_t longest_ns; /* the longest one */
	uint64_t collected;  /* objects, as the collector says */
	uint64_t uncollectable;
};
_Static_assert(sizeof(struct tm_collections) == 40, "layout changed: bump TM_LAYOUT_MAJOR");

#define TM_GENERATIONS 3
#define TM_UNKNOWN     UINT64_MAX /* a figure that could not be had */

/*
 * What the process consists of, bytes; TM_UNKNOWN each where it could not be told.  Taken at the
 * follow-up, after the mark's collection.
 */
struct tm_figures {
	uint64_t rss;	      /* resident set, Tidemark's own part included */
	uint64_t own;	      /* resident memory that is Tidemark's own, in rss */
	uint64_t arenas;      /* mapped by CPython's arena allocator */
	uint64_t arena_count; /* blocks of it */
	uint64_t malloc_used; /* the C library's heap: handed out (mallinfo2 uordblks + hblkhd) */
	uint64_t malloc_free; /* and kept free (fordblks) */
	uint64_t own_private; /* of own: what is not the recording itself; 0 = not known */
	uint64_t heap_ns;     /* why malloc_* were not asked for: what it would have taken; or 0 */
};
_Static_assert(sizeof(struct tm_figures) == 64, "layout changed: bump TM_LAYOUT_MAJOR");

struct tm_mark {
	uint64_t time_ns;      /* CLOCK_REALTIME of the bump */
	uint64_t monotonic_ns; /* CLOCK_MONOTONIC of the bump */
	uint64_t created;      /* sums over threads at the bump */
	uint64_t destroyed;
	uint64_t lost;
	uint64_t pause_ns; /* time the bump and the follow-up took from the process */
	uint64_t reserved1;
	uint64_t garbage;	    /* entries of gc.garbage at the follow-up */
	uint64_t garbage_new;	    /* of these, more than at the mark before */
	uint64_t collected_objects; /* deaths during the mark's own collection */
	_Atomic uint32_t state;	    /* enum tm_mark_state, stored last */
	_Atomic uint32_t flags;	    /* enum tm_mark_flags */
	uint32_t reserved0;
	uint32_t name_length;
	uint8_t name[TM_NAME_MAX + 1]; /* any bytes but NUL; empty = unnamed */
	struct tm_figures figures;
	/* of the interval that this mark opens; grows while it lasts */
	struct tm_collections collections[TM_GENERATIONS];
	uint64_t reserved[61];
};
_Static_assert(sizeof(struct tm_mark) == 1024, "layout changed: bump TM_LAYOUT_MAJOR");
_Static_assert(offsetof(struct tm_mark, state) == 80, "layout changed");
_Static_assert(offsetof(struct tm_mark, name) == 96, "layout changed");
_Static_assert(offsetof(struct tm_mark, collections) == 416, "layout changed");

/* A string is named by its offset in the region; the bytes follow, not terminated. */
struct tm_string {
	uint32_t length;
};

enum tm_line_format {
	TM_LINES_NONE = 0,
	TM_LINES_LNOTAB = 1,	/* 3.8, 3.9: co_lnotab */
	TM_LINES_LINETABLE = 2, /* 3.10: co_linetable, pairs */
	TM_LINES_LOCATIONS = 3, /* 3.11 and newer: co_linetable, location entries */
};

/* A code object, by content: two code objects alike in all of this share a record. */
struct tm_code {
	uint32_t file;	/* string: co_filename, UTF-8 (surrogates as they are) */
	uint32_t name;	/* string: co_qualname; co_name before 3.11 */
	uint32_t lines; /* string: the raw line table */
	int32_t first_line;
	uint32_t line_format; /* enum tm_line_format */
	uint32_t reserved[3];
};
_Static_assert(sizeof(struct tm_code) == 32, "layout changed: bump TM_LAYOUT_MAJOR");

/* A node of the tree of call stacks: this frame, called from `parent`. */
struct tm_site {
	uint32_t parent; /* site of the caller, always a smaller index; 0 = none kept */
	uint32_t code;
	uint32_t offset; /* of the instruction, bytes from the start of the bytecode */
	uint32_t reserved;
};
_Static_assert(sizeof(struct tm_site) == 16, "layout changed: bump TM_LAYOUT_MAJOR");

enum tm_type_flags {
	TM_TF_MAY_RETURN = 1, /* tracer family: its objects live until their block is freed */
	TM_TF_FOREIGN = 2,    /* allocator family: an extension module deallocates its objects */
};

/* The name of the record that types share for which the table or its strings had no room. */
#define TM_OTHER_TYPES "(other types)"

/* A type, by name: classes alike in name, flags and size share a record. */
struct tm_type {
	uint32_t name;	     /* string: module.qualname */
	uint32_t flags;	     /* enum tm_type_flags */
	uint64_t basic_size; /* bytes, tp_basicsize plus the collector's head */
	/* Times that a block was found to have outlived its object, see recycled.h; since minor 1.
	 */
	_Atomic uint64_t recycled;
	uint64_t reserved;
};
_Static_assert(sizeof(struct tm_type) == 32, "layout changed: bump TM_LAYOUT_MAJOR");

/*
 * One run of the collector.  The ring has capacity/48 slots; region.used is the number of
 * runs ever, record i is in slot i % slots and complete when `sequence` equals (uint32_t)(i+1).
 */
struct tm_collection {
	uint64_t time_ns;     /* CLOCK_REALTIME of its start */
	uint64_t duration_ns; /* between the collector's callbacks */
	uint64_t collected;
	uint64_t uncollectable;
	uint32_t mark; /* in whose interval it ended */
	uint16_t generation;
	uint16_t flags; /* enum tm_collection_flags */
	_Atomic uint32_t sequence;
	uint32_t reserved;
};
_Static_assert(sizeof(struct tm_collection) == 48, "layout changed: bump TM_LAYOUT_MAJOR");

enum tm_collection_flags {
	TM_CO_OF_MARK = 1, /* it was, or served as, the collection of mark `mark` */
};

/*
 * An entry of gc.garbage, noted when a mark's follow-up or a full collection finds it new.
 * Identity is address and birth: an object that leaves the list and comes back has two records.
 */
struct tm_garbage {
	uint64_t address;
	uint64_t
		word; /* kind, birth, site, type, as in the shadow; birth 0 and site 0: not known */
	uint64_t size;	       /* bytes of its block; 0 = not known */
	uint32_t since;	       /* the first mark at which it was there; may still be to come */
	_Atomic uint32_t gone; /* the first mark at which it was no longer there; 0 = it is */
};
_Static_assert(sizeof(struct tm_garbage) == 32, "layout changed: bump TM_LAYOUT_MAJOR");

/*
 * Deaths across marks.  What dies in the interval it was born in leaves only counters;
 * what was born earlier leaves a record here, written before its shadow word is
 * cleared: a reader that scans the shadow first and this ring second sees everything,
 * some of it twice (same address and birth).
 *
 * The ring has capacity/40 slots; region.used is the number of records ever begun, record
 * i is in slot i % slots and complete when the low half of `meta` equals (uint32_t)(i+1).
 * A record that is overwritten is first added to the tallies, which count by
 * (word, death, flags) and so stay exact in number when ids are gone.  `word` there has
 * the size field of a BUFFER or PENDING word cleared, and never TM_WATCHED.
 *
 * Memory that is resized under a later mark than it was born under dies, and what takes its
 * place is born, at the line that resizes it.  The two are linked, so that growth can be told
 * from new memory: the old one's record has TM_DF_RESIZED, the new one's GROWN word (in a
 * record: `past`) has its address, and the new one's birth is in the interval of that death.
 * Memory of an older owner that takes the place of none, as an empty list's first, has an OWNED
 * word: whoever asks since when it is new learns from that when its owner was born.
 *
 * CYCLIC counts, in the same way, every object that died inside a run of the cyclic collector,
 * whenever it was born; death is the interval, without flags.  Not counted is what finalizers
 * made during that run.
 */
enum tm_death_flags {
	TM_DF_MARK_COLLECTION = 1, /* reclaimed by the collection that mark `death` itself made */
	TM_DF_COLLECTOR = 2,	   /* reclaimed inside any run of the cyclic collector */
	TM_DF_NO_TYPE = 4,	   /* died before its type was resolved */
	TM_DF_RESIZED = 8, /* lives on as another block, born in the interval of this death */
	TM_DF_LARGE = 16,  /* more than TM_SMALL_MOST bytes: not in an arena */
};

/* Larger requests pass pymalloc by (Objects/obmalloc.c, SMALL_REQUEST_THRESHOLD). */
#define TM_SMALL_MOST 512

struct tm_death {
	uint64_t address; /* of the object (BUFFER: of the block) */
	uint64_t word;	  /* as it was, TM_WATCHED cleared */
	uint64_t size;	  /* bytes of its block; 0 = not known */
	uint64_t past;	  /* its GROWN or OWNED word, see above; 0 = none */
	_Atomic uint64_t
		meta; /* bits 0..31 sequence, 32..47 mark in whose interval it died, 48..63 flags */
};
_Static_assert(sizeof(struct tm_death) == 40, "layout changed: bump TM_LAYOUT_MAJOR");

#define TM_DEATH_META(seq, mark, flags)                                                            \
	((uint64_t)(uint32_t)(seq) | (uint64_t)(mark) << 32 | (uint64_t)(flags) << 48)

struct tm_tally {
	_Atomic uint64_t word; /* 0 = free slot */
	_Atomic uint64_t
		death; /* as bits 32..63 of tm_death.meta, shifted down; bit 63 set when valid */
	_Atomic uint64_t count;
	_Atomic uint64_t bytes;
};
_Static_assert(sizeof(struct tm_tally) == 32, "layout changed: bump TM_LAYOUT_MAJOR");
#define TM_TALLY_VALID (1ull << 63)

/* A region of tallies is a row of tables of this many slots; `backed` grows by whole tables. */
#define TM_TALLY_SLOTS (1u << 15)
#define TM_TALLY_TABLE (TM_TALLY_SLOTS * sizeof(struct tm_tally))

/* ---- header ------------------------------------------------------------------ */

/* What was lost, counted.  A report built on a recording where TM_LOSSES_INCOMPLETE
 * counters are not zero says complete: false. */
enum tm_loss {
	TM_L_NO_SPACE,	    /* births not recorded: no space for their shadow */
	TM_L_ADDRESS,	    /* births not recorded: address beyond 47 bits, or not 16-aligned */
	TM_L_SITES,	    /* births recorded without site: a site or code table was full */
	TM_L_TYPES,	    /* classes that share TM_OTHER_TYPES: the type table was full */
	TM_L_MARKS,	    /* marks refused: table full */
	TM_L_RING,	    /* deaths whose single records were overwritten (tallied) */
	TM_L_TALLIES,	    /* deaths across marks in neither ring nor tallies */
	TM_L_TRACER,	    /* times another tool took the reference tracer */
	TM_L_DEATH_UNKNOWN, /* tracer: death of an object not known to live */
	TM_L_BIRTH_OVER,    /* birth over an object believed to live */
	TM_L_FREED_LIVE,    /* block freed with an object believed to live in it */
	TM_L_THREADS,	    /* threads that share a counter slot */
	TM_L_GARBAGE,	    /* entries of gc.garbage not recorded: no space */
	TM_L_CYCLIC,	    /* deaths inside a collection not counted by type and site: no space */
	TM_L_COUNT,
	TM_L_SLOTS = 32
};

enum tm_family {
	TM_FAMILY_TRACER = 1,	 /* births and deaths from PyRefTracer */
	TM_FAMILY_ALLOCATOR = 2, /* births and deaths from the object domain, types later */
};

/* What this recorder could not switch on, or what took it away. */
enum tm_blind {
	TM_B_STACKS = 1,	/* no frame walk: sites unknown */
	TM_B_TYPES = 2,		/* no type resolution */
	TM_B_COLLECTOR = 4,	/* no gc.callbacks: deaths by the collector not told apart */
	TM_B_EXECUTOR = 8,	/* no Python-level signal handler: follow-ups only at collections */
	TM_B_SIGNAL_TAKEN = 16, /* the program installed its own handler for the mark signal */
	TM_B_FREE_LISTS = 32,	/* allocator family: built-in free lists still recycle objects */
	TM_B_FLOATS = 64,	/* 3.11 to 3.13.2: floats recycled by the evaluation loop */
	TM_B_FRAMES = 128,	/* 3.8 to 3.10: frame objects are recycled, their births unseen */
	TM_B_SPACE = 256,	/* space ended: see full_since_ns */
	TM_B_INHERITED = 512,	/* a forked child: objects of before the fork are not known */
	TM_B_INTERPRETERS = 1024, /* 3.9+: collections of sub-interpreters are not seen */
	TM_B_OWNERS = 2048,	  /* whose memory grows is not looked for */
};

enum tm_process_state {
	TM_PS_RECORDING = 0,
	TM_PS_EXITED = 1,  /* normal end, or _exit() */
	TM_PS_STOPPED = 2, /* recorder switched itself off; see message */
};

enum tm_config_flags {
	TM_CF_COLLECT = 1, /* collect=full */
};

#define TM_CPYTHON_MAX 64
#define TM_TEXT_MAX    160

/*
 * The mailbox: how `tidemark mark` hands over a name and learns the number.  The only part of
 * a recording that another process than the recorded one writes.
 *
 *   analyzer: FREE -> CLAIMED (compare and swap; a claim by a dead owner may be taken over),
 *             fills owner_pid, token, flags, name; CLAIMED -> READY (release);
 *             then sends the signal with sigqueue(), value = token
 *   handler:  READY -> TAKING, reads, sets the mark, stores mark, TAKING -> DONE
 *             (only for a queued signal with this token, so a plain kill never steals a name)
 *   analyzer: DONE: waits for marks[mark].state == FOLLOWED; DONE -> FREE
 *
 * With TM_MB_FOLLOW_UP no mark is set: only types still pending are resolved, and
 * `follow_ups` of the header goes up by one when that is done.
 */
enum tm_mailbox_state {
	TM_MB_FREE = 0,
	TM_MB_CLAIMED = 1,
	TM_MB_READY = 2,
	TM_MB_TAKING = 3,
	TM_MB_DONE = 4,
};

enum tm_mailbox_flags {
	TM_MB_NO_COLLECT = 1,
	TM_MB_FOLLOW_UP = 2,
};

struct tm_mailbox {
	_Atomic uint32_t state;
	_Atomic uint32_t owner_pid;
	_Atomic uint64_t owner_start; /* start ticks of the owner, /proc/PID/stat field 22 */
	uint32_t token;		      /* not 0 */
	uint32_t flags;
	uint32_t mark; /* answer: number of the mark set; 0 = refused (table full) */
	uint32_t name_length;
	uint8_t name[TM_NAME_MAX + 1];
};
_Static_assert(sizeof(struct tm_mailbox) == 288, "layout changed: bump TM_LAYOUT_MAJOR");

struct tm_header {
	/* written once, magic last */
	_Atomic uint64_t magic;
	uint16_t major;
	uint16_t minor;
	uint32_t header_size; /* sizeof(struct tm_header) */
	uint64_t file_size;   /* bytes, apparent */
	uint32_t pid;	      /* in its own pid namespace */
	uint32_t parent_pid;  /* of the recording this one was forked from; 0 = none */
	uint32_t uid;
	uint32_t family;       /* enum tm_family */
	uint64_t start_ticks;  /* /proc/self/stat field 22: tells a reused pid */
	uint64_t time_ns;      /* CLOCK_REALTIME when the recording began */
	uint8_t boot_id[16];   /* of the machine's boot: a recording of another boot is finished */
	uint32_t python_hex;   /* PY_VERSION_HEX of the interpreter */
	uint32_t frames;       /* Python frames kept per site */
	uint32_t signal;       /* number of the mark signal */
	uint32_t config_flags; /* enum tm_config_flags */
	uint8_t python[TM_CPYTHON_MAX]; /* "3.13.5", NUL-terminated */
	uint32_t command;		/* string: argv, each argument followed by NUL */
	uint32_t executable;		/* string: path of the program */
	uint32_t directory;		/* string: working directory at the start */
	uint32_t reserved0;

	struct tm_region regions[TM_R_SLOTS];

	/* changing */
	_Atomic uint32_t current;    /* number of the current mark, 0 = start */
	_Atomic uint32_t state;	     /* enum tm_process_state */
	_Atomic uint32_t blind;	     /* enum tm_blind bits */
	_Atomic uint32_t follow_ups; /* requests with TM_MB_FOLLOW_UP served */
	_Atomic uint32_t start_set;  /* 1: mark 0 was set when the program proper began; 0: births
					of value 0 count as born after start */
	_Atomic uint32_t saved;	     /* 1: a copy by `tidemark save` */
	_Atomic uint64_t full_since_ns; /* CLOCK_REALTIME when space ended; 0 = it did not */
	_Atomic uint64_t saved_ns;	/* CLOCK_REALTIME of the save */
	_Atomic uint64_t
		tracer_lost_ns; /* CLOCK_REALTIME when the tracer slot was first found taken */
	_Atomic uint64_t tracer_back_ns;     /* and when it was last taken back; 0 = it was not */
	_Atomic uint64_t losses[TM_L_SLOTS]; /* enum tm_loss */
	uint8_t message[TM_TEXT_MAX];	     /* why the recorder switched something off */
	uint64_t pid_namespace; /* inode of /proc/self/ns/pid: whose numbers pid and parent_pid are
				 */
	_Atomic uint32_t unsettled; /* 1: whose the newest large block is a follow-up will tell */
	uint32_t reserved1;
	uint64_t reserved[30];
};
_Static_assert(offsetof(struct tm_header, regions) == 168, "layout changed: bump TM_LAYOUT_MAJOR");
_Static_assert(offsetof(struct tm_header, current) == 680, "layout changed: bump TM_LAYOUT_MAJOR");
_Static_assert(offsetof(struct tm_header, losses) == 736, "layout changed: bump TM_LAYOUT_MAJOR");
_Static_assert(sizeof(struct tm_header) == 1408, "layout changed: bump TM_LAYOUT_MAJOR");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a lock would live in one process only");

/* The mailbox has a page of its own, so that an analyzer maps nothing else writable. */
#define TM_MAILBOX_OFFSET 4096
#define TM_REGION_ALIGN	  65536

#endif

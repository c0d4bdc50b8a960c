/*
 * rig.h - the recorder's modules running without Python
 *
 * A recording of this process in a directory of its own; types, code objects, frames and strings
 * that look as the recorder expects them, laid out by an adapter made up here; and a heap, so
 * that objects lie where a test wants them, chunk boundaries included.
 */
#ifndef TIDEMARK_TESTS_RIG_H
#define TIDEMARK_TESTS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cpython/cpython.h"
#include "follow_up.h"
#include "hook_alloc.h"
#include "hot.h"
#include "marks.h"
#include "record.h"
#include "resize.h"
#include "recorder.h"
#include "say.h"
#include "segment.h"
#include "stack.h"

#define RIG_HEAP_CHUNKS 8
#define RIG_HEAP_SIZE	(RIG_HEAP_CHUNKS * TM_CHUNK_HEAP)

/* Wide enough for all that is read of a type; the recorder knows offsets, not structures. */
struct rig_type {
	_Alignas(16) uint64_t words[64];
};

struct rig_text {
	_Alignas(16) uint64_t refcnt;
	void *type;
	uint64_t length, hash;
	uint32_t state; /* compact ASCII */
	char bytes[44];
};

struct rig_code {
	_Alignas(16) uint64_t refcnt;
	void *type;
	void *file, *name, *lines;
	int first_line;
	int variables, stack;
};

struct rig_frame {
	struct rig_frame *previous;
	struct rig_code *code;
	int last;
};

/* A frame with what it refers to; only where owners are looked for, by tm_owner_start(). */
struct rig_scope {
	struct rig_frame frame;
	uintptr_t names[3];
	uintptr_t slots[8];
};

enum {
	RIG_THREAD = 8, /* in the runtime: the thread state, NULL while the caller has none */
	RIG_GC_STATE = 64,
	RIG_QUALNAME = 480,
	RIG_PREHEADER = 1 << 4,
	RIG_CODES = 4,
	RIG_TYPES = 3, /* by offset of the object in its block: 0, 16, 32 */
};

struct rig_gc {
	int enabled, collecting;
	void *garbage, *callbacks;
};

struct rig_list {
	uint64_t refcnt;
	void *type;
	uint64_t length;
	uintptr_t *items;
};

/* All that is "part of the program": one object, so that it makes one image. */
static struct rig {
	struct rig_type type_type, code_type, list_type, dict_type, str_type, bytes_type;
	struct rig_type types[RIG_TYPES];
	struct rig_code codes[RIG_CODES];
	struct rig_text file, names[RIG_CODES];
	struct rig_frame *frame; /* what runs; NULL: no Python frame */
	_Alignas(8) char runtime[RIG_GC_STATE];
	struct rig_gc gc; /* right behind */
	struct tm_arena_allocator arenas;
	const char *allocator;
	char dir[64];
	char *heap; /* RIG_HEAP_SIZE bytes, chunk-aligned */
} rig;

static const struct tm_chain rig_chain = {.objects = true,
					  .current = 0,
					  .previous = offsetof(struct rig_frame, previous),
					  .code = offsetof(struct rig_frame, code),
					  .instruction = offsetof(struct rig_frame, last),
					  .unit = 2};

TM_HOT_SITES(rig_chain)
TM_HOT_BUFFERS
TM_HOT_BLOCKS
TM_HOT_TRACED
static const struct tm_hot rig_hot = {TM_HOT_OF_BLOCKS, TM_HOT_OF_TRACED};

static const struct tm_adapter rig_adapter = {
	.name = "rig",
	.minor = 8,
	.chain = &rig_chain,
	.hot = &rig_hot,
	.current_thread = RIG_THREAD,
	.line_format = TM_LINES_LNOTAB,
	.code = {.first_line = offsetof(struct rig_code, first_line),
		 .file = offsetof(struct rig_code, file),
		 .name = offsetof(struct rig_code, name),
		 .lines = offsetof(struct rig_code, lines)},
	.str = {.ascii = offsetof(struct rig_text, bytes),
		.compact = offsetof(struct rig_text, bytes)},
	.frame = {.names = offsetof(struct rig_scope, names),
		  .slots = offsetof(struct rig_scope, slots),
		  .variables = offsetof(struct rig_code, variables),
		  .stack = offsetof(struct rig_code, stack)},
	.type_qualname = RIG_QUALNAME,
	.gc = {.state = RIG_GC_STATE,
	       .enabled = offsetof(struct rig_gc, enabled),
	       .collecting = offsetof(struct rig_gc, collecting),
	       .garbage = offsetof(struct rig_gc, garbage),
	       .callbacks = offsetof(struct rig_gc, callbacks),
	       .in_runtime = true},
	.preheader_flags = RIG_PREHEADER,
	.refcount_mask = UINT64_MAX,
};
_Static_assert(offsetof(struct rig, gc) == offsetof(struct rig, runtime) + RIG_GC_STATE,
	       "the collector's state lies in the runtime");

/* ---- Python's part ------------------------------------------------------------- */

static inline void *rig_thread_state(void)
{
	return TM_FIELD(void *, rig.runtime, RIG_THREAD);
}

static inline void rig_set_thread(bool there)
{
	void *state = there ? &rig.frame : NULL;

	memcpy(rig.runtime + RIG_THREAD, &state, sizeof(state));
}

/* The interpreter that the thread state names, which is the only one. */
static inline void *rig_main_interpreter(void)
{
	return TM_FIELD(void *, &rig.frame, 16);
}

static inline int rig_no(void)
{
	return 0;
}

static inline int rig_yes(void)
{
	return 1;
}

static inline void rig_get_arenas(struct tm_arena_allocator *out)
{
	*out = rig.arenas;
}

static inline void rig_set_arenas(struct tm_arena_allocator *in)
{
	rig.arenas = *in;
}

static inline const char *rig_allocator_name(void)
{
	return rig.allocator;
}

static inline void *rig_intern(const char *text)
{
	return text[0] ? &rig.file : NULL;
}

static inline void rig_set_text(struct rig_text *text, const char *bytes)
{
	text->refcnt = 1;
	text->type = &rig.str_type;
	text->length = strlen(bytes);
	text->state = 1 << 2 | 1 << 5 | 1 << 6;
	snprintf(text->bytes, sizeof(text->bytes), "%s", bytes);
}

/* @type may lie anywhere; RIG_QUALNAME + 8 bytes of it are written. */
static inline void rig_set_type(void *type, const char *name, uint64_t basic, uint64_t flags)
{
	char *at = type;
	void *meta = &rig.type_type;

	memset(at, 0, RIG_QUALNAME + 8);
	at[TM_OB_REFCNT] = 1;
	memcpy(at + TM_OB_TYPE, &meta, sizeof(meta));
	memcpy(at + TM_TP_NAME, &name, sizeof(name));
	memcpy(at + TM_TP_BASICSIZE, &basic, sizeof(basic));
	memcpy(at + TM_TP_FLAGS, &flags, sizeof(flags));
}

/* The header of an object: @type at @object, with one reference. */
static inline void rig_set_object(uintptr_t object, const void *type)
{
	uint64_t *at = (uint64_t *)object;

	at[0] = 1;
	at[1] = (uintptr_t)type;
}

static inline void rig_make_types(void)
{
	rig_set_type(&rig.type_type, "type", 400, TM_FLAG_TYPE | TM_FLAG_READY);
	rig_set_type(&rig.code_type, "code", 100, TM_FLAG_READY);
	rig_set_type(&rig.list_type, "list", 40, TM_FLAG_READY);
	rig_set_type(&rig.dict_type, "dict", 48, TM_FLAG_READY);
	rig_set_type(&rig.str_type, "str", 48, TM_FLAG_READY);
	rig_set_type(&rig.bytes_type, "bytes", 33, TM_FLAG_READY);
	rig_set_type(&rig.types[0], "rig.Plain", 16, TM_FLAG_READY);
	rig_set_type(&rig.types[1], "rig.Collected", 16, TM_FLAG_READY | TM_FLAG_GC);
	rig_set_type(&rig.types[2], "rig.WithDict", 16, TM_FLAG_READY | TM_FLAG_GC | RIG_PREHEADER);
}

static inline void rig_make_codes(void)
{
	char name[16];

	rig_set_text(&rig.file, "/app/rig.py");
	for (int i = 0; i < RIG_CODES; i++) {
		snprintf(name, sizeof(name), "function%d", i);
		rig_set_text(&rig.names[i], name);
		rig.codes[i].refcnt = 1;
		rig.codes[i].type = &rig.code_type;
		rig.codes[i].file = &rig.file;
		rig.codes[i].name = &rig.names[i];
		rig.codes[i].first_line = 10 * i;
	}
}

static tm_tracer rig_get_tracer(void **data)
{
	*data = NULL;
	return tm_hook_alloc_tracer();
}

static inline void rig_make_python(enum tm_family family)
{
	memset(&tm_python, 0, sizeof(tm_python));
	tm_python.adapter = &rig_adapter;
	tm_python.image.start = (uintptr_t)&rig;
	tm_python.image.end = (uintptr_t)(&rig + 1);
	tm_python.family = family;
	tm_python.version_hex = 0x03080000;
	snprintf(tm_python.version, sizeof(tm_python.version), "3.8.0");
	tm_python.thread_state = rig_thread_state;
	tm_python.main_interpreter = rig_main_interpreter;
	tm_python.is_initialized = rig_yes;
	tm_python.is_finalizing = rig_no;
	tm_python.own_thread_state = rig_thread_state;
	tm_python.get_arena_allocator = rig_get_arenas;
	tm_python.set_arena_allocator = rig_set_arenas;
	tm_python.allocator_name = rig_allocator_name;
	tm_python.get_tracer = rig_get_tracer;
	tm_python.intern = rig_intern;
	tm_python.runtime = rig.runtime;
	tm_python.type_type = &rig.type_type;
	tm_python.code_type = &rig.code_type;
	tm_python.list_type = &rig.list_type;
	tm_python.dict_type = &rig.dict_type;
	tm_python.str_type = &rig.str_type;
	tm_python.bytes_type = &rig.bytes_type;
	rig_make_types();
	rig_make_codes();
	memset(&rig.gc, 0, sizeof(rig.gc));
	rig.frame = NULL;
	rig_set_thread(true);
}

/* ---- directories ------------------------------------------------------------------ */

static inline void rig_make_dir(char *out, size_t size)
{
	snprintf(out, size, "/tmp/tidemark-rig.XXXXXX");
	assert_non_null(mkdtemp(out));
}

static inline void rig_remove_dir(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.')
			assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
	}
	if (dir)
		closedir(dir);
	assert_int_equal(rmdir(path), 0);
}

/* ---- a recording --------------------------------------------------------------------- */

/* Settings as a test wants them before rig_begin(); rig_configure() gives a small start. */
static inline void rig_configure(void)
{
	memset(&tm_config, 0, sizeof(tm_config));
	tm_config.signal = TM_DEFAULT_SIGNAL;
	tm_config.frames = 2;
	tm_config.keep = TM_DEFAULT_KEEP;
	tm_config.max = 48ull << 20;
	tm_say_to("none");
}

static inline void rig_make_heap(void)
{
	uintptr_t base =
		(uintptr_t)mmap(NULL, RIG_HEAP_SIZE + TM_CHUNK_HEAP, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_int_not_equal(base, (uintptr_t)MAP_FAILED);
	rig.heap = (char *)((base + TM_CHUNK_HEAP - 1) & ~(TM_CHUNK_HEAP - 1));
}

/* Begins a recording as rig_configure() and the test have it; the program runs already. */
static inline void rig_begin(enum tm_family family)
{
	rig_make_python(family);
	if (!rig.heap)
		rig_make_heap();
	memset(rig.heap, 0, RIG_HEAP_SIZE);
	memset(&tm_self, 0, sizeof(tm_self));
	tm_self.thread_state = &tm_no_thread;
	rig_make_dir(rig.dir, sizeof(rig.dir));
	snprintf(tm_config.dir, sizeof(tm_config.dir), "%s", rig.dir);
	assert_int_equal(tm_recorder_begin(), 0);
	tm_stack_start(tm_config.frames);
	tm_intern_ready();
	tm_marks_program_begins();
}

static inline void rig_end(void)
{
	tm_recorder_freeze();
	tm_segment_discard();
	rig_remove_dir(rig.dir);
}

/* Setup and teardown for a test: a small recording of the tracer family. */
static inline int rig_setup(void **state)
{
	(void)state;
	rig_configure();
	rig_begin(TM_FAMILY_TRACER);
	return 0;
}

static inline int rig_setup_allocator(void **state)
{
	(void)state;
	rig_configure();
	rig_begin(TM_FAMILY_ALLOCATOR);
	return 0;
}

static inline int rig_teardown(void **state)
{
	(void)state;
	rig_end();
	return 0;
}

/* The same as rig_setup(), where each mark makes a collection: by @collect. */
static inline int rig_setup_collecting(long (*collect)(void))
{
	rig_configure();
	tm_config.collect = true;
	rig_begin(TM_FAMILY_TRACER);
	tm_python.collect = collect;
	return 0;
}

#define RIG_TEST(f)	      cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
#define RIG_ALLOCATOR_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup_allocator, rig_teardown)

/* ---- the collector ---------------------------------------------------------------- */

/* A run of the collector in this thread, as its callbacks tell of it. */
static inline void rig_collection_starts(int generation)
{
	rig.gc.collecting = 1;
	tm_follow_up_collection_starts(generation);
}

static inline void rig_collection_stops(int generation, uint64_t collected, uint64_t uncollectable)
{
	struct tm_collected what = {generation, collected, uncollectable};

	tm_follow_up_collection_stops(&what);
	rig.gc.collecting = 0;
}

/* ---- apart ---------------------------------------------------------------------------- */

enum {
	RIG_SKIP = 77
};

/* In a story that is told in another process. */
#define RIG_CHECK(claim)                                                                           \
	do {                                                                                       \
		if (!(claim)) {                                                                    \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #claim);        \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

/* Tells @story in a forked child: what it does to limits and mounts stays there. */
static inline void rig_apart(int (*story)(void))
{
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGXFSZ, SIGSYS};
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		/* cmocka would go on with the next test */
		for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
			signal(fatal[i], SIG_DFL);
		_exit(story());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		fail_msg("ended by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) == RIG_SKIP)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- looking at it ------------------------------------------------------------------ */

static inline uint64_t rig_word(uintptr_t address)
{
	return tm_block_word_at(address);
}

static inline uint64_t rig_lost(enum tm_loss what)
{
	return tm_get(&tm_segment.header->losses[what]);
}

static inline uint64_t rig_used(enum tm_region_id region)
{
	return tm_get(&tm_segment.header->regions[region].used);
}

static inline const struct tm_death *rig_death(uint64_t index)
{
	uint64_t slots = tm_segment.header->regions[TM_R_DEATHS].capacity / sizeof(struct tm_death);

	return (const struct tm_death *)tm_segment_at(TM_R_DEATHS, 0) + index % slots;
}

static inline const struct tm_mark *rig_mark(uint32_t number)
{
	return (const struct tm_mark *)tm_segment_at(TM_R_MARKS, 0) + number;
}

static inline uint32_t rig_set_mark(void)
{
	return tm_marks_bump(NULL, 0, TM_MF_API);
}

/* Fails the test unless the words from @address on are these; @count of them. */
static inline void rig_expect_words(uintptr_t address, unsigned count, const uint64_t *words)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t word = rig_word(address + 16 * i);

		if (word != words[i])
			fail_msg("granule %u holds %#llx, expected %#llx", i,
				 (unsigned long long)word, (unsigned long long)words[i]);
	}
}

/* Fails the test unless death @index was recorded so. */
static inline void rig_expect_death(uint64_t index, uintptr_t address, uint64_t word, uint64_t size,
				    uint32_t mark, unsigned flags)
{
	const struct tm_death *death = rig_death(index);

	assert_true(index < rig_used(TM_R_DEATHS));
	assert_int_equal(death->address, address);
	assert_int_equal(death->word, word);
	assert_int_equal(death->size, size);
	flags |= size > TM_SMALL_MOST ? TM_DF_LARGE : 0;
	assert_int_equal(death->meta, TM_DEATH_META(index + 1, mark, flags));
}

#endif

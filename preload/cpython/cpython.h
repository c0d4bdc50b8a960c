/*
 * cpython.h - all that the recorder knows of CPython's insides
 *
 * Built without Python headers: objects are addresses, and what is read straight from them
 * is described by an adapter, one per minor version, whose numbers are checked when the
 * recorder installs.  Nothing outside this folder knows a version.
 */
#ifndef TIDEMARK_CPYTHON_H
#define TIDEMARK_CPYTHON_H

#include "../base.h"
#include "../image.h"

#include "tidemark/layout.h"

/* The same on 3.8 to 3.15, GIL builds, x86-64 (Include/object.h, Include/cpython/object.h). */
#define TM_OB_REFCNT	     0
#define TM_OB_TYPE	     8
#define TM_OB_SIZE	     16
#define TM_TP_NAME	     24
#define TM_TP_BASICSIZE	     32
#define TM_TP_DEALLOC	     48
#define TM_TP_FLAGS	     168
#define TM_TP_WEAKLISTOFFSET 208
#define TM_TP_BASE	     256
#define TM_TP_DICT	     264
#define TM_TP_DICTOFFSET     288
#define TM_TP_NEW	     312
#define TM_TP_FREE	     320
#define TM_TP_DEL	     376
#define TM_TP_FINALIZE	     392
#define TM_BYTES_DATA	     32
#define TM_LIST_ITEMS	     24
#define TM_GC_HEAD	     16
#define TM_FLAG_HEAPTYPE     (1ul << 9)
#define TM_FLAG_READY	     (1ul << 12)
#define TM_FLAG_GC	     (1ul << 14)
#define TM_FLAG_LIST	     (1ul << 25)
#define TM_FLAG_STR	     (1ul << 28)
#define TM_FLAG_DICT	     (1ul << 29)
#define TM_FLAG_INT	     (1ul << 24)
#define TM_FLAG_TYPE	     (1ul << 31)

/* One Python frame of a call stack: its code object, the instruction in bytes of bytecode. */
struct tm_frame {
	uintptr_t code;
	uint32_t offset;
};

/* PyMemAllocatorEx, Include/cpython/pymem.h; the same since 3.5. */
struct tm_allocator {
	void *ctx;
	void *(*malloc)(void *ctx, size_t size);
	void *(*calloc)(void *ctx, size_t count, size_t size);
	void *(*realloc)(void *ctx, void *block, size_t size);
	void (*free)(void *ctx, void *block);
};

/* PyObjectArenaAllocator, Include/cpython/objimpl.h; the same since 3.4. */
struct tm_arena_allocator {
	void *ctx;
	void *(*alloc)(void *ctx, size_t size);
	void (*free)(void *ctx, void *arena, size_t size);
};

enum tm_domain {
	TM_DOMAIN_MEM = 1,
	TM_DOMAIN_OBJ = 2,
};

typedef int (*tm_tracer)(void *object, int event, void *data);
typedef int (*tm_audit_hook)(const char *event, void *args, void *data);
typedef void *(*tm_c_function)(void *self, void *args);

/* PyMethodDef, Include/methodobject.h. */
struct tm_method_def {
	const char *name;
	tm_c_function function;
	int flags;
	const char *doc;
};
#define TM_METH_VARARGS 1

/* Row of a check against _Py_DebugOffsets (3.13+): word `index` must hold `value`. */
struct tm_debug_word {
	uint16_t index;
	uint32_t value;
};

/*
 * How Python frames hang on a thread.  Small enough to stay in one cache line: the recorder
 * follows the chain for every birth.
 */
struct tm_chain {
	bool objects;		  /* 3.8 to 3.10: frame objects; else interpreter frames */
	uint16_t cframe;	  /* PyThreadState.cframe, 0 where the frame hangs on the thread */
	uint16_t current;	  /* the innermost frame, in the cframe or the thread state */
	uint16_t previous;	  /* of a frame: its caller */
	uint16_t code;		  /* its code object, low bits may be tagged */
	uint16_t instruction;	  /* pointer to the instruction; objects: f_lasti */
	uint16_t owner;		  /* one byte; 0 where frames have no owner */
	uint16_t first_shim;	  /* owners from here on are no Python frames */
	uint16_t bytecode;	  /* co_code_adaptive of a code object */
	uint16_t first_traceable; /* _co_firsttraceable; 0 where frames are always complete */
	uint16_t unit;		  /* objects: bytes that f_lasti counts in */
};

struct tm_hot; /* ../hot.h */

/*
 * One minor version of CPython.  Offsets are bytes, from the headers of that version
 * (the file and structure are named in the adapter).
 */
struct tm_adapter {
	const char *name; /* "3.13" */
	unsigned minor;
	const struct tm_chain *chain;
	const struct tm_hot *hot; /* the hooks, made for that chain */
	uint16_t current_thread;  /* in _PyRuntime; 0: in thread-local storage */
	enum tm_line_format line_format;
	struct {
		uint16_t first_line, file, name, lines;
	} code;
	struct {
		uint16_t ascii, compact; /* where the characters begin */
	} str;
	/* What a frame refers to; slots 0: not looked for. */
	struct {
		uint16_t names; /* three pointers: its globals, its built-ins, its locals */
		uint16_t slots; /* its variables, then its value stack */
		uint16_t variables, stack; /* how many, in its code; 0: ob_size is their sum */
	} frame;
	uint16_t type_qualname; /* PyHeapTypeObject.ht_qualname */
	struct {
		uint32_t state; /* in PyInterpreterState; 3.8: in _PyRuntime */
		uint16_t enabled, collecting, garbage, callbacks;
		bool in_runtime;
	} gc;
	uint32_t float_list;	  /* float free list in PyInterpreterState; 0 = not poisoned */
	bool own_gils;		  /* a sub-interpreter may have one (PyInterpreterConfig.gil) */
	uint16_t gil;		  /* PyInterpreterState.ceval.gil; 0: not asked for */
	bool recycles_methods;	  /* methods and builtin methods have free lists */
	uint64_t preheader_flags; /* tp_flags that put 16 bytes before the collector's head */
	uint64_t refcount_mask;	  /* the part of the first word that counts references */
	uint32_t blind;		  /* enum tm_blind: what cannot be seen on this version */
	const struct tm_debug_word *debug_words; /* ends with index 0; NULL before 3.13 */
};

/* The running interpreter: its adapter, and the public functions that the recorder calls. */
struct tm_python {
	const struct tm_adapter *adapter;
	struct tm_image image;
	enum tm_family family;
	uint32_t version_hex;
	char version[TM_CPYTHON_MAX];
	void *handle;

	void *(*thread_state)(void);
	int (*is_initialized)(void);
	int (*is_finalizing)(void);
	const char *(*get_version)(void);
	void (*get_allocator)(int domain, struct tm_allocator *out);
	void (*set_allocator)(int domain, struct tm_allocator *in);
	void (*get_arena_allocator)(struct tm_arena_allocator *out);
	void (*set_arena_allocator)(struct tm_arena_allocator *in);
	const char *(*allocator_name)(void);
	int (*add_audit_hook)(tm_audit_hook hook, void *data);
	int (*set_tracer)(tm_tracer tracer, void *data); /* NULL before 3.13 */
	tm_tracer (*get_tracer)(void **data);
	long (*collect)(void);
	void *(*own_thread_state)(void); /* the one that the calling thread was given last */
	void *(*main_interpreter)(void);
	void *(*newest_interpreter)(void);
	int64_t (*interpreter_id)(void *interpreter);
	void *(*intern)(const char *text);
	void *(*dict_get)(void *dict, void *key);
	int (*dict_next)(void *dict, long *position, void **key, void **value);
	void *(*modules)(void); /* sys.modules, borrowed */
	void *(*module_dict)(void *module);
	void *(*new_function)(struct tm_method_def *def, void *self, void *module);
	void *(*import)(const char *name);
	void *(*call_method)(void *object, const char *name, const char *format, ...);
	void *(*get_attr)(void *object, const char *name);
	void *(*tuple_item)(void *tuple, long index);
	long (*as_long)(void *number);
	int (*list_append)(void *list, void *item);
	void *(*list_new)(long length);
	void (*object_free)(void *block);
	void (*incref)(void *object);
	void (*decref)(void *object);
	int (*finalize)(void *object);
	void (*gc_untrack)(void *object);
	void (*gc_delete)(void *object);
	void (*clear_weak_references)(void *object);
	void *(*error_occurred)(void);
	void (*error_fetch)(void **type, void **value, void **traceback);
	void (*error_restore)(void *type, void *value, void *traceback);
	void (*error_clear)(void);
	void *(*eval_frame)(void);
	const char *(*as_utf8)(void *text, long *length);

	void *(*tls_address)(void *index); /* the C library's __tls_get_addr(); may be NULL */

	void *runtime; /* &_PyRuntime */
	void *none;
	void *type_type, *code_type, *list_type, *dict_type, *tuple_type, *float_type;
	void *bytes_type, *str_type, *frame_type, *slice_type, *context_type, *asend_type;
	void *method_type, *builtin_method_type;
	void *set_type, *bytearray_type;
	void *wrapped_value_type; /* NULL where it is not exported */
	void *memory_error;	  /* where PyExc_MemoryError is */
};

extern TM_HIDDEN struct tm_python tm_python;

/*
 * tm_python_find - recognise the interpreter in @image and fill in tm_python
 * @why: on failure one sentence; empty when the image is simply no CPython of ours to judge
 *
 * Called before the interpreter exists.  Returns false when it cannot be recorded.
 */
bool tm_python_find(const struct tm_image *image, char *why, size_t why_size);

/* tm_python_thread - thread state of the caller, NULL when it has none. */
TM_INLINE void *tm_python_thread(void)
{
	return tm_python.thread_state();
}

/* tm_python_in_main - whether the calling thread runs in the main interpreter. */
bool tm_python_in_main(void);

/*
 * tm_python_holds_main - whether the calling thread holds the lock of the main interpreter, and
 * runs in it.  PyGILState_Check() says yes to all once there was a sub-interpreter
 * (Python/pystate.c).
 */
bool tm_python_holds_main(void);

/*
 * tm_python_lock - a number for the lock that the calling thread holds
 * 0 is the main interpreter's, which may be that of others too; else the interpreter's own number.
 */
uint32_t tm_python_lock(void);

/*
 * tm_python_alone - whether there is no interpreter but the main one
 * A new one becomes the head of their list (Python/pystate.c, init_interpreter).
 */
TM_INLINE bool tm_python_alone(void)
{
	return tm_python.newest_interpreter() == tm_python.main_interpreter();
}

/* The collector's state of the main interpreter; NULL before it exists. */
uintptr_t tm_python_gc(void);

/* tm_python_collecting - whether a collection runs in the calling thread's interpreter. */
bool tm_python_collecting(void);

/* The lists that a program may know as gc.garbage. */
enum {
	TM_GARBAGE_LISTS = 2
};

/*
 * tm_python_garbage - the collector's list of garbage, and what the attribute gc.garbage is now
 *
 * A program that binds the attribute to another list does not change where the collector
 * puts what it finds (Modules/gcmodule.c, handle_legacy_finalizers): both count.  Entries that
 * are no list, or not there, are NULL, and none is there twice.  Makes no object and takes no
 * reference; holds the GIL of the main interpreter.
 */
void tm_python_garbage(uintptr_t lists[TM_GARBAGE_LISTS]);

/* tm_python_garbage_ready - make the names that finding the attribute takes. */
void tm_python_garbage_ready(void);

/*
 * tm_python_text - a str object's characters as UTF-8, without touching the object
 * Lone surrogates come out as three bytes each.  Returns bytes written, at most @size.
 */
size_t tm_python_text(uintptr_t text, char *out, size_t size);

/* Raw bytes of a bytes object; NULL and 0 when it is none. */
const char *tm_python_bytes(uintptr_t bytes, size_t *size);

/*
 * tm_python_check - compare what the adapter reads with what the public API says
 *
 * Needs a thread state and a running Python frame.  Returns 0 when all agrees, TM_B_STACKS,
 * TM_B_TYPES or TM_B_OWNERS for what does not (@why then says what), -1 when there is nothing to
 * compare yet.
 */
int tm_python_check(char *why, size_t why_size);

extern const struct tm_adapter tm_adapter_38, tm_adapter_39, tm_adapter_310, tm_adapter_311,
	tm_adapter_312, tm_adapter_313, tm_adapter_314, tm_adapter_315;

#endif

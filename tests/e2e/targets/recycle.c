/*
 * An extension module whose types keep the memory of dead objects for the next ones, each in a way
 * of its own.  Built without Python's headers, for every interpreter alike: what it needs of the
 * API has had the same layout from 3.8 to 3.15 (GIL builds, 64 bits).
 */
#include <stddef.h>
#include <string.h>

struct object {
	long refcnt;
	struct type *type;
};

struct type {
	struct object base;
	long size;
	const char *name;
	long basicsize, itemsize;
	void (*dealloc)(struct object *);
	void *unused1[14];
	unsigned long flags;
	const char *doc;
	int (*traverse)(struct object *, int (*)(struct object *, void *), void *);
	void *unused2[8];
	struct type *tp_base;
	void *unused3[6];
	struct object *(*new)(struct type *, struct object *, struct object *);
	void (*free)(void *);
	void *unused4[40];
};
_Static_assert(offsetof(struct type, flags) == 168, "PyTypeObject.tp_flags");
_Static_assert(offsetof(struct type, tp_base) == 256, "PyTypeObject.tp_base");
_Static_assert(offsetof(struct type, new) == 312, "PyTypeObject.tp_new");

struct module {
	struct object base;
	void *init;
	long index;
	void *copy;
	const char *name, *doc;
	long size;
	void *methods, *slots, *traverse, *clear, *free;
};

extern struct object *_PyObject_New(struct type *);
extern struct object *_PyObject_GC_New(struct type *);
extern struct object *PyObject_Init(struct object *, struct type *);
extern void PyObject_GC_Track(void *);
extern void PyObject_GC_UnTrack(void *);
extern int PyType_Ready(struct type *);
extern struct object *PyModule_Create2(struct module *, int);
extern int PyModule_AddObject(struct object *, const char *, struct object *);
extern void Py_IncRef(struct object *);

enum {
	MOST = 300,
	BASICSIZE = 40,
	BASETYPE = 1 << 10,
	HAVE_GC = 1 << 14,
	VERSION_TAG = 1 << 18,
	FIELD = 16, /* the first one of an object's own */
	NO_LIST = -1,
};

/* A type, and the list of its dead: `link` is where in an object the next one is noted. */
struct kind {
	struct type type;
	int link;
	int count;
	struct object *first;
};

static void deallocate(struct object *);
static struct object *create(struct type *, struct object *, struct object *);
static int traverse(struct object *, int (*)(struct object *, void *), void *);

#define KIND(text, where, more, visit)                                                             \
	{                                                                                          \
		.type = {.base = {.refcnt = 1},                                                    \
			 .name = "recycle." text,                                                  \
			 .basicsize = BASICSIZE,                                                   \
			 .dealloc = deallocate,                                                    \
			 .flags = BASETYPE | VERSION_TAG | (more),                                 \
			 .traverse = (visit),                                                      \
			 .new = create},                                                           \
		.link = (where),                                                                   \
	}

enum {
	COUNTED = 0,
	DERIVED = 5
};

static struct kind kinds[] = {
	KIND("Counted", FIELD, 0, NULL), /* the reference count stays 0, as Cython leaves it */
	KIND("Tracked", FIELD, HAVE_GC, traverse),
	KIND("LinkedByType", 8, 0, NULL), /* as CPython's floats */
	KIND("LinkedByCount", 0, 0, NULL),
	KIND("Plain", NO_LIST, 0, NULL),
	KIND("Derived", FIELD, 0, NULL), /* from Counted, whose list it shares */
};

/* Derived types that add nothing share the list of their base. */
static struct kind *kind_of(struct type *type)
{
	while (type->tp_base && type->dealloc != deallocate)
		type = type->tp_base;
	while (type->tp_base && type->tp_base->dealloc == deallocate)
		type = type->tp_base;
	return (struct kind *)type;
}

static struct object **link_of(struct kind *kind, struct object *object)
{
	return (struct object **)((char *)object + kind->link);
}

static struct object *create(struct type *type, struct object *args, struct object *keywords)
{
	struct kind *kind = kind_of(type);
	struct object *object = kind->first;

	(void)args, (void)keywords;
	if (object && type->basicsize == BASICSIZE) {
		kind->first = *link_of(kind, object);
		kind->count--;
		PyObject_Init(object, type);
	} else {
		object = type->flags & HAVE_GC ? _PyObject_GC_New(type) : _PyObject_New(type);
	}
	if (object && type->flags & HAVE_GC)
		PyObject_GC_Track(object);
	return object;
}

static void deallocate(struct object *object)
{
	struct type *type = object->type;
	struct kind *kind = kind_of(type);

	if (kind->type.flags & HAVE_GC)
		PyObject_GC_UnTrack(object);
	if (kind->link == NO_LIST || kind->count == MOST || type->basicsize != BASICSIZE) {
		type->free(object);
		return;
	}
	*link_of(kind, object) = kind->first;
	kind->first = object;
	kind->count++;
}

static int traverse(struct object *object, int (*visit)(struct object *, void *), void *arg)
{
	(void)object, (void)visit, (void)arg;
	return 0;
}

static struct module definition = {.base = {.refcnt = 1}, .name = "recycle", .size = -1};

struct object *PyInit_recycle(void)
{
	struct object *module = PyModule_Create2(&definition, 1013);

	kinds[DERIVED].type.tp_base = &kinds[COUNTED].type;
	for (unsigned i = 0; module && i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct type *type = &kinds[i].type;

		if (PyType_Ready(type) < 0)
			return NULL;
		Py_IncRef(&type->base);
		if (PyModule_AddObject(module, strchr(type->name, '.') + 1, &type->base) < 0)
			return NULL;
	}
	return module;
}

/*
 * describe_layout.h - where the parts of objects are, by version of CPython
 */
#ifndef TIDEMARK_DESCRIBE_LAYOUT_H
#define TIDEMARK_DESCRIBE_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

/* The same from 3.8 to 3.15 (Include/object.h, Include/cpython/object.h; no free threading). */
enum {
	TM_PY_OB_TYPE = 8,
	TM_PY_OB_SIZE = 16, /* also ma_used of a dict and the length of a str */
	TM_PY_SET_USED = 24,
	TM_PY_TP_NAME = 24,
	TM_PY_TP_BASICSIZE = 32,
	TM_PY_TP_ITEMSIZE = 40,
	TM_PY_TP_FLAGS = 168,
	TM_PY_TP_MEMBERS = 240,
	TM_PY_TP_BASE = 256,
	TM_PY_TP_DICTOFFSET = 288,
	TM_PY_TYPE_SIZE = 296, /* as far as it is read */
	TM_PY_MA_KEYS = 32,
	TM_PY_MA_VALUES = 40,
	TM_PY_STR_STATE = 32,
	/* PyMemberDef: Include/structmember.h, Include/descrobject.h */
	TM_PY_MEMBER_TYPE = 8,
	TM_PY_MEMBER_OFFSET = 16,
	TM_PY_MEMBER_SIZE = 40,
	TM_PY_MEMBER_OBJECT = 16, /* T_OBJECT_EX, which __slots__ are */
};

/* tp_flags */
#define TM_PY_INLINE_VALUES (1ull << 2)
#define TM_PY_MANAGED_DICT  (1ull << 4)
#define TM_PY_HEAP_TYPE	    (1ull << 9)
#define TM_PY_LIST	    (1ull << 25)
#define TM_PY_TUPLE	    (1ull << 26)
#define TM_PY_BYTES	    (1ull << 27)
#define TM_PY_STR	    (1ull << 28)
#define TM_PY_DICT	    (1ull << 29)

/* Where the attributes of an instance are that has TM_PY_MANAGED_DICT. */
enum tm_describe_managed {
	TM_MANAGED_NONE,   /* no such flag */
	TM_MANAGED_TWO,	   /* values 32 bytes before the object, dict 24 before */
	TM_MANAGED_TAGGED, /* 24 before: values, less 1, if odd; else the dict */
	TM_MANAGED_INLINE, /* 24 before: the dict; the values behind the object */
};

struct tm_describe_layout {
	uint32_t version;     /* PY_VERSION_HEX >> 16 */
	uint8_t ascii;	      /* characters of a str of ASCII only */
	uint8_t compact;      /* and of any other */
	uint16_t cached_keys; /* PyHeapTypeObject.ht_cached_keys */
	bool packed_keys;     /* sizes of a table of keys are logarithms, in a byte each */
	uint8_t entry_count;  /* PyDictKeysObject.dk_nentries */
	uint8_t indices;      /* PyDictKeysObject.dk_indices */
	uint8_t values;	      /* the first of an object's or a dict's values */
	enum tm_describe_managed managed;
};

/* NULL for a version that is not known. */
const struct tm_describe_layout *tm_describe_layout(uint32_t python_hex);

#endif

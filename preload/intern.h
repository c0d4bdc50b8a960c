/*
 * intern.h - code objects, types and call stacks to indices of the recording
 *
 * Everything a report needs is copied into the recording when it is first seen.  Records are
 * by content; the caches and maps here lead from addresses of the running process to them and
 * forget an address when what lives there dies.
 */
#ifndef TIDEMARK_INTERN_H
#define TIDEMARK_INTERN_H

#include "base.h"
#include "cache.h"
#include "cpython/cpython.h"

#define TM_CODE_CACHE_BITS 12
#define TM_TYPE_CACHE_BITS 10
#define TM_SITE_CACHE_BITS 14
#define TM_CODE_BITS	   20 /* width of a code index in a site's key */
#define TM_OFFSET_BITS	   20 /* of an instruction offset, in units of 2 bytes */

extern TM_HIDDEN tm_packed tm_code_cache[1 << TM_CODE_CACHE_BITS];
extern TM_HIDDEN tm_packed tm_type_cache[1 << TM_TYPE_CACHE_BITS];
extern TM_HIDDEN struct tm_cached tm_site_cache[1 << TM_SITE_CACHE_BITS];

/*
 * The slow halves of the look-ups below.  They return 0 when the thing cannot be recorded:
 * a table is full (counted), or its death could not be seen later.
 */
TM_NOINLINE uint32_t tm_intern_code(uintptr_t code);
TM_NOINLINE uint32_t tm_intern_type(uintptr_t type);
TM_NOINLINE uint32_t tm_intern_site(uint32_t parent, uint32_t code, uint32_t offset);

/* tm_intern_string - offset of a string in the recording; 0 = empty or no space. */
uint32_t tm_intern_string(const char *bytes, size_t size);

/* tm_intern_alias - @copy is a private copy of the type at @type and is reported as it. */
void tm_intern_alias(uintptr_t copy, uintptr_t type);

/* tm_intern_known_type - whether the address is a type that was interned and still lives. */
bool tm_intern_known_type(uintptr_t type);

/*
 * tm_intern_forget - what lived at @address is dying: the address means nothing any more
 * Returns whether it meant something, to the tables here.
 */
bool tm_intern_forget(uintptr_t address);

/*
 * tm_intern_restart - a new recording begins
 *
 * After a fork the addresses interned by the parent are still good in the child: their
 * types are interned again, from @old_base, the parent's mapping.  NULL: start from nothing.
 */
void tm_intern_restart(const char *old_base);

/*
 * tm_intern_names_again - look again at the names of classes first seen since the last time
 * Needs the GIL; once for each mark.
 */
void tm_intern_names_again(void);

/* tm_intern_ready - the interpreter is far enough that class dictionaries can be asked. */
void tm_intern_ready(void);

/*
 * tm_intern_may_return - whether objects of the type with this index may come back from their own
 * deallocation: their finalizer may store them somewhere (tracer family)
 */
bool tm_intern_may_return(uint32_t index);

/* An entry of the type cache as it goes into an object's word: type, and TM_WATCHED by its flag. */
TM_INLINE uint64_t tm_type_word(uint64_t entry)
{
	_Static_assert(TM_PACKED_FLAG >> 17 == TM_WATCHED, "the flag moves to the watched bit");
	return entry << TM_TYPE_SHIFT | (entry & TM_PACKED_FLAG) >> 17;
}

/* The part of an object's word that its type decides; 0 where it is not in the cache. */
TM_INLINE uint64_t tm_type_quick(uintptr_t object)
{
	uintptr_t type = TM_FIELD(uintptr_t, object, TM_OB_TYPE);

	return tm_type_word(
		tm_packed_find(tm_packed_slot(tm_type_cache, TM_TYPE_CACHE_BITS, type), type));
}

/* The same, interning what is not. */
uint64_t tm_type_bits(uintptr_t object);

TM_INLINE uint32_t tm_type_of(uintptr_t object)
{
	uintptr_t type = TM_FIELD(uintptr_t, object, TM_OB_TYPE);
	uint32_t index =
		tm_packed_get(tm_packed_slot(tm_type_cache, TM_TYPE_CACHE_BITS, type), type);

	return likely(index) ? index : tm_intern_type(type);
}

TM_INLINE uint32_t tm_site_child(uint32_t parent, const struct tm_frame *frame)
{
	uint32_t code = tm_packed_get(
		tm_packed_slot(tm_code_cache, TM_CODE_CACHE_BITS, frame->code), frame->code);
	uint32_t unit = frame->offset >> 1;
	uint64_t key;
	uint32_t site;

	if (unlikely(!code)) {
		code = tm_intern_code(frame->code);
		if (!code)
			return 0;
	}
	if (unlikely(unit >> TM_OFFSET_BITS))
		return 0;
	key = (uint64_t)parent << (TM_CODE_BITS + TM_OFFSET_BITS) |
	      (uint64_t)code << TM_OFFSET_BITS | unit;
	site = tm_cache_get(tm_cache_slot(tm_site_cache, TM_SITE_CACHE_BITS, key), key);
	return likely(site) ? site : tm_intern_site(parent, code, frame->offset);
}

#endif

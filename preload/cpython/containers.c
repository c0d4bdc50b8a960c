/*
 * The same on 3.8 to 3.15: Include/cpython/listobject.h (Include/listobject.h in 3.8: ob_item),
 * Include/cpython/dictobject.h (ma_keys, ma_values), Include/setobject.h, from 3.11 on
 * Include/cpython/setobject.h (table), Include/cpython/bytearrayobject.h (ob_bytes; 3.15: memory of
 * a bytes object), Modules/_collectionsmodule.c (dequeobject: leftblock, rightblock).
 *
 * Nothing depends on these for safety: all five types have 48 bytes and more, but for lists, which
 * have 40; and a field that is not what it is taken for is not equal to a block's address.
 */
#include "containers.h"

#include <string.h>

#define MOST_BASES 64u /* classes between an object's and a built-in one; more are not followed */

static const struct tm_container list = {{24, 24}}, dict = {{32, 40}}, set = {{40, 40}},
				 bytearray = {{32, 32}}, deque = {{24, 32}};

/* Static up to 3.11, made at run time later; in both ways its name is this. */
static bool is_deque(uintptr_t type)
{
	const char *name = TM_FIELD(const char *, type, TM_TP_NAME);

	return name && strcmp(name, "collections.deque") == 0 &&
	       TM_FIELD(uint64_t, type, TM_TP_BASICSIZE) >= 40;
}

const struct tm_container *tm_container_of(uintptr_t object)
{
	uintptr_t type = TM_FIELD(uintptr_t, object, TM_OB_TYPE);
	uint64_t flags = TM_FIELD(uint64_t, type, TM_TP_FLAGS);

	if (flags & TM_FLAG_LIST)
		return &list;
	if (flags & TM_FLAG_DICT)
		return &dict;
	if (flags & (TM_FLAG_STR | TM_FLAG_INT | TM_FLAG_TYPE))
		return NULL;
	for (unsigned i = 0; type && i < MOST_BASES; i++) {
		if (type == (uintptr_t)tm_python.set_type)
			return &set;
		if (type == (uintptr_t)tm_python.bytearray_type)
			return &bytearray;
		if (is_deque(type))
			return &deque;
		type = TM_FIELD(uintptr_t, type, TM_TP_BASE);
	}
	return NULL;
}

bool tm_container_holds(uintptr_t object, uintptr_t block)
{
	const struct tm_container *container = tm_container_of(object);

	return container && (TM_FIELD(uintptr_t, object, container->fields[0]) == block ||
			     TM_FIELD(uintptr_t, object, container->fields[1]) == block);
}

uintptr_t tm_container_attributes(uintptr_t object)
{
	uintptr_t type = TM_FIELD(uintptr_t, object, TM_OB_TYPE);
	int64_t offset = TM_FIELD(int64_t, type, TM_TP_DICTOFFSET);

	if (offset <= 0 || (uint64_t)offset > TM_FIELD(uint64_t, type, TM_TP_BASICSIZE) - 8)
		return 0;
	return TM_FIELD(uintptr_t, object, (uint64_t)offset);
}

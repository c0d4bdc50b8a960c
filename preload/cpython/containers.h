/*
 * containers.h - objects whose content lies in memory of its own
 */
#ifndef TIDEMARK_CONTAINERS_H
#define TIDEMARK_CONTAINERS_H

#include "cpython.h"

/*
 * Where such an object keeps the addresses of its memory, bytes from its start; one of them may
 * not be the start of a block.
 */
struct tm_container {
	uint16_t fields[2];
};

/* tm_container_of - lists, dicts, sets, bytearrays, deques and what derives from them; else NULL.
 * @object: a live one */
const struct tm_container *tm_container_of(uintptr_t object);

/* tm_container_holds - whether @block is where a live object, a container or not, keeps its content
 */
bool tm_container_holds(uintptr_t object, uintptr_t block);

/* The dict of a live object's attributes where a field of it refers to that, as up to 3.10; else 0.
 */
uintptr_t tm_container_attributes(uintptr_t object);

#endif

/*
 * intern_private.h - what intern.c, intern_code.c and intern_type.c share
 *
 * Whoever calls a function named *_locked holds the recorder's lock.
 */
#ifndef TIDEMARK_INTERN_PRIVATE_H
#define TIDEMARK_INTERN_PRIVATE_H

#include "base.h"
#include "table.h"
#include "tidemark/layout.h"

/* tm_intern_string() */
uint32_t tm_intern_string_locked(const char *bytes, size_t size);

/*
 * tm_intern_record_locked - index of the record with this content in a table of the recording
 * @index:  from content to number, by @same
 * @size:   bytes of a record
 * @limit:  numbers the table may have
 *
 * Appends it where it is not there.  Returns 0, and counts @loss, when there is no room.
 */
uint32_t tm_intern_record_locked(struct tm_index *index, enum tm_region_id id, const void *record,
				 size_t size, uint32_t limit, tm_index_same same,
				 enum tm_loss loss);

/*
 * tm_intern_watch - the death of the object at @address is to be seen
 * Sets the watched bit of the word that stands for it, wherever the block that holds it begins.
 * false: there is no such word.
 */
bool tm_intern_watch(uintptr_t address);

/* tm_intern_forget(), of one sort each. */
bool tm_intern_forget_code_locked(uintptr_t address);
bool tm_intern_forget_type_locked(uintptr_t address);

/* tm_intern_restart(), of one sort each. */
void tm_intern_restart_codes(void);
void tm_intern_restart_types(const char *old_base);

#endif

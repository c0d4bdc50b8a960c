/*
 * resize.h - blocks that move, and memory that takes the place of other memory
 */
#ifndef TIDEMARK_RESIZE_H
#define TIDEMARK_RESIZE_H

#include "blocks.h"

/*
 * tm_block_renew - a realloc is about to be tried
 * A block of this interval is taken out; one that was born under an earlier mark stays until it
 * is known that it goes, as its death can't be taken back.
 */
void tm_block_renew(struct tm_block_words *words);

/* tm_block_leave - the realloc succeeded: what was born earlier is dead now. */
void tm_block_leave(struct tm_block_words *words);

/* tm_block_restore - it failed: all is as it was. */
void tm_block_restore(const struct tm_block_words *words);

/* tm_block_move - it succeeded, and the block lives on at @block with @size bytes. */
void tm_block_move(struct tm_block_words *words, uintptr_t block, size_t size, enum tm_kind kind);

/*
 * tm_resize_replaces - whether memory that is freed now lives on as other memory
 * @old: no object was found in it
 *
 * Links the two where it does; then the record of @old's death is to have TM_DF_RESIZED.
 */
bool tm_resize_replaces(const struct tm_block_words *old);

#endif

/*
 * describe_private.h - what describe.c and describe_names.c share
 */
#ifndef TIDEMARK_DESCRIBE_PRIVATE_H
#define TIDEMARK_DESCRIBE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "describe.h"
#include "describe_layout.h"

/* Base classes that are looked at. */
#define TM_DESCRIBE_MOST_BASES 32u

struct tm_describer {
	pid_t pid;
	const struct tm_describe_layout *layout;
	int refused;
};

/* A type, as it is in the process. */
struct tm_describe_type {
	uint64_t address;
	uint64_t name; /* address */
	int64_t basic_size;
	int64_t item_size;
	uint64_t flags;
	uint64_t members;
	uint64_t base;
	int64_t dict_offset;
};

/* Exactly `size` bytes of the process's memory; false when they cannot be had. */
bool tm_describe_peek(struct tm_describer *d, uint64_t address, void *to, size_t size);

/* One word. */
bool tm_describe_word(struct tm_describer *d, uint64_t address, uint64_t *out);

bool tm_describe_read_type(struct tm_describer *d, uint64_t address, struct tm_describe_type *out);

/* A C string of at most size - 1 bytes, NUL-terminated here; longer ones and unreadable: false. */
bool tm_describe_text(struct tm_describer *d, uint64_t address, char *out, size_t size);

/* Names of the object's own attributes as an array; NULL when they cannot be read. */
json_t *tm_describe_names(struct tm_describer *d, uint64_t address,
			  const struct tm_describe_type *type);

#endif

/*
 * guard.h - memory that ends at an unmapped page, so that one byte too far is a crash
 */
#ifndef TIDEMARK_TESTS_GUARD_H
#define TIDEMARK_TESTS_GUARD_H

#include <stddef.h>

struct guard;

/* A copy of `size` bytes, read-only, whose last byte is the last one mapped. */
struct guard *guard_new(const void *bytes, size_t size);

const void *guard_data(const struct guard *g);
void guard_free(struct guard *g);

#endif

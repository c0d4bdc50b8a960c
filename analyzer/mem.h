/*
 * mem.h - allocation that cannot fail
 *
 * Out of memory ends the program with one line and TM_EXIT_USAGE: a report is a short
 * run, there is nothing to save.  Results are released with free().
 */
#ifndef TM_MEM_H
#define TM_MEM_H

#include <stdarg.h>
#include <stddef.h>

/* @size zeroed bytes. */
void *tm_mem_new(size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));

/* @count zeroed elements of @size bytes; the product may not wrap. */
void *tm_mem_array(size_t count, size_t size)
	__attribute__((malloc, returns_nonnull, warn_unused_result));

/* realloc() to @count elements of @size bytes; what is new is not zeroed. */
void *tm_mem_resize(void *p, size_t count, size_t size)
	__attribute__((returns_nonnull, warn_unused_result));

/*
 * Make room for one more element at the end of a growing array: @*capacity elements
 * are there, @used of them taken.  Grows by doubling and updates @*capacity.
 */
void *tm_mem_grow(void *p, size_t used, size_t *capacity, size_t size)
	__attribute__((returns_nonnull, warn_unused_result));

char *tm_mem_string(const char *text) __attribute__((malloc, returns_nonnull, warn_unused_result));

/* Exactly @length bytes of @bytes, NUL added. */
char *tm_mem_bytes(const void *bytes, size_t length)
	__attribute__((malloc, returns_nonnull, warn_unused_result));

char *tm_mem_format(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), malloc, returns_nonnull, warn_unused_result));

char *tm_mem_vformat(const char *fmt, va_list args)
	__attribute__((format(printf, 1, 0), malloc, returns_nonnull, warn_unused_result));

#endif

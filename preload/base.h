/*
 * base.h - the few words every file of the recorder uses
 *
 * Code in this folder runs inside somebody else's process, mostly inside an allocation.
 * It never exits or aborts, never allocates from the C library's heap on a recording
 * path, leaves errno alone, and on any trouble counts what it could not record.
 */
#ifndef TIDEMARK_BASE_H
#define TIDEMARK_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdatomic.h>

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* On declarations of variables that hot code reads: one instruction less than through the GOT. */
#define TM_HIDDEN __attribute__((visibility("hidden")))

#define TM_EXPORT   __attribute__((visibility("default")))
#define TM_NOINLINE __attribute__((noinline, cold))
#define TM_INLINE   static inline __attribute__((always_inline))

/* A field of a foreign structure: no alignment or aliasing assumptions beyond the type's own. */
#define TM_FIELD(type, base, offset) (*(type const volatile *)((uintptr_t)(base) + (offset)))

/* Shared words are written with one aligned store each; a reader sees the old or the new. */
#define tm_get(p)	 atomic_load_explicit((p), memory_order_relaxed)
#define tm_put(p, v)	 atomic_store_explicit((p), (v), memory_order_relaxed)
#define tm_publish(p, v) atomic_store_explicit((p), (v), memory_order_release)

/* Stores @value unless a larger one is there. */
TM_INLINE void tm_raise(_Atomic uint32_t *word, uint32_t value)
{
	uint32_t seen = tm_get(word);

	while (seen < value && !atomic_compare_exchange_weak(word, &seen, value))
		;
}

#endif

#include "interval.h"

_Atomic uint64_t tm_birth_bits, tm_death_bits;
_Atomic uint32_t tm_birth_stamp;

/* No word has all of these bits: a size never has TM_WATCHED, an object's kind is not 6. */
#define NEVER_QUIET (TM_KIND_MASK | TM_QUIET_MASK)

static _Atomic uint32_t collectors; /* runs under way */

/* Deaths follow births; again if a mark or a collector came between, which may be a signal's. */
static void follow_births(void)
{
	uint64_t birth, death;

	do {
		birth = tm_get(&tm_birth_bits);
		death = tm_get(&collectors) ? NEVER_QUIET : birth & TM_BIRTH_MASK;
		tm_put(&tm_death_bits, death);
		atomic_thread_fence(memory_order_seq_cst);
	} while (birth != tm_get(&tm_birth_bits) ||
		 (death == NEVER_QUIET) != (tm_get(&collectors) != 0));
}

void tm_interval_collecting(bool yes)
{
	if (yes) {
		atomic_fetch_add(&collectors, 1);
		atomic_fetch_or(&tm_birth_bits, TM_WATCHED);
	} else if (tm_get(&collectors) && atomic_fetch_sub(&collectors, 1) == 1) {
		atomic_fetch_and(&tm_birth_bits, ~TM_WATCHED);
	}
	follow_births();
}

void tm_interval_enter(uint32_t birth, bool anew)
{
	uint64_t bits = (uint64_t)birth << TM_BIRTH_SHIFT;
	uint64_t seen;

	if (anew) {
		tm_put(&collectors, 0);
		tm_put(&tm_birth_stamp, tm_interval_stamp(birth));
		tm_publish(&tm_birth_bits, bits);
	}
	tm_raise(&tm_birth_stamp, tm_interval_stamp(birth));
	seen = tm_get(&tm_birth_bits);
	while ((seen & TM_BIRTH_MASK) < bits &&
	       !atomic_compare_exchange_weak(&tm_birth_bits, &seen, bits | (seen & TM_WATCHED)))
		;
	follow_births();
}

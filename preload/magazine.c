#include "magazine.h"

#include "hook_alloc.h"
#include "interval.h"

#define ALL (TM_MAGAZINE_DOMAINS * TM_MAGAZINE_COUNT)

static struct tm_magazine usual[ALL], closed[ALL];

struct tm_magazine *_Atomic tm_magazines = closed;

static bool allowed;
static _Atomic bool forbidden;

/* Closed until an interval with another birth field than this. */
static bool paused;
static uint64_t paused_birth;

void tm_magazines_forget(void)
{
	tm_magazines_close();
	for (unsigned i = 0; i < ALL; i++) {
		usual[i].newest = usual[i].waiting;
		usual[i].last = usual[i].waiting + TM_MAGAZINE_DEPTH;
		closed[i].newest = closed[i].last = closed[i].waiting;
	}
}

void tm_magazines_allow(void)
{
	allowed = true;
}

void tm_magazines_forbid(void)
{
	atomic_store(&forbidden, true);
	atomic_store(&tm_magazines, closed);
}

static void empty(void)
{
	for (unsigned i = 0; i < ALL; i++) {
		const struct tm_allocator *next =
			i / TM_MAGAZINE_COUNT == TM_MAGAZINES_OBJ ? &tm_next_obj : &tm_next_mem;

		for (; usual[i].newest != usual[i].waiting; usual[i].newest--)
			next->free(next->ctx, (void *)usual[i].newest->block);
	}
}

void tm_magazines_open(void)
{
	if (!allowed || atomic_load(&forbidden))
		return;
	paused = false;
	empty();
	atomic_store(&tm_magazines, usual);
	if (atomic_load(&forbidden))
		atomic_store(&tm_magazines, closed);
}

void tm_magazines_close(void)
{
	paused = false;
	atomic_store(&tm_magazines, closed);
}

void tm_magazines_pause(void)
{
	tm_magazines_close();
	paused = true;
	paused_birth = tm_birth_now();
}

void tm_magazines_empty(void)
{
	if (atomic_load(&forbidden))
		return;
	if (paused && paused_birth != tm_birth_now())
		tm_magazines_open();
	else
		empty();
}

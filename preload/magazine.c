#include "magazine.h"

#include "hook_alloc.h"
#include "interval.h"

struct tm_magazine tm_magazines[TM_MAGAZINE_DOMAINS][TM_MAGAZINE_COUNT];

static bool allowed, forbidden;

/* Closed until an interval with another birth field than this. */
static bool paused;
static uint64_t paused_birth;

static void each(void (*act)(enum tm_magazine_domain domain, struct tm_magazine *magazine))
{
	for (unsigned domain = 0; domain < TM_MAGAZINE_DOMAINS; domain++) {
		for (unsigned i = 0; i < TM_MAGAZINE_COUNT; i++)
			act(domain, &tm_magazines[domain][i]);
	}
}

static void close_one(enum tm_magazine_domain domain, struct tm_magazine *magazine)
{
	(void)domain;
	if (magazine->newest != magazine->waiting)
		magazine->kept = magazine->newest;
	magazine->newest = magazine->last = magazine->waiting;
}

static void empty_one(enum tm_magazine_domain domain, struct tm_magazine *magazine)
{
	const struct tm_allocator *next = domain == TM_MAGAZINES_OBJ ? &tm_next_obj : &tm_next_mem;
	struct tm_waiting *newest = magazine->kept ? magazine->kept : magazine->newest;

	magazine->newest = magazine->waiting;
	magazine->kept = NULL;
	for (; newest != magazine->waiting; newest--)
		next->free(next->ctx, (void *)newest->block);
}

static void open_one(enum tm_magazine_domain domain, struct tm_magazine *magazine)
{
	(void)domain;
	magazine->last = magazine->waiting + TM_MAGAZINE_DEPTH;
}

static void forget_one(enum tm_magazine_domain domain, struct tm_magazine *magazine)
{
	(void)domain;
	magazine->newest = magazine->last = magazine->waiting;
	magazine->kept = NULL;
}

void tm_magazines_forget(void)
{
	paused = false;
	each(forget_one);
}

void tm_magazines_allow(void)
{
	allowed = true;
}

void tm_magazines_forbid(void)
{
	forbidden = true;
	tm_magazines_close();
}

void tm_magazines_open(void)
{
	paused = false;
	each(empty_one);
	if (allowed && !forbidden)
		each(open_one);
}

void tm_magazines_close(void)
{
	paused = false;
	each(close_one);
}

void tm_magazines_pause(void)
{
	tm_magazines_close();
	paused = true;
	paused_birth = tm_birth_now();
}

void tm_magazines_empty(void)
{
	if (paused && paused_birth != tm_birth_now())
		tm_magazines_open();
	else
		each(empty_one);
}

/*
 * health_blind.c - what interpreters hide, and how much that can be
 *
 * Sources of the bounds, in CPython: Include/internal/pycore_*.h and Objects/frameobject.c,
 * listobject.c, dictobject.c, tupleobject.c, floatobject.c (sizes of free lists),
 * Modules/_collectionsmodule.c (MAXFREEBLOCKS), Objects/object.c (_Py_Dealloc, the trashcan).
 */
#include "health.h"

#include <stddef.h>

#define ANY_FAMILY 0
#define VERSION(major, minor, micro)                                                               \
	((uint32_t)(major) << 24 | (uint32_t)(minor) << 16 | (uint32_t)(micro) << 8)

/* Either the recorder says so itself, or it is so for a family and a range of versions. */
struct spot {
	struct tm_health_blind told;
	uint32_t bit;	       /* enum tm_blind; 0 = not told by the recorder */
	uint32_t family;       /* enum tm_family */
	uint32_t first, after; /* versions: from this on, and before that */
};

static const struct spot spots[] = {
	{.told = {"stacks",
		  "Python frames could not be read on this interpreter, so no object has a site",
		  "every object", true},
	 .bit = TM_B_STACKS},
	{.told = {"types", "types could not be resolved on this interpreter", "every object", true},
	 .bit = TM_B_TYPES},
	{.told = {"collector",
		  "the cyclic collector could not be watched, so cyclic trash is not told apart",
		  "what it reclaims", true},
	 .bit = TM_B_COLLECTOR},
	{.told = {"executor",
		  "marks are followed up only when the program collects: no signal handler could "
		  "be installed",
		  "no object", true},
	 .bit = TM_B_EXECUTOR},
	{.told = {"signal_taken",
		  "the program handles the mark signal itself, so a plain signal sets no mark",
		  "no object", true},
	 .bit = TM_B_SIGNAL_TAKEN},
	{.told = {"free_lists",
		  "objects of built-in types that the interpreter recycles may keep the birth of "
		  "their memory",
		  "80 lists, 80 dicts, 100 floats, 2,000 tuples of each length up to 20", true},
	 .bit = TM_B_FREE_LISTS},
	{.told = {"floats", "floats that the interpreter recycles keep the birth of their memory",
		  "100 in each interpreter", true},
	 .bit = TM_B_FLOATS},
	{.told = {"frames",
		  "frames that the interpreter recycles are buffers here, with the birth of their "
		  "memory",
		  "200, and one for each code object", true},
	 .bit = TM_B_FRAMES},
	{.told = {"space", "space for the recording ended", "what was born since", true},
	 .bit = TM_B_SPACE},
	{.told = {"inherited",
		  "a forked child: objects of before the fork are not in its recording",
		  "what the parent had then", true},
	 .bit = TM_B_INHERITED},
	{.told = {"interpreters",
		  "sub-interpreters have collectors of their own, whose runs are not seen: what "
		  "those reclaim is not told apart from what else was freed; from 3.12 to 3.13.2 "
		  "the types of what other threads made last are pending",
		  "what sub-interpreters make, 1,024 objects of each thread, and with "
		  "PYTHONMALLOC=malloc instances of classes made since",
		  true},
	 .bit = TM_B_INTERPRETERS},
	{.told = {"owners",
		  "whose memory grows is not looked for: frames could not be read, or a "
		  "sub-interpreter may run beside the program",
		  "no object; growth goes without a type, and what was empty counts as new", true},
	 .bit = TM_B_OWNERS},
	{.told = {"buffers",
		  "tables of dicts and blocks of deques that the interpreter recycles keep the "
		  "birth of their memory",
		  "80 tables, and 16 blocks for each deque", false},
	 .family = ANY_FAMILY,
	 .first = VERSION(3, 8, 0),
	 .after = UINT32_MAX},
	{.told = {"extension_free_lists",
		  "objects that extension modules recycle unseen, because they die and come back "
		  "between two marks or are too many to look at, keep the birth of their memory",
		  "as many as such a module keeps; looked at are 2,048 of a type until it is found "
		  "to recycle, 24,000 in all",
		  false},
	 .family = TM_FAMILY_ALLOCATOR,
	 .first = VERSION(3, 8, 0),
	 .after = UINT32_MAX},
	{.told = {"trashcan",
		  "objects in deep nestings die when their memory is freed, not when they are "
		  "dropped",
		  "those of one nesting at a time", false},
	 .family = TM_FAMILY_TRACER,
	 .first = VERSION(3, 14, 0),
	 .after = VERSION(3, 14, 8)},
	{.told = {"trashcan",
		  "objects in deep nestings die when their memory is freed, not when they are "
		  "dropped",
		  "those of one nesting at a time", false},
	 .family = TM_FAMILY_TRACER,
	 .first = VERSION(3, 15, 0),
	 .after = VERSION(3, 15, 1)},
};

#define SPOTS (sizeof(spots) / sizeof(spots[0]))

static bool holds(const struct spot *spot, const struct tm_header *header)
{
	uint32_t version = header->python_hex & ~0xffu; /* without alpha, beta, candidate */

	if (spot->bit)
		return header->blind & spot->bit;
	return (spot->family == ANY_FAMILY || spot->family == header->family) &&
	       version >= spot->first && version < spot->after;
}

const struct tm_health_blind *tm_health_next_blind(const struct tm_header *header, unsigned *at)
{
	while (*at < SPOTS) {
		const struct spot *spot = &spots[(*at)++];

		if (holds(spot, header))
			return &spot->told;
	}
	return NULL;
}

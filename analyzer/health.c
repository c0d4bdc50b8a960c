#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "health.h"
#include "mem.h"

static const struct {
	uint32_t bit;
	const char *name;
} blind_names[] = {
	{TM_B_STACKS, "stacks"},
	{TM_B_TYPES, "types"},
	{TM_B_COLLECTOR, "collector"},
	{TM_B_EXECUTOR, "executor"},
	{TM_B_SIGNAL_TAKEN, "signal_taken"},
	{TM_B_FREE_LISTS, "free_lists"},
	{TM_B_FLOATS, "floats"},
	{TM_B_FRAMES, "frames"},
	{TM_B_SPACE, "space"},
	{TM_B_INHERITED, "inherited"},
};

static const char *const loss_names[TM_L_COUNT] = {
	[TM_L_NO_SPACE] = "no_space",
	[TM_L_ADDRESS] = "address",
	[TM_L_SITES] = "sites",
	[TM_L_TYPES] = "types",
	[TM_L_MARKS] = "marks",
	[TM_L_RING] = "ring",
	[TM_L_TALLIES] = "tallies",
	[TM_L_TRACER] = "tracer",
	[TM_L_DEATH_UNKNOWN] = "death_unknown",
	[TM_L_BIRTH_OVER] = "birth_over",
	[TM_L_FREED_LIVE] = "freed_live",
	[TM_L_THREADS] = "threads",
	[TM_L_GARBAGE] = "garbage",
	[TM_L_CYCLIC] = "cyclic",
	[TM_L_RECYCLED] = "recycled",
};

const char *tm_health_next_blind(uint32_t *bits)
{
	for (size_t i = 0; i < sizeof(blind_names) / sizeof(blind_names[0]); i++)
		if (*bits & blind_names[i].bit) {
			*bits &= ~blind_names[i].bit;
			return blind_names[i].name;
		}
	return NULL;
}

const char *tm_health_loss_name(unsigned loss)
{
	return loss < TM_L_COUNT ? loss_names[loss] : NULL;
}

const char *tm_health_family(const struct tm_header *header)
{
	if (header->family == TM_FAMILY_TRACER)
		return "tracer";
	return header->family == TM_FAMILY_ALLOCATOR ? "allocator" : "?";
}

/* Takes over both texts. */
static char *join(char *list, char *item, const char *separator)
{
	char *joined = tm_mem_format("%s%s%s", list, *list ? separator : "", item);

	free(list);
	free(item);
	return joined;
}

char *tm_health_losses(const struct tm_header *header)
{
	char *list = tm_mem_string("");

	for (unsigned i = 0; i < TM_L_COUNT; i++)
		if (header->losses[i] != 0)
			list = join(list,
				    tm_mem_format("%s %" PRIu64, loss_names[i], header->losses[i]),
				    ", ");
	return list;
}

char *tm_health_blind(const struct tm_header *header)
{
	char *list = tm_mem_string("");
	uint32_t bits = header->blind;
	const char *name;

	while ((name = tm_health_next_blind(&bits)) != NULL)
		list = join(list, tm_mem_string(name), ", ");
	return list;
}

char *tm_health_alarm(const struct tm_header *header)
{
	const char *message = (const char *)header->message;
	char *list = tm_mem_string("");

	if (header->state == TM_PS_STOPPED)
		list = join(list, tm_mem_string("recorder is off"), "; ");
	if (header->blind & TM_B_SIGNAL_TAKEN)
		list = join(list, tm_mem_format("the program took signal %" PRIu32, header->signal),
			    "; ");
	if (header->blind & TM_B_SPACE)
		list = join(list, tm_mem_string("out of space"), "; ");
	if (message[0] != '\0')
		list = join(list,
			    tm_mem_format("%.*s", (int)strnlen(message, TM_TEXT_MAX), message),
			    "; ");
	return list;
}

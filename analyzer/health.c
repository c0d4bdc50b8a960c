#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "health.h"
#include "mem.h"
#include "text.h"

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
};

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

/* What interpreter and allocator said that cannot both be true, by what it was. */
static const struct {
	enum tm_loss loss;
	const char *one;
	const char *many;
} disagreements[] = {
	{TM_L_DEATH_UNKNOWN, "death of an object not known", "deaths of objects not known"},
	{TM_L_BIRTH_OVER, "birth where an object was believed to live",
	 "births where objects were believed to live"},
	{TM_L_FREED_LIVE, "block freed with an object believed to live in it",
	 "blocks freed with objects believed to live in them"},
};

uint64_t tm_health_disagreements(const struct tm_header *header)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(disagreements) / sizeof(disagreements[0]); i++)
		tm_cells_sum(&sum, header->losses[disagreements[i].loss]);
	return sum;
}

char *tm_health_disagreed(const struct tm_header *header)
{
	char *sum =
		tm_text_plural(tm_health_disagreements(header), "disagreement", "disagreements");
	char *list = tm_mem_string("");
	char *text;

	for (size_t i = 0; i < sizeof(disagreements) / sizeof(disagreements[0]); i++) {
		uint64_t count = header->losses[disagreements[i].loss];

		if (count != 0)
			list = join(
				list,
				tm_text_plural(count, disagreements[i].one, disagreements[i].many),
				", ");
	}
	text = tm_mem_format("built on a recording with %s: %s", sum, list);
	free(sum);
	free(list);
	return text;
}

char *tm_health_gap(const struct tm_header *header)
{
	char lost[TM_TEXT_NUMBER];
	char back[TM_TEXT_NUMBER];

	if (header->losses[TM_L_TRACER] == 0 && header->tracer_lost_ns == 0)
		return NULL;
	tm_text_time(lost, header->tracer_lost_ns);
	if (header->tracer_back_ns > header->tracer_lost_ns)
		return tm_mem_format("another tool held the interpreter's reference tracer, first "
				     "seen at %s, last at %s: births and deaths of that time may "
				     "be missing",
				     lost, tm_text_time(back, header->tracer_back_ns));
	return tm_mem_format("another tool took the interpreter's reference tracer at %s: births "
			     "and deaths since then are missing",
			     lost);
}

char *tm_health_blind(const struct tm_header *header)
{
	char *list = tm_mem_string("");
	const struct tm_health_blind *blind;
	unsigned at = 0;

	while ((blind = tm_health_next_blind(header, &at)) != NULL)
		if (blind->of_recorder)
			list = join(list, tm_mem_string(blind->name), ", ");
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

/*
 * health_json.c - health as data
 */
#include "health.h"
#include "jsonout.h"
#include "text.h"

#include <string.h>

static json_t *losses_json(const struct tm_header *header)
{
	json_t *losses = json_object();

	for (unsigned i = 0; tm_health_loss_name(i) != NULL; i++)
		json_object_set_new(losses, tm_health_loss_name(i),
				    tm_json_count(header->losses[i]));
	return losses;
}

static json_t *blind_json(const struct tm_header *header)
{
	json_t *array = json_array();
	const struct tm_health_blind *blind;
	unsigned at = 0;

	while ((blind = tm_health_next_blind(header, &at)) != NULL) {
		json_t *object = json_object();

		json_object_set_new(object, "name", json_string(blind->name));
		json_object_set_new(object, "meaning", json_string(blind->meaning));
		json_object_set_new(object, "bound", json_string(blind->bound));
		json_array_append_new(array, object);
	}
	return array;
}

/* When the slot was first found taken, and last taken back. */
static json_t *gap_json(const struct tm_header *header)
{
	bool back = header->tracer_back_ns > header->tracer_lost_ns;
	json_t *gap;

	if (header->losses[TM_L_TRACER] == 0 && header->tracer_lost_ns == 0)
		return json_null();
	gap = json_object();
	json_object_set_new(gap, "from", tm_json_time(header->tracer_lost_ns));
	json_object_set_new(gap, "to", back ? tm_json_time(header->tracer_back_ns) : json_null());
	json_object_set_new(gap, "times", tm_json_count(header->losses[TM_L_TRACER]));
	return gap;
}

json_t *tm_health_json(struct tm_reader *reader)
{
	const struct tm_header *header = tm_reader_header(reader);
	const char *message = (const char *)header->message;
	json_t *health = json_object();

	json_object_set_new(health, "family", json_string(tm_health_family(header)));
	json_object_set_new(health, "losses", losses_json(header));
	json_object_set_new(health, "disagreements",
			    tm_json_count(tm_health_disagreements(header)));
	json_object_set_new(health, "blind", blind_json(header));
	json_object_set_new(health, "recycled", tm_health_recycled_json(reader));
	json_object_set_new(health, "tracer_gap", gap_json(header));
	json_object_set_new(health, "message",
			    tm_text_json(message, strnlen(message, TM_TEXT_MAX)));
	return health;
}

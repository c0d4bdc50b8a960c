/*
 * report_common.c - pieces that the text and JSON reports share
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "health.h"
#include "mem.h"
#include "paragraph.h"
#include "report.h"
#include "text.h"

bool tm_report_shows(const struct tm_report *report, const struct tm_group *group,
		     uint64_t shown_before)
{
	if (group->bytes < report->min_bytes)
		return false;
	return report->limit == 0 || shown_before < report->limit;
}

uint64_t *tm_report_by_interval(const struct tm_report *report, const struct tm_group *group,
				uint32_t most, uint32_t *count, uint32_t *each)
{
	uint32_t intervals = report->diff->intervals;
	uint32_t first = report->diff->span.from.number;
	uint64_t *numbers;

	*each = intervals / most + (intervals % most != 0);
	if (*each == 0)
		*each = 1;
	*count = intervals / *each + (intervals % *each != 0);
	numbers = tm_mem_array((size_t)*count + 1, sizeof(*numbers));
	for (uint32_t i = 0; i < group->generations; i++) {
		uint32_t at = (group->intervals[i].interval - first) / *each;

		if (at < *count)
			tm_cells_sum(&numbers[at], group->intervals[i].objects);
	}
	return numbers;
}

struct tm_bytes tm_report_type(const struct tm_report *report, const struct tm_group *group)
{
	static const char several[] = "several types";

	if (group->type == TM_SEVERAL_TYPES)
		return (struct tm_bytes){several, sizeof(several) - 1};
	return tm_model_text(report->model, group->type);
}

json_t *tm_report_type_json(const struct tm_report *report, const struct tm_group *group)
{
	return group->type == TM_SEVERAL_TYPES ? json_null()
					       : tm_json_bytes(tm_report_type(report, group));
}

/* The next argument of a command; false after the last one. */
static bool next_argument(struct tm_bytes *rest, struct tm_bytes *argument)
{
	if (rest->size == 0)
		return false;
	argument->data = rest->data;
	argument->size = strnlen(rest->data, rest->size);
	rest->data += argument->size;
	rest->size -= argument->size;
	if (rest->size > 0) {
		rest->data++;
		rest->size--;
	}
	return true;
}

json_t *tm_report_command_json(struct tm_reader *reader)
{
	struct tm_bytes rest = tm_reader_string(reader, tm_reader_header(reader)->command);
	struct tm_bytes argument;
	json_t *array = json_array();

	while (next_argument(&rest, &argument))
		json_array_append_new(array, tm_json_bytes(argument));
	return array;
}

void tm_report_command_text(struct tm_reader *reader, FILE *out)
{
	struct tm_bytes rest = tm_reader_string(reader, tm_reader_header(reader)->command);
	struct tm_bytes argument;
	const char *before = "";

	while (next_argument(&rest, &argument)) {
		bool plain = argument.size > 0 && !memchr(argument.data, ' ', argument.size);

		fprintf(out, "%s%s", before, plain ? "" : "'");
		tm_text_put(out, argument.data, argument.size);
		fputs(plain ? "" : "'", out);
		before = " ";
	}
}

struct tm_bytes tm_report_python(const struct tm_reader *reader)
{
	const struct tm_header *header = tm_reader_header(reader);

	return (struct tm_bytes){(const char *)header->python,
				 strnlen((const char *)header->python, sizeof(header->python))};
}

static json_t *place_json(struct tm_model *model, const struct tm_place *place)
{
	json_t *object = json_object();

	json_object_set_new(object, "file", tm_json_bytes(tm_model_text(model, place->file)));
	json_object_set_new(object, "line", place->line ? json_integer(place->line) : json_null());
	json_object_set_new(object, "function",
			    tm_json_bytes(tm_model_text(model, place->function)));
	return object;
}

json_t *tm_report_site_json(struct tm_model *model, uint32_t site)
{
	struct tm_place place;

	if (!tm_model_place(model, site, &place))
		return json_null();
	return place_json(model, &place);
}

json_t *tm_report_stack_json(struct tm_model *model, uint32_t site)
{
	json_t *array = json_array();

	for (unsigned i = 0; site != 0 && i < TM_MODEL_MOST_FRAMES; i++) {
		json_array_append_new(array, tm_report_site_json(model, site));
		site = tm_model_caller(model, site);
	}
	return array;
}

const char *tm_report_recording_id(const struct tm_reader *reader, char id[TM_REPORT_ID])
{
	const struct tm_header *header = tm_reader_header(reader);

	/* an exec keeps pid and start, but not the time */
	snprintf(id, TM_REPORT_ID, "%" PRIu32 ".%" PRIu64 ".%" PRIu64, header->pid,
		 header->start_ticks, header->time_ns);
	return id;
}

void tm_report_process_json(struct tm_json *json, struct tm_reader *reader)
{
	char id[TM_REPORT_ID];

	tm_json_member(json, "pid", json_integer(tm_reader_header(reader)->pid));
	tm_json_member(json, "command", tm_report_command_json(reader));
	tm_json_member(json, "python", tm_json_bytes(tm_report_python(reader)));
	tm_json_member(json, "recording_id", json_string(tm_report_recording_id(reader, id)));
}

json_t *tm_report_point_json(const struct tm_point *point)
{
	json_t *object = json_object();

	json_object_set_new(object, "mark", point->now ? json_null() : json_integer(point->number));
	json_object_set_new(object, "name", tm_json_bytes(tm_point_name(point)));
	json_object_set_new(object, "time", tm_json_time(point->time_ns));
	/* two looks at "now" can be compared only when it is known in which interval they were */
	if (point->now)
		json_object_set_new(object, "after_mark", json_integer(point->number - 1));
	return object;
}

void tm_report_span_json(struct tm_json *json, const struct tm_span *span)
{
	tm_json_member(json, "from", tm_report_point_json(&span->from));
	tm_json_member(json, "to", tm_report_point_json(&span->to));
}

void tm_report_notes_json(struct tm_json *json, const struct tm_notes *notes,
			  struct tm_reader *reader)
{
	json_t *array = json_array();

	for (size_t i = 0; i < notes->count; i++)
		json_array_append_new(array,
				      tm_text_json(notes->lines[i], strlen(notes->lines[i])));
	tm_json_member(json, "complete", json_boolean(!notes->incomplete));
	tm_json_member(json, "notes", array);
	tm_json_member(json, "health", tm_health_json(reader));
}

void tm_report_notes_text(const struct tm_notes *notes, FILE *out)
{
	if (notes->count == 0)
		return;
	fprintf(out, "\n%sNotes%s\n", tm_text_style(out, TM_STYLE_BOLD),
		tm_text_style(out, TM_STYLE_NONE));
	for (size_t i = 0; i < notes->count; i++)
		tm_paragraph_put(out, "- ", "  ", notes->lines[i]);
}

void tm_report_point_text(const struct tm_point *point, FILE *out)
{
	struct tm_bytes name = tm_point_name(point);
	bool automatic = point->now || point->number == 0 || (point->mark.flags & TM_MF_EXIT);

	if (!automatic)
		fprintf(out, "mark %" PRIu32, point->number);
	if (!automatic && name.size > 0)
		fputs(" '", out);
	tm_text_put(out, name.data, name.size);
	if (!automatic && name.size > 0)
		fputc('\'', out);
}

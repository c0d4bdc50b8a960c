/*
 * report_json.c - a diff as JSON; the keys are a contract
 */
#include <stdlib.h>

#include "report.h"

static json_t *totals_json(const struct tm_totals *totals)
{
	json_t *object = json_object();

	json_object_set_new(object, "created", tm_json_count(totals->created));
	json_object_set_new(object, "destroyed", tm_json_count(totals->destroyed));
	json_object_set_new(object, "survived_objects", tm_json_count(totals->survived_objects));
	json_object_set_new(object, "survived_bytes", tm_json_count(totals->survived_bytes));
	json_object_set_new(object, "grown_bytes", tm_json_count(totals->grown_bytes));
	json_object_set_new(object, "freed_objects", tm_json_count(totals->freed_objects));
	json_object_set_new(object, "freed_bytes", tm_json_count(totals->freed_bytes));
	json_object_set_new(object, "garbage", tm_json_count(totals->garbage));
	return object;
}

static json_t *by_interval_json(const struct tm_report *report, const struct tm_group *group)
{
	uint32_t count, each;
	uint64_t *numbers =
		tm_report_by_interval(report, group, TM_GROUP_MOST_NUMBERS, &count, &each);
	json_t *array = json_array();

	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(array, tm_json_count(numbers[i]));
	free(numbers);
	return array;
}

static json_t *ids_json(const struct tm_group *group)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < group->id_count; i++)
		json_array_append_new(array, tm_json_address(group->ids[i]));
	return array;
}

static json_t *group_json(const struct tm_report *report, const struct tm_group *group)
{
	json_t *object = json_object();

	json_object_set_new(object, "type", tm_report_type_json(report, group));
	json_object_set_new(object, "kind",
			    json_string(group->kind == TM_BUFFER ? "buffer" : "object"));
	json_object_set_new(object, "objects", tm_json_count(group->objects));
	json_object_set_new(object, "bytes", tm_json_count(group->bytes));
	json_object_set_new(object, "site", tm_report_site_json(report->model, group->site));
	json_object_set_new(object, "stack", tm_report_stack_json(report->model, group->site));
	json_object_set_new(object, "generations", json_integer(group->generations));
	json_object_set_new(object, "by_interval", by_interval_json(report, group));
	json_object_set_new(object, "ids", ids_json(group));
	return object;
}

static void groups_json(struct tm_json *json, const struct tm_report *report, const char *name,
			const struct tm_groups *groups)
{
	uint64_t shown = 0;

	tm_json_array(json, name);
	for (size_t i = 0; i < groups->count; i++)
		if (tm_report_shows(report, &groups->items[i], shown)) {
			tm_json_element(json, group_json(report, &groups->items[i]));
			shown++;
		}
	tm_json_array_end(json);
}

void tm_report_json(const struct tm_report *report, FILE *out)
{
	struct tm_json json = tm_json_open(out);

	tm_report_process_json(&json, report->reader);
	tm_report_span_json(&json, &report->diff->span);
	tm_report_notes_json(&json, report->notes, report->reader);
	tm_report_verdict_json(&json, report);
	tm_json_member(&json, "totals", totals_json(&report->diff->totals));
	tm_json_member(&json, "collections", tm_runs_sum_json(&report->diff->collections));
	groups_json(&json, report, "groups", report->groups);
	tm_report_growth_json(&json, report);
	groups_json(&json, report, "trash", report->trash);
	tm_report_garbage_json(&json, report);
	tm_json_close(&json);
}

/*
 * report_growth.c - what buffers of older objects grew by
 */
#include "paragraph.h"
#include "report.h"
#include "text.h"

bool tm_report_is_owned(const struct tm_report *report, const struct tm_group *group)
{
	return group->kind == TM_GROWN && group->type != tm_model_type(report->model, TM_BUFFER);
}

static json_t *group_json(const struct tm_report *report, const struct tm_group *group)
{
	json_t *object = json_object();

	json_object_set_new(object, "type",
			    tm_report_is_owned(report, group) ? tm_report_type_json(report, group)
							      : json_null());
	json_object_set_new(object, "kind", json_string("buffer"));
	json_object_set_new(object, "buffers", tm_json_count(group->objects));
	json_object_set_new(object, "bytes", tm_json_count(group->bytes));
	json_object_set_new(object, "site", tm_report_site_json(report->model, group->site));
	json_object_set_new(object, "stack", tm_report_stack_json(report->model, group->site));
	return object;
}

void tm_report_growth_json(struct tm_json *json, const struct tm_report *report)
{
	uint64_t shown = 0;

	tm_json_array(json, "growth");
	for (size_t i = 0; i < report->grown->count; i++)
		if (tm_report_shows(report, &report->grown->items[i], shown)) {
			tm_json_element(json, group_json(report, &report->grown->items[i]));
			shown++;
		}
	tm_json_array_end(json);
}

void tm_report_growth_text(const struct tm_report *report, FILE *out)
{
	struct tm_paragraph title;

	if (report->grown->count == 0)
		return;
	tm_paragraph_begin(&title);
	fputs("Grown since ", title.stream);
	tm_report_point_text(&report->diff->span.from, title.stream);
	fputs(" (buffers of older objects)", title.stream);
	fprintf(out, "\n%s", tm_text_style(out, TM_STYLE_BOLD));
	tm_paragraph_end(&title, out, "", "  ");
	fputs(tm_text_style(out, TM_STYLE_NONE), out);
	tm_report_groups_text(report, report->grown, TM_COLUMN_NONE, out);
}

/*
 * view.h - a story seen through the analyzer, for tests to ask about
 */
#ifndef TIDEMARK_TESTS_VIEW_H
#define TIDEMARK_TESTS_VIEW_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "groups.h"
#include "model.h"
#include "notes.h"
#include "points.h"
#include "reader.h"
#include "report.h"
#include "story.h"

struct view {
	struct tm_reader *reader;
	struct tm_model *model;
	struct tm_diff diff;
	struct tm_groups groups;
	struct tm_groups all;
	struct tm_groups grown;
	struct tm_groups trash;
	struct tm_groups garbage;
	struct tm_groups cyclic;
	struct tm_notes notes;
};

static inline struct tm_reader *open_story(const struct story *s)
{
	struct tm_reader *reader = NULL;
	struct tm_reader_why why = {""};

	if (tm_reader_open(s->path, &reader, &why) != 0)
		fail_msg("cannot open the story: %s", why.text);
	return reader;
}

/* All but the reader, which is there. */
static inline void view_fill(struct view *v, const char *from, const char *to, enum tm_group_by by,
			     const struct tm_filter *filter)
{
	static const struct tm_filter everything;
	struct tm_span span;

	assert_int_equal(tm_points_choose(v->reader, false, from, to, &span), 0);
	tm_diff_make(&v->diff, v->reader, &span);
	v->model = tm_model_new(v->reader);
	v->groups = tm_groups_make(&v->diff.kept, v->model, &v->diff.facts, by, filter);
	v->all = tm_groups_make(&v->diff.kept, v->model, &v->diff.facts, TM_BY_TYPE_AND_SITE,
				&everything);
	v->grown = tm_groups_make(&v->diff.grown, v->model, &v->diff.facts, by, filter);
	v->trash = tm_groups_make(&v->diff.trash, v->model, &v->diff.facts, by, filter);
	v->garbage = tm_garbage_groups(&v->diff.garbage, v->model, &v->diff.facts, by, filter);
	v->cyclic = tm_groups_make(&v->diff.cyclic.cells, v->model, &v->diff.facts, by, filter);
	tm_notes_span(&v->notes, &v->diff.span, &v->diff.facts);
	tm_notes_figures(&v->notes, &v->diff.span);
	tm_notes_recording(&v->notes, v->reader);
}

/* A report on all of it. */
static inline struct tm_report view_report(const struct view *v)
{
	static const struct tm_filter all;

	return (struct tm_report){.reader = v->reader,
				  .model = v->model,
				  .diff = &v->diff,
				  .groups = &v->groups,
				  .all = &v->all,
				  .grown = &v->grown,
				  .trash = &v->trash,
				  .garbage = &v->garbage,
				  .filter = &all,
				  .notes = &v->notes,
				  .state = "exited"};
}

static inline struct view view_filtered(const struct story *s, const char *from, const char *to,
					enum tm_group_by by, const struct tm_filter *filter)
{
	struct view v = {.reader = open_story(s)};

	view_fill(&v, from, to, by, filter);
	return v;
}

static inline struct view view_of(const struct story *s, const char *from, const char *to)
{
	static const struct tm_filter all;

	return view_filtered(s, from, to, TM_BY_TYPE_AND_SITE, &all);
}

static inline void view_end(struct view *v)
{
	tm_notes_free(&v->notes);
	tm_groups_free(&v->groups);
	tm_groups_free(&v->all);
	tm_groups_free(&v->grown);
	tm_groups_free(&v->trash);
	tm_groups_free(&v->garbage);
	tm_groups_free(&v->cyclic);
	tm_model_free(v->model);
	tm_diff_free(&v->diff);
	tm_reader_close(v->reader);
}

/* The sums from one point to the other. */
static inline struct tm_totals totals_of(const struct story *s, const char *from, const char *to)
{
	struct view v = view_of(s, from, to);
	struct tm_totals totals = v.diff.totals;

	view_end(&v);
	return totals;
}

static inline bool text_is(const struct view *v, uint32_t number, const char *text)
{
	struct tm_bytes bytes = tm_model_text(v->model, number);

	return bytes.size == strlen(text) && !memcmp(bytes.data, text, bytes.size);
}

/* The first group of a type; NULL when there is none. */
static inline const struct tm_group *group_in(const struct view *v, const struct tm_groups *groups,
					      const char *type)
{
	for (size_t i = 0; i < groups->count; i++)
		if (groups->items[i].type != TM_SEVERAL_TYPES &&
		    text_is(v, groups->items[i].type, type))
			return &groups->items[i];
	return NULL;
}

static inline const struct tm_group *group_of(const struct view *v, const char *type)
{
	const struct tm_group *group = group_in(v, &v->groups, type);

	if (!group)
		fail_msg("nothing of type %s survived", type);
	return group;
}

static inline void expect_group(const struct tm_group *group, uint64_t objects, uint64_t bytes)
{
	if (group->objects != objects || group->bytes != bytes)
		fail_msg("%" PRIu64 " objects of %" PRIu64 " bytes, expected %" PRIu64
			 " of %" PRIu64,
			 group->objects, group->bytes, objects, bytes);
}

/* So many of the type survived from one point to the other; 0 = none did. */
static inline void expect_survivors(const struct story *s, const char *from, const char *to,
				    const char *type, uint64_t objects, uint64_t bytes)
{
	struct view v = view_of(s, from, to);

	if (objects > 0)
		expect_group(group_of(&v, type), objects, bytes);
	else if (group_in(&v, &v.groups, type))
		fail_msg("%" PRIu64 " of type %s survived from %s to %s, expected none",
			 group_of(&v, type)->objects, type, from, to);
	view_end(&v);
}

static inline bool noted(const struct view *v, const char *part)
{
	for (size_t i = 0; i < v->notes.count; i++)
		if (strstr(v->notes.lines[i], part))
			return true;
	return false;
}

/* Setup and teardown of a test with a usual story in *state. */
static inline int story_setup(void **state)
{
	*state = story_begin(NULL);
	return 0;
}

static inline int story_teardown(void **state)
{
	story_end(*state);
	return 0;
}

#define STORY_TEST(f) cmocka_unit_test_setup_teardown(f, story_setup, story_teardown)

#endif

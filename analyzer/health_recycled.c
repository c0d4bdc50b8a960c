/*
 * health_recycled.c - types whose extension module was seen to recycle objects
 */
#include "health.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "jsonout.h"
#include "mem.h"
#include "text.h"

/* Types named in a sentence; JSON has all. */
#define NAMED 5u

struct recycled {
	struct tm_bytes name;
	uint64_t times;
};

struct list {
	struct recycled *items;
	size_t count, capacity;
};

static int by_name(const void *left, const void *right)
{
	const struct recycled *a = left, *b = right;
	size_t common = a->name.size < b->name.size ? a->name.size : b->name.size;
	int order = memcmp(a->name.data, b->name.data, common);

	return order ? order : (a->name.size > b->name.size) - (a->name.size < b->name.size);
}

static int by_times(const void *left, const void *right)
{
	const struct recycled *a = left, *b = right;

	if (a->times != b->times)
		return a->times < b->times ? 1 : -1;
	return by_name(left, right);
}

/* Types alike in name, such as a class made again, are one. */
static void merge(struct list *list)
{
	size_t kept = 0;

	if (list->count == 0)
		return;
	qsort(list->items, list->count, sizeof(*list->items), by_name);
	for (size_t i = 1; i < list->count; i++) {
		if (by_name(&list->items[kept], &list->items[i]) == 0)
			tm_cells_sum(&list->items[kept].times, list->items[i].times);
		else
			list->items[++kept] = list->items[i];
	}
	list->count = kept + 1;
}

/* The most often seen first.  Release `items` with free(). */
static struct list recycled_types(struct tm_reader *reader)
{
	uint32_t count = tm_reader_count(reader, TM_R_TYPES);
	struct list list = {0};

	for (uint32_t i = 1; i < count; i++) {
		const struct tm_type *type = tm_reader_type(reader, i);

		if (!type || type->recycled == 0)
			continue;
		list.items =
			tm_mem_grow(list.items, list.count, &list.capacity, sizeof(*list.items));
		list.items[list.count++] =
			(struct recycled){tm_reader_string(reader, type->name), type->recycled};
	}
	merge(&list);
	if (list.count > 0)
		qsort(list.items, list.count, sizeof(*list.items), by_times);
	return list;
}

static char *names(const struct list *list)
{
	char *text = tm_mem_string("");

	for (size_t i = 0; i < list->count && i < NAMED; i++) {
		const struct recycled *item = &list->items[i];
		char *longer = tm_mem_format("%s%s%.*s (%" PRIu64 ")", text, i ? ", " : "",
					     (int)item->name.size, item->name.data, item->times);

		free(text);
		text = longer;
	}
	if (list->count > NAMED) {
		char *longer = tm_mem_format("%s and %zu more", text, list->count - NAMED);

		free(text);
		text = longer;
	}
	return text;
}

char *tm_health_recycled(struct tm_reader *reader)
{
	struct list list = recycled_types(reader);
	char *text = NULL;

	if (list.count > 0) {
		char *named = names(&list);

		text = tm_mem_format("extension modules recycle the memory of %s (times seen): an "
				     "object found where an earlier one had died has no site, and "
				     "one that replaced it between two marks has the birth and "
				     "the site of the earlier one",
				     named);
		free(named);
	}
	free(list.items);
	return text;
}

json_t *tm_health_recycled_json(struct tm_reader *reader)
{
	struct list list = recycled_types(reader);
	json_t *array = json_array();

	for (size_t i = 0; i < list.count; i++) {
		json_t *object = json_object();

		json_object_set_new(object, "type", tm_json_bytes(list.items[i].name));
		json_object_set_new(object, "times", tm_json_count(list.items[i].times));
		json_array_append_new(array, object);
	}
	free(list.items);
	return array;
}

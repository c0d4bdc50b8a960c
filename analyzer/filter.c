/*
 * filter.c - --type and --file
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "mem.h"

/* A name with a NUL in it is compared up to there. */
static bool matches(const char *glob, struct tm_bytes text)
{
	char *name = tm_mem_bytes(text.data, text.size);
	bool result = fnmatch(glob, name, 0) == 0;

	free(name);
	return result;
}

static bool type_matches(const char *glob, struct tm_bytes type)
{
	static const char prefix[] = "builtins.";
	size_t length = sizeof(prefix) - 1;

	if (matches(glob, type))
		return true;
	if (type.size <= length || memcmp(type.data, prefix, length) != 0)
		return false;
	return matches(glob, (struct tm_bytes){type.data + length, type.size - length});
}

static bool file_matches(const char *glob, struct tm_bytes path)
{
	const char *slash = memrchr(path.data, '/', path.size);

	if (matches(glob, path))
		return true;
	if (!slash)
		return false;
	return matches(glob,
		       (struct tm_bytes){slash + 1, (size_t)(path.data + path.size - slash - 1)});
}

static bool passes_type(const char *glob, struct tm_model *model, uint64_t word)
{
	if (type_matches(glob, tm_model_text(model, tm_model_type(model, word))))
		return true;
	/* what grew goes by its owner's type, and is a buffer as well */
	return tm_word_kind(word) == TM_GROWN &&
	       type_matches(glob, tm_model_text(model, tm_model_type(model, TM_BUFFER)));
}

bool tm_filter_pass(const struct tm_filter *filter, struct tm_model *model, uint64_t word)
{
	struct tm_place place;

	if (filter->type && !passes_type(filter->type, model, word))
		return false;
	if (!filter->file)
		return true;
	return tm_model_place(model, tm_word_site(word), &place) &&
	       file_matches(filter->file, tm_model_text(model, place.file));
}

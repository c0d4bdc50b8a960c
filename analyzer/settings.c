#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "options.h"
#include "settings.h"

/* Limits of the recorder, which has no memory but fixed fields for these. */
#define TEXT_MAX   255
#define VALUE_MAX  2047
#define FRAMES_MAX 64
#define KEEP_MAX   1000000
#define BYTES_MAX  (1ull << 46)

/* One row per key; `accepts` says whether a value is one. */
struct setting {
	const char *key;
	bool (*accepts)(const char *value);
	const char *takes;
};

static bool in_range(const char *value, uint64_t least, uint64_t most)
{
	uint64_t number;

	return tm_options_number(value, &number) == 0 && number >= least && number <= most;
}

static bool is_signal(const char *value)
{
	uint64_t number;

	/* The C library keeps 32 and 33 for itself. */
	return in_range(value, 1, 64) && tm_options_number(value, &number) == 0 &&
	       number != SIGKILL && number != SIGSTOP && number != 32 && number != 33;
}

static bool is_collect(const char *value)
{
	return strcmp(value, "full") == 0 || strcmp(value, "none") == 0;
}

static bool is_frames(const char *value)
{
	return in_range(value, 1, FRAMES_MAX);
}

static bool is_keep(const char *value)
{
	return in_range(value, 0, KEEP_MAX);
}

static bool is_bytes(const char *value)
{
	size_t digits = strspn(value, "0123456789");
	uint64_t bytes;

	/* One letter at most, as the recorder reads it. */
	if (value[digits] != '\0' && (strchr("kKmMgG", value[digits]) == NULL || value[digits + 1]))
		return false;
	return tm_options_size(value, &bytes) == 0 && bytes >= 1 && bytes <= BYTES_MAX;
}

static bool is_text(const char *value)
{
	return *value != '\0' && strlen(value) <= TEXT_MAX;
}

static bool is_path(const char *value)
{
	return *value == '/' && is_text(value);
}

static bool is_log(const char *value)
{
	return strcmp(value, "stderr") == 0 || strcmp(value, "none") == 0 || is_path(value);
}

static const struct setting settings[] = {
	{"signal", is_signal, "a signal number from 1 to 64 that a program can handle"},
	{"collect", is_collect, "full or none"},
	{"frames", is_frames, "a number from 1 to 64"},
	{"dir", is_path, "an absolute path"},
	{"max", is_bytes, "a number of bytes, with k, M or G if you like"},
	{"include", is_text, "globs of command names, separated by ':'"},
	{"exclude", is_text, "globs of command names, separated by ':'"},
	{"keep", is_keep, "how many recordings of finished processes may stay"},
	{"log", is_log, "stderr, none, or an absolute path"},
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static char *known_keys(void)
{
	char *text = tm_mem_string("known are");

	for (size_t i = 0; i < SETTINGS; i++) {
		char *longer = tm_mem_format("%s%s %s", text, i ? "," : "", settings[i].key);

		free(text);
		text = longer;
	}
	return text;
}

static char *explain_unknown(const char *key, size_t length)
{
	char *known = known_keys();
	char *text = tm_mem_format("unknown key '%.*s'; %s", (int)length, key, known);

	free(known);
	return text;
}

char *tm_settings_check(const char *pair)
{
	size_t length = strcspn(pair, "=");
	const char *value = pair[length] == '=' ? pair + length + 1 : NULL;

	for (size_t i = 0; i < SETTINGS; i++) {
		if (strlen(settings[i].key) != length ||
		    strncmp(pair, settings[i].key, length) != 0)
			continue;
		if (value != NULL && settings[i].accepts(value))
			return NULL;
		return tm_mem_format("%s takes %s, not '%s'", settings[i].key, settings[i].takes,
				     value ? value : "");
	}
	return explain_unknown(pair, length);
}

char *tm_settings_check_all(const char *pairs)
{
	char *copy = tm_mem_string(pairs), *rest = copy, *pair, *why = NULL;

	if (strlen(pairs) > VALUE_MAX)
		why = tm_mem_format("longer than %d bytes", VALUE_MAX);
	while (why == NULL && (pair = strsep(&rest, ",")) != NULL)
		if (*pair != '\0')
			why = tm_settings_check(pair);
	free(copy);
	return why;
}

/* The last pair of @pairs with the key at @key; NULL without one. */
static const char *find_key(const char *pairs, const char *key, size_t key_length)
{
	const char *found = NULL;

	while (pairs != NULL && *pairs != '\0') {
		size_t length = strcspn(pairs, ",");

		if (length >= key_length && strncmp(pairs, key, key_length) == 0 &&
		    (pairs[key_length] == '=' || length == key_length))
			found = pairs;
		pairs += length + (pairs[length] == ',');
	}
	return found;
}

static void append(char **text, const char *pair)
{
	char *longer =
		tm_mem_format("%s%s%.*s", *text, **text ? "," : "", (int)strcspn(pair, ","), pair);

	free(*text);
	*text = longer;
}

/* Appends each key of @from once, with its newest value in @over or else in @from. */
static void append_all(char **text, const char *from, const char *over)
{
	while (from != NULL && *from != '\0') {
		size_t length = strcspn(from, ","), key = strcspn(from, "=,");
		const char *newest = find_key(over, from, key);

		if (length > 0 && find_key(*text, from, key) == NULL)
			append(text, newest ? newest : find_key(from, from, key));
		from += length + (from[length] == ',');
	}
}

char *tm_settings_merge(const char *base, const char *pairs)
{
	char *text = tm_mem_string("");

	append_all(&text, base, pairs);
	append_all(&text, pairs, pairs);
	return text;
}

char *tm_settings_preload(const char *library, const char *present)
{
	const char *slash = strrchr(library, '/'), *name = slash ? slash + 1 : library;
	char *text = tm_mem_string(library);
	char *copy = tm_mem_string(present ? present : ""), *rest = copy, *entry;

	while ((entry = strsep(&rest, ": ")) != NULL) {
		const char *entry_slash = strrchr(entry, '/');
		char *longer;

		if (*entry == '\0' || strcmp(entry_slash ? entry_slash + 1 : entry, name) == 0)
			continue;
		longer = tm_mem_format("%s:%s", text, entry);
		free(text);
		text = longer;
	}
	free(copy);
	return text;
}

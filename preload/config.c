#include "config.h"

#include "tidemark/layout.h"

#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One row per key: how to read its value, and what to say when that fails. */
struct key {
	const char *name;
	bool (*read)(struct tm_config *config, const char *value);
	const char *takes;
};

static bool read_number(const char *value, uint64_t least, uint64_t most, uint64_t *out)
{
	char *end;

	if (*value < '0' || *value > '9')
		return false;
	*out = strtoull(value, &end, 10);
	return *end == '\0' && *out >= least && *out <= most;
}

static bool read_signal(struct tm_config *config, const char *value)
{
	uint64_t number;

	/* Standard signals have meanings of their own; the C library keeps 32 and 33. */
	if (!read_number(value, 1, 64, &number) || number == SIGKILL || number == SIGSTOP ||
	    number == 32 || number == 33)
		return false;
	config->signal = (int)number;
	return true;
}

static bool read_collect(struct tm_config *config, const char *value)
{
	config->collect = strcmp(value, "full") == 0;
	return config->collect || strcmp(value, "none") == 0;
}

static bool read_frames(struct tm_config *config, const char *value)
{
	uint64_t number;

	if (!read_number(value, 1, TM_MAX_FRAMES, &number))
		return false;
	config->frames = (unsigned)number;
	return true;
}

static bool read_keep(struct tm_config *config, const char *value)
{
	uint64_t number;

	if (!read_number(value, 0, 1000000, &number))
		return false;
	config->keep = (unsigned)number;
	return true;
}

static bool read_max(struct tm_config *config, const char *value)
{
	char *end;
	unsigned shift = 0;
	unsigned long long number;

	if (*value < '0' || *value > '9')
		return false;
	number = strtoull(value, &end, 10);
	switch (*end) {
	case 'k':
	case 'K':
		shift = 10;
		break;
	case 'm':
	case 'M':
		shift = 20;
		break;
	case 'g':
	case 'G':
		shift = 30;
		break;
	case '\0':
		break;
	default:
		return false;
	}
	if (*end && end[1])
		return false;
	/* Less than this holds no recording at all. */
	if (number > (1ull << 46) >> shift || number << shift < 1ull << 20)
		return false;
	config->max = (uint64_t)number << shift;
	return true;
}

static bool copy_text(char *out, size_t size, const char *value)
{
	size_t length = strlen(value);

	if (length == 0 || length >= size)
		return false;
	memcpy(out, value, length + 1);
	return true;
}

static bool read_dir(struct tm_config *config, const char *value)
{
	return value[0] == '/' && copy_text(config->dir, sizeof(config->dir), value);
}

static bool read_include(struct tm_config *config, const char *value)
{
	return copy_text(config->include, sizeof(config->include), value);
}

static bool read_exclude(struct tm_config *config, const char *value)
{
	return copy_text(config->exclude, sizeof(config->exclude), value);
}

static bool read_log(struct tm_config *config, const char *value)
{
	if (strcmp(value, "stderr") != 0 && strcmp(value, "none") != 0 && value[0] != '/')
		return false;
	return copy_text(config->log, sizeof(config->log), value);
}

static const struct key keys[] = {
	{"signal", read_signal, "a signal number from 1 to 64 that a program can handle"},
	{"collect", read_collect, "full or none"},
	{"frames", read_frames, "a number from 1 to 64"},
	{"dir", read_dir, "an absolute path"},
	{"max", read_max, "a number of bytes from 1M up, with k, M or G if you like"},
	{"include", read_include, "globs of command names, separated by ':'"},
	{"exclude", read_exclude, "globs of command names, separated by ':'"},
	{"keep", read_keep, "how many recordings of finished processes may stay"},
	{"log", read_log, "stderr, none, or an absolute path"},
};

static bool read_pair(struct tm_config *config, char *pair, char *error, size_t error_size)
{
	char *value = strchr(pair, '=');

	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(pair, keys[i].name) != 0)
			continue;
		if (value && keys[i].read(config, value))
			return true;
		snprintf(error, error_size, "TIDEMARK: %s=%s: %s takes %s", pair,
			 value ? value : "", pair, keys[i].takes);
		return false;
	}
	snprintf(error, error_size,
		 "TIDEMARK: unknown key '%s'; known are signal, collect, frames, dir, max, "
		 "include, exclude, keep, log",
		 pair);
	return false;
}

bool tm_config_parse(const char *text, struct tm_config *out, char *error, size_t error_size)
{
	char copy[2048];
	char *rest = copy;
	char *pair;

	memset(out, 0, sizeof(*out));
	out->signal = TM_DEFAULT_SIGNAL;
	out->collect = true;
	out->frames = TM_DEFAULT_FRAMES;
	out->keep = TM_DEFAULT_KEEP;
	if (!text)
		return true;
	if (strlen(text) >= sizeof(copy)) {
		snprintf(error, error_size, "TIDEMARK: longer than %zu bytes", sizeof(copy) - 1);
		return false;
	}
	strcpy(copy, text);
	while ((pair = strsep(&rest, ",")) != NULL) {
		if (*pair && !read_pair(out, pair, error, error_size))
			return false;
	}
	return true;
}

static bool any_match(const char *globs, const char *const *names)
{
	char copy[256];
	char *rest = copy;
	char *glob;

	strcpy(copy, globs);
	while ((glob = strsep(&rest, ":")) != NULL) {
		for (const char *const *name = names; *name; name++) {
			if (*glob && fnmatch(glob, *name, 0) == 0)
				return true;
		}
	}
	return false;
}

bool tm_config_wants(const struct tm_config *config, const char *const *names)
{
	if (config->exclude[0] && any_match(config->exclude, names))
		return false;
	return !config->include[0] || any_match(config->include, names);
}

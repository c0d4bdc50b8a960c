/*
 * jsonout.c - jansson for the values, commas and brackets by hand
 */
#include "jsonout.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "mem.h"
#include "text.h"

/* Sixteen digits: microseconds in a time of today, and no 0.30000000000000004. */
#define FLAGS (JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(16))

static void put(struct tm_json *json, json_t *value)
{
	json_dumpf(value, json->out, FLAGS);
	json_decref(value);
}

static void put_name(struct tm_json *json, const char *name)
{
	if (json->more)
		fputc(',', json->out);
	json->more = true;
	fprintf(json->out, "\n\"%s\":", name);
}

struct tm_json tm_json_open(FILE *out)
{
	struct tm_json json = {out, false};

	fputc('{', out);
	tm_json_member(&json, "tidemark", json_integer(TM_JSON_SCHEMA));
	return json;
}

void tm_json_close(struct tm_json *json)
{
	fputs("\n}\n", json->out);
}

void tm_json_member(struct tm_json *json, const char *name, json_t *value)
{
	put_name(json, name);
	put(json, value);
}

void tm_json_array(struct tm_json *json, const char *name)
{
	put_name(json, name);
	fputc('[', json->out);
	json->more = false;
}

void tm_json_element(struct tm_json *json, json_t *value)
{
	fputs(json->more ? ",\n " : "\n ", json->out);
	json->more = true;
	put(json, value);
}

void tm_json_elementf(struct tm_json *json, const char *fmt, ...)
{
	va_list args;

	fputs(json->more ? ",\n " : "\n ", json->out);
	json->more = true;
	va_start(args, fmt);
	vfprintf(json->out, fmt, args);
	va_end(args);
}

char *tm_json_text(json_t *value)
{
	char *text = json_dumps(value, FLAGS);
	char *copy = tm_mem_string(text ? text : "null");

	free(text);
	json_decref(value);
	return copy;
}

void tm_json_array_end(struct tm_json *json)
{
	fputc(']', json->out);
	json->more = true;
}

json_t *tm_json_bytes(struct tm_bytes bytes)
{
	return tm_text_json(bytes.data, bytes.size);
}

json_t *tm_json_count(uint64_t count)
{
	return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

json_t *tm_json_seconds(uint64_t ns)
{
	return json_real((double)ns / 1e9);
}

json_t *tm_json_time(uint64_t realtime_ns)
{
	return realtime_ns ? tm_json_seconds(realtime_ns) : json_null();
}

json_t *tm_json_address(uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	return json_string(text);
}

/*
 * text.c - cleaning of data that others chose
 */
#include <jansson.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "mem.h"
#include "text.h"

void tm_text_init(void)
{
	/* Formats, collation and messages stay in "C": scripts read what is printed. */
	if (setlocale(LC_CTYPE, "") != NULL && strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		return;
	setlocale(LC_CTYPE, "C.UTF-8");
}

/* Smallest code point that needs this many bytes; less is an overlong form. */
static const uint32_t first_of_length[5] = {0, 0, 0x80, 0x800, 0x10000};

static unsigned sequence_length(uint8_t lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 4;
	return 0;
}

/* Length of the valid UTF-8 sequence at @p, of at most @left bytes; 0 = there is none. */
static unsigned decode(const uint8_t *p, size_t left, uint32_t *out)
{
	unsigned length = sequence_length(p[0]);
	uint32_t code;

	if (length == 0 || length > left)
		return 0;
	code = length == 1 ? p[0] : p[0] & (0x7fu >> length);
	for (unsigned i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < first_of_length[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*out = code;
	return length;
}

struct range {
	uint32_t first, last;
};

/*
 * What must not reach a terminal as it is: controls, line and paragraph separators,
 * format characters (Unicode category Cf: direction overrides, zero-width and tag
 * characters), fillers that show as nothing, and noncharacters.
 */
static const struct range unsafe[] = {
	{0x0000, 0x001f},   {0x007f, 0x009f},	{0x00ad, 0x00ad},   {0x034f, 0x034f},
	{0x0600, 0x0605},   {0x061c, 0x061c},	{0x06dd, 0x06dd},   {0x070f, 0x070f},
	{0x0890, 0x0891},   {0x08e2, 0x08e2},	{0x115f, 0x1160},   {0x17b4, 0x17b5},
	{0x180e, 0x180e},   {0x200b, 0x200f},	{0x2028, 0x202e},   {0x2060, 0x206f},
	{0x3164, 0x3164},   {0xfdd0, 0xfdef},	{0xfeff, 0xfeff},   {0xffa0, 0xffa0},
	{0xfff0, 0xfffb},   {0xfffe, 0xffff},	{0x110bd, 0x110bd}, {0x110cd, 0x110cd},
	{0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

static bool is_safe(uint32_t code)
{
	if ((code & 0xfffe) == 0xfffe)
		return false;
	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++)
		if (code <= unsafe[i].last)
			return code < unsafe[i].first;
	return true;
}

char *tm_text_clean(const void *bytes, size_t length)
{
	const uint8_t *p = bytes;
	/* At worst each byte becomes the four characters of \xNN. */
	char *clean = tm_mem_array(length + 1, 4);
	char *end = clean;
	uint32_t code;

	for (size_t i = 0; i < length;) {
		unsigned sequence = decode(p + i, length - i, &code);

		if (sequence > 0 && is_safe(code)) {
			memcpy(end, p + i, sequence);
			end += sequence;
			i += sequence;
			continue;
		}
		for (sequence = sequence ? sequence : 1; sequence > 0; sequence--)
			end += sprintf(end, "\\x%02x", p[i++]);
	}
	*end = '\0';
	return clean;
}

void tm_text_put(FILE *out, const void *bytes, size_t length)
{
	char *clean = tm_text_clean(bytes, length);

	fputs(clean, out);
	free(clean);
}

/* Columns of one character; what the locale does not know takes one. */
static size_t columns_of(uint32_t code)
{
	int width = wcwidth((wchar_t)code);

	return width < 0 ? 1 : (size_t)width;
}

size_t tm_text_width(const char *clean)
{
	const uint8_t *p = (const uint8_t *)clean;
	size_t left = strlen(clean), width = 0;
	uint32_t code = 0;

	while (left > 0) {
		unsigned length = decode(p, left, &code);

		width += length ? columns_of(code) : 1;
		p += length ? length : 1;
		left -= length ? length : 1;
	}
	return width;
}

/* Bytes at the start of @p that fit into @columns. */
static size_t head_fitting(const uint8_t *p, size_t length, size_t columns)
{
	size_t taken = 0, width = 0;
	uint32_t code = 0;

	while (taken < length) {
		unsigned step = decode(p + taken, length - taken, &code);

		width += step ? columns_of(code) : 1;
		if (width > columns)
			break;
		taken += step ? step : 1;
	}
	return taken;
}

/* Where the longest tail of @p begins that fits into @columns. */
static size_t tail_fitting(const uint8_t *p, size_t length, size_t columns)
{
	for (size_t start = 0; start < length;) {
		uint32_t code;
		unsigned step = decode(p + start, length - start, &code);

		if (tm_text_width((const char *)p + start) <= columns)
			return start;
		start += step ? step : 1;
	}
	return length;
}

char *tm_text_shorten(const char *clean, size_t columns)
{
	const uint8_t *p = (const uint8_t *)clean;
	size_t length = strlen(clean), head, tail;

	if (tm_text_width(clean) <= columns)
		return tm_mem_string(clean);
	if (columns == 0)
		return tm_mem_string("");
	/* A third for the start, the rest for the end, one column for the ellipsis. */
	head = head_fitting(p, length, (columns - 1) / 3);
	tail = tail_fitting(p, length, columns - 1 - (columns - 1) / 3);
	return tm_mem_format("%.*s\u2026%s", (int)head, clean, clean + tail);
}

bool tm_text_is_utf8(const void *bytes, size_t length)
{
	const uint8_t *p = bytes;
	uint32_t code;

	while (length > 0) {
		unsigned step = decode(p, length, &code);

		if (step == 0)
			return false;
		p += step;
		length -= step;
	}
	return true;
}

struct json_t *tm_text_json(const void *bytes, size_t length)
{
	static const char replacement[] = "\xef\xbf\xbd";
	const uint8_t *p = bytes;
	char *valid = tm_mem_array(length + 1, sizeof(replacement) - 1);
	char *end = valid;
	uint32_t code;
	json_t *value;

	for (size_t i = 0; i < length;) {
		unsigned step = decode(p + i, length - i, &code);

		if (step > 0) {
			memcpy(end, p + i, step);
			end += step;
		} else {
			memcpy(end, replacement, sizeof(replacement) - 1);
			end += sizeof(replacement) - 1;
		}
		i += step ? step : 1;
	}
	value = json_stringn(valid, (size_t)(end - valid));
	free(valid);
	return value ? value : json_null();
}

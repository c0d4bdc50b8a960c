/*
 * lines.c - decode the three line-table formats of CPython 3.8 and newer
 *
 * Written after the descriptions in CPython's Objects/lnotab_notes.txt and
 * Objects/locations.md.  Tables come from the recording, so nothing in them is believed:
 * every read is bounded, and sums are kept in 64 bits, which no table is long enough to
 * overflow (each step adds less than 2^36).
 */
#include "lines.h"

#include <stdbool.h>

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
};

/* What holds for the instructions in [start, end). */
struct range {
	uint64_t start;
	uint64_t end;
	int64_t line; /* 0 = belongs to no line */
};

static uint32_t plausible(int64_t line)
{
	return line > 0 && line <= INT32_MAX ? (uint32_t)line : 0;
}

/* 3.8, 3.9: (instruction delta, signed line delta), no end and no instruction without line. */
static uint32_t find_lnotab(struct cursor c, int64_t line, uint32_t offset)
{
	uint64_t at = 0;

	while (c.end - c.at >= 2) {
		at += c.at[0];
		if (at > offset)
			break;
		line += (int8_t)c.at[1];
		c.at += 2;
	}
	return plausible(line);
}

/* 3.10: (length of the range, signed line delta); -128 = the range has no line. */
static bool next_linetable(struct cursor *c, struct range *r, int64_t *line)
{
	int8_t delta;

	if (c->end - c->at < 2)
		return false;
	r->start = r->end;
	r->end += c->at[0];
	delta = (int8_t)c->at[1];
	c->at += 2;
	if (delta != -128)
		*line += delta;
	r->line = delta == -128 ? 0 : *line;
	return true;
}

/* Six bits a byte, low ones first; bit 6 says that more follow. */
static uint64_t varint(struct cursor *c)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte = 0x40;

	while ((byte & 0x40) && c->at < c->end && !(*c->at & 0x80) && shift < 36) {
		byte = *c->at++;
		value |= (uint64_t)(byte & 0x3f) << shift;
		shift += 6;
	}
	return value;
}

/* The sign is the lowest bit. */
static int64_t signed_varint(struct cursor *c)
{
	uint64_t value = varint(c);
	int64_t half = (int64_t)(value >> 1);

	return value & 1 ? -half : half;
}

enum location_kind {
	LOCATION_ONE_LINE = 10, /* 10..12: the line moves by 0..2 */
	LOCATION_NO_COLUMNS = 13,
	LOCATION_LONG = 14,
	LOCATION_NONE = 15,
};

/*
 * 3.11 and newer: entries whose first byte alone has bit 7 set: kind and length, in code
 * units of two bytes.  Columns are skipped.
 */
static bool next_location(struct cursor *c, struct range *r, int64_t *line)
{
	unsigned kind;

	while (c->at < c->end && !(*c->at & 0x80))
		c->at++;
	if (c->at == c->end)
		return false;
	kind = (*c->at >> 3) & 0xf;
	r->start = r->end;
	r->end += 2u * ((*c->at & 7u) + 1u);
	c->at++;
	if (kind == LOCATION_LONG || kind == LOCATION_NO_COLUMNS)
		*line += signed_varint(c);
	else if (kind >= LOCATION_ONE_LINE && kind < LOCATION_NO_COLUMNS)
		*line += kind - LOCATION_ONE_LINE;
	r->line = kind == LOCATION_NONE ? 0 : *line;
	return true;
}

static uint32_t find_range(struct cursor c, int64_t line, uint32_t offset,
			   bool (*next)(struct cursor *, struct range *, int64_t *))
{
	struct range r = {0, 0, 0};
	int64_t last = line; /* of the ranges passed that have one */

	while (next(&c, &r, &line)) {
		if (r.line)
			last = r.line;
		if (offset >= r.start && offset < r.end)
			return plausible(last);
	}
	return 0;
}

uint32_t tm_lines_find(enum tm_line_format format, const void *table, size_t size,
		       int32_t first_line, uint32_t offset)
{
	struct cursor c = {table, (const uint8_t *)table + size};

	switch (format) {
	case TM_LINES_LNOTAB:
		return find_lnotab(c, first_line, offset);
	case TM_LINES_LINETABLE:
		return find_range(c, first_line, offset, next_linetable);
	case TM_LINES_LOCATIONS:
		return find_range(c, first_line, offset, next_location);
	case TM_LINES_NONE:
		break;
	}
	return 0;
}

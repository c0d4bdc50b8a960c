/*
 * utf8.h - a code point as UTF-8, as both sides write what they read from CPython's str
 */
#ifndef TIDEMARK_UTF8_H
#define TIDEMARK_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define TM_UTF8_MOST 4 /* bytes of one */

/*
 * tm_utf8_put - write code point @c, surrogates as they are, to @out, which has room for
 * TM_UTF8_MOST bytes
 * Returns how many were written.  Async-signal-safe.
 */
static inline size_t tm_utf8_put(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | (c >> 18 & 7));
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

#endif

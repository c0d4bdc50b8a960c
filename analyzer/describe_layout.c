/*
 * describe_layout.c - offsets, in bytes, of GIL builds on x86-64
 *
 * Computed with offsetof() from the headers of 3.8.18, 3.9.18, 3.10.13, 3.11.7, 3.12.1, 3.13.0,
 * 3.13.18, 3.14.10 and 3.15.2: Include/cpython/unicodeobject.h, Include/cpython/object.h,
 * Include/internal/pycore_dict.h (Objects/dict-common.h before 3.11), pycore_object.h.
 */
#include "describe_layout.h"

#include <stddef.h>

static const struct tm_describe_layout layouts[] = {
	{0x0308, 48, 72, 872, false, 32, 40, 0, TM_MANAGED_NONE},
	{0x0309, 48, 72, 864, false, 32, 40, 0, TM_MANAGED_NONE},
	{0x030a, 48, 72, 872, false, 32, 40, 0, TM_MANAGED_NONE},
	{0x030b, 48, 72, 872, true, 24, 32, 0, TM_MANAGED_TWO},
	{0x030c, 40, 56, 880, true, 24, 32, 0, TM_MANAGED_TAGGED},
	{0x030d, 40, 56, 880, true, 24, 32, 8, TM_MANAGED_INLINE},
	{0x030e, 40, 56, 880, true, 24, 32, 8, TM_MANAGED_INLINE},
	{0x030f, 40, 56, 888, true, 24, 32, 8, TM_MANAGED_INLINE},
};

const struct tm_describe_layout *tm_describe_layout(uint32_t python_hex)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].version == python_hex >> 16)
			return &layouts[i];
	return NULL;
}

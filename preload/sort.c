#include "sort.h"

#include <string.h>

#define DIGIT	 8
#define DIGITS	 (1u << DIGIT)
#define LAST_BIT 48

/* The bits in which the addresses differ; 0 also when they are in order already. */
static uintptr_t to_sort_by(const struct tm_placed *placed, size_t count)
{
	uintptr_t differ = 0;
	bool sorted = true;

	for (size_t i = 1; i < count; i++) {
		differ |= placed[i].address ^ placed[0].address;
		sorted = sorted && placed[i - 1].address <= placed[i].address;
	}
	return sorted ? 0 : differ;
}

static void by_digit(const struct tm_placed *from, struct tm_placed *to, size_t count,
		     unsigned shift)
{
	size_t starts[DIGITS], next = 0;

	memset(starts, 0, sizeof(starts));
	for (size_t i = 0; i < count; i++)
		starts[from[i].address >> shift & (DIGITS - 1)]++;
	for (unsigned digit = 0; digit < DIGITS; digit++) {
		size_t of_digit = starts[digit];

		starts[digit] = next;
		next += of_digit;
	}
	for (size_t i = 0; i < count; i++)
		to[starts[from[i].address >> shift & (DIGITS - 1)]++] = from[i];
}

struct tm_placed *tm_sort(struct tm_placed *placed, struct tm_placed *scratch, size_t count)
{
	uintptr_t differ = to_sort_by(placed, count);

	for (unsigned shift = 0; shift < LAST_BIT; shift += DIGIT) {
		struct tm_placed *sorted = scratch;

		if (!(differ >> shift & (DIGITS - 1)))
			continue;
		by_digit(placed, sorted, count, shift);
		scratch = placed;
		placed = sorted;
	}
	return placed;
}

/*
 * text_number.c - counts, bytes and times as people read them
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "mem.h"
#include "text.h"

/* Digits in groups of three at @end, at most 26 characters and NUL. */
static void put_grouped(char *end, uint64_t count)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, count);

	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			*end++ = ',';
		*end++ = digits[i];
	}
	*end = '\0';
}

char *tm_text_count(char buf[TM_TEXT_NUMBER], uint64_t count)
{
	put_grouped(buf, count);
	return buf;
}

char *tm_text_signed(char buf[TM_TEXT_NUMBER], int64_t count)
{
	char *digits = buf;

	if (count != 0)
		*digits++ = count < 0 ? '-' : '+';
	/* The most negative number has no negation that is signed. */
	put_grouped(digits, count < 0 ? -(uint64_t)count : (uint64_t)count);
	return buf;
}

char *tm_text_bytes(char buf[TM_TEXT_NUMBER], uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(buf, TM_TEXT_NUMBER, "%" PRIu64 " B", bytes);
		return buf;
	}
	/* 1023.95 would be printed as "1024.0". */
	while (value >= 1023.95 && unit < sizeof(units) / sizeof(units[0]) - 1) {
		value /= 1024;
		unit++;
	}
	snprintf(buf, TM_TEXT_NUMBER, "%.1f %s", value, units[unit]);
	return buf;
}

char *tm_text_duration(char buf[TM_TEXT_NUMBER], uint64_t ns)
{
	uint64_t seconds = (ns + 500000000) / 1000000000;

	if (ns < 1000)
		snprintf(buf, TM_TEXT_NUMBER, "%" PRIu64 " ns", ns);
	else if (ns < 10000000)
		snprintf(buf, TM_TEXT_NUMBER, "%.2f ms", (double)ns / 1e6);
	else if (ns < 999500000)
		snprintf(buf, TM_TEXT_NUMBER, "%.0f ms", (double)ns / 1e6);
	else if (ns < 59950000000)
		snprintf(buf, TM_TEXT_NUMBER, "%.1f s", (double)ns / 1e9);
	else if (seconds < 3600)
		snprintf(buf, TM_TEXT_NUMBER, "%" PRIu64 " min %02" PRIu64 " s", seconds / 60,
			 seconds % 60);
	else if (seconds < 86400)
		snprintf(buf, TM_TEXT_NUMBER, "%" PRIu64 " h %02" PRIu64 " min", seconds / 3600,
			 seconds / 60 % 60);
	else
		snprintf(buf, TM_TEXT_NUMBER, "%" PRIu64 " d %02" PRIu64 " h", seconds / 86400,
			 seconds / 3600 % 24);
	return buf;
}

/* A damaged recording may hold a year that has no calendar: false. */
static bool local_time(uint64_t realtime_ns, struct tm *local)
{
	time_t seconds = (time_t)(realtime_ns / 1000000000);

	return localtime_r(&seconds, local) != NULL;
}

char *tm_text_time(char buf[TM_TEXT_NUMBER], uint64_t realtime_ns)
{
	struct tm local;

	if (!local_time(realtime_ns, &local) ||
	    strftime(buf, TM_TEXT_NUMBER, "%Y-%m-%d %H:%M:%S", &local) == 0)
		strcpy(buf, "?");
	return buf;
}

char *tm_text_clock(char buf[TM_TEXT_NUMBER], uint64_t realtime_ns)
{
	struct tm local;

	if (!local_time(realtime_ns, &local) ||
	    strftime(buf, TM_TEXT_NUMBER, "%H:%M:%S", &local) == 0)
		strcpy(buf, "?");
	return buf;
}

char *tm_text_plural(uint64_t count, const char *one, const char *many)
{
	char number[TM_TEXT_NUMBER];

	return tm_mem_format("%s %s", tm_text_count(number, count), count == 1 ? one : many);
}

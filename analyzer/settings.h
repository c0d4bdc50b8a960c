/*
 * settings.h - the value of TIDEMARK: checked here before the recorder sees it
 */
#ifndef TM_SETTINGS_H
#define TM_SETTINGS_H

#include <stdbool.h>

/*
 * tm_settings_check - is "key=value" something the recorder takes?
 *
 * Returns NULL when it is, else one clause that says why not, to be released with free().
 */
char *tm_settings_check(const char *pair);

/*
 * tm_settings_merge - lay @pairs over @base, key by key; both are "key=value,..."
 *
 * A key keeps its place; new ones come last.  Either may be NULL.  Release with free().
 */
char *tm_settings_merge(const char *base, const char *pairs);

/* Checks each pair of a whole value; answers as tm_settings_check(). */
char *tm_settings_check_all(const char *pairs);

/* A colon or space separated LD_PRELOAD with @library in front, other copies of it dropped. */
char *tm_settings_preload(const char *library, const char *present);

#endif

/*
 * config.h - what TIDEMARK="key=value,..." asks for
 */
#ifndef TIDEMARK_CONFIG_H
#define TIDEMARK_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TM_MAX_FRAMES	  64
#define TM_DEFAULT_FRAMES 4
#define TM_DEFAULT_KEEP	  32

struct tm_config {
	int signal;	   /* number of the mark signal */
	bool collect;	   /* a full collection before each mark */
	unsigned frames;   /* Python frames kept per site, 1..TM_MAX_FRAMES */
	unsigned keep;	   /* recordings of finished processes left in the directory */
	uint64_t max;	   /* bytes of shared memory at most; 0 = a quarter of the machine's */
	char dir[256];	   /* empty = the usual places */
	char include[256]; /* ':'-separated globs; empty = every command */
	char exclude[256];
	char log[256];
};

/*
 * tm_config_parse - read a TIDEMARK value
 * @text:  the value; NULL or empty gives the defaults
 * @out:   always filled in, as far as the text could be understood
 * @error: on failure one sentence that names the key and what it takes
 *
 * Returns true, or false with @error set.  Does not allocate.
 */
bool tm_config_parse(const char *text, struct tm_config *out, char *error, size_t error_size);

/*
 * tm_config_wants - whether a command with any of these names is to be recorded
 * @names: NULL-terminated: the program's base name, its script's base name...
 */
bool tm_config_wants(const struct tm_config *config, const char *const *names);

#endif

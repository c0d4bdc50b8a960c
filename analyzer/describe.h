/*
 * describe.h - what kind of thing an object of a live process is: type, length, attribute names
 *
 * Read from outside with process_vm_readv(), without the process's help and while it runs, so
 * whatever is read may be half written or no object any more.  Every pointer is only an address
 * to ask the kernel for, every length is bounded, every chain ends.  Values are never read.
 */
#ifndef TIDEMARK_DESCRIBE_H
#define TIDEMARK_DESCRIBE_H

#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "reader.h"

struct tm_describer;

/*
 * @header: of the recording: which Python it is
 * Returns NULL when nothing is known of how that version's objects lie in memory.  Release with
 * tm_describe_end().
 */
struct tm_describer *tm_describe_begin(pid_t pid, const struct tm_header *header);
void tm_describe_end(struct tm_describer *describer);

/*
 * tm_describe - {"type", "length", "attributes"} of the object at an address
 * @type: the name that the recording has for its type; another one there is no description
 *
 * "length" is null for what has none, "attributes" (those of the object itself, at most
 * TM_DESCRIBE_MOST_NAMES) when they cannot be read.  Returns a new reference, to JSON's null
 * where nothing can be said.
 */
#define TM_DESCRIBE_MOST_NAMES 100u
json_t *tm_describe(struct tm_describer *describer, uint64_t address, struct tm_bytes type);

/* errno of the first read that was not permitted; 0 = none was refused. */
int tm_describe_refused(const struct tm_describer *describer);

#endif

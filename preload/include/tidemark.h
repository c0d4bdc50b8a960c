/*
 * tidemark.h - what a program may call in the recorder that was preloaded into it
 *
 * From Python: ctypes.CDLL(None).tidemark_mark(b"warm").
 */
#ifndef TIDEMARK_H
#define TIDEMARK_H

/*
 * tidemark_mark - set a mark now
 * @name: up to 255 bytes, NULL or "" for none
 *
 * Returns the mark's number; -1 when this process is not recorded, the name is too long, or
 * there are 65534 marks already.  Thread-safe and async-signal-safe.  The interval changes before
 * it returns; the collection that belongs to the mark is made by the main thread soon after.
 */
int tidemark_mark(const char *name);

/* tidemark_version - that of the recorder, as tidemark --version prints it: "1.0.0"; static. */
const char *tidemark_version(void);

#endif

/*
 * proc.h - what /proc says about processes, and which recordings are of finished ones
 */
#ifndef TIDEMARK_PROC_H
#define TIDEMARK_PROC_H

#include <stddef.h>
#include <stdint.h>

/* Start time of a process in clock ticks since boot (field 22 of stat); 0 = no such process. */
uint64_t tm_proc_start_ticks(int pid);

/* The machine's boot, 16 bytes; all zero when it cannot be read. */
void tm_proc_boot_id(uint8_t out[16]);

/* Inode of this process's pid namespace; 0 when it cannot be read. */
uint64_t tm_proc_pid_namespace(void);

/* Resident memory of this process in bytes, as the kernel keeps count; 0 = cannot be read. */
uint64_t tm_proc_rss(void);

/*
 * The same, counted page by page: some milliseconds for each gigabyte.  0 when it cannot be read
 * (before Linux 4.14).
 */
uint64_t tm_proc_rss_exact(void);

/* tm_proc_read - the first @size bytes of a file; returns how many, 0 on any error. */
size_t tm_proc_read(const char *path, char *out, size_t size);

/*
 * tm_proc_prune - remove recordings of finished processes but the newest @keep of them
 *
 * Only files in @dir that are named like recordings, belong to this user and were made in
 * this pid namespace; everything else is left alone.  Uses opendir(): not for hot paths.
 */
void tm_proc_prune(const char *dir, unsigned keep);

#endif

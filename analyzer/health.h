/*
 * health.h - what a recorder lost or could not see, in words
 */
#ifndef TM_HEALTH_H
#define TM_HEALTH_H

#include <stdint.h>

#include <tidemark/layout.h>

/* A name of the lowest blind bit in *bits, which is cleared there; NULL when none is left. */
const char *tm_health_next_blind(uint32_t *bits);

/* The name of a loss counter; NULL past the last. */
const char *tm_health_loss_name(unsigned loss);

/* "tracer", "allocator"; "?" for nonsense. */
const char *tm_health_family(const struct tm_header *header);

/* "no_space 12, sites 3"; empty when nothing was lost.  Release with free(). */
char *tm_health_losses(const struct tm_header *header);

/* "stacks, floats"; empty when it sees all.  Release with free(). */
char *tm_health_blind(const struct tm_header *header);

/* What the user should know at first sight; empty when all is well.  Release with free(). */
char *tm_health_alarm(const struct tm_header *header);

#endif

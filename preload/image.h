/*
 * image.h - which loaded program or library an address belongs to
 */
#ifndef TIDEMARK_IMAGE_H
#define TIDEMARK_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

struct tm_image {
	uintptr_t start; /* first and one past the last mapped byte */
	uintptr_t end;
	const void *map; /* struct link_map * */
};

/*
 * tm_image_of - find the image that holds @address
 *
 * Takes no lock where the C library offers that (glibc 2.35), the loader's otherwise.
 * Returns false when the address lies in no image.
 */
bool tm_image_of(const void *address, struct tm_image *out);

/*
 * tm_image_exports - whether the image itself defines @symbol for others
 *
 * Reads the image's own hash table: no lock, no allocation, no error state, so that it
 * may be asked from inside any program's pthread_mutex_init().
 */
bool tm_image_exports(const struct tm_image *image, const char *symbol);

/* tm_image_open - a handle for dlsym() on this image; NULL if the loader does not give one. */
void *tm_image_open(const struct tm_image *image);

#endif

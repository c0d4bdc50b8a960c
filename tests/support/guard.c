/*
 * guard.c - memory that ends at an unmapped page
 */
#include "guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard {
	char *pages;
	size_t mapped;
	const char *data;
};

struct guard *guard_new(const void *bytes, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t room = (size + page - 1) / page * page;
	struct guard *g = malloc(sizeof(*g));
	char *pages =
		mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!g || pages == MAP_FAILED) {
		perror("guard");
		abort();
	}
	memcpy(pages + room - size, bytes, size);
	if (mprotect(pages, room + page, PROT_READ) || mprotect(pages + room, page, PROT_NONE)) {
		perror("guard");
		abort();
	}
	*g = (struct guard){pages, room + page, pages + room - size};
	return g;
}

const void *guard_data(const struct guard *g)
{
	return g->data;
}

void guard_free(struct guard *g)
{
	munmap(g->pages, g->mapped);
	free(g);
}

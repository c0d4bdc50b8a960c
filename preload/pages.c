#include "pages.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGE  4096ull
#define HUGE  (4ull << 20)
#define LARGE (64ull << 10) /* what is smaller is touched as a whole, soon or at once */

enum {
	MAPPINGS = 256, /* large ones known; a program with more has them counted whole */
	LOOK = 4096,	/* pages asked about at a time */
};

static struct {
	_Atomic uintptr_t address; /* 0 = free */
	_Atomic uint64_t bytes;
} mappings[MAPPINGS];

static _Atomic uint64_t whole; /* bytes of mappings that are not among these */

static uint64_t whole_pages(uint64_t bytes)
{
	return (bytes + PAGE - 1) / PAGE * PAGE;
}

/* Whether there was a place for it. */
static bool remember(uintptr_t address, uint64_t bytes)
{
	for (unsigned i = 0; i < MAPPINGS; i++) {
		uintptr_t unused = 0;

		if (atomic_compare_exchange_strong(&mappings[i].address, &unused, address)) {
			tm_publish(&mappings[i].bytes, bytes);
			return true;
		}
	}
	return false;
}

static bool forget(uintptr_t address)
{
	for (unsigned i = 0; i < MAPPINGS; i++) {
		if (tm_get(&mappings[i].address) == address) {
			tm_put(&mappings[i].bytes, 0);
			tm_publish(&mappings[i].address, 0);
			return true;
		}
	}
	return false;
}

void *tm_pages(size_t bytes)
{
	int saved = errno;
	void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	/* Fewer page faults, where the system has them; nothing but slower where not. */
	if (pages != MAP_FAILED && bytes >= HUGE)
		madvise(pages, bytes, MADV_HUGEPAGE);
	errno = saved;
	if (pages == MAP_FAILED)
		return NULL;
	if (bytes < LARGE || !remember((uintptr_t)pages, whole_pages(bytes)))
		atomic_fetch_add_explicit(&whole, whole_pages(bytes), memory_order_relaxed);
	return pages;
}

void tm_pages_free(void *pages, size_t bytes)
{
	int saved = errno;

	/* Before its addresses may be another's. */
	if (bytes < LARGE || !forget((uintptr_t)pages))
		atomic_fetch_sub_explicit(&whole, whole_pages(bytes), memory_order_relaxed);
	munmap(pages, bytes);
	errno = saved;
}

static uint64_t resident_in(uintptr_t address, uint64_t bytes)
{
	unsigned char in[LOOK];
	uint64_t found = 0;

	for (uint64_t at = 0; at < bytes; at += LOOK * PAGE) {
		uint64_t most = bytes - at < LOOK * PAGE ? bytes - at : LOOK * PAGE;

		if (mincore((void *)(address + at), most, in) != 0)
			return bytes;
		for (uint64_t i = 0; i < most / PAGE; i++)
			found += in[i] & 1 ? PAGE : 0;
	}
	return found;
}

uint64_t tm_pages_resident(void)
{
	uint64_t found = tm_get(&whole);
	int saved = errno;

	for (unsigned i = 0; i < MAPPINGS; i++) {
		uint64_t bytes = atomic_load(&mappings[i].bytes);
		uintptr_t address = tm_get(&mappings[i].address);

		if (bytes && address)
			found += resident_in(address, bytes);
	}
	errno = saved;
	return found;
}

#include "image.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>

static bool image_by_dladdr(const void *address, struct tm_image *out)
{
	Dl_info info;
	struct link_map *map;
	const ElfW(Ehdr) * header;
	const ElfW(Phdr) * segment;

	if (!dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) || !map)
		return false;
	header = info.dli_fbase;
	segment = (const void *)((uintptr_t)header + header->e_phoff);
	out->map = map;
	out->start = (uintptr_t)header;
	out->end = out->start;
	for (unsigned i = 0; i < header->e_phnum; i++) {
		uintptr_t end = map->l_addr + segment[i].p_vaddr + segment[i].p_memsz;

		if (segment[i].p_type == PT_LOAD && end > out->end)
			out->end = end;
	}
	return (uintptr_t)address < out->end;
}

bool tm_image_of(const void *address, struct tm_image *out)
{
	static int (*volatile find)(void *, struct dl_find_object *);
	static volatile bool looked;
	struct dl_find_object found;

	if (!looked) {
		*(void **)&find = dlsym(RTLD_DEFAULT, "_dl_find_object");
		looked = true;
	}
	if (!find)
		return image_by_dladdr(address, out);
	if (find((void *)(uintptr_t)address, &found) != 0)
		return false;
	out->start = (uintptr_t)found.dlfo_map_start;
	out->end = (uintptr_t)found.dlfo_map_end;
	out->map = found.dlfo_link_map;
	return true;
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (const unsigned char *c = (const unsigned char *)name; *c; c++)
		hash = hash * 33 + *c;
	return hash;
}

/* The layout of DT_GNU_HASH: four words, a Bloom filter, buckets, chains. */
static const ElfW(Sym) * gnu_lookup(const uint32_t *table, const ElfW(Sym) * symbols,
				    const char *strings, const char *name)
{
	uint32_t hash = gnu_hash(name);
	uint32_t buckets = table[0], first = table[1], bloom = table[2];
	const ElfW(Addr) *filter = (const ElfW(Addr) *)(table + 4);
	const uint32_t *bucket = (const uint32_t *)(filter + bloom);
	const uint32_t *chain = bucket + buckets;
	uint32_t index;

	if (buckets == 0)
		return NULL;
	index = bucket[hash % buckets];
	if (index < first)
		return NULL;
	for (;; index++) {
		uint32_t entry = chain[index - first];

		if ((entry | 1) == (hash | 1) &&
		    strcmp(strings + symbols[index].st_name, name) == 0)
			return &symbols[index];
		if (entry & 1)
			return NULL;
	}
}

bool tm_image_exports(const struct tm_image *image, const char *symbol)
{
	const struct link_map *map = image->map;
	const uint32_t *hash = NULL;
	const ElfW(Sym) *symbols = NULL;
	const char *strings = NULL;
	const ElfW(Sym) * found;

	for (const ElfW(Dyn) *entry = map->l_ld; entry && entry->d_tag != DT_NULL; entry++) {
		/* glibc has relocated these pointers, but for the vdso's; that has no Python. */
		if (entry->d_un.d_ptr < image->start)
			continue;
		if (entry->d_tag == DT_GNU_HASH)
			hash = (const uint32_t *)entry->d_un.d_ptr;
		else if (entry->d_tag == DT_SYMTAB)
			symbols = (const ElfW(Sym) *)entry->d_un.d_ptr;
		else if (entry->d_tag == DT_STRTAB)
			strings = (const char *)entry->d_un.d_ptr;
	}
	if (!hash || !symbols || !strings)
		return false;
	found = gnu_lookup(hash, symbols, strings, symbol);
	return found && found->st_shndx != SHN_UNDEF;
}

void *tm_image_open(const struct tm_image *image)
{
	const struct link_map *map = image->map;

	/* The program itself has an empty name, which dlopen() spells NULL. */
	return dlopen(map->l_name && *map->l_name ? map->l_name : NULL, RTLD_LAZY | RTLD_NOLOAD);
}

#include "intern.h"
#include "intern_private.h"
#include "lock.h"
#include "resolve.h"
#include "segment.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 4096

tm_packed tm_type_cache[1 << TM_TYPE_CACHE_BITS];

static struct tm_index types;
static struct tm_map type_map;
static uint32_t other_types; /* what stands for those that have no record of their own */
static void *module_key;     /* the str "__module__", once the interpreter can make one */

void tm_intern_ready(void)
{
	if (!module_key)
		module_key = tm_python.intern("__module__");
	if (!module_key)
		tm_python.error_clear();
}

/*
 * The module of a class made at run time.  A look-up of a str in a class's dictionary neither
 * allocates nor runs Python code (Objects/dictobject.c, PyDict_GetItemWithError).
 */
static size_t module_of(uintptr_t type, char *out, size_t size)
{
	void *dict = TM_FIELD(void *, type, TM_TP_DICT);
	void *module;

	if (!dict || TM_FIELD(void *, dict, TM_OB_TYPE) != tm_python.dict_type)
		return 0;
	module = tm_python.dict_get(dict, module_key);
	return module ? tm_python_text((uintptr_t)module, out, size) : 0;
}

/* "module.qualname"; 0 when it cannot be told yet. */
static size_t type_name(uintptr_t type, char *out, size_t size)
{
	const char *name = TM_FIELD(const char *, type, TM_TP_NAME);
	size_t length;

	if (!(TM_FIELD(uint64_t, type, TM_TP_FLAGS) & TM_FLAG_HEAPTYPE)) {
		if (!name)
			return 0;
		return (size_t)snprintf(out, size, "%s%.1000s",
					strchr(name, '.') ? "" : "builtins.", name);
	}
	if (!module_key)
		return 0;
	length = module_of(type, out, size / 2);
	if (length)
		out[length++] = '.';
	return length + tm_python_text(TM_FIELD(uintptr_t, type, tm_python.adapter->type_qualname),
				       out + length, size - length);
}

static bool same_type(uint32_t id, const void *key)
{
	const struct tm_type *type = (struct tm_type *)tm_segment_at(TM_R_TYPES, 0) + id;

	return memcmp(type, key, offsetof(struct tm_type, recycled)) == 0;
}

/*
 * Whether a deallocation can be called off: a finalizer stores the dying object somewhere
 * (Objects/object.c, PyObject_CallFinalizerFromDealloc; Objects/typeobject.c, subtype_dealloc).
 * From 3.13.3 on its death is reported before, and nothing when it comes back: such an object
 * lives until its block is freed, which takes a type that frees it the common way.  The awaitables
 * of async generators have a finalizer that nothing of theirs can reach them through, and their
 * blocks are kept for the next ones instead of freed (Objects/genobject.c,
 * async_gen_asend_finalize, async_gen_asend_dealloc).
 */
static bool may_return(uintptr_t type)
{
	uintptr_t release = TM_FIELD(uintptr_t, type, TM_TP_FREE);

	if (tm_python.family != TM_FAMILY_TRACER || type == (uintptr_t)tm_python.asend_type)
		return false;
	if (!TM_FIELD(uintptr_t, type, TM_TP_FINALIZE) && !TM_FIELD(uintptr_t, type, TM_TP_DEL))
		return false;
	return release == (uintptr_t)tm_python.object_free ||
	       release == (uintptr_t)tm_python.gc_delete;
}

/*
 * Whether code of an extension module deallocates objects of a type, or of one that it is derived
 * from, and so may keep their memory for the next ones.  A module may be part of the interpreter's
 * program: its static types have its name in theirs.
 */
static bool is_foreign(uintptr_t type)
{
	enum {
		BASES_MOST = 64
	};

	if (tm_python.family != TM_FAMILY_ALLOCATOR)
		return false;
	for (unsigned i = 0; type && i < BASES_MOST; i++) {
		const char *name = TM_FIELD(const char *, type, TM_TP_NAME);
		uintptr_t code = TM_FIELD(uintptr_t, type, TM_TP_DEALLOC);

		if (!(TM_FIELD(uint64_t, type, TM_TP_FLAGS) & TM_FLAG_HEAPTYPE)) {
			if (name && strchr(name, '.'))
				return true;
			code = type;
		}
		if (code < tm_python.image.start || code >= tm_python.image.end)
			return true;
		type = TM_FIELD(uintptr_t, type, TM_TP_BASE);
	}
	return false;
}

static uint32_t type_flags(uintptr_t type)
{
	return (may_return(type) ? TM_TF_MAY_RETURN : 0) | (is_foreign(type) ? TM_TF_FOREIGN : 0);
}

static uint32_t type_record(const char *name, size_t length, uint64_t basic_size, uint32_t flags)
{
	struct tm_type record = {.basic_size = basic_size, .flags = flags};
	uint32_t index = 0;

	record.name = tm_intern_string_locked(name, length);
	if (record.name)
		index = tm_intern_record_locked(&types, TM_R_TYPES, &record, sizeof(record),
						TM_MAX_TYPES, same_type, TM_L_TYPES);
	else
		tm_lose(TM_L_TYPES);
	return index ? index : other_types;
}

/* Made while there is room, before any other: objects of it may be such as come back. */
static void make_other_types(void)
{
	other_types = 0;
	other_types = type_record(TM_OTHER_TYPES, strlen(TM_OTHER_TYPES), 0,
				  tm_python.family == TM_FAMILY_TRACER ? TM_TF_MAY_RETURN : 0);
}

static uint64_t basic_size(uintptr_t type)
{
	uint64_t flags = TM_FIELD(uint64_t, type, TM_TP_FLAGS);
	uint64_t size = TM_FIELD(uint64_t, type, TM_TP_BASICSIZE);

	if (flags & TM_FLAG_GC)
		size += TM_GC_HEAD;
	if (flags & tm_python.adapter->preheader_flags)
		size += TM_GC_HEAD;
	return size;
}

static void cache_type(uintptr_t type, uint32_t index)
{
	uint64_t entry = index | (may_return(type) ? TM_PACKED_FLAG : 0);

	tm_packed_put(tm_packed_slot(tm_type_cache, TM_TYPE_CACHE_BITS, type), type, entry);
}

bool tm_intern_may_return(uint32_t index)
{
	const struct tm_type *type = (struct tm_type *)tm_segment_at(TM_R_TYPES, 0) + index;

	return type->flags & TM_TF_MAY_RETURN;
}

uint64_t tm_type_bits(uintptr_t object)
{
	uintptr_t type = TM_FIELD(uintptr_t, object, TM_OB_TYPE);
	uint64_t word = tm_type_quick(object);
	uint32_t index;

	if (word)
		return word;
	index = tm_intern_type(type);
	return tm_type_word(index | (index && may_return(type) ? TM_PACKED_FLAG : 0));
}

/*
 * Classes whose names are looked at again: __module__ is often set after the first instance is
 * there (Lib/enum.py up to 3.10: the members of an enumeration made by a call).
 */
static struct young {
	uintptr_t type; /* 0 = nothing to look at */
	uint32_t index; /* a record that no other class has found */
} young[1024];
static unsigned young_first, young_count; /* a ring */

static struct young *young_at(unsigned i)
{
	return &young[(young_first + i) % (sizeof(young) / sizeof(*young))];
}

/* Another class has the same record: it can't follow one of them any more. */
static void share_locked(uint32_t index)
{
	for (unsigned i = 0; i < young_count; i++) {
		if (young_at(i)->index == index)
			young_at(i)->type = 0;
	}
}

/*
 * A class of an interpreter with a lock of its own may be changed, and end, while another one's
 * lock is held, as a follow-up does: it keeps the name that it was first seen by.
 */
static bool may_be_looked_at_again(void)
{
	if (!tm_python.adapter->own_gils)
		return true;
	if (tm_python.family == TM_FAMILY_ALLOCATOR && tm_resolve_others_run_freely())
		return false;
	return tm_python_in_main();
}

static void remember_locked(uintptr_t type, uint32_t index)
{
	if (young_count < sizeof(young) / sizeof(*young))
		*young_at(young_count++) = (struct young){type, index};
}

/* Takes the oldest out of the ring; false when there are no more than @keep. */
static bool take_young(unsigned keep, struct young *out)
{
	bool taken;

	tm_lock();
	taken = young_count > keep;
	if (taken) {
		*out = *young_at(0);
		young_first++;
		young_count--;
		if (tm_map_get(&type_map, out->type) != out->index)
			out->type = 0; /* it is gone */
	}
	tm_unlock();
	return taken;
}

static void rename_locked(uint32_t index, const char *name, size_t length)
{
	struct tm_type *record = (struct tm_type *)tm_segment_at(TM_R_TYPES, 0) + index;
	struct tm_type key = {.flags = record->flags, .basic_size = record->basic_size};
	struct tm_index_entry *place;

	key.name = tm_intern_string_locked(name, length);
	if (!key.name || key.name == record->name)
		return;
	__atomic_store_n(&record->name, key.name, __ATOMIC_RELEASE);
	place = tm_index_find(&types, tm_hash(&key, sizeof(key), 2), same_type, &key);
	if (place && !place->id) {
		place->id = index;
		types.count++;
	}
}

static void names_again(unsigned keep)
{
	char name[TEXT_MAX];
	struct young entry;
	size_t length;

	while (take_young(keep, &entry)) {
		length = entry.type ? type_name(entry.type, name, sizeof(name)) : 0;
		if (!length)
			continue;
		tm_lock();
		rename_locked(entry.index, name, length);
		tm_unlock();
	}
}

void tm_intern_names_again(void)
{
	int saved = errno;

	names_again(0);
	errno = saved;
}

uint32_t tm_intern_type(uintptr_t type)
{
	const struct tm_region *region = &tm_segment.header->regions[TM_R_TYPES];
	char name[TEXT_MAX];
	int saved = errno;
	bool again, watched;
	uint64_t used;
	uint32_t index;
	size_t length;

	tm_lock();
	index = tm_map_get(&type_map, type);
	tm_unlock();
	if (index) {
		cache_type(type, index);
		return index;
	}
	length = type_name(type, name, sizeof(name));
	errno = saved;
	if (!length)
		return 0;
	again = TM_FIELD(uint64_t, type, TM_TP_FLAGS) & TM_FLAG_HEAPTYPE;
	watched = !again || tm_intern_watch(type);
	again = again && watched && may_be_looked_at_again();
	tm_lock();
	used = tm_get(&region->used);
	index = type_record(name, length, basic_size(type), type_flags(type));
	if (index && watched)
		watched = tm_map_put(&type_map, type, index);
	if (tm_get(&region->used) == used)
		share_locked(index);
	else if (again)
		remember_locked(type, index);
	tm_unlock();
	if (unlikely(again && young_count == sizeof(young) / sizeof(*young)))
		names_again(young_count / 2);
	if (index && watched)
		cache_type(type, index);
	return index;
}

void tm_intern_alias(uintptr_t copy, uintptr_t type)
{
	uint32_t index = tm_intern_type(type);

	tm_lock();
	if (index)
		tm_map_put(&type_map, copy, index);
	tm_unlock();
}

bool tm_intern_known_type(uintptr_t type)
{
	bool known;

	if (tm_packed_get(tm_packed_slot(tm_type_cache, TM_TYPE_CACHE_BITS, type), type))
		return true;
	tm_lock();
	known = tm_map_get(&type_map, type) != 0;
	tm_unlock();
	return known;
}

bool tm_intern_forget_type_locked(uintptr_t address)
{
	bool known = tm_map_get(&type_map, address) != 0;

	tm_packed_drop(tm_packed_slot(tm_type_cache, TM_TYPE_CACHE_BITS, address), address);
	tm_map_remove(&type_map, address);
	return known;
}

/* ---- a new recording ------------------------------------------------------- */

/* Types the parent knew: their names come from its recording, their addresses are the same here. */
static void inherit_types(const struct tm_map *old, const char *base)
{
	const struct tm_header *header = (const struct tm_header *)base;
	const struct tm_type *records =
		(const struct tm_type *)(base + header->regions[TM_R_TYPES].offset);
	const char *texts = base + header->regions[TM_R_STRINGS].offset;

	for (uint32_t i = 0; i < old->size; i++) {
		const struct tm_type *record = records + old->entries[i].value;
		const struct tm_string *name;
		uint32_t index;

		if (!old->entries[i].address)
			continue;
		name = (const struct tm_string *)(texts + record->name);
		index = type_record((const char *)(name + 1), name->length, record->basic_size,
				    record->flags);
		if (!index)
			continue;
		if (TM_FIELD(uint64_t, old->entries[i].address, TM_TP_FLAGS) & TM_FLAG_HEAPTYPE &&
		    !tm_intern_watch(old->entries[i].address))
			continue;
		tm_map_put(&type_map, old->entries[i].address, index);
	}
}

void tm_intern_restart_types(const char *old_base)
{
	struct tm_map old_types = type_map;

	memset(&type_map, 0, sizeof(type_map));
	young_count = 0;
	tm_index_clear(&types);
	memset(tm_type_cache, 0, sizeof(tm_type_cache));
	make_other_types();
	if (old_base)
		inherit_types(&old_types, old_base);
	tm_map_clear(&old_types);
}

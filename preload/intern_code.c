#include "intern.h"
#include "intern_private.h"
#include "lock.h"
#include "segment.h"

#include <string.h>

#define TEXT_MAX  4096
#define LINES_MAX (1u << 20)

tm_packed tm_code_cache[1 << TM_CODE_CACHE_BITS];
struct tm_cached tm_site_cache[1 << TM_SITE_CACHE_BITS];

static struct tm_index codes, sites;
static struct tm_map code_map;

/* ---- code ------------------------------------------------------------------ */

static bool same_code(uint32_t id, const void *key)
{
	const struct tm_code *code = (struct tm_code *)tm_segment_at(TM_R_CODES, 0) + id;

	return memcmp(code, key, sizeof(*code)) == 0;
}

static uint32_t text_of(uintptr_t text)
{
	char utf8[TEXT_MAX];

	return tm_intern_string_locked(utf8, tm_python_text(text, utf8, sizeof(utf8)));
}

static uint32_t code_record(uintptr_t address)
{
	const struct tm_adapter *adapter = tm_python.adapter;
	struct tm_code record;
	size_t size;
	const char *lines =
		tm_python_bytes(TM_FIELD(uintptr_t, address, adapter->code.lines), &size);

	memset(&record, 0, sizeof(record));
	record.file = text_of(TM_FIELD(uintptr_t, address, adapter->code.file));
	record.name = text_of(TM_FIELD(uintptr_t, address, adapter->code.name));
	record.first_line = TM_FIELD(int, address, adapter->code.first_line);
	if (lines && size <= LINES_MAX) {
		record.lines = tm_intern_string_locked(lines, size);
		record.line_format = adapter->line_format;
	}
	return tm_intern_record_locked(&codes, TM_R_CODES, &record, sizeof(record),
				       1u << TM_CODE_BITS, same_code, TM_L_SITES);
}

uint32_t tm_intern_code(uintptr_t code)
{
	uint32_t index;
	bool watched = true;

	if (!code || TM_FIELD(void *, code, TM_OB_TYPE) != tm_python.code_type)
		return 0;
	tm_lock();
	index = tm_map_get(&code_map, code);
	tm_unlock();
	if (!index) {
		watched = tm_intern_watch(code);
		tm_lock();
		index = code_record(code);
		if (index && watched)
			watched = tm_map_put(&code_map, code, index);
		tm_unlock();
	}
	if (index && watched)
		tm_packed_put(tm_packed_slot(tm_code_cache, TM_CODE_CACHE_BITS, code), code, index);
	return index;
}

bool tm_intern_forget_code_locked(uintptr_t address)
{
	bool known = tm_map_get(&code_map, address) != 0;

	tm_packed_drop(tm_packed_slot(tm_code_cache, TM_CODE_CACHE_BITS, address), address);
	tm_map_remove(&code_map, address);
	return known;
}

/* ---- sites ----------------------------------------------------------------- */

static bool same_site(uint32_t id, const void *key)
{
	const struct tm_site *site = (struct tm_site *)tm_segment_at(TM_R_SITES, 0) + id;

	return memcmp(site, key, sizeof(*site)) == 0;
}

uint32_t tm_intern_site(uint32_t parent, uint32_t code, uint32_t offset)
{
	struct tm_site record = {.parent = parent, .code = code, .offset = offset & ~1u};
	uint64_t key = (uint64_t)parent << (TM_CODE_BITS + TM_OFFSET_BITS) |
		       (uint64_t)code << TM_OFFSET_BITS | offset >> 1;
	uint32_t site;

	tm_lock();
	site = tm_intern_record_locked(&sites, TM_R_SITES, &record, sizeof(record), TM_MAX_SITES,
				       same_site, TM_L_SITES);
	tm_unlock();
	if (site)
		tm_cache_put(tm_cache_slot(tm_site_cache, TM_SITE_CACHE_BITS, key), key, site);
	return site;
}

void tm_intern_restart_codes(void)
{
	tm_index_clear(&codes);
	tm_index_clear(&sites);
	tm_map_clear(&code_map);
	memset(tm_code_cache, 0, sizeof(tm_code_cache));
	memset(tm_site_cache, 0, sizeof(tm_site_cache));
}

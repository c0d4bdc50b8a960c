#include "frames.h"

struct tm_chain tm_chain;

/* An index of -1: the frame has not run its first instruction yet. */
static bool read_object(uintptr_t frame, struct tm_frame *out)
{
	int index = TM_FIELD(int, frame, tm_chain.instruction);

	out->code = TM_FIELD(uintptr_t, frame, tm_chain.code);
	out->offset = index < 0 ? 0 : (uint32_t)index * tm_chain.unit;
	return true;
}

/* False for a frame before its first traceable instruction (_PyFrame_IsIncomplete). */
static bool read_interpreter_frame(uintptr_t frame, struct tm_frame *out)
{
	enum {
		OWNED_BY_GENERATOR = 1,
		TAG_BITS = 3,
		UNIT = 2
	};
	uintptr_t code = TM_FIELD(uintptr_t, frame, tm_chain.code) & ~(uintptr_t)TAG_BITS;
	uintptr_t start = code + tm_chain.bytecode;
	uintptr_t instruction = TM_FIELD(uintptr_t, frame, tm_chain.instruction);

	if (tm_chain.first_traceable &&
	    TM_FIELD(uint8_t, frame, tm_chain.owner) != OWNED_BY_GENERATOR &&
	    instruction < start + UNIT * (uintptr_t)TM_FIELD(int, code, tm_chain.first_traceable))
		return false;
	out->code = code;
	out->offset = instruction < start ? 0 : (uint32_t)(instruction - start);
	return true;
}

static bool read_frame(uintptr_t frame, struct tm_frame *out)
{
	return tm_chain.objects ? read_object(frame, out) : read_interpreter_frame(frame, out);
}

unsigned tm_frame_slots(uintptr_t frame)
{
	const struct tm_adapter *adapter = tm_python.adapter;
	struct tm_frame seen;
	int count;

	if (!adapter->frame.variables)
		return TM_FIELD(unsigned, frame, TM_OB_SIZE);
	if (!read_frame(frame, &seen))
		return 0;
	count = TM_FIELD(int, seen.code, adapter->frame.variables) +
		TM_FIELD(int, seen.code, adapter->frame.stack);
	return count > 0 ? (unsigned)count : 0;
}

unsigned tm_frames_walk(struct tm_frame *out, unsigned max)
{
	unsigned count = 0;

	for (uintptr_t frame = tm_frame_first(); frame && count < max;
	     frame = tm_frame_caller(&tm_chain, frame)) {
		if (read_frame(frame, &out[count]))
			count++;
	}
	return count;
}

unsigned tm_frames_keys(const struct tm_frame *frames, unsigned count, uint64_t *keys, unsigned max,
			bool *whole)
{
	uintptr_t frame = tm_frame_first();
	unsigned depth = 0, matched = 0;
	struct tm_frame seen;

	while (frame && matched < count && depth < max) {
		keys[depth++] = tm_frame_key(&tm_chain, frame);
		if (read_frame(frame, &seen)) {
			if (seen.code != frames[matched].code ||
			    seen.offset != frames[matched].offset)
				return 0;
			matched++;
		}
		frame = tm_frame_caller(&tm_chain, frame);
	}
	*whole = !frame;
	return matched == count ? depth : 0;
}

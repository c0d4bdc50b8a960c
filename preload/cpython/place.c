/*
 * Up to 3.11 the thread that holds the GIL has its state in a field of _PyRuntime
 * (Include/internal/pycore_gil.h; _PyRuntime.gilstate.tstate_current), which the adapter names.
 * From 3.12 on it is in a thread-local variable without a symbol (Python/pystate.c,
 * _Py_tss_tstate).  Its accessor does nothing but read it, in one of two ways that the x86-64 TLS
 * ABI prescribes: relative to the thread pointer, or by way of __tls_get_addr().
 */
#include "place.h"

#include "cpython.h"

#include <string.h>

static bool starts_with(const unsigned char *code, const void *bytes, size_t size)
{
	return memcmp(code, bytes, size) == 0;
}

static int32_t displacement(const unsigned char *code)
{
	int32_t value;

	memcpy(&value, code, sizeof(value));
	return value;
}

/* mov %fs:displacement, %rax; ret */
static void *const *by_thread_pointer(const unsigned char *code)
{
	char *thread_pointer = __builtin_thread_pointer();

	if (!starts_with(code, "\x64\x48\x8b\x04\x25", 5) || code[9] != 0xc3)
		return NULL;
	return (void *const *)(thread_pointer + displacement(code + 5));
}

/* sub $8, %rsp; data16 lea index(%rip), %rdi; data16 data16 rex.W call __tls_get_addr */
static void *const *by_tls_index(const unsigned char *code)
{
	if (!starts_with(code, "\x48\x83\xec\x08\x66\x48\x8d\x3d", 8) ||
	    !starts_with(code + 12, "\x66\x66\x48\xe8", 4) ||
	    !starts_with(code + 20, "\x48\x8b\x00", 3) || !tm_python.tls_address)
		return NULL;
	return tm_python.tls_address((void *)(uintptr_t)(code + 12 + displacement(code + 8)));
}

static void *const *find(void)
{
	const unsigned char *code;
	void *const *place;

	if (tm_python.adapter->current_thread)
		return (void *const *)((char *)tm_python.runtime +
				       tm_python.adapter->current_thread);
	memcpy(&code, &tm_python.thread_state, sizeof(code));
	if (starts_with(code, "\xf3\x0f\x1e\xfa", 4)) /* endbr64 */
		code += 4;
	place = by_thread_pointer(code);
	return place ? place : by_tls_index(code);
}

void *const *tm_python_thread_place(void)
{
	void *const *place = find();

	return place && *place == tm_python.thread_state() ? place : NULL;
}

/* test_image.c - which program or library an address belongs to, and what that exports */
#include "rig.h"

#include "image.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <sys/auxv.h>

static struct tm_image image_of(const void *address)
{
	struct tm_image image;

	memset(&image, 0, sizeof(image));
	assert_true(tm_image_of(address, &image));
	assert_true((uintptr_t)address >= image.start && (uintptr_t)address < image.end);
	return image;
}

static const void *function(int (*f)(void))
{
	return (const void *)(uintptr_t)f;
}

static int of_this_program(void)
{
	return 1;
}

static struct tm_image libc_image(void)
{
	/* not &strlen: a sanitizer's own may stand in front of it */
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
	struct tm_image image;

	assert_non_null(libc);
	image = image_of(dlsym(libc, "gnu_get_libc_version"));
	dlclose(libc);
	return image;
}

static void code_and_data_of_the_program_are_one_image(void **state)
{
	static int data = 1;
	struct tm_image code = image_of(function(of_this_program));
	struct tm_image variable = image_of(&data);

	(void)state;
	assert_int_equal(code.start, variable.start);
	assert_int_equal(code.end, variable.end);
	assert_ptr_equal(code.map, variable.map);
}

static void the_c_library_is_another_image(void **state)
{
	struct tm_image libc = libc_image(), program = image_of(function(of_this_program));
	const struct link_map *map = libc.map;

	(void)state;
	assert_ptr_not_equal(libc.map, program.map);
	assert_true(libc.end <= program.start || libc.start >= program.end);
	assert_non_null(strstr(map->l_name, "libc.so.6"));
}

static void heap_stack_and_nothing_are_in_no_image(void **state)
{
	struct tm_image image;
	int local = 0;
	void *block = malloc(100), *page;

	(void)state;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_false(tm_image_of(NULL, &image));
	assert_false(tm_image_of((void *)1, &image));
	assert_false(tm_image_of(&local, &image));
	assert_false(tm_image_of(block, &image));
	assert_false(tm_image_of(page, &image));
	assert_false(tm_image_of((void *)(1ull << 47), &image));
	assert_false(tm_image_of((void *)UINTPTR_MAX, &image));
	munmap(page, 4096);
	free(block);
}

static void a_library_exports_what_it_defines(void **state)
{
	static const char *const names[] = {"strlen",  "getpid",
					    "environ", "gnu_get_libc_version",
					    "fopen",   "pthread_mutex_init"};
	struct tm_image libc = libc_image();

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!tm_image_exports(&libc, names[i]))
			fail_msg("the C library is said not to export %s", names[i]);
	}
}

static void what_a_library_does_not_define_it_does_not_export(void **state)
{
	static const char *const names[] = {
		"PyMem_SetAllocator",	  "", "strle", "strlenn", "STRLEN", "no such thing",
		"_cmocka_run_group_tests"};
	struct tm_image libc = libc_image();

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (tm_image_exports(&libc, names[i]))
			fail_msg("the C library is said to export '%s'", names[i]);
	}
}

static void what_a_library_only_uses_it_does_not_export(void **state)
{
	void *self = dlopen("libcmocka.so.0", RTLD_LAZY | RTLD_NOLOAD);
	struct tm_image image;

	(void)state;
	assert_non_null(self);
	image = image_of(dlsym(self, "_cmocka_run_group_tests"));
	assert_true(tm_image_exports(&image, "_cmocka_run_group_tests"));
	assert_true(tm_image_exports(&image, "_assert_true"));
	assert_false(tm_image_exports(&image, "strlen"));
	assert_false(tm_image_exports(&image, "longjmp"));
	dlclose(self);
}

/* Linked from the recorder's files: the one stands in front of the C library's. */
static void a_program_exports_what_it_interposes_and_not_the_rest(void **state)
{
	struct tm_image image = image_of(function(of_this_program));

	(void)state;
	assert_true(tm_image_exports(&image, "sigaction"));
	assert_false(tm_image_exports(&image, "main"));
	assert_false(tm_image_exports(&image, "tm_image_of"));
	assert_false(tm_image_exports(&image, "PyMem_SetAllocator"));
}

static void the_question_leaves_no_trace(void **state)
{
	struct tm_image libc = libc_image();

	(void)state;
	dlerror();
	errno = 4242;
	tm_image_exports(&libc, "PyMem_SetAllocator");
	assert_int_equal(errno, 4242);
	assert_null(dlerror());
}

/* Its tables hold addresses that the loader did not relocate. */
static void the_kernels_image_can_be_asked_too(void **state)
{
	void *vdso = (void *)getauxval(AT_SYSINFO_EHDR);
	struct tm_image image;

	(void)state;
	if (!vdso || !tm_image_of(vdso, &image))
		skip();
	assert_false(tm_image_exports(&image, "PyMem_SetAllocator"));
}

static void a_handle_finds_the_symbols_of_its_image(void **state)
{
	struct tm_image libc = libc_image(), program = image_of(function(of_this_program));
	void *handle = tm_image_open(&libc);

	(void)state;
	assert_non_null(handle);
	assert_non_null(dlsym(handle, "gnu_get_libc_version"));
	dlclose(handle);
	handle = tm_image_open(&program);
	assert_non_null(handle);
	assert_int_equal(image_of(dlsym(handle, "sigaction")).start, program.start);
	dlclose(handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_and_data_of_the_program_are_one_image),
		cmocka_unit_test(the_c_library_is_another_image),
		cmocka_unit_test(heap_stack_and_nothing_are_in_no_image),
		cmocka_unit_test(a_library_exports_what_it_defines),
		cmocka_unit_test(what_a_library_does_not_define_it_does_not_export),
		cmocka_unit_test(what_a_library_only_uses_it_does_not_export),
		cmocka_unit_test(a_program_exports_what_it_interposes_and_not_the_rest),
		cmocka_unit_test(the_question_leaves_no_trace),
		cmocka_unit_test(the_kernels_image_can_be_asked_too),
		cmocka_unit_test(a_handle_finds_the_symbols_of_its_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_segment.c - the recording's file: where and how it is made, and what happens without space
 */
#include "rig.h"

#include "pages.h"
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

static struct tm_config config;
static char dir[64];

static int setup(void **state)
{
	(void)state;
	memset(&config, 0, sizeof(config));
	memset(&tm_segment, 0, sizeof(tm_segment));
	config.signal = 44;
	config.frames = 3;
	config.collect = true;
	config.keep = 32;
	config.max = 8 << 20;
	rig_make_dir(dir, sizeof(dir));
	strcpy(config.dir, dir);
	tm_say_to("none");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (tm_segment.base)
		tm_segment_discard();
	rig_remove_dir(dir);
	return 0;
}

static void create(void)
{
	assert_int_equal(tm_segment_create(&config), 0);
}

/* The path that the file number @n of this process should have. */
static const char *path_of(unsigned n)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/tidemark.%d.%llu.%u.rec", dir, getpid(),
		 (unsigned long long)tm_proc_start_ticks(getpid()), n);
	return path;
}

static unsigned files_in(const char *path)
{
	DIR *list = opendir(path);
	struct dirent *entry;
	unsigned count = 0;

	assert_non_null(list);
	while ((entry = readdir(list)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(list);
	return count;
}

/* ---- the file -------------------------------------------------------------------------- */

static void the_file_is_private_whatever_the_umask(void **state)
{
	mode_t before = umask(0);
	struct stat info;

	(void)state;
	create();
	umask(before);
	assert_string_equal(tm_segment.path, path_of(0));
	assert_int_equal(lstat(tm_segment.path, &info), 0);
	assert_int_equal(info.st_mode, S_IFREG | 0600);
	assert_int_equal(info.st_size, tm_segment.size);
	/* header, counters, the first marks: 64 KiB each */
	assert_true((uint64_t)info.st_blocks * 512 <= 3 * TM_REGION_ALIGN);
}

static void no_descriptor_stays_open(void **state)
{
	int before = dup(STDERR_FILENO), after;

	(void)state;
	close(before);
	create();
	after = dup(STDERR_FILENO);
	close(after);
	assert_int_equal(after, before);
}

static void readers_accept_it_only_when_it_is_announced(void **state)
{
	(void)state;
	create();
	assert_int_equal(tm_segment.header->magic, 0);
	tm_segment_announce();
	assert_true(tm_segment.header->magic == TM_MAGIC);
	assert_memory_equal(tm_segment.base, "TIDEMARK", 8);
}

static void the_header_says_whose_it_is_and_what_was_asked_for(void **state)
{
	const struct tm_header *header;
	uint8_t boot[16];
	struct timespec now;

	(void)state;
	create();
	header = tm_segment.header;
	assert_int_equal(header->major, TM_LAYOUT_MAJOR);
	assert_int_equal(header->minor, TM_LAYOUT_MINOR);
	assert_int_equal(header->header_size, sizeof(*header));
	assert_int_equal(header->file_size, tm_segment.size);
	assert_int_equal(header->pid, getpid());
	assert_int_equal(header->uid, geteuid());
	assert_int_equal(header->start_ticks, tm_proc_start_ticks(getpid()));
	tm_proc_boot_id(boot);
	assert_memory_equal(header->boot_id, boot, 16);
	assert_int_equal(header->pid_namespace, tm_proc_pid_namespace());
	assert_int_equal(header->frames, 3);
	assert_int_equal(header->signal, 44);
	assert_int_equal(header->config_flags, TM_CF_COLLECT);
	clock_gettime(CLOCK_REALTIME, &now);
	assert_in_range(header->time_ns / 1000000000, now.tv_sec - 60, now.tv_sec);
	assert_int_equal(header->blind, 0);
	assert_int_equal(header->full_since_ns, 0);
}

static void without_collections_the_header_says_so(void **state)
{
	(void)state;
	config.collect = false;
	create();
	assert_int_equal(tm_segment.header->config_flags, 0);
}

static void regions_lie_one_behind_the_other(void **state)
{
	uint64_t end = TM_REGION_ALIGN;

	(void)state;
	create();
	for (unsigned i = 0; i < TM_R_COUNT; i++) {
		const struct tm_region *region = &tm_segment.header->regions[i];

		assert_int_equal(region->offset, end);
		assert_int_equal(region->offset % TM_REGION_ALIGN, 0);
		assert_true(region->capacity > 0);
		assert_int_equal(region->capacity % TM_REGION_ALIGN, 0);
		assert_int_equal(region->backed,
				 i == TM_R_THREADS || i == TM_R_MARKS ? TM_REGION_ALIGN : 0);
		assert_int_equal(region->used, 0);
		assert_ptr_equal(tm_segment_at(i, 7), tm_segment.base + region->offset + 7);
		end += region->capacity;
	}
	assert_int_equal(end, tm_segment.size);
	assert_int_equal(tm_segment.header->regions[TM_R_SHADOW].capacity, 8 << 20);
}

static void a_second_program_of_the_process_gets_the_next_number(void **state)
{
	struct tm_segment first;

	(void)state;
	create();
	memcpy(&first, &tm_segment, sizeof(first));
	first.header->signal = 1;
	create();
	assert_string_equal(tm_segment.path, path_of(1));
	assert_int_equal(first.header->signal, 1);
	assert_int_equal(tm_segment.header->signal, 44);
	munmap(first.base, first.size);
	assert_int_equal(unlink(first.path), 0);
}

static void links_in_the_way_are_not_followed(void **state)
{
	char victim[128], nowhere[128];
	struct stat info;

	(void)state;
	snprintf(victim, sizeof(victim), "%s/victim", dir);
	snprintf(nowhere, sizeof(nowhere), "%s/nowhere", dir);
	close(open(victim, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(symlink(victim, path_of(0)), 0);
	assert_int_equal(symlink(nowhere, path_of(1)), 0);
	create();
	assert_string_equal(tm_segment.path, path_of(2));
	assert_int_equal(lstat(victim, &info), 0);
	assert_int_equal(info.st_size, 0);
	assert_int_equal(lstat(nowhere, &info), -1);
}

static void a_discarded_recording_leaves_nothing(void **state)
{
	(void)state;
	create();
	tm_segment_discard();
	assert_int_equal(files_in(dir), 0);
	assert_null(tm_segment.base);
	assert_null(tm_segment.header);
	/* and what cannot be counted any more is no crash */
	tm_lose(TM_L_MARKS);
	tm_blind(TM_B_TYPES);
}

static void a_directory_that_is_not_there_is_said_and_passed_over(void **state)
{
	char log[128], line[512] = "";
	FILE *said;

	(void)state;
	snprintf(log, sizeof(log), "%s/log", dir);
	tm_say_to(log);
	strcpy(config.dir, "/nonexistent/tidemark");
	create();
	assert_int_equal(strncmp(tm_segment.path, "/nonexistent", 12) == 0, 0);
	assert_int_equal(access(tm_segment.path, F_OK), 0);
	said = fopen(log, "r");
	assert_non_null(said);
	assert_non_null(fgets(line, sizeof(line), said));
	assert_non_null(strstr(line, "dir=/nonexistent/tidemark cannot be used (No such file"));
	assert_null(fgets(line, sizeof(line), said));
	fclose(said);
}

/* ---- space ------------------------------------------------------------------------------ */

static void space_comes_in_steps_and_only_when_it_is_needed(void **state)
{
	struct tm_region *region;
	uint64_t before;

	(void)state;
	create();
	region = &tm_segment.header->regions[TM_R_STRINGS];
	before = tm_segment.reserved;
	assert_true(tm_segment_back(TM_R_STRINGS, 0));
	assert_int_equal(region->backed, 0);
	assert_true(tm_segment_back(TM_R_STRINGS, 1));
	assert_int_equal(region->backed, 65536);
	assert_true(tm_segment_back(TM_R_STRINGS, 65536));
	assert_int_equal(region->backed, 65536);
	assert_int_equal(tm_segment.reserved, before + 65536);
	assert_true(tm_segment_back(TM_R_STRINGS, 65537));
	assert_int_equal(region->backed, 131072);
	memset(tm_segment_at(TM_R_STRINGS, 0), 'x', 131072);
	assert_int_equal(tm_segment.reserved, before + 131072);
}

static void the_shadow_grows_by_exactly_what_is_asked(void **state)
{
	(void)state;
	create();
	assert_true(tm_segment_back(TM_R_SHADOW, TM_CHUNK_SHADOW));
	assert_int_equal(tm_segment.header->regions[TM_R_SHADOW].backed, TM_CHUNK_SHADOW);
}

static void growing_leaves_the_file_as_long_as_it_was(void **state)
{
	struct stat info;

	(void)state;
	create();
	assert_true(tm_segment_back(TM_R_SHADOW, 4 * TM_CHUNK_SHADOW));
	memset(tm_segment_at(TM_R_SHADOW, 0), 1, 4 * TM_CHUNK_SHADOW);
	assert_int_equal(stat(tm_segment.path, &info), 0);
	assert_int_equal(info.st_size, tm_segment.size);
}

static void more_than_a_region_holds_is_refused(void **state)
{
	struct tm_region *region;

	(void)state;
	create();
	region = &tm_segment.header->regions[TM_R_THREADS];
	assert_true(tm_segment_back(TM_R_THREADS, region->capacity));
	assert_false(tm_segment_back(TM_R_THREADS, region->capacity + 1));
	assert_int_equal(region->backed, region->capacity);
}

static void max_is_never_exceeded(void **state)
{
	struct tm_header *header;
	uint64_t count = 0;

	(void)state;
	config.max = 1 << 20;
	create();
	header = tm_segment.header;
	while (tm_segment_back(TM_R_DEATHS, (count + 1) * 65536))
		count++;
	assert_int_equal(count, 13);
	assert_int_equal(header->regions[TM_R_DEATHS].backed, 13 * 65536);
	assert_int_equal(tm_segment.reserved, 1 << 20);
	assert_int_equal(header->blind, TM_B_SPACE);
	assert_int_not_equal(header->full_since_ns, 0);
	/* what there is stays usable */
	assert_true(tm_segment_back(TM_R_DEATHS, 13 * 65536));
}

static void the_moment_when_space_ended_stays_the_first(void **state)
{
	uint64_t first;

	(void)state;
	config.max = 1 << 20;
	create();
	errno = 4242;
	assert_false(tm_segment_back(TM_R_TALLIES, 1 << 20));
	assert_int_equal(errno, 4242);
	first = tm_segment.header->full_since_ns;
	usleep(1000);
	assert_false(tm_segment_back(TM_R_TALLIES, 1 << 20));
	assert_int_equal(tm_segment.header->full_since_ns, first);
}

static void a_max_below_the_header_makes_no_recording(void **state)
{
	(void)state;
	config.max = TM_REGION_ALIGN - 1;
	assert_int_equal(tm_segment_create(&config), -ENOSPC);
	assert_null(tm_segment.base);
	assert_int_equal(files_in(dir), 0);
}

static void an_old_kernel_reserves_through_the_path(void **state)
{
	int before, after;

	(void)state;
	create();
	tm_segment.by_path = true;
	before = dup(STDERR_FILENO);
	close(before);
	assert_true(tm_segment_back(TM_R_SITES, 1));
	memset(tm_segment_at(TM_R_SITES, 0), 1, 65536);
	after = dup(STDERR_FILENO);
	close(after);
	assert_int_equal(after, before);
	/* removed meanwhile: an answer */
	assert_int_equal(rename(tm_segment.path, path_of(9)), 0);
	assert_false(tm_segment_back(TM_R_SITES, 65537));
	assert_int_equal(tm_segment.header->blind, TM_B_SPACE);
	assert_int_equal(rename(path_of(9), tm_segment.path), 0);
}

static void losses_and_blindness_add_up(void **state)
{
	(void)state;
	create();
	tm_lose(TM_L_SITES);
	tm_lose(TM_L_SITES);
	tm_lose(TM_L_TRACER);
	assert_int_equal(rig_lost(TM_L_SITES), 2);
	assert_int_equal(rig_lost(TM_L_TRACER), 1);
	tm_blind(TM_B_STACKS);
	tm_blind(TM_B_TYPES);
	assert_int_equal(tm_segment.header->blind, TM_B_STACKS | TM_B_TYPES);
}

static void private_pages_are_zero_or_none(void **state)
{
	char *pages = tm_pages(1 << 20);

	(void)state;
	assert_non_null(pages);
	for (unsigned i = 0; i < 1 << 20; i++)
		assert_int_equal(pages[i], 0);
	tm_pages_free(pages, 1 << 20);
	errno = 4242;
	assert_null(tm_pages(1ull << 60));
	assert_int_equal(errno, 4242);
}

/* ---- limits ------------------------------------------------------------------------------ */

static int limited_file(void)
{
	struct rlimit limit = {200 << 20, 200 << 20};

	config.max = 1ull << 40;
	RIG_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	RIG_CHECK(tm_segment_create(&config) == 0);
	RIG_CHECK(tm_segment.size <= 200 << 20);
	RIG_CHECK(tm_segment.header->regions[TM_R_SHADOW].capacity >= TM_CHUNK_SHADOW);
	RIG_CHECK(tm_segment_back(TM_R_SHADOW, tm_segment.header->regions[TM_R_SHADOW].capacity));
	RIG_CHECK(!tm_segment_back(TM_R_SHADOW,
				   tm_segment.header->regions[TM_R_SHADOW].capacity + 1));
	tm_segment_discard();
	return 0;
}

static void a_limit_on_files_makes_a_smaller_one(void **state)
{
	(void)state;
	rig_apart(limited_file);
}

static int tiny_file(void)
{
	struct rlimit limit = {10 << 20, 10 << 20};

	RIG_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	RIG_CHECK(tm_segment_create(&config) == -EFBIG);
	RIG_CHECK(tm_segment.base == NULL);
	return 0;
}

static void a_limit_below_any_recording_is_an_error_and_no_signal(void **state)
{
	(void)state;
	rig_apart(tiny_file);
	assert_int_equal(files_in(dir), 0);
}

/* The sanitizers have mapped most of what there is, so the limit is a large one. */
static int limited_memory(void)
{
	struct rlimit limit = {40ull << 40, 40ull << 40};

	config.max = 1ull << 46;
	RIG_CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
	RIG_CHECK(tm_segment_create(&config) == 0);
	RIG_CHECK(tm_segment.size <= 5ull << 40);
	RIG_CHECK(tm_segment.size > 4ull << 40);
	tm_segment_discard();
	return 0;
}

static void a_limit_on_memory_leaves_most_of_it_to_the_program(void **state)
{
	(void)state;
	rig_apart(limited_memory);
}

/* Regions whose records are found by their capacity. */
static const enum tm_region_id whole[] = {TM_R_DEATHS, TM_R_TALLIES, TM_R_CYCLIC, TM_R_COLLECTIONS,
					  TM_R_THREADS};

static int yielded_memory(void)
{
	struct tm_region before[TM_R_COUNT];
	struct tm_region *regions;
	uint64_t size = 0;

	config.max = 8ull << 30;
	RIG_CHECK(tm_segment_create(&config) == 0);
	regions = tm_segment.header->regions;
	memcpy(before, regions, sizeof(before));
	RIG_CHECK(tm_segment_back(TM_R_SHADOW, TM_CHUNK_SHADOW));
	tm_segment_yield(1ull << 30);
	for (unsigned i = 0; i < TM_R_COUNT; i++)
		size += regions[i].capacity;
	RIG_CHECK(size <= (1ull << 30) / 8 + TM_CHUNK_SHADOW);
	for (unsigned i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		RIG_CHECK(regions[whole[i]].capacity == before[whole[i]].capacity);
	for (unsigned i = 0; i < TM_R_COUNT; i++) {
		RIG_CHECK(regions[i].offset == before[i].offset);
		RIG_CHECK(tm_segment_back((enum tm_region_id)i, regions[i].capacity));
		memset(tm_segment_at((enum tm_region_id)i, 0), 1, regions[i].capacity);
	}
	RIG_CHECK(!tm_segment_back(TM_R_SHADOW, regions[TM_R_SHADOW].capacity + 1));
	/* A limit that leaves nothing takes nothing that is there. */
	tm_segment_yield(1);
	memset(tm_segment_at(TM_R_SHADOW, 0), 2, regions[TM_R_SHADOW].backed);
	tm_segment_discard();
	return 0;
}

static void a_limit_set_later_gets_the_address_space_back(void **state)
{
	(void)state;
	rig_apart(yielded_memory);
}

/* ---- a full file system --------------------------------------------------------------------- */

/* Mounts @size bytes of tmpfs on the test's directory, in this process only. */
static bool mount_small(const char *size)
{
	char options[64];

	snprintf(options, sizeof(options), "size=%s", size);
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tidemark", dir, "tmpfs", 0, options) == 0;
}

static int full_later(void)
{
	uint64_t chunks = 0;

	config.max = 64 << 20;
	if (!mount_small("2m"))
		return RIG_SKIP;
	RIG_CHECK(tm_segment_create(&config) == 0);
	RIG_CHECK(strncmp(tm_segment.path, dir, strlen(dir)) == 0);
	while (chunks < 8 && tm_segment_back(TM_R_SHADOW, (chunks + 1) * TM_CHUNK_SHADOW)) {
		memset(tm_segment_at(TM_R_SHADOW, chunks * TM_CHUNK_SHADOW), 1, TM_CHUNK_SHADOW);
		chunks++;
	}
	RIG_CHECK(chunks == 3);
	RIG_CHECK(tm_segment.header->regions[TM_R_SHADOW].backed == 3 * TM_CHUNK_SHADOW);
	RIG_CHECK(tm_segment.header->blind == TM_B_SPACE);
	RIG_CHECK(tm_segment.header->full_since_ns != 0);
	return 0;
}

static void a_file_system_that_fills_up_is_an_answer_and_no_signal(void **state)
{
	(void)state;
	rig_apart(full_later);
}

static int full_at_once(void)
{
	if (!mount_small("32k"))
		return RIG_SKIP;
	RIG_CHECK(tm_segment_create(&config) == 0);
	RIG_CHECK(strncmp(tm_segment.path, dir, strlen(dir)) != 0);
	tm_segment_discard();
	RIG_CHECK(files_in(dir) == 0);
	return 0;
}

static void a_full_file_system_means_the_next_place(void **state)
{
	(void)state;
	rig_apart(full_at_once);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_file_is_private_whatever_the_umask),
		TEST(no_descriptor_stays_open),
		TEST(readers_accept_it_only_when_it_is_announced),
		TEST(the_header_says_whose_it_is_and_what_was_asked_for),
		TEST(without_collections_the_header_says_so),
		TEST(regions_lie_one_behind_the_other),
		TEST(a_second_program_of_the_process_gets_the_next_number),
		TEST(links_in_the_way_are_not_followed),
		TEST(a_discarded_recording_leaves_nothing),
		TEST(a_directory_that_is_not_there_is_said_and_passed_over),
		TEST(space_comes_in_steps_and_only_when_it_is_needed),
		TEST(the_shadow_grows_by_exactly_what_is_asked),
		TEST(growing_leaves_the_file_as_long_as_it_was),
		TEST(more_than_a_region_holds_is_refused),
		TEST(max_is_never_exceeded),
		TEST(the_moment_when_space_ended_stays_the_first),
		TEST(a_max_below_the_header_makes_no_recording),
		TEST(an_old_kernel_reserves_through_the_path),
		TEST(losses_and_blindness_add_up),
		TEST(private_pages_are_zero_or_none),
		TEST(a_limit_on_files_makes_a_smaller_one),
		TEST(a_limit_below_any_recording_is_an_error_and_no_signal),
		TEST(a_limit_on_memory_leaves_most_of_it_to_the_program),
		TEST(a_limit_set_later_gets_the_address_space_back),
		TEST(a_file_system_that_fills_up_is_an_answer_and_no_signal),
		TEST(a_full_file_system_means_the_next_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

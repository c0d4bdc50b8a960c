/* test_proc.c - facts from /proc, and which recordings are removed */
#include "rig.h"

#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

/* ---- facts ------------------------------------------------------------------------------- */

/* Against the clock that counts from boot. */
static void start_ticks_are_the_time_of_birth(void **state)
{
	double per_second = (double)sysconf(_SC_CLK_TCK), age;
	struct timespec now;
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		pause();
		_exit(0);
	}
	clock_gettime(CLOCK_BOOTTIME, &now);
	age = (double)now.tv_sec + (double)now.tv_nsec / 1e9 -
	      (double)tm_proc_start_ticks(child) / per_second;
	assert_true(age > -0.1 && age < 10);
	assert_true(tm_proc_start_ticks(getpid()) <= tm_proc_start_ticks(child));
	assert_true(tm_proc_start_ticks(1) <= tm_proc_start_ticks(getpid()));
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	assert_int_equal(tm_proc_start_ticks(child), 0);
}

static void a_process_that_is_not_there_has_no_start(void **state)
{
	(void)state;
	assert_int_equal(tm_proc_start_ticks(0), 0);
	assert_int_equal(tm_proc_start_ticks(-1), 0);
	assert_int_equal(tm_proc_start_ticks(0x7fffffff), 0);
}

static void a_name_full_of_brackets_and_blanks_does_not_shift_the_fields(void **state)
{
	uint64_t before = tm_proc_start_ticks(getpid());
	char name[16];

	(void)state;
	prctl(PR_GET_NAME, name);
	prctl(PR_SET_NAME, ") R 1 1 1) ( 1 ");
	assert_int_not_equal(before, 0);
	assert_int_equal(tm_proc_start_ticks(getpid()), before);
	prctl(PR_SET_NAME, name);
}

static void the_boot_id_is_the_kernels(void **state)
{
	char text[64] = "", ours[64];
	uint8_t id[16];
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");

	(void)state;
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	tm_proc_boot_id(id);
	snprintf(ours, sizeof(ours),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x\n", id[0],
		 id[1], id[2], id[3], id[4], id[5], id[6], id[7], id[8], id[9], id[10], id[11],
		 id[12], id[13], id[14], id[15]);
	assert_string_equal(ours, text);
}

static void the_namespace_is_that_of_the_link(void **state)
{
	char text[64] = "", ours[64];

	(void)state;
	assert_true(readlink("/proc/self/ns/pid", text, sizeof(text) - 1) > 0);
	snprintf(ours, sizeof(ours), "pid:[%llu]", (unsigned long long)tm_proc_pid_namespace());
	assert_string_equal(ours, text);
}

static void resident_memory_grows_with_what_is_touched(void **state)
{
	uint64_t before = tm_proc_rss(), size = 64 << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_int_not_equal(before, 0);
	memset(memory, 1, size);
	assert_in_range(tm_proc_rss(), before + size / 2, before + 2 * size);
	munmap(memory, size);
}

static void a_file_is_read_as_far_as_there_is_room(void **state)
{
	char path[] = "/tmp/tidemark-proc.XXXXXX", out[16];
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, "0123456789", 10), 10);
	close(fd);
	memset(out, 'x', sizeof(out));
	assert_int_equal(tm_proc_read(path, out, 4), 4);
	assert_memory_equal(out, "0123x", 5);
	assert_int_equal(tm_proc_read(path, out, sizeof(out)), 10);
	assert_memory_equal(out, "0123456789x", 11);
	unlink(path);
	errno = 4242;
	assert_int_equal(tm_proc_read(path, out, sizeof(out)), 0);
	assert_int_equal(tm_proc_read("/", out, sizeof(out)), 0);
	assert_int_equal(errno, 4242);
}

/* ---- pruning -------------------------------------------------------------------------------- */

static char dir[64];
static struct tm_header finished; /* of a process that has ended */

static int setup(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0)
		_exit(0);
	memset(&finished, 0, sizeof(finished));
	finished.magic = TM_MAGIC;
	finished.major = TM_LAYOUT_MAJOR;
	finished.header_size = sizeof(finished);
	finished.pid = (uint32_t)child;
	finished.start_ticks = tm_proc_start_ticks(child);
	finished.pid_namespace = tm_proc_pid_namespace();
	tm_proc_boot_id(finished.boot_id);
	waitpid(child, &status, 0);
	rig_make_dir(dir, sizeof(dir));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_remove_dir(dir);
	return 0;
}

static const char *in_dir(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* A file with this header, last changed @age seconds ago. */
static void put(const char *name, const struct tm_header *header, long age)
{
	struct timespec times[2];
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, header, sizeof(*header)), sizeof(*header));
	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= age;
	times[1] = times[0];
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static const char *numbered(unsigned i)
{
	static char name[64];

	snprintf(name, sizeof(name), "tidemark.%u.1234.0.rec", 100000 + i);
	return name;
}

static bool is_there(const char *name)
{
	struct stat info;

	return lstat(in_dir(name), &info) == 0;
}

static void the_newest_of_the_finished_stay(void **state)
{
	(void)state;
	/* the order of names is not that of age */
	for (unsigned i = 0; i < 20; i++)
		put(numbered(i), &finished, 1000 + i * 7 % 20 * 10);
	tm_proc_prune(dir, 6);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(is_there(numbered(i)), i * 7 % 20 < 6);
	tm_proc_prune(dir, 6);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(is_there(numbered(i)), i * 7 % 20 < 6);
	tm_proc_prune(dir, 0);
	for (unsigned i = 0; i < 20; i++)
		assert_false(is_there(numbered(i)));
}

static void fewer_than_may_stay_all_stay(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		put(numbered(i), &finished, i);
	tm_proc_prune(dir, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_true(is_there(numbered(i)));
}

static void a_thousand_are_looked_at(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		put(numbered(i), &finished, i);
	tm_proc_prune(dir, 300);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(is_there(numbered(i)), i < 300);
	tm_proc_prune(dir, 0);
}

static void what_still_lives_stays_and_does_not_count(void **state)
{
	struct tm_header alive = finished;

	(void)state;
	alive.pid = (uint32_t)getpid();
	alive.start_ticks = tm_proc_start_ticks(getpid());
	put("tidemark.1.1.0.rec", &alive, 5000);
	put("tidemark.1.1.1.rec", &alive, 4000);
	put(numbered(0), &finished, 20);
	put(numbered(1), &finished, 10);
	tm_proc_prune(dir, 1);
	assert_true(is_there("tidemark.1.1.0.rec"));
	assert_true(is_there("tidemark.1.1.1.rec"));
	assert_false(is_there(numbered(0)));
	assert_true(is_there(numbered(1)));
}

static void a_pid_that_is_used_again_does_not_keep_a_recording(void **state)
{
	struct tm_header reused = finished;

	(void)state;
	reused.pid = (uint32_t)getpid();
	reused.start_ticks = tm_proc_start_ticks(getpid()) - 1;
	put(numbered(0), &reused, 10);
	tm_proc_prune(dir, 0);
	assert_false(is_there(numbered(0)));
}

static void what_is_not_a_recording_of_ours_is_left_alone(void **state)
{
	struct tm_header other = finished;

	(void)state;
	put("notes.txt", &finished, 10);
	put("atidemark.1.1.0.rec", &finished, 10);
	other.magic = 0; /* one that begins just now */
	put(numbered(0), &other, 10);
	other = finished;
	other.pid_namespace++;
	put(numbered(1), &other, 10);
	put(numbered(2), &finished, 10);
	if (geteuid() == 0)
		assert_int_equal(chown(in_dir(numbered(2)), 12345, 12345), 0);
	else
		assert_int_equal(unlink(in_dir(numbered(2))), 0);
	close(open(in_dir(numbered(3)), O_WRONLY | O_CREAT, 0600));
	assert_int_equal(mkfifo(in_dir(numbered(4)), 0600), 0);
	assert_int_equal(symlink("notes.txt", in_dir(numbered(5))), 0);
	tm_proc_prune(dir, 0);
	assert_true(is_there("notes.txt"));
	assert_true(is_there("atidemark.1.1.0.rec"));
	for (unsigned i = 0; i < 6; i++)
		assert_true(is_there(numbered(i)) || (i == 2 && geteuid() != 0));
}

static void a_directory_that_is_not_there_is_no_trouble(void **state)
{
	(void)state;
	tm_proc_prune("/nonexistent/tidemark", 0);
	tm_proc_prune("/dev/null", 0);
}

#define PRUNE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_ticks_are_the_time_of_birth),
		cmocka_unit_test(a_process_that_is_not_there_has_no_start),
		cmocka_unit_test(a_name_full_of_brackets_and_blanks_does_not_shift_the_fields),
		cmocka_unit_test(the_boot_id_is_the_kernels),
		cmocka_unit_test(the_namespace_is_that_of_the_link),
		cmocka_unit_test(resident_memory_grows_with_what_is_touched),
		cmocka_unit_test(a_file_is_read_as_far_as_there_is_room),
		PRUNE_TEST(the_newest_of_the_finished_stay),
		PRUNE_TEST(a_thousand_are_looked_at),
		PRUNE_TEST(fewer_than_may_stay_all_stay),
		PRUNE_TEST(what_still_lives_stays_and_does_not_count),
		PRUNE_TEST(a_pid_that_is_used_again_does_not_keep_a_recording),
		PRUNE_TEST(what_is_not_a_recording_of_ours_is_left_alone),
		cmocka_unit_test(a_directory_that_is_not_there_is_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

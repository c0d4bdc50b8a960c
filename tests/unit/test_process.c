/*
 * test_process.c - what /proc says, against children whose state is known
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "process.h"
#include "standin.h"

/* A child that lives until it is killed, after `prepare`. */
static pid_t child(void (*prepare)(void))
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (prepare != NULL)
			prepare();
		if (write(ends[1], "", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void take_a_nasty_name(void)
{
	prctl(PR_SET_NAME, "x) S 1 (y");
}

static void a_name_cannot_pretend_to_be_fields(void **state)
{
	struct tm_process_stat stat;
	pid_t pid = child(take_a_nasty_name);

	(void)state;
	assert_int_equal(tm_process_stat(pid, &stat), 0);
	assert_string_equal(stat.name, "x) S 1 (y");
	assert_int_equal(stat.parent, getpid());
	assert_int_equal(stat.start_ticks, standin_start_ticks(pid));
	assert_true(stat.start_ticks > 0);
	end(pid);
}

static void states_are_seen(void **state)
{
	struct tm_process_stat stat;
	pid_t pid = child(NULL);

	(void)state;
	standin_wait_state(pid, 'S');
	assert_true(tm_process_alive(pid));
	kill(pid, SIGSTOP);
	standin_wait_state(pid, 'T');
	assert_true(tm_process_alive(pid));
	assert_int_equal(tm_process_stat(pid, &stat), 0);
	assert_int_equal(stat.state, 'T');
	kill(pid, SIGKILL);
	standin_wait_state(pid, 'Z');
	assert_false(tm_process_alive(pid));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(tm_process_alive(pid));
	assert_int_equal(tm_process_stat(pid, &stat), -ESRCH);
}

static void pids_and_users_are_ours(void **state)
{
	uint8_t boot[16], again[16];
	uid_t user = (uid_t)-1;

	(void)state;
	assert_int_equal(tm_process_inner_pid(getpid()), getpid());
	assert_int_equal(tm_process_user(getpid(), &user), 0);
	assert_int_equal(user, geteuid());
	assert_int_equal(tm_process_user(0x3fffffff, &user), -ESRCH);
	assert_true(tm_process_pid_namespace() != 0);
	assert_true(tm_process_boot_id(boot));
	assert_true(tm_process_boot_id(again));
	assert_memory_equal(boot, again, sizeof(boot));
}

static void handler(int number)
{
	(void)number;
}

static void arrange_signals(void)
{
	sigset_t blocked;

	signal(42, handler);
	signal(43, SIG_IGN);
	signal(44, SIG_DFL);
	sigemptyset(&blocked);
	sigaddset(&blocked, 42);
	sigaddset(&blocked, 64);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

static void what_happens_to_signals_is_known(void **state)
{
	pid_t pid = child(arrange_signals);

	(void)state;
	assert_int_equal(tm_process_signal(pid, 42), TM_SIGNAL_HANDLED);
	assert_int_equal(tm_process_signal(pid, 43), TM_SIGNAL_IGNORED);
	assert_int_equal(tm_process_signal(pid, 44), TM_SIGNAL_DEFAULT);
	assert_int_equal(tm_process_signal(pid, 64), TM_SIGNAL_DEFAULT);
	assert_int_equal(tm_process_signal(pid, 0), TM_SIGNAL_UNKNOWN);
	assert_int_equal(tm_process_signal(pid, 65), TM_SIGNAL_UNKNOWN);
	assert_true(tm_process_thread_blocks(pid, pid, 42));
	assert_true(tm_process_thread_blocks(pid, pid, 64));
	assert_false(tm_process_thread_blocks(pid, pid, 43));
	end(pid);
	assert_int_equal(tm_process_signal(pid, 42), TM_SIGNAL_UNKNOWN);
}

static void *sleep_on(void *barrier)
{
	pthread_barrier_wait(barrier);
	pthread_barrier_wait(barrier);
	return NULL;
}

static void threads_and_processes_are_listed(void **state)
{
	pthread_barrier_t barrier;
	struct tm_process_stat stat;
	pthread_t thread;
	pid_t *list;
	size_t count, found = 0;

	(void)state;
	pthread_barrier_init(&barrier, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, sleep_on, &barrier), 0);
	pthread_barrier_wait(&barrier);
	count = tm_process_threads(getpid(), &list);
	assert_int_equal(count, 2);
	assert_int_equal(list[0], getpid());
	assert_int_equal(tm_process_thread_stat(getpid(), list[1], &stat), 0);
	free(list);
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	count = tm_process_list(&list);
	for (size_t i = 0; i < count; i++) {
		assert_true(i == 0 || list[i] > list[i - 1]);
		found += list[i] == getpid() || list[i] == getppid();
	}
	assert_int_equal(found, 2);
	free(list);
	assert_int_equal(tm_process_threads(0x3fffffff, &list), 0);
	assert_null(list);
}

/* Maps a page of a new file of this name. */
static void *map_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	void *page;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 8192), 0);
	page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(page != MAP_FAILED);
	close(fd);
	return page;
}

static void mapped_recordings_are_found_whatever_their_name(void **state)
{
	char directory[] = "/tmp/maps.XXXXXX", path[64], other[64];
	struct tm_process_mapping *found;
	struct stat stat_of_file;
	void *page, *ignored;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/tidemark. a\nb.rec", directory);
	snprintf(other, sizeof(other), "%s/tidemark.other", directory);
	page = map_file(path);
	ignored = map_file(other);
	/* two lines in maps, one file */
	assert_int_equal(mprotect((char *)page + 4096, 4096, PROT_READ), 0);
	assert_int_equal(stat(path, &stat_of_file), 0);
	assert_int_equal(tm_process_mappings(getpid(), &found), 1);
	assert_string_equal(found->path, path);
	assert_int_equal(found->inode, stat_of_file.st_ino);
	assert_int_equal(found->start, (uintptr_t)page);
	assert_false(found->deleted);
	tm_process_mappings_free(found, 1);
	unlink(path);
	assert_int_equal(tm_process_mappings(getpid(), &found), 1);
	assert_string_equal(found->path, path);
	assert_true(found->deleted);
	tm_process_mappings_free(found, 1);
	munmap(page, 8192);
	assert_int_equal(tm_process_mappings(getpid(), &found), 0);
	tm_process_mappings_free(found, 0);
	assert_int_equal(tm_process_mappings(0x3fffffff, &found), -ESRCH);
	munmap(ignored, 8192);
	unlink(other);
	rmdir(directory);
}

static void resident_recordings_are_told_from_the_rest(void **state)
{
	char directory[] = "/tmp/maps.XXXXXX", path[64], other[64];
	uint64_t resident, recording, before;
	char *page, *ignored;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/tidemark. a\nRss: 77 kB.rec", directory);
	snprintf(other, sizeof(other), "%s/tidemark.other", directory);
	page = map_file(path);
	ignored = map_file(other);
	assert_int_equal(tm_process_memory(getpid(), &before, &recording), 0);
	assert_int_equal(recording, 0);
	page[0] = ignored[0] = ignored[4096] = 1;
	assert_int_equal(tm_process_memory(getpid(), &resident, &recording), 0);
	assert_int_equal(recording, 4096);
	assert_true(resident >= before + 3 * 4096);
	page[4096] = 1;
	unlink(path);
	assert_int_equal(tm_process_memory(getpid(), &resident, &recording), 0);
	assert_int_equal(recording, 8192);
	munmap(page, 8192);
	munmap(ignored, 8192);
	unlink(other);
	rmdir(directory);
	assert_int_equal(tm_process_memory(0x3fffffff, &resident, &recording), -ESRCH);
}

static void programs_are_told_by_what_they_map(void **state)
{
	char directory[] = "/tmp/maps.XXXXXX", python[64], library[64];
	void *page;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(python, sizeof(python), "%s/python3.99", directory);
	snprintf(library, sizeof(library), "%s/libtidemark.so", directory);
	assert_false(tm_process_is_python(getpid()));
	assert_false(tm_process_preloaded(getpid()));
	page = map_file(python);
	assert_true(tm_process_is_python(getpid()));
	munmap(page, 8192);
	page = map_file(library);
	assert_true(tm_process_preloaded(getpid()));
	munmap(page, 8192);
	unlink(python);
	unlink(library);
	rmdir(directory);
}

static void only_recordings_are_named_like_them(void **state)
{
	(void)state;
	assert_true(tm_process_is_recording_name("/dev/shm/tidemark.1.2.0.rec"));
	assert_true(tm_process_is_recording_name("tidemark.1.2.0.rec"));
	assert_false(tm_process_is_recording_name("/dev/shm/tidemark.1.2.0.rec.XXXX"));
	assert_false(tm_process_is_recording_name("/tidemark.1/x.rec"));
	assert_false(tm_process_is_recording_name("x.rec"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_cannot_pretend_to_be_fields),
		cmocka_unit_test(states_are_seen),
		cmocka_unit_test(pids_and_users_are_ours),
		cmocka_unit_test(what_happens_to_signals_is_known),
		cmocka_unit_test(threads_and_processes_are_listed),
		cmocka_unit_test(mapped_recordings_are_found_whatever_their_name),
		cmocka_unit_test(resident_recordings_are_told_from_the_rest),
		cmocka_unit_test(programs_are_told_by_what_they_map),
		cmocka_unit_test(only_recordings_are_named_like_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_target.c - from what the user names to a recording and its state
 */
#include <errno.h>
#include <fcntl.h>
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

#include "error.h"
#include "outcome.h"
#include "standin.h"
#include "target.h"

static char *digits(pid_t pid)
{
	static char text[24];

	snprintf(text, sizeof(text), "%d", pid);
	return text;
}

/* ---- refusals ---- */

static int try_open(void *text)
{
	struct tm_target *target;
	int status = tm_target_open(text, &target);

	if (status == TM_EXIT_OK)
		tm_target_close(target);
	return status;
}

static void expect_refused(const char *text, int status, const char *part)
{
	struct outcome outcome;
	char copy[256];

	snprintf(copy, sizeof(copy), "%s", text);
	outcome_of(&outcome, try_open, copy);
	expect_one_line(&outcome, part);
	assert_int_equal(outcome.status, status);
}

static void write_file(const char *path, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

static void what_is_no_recording_is_refused(void **state)
{
	struct standin *s = standin_begin(STANDIN_DEFAULT, NULL);
	char path[96];

	(void)state;
	expect_refused("", TM_EXIT_USAGE, "empty TARGET");
	expect_refused("/nonexistent/x", TM_EXIT_USAGE, "no such file");
	expect_refused(s->directory, TM_EXIT_USAGE, "is a directory");
	snprintf(path, sizeof(path), "%s/file", s->directory);
	write_file(path, "", 0);
	expect_refused(path, TM_EXIT_USAGE, "is empty");
	write_file(path, "plain text", 10);
	expect_refused(path, TM_EXIT_USAGE, "is no recording");
	snprintf(path, sizeof(path), "%s/fifo", s->directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_refused(path, TM_EXIT_USAGE, "not a regular file");
	snprintf(path, sizeof(path), "%s/link", s->directory);
	assert_int_equal(symlink(s->path, path), 0);
	expect_refused(path, TM_EXIT_USAGE, "symbolic link");
	standin_end(s);
}

static void what_was_a_recording_is_damaged(void **state)
{
	struct standin *s = standin_begin(STANDIN_DEFAULT, NULL);
	char path[96];

	(void)state;
	snprintf(path, sizeof(path), "%s/cut.rec", s->directory);
	write_file(path, "TIDE", 4);
	expect_refused(path, TM_EXIT_DAMAGED, "record again");
	write_file(path, s->story->image, 700);
	expect_refused(path, TM_EXIT_DAMAGED, "truncated");
	/* killed before its magic number was written */
	write_file(path, "\0\0\0\0\0\0\0\0\0\0", 10);
	expect_refused(path, TM_EXIT_DAMAGED, "record again");
	s->story->header->major = TM_LAYOUT_MAJOR + 1;
	expect_refused(s->path, TM_EXIT_DAMAGED, "layout version");
	standin_end(s);
}

static void recordings_of_others_need_a_word(void **state)
{
	struct standin *s = standin_begin(STANDIN_DEFAULT, NULL);
	struct tm_target *target;

	(void)state;
	if (chown(s->path, 65534, 65534) != 0) {
		standin_end(s);
		skip();
	}
	expect_refused(s->path, TM_EXIT_USAGE, "add --any-user");
	expect_refused(digits(s->pid), TM_EXIT_USAGE, "add --any-user");
	tm_target_any_user(true);
	assert_int_equal(tm_target_open(s->path, &target), TM_EXIT_OK);
	tm_target_close(target);
	tm_target_any_user(false);
	standin_end(s);
}

static pid_t idle_child(void)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_process_without_a_recording_is_told_apart(void **state)
{
	pid_t pid = idle_child();

	(void)state;
	expect_refused("999999999", TM_EXIT_USAGE, "no process 999999999");
	expect_refused(digits(pid), TM_EXIT_USAGE, "is no Python process");
	kill(pid, SIGKILL);
	standin_wait_state(pid, 'Z');
	expect_refused(digits(pid), TM_EXIT_USAGE, "has ended and left no recording");
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	expect_refused(digits(pid), TM_EXIT_USAGE, "no process");
}

static void a_forked_child_without_its_own_is_told_so(void **state)
{
	struct standin *s = standin_begin(STANDIN_DEFAULT, NULL);
	/* The story is still mapped in it, by inheritance. */
	pid_t pid = idle_child();

	(void)state;
	expect_refused(digits(pid), TM_EXIT_USAGE, "forked from");
	end_child(pid);
	standin_end(s);
}

/* ---- states ---- */

static struct tm_target *opened(const char *text)
{
	struct tm_target *target = NULL;

	assert_int_equal(tm_target_open(text, &target), TM_EXIT_OK);
	return target;
}

static void expect_state(const char *text, enum tm_target_state state, pid_t pid)
{
	struct tm_target *target = opened(text);

	assert_string_equal(tm_target_state_name(target->state), tm_target_state_name(state));
	assert_int_equal(target->pid, pid);
	assert_int_equal(tm_target_is_finished(target), state != TM_TARGET_LIVE);
	tm_target_close(target);
}

static void a_live_process_is_found_by_pid_and_by_path(void **state)
{
	struct standin *s = standin_begin(STANDIN_DEFAULT, NULL);
	struct tm_target *target = opened(digits(s->pid));

	(void)state;
	assert_string_equal(target->path, s->path);
	tm_target_close(target);
	expect_state(digits(s->pid), TM_TARGET_LIVE, s->pid);
	expect_state(s->path, TM_TARGET_LIVE, s->pid);
	standin_end(s);
}

static void its_end_is_seen(void **state)
{
	struct standin *s = standin_begin(STANDIN_DEFAULT, NULL);
	struct tm_target *target = opened(s->path);
	char *pid = digits(s->pid);

	(void)state;
	standin_kill(s, SIGKILL);
	assert_int_equal(tm_target_refresh(target), TM_TARGET_KILLED);
	expect_state(pid, TM_TARGET_KILLED, 0);
	expect_state(s->path, TM_TARGET_KILLED, 0);
	exit_mark(s->story);
	assert_int_equal(tm_target_refresh(target), TM_TARGET_EXITED);
	expect_state(pid, TM_TARGET_EXITED, 0);
	tm_target_close(target);
	standin_end(s);
}

static void a_saved_copy_has_no_process(void **state)
{
	struct standin *s = standin_begin(STANDIN_DEFAULT, NULL);

	(void)state;
	s->story->header->saved = 1;
	expect_state(s->path, TM_TARGET_SAVED, 0);
	standin_end(s);
}

static void another_boot_means_it_is_gone(void **state)
{
	struct standin *s = standin_begin(STANDIN_DEFAULT, NULL);

	(void)state;
	s->story->header->boot_id[3] ^= 1;
	expect_state(s->path, TM_TARGET_KILLED, 0);
	standin_end(s);
}

static void a_copy_of_the_file_is_not_live(void **state)
{
	struct standin *s = standin_begin(STANDIN_DEFAULT, NULL);
	char copy[96];

	(void)state;
	snprintf(copy, sizeof(copy), "%s/copy", s->directory);
	write_file(copy, s->story->image, s->story->size);
	/* the process lives, but it writes to another file */
	expect_state(copy, TM_TARGET_EXITED, 0);
	standin_end(s);
}

/* exec(): the same process, and no mapping any more. */
static void a_replaced_program_is_finished(void **state)
{
	struct standin *s = standin_begin(STANDIN_DEFAULT, NULL);
	struct story *story = s->story;

	(void)state;
	standin_identify(story->header, getpid());
	expect_state(s->path, TM_TARGET_LIVE, getpid());
	munmap(story->image, story->size);
	expect_state(s->path, TM_TARGET_EXITED, 0);
	story->image = mmap(NULL, story->size, PROT_READ | PROT_WRITE, MAP_SHARED, story->fd, 0);
	assert_true(story->image != MAP_FAILED);
	story->header = (struct tm_header *)story->image;
	standin_end(s);
}

static void of_two_recordings_the_newer_counts(void **state)
{
	struct standin *s = standin_begin(STANDIN_DEFAULT, NULL);
	struct tm_target *target;
	struct tm_header *header;
	char later[96], *text = digits(s->pid);

	(void)state;
	standin_kill(s, SIGKILL);
	snprintf(later, sizeof(later), "%s", s->path);
	later[strlen(later) - 5] = '1';
	header = s->story->header;
	header->time_ns += 5;
	write_file(later, s->story->image, s->story->size);
	header->time_ns -= 5;
	target = opened(text);
	assert_string_equal(target->path, later);
	tm_target_close(target);
	standin_end(s);
}

static void an_earlier_process_of_that_number_is_not_it(void **state)
{
	pid_t pid = idle_child();
	struct standin *s = standin_begin(STANDIN_DEFAULT, NULL);
	char path[96];

	(void)state;
	/* a finished recording with the pid of one that runs now */
	standin_kill(s, SIGKILL);
	s->story->header->pid = (uint32_t)pid;
	s->story->header->start_ticks = 1;
	exit_mark(s->story);
	snprintf(path, sizeof(path), "%s/tidemark.%d.1.0.rec", s->directory, pid);
	write_file(path, s->story->image, s->story->size);
	unlink(s->path);
	story_end(s->story);
	s->story = story_begin(NULL);
	expect_refused(digits(pid), TM_EXIT_USAGE, "is of an earlier process of that number");
	expect_state(path, TM_TARGET_EXITED, 0);
	end_child(pid);
	standin_end(s);
}

/* Its name is gone, the mapping is not. */
static void a_deleted_recording_of_a_live_process_is_read(void **state)
{
	struct standin *s = standin_begin(STANDIN_DEFAULT, NULL);

	(void)state;
	unlink(s->path);
	if (geteuid() != 0) {
		standin_end(s);
		skip();
	}
	expect_state(digits(s->pid), TM_TARGET_LIVE, s->pid);
	standin_end(s);
}

/* In a pid namespace beside ours there may be a process that we do not see. */
static void what_cannot_be_seen_is_not_called_finished(void **state)
{
	struct standin *s = standin_begin(STANDIN_DEFAULT, NULL);
	struct tm_target *target;
	struct stat own;

	(void)state;
	standin_kill(s, SIGKILL);
	s->story->header->pid_namespace = 12345;
	assert_int_equal(stat("/proc/self/ns/pid", &own), 0);
	target = opened(s->path);
	assert_int_equal(target->state, TM_TARGET_KILLED);
	/* from the first namespace all are seen */
	assert_int_equal(tm_target_is_finished(target), own.st_ino == 0xeffffffc);
	tm_target_close(target);
	standin_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_recording_is_refused),
		cmocka_unit_test(what_was_a_recording_is_damaged),
		cmocka_unit_test(recordings_of_others_need_a_word),
		cmocka_unit_test(a_process_without_a_recording_is_told_apart),
		cmocka_unit_test(a_forked_child_without_its_own_is_told_so),
		cmocka_unit_test(a_live_process_is_found_by_pid_and_by_path),
		cmocka_unit_test(its_end_is_seen),
		cmocka_unit_test(a_saved_copy_has_no_process),
		cmocka_unit_test(another_boot_means_it_is_gone),
		cmocka_unit_test(a_copy_of_the_file_is_not_live),
		cmocka_unit_test(a_replaced_program_is_finished),
		cmocka_unit_test(of_two_recordings_the_newer_counts),
		cmocka_unit_test(an_earlier_process_of_that_number_is_not_it),
		cmocka_unit_test(a_deleted_recording_of_a_live_process_is_read),
		cmocka_unit_test(what_cannot_be_seen_is_not_called_finished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

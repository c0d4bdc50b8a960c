/*
 * test_listing.c - `tidemark ps` and `tidemark rm` see each recording once and remove no live one
 */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include <cmocka.h>
#include <jansson.h>

#include "error.h"
#include "listing.h"
#include "outcome.h"
#include "standin.h"

static char *digits(pid_t pid)
{
	static char text[24];

	snprintf(text, sizeof(text), "%d", pid);
	return text;
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* The process's entry in `ps --json`; NULL = none, and more than one fails the test. */
static json_t *listed(json_t *root, pid_t pid)
{
	json_t *entry, *found = NULL;
	size_t i;

	json_array_foreach(json_object_get(root, "processes"), i, entry)
	{
		if (json_integer_value(json_object_get(entry, "pid")) != pid)
			continue;
		assert_null(found);
		found = entry;
	}
	return found;
}

static json_t *ps_json(const char *option)
{
	struct outcome outcome;
	json_t *root;

	outcome_of_command(&outcome, &tm_cmd_ps, "ps", "--json", option, NULL);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.err, "");
	root = json_loads(outcome.out, 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_integer_value(json_object_get(root, "tidemark")), 1);
	return root;
}

static const char *text_of(json_t *entry, const char *key)
{
	return json_string_value(json_object_get(entry, key));
}

static void ps_tells_what_is_in_the_header(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	json_t *root, *entry;

	(void)state;
	birth(s->story, "app.A", 0x7f0000100000, 48);
	birth(s->story, "app.A", 0x7f0000100100, 48);
	birth(s->story, "app.A", 0x7f0000100200, 48);
	death(s->story, 0x7f0000100100);
	mark(s->story, "one");
	mark(s->story, "two");
	s->story->header->parent_pid = 77;
	root = ps_json(NULL);
	/* mapped by the child and by this process, and lying in dir= */
	entry = listed(root, s->pid);
	assert_non_null(entry);
	assert_string_equal(text_of(entry, "recording"), s->path);
	assert_string_equal(text_of(entry, "state"), "live");
	assert_string_equal(text_of(entry, "python"), "3.13.5");
	assert_int_equal(json_integer_value(json_object_get(entry, "parent")), 77);
	assert_int_equal(json_integer_value(json_object_get(entry, "marks")), 2);
	assert_int_equal(json_integer_value(json_object_get(entry, "objects")), 2);
	assert_int_equal(json_array_size(json_object_get(entry, "command")), 2);
	assert_string_equal(json_string_value(json_array_get(json_object_get(entry, "command"), 1)),
			    "app.py");
	assert_int_equal(json_object_size(entry), 9);
	json_decref(root);
	standin_end(s);
}

static void ps_follows_a_process_to_its_end(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	pid_t pid = s->pid;
	json_t *root;

	(void)state;
	mark(s->story, "one");
	standin_kill(s, SIGKILL);
	root = ps_json(NULL);
	assert_string_equal(text_of(listed(root, pid), "state"), "killed");
	json_decref(root);
	exit_mark(s->story);
	root = ps_json(NULL);
	assert_string_equal(text_of(listed(root, pid), "state"), "exited");
	/* exit is a mark, but not one that somebody set */
	assert_int_equal(json_integer_value(json_object_get(listed(root, pid), "marks")), 1);
	json_decref(root);
	standin_end(s);
}

static void ps_finds_what_is_mapped_elsewhere(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	json_t *root;

	(void)state;
	setenv("TIDEMARK", "dir=/nonexistent", 1);
	root = ps_json(NULL);
	assert_string_equal(text_of(listed(root, s->pid), "recording"), s->path);
	json_decref(root);
	standin_end(s);
}

static void ps_says_what_is_wrong(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	struct tm_header *header = s->story->header;
	struct outcome outcome;
	json_t *root, *entry;

	(void)state;
	header->blind = TM_B_SIGNAL_TAKEN | TM_B_FLOATS;
	header->losses[TM_L_NO_SPACE] = 12;
	snprintf((char *)header->message, sizeof(header->message), "why \033[31m not");
	root = ps_json("--verbose");
	entry = listed(root, s->pid);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(entry, "losses"), "no_space")),
		12);
	assert_int_equal(json_array_size(json_object_get(entry, "blind")), 2);
	assert_string_equal(text_of(entry, "family"), "tracer");
	assert_true(json_integer_value(json_object_get(entry, "disk_bytes")) > 0);
	json_decref(root);
	outcome_of_command(&outcome, &tm_cmd_ps, "ps", NULL);
	assert_int_equal(outcome.status, 0);
	assert_non_null(strstr(outcome.out, "the program took signal 42; why \\x1b[31m not"));
	assert_null(strchr(outcome.out, '\033'));
	outcome_of_command(&outcome, &tm_cmd_ps, "ps", "-v", NULL);
	assert_non_null(strstr(outcome.out, "signal_taken, floats"));
	assert_non_null(strstr(outcome.out, "no_space 12"));
	assert_non_null(strstr(outcome.out, s->path));
	standin_end(s);
}

static void rm_removes_a_finished_recording_and_no_live_one(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	char *pid = digits(s->pid);
	struct outcome outcome;

	(void)state;
	outcome_of_command(&outcome, &tm_cmd_rm, "rm", pid, NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "is still recorded");
	assert_true(is_there(s->path));
	standin_kill(s, SIGKILL);
	outcome_of_command(&outcome, &tm_cmd_rm, "rm", pid, NULL);
	assert_int_equal(outcome.status, 0);
	assert_non_null(strstr(outcome.out, "removed 1 recording, "));
	assert_false(is_there(s->path));
	outcome_of_command(&outcome, &tm_cmd_rm, "rm", pid, NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "no process");
	standin_end(s);
}

static void copy_file(const char *from, const char *to)
{
	char command[256];

	snprintf(command, sizeof(command), "cp --sparse=always %s %s", from, to);
	assert_int_equal(system(command), 0);
}

static void a_pid_means_all_its_recordings_and_a_path_one(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	char earlier[96], other[96], *pid = digits(s->pid);
	struct outcome outcome;

	(void)state;
	standin_kill(s, SIGKILL);
	/* of the same process before an exec(), and of an earlier one of the number */
	snprintf(earlier, sizeof(earlier), "%s", s->path);
	earlier[strlen(earlier) - 5] = '1';
	copy_file(s->path, earlier);
	snprintf(other, sizeof(other), "%s/tidemark.%s.1.0.rec", s->directory, pid);
	copy_file(s->path, other);
	outcome_of_command(&outcome, &tm_cmd_rm, "rm", earlier, NULL);
	assert_int_equal(outcome.status, 0);
	assert_false(is_there(earlier));
	assert_true(is_there(s->path));
	copy_file(s->path, earlier);
	outcome_of_command(&outcome, &tm_cmd_rm, "rm", pid, NULL);
	assert_int_equal(outcome.status, 0);
	assert_false(is_there(earlier));
	assert_false(is_there(s->path));
	standin_end(s);
}

static void rm_needs_to_know_what_and_leaves_saved_files(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	struct outcome outcome;

	(void)state;
	outcome_of_command(&outcome, &tm_cmd_rm, "rm", NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "needs either TARGETs or --dead");
	outcome_of_command(&outcome, &tm_cmd_rm, "rm", "--dead", s->path, NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	s->story->header->saved = 1;
	outcome_of_command(&outcome, &tm_cmd_rm, "rm", s->path, NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "saved copy");
	assert_true(is_there(s->path));
	standin_end(s);
}

/* ---- --dead, where no recording of anybody else is in reach ---- */

struct places {
	char live[64], killed[64], saved[64], broken[64], starting[64];
};

static void hide_the_usual_places(void)
{
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", "/dev/shm", "tmpfs", 0, NULL) != 0)
		_exit(77);
	/* dir= lies in the real /tmp, which must stay visible */
	setenv("TMPDIR", "/dev/shm", 1);
}

static int remove_dead(void *context)
{
	struct places *places = context;
	char words[2][8] = {"rm", "--dead"}, *argv[] = {words[0], words[1], NULL};
	struct utimbuf old = {time(NULL) - 3600, time(NULL) - 3600};
	int status;

	hide_the_usual_places();
	if (mkdir("/dev/shm/t", 0700) != 0 ||
	    mount(getenv("STANDIN"), "/dev/shm/t", NULL, MS_BIND, NULL) != 0 ||
	    mount("none", "/tmp", "tmpfs", 0, NULL) != 0)
		return 77;
	setenv("TIDEMARK", "dir=/dev/shm/t", 1);
	utime(places->broken, &old);
	status = tm_cmd_rm.run(2, argv);
	printf("live %d killed %d saved %d broken %d starting %d\n", is_there(places->live),
	       is_there(places->killed), is_there(places->saved), is_there(places->broken),
	       is_there(places->starting));
	return status;
}

static void prepare_dead(const struct standin *s, struct places *places)
{
	char path[96];

	snprintf(places->live, sizeof(places->live), "/dev/shm/t%s", strrchr(s->path, '/'));
	snprintf(places->killed, sizeof(places->killed), "/dev/shm/t/tidemark.999.1.0.rec");
	snprintf(places->saved, sizeof(places->saved), "/dev/shm/t/tidemark.999.2.0.rec");
	snprintf(places->broken, sizeof(places->broken), "/dev/shm/t/tidemark.999.3.0.rec");
	snprintf(places->starting, sizeof(places->starting), "/dev/shm/t/tidemark.999.4.0.rec");
	s->story->header->boot_id[0] ^= 1;
	snprintf(path, sizeof(path), "%s%s", s->directory, strrchr(places->killed, '/'));
	copy_file(s->path, path);
	s->story->header->saved = 1;
	snprintf(path, sizeof(path), "%s%s", s->directory, strrchr(places->saved, '/'));
	copy_file(s->path, path);
	s->story->header->saved = 0;
	s->story->header->boot_id[0] ^= 1;
	snprintf(path, sizeof(path), "%s%s", s->directory, strrchr(places->broken, '/'));
	copy_file("/dev/null", path);
	assert_int_equal(truncate(path, 4096), 0);
	snprintf(path, sizeof(path), "%s%s", s->directory, strrchr(places->starting, '/'));
	copy_file("/dev/null", path);
	assert_int_equal(truncate(path, 4096), 0);
}

static void dead_means_dead(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	struct outcome outcome;
	struct places places;

	(void)state;
	prepare_dead(s, &places);
	setenv("STANDIN", s->directory, 1);
	outcome_of(&outcome, remove_dead, &places);
	standin_end(s);
	if (outcome.status == 77)
		skip();
	assert_string_equal(outcome.err, "");
	assert_int_equal(outcome.status, 0);
	assert_non_null(strstr(outcome.out, "removed 2 recordings, "));
	assert_non_null(strstr(outcome.out, "live 1 killed 0 saved 1 broken 0 starting 1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ps_tells_what_is_in_the_header),
		cmocka_unit_test(ps_follows_a_process_to_its_end),
		cmocka_unit_test(ps_finds_what_is_mapped_elsewhere),
		cmocka_unit_test(ps_says_what_is_wrong),
		cmocka_unit_test(rm_removes_a_finished_recording_and_no_live_one),
		cmocka_unit_test(a_pid_means_all_its_recordings_and_a_path_one),
		cmocka_unit_test(rm_needs_to_know_what_and_leaves_saved_files),
		cmocka_unit_test(dead_means_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_mailbox.c - requests to a process, and `tidemark mark` around them
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "error.h"
#include "mailbox.h"
#include "outcome.h"
#include "standin.h"
#include "waiting.h"

#define PATIENCE_MS 10000

static char *digits(pid_t pid)
{
	static char text[24];

	snprintf(text, sizeof(text), "%d", pid);
	return text;
}

static struct tm_target *opened(const struct standin *s)
{
	struct tm_target *target = NULL;

	assert_int_equal(tm_target_open(s->path, &target), TM_EXIT_OK);
	return target;
}

static struct tm_mailbox *mailbox(const struct standin *s)
{
	return (struct tm_mailbox *)(s->story->image + TM_MAILBOX_OFFSET);
}

static struct tm_request *sent(const struct tm_target *target, const char *name, unsigned flags)
{
	struct tm_request *request = NULL;

	assert_int_equal(tm_mailbox_send(target, name, strlen(name), flags, PATIENCE_MS, &request),
			 0);
	return request;
}

static void expect_stage(struct tm_request *request, enum tm_request_stage stage)
{
	uint64_t start = tm_mailbox_now_ms();

	while (tm_mailbox_poll(request) != stage && tm_mailbox_now_ms() - start < PATIENCE_MS)
		tm_mailbox_pause(0);
	assert_int_equal(tm_mailbox_poll(request), stage);
}

static void a_mark_gets_its_name_and_the_analyzer_its_number(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	struct tm_target *target = opened(s);

	(void)state;
	for (uint32_t number = 1; number <= 3; number++) {
		struct tm_request *request = sent(target, "warm \xc3\xbc", 0);

		expect_stage(request, TM_REQUEST_FOLLOWED);
		assert_int_equal(tm_mailbox_mark(request), number);
		assert_string_equal((const char *)mark_record(s->story, number)->name,
				    "warm \xc3\xbc");
		tm_mailbox_finish(request);
		assert_int_equal(mailbox(s)->state, TM_MB_FREE);
	}
	tm_target_close(target);
	standin_end(s);
}

static void the_longest_name_fits_and_a_longer_one_is_refused(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	struct tm_target *target = opened(s);
	char name[TM_NAME_MAX + 2];
	struct tm_request *request;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[TM_NAME_MAX] = '\0';
	request = sent(target, name, 0);
	expect_stage(request, TM_REQUEST_FOLLOWED);
	assert_string_equal((const char *)mark_record(s->story, 1)->name, name);
	tm_mailbox_finish(request);
	assert_int_equal(tm_mailbox_send(target, name, TM_NAME_MAX + 1, 0, 0, &request),
			 -ENAMETOOLONG);
	tm_target_close(target);
	standin_end(s);
}

static void expect_unsent(enum standin_manner manner, int error)
{
	struct standin *s = standin_begin(manner, NULL);
	struct tm_target *target = opened(s);
	struct tm_request *request;

	assert_int_equal(tm_mailbox_check(target), error);
	assert_int_equal(tm_mailbox_send(target, "x", 1, 0, 0, &request), error);
	assert_int_equal(mailbox(s)->state, TM_MB_FREE);
	/* and it lives: that is what the check is for */
	assert_int_equal(waitpid(s->pid, NULL, WNOHANG), 0);
	assert_int_equal(s->story->header->current, 0);
	tm_target_close(target);
	standin_end(s);
}

static void a_signal_that_would_kill_is_not_sent(void **state)
{
	(void)state;
	expect_unsent(STANDIN_DEFAULT, -EOPNOTSUPP);
	expect_unsent(STANDIN_IGNORES, -EOPNOTSUPP);
}

static void a_recorder_that_is_off_is_not_asked(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	struct tm_target *target;

	(void)state;
	s->story->header->blind = TM_B_SIGNAL_TAKEN;
	target = opened(s);
	assert_int_equal(tm_mailbox_check(target), -EOPNOTSUPP);
	tm_target_close(target);
	s->story->header->blind = 0;
	s->story->header->state = TM_PS_STOPPED;
	target = opened(s);
	assert_int_equal(tm_mailbox_check(target), -EOPNOTSUPP);
	tm_target_close(target);
	standin_end(s);
}

static void a_recording_cannot_make_us_send_any_signal(void **state)
{
	static const uint32_t numbers[] = {0, SIGKILL, SIGSTOP, 65, 0xffffffff};
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct tm_target *target;

		s->story->header->signal = numbers[i];
		target = opened(s);
		assert_int_equal(tm_mailbox_check(target), -EBADMSG);
		tm_target_close(target);
	}
	/* one that means something else to it */
	s->story->header->signal = SIGTERM;
	{
		struct tm_target *target = opened(s);

		assert_int_equal(tm_mailbox_check(target), -EOPNOTSUPP);
		tm_target_close(target);
	}
	standin_end(s);
}

static void a_finished_process_is_not_asked(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	struct tm_target *target;

	(void)state;
	standin_kill(s, SIGKILL);
	target = opened(s);
	assert_int_equal(tm_mailbox_check(target), -ESRCH);
	assert_int_equal(tm_mailbox_follow_up(target, 10), -ESRCH);
	tm_target_close(target);
	standin_end(s);
}

static void a_full_table_is_a_refusal(void **state)
{
	struct standin *s = standin_begin(STANDIN_FULL, NULL);
	struct tm_target *target = opened(s);
	struct tm_request *request = sent(target, "x", 0);

	(void)state;
	expect_stage(request, TM_REQUEST_REFUSED);
	tm_mailbox_finish(request);
	tm_target_close(target);
	standin_end(s);
}

static void a_stopped_process_takes_the_mark_later_with_its_name(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	struct tm_target *target = opened(s);
	struct tm_request *request;
	char *reason;

	(void)state;
	kill(s->pid, SIGSTOP);
	standin_wait_state(s->pid, 'T');
	request = sent(target, "late", 0);
	assert_int_equal(tm_mailbox_poll(request), TM_REQUEST_SENT);
	reason = tm_waiting_reason(target, false);
	assert_non_null(strstr(reason, "stopped"));
	free(reason);
	/* the analyzer goes away, the signal does not */
	tm_mailbox_finish(request);
	kill(s->pid, SIGCONT);
	while (s->story->header->current == 0)
		tm_mailbox_pause(0);
	assert_string_equal((const char *)mark_record(s->story, 1)->name, "late");
	tm_target_close(target);
	standin_end(s);
}

static void a_mark_that_still_waits_is_not_displaced_by_later_requests(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	struct tm_target *target = opened(s);
	struct tm_request *request;

	(void)state;
	kill(s->pid, SIGSTOP);
	standin_wait_state(s->pid, 'T');
	request = sent(target, "promised", 0);
	tm_mailbox_finish(request);
	assert_int_equal(tm_mailbox_send(target, "second", 6, 0, 20, &request), -EBUSY);
	assert_int_equal(tm_mailbox_follow_up(target, 20), -EBUSY);
	kill(s->pid, SIGCONT);
	request = sent(target, "third", 0);
	expect_stage(request, TM_REQUEST_FOLLOWED);
	assert_int_equal(tm_mailbox_mark(request), 2);
	assert_string_equal((const char *)mark_record(s->story, 1)->name, "promised");
	tm_mailbox_finish(request);
	tm_target_close(target);
	standin_end(s);
}

static void what_a_dead_analyzer_left_is_taken_over(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	struct tm_target *target = opened(s);

	(void)state;
	for (uint32_t left = TM_MB_CLAIMED; left <= TM_MB_DONE; left++) {
		struct tm_request *request;

		if (left == TM_MB_TAKING)
			continue;
		mailbox(s)->state = left;
		mailbox(s)->owner_pid = 0x3fffffff;
		request = sent(target, "mine", 0);
		expect_stage(request, TM_REQUEST_FOLLOWED);
		tm_mailbox_finish(request);
	}
	/* the handler itself is at it: wait, and say so */
	mailbox(s)->state = TM_MB_TAKING;
	{
		struct tm_request *request;

		assert_int_equal(tm_mailbox_send(target, "x", 1, 0, 20, &request), -EBUSY);
	}
	assert_int_equal(mailbox(s)->state, TM_MB_TAKING);
	tm_target_close(target);
	standin_end(s);
}

static void two_analyzers_take_turns(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	struct tm_target *first = opened(s), *second = opened(s);
	struct tm_request *one, *two;

	(void)state;
	kill(s->pid, SIGSTOP);
	standin_wait_state(s->pid, 'T');
	one = sent(first, "one", 0);
	assert_int_equal(tm_mailbox_send(second, "two", 3, 0, 30, &two), -EBUSY);
	kill(s->pid, SIGCONT);
	expect_stage(one, TM_REQUEST_FOLLOWED);
	/* the first still holds its request, but not the mailbox */
	two = sent(second, "two", 0);
	expect_stage(two, TM_REQUEST_FOLLOWED);
	assert_int_equal(tm_mailbox_mark(one), 1);
	assert_int_equal(tm_mailbox_mark(two), 2);
	assert_string_equal((const char *)mark_record(s->story, 1)->name, "one");
	assert_string_equal((const char *)mark_record(s->story, 2)->name, "two");
	tm_mailbox_finish(one);
	tm_mailbox_finish(two);
	tm_target_close(first);
	tm_target_close(second);
	standin_end(s);
}

static void many_at_once_lose_no_name(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	enum {
		ANALYZERS = 6,
		EACH = 5
	};
	unsigned seen[ANALYZERS * EACH] = {0};

	(void)state;
	fflush(NULL);
	for (int a = 0; a < ANALYZERS; a++) {
		if (fork() != 0)
			continue;
		for (int i = 0; i < EACH; i++) {
			struct tm_target *target;
			struct tm_request *request;
			char name[16];

			snprintf(name, sizeof(name), "n%d", a * EACH + i);
			if (tm_target_open(s->path, &target) != 0 ||
			    tm_mailbox_send(target, name, strlen(name), 0, PATIENCE_MS, &request))
				_exit(1);
			while (tm_mailbox_poll(request) < TM_REQUEST_FOLLOWED)
				tm_mailbox_pause(0);
			tm_mailbox_finish(request);
			tm_target_close(target);
		}
		_exit(0);
	}
	for (int a = 0; a < ANALYZERS; a++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(s->story->header->current, ANALYZERS * EACH);
	for (uint32_t i = 1; i <= ANALYZERS * EACH; i++)
		seen[atoi((const char *)mark_record(s->story, i)->name + 1)]++;
	for (int i = 0; i < ANALYZERS * EACH; i++)
		assert_int_equal(seen[i], 1);
	standin_end(s);
}

static void the_end_of_the_process_ends_the_wait(void **state)
{
	struct standin *s = standin_begin(STANDIN_BLOCKS, NULL);
	struct tm_target *target = opened(s);
	struct tm_request *request = sent(target, "x", 0);
	char *reason = tm_waiting_reason(target, false);

	(void)state;
	assert_string_equal(reason, "every thread blocks signal 42");
	free(reason);
	assert_int_equal(tm_mailbox_poll(request), TM_REQUEST_SENT);
	standin_kill(s, SIGKILL);
	expect_stage(request, TM_REQUEST_GONE);
	tm_mailbox_finish(request);
	tm_target_close(target);
	standin_end(s);
}

static void follow_ups_are_asked_for_and_waited_for(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	struct tm_target *target = opened(s);

	(void)state;
	assert_int_equal(tm_mailbox_follow_up(target, PATIENCE_MS), 0);
	assert_int_equal(tm_mailbox_follow_up(target, PATIENCE_MS), 0);
	assert_int_equal(s->story->header->follow_ups, 2);
	assert_int_equal(s->story->header->current, 0);
	tm_target_close(target);
	standin_end(s);
	s = standin_begin(STANDIN_LATE, NULL);
	target = opened(s);
	assert_int_equal(tm_mailbox_follow_up(target, 50), -ETIMEDOUT);
	tm_target_close(target);
	standin_end(s);
}

/* ---- the command ---- */

static void the_command_prints_number_name_and_cost(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	struct outcome outcome;
	json_t *json;

	(void)state;
	outcome_of_command(&outcome, &tm_cmd_mark, "mark", digits(s->pid), "wa\033rm", NULL);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.err, "");
	assert_string_equal(outcome.out,
			    "mark 1 \"wa\\x1brm\": 0.42 ms, 12,345 objects collected\n");
	outcome_of_command(&outcome, &tm_cmd_mark, "mark", s->path, "--no-collect", NULL);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.out, "mark 2: 0.42 ms, no collection\n");
	outcome_of_command(&outcome, &tm_cmd_mark, "mark", s->path, "three", "--json", NULL);
	assert_int_equal(outcome.status, 0);
	json = json_loads(outcome.out, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(json, "tidemark")), 1);
	assert_int_equal(json_integer_value(json_object_get(json, "mark")), 3);
	assert_int_equal(json_integer_value(json_object_get(json, "pid")), s->pid);
	assert_string_equal(json_string_value(json_object_get(json, "name")), "three");
	assert_true(json_is_true(json_object_get(json, "followed")));
	assert_true(json_is_true(json_object_get(json, "collected")));
	json_decref(json);
	standin_end(s);
}

static void the_command_says_why_not(void **state)
{
	struct standin *s = standin_begin(STANDIN_DEFAULT, NULL);
	struct outcome outcome;

	(void)state;
	outcome_of_command(&outcome, &tm_cmd_mark, "mark", s->path, NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "does not handle signal 42, which would end it");
	s->story->header->blind = TM_B_SIGNAL_TAKEN;
	outcome_of_command(&outcome, &tm_cmd_mark, "mark", s->path, NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "has a handler of its own");
	standin_kill(s, SIGKILL);
	outcome_of_command(&outcome, &tm_cmd_mark, "mark", s->path, NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "has ended");
	outcome_of_command(&outcome, &tm_cmd_mark, "mark", s->path, "a\nb", NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "line break");
	standin_end(s);
}

static void a_timeout_says_how_far_it_got(void **state)
{
	struct standin *s = standin_begin(STANDIN_BLOCKS, NULL);
	struct outcome outcome;

	(void)state;
	outcome_of_command(&outcome, &tm_cmd_mark, "mark", s->path, "--timeout", "0.05", NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "has not taken the mark: every thread blocks signal 42");
	standin_end(s);
	s = standin_begin(STANDIN_LATE, NULL);
	outcome_of_command(&outcome, &tm_cmd_mark, "mark", s->path, "--timeout", "0.05", NULL);
	assert_int_equal(outcome.status, 0);
	expect_one_line(&outcome, "follow-up of the mark is still to come");
	assert_string_equal(outcome.out, "mark 1 is set, its follow-up is still to come\n");
	standin_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mark_gets_its_name_and_the_analyzer_its_number),
		cmocka_unit_test(the_longest_name_fits_and_a_longer_one_is_refused),
		cmocka_unit_test(a_signal_that_would_kill_is_not_sent),
		cmocka_unit_test(a_recorder_that_is_off_is_not_asked),
		cmocka_unit_test(a_recording_cannot_make_us_send_any_signal),
		cmocka_unit_test(a_finished_process_is_not_asked),
		cmocka_unit_test(a_full_table_is_a_refusal),
		cmocka_unit_test(a_stopped_process_takes_the_mark_later_with_its_name),
		cmocka_unit_test(a_mark_that_still_waits_is_not_displaced_by_later_requests),
		cmocka_unit_test(what_a_dead_analyzer_left_is_taken_over),
		cmocka_unit_test(two_analyzers_take_turns),
		cmocka_unit_test(many_at_once_lose_no_name),
		cmocka_unit_test(the_end_of_the_process_ends_the_wait),
		cmocka_unit_test(follow_ups_are_asked_for_and_waited_for),
		cmocka_unit_test(the_command_prints_number_name_and_cost),
		cmocka_unit_test(the_command_says_why_not),
		cmocka_unit_test(a_timeout_says_how_far_it_got),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

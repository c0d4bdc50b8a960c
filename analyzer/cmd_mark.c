/*
 * cmd_mark.c - `tidemark mark`: set a mark and wait until it is taken
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "error.h"
#include "jsonout.h"
#include "mailbox.h"
#include "mem.h"
#include "options.h"
#include "process.h"
#include "target.h"
#include "text.h"
#include "waiting.h"

#define DEFAULT_TIMEOUT_MS 60000 /* where no one can press Ctrl-C */
#define PROGRESS_AFTER_MS  300
#define PROGRESS_EVERY_MS  500

struct arguments {
	const char *target;
	const char *name; /* NULL = unnamed */
	bool no_collect;
	bool json;
	bool has_timeout;
	uint64_t timeout_ms;
};

enum {
	KEY_NO_COLLECT = 1,
	KEY_JSON,
	KEY_TIMEOUT,
};

static const struct argp_option options[] = {
	{"no-collect", KEY_NO_COLLECT, NULL, 0, "Make no full collection for this mark", 0},
	{"timeout", KEY_TIMEOUT, "SECONDS", 0,
	 "Wait no longer (default: without end on a terminal, else 60)", 0},
	{"json", KEY_JSON, NULL, 0, "Print the mark as JSON", 0},
	{0},
};

static void check_name(const struct argp_state *state, const char *name)
{
	if (strlen(name) > TM_NAME_MAX)
		tm_options_error(state, "the name is %zu bytes long, at most %d are kept",
				 strlen(name), TM_NAME_MAX);
	if (strpbrk(name, "\n\r") != NULL)
		tm_options_error(state, "the name has a line break in it");
	if (*name == '\0')
		tm_options_error(state, "the name is empty; leave it out for an unnamed mark");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case KEY_NO_COLLECT:
		arguments->no_collect = true;
		return 0;
	case KEY_JSON:
		arguments->json = true;
		return 0;
	case KEY_TIMEOUT:
		if (tm_options_seconds(arg, &arguments->timeout_ms) != 0)
			tm_options_error(state, "--timeout takes seconds, not '%s'", arg);
		arguments->has_timeout = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0) {
			arguments->target = arg;
			return 0;
		}
		if (state->arg_num > 1)
			return ARGP_ERR_UNKNOWN;
		check_name(state, arg);
		arguments->name = arg;
		return 0;
	case ARGP_KEY_END:
		if (arguments->target == NULL)
			tm_options_error(state, "no TARGET given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static volatile sig_atomic_t interrupted;

static void note_interrupt(int number)
{
	interrupted = number;
}

static void catch_interrupt(void)
{
	/* Without SA_RESTART: a sleep between two looks ends at once. */
	struct sigaction action = {.sa_handler = note_interrupt};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void explain_busy(const struct tm_target *target, int pid)
{
	char *reason = tm_waiting_reason(target, false);

	tm_error("another request to process %d is still waiting: %s; try again later", pid,
		 reason);
	free(reason);
}

/* Why no request was sent, in one line. */
static void explain(const struct tm_target *target, int error)
{
	const struct tm_header *header = tm_reader_header(target->reader);
	int pid = (int)(target->pid ? target->pid : (pid_t)header->pid);

	switch (error) {
	case -ESRCH:
		tm_error("process %d has ended, it takes no more marks; its recording stays "
			 "readable",
			 pid);
		break;
	case -EPERM:
		tm_error("not permitted to signal process %d or to write its recording; run as its "
			 "user or as root",
			 pid);
		break;
	case -EOPNOTSUPP:
		if (header->state == TM_PS_STOPPED)
			tm_error("the recorder in process %d has switched itself off: %.*s; start "
				 "the program again",
				 pid, (int)strnlen((const char *)header->message, TM_TEXT_MAX),
				 header->message);
		else if (header->blind & TM_B_SIGNAL_TAKEN)
			tm_error("the program in process %d has a handler of its own for signal "
				 "%" PRIu32 "; start it with tidemark run -o signal=NUMBER",
				 pid, header->signal);
		else
			tm_error("process %d does not handle signal %" PRIu32
				 ", which would end it; start it with tidemark run -o "
				 "signal=NUMBER",
				 pid, header->signal);
		break;
	case -EBUSY:
		explain_busy(target, pid);
		break;
	case -EINTR:
		tm_error("interrupted before the mark was asked for; nothing was sent");
		break;
	case -EAGAIN:
		tm_error("process %d has too many signals waiting; try again later", pid);
		break;
	case -EBADMSG:
		tm_error("the recording of process %d is damaged: it names no mark signal, or is "
			 "cut short; start the program again",
			 pid);
		break;
	default:
		tm_error("cannot ask process %d for a mark: %s; try again", pid, strerror(-error));
	}
}

/* A line on the terminal that says what is waited for; replaced by the next. */
static void show_progress(const struct tm_target *target, bool taken, uint64_t elapsed_ms)
{
	size_t columns = tm_text_columns(stderr);
	char *reason = tm_waiting_reason(target, taken);
	char *line = tm_mem_format("%s: %s (%" PRIu64 " s)",
				   taken ? "mark set, its follow-up waits" : "waiting for the mark",
				   reason, elapsed_ms / 1000);
	char *clean = tm_text_clean(line, strlen(line));
	static const char hint[] = ", Ctrl-C leaves";
	bool hinted = tm_text_width(clean) + sizeof(hint) <= columns;
	/* A full line would wrap, and only its last part be replaced. */
	char *fitted = tm_text_shorten(clean, columns > 1 ? columns - 1 : 1);

	fprintf(stderr, "\r\033[K%s%s", fitted, hinted ? hint : "");
	free(fitted);
	free(clean);
	free(line);
	free(reason);
}

static void clear_progress(bool shown)
{
	if (shown)
		fputs("\r\033[K", stderr);
}

/* Waits for the end of the request, of the patience, or for Ctrl-C. */
static enum tm_request_stage wait_for(struct tm_request *request, const struct tm_target *target,
				      uint64_t timeout_ms)
{
	uint64_t start = tm_mailbox_now_ms(), elapsed = 0, next = PROGRESS_AFTER_MS;
	bool terminal = isatty(STDERR_FILENO), shown = false;
	enum tm_request_stage stage;

	while ((stage = tm_mailbox_poll(request)) < TM_REQUEST_FOLLOWED && !interrupted &&
	       elapsed < timeout_ms) {
		if (terminal && elapsed >= next) {
			show_progress(target, stage == TM_REQUEST_TAKEN, elapsed);
			shown = true;
			next = elapsed + PROGRESS_EVERY_MS;
		}
		tm_mailbox_pause(elapsed);
		elapsed = tm_mailbox_now_ms() - start;
	}
	clear_progress(shown);
	return stage;
}

static void print_json(const struct tm_target *target, uint32_t number, const struct tm_mark *mark)
{
	struct tm_bytes name = tm_mark_name(mark);
	struct tm_json json = tm_json_open(stdout);

	tm_json_member(&json, "pid", json_integer(tm_reader_header(target->reader)->pid));
	tm_json_member(&json, "mark", json_integer(number));
	tm_json_member(&json, "name", tm_json_bytes(name));
	tm_json_member(&json, "time", tm_json_time(mark->time_ns));
	tm_json_member(&json, "pause", tm_json_seconds(mark->pause_ns));
	tm_json_member(&json, "collected", json_boolean(mark->flags & TM_MF_COLLECTED));
	tm_json_member(&json, "collected_objects", tm_json_count(mark->collected_objects));
	tm_json_member(&json, "followed", json_boolean(mark->state == TM_MARK_FOLLOWED));
	tm_json_close(&json);
}

static void print_cost(const struct tm_mark *mark)
{
	char pause[TM_TEXT_NUMBER], count[TM_TEXT_NUMBER];

	printf(": %s", tm_text_duration(pause, mark->pause_ns));
	if (mark->flags & TM_MF_COLLECTED)
		printf(", %s objects collected", tm_text_count(count, mark->collected_objects));
	else if (mark->flags & TM_MF_MERGED)
		printf(", followed up with a later mark");
	else
		printf(", no collection");
}

static void print_text(uint32_t number, const struct tm_mark *mark)
{
	struct tm_bytes name = tm_mark_name(mark);

	printf("mark %" PRIu32, number);
	if (name.size > 0) {
		printf(" \"");
		tm_text_put(stdout, name.data, name.size);
		printf("\"");
	}
	if (mark->state == TM_MARK_FOLLOWED)
		print_cost(mark);
	else
		printf(" is set, its follow-up is still to come");
	putchar('\n');
}

static int report(const struct tm_target *target, const struct tm_request *request,
		  const struct arguments *arguments)
{
	uint32_t number = tm_mailbox_mark(request);
	struct tm_mark mark;

	if (tm_reader_fetch_mark(target->reader, number, &mark) != 0) {
		tm_error("mark %" PRIu32 " was set, but the recording does not show it; it is "
			 "damaged, start the program again",
			 number);
		return TM_EXIT_DAMAGED;
	}
	if (arguments->json)
		print_json(target, number, &mark);
	else
		print_text(number, &mark);
	return TM_EXIT_OK;
}

static int report_untaken(const struct tm_target *target)
{
	char *reason = tm_waiting_reason(target, false);

	tm_error("process %d has not taken the mark: %s; it is set as soon as the process can",
		 (int)target->pid, reason);
	free(reason);
	return TM_EXIT_USAGE;
}

/* The mark is set, the rest is late: that is worth a line, not a failure. */
static void note_unfollowed(const struct tm_target *target)
{
	char *reason = tm_waiting_reason(target, true);

	tm_error("the follow-up of the mark is still to come: %s; see tidemark marks %d later",
		 reason, (int)target->pid);
	free(reason);
}

static int conclude(const struct tm_target *target, struct tm_request *request,
		    enum tm_request_stage stage, const struct arguments *arguments)
{
	/* Gone after the mark was set is a mark as well. */
	bool set = tm_mailbox_mark(request) != 0;

	if (stage == TM_REQUEST_REFUSED) {
		tm_error("process %d takes no more marks, its table of marks is full; start the "
			 "program again",
			 (int)target->pid);
		return TM_EXIT_USAGE;
	}
	if (stage == TM_REQUEST_GONE && !set) {
		tm_error("process %d ended before the mark was set; its recording stays readable",
			 (int)target->pid);
		return TM_EXIT_USAGE;
	}
	if (!set)
		return report_untaken(target);
	if (stage == TM_REQUEST_TAKEN)
		note_unfollowed(target);
	return report(target, request, arguments);
}

static uint64_t patience(const struct arguments *arguments)
{
	if (arguments->has_timeout)
		return arguments->timeout_ms;
	return isatty(STDERR_FILENO) ? UINT64_MAX : DEFAULT_TIMEOUT_MS;
}

static int set_mark(const struct tm_target *target, const struct arguments *arguments)
{
	const char *name = arguments->name ? arguments->name : "";
	uint64_t timeout_ms = patience(arguments);
	struct tm_request *request;
	int error, status;

	catch_interrupt();
	error = tm_mailbox_send(target, name, strlen(name),
				arguments->no_collect ? TM_MB_NO_COLLECT : 0, timeout_ms, &request);
	if (error != 0) {
		explain(target, error);
		return TM_EXIT_USAGE;
	}
	status = conclude(target, request, wait_for(request, target, timeout_ms), arguments);
	tm_mailbox_finish(request);
	return status;
}

static int run(int argc, char **argv)
{
	struct arguments arguments = {0};
	struct tm_target *target;
	int status;

	tm_options_parse(&tm_cmd_mark, argc, argv, &arguments);
	status = tm_target_open(arguments.target, &target);
	if (status != TM_EXIT_OK)
		return status;
	status = set_mark(target, &arguments);
	tm_target_close(target);
	return status;
}

const struct tm_command tm_cmd_mark = {
	.name = "mark",
	.args = "TARGET [NAME]",
	.summary = "Set a mark in a running process",
	.notes = "Waits until the mark is taken and prints its number, its name and the time it "
		 "took "
		 "from the process.  The mark itself is set by a signal handler at once; the "
		 "follow-up (a full collection first of all) runs when the interpreter next "
		 "gets to it.  When only that is late at the timeout or at Ctrl-C, the exit "
		 "status is 0 and a line says so; it is 2 when the mark is not set yet.",
	.options = options,
	.parse = parse,
	.run = run,
};

#include "standin.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Of the child's handler. */
static struct story *told;
static enum standin_manner manners;

static struct tm_mailbox *mailbox(struct story *story)
{
	return (struct tm_mailbox *)(story->image + TM_MAILBOX_OFFSET);
}

static void set(struct story *story, const char *name, uint32_t flags)
{
	uint32_t number = mark(story, name);
	struct tm_mark *record = mark_record(story, number);

	record->flags = flags & TM_MB_NO_COLLECT ? TM_MF_REQUEST | TM_MF_NO_COLLECT
						 : TM_MF_REQUEST | TM_MF_COLLECTED;
	record->pause_ns = 420000;
	record->collected_objects = 12345;
	if (manners == STANDIN_LATE)
		record->state = TM_MARK_TAKEN;
}

static void serve(int number, siginfo_t *info, void *context)
{
	struct tm_mailbox *box = mailbox(told);
	uint32_t expected = TM_MB_READY;

	(void)number;
	(void)context;
	if (info->si_code != SI_QUEUE || info->si_value.sival_int == 0) {
		set(told, "", 0);
		return;
	}
	if (box->token != (uint32_t)info->si_value.sival_int ||
	    !atomic_compare_exchange_strong(&box->state, &expected, TM_MB_TAKING))
		return;
	if (box->flags & TM_MB_FOLLOW_UP)
		told->header->follow_ups += manners != STANDIN_LATE;
	else if (manners != STANDIN_FULL)
		set(told, (const char *)box->name, box->flags);
	box->mark = manners == STANDIN_FULL ? 0 : told->header->current;
	atomic_store(&box->state, TM_MB_DONE);
}

static void adopt_manners(enum standin_manner manner, int number)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART, .sa_sigaction = serve};
	sigset_t set_of_one;

	manners = manner;
	if (manner == STANDIN_DEFAULT)
		return;
	if (manner == STANDIN_IGNORES)
		signal(number, SIG_IGN);
	else
		sigaction(number, &action, NULL);
	sigemptyset(&set_of_one);
	sigaddset(&set_of_one, number);
	if (manner == STANDIN_BLOCKS)
		sigprocmask(SIG_BLOCK, &set_of_one, NULL);
}

static void live(struct story *story, enum standin_manner manner, int ready)
	__attribute__((noreturn));

static void live(struct story *story, enum standin_manner manner, int ready)
{
	/* Not to outlive a test that fails. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	told = story;
	adopt_manners(manner, (int)story->header->signal);
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* What the kernel says of the process, from the end of its name on: ") S 1 ..." in @text. */
static char *read_stat(pid_t pid, char *text, size_t size)
{
	char path[64], *end;
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	assert_non_null(file);
	length = fread(text, 1, size - 1, file);
	fclose(file);
	text[length] = '\0';
	end = strrchr(text, ')');
	assert_non_null(end);
	return end;
}

uint64_t standin_start_ticks(pid_t pid)
{
	char text[1024], *field = read_stat(pid, text, sizeof(text));

	for (int i = 2; i < 22; i++)
		field = strchr(field + 1, ' ');
	return strtoull(field, NULL, 10);
}

void standin_identify(struct tm_header *header, pid_t pid)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
	unsigned byte;

	header->pid = (uint32_t)pid;
	header->uid = getuid();
	header->start_ticks = standin_start_ticks(pid);
	assert_non_null(file);
	for (size_t i = 0; i < sizeof(header->boot_id); i++) {
		/* dashes stand after bytes 4, 6, 8 and 10 */
		if (i == 4 || i == 6 || i == 8 || i == 10)
			assert_int_equal(fgetc(file), '-');
		assert_int_equal(fscanf(file, "%2x", &byte), 1);
		header->boot_id[i] = (uint8_t)byte;
	}
	fclose(file);
}

static void start_child(struct standin *s, enum standin_manner manner)
{
	int ends[2];
	char byte;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	s->pid = fork();
	if (s->pid == 0)
		live(s->story, manner, ends[1]);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
}

struct standin *standin_begin(enum standin_manner manner, const struct story_options *options)
{
	struct story_options own = {0};
	struct standin *s = calloc(1, sizeof(*s));
	char setting[64], first[64];

	assert_non_null(s);
	snprintf(s->directory, sizeof(s->directory), "/tmp/standin.XXXXXX");
	assert_non_null(mkdtemp(s->directory));
	snprintf(setting, sizeof(setting), "dir=%s", s->directory);
	setenv("TIDEMARK", setting, 1);
	snprintf(first, sizeof(first), "%s/tidemark.new.rec", s->directory);
	if (options != NULL)
		own = *options;
	own.path = first;
	s->story = story_begin(&own);
	start_child(s, manner);
	standin_identify(s->story->header, s->pid);
	snprintf(s->path, sizeof(s->path), "%s/tidemark.%d.%llu.0.rec", s->directory, s->pid,
		 (unsigned long long)s->story->header->start_ticks);
	assert_int_equal(rename(first, s->path), 0);
	return s;
}

void standin_kill(struct standin *s, int number)
{
	if (s->pid <= 0)
		return;
	kill(s->pid, number);
	assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
	s->pid = 0;
}

void standin_end(struct standin *s)
{
	char command[64];

	standin_kill(s, SIGKILL);
	story_end(s->story);
	snprintf(command, sizeof(command), "rm -r %s", s->directory);
	assert_int_equal(system(command), 0);
	unsetenv("TIDEMARK");
	free(s);
}

void standin_wait_state(pid_t pid, char state)
{
	for (int tries = 0; tries < 5000; tries++) {
		char text[1024];

		if (read_stat(pid, text, sizeof(text))[2] == state)
			return;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	fail_msg("process %d did not get into state %c", pid, state);
}

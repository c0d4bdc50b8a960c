/*
 * test_save.c - a saved copy shows what its recording showed, and nothing is left of a failure
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
#include <dirent.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "error.h"
#include "model.h"
#include "outcome.h"
#include "saver.h"
#include "scan.h"
#include "standin.h"

#define MIB 0x100000ull

/* ---- what a recording shows, as text ---- */

struct showing {
	struct tm_reader *reader;
	struct tm_scan_item *items;
	size_t count, capacity;
};

static void note_item(void *context, const struct tm_scan_item *item)
{
	struct showing *showing = context;

	if (showing->count == showing->capacity) {
		showing->capacity = showing->capacity ? 2 * showing->capacity : 64;
		showing->items = reallocarray(showing->items, showing->capacity, sizeof(*item));
		assert_non_null(showing->items);
	}
	showing->items[showing->count++] = *item;
}

static void print_item(FILE *out, struct tm_model *model, const struct tm_scan_item *item)
{
	struct tm_bytes type = tm_model_text(model, tm_model_type(model, item->word));
	struct tm_bytes file = {"-", 1};
	struct tm_place place = {0};

	if (tm_model_place(model, tm_word_site(item->word), &place))
		file = tm_model_text(model, place.file);
	fprintf(out, "%llx kind %d birth %u count %lld bytes %llu death %u flags %u %.*s %.*s:%u\n",
		(unsigned long long)item->address, (int)tm_word_kind(item->word),
		tm_word_birth(item->word), (long long)item->count, (unsigned long long)item->bytes,
		item->death, item->flags, (int)type.size, type.data, (int)file.size, file.data,
		place.line);
}

static void print_marks(FILE *out, struct tm_reader *reader)
{
	for (uint32_t i = 0; i <= tm_reader_header(reader)->current; i++) {
		const struct tm_mark *mark = tm_reader_mark(reader, i);

		assert_non_null(mark);
		fprintf(out, "mark %u %s %llu %llu\n", i, (const char *)mark->name,
			(unsigned long long)mark->time_ns, (unsigned long long)mark->created);
	}
	fprintf(out, "created %llu\n", (unsigned long long)tm_reader_counters(reader).created);
}

static struct tm_reader *reader_of(const char *path)
{
	struct tm_reader *reader = NULL;
	struct tm_reader_why why = {""};

	if (tm_reader_open(path, &reader, &why) != 0)
		fail_msg("cannot open %s: %s", path, why.text);
	return reader;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The order of the scan is of no importance. */
static void sort_lines(char *text)
{
	char *copy = strdup(text), *rest = copy, *line, **lines;
	size_t count = 0;

	/* no line is shorter than two characters */
	lines = calloc(strlen(text) / 2 + 1, sizeof(*lines));
	assert_non_null(lines);
	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			lines[count++] = line;
	qsort(lines, count, sizeof(*lines), compare_lines);
	*text = '\0';
	for (size_t i = 0; i < count; i++)
		text = stpcpy(stpcpy(text, lines[i]), "\n");
	free(lines);
	free(copy);
}

static char *shown_by(const char *path)
{
	struct showing showing = {.reader = reader_of(path)};
	struct tm_scan_facts facts;
	struct tm_model *model;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	tm_scan(showing.reader, 0, note_item, &showing, &facts);
	tm_reader_reload(showing.reader);
	model = tm_model_new(showing.reader);
	for (size_t i = 0; i < showing.count; i++)
		print_item(out, model, &showing.items[i]);
	print_marks(out, showing.reader);
	fprintf(out, "overwritten %llu damage %s\n", (unsigned long long)facts.overwritten,
		tm_reader_damage(showing.reader) ? tm_reader_damage(showing.reader) : "none");
	fclose(out);
	tm_model_free(model);
	tm_reader_close(showing.reader);
	free(showing.items);
	sort_lines(text);
	return text;
}

static void expect_same(const char *one, const char *other)
{
	char *a = shown_by(one), *b = shown_by(other);

	assert_string_equal(a, b);
	free(a);
	free(b);
}

/* ---- saving ---- */

static char *saved_as(const struct standin *s, const char *name)
{
	static char path[96];

	snprintf(path, sizeof(path), "%s/%s", s->directory, name);
	return path;
}

static char *save(const struct standin *s)
{
	char *path = saved_as(s, "saved");
	struct outcome outcome;

	outcome_of_command(&outcome, &tm_cmd_save, "save", s->path, path, "--force", NULL);
	assert_string_equal(outcome.err, "");
	assert_int_equal(outcome.status, 0);
	return path;
}

static void tell(struct story *story)
{
	at_line(story, "/srv/app.py", "old", 3);
	for (uint64_t i = 0; i < 40; i++)
		birth(story, "app.Old", HEAP + i * 64, 48);
	mark(story, "first");
	at_line(story, "/srv/app.py", "new", 7);
	for (uint64_t i = 0; i < 10; i++)
		death(story, HEAP + i * 64);
	birth_behind_head(story, "app.New", HEAP + 0x4000, 16, 128);
	buffer(story, HEAP + 0x8000, 5u << 20);
	buffer(story, HEAP + MIB, 512);
	pending(story, HEAP + 3 * MIB, 64);
	mark(story, "second");
	collection_begins(story);
	death(story, HEAP + 20 * 64);
	collection_ends(story);
	birth(story, "app.Latest", HEAP + 0x6000, 32);
}

static void a_copy_shows_what_the_recording_shows(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, &(struct story_options){.chunks = 8});
	struct stat source, copy;
	char *path;

	(void)state;
	tell(s->story);
	path = save(s);
	expect_same(s->path, path);
	assert_int_equal(stat(s->path, &source), 0);
	assert_int_equal(stat(path, &copy), 0);
	assert_int_equal(copy.st_mode & 07777, 0600);
	assert_true(copy.st_size < source.st_size);
	standin_end(s);
}

static void a_copy_of_a_copy_shows_the_same(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	struct outcome outcome;
	char first[96];

	(void)state;
	tell(s->story);
	exit_mark(s->story);
	snprintf(first, sizeof(first), "%s", save(s));
	outcome_of_command(&outcome, &tm_cmd_save, "save", first, saved_as(s, "again"), NULL);
	assert_int_equal(outcome.status, 0);
	expect_same(s->path, first);
	expect_same(first, saved_as(s, "again"));
	standin_end(s);
}

static void the_header_says_when_it_was_saved(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	struct tm_reader *reader = reader_of(save(s));
	const struct tm_header *header = tm_reader_header(reader);
	uint64_t now = (uint64_t)time(NULL) * 1000000000;

	(void)state;
	assert_int_equal(header->saved, 1);
	assert_true(header->saved_ns + 60000000000 > now && header->saved_ns < now + 2000000000);
	assert_int_equal(header->pid, s->pid);
	assert_int_equal(s->story->header->saved, 0);
	tm_reader_close(reader);
	standin_end(s);
}

static void chunks_that_hold_nothing_are_left_out(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, &(struct story_options){.chunks = 8});
	struct tm_reader *reader;

	(void)state;
	for (uint64_t i = 0; i < 8; i++)
		birth(s->story, "app.Thing", HEAP + i * MIB, 64);
	for (uint64_t i = 0; i < 8; i++)
		if (i != 5)
			death(s->story, HEAP + i * MIB);
	reader = reader_of(save(s));
	assert_int_equal(tm_reader_count(reader, TM_R_CHUNKS), 1);
	assert_int_equal(tm_reader_chunk(reader, 0)->heap_base, HEAP + 5 * MIB);
	assert_int_equal(tm_reader_region(reader, TM_R_SHADOW).capacity, TM_CHUNK_SHADOW);
	tm_reader_close(reader);
	expect_same(s->path, saved_as(s, "saved"));
	standin_end(s);
}

static void a_ring_that_turned_keeps_its_order(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);

	(void)state;
	for (uint64_t round = 0; round < 3; round++) {
		for (uint64_t i = 0; i < 1000; i++)
			birth(s->story, round % 2 ? "app.Odd" : "app.Even", HEAP + i * 64, 48);
		mark(s->story, "turn");
		for (uint64_t i = 0; i < 1000; i++)
			death(s->story, HEAP + i * 64);
	}
	assert_true(s->story->header->regions[TM_R_DEATHS].used > 2048);
	expect_same(s->path, save(s));
	standin_end(s);
}

static void without_a_ring_the_tallies_tell_all(void **state)
{
	struct standin *s =
		standin_begin(STANDIN_SERVES, &(struct story_options){.ring_slots = STORY_NO_RING});

	(void)state;
	tell(s->story);
	expect_same(s->path, save(s));
	standin_end(s);
}

/*
 * A mark is set and more is born while the copy is being made: it is a copy of the moment
 * before.  (Here the later things are in the shadow when the header still is the earlier.)
 */
static void what_is_newer_than_the_copy_is_not_in_it(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	struct tm_saver_result result;
	struct tm_reader *reader;
	char *before, *path, *after;
	int fd;

	(void)state;
	tell(s->story);
	before = shown_by(s->path);
	mark(s->story, "third");
	birth(s->story, "app.Later", HEAP + 0x7000, 48);
	s->story->header->current--;
	s->story->header->regions[TM_R_MARKS].used--;
	reader = reader_of(s->path);
	path = saved_as(s, "copy");
	fd = open(path, O_RDWR | O_CREAT, 0600);
	tm_saver_write(reader, fd, &result);
	assert_int_equal(result.failure, TM_SAVER_OK);
	after = shown_by(path);
	/* all but the counter, which belongs to the end of the copy */
	assert_null(strstr(after, "app.Later"));
	assert_null(strstr(after, "third"));
	assert_non_null(strstr(after, "damage none"));
	assert_non_null(strstr(before, "app.Latest"));
	assert_non_null(strstr(after, "app.Latest"));
	close(fd);
	free(before);
	free(after);
	tm_reader_close(reader);
	standin_end(s);
}

/* ---- refusals ---- */

static unsigned files_in(const char *directory)
{
	struct dirent *entry;
	DIR *dir = opendir(directory);
	unsigned count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void nothing_is_replaced_unless_forced(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	char *path = save(s);
	struct outcome outcome;
	struct stat before, after;

	(void)state;
	assert_int_equal(stat(path, &before), 0);
	outcome_of_command(&outcome, &tm_cmd_save, "save", s->path, path, NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "is there already; name another file, or add --force");
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	outcome_of_command(&outcome, &tm_cmd_save, "save", s->path, s->path, "--force", NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "is the recording itself");
	outcome_of_command(&outcome, &tm_cmd_save, "save", s->path, s->directory, NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "Is a directory");
	assert_int_equal(files_in(s->directory), 2);
	standin_end(s);
}

static int save_within_a_limit(void *context)
{
	struct rlimit limit = {100000, 100000};
	char *words[] = {(char[]){"save"}, ((char **)context)[0], ((char **)context)[1], NULL};

	setrlimit(RLIMIT_FSIZE, &limit);
	return tm_cmd_save.run(3, words);
}

static void a_file_that_does_not_fit_is_not_left_behind(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	char *names[] = {s->path, saved_as(s, "x")};
	struct outcome outcome;

	(void)state;
	tell(s->story);
	outcome_of(&outcome, save_within_a_limit, names);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "File too large");
	assert_int_equal(files_in(s->directory), 1);
	outcome_of_command(&outcome, &tm_cmd_save, "save", s->path, "/nonexistent/x", NULL);
	assert_int_equal(outcome.status, TM_EXIT_USAGE);
	expect_one_line(&outcome, "cannot write /nonexistent/x");
	standin_end(s);
}

static void a_damaged_recording_is_not_dressed_up(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES, NULL);
	struct outcome outcome;

	(void)state;
	tell(s->story);
	((struct tm_chunk *)story_table(s->story, TM_R_CHUNKS))->shadow = 5;
	outcome_of_command(&outcome, &tm_cmd_save, "save", s->path, saved_as(s, "x"), NULL);
	assert_int_equal(outcome.status, TM_EXIT_DAMAGED);
	expect_one_line(&outcome, "is damaged");
	assert_int_equal(files_in(s->directory), 1);
	standin_end(s);
}

static void pending_types_are_asked_for_first(void **state)
{
	struct standin *s = standin_begin(STANDIN_SERVES,
					  &(struct story_options){.family = TM_FAMILY_ALLOCATOR});

	(void)state;
	tell(s->story);
	save(s);
	assert_int_equal(s->story->header->follow_ups, 1);
	standin_end(s);
}

/* Objects come and go across marks all the time; every copy is one moment's. */
static void a_busy_process_gives_sound_copies(void **state)
{
	struct standin *s = standin_begin(
		STANDIN_SERVES, &(struct story_options){.ring_slots = 1u << 16, .marks = 512});
	pid_t busy;

	(void)state;
	tell(s->story);
	fflush(NULL);
	busy = fork();
	if (busy == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (unsigned round = 0;; round++) {
			for (uint64_t i = 0; i < 50; i++)
				birth(s->story, "app.Busy", HEAP + 2 * MIB + i * 64, 48);
			if (s->story->header->current < 400 && round % 64 == 0)
				mark(s->story, "tick");
			for (uint64_t i = 0; i < 50; i++)
				death(s->story, HEAP + 2 * MIB + i * 64);
		}
	}
	for (int i = 0; i < 20; i++) {
		char *shown = shown_by(save(s));

		if (strstr(shown, "damage none") == NULL)
			fail_msg("%s", strstr(shown, "damage"));
		assert_non_null(strstr(shown, "app.Latest"));
		free(shown);
	}
	kill(busy, SIGKILL);
	waitpid(busy, NULL, 0);
	standin_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_shows_what_the_recording_shows),
		cmocka_unit_test(a_copy_of_a_copy_shows_the_same),
		cmocka_unit_test(the_header_says_when_it_was_saved),
		cmocka_unit_test(chunks_that_hold_nothing_are_left_out),
		cmocka_unit_test(a_ring_that_turned_keeps_its_order),
		cmocka_unit_test(without_a_ring_the_tallies_tell_all),
		cmocka_unit_test(what_is_newer_than_the_copy_is_not_in_it),
		cmocka_unit_test(nothing_is_replaced_unless_forced),
		cmocka_unit_test(a_file_that_does_not_fit_is_not_left_behind),
		cmocka_unit_test(a_damaged_recording_is_not_dressed_up),
		cmocka_unit_test(pending_types_are_asked_for_first),
		cmocka_unit_test(a_busy_process_gives_sound_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

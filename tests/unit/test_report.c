/* test_report.c - what is printed: the JSON contract, and text that is safe to look at */
#include "view.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "history.h"
#include "report.h"
#include "text.h"

struct printed {
	char *text;
	size_t size;
};

static struct printed print_report(const struct tm_report *r, bool json)
{
	struct printed p = {NULL, 0};
	FILE *out = open_memstream(&p.text, &p.size);

	assert_non_null(out);
	if (json)
		tm_report_json(r, out);
	else
		tm_report_text(r, out);
	fclose(out);
	return p;
}

static struct printed print(struct view *v, bool json, uint64_t limit, uint64_t min_bytes)
{
	struct tm_report r = view_report(v);

	r.limit = limit;
	r.min_bytes = min_bytes;
	return print_report(&r, json);
}

static struct printed print_by(struct view *v, enum tm_group_by by)
{
	struct tm_report r = view_report(v);

	r.by = by;
	return print_report(&r, false);
}

static json_t *as_json(const struct story *s, const char *from, const char *to)
{
	struct view v = view_of(s, from, to);
	struct printed p = print(&v, true, 0, 0);
	json_error_t error;
	json_t *root = json_loadb(p.text, p.size, JSON_REJECT_DUPLICATES, &error);

	if (!root)
		fail_msg("not JSON: %s in line %d of\n%s", error.text, error.line, p.text);
	free(p.text);
	view_end(&v);
	return root;
}

static char *as_text(const struct story *s, const char *from, const char *to, uint64_t limit)
{
	struct view v = view_of(s, from, to);
	struct printed p = print(&v, false, limit, 0);

	view_end(&v);
	return p.text;
}

/* The keys of an object, in their order, with spaces between. */
static void expect_keys(json_t *object, const char *want)
{
	char have[512] = "";
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		if (have[0])
			strcat(have, " ");
		strcat(have, key);
	}
	assert_string_equal(have, want);
}

static void tell_a_leak(struct story *s)
{
	uint32_t outer = site_called(s, 0, "/srv/main.py", "main", 3);

	mark(s, "before");
	s->site = site_called(s, outer, "/srv/app.py", "Session.create", 34);
	for (uint64_t m = 0; m < 3; m++) {
		birth(s, "app.Session", HEAP + 0x1000 * m, 144);
		birth(s, "app.Session", HEAP + 0x1000 * m + 0x100, 144);
		mark(s, m == 2 ? "after" : "");
	}
	s->site = 0;
	birth(s, "later", HEAP + 0x5000, 32);
}

static void the_json_of_a_diff_is_as_agreed(void **state)
{
	struct story *s = *state;
	json_t *root, *group;

	tell_a_leak(s);
	root = as_json(s, "before", "after");
	expect_keys(
		root,
		"tidemark pid command python recording_id from to complete notes health verdict "
		"totals collections groups growth trash garbage");
	assert_int_equal(json_integer_value(json_object_get(root, "tidemark")), 1);
	assert_int_equal(json_integer_value(json_object_get(root, "pid")), 4712);
	assert_int_equal(json_array_size(json_object_get(root, "command")), 2);
	assert_string_equal(json_string_value(json_array_get(json_object_get(root, "command"), 1)),
			    "app.py");
	assert_string_equal(json_string_value(json_object_get(root, "python")), "3.13.5");
	assert_true(json_is_true(json_object_get(root, "complete")));
	expect_keys(json_object_get(root, "from"), "mark name time");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(root, "from"), "mark")),
			 1);
	assert_true(json_real_value(json_object_get(json_object_get(root, "from"), "time")) ==
		    1700000001.0);
	expect_keys(json_object_get(root, "totals"),
		    "created destroyed survived_objects survived_bytes grown_bytes freed_objects "
		    "freed_bytes garbage");
	assert_int_equal(json_array_size(json_object_get(root, "groups")), 1);
	group = json_array_get(json_object_get(root, "groups"), 0);
	expect_keys(group, "type kind objects bytes site stack generations by_interval ids");
	assert_string_equal(json_string_value(json_object_get(group, "type")), "app.Session");
	assert_string_equal(json_string_value(json_object_get(group, "kind")), "object");
	assert_int_equal(json_integer_value(json_object_get(group, "objects")), 6);
	assert_int_equal(json_integer_value(json_object_get(group, "bytes")), 6 * 144);
	expect_keys(json_object_get(group, "site"), "file line function");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(group, "site"), "line")), 34);
	assert_int_equal(json_array_size(json_object_get(group, "stack")), 2);
	assert_int_equal(json_integer_value(json_object_get(group, "generations")), 3);
	assert_int_equal(json_array_size(json_object_get(group, "by_interval")), 3);
	assert_string_equal(json_string_value(json_array_get(json_object_get(group, "ids"), 0)),
			    "0x7f0000100000");
	assert_int_equal(json_array_size(json_object_get(root, "garbage")), 0);
	json_decref(root);
}

static void growth_tells_the_type_of_its_owner_where_it_is_known(void **state)
{
	struct story *s = *state;
	json_t *root, *growth;
	char *text;

	buffer(s, HEAP, 100);
	buffer(s, HEAP + 0x10000, 100);
	mark(s, "before");
	at_line(s, "/srv/app.py", "fill", 9);
	s->owner = type_named(s, "app.\x1b[31mCache", 56);
	resized(s, HEAP, HEAP + 0x1000, 3100);
	s->owner = 0;
	resized(s, HEAP + 0x10000, HEAP + 0x11000, 1100);
	mark(s, "after");
	root = as_json(s, "before", "after");
	growth = json_object_get(root, "growth");
	assert_int_equal(json_array_size(growth), 2);
	expect_keys(json_array_get(growth, 0), "type kind buffers bytes site stack");
	assert_string_equal(json_string_value(json_object_get(json_array_get(growth, 0), "type")),
			    "app.\x1b[31mCache");
	assert_string_equal(json_string_value(json_object_get(json_array_get(growth, 0), "kind")),
			    "buffer");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(growth, 0), "bytes")),
			 3000);
	assert_true(json_is_null(json_object_get(json_array_get(growth, 1), "type")));
	json_decref(root);
	text = as_text(s, "before", "after", 0);
	assert_non_null(strstr(text, "  (buffer of app.\\x1b[31mCache)\n"));
	assert_non_null(strstr(text, "  (buffer)\n"));
	assert_null(strchr(text, '\x1b'));
	free(text);
}

static void what_is_not_known_is_null_in_json(void **state)
{
	struct story *s = *state;
	json_t *root, *group;

	tell_a_leak(s);
	root = as_json(s, "after", "now");
	group = json_array_get(json_object_get(root, "groups"), 0);
	assert_true(json_is_null(json_object_get(group, "site")));
	assert_int_equal(json_array_size(json_object_get(group, "stack")), 0);
	assert_true(json_is_null(json_object_get(json_object_get(root, "to"), "mark")));
	assert_true(json_is_null(json_object_get(json_object_get(root, "to"), "time")));
	assert_string_equal(json_string_value(json_object_get(json_object_get(root, "to"), "name")),
			    "now");
	json_decref(root);
}

static void names_of_any_bytes_give_valid_json_and_plain_text(void **state)
{
	struct story *s = *state;
	static const char evil[] = "a\x1b[31m\"\\\x07\xff\xed\xa0\x80\n\r";
	json_t *root;
	char *text;

	mark(s, evil);
	at_line(s, evil, evil, 1);
	birth(s, evil, HEAP, 32);
	memcpy(s->header->message, evil, sizeof(evil));
	memcpy(s->header->python, evil, sizeof(evil));
	s->header->command = string_of(s, evil, sizeof(evil));
	root = as_json(s, evil, "now");
	json_decref(root);
	text = as_text(s, evil, "now", 0);
	assert_non_null(strstr(text, "\\x1b"));
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' && *c != '\n')
			fail_msg("a control character %d is printed", *c);
	free(text);
}

static void the_text_says_what_grows_where_and_how(void **state)
{
	struct story *s = *state;
	char *text, *said;

	tell_a_leak(s);
	text = as_text(s, "before", "after", 0);
	assert_non_null(strstr(text, "python3 app.py\npid 4712 (exited), Python 3.13.5\n"));
	assert_non_null(strstr(text, "from mark 1 'before'"));
	assert_non_null(strstr(text, "6 objects (864 B) survived"));
	assert_non_null(strstr(text, "1 group has survivors in every interval"));
	assert_non_null(strstr(text, "     6  864 B     3 of 3  app.Session\n"));
	assert_non_null(strstr(text, "/srv/app.py:34 in Session.create\n"));
	assert_non_null(strstr(text, "called from /srv/main.py:3 in main\n"));
	assert_non_null(strstr(text, "per interval: 2 2 2\n"));
	/* what no interpreter tells, and nothing else */
	said = strstr(text, "\nNotes\n- tables of dicts");
	assert_non_null(said);
	assert_int_equal(strcspn(said + strlen("\nNotes\n"), "\n"),
			 strlen(said + strlen("\nNotes\n")) - 1);
	free(text);
	text = as_text(s, "after", "now", 0);
	assert_non_null(strstr(text, "no Python frame"));
	assert_non_null(strstr(text, "Notes\n- now makes no collection"));
	free(text);
	text = as_text(s, "start", "before", 0);
	assert_non_null(strstr(text, "nothing that was created in between is still there"));
	free(text);
}

/* Prints on a terminal of so many columns, from a child that cannot wait for its reader. */
static char *on_terminal(const struct story *s, unsigned columns)
{
	struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns};
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	char *text = calloc(1, 1 << 20);
	size_t length = 0;
	ssize_t got;
	pid_t child;

	assert_true(master >= 0 && text && !grantpt(master) && !unlockpt(master));
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	child = fork();
	if (child == 0) {
		struct view v = view_of(s, "start", "now");
		FILE *out = fopen(ptsname(master), "w");
		struct tm_report r;

		if (!out)
			_exit(1);
		close(master);
		unsetenv("COLUMNS");
		setenv("NO_COLOR", "1", 1);
		r = view_report(&v);
		tm_report_text(&r, out);
		fclose(out);
		_exit(0);
	}
	while ((got = read(master, text + length, (1 << 20) - 1 - length)) > 0)
		length += (size_t)got;
	close(master);
	assert_int_equal(waitpid(child, NULL, 0), child);
	return text;
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	struct story *s = *state;
	char name[200];
	char *text;

	memset(name, 'n', sizeof(name));
	memcpy(name, "/srv/", 5);
	name[sizeof(name) - 1] = 0;
	s->header->command = string_of(s, name, sizeof(name));
	tell_a_leak(s);
	at_line(s, name, name, 123456);
	birth(s, name, HEAP + 0x7000, 1 << 30);
	s->header->losses[TM_L_SITES] = 5;
	for (unsigned columns = 40; columns <= 120; columns += 20) {
		text = on_terminal(s, columns);
		assert_non_null(strstr(text, "app.Session"));
		for (char *line = strtok(text, "\r\n"); line; line = strtok(NULL, "\r\n"))
			if (tm_text_width(line) > columns)
				fail_msg("wider than %u columns: %s", columns, line);
		free(text);
	}
}

static void start_up_and_the_last_moments_do_not_hide_growth(void **state)
{
	struct story *s = *state;
	char *text;

	birth(s, "module", HEAP + 0x9000, 32);
	tell_a_leak(s);
	text = as_text(s, "start", "now", 0);
	assert_non_null(strstr(text, "1 group has survivors in every full interval"));
	free(text);
}

static void groups_left_out_are_counted(void **state)
{
	struct story *s = *state;
	char name[16];
	char *text;
	struct view v;
	struct printed p;

	mark(s, "a");
	for (uint64_t i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "type%u", (unsigned)i);
		birth(s, name, HEAP + 0x1000 * i, 100 + i);
	}
	text = as_text(s, "a", "now", 10);
	assert_non_null(strstr(text, "type20\n"));
	assert_null(strstr(text, "type19\n"));
	assert_non_null(strstr(text, "and 20 more groups: 20 allocations"));
	free(text);
	v = view_of(s, "a", "now");
	p = print(&v, false, 0, 125);
	assert_non_null(strstr(p.text, "type25\n"));
	assert_null(strstr(p.text, "type24\n"));
	assert_non_null(strstr(p.text, "and 25 more groups"));
	free(p.text);
	view_end(&v);
}

static void source_lines_are_shown_where_the_file_is_at_hand(void **state)
{
	struct story *s = *state;
	char path[] = "/tmp/tidemark-test-XXXXXX";
	int fd = mkstemp(path);
	FILE *source = fdopen(fd, "w");
	char *text;

	fputs("first\n    second(\x1b[1m)  \n\nlast", source);
	fclose(source);
	mark(s, "a");
	at_line(s, path, "f", 2);
	birth(s, "x", HEAP, 32);
	at_line(s, path, "f", 3);
	birth(s, "y", HEAP + 0x100, 32);
	at_line(s, path, "f", 4);
	birth(s, "z", HEAP + 0x200, 32);
	at_line(s, path, "f", 400);
	birth(s, "w", HEAP + 0x300, 32);
	text = as_text(s, "a", "now", 0);
	assert_non_null(strstr(text, "| second(\\x1b[1m)\n"));
	assert_non_null(strstr(text, "(the file was changed since)\n"));
	assert_non_null(strstr(text, "| last"));
	assert_null(strstr(text, "| first"));
	free(text);
	s->header->time_ns = UINT64_MAX;
	text = as_text(s, "a", "now", 0);
	assert_non_null(strstr(text, "| second(\\x1b[1m)\n"));
	assert_null(strstr(text, "changed since"));
	free(text);
	remove(path);
}

static void files_that_are_no_source_are_not_touched(void **state)
{
	struct story *s = *state;
	char path[] = "/tmp/tidemark-test-XXXXXX";
	char *text;

	assert_non_null(mkdtemp(path));
	mark(s, "a");
	at_line(s, path, "f", 1);
	birth(s, "x", HEAP, 32);
	at_line(s, "/dev/zero", "f", 1);
	birth(s, "y", HEAP + 0x100, 32);
	at_line(s, "<string>", "f", 1);
	birth(s, "z", HEAP + 0x200, 32);
	text = as_text(s, "a", "now", 0);
	assert_null(strstr(text, "| "));
	free(text);
	remove(path);
}

static void a_group_by_file_or_module_is_named_by_it(void **state)
{
	static const struct {
		enum tm_group_by by;
		const char *line;
	} cases[] = {
		{TM_BY_FILE,
		 "\n       /srv/app.py\n       mostly /srv/app.py:34 in Session.create\n"},
		{TM_BY_MODULE,
		 "\n       module app\n       mostly /srv/app.py:34 in Session.create\n"},
		{TM_BY_TYPE, "  app.Session\n       mostly /srv/app.py:34 in Session.create\n"},
		{TM_BY_SITE, "  app.Session\n       /srv/app.py:34 in Session.create\n"},
	};
	static const struct tm_filter all;
	struct story *s = *state;

	tell_a_leak(s);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct view v = view_filtered(s, "before", "after", cases[i].by, &all);
		struct printed p = print_by(&v, cases[i].by);

		if (!strstr(p.text, cases[i].line))
			fail_msg("no %s in\n%s", cases[i].line, p.text);
		free(p.text);
		view_end(&v);
	}
}

static void many_intervals_share_a_row_of_few_numbers(void **state)
{
	struct story_options many = {.marks = 3000};
	struct story *s = story_begin(&many);
	uint64_t sum = 0;
	json_t *root, *numbers;
	char *text;

	(void)state;
	for (uint64_t i = 0; i < 2500; i++) {
		birth(s, "x", HEAP + 32 * i, 32);
		mark(s, "");
	}
	root = as_json(s, "start", "2500");
	numbers =
		json_object_get(json_array_get(json_object_get(root, "groups"), 0), "by_interval");
	assert_true(json_array_size(numbers) <= TM_GROUP_MOST_NUMBERS);
	for (size_t i = 0; i < json_array_size(numbers); i++)
		sum += (uint64_t)json_integer_value(json_array_get(numbers, i));
	assert_int_equal(sum, 2500);
	json_decref(root);
	text = as_text(s, "start", "2500", 0);
	assert_non_null(strstr(text, "2500 of 2500"));
	assert_non_null(strstr(text, "per 209 intervals: 209 209"));
	free(text);
	story_end(s);
}

/* ---- marks ---- */

static void each_mark_has_what_was_alive_at_it(void **state)
{
	struct story *s = *state;
	struct tm_history h;
	struct tm_reader *reader;

	birth(s, "x", HEAP, 32);
	buffer(s, HEAP + 0x100, 100);
	mark(s, "1"); /* one object, one buffer */
	birth(s, "x", HEAP + 0x200, 32);
	birth(s, "x", HEAP + 0x300, 32);
	death(s, HEAP);
	mark(s, "2"); /* two objects */
	mark_reclaims(s, HEAP + 0x200);
	mark(s, "3"); /* one */
	death(s, HEAP + 0x100);
	reader = open_story(s);
	tm_history_make(&h, reader);
	assert_int_equal(h.count, 4);
	assert_int_equal(h.objects[0], 0);
	assert_int_equal(h.objects[1], 1);
	assert_int_equal(h.bytes[1], 132);
	assert_int_equal(h.objects[2], 2);
	assert_int_equal(h.bytes[2], 164);
	assert_int_equal(h.objects[3], 1);
	assert_int_equal(h.bytes[3], 132);
	tm_history_free(&h);
	tm_reader_close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY_TEST(the_json_of_a_diff_is_as_agreed),
		STORY_TEST(growth_tells_the_type_of_its_owner_where_it_is_known),
		STORY_TEST(what_is_not_known_is_null_in_json),
		STORY_TEST(names_of_any_bytes_give_valid_json_and_plain_text),
		STORY_TEST(the_text_says_what_grows_where_and_how),
		STORY_TEST(no_line_is_wider_than_the_terminal),
		STORY_TEST(start_up_and_the_last_moments_do_not_hide_growth),
		STORY_TEST(groups_left_out_are_counted),
		STORY_TEST(source_lines_are_shown_where_the_file_is_at_hand),
		STORY_TEST(files_that_are_no_source_are_not_touched),
		STORY_TEST(a_group_by_file_or_module_is_named_by_it),
		cmocka_unit_test(many_intervals_share_a_row_of_few_numbers),
		STORY_TEST(each_mark_has_what_was_alive_at_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

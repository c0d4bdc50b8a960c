/*
 * target.c - open a recording by path, and say in one line why not
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "mem.h"
#include "target_private.h"

static bool any_user_allowed;

void tm_target_any_user(bool allowed)
{
	any_user_allowed = allowed;
}

static int refuse(struct tm_target_refusal *why, int status, int error, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int refuse(struct tm_target_refusal *why, int status, int error, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, args);
	va_end(args);
	why->status = status;
	return error;
}

static int check_kind(const struct stat *stat, const char *path, struct tm_target_refusal *why)
{
	if (S_ISDIR(stat->st_mode))
		return refuse(why, TM_EXIT_USAGE, -EISDIR,
			      "%s is a directory; name a recording in it", path);
	if (!S_ISREG(stat->st_mode))
		return refuse(why, TM_EXIT_USAGE, -EINVAL,
			      "%s is not a regular file; name a recording", path);
	if (stat->st_size == 0)
		return refuse(why, TM_EXIT_USAGE, -ENODATA,
			      "%s is empty; name a recording, tidemark ps lists them", path);
	return 0;
}

static int check_owner(const struct stat *stat, const char *path, struct tm_target_refusal *why)
{
	const struct passwd *owner;
	char number[24];

	if (any_user_allowed || stat->st_uid == geteuid())
		return 0;
	owner = getpwuid(stat->st_uid);
	snprintf(number, sizeof(number), "%u", (unsigned)stat->st_uid);
	return refuse(why, TM_EXIT_USAGE, -EPERM,
		      "%s belongs to user %s, who chose what is in it; add --any-user to read it "
		      "all the same",
		      path, owner ? owner->pw_name : number);
}

/*
 * Not everything that is no recording is damage: without the magic number, whole or cut
 * short, or zero in a file that is named as recordings are, it is some other file.
 */
static bool was_meant_as_recording(int fd, const char *path)
{
	const uint64_t magic = TM_MAGIC;
	uint8_t start[sizeof(magic)] = {0};
	ssize_t length = pread(fd, start, sizeof(start), 0);
	static const uint8_t zero[sizeof(magic)];

	if (length <= 0)
		return false;
	if (memcmp(start, &magic, (size_t)length) == 0)
		return true;
	return memcmp(start, zero, (size_t)length) == 0 && strstr(path, TM_FILE_SUFFIX) != NULL;
}

static int open_reader(int fd, const char *path, struct tm_reader **out,
		       struct tm_target_refusal *why)
{
	bool meant = was_meant_as_recording(fd, path);
	struct tm_reader_why reason = {.text = ""};
	int error = tm_reader_open_fd(fd, out, &reason);

	if (error == 0)
		return 0;
	if (error != -EPROTO && error != -EBADMSG)
		return refuse(why, TM_EXIT_USAGE, error, "cannot read %s: %s; check the file", path,
			      reason.text[0] ? reason.text : strerror(-error));
	if (!meant)
		return refuse(why, TM_EXIT_USAGE, error,
			      "%s is no recording; name a pid, a saved file or a recording", path);
	return refuse(why, TM_EXIT_DAMAGED, error, "cannot read %s: %s; record again", path,
		      reason.text);
}

int tm_target_adopt(int fd, const char *path, struct tm_target **out, struct tm_target_refusal *why)
{
	struct tm_target *target;
	struct tm_reader *reader;
	struct stat stat;
	int error = 0;

	if (fstat(fd, &stat) != 0)
		error = refuse(why, TM_EXIT_USAGE, -errno, "cannot read %s: %s; check the file",
			       path, strerror(errno));
	if (error == 0)
		error = check_kind(&stat, path, why);
	if (error == 0)
		error = check_owner(&stat, path, why);
	if (error != 0) {
		close(fd);
		return error;
	}
	error = open_reader(fd, path, &reader, why);
	if (error != 0)
		return error;
	target = tm_mem_new(sizeof(*target));
	target->reader = reader;
	target->path = tm_mem_string(path);
	*out = target;
	return 0;
}

void tm_target_explain_open(const char *path, int error, struct tm_target_refusal *why)
{
	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
		refuse(why, TM_EXIT_USAGE, error,
		       "%s: no such file, and no pid; tidemark ps lists what is recorded", path);
		break;
	case -ELOOP:
		refuse(why, TM_EXIT_USAGE, error,
		       "%s is a symbolic link, which is not followed; name the file itself", path);
		break;
	case -EACCES:
	case -EPERM:
		refuse(why, TM_EXIT_USAGE, error,
		       "cannot read %s: permission denied; run as its owner or as root", path);
		break;
	default:
		refuse(why, TM_EXIT_USAGE, error, "cannot read %s: %s; check the file", path,
		       strerror(-error));
	}
}

static int open_path(const char *path, struct tm_target **out, struct tm_target_refusal *why)
{
	int fd = tm_recordings_open_path(path);
	int error;

	if (fd < 0) {
		tm_target_explain_open(path, fd, why);
		return fd;
	}
	error = tm_target_adopt(fd, path, out, why);
	if (error == 0)
		tm_target_find_process(*out, 0);
	return error;
}

/* A pid in digits; 0 when @text is something else. */
static pid_t as_pid(const char *text)
{
	size_t length = strlen(text);
	unsigned long number;

	if (length == 0 || length > 10 || strspn(text, "0123456789") != length)
		return 0;
	number = strtoul(text, NULL, 10);
	return number <= INT32_MAX ? (pid_t)number : 0;
}

int tm_target_open(const char *text, struct tm_target **out)
{
	struct tm_target_refusal why = {0};
	pid_t pid = as_pid(text);
	int error;

	if (*text == '\0') {
		tm_error("an empty TARGET; name a pid, a saved file or a recording");
		return TM_EXIT_USAGE;
	}
	error = pid != 0 ? tm_target_open_pid(pid, out, &why) : open_path(text, out, &why);
	if (error == 0)
		return TM_EXIT_OK;
	tm_error("%s", why.text);
	return why.status;
}

void tm_target_close(struct tm_target *target)
{
	if (target == NULL)
		return;
	tm_reader_close(target->reader);
	free(target->path);
	free(target);
}

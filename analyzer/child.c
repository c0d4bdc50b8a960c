#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "error.h"
#include "process.h"

static int exec_status(int error)
{
	return error == ENOENT ? TM_CHILD_NOT_FOUND : TM_CHILD_CANNOT_RUN;
}

int tm_child_exec(char **argv)
{
	execvp(argv[0], argv);
	tm_error("cannot run %s: %s; check the command", argv[0], strerror(errno));
	return exec_status(errno);
}

static volatile sig_atomic_t running;

static void hand_on(int number)
{
	int saved = errno;

	if (running > 0)
		kill((pid_t)running, number);
	errno = saved;
}

struct dispositions {
	struct sigaction interrupt, quit, terminate, hang_up;
};

static void divert(struct dispositions *old)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction forward = {.sa_handler = hand_on, .sa_flags = SA_RESTART};

	sigaction(SIGINT, &ignore, &old->interrupt);
	sigaction(SIGQUIT, &ignore, &old->quit);
	sigaction(SIGTERM, &forward, &old->terminate);
	sigaction(SIGHUP, &forward, &old->hang_up);
	/* As nohup left it, for the program too. */
	if (old->hang_up.sa_handler == SIG_IGN)
		sigaction(SIGHUP, &old->hang_up, NULL);
}

static void restore(const struct dispositions *old)
{
	sigaction(SIGINT, &old->interrupt, NULL);
	sigaction(SIGQUIT, &old->quit, NULL);
	sigaction(SIGTERM, &old->terminate, NULL);
	sigaction(SIGHUP, &old->hang_up, NULL);
}

/*
 * In the child.  A failing exec is told through @pipe, which a working one closes; the
 * message is left to the parent.
 */
static void become(char **argv, const struct dispositions *old, const sigset_t *mask, int pipe)
	__attribute__((noreturn));

static void become(char **argv, const struct dispositions *old, const sigset_t *mask, int pipe)
{
	int error;

	restore(old);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	error = errno;
	if (write(pipe, &error, sizeof(error)) != sizeof(error))
		_exit(TM_CHILD_CANNOT_RUN);
	_exit(exec_status(error));
}

/* Waits for the exec; returns its errno, 0 = it worked. */
static int exec_error(int pipe)
{
	int error = 0;
	ssize_t got;

	do {
		got = read(pipe, &error, sizeof(error));
	} while (got < 0 && errno == EINTR);
	return got == sizeof(error) ? error : 0;
}

static int wait_for_end(pid_t pid)
{
	siginfo_t ended;
	int status = 0;

	/* It keeps its pid until it is reaped, and then no signal may go there any more. */
	while (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT) != 0 && errno == EINTR)
		continue;
	running = 0;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return TM_CHILD_CANNOT_RUN;
	return WIFSIGNALED(status) ? TM_CHILD_SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Forks with the signals diverted.  Returns the pid or -errno. */
static pid_t start(char **argv, int report, struct dispositions *old)
{
	sigset_t all, mask;
	pid_t pid;

	/* No signal between the diversion and the moment there is someone to hand it to. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	divert(old);
	pid = fork();
	if (pid == 0)
		become(argv, old, &mask, report);
	if (pid < 0)
		pid = -errno;
	running = pid > 0 ? pid : 0;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return pid;
}

int tm_child_run(char **argv, struct tm_child *out)
{
	struct tm_process_stat process = {0};
	struct dispositions old;
	int ends[2], error = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	pid = start(argv, ends[1], &old);
	close(ends[1]);
	if (pid > 0) {
		error = exec_error(ends[0]);
		if (error == 0)
			(void)tm_process_stat(pid, &process);
		out->pid = pid;
		out->start_ticks = process.start_ticks;
		out->status = wait_for_end(pid);
	}
	close(ends[0]);
	restore(&old);
	if (error != 0)
		tm_error("cannot run %s: %s; check the command", argv[0], strerror(error));
	return pid > 0 ? 0 : (int)pid;
}

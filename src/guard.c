// SPDX-License-Identifier: GPL-2.0-or-later
/* What is still done when pyflow was killed: no process is left stopped. */
#include <config.h>

#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "job.h"
#include "log.h"
#include "xalloc.h"

/* Probes go when the last descriptor of a dying pyflow is closed; a program that was on
 * its way then may stop its process once more. */
enum { ROUNDS = 5, ROUND_MS = 20 };

struct guard {
	pid_t pid;
	int alive;
	char *script; /* in memory that the process shares */
};

/* Hold nothing but the two descriptors: an output pipe must close with pyflow. */
static void keep_only(int *a, int *b)
{
	int high = *a > *b ? *a : *b;
	int wait = fcntl(*a, F_DUPFD, high + 1), job = fcntl(*b, F_DUPFD, high + 2);

	dup2(wait, 0);
	dup2(job, 1);
	syscall(SYS_close_range, 2, ~0U, 0);
	*a = 0;
	*b = 1;
}

static void watch(int alive, int job_fd, struct shared *shared, const char *script)
{
	sigset_t all;
	ssize_t n;
	char word;

	/* Ctrl-C and Ctrl-Z are for the terminal's job, which this process is not part
	 * of; but it stays in the session, since that may be what lets it send SIGCONT.
	 */
	setpgid(0, 0);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	keep_only(&alive, &job_fd);
	do
		n = read(alive, &word, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(0);
	__atomic_store_n(&shared->running, 0, __ATOMIC_SEQ_CST);
	for (int i = 0; i < ROUNDS; i++) {
		job_rescue(job_fd);
		nanosleep(&(struct timespec){ .tv_nsec = ROUND_MS * 1000000L }, NULL);
	}
	if (*script)
		unlink(script);
	_exit(0);
}

static void guard_free(struct guard *g)
{
	if (g->script != MAP_FAILED)
		munmap(g->script, PATH_MAX);
	if (g->alive >= 0)
		close(g->alive);
	free(g);
}

struct guard *guard_start(int job_fd, struct shared *shared)
{
	struct guard *g = xcalloc(1, sizeof(*g));
	int ends[2] = { -1, -1 };

	g->alive = -1;
	g->script = mmap(NULL, PATH_MAX, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (g->script == MAP_FAILED || pipe2(ends, O_CLOEXEC))
		goto failed;
	g->alive = ends[1];
	g->pid = fork();
	if (!g->pid) {
		close(ends[1]);
		watch(ends[0], job_fd, shared, g->script);
	}
	close(ends[0]);
	if (g->pid > 0)
		return g;
failed:
	warn("cannot make the guard process: %s", strerror(errno));
	guard_free(g);
	return NULL;
}

char *guard_script(struct guard *g)
{
	return g ? g->script : NULL;
}

void guard_dismiss(struct guard *g)
{
	if (!g)
		return;
	if (write(g->alive, "q", 1) == 1)
		waitpid(g->pid, NULL, 0);
	guard_free(g);
}

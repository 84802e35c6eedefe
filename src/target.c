// SPDX-License-Identifier: GPL-2.0-or-later
/* The traced process: started and held, or adopted while it runs. */
#include <config.h>

#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"
#include "log.h"
#include "xalloc.h"

struct target {
	pid_t pid;
	int pidfd;
	bool is_child;
	int go;	    /* the child waits for a byte from here */
	int failed; /* an errno comes from here if it cannot become the command */
	char *name; /* of the command, for messages */
	char *script;
};

/* What the child needs of its parent. */
struct launch {
	const struct options *options;
	struct identity identity;
	char *path;
	char **argv;
	int (*in_child)(void *arg);
	void *arg;
	int wait, failed;
};

static struct target *target_new(void)
{
	struct target *t = xcalloc(1, sizeof(*t));

	t->pidfd = t->go = t->failed = -1;
	return t;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void target_free(struct target *t)
{
	if (!t)
		return;
	close_fd(&t->go);
	close_fd(&t->failed);
	close_fd(&t->pidfd);
	if (t->script)
		unlink(t->script);
	free(t->script);
	free(t->name);
	free(t);
}

static int say_exec_failed(const char *name, int err)
{
	warn("%s: %s", name,
	     err == -ENOENT   ? "command not found"
	     : err == -EACCES ? "cannot be executed: permission denied"
			      : strerror(-err));
	return err == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

/* In the child: wait for the parent's word, then become the command. */
static void become_command(struct launch *l)
{
	char go;
	int err;

	err = l->in_child(l->arg);
	if (!err && read(l->wait, &go, 1) != 1)
		_exit(EXIT_OWN);
	/* Its words shall not get between the lines of the trace. */
	if (!err && options_use_stdout(l->options) &&
	    dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		err = -errno;
	if (!err && l->options->user)
		err = launch_become(&l->identity);
	if (!err) {
		execv(l->path, l->argv);
		err = -errno;
	}
	if (write(l->failed, &err, sizeof(err)) < 0)
		_exit(EXIT_OWN);
	_exit(EXIT_OWN);
}

static int fork_child(struct target *t, struct launch *l)
{
	int go[2], failed[2];

	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (pipe2(failed, O_CLOEXEC)) {
		close(go[0]);
		close(go[1]);
		return -errno;
	}
	t->pid = fork();
	if (!t->pid) {
		close(go[1]);
		l->wait = go[0];
		l->failed = failed[1];
		become_command(l);
	}
	close(go[0]);
	close(failed[1]);
	t->go = go[1];
	t->failed = failed[0];
	t->pidfd = t->pid > 0 ? (int)syscall(SYS_pidfd_open, t->pid, 0) : -1;
	return t->pidfd < 0 ? -errno : 0;
}

/* What to execute: the command, or a shell with the script that holds it. */
static int prepare(struct target *t, const struct options *o, char *note,
		   struct launch *l)
{
	static char shell[] = "/bin/sh";
	int err;

	if (o->user && launch_identify(o->user, &l->identity))
		return EXIT_OWN;
	if (o->shell) {
		if (launch_script(o->tmp_dir, o->shell, o->user ? &l->identity : NULL,
				  note, &t->script))
			return EXIT_OWN;
		l->path = xstrdup(shell);
		l->argv = xcalloc(3, sizeof(*l->argv));
		l->argv[0] = shell;
		l->argv[1] = t->script;
		return 0;
	}
	l->argv = o->argv;
	err = launch_find(o->argv[0], &l->path);
	return err ? say_exec_failed(o->argv[0], err) : 0;
}

int target_start(const struct options *o, int (*in_child)(void *arg), void *arg,
		 char *note, struct target **target)
{
	struct launch l = { .options = o, .in_child = in_child, .arg = arg };
	struct target *t = target_new();
	int status, err;

	t->is_child = true;
	t->name = xstrdup(o->shell ? o->shell : o->argv[0]);
	status = prepare(t, o, note, &l);
	if (!status) {
		err = fork_child(t, &l);
		if (err) {
			warn("cannot make a process for %s: %s", t->name, strerror(-err));
			status = EXIT_OWN;
		}
	}
	if (l.argv != o->argv)
		free(l.argv);
	free(l.path);
	free(l.identity.name_buffer);
	if (status) {
		target_free(t);
		return status;
	}
	*target = t;
	return 0;
}

/* The process that a thread belongs to: "Tgid:" of proc(5); 0 if there is no such thread.
 */
static pid_t process_of(pid_t tid)
{
	char path[64], line[256];
	pid_t tgid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Tgid: %d", &tgid) == 1)
			break;
	if (f)
		fclose(f);
	return tgid;
}

bool target_has_ended(const struct target *t)
{
	struct pollfd p = { .fd = t->pidfd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

int target_adopt(pid_t pid, struct target **target)
{
	struct target *t = target_new();
	pid_t process = process_of(pid);

	if (process && process != pid)
		warn("%d is a thread: tracing its process, %d", (int)pid, (int)process);
	t->pid = process ? process : pid;
	t->pidfd = process ? (int)syscall(SYS_pidfd_open, process, 0) : -1;
	if (t->pidfd < 0 || target_has_ended(t)) {
		warn("no such process: %d", (int)pid);
		target_free(t);
		return EXIT_OWN;
	}
	*target = t;
	return 0;
}

int target_release(struct target *t)
{
	int err = 0;
	ssize_t n;

	if (write(t->go, "g", 1) != 1)
		err = -errno;
	close_fd(&t->go);
	do
		n = read(t->failed, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	close_fd(&t->failed);
	if (!err)
		return 0;
	target_wait(t);
	if (err == -EPERM) {
		warn("cannot become the user given with -u: %s", strerror(-err));
		return EXIT_OWN;
	}
	return say_exec_failed(t->name, err);
}

size_t target_args(const struct target *t, char *args, size_t size)
{
	char path[64];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)t->pid);
	f = fopen(path, "re");
	if (f) {
		n = fread(args, 1, size, f);
		fclose(f);
	}
	return n;
}

pid_t target_pid(const struct target *t)
{
	return t->pid;
}

bool target_is_child(const struct target *t)
{
	return t->is_child;
}

int target_pidfd(const struct target *t)
{
	return t->pidfd;
}

void target_signal(struct target *t, int signal)
{
	syscall(SYS_pidfd_send_signal, t->pidfd, signal, NULL, 0);
}

int target_wait(struct target *t)
{
	int status = 0;

	while (waitpid(t->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The signals that end the tracing, or stop pyflow for a time. */
#include <config.h>

#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t mask_before;
static struct sigaction pipe_before;

int signals_open(void)
{
	static const int maybe[] = { SIGTSTP, SIGTTIN, SIGTTOU, SIGHUP };
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	sigset_t set, blocked;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	for (size_t i = 0; i < sizeof(maybe) / sizeof(maybe[0]); i++) {
		sigaction(maybe[i], NULL, &before);
		if (before.sa_handler != SIG_IGN)
			sigaddset(&set, maybe[i]);
	}
	sigaction(SIGPIPE, &ignore, &pipe_before);
	/* So that it stays pending: see signals_stop_here(). */
	blocked = set;
	sigaddset(&blocked, SIGCONT);
	sigprocmask(SIG_BLOCK, &blocked, &mask_before);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int signals_take(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

void signals_stop_here(int signal)
{
	sigset_t set, old;

	/* It was let go on before it stopped. The next stop takes this off. */
	if (!sigpending(&set) && sigismember(&set, SIGCONT))
		return;
	sigemptyset(&set);
	sigaddset(&set, signal);
	raise(signal);
	sigprocmask(SIG_UNBLOCK, &set, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

void signals_restore(void)
{
	sigaction(SIGPIPE, &pipe_before, NULL);
	sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

void signals_die(int signal)
{
	struct rlimit no_core = { 0, 0 };
	sigset_t set;

	setrlimit(RLIMIT_CORE, &no_core);
	sigemptyset(&set);
	sigaddset(&set, signal);
	sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(signal);
	_exit(128 + signal);
}

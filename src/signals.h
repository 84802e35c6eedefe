/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The signals that end the tracing, stop pyflow for a time or ask for what is there, as a
 * descriptor to poll. */
#ifndef PYFLOW_SIGNALS_H
#define PYFLOW_SIGNALS_H

/* Block SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1 and SIGCONT, ignore
 * SIGPIPE. Returns a descriptor that is readable when one of them has come, or -errno.
 * SIGHUP and SIGTSTP stay ignored if they were; SIGINT does not, since a shell ignores it
 * for what it starts in the background, where `kill -INT` must work all the same. */
int signals_open(void);

/* The signal that has come, 0 if none has. */
int signals_take(int fd);

/* Stop as this signal does by default, until SIGCONT; not if that has come already. */
void signals_stop_here(int signal);

/* As things were before signals_open(): for a child that becomes another program. */
void signals_restore(void);

/* Die of this signal, without a core file. */
void signals_die(int signal) __attribute__((noreturn));

#endif

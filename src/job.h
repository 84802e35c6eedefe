/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes that the kernel side stopped: see to each, then let it go on. */
#ifndef PYFLOW_JOB_H
#define PYFLOW_JOB_H

#include <stdbool.h>
#include <sys/types.h>

#include "attach.h"
#include "stream.h"

struct job_watch;

/* Called for a stopped process: it is about to run another program (is_new), or its
 * loader has loaded something. Returns whether the files that it has mapped were all
 * seen to, so that no process need be stopped for them again. */
typedef bool job_handler(pid_t pid, bool is_new, void *arg);

/* 0, or -errno, which is said already. */
int job_open(struct attach *a, const struct stream *stream, job_handler *handler,
	     void *arg, struct job_watch **watch);
void job_close(struct job_watch *w);

/* Readable when a process was stopped. */
int job_fd(const struct job_watch *w);

/* Call the handler for each process that needs it; continue those that were stopped, once
 * the records that they had sent by then are read, and the buffer has room again. Returns
 * whether any is left for the next time. */
bool job_attend(struct job_watch *w);

/* Call the handler for every process of the job, stopped or not. */
void job_look_again(struct job_watch *w);

/* Leave stopped what is stopped in pyflow's own process group, or no longer do: the
 * terminal stops it. */
void job_leave_stopped(struct job_watch *w, bool leave);

/* Does any process of pyflow's own process group, pyflow aside, still run? */
bool job_group_runs(const struct job_watch *w);

/* Continue every process of the map `job` that the kernel side ever stopped and that is
 * stopped now. Does not look at anything but the map and /proc: a guard can do it for a
 * pyflow that died. */
void job_rescue(int fd);

#endif

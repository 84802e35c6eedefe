/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes that the kernel side stopped: see to each, then let it go on. */
#ifndef PYFLOW_JOB_H
#define PYFLOW_JOB_H

#include <stdbool.h>
#include <sys/types.h>

#include "../bpf/event.h"

struct job_watch;

/* Called for a stopped process: it is about to run another program (is_new), or its
 * loader has loaded something. */
typedef void job_handler(pid_t pid, bool is_new, void *arg);

/* fd: of the BPF map `job`. */
struct job_watch *job_open(int fd, struct shared *shared, job_handler *handler,
			   void *arg);
void job_close(struct job_watch *w);

/* Has any process been stopped since the last job_attend()? */
bool job_calls(const struct job_watch *w);

/* Call the handler for each process that needs it, then continue all that were stopped.
 */
void job_attend(struct job_watch *w);

/* Continue every process of the map that the kernel side ever stopped and that is stopped
 * now. Does not look at anything but the map and /proc: a guard can do it for a pyflow
 * that died. */
void job_rescue(int fd);

#endif

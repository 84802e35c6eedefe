/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process that outlives pyflow, should pyflow be killed, by just as long as it takes to
 * let the stopped processes go on and to remove the launch script. */
#ifndef PYFLOW_GUARD_H
#define PYFLOW_GUARD_H

#include "../bpf/event.h"

struct guard;

/* Fork it, before there is anything to guard. job_fd: the BPF map `job`. NULL if it
 * cannot be made: said. */
struct guard *guard_start(int job_fd, struct shared *shared);

/* Where the launch script's path is to be put as soon as there is one: room for PATH_MAX
 * bytes, which the guard sees, too. NULL is fine, and gives NULL. */
char *guard_script(struct guard *g);

/* All is well: it ends without doing anything. NULL is fine. */
void guard_dismiss(struct guard *g);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process that outlives pyflow, should pyflow be killed, by just as long as it takes to
 * let the stopped processes go on and to remove the launch script. */
#ifndef PYFLOW_GUARD_H
#define PYFLOW_GUARD_H

#include "../bpf/event.h"

struct guard;

/* Fork it. job_fd: the BPF map `job`; script may be NULL. NULL if it cannot be made:
 * said. */
struct guard *guard_start(int job_fd, struct shared *shared, const char *script);

/* All is well: it ends without doing anything. NULL is fine. */
void guard_dismiss(struct guard *g);

#endif

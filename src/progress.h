/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How it goes: a line on a terminal, which is written over again and again. */
#ifndef PYFLOW_PROGRESS_H
#define PYFLOW_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	bool is_wanted;
	uint64_t shown;	 /* when it was last, ns; 0: not yet */
	uint64_t events; /* that were told then, */
	uint64_t rate;	 /* and how many a second */
};

/* Is there a terminal on stderr for it? */
bool progress_can(void);

/* Show it, if it is time to. now: ns of CLOCK_MONOTONIC. */
void progress_show(struct progress *p, uint64_t now, uint64_t events, uint64_t lost,
		   size_t processes);

/* Should it be shown again though nothing happens, since it does not say so yet? */
bool progress_is_old(const struct progress *p);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Pythons among the files that processes map; each gets its probes once. */
#ifndef PYFLOW_INTERPRETERS_H
#define PYFLOW_INTERPRETERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "attach.h"

struct interpreters;

/* each_alone: probes are put into the processes that are looked at, one by one, not on
 * files for all processes at once. */
struct interpreters *interpreters_new(struct attach *a, bool each_alone,
				      enum probe_source source);
void interpreters_free(struct interpreters *all);

/* What looking at a process gave. */
enum found {
	FOUND_PYTHON,	/* probes are on every Python it has mapped */
	FOUND_NONE,	/* it has mapped none (yet) */
	FOUND_UNUSABLE, /* it has, but there is no way to trace it: said, once a file */
	FOUND_FAILED,	/* it cannot be looked at, or the kernel refused: said */
	FOUND_GONE,	/* there is no such process any more */
};

/* Look at the files that process pid has mapped, and put probes on those that are a
 * Python. watch_loader: have the process stopped again when it loads more. */
enum found interpreters_look(struct interpreters *all, pid_t pid, bool watch_loader);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events -> calls and returns with their depth, per thread. No I/O, no clock. */
#ifndef PYFLOW_TREE_H
#define PYFLOW_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "../bpf/event.h"
#include "names.h"

struct tree;

struct tree *tree_new(void);
void tree_free(struct tree *t);

/* In place of a depth: the event is none. */
#define TREE_NONE (~0U)

/* A call begins or goes on: returns its depth, 0 for the outermost that is shown.
 * TREE_NONE if it has begun already. */
unsigned int tree_enter(struct tree *t, const struct event *e, const struct name *name);

/* A call ends or is left: returns the depth it was entered at. One that was never seen to
 * begin is where a call made now would be, or TREE_NONE if it counts only if it was. */
unsigned int tree_leave(struct tree *t, const struct event *e, const struct name *name);

/* The line that an event shall show: its own, but for a generator entered by throw(),
 * which goes on where it was left. Ask before tree_enter(). */
uint32_t tree_line(const struct tree *t, const struct event *e);

/* Ends of calls that were never seen to begin, though they must have begun since the
 * trace did. */
uint64_t tree_orphans(const struct tree *t);

/* Events were lost just now: calls that are open may have ended since. */
void tree_lost(struct tree *t);

/* e->tid made the process e->code, whose only thread has the same calls open. */
void tree_fork(struct tree *t, const struct event *e);

/* e->pid runs another program: nothing is open in it. */
void tree_exec(struct tree *t, const struct event *e);

/* Thread e->tid has ended. */
void tree_exit(struct tree *t, const struct event *e);

#endif

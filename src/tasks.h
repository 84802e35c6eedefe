/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which asyncio task each thread runs. */
#ifndef PYFLOW_TASKS_H
#define PYFLOW_TASKS_H

#include <stdint.h>

#include "../bpf/event.h"

struct task {
	uint64_t id;	  /* is not 0. Another name makes it another one */
	const char *name; /* UTF-8, there as long as the room; NULL if it is not known */
};

struct tasks;

struct tasks *tasks_new(void);
void tasks_free(struct tasks *t);

/* A thread enters the evaluation loop anew. */
void tasks_enter(struct tasks *t, const struct event_task *e);

/* The task that an event is of; NULL if none, or if that is not known. It stays what it
 * is until the next call of a function of this room. */
const struct task *tasks_of(struct tasks *t, const struct event *e);

/* As those of the tree. */
void tasks_lost(struct tasks *t);
void tasks_exec(struct tasks *t, const struct event *e);
void tasks_exit(struct tasks *t, const struct event *e);

#endif

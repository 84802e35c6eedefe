// SPDX-License-Identifier: GPL-2.0-or-later
/* Which asyncio task each thread runs: by the C stack. A task is known when C enters the
 * evaluation loop, and all that runs below there on the stack is of it, but for what is
 * entered anew from there. */
#include <config.h>

#include "tasks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "codes.h"
#include "log.h"
#include "threads.h"
#include "xalloc.h"

/* Events that are kept refer to names, so these stay; but each new task can have a new
 * one. So many are some 60 MB. */
enum { FIRST_SLOTS = 256, MAX_NAMES = 1 << 20 };

static const char cut[] = "..."; /* ends a name that is longer */

struct entry {
	uint64_t stack;	  /* events of it have a stack pointer below */
	struct task task; /* id 0: none */
};

struct running {
	struct thread thread;
	struct entry *entries; /* the innermost last: their stacks decrease */
	size_t count;
};

struct tasks {
	struct threads *threads; /* struct running */
	char **names;		 /* each once: a hash table, at most half full */
	size_t slot_count, name_count;
};

static void free_running(struct thread *thread)
{
	free(((struct running *)thread)->entries);
}

struct tasks *tasks_new(void)
{
	struct tasks *t = xcalloc(1, sizeof(*t));

	t->threads = threads_new(sizeof(struct running), free_running);
	t->slot_count = FIRST_SLOTS;
	t->names = xcalloc(t->slot_count, sizeof(*t->names));
	return t;
}

void tasks_free(struct tasks *t)
{
	if (!t)
		return;
	threads_free(t->threads);
	for (size_t i = 0; i < t->slot_count; i++)
		free(t->names[i]);
	free(t->names);
	free(t);
}

/* Has it been left? The stack pointer is never that high up in what it has called. */
static void pop_left(struct running *r, uint64_t stack)
{
	while (r->count && r->entries[r->count - 1].stack <= stack)
		r->count--;
}

/* ---- names ---- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15;
	return hash ^ hash >> 32;
}

static uint64_t hash_of(const char *name)
{
	uint64_t hash = 0;

	for (; *name; name++)
		hash = mix(hash, (uint8_t)*name);
	return hash;
}

/* Where it is, or would be. */
static char **slot_of(const struct tasks *t, const char *name, uint64_t hash)
{
	size_t i = hash & (t->slot_count - 1);

	while (t->names[i] && strcmp(t->names[i], name))
		i = (i + 1) & (t->slot_count - 1);
	return &t->names[i];
}

static void grow(struct tasks *t)
{
	char **old = t->names;
	size_t count = t->slot_count;

	t->slot_count *= 2;
	t->names = xcalloc(t->slot_count, sizeof(*t->names));
	for (size_t i = 0; i < count; i++)
		if (old[i])
			*slot_of(t, old[i], hash_of(old[i])) = old[i];
	free(old);
}

/* The one copy of a name; takes over the one given. NULL if there are too many. */
static const char *keep_name(struct tasks *t, char *name, uint64_t hash)
{
	char **slot = slot_of(t, name, hash);

	if (*slot || t->name_count == MAX_NAMES) {
		free(name);
		return *slot;
	}
	*slot = name;
	if (++t->name_count == MAX_NAMES)
		warn("%d names of tasks are enough: other tasks are shown without theirs",
		     MAX_NAMES);
	if (t->name_count * 2 > t->slot_count)
		grow(t);
	return name;
}

static char *text_of(const struct event_task *e)
{
	size_t size = e->size < TASK_NAME ? e->size : TASK_NAME, length;
	char *text = codes_utf8(e->name, size, e->width, &length);

	if (e->whole > size) {
		text = xrealloc(text, length + sizeof(cut), 1);
		memcpy(text + length, cut, sizeof(cut));
	}
	return text;
}

static char *name_of(const struct event_task *e)
{
	if (e->width)
		return text_of(e);
	return e->number ? xasprintf("Task-%llu", (unsigned long long)e->number) : NULL;
}

/* Addresses are used again, numbers and most names are not. */
static struct task make_task(struct tasks *t, const struct event_task *e)
{
	uint64_t id = mix(mix(0, e->pid), e->task), hash;
	char *name = name_of(e);

	if (!name)
		return (struct task){ id | 1, NULL };
	hash = hash_of(name);
	return (struct task){ mix(id, hash) | 1, keep_name(t, name, hash) };
}

void tasks_enter(struct tasks *t, const struct event_task *e)
{
	struct running *r = (struct running *)threads_get(t->threads, e->tid, e->pid);
	struct entry new = { .stack = e->stack };

	pop_left(r, e->stack);
	if (!e->task && !r->count)
		return;
	if (e->task)
		new.task = make_task(t, e);
	r->entries = xgrow(r->entries, r->count, sizeof(*r->entries));
	r->entries[r->count++] = new;
}

const struct task *tasks_of(struct tasks *t, const struct event *e)
{
	struct running *r = (struct running *)threads_find(t->threads, e->tid);
	const struct task *task;

	if (!r || !(e->flags & EVENT_STACK))
		return NULL;
	pop_left(r, ((const struct event_deep *)e)->stack);
	if (!r->count)
		return NULL;
	task = &r->entries[r->count - 1].task;
	return task->id ? task : NULL;
}

static bool is_any(struct thread *thread, void *arg)
{
	(void)thread;
	(void)arg;
	return true;
}

/* What was lost may have been a task. */
void tasks_lost(struct tasks *t)
{
	threads_sweep(t->threads, is_any, NULL);
}

void tasks_exec(struct tasks *t, const struct event *e)
{
	threads_remove_process(t->threads, e->pid);
}

void tasks_exit(struct tasks *t, const struct event *e)
{
	threads_remove(t->threads, e->tid);
}

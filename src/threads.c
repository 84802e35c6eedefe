// SPDX-License-Identifier: GPL-2.0-or-later
/* A hash table of threads, chained. */
#include <config.h>

#include "threads.h"

#include <stdlib.h>

#include "xalloc.h"

enum { FIRST_SLOTS = 256 };

struct threads {
	size_t size;
	void (*drop)(struct thread *thread);
	struct thread *last;   /* used */
	struct thread **slots; /* a power of two, at least as many as entries */
	size_t slot_count, count;
};

struct threads *threads_new(size_t size, void (*drop)(struct thread *thread))
{
	struct threads *t = xcalloc(1, sizeof(*t));

	t->size = size;
	t->drop = drop;
	t->slot_count = FIRST_SLOTS;
	t->slots = xcalloc(t->slot_count, sizeof(struct thread *));
	return t;
}

static void free_at(struct threads *t, struct thread **at)
{
	struct thread *thread = *at;

	*at = thread->next;
	t->count--;
	if (t->last == thread)
		t->last = NULL;
	if (t->drop)
		t->drop(thread);
	free(thread);
}

void threads_free(struct threads *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->slot_count; i++)
		while (t->slots[i])
			free_at(t, &t->slots[i]);
	free(t->slots);
	free(t);
}

static struct thread **slot_of(const struct threads *t, uint32_t tid)
{
	return &t->slots[tid & (t->slot_count - 1)];
}

struct thread *threads_find(struct threads *t, uint32_t tid)
{
	struct thread *thread = t->last;

	if (thread && thread->tid == tid)
		return thread;
	for (thread = *slot_of(t, tid); thread && thread->tid != tid;
	     thread = thread->next)
		;
	if (thread)
		t->last = thread;
	return thread;
}

static void insert(struct threads *t, struct thread *thread)
{
	struct thread **slot = slot_of(t, thread->tid);

	thread->next = *slot;
	*slot = thread;
}

static void grow(struct threads *t)
{
	struct thread **old = t->slots;
	size_t count = t->slot_count;

	t->slot_count *= 2;
	t->slots = xcalloc(t->slot_count, sizeof(struct thread *));
	for (size_t i = 0; i < count; i++) {
		for (struct thread *thread = old[i], *next; thread; thread = next) {
			next = thread->next;
			insert(t, thread);
		}
	}
	free(old);
}

struct thread *threads_get(struct threads *t, uint32_t tid, uint32_t pid)
{
	struct thread *thread = threads_find(t, tid);

	if (thread)
		return thread;
	if (t->count == t->slot_count)
		grow(t);
	thread = xcalloc(1, t->size);
	thread->tid = tid;
	thread->pid = pid;
	insert(t, thread);
	t->count++;
	t->last = thread;
	return thread;
}

void threads_remove(struct threads *t, uint32_t tid)
{
	struct thread **at = slot_of(t, tid);

	while (*at && (*at)->tid != tid)
		at = &(*at)->next;
	if (*at)
		free_at(t, at);
}

void threads_sweep(struct threads *t, bool (*is_over)(struct thread *thread, void *arg),
		   void *arg)
{
	for (size_t i = 0; i < t->slot_count; i++) {
		struct thread **at = &t->slots[i];

		while (*at) {
			if (is_over(*at, arg))
				free_at(t, at);
			else
				at = &(*at)->next;
		}
	}
}

static bool is_of_process(struct thread *thread, void *arg)
{
	return thread->pid == *(const uint32_t *)arg;
}

void threads_remove_process(struct threads *t, uint32_t pid)
{
	threads_sweep(t, is_of_process, &pid);
}

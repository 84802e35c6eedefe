/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What somebody knows of each thread: a table by thread ID. */
#ifndef PYFLOW_THREADS_H
#define PYFLOW_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct threads;

/* What each entry begins with; its owner's fields come behind it. */
struct thread {
	struct thread *next; /* in its slot */
	uint32_t tid, pid;
};

/* A table of entries of `size` bytes. drop(), which may be NULL, frees what an entry
 * owns. */
struct threads *threads_new(size_t size, void (*drop)(struct thread *thread));
void threads_free(struct threads *t);

/* NULL if there is none. */
struct thread *threads_find(struct threads *t, uint32_t tid);

/* The entry of a thread, made anew, and zero, if there was none. It stays where it is
 * until it is removed. */
struct thread *threads_get(struct threads *t, uint32_t tid, uint32_t pid);
void threads_remove(struct threads *t, uint32_t tid);
void threads_remove_process(struct threads *t, uint32_t pid);

/* Remove those for which is_over() is true; it may do anything else with them. */
void threads_sweep(struct threads *t, bool (*is_over)(struct thread *thread, void *arg),
		   void *arg);

#endif

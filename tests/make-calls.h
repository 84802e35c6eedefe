/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls made by hand or by chance -> what a printer is told of them -> what it writes. */
#ifndef PYFLOW_TESTS_MAKE_CALLS_H
#define PYFLOW_TESTS_MAKE_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "print.h"

/* A call that is open. */
struct made_call {
	unsigned int id;
	struct name *name;
	uint64_t since, below; /* ns */
	bool is_inherited;
};

struct made_thread {
	uint32_t tid, pid;
	struct made_call *calls;
	size_t count, room;
};

struct made {
	struct printer printer;
	struct print_options options;
	struct print_totals totals;
	struct names *names;
	char path[32]; /* of the output */
	uint64_t now;  /* ns since the trace began */
	struct made_thread *threads;
	size_t count;
	uint64_t enters, roots; /* calls; ns of the outermost ones */
	/* If not NULL, is told of each event, as long as the call is open. */
	void (*watch)(void *arg, const struct print_event *e,
		      const struct made_thread *t);
	void *arg;
};

/* Options may be set between these two. */
void made_new(struct made *m, const struct print_ops *ops);
void made_begin(struct made *m, unsigned int part);

/* All calls end, unseen; then the printer's end. Returns what was written, which the
 * caller frees. */
char *made_end(struct made *m);

/* That end of one of several files: calls stay open. Returns what it wrote. */
char *made_part(struct made *m);
void made_free(struct made *m);

/* An id from 1 on; its number is the caller's. qualname may be NULL, line 0. */
void made_name(struct made *m, unsigned int id, const char *file, const char *func,
	       const char *qualname, int32_t line);

/* Threads are made when they are first used: pid is their process then. */
struct made_thread *made_thread(struct made *m, uint32_t tid, uint32_t pid);

void made_enter(struct made *m, struct made_thread *t, unsigned int id);
void made_leave(struct made *m, struct made_thread *t, enum print_exit exit);

/* The end of a call that had begun before the trace. */
void made_before(struct made *m, struct made_thread *t, unsigned int id);
void made_fork(struct made *m, uint32_t tid, uint32_t child);

/* The process runs another program: what is open ends for nobody to see. */
void made_exec(struct made *m, struct made_thread *t);

/* Line by line, so that what differs is told. */
void made_compare(const char *got, const char *wanted_file);

#endif

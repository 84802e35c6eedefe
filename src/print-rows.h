/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What printers that add calls up share: rows, by what they say of functions; the ways
 * to them; and the calls that are open in each thread. */
#ifndef PYFLOW_PRINT_ROWS_H
#define PYFLOW_PRINT_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "print.h"
#include "threads.h"

/* What each row begins with; its owner's fields come behind it. Functions of which the
 * same is said have one row. */
struct row {
	char *text; /* there can be NULs in it */
	size_t size;
};

/* Makes a row's text, and *size, of a function; line is 0 if it is not known. */
typedef char *row_say(const char *func, const char *file, int32_t line, size_t *size);

struct rows;

/* A table of rows of `size` bytes. */
struct rows *rows_new(size_t size, const struct print_options *o, row_say *say);
void rows_free(struct rows *r);

/* The row of a name (NULL: one that could not be read), or of a text, which is taken
 * over: a number from 1 on. */
uint32_t rows_of(struct rows *r, const struct name *name);
uint32_t rows_add(struct rows *r, char *text, size_t size);

/* It may move when rows are added. */
void *rows_at(const struct rows *r, uint32_t row);

/* One more than the last row. */
uint32_t rows_end(const struct rows *r);

/* A way to a row: `from` is whatever the owner counts, 0 where there is nothing. The
 * owner's fields come behind it. */
struct way {
	uint32_t from, row;
};

struct ways;

/* A table of ways of `size` bytes; they are found by `from` and row. */
struct ways *ways_new(size_t size);
void ways_free(struct ways *w);

/* The number of a way, from 1 on; made anew, and zero behind it, if there was none. */
uint32_t ways_get(struct ways *w, uint32_t from, uint32_t row);
void *ways_at(const struct ways *w, uint32_t way);
uint32_t ways_end(const struct ways *w);

/* A few rows, all different. */
struct row_set {
	uint32_t *slots; /* a power of two, at most half of them used; 0 if free */
	uint32_t room, count;
};

/* False if it was in there already. */
bool row_set_add(struct row_set *s, uint32_t row);
void row_set_remove(struct row_set *s, uint32_t row);

/* The calls that are open in a thread, by numbers that tell their owner what they are.
 * Nothing is allocated while there are none: there may have been very many threads. */
struct stack {
	struct thread thread;
	bool is_seen;	 /* it had an event */
	uint32_t *calls; /* the outermost first */
	size_t count, room;
	struct row_set open; /* for the owner; goes along with the calls */
};

/* A table of them, to be freed by threads_free(). */
struct threads *stacks_new(void);

/* That of an event's thread. */
struct stack *stack_of(struct threads *t, const struct print_event *e);
void stack_push(struct stack *s, uint32_t call);

/* The innermost is taken off; there must be one. */
uint32_t stack_pop(struct stack *s);
void stack_clear(struct stack *s);

/* A child has the same calls open as the thread that forked it. */
void stack_fork(struct threads *t, const struct print_note *n);

#endif

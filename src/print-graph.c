// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls as the kernel's function_graph tracer shows them: `name();` if nothing is called
 * below it, else braces around what is.
 *
 * Which of them it is tells the thread's next event. So of each thread the call that
 * began last is held back until then, however long that takes: what is shown must not
 * depend on when it was written. A loss, a fork and the end of the file tell nothing, but
 * must come behind it: then it is shown as one that has something below it. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "digits.h"
#include "print-columns.h"
#include "print.h"
#include "threads.h"
#include "xalloc.h"

enum {
	USUAL = PRINT_TIME | PRINT_CPU | PRINT_PID | PRINT_TID | PRINT_DURATION,
	TASK_MAX = 64, /* bytes of a task's name; more than its column shows */
	TEXT_MAX = COLUMNS_MAX + 128,
};

struct pending {
	struct thread thread;
	unsigned int open; /* calls that began here and have not ended */
	bool is_held;
	struct print_event enter; /* the held one */
	char task[TASK_MAX];	  /* its name, where one is known */
	struct pending *before, *after;
};

struct graph {
	struct columns *columns;
	struct threads *threads;      /* struct pending; none that is not open */
	struct pending *first, *last; /* the held ones, in the order they began */
	size_t held_size;	      /* bytes that they would be, at most */
	size_t open_size; /* likewise, the lines that end what began here and is open */
};

static void free_state(struct printer *p)
{
	struct graph *g = p->state;

	if (!g)
		return;
	threads_free(g->threads);
	columns_free(g->columns);
	free(g);
	p->state = NULL;
}

static struct graph *graph_new(struct printer *p)
{
	struct graph *g = xcalloc(1, sizeof(*g));

	g->columns = columns_new(p, USUAL, true);
	g->threads = threads_new(sizeof(struct pending), NULL);
	return g;
}

static void begin(struct printer *p, const struct print_begin *b)
{
	struct graph *g;

	if (!b->part)
		free_state(p);
	if (!p->state)
		p->state = graph_new(p);
	g = p->state;
	columns_heading(g->columns, p, b);
}

/* The line of a call that begins or ends, at most. */
static size_t size_of(struct printer *p, const struct print_event *e)
{
	size_t level = e->depth > LEVEL_MAX ? 16 : e->depth * 2;

	return TEXT_MAX + level + print_label(p, e->name)->size;
}

static void hold(struct printer *p, struct pending *h, const struct print_event *e)
{
	struct graph *g = p->state;

	h->is_held = true;
	h->enter = *e;
	if (e->task_name) {
		h->task[0] = '\0';
		h->enter.task_name = strncat(h->task, e->task_name, TASK_MAX - 1);
	}
	h->before = g->last;
	h->after = NULL;
	*(g->last ? &g->last->after : &g->first) = h;
	g->last = h;
	g->held_size += size_of(p, e);
}

static void let_go(struct printer *p, struct pending *h)
{
	struct graph *g = p->state;

	h->is_held = false;
	*(h->before ? &h->before->after : &g->first) = h->after;
	*(h->after ? &h->after->before : &g->last) = h->before;
	g->held_size -= size_of(p, &h->enter);
}

/* Columns and indentation. */
static void add_start(struct printer *p, const struct print_event *e, enum look look)
{
	struct graph *g = p->state;
	char text[COLUMNS_MAX];

	output_add(p->output, text, columns_start(g->columns, text, e, look) - text);
	columns_indent(p->output, e->depth);
}

/* FILE:FUNC:LINE, or the first two of them. */
static void add_name(struct printer *p, const struct print_event *e, bool has_line)
{
	const struct label *label = print_label(p, e->name);
	char text[16];

	output_add(p->output, label->text, label->size - !has_line);
	if (has_line)
		output_add(p->output, text, digits_put_line(text, e->line) - text);
}

static void add_end(struct printer *p, const char *words, enum look look)
{
	struct graph *g = p->state;
	char text[TEXT_MAX], *t = stpcpy(text, words);

	output_add(p->output, text, columns_end(g->columns, t, look) - text);
}

static void open_held(struct printer *p, struct pending *h)
{
	add_start(p, &h->enter, LOOK_PLAIN);
	add_name(p, &h->enter, true);
	add_end(p, "() {", LOOK_PLAIN);
	let_go(p, h);
}

static void open_all(struct printer *p)
{
	struct graph *g = p->state;

	while (g->first)
		open_held(p, g->first);
}

/* What its call's beginning was held for: nothing came between. */
static void print_leaf(struct printer *p, struct pending *h, const struct print_event *e)
{
	static const char *const words[] = {
		[PRINT_RETURNED] = "();",
		[PRINT_RAISED] = "(); /* raised */",
		[PRINT_YIELDED] = "(); /* yielded */",
		[PRINT_UNSEEN] = "(); /* end not seen */",
	};
	enum look look = columns_look(e->exit);

	h->enter.kind = PRINT_LEAVE;
	h->enter.is_timed = e->is_timed;
	h->enter.elapsed = e->elapsed;
	add_start(p, &h->enter, look);
	add_name(p, &h->enter, true);
	add_end(p, words[e->exit], look);
	let_go(p, h);
}

static void print_close(struct printer *p, const struct print_event *e)
{
	static const char *const words[] = {
		[PRINT_RETURNED] = "",
		[PRINT_RAISED] = " raised",
		[PRINT_YIELDED] = " yielded",
		[PRINT_UNSEEN] = ", end not seen",
	};
	const char *beginning = e->is_inherited ? ", began in the parent"
				: e->is_timed || e->exit == PRINT_UNSEEN
					? ""
					: ", began before the trace";
	enum look look = columns_look(e->exit);

	add_start(p, e, look);
	output_add(p->output, "} /* ", 5);
	add_name(p, e, e->exit != PRINT_UNSEEN);
	output_add(p->output, words[e->exit], strlen(words[e->exit]));
	output_add(p->output, beginning, strlen(beginning));
	add_end(p, " */", look);
}

static void enter(struct printer *p, const struct print_event *e)
{
	struct graph *g = p->state;
	struct pending *h = (struct pending *)threads_get(g->threads, e->tid, e->pid);

	if (h->is_held)
		open_held(p, h);
	h->open++;
	g->open_size += size_of(p, e);
	hold(p, h, e);
}

/* The end of a call that began unseen is deeper than the held one, in which it is. */
static bool is_leaf(const struct pending *h, const struct print_event *e)
{
	return h && h->is_held && h->enter.depth == e->depth;
}

/* Each call that is begun is ended, even in a file that is full. */
static void end_open(struct printer *p, struct pending *h, const struct print_event *e)
{
	struct graph *g = p->state;
	size_t size = size_of(p, e);

	g->open_size -= size < g->open_size ? size : g->open_size;
	if (!--h->open)
		threads_remove(g->threads, e->tid);
}

static void leave(struct printer *p, const struct print_event *e)
{
	struct graph *g = p->state;
	struct pending *h = (struct pending *)threads_find(g->threads, e->tid);
	bool began_here = is_leaf(h, e) || (e->is_timed && !e->is_inherited);

	if (is_leaf(h, e)) {
		print_leaf(p, h, e);
	} else {
		if (h && h->is_held)
			open_held(p, h);
		print_close(p, e);
	}
	if (h && began_here)
		end_open(p, h, e);
}

static void event(struct printer *p, const struct print_event *e)
{
	if (e->kind == PRINT_ENTER)
		enter(p, e);
	else
		leave(p, e);
}

/* A child has the calls open that are at the moment of its fork. */
static void note(struct printer *p, const struct print_note *n)
{
	bool is_shown = p->options->notes && n->kind != PRINT_THREAD;
	struct graph *g = p->state;
	struct pending *h = (struct pending *)threads_find(g->threads, n->tid);

	if (h && h->is_held && (is_shown || n->kind == PRINT_FORK))
		open_held(p, h);
	if (is_shown)
		columns_note(g->columns, p, n);
}

static void lost(struct printer *p, const struct print_lost *l)
{
	struct graph *g = p->state;

	open_all(p);
	columns_lost(g->columns, p, l);
}

static void end(struct printer *p, const struct print_totals *t)
{
	(void)t;
	open_all(p);
}

static size_t tail(struct printer *p)
{
	const struct graph *g = p->state;

	return g->held_size + g->open_size;
}

const struct print_ops print_graph = {
	.name = "graph",
	.begin = begin,
	.event = event,
	.note = note,
	.lost = lost,
	.end = end,
	.tail = tail,
	.free_state = free_state,
	.wants_notes = true,
};

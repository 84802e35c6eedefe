// SPDX-License-Identifier: GPL-2.0-or-later
/* Folded stacks: a line for each different stack, and what was in it; for flame graphs.
 *
 * They are kept as a tree. A node is a way from the node of its caller to a frame, so
 * there is one for each stack, however often and in however many threads it was seen. */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "print.h"
#include "print-rows.h"
#include "xalloc.h"

enum { MAX_LEVELS = 1024, NUMBER = 24 };

struct node {
	struct way way;
	uint64_t self; /* ns */
	uint64_t calls;
	uint64_t size; /* of the stack's text */
};

struct folded {
	struct rows *frames;
	struct ways *nodes;
	struct threads *stacks;
	uint32_t deeper; /* the frame that stands for all that are too deep */
	uint64_t tail;	 /* the bytes of all lines, at most */
};

/* "FUNC (FILE)"; what separates frames must not be in it. */
static char *say(const char *func, const char *file, int32_t line, size_t *size)
{
	char *text = xcalloc(ESCAPE_MAX, strlen(func) + strlen(file) + 4);
	size_t n = escape(text, func, ESCAPE_NAME);

	(void)line;
	text[n++] = ' ';
	text[n++] = '(';
	n += escape(text + n, file, ESCAPE_NAME);
	text[n++] = ')';
	for (char *t = text; (t = memchr(t, ';', text + n - t)); t++)
		*t = ':';
	text[n] = '\0';
	*size = n;
	return xrealloc(text, n + 1, 1);
}

static void free_state(struct printer *p)
{
	struct folded *f = p->state;

	if (!f)
		return;
	rows_free(f->frames);
	ways_free(f->nodes);
	threads_free(f->stacks);
	free(f);
	p->state = NULL;
}

static void make_state(struct printer *p)
{
	struct folded *f = xcalloc(1, sizeof(*f));

	f->frames = rows_new(sizeof(struct row), p->options, say);
	f->nodes = ways_new(sizeof(struct node));
	f->stacks = stacks_new();
	f->deeper = rows_add(f->frames, xstrdup("..."), 3);
	p->state = f;
}

/* Another file begins with nothing, but calls that are open stay so. */
static void begin(struct printer *p, const struct print_begin *b)
{
	struct folded *f = p->state;

	if (!b->part) {
		free_state(p);
		make_state(p);
		return;
	}
	for (uint32_t i = 1; i < ways_end(f->nodes); i++) {
		struct node *node = ways_at(f->nodes, i);

		node->self = node->calls = 0;
	}
	f->tail = 0;
}

/* The node of a frame called from a node; 0 is where there is none. */
static uint32_t get_node(struct folded *f, uint32_t from, uint32_t frame)
{
	uint32_t n = ways_get(f->nodes, from, frame);
	struct node *node = ways_at(f->nodes, n);

	if (!node->size) {
		const struct row *row = rows_at(f->frames, frame);
		const struct node *caller = ways_at(f->nodes, from);

		node->size = caller->size + row->size + 1;
	}
	return n;
}

static void add(struct folded *f, uint32_t n, uint64_t self, uint64_t calls)
{
	struct node *node = ways_at(f->nodes, n);

	if (!node->self && !node->calls && (self || calls))
		f->tail += node->size + NUMBER;
	node->self += self;
	node->calls += calls;
}

static void enter(struct folded *f, struct stack *s, const struct print_event *e)
{
	uint32_t from, node;

	/* A call that a child inherited and that took too little time to be shown has no
	 * end. */
	while (s->count > e->depth)
		stack_pop(s);
	from = s->count ? s->calls[s->count - 1] : 0;
	if (s->count < MAX_LEVELS)
		node = get_node(f, from, rows_of(f->frames, e->name));
	else if (s->count == MAX_LEVELS)
		node = get_node(f, from, f->deeper);
	else
		node = from;
	add(f, node, 0, 1);
	stack_push(s, node);
}

static void event(struct printer *p, const struct print_event *e)
{
	struct folded *f = p->state;
	struct stack *s = stack_of(f->stacks, e);

	if (e->kind == PRINT_ENTER)
		enter(f, s, e);
	else if (e->is_timed && s->count)
		add(f, stack_pop(s), e->self, 0);
	else if (e->is_timed) /* its beginning was not told, as by a flight recorder */
		add(f, get_node(f, 0, rows_of(f->frames, e->name)), e->self, 0);
}

static void note(struct printer *p, const struct print_note *n)
{
	struct folded *f = p->state;

	if (n->kind == PRINT_FORK)
		stack_fork(f->stacks, n);
}

static size_t tail(struct printer *p)
{
	const struct folded *f = p->state;

	return f ? f->tail : 0;
}

/* ---- the lines in order ----
 *
 * In the order of the stacks' texts, as strcmp() has it: what is in a frame stands
 * behind a frame's own line, but not always right behind, since the name of another
 * frame may go on with a character less than ';'. So a frame has two places among all,
 * by its text as the last of a stack and by that with a ';'. */

struct place {
	const char *text;
	char end;
	uint32_t frame;
};

/* A node's own line, or those of all that is called from it. */
struct item {
	uint32_t from, place, node;
	bool is_below;
};

struct lines {
	struct printer *p;
	const struct folded *f;
	uint32_t *places; /* of a frame alone, and with a ';' */
	struct item *items;
	size_t count;
	size_t *first; /* by node: its first item; they end where the next one's begin */
	uint32_t frames[MAX_LEVELS + 1]; /* of the stack that is printed */
};

static int compare_places(const void *a, const void *b)
{
	const struct place *p = a, *q = b;
	const char *s = p->text, *t = q->text;
	unsigned char c, d;

	while (*s && *s == *t) {
		s++;
		t++;
	}
	c = *s ? *s : p->end;
	d = *t ? *t : q->end;
	return (c > d) - (c < d);
}

static void find_places(struct lines *l)
{
	uint32_t end = rows_end(l->f->frames);
	struct place *all = xcalloc(end, 2 * sizeof(*all));
	size_t n = 0;

	for (uint32_t i = 1; i < end; i++) {
		const struct row *row = rows_at(l->f->frames, i);

		all[n++] = (struct place){ row->text, '\0', i };
		all[n++] = (struct place){ row->text, ';', i };
	}
	qsort(all, n, sizeof(*all), compare_places);
	l->places = xcalloc(end, 2 * sizeof(*l->places));
	for (size_t i = 0; i < n; i++)
		l->places[2 * all[i].frame + !!all[i].end] = i;
	free(all);
}

static int compare_items(const void *a, const void *b)
{
	const struct item *p = a, *q = b;

	if (p->from != q->from)
		return p->from < q->from ? -1 : 1;
	return (p->place > q->place) - (p->place < q->place);
}

static uint64_t number_of(const struct lines *l, const struct node *node)
{
	if (l->p->options->folded_calls)
		return node->calls;
	return node->self / 1000 + (node->self % 1000 >= 500);
}

static void add_item(struct lines *l, uint32_t n, bool is_below)
{
	const struct node *node = ways_at(l->f->nodes, n);

	l->items[l->count++] = (struct item){
		.from = node->way.from,
		.place = l->places[2 * node->way.row + is_below],
		.node = n,
		.is_below = is_below,
	};
}

static void find_items(struct lines *l)
{
	uint32_t end = ways_end(l->f->nodes);
	bool *calls = xcalloc(end, sizeof(*calls));
	size_t i = 0;

	l->items = xcalloc(end, 2 * sizeof(*l->items));
	for (uint32_t n = 1; n < end; n++)
		calls[((struct node *)ways_at(l->f->nodes, n))->way.from] = true;
	for (uint32_t n = 1; n < end; n++) {
		if (number_of(l, ways_at(l->f->nodes, n)))
			add_item(l, n, false);
		if (calls[n])
			add_item(l, n, true);
	}
	free(calls);
	qsort(l->items, l->count, sizeof(*l->items), compare_items);
	l->first = xcalloc(end + 1, sizeof(*l->first));
	for (uint32_t n = 0; n <= end; n++) {
		while (i < l->count && l->items[i].from < n)
			i++;
		l->first[n] = i;
	}
}

static void put_line(const struct lines *l, size_t levels, uint32_t node)
{
	char number[NUMBER];

	for (size_t i = 0; i < levels; i++) {
		const struct row *frame = rows_at(l->f->frames, l->frames[i]);

		output_add(l->p->output, ";", i > 0);
		output_add(l->p->output, frame->text, frame->size);
	}
	output_add(l->p->output, number,
		   snprintf(number, sizeof(number), " %" PRIu64 "\n",
			    number_of(l, ways_at(l->f->nodes, node))));
}

/* It calls itself MAX_LEVELS deep at most. */
static void put_below(struct lines *l, size_t level, uint32_t from)
{
	for (size_t i = l->first[from]; i < l->first[from + 1]; i++) {
		const struct item *item = &l->items[i];
		const struct node *node = ways_at(l->f->nodes, item->node);

		l->frames[level] = node->way.row;
		if (item->is_below)
			put_below(l, level + 1, item->node);
		else
			put_line(l, level + 1, item->node);
	}
}

static void end(struct printer *p, const struct print_totals *t)
{
	struct lines l = { .p = p, .f = p->state };

	(void)t;
	find_places(&l);
	find_items(&l);
	put_below(&l, 0, 0);
	free(l.places);
	free(l.items);
	free(l.first);
}

const struct print_ops print_folded = {
	.name = "folded",
	.begin = begin,
	.event = event,
	.note = note,
	.end = end,
	.tail = tail,
	.free_state = free_state,
	.wants_notes = true,
};

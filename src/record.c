// SPDX-License-Identifier: GPL-2.0-or-later
/* A flight recorder.
 *
 * Each thread has a queue of its last events. What falls off its front goes into, or
 * takes off, the stack of the calls that are open there: so what is kept can be told as a
 * trace that begins with them. */
#include <config.h>

#include "record.h"

#include <stdlib.h>
#include <string.h>

#include "threads.h"
#include "xalloc.h"

/* Of all threads together: a job may have any number of them. */
enum { MAX_KEPT = 1 << 20, MAX_NOTES = 1024 };

/* The columns, the mark and the line number of a line of text. */
enum { TEXT_LINE = 48 };

struct kept {
	uint64_t order; /* in which they came */
	struct print_event event;
};

struct queue {
	struct kept *list; /* a ring */
	size_t room, first, count;
};

struct stack {
	struct thread thread;
	struct queue queue;
	size_t ends_unseen; /* in the queue: these are no events of the program's */
	struct kept *open;  /* calls that are open where the queue begins */
	size_t open_count;
};

/* What else there was: a note or, without a comm, a loss. */
struct other {
	uint64_t order;
	bool is_lost;
	union {
		struct print_note note; /* its strings are owned */
		struct print_lost lost;
	};
};

struct record {
	struct printer printer;
	uint64_t max_events, max_size;
	uint64_t order, size, count;
	struct threads *stacks;
	struct stack **arrivals; /* a ring; with max_size */
	size_t arrivals_room, arrivals_first, arrivals_count;
	struct other others[MAX_NOTES]; /* a ring */
	size_t others_first, others_count;
	struct print_begin begin;
	pid_t *pids;
};

static void free_stack(struct thread *thread)
{
	struct stack *s = (struct stack *)thread;

	free(s->queue.list);
	free(s->open);
}

static void begin(struct printer *p, const struct print_begin *b)
{
	struct record *r = p->state;

	r->begin = print_begin_copy(b, &r->pids);
}

/* ---- keeping ---- */

static bool is_unseen(const struct print_event *e)
{
	return e->kind == PRINT_LEAVE && e->exit == PRINT_UNSEEN;
}

/* Does it end a call whose beginning was given? */
static bool ends_call(const struct print_event *e)
{
	return e->kind == PRINT_LEAVE && e->is_timed && !e->is_inherited;
}

static struct kept *at(const struct queue *q, size_t i)
{
	return &q->list[(q->first + i) & (q->room - 1)];
}

/* As large as it has to be: a power of two. */
static void make_room(struct queue *q)
{
	struct kept *list;

	if (q->count < q->room)
		return;
	list = xcalloc(q->room ? q->room * 2 : 16, sizeof(*list));
	for (size_t i = 0; i < q->count; i++)
		list[i] = *at(q, i);
	free(q->list);
	q->list = list;
	q->room = q->room ? q->room * 2 : 16;
	q->first = 0;
}

/* The line that it would make. */
static size_t text_size(const struct print_event *e)
{
	return TEXT_LINE + 2 * (size_t)e->depth + (e->name ? e->name->size : 2);
}

static void drop_first(struct record *r, struct stack *s)
{
	struct kept *k = at(&s->queue, 0);

	if (k->event.kind == PRINT_ENTER) {
		s->open = xgrow(s->open, s->open_count, sizeof(*s->open));
		s->open[s->open_count++] = *k;
	} else if (ends_call(&k->event) && s->open_count) {
		s->open_count--;
	}
	s->ends_unseen -= is_unseen(&k->event);
	r->size -= text_size(&k->event);
	r->count--;
	s->queue.first = (s->queue.first + 1) & (s->queue.room - 1);
	s->queue.count--;
}

static void note_arrival(struct record *r, struct stack *s)
{
	size_t room = r->arrivals_room, next;

	if (r->arrivals_count == room) {
		struct stack **ring = xcalloc(room ? room * 2 : 1024, sizeof(*ring));

		for (size_t i = 0; i < room; i++)
			ring[i] = r->arrivals[(r->arrivals_first + i) & (room - 1)];
		free(r->arrivals);
		r->arrivals = ring;
		r->arrivals_room = room ? room * 2 : 1024;
		r->arrivals_first = 0;
	}
	next = r->arrivals_first + r->arrivals_count++;
	r->arrivals[next & (r->arrivals_room - 1)] = s;
}

static bool is_empty(const struct stack *s)
{
	return !s->queue.count && !s->open_count;
}

/* The oldest of all. */
static void drop_arrival(struct record *r)
{
	struct stack *s = r->arrivals[r->arrivals_first];

	r->arrivals_first = (r->arrivals_first + 1) & (r->arrivals_room - 1);
	r->arrivals_count--;
	drop_first(r, s);
	if (is_empty(s))
		threads_remove(r->stacks, s->thread.tid);
}

/* What came before this. */
struct limit {
	struct record *record;
	uint64_t order;
};

static bool drop_older(struct thread *thread, void *arg)
{
	struct stack *s = (struct stack *)thread;
	const struct limit *l = arg;

	while (s->queue.count && at(&s->queue, 0)->order < l->order)
		drop_first(l->record, s);
	return is_empty(s);
}

static void keep_less(struct record *r, struct stack *s)
{
	if (r->max_size) {
		while (r->size > r->max_size && r->count > 1)
			drop_arrival(r);
		return;
	}
	while (s->queue.count - s->ends_unseen > r->max_events)
		drop_first(r, s);
	if (r->count > MAX_KEPT)
		threads_sweep(r->stacks, drop_older,
			      &(struct limit){ r, r->order - MAX_KEPT / 2 });
}

static void event(struct printer *p, const struct print_event *e)
{
	struct record *r = p->state;
	struct stack *s = (struct stack *)threads_get(r->stacks, e->tid, e->pid);
	struct kept *k;

	make_room(&s->queue);
	k = at(&s->queue, s->queue.count++);
	k->order = ++r->order;
	k->event = *e;
	s->ends_unseen += is_unseen(e);
	r->size += text_size(e);
	r->count++;
	if (r->max_size)
		note_arrival(r, s);
	keep_less(r, s);
}

static void free_other(struct other *o)
{
	if (!o->is_lost)
		print_note_free(&o->note);
}

static struct other *new_other(struct record *r)
{
	struct other *o = &r->others[(r->others_first + r->others_count) % MAX_NOTES];

	if (r->others_count == MAX_NOTES) {
		free_other(o);
		r->others_first = (r->others_first + 1) % MAX_NOTES;
	} else {
		r->others_count++;
	}
	*o = (struct other){ .order = ++r->order };
	return o;
}

static void note(struct printer *p, const struct print_note *n)
{
	new_other(p->state)->note = print_note_copy(n);
}

static void lost(struct printer *p, const struct print_lost *l)
{
	struct other *o = new_other(p->state);

	o->is_lost = true;
	o->lost = *l;
}

static const struct print_ops ops = {
	.name = "record",
	.begin = begin,
	.event = event,
	.note = note,
	.lost = lost,
};

struct record *record_new(uint64_t events, uint64_t size)
{
	struct record *r = xcalloc(1, sizeof(*r));

	r->printer.ops = &ops;
	r->printer.state = r;
	r->max_events = events;
	r->max_size = size;
	r->stacks = threads_new(sizeof(struct stack), free_stack);
	return r;
}

void record_free(struct record *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->others_count; i++)
		free_other(&r->others[(r->others_first + i) % MAX_NOTES]);
	threads_free(r->stacks);
	free(r->arrivals);
	free(r->pids);
	free(r);
}

static bool find_oldest(struct thread *thread, void *arg)
{
	const struct stack *s = (struct stack *)thread;
	uint64_t *oldest = arg;

	if (s->queue.count && at(&s->queue, 0)->order < *oldest)
		*oldest = at(&s->queue, 0)->order;
	return false;
}

bool record_halve(struct record *r)
{
	uint64_t oldest = UINT64_MAX;

	threads_sweep(r->stacks, find_oldest, &oldest);
	if (oldest >= r->order)
		return false;
	if (r->max_size)
		for (size_t half = (r->count + 1) / 2; half; half--)
			drop_arrival(r);
	else
		threads_sweep(r->stacks, drop_older,
			      &(struct limit){ r, r->order - (r->order - oldest) / 2 });
	return true;
}

struct printer *record_printer(struct record *r)
{
	return &r->printer;
}

/* ---- telling ---- */

/* Something to be told, where it stands in the order. */
struct told {
	uint64_t order;
	const struct kept *kept;
	const struct other *other;
};

struct telling {
	struct told *list;
	size_t count;
	struct printer *to;
	struct threads *open; /* struct open_calls: while they are told */
	const struct print_totals *totals;
};

struct open_calls {
	struct thread thread;
	struct open_call {
		const struct print_event *begin;
		uint64_t below; /* ns: of the calls directly below it */
	} * list;
	size_t count;
};

static void add_told(struct telling *t, struct told told)
{
	t->list = xgrow(t->list, t->count, sizeof(*t->list));
	t->list[t->count++] = told;
}

static bool add_thread(struct thread *thread, void *arg)
{
	const struct stack *s = (struct stack *)thread;

	for (size_t i = 0; i < s->open_count; i++)
		add_told(arg, (struct told){ s->open[i].order, &s->open[i], NULL });
	for (size_t i = 0; i < s->queue.count; i++) {
		const struct kept *k = at(&s->queue, i);

		add_told(arg, (struct told){ k->order, k, NULL });
	}
	return false;
}

static int by_order(const void *a, const void *b)
{
	const struct told *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static void tell_event(struct telling *t, const struct kept *k)
{
	const struct print_event *e = &k->event;
	struct open_calls *o = (struct open_calls *)threads_get(t->open, e->tid, e->pid);

	if (e->kind == PRINT_ENTER) {
		o->list = xgrow(o->list, o->count, sizeof(*o->list));
		o->list[o->count++] = (struct open_call){ e, 0 };
	} else if (ends_call(e) && o->count) {
		o->count--;
	}
	if (e->kind == PRINT_LEAVE && e->is_timed && o->count)
		o->list[o->count - 1].below += e->elapsed;
	t->to->ops->event(t->to, e);
}

static void tell_other(struct telling *t, const struct other *o)
{
	const struct print_ops *to = t->to->ops;

	if (o->is_lost && to->lost)
		to->lost(t->to, &o->lost);
	else if (!o->is_lost && to->note)
		to->note(t->to, &o->note);
}

/* What is still open ends, as far as this trace goes. */
static bool tell_ends(struct thread *thread, void *arg)
{
	struct open_calls *o = (struct open_calls *)thread;
	struct telling *t = arg;

	while (o->count--) {
		const struct open_call *c = &o->list[o->count];
		struct print_event e = *c->begin;

		e.kind = PRINT_LEAVE;
		e.exit = PRINT_UNSEEN;
		e.line = -1;
		e.is_timed = true;
		e.elapsed = t->totals->at > e.at ? t->totals->at - e.at : 0;
		e.self = e.elapsed > c->below ? e.elapsed - c->below : 0;
		e.time = t->totals->time;
		e.at = t->totals->at;
		e.task = 0;
		e.task_name = NULL;
		if (o->count)
			o->list[o->count - 1].below += e.elapsed;
		t->to->ops->event(t->to, &e);
	}
	return true;
}

static void free_open_calls(struct thread *thread)
{
	free(((struct open_calls *)thread)->list);
}

void record_replay(const struct record *r, struct printer *to,
		   const struct print_totals *totals)
{
	struct print_totals told = *totals;
	struct telling t = { .to = to, .totals = totals };

	for (size_t i = 0; i < r->others_count; i++) {
		const struct other *o = &r->others[(r->others_first + i) % MAX_NOTES];

		add_told(&t, (struct told){ o->order, NULL, o });
	}
	threads_sweep(r->stacks, add_thread, &t);
	if (t.count)
		qsort(t.list, t.count, sizeof(*t.list), by_order);
	t.open = threads_new(sizeof(struct open_calls), free_open_calls);
	if (to->ops->begin)
		to->ops->begin(to, &r->begin);
	told.events = 0;
	for (size_t i = 0; i < t.count; i++) {
		if (t.list[i].other)
			tell_other(&t, t.list[i].other);
		else
			tell_event(&t, t.list[i].kept);
		told.events += t.list[i].kept && !is_unseen(&t.list[i].kept->event);
	}
	threads_sweep(t.open, tell_ends, &t);
	if (to->ops->end)
		to->ops->end(to, &told);
	threads_free(t.open);
	free(t.list);
}

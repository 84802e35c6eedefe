// SPDX-License-Identifier: GPL-2.0-or-later
/* Which calls are shown, and how long each took.
 *
 * Whether a call takes long enough is not known when it begins. Until it is, its
 * beginning is held, and all that comes behind it waits, so that the order stays. That is
 * less than it seems: of the calls that begin meanwhile those that end meanwhile are too
 * short, too, and are dropped. What waits are beginnings of calls that are open, and ends
 * of calls that had begun before: no more than there are open calls, and what else
 * happens to processes meanwhile. */
#include <config.h>

#include "sift.h"

#include <stdlib.h>
#include <string.h>

#include "threads.h"
#include "xalloc.h"

/* A thread that was interrupted while it wrote its event has an older time in it than
 * events of others that were written before; no thread's own are out of order. */
enum { SLACK = 100 * 1000 * 1000 }; /* ns */

enum item_kind { ITEM_EVENT, ITEM_NOTE, ITEM_LOST };

/* Something that waits for its turn. */
struct item {
	struct item *before, *behind;
	enum item_kind kind;
	struct level *level; /* whose beginning this is, if that is undecided */
	union {
		struct print_event event;
		struct print_note note; /* its strings are owned */
		struct print_lost lost;
	};
};

/* A call that is open. */
struct level {
	struct name *name;
	struct level *shown_above; /* the innermost call around it that is shown */
	struct level *above;
	struct item *held; /* its beginning, while it is undecided */
	uint64_t begin;	   /* ns since the trace began */
	uint64_t below;	   /* ns: of the shown calls directly below it */
	bool counts;	   /* its name and place let it be shown, but for max_depth */
	bool is_shown;	   /* that lets it, too */
	bool is_start;
	bool is_inherited;
};

struct stack {
	struct thread thread;
	struct level *top;
	unsigned int depth;  /* calls that are open */
	unsigned int counts; /* those of them that count */
	unsigned int starts; /* and that are starts */
};

struct sift {
	struct sift_rules rules;
	struct printer *out;
	struct threads *stacks;
	struct item *first, *last; /* that wait */
	struct level *free_levels; /* linked by `above` */
	struct item *free_items;   /* linked by `behind` */
	int64_t wall; /* ns from the trace's clock to wall time, when last told */
	uint64_t events;
};

/* ---- what is open ---- */

static struct level *take_level(struct sift *s)
{
	struct level *l = s->free_levels;

	if (!l)
		return xcalloc(1, sizeof(*l));
	s->free_levels = l->above;
	return l;
}

static void give_level(struct sift *s, struct level *l)
{
	l->above = s->free_levels;
	s->free_levels = l;
}

static void free_levels(struct level *l)
{
	while (l) {
		struct level *above = l->above;

		free(l);
		l = above;
	}
}

static void free_stack(struct thread *thread)
{
	free_levels(((struct stack *)thread)->top);
}

struct sift *sift_new(const struct sift_rules *rules, struct printer *out)
{
	struct sift *s = xcalloc(1, sizeof(*s));

	s->rules = *rules;
	s->out = out;
	s->stacks = threads_new(sizeof(struct stack), free_stack);
	return s;
}

/* ---- what waits ---- */

static void append(struct sift *s, struct item *i)
{
	i->before = s->last;
	i->behind = NULL;
	if (s->last)
		s->last->behind = i;
	else
		s->first = i;
	s->last = i;
}

static struct item *new_item(struct sift *s, enum item_kind kind)
{
	struct item *i = s->free_items;

	if (i)
		s->free_items = i->behind;
	else
		i = xcalloc(1, sizeof(*i));
	i->kind = kind;
	i->level = NULL;
	append(s, i);
	return i;
}

static void drop_item(struct sift *s, struct item *i)
{
	if (i->before)
		i->before->behind = i->behind;
	else
		s->first = i->behind;
	if (i->behind)
		i->behind->before = i->before;
	else
		s->last = i->before;
	if (i->kind == ITEM_NOTE)
		print_note_free(&i->note);
	i->behind = s->free_items;
	s->free_items = i;
}

static void show(struct sift *s, const struct print_event *e)
{
	if (e->kind == PRINT_ENTER || e->exit != PRINT_UNSEEN)
		s->events++;
	s->out->ops->event(s->out, e);
}

static void show_item(struct sift *s, const struct item *i)
{
	const struct print_ops *ops = s->out->ops;

	if (i->kind == ITEM_EVENT)
		show(s, &i->event);
	else if (i->kind == ITEM_NOTE)
		ops->note(s->out, &i->note);
	else
		ops->lost(s->out, &i->lost);
}

/* Its beginning is to be shown, when its turn comes. */
static void decide(struct level *l)
{
	l->held->level = NULL;
	l->held = NULL;
}

/* Show what is in front of the first beginning that is undecided at this time. */
static void release(struct sift *s, uint64_t at)
{
	struct item *i;

	while ((i = s->first)) {
		if (i->level && at < i->level->begin + s->rules.min_duration)
			return;
		if (i->level)
			decide(i->level);
		show_item(s, i);
		drop_item(s, i);
	}
}

static struct item *emit(struct sift *s, const struct print_event *e)
{
	struct item *i;

	if (!s->first && (e->kind == PRINT_LEAVE || !s->rules.min_duration)) {
		show(s, e);
		return NULL;
	}
	i = new_item(s, ITEM_EVENT);
	i->event = *e;
	return i;
}

/* ---- calls ---- */

static void push(struct sift *s, struct stack *stack, struct level *l)
{
	struct level *above = stack->top;

	l->above = above;
	l->shown_above = above && !above->is_shown ? above->shown_above : above;
	l->below = 0;
	l->held = NULL;
	l->is_shown = l->counts &&
		      (!s->rules.max_depth || stack->counts < s->rules.max_depth);
	stack->top = l;
	stack->depth++;
	stack->counts += l->counts;
	stack->starts += l->is_start;
}

static void enter(struct sift *s, struct stack *stack, const struct print_event *e)
{
	struct level *l = take_level(s);
	struct print_event shown = *e;

	l->name = e->name;
	l->begin = e->at;
	l->is_inherited = false;
	l->is_start = s->rules.has_starts && e->name && e->name->is_start;
	l->counts = (!s->rules.has_starts || stack->starts || l->is_start) &&
		    !(e->name && e->name->is_hidden);
	shown.depth = stack->counts;
	push(s, stack, l);
	if (!l->is_shown)
		return;
	l->held = emit(s, &shown);
	if (l->held)
		l->held->level = l;
}

/* Clocks of CPUs may differ by a little: never less than nothing. */
static uint64_t less(uint64_t from, uint64_t what)
{
	return from > what ? from - what : 0;
}

/* The end of a call that is shown. */
static void end_shown(struct sift *s, struct level *l, struct print_event *e)
{
	e->elapsed = less(e->at, l->begin);
	if (e->elapsed < s->rules.min_duration && (l->held || l->is_inherited)) {
		if (l->held)
			drop_item(s, l->held);
		return;
	}
	e->self = less(e->elapsed, l->below);
	e->is_timed = true;
	e->is_inherited = l->is_inherited;
	if (l->shown_above)
		l->shown_above->below += e->elapsed;
	if (l->held)
		decide(l);
	emit(s, e);
}

/* The innermost call ends, by this event. */
static void pop(struct sift *s, struct stack *stack, const struct print_event *e)
{
	struct level *l = stack->top;
	struct print_event shown = *e;

	stack->top = l->above;
	stack->depth--;
	stack->counts -= l->counts;
	stack->starts -= l->is_start;
	shown.name = l->name;
	shown.depth = stack->counts;
	if (l->is_shown)
		end_shown(s, l, &shown);
	give_level(s, l);
	if (s->first)
		release(s, 0);
}

/* Calls end that nobody saw end, until there are so many. */
static void close_calls(struct sift *s, struct stack *stack, unsigned int depth,
			uint64_t time, uint64_t at)
{
	struct print_event e = {
		.kind = PRINT_LEAVE,
		.exit = PRINT_UNSEEN,
		.pid = stack->thread.pid,
		.tid = stack->thread.tid,
		.line = -1,
		.time = time,
		.at = at,
	};

	while (stack->depth > depth)
		pop(s, stack, &e);
}

/* It began before the trace: the time since then is what is known of it. */
static void leave_unknown(struct sift *s, const struct stack *stack,
			  const struct print_event *e)
{
	struct print_event shown = *e;

	if ((e->name && e->name->is_hidden) || (s->rules.has_starts && !stack->starts) ||
	    (s->rules.max_depth && stack->counts >= s->rules.max_depth) ||
	    e->at < s->rules.min_duration)
		return;
	shown.depth = stack->counts;
	emit(s, &shown);
}

/* If it is another process's by now, the end of the thread that had this number before
 * was lost. */
static struct stack *stack_of(struct sift *s, uint32_t tid, uint32_t pid, uint64_t at)
{
	struct stack *stack = (struct stack *)threads_get(s->stacks, tid, pid);

	if (stack->thread.pid != pid) {
		close_calls(s, stack, 0, at + s->wall, at);
		stack->thread.pid = pid;
	}
	return stack;
}

void sift_event(struct sift *s, const struct print_event *e)
{
	struct stack *stack = stack_of(s, e->tid, e->pid, e->at);
	bool ends = e->kind == PRINT_LEAVE && stack->depth > e->depth;

	s->wall = e->time - e->at;
	close_calls(s, stack, e->depth + ends, e->time, e->at);
	if (e->kind == PRINT_ENTER)
		enter(s, stack, e);
	else if (ends)
		pop(s, stack, e);
	else
		leave_unknown(s, stack, e);
	if (s->first)
		release(s, less(e->at, SLACK));
}

/* ---- processes ---- */

/* A call in a child, which has it open since the fork. */
static void inherit(struct sift *s, struct stack *child, const struct level *l,
		    uint64_t at)
{
	struct level *copy = take_level(s);

	*copy = *l;
	copy->begin = at;
	copy->is_inherited = true;
	push(s, child, copy);
}

static void forget(struct sift *s, struct stack *stack, uint64_t at)
{
	close_calls(s, stack, 0, at + s->wall, at);
}

void sift_fork(struct sift *s, uint32_t tid, uint32_t child, uint64_t at)
{
	struct stack *parent, *stack;
	const struct level **levels;
	unsigned int n;

	if (child == tid)
		return;
	sift_exit(s, child, at);
	parent = (struct stack *)threads_find(s->stacks, tid);
	if (!parent)
		return;
	n = parent->depth;
	levels = xcalloc(n + 1, sizeof(*levels));
	for (const struct level *l = parent->top; l; l = l->above)
		levels[--n] = l;
	stack = stack_of(s, child, child, at);
	for (; n < parent->depth; n++)
		inherit(s, stack, levels[n], at);
	free(levels);
}

struct ending {
	struct sift *sift;
	uint32_t pid; /* 0: all */
	uint64_t at;
};

static bool end_thread(struct thread *thread, void *arg)
{
	struct ending *e = arg;

	if (e->pid && thread->pid != e->pid)
		return false;
	forget(e->sift, (struct stack *)thread, e->at);
	return true;
}

void sift_exec(struct sift *s, uint32_t pid, uint64_t at)
{
	struct ending e = { s, pid, at };

	threads_sweep(s->stacks, end_thread, &e);
}

void sift_exit(struct sift *s, uint32_t tid, uint64_t at)
{
	struct thread *thread = threads_find(s->stacks, tid);

	if (!thread)
		return;
	forget(s, (struct stack *)thread, at);
	threads_remove(s->stacks, tid);
}

/* ---- what else there is ---- */

void sift_note(struct sift *s, const struct print_note *n)
{
	if (!s->out->ops->note)
		return;
	if (!s->first) {
		s->out->ops->note(s->out, n);
		return;
	}
	new_item(s, ITEM_NOTE)->note = print_note_copy(n);
}

void sift_lost(struct sift *s, const struct print_lost *l)
{
	if (!s->out->ops->lost)
		return;
	if (!s->first)
		s->out->ops->lost(s->out, l);
	else
		new_item(s, ITEM_LOST)->lost = *l;
}

void sift_advance(struct sift *s, uint64_t at)
{
	release(s, at);
}

uint64_t sift_next(const struct sift *s)
{
	if (!s->first)
		return UINT64_MAX;
	return s->first->level ? s->first->level->begin + s->rules.min_duration : 0;
}

void sift_end(struct sift *s, uint64_t at)
{
	struct ending e = { s, 0, at };

	threads_sweep(s->stacks, end_thread, &e);
	release(s, 0);
}

uint64_t sift_events(const struct sift *s)
{
	return s->events;
}

void sift_free(struct sift *s)
{
	if (!s)
		return;
	while (s->first)
		drop_item(s, s->first);
	while (s->free_items) {
		struct item *i = s->free_items;

		s->free_items = i->behind;
		free(i);
	}
	free_levels(s->free_levels);
	threads_free(s->stacks);
	free(s);
}

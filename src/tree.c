// SPDX-License-Identifier: GPL-2.0-or-later
/* Events -> calls and returns with their depth, per thread.
 *
 * Each thread has a stack of the calls that are open. A return closes the topmost call of
 * the same name, and of the same frame where frames are known: calls above it have ended
 * unseen. After a loss, what else is on the stack is doubtful. Then a call is closed,
 * too, if another begins in its frame, and, where events carry a stack pointer instead,
 * if it began deeper in the C stack, which has been unwound since. */
#include <config.h>

#include "tree.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "threads.h"
#include "xalloc.h"

enum { FIRST_SLOTS = 64 };

struct call {
	const struct name *name;
	uint64_t frame;
};

struct stack {
	struct thread thread;
	uint64_t losses;  /* of the tree, when the stack was last known to be right */
	uint64_t orphan;  /* the frame of the last end without a beginning */
	bool has_entered; /* with its last event */
	struct call *calls;
	size_t depth;
	size_t room;
};

/* Where a generator was last left, by the address of its frame. */
struct left {
	uint64_t frame;
	uint32_t pid;
	uint32_t line;
};

struct tree {
	struct threads *stacks; /* struct stack */
	uint64_t losses;
	uint64_t orphans;
	struct left *left; /* a power of two, at most half of them used */
	size_t left_count, left_used;
};

static void free_stack(struct thread *thread)
{
	free(((struct stack *)thread)->calls);
}

struct tree *tree_new(void)
{
	struct tree *t = xcalloc(1, sizeof(*t));

	t->stacks = threads_new(sizeof(struct stack), free_stack);
	t->left_count = FIRST_SLOTS;
	t->left = xcalloc(t->left_count, sizeof(*t->left));
	return t;
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	threads_free(t->stacks);
	free(t->left);
	free(t);
}

static struct stack *get_stack(struct tree *t, uint32_t tid, uint32_t pid)
{
	struct stack *s = (struct stack *)threads_find(t->stacks, tid);

	if (s && s->thread.pid == pid)
		return s;
	/* It may be another process's by now, if the end of its thread was lost. */
	threads_remove(t->stacks, tid);
	s = (struct stack *)threads_get(t->stacks, tid, pid);
	s->losses = t->losses;
	return s;
}

static struct left *find_left(const struct tree *t, uint32_t pid, uint64_t frame)
{
	size_t i = (frame >> 4 ^ pid) * 0x9e3779b97f4a7c15ULL >> 20 & (t->left_count - 1);

	while (t->left[i].frame && (t->left[i].frame != frame || t->left[i].pid != pid))
		i = (i + 1) & (t->left_count - 1);
	return &t->left[i];
}

static void remember_left(struct tree *t, const struct event *e)
{
	struct left *l = find_left(t, e->pid, e->frame);

	if (!l->frame && ++t->left_used > t->left_count / 2) {
		struct left *old = t->left;
		size_t count = t->left_count;

		t->left_count *= 2;
		t->left = xcalloc(t->left_count, sizeof(*t->left));
		for (size_t i = 0; i < count; i++)
			if (old[i].frame)
				*find_left(t, old[i].pid, old[i].frame) = old[i];
		free(old);
		l = find_left(t, e->pid, e->frame);
	}
	*l = (struct left){ .frame = e->frame, .pid = e->pid, .line = e->line };
}

uint32_t tree_line(const struct tree *t, const struct event *e)
{
	const struct left *l;

	if (!(e->flags & EVENT_THROWN))
		return e->line;
	l = find_left(t, e->pid, e->frame);
	return l->frame ? l->line : e->line;
}

/* After a loss: calls that cannot be open any more, seen from this event. */
static void close_ended(struct tree *t, struct stack *s, const struct event *e)
{
	bool by_stack = !(e->flags & EVENT_FRAME);

	if (s->losses == t->losses)
		return;
	for (size_t i = s->depth; i--;) {
		const struct call *c = &s->calls[i];

		if ((by_stack && c->frame < e->frame) ||
		    (e->kind == EVENT_ENTER && c->frame == e->frame))
			s->depth = i;
	}
	if (!s->depth)
		s->losses = t->losses;
}

static void push(struct stack *s, const struct name *name, uint64_t frame)
{
	if (s->depth == s->room) {
		s->room = s->room ? s->room * 2 : 32;
		s->calls = xrealloc(s->calls, s->room, sizeof(*s->calls));
	}
	s->calls[s->depth++] = (struct call){ name, frame };
}

/* CPython's evaluation loop may come by the beginning of a call twice: when it has to
 * instrument the code for sys.monitoring it starts over. */
static bool has_begun(const struct stack *s, const struct event *e)
{
	return e->flags & EVENT_UNIT && s->has_entered && s->depth &&
	       s->calls[s->depth - 1].frame == e->frame;
}

unsigned int tree_enter(struct tree *t, const struct event *e, const struct name *name)
{
	struct stack *s = get_stack(t, e->tid, e->pid);

	close_ended(t, s, e);
	if (has_begun(s, e))
		return TREE_NONE;
	push(s, name, e->frame);
	s->has_entered = true;
	return s->depth - 1;
}

/* The index of the call that this event ends, or the depth if there is none. */
static size_t find_call(const struct stack *s, const struct event *e,
			const struct name *name)
{
	for (size_t i = s->depth; i--;) {
		const struct call *c = &s->calls[i];

		if (c->name == name &&
		    (!(e->flags & EVENT_FRAME) || c->frame == e->frame))
			return i;
	}
	return s->depth;
}

/* What began before the trace ends without a beginning; but the calls around it do so,
 * too, and no frame does it twice. */
static void see_orphan(struct tree *t, struct stack *s, uint64_t frame)
{
	if (s->depth || s->orphan == frame)
		t->orphans++;
	s->orphan = frame;
}

unsigned int tree_leave(struct tree *t, const struct event *e, const struct name *name)
{
	struct stack *s = get_stack(t, e->tid, e->pid);
	size_t i;

	close_ended(t, s, e);
	s->has_entered = false;
	/* A frame that could not be read is 0, which marks what is free in the table. */
	if (e->flags & EVENT_FRAME && !(e->flags & EVENT_UNIT) && e->frame)
		remember_left(t, e);
	i = find_call(s, e, name);
	if (i == s->depth && e->flags & EVENT_IF_OPEN)
		return TREE_NONE;
	if (i == s->depth && e->flags & EVENT_UNIT && s->losses == t->losses)
		see_orphan(t, s, e->frame);
	s->depth = i;
	if (!s->depth)
		s->losses = t->losses;
	return s->depth;
}

uint64_t tree_orphans(const struct tree *t)
{
	return t->orphans;
}

void tree_lost(struct tree *t)
{
	t->losses++;
}

void tree_fork(struct tree *t, const struct event *e)
{
	struct stack *parent, *child;

	if (e->code == e->tid)
		return;
	threads_remove(t->stacks, e->code);
	parent = (struct stack *)threads_find(t->stacks, e->tid);
	if (!parent)
		return;
	child = get_stack(t, e->code, e->code);
	child->losses = parent->losses;
	for (size_t i = 0; i < parent->depth; i++)
		push(child, parent->calls[i].name, parent->calls[i].frame);
}

/* A process has ended, and another may get its number, or it has other frames now. */
static void forget_left(struct tree *t, uint32_t pid)
{
	struct left *old = t->left;

	t->left = xcalloc(t->left_count, sizeof(*t->left));
	t->left_used = 0;
	for (size_t i = 0; i < t->left_count; i++) {
		if (!old[i].frame || old[i].pid == pid)
			continue;
		*find_left(t, old[i].pid, old[i].frame) = old[i];
		t->left_used++;
	}
	free(old);
}

void tree_exec(struct tree *t, const struct event *e)
{
	if (t->left_used)
		forget_left(t, e->pid);
	threads_remove_process(t->stacks, e->pid);
}

void tree_exit(struct tree *t, const struct event *e)
{
	if (e->tid == e->pid && t->left_used)
		forget_left(t, e->pid);
	threads_remove(t->stacks, e->tid);
}

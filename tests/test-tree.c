// SPDX-License-Identifier: GPL-2.0-or-later
/* Events -> depths: what holds for every order of events, and what is made of lost
 * ones. */
#include <config.h>

#include "tree.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "xalloc.h"

enum { NAMES = 8, PID = 100, THREADS = 12, DEEP = 40, STEPS = 200000 };

static struct name names[NAMES];
static struct name *const A = &names[0], *const B = &names[1], *const C = &names[2],
			  *const D = &names[3], *const X = &names[7];

/* Threads from 200 on are processes of their own. */
static struct event make(enum event_kind kind, uint32_t tid, uint64_t frame)
{
	uint32_t pid = tid < 200 ? PID : tid;

	return (struct event){ .kind = kind, .pid = pid, .tid = tid, .frame = frame };
}

/* A call where the C stack is at sp. */
static unsigned int enter(struct tree *t, uint32_t tid, const struct name *name,
			  uint64_t sp)
{
	struct event e = make(EVENT_ENTER, tid, sp);

	return tree_enter(t, &e, name);
}

static unsigned int leave(struct tree *t, uint32_t tid, const struct name *name,
			  uint64_t sp)
{
	struct event e = make(EVENT_LEAVE, tid, sp);

	return tree_leave(t, &e, name);
}

/* The same where frames are known. */
static unsigned int enter_frame(struct tree *t, const struct name *name, uint64_t frame)
{
	struct event e = make(EVENT_ENTER, PID, frame);

	e.flags = EVENT_FRAME;
	return tree_enter(t, &e, name);
}

static unsigned int leave_frame(struct tree *t, const struct name *name, uint64_t frame)
{
	struct event e = make(EVENT_LEAVE, PID, frame);

	e.flags = EVENT_FRAME;
	return tree_leave(t, &e, name);
}

static void check_nesting(void)
{
	struct tree *t = tree_new();

	CHECK_INT(enter(t, PID, A, 1000), 0);
	CHECK_INT(enter(t, PID, B, 900), 1);
	CHECK_INT(enter(t, PID, C, 800), 2);
	CHECK_INT(leave(t, PID, C, 800), 2);
	CHECK_INT(enter(t, PID, C, 800), 2);
	CHECK_INT(leave(t, PID, C, 800), 2);
	CHECK_INT(leave(t, PID, B, 900), 1);
	CHECK_INT(leave(t, PID, A, 1000), 0);
	/* A name that could not be read is one like others. */
	CHECK_INT(enter(t, PID, NULL, 1000), 0);
	CHECK_INT(enter(t, PID, A, 900), 1);
	CHECK_INT(leave(t, PID, A, 900), 1);
	CHECK_INT(leave(t, PID, NULL, 1000), 0);
	tree_free(t);
	tree_free(NULL);
}

static void check_recursion(void)
{
	struct tree *t = tree_new();

	for (int i = 0; i < 3; i++)
		CHECK_INT(enter(t, PID, A, 1000 - i), i);
	for (int i = 2; i >= 0; i--)
		CHECK_INT(leave(t, PID, A, 1000 - i), i);
	for (int i = 0; i < 100000; i++)
		if (enter(t, PID, i % 2 ? A : B, 1000000 - i) != (unsigned int)i)
			CHECK(false);
	CHECK_INT(enter(t, PID, C, 1), 100000);
	CHECK_INT(leave(t, PID, C, 1), 100000);
	for (int i = 100000; i--;)
		if (leave(t, PID, i % 2 ? A : B, 1000000 - i) != (unsigned int)i)
			CHECK(false);
	CHECK_INT(enter(t, PID, C, 1), 0);
	tree_free(t);
}

/* A return ends the calls above it; one of a call never seen ends nothing. */
static void check_mismatches(void)
{
	struct tree *t = tree_new();

	CHECK_INT(leave(t, PID, A, 1000), 0);
	CHECK_INT(enter(t, PID, A, 1000), 0);
	CHECK_INT(enter(t, PID, B, 900), 1);
	CHECK_INT(leave(t, PID, X, 850), 2);
	CHECK_INT(enter(t, PID, C, 800), 2);
	CHECK_INT(enter(t, PID, B, 700), 3);
	CHECK_INT(enter(t, PID, D, 600), 4);
	CHECK_INT(leave(t, PID, B, 700), 3);
	CHECK_INT(leave(t, PID, A, 1000), 0);
	CHECK_INT(leave(t, PID, B, 900), 0);
	CHECK_INT(enter(t, PID, D, 1000), 0);
	tree_free(t);
}

static void check_threads(void)
{
	struct tree *t = tree_new();

	/* 1024 apart: in one slot of the table. */
	for (uint32_t tid = 1; tid < 5000; tid += 1024)
		for (unsigned int i = 0; i < tid % 7 + 1; i++)
			CHECK_INT(enter(t, tid, A, 1000 - i), i);
	for (uint32_t tid = 1; tid < 5000; tid += 1024)
		for (unsigned int i = tid % 7 + 1; i--;)
			CHECK_INT(leave(t, tid, A, 1000 - i), i);
	tree_free(t);
}

/* Where frames are known, a return ends the call of its own frame, not another of that
 * name. */
static void check_frames(void)
{
	struct tree *t = tree_new();

	CHECK_INT(enter_frame(t, A, 0x10), 0);
	CHECK_INT(enter_frame(t, A, 0x20), 1);
	CHECK_INT(enter_frame(t, A, 0x30), 2);
	CHECK_INT(leave_frame(t, A, 0x20), 1);
	CHECK_INT(leave_frame(t, A, 0x30), 1);
	CHECK_INT(leave_frame(t, B, 0x10), 1);
	CHECK_INT(leave_frame(t, A, 0x10), 0);
	/* Frames have no order, unlike stack pointers: generators live on the heap. */
	CHECK_INT(enter_frame(t, A, 0x10), 0);
	CHECK_INT(enter_frame(t, B, 0x9000), 1);
	CHECK_INT(enter_frame(t, C, 0x20), 2);
	CHECK_INT(leave_frame(t, C, 0x20), 2);
	CHECK_INT(leave_frame(t, B, 0x9000), 1);
	CHECK_INT(leave_frame(t, A, 0x10), 0);
	tree_free(t);
}

static uint32_t thrown_line(struct tree *t, uint32_t pid, uint64_t frame, uint32_t line)
{
	struct event e = make(EVENT_ENTER, pid, frame);

	e.pid = pid;
	e.line = line;
	e.flags = EVENT_FRAME | EVENT_THROWN;
	return tree_line(t, &e);
}

static void leave_at(struct tree *t, uint64_t frame, uint32_t line)
{
	struct event e = make(EVENT_LEAVE, PID, frame);

	e.flags = EVENT_FRAME;
	e.line = line;
	tree_leave(t, &e, A);
}

/* When a process has ended, nothing is known of the next one with its number. */
static void check_number_reused(void)
{
	struct tree *t = tree_new();
	struct event thread_ends = { .kind = EVENT_EXIT, .pid = PID, .tid = PID + 1 };
	struct event process_ends = { .kind = EVENT_EXIT, .pid = PID, .tid = PID };

	leave_at(t, 0x50, 77);
	tree_exit(t, &thread_ends);
	CHECK_INT(thrown_line(t, PID, 0x50, 3), 77);
	tree_exit(t, &process_ends);
	CHECK_INT(thrown_line(t, PID, 0x50, 3), 3);
	tree_free(t);
}

/* Nor if its end was lost, and it is a thread's number now. */
static void check_number_reused_after_loss(void)
{
	struct event e = make(EVENT_ENTER, PID, 900);
	struct tree *t = tree_new();

	CHECK_INT(enter(t, PID, A, 1000), 0);
	e.pid = 50;
	CHECK_INT(tree_enter(t, &e, B), 0);
	e.frame = 800;
	CHECK_INT(tree_enter(t, &e, C), 1);
	tree_free(t);
}

static void check_lines(void)
{
	struct tree *t = tree_new();
	struct event e = make(EVENT_ENTER, PID, 0x10);

	e.line = 7;
	CHECK_INT(tree_line(t, &e), 7);
	CHECK_INT(thrown_line(t, PID, 0x10, 3), 3);
	leave_at(t, 0x10, 12);
	CHECK_INT(tree_line(t, &e), 7);
	CHECK_INT(thrown_line(t, PID, 0x10, 3), 12);
	/* One frame address in many processes: some of them meet in the table. */
	for (uint32_t i = 1; i < 500; i++)
		if (thrown_line(t, PID + i, 0x10, 3) != 3)
			CHECK(false);
	leave_at(t, 0x10, 15);
	CHECK_INT(thrown_line(t, PID, 0x10, 3), 15);
	for (uint32_t i = 1; i < 5000; i++)
		leave_at(t, 0x1000 + i * 16, i);
	for (uint32_t i = 1; i < 5000; i++)
		if (thrown_line(t, PID, 0x1000 + i * 16, 0) != i)
			CHECK(false);
	CHECK_INT(thrown_line(t, PID, 0x1000, 3), 3);
	tree_free(t);
}

static long pages_mapped(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long pages = -1;

	if (!f || fscanf(f, "%ld", &pages) != 1)
		CHECK(false);
	if (f)
		fclose(f);
	return pages;
}

/* A frame that could not be read is 0. It is not remembered, not even a million times. */
static void check_no_frame(void)
{
	struct tree *t = tree_new();
	long before = pages_mapped();

	for (uint32_t i = 0; i < 1000000; i++)
		leave_at(t, 0, i);
	CHECK(pages_mapped() - before < 1000);
	CHECK_INT(thrown_line(t, PID, 0, 3), 3);
	CHECK_INT(enter_frame(t, A, 0), 0);
	CHECK_INT(enter_frame(t, B, 0), 1);
	CHECK_INT(leave_frame(t, B, 0), 1);
	CHECK_INT(leave_frame(t, A, 0), 0);
	tree_free(t);
}

static void fork_to(struct tree *t, uint32_t tid, uint64_t child)
{
	struct event e = make(EVENT_FORK, tid, 0);

	e.code = child;
	tree_fork(t, &e);
}

static void check_fork(void)
{
	struct tree *t = tree_new();

	enter(t, PID, A, 1000);
	enter(t, PID, B, 900);
	/* A child with the ID of a thread that was not seen to end has none of its
	 * calls. */
	for (int i = 0; i < 5; i++)
		enter(t, 200, X, 1000 - i);
	fork_to(t, PID, 200);
	CHECK_INT(enter(t, 200, C, 800), 2);
	CHECK_INT(leave(t, 200, B, 900), 1);
	CHECK_INT(leave(t, 200, A, 1000), 0);
	CHECK_INT(enter(t, PID, C, 800), 2);
	/* Of a thread that has no calls, and of one to itself, which cannot be. */
	fork_to(t, 300, 400);
	CHECK_INT(enter(t, 400, A, 1000), 0);
	fork_to(t, PID, PID);
	CHECK_INT(leave(t, PID, C, 800), 2);
	tree_free(t);
}

static void check_exec_and_exit(void)
{
	struct event exec = make(EVENT_EXEC, PID, 0), end = make(EVENT_EXIT, PID + 1, 0);
	struct event other = make(EVENT_ENTER, 777, 1000);
	struct tree *t = tree_new();

	other.pid = 777;
	CHECK_INT(tree_enter(t, &other, A), 0);
	enter(t, PID, A, 1000);
	enter(t, PID + 1, A, 1000);
	enter(t, PID + 2, A, 1000);
	enter(t, PID + 2, B, 900);
	tree_exit(t, &end);
	CHECK_INT(enter(t, PID + 1, A, 1000), 0);
	CHECK_INT(enter(t, PID + 2, C, 800), 2);
	/* Whichever thread calls it, exec ends them all; other processes go on. */
	tree_exec(t, &exec);
	CHECK_INT(enter(t, PID, A, 1000), 0);
	CHECK_INT(enter(t, PID + 1, A, 1000), 0);
	CHECK_INT(enter(t, PID + 2, A, 1000), 0);
	CHECK_INT(tree_enter(t, &other, B), 1);
	tree_exit(t, &end);
	tree_exit(t, &end);
	tree_free(t);
}

/* After a loss, calls that began deeper in the C stack than we are now have ended. */
static void check_loss_by_stack(void)
{
	struct tree *t = tree_new();

	enter(t, PID, A, 1000);
	enter(t, PID, B, 900);
	enter(t, PID, C, 800);
	/* Without a loss the stack pointer says nothing: there may be several stacks. */
	CHECK_INT(enter(t, PID, D, 950), 3);
	CHECK_INT(leave(t, PID, D, 950), 3);
	tree_lost(t);
	CHECK_INT(enter(t, PID, D, 950), 1);
	CHECK_INT(enter(t, PID, C, 850), 2);
	/* Another call at the very same place, too. */
	CHECK_INT(enter(t, PID, B, 850), 2);
	CHECK_INT(leave(t, PID, X, 975), 1);
	CHECK_INT(leave(t, PID, A, 1000), 0);
	/* With nothing open there is no doubt left. */
	CHECK_INT(enter(t, PID, A, 100), 0);
	CHECK_INT(enter(t, PID, B, 200), 1);
	tree_lost(t);
	CHECK_INT(enter(t, PID + 1, A, 100), 0);
	CHECK_INT(enter(t, PID + 1, B, 200), 1);
	CHECK_INT(enter(t, PID, C, 300), 0);
	tree_free(t);
}

static void check_loss_by_frame(void)
{
	struct tree *t = tree_new();

	enter_frame(t, A, 0x10);
	enter_frame(t, B, 0x20);
	enter_frame(t, C, 0x30);
	CHECK_INT(enter_frame(t, D, 0x20), 3);
	CHECK_INT(leave_frame(t, D, 0x20), 3);
	tree_lost(t);
	CHECK_INT(enter_frame(t, D, 0x40), 3);
	CHECK_INT(enter_frame(t, D, 0x20), 1);
	CHECK_INT(leave_frame(t, D, 0x20), 1);
	CHECK_INT(leave_frame(t, A, 0x10), 0);
	enter_frame(t, A, 0x20);
	CHECK_INT(enter_frame(t, B, 0x20), 1);
	tree_free(t);
}

/* A child is as doubtful as the parent whose calls it has. */
static void check_loss_and_fork(void)
{
	struct tree *t = tree_new();

	enter(t, PID, A, 1000);
	enter(t, PID, B, 900);
	tree_lost(t);
	fork_to(t, PID, 200);
	CHECK_INT(enter(t, 200, C, 950), 1);
	CHECK_INT(enter(t, PID, C, 950), 1);
	tree_free(t);
}

/* ---- what the evaluation loop tells ---- */

static unsigned int step_unit(struct tree *t, bool up, uint32_t tid,
			      const struct name *name, uint64_t frame, uint8_t flags)
{
	struct event e = make(up ? EVENT_LEAVE : EVENT_ENTER, tid, frame);

	e.flags = EVENT_FRAME | EVENT_UNIT | flags;
	return up ? tree_leave(t, &e, name) : tree_enter(t, &e, name);
}

static unsigned int enter_unit(struct tree *t, const struct name *name, uint64_t frame)
{
	return step_unit(t, false, PID, name, frame, 0);
}

static unsigned int leave_unit(struct tree *t, const struct name *name, uint64_t frame,
			       uint8_t flags)
{
	return step_unit(t, true, PID, name, frame, flags);
}

/* It ends what is open, and else is no event. */
static void check_if_open(void)
{
	struct tree *t = tree_new();
	uint8_t flags = EVENT_IF_OPEN | EVENT_RAISED;

	CHECK_INT(leave_unit(t, A, 0x10, flags), TREE_NONE);
	CHECK_INT(enter_unit(t, A, 0x10), 0);
	CHECK_INT(enter_unit(t, B, 0x20), 1);
	/* Another frame of that name, another name of that frame. */
	CHECK_INT(leave_unit(t, B, 0x30, flags), TREE_NONE);
	CHECK_INT(leave_unit(t, C, 0x20, flags), TREE_NONE);
	CHECK_INT(enter_unit(t, C, 0x30), 2);
	CHECK_INT(leave_unit(t, B, 0x20, flags), 1);
	/* That has ended C, too. */
	CHECK_INT(leave_unit(t, C, 0x30, flags), TREE_NONE);
	CHECK_INT(leave_unit(t, A, 0x10, flags), 0);
	CHECK_INT(leave_unit(t, A, 0x10, flags), TREE_NONE);
	CHECK_INT(tree_orphans(t), 0);
	/* Nor does it without such frames. */
	CHECK_INT(step_unit(t, true, 77, A, 0x10, flags), TREE_NONE);
	CHECK_INT(tree_orphans(t), 0);
	tree_free(t);
}

/* The same frame begins again: only if it is the topmost, and units are told. */
static void check_begun(void)
{
	struct tree *t = tree_new();

	CHECK_INT(enter_unit(t, A, 0x10), 0);
	CHECK_INT(enter_unit(t, A, 0x10), TREE_NONE);
	CHECK_INT(enter_unit(t, A, 0x20), 1);
	CHECK_INT(enter_unit(t, A, 0x20), TREE_NONE);
	CHECK_INT(enter_unit(t, A, 0x10), 2);
	CHECK_INT(leave_unit(t, A, 0x10, 0), 2);
	CHECK_INT(leave_unit(t, A, 0x20, 0), 1);
	CHECK_INT(leave_unit(t, A, 0x10, 0), 0);
	/* Only at once: one whose end was not seen swallows nothing. */
	CHECK_INT(enter_unit(t, A, 0x10), 0);
	CHECK_INT(enter_unit(t, B, 0x20), 1);
	CHECK_INT(leave_unit(t, B, 0x20, 0), 1);
	CHECK_INT(enter_unit(t, A, 0x10), 1);
	CHECK_INT(leave_unit(t, A, 0x10, 0), 1);
	CHECK_INT(leave_unit(t, A, 0x10, 0), 0);
	/* A generator goes on in the frame that it left. */
	CHECK_INT(enter_unit(t, A, 0x10), 0);
	CHECK_INT(leave_unit(t, A, 0x10, EVENT_YIELDED), 0);
	CHECK_INT(enter_unit(t, A, 0x10), 0);
	CHECK_INT(step_unit(t, false, PID + 1, A, 0x10, 0), 0);
	CHECK_INT(leave_unit(t, A, 0x10, 0), 0);
	/* Probes of functions fire once for each call. */
	CHECK_INT(enter_frame(t, A, 0x10), 0);
	CHECK_INT(enter_frame(t, A, 0x10), 1);
	CHECK_INT(enter(t, PID + 2, A, 1000), 0);
	CHECK_INT(enter(t, PID + 2, A, 1000), 1);
	tree_free(t);
}

/* After a loss, a frame that begins again has ended unseen. */
static void check_begun_after_loss(void)
{
	struct tree *t = tree_new();

	CHECK_INT(enter_unit(t, A, 0x10), 0);
	CHECK_INT(enter_unit(t, B, 0x20), 1);
	tree_lost(t);
	CHECK_INT(enter_unit(t, C, 0x20), 1);
	CHECK_INT(enter_unit(t, C, 0x20), 1);
	CHECK_INT(leave_unit(t, C, 0x20, 0), 1);
	CHECK_INT(leave_unit(t, A, 0x10, 0), 0);
	CHECK_INT(tree_orphans(t), 0);
	tree_free(t);
}

/* An end without a beginning counts only if one should have been seen. */
static void check_orphans(void)
{
	struct tree *t = tree_new();

	CHECK_INT(tree_orphans(t), 0);
	/* Nothing is open: it began before the trace. */
	CHECK_INT(leave_unit(t, A, 0x10, 0), 0);
	CHECK_INT(tree_orphans(t), 0);
	enter_unit(t, A, 0x10);
	CHECK_INT(leave_unit(t, B, 0x20, 0), 1);
	CHECK_INT(tree_orphans(t), 1);
	CHECK_INT(leave_unit(t, A, 0x30, EVENT_RAISED), 1);
	CHECK_INT(tree_orphans(t), 2);
	/* Another thread has nothing open. */
	CHECK_INT(step_unit(t, true, PID + 1, B, 0x20, 0), 0);
	CHECK_INT(tree_orphans(t), 2);
	/* After a loss all is possible, until nothing is open. */
	tree_lost(t);
	CHECK_INT(leave_unit(t, B, 0x20, 0), 1);
	CHECK_INT(tree_orphans(t), 2);
	CHECK_INT(leave_unit(t, A, 0x10, 0), 0);
	enter_unit(t, A, 0x10);
	leave_unit(t, B, 0x20, 0);
	CHECK_INT(tree_orphans(t), 3);
	/* What is in order is none. */
	leave_unit(t, A, 0x10, 0);
	enter_unit(t, A, 0x10);
	enter_unit(t, B, 0x20);
	leave_unit(t, A, 0x10, 0);
	CHECK_INT(tree_orphans(t), 3);
	tree_free(t);
}

/* With nothing open calls end that began before the trace, but each only once. Probes of
 * functions have lost too much in some versions to say anything. */
static void check_orphans_below(void)
{
	struct tree *t = tree_new();

	CHECK_INT(leave_unit(t, A, 0x30, 0), 0);
	CHECK_INT(leave_unit(t, B, 0x20, 0), 0);
	CHECK_INT(leave_unit(t, A, 0x10, EVENT_RAISED), 0);
	CHECK_INT(tree_orphans(t), 0);
	CHECK_INT(leave_unit(t, A, 0x10, 0), 0);
	CHECK_INT(tree_orphans(t), 1);
	CHECK_INT(step_unit(t, true, PID + 1, A, 0x10, 0), 0);
	CHECK_INT(tree_orphans(t), 1);
	for (int i = 0; i < 3; i++)
		CHECK_INT(leave_frame(t, A, 0x40), 0);
	enter_frame(t, A, 0x50);
	leave_frame(t, B, 0x60);
	CHECK_INT(tree_orphans(t), 1);
	tree_free(t);
}

/* With units, lines are not remembered: they need no help. */
static void check_no_lines(void)
{
	struct tree *t = tree_new();
	struct event e = make(EVENT_LEAVE, PID, 0x50);

	e.flags = EVENT_FRAME | EVENT_UNIT;
	e.line = 77;
	tree_leave(t, &e, A);
	CHECK_INT(thrown_line(t, PID, 0x50, 3), 3);
	tree_free(t);
}

/* ---- random calls, next to a plain model ---- */

struct model {
	uint32_t tid;
	size_t depth;
	const struct name *calls[DEEP];
};

static void begin_models(struct model *models)
{
	for (uint32_t i = 0; i < THREADS; i++)
		models[i] = (struct model){ .tid = PID + i % 3 + i / 3 * 1024 };
}

/* One step of one thread. Returns whether the tree agrees; it is not asked if `seen` is
 * not. */
static bool step(struct tree *t, struct model *m, bool up, uint8_t flags, bool seen)
{
	struct event e = make(up ? EVENT_LEAVE : EVENT_ENTER, m->tid, 0);
	const struct name *name;

	if (!up)
		m->calls[m->depth++] = &names[check_below(NAMES)];
	name = m->calls[m->depth - 1];
	e.flags = flags;
	e.frame = flags ? 0x7000 + m->depth * 64 : 100000 - m->depth * 100;
	if (up)
		m->depth--;
	if (!seen)
		return true;
	return (up ? tree_leave(t, &e, name) : tree_enter(t, &e, name)) == m->depth - !up;
}

static bool goes_up(const struct model *m)
{
	return m->depth == DEEP || (m->depth && check_below(2));
}

static void check_random(uint8_t flags)
{
	struct model models[THREADS];
	struct tree *t = tree_new();
	int wrong = 0;

	begin_models(models);
	for (int i = 0; i < STEPS; i++) {
		struct model *m = &models[check_below(THREADS)];

		wrong += !step(t, m, goes_up(m), flags, true);
	}
	CHECK_INT(wrong, 0);
	tree_free(t);
}

/* Lose some events; once each thread has unwound what it had open, all is right again. */
static void check_random_losses(uint8_t flags)
{
	struct model models[THREADS];
	struct tree *t = tree_new();
	int wrong = 0;

	begin_models(models);
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < 1000; i++) {
			struct model *m = &models[check_below(THREADS)];

			wrong += !step(t, m, goes_up(m), flags, true);
		}
		for (int i = 0; i < 300; i++) {
			struct model *m = &models[check_below(THREADS)];

			step(t, m, goes_up(m), flags, false);
		}
		tree_lost(t);
		for (int i = 0; i < THREADS; i++)
			while (models[i].depth)
				step(t, &models[i], true, flags, true);
	}
	CHECK_INT(wrong, 0);
	tree_free(t);
}

int main(void)
{
	check_nesting();
	check_recursion();
	check_mismatches();
	check_threads();
	check_frames();
	check_lines();
	check_no_frame();
	check_fork();
	check_exec_and_exit();
	check_loss_by_stack();
	check_loss_by_frame();
	check_loss_and_fork();
	check_random(0);
	check_random(EVENT_FRAME);
	check_random(EVENT_FRAME | EVENT_UNIT);
	check_random_losses(0);
	check_random_losses(EVENT_FRAME);
	check_random_losses(EVENT_FRAME | EVENT_UNIT);
	check_if_open();
	check_begun();
	check_begun_after_loss();
	check_orphans();
	check_orphans_below();
	check_no_lines();
	check_number_reused();
	check_number_reused_after_loss();
	return check_done();
}

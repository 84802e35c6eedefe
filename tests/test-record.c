// SPDX-License-Identifier: GPL-2.0-or-later
/* The flight recorder: what it tells is a whole trace, and the end of the one it was
 * told. */
#include <config.h>

#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "xalloc.h"

enum { THREADS = 5, DEEP = 30, STEPS = 3000, ROUNDS = 60, NOTES = 1024 };

struct told {
	struct print_event *list;
	size_t count, begins, ends, notes, lost;
	char task[64];
};

static struct name names[3] = {
	{ .file = "a.py", .func = "a", .size = 5 },
	{ .file = "b.py", .func = "b", .size = 5 },
	{ .file = "c.py", .func = "c", .size = 5 },
};

static void on_begin(struct printer *p, const struct print_begin *b)
{
	struct told *t = p->state;

	t->begins++;
	CHECK_INT(b->count, 1);
	CHECK_INT(b->pids[0], 77);
}

static void on_event(struct printer *p, const struct print_event *e)
{
	struct told *t = p->state;

	CHECK(t->begins == 1 && !t->ends);
	t->list = xgrow(t->list, t->count, sizeof(*t->list));
	t->list[t->count++] = *e;
	if (e->task_name)
		snprintf(t->task, sizeof(t->task), "%s", e->task_name);
}

static void on_note(struct printer *p, const struct print_note *n)
{
	((struct told *)p->state)->notes++;
	CHECK_STR(n->comm, "comm");
}

static void on_lost(struct printer *p, const struct print_lost *l)
{
	((struct told *)p->state)->lost += l->count;
}

static void on_end(struct printer *p, const struct print_totals *totals)
{
	struct told *t = p->state;
	uint64_t events = 0;

	t->ends++;
	for (size_t i = 0; i < t->count; i++)
		events += t->list[i].kind == PRINT_ENTER ||
			  t->list[i].exit != PRINT_UNSEEN;
	CHECK_INT(totals->events, events);
	CHECK_INT(totals->unread, 42);
}

static const struct print_ops ops = {
	.begin = on_begin,
	.event = on_event,
	.note = on_note,
	.lost = on_lost,
	.end = on_end,
};

static struct told replay(struct record *r, uint64_t at)
{
	struct told t = { 0 };
	struct printer to = { .ops = &ops, .state = &t };
	struct print_totals totals = { .unread = 42, .at = at };

	record_replay(r, &to, &totals);
	CHECK(t.begins == 1 && t.ends == 1);
	return t;
}

/* ---- random events ---- */

struct source {
	struct printer *to;
	struct print_event open[THREADS][DEEP];
	unsigned int depth[THREADS];
	uint64_t at;
	struct print_event given[STEPS];
	size_t count;
};

static void give(struct source *s, struct print_event e)
{
	s->given[s->count++] = e;
	s->to->ops->event(s->to, &e);
}

static void step(struct source *s)
{
	unsigned int thread = check_below(THREADS), what = check_below(20);
	struct print_event e = {
		.tid = 100 + thread,
		.pid = 77,
		.at = s->at += 1 + check_below(9),
		.name = &names[check_below(3)],
		.depth = s->depth[thread],
	};

	if (what < 2) { /* ends without a beginning */
		e.kind = PRINT_LEAVE;
		e.is_timed = e.is_inherited = what;
	} else if (s->depth[thread] && (s->depth[thread] == DEEP || what < 11)) {
		e = s->open[thread][--s->depth[thread]];
		e.kind = PRINT_LEAVE;
		e.exit = what == 10 ? PRINT_UNSEEN : PRINT_RAISED;
		e.is_timed = true;
		e.elapsed = s->at - e.at;
		e.at = s->at;
	} else {
		s->open[thread][s->depth[thread]++] = e;
	}
	give(s, e);
}

/* ---- checks ---- */

/* Of each thread every end is that of the innermost call, and nothing stays open. */
static void check_nesting(const struct told *t)
{
	const struct print_event *open[THREADS][DEEP + 1];
	unsigned int depth[THREADS] = { 0 };

	for (size_t i = 0; i < t->count; i++) {
		const struct print_event *e = &t->list[i];
		unsigned int n = e->tid - 100;

		if (e->kind == PRINT_ENTER) {
			open[n][depth[n]++] = e;
			continue;
		}
		if (!e->is_timed || e->is_inherited)
			continue;
		CHECK(depth[n] > 0);
		if (!depth[n])
			return;
		CHECK(open[n][--depth[n]]->name == e->name);
		CHECK_INT(open[n][depth[n]]->depth, e->depth);
		CHECK_INT(open[n][depth[n]]->at + e->elapsed, e->at);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		CHECK_INT(depth[i], 0);
}

static bool same(const struct print_event *a, const struct print_event *b)
{
	return a->at == b->at && a->tid == b->tid && a->kind == b->kind &&
	       a->exit == b->exit;
}

static bool is_unseen(const struct print_event *e)
{
	return e->kind == PRINT_LEAVE && e->exit == PRINT_UNSEEN;
}

/* The last events of each thread are there, in their order. */
static void check_last(const struct told *t, const struct source *s, uint64_t wanted)
{
	for (unsigned int thread = 0; thread < THREADS; thread++) {
		size_t i = t->count, kept = 0;

		for (size_t j = s->count; j-- && kept < wanted;) {
			if (s->given[j].tid != 100 + thread)
				continue;
			while (i && !same(&t->list[i - 1], &s->given[j]))
				i--;
			CHECK(i);
			kept += !is_unseen(&s->given[j]);
		}
	}
}

/* Before them there are only the beginnings of the calls around them. */
static void check_no_more(const struct told *t, uint64_t wanted)
{
	size_t counts[THREADS] = { 0 };

	for (size_t i = 0; i < t->count; i++)
		counts[t->list[i].tid - 100] += !is_unseen(&t->list[i]);
	for (unsigned int i = 0; i < THREADS; i++)
		CHECK(counts[i] <= wanted + DEEP);
}

/* Until there is nothing left to forget; the last event of all is the last to go. */
static void check_halving(struct record *r, const struct source *s)
{
	size_t before = SIZE_MAX, rounds = 0;

	while (record_halve(r) && rounds++ < 64) {
		struct told t = replay(r, s->at);

		check_nesting(&t);
		CHECK(t.count <= before);
		before = t.count;
		free(t.list);
	}
	CHECK(rounds < 64);
}

static void begin(struct record *r)
{
	struct print_begin b = { .pids = &(pid_t){ 77 }, .count = 1 };

	record_printer(r)->ops->begin(record_printer(r), &b);
}

static void keep_events(uint64_t events)
{
	struct record *r = record_new(events, 0);
	struct source *s = xcalloc(1, sizeof(*s));
	struct told t;

	s->to = record_printer(r);
	begin(r);
	for (size_t i = 0; i < STEPS; i++) {
		step(s);
		if (check_below(500))
			continue;
		t = replay(r, s->at);
		check_nesting(&t);
		free(t.list);
	}
	t = replay(r, s->at);
	check_nesting(&t);
	check_last(&t, s, events);
	check_no_more(&t, events);
	free(t.list);
	check_halving(r, s);
	record_free(r);
	free(s);
}

/* A line has 48 bytes, two for each level, and the names. */
static void keep_size(uint64_t size)
{
	struct record *r = record_new(0, size);
	struct source *s = xcalloc(1, sizeof(*s));
	size_t i, sum = 0;
	struct told t;

	s->to = record_printer(r);
	begin(r);
	for (i = 0; i < STEPS; i++)
		step(s);
	t = replay(r, s->at);
	check_nesting(&t);
	for (i = s->count; i; i--) {
		size_t line = 48 + 2 * s->given[i - 1].depth + 5;

		if (sum + line > size && sum)
			break;
		sum += line;
		CHECK(t.count > 0);
	}
	/* All from there on, and nothing of what came before but what is still open. */
	for (size_t j = i, k = 0; j < s->count; j++) {
		while (k < t.count && !same(&t.list[k], &s->given[j]))
			k++;
		CHECK(k < t.count);
	}
	for (size_t j = 0; j < t.count; j++)
		CHECK(t.list[j].kind == PRINT_ENTER ||
		      t.list[j].at >= (i < s->count ? s->given[i].at : 0));
	free(t.list);
	check_halving(r, s);
	record_free(r);
	free(s);
}

static void keep_others(void)
{
	struct record *r = record_new(3, 0);
	struct print_note n = {
		.kind = PRINT_EXEC, .comm = "comm", .args = "a\0b", .args_size = 4
	};
	struct print_event e = { .tid = 100, .pid = 77, .name = &names[0] };
	struct print_lost l = { .count = 5 };
	struct told t;

	begin(r);
	for (size_t i = 0; i < 3 * NOTES; i++)
		record_printer(r)->ops->note(record_printer(r), &n);
	record_printer(r)->ops->lost(record_printer(r), &l);
	e.task_name = "a task";
	record_printer(r)->ops->event(record_printer(r), &e);
	t = replay(r, 9);
	CHECK_INT(t.notes, NOTES - 1);
	CHECK_INT(t.lost, 5);
	CHECK_INT(t.count, 2);
	CHECK_STR(t.task, "a task");
	CHECK(is_unseen(&t.list[1]));
	CHECK_INT(t.list[1].elapsed, 9);
	free(t.list);
	record_free(r);
}

/* Threads that have ended do not stay for ever. */
static void keep_threads(void)
{
	struct record *r = record_new(100, 0);
	struct printer *p = record_printer(r);
	struct told t;

	begin(r);
	for (uint32_t i = 0; i < 2000000; i++) {
		struct print_event e = { .tid = 1 + i / 2, .pid = 77, .at = i };

		e.kind = i % 2 ? PRINT_LEAVE : PRINT_ENTER;
		e.is_timed = i % 2;
		p->ops->event(p, &e);
	}
	t = replay(r, 2000000);
	CHECK(t.count >= 1 << 19);
	CHECK(t.count <= 1 << 20);
	CHECK_INT(t.list[t.count - 1].at, 1999999);
	free(t.list);
	record_free(r);
}

int main(void)
{
	for (unsigned int i = 0; i < check_rounds(ROUNDS); i++) {
		keep_events(1 + check_below(i % 2 ? 10 : 400));
		keep_size(1 + check_below(i % 2 ? 1000 : 100000));
	}
	keep_others();
	if (check_rounds(2) == 2)
		keep_threads();
	return check_done();
}

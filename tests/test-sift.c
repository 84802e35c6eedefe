// SPDX-License-Identifier: GPL-2.0-or-later
/* Which calls are shown: random sequences of events, under all combinations of rules,
 * against a plain implementation that looks at all of them when they are there. */
#include <config.h>

#include "sift.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "xalloc.h"

enum { THREADS = 6, NAMES = 8, OPS = 400, DEEP = 12, ROUNDS = 4000 };

enum op_kind { OP_ENTER, OP_LEAVE, OP_FORK, OP_EXEC, OP_EXIT, OP_LOST, OP_NOTE, OP_END };

/* A step of the input; threads 0 and 1 are of process 100, the others of their own. */
struct op {
	enum op_kind kind;
	unsigned int thread, child, name, depth;
	uint64_t at;
	enum print_exit exit;
};

/* A line of the output, in the order of its fields. */
struct line {
	char text[120];
};

struct lines {
	struct line *list;
	size_t count;
};

static struct name names[NAMES];

/* ---- the plain implementation ---- */

struct call {
	struct call *parent;
	unsigned int thread, name;
	uint64_t begin, end;
	bool is_inherited;
	unsigned int depth; /* as shown */
	bool is_shown;
	uint64_t self;
};

/* What a step does: ends of calls, one beginning, or an end without beginning. */
struct effect {
	enum op_kind kind;
	enum print_exit exit;
	struct call *call; /* NULL: an end without beginning, a loss or a note */
	const struct op *op;
	unsigned int depth; /* of an end without beginning */
	bool is_hidden;	    /* likewise */
};

struct plain {
	struct call *stacks[THREADS][DEEP + 1];
	unsigned int depths[THREADS];
	struct call *calls[OPS * DEEP];
	struct effect effects[OPS * DEEP];
	size_t call_count, effect_count;
};

static uint32_t pid_of(unsigned int thread)
{
	return thread < 2 ? 100 : 100 + thread;
}

static void add_effect(struct plain *p, struct effect e)
{
	p->effects[p->effect_count++] = e;
}

static struct call *new_call(struct plain *p, unsigned int thread, unsigned int name,
			     uint64_t begin)
{
	struct call *c = xcalloc(1, sizeof(*c));
	unsigned int depth = p->depths[thread]++;

	c->parent = depth ? p->stacks[thread][depth - 1] : NULL;
	c->thread = thread;
	c->name = name;
	c->begin = begin;
	p->stacks[thread][depth] = c;
	p->calls[p->call_count++] = c;
	return c;
}

static void end_call(struct plain *p, const struct op *op, unsigned int thread,
		     enum print_exit exit)
{
	struct call *c = p->stacks[thread][--p->depths[thread]];

	c->end = op->at;
	add_effect(p, (struct effect){ OP_LEAVE, exit, c, op, 0, false });
}

static void end_calls(struct plain *p, const struct op *op, unsigned int thread,
		      unsigned int depth)
{
	while (p->depths[thread] > depth)
		end_call(p, op, thread, PRINT_UNSEEN);
}

static bool counts(const struct sift_rules *rules, const struct call *c)
{
	bool in_region = !rules->has_starts;

	for (const struct call *up = c; up; up = up->parent)
		in_region |= names[up->name].is_start;
	return in_region && !names[c->name].is_hidden;
}

static void end_unknown(struct plain *p, const struct sift_rules *rules,
			const struct op *op)
{
	struct effect e = { OP_LEAVE, op->exit, NULL, op, 0, names[op->name].is_hidden };
	bool in_region = !rules->has_starts;

	for (unsigned int i = 0; i < p->depths[op->thread]; i++) {
		const struct call *c = p->stacks[op->thread][i];

		e.depth += counts(rules, c);
		in_region |= names[c->name].is_start;
	}
	e.is_hidden |= !in_region || op->at < rules->min_duration ||
		       (rules->max_depth && e.depth >= rules->max_depth);
	add_effect(p, e);
}

static void fork_calls(struct plain *p, const struct op *op)
{
	end_calls(p, op, op->child, 0);
	for (unsigned int i = 0; i < p->depths[op->thread]; i++)
		new_call(p, op->child, p->stacks[op->thread][i]->name, op->at)
			->is_inherited = true;
}

static void apply(struct plain *p, const struct sift_rules *rules, const struct op *op)
{
	bool ends = op->kind == OP_LEAVE && p->depths[op->thread] > op->depth;

	if (op->kind == OP_ENTER || op->kind == OP_LEAVE)
		end_calls(p, op, op->thread, op->depth + ends);
	if (op->kind == OP_ENTER)
		add_effect(p, (struct effect){ OP_ENTER, 0,
					       new_call(p, op->thread, op->name, op->at),
					       op, 0, false });
	else if (op->kind == OP_LEAVE && ends)
		end_call(p, op, op->thread, op->exit);
	else if (op->kind == OP_LEAVE)
		end_unknown(p, rules, op);
	else if (op->kind == OP_FORK)
		fork_calls(p, op);
	else if (op->kind == OP_EXIT)
		end_calls(p, op, op->thread, 0);
	else if (op->kind == OP_LOST || op->kind == OP_NOTE)
		add_effect(p, (struct effect){ op->kind, 0, NULL, op, 0, false });
	for (unsigned int i = 0; i < THREADS; i++)
		if (op->kind == OP_END ||
		    (op->kind == OP_EXEC && pid_of(i) == pid_of(op->thread)))
			end_calls(p, op, i, 0);
}

static uint64_t elapsed(const struct call *c)
{
	return c->end - c->begin;
}

static void judge(const struct sift_rules *rules, struct call *c)
{
	for (const struct call *up = c->parent; up; up = up->parent)
		c->depth += counts(rules, up) && elapsed(up) >= rules->min_duration;
	c->is_shown = counts(rules, c) && elapsed(c) >= rules->min_duration &&
		      (!rules->max_depth || c->depth < rules->max_depth);
	c->self = elapsed(c);
}

static void take_from_parent(const struct call *c)
{
	struct call *up = c->parent;

	while (up && !up->is_shown)
		up = up->parent;
	if (up && c->is_shown)
		up->self -= elapsed(c);
}

static void add_line(struct lines *l, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add_line(struct lines *l, const char *format, ...)
{
	va_list args;

	l->list = xgrow(l->list, l->count, sizeof(*l->list));
	va_start(args, format);
	vsnprintf(l->list[l->count++].text, sizeof(l->list->text), format, args);
	va_end(args);
}

static void describe(struct lines *l, const struct print_event *e)
{
	bool is_end = e->kind == PRINT_LEAVE;

	add_line(l, "%s %d pid=%u tid=%u name=%u depth=%u at=%u timed=%d/%d %u-%u",
		 is_end ? "<=" : "=>", is_end ? (int)e->exit : 0, e->pid, e->tid,
		 (unsigned int)(e->name - names), e->depth, (unsigned int)e->at,
		 e->is_timed, e->is_inherited, (unsigned int)e->elapsed,
		 (unsigned int)e->self);
}

static void describe_effect(struct lines *l, const struct effect *e)
{
	struct print_event p = { .exit = e->exit, .at = e->op->at };

	p.kind = e->kind == OP_ENTER ? PRINT_ENTER : PRINT_LEAVE;
	if (e->kind == OP_LOST || e->kind == OP_NOTE) {
		add_line(l, "%d at=%u", (int)e->kind, (unsigned int)e->op->at);
		return;
	}
	if (e->call ? !e->call->is_shown || (e->kind == OP_ENTER && e->call->is_inherited)
		    : e->is_hidden)
		return;
	p.tid = 100 + (e->call ? e->call->thread : e->op->thread);
	p.pid = pid_of(p.tid - 100);
	p.name = &names[e->call ? e->call->name : e->op->name];
	p.depth = e->call ? e->call->depth : e->depth;
	if (e->call && e->kind == OP_LEAVE) {
		p.is_timed = true;
		p.is_inherited = e->call->is_inherited;
		p.elapsed = elapsed(e->call);
		p.self = e->call->self;
	}
	describe(l, &p);
}

static void run_plain(const struct sift_rules *rules, const struct op *ops,
		      struct lines *lines)
{
	struct plain *p = xcalloc(1, sizeof(*p));

	for (size_t i = 0; i < OPS; i++)
		apply(p, rules, &ops[i]);
	for (size_t i = 0; i < p->call_count; i++)
		judge(rules, p->calls[i]);
	for (size_t i = 0; i < p->call_count; i++)
		take_from_parent(p->calls[i]);
	for (size_t i = 0; i < p->effect_count; i++)
		describe_effect(lines, &p->effects[i]);
	for (size_t i = 0; i < p->call_count; i++)
		free(p->calls[i]);
	free(p);
}

/* ---- the one that is tested ---- */

static void on_event(struct printer *p, const struct print_event *e)
{
	describe(p->state, e);
}

static void on_note(struct printer *p, const struct print_note *n)
{
	add_line(p->state, "%d at=%u", (int)OP_NOTE, (unsigned int)n->at);
	CHECK(n->comm && !strcmp(n->comm, "comm"));
	CHECK(n->args_size == 4 && !memcmp(n->args, "a\0b", 4));
}

static void on_lost(struct printer *p, const struct print_lost *l)
{
	add_line(p->state, "%d at=%u", (int)OP_LOST, (unsigned int)l->at);
	CHECK_INT(l->count, 7);
}

static const struct print_ops ops_of_lines = {
	.event = on_event,
	.note = on_note,
	.lost = on_lost,
};

/* The name is what sift_event() must not ask for when a call ends that was seen. */
static void give(struct sift *s, const struct op *op)
{
	struct print_event e = {
		.kind = op->kind == OP_ENTER ? PRINT_ENTER : PRINT_LEAVE,
		.exit = op->exit,
		.depth = op->depth,
		.tid = 100 + op->thread,
		.pid = pid_of(op->thread),
		.at = op->at,
		.name = &names[op->name],
	};
	struct print_note n = { .comm = "comm", .args = "a\0b", .args_size = 4 };
	struct print_lost l = { .count = 7, .at = op->at };

	n.at = op->at;
	if (op->kind == OP_ENTER || op->kind == OP_LEAVE)
		sift_event(s, &e);
	else if (op->kind == OP_FORK)
		sift_fork(s, e.tid, 100 + op->child, op->at);
	else if (op->kind == OP_EXEC)
		sift_exec(s, e.pid, op->at);
	else if (op->kind == OP_EXIT)
		sift_exit(s, e.tid, op->at);
	else if (op->kind == OP_LOST)
		sift_lost(s, &l);
	else if (op->kind == OP_NOTE)
		sift_note(s, &n);
	else
		sift_end(s, op->at);
}

static void run_sift(const struct sift_rules *rules, const struct op *ops,
		     struct lines *lines)
{
	struct printer out = { .ops = &ops_of_lines, .state = lines };
	struct sift *s = sift_new(rules, &out);

	for (size_t i = 0; i < OPS; i++) {
		give(s, &ops[i]);
		if (!check_below(5))
			sift_advance(s, ops[i].at);
		if (sift_next(s) != UINT64_MAX && i + 1 < OPS && !check_below(2) &&
		    sift_next(s) < ops[i + 1].at)
			sift_advance(s, sift_next(s));
	}
	CHECK(sift_next(s) == UINT64_MAX);
	sift_free(s);
}

/* ---- input ---- */

struct shape {
	unsigned int depths[THREADS];
	uint64_t at;
	unsigned int step; /* the most time between two of them, exclusive */
};

static void make_event(struct op *op, struct shape *s)
{
	unsigned int *depth = &s->depths[op->thread];

	op->kind = *depth < DEEP && check_below(2) ? OP_ENTER : OP_LEAVE;
	/* Some have ended unseen; some ends are of none. */
	if (*depth && !check_below(15))
		*depth = check_below(*depth);
	if (op->kind == OP_LEAVE && *depth && check_below(20))
		--*depth;
	op->depth = *depth;
	if (op->kind == OP_ENTER)
		++*depth;
}

static void make_op(struct op *op, struct shape *s)
{
	unsigned int what = check_below(60);

	s->at += check_below(s->step);
	*op = (struct op){
		.thread = check_below(THREADS),
		.name = check_below(NAMES),
		.at = s->at,
		.exit = check_below(PRINT_UNSEEN),
	};
	if (what > 4) {
		make_event(op, s);
		return;
	}
	op->kind = OP_FORK + what;
	op->child = 2 + check_below(THREADS - 2);
	if (op->kind == OP_FORK && op->child != op->thread)
		s->depths[op->child] = s->depths[op->thread];
	for (unsigned int i = 0; i < THREADS; i++)
		if ((op->kind == OP_EXIT && i == op->thread) ||
		    (op->kind == OP_EXEC && pid_of(i) == pid_of(op->thread)))
			s->depths[i] = 0;
}

static void make_ops(struct op *ops)
{
	struct shape s = { .step = 1 + check_below(4) * check_below(10) };

	for (size_t i = 0; i < OPS; i++) {
		make_op(&ops[i], &s);
		if (ops[i].kind == OP_FORK && ops[i].child == ops[i].thread)
			ops[i].kind = OP_NOTE;
	}
	ops[OPS - 1] = (struct op){ .kind = OP_END, .at = s.at };
}

static void make_names(void)
{
	for (size_t i = 0; i < NAMES; i++) {
		names[i].is_hidden = !check_below(4);
		names[i].is_start = !check_below(4);
	}
}

static bool same(const struct lines *got, const struct lines *wanted)
{
	for (size_t i = 0; i < got->count && i < wanted->count; i++) {
		if (!strcmp(got->list[i].text, wanted->list[i].text))
			continue;
		printf("# line %zu: %s\n# not:      %s\n", i, got->list[i].text,
		       wanted->list[i].text);
		return false;
	}
	return got->count == wanted->count;
}

static void on_pid(struct printer *p, const struct print_event *e)
{
	add_line(p->state, "%s %u", e->kind == PRINT_ENTER ? "enter" : "leave", e->pid);
}

static const struct print_ops ops_pids = { .name = "pids", .event = on_pid };

static void compare(unsigned int round)
{
	struct sift_rules rules = {
		.has_starts = round & 1,
		.max_depth = round & 2 ? 1 + check_below(5) : 0,
		.min_duration = round & 4 ? 1 + check_below(60) : 0,
	};
	struct lines got = { 0 }, wanted = { 0 };
	struct op ops[OPS];

	make_names();
	make_ops(ops);
	run_sift(&rules, ops, &got);
	run_plain(&rules, ops, &wanted);
	CHECK(same(&got, &wanted));
	free(got.list);
	free(wanted.list);
}

/* A process whose end was lost, and a thread of another one that has its number: the
 * calls of each end as its own. */
static void check_number_reused(void)
{
	static struct print_options options;
	const struct sift_rules rules = { 0 };
	struct print_event e = { .name = &names[0], .tid = 100, .pid = 100 };
	struct lines got = { 0 };
	struct printer p = { .ops = &ops_pids, .options = &options, .state = &got };
	struct sift *s = sift_new(&rules, &p);

	names[0].is_hidden = false;
	sift_event(s, &e);
	e.depth = 1;
	sift_event(s, &e);
	e.depth = 0;
	e.pid = 50;
	sift_event(s, &e);
	sift_exec(s, 100, 1);
	CHECK_INT(got.count, 5);
	sift_exec(s, 50, 2);
	CHECK_INT(got.count, 6);
	CHECK_STR(got.list[2].text, "leave 100");
	CHECK_STR(got.list[3].text, "leave 100");
	CHECK_STR(got.list[4].text, "enter 50");
	CHECK_STR(got.list[5].text, "leave 50");
	sift_free(s);
	free(got.list);
}

int main(void)
{
	check_number_reused();
	for (unsigned int round = 0; round < check_rounds(ROUNDS); round++)
		compare(round);
	return check_done();
}

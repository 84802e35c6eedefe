// SPDX-License-Identifier: GPL-2.0-or-later
/* Events written by hand -> tree -> printer -> what the user shall see,
 * print.expected. */
#include <config.h>

#include "print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../bpf/event.h"
#include "check.h"
#include "tree.h"
#include "xalloc.h"

enum { PID = 847740, DEEP = 70 };

enum id {
	UNKNOWN,
	F1,
	F2,
	F3,
	RUN,
	GEN,
	MODULE,
	EVIL,
	EVIL_FILE,
	CWD,
	NEAR_CWD,
	TWO_SLASHES,
	ROOT,
	EMPTY,
	METHOD,
	LAMBDA,
	EVIL_QUALNAME,
	IDS
};

static const struct {
	const char *file, *func, *qualname;
} names[IDS] = {
	[F1] = { "/w/tests/script.py", "function_1", NULL },
	[F2] = { "/w/tests/script.py", "function_2", NULL },
	[F3] = { "tests/script.py", "function_3", NULL },
	[RUN] = { "/usr/lib/python3.9/threading.py", "run", NULL },
	[GEN] = { "/w/gen.py", "gr\xc3\xbc\xc3\x9f", NULL },
	[MODULE] = { "<string>", "<module>", NULL },
	[EVIL] = { "/w/a.py", "x\033[31m\n=>  \xe2\x80\xae\\\xff:y", NULL },
	[EVIL_FILE] = { "/w/\r/\\n.py", "f", NULL },
	[CWD] = { "/w", "f", NULL },
	[NEAR_CWD] = { "/work/a.py", "f", NULL },
	[TWO_SLASHES] = { "/w//a.py", "f", NULL },
	[ROOT] = { "/a.py", "f", NULL },
	[EMPTY] = { "", "", NULL },
	[METHOD] = { "/w/c.py", "m", "C.m" },
	[LAMBDA] = { "/w/c.py", "<lambda>", "f.<locals>.<lambda>" },
	[EVIL_QUALNAME] = { "/w/c.py", "e", "C\n.e\x1b" },
};

struct run {
	struct names *names;
	struct tree *tree;
	struct print_options options;
	struct printer printer;
	struct event e; /* the next one, but for what differs */
};

static enum print_exit exit_of(uint8_t flags)
{
	return flags & EVENT_RAISED    ? PRINT_RAISED
	       : flags & EVENT_YIELDED ? PRINT_YIELDED
				       : PRINT_RETURNED;
}

/* What trace.c does with a call or return, without filters. */
static void show(struct run *r, uint8_t kind, enum id id, uint32_t line)
{
	struct name *name = names_find(r->names, id);
	struct print_event p = {
		.kind = kind == EVENT_ENTER ? PRINT_ENTER : PRINT_LEAVE,
		.time = r->e.time,
		.pid = r->e.pid,
		.tid = r->e.tid,
		.cpu = r->e.cpu,
		.exit = exit_of(r->e.flags),
		.name = name,
	};

	r->e.kind = kind;
	r->e.line = line;
	p.line = tree_line(r->tree, &r->e);
	p.depth = kind == EVENT_ENTER ? tree_enter(r->tree, &r->e, name)
				      : tree_leave(r->tree, &r->e, name);
	r->printer.ops->event(&r->printer, &p);
	r->e.time += 100123456;
}

static void enter(struct run *r, enum id id, uint32_t line)
{
	show(r, EVENT_ENTER, id, line);
}

static void leave(struct run *r, enum id id, uint32_t line)
{
	show(r, EVENT_LEAVE, id, line);
}

static void lose(struct run *r, uint64_t count)
{
	tree_lost(r->tree);
	r->printer.ops->lost(&r->printer, &(struct print_lost){ .count = count });
}

static void print_calls(struct run *r)
{
	/* nesting and recursion */
	enter(r, MODULE, 1);
	enter(r, F3, 6);
	enter(r, F1, 4);
	leave(r, F1, 4);
	enter(r, F2, 10);
	enter(r, F2, 10);
	leave(r, F2, 11);
	leave(r, F2, 12);
	leave(r, F3, 7);
	/* a generator is left and goes on */
	for (uint32_t line = 21; line < 24; line++) {
		enter(r, GEN, line);
		leave(r, GEN, line + 1);
	}
	leave(r, MODULE, 2);
	/* a return whose call was before the trace, and what comes then */
	leave(r, F1, 5);
	enter(r, F1, 4);
	leave(r, F1, 5);
}

static void print_threads(struct run *r)
{
	r->e.cpu = 3;
	enter(r, F1, 4);
	r->e.tid = PID + 1;
	r->e.cpu = 1023;
	enter(r, RUN, 870);
	enter(r, F2, 10);
	r->e.tid = PID;
	enter(r, F2, 10);
	r->e.tid = PID + 1;
	leave(r, F2, 12);
	r->e.tid = PID;
	leave(r, F2, 12);
	r->e.tid = PID + 1;
	leave(r, RUN, 871);
	r->e.tid = PID;
	leave(r, F1, 5);
	/* the shortest and the longest numbers */
	r->e.cpu = 0;
	r->e.pid = 1;
	r->e.tid = 2;
	enter(r, F1, 0);
	r->e.cpu = UINT16_MAX;
	r->e.pid = r->e.tid = UINT32_MAX;
	enter(r, F1, INT32_MAX);
	r->e.pid = r->e.tid = PID;
	r->e.cpu = 11;
}

static void print_loss(struct run *r)
{
	r->e.frame = 1000;
	enter(r, F1, 4);
	r->e.frame = 900;
	enter(r, F2, 10);
	r->e.frame = 800;
	enter(r, F3, 6);
	lose(r, 1);
	r->e.frame = 900;
	enter(r, F3, 6);
	leave(r, F3, 7);
	lose(r, UINT64_MAX);
	r->e.frame = 1000;
	leave(r, F1, 5);
	r->e.frame = 0;
}

static void print_names(struct run *r)
{
	for (enum id id = UNKNOWN; id < METHOD; id++)
		enter(r, id, -1);
	for (enum id id = METHOD; id-- > UNKNOWN;)
		leave(r, id, id);
}

/* A generator entered by throw() goes on where it was left. */
static void print_throw(struct run *r)
{
	r->e.flags = EVENT_FRAME;
	r->e.frame = 0x7000;
	enter(r, GEN, 20);
	leave(r, GEN, 22);
	r->e.flags |= EVENT_THROWN;
	enter(r, GEN, 20);
	r->e.flags = EVENT_FRAME;
	leave(r, GEN, 24);
	r->e.flags = 0;
	r->e.frame = 0;
}

static void print_deep(struct run *r)
{
	for (uint32_t i = 0; i < DEEP; i++)
		enter(r, i % 2 ? F1 : F2, i);
	leave(r, F1, DEEP);
	for (uint32_t i = 1; i < DEEP; i++)
		leave(r, i % 2 ? F2 : F1, i);
}

/* The last microsecond of a day and the first of the next; what is less is cut off. */
static void print_midnight(struct run *r)
{
	r->e.time = 1700006399999999999ULL;
	enter(r, F1, 4);
	r->e.time = 1700006400000000000ULL;
	leave(r, F1, 5);
	r->e.time = 999;
	enter(r, F1, 4);
	leave(r, F1, 5);
}

/* How a call was left, where that is known. */
static void print_exits(struct run *r)
{
	static const uint8_t flags[] = { 0, EVENT_YIELDED, EVENT_RAISED };

	for (size_t i = 0; i < sizeof(flags); i++) {
		r->e.flags = 0;
		enter(r, GEN, 20);
		enter(r, UNKNOWN, 0);
		r->e.flags = flags[i];
		leave(r, UNKNOWN, -1);
		leave(r, GEN, 21);
	}
	/* one that was never seen to begin */
	leave(r, F1, INT32_MAX);
	r->e.flags = 0;
}

static void print_qualnames(struct run *r)
{
	enter(r, METHOD, 2);
	enter(r, LAMBDA, 3);
	enter(r, EVIL_QUALNAME, 4);
	/* unknown */
	enter(r, F1, 4);
	leave(r, F1, 5);
	leave(r, EVIL_QUALNAME, 5);
	leave(r, LAMBDA, 3);
	leave(r, METHOD, 5);
}

static void add_note(struct run *r, enum print_note_kind kind, const char *args,
		     size_t size, bool is_cut)
{
	struct print_note n = {
		.kind = kind,
		.time = r->e.time,
		.at = 2000000,
		.pid = PID,
		.tid = PID,
		.cpu = 3,
		.child = PID + 1,
		.comm = "co\nmm",
		.args = args,
		.args_size = size,
		.is_cut = is_cut,
	};

	r->printer.ops->note(&r->printer, &n);
}

static void print_notes(struct run *r)
{
	static const char args[] = "python3\0-c\0print('x y')\0\0\x1b[31m\0a\nb\0last";

	add_note(r, PRINT_RUNS, args, 8, false);
	add_note(r, PRINT_EXEC, args, sizeof(args), false);
	add_note(r, PRINT_EXEC, args, sizeof(args) - 3, true);
	add_note(r, PRINT_EXEC, NULL, 0, false);
	add_note(r, PRINT_FORK, NULL, 0, false);
}

static void add_name(struct names *n, enum id id)
{
	char *file = xstrdup(names[id].file), *func = xstrdup(names[id].func);
	char *qualname = names[id].qualname ? xstrdup(names[id].qualname) : NULL;
	struct name code = { .file = file, .func = func, .qualname = qualname };
	bool is_new;

	if (qualname)
		names_add_code(n, id, &code, &is_new);
	else
		names_add(n, id, file, func, &is_new);
	free(file);
	free(func);
	free(qualname);
}

static void begin_with(struct run *r, struct output *o,
		       const struct print_options *options, bool color)
{
	*r = (struct run){
		.names = names_new(),
		.tree = tree_new(),
		.options = *options,
		.printer = { .ops = print_formats[FORMAT_TEXT],
			     .output = o,
			     .options = &r->options,
			     .color = color },
		.e = { .pid = PID,
		       .tid = PID,
		       .cpu = 11,
		       .time = 1700000000676016123ULL },
	};
	for (enum id id = UNKNOWN + 1; id < IDS; id++)
		add_name(r->names, id);
	r->printer.ops->begin(&r->printer, &(struct print_begin){ .pids = &(pid_t){ PID },
								  .count = 1 });
}

static void begin(struct run *r, struct output *o, char *cwd)
{
	begin_with(r, o, &(struct print_options){ .cwd = cwd, .notes = true }, false);
}

static void end(struct run *r)
{
	r->printer.ops->free_state(&r->printer);
	names_free(r->names);
	tree_free(r->tree);
}

/* What the options of the format are tried with. */
static void print_event(struct run *r, const struct print_event *e)
{
	struct print_event p = *e;

	p.name = names_find(r->names, p.kind == PRINT_ENTER ? F1 : F2);
	p.pid = PID;
	p.tid = PID + 1;
	p.cpu = 7;
	p.line = 4;
	p.time = r->options.clock == PRINT_WALL ? r->e.time : 0;
	r->printer.ops->event(&r->printer, &p);
}

static const struct print_event options_events[] = {
	{ .kind = PRINT_ENTER, .at = 1999 },
	{ .kind = PRINT_ENTER, .at = 1000000, .depth = 1, .task_name = "Task-1" },
	{ .kind = PRINT_LEAVE,
	  .exit = PRINT_YIELDED,
	  .at = 2500000,
	  .depth = 1,
	  .is_timed = true,
	  .elapsed = 1500000,
	  .task_name = "Task-1" },
	/* a little older than the one before */
	{ .kind = PRINT_ENTER,
	  .at = 2499999,
	  .depth = 1,
	  .task_name = "twelve chars and more" },
	{ .kind = PRINT_LEAVE,
	  .exit = PRINT_RAISED,
	  .at = 61000000000,
	  .depth = 1,
	  .is_timed = true,
	  .elapsed = 60999999999,
	  .task_name = "\xc3\xbc\n\x1b\xff" },
	/* nothing is said of it */
	{ .kind = PRINT_LEAVE,
	  .exit = PRINT_UNSEEN,
	  .at = 61000000001,
	  .is_timed = true,
	  .elapsed = 1 },
	/* one that began before the trace */
	{ .kind = PRINT_LEAVE, .at = 3600000000000, .task_name = "" },
	{ .kind = PRINT_ENTER,
	  .at = 99999999999999999,
	  .depth = 1025,
	  .task_name = "\xf0\x9f\x90\x8d\xf0\x9f\x90\x8d\xf0\x9f\x90\x8d\xf0\x9f\x90"
		       "\x8d\xf0\x9f\x90\x8d\xf0\x9f\x90\x8d\xf0\x9f\x90\x8d\xf0\x9f"
		       "\x90\x8d\xf0\x9f\x90\x8d\xf0\x9f\x90\x8d\xf0\x9f\x90\x8d\xf0"
		       "\x9f\x90\x8d\xf0\x9f\x90\x8d" },
	{ .kind = PRINT_LEAVE,
	  .at = UINT64_MAX,
	  .depth = UINT32_MAX,
	  .is_timed = true,
	  .elapsed = UINT64_MAX,
	  .task_name = "a b\\" },
	{ .kind = PRINT_LEAVE, .at = 0, .depth = 1, .is_timed = true, .elapsed = 0 },
	{ .kind = PRINT_LEAVE, .at = 999, .is_timed = true, .elapsed = 999 },
};

static void print_options_events(struct run *r)
{
	size_t n = sizeof(options_events) / sizeof(options_events[0]);

	for (size_t i = 0; i < n; i++) {
		print_event(r, &options_events[i]);
		if (i == 1) {
			add_note(r, PRINT_FORK, NULL, 0, false);
			add_note(r, PRINT_THREAD, NULL, 0, false);
			r->printer.ops->lost(&r->printer,
					     &(struct print_lost){ .count = 3 });
		}
	}
}

static void print_parts(struct run *r)
{
	for (unsigned int part = 2; part--;) {
		r->printer.ops->begin(&r->printer, &(struct print_begin){ .part = part });
		print_event(r, &options_events[part]);
	}
}

static void print_with(struct output *o, enum print_time clock, unsigned int columns,
		       bool color)
{
	struct run r;

	begin_with(
		&r, o,
		&(struct print_options){
			.cwd = "/w", .notes = true, .clock = clock, .columns = columns },
		color);
	print_options_events(&r);
	/* goes on in another file, and begins anew */
	if (clock == PRINT_DELTA)
		print_parts(&r);
	end(&r);
}

static void print_with_options(struct output *o)
{
	unsigned int all = PRINT_TIME | PRINT_CPU | PRINT_PID | PRINT_TID | PRINT_TASK |
			   PRINT_DURATION;

	print_with(o, PRINT_WALL, all, false);
	print_with(o, PRINT_RELATIVE, 0, false);
	print_with(o, PRINT_DELTA, PRINT_TIME | PRINT_DURATION, false);
	for (unsigned int column = PRINT_TIME; column <= PRINT_NO_COLUMNS; column *= 2)
		print_with(o, PRINT_RELATIVE, column, false);
	print_with(o, PRINT_RELATIVE, PRINT_NO_COLUMNS, true);
	print_with(o, PRINT_WALL, PRINT_CPU | PRINT_TASK, true);
}

static void print_all(struct output *o)
{
	char cwd[] = "/w", root[] = "/";
	struct run r;

	begin(&r, o, cwd);
	print_calls(&r);
	print_threads(&r);
	print_loss(&r);
	print_names(&r);
	print_throw(&r);
	print_deep(&r);
	print_midnight(&r);
	end(&r);
	begin(&r, o, root);
	enter(&r, ROOT, 1);
	leave(&r, ROOT, 2);
	print_exits(&r);
	print_qualnames(&r);
	end(&r);
	begin(&r, o, cwd);
	r.options.qualname = true;
	print_qualnames(&r);
	print_notes(&r);
	r.printer.ops->begin(&r.printer,
			     &(struct print_begin){ .pids = (pid_t[]){ 1, 22, 333 },
						    .count = 3 });
	end(&r);
	print_with_options(o);
}

int main(void)
{
	const char *srcdir = getenv("srcdir");
	char *wanted = xasprintf("%s/tests/print.expected", srcdir ? srcdir : ".");
	char got[] = "/tmp/test-print.XXXXXX";
	struct output *o;
	int fd = mkstemp(got);

	setenv("TZ", "UTC", 1);
	tzset();
	CHECK(fd >= 0);
	CHECK_INT(output_open(got, COMPRESSION_NONE, &o), 0);
	print_all(o);
	output_flush(o);
	CHECK_INT(output_error(o), 0);
	output_close(o);
	check_file(got, wanted);
	/* PRINT_KEEP=1 leaves the file, to become the next print.expected when it has
	 * been read. */
	if (getenv("PRINT_KEEP"))
		printf("%s\n", got);
	else
		unlink(got);
	close(fd);
	free(wanted);
	return check_done();
}

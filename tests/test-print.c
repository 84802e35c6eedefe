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
	IDS
};

static const struct {
	const char *file, *func;
} names[IDS] = {
	[F1] = { "/w/tests/script.py", "function_1" },
	[F2] = { "/w/tests/script.py", "function_2" },
	[F3] = { "tests/script.py", "function_3" },
	[RUN] = { "/usr/lib/python3.9/threading.py", "run" },
	[GEN] = { "/w/gen.py", "gr\xc3\xbc\xc3\x9f" },
	[MODULE] = { "<string>", "<module>" },
	[EVIL] = { "/w/a.py", "x\033[31m\n=>  \xe2\x80\xae\\\xff:y" },
	[EVIL_FILE] = { "/w/\r/\\n.py", "f" },
	[CWD] = { "/w", "f" },
	[NEAR_CWD] = { "/work/a.py", "f" },
	[TWO_SLASHES] = { "/w//a.py", "f" },
	[ROOT] = { "/a.py", "f" },
	[EMPTY] = { "", "" },
};

struct run {
	struct names *names;
	struct tree *tree;
	struct printer printer;
	struct event e; /* the next one, but for what differs */
};

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
	r->printer.ops->lost(&r->printer, count);
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
	for (enum id id = UNKNOWN; id < IDS; id++)
		enter(r, id, -1);
	for (enum id id = IDS; id-- > UNKNOWN;)
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

static void begin(struct run *r, struct output *o, char *cwd)
{
	bool is_new;

	*r = (struct run){
		.names = names_new(),
		.tree = tree_new(),
		.printer = { .ops = &print_text, .output = o, .cwd = cwd },
		.e = { .pid = PID,
		       .tid = PID,
		       .cpu = 11,
		       .time = 1700000000676016123ULL },
	};
	for (enum id id = UNKNOWN + 1; id < IDS; id++)
		names_add(r->names, id, names[id].file, names[id].func, &is_new);
	r->printer.ops->begin(&r->printer, PID);
}

static void end(struct run *r)
{
	names_free(r->names);
	tree_free(r->tree);
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
	end(&r);
}

static char *next_line(FILE *f, char **line, size_t *room)
{
	return getline(line, room, f) < 0 ? NULL : *line;
}

/* Line by line, so that what differs is told. */
static void compare(const char *got_path, const char *wanted_path)
{
	FILE *got = fopen(got_path, "r"), *wanted = fopen(wanted_path, "r");
	char *got_line = NULL, *wanted_line = NULL;
	size_t got_room = 0, wanted_room = 0;

	CHECK(got);
	CHECK(wanted);
	while (got && wanted && next_line(wanted, &wanted_line, &wanted_room))
		CHECK_STR(next_line(got, &got_line, &got_room), wanted_line);
	CHECK(got && !next_line(got, &got_line, &got_room));
	free(got_line);
	free(wanted_line);
	if (got)
		fclose(got);
	if (wanted)
		fclose(wanted);
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
	CHECK_INT(output_open(got, &o), 0);
	print_all(o);
	output_flush(o);
	CHECK_INT(output_error(o), 0);
	output_close(o);
	compare(got, wanted);
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

// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls written by hand -> graph -> what the user shall see, print-graph.expected; and
 * from calls made by chance the graph must tell each of them. */
#include <config.h>

#include "print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "xalloc.h"

enum { PID = 4000, THREADS = 5, MAX_DEPTH = 12, STEPS = 20000, DEEP = 1024 };

enum id { UNKNOWN, MAIN, TOTAL, PARSE, GEN, EVIL, IDS };

static const struct {
	const char *file, *func;
} names[IDS] = {
	[MAIN] = { "/w/job.py", "<module>" },
	[TOTAL] = { "/w/job.py", "total" },
	[PARSE] = { "/w/job.py", "parse" },
	[GEN] = { "/usr/lib/python3.9/gen.py", "gr\xc3\xbc\xc3\x9f" },
	[EVIL] = { "/w/a.py", "x\033[31m */\n}\xe2\x80\xae\\\xff" },
};

struct run {
	struct names *names;
	struct print_options options;
	struct printer printer;
	struct print_event e; /* the next one, but for what differs */
};

static void begin(struct run *r, struct output *o, const struct print_options *options)
{
	bool is_new;

	*r = (struct run){
		.names = names_new(),
		.options = *options,
		.printer = { .ops = print_formats[FORMAT_GRAPH],
			     .output = o,
			     .options = &r->options },
		.e = { .pid = PID,
		       .tid = PID,
		       .cpu = 3,
		       .time = 1700000000676016123ULL,
		       .is_timed = true },
	};
	r->options.cwd = "/w";
	for (enum id id = UNKNOWN + 1; id < IDS; id++)
		names_add(r->names, id, names[id].file, names[id].func, &is_new);
}

static void begin_part(struct run *r, unsigned int part)
{
	const pid_t pids[] = { PID, PID + 9 };

	r->printer.ops->begin(&r->printer, &(struct print_begin){ .pids = pids,
								  .count = 2,
								  .part = part });
}

static void start(struct run *r, struct output *o, const struct print_options *options)
{
	begin(r, o, options);
	begin_part(r, 0);
}

static void end_part(struct run *r)
{
	r->printer.ops->end(&r->printer, &(struct print_totals){ .status = 0 });
}

static void end(struct run *r)
{
	end_part(r);
	r->printer.ops->free_state(&r->printer);
	names_free(r->names);
}

static void show(struct run *r, enum print_kind kind, enum print_exit exit, enum id id,
		 uint32_t line)
{
	r->e.kind = kind;
	r->e.exit = exit;
	r->e.name = names_find(r->names, id);
	r->e.line = line;
	r->printer.ops->event(&r->printer, &r->e);
	r->e.time += 1000;
	r->e.at += 1000;
}

static void enter(struct run *r, unsigned int depth, enum id id, uint32_t line)
{
	r->e.depth = depth;
	show(r, PRINT_ENTER, PRINT_RETURNED, id, line);
}

static void leave_by(struct run *r, enum print_exit exit, unsigned int depth, enum id id,
		     uint32_t line, uint64_t elapsed)
{
	r->e.depth = depth;
	r->e.elapsed = elapsed;
	show(r, PRINT_LEAVE, exit, id, line);
}

static void leave(struct run *r, unsigned int depth, enum id id, uint32_t line,
		  uint64_t elapsed)
{
	leave_by(r, PRINT_RETURNED, depth, id, line, elapsed);
}

static void lose(struct run *r, uint64_t count)
{
	r->printer.ops->lost(&r->printer, &(struct print_lost){ .count = count });
}

static void add_note(struct run *r, enum print_note_kind kind)
{
	const struct print_note n = {
		.kind = kind,
		.time = r->e.time,
		.at = r->e.at,
		.pid = r->e.pid,
		.tid = r->e.tid,
		.cpu = r->e.cpu,
		.child = PID + 1,
		.comm = "python3",
		.args = "python3\0job\033.py",
		.args_size = 15,
	};

	r->printer.ops->note(&r->printer, &n);
}

static void print_nesting(struct run *r)
{
	enter(r, 0, MAIN, 1);
	enter(r, 1, TOTAL, 9);
	enter(r, 2, PARSE, 6);
	leave(r, 2, PARSE, 7, 1234);
	enter(r, 2, PARSE, 6);
	enter(r, 3, PARSE, -1);
	leave(r, 3, PARSE, 7, 0);
	leave(r, 2, PARSE, -1, 9999);
	leave(r, 1, TOTAL, 12, 23456);
	enter(r, 1, EVIL, 4);
	leave(r, 1, EVIL, 5, 999);
	enter(r, 1, EVIL, 4);
	enter(r, 2, UNKNOWN, 0);
	leave(r, 2, UNKNOWN, 0, 1);
	leave(r, 1, EVIL, 5, 999);
	leave(r, 0, MAIN, 3, 99999);
}

/* At each limit, and just above it. */
static void print_durations(struct run *r)
{
	for (uint64_t elapsed = 10000; elapsed <= 1000000000; elapsed *= 10) {
		for (int more = 0; more < 2; more++) {
			enter(r, 0, TOTAL, 9);
			enter(r, 1, PARSE, 6);
			leave(r, 1, PARSE, 7, elapsed + more);
			leave(r, 0, TOTAL, 12, elapsed + more);
		}
	}
	enter(r, 0, PARSE, 6);
	leave(r, 0, PARSE, 7, UINT64_MAX);
}

static void print_exits(struct run *r)
{
	for (enum print_exit exit = PRINT_RETURNED; exit <= PRINT_UNSEEN; exit++) {
		enter(r, 0, GEN, 20);
		enter(r, 1, PARSE, 6);
		leave_by(r, exit, 1, PARSE, 7, 1000);
		leave_by(r, exit, 0, GEN, 21, 2000);
	}
	/* its time is not known either */
	enter(r, 0, GEN, 20);
	r->e.is_timed = false;
	leave_by(r, PRINT_UNSEEN, 0, GEN, 0, 0);
	r->e.is_timed = true;
}

/* What began before the trace: with nothing open, and inside of what is held. */
static void print_beginnings(struct run *r)
{
	r->e.is_timed = false;
	leave(r, 1, PARSE, 7, 0);
	leave_by(r, PRINT_RAISED, 0, TOTAL, 12, 0);
	r->e.is_timed = true;
	enter(r, 0, MAIN, 1);
	r->e.is_timed = false;
	leave(r, 1, PARSE, 7, 0);
	leave_by(r, PRINT_UNSEEN, 1, PARSE, 0, 0);
	r->e.is_timed = true;
	leave(r, 0, MAIN, 3, 3000);
}

/* Each thread has its own, whatever the others do meanwhile. */
static void print_threads(struct run *r)
{
	enter(r, 0, MAIN, 1);
	r->e.tid = PID + 1;
	r->e.cpu = 1023;
	enter(r, 0, TOTAL, 9);
	r->e.tid = PID;
	enter(r, 1, PARSE, 6);
	r->e.tid = PID + 1;
	enter(r, 1, PARSE, 6);
	leave(r, 1, PARSE, 7, 1000);
	r->e.tid = PID;
	r->e.cpu = 4;
	leave(r, 1, PARSE, 7, 3000);
	leave(r, 0, MAIN, 3, 6000);
	r->e.tid = PID + 1;
	leave(r, 0, TOTAL, 12, 7000);
	r->e.tid = PID;
	r->e.cpu = 3;
}

/* The child has open what was at the fork, so it has something below it. */
static void print_fork(struct run *r)
{
	enter(r, 0, MAIN, 1);
	enter(r, 1, TOTAL, 9);
	add_note(r, PRINT_FORK);
	leave(r, 1, TOTAL, 12, 3000);
	r->e.pid = r->e.tid = PID + 1;
	enter(r, 2, PARSE, 6);
	leave(r, 2, PARSE, 7, 500);
	r->e.is_inherited = true;
	leave(r, 1, TOTAL, 12, 1500);
	leave_by(r, PRINT_UNSEEN, 0, MAIN, 0, 2500);
	r->e.is_inherited = false;
	r->e.pid = r->e.tid = PID;
	leave(r, 0, MAIN, 3, 5000);
}

static void print_notes(struct run *r)
{
	add_note(r, PRINT_RUNS);
	add_note(r, PRINT_THREAD);
	enter(r, 0, MAIN, 1);
	add_note(r, PRINT_THREAD);
	leave(r, 0, MAIN, 3, 1000);
	enter(r, 0, MAIN, 1);
	add_note(r, PRINT_EXEC);
	leave_by(r, PRINT_UNSEEN, 0, MAIN, 0, 1000);
}

/* What is held comes in front of it, in the order in which it began. */
static void print_loss(struct run *r)
{
	for (uint32_t tid = PID + 2; tid-- > PID;) {
		r->e.tid = tid;
		enter(r, 0, TOTAL, 9);
		enter(r, 1, PARSE, 6);
	}
	lose(r, 1);
	for (uint32_t tid = PID + 2; tid-- > PID;) {
		r->e.tid = tid;
		leave(r, 1, PARSE, 7, 2000);
		leave_by(r, PRINT_UNSEEN, 0, TOTAL, 0, 4000);
	}
	lose(r, UINT64_MAX);
}

static void print_deep(struct run *r)
{
	for (unsigned int depth = DEEP; depth < DEEP + 3; depth++)
		enter(r, depth, PARSE, depth);
	for (unsigned int depth = DEEP + 3; depth-- > DEEP;)
		leave(r, depth, PARSE, depth, 100);
}

static void print_tasks(struct run *r)
{
	char task[] = "Task-1";

	r->e.task_name = task;
	enter(r, 0, MAIN, 1);
	memset(task, 'x', strlen(task));
	r->e.task_name = NULL;
	enter(r, 1, PARSE, 6);
	r->e.task_name = "a name that is longer than the column has room for, \xc3\xbc";
	enter(r, 2, PARSE, 6);
	r->e.task_name = NULL;
	leave(r, 2, PARSE, 7, 1000);
	leave(r, 1, PARSE, 7, 3000);
	leave(r, 0, MAIN, 3, 5000);
}

/* Files of an output end wherever they are full. */
static void print_parts(struct run *r)
{
	enter(r, 0, MAIN, 1);
	enter(r, 1, PARSE, 6);
	end_part(r);
	begin_part(r, 1);
	leave(r, 1, PARSE, 7, 1000);
	enter(r, 1, PARSE, 6);
	leave(r, 1, PARSE, 7, 1000);
	leave(r, 0, MAIN, 3, 5000);
	/* and a new one begins anew */
	enter(r, 0, MAIN, 1);
	enter(r, 1, PARSE, 6);
	begin_part(r, 0);
	leave(r, 1, PARSE, 7, 1000);
	leave(r, 0, MAIN, 3, 5000);
}

static void print_everything(struct run *r)
{
	print_nesting(r);
	print_exits(r);
	print_beginnings(r);
	print_threads(r);
	print_fork(r);
	print_notes(r);
	print_loss(r);
	print_tasks(r);
}

static void print_all(struct output *o)
{
	static const struct print_options options[] = {
		{ .notes = true },
		{ .columns = PRINT_DURATION },
		{ .clock = PRINT_RELATIVE,
		  .columns = PRINT_TIME | PRINT_TASK | PRINT_TID },
		{ .clock = PRINT_DELTA, .columns = PRINT_TIME | PRINT_TID },
		{ .notes = true, .columns = PRINT_NO_COLUMNS },
	};
	size_t n = sizeof(options) / sizeof(options[0]);
	struct run r;

	for (size_t i = 0; i < n; i++) {
		begin(&r, o, &options[i]);
		r.printer.color = i == n - 1;
		begin_part(&r, 0);
		print_everything(&r);
		end(&r);
	}
	start(&r, o, &(struct print_options){ .columns = PRINT_DURATION });
	print_durations(&r);
	print_parts(&r);
	end(&r);
	start(&r, o, &(struct print_options){ .columns = PRINT_NO_COLUMNS });
	print_deep(&r);
	end(&r);
}

/* ---- calls made by chance ---- */

/* What happens, and what the graph tells of it: a letter and a level for each beginning
 * and end, and for each end without a beginning. */
struct story {
	char *text;
	size_t size, room;
};

struct chance {
	unsigned int depth, calls[MAX_DEPTH];
	struct story made, told;
};

static void tell(struct story *s, char what, unsigned int depth, unsigned int line)
{
	if (s->room - s->size < 32) {
		s->room = s->room * 2 + 1024;
		s->text = xrealloc(s->text, s->room, 1);
	}
	s->size += snprintf(s->text + s->size, s->room - s->size, "%c%u:%u ", what, depth,
			    line);
}

/* Each call has a number, which is its line. */
static void call(struct run *r, struct chance *c, unsigned int *count)
{
	enter(r, c->depth, PARSE, ++*count);
	tell(&c->made, 'E', c->depth, *count);
	c->calls[c->depth++] = *count;
}

static void end_call(struct run *r, struct chance *c, enum print_exit exit)
{
	unsigned int line = c->calls[--c->depth];

	leave_by(r, exit, c->depth, PARSE, line, 1000);
	tell(&c->made, 'L', c->depth, exit == PRINT_UNSEEN ? 0 : line);
}

static void end_orphan(struct run *r, struct chance *c)
{
	r->e.is_timed = false;
	leave(r, c->depth, PARSE, 0, 0);
	r->e.is_timed = true;
	tell(&c->made, 'O', c->depth, 0);
}

static size_t size_of(struct output *o, int fd)
{
	struct stat st;

	output_flush(o);
	CHECK_INT(fstat(fd, &st), 0);
	return st.st_size;
}

/* A file never gets larger at its end than was said. */
static void rotate(struct run *r, int fd)
{
	size_t size = size_of(r->printer.output, fd);
	size_t most = r->printer.ops->tail(&r->printer);

	end_part(r);
	CHECK(size_of(r->printer.output, fd) <= size + most);
	CHECK(r->printer.ops->tail(&r->printer) <= most);
	begin_part(r, 1);
}

static void step(struct run *r, struct chance *c, unsigned int *count, int fd)
{
	uint32_t what = check_below(100);

	if (what == 0)
		lose(r, 1);
	else if (what == 1)
		add_note(r, PRINT_FORK);
	else if (what == 2)
		rotate(r, fd);
	else if (what < 6)
		end_orphan(r, c);
	else if (what < 50 && c->depth < MAX_DEPTH)
		call(r, c, count);
	else if (c->depth)
		end_call(r, c, check_below(PRINT_UNSEEN + 1));
}

/* Level and rest of a line; the line's number is what comes behind the last colon. */
static void read_line(struct chance *threads, const char *text)
{
	char *rest;
	unsigned long tid = strtoul(text, &rest, 10);
	struct chance *c = &threads[tid - PID];
	unsigned int level, number;

	if (rest == text || tid < PID || tid >= PID + THREADS)
		return;
	rest += 4; /* the rest of the column */
	level = strspn(rest, " ") / 2;
	rest += strspn(rest, " ");
	number = strstr(rest, "parse:") ? strtoul(strstr(rest, "parse:") + 6, NULL, 10)
					: 0;
	if (strstr(rest, "before the trace")) {
		tell(&c->told, 'O', level, 0);
	} else if (rest[0] == '}') {
		tell(&c->told, 'L', level, number);
	} else {
		tell(&c->told, 'E', level, number);
		if (strstr(rest, "();"))
			tell(&c->told, 'L', level, strstr(rest, "not seen") ? 0 : number);
	}
}

static void check_braces(FILE *f, unsigned int calls)
{
	unsigned int begun = 0, opened = 0, closed = 0;
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, f) >= 0) {
		bool is_brace = strstr(line, "() {");

		begun += is_brace || strstr(line, "();");
		opened += is_brace;
		closed += strstr(line, "} /*") && !strstr(line, "before the trace");
	}
	CHECK_INT(begun, calls);
	CHECK_INT(opened, closed);
	free(line);
}

static void check_told(const char *path, struct chance *threads, unsigned int calls)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;

	CHECK(f);
	if (!f)
		return;
	check_braces(f, calls);
	rewind(f);
	while (getline(&line, &room, f) >= 0)
		read_line(threads, line);
	free(line);
	fclose(f);
	for (size_t i = 0; i < THREADS; i++) {
		CHECK(threads[i].made.size > STEPS / THREADS);
		CHECK_STR(threads[i].told.text, threads[i].made.text);
		free(threads[i].made.text);
		free(threads[i].told.text);
	}
}

static void try_chance(void)
{
	struct chance threads[THREADS] = { 0 };
	char path[] = "/tmp/test-print-graph.XXXXXX";
	int fd = mkstemp(path);
	unsigned int calls = 0;
	struct output *o;
	struct run r;

	CHECK(fd >= 0);
	CHECK_INT(output_open(path, COMPRESSION_NONE, &o), 0);
	start(&r, o, &(struct print_options){ .columns = PRINT_TID });
	for (size_t i = 0; i < STEPS; i++) {
		uint32_t thread = check_below(THREADS);

		r.e.tid = PID + thread;
		step(&r, &threads[thread], &calls, fd);
	}
	for (size_t i = 0; i < THREADS; i++) {
		r.e.tid = PID + i;
		while (threads[i].depth)
			end_call(&r, &threads[i], PRINT_UNSEEN);
	}
	end(&r);
	output_close(o);
	check_told(path, threads, calls);
	close(fd);
	unlink(path);
}

/* ---- what is expected ---- */

static void try_expected(void)
{
	const char *srcdir = getenv("srcdir");
	char *wanted = xasprintf("%s/tests/print-graph.expected", srcdir ? srcdir : ".");
	char got[] = "/tmp/test-print-graph.XXXXXX";
	struct output *o;
	int fd = mkstemp(got);

	CHECK(fd >= 0);
	CHECK_INT(output_open(got, COMPRESSION_NONE, &o), 0);
	print_all(o);
	output_flush(o);
	CHECK_INT(output_error(o), 0);
	output_close(o);
	check_file(got, wanted);
	/* PRINT_KEEP=1 leaves the file, to become the next print-graph.expected when it
	 * has been read. */
	if (getenv("PRINT_KEEP"))
		printf("%s\n", got);
	else
		unlink(got);
	close(fd);
	free(wanted);
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
	try_expected();
	try_chance();
	return check_done();
}

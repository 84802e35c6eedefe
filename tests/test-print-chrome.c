// SPDX-License-Identifier: GPL-2.0-or-later
/* Events and notes written by hand -> Trace Event Format, print-chrome.expected: several
 * files, one behind the other. tests/chrome.py says whether importers would take them. */
#include <config.h>

#include "print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "xalloc.h"

enum { PID = 847740, CHILD = 847799, LONG = 300000 };

enum id { UNKNOWN, MODULE, MAIN, METHOD, GEN, EVIL, QUOTES, EMPTY, BIDI, IDS };

static const struct {
	const char *file, *func, *qualname;
} names[IDS] = {
	[MODULE] = { "<string>", "<module>", NULL },
	[MAIN] = { "/w/main.py", "main", NULL },
	[METHOD] = { "/w/c.py", "m", "C.m" },
	[GEN] = { "/w/gen.py", "gr\xc3\xbc\xc3\x9f\xf0\x9f\x98\x80", NULL },
	[EVIL] = { "/w/\x1b[31m\x7f.py", "x\r\n\t\x01\xc2\x85\xff\xc0\x80\xed\xa0\x80:y",
		   NULL },
	[QUOTES] = { "/w/\"\\\".py", "a\\b\"},{\"ph\":\"B\"", "\\" },
	[EMPTY] = { "", "", NULL },
	[BIDI] = { "/w/\xe2\x80\xa8.py", "\xe2\x80\xaetxt\xe2\x80\x8b\xef\xbb\xbf",
		   NULL },
};

struct run {
	struct names *names;
	struct print_options options;
	struct printer printer;
	struct output *output;
	const char *path;
	uint64_t at;
	unsigned int enters;
	uint32_t pid, tid;
};

static struct print_event make_event(struct run *r, enum print_kind kind, enum id id,
				     unsigned int depth, uint32_t line)
{
	struct print_event e = {
		.kind = kind,
		.depth = depth,
		.pid = r->pid,
		.tid = r->tid,
		.line = line,
		.is_timed = kind == PRINT_LEAVE,
		.time = 1700000000676016123 + r->at,
		.at = r->at,
		.name = names_find(r->names, id),
	};

	r->at += 1234567;
	return e;
}

static void send_event(struct run *r, const struct print_event *e)
{
	r->enters += e->kind == PRINT_ENTER;
	r->printer.ops->event(&r->printer, e);
}

static void enter(struct run *r, enum id id, unsigned int depth, uint32_t line)
{
	struct print_event e = make_event(r, PRINT_ENTER, id, depth, line);

	send_event(r, &e);
}

static void leave(struct run *r, enum id id, unsigned int depth, enum print_exit exit)
{
	struct print_event e = make_event(r, PRINT_LEAVE, id, depth, 40 + depth);

	e.exit = exit;
	send_event(r, &e);
}

/* One that had begun before the trace. */
static void leave_untimed(struct run *r, enum id id, unsigned int depth)
{
	struct print_event e = make_event(r, PRINT_LEAVE, id, depth, 40 + depth);

	e.is_timed = false;
	send_event(r, &e);
}

/* One that was got by the fork at that moment. */
static void leave_inherited(struct run *r, enum id id, unsigned int depth, uint64_t fork,
			    enum print_exit exit)
{
	struct print_event e = make_event(r, PRINT_LEAVE, id, depth, 40 + depth);

	e.is_inherited = true;
	e.elapsed = e.at - fork;
	e.exit = exit;
	send_event(r, &e);
}

static void enter_task(struct run *r, enum id id, uint64_t task, const char *task_name)
{
	struct print_event e = make_event(r, PRINT_ENTER, id, 0, 7);

	e.task = task;
	e.task_name = task_name;
	send_event(r, &e);
}

static uint64_t note(struct run *r, enum print_note_kind kind, uint32_t child,
		     const char *comm, const char *args, size_t args_size)
{
	struct print_note n = {
		.kind = kind,
		.time = 1700000000676016123 + r->at,
		.at = r->at,
		.pid = r->pid,
		.tid = r->tid,
		.child = child,
		.comm = comm,
		.args = args,
		.args_size = args_size,
	};

	r->printer.ops->note(&r->printer, &n);
	return r->at++;
}

static void lose(struct run *r, uint64_t count)
{
	struct print_lost l = { .count = count, .at = r->at };

	r->printer.ops->lost(&r->printer, &l);
}

static void add_name(struct run *r, enum id id)
{
	char *file = xstrdup(names[id].file), *func = xstrdup(names[id].func);
	char *qualname = names[id].qualname ? xstrdup(names[id].qualname) : NULL;
	struct name code = { .file = file, .func = func, .qualname = qualname };
	bool is_new;

	names_add_code(r->names, id, &code, &is_new);
	free(file);
	free(func);
	free(qualname);
}

static void begin_part(struct run *r, char *const *argv, unsigned int part)
{
	struct print_begin b = {
		.pids = &(pid_t){ PID },
		.count = 1,
		.time = 1700000000676016123,
		.argv = argv,
		.part = part,
	};

	r->printer.ops->begin(&r->printer, &b);
}

/* A new trace in the same file, of a command or, without, of a process that runs. */
static void begin(struct run *r, char *const *argv)
{
	r->names = names_new();
	r->options = (struct print_options){ .cwd = "/w" };
	r->printer = (struct printer){ .ops = &print_chrome,
				       .output = r->output,
				       .options = &r->options };
	r->at = 1001;
	r->enters = 0;
	r->pid = r->tid = PID;
	for (enum id id = UNKNOWN + 1; id < IDS; id++)
		add_name(r, id);
	begin_part(r, argv, 0);
}

static void end_part(struct run *r, bool goes_on)
{
	struct print_totals t = {
		.at = r->at,
		.events = 2 * r->enters,
		.lost = 3,
		.goes_on = goes_on,
	};

	r->printer.ops->end(&r->printer, &t);
}

static void end(struct run *r)
{
	end_part(r, false);
	r->printer.ops->free_state(&r->printer);
	names_free(r->names);
}

static size_t file_size(struct run *r)
{
	struct stat s = { 0 };

	output_flush(r->output);
	CHECK_INT(stat(r->path, &s), 0);
	return s.st_size;
}

static void print_calls(struct run *r)
{
	enter(r, MODULE, 0, 1);
	enter(r, MAIN, 1, 2);
	enter(r, METHOD, 2, -1);
	leave(r, METHOD, 2, PRINT_RETURNED);
	enter(r, METHOD, 2, 3);
	leave(r, METHOD, 2, PRINT_RAISED);
	enter(r, GEN, 2, 4);
	leave(r, GEN, 2, PRINT_YIELDED);
	leave(r, MAIN, 1, PRINT_RETURNED);
	for (enum id id = UNKNOWN; id < IDS; id++)
		enter(r, id, id + 1, 10 + id);
	for (enum id id = IDS; id-- > UNKNOWN;)
		leave(r, id, id + 1, PRINT_RETURNED);
	enter_task(r, MAIN, 0x7f0123456789abc0, "Task-1");
	leave(r, MAIN, 1, PRINT_YIELDED);
	enter_task(r, MAIN, 1, NULL);
	enter_task(r, MAIN, UINT64_MAX, "\"\\\n\xff");
	leave(r, MAIN, 2, PRINT_YIELDED);
	leave(r, MAIN, 1, PRINT_YIELDED);
}

static void print_threads(struct run *r)
{
	r->tid = PID + 1;
	note(r, PRINT_THREAD, 0, "wor\"ker\n", NULL, 0);
	enter(r, MAIN, 0, 2);
	r->tid = PID + 2;
	enter(r, GEN, 0, 2);
	r->tid = PID + 1;
	leave(r, MAIN, 0, PRINT_RETURNED);
	r->tid = PID + 2;
	leave(r, GEN, 0, PRINT_UNSEEN);
	/* the largest numbers */
	r->pid = r->tid = UINT32_MAX;
	enter(r, MAIN, 0, INT32_MAX);
	leave(r, MAIN, 0, PRINT_RETURNED);
	/* a thread's number comes again, in another process */
	r->pid = r->tid = PID + 1;
	enter(r, MAIN, 0, 2);
	leave(r, MAIN, 0, PRINT_RETURNED);
	r->pid = r->tid = PID;
}

/* The child calls, returns from some of what its parent had called, and becomes another
 * program; the parent goes on. */
static void print_fork(struct run *r)
{
	static const char args[] = "/bin/sh\0-c\0echo \"\xff\xc3\xbc\"";
	uint64_t fork;

	enter(r, MAIN, 1, 2);
	enter(r, METHOD, 2, 3);
	fork = note(r, PRINT_FORK, CHILD, NULL, NULL, 0);
	r->pid = r->tid = CHILD;
	note(r, PRINT_THREAD, 0, "python3", NULL, 0);
	r->at = fork + 1;
	enter(r, GEN, 3, 4);
	enter(r, EVIL, 4, 4);
	leave(r, EVIL, 4, PRINT_RETURNED);
	leave(r, GEN, 3, PRINT_RETURNED);
	leave_inherited(r, METHOD, 2, fork, PRINT_RETURNED);
	enter(r, GEN, 2, 4);
	leave(r, GEN, 2, PRINT_UNSEEN);
	r->at -= 1234567;
	leave_inherited(r, MAIN, 1, fork, PRINT_UNSEEN);
	r->at -= 1234567;
	leave_inherited(r, MODULE, 0, fork, PRINT_UNSEEN);
	note(r, PRINT_EXEC, 0, "sh", args, sizeof(args));
	r->pid = r->tid = PID;
	leave(r, METHOD, 2, PRINT_RETURNED);
	leave(r, MAIN, 1, PRINT_RETURNED);
	leave(r, MODULE, 0, PRINT_RETURNED);
}

static void print_command(struct run *r)
{
	static const char args[] = "/usr/bin/python3\0-c\0print('x y')\0\0\x1b[31m\0a\nb";

	begin(r, (char *[]){ "python3", NULL });
	CHECK(print_chrome.wants_notes);
	note(r, PRINT_EXEC, 0, "python3", args, sizeof(args));
	note(r, PRINT_THREAD, 0, "python3", NULL, 0);
	print_calls(r);
	print_threads(r);
	leave(r, MODULE, 0, PRINT_RETURNED);
	/* Nothing can have begun before a command did: this was lost. */
	lose(r, 1);
	leave_untimed(r, MAIN, 0);
	enter(r, MODULE, 0, 1);
	print_fork(r);
	end(r);
}

/* A process that has called something already. */
static void print_attached(struct run *r)
{
	char args[200] = "python3";

	memset(args + 8, '"', 90);
	memcpy(args + 98, "\xc3\xbc\xc3\xbc\xc3\xbc", 6);
	begin(r, NULL);
	note(r, PRINT_RUNS, 0, "python3", args, 120);
	r->at = 0;
	enter(r, GEN, 0, 2);
	/* One that is not the innermost was begun and lost. */
	leave_untimed(r, EVIL, 1);
	leave(r, GEN, 0, PRINT_RETURNED);
	leave_untimed(r, METHOD, 0);
	enter(r, GEN, 0, 2);
	leave(r, GEN, 0, PRINT_RETURNED);
	leave_untimed(r, MAIN, 0);
	leave_untimed(r, UNKNOWN, 0);
	note(r, PRINT_FORK, CHILD, NULL, NULL, 0);
	r->pid = r->tid = CHILD;
	leave_untimed(r, MODULE, 0);
	r->pid = r->tid = PID;
	/* From here on nobody knows when what is left was begun. */
	lose(r, UINT64_MAX);
	leave_untimed(r, MODULE, 0);
	note(r, PRINT_RUNS, 0, "co\"m", NULL, 0);
	end(r);
}

/* Calls that are open where one file ends and the next begins. */
static void print_parts(struct run *r)
{
	uint64_t fork;

	begin(r, (char *[]){ "python3", NULL });
	note(r, PRINT_EXEC, 0, "python3", "python3", 8);
	enter(r, MODULE, 0, 1);
	enter_task(r, METHOD, 5, "Task-5");
	fork = note(r, PRINT_FORK, CHILD, NULL, NULL, 0);
	r->tid = PID + 1;
	note(r, PRINT_THREAD, 0, "over", NULL, 0);
	enter(r, MAIN, 0, 1);
	leave(r, MAIN, 0, PRINT_RETURNED);
	r->tid = PID + 2;
	note(r, PRINT_THREAD, 0, "worker", NULL, 0);
	enter(r, GEN, 0, 1);
	end_part(r, true);
	begin_part(r, NULL, 1);
	/* a moment too early: clocks of several CPUs */
	r->at -= 1234569;
	leave(r, GEN, 0, PRINT_RETURNED);
	r->pid = r->tid = CHILD;
	enter(r, MAIN, 2, 1);
	end_part(r, true);
	begin_part(r, NULL, 2);
	leave(r, MAIN, 2, PRINT_RETURNED);
	leave_inherited(r, METHOD, 1, fork, PRINT_RETURNED);
	leave_inherited(r, MODULE, 0, fork, PRINT_RETURNED);
	r->pid = r->tid = PID;
	leave(r, METHOD, 1, PRINT_RETURNED);
	leave(r, MODULE, 0, PRINT_RETURNED);
	end(r);
}

/* What the ends of all that is open will come to is told before, not much too high. */
static void check_tail(struct run *r)
{
	size_t tail, before;

	begin(r, (char *[]){ "python3", NULL });
	CHECK(print_chrome.tail(&r->printer) < 1024);
	for (unsigned int i = 0; i < 300; i++)
		enter(r, EVIL, i, 1);
	r->pid = r->tid = UINT32_MAX;
	for (unsigned int i = 0; i < 300; i++)
		enter(r, EVIL, i, 1);
	tail = print_chrome.tail(&r->printer);
	before = file_size(r);
	for (unsigned int i = 300; i--;)
		leave(r, EVIL, i, PRINT_UNSEEN);
	r->pid = r->tid = PID;
	for (unsigned int i = 300; i--;)
		leave(r, EVIL, i, PRINT_UNSEEN);
	CHECK(print_chrome.tail(&r->printer) < 1024);
	end(r);
	CHECK(file_size(r) - before <= tail);
	CHECK(file_size(r) - before > tail / 2);
}

/* Names as long as a process likes. */
static void check_long(struct run *r)
{
	char *text = xcalloc(LONG + 1, 1);
	struct name code = { .file = text, .func = text };
	struct print_event e;
	size_t before;
	bool is_new;

	memset(text, 0x01, LONG);
	begin(r, (char *[]){ "python3", NULL });
	names_add_code(r->names, IDS, &code, &is_new);
	before = file_size(r);
	e = make_event(r, PRINT_ENTER, IDS, 0, 1);
	e.task = 1;
	e.task_name = text;
	send_event(r, &e);
	/* \\x01 of each byte */
	CHECK(file_size(r) - before > 3 * 5 * LONG);
	CHECK(file_size(r) - before < 3 * 5 * LONG + 512);
	leave(r, IDS, 0, PRINT_RETURNED);
	end(r);
	free(text);
}

/* Calls so deep that Perfetto might not have room for them. */
static void print_deep(struct run *r)
{
	begin(r, (char *[]){ "python3", NULL });
	for (unsigned int i = 0; i < 258; i++)
		enter(r, MAIN, i, i);
	for (unsigned int i = 258; i--;)
		leave(r, MAIN, i, PRINT_RETURNED);
	end(r);
}

/* Many threads, which nobody says are over. */
static void check_threads(struct run *r)
{
	begin(r, (char *[]){ "python3", NULL });
	enter(r, MAIN, 0, 1);
	for (uint32_t i = 1; i < 10000; i++) {
		r->tid = PID + i;
		enter(r, GEN, 0, 1);
		leave(r, GEN, 0, PRINT_RETURNED);
	}
	r->tid = PID;
	leave(r, MAIN, 0, PRINT_RETURNED);
	CHECK(print_chrome.tail(&r->printer) < 1024);
	end(r);
}

/* Into a file that is empty at first. */
static void with_output(struct run *r, void (*run)(struct run *r))
{
	CHECK_INT(output_open(r->path, COMPRESSION_NONE, &r->output), 0);
	run(r);
	output_flush(r->output);
	CHECK_INT(output_error(r->output), 0);
	output_close(r->output);
}

static void print_all(struct run *r)
{
	print_command(r);
	print_attached(r);
	print_parts(r);
	print_deep(r);
}

int main(void)
{
	const char *srcdir = getenv("srcdir");
	char *wanted = xasprintf("%s/tests/print-chrome.expected", srcdir ? srcdir : ".");
	char got[] = "/tmp/test-print-chrome.XXXXXX";
	int fd = mkstemp(got);
	struct run r = { .path = got };

	CHECK(fd >= 0);
	with_output(&r, check_tail);
	with_output(&r, check_long);
	with_output(&r, check_threads);
	with_output(&r, print_all);
	check_file(got, wanted);
	/* PRINT_KEEP=1 leaves the file, to become the next print-chrome.expected when it
	 * has been read. */
	if (getenv("PRINT_KEEP"))
		printf("%s\n", got);
	else
		unlink(got);
	close(fd);
	free(wanted);
	return check_done();
}

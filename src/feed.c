// SPDX-License-Identifier: GPL-2.0-or-later
/* Records -> names, calls and returns -> what is shown of them -> the printer. */
#include <config.h>

#include "feed.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "codes.h"
#include "memory.h"
#include "names.h"
#include "tasks.h"
#include "threads.h"
#include "tree.h"
#include "xalloc.h"

enum { MAX_LONG_NAME = 4 << 20 };

/* A thread's name. */
struct named {
	struct thread thread;
	bool is_told;
	char comm[COMM_SIZE + 1];
};

struct feed {
	struct feed_parts parts;
	struct names *names;
	struct codes *codes;
	struct tree *tree;
	struct sift *sift;
	struct threads *threads; /* struct named; with notes */
	uint64_t begin;		 /* ns of CLOCK_MONOTONIC */
	struct tasks *tasks;
	int64_t wall_offset;
	uint64_t seen;
	size_t processes;
};

struct feed *feed_new(const struct feed_parts *parts)
{
	struct feed *f = xcalloc(1, sizeof(*f));

	f->parts = *parts;
	f->names = names_new();
	f->codes = codes_new();
	f->tree = tree_new();
	f->sift = sift_new(&parts->rules, parts->printer);
	f->threads = threads_new(sizeof(struct named), NULL);
	f->tasks = tasks_new();
	return f;
}

void feed_free(struct feed *f)
{
	if (!f)
		return;
	threads_free(f->threads);
	sift_free(f->sift);
	tasks_free(f->tasks);
	tree_free(f->tree);
	names_free(f->names);
	codes_free(f->codes);
	free(f);
}

void feed_begin(struct feed *f, uint64_t now, size_t processes)
{
	f->begin = now;
	f->processes = processes;
}

void feed_set_clock(struct feed *f, int64_t wall_offset)
{
	f->wall_offset = wall_offset;
}

uint64_t feed_at(const struct feed *f, uint64_t now)
{
	return now > f->begin ? now - f->begin : 0;
}

uint64_t feed_time(const struct feed *f, uint64_t now)
{
	return now + f->wall_offset;
}

uint64_t feed_seen(const struct feed *f)
{
	return f->seen;
}

uint64_t feed_events(const struct feed *f)
{
	return sift_events(f->sift);
}

uint64_t feed_orphans(const struct feed *f)
{
	return tree_orphans(f->tree);
}

size_t feed_processes(const struct feed *f)
{
	return f->processes;
}

/* ---- names ---- */

/* A name is judged once. */
static void judge(struct feed *f, struct name *name)
{
	struct filter *filter = f->parts.filter;

	name->is_hidden = !filter_match(filter, name->file, name->func, name->qualname);
	name->is_start = f->parts.rules.has_starts &&
			 filter_starts(filter, name->func, name->qualname);
}

static bool is_needed(const struct name *name)
{
	return !name->is_hidden || name->is_start;
}

static void tell_verdict(struct feed *f, uint64_t code, const struct name *name)
{
	if (filter_asks(f->parts.filter) && f->parts.attach)
		attach_verdict(f->parts.attach, code,
			       is_needed(name) ? VERDICT_SHOW : VERDICT_HIDE);
}

static void add_name(struct feed *f, uint64_t code, const char *file, const char *func)
{
	bool is_new;
	struct name *name = names_add(f->names, code, file, func, &is_new);

	if (is_new)
		judge(f, name);
	tell_verdict(f, code, name);
}

static void add_name_at(struct feed *f, const struct event_name_at *n)
{
	char *file = memory_string(n->pid, n->file, MAX_LONG_NAME);
	char *func = memory_string(n->pid, n->func, MAX_LONG_NAME);

	add_name(f, n->code, file, func);
	free(file);
	free(func);
}

/* Takes over the line table. */
static void add_code(struct feed *f, const struct event_code *e, struct code *code)
{
	struct name new = {
		.file = code->texts[PART_FILE],
		.func = code->texts[PART_FUNC],
		.qualname = code->sizes[PART_QUALNAME] ? code->texts[PART_QUALNAME]
						       : NULL,
		.first_line = e->first_line,
		.lines_format = e->lines_format,
		.line_table = (uint8_t *)code->texts[PART_LINES],
		.line_table_size = code->sizes[PART_LINES],
	};
	bool is_new;
	struct name *name = names_add_code(f->names, e->code, &new, &is_new);

	code->texts[PART_LINES] = NULL;
	if (is_new)
		judge(f, name);
	tell_verdict(f, e->code, name);
}

static void end_code(struct feed *f, const struct event_code *e)
{
	struct code code = { 0 };

	if (e->kind == EVENT_CODE_AT)
		codes_read(e, &code);
	else if (!codes_end(f->codes, e, &code))
		return;
	add_code(f, e, &code);
	code_free(&code);
}

static uint32_t line_of(struct feed *f, const struct event *e, struct name *name)
{
	if (!(e->flags & EVENT_UNIT))
		return tree_line(f->tree, e);
	return name ? name_line(name, e->line) : 0;
}

static enum print_exit exit_of(const struct event *e)
{
	return e->flags & EVENT_RAISED	  ? PRINT_RAISED
	       : e->flags & EVENT_YIELDED ? PRINT_YIELDED
					  : PRINT_RETURNED;
}

/* What the kernel calls a thread; as a program may have it, by prctl(2). False if it has
 * ended already. */
static bool read_comm(uint32_t pid, uint32_t tid, char *comm)
{
	char *path = xasprintf("/proc/%u/task/%u/comm", pid, tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? 0 : read(fd, comm, COMM_SIZE);

	if (fd >= 0)
		close(fd);
	free(path);
	if (size <= 0)
		return false;
	comm[size] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
	return *comm;
}

/* A thread begins with the name of the one that made it. */
static void inherit_comm(struct feed *f, struct named *n, uint32_t maker)
{
	const struct named *m = (const struct named *)threads_find(f->threads, maker);

	if (m && m != n)
		memcpy(n->comm, m->comm, sizeof(n->comm));
}

static void tell_thread(struct feed *f, const struct print_event *e)
{
	struct named *named = (struct named *)threads_get(f->threads, e->tid, e->pid);
	struct print_note n = { .kind = PRINT_THREAD, .time = e->time, .at = e->at };

	if (named->is_told)
		return;
	named->is_told = true;
	if (!*named->comm)
		inherit_comm(f, named, e->pid);
	read_comm(e->pid, e->tid, named->comm);
	if (!*named->comm)
		return;
	n.pid = e->pid;
	n.tid = e->tid;
	n.cpu = e->cpu;
	n.comm = named->comm;
	sift_note(f->sift, &n);
}

static void show(struct feed *f, const struct event *e)
{
	struct name *name = names_find(f->names, e->code);
	const struct task *task;
	struct print_event p = {
		.kind = e->kind == EVENT_ENTER ? PRINT_ENTER : PRINT_LEAVE,
		.time = feed_time(f, e->time),
		.at = feed_at(f, e->time),
		.pid = e->pid,
		.tid = e->tid,
		.cpu = e->cpu,
		.exit = exit_of(e),
		.name = name,
	};

	if (name ? !is_needed(name) : filter_asks(f->parts.filter))
		return;
	p.line = line_of(f, e, name);
	p.depth = e->kind == EVENT_ENTER ? tree_enter(f->tree, e, name)
					 : tree_leave(f->tree, e, name);
	if (p.depth == TREE_NONE)
		return;
	if (f->parts.notes)
		tell_thread(f, &p);
	f->seen++;
	task = tasks_of(f->tasks, e);
	if (task) {
		p.task = task->id;
		p.task_name = task->name;
	}
	sift_event(f->sift, &p);
}

void feed_lost(struct feed *f, uint64_t count, uint64_t now)
{
	struct print_lost l = { count, feed_time(f, now), feed_at(f, now) };

	tree_lost(f->tree);
	tasks_lost(f->tasks);
	sift_lost(f->sift, &l);
}

void feed_advance(struct feed *f, uint64_t now)
{
	sift_advance(f->sift, feed_at(f, now));
}

uint64_t feed_next(const struct feed *f)
{
	uint64_t next = sift_next(f->sift);

	return next == UINT64_MAX ? next : next + f->begin;
}

void feed_end(struct feed *f, uint64_t now)
{
	sift_end(f->sift, feed_at(f, now));
}

/* ---- processes ---- */

static struct print_note note_of(const struct feed *f, const struct event *e)
{
	return (struct print_note){
		.kind = PRINT_FORK,
		.time = feed_time(f, e->time),
		.at = feed_at(f, e->time),
		.pid = e->pid,
		.tid = e->tid,
		.cpu = e->cpu,
		.child = e->code,
	};
}

static void see_fork(struct feed *f, const struct event *e)
{
	struct print_note n = note_of(f, e);

	f->processes++;
	if (f->parts.notes) {
		threads_remove(f->threads, e->code);
		inherit_comm(f, (struct named *)threads_get(f->threads, e->code, e->code),
			     e->tid);
		sift_note(f->sift, &n);
	}
	tree_fork(f->tree, e);
	sift_fork(f->sift, e->tid, e->code, n.at);
}

static void see_exec(struct feed *f, const struct event *e)
{
	tree_exec(f->tree, e);
	tasks_exec(f->tasks, e);
	sift_exec(f->sift, e->pid, feed_at(f, e->time));
	threads_remove_process(f->threads, e->pid);
}

static void see_exit(struct feed *f, const struct event *e)
{
	tree_exit(f->tree, e);
	tasks_exit(f->tasks, e);
	sift_exit(f->sift, e->tid, feed_at(f, e->time));
	threads_remove(f->threads, e->tid);
	if (e->tid == e->pid && f->processes)
		f->processes--;
}

static void see_args(struct feed *f, const struct event_args *a)
{
	struct print_note n = note_of(f, &a->event);
	char comm[COMM_SIZE + 1] = "";

	memcpy(comm, a->comm, COMM_SIZE);
	n.kind = PRINT_EXEC;
	n.comm = comm;
	n.args = a->args;
	n.args_size = a->size <= ARGS_SIZE ? a->size : 0;
	n.is_cut = a->whole > a->size;
	sift_note(f->sift, &n);
}

void feed_process(struct feed *f, pid_t pid, const char *args, size_t size)
{
	uint64_t now = clock_monotonic();
	struct print_note n = {
		.kind = PRINT_RUNS,
		.time = feed_time(f, now),
		.at = feed_at(f, now),
		.pid = pid,
		.tid = pid,
		.comm = "?",
		.args = args,
		.args_size = size,
	};

	if (f->parts.notes)
		sift_note(f->sift, &n);
}

/* Does a printer that is full still need it: does it end calls? */
static bool ends(const struct event *e)
{
	return e->kind == EVENT_EXEC || e->kind == EVENT_EXIT;
}

/* What tells of names and code objects. False if it is something else. */
static bool take_name(struct feed *f, const void *record)
{
	const struct event_name_long *long_name = record;
	const struct event_name *name = record;

	switch (name->kind) {
	case EVENT_NAME:
		add_name(f, name->code, name->file, name->func);
		return true;
	case EVENT_NAME_LONG:
		add_name(f, long_name->code, long_name->file, long_name->func);
		return true;
	case EVENT_NAME_AT:
		add_name_at(f, record);
		return true;
	case EVENT_PART:
		codes_add(f->codes, record);
		return true;
	case EVENT_CODE:
	case EVENT_CODE_AT:
		end_code(f, record);
		return true;
	default:
		return false;
	}
}

void feed_record(const void *record, void *arg)
{
	const struct event *e = record;
	struct feed *f = arg;

	if ((f->parts.printer->is_full && !ends(e)) || take_name(f, record))
		return;
	switch (e->kind) {
	case EVENT_ENTER:
	case EVENT_LEAVE:
		show(f, e);
		break;
	case EVENT_LOST:
		feed_lost(f, e->code, e->time);
		break;
	case EVENT_FORK:
		see_fork(f, e);
		break;
	case EVENT_EXEC:
		see_exec(f, e);
		break;
	case EVENT_ARGS:
		see_args(f, record);
		break;
	case EVENT_EXIT:
		see_exit(f, e);
		break;
	case EVENT_TASK:
		tasks_enter(f->tasks, record);
		break;
	}
}

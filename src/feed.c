// SPDX-License-Identifier: GPL-2.0-or-later
/* Records -> names, calls and returns -> the printer. */
#include <config.h>

#include "feed.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "codes.h"
#include "memory.h"
#include "names.h"
#include "tree.h"
#include "xalloc.h"

enum { MAX_LONG_NAME = 4 << 20 };

struct feed {
	struct attach *attach;
	struct filter *filter;
	struct printer *printer;
	struct names *names;
	struct codes *codes;
	struct tree *tree;
	int64_t wall_offset;
	bool notes;
	uint64_t events;
};

struct feed *feed_new(struct attach *a, struct filter *filter, struct printer *printer,
		      bool notes)
{
	struct feed *f = xcalloc(1, sizeof(*f));

	f->attach = a;
	f->filter = filter;
	f->printer = printer;
	f->notes = notes;
	f->names = names_new();
	f->codes = codes_new();
	f->tree = tree_new();
	return f;
}

void feed_free(struct feed *f)
{
	if (!f)
		return;
	tree_free(f->tree);
	names_free(f->names);
	codes_free(f->codes);
	free(f);
}

void feed_set_clock(struct feed *f, int64_t wall_offset)
{
	f->wall_offset = wall_offset;
}

uint64_t feed_events(const struct feed *f)
{
	return f->events;
}

uint64_t feed_orphans(const struct feed *f)
{
	return tree_orphans(f->tree);
}

static void tell_verdict(struct feed *f, uint64_t code, const struct name *name)
{
	if (filter_asks(f->filter))
		attach_verdict(f->attach, code,
			       name->is_hidden ? VERDICT_HIDE : VERDICT_SHOW);
}

static void add_name(struct feed *f, uint64_t code, const char *file, const char *func)
{
	bool is_new;
	struct name *name = names_add(f->names, code, file, func, &is_new);

	if (is_new)
		name->is_hidden = !filter_match(f->filter, file, func, NULL);
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
		name->is_hidden =
			!filter_match(f->filter, new.file, new.func, new.qualname);
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

static void show(struct feed *f, const struct event *e)
{
	struct name *name = names_find(f->names, e->code);
	struct print_event p = {
		.kind = e->kind == EVENT_ENTER ? PRINT_ENTER : PRINT_LEAVE,
		.time = e->time + f->wall_offset,
		.pid = e->pid,
		.tid = e->tid,
		.cpu = e->cpu,
		.exit = exit_of(e),
		.name = name,
	};

	if (name ? name->is_hidden : filter_asks(f->filter))
		return;
	p.line = line_of(f, e, name);
	p.depth = e->kind == EVENT_ENTER ? tree_enter(f->tree, e, name)
					 : tree_leave(f->tree, e, name);
	if (p.depth == TREE_NONE)
		return;
	f->printer->ops->event(f->printer, &p);
	f->events++;
}

void feed_lost(struct feed *f, uint64_t count)
{
	tree_lost(f->tree);
	f->printer->ops->lost(f->printer, &(struct print_lost){ .count = count });
}

static struct print_note note_of(const struct feed *f, const struct event *e)
{
	return (struct print_note){
		.kind = PRINT_FORK,
		.time = e->time + f->wall_offset,
		.pid = e->pid,
		.tid = e->tid,
		.cpu = e->cpu,
		.child = e->code,
	};
}

static void note_fork(struct feed *f, const struct event *e)
{
	struct print_note n = note_of(f, e);

	if (f->notes)
		f->printer->ops->note(f->printer, &n);
}

static void note_exec(struct feed *f, const struct event_args *a)
{
	struct print_note n = note_of(f, &a->event);
	char comm[COMM_SIZE + 1] = "";

	memcpy(comm, a->comm, COMM_SIZE);
	n.kind = PRINT_EXEC;
	n.comm = comm;
	n.args = a->args;
	n.args_size = a->size <= ARGS_SIZE ? a->size : 0;
	n.is_cut = a->whole > a->size;
	f->printer->ops->note(f->printer, &n);
}

void feed_process(struct feed *f, pid_t pid, const char *args, size_t size)
{
	struct print_note n = {
		.kind = PRINT_RUNS,
		.time = clock_monotonic() + f->wall_offset,
		.pid = pid,
		.tid = pid,
		.comm = "?",
		.args = args,
		.args_size = size,
	};

	if (f->notes)
		f->printer->ops->note(f->printer, &n);
}

void feed_record(const void *record, void *arg)
{
	const struct event_name_long *long_name = record;
	const struct event_name *name = record;
	const struct event *e = record;
	struct feed *f = arg;

	switch (e->kind) {
	case EVENT_ENTER:
	case EVENT_LEAVE:
		show(f, e);
		break;
	case EVENT_NAME:
		add_name(f, name->code, name->file, name->func);
		break;
	case EVENT_NAME_LONG:
		add_name(f, long_name->code, long_name->file, long_name->func);
		break;
	case EVENT_NAME_AT:
		add_name_at(f, record);
		break;
	case EVENT_PART:
		codes_add(f->codes, record);
		break;
	case EVENT_CODE:
	case EVENT_CODE_AT:
		end_code(f, record);
		break;
	case EVENT_LOST:
		feed_lost(f, e->code);
		break;
	case EVENT_FORK:
		tree_fork(f->tree, e);
		note_fork(f, e);
		break;
	case EVENT_EXEC:
		tree_exec(f->tree, e);
		break;
	case EVENT_ARGS:
		note_exec(f, record);
		break;
	case EVENT_EXIT:
		tree_exit(f->tree, e);
		break;
	}
}

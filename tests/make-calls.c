// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls made by hand or by chance. */
#include <config.h>

#include "make-calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "xalloc.h"

void made_new(struct made *m, const struct print_ops *ops)
{
	int fd;

	*m = (struct made){
		.printer = { .ops = ops, .options = &m->options },
		.options = { .cwd = "/w" },
		.names = names_new(),
	};
	strcpy(m->path, "/tmp/test-calls.XXXXXX");
	fd = mkstemp(m->path);
	CHECK(fd >= 0);
	close(fd);
}

static char *read_all(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = xcalloc(1, 1);
	size_t n = 0, got = 0;

	CHECK(f);
	do {
		n += got;
		text = xrealloc(text, n + 65537, 1);
		got = f ? fread(text + n, 1, 65536, f) : 0;
	} while (got);
	text[n] = '\0';
	if (f)
		fclose(f);
	return text;
}

void made_begin(struct made *m, unsigned int part)
{
	CHECK_INT(output_open(m->path, COMPRESSION_NONE, &m->printer.output), 0);
	m->printer.ops->begin(&m->printer, &(struct print_begin){ .pids = &(pid_t){ 1 },
								  .count = 1,
								  .part = part });
}

static char *finish(struct made *m)
{
	size_t tail = m->printer.ops->tail(&m->printer);
	char *text;

	m->totals.at = m->now;
	m->printer.ops->end(&m->printer, &m->totals);
	output_flush(m->printer.output);
	CHECK_INT(output_error(m->printer.output), 0);
	output_close(m->printer.output);
	text = read_all(m->path);
	CHECK(strlen(text) <= tail);
	return text;
}

char *made_part(struct made *m)
{
	return finish(m);
}

char *made_end(struct made *m)
{
	for (size_t i = 0; i < m->count; i++)
		while (m->threads[i].count)
			made_leave(m, &m->threads[i], PRINT_UNSEEN);
	return finish(m);
}

void made_free(struct made *m)
{
	m->printer.ops->free_state(&m->printer);
	for (size_t i = 0; i < m->count; i++)
		free(m->threads[i].calls);
	free(m->threads);
	names_free(m->names);
	unlink(m->path);
}

void made_name(struct made *m, unsigned int id, const char *file, const char *func,
	       const char *qualname, int32_t line)
{
	struct name code = {
		.file = xstrdup(file),
		.func = xstrdup(func),
		.qualname = qualname ? xstrdup(qualname) : NULL,
		.first_line = line,
	};
	bool is_new;

	if (qualname || line)
		names_add_code(m->names, id, &code, &is_new);
	else
		names_add(m->names, id, file, func, &is_new);
	free(code.file);
	free(code.func);
	free(code.qualname);
}

struct made_thread *made_thread(struct made *m, uint32_t tid, uint32_t pid)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->threads[i].tid == tid)
			return &m->threads[i];
	m->threads = xgrow(m->threads, m->count, sizeof(*m->threads));
	m->threads[m->count] = (struct made_thread){ .tid = tid, .pid = pid };
	return &m->threads[m->count++];
}

static void push(struct made_thread *t, struct made_call call)
{
	if (t->count == t->room) {
		t->room = t->room ? t->room * 2 : 16;
		t->calls = xrealloc(t->calls, t->room, sizeof(*t->calls));
	}
	t->calls[t->count++] = call;
}

static void tell(struct made *m, const struct made_thread *t, struct print_event *e)
{
	e->tid = t->tid;
	e->pid = t->pid;
	e->at = m->now;
	if (m->watch)
		m->watch(m->arg, e, t);
	m->printer.ops->event(&m->printer, e);
}

void made_enter(struct made *m, struct made_thread *t, unsigned int id)
{
	struct name *name = names_find(m->names, id);
	struct print_event e = { .kind = PRINT_ENTER, .depth = t->count, .name = name };

	m->enters++;
	push(t, (struct made_call){ .id = id, .name = name, .since = m->now });
	tell(m, t, &e);
}

void made_leave(struct made *m, struct made_thread *t, enum print_exit exit)
{
	struct made_call *call = &t->calls[t->count - 1];
	uint64_t elapsed = m->now - call->since;
	struct print_event e = {
		.kind = PRINT_LEAVE,
		.exit = exit,
		.depth = t->count - 1,
		.is_timed = true,
		.is_inherited = call->is_inherited,
		.elapsed = elapsed,
		.self = elapsed - call->below,
		.name = call->name,
	};

	tell(m, t, &e);
	if (--t->count)
		call[-1].below += elapsed;
	else
		m->roots += elapsed;
}

void made_before(struct made *m, struct made_thread *t, unsigned int id)
{
	struct print_event e = {
		.kind = PRINT_LEAVE,
		.depth = t->count,
		/* There is none; whoever adds them up is wrong. */
		.elapsed = 1000000,
		.self = 1000000,
		.name = names_find(m->names, id),
	};

	tell(m, t, &e);
}

void made_fork(struct made *m, uint32_t tid, uint32_t child)
{
	struct made_thread *from, *to;

	/* The first of them moves when the second is made. */
	made_thread(m, tid, tid);
	to = made_thread(m, child, child);
	from = made_thread(m, tid, tid);
	/* There may have been one of that number, which has ended. */
	to->count = 0;
	to->pid = child;
	for (size_t i = 0; i < from->count; i++)
		push(to, (struct made_call){ .id = from->calls[i].id,
					     .name = from->calls[i].name,
					     .since = m->now,
					     .is_inherited = true });
	m->printer.ops->note(&m->printer, &(struct print_note){ .kind = PRINT_FORK,
								.pid = from->pid,
								.tid = tid,
								.child = child });
}

void made_exec(struct made *m, struct made_thread *t)
{
	t->count = 0;
	m->printer.ops->note(&m->printer, &(struct print_note){ .kind = PRINT_EXEC,
								.pid = t->pid,
								.tid = t->tid,
								.comm = "sh" });
}

static const char *cut_line(char **rest)
{
	char *line = *rest, *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return line;
}

void made_compare(const char *got, const char *wanted_file)
{
	const char *srcdir = getenv("srcdir"), *line;
	char *path = xasprintf("%s/tests/%s", srcdir ? srcdir : ".", wanted_file);
	char *wanted = read_all(path), *copy = xstrdup(got);
	char *rest = wanted, *got_rest = copy;

	/* PRINT_KEEP=1 shows what would become the file, when it has been read. */
	if (getenv("PRINT_KEEP"))
		fputs(got, stdout);
	while ((line = cut_line(&rest)))
		CHECK_STR(cut_line(&got_rest), line);
	CHECK(!cut_line(&got_rest));
	free(copy);
	free(wanted);
	free(path);
}

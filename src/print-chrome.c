// SPDX-License-Identifier: GPL-2.0-or-later
/* Trace Event Format for Perfetto, chrome://tracing and speedscope: a JSON array, an
 * event in each line.
 *
 * The comma stands in front of an event and only the last line closes the array, which
 * importers do themselves if it is missing: a trace that ends early is one all the same.
 *
 * A call is a B where it begins and an E where it ends, which importers match per thread,
 * innermost first. So that they do, times in a thread always go on, since importers
 * differ in what they take for the first of equal ones, and an E has the name of its B
 * (speedscope wants that). They join the args of both, so no key is in both.
 *
 * A call whose beginning was elsewhere, in the parent or before the trace, can only be
 * written when it is over: as X, with its duration. Several such began at one moment, but
 * importers nest by the beginning, and of equal ones some take the first in the file for
 * the outer one. Outer ones come last here, so each begins a nanosecond before the one
 * written before. Earlier rather than later: what was called meanwhile must not begin in
 * front of them.
 *
 * That needs room in front of the trace's beginning, but Perfetto drops what has a
 * negative time. So all times are FIRST ns later than they were: the beginning is at
 * 1000.000 µs, where an instant event says when that was.
 *
 * Perfetto leaves out what is deeper than 512 calls, but not its E, which then ends the
 * innermost call there is that has its name and, if the E has one, category. So deep
 * calls have a category of their own. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "digits.h"
#include "escape.h"
#include "print.h"
#include "threads.h"
#include "words.h"
#include "xalloc.h"

/* ns: as many calls as that may have been open when the trace began. */
enum { FIRST = 1000000 };

enum {
	EVENT_MAX = 256, /* bytes of an event without its names, */
	END_MAX = 160,	 /* of an E */
	JSON_MAX = 2 * ESCAPE_MAX,
	COMMAND_MAX = 96, /* of a command line, before quotes in it are escaped */
	COMM_MAX = 16,
	DEEP = 256,
	FIRST_ROOM = 16,
	MANY_THREADS = 4096,
};

static const char *const exits[] = {
	[PRINT_RETURNED] = "",
	[PRINT_RAISED] = ",\"exit\":\"raised\"",
	[PRINT_YIELDED] = ",\"exit\":\"yielded\"",
	[PRINT_UNSEEN] = ",\"exit\":\"unseen\"",
};

/* What a process is called, as JSON; its children are so, too, until they are others. */
struct command {
	unsigned int users;
	char text[];
};

struct call {
	const struct label *label;
	uint64_t task;
	uint32_t line;
};

struct chrome_thread {
	struct thread thread;
	struct call *calls; /* that have a B and no E yet */
	uint32_t depth, room;
	uint32_t part;	     /* that it was named in */
	uint32_t named_part; /* that its process was; of a main thread, as the command */
	struct command *command;
	uint32_t inherited;  /* calls around those, from its parent by fork */
	uint64_t last;	     /* time of its last event */
	uint64_t since;	     /* in it, nothing was before */
	uint64_t outer;	     /* the earliest beginning of an X so far */
	char comm[COMM_MAX]; /* empty if it is not known */
};

struct chrome {
	struct threads *threads;
	size_t open, open_bytes; /* calls of all threads, and of their labels */
	size_t made;		 /* threads since some were last tidied */
	uint64_t last;		 /* time of the last event of all */
	uint64_t base;		 /* that was when a file ended or began */
	uint32_t part;		 /* from 1 */
	uint32_t pid;		 /* what needs any */
	bool is_command;	 /* nothing was open when the trace began */
	bool has_lost;
	char *buffer; /* for names that are not kept */
	size_t room;
};

static void add_text(struct printer *p, const char *text)
{
	output_add(p->output, text, strlen(text));
}

/* ns as µs with three decimals. */
static char *put_micros(char *out, uint64_t ns)
{
	unsigned int rest = ns % 1000;

	out = digits_put(out, ns / 1000);
	*out++ = '.';
	*out++ = '0' + rest / 100;
	*out++ = '0' + rest / 10 % 10;
	*out++ = '0' + rest % 10;
	return out;
}

/* Of what escape() leaves only quotes and backslashes mean something in JSON. */
static size_t put_quoted(char *out, const char *text, size_t size)
{
	char *o = out;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '"' || text[i] == '\\')
			*o++ = '\\';
		*o++ = text[i];
	}
	return o - out;
}

/* out has room for JSON_MAX times the length of text. What is escaped first is put so far
 * behind that it is read before it is written over. */
static size_t put_json(char *out, const char *text, enum escape_style style)
{
	char *safe = out + strlen(text) * (JSON_MAX - ESCAPE_MAX);

	return put_quoted(out, safe, escape(safe, text, style));
}

/* Function and file, with a NUL between them. */
static const struct label *label_of(const struct printer *p, struct name *name)
{
	static char unknown_text[] = "?\0?";
	static const struct label unknown = { unknown_text, sizeof(unknown_text) - 1 };
	struct label *label = name ? &name->labels[p->label] : NULL;
	const char *func;
	char *text;
	size_t n;

	if (!name)
		return &unknown;
	if (label->text)
		return label;
	func = name->qualname ? name->qualname : name->func;
	text = xcalloc(strlen(func) + strlen(name->file) + 1, JSON_MAX);
	n = put_json(text, func, ESCAPE_NAME);
	text[n++] = '\0';
	n += put_json(text + n, name->file, ESCAPE_NAME);
	*label = (struct label){ xrealloc(text, n, 1), n };
	return label;
}

/* What is the same in all events, up to the name. */
static void add_head(struct printer *p, char kind, uint32_t pid, uint32_t tid,
		     uint64_t ts)
{
	char text[EVENT_MAX], *t = stpcpy(text, ",\n{\"ph\":\"");

	*t++ = kind;
	t = digits_put(stpcpy(t, "\",\"pid\":"), pid);
	t = digits_put(stpcpy(t, ",\"tid\":"), tid);
	t = put_micros(stpcpy(t, ",\"ts\":"), ts);
	t = stpcpy(t, ",\"name\":\"");
	output_add(p->output, text, t - text);
}

static void add_thread_head(struct printer *p, char kind, const struct chrome_thread *t,
			    uint64_t ts)
{
	add_head(p, kind, t->thread.pid, t->thread.tid, ts);
}

static void add_func(struct printer *p, const struct label *label)
{
	output_add(p->output, label->text, strlen(label->text));
}

static void add_file(struct printer *p, const struct label *label)
{
	size_t n = strlen(label->text) + 1;

	add_text(p, "\"args\":{\"file\":\"");
	output_add(p->output, label->text + n, label->size - n);
	add_text(p, "\"");
}

static void add_json(struct printer *p, const char *text)
{
	struct chrome *c = p->state;
	size_t room = (strlen(text) + 1) * JSON_MAX;

	if (room > c->room) {
		c->buffer = xrealloc(c->buffer, room, 1);
		c->room = room;
	}
	output_add(p->output, c->buffer, put_json(c->buffer, text, ESCAPE_NAME));
}

static void add_names_note(struct printer *p, const struct chrome_thread *t, uint64_t ts,
			   const char *what)
{
	add_thread_head(p, 'M', t, ts);
	add_text(p, what);
	add_text(p, "\",\"args\":{\"name\":\"");
}

static void name_process(struct printer *p, struct chrome_thread *main, uint64_t ts)
{
	struct chrome *c = p->state;

	if (!main || !main->command || main->named_part == c->part)
		return;
	main->named_part = c->part;
	add_names_note(p, main, ts, "process_name");
	add_text(p, main->command->text);
	add_text(p, "\"}}");
}

/* Once in each file: with a thread's first event, and only then, its name, and that of
 * its process. */
static void name_thread(struct printer *p, struct chrome_thread *t, uint64_t ts)
{
	struct chrome *c = p->state;
	char text[EVENT_MAX];

	if (t->part == c->part)
		return;
	t->part = c->part;
	name_process(p, (struct chrome_thread *)threads_find(c->threads, t->thread.pid),
		     ts);
	add_names_note(p, t, ts, "thread_name");
	if (t->comm[0]) {
		add_json(p, t->comm);
	} else {
		*digits_put(stpcpy(text, "thread "), t->thread.tid) = '\0';
		add_text(p, text);
	}
	add_text(p, "\"}}");
}

static void command_put(struct command *command)
{
	if (command && !--command->users)
		free(command);
}

static void drop(struct thread *thread)
{
	struct chrome_thread *t = (struct chrome_thread *)thread;

	free(t->calls);
	command_put(t->command);
}

static bool tidy(struct thread *thread, void *arg)
{
	struct chrome_thread *t = (struct chrome_thread *)thread;

	(void)arg;
	if (!t->depth) {
		free(t->calls);
		t->calls = NULL;
		t->room = 0;
	}
	return false;
}

static void pop(struct chrome *c, struct chrome_thread *t)
{
	c->open--;
	c->open_bytes -= t->calls[--t->depth].label->size;
}

static void forget_thread(struct chrome *c, struct chrome_thread *t)
{
	while (t->depth)
		pop(c, t);
	threads_remove(c->threads, t->thread.tid);
}

/* Nobody tells that a thread is over: what is kept of it is small, and goes when its
 * number is another one's. */
static struct chrome_thread *thread_of(struct chrome *c, uint32_t tid, uint32_t pid)
{
	struct chrome_thread *t = (struct chrome_thread *)threads_find(c->threads, tid);

	if (t && t->thread.pid == pid)
		return t;
	if (t)
		forget_thread(c, t);
	if (++c->made >= MANY_THREADS) {
		threads_sweep(c->threads, tidy, NULL);
		c->made = 0;
	}
	t = (struct chrome_thread *)threads_get(c->threads, tid, pid);
	t->since = FIRST;
	t->outer = UINT64_MAX;
	return t;
}

/* The time of a thread's next event: later than that of the last one. What ends at once
 * with what it called ends a nanosecond after it. */
static uint64_t stamp(struct chrome *c, struct chrome_thread *t, uint64_t at)
{
	uint64_t ts = at + FIRST;

	t->last = ts > t->last ? ts : t->last + 1;
	if (t->last > c->last)
		c->last = t->last;
	return t->last;
}

static void push(struct chrome *c, struct chrome_thread *t, const struct print_event *e,
		 const struct label *label)
{
	if (t->depth == t->room) {
		t->room = t->room ? t->room * 2 : FIRST_ROOM;
		t->calls = xrealloc(t->calls, t->room, sizeof(*t->calls));
	}
	t->calls[t->depth++] = (struct call){ label, e->task, e->line };
	c->open++;
	c->open_bytes += label->size;
}

static void add_task(struct printer *p, uint64_t task, const char *name)
{
	char text[EVENT_MAX], *t = digits_put_hex(stpcpy(text, ",\"task\":\""), task);

	*t++ = '"';
	output_add(p->output, text, t - text);
	if (!name)
		return;
	add_text(p, ",\"task_name\":\"");
	add_json(p, name);
	add_text(p, "\"");
}

/* What is around them from before the trace is not known yet. */
static bool is_deep(const struct chrome_thread *t, uint32_t depth)
{
	return depth + t->inherited >= DEEP;
}

static char *put_deep(char *out, uint32_t depth)
{
	return stpcpy(digits_put(stpcpy(out, "\",\"cat\":\"python,depth "), depth),
		      "\",");
}

static void add_begin(struct printer *p, const struct chrome_thread *t, uint64_t ts,
		      uint32_t depth)
{
	const struct call *call = &t->calls[depth];
	char text[EVENT_MAX], *s = text;

	add_thread_head(p, 'B', t, ts);
	add_func(p, call->label);
	s = is_deep(t, depth) ? put_deep(s, depth) : stpcpy(s, "\",\"cat\":\"python\",");
	output_add(p->output, text, s - text);
	add_file(p, call->label);
	s = digits_put_line(stpcpy(text, ",\"line\":"), call->line);
	output_add(p->output, text, s - text);
}

static void enter(struct printer *p, struct chrome_thread *t, const struct print_event *e)
{
	struct chrome *c = p->state;

	push(c, t, e, label_of(p, e->name));
	add_begin(p, t, stamp(c, t, e->at), t->depth - 1);
	if (e->task)
		add_task(p, e->task, e->task_name);
	add_text(p, "}}");
}

static void add_end(struct printer *p, const struct chrome_thread *t, uint64_t ts,
		    uint32_t depth)
{
	char text[EVENT_MAX], *s = text;

	add_thread_head(p, 'E', t, ts);
	add_func(p, t->calls[depth].label);
	s = is_deep(t, depth) ? put_deep(s, depth) : stpcpy(s, "\",");
	s = stpcpy(s, "\"args\":{");
	output_add(p->output, text, s - text);
}

/* Where and how a call was left; an end that was not seen has no line. */
static char *put_exit(char *out, const struct print_event *e)
{
	if (e->exit != PRINT_UNSEEN)
		out = digits_put_line(stpcpy(out, ",\"exit_line\":"), e->line);
	return stpcpy(out, exits[e->exit]);
}

static void leave(struct printer *p, struct chrome_thread *t, const struct print_event *e)
{
	struct chrome *c = p->state;
	char text[EVENT_MAX], *s = put_exit(text, e);

	add_end(p, t, stamp(c, t, e->at), t->depth - 1);
	output_add(p->output, text + 1, s - text - 1); /* without the first comma */
	add_text(p, "}}");
	pop(c, t);
}

/* A call whose beginning was elsewhere. */
static void leave_whole(struct printer *p, struct chrome_thread *t,
			const struct print_event *e, uint64_t begin, const char *why)
{
	const struct label *label = label_of(p, e->name);
	uint64_t end = stamp(p->state, t, e->at);
	char text[EVENT_MAX], *s = put_exit(text, e);

	begin = begin < end ? begin : end;
	begin = begin < t->outer ? begin : t->outer;
	t->outer = begin ? begin - 1 : 0;
	add_thread_head(p, 'X', t, t->outer);
	add_func(p, label);
	s = put_micros(stpcpy(stpcpy(s, why), "},\"dur\":"), end - t->outer);
	*s++ = '}';
	add_text(p, "\",\"cat\":\"python\",");
	add_file(p, label);
	output_add(p->output, text, s - text);
}

/* A call whose beginning was lost: nobody knows where it would be. */
static void leave_unknown(struct printer *p, struct chrome_thread *t,
			  const struct print_event *e)
{
	const struct label *label = label_of(p, e->name);
	char text[EVENT_MAX], *s = put_exit(text, e);

	add_thread_head(p, 'i', t, stamp(p->state, t, e->at));
	add_func(p, label);
	add_text(p, "\",\"s\":\"t\",\"cat\":\"python\",");
	add_file(p, label);
	s = stpcpy(s, ",\"began\":\"not seen\"}}");
	output_add(p->output, text, s - text);
}

static void leave_inherited(struct printer *p, struct chrome_thread *t,
			    const struct print_event *e)
{
	uint64_t begin = e->at + FIRST - e->elapsed;

	if (t->inherited)
		t->inherited--;
	leave_whole(p, t, e, begin, ",\"inherited\":true");
}

/* What is around it was there earlier still, so this is the outermost. */
static bool is_from_before(const struct chrome *c, const struct chrome_thread *t,
			   const struct print_event *e)
{
	return !e->is_timed && !e->depth && !t->depth && !c->is_command && !c->has_lost;
}

static void event(struct printer *p, const struct print_event *e)
{
	struct chrome *c = p->state;
	struct chrome_thread *t = thread_of(c, e->tid, e->pid);

	name_thread(p, t, e->at + FIRST);
	if (e->kind == PRINT_ENTER)
		enter(p, t, e);
	else if (e->is_inherited)
		leave_inherited(p, t, e);
	else if (e->is_timed && t->depth)
		leave(p, t, e);
	else if (is_from_before(c, t, e))
		leave_whole(p, t, e, t->since, ",\"began\":\"before the trace\"");
	else
		leave_unknown(p, t, e);
}

/* The program without its folder, and its arguments. */
static char *command_line(const struct print_note *n)
{
	const char *slash;
	size_t skip;

	if (!n->args_size)
		return xstrdup(n->comm);
	slash = memrchr(n->args, '/', strnlen(n->args, n->args_size));
	skip = slash ? slash + 1 - n->args : 0;
	return words_join(n->args + skip, n->args_size - skip);
}

/* As much of it as fits in COMMAND_MAX bytes, whole characters. */
static struct command *make_command(const struct print_note *n)
{
	char *line = command_line(n);
	char *safe = xcalloc(strlen(line) + 1, ESCAPE_MAX);
	size_t size = escape(safe, line, ESCAPE_MESSAGE);
	bool is_cut = n->is_cut || size > COMMAND_MAX;
	struct command *command =
		xcalloc(1, sizeof(*command) + 2 * COMMAND_MAX + sizeof("..."));

	if (size > COMMAND_MAX)
		for (size = COMMAND_MAX; (safe[size] & 0xc0) == 0x80;)
			size--;
	command->users = 1;
	size = put_quoted(command->text, safe, size);
	if (is_cut)
		strcpy(command->text + size, "...");
	free(safe);
	free(line);
	return command;
}

static void set_command(struct printer *p, struct chrome_thread *main,
			struct command *command, uint64_t ts)
{
	command_put(main->command);
	main->command = command;
	main->named_part = 0;
	name_process(p, main, ts);
}

static void add_instant(struct printer *p, const char *scope, const char *args)
{
	add_text(p, "\",\"s\":\"");
	add_text(p, scope);
	add_text(p, "\",\"cat\":\"pyflow\",\"args\":{");
	add_text(p, args);
	add_text(p, "}}");
}

static void note_exec(struct printer *p, const struct print_note *n)
{
	struct chrome_thread *main = thread_of(p->state, n->pid, n->pid);

	set_command(p, main, make_command(n), n->at + FIRST);
	if (n->kind == PRINT_RUNS)
		return;
	add_head(p, 'i', n->pid, n->tid, n->at + FIRST);
	add_text(p, "exec\",\"s\":\"p\",\"cat\":\"pyflow\",\"args\":{\"command\":\"");
	add_text(p, main->command->text);
	add_text(p, "\"}}");
}

static void note_fork(struct printer *p, const struct print_note *n)
{
	struct chrome *c = p->state;
	struct chrome_thread *parent, *main, *child;
	char text[EVENT_MAX];

	add_head(p, 'i', n->pid, n->tid, n->at + FIRST);
	*digits_put(stpcpy(text, "\"child\":"), n->child) = '\0';
	add_text(p, "fork");
	add_instant(p, "p", text);
	child = (struct chrome_thread *)threads_find(c->threads, n->child);
	if (n->child == n->tid || n->child == n->pid)
		return;
	if (child)
		forget_thread(c, child);
	child = thread_of(c, n->child, n->child);
	child->since = n->at + FIRST;
	parent = (struct chrome_thread *)threads_find(c->threads, n->tid);
	if (parent)
		child->inherited = parent->depth + parent->inherited;
	main = (struct chrome_thread *)threads_find(c->threads, n->pid);
	if (!main || !main->command)
		return;
	main->command->users++;
	set_command(p, child, main->command, n->at + FIRST);
}

static void note_thread(struct printer *p, const struct print_note *n)
{
	struct chrome_thread *t = thread_of(p->state, n->tid, n->pid);

	memset(t->comm, 0, sizeof(t->comm));
	memcpy(t->comm, n->comm, strnlen(n->comm, sizeof(t->comm) - 1));
	t->part = 0;
}

static void note(struct printer *p, const struct print_note *n)
{
	if (n->kind == PRINT_FORK)
		note_fork(p, n);
	else if (n->kind == PRINT_THREAD)
		note_thread(p, n);
	else
		note_exec(p, n);
}

static void lost(struct printer *p, const struct print_lost *l)
{
	struct chrome *c = p->state;
	char text[EVENT_MAX];

	c->has_lost = true;
	add_head(p, 'i', c->pid, c->pid, l->at + FIRST);
	*stpcpy(digits_put(text, l->count), " events lost") = '\0';
	add_text(p, text);
	add_instant(p, "g", "");
}

/* Calls that are open go on in this file; those inherited or from before the trace are
 * whole in the one that they end in. */
static bool reopen(struct thread *thread, void *arg)
{
	struct chrome_thread *t = (struct chrome_thread *)thread;
	struct printer *p = arg;
	struct chrome *c = p->state;

	if (t->depth)
		name_thread(p, t, c->base);
	for (uint32_t i = 0; i < t->depth; i++) {
		add_begin(p, t, stamp(c, t, c->base - FIRST), i);
		if (t->calls[i].task)
			add_task(p, t->calls[i].task, NULL);
		add_text(p, ",\"continued\":true}}");
	}
	return false;
}

/* ... and end in this one, not with the last record there is, which may still be unread,
 * but with the last that was. */
static bool suspend(struct thread *thread, void *arg)
{
	struct chrome_thread *t = (struct chrome_thread *)thread;
	struct printer *p = arg;
	struct chrome *c = p->state;

	for (uint32_t i = t->depth; i--;) {
		add_end(p, t, stamp(c, t, c->base - FIRST), i);
		add_text(p, "\"goes_on\":true}}");
	}
	return false;
}

static struct chrome *new_state(const struct print_begin *b)
{
	struct chrome *c = xcalloc(1, sizeof(*c));

	c->threads = threads_new(sizeof(struct chrome_thread), drop);
	c->pid = b->count ? b->pids[0] : 0;
	c->last = FIRST;
	c->is_command = b->argv != NULL;
	return c;
}

/* "time": ns since 1970, more than JSON's readers can tell from others, so a string. */
static void begin(struct printer *p, const struct print_begin *b)
{
	char text[EVENT_MAX], *t;
	struct chrome *c;

	if (!p->state)
		p->state = new_state(b);
	c = p->state;
	c->part = b->part + 1;
	c->base = c->last;
	t = digits_put(stpcpy(text, "[\n{\"ph\":\"i\",\"pid\":"), c->pid);
	t = digits_put(stpcpy(t, ",\"tid\":"), c->pid);
	t = put_micros(stpcpy(t, ",\"ts\":"), c->last);
	t = stpcpy(t, ",\"name\":\"");
	output_add(p->output, text, t - text);
	add_text(p, b->part ? "file begins" : "trace begins");
	t = digits_put(stpcpy(text, "\"time\":\""), b->time + c->last - FIRST);
	t = digits_put(stpcpy(t, "\",\"part\":"), b->part);
	*t = '\0';
	add_instant(p, "g", text);
	if (b->part)
		threads_sweep(c->threads, reopen, p);
}

static void end(struct printer *p, const struct print_totals *t)
{
	struct chrome *c = p->state;
	char text[EVENT_MAX], *s;
	uint64_t ts;

	c->base = c->last;
	if (t->goes_on)
		threads_sweep(c->threads, suspend, p);
	ts = t->at + FIRST > c->last ? t->at + FIRST : c->last;
	add_head(p, 'i', c->pid, c->pid, ts);
	add_text(p, t->goes_on ? "file ends" : "trace ends");
	s = digits_put(stpcpy(text, "\"events\":"), t->events);
	*digits_put(stpcpy(s, ",\"lost\":"), t->lost) = '\0';
	add_instant(p, "g", text);
	add_text(p, "\n]\n");
}

static size_t tail(struct printer *p)
{
	const struct chrome *c = p->state;

	return 2 * EVENT_MAX + c->open * END_MAX + c->open_bytes;
}

static void free_state(struct printer *p)
{
	struct chrome *c = p->state;

	if (!c)
		return;
	threads_free(c->threads);
	free(c->buffer);
	free(c);
}

const struct print_ops print_chrome = {
	.name = "chrome",
	.begin = begin,
	.event = event,
	.note = note,
	.lost = lost,
	.end = end,
	.tail = tail,
	.free_state = free_state,
	.wants_notes = true,
};

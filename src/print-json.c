// SPDX-License-Identifier: GPL-2.0-or-later
/* A JSON object for each call, return, note and loss, one per line: pyflow-json(5).
 *
 * Each record begins with its type, so that all other fields are made with a comma in
 * front of them, in whatever order. */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "digits.h"
#include "escape.h"
#include "print.h"
#include "xalloc.h"

enum {
	SCHEMA = 1,	/* changes when a reader of the one before would be wrong */
	STRING_MAX = 6, /* bytes that one byte of a string may become, as in \u00ad */
	FIXED = 512,	/* more than all fields of a record but strings and lists */
};

/* What is written next. */
struct text {
	char *text;
	size_t size, room;
};

struct state {
	struct text text; /* kept: nothing is allocated for each event */
	size_t open;	  /* bytes that the ends of all open calls may come to */
};

static const char *const exits[] = {
	[PRINT_RETURNED] = ",\"exit\":\"returned\"",
	[PRINT_RAISED] = ",\"exit\":\"raised\"",
	[PRINT_YIELDED] = ",\"exit\":\"yielded\"",
	[PRINT_UNSEEN] = ",\"exit\":\"unseen\"",
};

static const char *const notes[] = {
	[PRINT_RUNS] = "{\"type\":\"runs\"",
	[PRINT_EXEC] = "{\"type\":\"exec\"",
	[PRINT_FORK] = "{\"type\":\"fork\"",
	[PRINT_THREAD] = "{\"type\":\"thread\"",
};

static const char hex[] = "0123456789abcdef";

/* Where the text goes on; there is room for size bytes more. */
static char *reserve(struct text *t, size_t size)
{
	if (t->room - t->size < size) {
		t->room = t->size + size > t->room * 2 ? t->size + size : t->room * 2;
		t->text = xrealloc(t->text, t->room, 1);
	}
	return t->text + t->size;
}

static void end_at(struct text *t, const char *end)
{
	t->size = end - t->text;
}

static void add_plain(struct text *t, const char *plain)
{
	end_at(t, stpcpy(reserve(t, strlen(plain) + 1), plain));
}

static char *put_field(char *out, const char *name, uint64_t value)
{
	return digits_put(stpcpy(out, name), value);
}

/* An unsigned number of 64 bits is more than what many readers' numbers hold. */
static char *put_task(char *out, uint64_t task)
{
	out = digits_put_hex(stpcpy(out, ",\"task\":\""), task);
	*out++ = '"';
	return out;
}

static char *put_unit(char *out, unsigned int unit)
{
	*out++ = '\\';
	*out++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*out++ = hex[unit >> shift & 15];
	return out;
}

/* A character by its number: in two halves, as UTF-16 has it, if that has five digits. */
static char *put_escaped(char *out, uint32_t c)
{
	if (c < 0x10000)
		return put_unit(out, c);
	out = put_unit(out, 0xd800 + ((c - 0x10000) >> 10));
	return put_unit(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
}

/* The n bytes of the character c at s, if there are any, else that of one byte that is
 * none. */
static char *put_char(char *out, const char *s, size_t n, uint32_t c, bool is_safe)
{
	if (!n)
		return stpcpy(out, "\xef\xbf\xbd"); /* U+FFFD */
	if (!is_safe)
		return put_escaped(out, c);
	if (c == '"' || c == '\\')
		*out++ = '\\';
	memcpy(out, s, n);
	return out + n;
}

/* A string. False if not all of it is UTF-8: then it can not be told from what is there.
 */
static bool add_string(struct text *t, const char *s, size_t size)
{
	char *out = reserve(t, size * STRING_MAX + 2);
	bool is_exact = true;

	*out++ = '"';
	while (size) {
		uint32_t c;
		bool is_safe;
		size_t n = escape_look(s, size, &c, &is_safe);

		out = put_char(out, s, n, c, is_safe);
		is_exact = is_exact && n;
		s += n ? n : 1;
		size -= n ? n : 1;
	}
	*out++ = '"';
	end_at(t, out);
	return is_exact;
}

static void add_hex(struct text *t, const char *s, size_t size)
{
	char *out = reserve(t, size * 2 + 2);

	*out++ = '"';
	for (size_t i = 0; i < size; i++) {
		*out++ = hex[(unsigned char)s[i] >> 4];
		*out++ = hex[s[i] & 15];
	}
	*out++ = '"';
	end_at(t, out);
}

static void add_key(struct text *t, const char *name, const char *suffix)
{
	char *out = reserve(t, strlen(name) + strlen(suffix) + 5);

	out = stpcpy(out, ",\"");
	out = stpcpy(out, name);
	out = stpcpy(out, suffix);
	end_at(t, stpcpy(out, "\":"));
}

/* A field that is a string, and one with its bytes if need be. */
static void add_text(struct text *t, const char *name, const char *s)
{
	size_t size = strlen(s);

	add_key(t, name, "");
	if (add_string(t, s, size))
		return;
	add_key(t, name, "_hex");
	add_hex(t, s, size);
}

/* Words, each with a NUL, which the last may lack. */
static bool add_words(struct text *t, const char *words, size_t size, bool as_hex)
{
	bool is_exact = true;

	add_plain(t, "[");
	for (size_t n; size; words += n, size -= n) {
		n = strnlen(words, size);
		if (as_hex)
			add_hex(t, words, n);
		else if (!add_string(t, words, n))
			is_exact = false;
		n += n < size;
		add_plain(t, n < size ? "," : "");
	}
	add_plain(t, "]");
	return is_exact;
}

static void add_list(struct text *t, const char *name, const char *words, size_t size)
{
	add_key(t, name, "");
	if (add_words(t, words, size, false))
		return;
	add_key(t, name, "_hex");
	add_words(t, words, size, true);
}

/* Write the record, and forget it. */
static void finish(struct printer *p, struct text *t)
{
	add_plain(t, "}\n");
	output_add(p->output, t->text, t->size);
	free(t->text);
}

/* RFC 3339, with all digits. */
static void add_start(struct text *t, uint64_t time)
{
	time_t second = time / 1000000000;
	uint32_t part = time % 1000000000;
	char *out = reserve(t, FIXED);
	struct tm tm;

	gmtime_r(&second, &tm);
	out += strftime(out, 64, ",\"start\":\"%Y-%m-%dT%H:%M:%S.", &tm);
	for (int i = 8; i >= 0; i--, part /= 10)
		out[i] = '0' + part % 10;
	out = put_field(out + 9, "Z\",\"start_ns\":\"", time);
	end_at(t, stpcpy(out, "\""));
}

static void add_pids(struct text *t, const struct print_begin *b)
{
	add_plain(t, ",\"pids\":[");
	for (size_t i = 0; i < b->count; i++) {
		char *out = reserve(t, FIXED);

		end_at(t, put_field(out, i ? "," : "", b->pids[i]));
	}
	add_plain(t, "]");
}

static void add_argv(struct text *t, char *const *argv)
{
	struct text words = { 0 };

	for (; *argv; argv++) {
		size_t size = strlen(*argv) + 1;

		memcpy(reserve(&words, size), *argv, size);
		words.size += size;
	}
	add_list(t, "argv", words.text, words.size);
	free(words.text);
}

static void begin(struct printer *p, const struct print_begin *b)
{
	struct text t = { 0 };
	char *out = reserve(&t, FIXED);

	if (!p->state)
		p->state = xcalloc(1, sizeof(struct state));
	reserve(&((struct state *)p->state)->text, FIXED);
	out = put_field(out, "{\"type\":\"header\",\"schema\":", SCHEMA);
	end_at(&t, stpcpy(out, ",\"pyflow\":\"" VERSION "\""));
	add_start(&t, b->time);
	add_pids(&t, b);
	if (b->argv)
		add_argv(&t, b->argv);
	if (b->part)
		end_at(&t, put_field(reserve(&t, FIXED), ",\"part\":", b->part));
	finish(p, &t);
}

static struct label make_label(const struct name *name)
{
	struct text t = { 0 };

	add_text(&t, "file", name->file);
	add_text(&t, "func", name->func);
	if (name->qualname)
		add_text(&t, "qualname", name->qualname);
	return (struct label){ xrealloc(t.text, t.size, 1), t.size };
}

/* The fields that are the same for each event of a name. */
static const struct label *get_label(struct printer *p, struct name *name)
{
	static const char nulls[] = ",\"file\":null,\"func\":null";
	static const struct label unknown = { (char *)nulls, sizeof(nulls) - 1 };
	struct label *label = name ? &name->labels[p->label] : NULL;

	if (!name)
		return &unknown;
	if (!label->text)
		*label = make_label(name);
	return label;
}

static char *put_place(char *out, uint64_t at, uint32_t pid, uint32_t tid, uint16_t cpu)
{
	out = put_field(out, ",\"ts\":", at);
	out = put_field(out, ",\"pid\":", pid);
	out = put_field(out, ",\"tid\":", tid);
	return put_field(out, ",\"cpu\":", cpu);
}

static char *put_exit(char *out, const struct print_event *e)
{
	out = stpcpy(out, exits[e->exit]);
	if (e->is_timed) {
		out = put_field(out, ",\"elapsed\":", e->elapsed);
		out = put_field(out, ",\"self\":", e->self);
	}
	return e->is_inherited ? stpcpy(out, ",\"inherited\":true") : out;
}

/* Each call that is begun is ended, even in a file that is full. */
static void count_open(struct state *s, const struct print_event *e, size_t label)
{
	size_t size = FIXED + label;

	if (e->kind == PRINT_ENTER)
		s->open += size;
	else if (e->is_timed && !e->is_inherited)
		s->open -= size < s->open ? size : s->open;
}

static void event(struct printer *p, const struct print_event *e)
{
	const struct label *label = get_label(p, e->name);
	bool enters = e->kind == PRINT_ENTER;
	struct state *s = p->state;
	struct text *t = &s->text;
	char *out = t->text;

	count_open(s, e, label->size);
	out = stpcpy(out, enters ? "{\"type\":\"enter\"" : "{\"type\":\"leave\"");
	out = put_place(out, e->at, e->pid, e->tid, e->cpu);
	out = put_field(out, ",\"depth\":", e->depth);
	output_add(p->output, t->text, out - t->text);
	output_add(p->output, label->text, label->size);
	out = digits_put_line(stpcpy(t->text, ",\"line\":"), e->line);
	if (!enters)
		out = put_exit(out, e);
	if (e->task)
		out = put_task(out, e->task);
	end_at(t, out);
	if (e->task_name)
		add_text(t, "task_name", e->task_name);
	add_plain(t, "}\n");
	output_add(p->output, t->text, t->size);
	t->size = 0;
}

static void note(struct printer *p, const struct print_note *n)
{
	struct text t = { 0 };
	char *out = stpcpy(reserve(&t, FIXED), notes[n->kind]);

	out = put_place(out, n->at, n->pid, n->tid, n->cpu);
	if (n->kind == PRINT_FORK)
		out = put_field(out, ",\"child\":", n->child);
	end_at(&t, out);
	if (n->kind != PRINT_FORK)
		add_text(&t, "comm", n->comm);
	if (n->kind == PRINT_RUNS || n->kind == PRINT_EXEC)
		add_list(&t, "args", n->args, n->args_size);
	if (n->is_cut)
		add_plain(&t, ",\"cut\":true");
	finish(p, &t);
}

static void lost(struct printer *p, const struct print_lost *l)
{
	struct text t = { 0 };
	char *out = reserve(&t, FIXED);

	out = put_field(out, "{\"type\":\"lost\",\"ts\":", l->at);
	end_at(&t, put_field(out, ",\"count\":", l->count));
	finish(p, &t);
}

/* How the command ended, if that is known. */
static char *put_status(char *out, int status)
{
	if (status != -1 && WIFEXITED(status))
		return put_field(out, ",\"status\":", WEXITSTATUS(status));
	if (status != -1 && WIFSIGNALED(status))
		return put_field(out, ",\"signal\":", WTERMSIG(status));
	return out;
}

static void end(struct printer *p, const struct print_totals *totals)
{
	struct text t = { 0 };
	char *out = reserve(&t, FIXED);

	out = put_field(out, "{\"type\":\"totals\",\"ts\":", totals->at);
	out = put_field(out, ",\"events\":", totals->events);
	out = put_field(out, ",\"lost\":", totals->lost);
	out = put_field(out, ",\"unread\":", totals->unread);
	out = put_field(out, ",\"odd\":", totals->odd);
	out = put_field(out, ",\"orphans\":", totals->orphans);
	out = put_field(out, ",\"untraced\":", totals->untraced);
	out = put_field(out, ",\"unheld\":", totals->unheld);
	out = put_status(out, totals->status);
	end_at(&t, totals->goes_on ? stpcpy(out, ",\"continues\":true") : out);
	finish(p, &t);
}

static size_t tail(struct printer *p)
{
	const struct state *s = p->state;

	return FIXED + s->open;
}

static void free_state(struct printer *p)
{
	struct state *s = p->state;

	if (s)
		free(s->text.text);
	free(s);
}

const struct print_ops print_json = {
	.name = "json",
	.begin = begin,
	.event = event,
	.note = note,
	.lost = lost,
	.end = end,
	.tail = tail,
	.free_state = free_state,
	.wants_notes = true,
};

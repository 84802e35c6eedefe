// SPDX-License-Identifier: GPL-2.0-or-later
/* The ancestor's format: a line for each call and return, two spaces for each level. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "escape.h"
#include "print.h"
#include "words.h"
#include "xalloc.h"

enum { INDENT_CHUNK = 64, COLUMNS = 96, MAX_INDENT = 1024 };

static const char *const exits[] = {
	[PRINT_RETURNED] = "",
	[PRINT_RAISED] = " (raised)",
	[PRINT_YIELDED] = " (yielded)",
	[PRINT_UNSEEN] = "",
};

/* The start of a line's time, which is the same for a second. */
struct clock {
	int64_t second;
	char text[16];
};

static void add_text(struct printer *p, const char *text)
{
	output_add(p->output, text, strlen(text));
}

static void begin(struct printer *p, const struct print_begin *b)
{
	char text[160];

	if (!p->state)
		p->state = xcalloc(1, sizeof(struct clock));
	add_text(p, "Tracing function calls in process");
	for (size_t i = 0; i < b->count; i++) {
		snprintf(text, sizeof(text), "%s%d",
			 !i ? b->count > 1 ? "es " : " " : ", ", (int)b->pids[i]);
		add_text(p, text);
	}
	snprintf(text, sizeof(text), "... Ctrl-C to quit.\n%-15s %-3s %-7s %-7s %s\n",
		 "TIME", "CPU", "PID", "TID", "FILE:FUNC:LINE");
	add_text(p, text);
}

/* Decimal digits, then spaces up to the width. */
static char *put_number(char *out, uint32_t value, int width)
{
	char digits[10], *start = out;
	int n = 0;

	do
		digits[n++] = '0' + value % 10;
	while (value /= 10);
	while (n)
		*out++ = digits[--n];
	while (out - start < width)
		*out++ = ' ';
	return out;
}

/* HH:MM:SS.uuuuuu, local time. */
static char *put_time(struct printer *p, char *out, uint64_t time)
{
	struct clock *c = p->state;
	int64_t second = time / 1000000000;
	uint32_t micros = time / 1000 % 1000000;

	if (second != c->second || !c->text[0]) {
		time_t t = second;
		struct tm tm;

		localtime_r(&t, &tm);
		strftime(c->text, sizeof(c->text), "%H:%M:%S.", &tm);
		c->second = second;
	}
	memcpy(out, c->text, 9);
	for (int i = 14; i > 8; i--, micros /= 10)
		out[i] = '0' + micros % 10;
	return out + 15;
}

/* Two spaces for each level. A recursion that is deeper than Python lets it be by default
 * would fill disks with them: there, the level is given as a number. */
static void put_indent(struct output *o, unsigned int depth)
{
	static const char spaces[] = "                                "
				     "                                ";
	size_t n = (size_t)depth * 2;
	char level[16];

	if (depth > MAX_INDENT) {
		output_add(o, level, snprintf(level, sizeof(level), "[%u] ", depth));
		return;
	}
	for (; n > INDENT_CHUNK; n -= INDENT_CHUNK)
		output_add(o, spaces, INDENT_CHUNK);
	output_add(o, spaces, n);
}

static void put_columns(struct printer *p, uint64_t time, uint16_t cpu, uint32_t pid,
			uint32_t tid)
{
	char text[COLUMNS], *t = put_time(p, text, time);

	*t++ = ' ';
	t = put_number(t, cpu, 3);
	*t++ = ' ';
	t = put_number(t, pid, 7);
	*t++ = ' ';
	t = put_number(t, tid, 7);
	*t++ = ' ';
	output_add(p->output, text, t - text);
}

static void event(struct printer *p, const struct print_event *e)
{
	const struct label *label = print_label(p, e->name);
	char text[COLUMNS], *t;

	if (e->exit == PRINT_UNSEEN)
		return;
	put_columns(p, e->time, e->cpu, e->pid, e->tid);
	put_indent(p->output, e->depth);
	output_add(p->output, e->kind == PRINT_ENTER ? "=>  " : "<=  ", 4);
	output_add(p->output, label->text, label->size);
	/* A code object without a line has -1. */
	t = (int32_t)e->line < 0 ? stpcpy(text, "-1") : put_number(text, e->line, 0);
	t = stpcpy(t, exits[e->exit]);
	*t++ = '\n';
	output_add(p->output, text, t - text);
}

/* The command line as one would type it; the command's name if there is none. */
static void put_command(struct printer *p, const struct print_note *n)
{
	char *line = n->args_size ? words_join(n->args, n->args_size) : xstrdup(n->comm);
	char *safe = xcalloc(strlen(line) + 1, ESCAPE_MAX);

	output_add(p->output, safe, escape(safe, line, ESCAPE_MESSAGE));
	add_text(p, n->is_cut ? " (and more)" : "");
	free(safe);
	free(line);
}

static void note(struct printer *p, const struct print_note *n)
{
	static const char *const words[] = {
		[PRINT_RUNS] = "... runs ",
		[PRINT_EXEC] = "... exec ",
		[PRINT_FORK] = "... fork ",
	};
	char number[16];

	if (!p->options->notes || n->kind == PRINT_THREAD)
		return;
	put_columns(p, n->time, n->cpu, n->pid, n->tid);
	add_text(p, words[n->kind]);
	if (n->kind == PRINT_FORK) {
		*put_number(number, n->child, 0) = '\0';
		add_text(p, number);
	} else {
		put_command(p, n);
	}
	add_text(p, " ...\n");
}

static void lost(struct printer *p, const struct print_lost *l)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "... %llu events lost ...\n",
			 (unsigned long long)l->count);

	output_add(p->output, text, n);
}

static void free_state(struct printer *p)
{
	free(p->state);
}

const struct print_ops print_text = {
	.name = "text",
	.begin = begin,
	.event = event,
	.note = note,
	.lost = lost,
	.free_state = free_state,
};

// SPDX-License-Identifier: GPL-2.0-or-later
/* What text and graph have in common: the columns in front of the tree, the lines that
 * are no calls, and how lines look. Each column is one word, so that awk can count them.
 */
#include <config.h>

#include "print-columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "digits.h"
#include "escape.h"
#include "words.h"
#include "xalloc.h"

enum {
	INDENT_CHUNK = 64,
	TIME_WIDTH = 15,
	TASK_WIDTH = 12,
	TASK_BYTES = TASK_WIDTH * 4, /* so many make its characters, whatever they are */
	DURATION_WIDTH = 14,
};

struct columns {
	unsigned int shown; /* enum print_column */
	enum print_time clock;
	bool color, has_marks;
	bool has_last;
	uint64_t last;	/* microseconds: the time of the line before */
	int64_t second; /* whose start of a line's time this is */
	char text[16];
};

/* Negative: to the right. */
static const struct heading {
	enum print_column column;
	const char *text;
	int width;
} headings[] = {
	{ PRINT_TIME, "TIME", TIME_WIDTH },
	{ PRINT_CPU, "CPU", 3 },
	{ PRINT_PID, "PID", 7 },
	{ PRINT_TID, "TID", 7 },
	{ PRINT_TASK, "TASK", TASK_WIDTH },
	{ PRINT_DURATION, "DURATION", -DURATION_WIDTH },
};

static const char *const looks[] = {
	[LOOK_PLAIN] = "",	 [LOOK_RAISED] = "\033[31m", [LOOK_YIELDED] = "\033[36m",
	[LOOK_NOTE] = "\033[2m", [LOOK_LOST] = "\033[1;31m", [LOOK_HEADING] = "\033[1m",
};

/* A duration longer than this has the sign: those of the kernel's function_graph. */
static const struct mark {
	uint64_t above; /* ns */
	char sign;
} marks[] = {
	{ 1000000000, '$' }, { 100000000, '@' }, { 10000000, '*' },
	{ 1000000, '#' },    { 100000, '!' },	 { 10000, '+' },
};

static void add_text(struct printer *p, const char *text)
{
	output_add(p->output, text, strlen(text));
}

struct columns *columns_new(const struct printer *p, unsigned int usual, bool has_marks)
{
	struct columns *c = xcalloc(1, sizeof(*c));

	c->shown = p->options->columns ? p->options->columns : usual;
	c->clock = p->options->clock;
	c->color = p->color;
	c->has_marks = has_marks;
	return c;
}

void columns_free(struct columns *c)
{
	free(c);
}

static char *put_look(const struct columns *c, char *out, enum look look)
{
	return c->color ? stpcpy(out, looks[look]) : out;
}

char *columns_end(const struct columns *c, char *out, enum look look)
{
	if (c->color && look != LOOK_PLAIN)
		out = stpcpy(out, "\033[m");
	*out++ = '\n';
	return out;
}

static void add_start(const struct columns *c, struct printer *p, enum look look)
{
	char text[COLUMNS_MAX];

	output_add(p->output, text, put_look(c, text, look) - text);
}

static void add_end(const struct columns *c, struct printer *p, enum look look)
{
	char text[COLUMNS_MAX];

	output_add(p->output, text, columns_end(c, text, look) - text);
}

static void add_headings(const struct columns *c, struct printer *p)
{
	char text[COLUMNS_MAX], *t = text;

	for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++) {
		const struct heading *h = &headings[i];

		if (c->shown & h->column)
			t += sprintf(t, "%*s ", -h->width, h->text);
	}
	t = stpcpy(t, "FILE:FUNC:LINE");
	output_add(p->output, text, t - text);
}

void columns_heading(struct columns *c, struct printer *p, const struct print_begin *b)
{
	char text[32];

	add_start(c, p, LOOK_HEADING);
	add_text(p, "Tracing function calls in process");
	for (size_t i = 0; i < b->count; i++) {
		snprintf(text, sizeof(text), "%s%d",
			 !i ? b->count > 1 ? "es " : " " : ", ", (int)b->pids[i]);
		add_text(p, text);
	}
	add_text(p, "... Ctrl-C to quit.");
	add_end(c, p, LOOK_HEADING);
	add_start(c, p, LOOK_HEADING);
	add_headings(c, p);
	add_end(c, p, LOOK_HEADING);
}

static char *put_spaces(char *out, int count)
{
	while (count-- > 0)
		*out++ = ' ';
	return out;
}

/* Decimal digits, then spaces up to the width. */
static char *put_number(char *out, uint32_t value, int width)
{
	char *end = digits_put(out, value);

	return put_spaces(end, width - (end - out));
}

/* Spaces up to the width, the sign, if there is one, and the number with so many of its
 * digits behind the point. */
static char *put_decimal(char *out, char sign, uint64_t value, int decimals, int width)
{
	char text[32], *end = text + sizeof(text), *t = end;

	for (; decimals; decimals--, value /= 10)
		*--t = '0' + value % 10;
	*--t = '.';
	do
		*--t = '0' + value % 10;
	while (value /= 10);
	if (sign)
		*--t = sign;
	out = put_spaces(out, width - (end - t));
	memcpy(out, t, end - t);
	return out + (end - t);
}

/* HH:MM:SS.uuuuuu, local time. Its start is the same for a second. */
static char *put_wall(struct columns *c, char *out, uint64_t time)
{
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
	for (int i = TIME_WIDTH - 1; i > 8; i--, micros /= 10)
		out[i] = '0' + micros % 10;
	return out + TIME_WIDTH;
}

/* Lines may be a little older than those in front of them: events of two CPUs, and a leaf
 * of the graph, which is known to be one when it ends. */
static char *put_delta(struct columns *c, char *out, uint64_t at)
{
	uint64_t last = c->has_last ? c->last : at;

	c->last = at;
	c->has_last = true;
	return at < last ? put_decimal(out, '-', last - at, 6, TIME_WIDTH)
			 : put_decimal(out, 0, at - last, 6, TIME_WIDTH);
}

static char *put_time(struct columns *c, char *out, const struct print_event *e)
{
	switch (c->clock) {
	case PRINT_RELATIVE:
		return put_decimal(out, 0, e->at / 1000, 6, TIME_WIDTH);
	case PRINT_DELTA:
		return put_delta(c, out, e->at / 1000);
	default:
		return put_wall(c, out, e->time);
	}
}

/* The first characters of a task's name, with no space among them. What comes in is cut
 * by bytes, behind all characters that are shown. */
static char *put_task(char *out, const char *name)
{
	char start[TASK_BYTES + 1] = "", safe[TASK_BYTES * ESCAPE_MAX];
	int width = 0;
	size_t n;

	strncat(start, name && *name ? name : "-", TASK_BYTES);
	n = escape(safe, start, ESCAPE_NAME);
	for (size_t i = 0; i < n; i++) {
		width += (safe[i] & 0xc0) != 0x80;
		if (width > TASK_WIDTH)
			break;
		*out++ = safe[i] == ' ' ? '_' : safe[i];
	}
	return put_spaces(out, TASK_WIDTH - width);
}

static char mark_of(uint64_t elapsed)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (elapsed > marks[i].above)
			return marks[i].sign;
	return 0;
}

/* Microseconds. */
static char *put_duration(const struct columns *c, char *out, const struct print_event *e)
{
	if (e->kind == PRINT_LEAVE && e->is_timed)
		return put_decimal(out, c->has_marks ? mark_of(e->elapsed) : 0,
				   e->elapsed, 3, DURATION_WIDTH);
	out = put_spaces(out, DURATION_WIDTH - 1);
	*out++ = '-';
	return out;
}

char *columns_start(struct columns *c, char *out, const struct print_event *e,
		    enum look look)
{
	out = put_look(c, out, look);
	if (c->shown & PRINT_TIME) {
		out = put_time(c, out, e);
		*out++ = ' ';
	}
	if (c->shown & PRINT_CPU) {
		out = put_number(out, e->cpu, 3);
		*out++ = ' ';
	}
	if (c->shown & PRINT_PID) {
		out = put_number(out, e->pid, 7);
		*out++ = ' ';
	}
	if (c->shown & PRINT_TID) {
		out = put_number(out, e->tid, 7);
		*out++ = ' ';
	}
	if (c->shown & PRINT_TASK) {
		out = put_task(out, e->task_name);
		*out++ = ' ';
	}
	if (c->shown & PRINT_DURATION) {
		out = put_duration(c, out, e);
		*out++ = ' ';
	}
	return out;
}

void columns_indent(struct output *o, unsigned int depth)
{
	static const char spaces[] = "                                "
				     "                                ";
	size_t n = (size_t)depth * 2;
	char level[16] = "[", *t;

	if (depth > LEVEL_MAX) {
		t = stpcpy(digits_put(level + 1, depth), "] ");
		output_add(o, level, t - level);
		return;
	}
	for (; n > INDENT_CHUNK; n -= INDENT_CHUNK)
		output_add(o, spaces, INDENT_CHUNK);
	output_add(o, spaces, n);
}

enum look columns_look(enum print_exit exit)
{
	return exit == PRINT_RAISED    ? LOOK_RAISED
	       : exit == PRINT_YIELDED ? LOOK_YIELDED
				       : LOOK_PLAIN;
}

/* The command line as one would type it; the command's name if there is none. */
static void add_command(struct printer *p, const struct print_note *n)
{
	char *line = n->args_size ? words_join(n->args, n->args_size) : xstrdup(n->comm);
	char *safe = xcalloc(strlen(line) + 1, ESCAPE_MAX);

	output_add(p->output, safe, escape(safe, line, ESCAPE_MESSAGE));
	add_text(p, n->is_cut ? " (and more)" : "");
	free(safe);
	free(line);
}

void columns_note(struct columns *c, struct printer *p, const struct print_note *n)
{
	static const char *const words[] = {
		[PRINT_RUNS] = "... runs ",
		[PRINT_EXEC] = "... exec ",
		[PRINT_FORK] = "... fork ",
	};
	const struct print_event e = {
		.kind = PRINT_ENTER,
		.time = n->time,
		.at = n->at,
		.pid = n->pid,
		.tid = n->tid,
		.cpu = n->cpu,
	};
	char text[COLUMNS_MAX];

	output_add(p->output, text, columns_start(c, text, &e, LOOK_NOTE) - text);
	add_text(p, words[n->kind]);
	if (n->kind == PRINT_FORK)
		output_add(p->output, text, digits_put(text, n->child) - text);
	else
		add_command(p, n);
	add_text(p, " ...");
	add_end(c, p, LOOK_NOTE);
}

void columns_lost(struct columns *c, struct printer *p, const struct print_lost *l)
{
	char text[64];

	snprintf(text, sizeof(text), "... %llu events lost ...",
		 (unsigned long long)l->count);
	add_start(c, p, LOOK_LOST);
	add_text(p, text);
	add_end(c, p, LOOK_LOST);
}

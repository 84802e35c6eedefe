// SPDX-License-Identifier: GPL-2.0-or-later
/* The ancestor's format: a line for each call and return, two spaces for each level. */
#include <config.h>

#include <string.h>

#include "digits.h"
#include "print-columns.h"
#include "print.h"

enum { USUAL = PRINT_TIME | PRINT_CPU | PRINT_PID | PRINT_TID };

static const char *const exits[] = {
	[PRINT_RETURNED] = "",
	[PRINT_RAISED] = " (raised)",
	[PRINT_YIELDED] = " (yielded)",
};

static void free_state(struct printer *p)
{
	columns_free(p->state);
	p->state = NULL;
}

static void begin(struct printer *p, const struct print_begin *b)
{
	if (!b->part)
		free_state(p);
	if (!p->state)
		p->state = columns_new(p, USUAL, false);
	columns_heading(p->state, p, b);
}

static void event(struct printer *p, const struct print_event *e)
{
	enum look look = columns_look(e->exit);
	const struct label *label;
	char text[COLUMNS_MAX], *t;

	if (e->exit == PRINT_UNSEEN)
		return;
	label = print_label(p, e->name);
	t = columns_start(p->state, text, e, look);
	output_add(p->output, text, t - text);
	columns_indent(p->output, e->depth);
	output_add(p->output, e->kind == PRINT_ENTER ? "=>  " : "<=  ", 4);
	output_add(p->output, label->text, label->size);
	t = digits_put_line(text, e->line);
	t = stpcpy(t, exits[e->exit]);
	t = columns_end(p->state, t, look);
	output_add(p->output, text, t - text);
}

static void note(struct printer *p, const struct print_note *n)
{
	if (p->options->notes && n->kind != PRINT_THREAD)
		columns_note(p->state, p, n);
}

static void lost(struct printer *p, const struct print_lost *l)
{
	columns_lost(p->state, p, l);
}

const struct print_ops print_text = {
	.name = "text",
	.begin = begin,
	.event = event,
	.note = note,
	.lost = lost,
	.free_state = free_state,
};

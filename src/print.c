// SPDX-License-Identifier: GPL-2.0-or-later
/* Which printer each output format has, and copies of what printers are told. */
#include <config.h>

#include "print.h"

#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

const struct print_ops *const print_formats[FORMATS] = {
	[FORMAT_TEXT] = &print_text,	 [FORMAT_GRAPH] = &print_graph,
	[FORMAT_JSON] = &print_json,	 [FORMAT_CHROME] = &print_chrome,
	[FORMAT_FOLDED] = &print_folded, [FORMAT_SUMMARY] = &print_summary,
};

struct print_note print_note_copy(const struct print_note *n)
{
	struct print_note copy = *n;

	if (n->comm)
		copy.comm = xstrdup(n->comm);
	if (n->args)
		copy.args = memcpy(xcalloc(n->args_size + 1, 1), n->args, n->args_size);
	return copy;
}

void print_note_free(struct print_note *n)
{
	free((char *)n->comm);
	free((char *)n->args);
}

struct print_begin print_begin_copy(const struct print_begin *b, pid_t **pids)
{
	struct print_begin copy = *b;

	*pids = xrealloc(*pids, b->count + 1, sizeof(**pids));
	for (size_t i = 0; i < b->count; i++)
		(*pids)[i] = b->pids[i];
	copy.pids = *pids;
	return copy;
}

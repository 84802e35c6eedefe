// SPDX-License-Identifier: GPL-2.0-or-later
/* What printers for eyes call a function. */
#include <config.h>

#include <string.h>

#include "escape.h"
#include "print.h"
#include "xalloc.h"

const char *print_file(const struct print_options *o, const char *file)
{
	size_t n = strlen(o->cwd);

	if (!strncmp(file, o->cwd, n) && file[n] == '/' && file[n + 1] &&
	    file[n + 1] != '/')
		return file + n + 1;
	return file;
}

static struct label make_label(const struct print_options *o, const struct name *name)
{
	const char *file = print_file(o, name->file);
	const char *func = o->qualname && name->qualname ? name->qualname : name->func;
	char *label = xcalloc(ESCAPE_MAX, strlen(file) + strlen(func) + 2);
	size_t n = escape(label, file, ESCAPE_NAME);

	label[n++] = ':';
	n += escape(label + n, func, ESCAPE_NAME);
	label[n++] = ':';
	return (struct label){ xrealloc(label, n, 1), n };
}

const struct label *print_label(struct printer *p, struct name *name)
{
	static const struct label unknown = { "?:?:", 4 };
	struct label *label = name ? &name->labels[p->label] : NULL;

	if (!name)
		return &unknown;
	if (!label->text)
		*label = make_label(p->options, name);
	return label;
}

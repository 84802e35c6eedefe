/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of code objects, by the ids that events carry. */
#ifndef PYFLOW_NAMES_H
#define PYFLOW_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct name {
	char *file, *func;
	bool is_hidden; /* by the filters */
	char *label;	/* what a printer made of it; owned here, NULL at first */
	size_t label_size;
};

struct names;

struct names *names_new(void);
void names_free(struct names *n);

/* The name of that id, made anew if there was none of these strings (*is_new). Several
 * ids may stand for one name. It lives as long as the table. */
struct name *names_add(struct names *n, uint64_t id, const char *file, const char *func,
		       bool *is_new);

/* NULL if there is none. */
struct name *names_find(const struct names *n, uint64_t id);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of code objects, by the ids that events carry. */
#ifndef PYFLOW_NAMES_H
#define PYFLOW_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAX_LABELS = 8 };

/* What a printer made of a name. */
struct label {
	char *text;
	size_t size;
};

struct name {
	char *file, *func;
	char *qualname; /* NULL if it is not known, as what follows */
	int32_t first_line;
	uint8_t lines_format; /* enum lines_format */
	uint8_t *line_table;  /* until it is first asked for */
	size_t line_table_size;
	int32_t *lines; /* of each instruction */
	size_t line_count;
	bool is_hidden; /* by the filters */
	bool is_start;	/* what is below its calls is shown */
	size_t size;	/* bytes of the strings */
	uint32_t index; /* of all names of the table */
	struct label
		labels[MAX_LABELS]; /* one for each printer; owned here, NULL at first */
};

struct names;

struct names *names_new(void);
void names_free(struct names *n);

/* The name of that id, made anew if there was none of these strings (*is_new). Several
 * ids may stand for one name. It lives as long as the table. */
struct name *names_add(struct names *n, uint64_t id, const char *file, const char *func,
		       bool *is_new);

/* The name of a code object of which more is known, made anew if there was none of that
 * id
 * (*is_new). The line table is taken over, or freed. */
struct name *names_add_code(struct names *n, uint64_t id, const struct name *code,
			    bool *is_new);

/* The line of an instruction, given by its index in units of 16 bits. */
int32_t name_line(struct name *name, uint32_t unit);

/* NULL if there is none. */
struct name *names_find(const struct names *n, uint64_t id);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What text and graph have in common: the columns in front of the tree, the lines that
 * are no calls, and how lines look. */
#ifndef PYFLOW_PRINT_COLUMNS_H
#define PYFLOW_PRINT_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>

#include "print.h"

enum {
	COLUMNS_MAX =
		160,	  /* bytes that columns_start() or columns_end() writes at most */
	LEVEL_MAX = 1024, /* the deepest that is shown by spaces */
};

/* How a line looks to whom wants colors. */
enum look { LOOK_PLAIN, LOOK_RAISED, LOOK_YIELDED, LOOK_NOTE, LOOK_LOST, LOOK_HEADING };

struct columns;

/* The columns that the user asked for, or else the usual ones. With marks, durations show
 * by a sign how long they are. */
struct columns *columns_new(const struct printer *p, unsigned int usual, bool has_marks);
void columns_free(struct columns *c);

/* What each file of an output begins with. */
void columns_heading(struct columns *c, struct printer *p, const struct print_begin *b);

/* A line's look and columns. Returns the end of what was written. */
char *columns_start(struct columns *c, char *out, const struct print_event *e,
		    enum look look);

/* The end of that look, and of the line. */
char *columns_end(const struct columns *c, char *out, enum look look);

/* Two spaces for each level. A recursion that is deeper than Python lets it be by default
 * would fill disks with them: there, the level is given as a number. */
void columns_indent(struct output *o, unsigned int depth);

/* How a line of that exit looks. */
enum look columns_look(enum print_exit exit);

void columns_note(struct columns *c, struct printer *p, const struct print_note *n);
void columns_lost(struct columns *c, struct printer *p, const struct print_lost *l);

#endif

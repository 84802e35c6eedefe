/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The outputs of a run, each a printer in front of a file, as one printer. */
#ifndef PYFLOW_OUTPUTS_H
#define PYFLOW_OUTPUTS_H

#include <stdbool.h>

#include "options.h"
#include "print.h"

struct outputs;

/* Nothing is opened yet. o and cwd stay the caller's, and must live as long. */
struct outputs *outputs_new(const struct options *o, const char *cwd);
void outputs_free(struct outputs *all);

/* Can they be opened later, as far as that can be told? Files that are there are removed,
 * but not links, devices and the like. 0 or -errno, which is said already. */
int outputs_clear(const struct outputs *all);

/* All or none. 0 or -errno, which is said already. */
int outputs_open(struct outputs *all);

/* Write what is left and close, until they are opened again. 0, or the -errno of the
 * first write that failed; its output is called *name then, which lives as long as o. */
int outputs_close(struct outputs *all, const char **name);

/* The printer that writes to all of them while they are open. It is full (is_full) as
 * soon as one of them is. */
struct printer *outputs_printer(struct outputs *all);

/* What was written can be read by others; false if some of it only when this is called
 * again, in a second. */
bool outputs_flush(struct outputs *all);

/* The same as of outputs_close(), so far. */
int outputs_error(const struct outputs *all, const char **name);

/* Is one of the formats to be told what becomes of processes, and of asyncio tasks? */
bool outputs_want_notes(const struct outputs *all);
bool outputs_want_tasks(const struct outputs *all);

/* Is one of them a terminal? */
bool outputs_use_terminal(const struct outputs *all);

#endif

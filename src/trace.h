/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run: the rooms in a row, and the loop that carries events through them. */
#ifndef PYFLOW_TRACE_H
#define PYFLOW_TRACE_H

#include "options.h"

/* Trace what the options say. Returns the exit status; does not return if that is a
 * signal's. */
int trace_run(const struct options *o);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --list: which interpreters there are, and how each can be traced. */
#ifndef PYFLOW_LIST_H
#define PYFLOW_LIST_H

#include "options.h"

/* List what o names: a process, a command, which is not run, or files. Returns the exit
 * status: 0 if there is an interpreter in each of them and all of these can be traced,
 * else 125, or 126 and 127 of a command. */
int list_run(const struct options *o);

#endif

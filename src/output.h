/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the trace goes: a buffer in front of a file, a pipe or a terminal. */
#ifndef PYFLOW_OUTPUT_H
#define PYFLOW_OUTPUT_H

#include <stddef.h>

struct output;

/* Open path for writing, or take stdout if it is NULL. 0 or -errno, which is said
 * already. */
int output_open(const char *path, struct output **output);

/* Write what is left and close. */
void output_close(struct output *o);

/* Nothing is written, and nothing fails, after the first error: see output_error(). */
void output_add(struct output *o, const char *data, size_t size);
void output_flush(struct output *o);

/* 0, or the -errno of the first write that failed. */
int output_error(const struct output *o);

/* How messages call it. */
const char *output_name(const struct output *o);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a trace goes: a buffer in front of a file, a pipe or a terminal, that may be
 * compressed and may be limited in size. */
#ifndef PYFLOW_OUTPUT_H
#define PYFLOW_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"

struct output;

/* Open path for writing, or take stdout if it is NULL. 0 or -errno, which is said
 * already. */
int output_open(const char *path, enum compression compression, struct output **output);

/* Write what is left and close. 0, or the -errno of the first write that failed. */
int output_close(struct output *o);

/* Nothing is written, and nothing fails, after the first error: see output_error(). */
void output_add(struct output *o, const char *data, size_t size);

/* What was added can be read by others now. False if it is compressed and was flushed not
 * long ago: then again, in a second. */
bool output_flush(struct output *o);

/* Let the file not grow beyond so many bytes: whoever writes asks output_has_room()
 * before. */
void output_limit(struct output *o, uint64_t bytes);
bool output_has_room(struct output *o, uint64_t bytes);

/* Begin anew in an empty file: the one that is full gets the suffix .1, older ones up to
 * .keep, and the oldest is gone. 0 or -errno, which is said already. Only a file that is
 * still where it was opened, not through a link, can be rotated. */
bool output_can_rotate(const struct output *o);
int output_rotate(struct output *o, unsigned int keep);

/* 0, or the -errno of the first write that failed. */
int output_error(const struct output *o);

/* How messages call it. */
const char *output_name(const struct output *o);

/* Do both write to one file? */
bool output_is_same(const struct output *a, const struct output *b);

bool output_is_terminal(const struct output *o);

/* Columns of the terminal that it is, else 0. */
unsigned int output_width(const struct output *o);

#endif

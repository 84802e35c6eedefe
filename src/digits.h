/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers as text, for those who write millions of them. Each returns the end of what it
 * wrote; no NUL is added. */
#ifndef PYFLOW_DIGITS_H
#define PYFLOW_DIGITS_H

#include <stdint.h>

enum { DIGITS_MAX = 20 }; /* that digits_put() writes at most, and digits_put_hex() */

char *digits_put(char *out, uint64_t value);

/* With 0x in front. */
char *digits_put_hex(char *out, uint64_t value);

/* The number of a line, of which a code object without lines has -1. */
char *digits_put_line(char *out, uint32_t line);

#endif

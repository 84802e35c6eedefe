/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of CPython that say which line each instruction of a code object is from. */
#ifndef PYFLOW_LINES_H
#define PYFLOW_LINES_H

#include <stddef.h>
#include <stdint.h>

enum lines_format {
	LINES_LNOTAB, /* co_lnotab of 3.8 and 3.9 */
	LINES_310,    /* co_linetable of 3.10 (PEP 626) */
	LINES_311,    /* co_linetable of 3.11 and later */
};

enum { LINES_NONE = -1 };

/* The number of units of code that a table can tell the lines of, at most; of co_lnotab
 * one more than it has, which is like all behind it. */
size_t lines_max(enum lines_format format, const uint8_t *table, size_t size);

/* Write the line of each 16-bit unit of code, LINES_NONE if it has none, to lines, from
 * the first unit on and for at most max of them. Returns how many there are: fewer than
 * the code has if the table ends early or does not make sense from there on. The last
 * line of co_lnotab is that of all the rest, so with it max has to be the code's size. */
size_t lines_expand(enum lines_format format, const uint8_t *table, size_t size,
		    int32_t first_line, int32_t *lines, size_t max);

#endif

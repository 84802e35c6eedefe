/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names come from a program that is not trusted: make them harmless to a terminal. */
#ifndef PYFLOW_ESCAPE_H
#define PYFLOW_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ESCAPE_MAX = 4 }; /* bytes that one byte may become */

enum escape_style {
	ESCAPE_NAME,	/* a backslash is doubled: the name can be told exactly */
	ESCAPE_MESSAGE, /* backslashes stay */
};

/* Copy text to out, which has room for ESCAPE_MAX times its length; no NUL is added.
 * Control characters (C0, DEL, C1), bytes that are not UTF-8, line and paragraph
 * separators, zero-width and bidirectional format characters become \n, \t, \r or \xHH,
 * byte by byte. Returns the number of bytes written. */
size_t escape(char *out, const char *text, enum escape_style style);

/* The UTF-8 character *c that text, of that size, begins with: how many bytes it has, 0
 * if there is none. *is_safe: escape() leaves it as it is, a backslash aside. */
size_t escape_look(const char *text, size_t size, uint32_t *c, bool *is_safe);

#endif

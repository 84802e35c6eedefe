/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which functions are shown: -f, -F, --exclude-files, --exclude-funcs and --only; and
 * which are those of --start-at. */
#ifndef PYFLOW_FILTER_H
#define PYFLOW_FILTER_H

#include <stdbool.h>

#include "options.h"

struct filter;

/* o and its patterns stay the caller's and must live on. Relative patterns are also
 * compared from directory cwd on. */
struct filter *filter_new(const struct options *o, const char *cwd);
void filter_free(struct filter *f);

/* Can a function be hidden? */
bool filter_asks(const struct filter *f);

/* Is a function shown? Its file and it must match, of one list any, and none of what is
 * excluded. qualname: the function's qualified name, another way to match it; NULL if it
 * is not known. */
bool filter_match(struct filter *f, const char *file, const char *func,
		  const char *qualname);

/* Is it one of those that --start-at names? */
bool filter_starts(struct filter *f, const char *func, const char *qualname);

/* The patterns that matched nothing so far: calls found() for each, with "-f" and the
 * like. */
void filter_unmatched(const struct filter *f,
		      void (*found)(const char *option, const char *pattern));

/* Is a file of this name part of Python's library, or installed beside it? */
bool filter_is_library(const char *file);

/* The absolute path of name from directory cwd on, without "." and ".." (as text: links
 * are not followed). The caller frees it. */
char *filter_absolute(const char *cwd, const char *name);

#endif

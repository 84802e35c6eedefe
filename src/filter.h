/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which functions are shown: the patterns of -f and -F. */
#ifndef PYFLOW_FILTER_H
#define PYFLOW_FILTER_H

#include <stdbool.h>

struct filter;

/* files and funcs end with NULL, or are NULL for no filter; they stay the caller's and
 * must live on. Relative patterns are also compared from directory cwd on. */
struct filter *filter_new(char **files, char **funcs, const char *cwd);
void filter_free(struct filter *f);

/* Is there any pattern? */
bool filter_asks(const struct filter *f);

/* Do a file and a function match? Both must; of one list, any. qualname: the function's
 * qualified name, another way to match it; NULL if it is not known. */
bool filter_match(struct filter *f, const char *file, const char *func,
		  const char *qualname);

/* The patterns that matched nothing so far: calls found() for each, with "-f" or "-F". */
void filter_unmatched(const struct filter *f,
		      void (*found)(const char *option, const char *pattern));

/* The absolute path of name from directory cwd on, without "." and ".." (as text: links
 * are not followed). The caller frees it. */
char *filter_absolute(const char *cwd, const char *name);

#endif

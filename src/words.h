/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of a command line given as one string. */
#ifndef PYFLOW_WORDS_H
#define PYFLOW_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Split text as a POSIX shell quotes words (backslash, '...', "..."). *words ends with
 * NULL; the caller frees it with words_free(). 0, or -EINVAL if a quote is not closed. */
int words_split(const char *text, char ***words);
void words_free(char **words);

/* The bytes of words that each end with a NUL, as one line that a shell would split into
 * them again. The caller frees it. */
char *words_join(const char *bytes, size_t size);

/* Is there anything in text that only a shell can do: pipes, redirections, lists,
 * variables, patterns, comments, assignments, its own commands? */
bool words_need_shell(const char *text);

#endif

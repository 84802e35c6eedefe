/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The libraries that a program says it needs, looked for as the dynamic loader would. */
#ifndef PYFLOW_LIBRARY_H
#define PYFLOW_LIBRARY_H

/* The path of the first library needed by the ELF file open at fd, which is at `path`,
 * whose name begins with prefix; its bare name if it is in none of the directories. NULL
 * if there is none. The caller frees it. */
char *library_find(int fd, const char *path, const char *prefix);

#endif

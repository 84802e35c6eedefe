/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocation that cannot fail: without memory the program says so and ends. */
#ifndef PYFLOW_XALLOC_H
#define PYFLOW_XALLOC_H

#include <stdarg.h>
#include <stddef.h>

void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t count, size_t size);
char *xstrdup(const char *s);

/* A new string made as by printf(). The caller frees it. */
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* Make room for one more element in an array that holds `count` and grows by doubling. */
void *xgrow(void *array, size_t count, size_t size);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/* Allocation that cannot fail. */
#include <config.h>

#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

static void *checked(void *p)
{
	if (!p)
		die("out of memory");
	return p;
}

void *xcalloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *old, size_t count, size_t size)
{
	return checked(reallocarray(old, count ? count : 1, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return checked(strdup(s));
}

char *xvasprintf(const char *format, va_list args)
{
	char *s;

	return checked(vasprintf(&s, format, args) < 0 ? NULL : s);
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *s;

	va_start(args, format);
	s = xvasprintf(format, args);
	va_end(args);
	return s;
}

void *xgrow(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	return xrealloc(array, count ? count * 2 : 1, size);
}

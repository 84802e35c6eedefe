// SPDX-License-Identifier: GPL-2.0-or-later
/* pyflow's own words on stderr. */
#include <config.h>

#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"

static int level;
static bool has_progress;

void log_set_level(int new_level)
{
	level = new_level;
}

int log_level(void)
{
	return level;
}

void log_progress(const char *text)
{
	char line[256];
	int n = 0;

	/* The cursor goes back to its beginning, for whoever writes there next. */
	if (text)
		n = snprintf(line, sizeof(line), "\rpyflow: %s\033[K\r", text);
	else if (has_progress)
		n = snprintf(line, sizeof(line), "\r\033[K");
	has_progress = text;
	if (n && write(STDERR_FILENO, line, n) < 0)
		return;
}

/* One write, so that lines of several processes do not mix. */
static void say(const char *format, va_list args)
{
	char text[4096], line[sizeof("pyflow: ") + ESCAPE_MAX * sizeof(text) + 1];
	size_t n = sizeof("pyflow: ") - 1;

	memcpy(line, "pyflow: ", n);
	log_progress(NULL);
	vsnprintf(text, sizeof(text), format, args);
	n += escape(line + n, text, ESCAPE_MESSAGE);
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}

void warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

void info(int at, const char *format, ...)
{
	va_list args;

	if (at > level)
		return;
	va_start(args, format);
	say(format, args);
	va_end(args);
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	exit(EXIT_OWN);
}

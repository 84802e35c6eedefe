/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pyflow's own words, on stderr, one line each, with `pyflow: ` in front. */
#ifndef PYFLOW_LOG_H
#define PYFLOW_LOG_H

enum {
	EXIT_OWN = 125, /* pyflow's own failure; as env(1) and timeout(1) have it */
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
};

/* How much info() says: 0 nothing, up to 3. */
void log_set_level(int level);
int log_level(void);

/* Whatever a name in the message holds, nothing but printable text reaches the terminal.
 */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void info(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Write this line to the terminal on stderr in the place of the last such; NULL: take it
 * away. Other words take its place, too. */
void log_progress(const char *text);

void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the values of options mean. Each function takes the text, knows nothing of the
 * option it is for, and says nothing: 0, or -1 if the text is not such a value. */
#ifndef PYFLOW_OPTIONS_VALUES_H
#define PYFLOW_OPTIONS_VALUES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "options.h"

/* Choices, in the order of enum print_format and of the bits of enum print_column. */
#define FORMAT_WORDS "text|graph|json|chrome|folded|summary"
#define COLUMN_WORDS "time|cpu|pid|tid|task|duration"

/* Which word of "a|b|c" the text is, from 0 on; -1 if it is none. */
int value_word(const char *text, const char *words);

/* "a|b|c" as people say it, "a, b or c" with `final` in front of the last. At most size -
 * 1 bytes. */
void value_say_words(const char *words, const char *final, char *said, size_t size);

/* Add the process IDs of a list with commas to *pids, each once. */
int value_pids(const char *text, pid_t **pids, size_t *count);

/* A number from 1 on; one above max is as good as max. */
int value_number(const char *text, unsigned int max, unsigned int *number);

/* Bytes with B, K, M or G behind them; a number alone counts units of so many bytes. From
 * 1 on. */
int value_size(const char *text, uint64_t unit, uint64_t *bytes);

/* A number alone is of events, else it is a size; the other one becomes 0. */
int value_last(const char *text, uint64_t *events, uint64_t *bytes);

/* A number, perhaps with a fraction, and a unit: ns, us, ms, s, m. A fraction of a
 * nanosecond is rounded up, so that what took less still took less. */
int value_time(const char *text, uint64_t *ns);

/* A list with commas of enum print_column's words, or "none". */
int value_columns(const char *text, unsigned int *columns);

/* FORMAT:FILE or FILE, which may be "-". The format is that in front, else the one given,
 * else (that is -1) the name's. output->path points into the text. */
int value_output(const char *text, int format, struct output_option *output);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/* What the values of options mean. */
#include <config.h>

#include "options-values.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

/* Which word of "a|b|c" these bytes are. */
static int find_word(const char *text, size_t size, const char *words)
{
	for (int i = 0; *words; i++) {
		size_t n = strcspn(words, "|");

		if (n == size && !memcmp(words, text, size))
			return i;
		words += n + (words[n] == '|');
	}
	return -1;
}

int value_word(const char *text, const char *words)
{
	return find_word(text, strlen(text), words);
}

void value_say_words(const char *words, const char *final, char *said, size_t size)
{
	size_t used = 0;

	*said = '\0';
	while (*words && used < size) {
		int n = strcspn(words, "|");
		const char *comma = words[n] ? ", " : final;

		used += snprintf(said + used, size - used, "%s%.*s", used ? comma : "", n,
				 words);
		words += n + (words[n] == '|');
	}
}

static void add_pid(pid_t pid, pid_t **pids, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		if ((*pids)[i] == pid)
			return;
	*pids = xgrow(*pids, *count, sizeof(**pids));
	(*pids)[(*count)++] = pid;
}

int value_pids(const char *text, pid_t **pids, size_t *count)
{
	char *end;

	for (;; text = end + 1) {
		long pid;

		errno = 0;
		pid = strtol(text, &end, 10);
		if (errno || !isdigit((unsigned char)*text) || (*end && *end != ',') ||
		    pid < 1 || pid > INT_MAX)
			return -1;
		add_pid(pid, pids, count);
		if (!*end)
			return 0;
	}
}

int value_number(const char *text, unsigned int max, unsigned int *number)
{
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -1;
	n = strtoull(text, &end, 10); /* ULLONG_MAX if it is more than that */
	if (*end || !n)
		return -1;
	*number = n < max ? n : max;
	return 0;
}

int value_size(const char *text, uint64_t unit, uint64_t *bytes)
{
	static const char suffixes[] = "BKMG";
	uint64_t n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || !isdigit((unsigned char)*text) || !n)
		return -1;
	if (*end) {
		const char *suffix = strchr(suffixes, toupper((unsigned char)*end));

		if (!suffix || end[1])
			return -1;
		unit = UINT64_C(1) << 10 * (suffix - suffixes);
	}
	if (n > UINT64_MAX / unit)
		return -1;
	*bytes = n * unit;
	return 0;
}

int value_last(const char *text, uint64_t *events, uint64_t *bytes)
{
	uint64_t n;

	if (value_size(text, 1, &n))
		return -1;
	*events = *bytes = 0;
	*(text[strspn(text, "0123456789")] ? bytes : events) = n;
	return 0;
}

/* How many ns a unit has; 0 if it is none. */
static uint64_t find_unit(const char *text)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "\xc2\xb5s", 1000 }, /* U+00B5, the micro sign */
		{ "\xce\xbcs", 1000 }, /* U+03BC, the Greek letter */
		{ "ms", 1000000 },
		{ "s", 1000000000 },
		{ "m", UINT64_C(60) * 1000000000 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(text, units[i].name))
			return units[i].ns;
	return 0;
}

/* These decimals of a unit, rounded up: from the last one on, as 0.ab is (a + b/10)/10,
 * and to round each step up is to round the whole. */
static uint64_t decimals(const char *digits, size_t count, uint64_t unit)
{
	uint64_t ns = 0;

	while (count--)
		ns = ((digits[count] - '0') * unit + ns + 9) / 10;
	return ns;
}

int value_time(const char *text, uint64_t *ns)
{
	static const char digits[] = "0123456789";
	static const uint64_t max = UINT64_C(1) << 63;
	size_t whole = strspn(text, digits), decimal = 0;
	const char *point = text + whole;
	uint64_t unit, n, rest;

	if (*point == '.')
		decimal = strspn(point + 1, digits);
	unit = find_unit(point + (*point == '.') + decimal);
	if (!whole || !unit || (*point == '.' && !decimal))
		return -1;
	errno = 0;
	n = strtoull(text, NULL, 10);
	if (errno || n > max / unit)
		return -1;
	rest = decimals(point + 1, decimal, unit);
	if (rest > max - n * unit)
		return -1;
	*ns = n * unit + rest;
	return 0;
}

int value_columns(const char *text, unsigned int *columns)
{
	unsigned int found = 0;

	if (!strcmp(text, "none")) {
		*columns = PRINT_NO_COLUMNS;
		return 0;
	}
	for (;;) {
		size_t n = strcspn(text, ",");
		int column = find_word(text, n, COLUMN_WORDS);

		if (column < 0)
			return -1;
		found |= 1U << column;
		if (!text[n])
			break;
		text += n + 1;
	}
	*columns = found;
	return 0;
}

static bool ends_in(const char *name, size_t size, const char *end)
{
	size_t n = strlen(end);

	return size >= n && !memcmp(name + size - n, end, n);
}

/* How a file of this name is compressed; what tells it is cut off from *size. */
static enum compression name_compression(const char *name, size_t *size)
{
	if (ends_in(name, *size, ".gz")) {
		*size -= strlen(".gz");
		return COMPRESSION_GZIP;
	}
	if (ends_in(name, *size, ".zst")) {
		*size -= strlen(".zst");
		return COMPRESSION_ZSTD;
	}
	return COMPRESSION_NONE;
}

static enum print_format name_format(const char *name, size_t size)
{
	static const struct {
		const char *end;
		enum print_format format;
	} names[] = {
		{ ".trace.json", FORMAT_CHROME }, /* before .json */
		{ ".json", FORMAT_JSON },	  { ".jsonl", FORMAT_JSON },
		{ ".folded", FORMAT_FOLDED },	  { ".summary", FORMAT_SUMMARY },
		{ ".graph", FORMAT_GRAPH },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (ends_in(name, size, names[i].end))
			return names[i].format;
	return FORMAT_TEXT;
}

int value_output(const char *text, int format, struct output_option *output)
{
	struct output_option o = { .path = text };
	size_t n = strcspn(text, ":"), size;
	int prefix = text[n] ? find_word(text, n, FORMAT_WORDS) : -1;

	if (prefix >= 0) {
		o.path = text + n + 1;
		format = prefix;
	}
	size = strlen(o.path);
	if (!size)
		return -1;
	if (!strcmp(o.path, "-"))
		o.path = NULL;
	else
		o.compression = name_compression(o.path, &size);
	if (format >= 0)
		o.format = format;
	else
		o.format = o.path ? name_format(o.path, size) : FORMAT_TEXT;
	*output = o;
	return 0;
}

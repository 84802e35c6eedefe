// SPDX-License-Identifier: GPL-2.0-or-later
/* Line tables of CPython, in the three formats it had since 3.8. What they hold comes
 * from the memory of the traced process and may be anything. */
#include <config.h>

#include "lines.h"

#include <stdbool.h>

struct cursor {
	const uint8_t *p, *end; /* of the table */
	int32_t *lines;
	size_t count, max;
	int64_t line;
};

static bool is_line(int64_t line)
{
	return line >= INT32_MIN && line <= INT32_MAX;
}

/* Give all units up to that one a line; CPython takes a negative one for none. */
static void fill(struct cursor *c, size_t end, int64_t line)
{
	if (end > c->max)
		end = c->max;
	while (c->count < end)
		c->lines[c->count++] = line < 0 ? LINES_NONE : (int32_t)line;
}

/* Pairs of bytes: how far to go, then how many lines to add. As PyCode_Addr2Line() reads
 * them, the line is added behind the bytes gone over. */
static void expand_lnotab(struct cursor *c)
{
	size_t offset = 0;

	for (; c->end - c->p >= 2 && c->count < c->max; c->p += 2) {
		offset += c->p[0];
		fill(c, (offset + 1) / 2, c->line);
		c->line += (int8_t)c->p[1];
		if (!is_line(c->line))
			return;
	}
	fill(c, c->max, c->line);
}

/* Pairs of bytes: how long the range is, then how many lines to add before it, or -128 if
 * the range has no line. */
static void expand_310(struct cursor *c)
{
	size_t offset = 0;

	for (; c->end - c->p >= 2 && c->count < c->max; c->p += 2) {
		int8_t delta = (int8_t)c->p[1];
		bool has_line = delta != -128;

		offset += c->p[0];
		c->line += has_line ? delta : 0;
		if (!is_line(c->line))
			return;
		fill(c, (offset + 1) / 2, has_line ? c->line : LINES_NONE);
	}
}

/* Six bits a byte, the lowest first, bit 6 says that there are more; the lowest bit of
 * the whole is the sign. */
static bool read_varint(struct cursor *c, int64_t *value)
{
	uint64_t n = 0;
	bool more = true;

	for (unsigned int shift = 0; more; shift += 6) {
		if (c->p == c->end || *c->p & 0x80 || shift > 30)
			return false;
		n |= (uint64_t)(*c->p & 0x3f) << shift;
		more = *c->p++ & 0x40;
	}
	*value = n & 1 ? -(int64_t)(n >> 1) : (int64_t)(n >> 1);
	return true;
}

/* An entry: bit 7, four bits of kind, three bits of length - 1 in units. What else
 * follows (columns) never has bit 7. The kind says how the line is given. */
static bool expand_entry(struct cursor *c)
{
	uint8_t head = *c->p++, kind = head >> 3 & 0xf;
	bool has_line = kind != 15;
	int64_t delta = 0;

	if (!(head & 0x80))
		return false;
	if ((kind == 13 || kind == 14) && !read_varint(c, &delta))
		return false;
	if (kind >= 10 && kind <= 12)
		delta = kind - 10;
	c->line += delta;
	if (!is_line(c->line))
		return false;
	fill(c, c->count + (head & 7) + 1, has_line ? c->line : LINES_NONE);
	while (c->p < c->end && !(*c->p & 0x80))
		c->p++;
	return true;
}

size_t lines_expand(enum lines_format format, const uint8_t *table, size_t size,
		    int32_t first_line, int32_t *lines, size_t max)
{
	struct cursor c = { table, table + size, lines, 0, max, first_line };

	if (format == LINES_LNOTAB)
		expand_lnotab(&c);
	else if (format == LINES_310)
		expand_310(&c);
	else
		while (c.p < c.end && c.count < c.max && expand_entry(&c))
			;
	return c.count;
}

size_t lines_max(enum lines_format format, const uint8_t *table, size_t size)
{
	enum { MAX_UNITS = 8 }; /* for each byte of a table of 3.11 */
	size_t bytes = 0;

	if (format == LINES_311)
		return size * MAX_UNITS;
	for (size_t i = 0; i + 1 < size; i += 2)
		bytes += table[i];
	return bytes / 2 + 1;
}

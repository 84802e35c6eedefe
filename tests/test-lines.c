// SPDX-License-Identifier: GPL-2.0-or-later
/* Line tables made by hand: every kind of entry of every format, and broken ones. */
#include <config.h>

#include "lines.h"

#include <stdbool.h>

#include "check.h"

#define NONE LINES_NONE
#define UNSET (-77)

enum { MAX = 200 };

/* A table, and the lines of its units; there must be no more than those. */
/* clang-format off */
static const struct {
	enum lines_format format;
	const char *what;
	uint8_t table[16];
	size_t size;
	int32_t first;
	size_t max;
	int32_t lines[12];
	size_t count;
} cases[] = {
	{ LINES_LNOTAB, "empty: all of the first line", { 0 }, 0, 7, 3, { 7, 7, 7 }, 3 },
	{ LINES_LNOTAB, "no code", { 0, 1 }, 2, 7, 0, { 0 }, 0 },
	{ LINES_LNOTAB, "the last line goes to the end",
	  { 0, 1, 4, 2 }, 4, 10, 5, { 11, 11, 13, 13, 13 }, 5 },
	{ LINES_LNOTAB, "backwards", { 2, 5, 2, 0xfd }, 4, 10, 3, { 10, 15, 12 }, 3 },
	{ LINES_LNOTAB, "far lines in two steps",
	  { 2, 127, 0, 73 }, 4, 1, 2, { 1, 201 }, 2 },
	{ LINES_LNOTAB, "odd offsets in between",
	  { 3, 0, 1, 1 }, 4, 1, 3, { 1, 1, 2 }, 3 },
	{ LINES_LNOTAB, "a line in the middle of a unit counts from the next",
	  { 3, 1 }, 2, 1, 3, { 1, 1, 2 }, 3 },
	{ LINES_LNOTAB, "half an entry", { 2, 1, 2 }, 3, 1, 3, { 1, 2, 2 }, 3 },
	{ LINES_LNOTAB, "more table than code",
	  { 2, 1, 2, 1, 2, 1 }, 6, 1, 2, { 1, 2 }, 2 },
	{ LINES_LNOTAB, "no such line", { 2, 1 }, 2, INT32_MAX, 3, { INT32_MAX }, 1 },
	{ LINES_LNOTAB, "below zero", { 2, 0xf6 }, 2, 3, 2, { 3, NONE }, 2 },

	{ LINES_310, "empty: no lines", { 0 }, 0, 7, 3, { 0 }, 0 },
	{ LINES_310, "ranges", { 4, 1, 2, 2 }, 4, 10, 9, { 11, 11, 13 }, 3 },
	{ LINES_310, "backwards", { 2, 0, 2, 5, 2, 0xfd }, 6, 10, 9, { 10, 15, 12 }, 3 },
	{ LINES_310, "no line keeps count",
	  { 2, 0, 2, 0x80, 2, 1 }, 6, 10, 9, { 10, NONE, 11 }, 3 },
	{ LINES_310, "far lines in two steps", { 0, 127, 2, 73 }, 4, 1, 9, { 201 }, 1 },
	{ LINES_310, "cut at max", { 254, 0 }, 2, 5, 2, { 5, 5 }, 2 },
	{ LINES_310, "half an entry", { 2, 1, 2 }, 3, 1, 9, { 2 }, 1 },
	{ LINES_310, "no such line",
	  { 2, 0, 2, 1, 2, 0 }, 6, INT32_MAX, 9, { INT32_MAX }, 1 },
	{ LINES_310, "below zero and back", { 2, 0xff, 2, 1 }, 4, 0, 9, { NONE, 0 }, 2 },

	{ LINES_311, "empty: no lines", { 0 }, 0, 7, 3, { 0 }, 0 },
	{ LINES_311, "short form: the same line", { 0x81, 0x12 }, 2, 5, 9, { 5, 5 }, 2 },
	{ LINES_311, "short form, last kind", { 0xc8, 0x12 }, 2, 5, 9, { 5 }, 1 },
	{ LINES_311, "one line: 0, 1, 2 further",
	  { 0xd0, 1, 2, 0xd8, 1, 2, 0xe0, 1, 2 }, 9, 5, 9, { 5, 6, 8 }, 3 },
	{ LINES_311, "no columns: up and down",
	  { 0xe8, 6, 0xe8, 5 }, 4, 5, 9, { 8, 6 }, 2 },
	{ LINES_311, "long form", { 0xf0, 0x48, 0x02, 0, 1, 1 }, 6, 5, 9, { 73 }, 1 },
	{ LINES_311, "no line keeps count",
	  { 0xf9, 0xd8, 0, 0 }, 4, 5, 9, { NONE, NONE, 6 }, 3 },
	{ LINES_311, "cut at max", { 0x87, 0 }, 2, 5, 3, { 5, 5, 5 }, 3 },
	{ LINES_311, "line 0 of a module",
	  { 0xe8, 3, 0xd8, 0, 0 }, 5, 1, 9, { 0, 1 }, 2 },
	{ LINES_311, "no start", { 0x12, 0x81, 0x12 }, 3, 5, 9, { 0 }, 0 },
	{ LINES_311, "number without end",
	  { 0xd8, 0, 0, 0xe8, 0x41 }, 5, 5, 9, { 6 }, 1 },
	{ LINES_311, "number missing", { 0x80, 0, 0xe8 }, 3, 5, 9, { 5 }, 1 },
	{ LINES_311, "number cut by an entry",
	  { 0xe8, 0x41, 0x80, 0 }, 4, 5, 9, { 0 }, 0 },
	{ LINES_311, "number too long",
	  { 0xe8, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x01 }, 8, 5, 9, { 0 }, 0 },
	{ LINES_311, "no such line",
	  { 0x80, 0, 0xe8, 0x7e, 0x7f, 0x7f, 0x7f, 0x7f, 0x3f }, 9, 5, 9, { 5 }, 1 },
	{ LINES_311, "far below zero",
	  { 0xe8, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x3f }, 7, 5, 9, { 0 }, 0 },
};
/* clang-format on */

static void check_case(size_t i)
{
	int32_t lines[MAX];
	size_t count;

	for (size_t j = 0; j < MAX; j++)
		lines[j] = UNSET;
	count = lines_expand(cases[i].format, cases[i].table, cases[i].size,
			     cases[i].first, lines, cases[i].max);
	check_int((int64_t)count, (int64_t)cases[i].count, cases[i].what, __FILE__,
		  __LINE__);
	for (size_t j = 0; j < cases[i].count; j++)
		check_int(lines[j], cases[i].lines[j], cases[i].what, __FILE__, __LINE__);
	check_int(lines[cases[i].count], UNSET, cases[i].what, __FILE__, __LINE__);
}

/* Whatever the bytes are, nothing is written behind max. */
static void check_any_byte(enum lines_format format)
{
	int32_t lines[MAX];
	bool within = true;

	for (unsigned int a = 0; a < 256; a++) {
		for (unsigned int b = 0; b < 256; b++) {
			uint8_t table[] = { (uint8_t)a, (uint8_t)b, (uint8_t)b,
					    (uint8_t)a };

			lines[5] = UNSET;
			within &= lines_expand(format, table, sizeof(table), (int32_t)a,
					       lines, 5) <= 5;
			within &= lines[5] == UNSET;
		}
	}
	CHECK(within);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_case(i);
	check_any_byte(LINES_LNOTAB);
	check_any_byte(LINES_310);
	check_any_byte(LINES_311);
	return check_done();
}

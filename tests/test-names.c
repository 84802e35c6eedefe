// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of names: every id is found again, however many there are. */
#include <config.h>

#include "names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "lines.h"
#include "xalloc.h"

enum { COUNT = 100000 };

/* Ids as the kernel side makes them, spread, and as bad as can be: all in one slot at
 * first. */
static uint64_t spread_id(uint64_t i)
{
	return (i + 1) * 0x9e3779b97f4a7c15ULL;
}

static uint64_t same_slot_id(uint64_t i)
{
	return (i + 1) << 40;
}

static void check_one(void)
{
	struct names *n = names_new();
	struct name *name;
	bool is_new = false;

	CHECK(!names_find(n, 7));
	name = names_add(n, 7, "a.py", "f", &is_new);
	CHECK(is_new);
	CHECK_STR(name->file, "a.py");
	CHECK_STR(name->func, "f");
	CHECK(!name->is_hidden && !name->labels[0].text && !name->labels[0].size);
	/* The first name that an id was given stays. */
	CHECK(names_add(n, 7, "b.py", "g", &is_new) == name);
	CHECK(!is_new);
	CHECK_STR(name->file, "a.py");
	CHECK(names_find(n, 7) == name);
	CHECK(!names_find(n, 8) && !names_find(n, 0));
	CHECK(!names_find(n, 7 + 1024) && !names_find(n, UINT64_MAX));
	name->labels[MAX_LABELS - 1].text = xstrdup("freed with it");
	names_free(n);
}

/* What two processes, or two addresses, call the same is the same. */
static void check_interned(void)
{
	struct names *n = names_new();
	bool is_new;
	struct name *name = names_add(n, 7, "a.py", "f", &is_new);

	CHECK(names_add(n, 8, "a.py", "f", &is_new) == name);
	CHECK(!is_new);
	CHECK(names_find(n, 8) == name && names_find(n, 7) == name);
	CHECK(names_add(n, 9, "a.pyf", "", &is_new) != name);
	CHECK(is_new);
	names_free(n);
}

/* The caller's strings may change afterwards, and be of any length. */
static void check_copies(void)
{
	struct names *n = names_new();
	char *text = xcalloc(100001, 1);
	struct name *name;
	bool is_new;

	memset(text, 'x', 100000);
	name = names_add(n, 1, text, text, &is_new);
	text[0] = '\0';
	CHECK_INT(strlen(name->file), 100000);
	CHECK_INT(strlen(name->func), 100000);
	CHECK_STR(names_add(n, 2, text, "", &is_new)->func, "");
	free(text);
	names_free(n);
}

static void check_many(uint64_t (*id)(uint64_t i), uint64_t count)
{
	struct name **made = xcalloc(count, sizeof(*made));
	struct names *n = names_new();
	uint64_t news = 0, same = 0, right = 0, strangers = 0;
	char func[32];
	bool is_new;

	for (uint64_t i = 0; i < count; i++) {
		snprintf(func, sizeof(func), "f%" PRIu64, i);
		made[i] = names_add(n, id(i), "a.py", func, &is_new);
		news += is_new;
	}
	for (uint64_t i = 0; i < count; i++) {
		snprintf(func, sizeof(func), "f%" PRIu64, i);
		same += names_find(n, id(i)) == made[i] &&
			names_add(n, id(i), "", "", &is_new) == made[i] && !is_new;
		right += !strcmp(made[i]->func, func);
		strangers += !!names_find(n, id(i + count));
	}
	CHECK_INT(news, count);
	CHECK_INT(same, count);
	CHECK_INT(right, count);
	CHECK_INT(strangers, 0);
	names_free(n);
	free(made);
}

/* ---- code objects ---- */

/* A code object whose table, if any, is a copy. */
static struct name *add_code(struct names *n, uint64_t id, const char *qualname,
			     const uint8_t *table, size_t size, bool *is_new)
{
	char file[] = "a.py", func[] = "f", *name = qualname ? xstrdup(qualname) : NULL;
	struct name code = {
		.file = file,
		.func = func,
		.qualname = name,
		.first_line = 10,
		.lines_format = LINES_311,
		.line_table_size = size,
	};
	struct name *added;

	if (table) {
		code.line_table = xcalloc(size, 1);
		memcpy(code.line_table, table, size);
	}
	added = names_add_code(n, id, &code, is_new);
	/* All but the table were the caller's. */
	file[0] = func[0] = 'x';
	free(name);
	return added;
}

static void check_code(void)
{
	struct names *n = names_new();
	bool is_new = false;
	struct name *name = add_code(n, 7, "C.f", NULL, 0, &is_new);

	CHECK(is_new);
	CHECK_STR(name->file, "a.py");
	CHECK_STR(name->func, "f");
	CHECK_STR(name->qualname, "C.f");
	CHECK_INT(name->first_line, 10);
	CHECK(!name->is_hidden && !name->labels[0].text && !name->lines);
	CHECK(names_find(n, 7) == name && !names_find(n, 8));
	/* What says the same but has another id is another: its lines differ. */
	CHECK(add_code(n, 8, "C.f", NULL, 0, &is_new) != name);
	CHECK(is_new);
	CHECK(!add_code(n, 9, NULL, NULL, 0, &is_new)->qualname);
	/* It is none of those of which no more than the name is known. */
	CHECK(names_add(n, 10, "a.py", "f", &is_new) != name);
	CHECK(is_new);
	CHECK(!names_find(n, 10)->qualname);
	CHECK_INT(name_line(names_find(n, 10), 0), 0);
	names_free(n);
}

/* The same id again: what is known stays, and the new table is freed. */
static void check_code_again(void)
{
	static const uint8_t table[] = { 0xd8, 0x00, 0x04 };
	struct names *n = names_new();
	bool is_new;
	struct name *name = add_code(n, 7, "C.f", table, sizeof(table), &is_new);

	CHECK(add_code(n, 7, "D.g", table, sizeof(table), &is_new) == name);
	CHECK(!is_new);
	CHECK_STR(name->qualname, "C.f");
	CHECK_INT(name_line(name, 0), 11);
	CHECK(add_code(n, 7, NULL, table, sizeof(table), &is_new) == name);
	CHECK(!is_new);
	CHECK_INT(name_line(name, 0), 11);
	CHECK(names_add(n, 7, "b.py", "g", &is_new) == name);
	CHECK(!is_new);
	/* One that was known by name only. */
	name = names_add(n, 9, "b.py", "g", &is_new);
	CHECK(add_code(n, 9, "D.g", table, sizeof(table), &is_new) == name);
	CHECK(!is_new);
	CHECK_STR(name->func, "g");
	names_free(n);
}

/* Units 0 and 1 on line 11, 2 on none, 3 on 8, as the table says; behind it the first
 * line. */
static void check_code_lines(void)
{
	static const uint8_t table[] = {
		0xd9, 0x00, 0x04, /* code 11: line +1, two units */
		0xf8,		  /* code 15: none, one unit */
		0xe8, 0x07, 0x00, /* code 13: line -3, one unit */
	};
	static const int32_t wanted[] = { 11, 11, 10, 8, 10, 10 };
	struct names *n = names_new();
	bool is_new;
	struct name *name = add_code(n, 7, NULL, table, sizeof(table), &is_new);

	for (int twice = 0; twice < 2; twice++) {
		for (uint32_t i = 0; i < 6; i++)
			CHECK_INT(name_line(name, i), wanted[i]);
		CHECK_INT(name_line(name, UINT32_MAX), 10);
	}
	CHECK(!name->line_table && name->line_count == 4);
	/* No table, and an empty one. */
	CHECK_INT(name_line(add_code(n, 8, NULL, NULL, 0, &is_new), 0), 10);
	CHECK_INT(name_line(add_code(n, 9, NULL, table, 0, &is_new), 0), 10);
	names_free(n);
}

static void check_many_codes(void)
{
	struct names *n = names_new();
	int wrong = 0;
	bool is_new;

	for (uint64_t i = 0; i < 5000; i++)
		wrong += !add_code(n, spread_id(i), NULL, NULL, 0, &is_new) || !is_new;
	for (uint64_t i = 0; i < 5000; i++)
		wrong += !names_find(n, spread_id(i)) ||
			 names_find(n, spread_id(i + 5000));
	CHECK_INT(wrong, 0);
	names_free(n);
}

int main(void)
{
	check_code();
	check_code_again();
	check_code_lines();
	check_many_codes();
	check_one();
	check_interned();
	check_copies();
	check_many(spread_id, COUNT);
	check_many(same_slot_id, 2000);
	names_free(NULL);
	return check_done();
}

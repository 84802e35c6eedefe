// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of names: every id is found again, however many there are. */
#include <config.h>

#include "names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
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
	CHECK(!name->is_hidden && !name->label && !name->label_size);
	/* The first name that an id was given stays. */
	CHECK(names_add(n, 7, "b.py", "g", &is_new) == name);
	CHECK(!is_new);
	CHECK_STR(name->file, "a.py");
	CHECK(names_find(n, 7) == name);
	CHECK(!names_find(n, 8) && !names_find(n, 0));
	CHECK(!names_find(n, 7 + 1024) && !names_find(n, UINT64_MAX));
	name->label = xstrdup("freed with it");
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

int main(void)
{
	check_one();
	check_interned();
	check_copies();
	check_many(spread_id, COUNT);
	check_many(same_slot_id, 2000);
	names_free(NULL);
	return check_done();
}

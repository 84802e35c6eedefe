// SPDX-License-Identifier: GPL-2.0-or-later
/* The names of code objects: two hash tables with open addressing, by id and by what they
 * say. */
#include <config.h>

#include "names.h"

#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "xalloc.h"

enum { FIRST_SLOTS = 1024 };

struct slot {
	uint64_t key;
	struct name *name; /* NULL if the slot is free */
};

struct table {
	struct slot *slots; /* a power of two, at most half of them used */
	size_t count, used;
};

struct names {
	struct table by_id;
	struct table
		by_text; /* by a hash of it; equal hashes are told apart by comparing */
	struct name **all;
	size_t count;
};

static void table_init(struct table *t)
{
	t->count = FIRST_SLOTS;
	t->slots = xcalloc(t->count, sizeof(*t->slots));
}

struct names *names_new(void)
{
	struct names *n = xcalloc(1, sizeof(*n));

	table_init(&n->by_id);
	table_init(&n->by_text);
	return n;
}

static void free_name(struct name *name)
{
	free(name->file);
	free(name->func);
	free(name->qualname);
	free(name->line_table);
	free(name->lines);
	for (size_t i = 0; i < MAX_LABELS; i++)
		free(name->labels[i].text);
	free(name);
}

void names_free(struct names *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->count; i++)
		free_name(n->all[i]);
	free(n->all);
	free(n->by_id.slots);
	free(n->by_text.slots);
	free(n);
}

static bool says(const struct name *name, const char *file, const char *func)
{
	return !strcmp(name->func, func) && !strcmp(name->file, file);
}

/* Where the key is, or would be; with file, only if the name there says that, too. */
static struct slot *find_slot(const struct table *t, uint64_t key, const char *file,
			      const char *func)
{
	size_t i = (key ^ key >> 32) & (t->count - 1);

	while (t->slots[i].name &&
	       (t->slots[i].key != key || (file && !says(t->slots[i].name, file, func))))
		i = (i + 1) & (t->count - 1);
	return &t->slots[i];
}

static void grow(struct table *t)
{
	struct slot *old = t->slots;
	size_t count = t->count;

	t->count *= 2;
	t->slots = xcalloc(t->count, sizeof(*t->slots));
	for (size_t i = 0; i < count; i++) {
		struct slot *free_slot;

		if (!old[i].name)
			continue;
		free_slot =
			find_slot(t, old[i].key, old[i].name->file, old[i].name->func);
		*free_slot = old[i];
	}
	free(old);
}

static void add(struct table *t, struct slot *slot, uint64_t key, struct name *name)
{
	*slot = (struct slot){ key, name };
	if (++t->used > t->count / 2)
		grow(t);
}

/* FNV-1a, 64 bits; the NULs count. */
static uint64_t hash_text(const char *file, const char *func)
{
	uint64_t h = 0xcbf29ce484222325ULL;
	const char *both[] = { file, func };

	for (int i = 0; i < 2; i++) {
		const char *s = both[i];

		do
			h = (h ^ (unsigned char)*s) * 0x100000001b3ULL;
		while (*s++);
	}
	return h;
}

static struct name *make(struct names *n, const char *file, const char *func)
{
	struct name *name = xcalloc(1, sizeof(*name));

	name->file = xstrdup(file);
	name->func = xstrdup(func);
	name->size = strlen(file) + strlen(func);
	n->all = xgrow(n->all, n->count, sizeof(struct name *));
	name->index = n->count;
	n->all[n->count++] = name;
	return name;
}

static struct name *intern(struct names *n, const char *file, const char *func,
			   bool *is_new)
{
	uint64_t key = hash_text(file, func);
	struct slot *slot = find_slot(&n->by_text, key, file, func);
	struct name *name = slot->name;

	*is_new = !name;
	if (name)
		return name;
	name = make(n, file, func);
	add(&n->by_text, slot, key, name);
	return name;
}

struct name *names_add(struct names *n, uint64_t id, const char *file, const char *func,
		       bool *is_new)
{
	struct slot *slot = find_slot(&n->by_id, id, NULL, NULL);

	*is_new = false;
	if (!slot->name)
		add(&n->by_id, slot, id, intern(n, file, func, is_new));
	return find_slot(&n->by_id, id, NULL, NULL)->name;
}

struct name *names_add_code(struct names *n, uint64_t id, const struct name *code,
			    bool *is_new)
{
	struct slot *slot = find_slot(&n->by_id, id, NULL, NULL);
	struct name *name = slot->name;

	*is_new = !name;
	if (name) {
		free(code->line_table);
		return name;
	}
	name = make(n, code->file, code->func);
	if (code->qualname) {
		name->qualname = xstrdup(code->qualname);
		name->size += strlen(code->qualname);
	}
	name->first_line = code->first_line;
	name->lines_format = code->lines_format;
	name->line_table = code->line_table;
	name->line_table_size = code->line_table_size;
	add(&n->by_id, slot, id, name);
	return name;
}

static void expand_lines(struct name *name)
{
	size_t max =
		lines_max(name->lines_format, name->line_table, name->line_table_size);

	name->lines = xcalloc(max + 1, sizeof(*name->lines));
	name->line_count = lines_expand(name->lines_format, name->line_table,
					name->line_table_size, name->first_line,
					name->lines, max);
	name->lines = xrealloc(name->lines, name->line_count + 1, sizeof(*name->lines));
	free(name->line_table);
	name->line_table = NULL;
}

int32_t name_line(struct name *name, uint32_t unit)
{
	if (name->line_table)
		expand_lines(name);
	/* The last line of co_lnotab is that of all the rest. */
	if (name->lines_format == LINES_LNOTAB && name->line_count &&
	    (int32_t)unit >= 0 && unit >= name->line_count)
		return name->lines[name->line_count - 1];
	if (unit >= name->line_count || name->lines[unit] == LINES_NONE)
		return name->first_line;
	return name->lines[unit];
}

struct name *names_find(const struct names *n, uint64_t id)
{
	return find_slot(&n->by_id, id, NULL, NULL)->name;
}

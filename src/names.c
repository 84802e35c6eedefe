// SPDX-License-Identifier: GPL-2.0-or-later
/* The names of code objects: two hash tables with open addressing, by id and by what they
 * say. */
#include <config.h>

#include "names.h"

#include <stdlib.h>
#include <string.h>

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

void names_free(struct names *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->by_text.count; i++) {
		struct name *name = n->by_text.slots[i].name;

		if (!name)
			continue;
		free(name->file);
		free(name->func);
		free(name->label);
		free(name);
	}
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

static struct name *intern(struct table *t, const char *file, const char *func,
			   bool *is_new)
{
	uint64_t key = hash_text(file, func);
	struct slot *slot = find_slot(t, key, file, func);
	struct name *name = slot->name;

	*is_new = !name;
	if (name)
		return name;
	name = xcalloc(1, sizeof(*name));
	name->file = xstrdup(file);
	name->func = xstrdup(func);
	add(t, slot, key, name);
	return name;
}

struct name *names_add(struct names *n, uint64_t id, const char *file, const char *func,
		       bool *is_new)
{
	struct slot *slot = find_slot(&n->by_id, id, NULL, NULL);

	*is_new = false;
	if (!slot->name)
		add(&n->by_id, slot, id, intern(&n->by_text, file, func, is_new));
	return find_slot(&n->by_id, id, NULL, NULL)->name;
}

struct name *names_find(const struct names *n, uint64_t id)
{
	return find_slot(&n->by_id, id, NULL, NULL)->name;
}

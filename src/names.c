// SPDX-License-Identifier: GPL-2.0-or-later
/* The names of code objects: a hash table with open addressing, as ids are hashes already. */
#include <config.h>

#include "names.h"

#include <stdlib.h>

#include "xalloc.h"

enum { FIRST_SLOTS = 1024 };

struct names {
	struct name **slots;	/* a power of two, at most half of them used */
	size_t slot_count, used;
};

struct names *names_new(void)
{
	struct names *n = xcalloc(1, sizeof(*n));

	n->slot_count = FIRST_SLOTS;
	n->slots = xcalloc(n->slot_count, sizeof(*n->slots));
	return n;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->slot_count; i++) {
		if (!n->slots[i])
			continue;
		free(n->slots[i]->file);
		free(n->slots[i]->func);
		free(n->slots[i]->label);
		free(n->slots[i]);
	}
	free(n->slots);
	free(n);
}

/* Where the name of that id is, or would be. */
static struct name **find_slot(const struct names *n, uint64_t id)
{
	size_t i = id & (n->slot_count - 1);

	while (n->slots[i] && n->slots[i]->id != id)
		i = (i + 1) & (n->slot_count - 1);
	return &n->slots[i];
}

static void grow(struct names *n)
{
	struct name **old = n->slots;
	size_t count = n->slot_count;

	n->slot_count *= 2;
	n->slots = xcalloc(n->slot_count, sizeof(*n->slots));
	for (size_t i = 0; i < count; i++)
		if (old[i])
			*find_slot(n, old[i]->id) = old[i];
	free(old);
}

struct name *names_add(struct names *n, uint64_t id, const char *file, const char *func,
		       bool *is_new)
{
	struct name **slot = find_slot(n, id);
	struct name *name = *slot;

	*is_new = !name;
	if (name)
		return name;
	name = xcalloc(1, sizeof(*name));
	name->id = id;
	name->file = xstrdup(file);
	name->func = xstrdup(func);
	*slot = name;
	if (++n->used > n->slot_count / 2)
		grow(n);
	return name;
}

struct name *names_find(const struct names *n, uint64_t id)
{
	return *find_slot(n, id);
}

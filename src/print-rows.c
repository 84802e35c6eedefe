// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows and ways: arrays, found by hash tables with open addressing; stacks of calls. */
#include <config.h>

#include "print-rows.h"

#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

enum { FIRST_ROOM = 16, FIRST_SLOTS = 64 };

/* ---- entries in an array, and slots with their numbers ---- */

struct table {
	size_t size;   /* of an entry */
	char *entries; /* the first of them is nobody's: 0 is a free slot */
	uint32_t count, room;
	uint32_t *slots; /* a power of two, at most half of them used */
	uint32_t slot_count;
};

static void table_init(struct table *t, size_t size)
{
	t->size = size;
	t->count = 1;
	t->room = FIRST_ROOM;
	t->entries = xcalloc(t->room, size);
	t->slot_count = FIRST_SLOTS;
	t->slots = xcalloc(t->slot_count, sizeof(*t->slots));
}

static void table_free(struct table *t)
{
	free(t->entries);
	free(t->slots);
}

static void *table_at(const struct table *t, uint32_t index)
{
	return t->entries + index * t->size;
}

/* A new one, zero, that no slot has yet. */
static void *table_push(struct table *t)
{
	if (t->count == t->room) {
		t->room *= 2;
		t->entries = xrealloc(t->entries, t->room, t->size);
	}
	return memset(table_at(t, t->count++), 0, t->size);
}

/* Double the slots if half of them are used; hash() is that of an entry. */
static void table_spread(struct table *t, uint64_t (*hash)(const void *entry))
{
	uint32_t mask;

	if (t->count <= t->slot_count / 2)
		return;
	free(t->slots);
	t->slot_count *= 2;
	t->slots = xcalloc(t->slot_count, sizeof(*t->slots));
	mask = t->slot_count - 1;
	for (uint32_t index = 1; index < t->count; index++) {
		uint32_t i = hash(table_at(t, index)) & mask;

		while (t->slots[i])
			i = (i + 1) & mask;
		t->slots[i] = index;
	}
}

/* So that the lower bits depend on all. */
static uint64_t mix(uint64_t key)
{
	key *= 0x9e3779b97f4a7c15ULL;
	return key ^ key >> 32;
}

/* ---- rows ---- */

struct rows {
	struct table table;
	const struct print_options *options;
	row_say *say;
	uint32_t *by_name; /* by struct name's index: its row, 0 if not known yet */
	size_t name_count;
	uint32_t unknown; /* the row of names that could not be read */
};

struct rows *rows_new(size_t size, const struct print_options *o, row_say *say)
{
	struct rows *r = xcalloc(1, sizeof(*r));

	table_init(&r->table, size);
	r->options = o;
	r->say = say;
	return r;
}

void rows_free(struct rows *r)
{
	if (!r)
		return;
	for (uint32_t i = 1; i < r->table.count; i++)
		free(((struct row *)table_at(&r->table, i))->text);
	table_free(&r->table);
	free(r->by_name);
	free(r);
}

void *rows_at(const struct rows *r, uint32_t row)
{
	return table_at(&r->table, row);
}

uint32_t rows_end(const struct rows *r)
{
	return r->table.count;
}

/* FNV-1a, 64 bits. */
static uint64_t hash_row(const void *entry)
{
	const struct row *row = entry;
	uint64_t h = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < row->size; i++)
		h = (h ^ (unsigned char)row->text[i]) * 0x100000001b3ULL;
	return mix(h);
}

static bool is_row(const struct row *row, const char *text, size_t size)
{
	return row->size == size && !memcmp(row->text, text, size);
}

uint32_t rows_add(struct rows *r, char *text, size_t size)
{
	struct table *t = &r->table;
	struct row row = { text, size }, *new;
	uint32_t mask = t->slot_count - 1, i = hash_row(&row) & mask;

	for (; t->slots[i]; i = (i + 1) & mask) {
		if (is_row(table_at(t, t->slots[i]), text, size)) {
			free(text);
			return t->slots[i];
		}
	}
	t->slots[i] = t->count;
	new = table_push(t);
	*new = row;
	table_spread(t, hash_row);
	return t->count - 1;
}

static uint32_t say(struct rows *r, const char *func, const char *file, int32_t line)
{
	size_t size;
	char *text = r->say(func, file, line, &size);

	return rows_add(r, text, size);
}

static uint32_t say_name(struct rows *r, const struct name *name)
{
	const char *func = r->options->qualname && name->qualname ? name->qualname
								  : name->func;
	int32_t line = name->first_line > 0 ? name->first_line : 0;

	return say(r, func, print_file(r->options, name->file), line);
}

/* Make room for a name in by_name. */
static void reach(struct rows *r, size_t index)
{
	size_t count = r->name_count ? r->name_count : FIRST_SLOTS;

	while (count <= index)
		count *= 2;
	r->by_name = xrealloc(r->by_name, count, sizeof(*r->by_name));
	memset(r->by_name + r->name_count, 0,
	       (count - r->name_count) * sizeof(*r->by_name));
	r->name_count = count;
}

uint32_t rows_of(struct rows *r, const struct name *name)
{
	if (!name) {
		if (!r->unknown)
			r->unknown = say(r, "?", "?", 0);
		return r->unknown;
	}
	if (name->index >= r->name_count)
		reach(r, name->index);
	if (!r->by_name[name->index])
		r->by_name[name->index] = say_name(r, name);
	return r->by_name[name->index];
}

/* ---- ways ---- */

struct ways {
	struct table table;
};

struct ways *ways_new(size_t size)
{
	struct ways *w = xcalloc(1, sizeof(*w));

	table_init(&w->table, size);
	return w;
}

void ways_free(struct ways *w)
{
	if (!w)
		return;
	table_free(&w->table);
	free(w);
}

void *ways_at(const struct ways *w, uint32_t way)
{
	return table_at(&w->table, way);
}

uint32_t ways_end(const struct ways *w)
{
	return w->table.count;
}

static uint64_t hash_way(const void *entry)
{
	const struct way *way = entry;

	return mix((uint64_t)way->from << 32 | way->row);
}

uint32_t ways_get(struct ways *w, uint32_t from, uint32_t row)
{
	struct table *t = &w->table;
	struct way way = { from, row }, *new;
	uint32_t mask = t->slot_count - 1, i = hash_way(&way) & mask;

	for (; t->slots[i]; i = (i + 1) & mask) {
		const struct way *there = table_at(t, t->slots[i]);

		if (there->from == from && there->row == row)
			return t->slots[i];
	}
	t->slots[i] = t->count;
	new = table_push(t);
	*new = way;
	table_spread(t, hash_way);
	return t->count - 1;
}

/* ---- sets ---- */

static uint32_t home(const struct row_set *s, uint32_t row)
{
	return mix(row) & (s->room - 1);
}

/* Where a row is, or would be. */
static uint32_t find(const struct row_set *s, uint32_t row)
{
	uint32_t i = home(s, row);

	while (s->slots[i] && s->slots[i] != row)
		i = (i + 1) & (s->room - 1);
	return i;
}

static void grow(struct row_set *s)
{
	struct row_set old = *s;

	s->room = old.room ? old.room * 2 : FIRST_ROOM;
	s->slots = xcalloc(s->room, sizeof(*s->slots));
	for (uint32_t i = 0; i < old.room; i++)
		if (old.slots[i])
			s->slots[find(s, old.slots[i])] = old.slots[i];
	free(old.slots);
}

bool row_set_add(struct row_set *s, uint32_t row)
{
	uint32_t i;

	if (s->count >= s->room / 2)
		grow(s);
	i = find(s, row);
	if (s->slots[i])
		return false;
	s->slots[i] = row;
	s->count++;
	return true;
}

/* What stands behind the hole, and could stand in it, fills it: no search ends there. */
void row_set_remove(struct row_set *s, uint32_t row)
{
	uint32_t mask = s->room - 1, hole;

	if (!s->room)
		return;
	hole = find(s, row);
	if (!s->slots[hole])
		return;
	for (uint32_t i = (hole + 1) & mask; s->slots[i]; i = (i + 1) & mask) {
		if (((i - home(s, s->slots[i])) & mask) < ((i - hole) & mask))
			continue;
		s->slots[hole] = s->slots[i];
		hole = i;
	}
	s->slots[hole] = 0;
	s->count--;
}

/* ---- stacks ---- */

void stack_clear(struct stack *s)
{
	free(s->calls);
	free(s->open.slots);
	s->calls = NULL;
	s->count = s->room = 0;
	s->open = (struct row_set){ 0 };
}

static void drop(struct thread *thread)
{
	stack_clear((struct stack *)thread);
}

struct threads *stacks_new(void)
{
	return threads_new(sizeof(struct stack), drop);
}

struct stack *stack_of(struct threads *t, const struct print_event *e)
{
	struct stack *s = (struct stack *)threads_get(t, e->tid, e->pid);

	if (s->thread.pid == e->pid)
		return s;
	/* The number is used again. */
	stack_clear(s);
	s->thread.pid = e->pid;
	s->is_seen = false;
	return s;
}

void stack_push(struct stack *s, uint32_t call)
{
	if (s->count == s->room) {
		s->room = s->room ? s->room * 2 : FIRST_ROOM;
		s->calls = xrealloc(s->calls, s->room, sizeof(*s->calls));
	}
	s->calls[s->count++] = call;
}

uint32_t stack_pop(struct stack *s)
{
	uint32_t call = s->calls[--s->count];

	if (!s->count)
		stack_clear(s);
	return call;
}

static void *copy(const void *data, size_t count, size_t size)
{
	return count ? memcpy(xcalloc(count, size), data, count * size) : NULL;
}

void stack_fork(struct threads *t, const struct print_note *n)
{
	struct stack *from = (struct stack *)threads_find(t, n->tid);
	struct stack *to = (struct stack *)threads_find(t, n->child);

	if (to) {
		stack_clear(to);
		to->thread.pid = n->child;
		to->is_seen = false;
	}
	if (!from || from == to || !from->count)
		return;
	to = (struct stack *)threads_get(t, n->child, n->child);
	to->calls = copy(from->calls, from->count, sizeof(*from->calls));
	to->count = to->room = from->count;
	to->open = from->open;
	to->open.slots = copy(from->open.slots, from->open.room, sizeof(uint32_t));
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Code objects, put together from the pieces in which they are sent. */
#include <config.h>

#include "codes.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "xalloc.h"

/* What no compiler makes, though a process may claim it. */
enum { MAX_TEXT = 4 << 20, MAX_DRAFTS = 4096 };

struct piece {
	uint8_t *data;
	size_t size, room;
	unsigned int width;
};

/* A code object of which not all has come. A thread sends one at a time. */
struct draft {
	uint64_t sender, code;
	struct piece pieces[CODE_PARTS];
};

struct codes {
	struct draft *drafts;
	size_t count;
};

struct codes *codes_new(void)
{
	return xcalloc(1, sizeof(struct codes));
}

static void clear(struct draft *d)
{
	for (int i = 0; i < CODE_PARTS; i++)
		free(d->pieces[i].data);
	memset(d->pieces, 0, sizeof(d->pieces));
}

void codes_free(struct codes *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++)
		clear(&c->drafts[i]);
	free(c->drafts);
	free(c);
}

static struct draft *find(struct codes *c, uint64_t sender)
{
	for (size_t i = c->count; i--;)
		if (c->drafts[i].sender == sender)
			return &c->drafts[i];
	return NULL;
}

static void drop(struct codes *c, struct draft *d)
{
	clear(d);
	*d = c->drafts[--c->count];
}

static struct draft *begin(struct codes *c, uint64_t sender)
{
	struct draft *d = find(c, sender);

	if (d) {
		clear(d);
		return d;
	}
	if (c->count == MAX_DRAFTS)
		drop(c, c->drafts);
	c->drafts = xgrow(c->drafts, c->count, sizeof(*c->drafts));
	d = &c->drafts[c->count++];
	*d = (struct draft){ .sender = sender };
	return d;
}

static void append(struct piece *p, const void *data, size_t size)
{
	if (size > MAX_TEXT - p->size)
		size = MAX_TEXT - p->size;
	while (p->size + size > p->room) {
		p->room = p->room ? p->room * 2 : PART_DATA;
		p->data = xrealloc(p->data, p->room, 1);
	}
	if (size)
		memcpy(p->data + p->size, data, size);
	p->size += size;
}

void codes_add(struct codes *c, const struct event_part *part)
{
	struct draft *d = part->is_first ? begin(c, part->sender) : find(c, part->sender);
	struct piece *p;

	if (d && part->is_first)
		d->code = part->code;
	if (!d || d->code != part->code || part->part >= CODE_PARTS ||
	    part->size > PART_DATA)
		return;
	p = &d->pieces[part->part];
	p->width = part->width;
	append(p, part->data, part->size);
}

static uint32_t get_char(const uint8_t *data, unsigned int width)
{
	uint32_t wide;
	uint16_t half;

	if (width == 4) {
		memcpy(&wide, data, sizeof(wide));
		return wide;
	}
	if (width == 2) {
		memcpy(&half, data, sizeof(half));
		return half;
	}
	return *data;
}

static char *put_utf8(char *out, uint32_t c)
{
	if (c && c < 0x80) {
		*out++ = c;
		return out;
	}
	if (c < 0x800) {
		*out++ = 0xc0 | c >> 6;
	} else if (c < 0x10000) {
		*out++ = 0xe0 | c >> 12;
		*out++ = 0x80 | (c >> 6 & 0x3f);
	} else {
		/* Above 0x10ffff there is nothing, and what is made of it is not valid.
		 */
		*out++ = 0xf0 | (c < 0x200000 ? c >> 18 : 7);
		*out++ = 0x80 | (c >> 12 & 0x3f);
		*out++ = 0x80 | (c >> 6 & 0x3f);
	}
	*out++ = 0x80 | (c & 0x3f);
	return out;
}

char *codes_utf8(const void *data, size_t size, unsigned int width, size_t *out_size)
{
	size_t step = width == 2 || width == 4 ? width : 1;
	size_t count = size / step;
	char *text = xcalloc(count * 4 + 1, 1), *out = text;

	for (size_t i = 0; i < count; i++)
		out = put_utf8(out, get_char((const uint8_t *)data + i * step, step));
	*out = '\0';
	*out_size = out - text;
	return xrealloc(text, *out_size + 1, 1);
}

/* The line table is bytes, and stays so. */
static void finish(struct code *code, int part, const struct piece *p)
{
	if (part != PART_LINES) {
		code->texts[part] =
			codes_utf8(p->data, p->size, p->width, &code->sizes[part]);
		return;
	}
	code->texts[part] = xcalloc(p->size + 1, 1);
	if (p->size)
		memcpy(code->texts[part], p->data, p->size);
	code->sizes[part] = p->size;
}

bool codes_end(struct codes *c, const struct event_code *end, struct code *code)
{
	struct draft *d = find(c, end->sender);
	bool is_whole = d && d->code == end->code;

	for (int i = 0; is_whole && i < CODE_PARTS; i++)
		finish(code, i, &d->pieces[i]);
	if (d)
		drop(c, d);
	return is_whole;
}

void codes_read(const struct event_code *e, struct code *code)
{
	for (int i = 0; i < CODE_PARTS; i++) {
		const struct text *t = &e->texts[i];
		size_t size = t->size < MAX_TEXT ? t->size : MAX_TEXT;
		struct piece p = { .data = xcalloc(size + 1, 1), .width = t->width };

		p.size = memory_read(e->pid, t->at, p.data, size);
		finish(code, i, &p);
		free(p.data);
	}
}

void code_free(struct code *code)
{
	for (int i = 0; i < CODE_PARTS; i++)
		free(code->texts[i]);
}

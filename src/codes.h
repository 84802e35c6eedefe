/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Code objects as the kernel side sends them, piece by piece -> their texts. */
#ifndef PYFLOW_CODES_H
#define PYFLOW_CODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../bpf/event.h"

/* What is told of a code object: names in UTF-8, NUL-terminated, and the bytes of its
 * line table. */
struct code {
	char *texts[CODE_PARTS];
	size_t sizes[CODE_PARTS]; /* bytes, without the NUL */
};

struct codes;

struct codes *codes_new(void);
void codes_free(struct codes *c);

/* Take a piece. */
void codes_add(struct codes *c, const struct event_part *part);

/* The end of a code object: its texts, to be freed by code_free(). False if not all of
 * its pieces were there. */
bool codes_end(struct codes *c, const struct event_code *end, struct code *code);

/* The same for one whose texts are still in the memory of the process. What cannot be
 * read is empty. */
void codes_read(const struct event_code *e, struct code *code);
void code_free(struct code *code);

/* UTF-8 of `size` bytes of characters, each `width` bytes wide, as a str object has them.
 * A NUL becomes c0 80, a lone surrogate the three bytes that UTF-8 would have for it;
 * neither is valid there, so that they can be told. The caller frees it. */
char *codes_utf8(const void *data, size_t size, unsigned int width, size_t *out_size);

#endif

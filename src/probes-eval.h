/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probe source `eval`: places in CPython's evaluation loop itself. */
#ifndef PYFLOW_PROBES_EVAL_H
#define PYFLOW_PROBES_EVAL_H

#include "probes-elf.h"
#include "probes.h"

/* Add to p the places of e, a CPython of p->version, and set p->state: PROBES_USABLE, or
 * PROBES_UNKNOWN with p->detail saying what is not understood. */
void probes_read_eval(struct elf *e, struct probes *p);

/* ---- for the tests ---- */

struct cpython;

/* A dispatch table. */
struct targets {
	uint64_t handlers[MAX_OPCODES];
	unsigned int distinct;
};

/* Find the table in words that are pointers: 256 in a row into the code, in which those
 * of unused opcodes, and no others, are the same. Of several the one with the most
 * different ones. False if there is none. */
bool eval_find_table(const uint64_t *words, size_t count, uint64_t code,
		     uint64_t code_end, const struct cpython *v, struct targets *found);

#endif

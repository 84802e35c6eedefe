/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probe source `eval` for CPython 3.8 to 3.10: where the evaluation function begins
 * and ends. */
#ifndef PYFLOW_PROBES_CALL_H
#define PYFLOW_PROBES_CALL_H

#include "probes-cpython.h"
#include "probes-elf.h"
#include "probes.h"

/* Add to p the places of e. Returns what is not understood, NULL if nothing is missing.
 */
const char *probes_read_call(struct elf *e, const struct cpython *v, struct probes *p);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must be known of CPython's insides. */
#ifndef PYFLOW_PROBES_CPYTHON_H
#define PYFLOW_PROBES_CPYTHON_H

#include "probes-elf.h"
#include "probes.h"

/* Is it one, and which: sets p->version, 0 where the file does not say (before 3.11). */
bool cpython_recognize(struct elf *e, struct probes *p);

/* CPython 3.15's function probes are not balanced. Give them the layout that tells the
 * making of a generator from a call, and add the place where a generator goes on by
 * throw(). Does nothing for the others; sets p->state to PROBES_MALFORMED if it cannot.
 */
void cpython_balance(struct elf *e, struct probes *p);

/* Give the probes what spares the kernel side from reading all of each name each time:
 * how a str object looks, and the place where code objects, and so their names, are
 * freed. Does nothing where that is not known. */
void cpython_quicken(struct elf *e, struct probes *p);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probe source `sdt`: SystemTap's probes, read from .note.stapsdt.
 * Format: https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation */
#ifndef PYFLOW_PROBES_SDT_H
#define PYFLOW_PROBES_SDT_H

#include "probes-elf.h"
#include "probes.h"

/* One note, its addresses corrected; the strings are in the file's bytes. */
struct note {
	uint64_t location, semaphore;
	const char *provider, *name, *args;
};

/* Walk the notes in data (size bytes, from the section .note.stapsdt); base is the
 * address of .stapsdt.base, 0 if there is none. Calls found() for each until it returns
 * other than 0. Returns that, 0 at the end, or -EBADMSG where the notes make no sense. */
int notes_walk(const void *data, size_t size, uint64_t base,
	       int (*found)(const struct note *note, void *arg), void *arg);

/* Add the function probes of Python in e to p, and set p->state: PROBES_USABLE, or what
 * keeps them from being so. Returns the number of probes of Python, for whatever, that
 * there are. */
size_t probes_read_sdt(struct elf *e, struct probes *p);

#endif

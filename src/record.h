/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A flight recorder: a printer that keeps the last events, and tells them when asked. */
#ifndef PYFLOW_RECORD_H
#define PYFLOW_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "print.h"

struct record;

/* Keep so many events of each thread, or, if that is 0, as many of all as make so many
 * bytes of text. */
struct record *record_new(uint64_t events, uint64_t size);
void record_free(struct record *r);
struct printer *record_printer(struct record *r);

/* Forget the older half of what is kept. False if there is nothing left to forget. */
bool record_halve(struct record *r);

/* Tell a printer what is kept, from begin to end. In front of a thread's events come the
 * beginnings of the calls that they are in; what is open at the end ends unseen. The
 * total of events is of those that are told. */
void record_replay(const struct record *r, struct printer *to,
		   const struct print_totals *totals);

#endif

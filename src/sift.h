/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which calls are shown, of those whose names are; how long each took, and how much of
 * that was its own. Calls in, calls out, in the order in which they happened. No I/O, no
 * clock.
 *
 * A call is shown if
 * 1. its name is not hidden,
 * 2. it is below a call whose name is a start, or such a call itself, if there are
 * starts,
 * 3. it took min_duration at least,
 * 4. fewer than max_depth calls around it are shown.
 * What a call around it took is never less, so 3 and 4 do not depend on their order. */
#ifndef PYFLOW_SIFT_H
#define PYFLOW_SIFT_H

#include <stdbool.h>
#include <stdint.h>

#include "print.h"

struct sift_rules {
	bool has_starts;	/* the names that are starts say so (is_start) */
	unsigned int max_depth; /* 0: all */
	uint64_t min_duration;	/* ns; 0: all */
};

struct sift;

/* What is shown goes to out, which stays the caller's. */
struct sift *sift_new(const struct sift_rules *rules, struct printer *out);
void sift_free(struct sift *s);

/* A call or return, e->depth calls deep in its thread. If the thread has more calls open
 * than that, those have ended unseen. A return that ends none of them began before the
 * trace. The other depth, of what is shown, is found here, and the times. */
void sift_event(struct sift *s, const struct print_event *e);

/* The process `child` has been made: its only thread has the same calls open as tid. */
void sift_fork(struct sift *s, uint32_t tid, uint32_t child, uint64_t at);

/* What was open ends: in all threads of a process, in one thread. */
void sift_exec(struct sift *s, uint32_t pid, uint64_t at);
void sift_exit(struct sift *s, uint32_t tid, uint64_t at);

/* These take their place among the calls. */
void sift_note(struct sift *s, const struct print_note *n);
void sift_lost(struct sift *s, const struct print_lost *l);

/* All events up to this moment (ns since the trace began) have been given. */
void sift_advance(struct sift *s, uint64_t at);

/* When it is known next whether a call is shown; UINT64_MAX if that does not depend on
 * time. */
uint64_t sift_next(const struct sift *s);

/* The trace ends, and with it all that is open. */
void sift_end(struct sift *s, uint64_t at);

/* Calls and returns shown, without those that were not seen to end. */
uint64_t sift_events(const struct sift *s);

#endif

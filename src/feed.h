/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records -> names, calls and returns -> the printer. */
#ifndef PYFLOW_FEED_H
#define PYFLOW_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "attach.h"
#include "filter.h"
#include "print.h"

struct feed;

/* What is given stays the caller's, and must live as long. notes: print what becomes of
 * processes, too. */
struct feed *feed_new(struct attach *a, struct filter *filter, struct printer *printer,
		      bool notes);
void feed_free(struct feed *f);

/* ns to be added to CLOCK_MONOTONIC for wall time. */
void feed_set_clock(struct feed *f, int64_t wall_offset);

/* Print what a process that was there already runs, if notes are printed: its arguments,
 * each with a NUL. */
void feed_process(struct feed *f, pid_t pid, const char *args, size_t size);

/* A stream_handler, with a struct feed. */
void feed_record(const void *record, void *arg);

/* Print that so many events were lost here. */
void feed_lost(struct feed *f, uint64_t count);

/* Events shown so far, and returns whose beginning was not seen. */
uint64_t feed_events(const struct feed *f);
uint64_t feed_orphans(const struct feed *f);

#endif

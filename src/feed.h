/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records -> names, calls and returns -> what is shown of them -> the printer. */
#ifndef PYFLOW_FEED_H
#define PYFLOW_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "attach.h"
#include "filter.h"
#include "print.h"
#include "sift.h"

struct feed;

/* What a feed is made of: all of it stays the caller's, and must live as long. */
struct feed_parts {
	struct attach *attach; /* is told verdicts; NULL if nobody is */
	struct filter *filter;
	struct sift_rules rules;
	struct printer *printer;
	bool notes; /* tell the printer what becomes of processes, and names of threads */
};

struct feed *feed_new(const struct feed_parts *parts);
void feed_free(struct feed *f);

/* The trace begins now (ns of CLOCK_MONOTONIC), with so many processes. */
void feed_begin(struct feed *f, uint64_t now, size_t processes);

/* ns to be added to CLOCK_MONOTONIC for wall time. */
void feed_set_clock(struct feed *f, int64_t wall_offset);

/* A time of CLOCK_MONOTONIC (ns) since the trace began, and as wall time. */
uint64_t feed_at(const struct feed *f, uint64_t now);
uint64_t feed_time(const struct feed *f, uint64_t now);

/* Print what a process that was there already runs, if notes are printed: its arguments,
 * each with a NUL. */
void feed_process(struct feed *f, pid_t pid, const char *args, size_t size);

/* A stream_handler, with a struct feed. */
void feed_record(const void *record, void *arg);

/* Print that so many events were lost here. */
void feed_lost(struct feed *f, uint64_t count, uint64_t now);

/* All records of events up to this moment have been given. */
void feed_advance(struct feed *f, uint64_t now);

/* When it should be told again how late it is (ns of CLOCK_MONOTONIC), since something
 * will be shown then; UINT64_MAX if nothing will. */
uint64_t feed_next(const struct feed *f);

/* The trace ends: so does all that is open. */
void feed_end(struct feed *f, uint64_t now);

/* Events so far: those that came, and those shown; returns whose beginning was not seen;
 * processes that have not ended. */
uint64_t feed_seen(const struct feed *f);
uint64_t feed_events(const struct feed *f);
uint64_t feed_orphans(const struct feed *f);
size_t feed_processes(const struct feed *f);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/* What printing costs, without a kernel: records of calls and returns that are made here
 * go the way that those of the ring buffer go, through names, tree and printers.
 *
 *   print EVENTS OPTION...
 *
 * takes pyflow's options for what is shown and how, and prints millions of events per
 * second of CPU time, and the peak of memory (KiB) after a tenth of the events and after
 * all. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../bpf/event.h"
#include "feed.h"
#include "options.h"
#include "outputs.h"
#include "record.h"
#include "xalloc.h"

enum { THREADS = 4, FUNCTIONS = 500, DEEP = 40, PID = 1000 };

/* At the first levels each function calls several others. */
enum { WIDE = 6, CALLEES = 3 };

struct thread_state {
	unsigned int depth;
	uint64_t codes[DEEP];
};

struct generator {
	struct feed *feed;
	struct thread_state threads[THREADS];
	uint64_t time, random;
};

/* xorshift: the same in each run. */
static uint32_t below(struct generator *g, uint32_t n)
{
	g->random ^= g->random << 13;
	g->random ^= g->random >> 7;
	g->random ^= g->random << 17;
	return (g->random >> 32) % n;
}

static void name_functions(struct generator *g)
{
	for (unsigned int i = 1; i <= FUNCTIONS; i++) {
		struct event_name n = { .kind = EVENT_NAME, .code = i };

		snprintf(n.file, sizeof(n.file),
			 "/usr/lib/python3.11/package%u/module%u.py", i % 7, i % 50);
		snprintf(n.func, sizeof(n.func), "function_%u", i);
		feed_record(&n, g->feed);
	}
}

/* What the innermost call calls: as in programs, the same few functions each time. */
static uint64_t choose_function(struct generator *g, const struct thread_state *t)
{
	uint64_t caller = t->depth ? t->codes[t->depth - 1] : 0;

	return 1 + (caller * 7 + (t->depth < WIDE ? below(g, CALLEES) : 0)) % FUNCTIONS;
}

/* A thread runs for a while, then another. */
static void step(struct generator *g, unsigned int thread)
{
	struct thread_state *t = &g->threads[thread];
	uint64_t code = choose_function(g, t);
	bool enters = !t->depth || (t->depth < DEEP && below(g, 2));
	struct event e = {
		.kind = enters ? EVENT_ENTER : EVENT_LEAVE,
		.cpu = thread % 2,
		.line = 10 + below(g, 500),
		.pid = PID,
		.tid = PID + thread,
		.time = g->time += 200 + below(g, 2000),
	};

	if (enters)
		t->codes[t->depth++] = code;
	else
		t->depth--;
	e.code = t->codes[enters ? t->depth - 1 : t->depth];
	e.frame = 0x7fff0000 - 100 * (enters ? t->depth - 1 : t->depth);
	feed_record(&e, g->feed);
}

static long peak_of_memory(struct rusage *usage)
{
	getrusage(RUSAGE_SELF, usage);
	return usage->ru_maxrss;
}

static double seconds(const struct rusage *u)
{
	return u->ru_utime.tv_sec + u->ru_stime.tv_sec +
	       (u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e6;
}

static void run(struct generator *g, struct printer *printer, uint64_t events)
{
	struct print_begin begin = { .pids = &(pid_t){ PID }, .count = 1 };
	struct print_totals totals = { .events = events };
	struct rusage before, after;
	long early = 0, late;

	peak_of_memory(&before);
	feed_begin(g->feed, g->time, 1);
	printer->ops->begin(printer, &begin);
	name_functions(g);
	for (uint64_t i = 0; i < events; i++) {
		if (i == events / 10)
			early = peak_of_memory(&after);
		step(g, i / 100 % THREADS);
	}
	feed_end(g->feed, g->time);
	totals.at = feed_at(g->feed, g->time);
	if (printer->ops->end)
		printer->ops->end(printer, &totals);
	late = peak_of_memory(&after);
	printf("%.2f %ld %ld\n", events / 1e6 / (seconds(&after) - seconds(&before)),
	       early, late);
}

/* The options, as if process 1 were to be traced. */
static void read_options(struct options *o, int argc, char **argv)
{
	char **args = xcalloc(argc + 2, sizeof(*args));

	args[0] = argv[0];
	args[1] = "-p1";
	memcpy(args + 2, argv + 2, (argc - 2) * sizeof(*args));
	options_parse(o, argc, args);
	free(args);
}

int main(int argc, char **argv)
{
	struct generator g = { .time = 1000000000, .random = 88172645463325252ULL };
	struct feed_parts parts = { .notes = false };
	struct record *record = NULL;
	struct outputs *outputs;
	struct options o;

	if (argc < 2) {
		fprintf(stderr, "usage: print EVENTS OPTION...\n");
		return 2;
	}
	read_options(&o, argc, argv);
	outputs = outputs_new(&o, "/");
	if (options_record(&o))
		record = record_new(o.last_events, o.last_size);
	else if (outputs_open(outputs))
		return 1;
	parts.rules = (struct sift_rules){ o.start_at, o.max_depth, o.min_duration };
	parts.printer = record ? record_printer(record) : outputs_printer(outputs);
	parts.filter = filter_new(&o, "/");
	g.feed = feed_new(&parts);
	run(&g, parts.printer, strtoull(argv[1], NULL, 10));
	outputs_free(outputs);
	record_free(record);
	feed_free(g.feed);
	filter_free(parts.filter);
	options_free(&o);
	return 0;
}

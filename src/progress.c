// SPDX-License-Identifier: GPL-2.0-or-later
/* A line on a terminal that tells how it goes. */
#include <config.h>

#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

enum { NS_BETWEEN = 500 * 1000 * 1000, NS = 1000 * 1000 * 1000 };

bool progress_can(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb");
}

void progress_show(struct progress *p, uint64_t now, uint64_t events, uint64_t lost,
		   size_t processes)
{
	char text[120];

	/* A background job would be stopped for it, or write into another's line. */
	if (!p->is_wanted || now - p->shown < NS_BETWEEN ||
	    tcgetpgrp(STDERR_FILENO) != getpgrp())
		return;
	p->rate = p->shown ? (double)(events - p->events) * NS / (now - p->shown) : 0;
	p->shown = now;
	p->events = events;
	snprintf(text, sizeof(text), "%llu events, %llu/s, %llu lost, %zu process%s",
		 (unsigned long long)events, (unsigned long long)p->rate,
		 (unsigned long long)lost, processes, processes == 1 ? "" : "es");
	log_progress(text);
}

bool progress_is_old(const struct progress *p)
{
	return p->is_wanted && p->rate;
}

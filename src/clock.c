// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's clock as wall time. */
#include <config.h>

#include "clock.h"

#include <time.h>

static int64_t now(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* One reading may be torn by an interrupt: the mean of the readings around it. */
int64_t clock_wall_offset(void)
{
	int64_t before = now(CLOCK_MONOTONIC), wall = now(CLOCK_REALTIME);

	return wall - (before + (now(CLOCK_MONOTONIC) - before) / 2);
}

int64_t clock_monotonic(void)
{
	return now(CLOCK_MONOTONIC);
}

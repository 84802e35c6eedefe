/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's clock as wall time. */
#ifndef PYFLOW_CLOCK_H
#define PYFLOW_CLOCK_H

#include <stdint.h>

/* What to add to CLOCK_MONOTONIC (ns) to get ns since 1970, as of now. */
int64_t clock_wall_offset(void);

/* CLOCK_MONOTONIC, ns. */
int64_t clock_monotonic(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where to put a probe, so that it costs least: on an instruction that the kernel
 * emulates. */
#ifndef PYFLOW_SPOT_H
#define PYFLOW_SPOT_H

#include <stdbool.h>

#include "probes-elf.h"
#include "probes.h"

/* Arguments of a function that must still be in their registers. */
enum { SPOT_ARG1 = 1, SPOT_ARG2 = 2, SPOT_ARG3 = 4 };

/* Set the address and offset of a probe for a function: at its first instruction, or
 * behind a few that do no harm to the arguments. False if it is not in the code. */
bool spot_function(struct elf *e, uint64_t address, unsigned int args,
		   struct probe *probe);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arguments of an SDT probe: "8@%rax -4@-20(%rbp)" -> struct operand. Text only. */
#ifndef PYFLOW_PROBE_ARGS_H
#define PYFLOW_PROBE_ARGS_H

#include <stddef.h>

#include "../bpf/event.h"

enum probe_machine { PROBE_X86_64, PROBE_AARCH64 };

/* Read up to max arguments, the first ones, into ops. Registers become indices into the
 * kernel's struct pt_regs of that machine. Returns how many there are in text, or -EINVAL
 * if one of the first max is not understood. The forms are those that GNU as and LLVM
 * print for the constraint "nor" of <sys/sdt.h>. */
int probe_args_parse(enum probe_machine machine, const char *text, struct operand *ops,
		     size_t max);

#endif

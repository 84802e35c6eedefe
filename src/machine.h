/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The x86-64 machine code of a file, and what its instructions do with registers. */
#ifndef PYFLOW_MACHINE_H
#define PYFLOW_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "probes-elf.h"
#include "x86.h"

enum { RDX = 2, RSP = 4, RBP = 5, RSI = 6, RDI = 7 };

struct machine {
	const uint8_t *code; /* .text, owned by the elf */
	uint64_t start, end; /* addresses */
};

bool machine_open(struct elf *e, struct machine *m);

/* The instruction at an address. Returns its length; 0 if there is none. */
unsigned int machine_decode(const struct machine *m, uint64_t address,
			    struct x86_insn *insn);

/* Is a uprobe there one that the kernel emulates? */
bool machine_emulates(const struct machine *m, uint64_t address);

/* mov %REG,offset(%BASE), of 64 bits; not to the stack by way of %rsp. */
bool machine_stores(const struct x86_insn *i, int32_t offset);

/* mov OFFSET(%BASE),%REG, of 64 bits: its offset and base are in i. */
bool machine_loads(const struct x86_insn *i);

/* mov %FROM,%TO, of 64 bits */
bool machine_moves(const struct x86_insn *i, uint8_t *from, uint8_t *to);

bool machine_writes(const struct x86_insn *i, uint8_t reg);

/* The registers that hold something, as one bit for each, behind an instruction. */
uint16_t machine_carry(const struct x86_insn *i, uint16_t holds);

/* Where a register is in struct pt_regs, as an index of words; OPERAND_NOREG for
 * X86_NOREG. */
uint8_t machine_index(uint8_t reg);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One x86-64 instruction: its length, where it goes and which registers it changes. */
#ifndef PYFLOW_X86_H
#define PYFLOW_X86_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum x86_flow {
	X86_NEXT,
	X86_JUMP,
	X86_BRANCH, /* jcc, loop, jrcxz, xbegin */
	X86_CALL,
	X86_RETURN,
	X86_INDIRECT, /* jmp to what a register or memory holds */
	X86_STOP,     /* ud2, hlt, int3 */
};

/* Registers by their number: rax rcx rdx rbx rsp rbp rsi rdi r8-r15. */
enum { X86_NOREG = 0xff, X86_RIP = 0x10 };

struct x86_insn {
	uint8_t length; /* bytes */
	uint8_t flow;
	uint8_t map, opcode; /* map 0: one byte, 1: 0f, 2: 0f38, 3: 0f3a, 5-10: of VEX */
	bool is_vex;	     /* VEX, EVEX or XOP: map counts as there */
	bool is_emulated;    /* a uprobe here costs no single step, see x86.c */
	bool has_memory;     /* ModRM names memory */
	uint8_t size;	     /* of general-purpose operands: 1, 2, 4 or 8 bytes */

	/* Numbers as encoded; what they number is the instruction's affair: 4-7 are ah,
	 * ch, dh, bh if size is 1 and there is no REX; 0-15 may be vector registers. */
	uint8_t reg;	     /* ModRM.reg, X86_NOREG if there is no ModRM */
	uint8_t rm;	     /* ModRM.rm if it is a register, else X86_NOREG */
	uint8_t base, index; /* of the memory operand; X86_RIP, X86_NOREG if none */
	int32_t disp;	     /* EVEX: an 8-bit one is not scaled */
	uint16_t writes;     /* general registers that may change, one bit per number */
	uint64_t target;     /* of a direct jump, branch or call, else 0 */
	uint64_t address;    /* of a rip-relative operand, else 0 */
};

/* Decode the instruction at the start of code, `size` bytes that stand at `address`.
 * Returns its length; 0 if it does not end within them or is not valid in user space
 * (not all of those are found). `writes` is exact for what compilers emit most, and all
 * ones for what is rare; a call changes what the System V ABI lets it change. */
unsigned int x86_decode(const void *code, size_t size, uint64_t address,
			struct x86_insn *insn);

#endif

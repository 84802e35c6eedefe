// SPDX-License-Identifier: GPL-2.0-or-later
/* Where to put a probe.
 *
 * A uprobe on an instruction that the kernel emulates (push, call, jump: Linux
 * arch/x86/kernel/uprobes.c) costs about 1 us, on any other, which is single-stepped
 * elsewhere, about 10. */
#include <config.h>

#include "spot.h"

#include "x86.h"

/* How far from its beginning the probe of a function may be. */
enum { MAX_SKIPPED = 4 };

/* How much of a function is looked at for jumps back to its beginning. */
enum { NEAR = 4096 };

static uint16_t registers_of(unsigned int args)
{
	/* The System V ABI for x86-64. */
	enum { RDX = 2, RSI = 6, RDI = 7 };

	return (args & SPOT_ARG1 ? 1 << RDI : 0) | (args & SPOT_ARG2 ? 1 << RSI : 0) |
	       (args & SPOT_ARG3 ? 1 << RDX : 0);
}

/* Does any jump of this code end at one of the instructions up to `spot` but the first?
 */
static bool is_entered(const uint8_t *code, size_t size, uint64_t address, size_t spot)
{
	struct x86_insn insn;
	unsigned int n;

	for (size_t at = 0; at < size; at += n) {
		n = x86_decode(code + at, size - at, address + at, &insn);
		if (!n)
			break;
		if (insn.target > address && insn.target <= address + spot)
			return true;
	}
	return false;
}

/* The distance to an emulated instruction that is run once whenever the function is, with
 * the arguments untouched; 0 if there is none. */
static size_t skip_x86(const uint8_t *code, size_t size, uint64_t address, uint16_t keep)
{
	struct x86_insn insn;
	size_t at = 0;

	for (int i = 0; i <= MAX_SKIPPED; i++) {
		unsigned int n = x86_decode(code + at, size - at, address + at, &insn);

		if (n && insn.is_emulated)
			return is_entered(code, size, address, at) ? 0 : at;
		if (!n || insn.flow != X86_NEXT || insn.writes & keep)
			break;
		at += n;
	}
	return 0;
}

bool spot_function(struct elf *e, uint64_t address, unsigned int args,
		   struct probe *probe)
{
	uint8_t code[NEAR];
	size_t size = sizeof(code);

	/* It may be the last function of the file. */
	while (size && !elf_read(e, address, code, size))
		size /= 2;
	probe->address = address;
	if (e->header.e_machine == EM_X86_64)
		probe->address += skip_x86(code, size, address, registers_of(args));
	return elf_offset(e, probe->address, 1, ELF_CODE, &probe->offset);
}

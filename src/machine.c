// SPDX-License-Identifier: GPL-2.0-or-later
/* Machine code: what the search for probes asks of it. */
#include <config.h>

#include "machine.h"

#include "../bpf/event.h"

/* struct pt_regs as an array of words, by the number of the register. */
static const uint8_t pt_regs[] = { 10, 11, 12, 5, 19, 4, 13, 14, 9, 8, 7, 6, 3, 2, 1, 0 };

bool machine_open(struct elf *e, struct machine *m)
{
	GElf_Shdr shdr;
	Elf_Scn *scn;
	Elf_Data *data;

	if (!elf_section(e, ".text", &shdr, &scn))
		return false;
	data = elf_bytes(scn);
	if (!data || shdr.sh_addr + data->d_size < shdr.sh_addr)
		return false;
	m->code = data->d_buf;
	m->start = shdr.sh_addr;
	m->end = shdr.sh_addr + data->d_size;
	return true;
}

unsigned int machine_decode(const struct machine *m, uint64_t address,
			    struct x86_insn *insn)
{
	if (address < m->start || address >= m->end)
		return 0;
	return x86_decode(m->code + (address - m->start), m->end - address, address,
			  insn);
}

bool machine_emulates(const struct machine *m, uint64_t address)
{
	struct x86_insn i;

	return machine_decode(m, address, &i) && i.is_emulated;
}

static bool is_mov(const struct x86_insn *i, uint8_t opcode)
{
	return !i->map && !i->is_vex && i->opcode == opcode && i->size == 8;
}

bool machine_stores(const struct x86_insn *i, int32_t offset)
{
	return is_mov(i, 0x89) && i->has_memory && i->disp == offset &&
	       i->index == X86_NOREG && i->base < X86_RIP && i->base != RSP;
}

bool machine_loads(const struct x86_insn *i)
{
	return is_mov(i, 0x8b) && i->has_memory && i->index == X86_NOREG &&
	       i->base < X86_RIP;
}

bool machine_moves(const struct x86_insn *i, uint8_t *from, uint8_t *to)
{
	bool is_store = is_mov(i, 0x89);

	if (i->rm == X86_NOREG || (!is_store && !is_mov(i, 0x8b)))
		return false;
	*from = is_store ? i->reg : i->rm;
	*to = is_store ? i->rm : i->reg;
	return true;
}

bool machine_writes(const struct x86_insn *i, uint8_t reg)
{
	return reg < X86_RIP && i->writes >> reg & 1;
}

uint16_t machine_carry(const struct x86_insn *i, uint16_t holds)
{
	uint8_t from, to;

	if (!machine_moves(i, &from, &to))
		return holds & ~i->writes;
	return holds >> from & 1 ? holds | 1 << to : holds & ~(1 << to);
}

uint8_t machine_index(uint8_t reg)
{
	return reg == X86_NOREG ? OPERAND_NOREG : pt_regs[reg];
}

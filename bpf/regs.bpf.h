/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers and memory of the process at a probe. */
#ifndef PYFLOW_REGS_BPF_H
#define PYFLOW_REGS_BPF_H

#include "common.bpf.h"

/* The verifier wants each word of the context read at an offset that is a constant; the
 * empty asm keeps the compiler from making one read at a variable offset of them all. */
#define REG(n)                                           \
	case n:                                          \
		value = regs[n];                         \
		asm volatile("" : "+r"(value) : "i"(n)); \
		break

static __always_inline uint64_t reg(const uint64_t *regs, uint8_t i)
{
	uint64_t value = 0;

	switch (i) {
		REG(0);
		REG(1);
		REG(2);
		REG(3);
		REG(4);
		REG(5);
		REG(6);
		REG(7);
		REG(8);
		REG(9);
		REG(10);
		REG(11);
		REG(12);
		REG(13);
		REG(14);
		REG(15);
		REG(16);
		REG(17);
		REG(18);
		REG(19);
		REG(20);
#if defined(__TARGET_ARCH_arm64)
		REG(21);
		REG(22);
		REG(23);
		REG(24);
		REG(25);
		REG(26);
		REG(27);
		REG(28);
		REG(29);
		REG(30);
		REG(31);
		REG(32);
		REG(33);
#endif
	}
	return value;
}

static __always_inline uint64_t fit(uint64_t value, uint8_t size, uint8_t is_signed)
{
	uint8_t unused = (64 - size * 8) & 63;

	value <<= unused;
	return is_signed ? (uint64_t)((int64_t)value >> unused) : value >> unused;
}

static __always_inline uint64_t operand(const struct operand *o, const uint64_t *regs)
{
	uint64_t value = 0, at;

	if (o->kind == OPERAND_CONST)
		return o->disp;
	if (o->kind == OPERAND_REG)
		return fit(reg(regs, o->reg) >> (o->shift & 63), o->size, o->is_signed);
	at = reg(regs, o->reg) + reg(regs, o->index) * o->scale + o->disp;
	bpf_probe_read_user(&value, sizeof(value), (void *)at);
	return fit(value, o->size, o->is_signed);
}

static __always_inline uint64_t thread_pointer(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

#if defined(__TARGET_ARCH_x86)
	return task->thread.fsbase;
#else
	return ((struct task_struct___arm *)task)->thread.uw.tp_value;
#endif
}

/* The word at an offset that comes from a map; 0 if it is not among the words. The empty
 * asm keeps the compiler from reading the offset anew behind the check. */
static __always_inline uint64_t pick(const uint64_t *words, uint32_t count,
				     uint16_t offset)
{
	uint32_t i = offset / 8;

	asm volatile("" : "+r"(i));
	return i < count ? words[i] : 0;
}

static __always_inline uint64_t read_word(uint64_t at)
{
	uint64_t value = 0;

	bpf_probe_read_user(&value, sizeof(value), (void *)at);
	return value;
}

#endif

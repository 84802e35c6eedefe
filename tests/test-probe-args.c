// SPDX-License-Identifier: GPL-2.0-or-later
/* Argument strings of probes: every form that is understood, and those that are not. */
#include <config.h>

#include "probe-args.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check.h"

#define X86 PROBE_X86_64
#define ARM PROBE_AARCH64
#define NO OPERAND_NOREG

/* struct pt_regs of x86-64, in 64-bit words. */
enum {
	R15,
	R14,
	R13,
	R12,
	RBP,
	RBX,
	R11,
	R10,
	R9,
	R8,
	RAX,
	RCX,
	RDX,
	RSI,
	RDI,
	ORIG_RAX,
	RIP,
	CS,
	FLAGS,
	RSP
};

#define REG(reg, size, is_signed, shift)                              \
	{                                                             \
		OPERAND_REG, size, is_signed, reg, NO, 1, shift, 0, 0 \
	}
#define CONST(size, is_signed, value)                                  \
	{                                                              \
		OPERAND_CONST, size, is_signed, NO, NO, 1, 0, 0, value \
	}
#define MEM(size, is_signed, base, index, scale, disp)                       \
	{                                                                    \
		OPERAND_MEM, size, is_signed, base, index, scale, 0, 0, disp \
	}

static const struct {
	enum probe_machine machine;
	const char *text;
	struct operand wanted;
} good[] = {
	/* widths and signs; the size says what is read, the register may be wider */
	{ X86, "8@%rax", REG(RAX, 8, 0, 0) },
	{ X86, "-8@%rax", REG(RAX, 8, 1, 0) },
	{ X86, "4@%eax", REG(RAX, 4, 0, 0) },
	{ X86, "-4@%eax", REG(RAX, 4, 1, 0) },
	{ X86, "2@%ax", REG(RAX, 2, 0, 0) },
	{ X86, "-2@%ax", REG(RAX, 2, 1, 0) },
	{ X86, "1@%al", REG(RAX, 1, 0, 0) },
	{ X86, "-1@%ah", REG(RAX, 1, 1, 8) },
	{ X86, "4@%rax", REG(RAX, 4, 0, 0) },
	{ X86, "1@%r15d", REG(R15, 1, 0, 0) },
	{ X86, "%rdi", REG(RDI, 8, 0, 0) },
	{ X86, "8@%rip", REG(RIP, 8, 0, 0) },
	/* constants: what does not fit the size is cut to it */
	{ X86, "4@$0", CONST(4, 0, 0) },
	{ X86, "-4@$-1", CONST(4, 1, -1) },
	{ X86, "4@$-1", CONST(4, 0, 0xffffffff) },
	{ X86, "-1@$255", CONST(1, 1, -1) },
	{ X86, "1@$-1", CONST(1, 0, 255) },
	{ X86, "-2@$0x8000", CONST(2, 1, -32768) },
	{ X86, "2@$+7", CONST(2, 0, 7) },
	{ X86, "-4@$010", CONST(4, 1, 8) },
	{ X86, "8@$9223372036854775807", CONST(8, 0, INT64_MAX) },
	{ X86, "-8@$-9223372036854775808", CONST(8, 1, INT64_MIN) },
	{ X86, "8@$18446744073709551615", CONST(8, 0, -1) },
	{ X86, "8@$0xffffffff80000000", CONST(8, 0, -0x80000000LL) },
	{ X86, "$3", CONST(8, 0, 3) },
	/* memory: every part may be missing but one register */
	{ X86, "8@(%rax)", MEM(8, 0, RAX, NO, 1, 0) },
	{ X86, "-4@-20(%rbp)", MEM(4, 1, RBP, NO, 1, -20) },
	{ X86, "4@0x10(%rsp)", MEM(4, 0, RSP, NO, 1, 16) },
	{ X86, "8@(%rax,%rbx)", MEM(8, 0, RAX, RBX, 1, 0) },
	{ X86, "8@(%rax,%rbx,1)", MEM(8, 0, RAX, RBX, 1, 0) },
	{ X86, "8@(%rax,%rbx,2)", MEM(8, 0, RAX, RBX, 2, 0) },
	{ X86, "2@(%rax,%r9,4)", MEM(2, 0, RAX, R9, 4, 0) },
	{ X86, "8@(%rax,%rbx,8)", MEM(8, 0, RAX, RBX, 8, 0) },
	{ X86, "-1@-8(%r12,%r13)", MEM(1, 1, R12, R13, 1, -8) },
	{ X86, "8@24(%r12,%r13,8)", MEM(8, 0, R12, R13, 8, 24) },
	{ X86, "8@(,%rcx,4)", MEM(8, 0, NO, RCX, 4, 0) },
	{ X86, "8@(,%rcx)", MEM(8, 0, NO, RCX, 1, 0) },
	{ X86, "8@4096(,%rcx,8)", MEM(8, 0, NO, RCX, 8, 4096) },
	{ X86, "(%rdi)", MEM(8, 0, RDI, NO, 1, 0) },
	{ X86, "\t 8@%rax \t", REG(RAX, 8, 0, 0) },

	{ ARM, "8@x0", REG(0, 8, 0, 0) },
	{ ARM, "-8@x30", REG(30, 8, 1, 0) },
	{ ARM, "-4@w19", REG(19, 4, 1, 0) },
	{ ARM, "1@w1", REG(1, 1, 0, 0) },
	{ ARM, "2@x9", REG(9, 2, 0, 0) },
	{ ARM, "8@sp", REG(31, 8, 0, 0) },
	{ ARM, "4@wsp", REG(31, 4, 0, 0) },
	{ ARM, "8@fp", REG(29, 8, 0, 0) },
	{ ARM, "8@lr", REG(30, 8, 0, 0) },
	{ ARM, "x7", REG(7, 8, 0, 0) },
	{ ARM, "8@xzr", CONST(8, 0, 0) },
	{ ARM, "4@wzr", CONST(4, 0, 0) },
	{ ARM, "4@5", CONST(4, 0, 5) },
	{ ARM, "-4@-5", CONST(4, 1, -5) },
	{ ARM, "-1@0xff", CONST(1, 1, -1) },
	{ ARM, "8@18446744073709551615", CONST(8, 0, -1) },
	{ ARM, "8@[x0]", MEM(8, 0, 0, NO, 1, 0) },
	{ ARM, "-4@[sp]", MEM(4, 1, 31, NO, 1, 0) },
	{ ARM, "-4@[sp, 12]", MEM(4, 1, 31, NO, 1, 12) },
	{ ARM, "-4@[sp,12]", MEM(4, 1, 31, NO, 1, 12) },
	{ ARM, "8@[x29, -16]", MEM(8, 0, 29, NO, 1, -16) },
	{ ARM, "8@[x29, #-16]", MEM(8, 0, 29, NO, 1, -16) },
	{ ARM, "8@[x1, x2]", MEM(8, 0, 1, 2, 1, 0) },
	{ ARM, "8@[x1, x2, lsl 3]", MEM(8, 0, 1, 2, 8, 0) },
	{ ARM, "8@[x1,x2,lsl #2]", MEM(8, 0, 1, 2, 4, 0) },
	{ ARM, "2@[x1, x2, lsl #1]", MEM(2, 0, 1, 2, 2, 0) },
	{ ARM, "1@[x1, x2, lsl #0]", MEM(1, 0, 1, 2, 1, 0) },
};

static const struct {
	enum probe_machine machine;
	const char *text;
} bad[] = {
	/* sizes */
	{ X86, "8f@%xmm0" },
	{ X86, "8f@%rax" },
	{ X86, "3@%rax" },
	{ X86, "16@%rax" },
	{ X86, "0@%rax" },
	{ X86, "@%rax" },
	{ X86, "-@%rax" },
	{ X86, "+8@%rax" },
	{ X86, "--8@%rax" },
	{ X86, "8" },
	{ X86, "8@" },
	{ X86, "-8@" },
	{ X86, "8@@%rax" },
	{ X86, "8 @%rax" },
	{ X86, "x@%rax" },
	/* registers: unknown, of no width, too narrow */
	{ X86, "8@%" },
	{ X86, "8@rax" },
	{ X86, "8@%rxx" },
	{ X86, "8@%RAX" },
	{ X86, "8@%raxx" },
	{ X86, "8@%r16" },
	{ X86, "8@%xmm0" },
	{ X86, "8@%fs" },
	{ X86, "8@%eax" },
	{ X86, "4@%ax" },
	{ X86, "2@%ah" },
	{ X86, "%eax" },
	/* constants */
	{ X86, "4@$" },
	{ X86, "4@$x" },
	{ X86, "4@$-" },
	{ X86, "4@$--1" },
	{ X86, "4@$ 1" },
	{ X86, "4@$08" },
	{ X86, "4@$1x" },
	{ X86, "4@$0x" },
	{ X86, "8@$18446744073709551616" },
	{ X86, "4@$sym" },
	/* memory */
	{ X86, "8@()" },
	{ X86, "8@(,)" },
	{ X86, "8@(" },
	{ X86, "8@(%rax" },
	{ X86, "8@8" },
	{ X86, "8@8(" },
	{ X86, "8@8(%rax" },
	{ X86, "8@%rax)" },
	{ X86, "8@(rax)" },
	{ X86, "8@(%eax)" },
	{ X86, "8@(%rax,%ebx)" },
	{ X86, "8@(%rax,)" },
	{ X86, "8@(%rax,8)" },
	{ X86, "8@(%rax,%rbx,)" },
	{ X86, "8@(%rax,%rbx,3)" },
	{ X86, "8@(%rax,%rbx,0)" },
	{ X86, "8@(%rax,%rbx,16)" },
	{ X86, "8@(%rax,%rbx,-1)" },
	{ X86, "8@(%rax,%rbx,4" },
	{ X86, "8@(%rax,%rbx,4,1)" },
	{ X86, "8@(%rax, %rbx)" },
	{ X86, "8@sym(%rip)" },
	{ X86, "8@sym+4(%rip)" },
	{ X86, "8@*(%rax)" },
	{ X86, "8@%fs:8(%rax)" },
	{ X86, "8@99999999999999999999(%rax)" },
	/* junk behind, and the other machine's forms */
	{ X86, "8@%rax," },
	{ X86, "8@%rax;8@%rbx" },
	{ X86, "8@(%rax)x" },
	{ X86, "8@%rax@" },
	{ X86, "8@%rax\n" },
	{ X86, "8@x0" },
	{ X86, "8@[x0]" },
	{ X86, "\xff" },

	{ ARM, "8f@d0" },
	{ ARM, "8@x31" },
	{ ARM, "8@x" },
	{ ARM, "8@x1x" },
	{ ARM, "8@x300" },
	{ ARM, "8@x-1" },
	{ ARM, "8@w0" },
	{ ARM, "8@wsp" },
	{ ARM, "8@q0" },
	{ ARM, "8@%x0" },
	{ ARM, "8@xzr0" },
	{ ARM, "8@" },
	{ ARM, "8@[" },
	{ ARM, "8@[]" },
	{ ARM, "8@[x0" },
	{ ARM, "8@[w0]" },
	{ ARM, "8@[x0,]" },
	{ ARM, "8@[x0, w1]" },
	{ ARM, "8@[x0, 8" },
	{ ARM, "8@[x0, 8]!" },
	{ ARM, "8@[x0], 8" },
	{ ARM, "8@[x0, x1, lsl]" },
	{ ARM, "8@[x0, x1, lsl 4]" },
	{ ARM, "8@[x0, x1, lsl -1]" },
	{ ARM, "8@[x0, #]" },
	{ ARM, "8@[x0, x1, asr 1]" },
	{ ARM, "8@[x0, x1, lsl 1" },
	{ ARM, "8@[5]" },
	{ ARM, "8@$5" },
	{ ARM, "8@(%rax)" },
	{ ARM, "4@#5" },
	{ ARM, "8@:lo12:sym" },
};

/* Four names of each register of x86-64, from wide to narrow. */
static const struct {
	uint8_t index;
	const char *names[4];
} families[] = {
	{ RAX, { "rax", "eax", "ax", "al" } },
	{ RBX, { "rbx", "ebx", "bx", "bl" } },
	{ RCX, { "rcx", "ecx", "cx", "cl" } },
	{ RDX, { "rdx", "edx", "dx", "dl" } },
	{ RSI, { "rsi", "esi", "si", "sil" } },
	{ RDI, { "rdi", "edi", "di", "dil" } },
	{ RBP, { "rbp", "ebp", "bp", "bpl" } },
	{ RSP, { "rsp", "esp", "sp", "spl" } },
	{ R8, { "r8", "r8d", "r8w", "r8b" } },
	{ R9, { "r9", "r9d", "r9w", "r9b" } },
	{ R10, { "r10", "r10d", "r10w", "r10b" } },
	{ R11, { "r11", "r11d", "r11w", "r11b" } },
	{ R12, { "r12", "r12d", "r12w", "r12b" } },
	{ R13, { "r13", "r13d", "r13w", "r13b" } },
	{ R14, { "r14", "r14d", "r14w", "r14b" } },
	{ R15, { "r15", "r15d", "r15w", "r15b" } },
};

static const struct {
	uint8_t index;
	const char *name;
} highs[] = { { RAX, "ah" }, { RBX, "bh" }, { RCX, "ch" }, { RDX, "dh" } };

static void check_operand(const struct operand *got, const struct operand *wanted,
			  const char *text)
{
	bool same = got->kind == wanted->kind && got->size == wanted->size &&
		    got->is_signed == wanted->is_signed && got->reg == wanted->reg &&
		    got->index == wanted->index && got->scale == wanted->scale &&
		    got->shift == wanted->shift && got->disp == wanted->disp;

	check(same, text, __FILE__, __LINE__);
}

static void check_good(enum probe_machine machine, const char *text,
		       struct operand wanted)
{
	struct operand op;
	int count = probe_args_parse(machine, text, &op, 1);

	check_int(count, 1, text, __FILE__, __LINE__);
	if (count == 1)
		check_operand(&op, &wanted, text);
}

static void check_registers(void)
{
	char text[16];

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		for (int width = 0; width < 4; width++) {
			struct operand wanted =
				REG(families[i].index, 8 >> width, width % 2, 0);

			snprintf(text, sizeof(text), "%s%d@%%%s", width % 2 ? "-" : "",
				 8 >> width, families[i].names[width]);
			check_good(X86, text, wanted);
		}
	}
	for (size_t i = 0; i < sizeof(highs) / sizeof(highs[0]); i++) {
		snprintf(text, sizeof(text), "1@%%%s", highs[i].name);
		check_good(X86, text, (struct operand)REG(highs[i].index, 1, 0, 8));
	}
	for (int i = 0; i <= 30; i++) {
		snprintf(text, sizeof(text), "8@x%d", i);
		check_good(ARM, text, (struct operand)REG(i, 8, 0, 0));
		snprintf(text, sizeof(text), "-4@w%d", i);
		check_good(ARM, text, (struct operand)REG(i, 4, 1, 0));
	}
}

/* What is not asked for is counted, whatever it is, and nothing is written behind the
 * array. */
static void check_counts(void)
{
	static const char three[] = "8@%r12 8@%rax -4@-20(%rbp)";
	static const struct operand wanted[] = {
		REG(R12, 8, 0, 0),
		REG(RAX, 8, 0, 0),
		MEM(4, 1, RBP, NO, 1, -20),
	};
	struct operand ops[5], untouched;

	memset(ops, 0x5a, sizeof(ops));
	untouched = ops[4];
	CHECK_INT(probe_args_parse(X86, three, ops, 5), 3);
	for (size_t i = 0; i < 3; i++)
		check_operand(&ops[i], &wanted[i], three);
	CHECK(!memcmp(&ops[3], &untouched, sizeof(untouched)));
	memset(ops, 0x5a, sizeof(ops));
	CHECK_INT(probe_args_parse(X86, three, ops, 2), 3);
	CHECK(!memcmp(&ops[2], &untouched, sizeof(untouched)));
	CHECK_INT(probe_args_parse(X86, three, NULL, 0), 3);
	CHECK_INT(probe_args_parse(X86, "8@%rax 8f@%xmm0 8@sym(%rip)", ops, 1), 3);
	CHECK_INT(probe_args_parse(X86, "8@%rax 8f@%xmm0", ops, 2), -EINVAL);
	CHECK_INT(probe_args_parse(ARM, "8@[x0, 8] 8@[x1, x2, lsl 3] 4@[sp, 4]", ops, 1),
		  3);
	CHECK_INT(probe_args_parse(ARM, "8@[x0, 8] 8@[x1, x2, lsl 3] 4@[sp, 4]", ops, 3),
		  3);
	CHECK_INT(probe_args_parse(X86, "", ops, 3), 0);
	CHECK_INT(probe_args_parse(X86, " \t ", ops, 3), 0);
	CHECK_INT(probe_args_parse(X86, "8@%rax", ops, 3), 1);
}

int main(void)
{
	struct operand op;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		check_good(good[i].machine, good[i].text, good[i].wanted);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_int(probe_args_parse(bad[i].machine, bad[i].text, &op, 1), -EINVAL,
			  bad[i].text, __FILE__, __LINE__);
	check_registers();
	check_counts();
	return check_done();
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Pure text parsing: the argument string of an SDT probe.
 *
 *   [-]SIZE[f]@OPERAND, separated by spaces
 *
 * SIZE is in bytes, '-' says signed, 'f' (floating point) is not for us. OPERAND is
 *   x86-64:  %reg   $number   disp(%base,%index,scale), each part optional
 *   aarch64: reg    number    [base]  [base, disp]  [base, index]  [base, index, lsl N]
 */
#include <config.h>

#include "probe-args.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct reg {
	char name[5];
	uint8_t size;
	uint8_t index; /* arch/x86/include/asm/ptrace.h, struct pt_regs */
	uint8_t shift;
};

#define REG_FAMILY(index, r64, r32, r16, r8)                              \
	{ r64, 8, index, 0 }, { r32, 4, index, 0 }, { r16, 2, index, 0 }, \
	{                                                                 \
		r8, 1, index, 0                                           \
	}

static const struct reg x86_regs[] = {
	REG_FAMILY(0, "r15", "r15d", "r15w", "r15b"),
	REG_FAMILY(1, "r14", "r14d", "r14w", "r14b"),
	REG_FAMILY(2, "r13", "r13d", "r13w", "r13b"),
	REG_FAMILY(3, "r12", "r12d", "r12w", "r12b"),
	REG_FAMILY(4, "rbp", "ebp", "bp", "bpl"),
	REG_FAMILY(5, "rbx", "ebx", "bx", "bl"),
	REG_FAMILY(6, "r11", "r11d", "r11w", "r11b"),
	REG_FAMILY(7, "r10", "r10d", "r10w", "r10b"),
	REG_FAMILY(8, "r9", "r9d", "r9w", "r9b"),
	REG_FAMILY(9, "r8", "r8d", "r8w", "r8b"),
	REG_FAMILY(10, "rax", "eax", "ax", "al"),
	REG_FAMILY(11, "rcx", "ecx", "cx", "cl"),
	REG_FAMILY(12, "rdx", "edx", "dx", "dl"),
	REG_FAMILY(13, "rsi", "esi", "si", "sil"),
	REG_FAMILY(14, "rdi", "edi", "di", "dil"),
	REG_FAMILY(19, "rsp", "esp", "sp", "spl"),
	{ "bh", 1, 5, 8 },
	{ "ah", 1, 10, 8 },
	{ "ch", 1, 11, 8 },
	{ "dh", 1, 12, 8 },
	{ "rip", 8, 16, 0 },
};

static const struct reg arm_named[] = {
	{ "sp", 8, 31, 0 },
	{ "wsp", 4, 31, 0 },
	{ "fp", 8, 29, 0 },
	{ "lr", 8, 30, 0 },
};

static void skip_blanks(const char **s)
{
	while (**s == ' ' || **s == '\t')
		++*s;
}

static bool skip(const char **s, char c)
{
	if (**s != c)
		return false;
	++*s;
	return true;
}

static size_t word_length(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]))
		n++;
	return n;
}

/* A number, decimal, octal or 0x.; negative ones and those above INT64_MAX as 64 bits. */
static bool parse_number(const char **s, int64_t *value)
{
	bool negative = **s == '-';
	const char *digits = *s + (negative || **s == '+');
	uint64_t n;
	char *end;

	if (!isdigit((unsigned char)*digits))
		return false;
	errno = 0;
	n = strtoull(digits, &end, 0);
	if (errno)
		return false;
	*value = negative ? -n : n;
	*s = end;
	return true;
}

static const struct reg *find_reg(const struct reg *table, size_t count, const char **s)
{
	size_t n = word_length(*s);

	for (size_t i = 0; i < count; i++) {
		if (strlen(table[i].name) == n && !memcmp(table[i].name, *s, n)) {
			*s += n;
			return &table[i];
		}
	}
	return NULL;
}

static bool parse_x86_reg(const char **s, struct reg *reg)
{
	const struct reg *r;

	if (!skip(s, '%'))
		return false;
	r = find_reg(x86_regs, sizeof(x86_regs) / sizeof(x86_regs[0]), s);
	if (r)
		*reg = *r;
	return r;
}

/* Base and index of an address: whole registers only. */
static bool parse_x86_address_reg(const char **s, uint8_t *index)
{
	struct reg reg;

	if (!parse_x86_reg(s, &reg) || reg.size != 8)
		return false;
	*index = reg.index;
	return true;
}

static bool valid_scale(int64_t n)
{
	return n == 1 || n == 2 || n == 4 || n == 8;
}

/* What is behind the displacement: (%base,%index,scale). */
static bool parse_x86_brackets(const char **s, struct operand *op)
{
	int64_t scale = 1;

	if (!skip(s, '('))
		return false;
	if (**s == '%' && !parse_x86_address_reg(s, &op->reg))
		return false;
	if (skip(s, ',')) {
		if (!parse_x86_address_reg(s, &op->index))
			return false;
		if (skip(s, ',') && !parse_number(s, &scale))
			return false;
	}
	op->scale = scale;
	return valid_scale(scale) && skip(s, ')') &&
	       (op->reg != OPERAND_NOREG || op->index != OPERAND_NOREG);
}

static bool set_reg(struct operand *op, const struct reg *reg)
{
	op->kind = OPERAND_REG;
	op->reg = reg->index;
	op->shift = reg->shift;
	return op->size <= reg->size;
}

static bool parse_x86(const char **s, struct operand *op)
{
	struct reg reg;

	if (**s == '%')
		return parse_x86_reg(s, &reg) && set_reg(op, &reg);
	if (skip(s, '$')) {
		op->kind = OPERAND_CONST;
		return parse_number(s, &op->disp);
	}
	op->kind = OPERAND_MEM;
	if (**s != '(' && !parse_number(s, &op->disp))
		return false;
	return parse_x86_brackets(s, op);
}

/* x0-x30, w0-w30, and the names of some; struct user_pt_regs has them in this order. */
static bool parse_arm_reg(const char **s, struct reg *reg)
{
	size_t n = word_length(*s);
	const struct reg *r;
	char *end;
	long i;

	r = find_reg(arm_named, sizeof(arm_named) / sizeof(arm_named[0]), s);
	if (r) {
		*reg = *r;
		return true;
	}
	if ((**s != 'x' && **s != 'w') || n < 2 || n > 3 ||
	    !isdigit((unsigned char)(*s)[1]))
		return false;
	i = strtol(*s + 1, &end, 10);
	if (end != *s + n || i > 30)
		return false;
	*reg = (struct reg){ .size = **s == 'x' ? 8 : 4, .index = i };
	*s = end;
	return true;
}

/* What is behind the base register in the brackets. */
static bool parse_arm_offset(const char **s, struct operand *op)
{
	struct reg reg;
	int64_t shift;

	skip_blanks(s);
	skip(s, '#');
	if (parse_number(s, &op->disp))
		return true;
	if (!parse_arm_reg(s, &reg) || reg.size != 8)
		return false;
	op->index = reg.index;
	if (!skip(s, ','))
		return true;
	skip_blanks(s);
	if (strncmp(*s, "lsl", 3))
		return false;
	*s += 3;
	skip_blanks(s);
	skip(s, '#');
	if (!parse_number(s, &shift) || shift < 0 || shift > 3)
		return false;
	op->scale = 1 << shift;
	return true;
}

static bool parse_arm(const char **s, struct operand *op)
{
	struct reg reg;

	if (skip(s, '[')) {
		op->kind = OPERAND_MEM;
		if (!parse_arm_reg(s, &reg) || reg.size != 8)
			return false;
		op->reg = reg.index;
		if (skip(s, ',') && !parse_arm_offset(s, op))
			return false;
		return skip(s, ']');
	}
	if (!strncmp(*s, "xzr", 3) || !strncmp(*s, "wzr", 3)) {
		op->kind = OPERAND_CONST;
		*s += 3;
		return true;
	}
	if (parse_arm_reg(s, &reg))
		return set_reg(op, &reg);
	op->kind = OPERAND_CONST;
	return parse_number(s, &op->disp);
}

/* [-]SIZE@; old tools left it out for arguments of the machine's width. */
static bool parse_size(const char **s, struct operand *op)
{
	const char *p = *s;
	bool is_signed = skip(&p, '-');

	if (!strchr("1248", *p) || !*p || p[1] != '@')
		return false;
	op->size = *p - '0';
	op->is_signed = is_signed;
	*s = p + 2;
	return true;
}

static int64_t fit_constant(const struct operand *op)
{
	unsigned int unused = 64 - op->size * 8;
	uint64_t bits = (uint64_t)op->disp << unused;

	return op->is_signed ? (int64_t)bits >> unused : (int64_t)(bits >> unused);
}

static bool parse_operand(enum probe_machine machine, const char **s, struct operand *op)
{
	*op = (struct operand){
		.size = 8, .reg = OPERAND_NOREG, .index = OPERAND_NOREG, .scale = 1
	};
	if (!parse_size(s, op) && memchr(*s, '@', strcspn(*s, " ")))
		return false;
	if (!(machine == PROBE_X86_64 ? parse_x86(s, op) : parse_arm(s, op)))
		return false;
	if (op->kind == OPERAND_CONST)
		op->disp = fit_constant(op);
	return !**s || **s == ' ' || **s == '\t';
}

/* An argument nobody asked for: to the next blank outside of brackets. */
static void skip_operand(const char **s)
{
	for (int depth = 0; **s && (depth > 0 || **s != ' '); ++*s)
		depth += (**s == '[') - (**s == ']');
}

int probe_args_parse(enum probe_machine machine, const char *text, struct operand *ops,
		     size_t max)
{
	int count = 0;

	for (skip_blanks(&text); *text; skip_blanks(&text), count++) {
		if ((size_t)count >= max)
			skip_operand(&text);
		else if (!parse_operand(machine, &text, &ops[count]))
			return -EINVAL;
	}
	return count;
}

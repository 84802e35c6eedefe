// SPDX-License-Identifier: GPL-2.0-or-later
/* Decode x86-64 instructions with two tables, of the one-byte opcodes and of those after
 * 0f. An entry says what follows the opcode, where control goes, and what is written. */
#include <config.h>

#include "x86.h"

#include <string.h>

enum {
	WINDOW = 40,	 /* no decoding looks at more bytes */
	MAX_LENGTH = 15, /* the processor's limit */
};

/* Immediates: of 1, 2, 3 bytes; Z: 4, or 2 with 66; V: Z, or 8 with REX.W; O: an address.
 * RELATIVE is one that counts from the end of the instruction. */
enum { NO_IMM, IB, IW, IWB, IZ, IV, IO, RELATIVE = 8, IMM = 0xf };

enum {
	M = 0x10,    /* ModRM follows */
	BYTE = 0x20, /* operands of one byte */
	D64 = 0x40,  /* operands of eight bytes */
	VEC = 0x80,  /* 66 belongs to the opcode */
	BAD = 0x100, /* not for user space in 64-bit mode */
	PREFIX = 0x200,
	EMULATED = 0x400, /* if the prefixes are right, see is_emulated() */
};

/* Bits 12-15: the flow; in the entry of a group, which one. */
#define FLOW_SHIFT 12
#define FLOW(flow) ((flow) << FLOW_SHIFT)

/* Bits 16-23: what is written. */
enum {
	W_NONE,
	W_RM,
	W_REG,
	W_BOTH,	 /* RM and REG */
	W_OPREG, /* the register in the opcode's low bits */
	W_ACC,	 /* rax */
	W_ACCRM,
	W_ACCOPREG,
	W_DX,
	W_AXDX,
	W_CX,
	W_STRING,
	W_SP,
	W_SPRM,
	W_SPOPREG,
	W_SPBP,
	W_CALL,
	W_ALL,
	W_ODD,	 /* see odd_writes() */
	W_GROUP, /* ModRM.reg chooses the instruction */
};
#define W_SHIFT 16
#define W(what) (W_##what << W_SHIFT)
#define W_FIELD (0xff << W_SHIFT)

enum { USES_RM = 1, USES_REG = 2, USES_OPREG = 4 };

static const struct {
	uint16_t fixed;
	uint8_t uses;
} written[] = {
	[W_NONE] = { 0, 0 },
	[W_RM] = { 0, USES_RM },
	[W_REG] = { 0, USES_REG },
	[W_BOTH] = { 0, USES_RM | USES_REG },
	[W_OPREG] = { 0, USES_OPREG },
	[W_ACC] = { 0x1, 0 },
	[W_ACCRM] = { 0x1, USES_RM },
	[W_ACCOPREG] = { 0x1, USES_OPREG },
	[W_DX] = { 0x4, 0 },
	[W_AXDX] = { 0x5, 0 },
	[W_CX] = { 0x2, 0 },
	[W_STRING] = { 0xc3, 0 }, /* rax rcx rsi rdi, some of them */
	[W_SP] = { 0x10, 0 },
	[W_SPRM] = { 0x10, USES_RM },
	[W_SPOPREG] = { 0x10, USES_OPREG },
	[W_SPBP] = { 0x30, 0 },
	[W_CALL] = { 0xfd7, 0 }, /* rax rcx rdx rsp rsi rdi r8-r11 */
	[W_ALL] = { 0xffff, 0 },
};

enum { G_ALU, G_TESTB, G_TESTZ, G_INC, G_FF, G_POP, G_MOVB, G_MOVZ, G_BT };
#define GROUP(n) (M | W(GROUP) | FLOW(G_##n))

static const uint32_t groups[][8] = {
	/* add or adc sbb and sub xor, cmp */
	[G_ALU] = { W(RM), W(RM), W(RM), W(RM), W(RM), W(RM), W(RM), 0 },
	/* test, not neg, mul imul div idiv */
	[G_TESTB] = { IB, IB, W(RM), W(RM), W(ACC), W(ACC), W(ACC), W(ACC) },
	[G_TESTZ] = { IZ, IZ, W(RM), W(RM), W(AXDX), W(AXDX), W(AXDX), W(AXDX) },
	/* inc dec */
	[G_INC] = { W(RM), W(RM), BAD, BAD, BAD, BAD, BAD, BAD },
	/* inc dec, call, jmp, push */
	[G_FF] = { W(RM), W(RM), D64 | FLOW(X86_CALL) | W(CALL), FLOW(X86_CALL) | W(CALL),
		   D64 | FLOW(X86_INDIRECT), FLOW(X86_INDIRECT), D64 | W(SP), BAD },
	[G_POP] = { D64 | W(SPRM), BAD, BAD, BAD, BAD, BAD, BAD, BAD },
	/* mov, xabort; mov, xbegin */
	[G_MOVB] = { W(RM), BAD, BAD, BAD, BAD, BAD, BAD, W(ALL) },
	[G_MOVZ] = { W(RM), BAD, BAD, BAD, BAD, BAD, BAD,
		     RELATIVE | FLOW(X86_BRANCH) | W(ALL) },
	/* bt, bts btr btc */
	[G_BT] = { BAD, BAD, BAD, BAD, 0, W(RM), W(RM), W(RM) },
};

/* The entries that come often, short enough to show the tables whole. */
enum {
	xx = BAD | W(ALL),
	pf = PREFIX,
	an = W(ALL),
	no = 0,
	mb = M | BYTE | W(RM),
	mv = M | W(RM),
	mi = M | IB | W(RM),
	rb = M | BYTE | W(REG),
	rv = M | W(REG),
	cb = M | BYTE,
	cv = M,
	ab = BYTE | IB | W(ACC),
	az = IZ | W(ACC),
	ac = W(ACC),
	ax = W(ACCOPREG),
	op = W(OPREG),
	ob = BYTE | IB | W(OPREG),
	ov = IV | W(OPREG),
	pu = D64 | W(SP),
	pr = D64 | W(SP) | EMULATED,
	po = D64 | W(SPOPREG),
	jj = EMULATED | D64 | RELATIVE | FLOW(X86_JUMP),
	jb = EMULATED | D64 | RELATIVE | IB | FLOW(X86_BRANCH),
	jz = EMULATED | D64 | RELATIVE | IZ | FLOW(X86_BRANCH),
	lo = D64 | RELATIVE | IB | FLOW(X86_BRANCH) | W(CX),
	re = D64 | FLOW(X86_RETURN) | W(SP),
	st = FLOW(X86_STOP),
	sg = W(STRING),
	ve = M | VEC,
	vi = M | VEC | IB,
	vr = M | VEC | W(REG),
	el = M | W(ALL),
};

/* clang-format off */
static const uint32_t one_byte[256] = {
	/* 00 */ mb, mv, rb, rv, ab, az, xx, xx,  mb, mv, rb, rv, ab, az, xx, no,
	/* 10 */ mb, mv, rb, rv, ab, az, xx, xx,  mb, mv, rb, rv, ab, az, xx, xx,
	/* 20 */ mb, mv, rb, rv, ab, az, pf, xx,  mb, mv, rb, rv, ab, az, pf, xx,
	/* 30 */ mb, mv, rb, rv, ab, az, pf, xx,  cb, cv, cb, cv, BYTE | IB, IZ, pf, xx,
	/* 40 */ pf, pf, pf, pf, pf, pf, pf, pf,  pf, pf, pf, pf, pf, pf, pf, pf,
	/* 50 */ pr, pr, pr, pr, pr, pr, pr, pr,  po, po, po, po, po, po, po, po,
	/* 60 */ xx, xx, no, rv, pf, pf, pf, pf,
	/* 68 */ pu | IZ, rv | IZ, pu | IB, rv | IB, an, an, an, an,
	/* 70 */ jb, jb, jb, jb, jb, jb, jb, jb,  jb, jb, jb, jb, jb, jb, jb, jb,
	/* 80 */ GROUP(ALU) | BYTE | IB, GROUP(ALU) | IZ, xx, GROUP(ALU) | IB,
	/* 84 */ cb, cv, M | BYTE | W(BOTH), M | W(BOTH),
	/* 88 */ mb, mv, rb, rv, mv, rv, cv, GROUP(POP),
	/* 90 */ W(ODD), ax, ax, ax, ax, ax, ax, ax,
	/* 98 */ ac, W(DX), xx, no, pu, pu, no, BYTE | W(ACC),
	/* a0 */ BYTE | IO | W(ACC), IO | W(ACC), BYTE | IO, IO, sg, sg, sg, sg,
	/* a8 */ BYTE | IB, IZ, sg, sg, sg, sg, sg, sg,
	/* b0 */ ob, ob, ob, ob, ob, ob, ob, ob,  ov, ov, ov, ov, ov, ov, ov, ov,
	/* c0 */ mb | IB, mi, re | IW, re, no, no,
	/* c6 */ GROUP(MOVB) | BYTE | IB, GROUP(MOVZ) | IZ,
	/* c8 */ D64 | IWB | W(SPBP), D64 | W(SPBP), re | IW, re, st, an | IB, xx, re,
	/* d0 */ mb, mv, mb, mv, xx, xx, xx, ac,  cv, cv, cv, cv, cv, cv, cv, M | W(ACC),
	/* e0 */ lo, lo, lo, D64 | RELATIVE | IB | FLOW(X86_BRANCH),
	/* e4 */ an | IB, an | IB, an | IB, an | IB,
	/* e8 */ EMULATED | D64 | RELATIVE | IZ | FLOW(X86_CALL) | W(CALL),
	/* e9 */ jj | IZ, xx, jj | IB,
	/* ec */ an, an, an, an,
	/* f0 */ pf, st, pf, pf, st, no, GROUP(TESTB) | BYTE, GROUP(TESTZ),
	/* f8 */ no, no, no, no, no, no, GROUP(INC) | BYTE, GROUP(FF),
};

static const uint32_t two_byte[256] = {
	/* 00 */ el, el, rv, rv, xx, an, an, an,  an, an, xx, st, xx, cv, no, vi,
	/* 10 */ ve, ve, ve, ve, ve, ve, ve, ve,  cv, cv, cv, cv, cv, cv, M | W(ODD), cv,
	/* 20 */ xx, xx, xx, xx, xx, xx, xx, xx,  ve, ve, ve, ve, vr, vr, ve, ve,
	/* 30 */ an, an, an, an, an, an, xx, an,  no, xx, no, xx, xx, xx, xx, xx,
	/* 40 */ rv, rv, rv, rv, rv, rv, rv, rv,  rv, rv, rv, rv, rv, rv, rv, rv,
	/* 50 */ vr, ve, ve, ve, ve, ve, ve, ve,  ve, ve, ve, ve, ve, ve, ve, ve,
	/* 60 */ ve, ve, ve, ve, ve, ve, ve, ve,  ve, ve, ve, ve, ve, ve, ve, ve,
	/* 70 */ vi, vi, vi, vi, ve, ve, ve, no,  xx, xx, xx, xx, ve, ve, ve | W(ODD), ve,
	/* 80 */ jz, jz, jz, jz, jz, jz, jz, jz,  jz, jz, jz, jz, jz, jz, jz, jz,
	/* 90 */ mb, mb, mb, mb, mb, mb, mb, mb,  mb, mb, mb, mb, mb, mb, mb, mb,
	/* a0 */ pu, pu, an, cv, mi, mv, xx, xx,  pu, pu, xx, mv, mi, mv, M | W(ODD), rv,
	/* b0 */ M | BYTE | W(ACCRM), M | W(ACCRM), rv, mv, rv, rv, rv, rv,
	/* b8 */ rv, M | st, GROUP(BT) | IB, mv, rv, rv, rv, rv,
	/* c0 */ M | BYTE | W(BOTH), M | W(BOTH), vi, cv, vi, vi | W(REG), vi, el,
	/* c8 */ op, op, op, op, op, op, op, op,
	/* d0 */ ve, ve, ve, ve, ve, ve, ve, vr,  ve, ve, ve, ve, ve, ve, ve, ve,
	/* e0 */ ve, ve, ve, ve, ve, ve, ve, ve,  ve, ve, ve, ve, ve, ve, ve, ve,
	/* f0 */ ve, ve, ve, ve, ve, ve, ve, ve,  ve, ve, ve, ve, ve, ve, ve, M | st,
};
/* clang-format on */

/* Prefixes seen. */
enum {
	P_66 = 1,
	P_67 = 2,
	P_F2 = 4,
	P_F3 = 8,
	P_LOCK = 16,
	P_SEGMENT = 32, /* cs ds es ss; fs and gs do not matter */
};

enum { REX_B = 1, REX_X = 2, REX_R = 4, REX_W = 8, REX = 0x40 };

struct decoder {
	const uint8_t *p; /* the next byte */
	uint32_t attr;
	uint8_t prefixes, rex;
};

static uint32_t le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint8_t prefix_bit(uint8_t byte)
{
	switch (byte) {
	case 0x66:
		return P_66;
	case 0x67:
		return P_67;
	case 0xf2:
		return P_F2;
	case 0xf3:
		return P_F3;
	case 0xf0:
		return P_LOCK;
	case 0x64:
	case 0x65:
		return 0;
	default:
		return P_SEGMENT;
	}
}

/* The prefixes, and the byte behind them. A REX counts only right before that. */
static uint8_t read_prefixes(struct decoder *d)
{
	const uint8_t *end = d->p + MAX_LENGTH;
	uint8_t byte = *d->p++;

	for (; one_byte[byte] & PREFIX && d->p < end; byte = *d->p++) {
		if ((byte & 0xf0) == REX) {
			d->rex = byte;
		} else {
			d->rex = 0;
			d->prefixes |= prefix_bit(byte);
		}
	}
	return byte;
}

/* 0f38 and 0f3a need no tables. Few of their opcodes have to do with general registers:
 * those at the end (e0 and up: cmpccxadd), pextr and pcmpstr. */
static uint32_t three_byte(uint8_t map, uint8_t opcode)
{
	uint32_t attr = M | (map == 3 ? IB : 0);

	if (opcode >= (map == 2 ? 0xe0 : 0xf0))
		return attr | W(ALL);
	if (map == 3 && ((opcode & 0xfc) == 0x14 || (opcode & 0xfc) == 0x60))
		return attr | VEC | W(ALL);
	return attr | VEC;
}

static uint32_t vex_attr(uint8_t map, uint8_t opcode)
{
	uint32_t old = two_byte[opcode];

	switch (map) {
	case 1: /* the same immediates; k registers where cmov and setcc were */
		return (opcode == 0x77 ? 0 : M) | VEC | ((old & IMM) == IB ? IB : 0) |
		       (old & W_FIELD ? W(ALL) : 0);
	case 2:
	case 3:
		return three_byte(map, opcode);
	case 5:
	case 6:
	case 9:
		return M | VEC | W(ALL);
	case 8:
		return M | VEC | IB | W(ALL);
	case 10:
		return M | VEC | IZ | W(ALL);
	default:
		return BAD;
	}
}

/* VEX (c5, c4), EVEX (62) and XOP (8f) hold REX, map and prefix, most of it inverted. */
static void read_vex(struct decoder *d, uint8_t lead, struct x86_insn *insn)
{
	uint8_t first = *d->p++, map = 1;
	bool is_bad = d->rex || d->prefixes & (P_66 | P_F2 | P_F3 | P_LOCK);

	d->rex = REX | (~first >> 5 & (lead == 0xc5 ? REX_R : REX_R | REX_X | REX_B));
	if (lead != 0xc5) {
		uint8_t second = *d->p++;

		map = first & (lead == 0x62 ? 0xf : 0x1f);
		d->rex |= second >> 4 & REX_W;
		if (lead == 0x62) {
			is_bad |= !(second & 4);
			d->p++;
		}
		is_bad |= (lead == 0xc4 && map > 3) || (lead == 0x62 && map > 6);
	}
	insn->is_vex = true;
	insn->map = map;
	insn->opcode = *d->p++;
	d->attr = vex_attr(map, insn->opcode) | (is_bad ? BAD : 0);
}

static void read_opcode(struct decoder *d, struct x86_insn *insn)
{
	uint8_t byte = read_prefixes(d);

	insn->is_vex = false;
	insn->map = 0;
	insn->opcode = byte;
	d->attr = one_byte[byte];
	if (byte == 0x0f) {
		byte = *d->p++;
		insn->map = byte == 0x38 ? 2 : byte == 0x3a ? 3 : 1;
		insn->opcode = insn->map == 1 ? byte : *d->p++;
		d->attr = insn->map == 1 ? two_byte[byte]
					 : three_byte(insn->map, insn->opcode);
	} else if (byte == 0xc4 || byte == 0xc5 || byte == 0x62 ||
		   (byte == 0x8f && (*d->p & 0x1f) >= 8)) {
		read_vex(d, byte, insn);
	}
}

static uint8_t extended(const struct decoder *d, uint8_t number, uint8_t rex_bit)
{
	return (number & 7) | (d->rex & rex_bit ? 8 : 0);
}

static void read_memory(struct decoder *d, uint8_t modrm, struct x86_insn *insn)
{
	uint8_t mod = modrm >> 6, base = modrm & 7;
	bool has_sib = base == 4;

	insn->has_memory = true;
	if (has_sib) {
		uint8_t sib = *d->p++, index = extended(d, sib >> 3, REX_X);

		base = sib & 7;
		insn->index = index == 4 ? X86_NOREG : index;
	}
	if (mod == 0 && base == 5) {
		insn->base = has_sib ? X86_NOREG : X86_RIP;
		mod = 2;
	} else {
		insn->base = extended(d, base, REX_B);
	}
	if (mod == 1) {
		insn->disp = (int8_t)*d->p++;
	} else if (mod == 2) {
		insn->disp = (int32_t)le32(d->p);
		d->p += 4;
	}
}

static void choose_from_group(struct decoder *d, uint8_t reg)
{
	uint32_t group = d->attr >> FLOW_SHIFT & 0xf;

	d->attr &= (1 << FLOW_SHIFT) - 1;
	d->attr |= groups[group][reg & 7];
}

static void read_modrm(struct decoder *d, struct x86_insn *insn)
{
	insn->has_memory = false;
	insn->reg = insn->rm = insn->base = insn->index = X86_NOREG;
	insn->disp = 0;
	if (d->attr & M) {
		uint8_t modrm = *d->p++;

		insn->reg = extended(d, modrm >> 3, REX_R);
		if (modrm >= 0xc0)
			insn->rm = extended(d, modrm, REX_B);
		else
			read_memory(d, modrm, insn);
		if (d->attr >> W_SHIFT == W_GROUP)
			choose_from_group(d, insn->reg);
	}
}

static uint8_t operand_size(const struct decoder *d)
{
	if (d->attr & BYTE)
		return 1;
	if (d->rex & REX_W)
		return 8;
	if (d->prefixes & P_66 && !(d->attr & VEC))
		return 2;
	return d->attr & D64 ? 8 : 4;
}

static unsigned int immediate_size(const struct decoder *d, uint8_t operand)
{
	/* with operands of two bytes, of eight, and others */
	static const uint8_t sizes[][3] = {
		[NO_IMM] = { 0, 0, 0 }, [IB] = { 1, 1, 1 }, [IW] = { 2, 2, 2 },
		[IWB] = { 3, 3, 3 },	[IZ] = { 2, 4, 4 }, [IV] = { 2, 8, 4 },
		[IO] = { 8, 8, 8 },
	};
	uint32_t kind = d->attr & IMM & ~RELATIVE;

	if (d->prefixes & P_67 && kind == IO)
		return 4;
	return sizes[kind][operand == 2 ? 0 : operand == 8 ? 1 : 2];
}

/* Where a prefix or another bit makes it an entirely different instruction. */
static uint16_t odd_writes(const struct decoder *d, const struct x86_insn *insn)
{
	bool f3 = d->prefixes & P_F3;

	switch (insn->opcode) {
	case 0x90: /* nop, pause; xchg r8, rax */
		return d->rex & REX_B ? 0x101 : 0;
	case 0x1e: /* nop, endbr64; rdssp */
		return f3 && insn->reg == 1 && !insn->has_memory ? 0xffff : 0;
	case 0x7e: /* movq to a vector register; movd, movq from one */
		return f3 || insn->has_memory ? 0 : 1 << insn->rm;
	default: /* 0f ae: fences and saving of state; rdfsbase */
		return f3 ? 0xffff : 0;
	}
}

/* The bit of a register operand; ah is part of rax. */
static uint16_t reg_bit(const struct decoder *d, uint8_t reg)
{
	bool is_high = d->attr & BYTE && !d->rex && reg >= 4;

	return (reg < 16) << (reg & (is_high ? 3 : 15));
}

static uint16_t written_by(const struct decoder *d, const struct x86_insn *insn)
{
	uint32_t what = d->attr >> W_SHIFT;
	uint16_t writes;
	uint8_t uses;

	if (what == W_ODD)
		return odd_writes(d, insn);
	uses = written[what].uses;
	writes = written[what].fixed;
	writes |= uses & USES_RM ? reg_bit(d, insn->rm) : 0;
	writes |= uses & USES_REG ? reg_bit(d, insn->reg) : 0;
	writes |= uses & USES_OPREG ? reg_bit(d, extended(d, insn->opcode, REX_B)) : 0;
	return writes;
}

/* Under a uprobe the kernel does the work of some instructions itself instead of stepping
 * over a copy, see branch_setup_xol_ops() and push_setup_xol_ops() in
 * arch/x86/kernel/uprobes.c: relative calls and jumps, but it refuses those with 66, lock
 * or a segment (also cs and ds as hints for branches); push of a register (since Linux
 * 5.0) with no prefix but 41. Nops, of which it knows more from version to version, are
 * left out here. */
static bool is_emulated(const struct decoder *d, const struct x86_insn *insn)
{
	if (!(d->attr & EMULATED))
		return false;
	if (d->attr & RELATIVE)
		return !(d->prefixes & (P_66 | P_LOCK | P_SEGMENT));
	return insn->length == 1 || (insn->length == 2 && d->rex == (REX | REX_B));
}

/* With an effective 66 Intel's processors take 32 bits and AMD's 16: nobody uses that. */
static bool is_ambiguous(const struct decoder *d, const struct x86_insn *insn)
{
	return d->attr & RELATIVE && insn->size == 2;
}

/* The addresses that are given relative to the next instruction. */
static void resolve(const struct decoder *d, unsigned int imm, uint64_t next,
		    struct x86_insn *insn)
{
	insn->target = insn->address = 0;
	if (d->attr & RELATIVE)
		insn->target =
			next + (uint64_t)(imm == 1 ? (int8_t)*d->p : (int32_t)le32(d->p));
	if (insn->base == X86_RIP) {
		insn->address = next + (uint64_t)insn->disp;
		if (d->prefixes & P_67)
			insn->address = (uint32_t)insn->address;
	}
}

unsigned int x86_decode(const void *code, size_t size, uint64_t address,
			struct x86_insn *insn)
{
	struct decoder d = { code, 0, 0, 0 };
	const uint8_t *start = code;
	uint8_t tail[WINDOW];
	unsigned int length, imm;

	if (size < WINDOW) {
		memset(tail, 0, sizeof(tail));
		memcpy(tail, code, size);
		d.p = start = tail;
	}
	read_opcode(&d, insn);
	read_modrm(&d, insn);
	insn->size = operand_size(&d);
	imm = immediate_size(&d, insn->size);
	length = (unsigned int)(d.p - start) + imm;
	if (d.attr & (BAD | PREFIX) || length > MAX_LENGTH || length > size ||
	    is_ambiguous(&d, insn))
		return 0;
	insn->length = length;
	insn->flow = d.attr >> FLOW_SHIFT & 0xf;
	insn->is_emulated = is_emulated(&d, insn);
	insn->writes = written_by(&d, insn);
	resolve(&d, imm, address + length, insn);
	return length;
}

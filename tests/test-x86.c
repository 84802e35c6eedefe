// SPDX-License-Identifier: GPL-2.0-or-later
/* Instructions of x86-64 and what is said of them: length, flow, registers, memory. */
#include <config.h>

#include "x86.h"

#include <stdio.h>

#include "check.h"

#define AT 0x1000
#define NO X86_NOREG

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

#define BIT(reg) (1 << (reg))
#define SP BIT(RSP)
#define CALLED 0xfd7
#define ALL 0xffff

struct row {
	const char *hex, *text;
	uint8_t flow;
	bool is_emulated;
	uint16_t writes;
	uint64_t target;
};

/* All bytes of hex are the instruction; it stands at AT. */
static const struct row rows[] = {
	/* moves */
	{ "4889d8", "mov %rbx, %rax", X86_NEXT, 0, BIT(RAX), 0 },
	{ "4c896b38", "mov %r13, 0x38(%rbx)", X86_NEXT, 0, 0, 0 },
	{ "8b442408", "mov 8(%rsp), %eax", X86_NEXT, 0, BIT(RAX), 0 },
	{ "488b0578563412", "mov 0x12345678(%rip), %rax", X86_NEXT, 0, BIT(RAX), 0 },
	{ "668b07", "mov (%rdi), %ax", X86_NEXT, 0, BIT(RAX), 0 },
	{ "67488b07", "mov (%edi), %rax", X86_NEXT, 0, BIT(RAX), 0 },
	{ "88e0", "mov %ah, %al", X86_NEXT, 0, BIT(RAX), 0 },
	{ "88c4", "mov %al, %ah", X86_NEXT, 0, BIT(RAX), 0 },
	{ "4088c4", "mov %al, %spl", X86_NEXT, 0, BIT(RSP), 0 },
	{ "b701", "mov $1, %bh", X86_NEXT, 0, BIT(RBX), 0 },
	{ "41b701", "mov $1, %r15b", X86_NEXT, 0, BIT(R15), 0 },
	{ "bf01000000", "mov $1, %edi", X86_NEXT, 0, BIT(RDI), 0 },
	{ "66bf0100", "mov $1, %di", X86_NEXT, 0, BIT(RDI), 0 },
	{ "49be0102030405060708", "movabs $..., %r14", X86_NEXT, 0, BIT(R14), 0 },
	{ "48a10102030405060708", "movabs ..., %rax", X86_NEXT, 0, BIT(RAX), 0 },
	{ "67a101020304", "mov (address of 32 bits), %eax", X86_NEXT, 0, BIT(RAX), 0 },
	{ "c6450001", "movb $1, 0(%rbp)", X86_NEXT, 0, 0, 0 },
	{ "66c7000100", "movw $1, (%rax)", X86_NEXT, 0, 0, 0 },
	{ "48c7c001000000", "mov $1, %rax", X86_NEXT, 0, BIT(RAX), 0 },
	{ "450fb66601", "movzbl 1(%r14), %r12d", X86_NEXT, 0, BIT(R12), 0 },
	{ "0fb7c1", "movzwl %cx, %eax", X86_NEXT, 0, BIT(RAX), 0 },
	{ "480fbec6", "movsbq %sil, %rax", X86_NEXT, 0, BIT(RAX), 0 },
	{ "4863d0", "movslq %eax, %rdx", X86_NEXT, 0, BIT(RDX), 0 },
	{ "488d0df9ffffff", "lea -7(%rip), %rcx", X86_NEXT, 0, BIT(RCX), 0 },
	{ "4a8d04f500000000", "lea 0(,%r14,8), %rax", X86_NEXT, 0, BIT(RAX), 0 },
	{ "4887d8", "xchg %rbx, %rax", X86_NEXT, 0, BIT(RAX) | BIT(RBX), 0 },
	{ "4993", "xchg %r11, %rax", X86_NEXT, 0, BIT(RAX) | BIT(R11), 0 },
	{ "490f44c5", "cmove %r13, %rax", X86_NEXT, 0, BIT(RAX), 0 },
	{ "0f94c5", "sete %ch", X86_NEXT, 0, BIT(RCX), 0 },
	{ "410f94c5", "sete %r13b", X86_NEXT, 0, BIT(R13), 0 },
	/* arithmetic */
	{ "4883c702", "add $2, %rdi", X86_NEXT, 0, BIT(RDI), 0 },
	{ "4881ec00010000", "sub $0x100, %rsp", X86_NEXT, 0, SP, 0 },
	{ "480500010000", "add $0x100, %rax", X86_NEXT, 0, BIT(RAX), 0 },
	{ "4883ff02", "cmp $2, %rdi", X86_NEXT, 0, 0, 0 },
	{ "6681ff0002", "cmp $0x200, %di", X86_NEXT, 0, 0, 0 },
	{ "4d39c8", "cmp %r9, %r8", X86_NEXT, 0, 0, 0 },
	{ "85c0", "test %eax, %eax", X86_NEXT, 0, 0, 0 },
	{ "a801", "test $1, %al", X86_NEXT, 0, 0, 0 },
	{ "f6470401", "testb $1, 4(%rdi)", X86_NEXT, 0, 0, 0 },
	{ "f7c700010000", "test $0x100, %edi", X86_NEXT, 0, 0, 0 },
	{ "f7df", "neg %edi", X86_NEXT, 0, BIT(RDI), 0 },
	{ "48f7f1", "div %rcx", X86_NEXT, 0, BIT(RAX) | BIT(RDX), 0 },
	{ "4899", "cqto", X86_NEXT, 0, BIT(RDX), 0 },
	{ "31f6", "xor %esi, %esi", X86_NEXT, 0, BIT(RSI), 0 },
	{ "49ffc7", "inc %r15", X86_NEXT, 0, BIT(R15), 0 },
	{ "48ff4f10", "decq 0x10(%rdi)", X86_NEXT, 0, 0, 0 },
	{ "f0ff07", "lock incl (%rdi)", X86_NEXT, 0, 0, 0 },
	{ "48c1e604", "shl $4, %rsi", X86_NEXT, 0, BIT(RSI), 0 },
	{ "d3eb", "shr %cl, %ebx", X86_NEXT, 0, BIT(RBX), 0 },
	{ "480fafc7", "imul %rdi, %rax", X86_NEXT, 0, BIT(RAX), 0 },
	{ "4869d000010000", "imul $0x100, %rax, %rdx", X86_NEXT, 0, BIT(RDX), 0 },
	{ "f0480fb117", "lock cmpxchg %rdx, (%rdi)", X86_NEXT, 0, BIT(RAX), 0 },
	{ "480fa3c8", "bt %rcx, %rax", X86_NEXT, 0, 0, 0 },
	{ "480fbae83f", "bts $63, %rax", X86_NEXT, 0, BIT(RAX), 0 },
	{ "490fcf", "bswap %r15", X86_NEXT, 0, BIT(R15), 0 },
	{ "f348a5", "rep movsq", X86_NEXT, 0, 0xc3, 0 },
	/* nothing */
	{ "90", "nop", X86_NEXT, 0, 0, 0 },
	{ "6690", "2-byte nop", X86_NEXT, 0, 0, 0 },
	{ "4190", "xchg %r8d, %eax", X86_NEXT, 0, BIT(RAX) | BIT(R8), 0 },
	{ "0f1f440000", "nopl 0(%rax,%rax,1)", X86_NEXT, 0, 0, 0 },
	{ "66662e0f1f840000000000", "11-byte nop", X86_NEXT, 0, 0, 0 },
	{ "f30f1efa", "endbr64", X86_NEXT, 0, 0, 0 },
	{ "f3480f1ec8", "rdsspq %rax", X86_NEXT, 0, ALL, 0 },
	/* the stack */
	{ "55", "push %rbp", X86_NEXT, 1, SP, 0 },
	{ "4157", "push %r15", X86_NEXT, 1, SP, 0 },
	{ "4855", "rex.W push %rbp", X86_NEXT, 0, SP, 0 },
	{ "6655", "push %bp", X86_NEXT, 0, SP, 0 },
	{ "664155", "push %r13w", X86_NEXT, 0, SP, 0 },
	{ "6878563412", "push $0x12345678", X86_NEXT, 0, SP, 0 },
	{ "ff7308", "push 8(%rbx)", X86_NEXT, 0, SP, 0 },
	{ "415f", "pop %r15", X86_NEXT, 0, SP | BIT(R15), 0 },
	{ "8fc0", "pop %rax, long form", X86_NEXT, 0, SP | BIT(RAX), 0 },
	{ "c8100000", "enter $16, $0", X86_NEXT, 0, SP | BIT(RBP), 0 },
	{ "c9", "leave", X86_NEXT, 0, SP | BIT(RBP), 0 },
	/* elsewhere */
	{ "ebfe", "jmp .", X86_JUMP, 1, 0, AT },
	{ "e9fbffffff", "jmp ., long form", X86_JUMP, 1, 0, AT },
	{ "f2e9fa000000", "bnd jmp", X86_JUMP, 1, 0, AT + 0x100 },
	{ "7405", "je", X86_BRANCH, 1, 0, AT + 7 },
	{ "2e7405", "je with a hint", X86_BRANCH, 0, 0, AT + 8 },
	{ "0f85fa000000", "jne", X86_BRANCH, 1, 0, AT + 0x100 },
	{ "e2fe", "loop .", X86_BRANCH, 0, BIT(RCX), AT },
	{ "e3fe", "jrcxz .", X86_BRANCH, 0, 0, AT },
	{ "c7f8fa000000", "xbegin", X86_BRANCH, 0, ALL, AT + 0x100 },
	{ "e8fb000000", "call", X86_CALL, 1, CALLED, AT + 0x100 },
	{ "67e8fa000000", "addr32 call", X86_CALL, 1, CALLED, AT + 0x100 },
	{ "666648e8f8000000", "call, padded by -fpic TLS", X86_CALL, 0, CALLED,
	  AT + 0x100 },
	{ "ff5008", "call *8(%rax)", X86_CALL, 0, CALLED, 0 },
	{ "41ffd5", "call *%r13", X86_CALL, 0, CALLED, 0 },
	{ "ffe0", "jmp *%rax", X86_INDIRECT, 0, 0, 0 },
	{ "3effe0", "notrack jmp *%rax", X86_INDIRECT, 0, 0, 0 },
	{ "41ff24c7", "jmp *(%r15,%rax,8)", X86_INDIRECT, 0, 0, 0 },
	{ "c3", "ret", X86_RETURN, 0, SP, 0 },
	{ "f3c3", "rep ret", X86_RETURN, 0, SP, 0 },
	{ "c20800", "ret $8", X86_RETURN, 0, SP, 0 },
	{ "0f0b", "ud2", X86_STOP, 0, 0, 0 },
	{ "f4", "hlt", X86_STOP, 0, 0, 0 },
	{ "cc", "int3", X86_STOP, 0, 0, 0 },
	{ "0f05", "syscall", X86_NEXT, 0, ALL, 0 },
	/* vectors; 75 and the like are no jumps there */
	{ "0f1006", "movups (%rsi), %xmm0", X86_NEXT, 0, 0, 0 },
	{ "f30f7e442408", "movq 8(%rsp), %xmm0", X86_NEXT, 0, 0, 0 },
	{ "66480f7ec7", "movq %xmm0, %rdi", X86_NEXT, 0, BIT(RDI), 0 },
	{ "66480f6ec7", "movq %rdi, %xmm0", X86_NEXT, 0, 0, 0 },
	{ "f2480f2cc0", "cvttsd2si %xmm0, %rax", X86_NEXT, 0, BIT(RAX), 0 },
	{ "660fd7c1", "pmovmskb %xmm1, %eax", X86_NEXT, 0, BIT(RAX), 0 },
	{ "660f70c0e4", "pshufd $0xe4, %xmm0, %xmm0", X86_NEXT, 0, 0, 0 },
	{ "660f3a0fc108", "palignr $8, %xmm1, %xmm0", X86_NEXT, 0, 0, 0 },
	{ "660f3a16c001", "pextrd $1, %xmm0, %eax", X86_NEXT, 0, ALL, 0 },
	{ "f20f38f0c1", "crc32 %cl, %eax", X86_NEXT, 0, ALL, 0 },
	{ "dd442408", "fldl 8(%rsp)", X86_NEXT, 0, 0, 0 },
	{ "dfe0", "fnstsw %ax", X86_NEXT, 0, BIT(RAX), 0 },
	{ "c5f877", "vzeroupper", X86_NEXT, 0, 0, 0 },
	{ "c5f97f07", "vmovdqa %xmm0, (%rdi)", X86_NEXT, 0, 0, 0 },
	{ "c5f970c001", "vpshufd $1, %xmm0, %xmm0", X86_NEXT, 0, 0, 0 },
	{ "c5fdd7c0", "vpmovmskb %ymm0, %eax", X86_NEXT, 0, ALL, 0 },
	{ "c4e27918c0", "vbroadcastss %xmm0, %xmm0", X86_NEXT, 0, 0, 0 },
	{ "c4e3fbf0c703", "rorx $3, %rdi, %rax", X86_NEXT, 0, ALL, 0 },
	{ "62f17c48104701", "vmovups 64(%rdi), %zmm0", X86_NEXT, 0, 0, 0 },
	{ "62f37d4825c1ff", "vpternlogd", X86_NEXT, 0, 0, 0 },
	{ "8fe978c1c0", "XOP, map 9", X86_NEXT, 0, ALL, 0 },
};

static const struct {
	const char *hex, *text;
	uint8_t size, reg, rm, base, index;
	int32_t disp;
	uint64_t address;
} operands[] = {
	{ "4889d8", "mov %rbx, %rax", 8, RBX, RAX, NO, NO, 0, 0 },
	{ "4589f7", "mov %r14d, %r15d", 4, R14, R15, NO, NO, 0, 0 },
	{ "4c896b38", "mov %r13, 0x38(%rbx)", 8, R13, NO, RBX, NO, 0x38, 0 },
	{ "66894580", "mov %ax, -0x80(%rbp)", 2, RAX, NO, RBP, NO, -0x80, 0 },
	{ "8a8700ffffff", "mov -0x100(%rdi), %al", 1, RAX, NO, RDI, NO, -0x100, 0 },
	{ "8b442408", "mov 8(%rsp), %eax", 4, RAX, NO, RSP, NO, 8, 0 },
	{ "418b0424", "mov (%r12), %eax", 4, RAX, NO, R12, NO, 0, 0 },
	{ "418b4500", "mov (%r13), %eax", 4, RAX, NO, R13, NO, 0, 0 },
	{ "428b0420", "mov (%rax,%r12), %eax", 4, RAX, NO, RAX, R12, 0, 0 },
	{ "41ff24c7", "jmp *(%r15,%rax,8)", 8, 4, NO, R15, RAX, 0, 0 },
	{ "ff24c500200000", "jmp *0x2000(,%rax,8)", 8, 4, NO, NO, RAX, 0x2000, 0 },
	{ "8b042500200000", "mov 0x2000, %eax", 4, RAX, NO, NO, NO, 0x2000, 0 },
	{ "488b0500010000", "mov 0x100(%rip), %rax", 8, RAX, NO, X86_RIP, NO, 0x100,
	  AT + 0x107 },
	{ "488d0df9ffffff", "lea -7(%rip), %rcx", 8, RCX, NO, X86_RIP, NO, -7, AT },
	{ "833d0001000005", "cmpl $5, 0x100(%rip)", 4, 7, NO, X86_RIP, NO, 0x100,
	  AT + 0x107 },
	{ "67488d0500e0ffff", "lea -0x2000(%eip), %rax", 8, RAX, NO, X86_RIP, NO, -0x2000,
	  0xfffff008 },
	{ "0fb64701", "movzbl 1(%rdi), %eax", 4, RAX, NO, RDI, NO, 1, 0 },
	{ "88c4", "mov %al, %ah", 1, RAX, 4, NO, NO, 0, 0 },
	{ "55", "push %rbp", 8, NO, NO, NO, NO, 0, 0 },
	{ "f30f10442408", "movss 8(%rsp), %xmm0", 4, 0, NO, RSP, NO, 8, 0 },
	{ "c4610d5c0c88", "vsubpd (%rax,%rcx,4)", 4, 9, NO, RAX, RCX, 0, 0 },
};

static const char *const bad[] = {
	/* the end is missing */
	"",
	"48",
	"0f",
	"66",
	"e8fbffff",
	"eb",
	"8b",
	"8b44",
	"8b4424",
	"488b05000000",
	"49be01020304050607",
	"0f38",
	"0f3a",
	"660f3a0fc1",
	"c5",
	"c5f8",
	"c4e279",
	"62f17c48",
	"c8",
	"f6c0",
	"6681ff00",
	"8f",
	/* more than 15 bytes */
	"6666666666666666666666666666666690",
	"66666666666666666666666666666666",
	"2e2e2e2e2e2e48b80102030405060708",
	/* not in 64-bit mode, or nowhere */
	"06",
	"27",
	"60",
	"82c001",
	"9a000000000000",
	"ce",
	"d401",
	"ea000000000000",
	"0f04",
	"0f20c0",
	"ffff",
	"fed0",
	"8fc8",
	"c6c801",
	"0fbac001",
	/* 66, lock and REX do not go with VEX; reserved maps and bits */
	"66c5f877",
	"f0c5f877",
	"48c5f877",
	"c4e07918c0",
	"c4e47918c0",
	"62f47c4810c0",
	"62f1784810c0",
	"8feb78c1c0",
	/* processors differ */
	"66e900000000",
	"66e9000000000000",
	"667400",
	"66c7f8000000000000",
};

static unsigned int read_hex(const char *hex, uint8_t *bytes)
{
	unsigned int n = 0, byte;

	for (; *hex; hex += 2) {
		if (sscanf(hex, "%2x", &byte) != 1)
			break;
		bytes[n++] = (uint8_t)byte;
	}
	return n;
}

static void check_row(const struct row *row)
{
	uint8_t bytes[64] = { 0 };
	unsigned int size = read_hex(row->hex, bytes);
	struct x86_insn insn;

	check_int(x86_decode(bytes, sizeof(bytes), AT, &insn), size, row->text, __FILE__,
		  __LINE__);
	check_int(insn.length, size, row->text, __FILE__, __LINE__);
	check_int(insn.flow, row->flow, row->text, __FILE__, __LINE__);
	check_int(insn.is_emulated, row->is_emulated, row->text, __FILE__, __LINE__);
	check_int(insn.writes, row->writes, row->text, __FILE__, __LINE__);
	check_int((int64_t)insn.target, (int64_t)row->target, row->text, __FILE__,
		  __LINE__);
	for (unsigned int n = 0; n <= size; n++)
		check_int(x86_decode(bytes, n, AT, &insn), n == size ? n : 0, row->text,
			  __FILE__, __LINE__);
}

static void check_operands(size_t i)
{
	const char *text = operands[i].text;
	uint8_t bytes[64] = { 0 };
	unsigned int size = read_hex(operands[i].hex, bytes);
	struct x86_insn insn;

	check_int(x86_decode(bytes, size, AT, &insn), size, text, __FILE__, __LINE__);
	check_int(insn.size, operands[i].size, text, __FILE__, __LINE__);
	check_int(insn.reg, operands[i].reg, text, __FILE__, __LINE__);
	check_int(insn.rm, operands[i].rm, text, __FILE__, __LINE__);
	check_int(insn.base, operands[i].base, text, __FILE__, __LINE__);
	check_int(insn.index, operands[i].index, text, __FILE__, __LINE__);
	check_int(insn.disp, operands[i].disp, text, __FILE__, __LINE__);
	check_int((int64_t)insn.address, (int64_t)operands[i].address, text, __FILE__,
		  __LINE__);
	check(insn.has_memory == (insn.reg != NO && insn.rm == NO), text, __FILE__,
	      __LINE__);
}

static void check_opcode(const char *hex, bool is_vex, uint8_t map, uint8_t opcode)
{
	uint8_t bytes[64] = { 0 };
	unsigned int size = read_hex(hex, bytes);
	struct x86_insn insn;

	check_int(x86_decode(bytes, size, AT, &insn), size, hex, __FILE__, __LINE__);
	check_int(insn.is_vex, is_vex, hex, __FILE__, __LINE__);
	check_int(insn.map, map, hex, __FILE__, __LINE__);
	check_int(insn.opcode, opcode, hex, __FILE__, __LINE__);
}

int main(void)
{
	uint8_t bytes[64];
	struct x86_insn insn;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
	for (size_t i = 0; i < sizeof(operands) / sizeof(operands[0]); i++)
		check_operands(i);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		unsigned int size = read_hex(bad[i], bytes);

		check_int(x86_decode(bytes, size, AT, &insn), 0, bad[i], __FILE__,
			  __LINE__);
	}
	check_opcode("f3480f1ec8", false, 1, 0x1e);
	check_opcode("660f3a0fc108", false, 3, 0x0f);
	check_opcode("c5f877", true, 1, 0x77);
	check_opcode("c4e27918c0", true, 2, 0x18);
	check_opcode("62f17c48104701", true, 1, 0x10);
	check_opcode("8fe978c1c0", true, 9, 0xc1);
	return check_done();
}

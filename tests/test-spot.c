// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the probe of a function goes: at its beginning, or behind a few instructions. */
#include <config.h>

#include "spot.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "make-loop.h"

#define CODE(...) { __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

#define ENDBR 0xf3, 0x0f, 0x1e, 0xfa
#define MOVE 0x48, 0x89, 0xf8 /* mov %rdi,%rax */

static const struct {
	const char *what;
	uint8_t code[32];
	size_t size;
	unsigned int args;
	size_t spot;
} cases[] = {
	{ "push %rbp", CODE(0x55, 0xc3), 7, 0 },
	{ "endbr64; push %rbp", CODE(ENDBR, 0x55, 0xc3), 7, 4 },
	{ "push %r15", CODE(0x41, 0x57, 0xc3), 7, 0 },
	{ "endbr64; push %r15", CODE(ENDBR, 0x41, 0x57, 0xc3), 7, 4 },
	{ "mov first", CODE(MOVE, 0x53, 0xc3), 7, 3 },
	{ "sub $8,%rsp; call", CODE(0x48, 0x83, 0xec, 0x08, CALL(LOOP_OTHER)), 7, 4 },
	{ "jump", CODE(MOVE, JUMP(LOOP_OTHER)), 7, 3 },
	{ "branch", CODE(0x48, 0x85, 0xff, 0x74, 0x00, 0xc3), 7, 3 },
	/* Four are skipped, no more. */
	{ "four moves", CODE(MOVE, MOVE, MOVE, MOVE, 0x50, 0xc3), 7, 12 },
	{ "five moves", CODE(MOVE, MOVE, MOVE, MOVE, MOVE, 0x50, 0xc3), 7, 0 },
	/* mov %rax,%rdi; mov %rax,%rsi; mov %rax,%rdx; mov %dl,%sil; mov %rax,%rcx: the
	 * arguments that are asked for must not change */
	{ "first", CODE(0x48, 0x89, 0xc7, 0x50, 0xc3), SPOT_ARG1, 0 },
	{ "first, others kept", CODE(0x48, 0x89, 0xc7, 0x50, 0xc3), SPOT_ARG2 | SPOT_ARG3,
	  3 },
	{ "second", CODE(0x48, 0x89, 0xc6, 0x50, 0xc3), SPOT_ARG1 | SPOT_ARG2, 0 },
	{ "second, others kept", CODE(0x48, 0x89, 0xc6, 0x50, 0xc3),
	  SPOT_ARG1 | SPOT_ARG3, 3 },
	{ "third", CODE(0x48, 0x89, 0xc2, 0x50, 0xc3), SPOT_ARG3, 0 },
	{ "third, others kept", CODE(0x48, 0x89, 0xc2, 0x50, 0xc3), SPOT_ARG1 | SPOT_ARG2,
	  3 },
	{ "a byte of the second", CODE(0x40, 0x88, 0xd6, 0x50, 0xc3), SPOT_ARG2, 0 },
	{ "fourth", CODE(0x48, 0x89, 0xc1, 0x50, 0xc3), 7, 3 },
	{ "behind the spot", CODE(0x50, 0x48, 0x89, 0xc7, 0xc3), 7, 0 },
	{ "of a call, which is the spot", CODE(MOVE, CALL(LOOP_OTHER), 0xc3), 7, 3 },
	/* A loop: to the spot or before it, but for the beginning. */
	{ "back to the spot", CODE(MOVE, 0x50, 0x58, 0x75, 0xfc, 0xc3), 7, 0 },
	{ "back to before it", CODE(MOVE, MOVE, 0x50, 0x58, 0xeb, 0xf9), 7, 0 },
	{ "back to the beginning", CODE(MOVE, 0x50, 0x58, 0x75, 0xf9, 0xc3), 7, 3 },
	{ "back to behind it", CODE(MOVE, 0x50, 0x58, 0x75, 0xfd, 0xc3), 7, 3 },
	{ "back by a long jump", CODE(MOVE, 0x50, 0xe9, TO(LOOP_EVAL + 3)), 7, 0 },
	{ "back by a call", CODE(MOVE, 0x50, CALL(LOOP_EVAL + 3)), 7, 0 },
	/* No further. */
	{ "return", CODE(0xc3, 0x50), 7, 0 },
	{ "move, return", CODE(MOVE, 0xc3, 0x50), 7, 0 },
	{ "indirect jump", CODE(MOVE, 0xff, 0xe0, 0x50), 7, 0 },
	{ "indirect call", CODE(MOVE, 0xff, 0xd0, 0x50), 7, 0 },
	{ "loop", CODE(MOVE, 0xe2, 0x00, 0x50), 7, 0 },
	{ "int3", CODE(0xcc, 0x50), 7, 0 },
	{ "no instruction", CODE(0x06, 0x50), 7, 0 },
	{ "pushq 8(%rdi)", CODE(MOVE, 0xff, 0x77, 0x08, 0xc3), 7, 0 },
};

/* A file with that code at an address. */
static int open_code(struct elf *e, uint64_t address, const uint8_t *code, size_t size)
{
	static const uint8_t ret[] = { 0xc3 };
	struct loop_recipe l;
	struct made m;
	int fd;

	loop_init(&l, 0x030e00f0);
	loop_put(&l, LOOP_OTHER, ret, sizeof(ret));
	loop_put(&l, address, code, size);
	loop_build(&m, &l);
	fd = made_open(m.bytes, m.size);
	CHECK_INT(elf_open(fd, e), 0);
	return fd;
}

static void check_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct probe p = { .kind = PROBE_FORGET };
		struct elf e;
		int fd = open_code(&e, LOOP_EVAL, cases[i].code, cases[i].size);

		CHECK(spot_function(&e, LOOP_EVAL, cases[i].args, &p));
		check_int(p.address - LOOP_EVAL, cases[i].spot, cases[i].what, __FILE__,
			  __LINE__);
		CHECK_INT(p.offset - LOOP_TEXT_OFFSET, p.address - LOOP_TEXT);
		CHECK_INT(p.kind, PROBE_FORGET);
		elf_close(&e);
		close(fd);
	}
}

/* In a file of another machine the code is not looked at. */
static void check_machine(void)
{
	static const uint8_t code[] = { ENDBR, 0x55, 0xc3 };
	struct probe p = { 0 };
	struct elf e;
	int fd = open_code(&e, LOOP_EVAL, code, sizeof(code));

	e.header.e_machine = EM_AARCH64;
	CHECK(spot_function(&e, LOOP_EVAL, 7, &p));
	CHECK_INT(p.address, LOOP_EVAL);
	elf_close(&e);
	close(fd);
}

/* At the end of the code, and outside of it. */
static void check_places(void)
{
	static const uint8_t code[] = { MOVE, 0x55, 0xc3 };
	static const uint64_t nowhere[] = { 0,
					    LOOP_TEXT - 1,
					    LOOP_TABLES,
					    LOOP_DATA,
					    UINT64_MAX,
					    UINT64_MAX - 4095,
					    LOOP_PLT + LOOP_PLT_SIZE };
	struct probe p = { 0 };
	struct elf e;
	int fd = open_code(&e, LOOP_PLT - sizeof(code), code, sizeof(code));

	CHECK(spot_function(&e, LOOP_PLT - sizeof(code), 7, &p));
	CHECK_INT(p.address, LOOP_PLT - 2);
	for (size_t left = 1; left <= LOOP_PLT_SIZE; left++) {
		CHECK(spot_function(&e, LOOP_PLT + LOOP_PLT_SIZE - left, 7, &p));
		CHECK_INT(p.address, LOOP_PLT + LOOP_PLT_SIZE - left);
	}
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		CHECK(!spot_function(&e, nowhere[i], 7, &p));
	elf_close(&e);
	close(fd);
}

int main(void)
{
	check_cases();
	check_machine();
	check_places();
	return check_done();
}

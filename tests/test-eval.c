// SPDX-License-Identifier: GPL-2.0-or-later
/* Evaluation loops, good and hostile -> the places in them, or why there are none. */
#include <config.h>

#include "probes-eval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "make-loop.h"
#include "probes-cpython.h"

#if defined(__x86_64__)
enum { OURS = true };
#else
enum { OURS = false };
#endif

enum { FLIPS = 2000, TRUNCATED_BY = 101 };

/* Indices in struct pt_regs. */
enum {
	R14 = 1,
	R13 = 2,
	R12 = 3,
	RBP = 4,
	RBX = 5,
	RAX = 10,
	RCX = 11,
	RSI = 13,
	RSP = 19
};
enum { NOREG = OPERAND_NOREG };

/* Parts of the reasons. */
#define NO_TABLE "no dispatch table"
#define NO_FRAME "keeps the frame in no place that can be found"
#define NO_END "the end of calls is not found"
#define NO_SYMBOLS "it does not have the symbols"
#define NO_CODE "places in its evaluation loop are not in its code"
#define ODD_OFFSETS "its _Py_DebugOffsets are not those"
#define FREE_THREADED "it is a free-threaded build"
#define UNKNOWN_VERSION "the evaluation loop of this version is not known"

/* What Lib/opcode.py and Include/opcode_ids.h of each version say, lists end with 0. */
static const struct row {
	uint32_t version;
	uint8_t resume[5], yield[3], leave[5], left[3], instead[3];
	uint8_t oparg_mask, oparg_none;
	uint8_t made, never; /* RETURN_GENERATOR, RESERVED */
	uint16_t code_start;
} rows[] = {
	/* clang-format off */
	{ 0x030b04f0, { 151, 150 }, { 86 }, { 83 }, { 86, 75 }, { 0 }, 0, 0, 75, 0, 184 },
	{ 0x030c00f0, { 151, 240 }, { 150, 243 }, { 83, 121, 242, 247 }, { 0 },
	  { 254, 253 }, 0, 0, 0, 17, 192 },
	{ 0x030d01f0, { 149, 207, 236 }, { 118, 241 }, { 36, 103, 239, 240 }, { 0 },
	  { 254, 247 }, 0, 0, 0, 0, 43 * 8 },
	{ 0x030e00f0, { 128, 196, 245 }, { 120, 247 }, { 35, 246 }, { 0 },
	  { 254, 238 }, 0, 0, 0, 0, 48 * 8 },
	{ 0x030f00a1, { 128, 200, 201, 244 }, { 119, 246 }, { 33, 245 }, { 0 },
	  { 253, 237 }, 7, 4, 32, 0, 56 * 8 },
	/* clang-format on */
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct row *const row311 = &rows[0], *const row312 = &rows[1],
			       *const row314 = &rows[3], *const row315 = &rows[4];

static struct probes read_recipe(const struct loop_recipe *l, enum probe_source source)
{
	struct probes p;
	struct made m;
	int fd;

	loop_build(&m, l);
	fd = made_open(m.bytes, m.size);
	CHECK_INT(probes_read(fd, source, &p), 0);
	close(fd);
	return p;
}

/* It must be understood; if it is not, or has no probe, one of zeros and NOREGs. */
static struct probe first_probe(const struct loop_recipe *l, enum probe_kind kind,
				const char *what)
{
	struct probes p = read_recipe(l, SOURCE_EVAL);
	struct probe probe = { 0 };

	check_int(p.state, PROBES_USABLE, what, __FILE__, __LINE__);
	for (size_t i = p.count; i--;)
		if (p.probes[i].kind == kind)
			probe = p.probes[i];
	probes_free(&p);
	return probe;
}

static void check_refused(const struct loop_recipe *l, const char *reason,
			  const char *what)
{
	struct probes p = read_recipe(l, SOURCE_EVAL);

	check_int(p.state, PROBES_UNKNOWN, what, __FILE__, __LINE__);
	check(strstr(p.detail, reason), what, __FILE__, __LINE__);
	CHECK_STR(probes_explain(&p), p.detail);
	CHECK(!p.probes && !p.count);
	probes_free(&p);
}

/* ---- good ones ---- */

static void check_ops(const struct eval *e, const uint8_t *ops)
{
	uint64_t wanted[4] = { 0 };

	for (; *ops; ops++)
		wanted[*ops / 64] |= 1ULL << *ops % 64;
	CHECK(!memcmp(e->ops, wanted, sizeof(wanted)));
}

static void check_common(const struct probe *p, const struct row *r)
{
	const struct eval *e = &p->site.eval;

	CHECK_INT(p->offset, p->address - LOOP_TEXT + LOOP_TEXT_OFFSET);
	CHECK_INT(p->semaphore, 0);
	/* Of this one, only the argument is looked at. */
	if (p->kind == PROBE_FORGET)
		return;
	CHECK_INT(e->frame_instr, 56);
	CHECK_INT(e->frame_owner, r == row311 ? 69 : 70);
	CHECK_INT(e->code_start, r->code_start);
	CHECK_INT(e->op_made, r == row311 ? r->made : 0);
	CHECK_INT(e->str_ascii, r == row311 ? 48 : 40);
	CHECK_INT(e->str_wide, r == row311 ? 72 : 56);
	CHECK(!memcmp(e->instead, r->instead, sizeof(e->instead)));
	CHECK_INT(e->oparg_mask, p->kind == PROBE_RESUME ? r->oparg_mask : 0);
	CHECK_INT(e->oparg_none, p->kind == PROBE_RESUME ? r->oparg_none : 0);
}

/* Is its code that of all handlers? Else loop_init() made it for this kind. */
static bool is_usual(enum probe_kind kind)
{
	return kind == PROBE_RESUME || kind == PROBE_YIELD;
}

/* A place in a handler with the usual code, or what loop_init() made. */
static void check_place(const struct probe *p, enum probe_kind kind, uint64_t address,
			const struct row *r, const uint8_t *ops)
{
	const struct eval *e = &p->site.eval;

	CHECK_INT(p->kind, kind);
	CHECK_INT(p->address, address);
	CHECK_INT(e->frame_reg, R13);
	CHECK_INT(e->frame_base, NOREG);
	CHECK_INT(e->instr_reg, is_usual(kind) ? RBX : NOREG);
	CHECK_INT(e->instr_base, NOREG);
	CHECK_INT(e->instr_offset, is_usual(kind) ? -2 : 0);
	CHECK_INT(e->has_tstate, 0);
	CHECK_INT(e->frees, 1);
	CHECK_INT(e->code_type, (int64_t)LOOP_CODE_TYPE - (int64_t)address);
	check_ops(e, ops);
	check_common(p, r);
}

static void check_function(const struct probe *p, enum probe_kind kind, uint64_t address,
			   const struct row *r, const uint8_t *ops)
{
	const struct eval *e = &p->site.eval;

	CHECK_INT(p->kind, kind);
	CHECK_INT(p->address, address);
	CHECK_INT(e->frame_reg, RSI);
	CHECK_INT(e->has_tstate, kind == PROBE_CLEAR);
	CHECK_INT(e->instr_reg, NOREG);
	CHECK_INT(e->instr_base, NOREG);
	CHECK_INT(e->frees, 1);
	CHECK_INT(e->code_type, (int64_t)LOOP_CODE_TYPE - (int64_t)address);
	check_ops(e, ops);
	check_common(p, r);
}

/* Where the probe of a usual handler is: behind the store and the addition. */
static uint64_t usual_spot(uint8_t op)
{
	return LOOP_TEXT + op * LOOP_SLOT + 8;
}

static size_t check_places(const struct probe *p, enum probe_kind kind,
			   const struct row *r, const uint8_t *ops)
{
	size_t n = 0;

	for (; ops[n]; n++)
		check_place(&p[n], kind, usual_spot(ops[n]), r, ops);
	return n;
}

/* RETURN_VALUE and RETURN_GENERATOR in handlers of their own, and the exceptions: all
 * before the branch, in any order. */
static size_t check_questions311(const struct probe *p, const struct row *r)
{
	static const uint64_t spots[] = { LOOP_CODE + 14 * 0x40 + 11,
					  LOOP_CODE + 13 * 0x40 + 11, LOOP_ERROR + 5 };
	enum { SPOTS = sizeof(spots) / sizeof(spots[0]) };

	for (size_t i = 0; i < SPOTS; i++) {
		size_t at = 0;

		while (at < SPOTS - 1 && p[at].address != spots[i])
			at++;
		check_place(&p[at], PROBE_CLEAR, spots[i], r, r->leave);
	}
	return SPOTS;
}

static void check_row(const struct row *r, const struct probe *p)
{
	const struct probe *at = p;

	if (r == row311)
		at += check_questions311(at, r);
	at += check_places(at, PROBE_RESUME, r, r->resume);
	at += check_places(at, PROBE_YIELD, r, r->yield);
	if (r != row311)
		check_function(at++, PROBE_CLEAR, LOOP_CLEAR, r, r->leave);
	/* behind endbr64 */
	check_function(at++, r == row311 ? PROBE_SEND : PROBE_THROW, LOOP_EVAL + 4, r,
		       r == row311 ? r->left : r->leave);
	CHECK_INT(at->kind, PROBE_FORGET);
	CHECK_INT(at->address, LOOP_DEALLOC + 4);
	check_common(at, r);
}

static size_t length(const uint8_t *ops)
{
	return strlen((const char *)ops);
}

static void check_good(const struct row *r, bool is_pie)
{
	size_t count = length(r->resume) + length(r->yield) + (r == row311 ? 5 : 3);
	struct loop_recipe l;
	struct probes p;

	loop_init(&l, r->version);
	l.is_pie = is_pie;
	p = read_recipe(&l, SOURCE_EVAL);
	CHECK_STR(p.detail, "");
	CHECK_INT(p.state, PROBES_USABLE);
	CHECK_INT(p.source, SOURCE_EVAL);
	CHECK_INT(p.version, r->version);
	CHECK_INT(p.count, count);
	if (p.count == count)
		check_row(r, p.probes);
	probes_free(&p);
	p = read_recipe(&l, SOURCE_AUTO);
	CHECK_INT(p.state, PROBES_USABLE);
	CHECK_INT(p.source, SOURCE_EVAL);
	probes_free(&p);
	/* It has no notes. */
	p = read_recipe(&l, SOURCE_SDT);
	CHECK_INT(p.state, PROBES_NONE);
	CHECK_INT(p.source, SOURCE_SDT);
	probes_free(&p);
}

/* Without tp_dealloc nothing can be relied on. */
static void check_no_dealloc(void)
{
	struct loop_recipe l;
	struct probes p;

	loop_init(&l, row314->version);
	l.dealloc = 0;
	p = read_recipe(&l, SOURCE_EVAL);
	CHECK_INT(p.state, PROBES_USABLE);
	CHECK_INT(p.count, 7);
	for (size_t i = 0; i < p.count; i++) {
		CHECK(p.probes[i].kind != PROBE_FORGET);
		CHECK_INT(p.probes[i].site.eval.frees, 0);
	}
	probes_free(&p);
}

/* ---- the table ---- */

/* A table in memory as `v` would have it, of addresses from 1000 on. */
static void fill_table(uint64_t *words, const struct cpython *v)
{
	for (unsigned int op = 0; op < MAX_OPCODES; op++)
		words[op] = 1000 + op;
	for (size_t i = 0; i < sizeof(v->unused) / sizeof(v->unused[0]); i++)
		for (unsigned int op = v->unused[i].first; op && op <= v->unused[i].last;
		     op++)
			words[op] = 5000;
}

static void check_words(const struct row *r)
{
	enum { COUNT = MAX_OPCODES + 20 };
	const struct cpython *v = cpython_find(r->version);
	uint64_t words[COUNT];
	struct targets t;

	for (size_t at = 0; at <= 20; at++) {
		memset(words, 0, sizeof(words));
		fill_table(words + at, v);
		CHECK(eval_find_table(words, COUNT, 1000, 5001, v, &t));
		CHECK(!memcmp(t.handlers, words + at, sizeof(t.handlers)));
		CHECK(!eval_find_table(words, at + MAX_OPCODES - 1, 1000, 5001, v, &t));
		CHECK(!eval_find_table(words, COUNT, 1001, 5001, v, &t));
		CHECK(!eval_find_table(words, COUNT, 1000, 5000, v, &t));
	}
	CHECK(!eval_find_table(words, 0, 1000, 5001, v, &t));
}

/* Any single address that is another one makes it no table, if the fingerprint says so:
 * of what is never run it says nothing. */
static void check_fingerprint(const struct row *r)
{
	const struct cpython *v = cpython_find(r->version);
	unsigned int found_same = 0, found_other = 0, found_never = 0, unused = 0;
	uint64_t words[MAX_OPCODES];
	struct targets t;

	for (unsigned int op = 0; op < MAX_OPCODES; op++) {
		bool is_never = !op || op == r->never, is_found;

		fill_table(words, v);
		unused += words[op] == 5000;
		words[op] = words[op] == 5000 ? 4999 : 5000;
		is_found = eval_find_table(words, MAX_OPCODES, 1000, 5001, v, &t);
		found_same += !is_never && is_found;
		found_never += is_never && is_found;
		fill_table(words, v);
		words[op] = 4998;
		found_other += eval_find_table(words, MAX_OPCODES, 1000, 5001, v, &t);
	}
	CHECK_INT(found_same, 0);
	CHECK_INT(found_never, r->never ? 2 : 1);
	CHECK_INT(found_other, MAX_OPCODES - unused);
	/* Both that are never run. */
	fill_table(words, v);
	words[0] = words[r->never] = 5000;
	CHECK(eval_find_table(words, MAX_OPCODES, 1000, 5001, v, &t));
}

/* Of several tables the one with most different addresses. */
static void check_most_distinct(void)
{
	const struct cpython *v = cpython_find(row315->version);
	uint64_t words[3 * MAX_OPCODES];
	struct targets t;

	for (size_t best = 0; best < 3; best++) {
		for (size_t i = 0; i < 3; i++) {
			fill_table(words + i * MAX_OPCODES, v);
			if (i != best)
				words[i * MAX_OPCODES + 1] = words[i * MAX_OPCODES + 2];
		}
		CHECK(eval_find_table(words, 3 * MAX_OPCODES, 1000, 5001, v, &t));
		CHECK(!memcmp(t.handlers, words + best * MAX_OPCODES,
			      sizeof(t.handlers)));
	}
}

/* As 3.15 has it for tracing: one address for all opcodes, one for those unused. */
static void put_dull_table(struct loop_recipe *l, size_t at, unsigned int distinct)
{
	const struct cpython *v = cpython_find(l->version);
	uint64_t words[MAX_OPCODES];

	fill_table(words, v);
	for (unsigned int op = 0; op < MAX_OPCODES; op++)
		words[op] = words[op] == 5000 ? LOOP_OTHER
					      : LOOP_CODE + op % (distinct - 1);
	memcpy(l->tables + at, words, sizeof(words));
}

static void check_second_table(void)
{
	static const unsigned int distinct[] = { 2, 60, 130 };
	struct loop_recipe l;

	for (size_t i = 0; i < sizeof(distinct) / sizeof(distinct[0]); i++) {
		for (int behind = 0; behind < 2; behind++) {
			loop_init(&l, row315->version);
			l.table_at = behind ? 0 : 0x800;
			put_dull_table(&l, behind ? 0x800 : 0, distinct[i]);
			CHECK_INT(first_probe(&l, PROBE_RESUME, "two tables").address,
				  usual_spot(row315->resume[0]));
		}
		/* It alone is none, or has not the stores. */
		put_dull_table(&l, 0x800, distinct[i]);
		memset(l.table, 0, sizeof(l.table));
		check_refused(&l, distinct[i] > 100 ? NO_FRAME : NO_TABLE, "dull table");
	}
}

static void check_table_places(void)
{
	static const size_t places[] = { 0, 8, 0x18, 0x800, 0x810 };
	struct loop_recipe l;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		loop_init(&l, row312->version);
		l.table_at = places[i];
		first_probe(&l, PROBE_RESUME, "place of the table");
		l.is_pie = true;
		first_probe(&l, PROBE_RESUME, "place of the table in a PIE");
	}
	/* Compilers align it. */
	for (size_t at = 1; at < 8; at++) {
		loop_init(&l, row312->version);
		l.table_at = at;
		check_refused(&l, NO_TABLE, "no multiple of 8");
		l.is_pie = true;
		check_refused(&l, NO_TABLE, "no multiple of 8 in a PIE");
	}
}

/* One address in the table of a file, and whether it still is one. */
static void check_table_changes(void)
{
	static const struct {
		const char *what;
		uint8_t op; /* of 3.14: 10 is used, 212 to 233 are not */
		uint64_t address;
		bool is_found;
	} cases[] = {
		{ "a used one, elsewhere", 10, LOOP_OTHER, true },
		{ "the last byte of the code", 10, LOOP_TEXT + LOOP_TEXT_SIZE - 1, true },
		{ "used, as the unused", 10, LOOP_TEXT + 121 * LOOP_SLOT, false },
		{ "the first unused differs", 121, LOOP_OTHER, false },
		{ "an unused differs", 220, LOOP_OTHER, false },
		{ "the last unused differs", 233, LOOP_OTHER, false },
		{ "before the code", 10, LOOP_TEXT - 1, false },
		{ "behind the code", 10, LOOP_TEXT + LOOP_TEXT_SIZE, false },
		{ "null", 255, 0, false },
		{ "all ones", 0, UINT64_MAX, false },
	};
	struct loop_recipe l;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int is_pie = 0; is_pie < 2; is_pie++) {
			loop_init(&l, row314->version);
			l.is_pie = is_pie;
			l.table[cases[i].op] = cases[i].address;
			if (cases[i].is_found)
				first_probe(&l, PROBE_RESUME, cases[i].what);
			else
				check_refused(&l, NO_TABLE, cases[i].what);
		}
	}
}

/* 3.12: RESERVED is never run, so its address is what the compiler likes. */
static void check_never(void)
{
	const struct cpython *v = cpython_find(row312->version);
	struct loop_recipe l;

	loop_init(&l, row312->version);
	l.table[row312->never] = l.table[v->unused[0].first];
	first_probe(&l, PROBE_RESUME, "as the unused");
	l.table[row312->never] = LOOP_TEXT - 1;
	check_refused(&l, NO_TABLE, "not in the code");
	/* The neighbors are run. */
	for (int beside = -1; beside <= 1; beside += 2) {
		loop_init(&l, row312->version);
		l.table[row312->never + beside] = l.table[v->unused[0].first];
		check_refused(&l, NO_TABLE, "beside RESERVED");
	}
}

/* Relocations say what is there, not what stands in their place; those of other kinds
 * say nothing. */
static void check_relocations(void)
{
	struct loop_recipe l;

	loop_init(&l, row314->version);
	l.is_pie = true;
	memset(l.tables, 0xff, sizeof(l.tables));
	first_probe(&l, PROBE_RESUME, "what stands in place does not matter");
	loop_init(&l, row314->version);
	loop_relocate(&l, LOOP_TABLES + 8, 0, R_X86_64_GLOB_DAT);
	first_probe(&l, PROBE_RESUME, "another kind of relocation");
	loop_init(&l, row314->version);
	loop_relocate(&l, LOOP_TABLES + 8, 0, R_X86_64_RELATIVE);
	check_refused(&l, NO_TABLE, "relocated to nowhere");
}

static enum probes_state with_flags(enum loop_section which, uint32_t type,
				    uint64_t flags)
{
	struct loop_recipe l;
	struct probes p;
	struct made m;
	int fd;

	loop_init(&l, row312->version);
	loop_build(&m, &l);
	loop_section(&m, which)->sh_type = type;
	loop_section(&m, which)->sh_flags = flags;
	fd = made_open(m.bytes, m.size);
	CHECK_INT(probes_read(fd, SOURCE_EVAL, &p), 0);
	close(fd);
	probes_free(&p);
	return p.state;
}

static void check_table_section(void)
{
	enum loop_section s = LOOP_TABLES_SECTION;

	CHECK_INT(with_flags(s, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE), PROBES_USABLE);
	CHECK_INT(with_flags(s, SHT_PROGBITS, SHF_ALLOC), PROBES_USABLE);
	CHECK_INT(with_flags(s, SHT_PROGBITS, 0), PROBES_UNKNOWN);
	CHECK_INT(with_flags(s, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR), PROBES_UNKNOWN);
	CHECK_INT(with_flags(s, SHT_NOBITS, SHF_ALLOC | SHF_WRITE), PROBES_UNKNOWN);
}

/* ---- handlers ---- */

#define CODE(...) { __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

#define MOVE 0x48, 0x89, 0xc1	/* mov %rax,%rcx */
#define CHANGE 0x48, 0x89, 0xcb /* mov %rcx,%rbx */
#define OTHER 0xe8, TO(LOOP_OTHER)
#define NOPS_10 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90
#define HERE LOOP_CODE /* slot 0 */

/* How the instruction is found. */
#define IN_RBX(offset) RBX, NOREG, offset
#define SAVED NOREG, NOREG, 0
#define BEGINNING 0, RBX, NOREG, 0 /* the probe is on the handler itself */

/* The code of a RESUME, where its probe is to be, and how the instruction is found. */
struct handler_case {
	const char *what;
	uint8_t code[0x40];
	size_t size, spot;
	uint8_t instr_reg, instr_base;
	int32_t instr_offset;
};

static const struct handler_case handlers[] = {
	{ "store first", CODE(STORE, OTHER, DISPATCH), 4, IN_RBX(0) },
	{ "three moves first", CODE(MOVE, MOVE, MOVE, STORE, OTHER), 13, IN_RBX(0) },
	{ "no store", CODE(MOVE, OTHER), 3, IN_RBX(0) },
	{ "store behind the spot", CODE(MOVE, OTHER, STORE), 3, IN_RBX(0) },
	{ "jump", CODE(STORE, JUMP(LOOP_OTHER)), 4, IN_RBX(0) },
	{ "short jump", CODE(STORE, 0xeb, 0x00, DISPATCH), 4, IN_RBX(0) },
	{ "branch", CODE(STORE, 0x75, 0x00, DISPATCH), 4, IN_RBX(0) },
	{ "push %r12", CODE(STORE, 0x41, 0x54, DISPATCH), 4, IN_RBX(0) },
	/* The instruction moves on, which is counted. */
	{ "saved, moved on", CODE(STORE, NEXT, OTHER), 8, IN_RBX(-2) },
	{ "moved on", CODE(NEXT, OTHER), 4, IN_RBX(-2) },
	{ "moved on twice", CODE(NEXT, NEXT, OTHER), 8, IN_RBX(-4) },
	{ "moved on, saved", CODE(NEXT, STORE, OTHER), 8, IN_RBX(-2) },
	{ "add $-4", CODE(0x48, 0x83, 0xc3, 0xfc, OTHER), 4, IN_RBX(4) },
	{ "add $2,%r11", CODE(0x49, 0x83, 0xc3, 0x02, OTHER), 4, IN_RBX(0) },
	/* In ways that are not: it is gone, but for what is saved. */
	{ "saved, changed", CODE(STORE, CHANGE, OTHER), 7, SAVED },
	{ "changed", CODE(CHANGE, OTHER), BEGINNING },
	{ "changed, saved", CODE(CHANGE, STORE, OTHER), BEGINNING },
	{ "moved on, saved, changed", CODE(NEXT, STORE, CHANGE, OTHER), BEGINNING },
	{ "saved, moved on, changed", CODE(STORE, NEXT, CHANGE, OTHER), 11, SAVED },
	{ "add $2,%ebx", CODE(0x83, 0xc3, 0x02, OTHER), BEGINNING },
	{ "adc $2,%rbx", CODE(0x48, 0x83, 0xd3, 0x02, OTHER), BEGINNING },
	{ "sub $2,%rbx", CODE(0x48, 0x83, 0xeb, 0x02, OTHER), BEGINNING },
	{ "lea 2(%rbx),%rbx", CODE(0x48, 0x8d, 0x5b, 0x02, OTHER), BEGINNING },
	/* mov %rcx,0x38(%r13): something else is saved */
	{ "other saved", CODE(0x49, 0x89, 0x4d, 0x38, OTHER), 4, IN_RBX(0) },
	{ "saved, other saved", CODE(STORE, 0x49, 0x89, 0x4d, 0x38, OTHER), 8,
	  IN_RBX(0) },
	{ "saved, changed, other saved",
	  CODE(STORE, CHANGE, 0x49, 0x89, 0x4d, 0x38, OTHER), BEGINNING },
	/* mov %rbx,0x38(%r14); mov %rbx,0x30(%r13); mov %ebx,0x38(%r13) */
	{ "saved elsewhere", CODE(0x49, 0x89, 0x5e, 0x38, CHANGE, OTHER), BEGINNING },
	{ "saved beside", CODE(0x49, 0x89, 0x5d, 0x30, CHANGE, OTHER), BEGINNING },
	{ "half of it saved", CODE(0x41, 0x89, 0x5d, 0x38, CHANGE, OTHER), BEGINNING },
	/* The frame is gone: mov %rax,%r13; mov %al,%r13b; pop %r13 */
	{ "frame overwritten", CODE(0x49, 0x89, 0xc5, OTHER), BEGINNING },
	{ "a byte of it", CODE(0x41, 0x88, 0xc5, OTHER), BEGINNING },
	{ "saved, overwritten", CODE(STORE, 0x41, 0x5d, OTHER), BEGINNING },
	/* Emulated at once. */
	{ "call first", CODE(OTHER, STORE, DISPATCH), BEGINNING },
	{ "push first", CODE(0x50, STORE, DISPATCH), BEGINNING },
	/* Nothing that is. */
	{ "indirect jump", CODE(STORE, DISPATCH, OTHER), BEGINNING },
	{ "indirect call", CODE(STORE, 0xff, 0xd0, OTHER), BEGINNING },
	{ "return", CODE(STORE, 0xc3, OTHER), BEGINNING },
	{ "ud2", CODE(STORE, 0x0f, 0x0b, OTHER), BEGINNING },
	{ "no instruction", CODE(STORE, 0x06, OTHER), BEGINNING },
	{ "branch with a hint", CODE(STORE, 0x2e, 0x75, 0x00, OTHER), BEGINNING },
	{ "loop", CODE(STORE, 0xe2, 0x00, OTHER), BEGINNING },
	{ "far", CODE(NOPS_10, NOPS_10, NOPS_10, NOPS_10, OTHER), BEGINNING },
	{ "not so far", CODE(NOPS_10, NOPS_10, NOPS_10, 0x90, OTHER), 31, IN_RBX(0) },
	/* Its own jumps back: to the spot, before it, and to the beginning. */
	{ "back to the spot", CODE(STORE, 0x75, 0xfe, DISPATCH), BEGINNING },
	{ "back to before it", CODE(STORE, NEXT, 0x75, 0x00, 0x75, 0xf8), BEGINNING },
	{ "back to the beginning", CODE(STORE, NEXT, 0x75, 0xf6), 8, IN_RBX(-2) },
};

static void check_handler(const struct probe *p, const struct handler_case *c)
{
	const struct eval *e = &p->site.eval;

	check_int(p->address, HERE + c->spot, c->what, __FILE__, __LINE__);
	check_int(e->frame_reg, R13, c->what, __FILE__, __LINE__);
	check_int(e->instr_reg, c->instr_reg, c->what, __FILE__, __LINE__);
	check_int(e->instr_base, c->instr_base, c->what, __FILE__, __LINE__);
	check_int(e->instr_offset, c->instr_offset, c->what, __FILE__, __LINE__);
}

static void check_handlers(void)
{
	struct loop_recipe l;

	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		const struct handler_case *c = &handlers[i];
		struct probe p;

		loop_init(&l, row314->version);
		loop_handler(&l, row314->resume[0], 0, c->code, c->size);
		p = first_probe(&l, PROBE_RESUME, c->what);
		check_handler(&p, c);
	}
}

/* A handler of a YIELD_VALUE is looked at likewise. */
static void check_yield(void)
{
	static const uint8_t code[] = { MOVE, OTHER };
	struct loop_recipe l;
	struct probe p;

	loop_init(&l, row314->version);
	loop_handler(&l, row314->yield[0], 0, code, sizeof(code));
	p = first_probe(&l, PROBE_YIELD, "yield");
	CHECK_INT(p.address, HERE + 3);
	CHECK_INT(p.site.eval.instr_reg, RBX);
}

/* Jumps from elsewhere to between the beginning of a handler, exclusive, and the probe,
 * inclusive, which would be at 8. */
static void check_jumps(void)
{
	static const uint8_t code[] = { STORE, NEXT, OTHER, DISPATCH };
	static const struct {
		const char *what;
		uint8_t jump[6];
		size_t size;
		size_t spot;
	} cases[] = {
		{ "to the beginning", CODE(JUMP(HERE)), 8 },
		{ "behind the beginning", CODE(JUMP(HERE + 1)), 0 },
		{ "behind the store", CODE(JUMP(HERE + 4)), 0 },
		{ "to the spot", CODE(JUMP(HERE + 8)), 0 },
		{ "behind the spot", CODE(JUMP(HERE + 9)), 8 },
		{ "branch", CODE(0x0f, 0x84, TO(HERE + 4)), 0 },
		{ "call", CODE(CALL(HERE + 4)), 0 },
	};
	struct loop_recipe l;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct probe p;

		loop_init(&l, row314->version);
		loop_handler(&l, row314->resume[0], 0, code, sizeof(code));
		loop_put(&l, LOOP_OTHER + 1, cases[i].jump, cases[i].size);
		p = first_probe(&l, PROBE_RESUME, cases[i].what);
		check_int(p.address, HERE + cases[i].spot, cases[i].what, __FILE__,
			  __LINE__);
		check_int(p.site.eval.instr_offset, cases[i].spot ? -2 : 0, cases[i].what,
			  __FILE__, __LINE__);
	}
	/* The table's way is a jump, too. */
	loop_init(&l, row314->version);
	loop_handler(&l, row314->resume[0], 0, code, sizeof(code));
	l.table[10] = HERE + 4;
	CHECK_INT(first_probe(&l, PROBE_RESUME, "another handler").address, HERE);
}

/* What all handlers begin with, if it is not the usual: 4 to 8 bytes. */
static void put_stores(struct loop_recipe *l, const uint8_t *code, size_t size,
		       unsigned int every)
{
	static const uint8_t rest[] = { OTHER, DISPATCH };

	for (unsigned int op = 0; op < MAX_OPCODES; op += every) {
		uint64_t at = LOOP_TEXT + op * LOOP_SLOT;

		if (l->table[op] != at || op == cpython_find(l->version)->unused[0].first)
			continue;
		loop_put(l, at, code, size);
		loop_put(l, at + size, rest, sizeof(rest));
	}
}

/* mov (%rsp),%rax; mov %rax,0x38(%r13) */
#define LOAD 0x48, 0x8b, 0x04, 0x24
#define SAVE 0x49, 0x89, 0x45, 0x38
#define ON_STACK 0, NOREG, RSP, 0

/* The instruction is kept on the stack. */
static const struct handler_case stack_handlers[] = {
	{ "loaded, saved", CODE(LOAD, SAVE, OTHER), 8, RAX, NOREG, 0 },
	{ "loaded", CODE(LOAD, OTHER), 4, RAX, NOREG, 0 },
	{ "loaded late", CODE(MOVE, MOVE, LOAD, OTHER), 10, RAX, NOREG, 0 },
	{ "moved on", CODE(LOAD, 0x48, 0x83, 0xc0, 0x02, OTHER), 8, RAX, NOREG, -2 },
	{ "loaded, saved, changed", CODE(LOAD, SAVE, 0x31, 0xc0, OTHER), 10, SAVED },
	{ "loaded again", CODE(LOAD, 0x31, 0xc0, LOAD, OTHER), 10, RAX, NOREG, 0 },
	{ "loaded, changed", CODE(LOAD, 0x31, 0xc0, OTHER), ON_STACK },
	{ "other loaded", CODE(0x48, 0x8b, 0x44, 0x24, 0x08, OTHER), ON_STACK },
	{ "half of it loaded", CODE(0x8b, 0x04, 0x24, OTHER), ON_STACK },
	{ "call first", CODE(OTHER, LOAD, SAVE), ON_STACK },
	{ "other saved", CODE(0x49, 0x89, 0x5d, 0x38, OTHER), ON_STACK },
};

static void check_stack(void)
{
	static const uint8_t store[] = { LOAD, SAVE };
	struct loop_recipe l;

	for (size_t i = 0; i < sizeof(stack_handlers) / sizeof(stack_handlers[0]); i++) {
		const struct handler_case *c = &stack_handlers[i];
		struct probe p;

		loop_init(&l, row314->version);
		put_stores(&l, store, sizeof(store), 1);
		loop_handler(&l, row314->resume[0], 0, c->code, c->size);
		p = first_probe(&l, PROBE_RESUME, c->what);
		check_handler(&p, c);
	}
}

/* Further down on the stack, and from %rbp: the place is told to the kernel side. */
static void check_stack_offset(void)
{
	/* mov -0x58(%rbp),%rcx; mov %rcx,0x38(%r13) */
	static const uint8_t store[] = { 0x48, 0x8b, 0x4d, 0xa8, 0x49, 0x89, 0x4d, 0x38 };
	static const uint8_t none[] = { OTHER };
	struct loop_recipe l;
	struct probe p;

	loop_init(&l, row314->version);
	put_stores(&l, store, sizeof(store), 1);
	loop_handler(&l, row314->resume[0], 0, none, sizeof(none));
	p = first_probe(&l, PROBE_RESUME, "from %rbp");
	CHECK_INT(p.site.eval.instr_reg, NOREG);
	CHECK_INT(p.site.eval.instr_base, RBP);
	CHECK_INT(p.site.eval.instr_offset, -0x58);
}

/* mov 8(%rsp),%rcx; mov %rbx,0x38(%rcx) */
#define LOAD_FRAME 0x48, 0x8b, 0x4c, 0x24, 0x08
#define SAVE_BY_RCX 0x48, 0x89, 0x59, 0x38

/* The frame is kept on the stack. */
static const struct {
	const char *what;
	uint8_t code[0x20];
	size_t size, spot;
	uint8_t frame_reg, frame_base;
	int32_t frame_offset;
} frame_handlers[] = {
	{ "loaded, saved", CODE(LOAD_FRAME, SAVE_BY_RCX, OTHER), 9, RCX, NOREG, 0 },
	{ "loaded", CODE(LOAD_FRAME, OTHER), 5, RCX, NOREG, 0 },
	{ "loaded, changed", CODE(LOAD_FRAME, 0x31, 0xc9, OTHER), 0, NOREG, RSP, 8 },
	{ "call first", CODE(OTHER, LOAD_FRAME), 0, NOREG, RSP, 8 },
	{ "other loaded", CODE(LOAD, OTHER), 0, NOREG, RSP, 8 },
};

static void init_frame_on_stack(struct loop_recipe *l)
{
	static const uint8_t store[] = { LOAD_FRAME, SAVE_BY_RCX };
	/* mov 8(%rsp),%rsi; call */
	static const uint8_t end[] = { 0x48, 0x8b, 0x74, 0x24, 0x08, CALL(LOOP_CLEAR) };

	loop_init(l, row314->version);
	put_stores(l, store, sizeof(store), 1);
	loop_handler(l, row314->leave[0], 14, end, sizeof(end));
}

static void check_frame_on_stack(void)
{
	struct loop_recipe l;

	for (size_t i = 0; i < sizeof(frame_handlers) / sizeof(frame_handlers[0]); i++) {
		const char *what = frame_handlers[i].what;
		struct probe p;

		init_frame_on_stack(&l);
		loop_handler(&l, row314->resume[0], 0, frame_handlers[i].code,
			     frame_handlers[i].size);
		p = first_probe(&l, PROBE_RESUME, what);
		check_int(p.address, HERE + frame_handlers[i].spot, what, __FILE__,
			  __LINE__);
		check_int(p.site.eval.frame_reg, frame_handlers[i].frame_reg, what,
			  __FILE__, __LINE__);
		check_int(p.site.eval.frame_base, frame_handlers[i].frame_base, what,
			  __FILE__, __LINE__);
		check_int(p.site.eval.frame_offset, frame_handlers[i].frame_offset, what,
			  __FILE__, __LINE__);
		CHECK_INT(p.site.eval.instr_reg, RBX);
	}
	/* Passed from there to what has no name. */
	init_frame_on_stack(&l);
	l.symbols[SYMBOL_CLEAR] = NULL;
	CHECK_INT(first_probe(&l, PROBE_CLEAR, "from the stack").address, LOOP_CLEAR);
}

/* Which registers: most handlers must agree. */
static void check_registers(void)
{
	/* mov %r12,0x38(%r14) */
	static const uint8_t other[] = { 0x4d, 0x89, 0x66, 0x38 };
	static const uint8_t clear[] = { 0x4c, 0x89, 0xf6, CALL(LOOP_CLEAR) };
	/* a register changed before it is stored */
	static const uint8_t changed[] = { NEXT, STORE };
	static const uint8_t none[] = { MOVE };
	struct loop_recipe l;
	struct probe p;

	loop_init(&l, row314->version);
	put_stores(&l, other, sizeof(other), 1);
	loop_handler(&l, row314->leave[0], 1, clear, sizeof(clear));
	p = first_probe(&l, PROBE_RESUME, "other registers");
	CHECK_INT(p.site.eval.frame_reg, R14);
	CHECK_INT(p.site.eval.instr_reg, R12);
	loop_handler(&l, row314->resume[0], 0, none, sizeof(none));
	p = first_probe(&l, PROBE_RESUME, "other registers, no store");
	CHECK_INT(p.site.eval.instr_reg, R12);
	loop_init(&l, row314->version);
	put_stores(&l, other, sizeof(other), 5);
	CHECK_INT(first_probe(&l, PROBE_RESUME, "a fifth").site.eval.frame_reg, R13);
	put_stores(&l, other, sizeof(other), 2);
	check_refused(&l, NO_FRAME, "half of them");
	loop_init(&l, row314->version);
	put_stores(&l, changed, sizeof(changed), 1);
	check_refused(&l, NO_FRAME, "changed before stored");
	loop_init(&l, row314->version);
	put_stores(&l, none, sizeof(none), 1);
	check_refused(&l, NO_FRAME, "no stores");
}

/* ---- the end of calls ---- */

#define PASS 0x4c, 0x89, 0xee /* mov %r13,%rsi */
#define FAR LOOP_CODE + 0x40  /* slot 1 */
#define NO_MORE CODE(0xcc)
#define ELSEWHERE LOOP_TEXT + 0x9000
#define BRANCHES_8                                                                    \
	0x75, 0x00, 0x75, 0x00, 0x75, 0x00, 0x75, 0x00, 0x75, 0x00, 0x75, 0x00, 0x75, \
		0x00, 0x75, 0x00

/* The code of RETURN_VALUE, and that behind a jump; and what is found, or the reason. */
static const struct {
	const char *what;
	uint8_t code[0x40];
	size_t size;
	uint8_t far[0x20];
	size_t far_size;
	const char *reason;
} returns[] = {
	/* clang-format off */
	{ "direct", CODE(STORE, PASS, CALL(LOOP_CLEAR)), NO_MORE, NULL },
	{ "the other mov", CODE(STORE, 0x49, 0x8b, 0xf5, CALL(LOOP_CLEAR)), NO_MORE, NULL },
	/* mov %r13,%rax; mov %rax,%r12; mov %r12,%rsi */
	{ "by moves", CODE(0x4c, 0x89, 0xe8, 0x49, 0x89, 0xc4, 0x4c, 0x89, 0xe6,
			   CALL(LOOP_CLEAR)), NO_MORE, NULL },
	/* mov %r13,%r12; mov %rax,%r13; mov %r12,%rsi: its register is the caller's now */
	{ "from the copy", CODE(0x4d, 0x89, 0xec, 0x49, 0x89, 0xc5, 0x4c, 0x89, 0xe6,
				CALL(LOOP_CLEAR)), NO_MORE, NULL },
	{ "behind a branch", CODE(STORE, 0x75, 0x02, DISPATCH, PASS, CALL(LOOP_CLEAR)),
	  NO_MORE, NULL },
	{ "behind a long branch", CODE(STORE, 0x0f, 0x84, TO(FAR), DISPATCH),
	  CODE(PASS, CALL(LOOP_CLEAR)), NULL },
	{ "behind a jump", CODE(STORE, JUMP(FAR)), CODE(PASS, CALL(LOOP_CLEAR)), NULL },
	{ "passed before the jump", CODE(PASS, JUMP(FAR)), CODE(CALL(LOOP_CLEAR)), NULL },
	{ "the usual way first", CODE(STORE, 0x0f, 0x84, TO(FAR), PASS, CALL(LOOP_CLEAR)),
	  CODE(PASS, OTHER), NULL },
	{ "another call before", CODE(STORE, OTHER, PASS, CALL(LOOP_CLEAR)), NO_MORE, NULL },
	{ "an indirect call before", CODE(STORE, PASS, 0xff, 0xd0, PASS, CALL(LOOP_CLEAR)),
	  NO_MORE, NULL },
	{ "a stub of another before", CODE(PASS, CALL(LOOP_PLT), PASS, CALL(LOOP_CLEAR)),
	  NO_MORE, NULL },
	{ "sixteen branches", CODE(BRANCHES_8, BRANCHES_8, PASS, CALL(LOOP_CLEAR)), NO_MORE,
	  NULL },
	{ "none", CODE(STORE, DISPATCH), NO_MORE, NO_END },
	{ "not passed", CODE(STORE, CALL(LOOP_CLEAR), DISPATCH), NO_MORE, NO_END },
	{ "passed, then not", CODE(PASS, 0x48, 0x89, 0xc6, CALL(LOOP_CLEAR), DISPATCH),
	  NO_MORE, NO_END },
	{ "half of it passed", CODE(0x44, 0x89, 0xee, CALL(LOOP_CLEAR), DISPATCH), NO_MORE,
	  NO_END },
	{ "lost by a call", CODE(PASS, 0xff, 0xd0, CALL(LOOP_CLEAR), DISPATCH), NO_MORE,
	  NO_END },
	{ "the frame lost", CODE(0x49, 0x89, 0xc5, PASS, CALL(LOOP_CLEAR)), NO_MORE, NO_END },
	{ "behind a return", CODE(STORE, 0xc3, PASS, CALL(LOOP_CLEAR)), NO_MORE, NO_END },
	{ "for ever", CODE(0xeb, 0xfe), NO_MORE, NO_END },
	{ "round and round", CODE(0x75, 0xfe, 0xeb, 0xfc), NO_MORE, NO_END },
	{ "no instruction", CODE(0x06, PASS, CALL(LOOP_CLEAR)), NO_MORE, NO_END },
	{ "out of the code", CODE(JUMP(ELSEWHERE)), NO_MORE, NO_END },
	{ "to nowhere", CODE(PASS, CALL(ELSEWHERE)), NO_MORE, NO_END },
	{ "to one that does not ask", CODE(PASS, OTHER), NO_MORE, NO_END },
	/* clang-format on */
};

/* As long as it has no name that others see, it is known by what it is passed, and what
 * it asks. */
static void check_returns(void)
{
	struct loop_recipe l;

	for (size_t i = 0; i < sizeof(returns) / sizeof(returns[0]); i++) {
		loop_init(&l, row314->version);
		l.symbols[SYMBOL_CLEAR] = NULL;
		loop_handler(&l, row314->leave[0], 0, returns[i].code, returns[i].size);
		loop_put(&l, FAR, returns[i].far, returns[i].far_size);
		if (returns[i].reason)
			check_refused(&l, returns[i].reason, returns[i].what);
		else
			check_int(first_probe(&l, PROBE_CLEAR, returns[i].what).address,
				  LOOP_CLEAR, returns[i].what, __FILE__, __LINE__);
	}
}

/* With a name, it must be that function, or a stub that is passed the frame. */
static const struct {
	const char *what;
	uint8_t code[0x20];
	size_t size;
	bool is_found;
} named[] = {
	{ "passed", CODE(STORE, PASS, CALL(LOOP_CLEAR)), true },
	{ "unseen how", CODE(STORE, CALL(LOOP_CLEAR)), true },
	{ "behind another", CODE(PASS, OTHER, PASS, CALL(LOOP_CLEAR)), true },
	{ "the frame lost", CODE(0x49, 0x89, 0xc5, CALL(LOOP_CLEAR)), true },
	{ "a stub", CODE(STORE, PASS, CALL(LOOP_PLT + 0x10)), true },
	{ "another stub before", CODE(CALL(LOOP_PLT), PASS, CALL(LOOP_PLT + 0x10)),
	  true },
	{ "another stub", CODE(STORE, CALL(LOOP_PLT + 0x10), DISPATCH), false },
	{ "another", CODE(STORE, PASS, OTHER, DISPATCH), false },
	{ "behind a return", CODE(STORE, PASS, 0xc3, CALL(LOOP_CLEAR)), false },
};

static void check_named(void)
{
	struct loop_recipe l;

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		loop_init(&l, row314->version);
		loop_handler(&l, row314->leave[0], 0, named[i].code, named[i].size);
		if (!named[i].is_found)
			check_refused(&l, NO_END, named[i].what);
		else
			check_int(first_probe(&l, PROBE_CLEAR, named[i].what).address,
				  LOOP_CLEAR, named[i].what, __FILE__, __LINE__);
	}
}

/* A stub of a function that others cannot name. */
static void check_stub(void)
{
	static const uint8_t code[] = { PASS, CALL(LOOP_PLT), DISPATCH };
	struct loop_recipe l;

	loop_init(&l, row314->version);
	loop_handler(&l, row314->leave[0], 0, code, sizeof(code));
	l.symbols[SYMBOL_CLEAR] = NULL;
	check_refused(&l, NO_END, "an unknown stub");
}

/* ---- questions ---- */

/* cmpb $0,owner(%REG) */
#define ASK_R13 0x41, 0x80, 0x7d, 0x46, 0x00
#define ASK_R12 0x41, 0x80, 0x7c, 0x24, 0x46, 0x00
#define ASK_RBX 0x80, 0x7b, 0x46, 0x00
#define BRANCH 0x75, 0x00
#define NOPS_39 \
	NOPS_10, NOPS_10, NOPS_10, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90

/* The code of a function without a name that is passed the frame: does it ask? */
static const struct {
	const char *what;
	uint8_t code[0x40];
	size_t size;
	bool asks;
} callees[] = {
	{ "at once", CODE(ASK_OWNER, BRANCH, 0xc3), true },
	{ "from a copy", CODE(0x53, 0x48, 0x89, 0xf3, ASK_RBX, BRANCH, 0xc3), true },
	{ "from %r12", CODE(0x53, ASK_R12, BRANCH, 0xc3), true },
	{ "behind a branch", CODE(BRANCH, ASK_OWNER, 0xc3), true },
	{ "the 40th instruction", CODE(NOPS_39, ASK_OWNER, 0xc3), true },
	{ "the 41st", CODE(NOPS_39, 0x90, ASK_OWNER, 0xc3), false },
	{ "behind a call", CODE(OTHER, ASK_OWNER, 0xc3), false },
	{ "behind a jump", CODE(0xeb, 0x00, ASK_OWNER, 0xc3), false },
	{ "behind a return", CODE(0xc3, ASK_OWNER, 0xc3), false },
	{ "behind an indirect jump", CODE(DISPATCH, ASK_OWNER, 0xc3), false },
	{ "no instruction", CODE(0x06, ASK_OWNER, 0xc3), false },
	{ "nothing", CODE(0x41, 0x57, 0x41, 0x5f, 0xc3), false },
	{ "another field", CODE(0x80, 0x7e, 0x47, 0x00, BRANCH, 0xc3), false },
	{ "another value", CODE(0x80, 0x7e, 0x46, 0x01, BRANCH, 0xc3), false },
};

static void check_callees(const struct row *r)
{
	for (size_t i = 0; i < sizeof(callees) / sizeof(callees[0]); i++) {
		struct loop_recipe l;
		struct probe p;

		loop_init(&l, r->version);
		l.symbols[SYMBOL_CLEAR] = NULL;
		loop_put(&l, LOOP_CLEAR, callees[i].code, callees[i].size);
		if (!callees[i].asks) {
			check_refused(&l, NO_END, callees[i].what);
			continue;
		}
		p = first_probe(&l, PROBE_CLEAR, callees[i].what);
		check_int(p.site.eval.has_tstate, 1, callees[i].what, __FILE__, __LINE__);
		CHECK_INT(p.site.eval.frame_reg, RSI);
	}
}

/* With a name it need not ask. */
static void check_silent(void)
{
	static const uint8_t code[] = { 0x41, 0x57, 0x41, 0x5f, 0xc3 };
	struct loop_recipe l;

	loop_init(&l, row314->version);
	loop_put(&l, LOOP_CLEAR, code, sizeof(code));
	CHECK_INT(first_probe(&l, PROBE_CLEAR, "silent").address, LOOP_CLEAR);
}

static size_t count_kind(const struct loop_recipe *l, enum probe_kind kind)
{
	struct probes p = read_recipe(l, SOURCE_EVAL);
	size_t n = 0;

	for (size_t i = 0; i < p.count; i++)
		n += p.probes[i].kind == kind;
	probes_free(&p);
	return n;
}

/* There must be just one PROBE_CLEAR at that address, for a question about `reg`. */
static void check_asked(const struct loop_recipe *l, uint64_t address, uint8_t reg,
			const struct row *r, const char *what)
{
	struct probes p = read_recipe(l, SOURCE_EVAL);
	size_t found = 0;

	for (size_t i = 0; i < p.count; i++) {
		const struct eval *e = &p.probes[i].site.eval;

		if (p.probes[i].address != address || p.probes[i].kind != PROBE_CLEAR)
			continue;
		found++;
		check_int(e->frame_reg, reg, what, __FILE__, __LINE__);
		CHECK_INT(e->frame_base, NOREG);
		CHECK_INT(e->instr_reg, NOREG);
		CHECK_INT(e->instr_base, NOREG);
		CHECK_INT(e->instr_offset, 0);
		CHECK_INT(e->has_tstate, 0);
		check_ops(e, r->leave);
		check_common(&p.probes[i], r);
	}
	check_int(found, 1, what, __FILE__, __LINE__);
	probes_free(&p);
}

/* Just one is in the function, and has the arguments. */
static void check_called(const struct loop_recipe *l)
{
	struct probes p = read_recipe(l, SOURCE_EVAL);
	size_t found = 0;

	for (size_t i = 0; i < p.count; i++) {
		if (!p.probes[i].site.eval.has_tstate)
			continue;
		found++;
		CHECK_INT(p.probes[i].kind, PROBE_CLEAR);
		CHECK_INT(p.probes[i].address, LOOP_CLEAR);
		CHECK_INT(p.probes[i].site.eval.frame_reg, RSI);
	}
	CHECK_INT(found, 1);
	probes_free(&p);
}

enum { NOWHERE = 0xff };

/* Code of the loop; where in it the probe is to be, NOWHERE if there is no question; and
 * the register of the frame. */
struct question_case {
	const char *what;
	uint8_t code[0x40];
	size_t size, spot;
	uint8_t reg;
};

/* 3.12 and later: it may be in any register. */
static const struct question_case inlined[] = {
	{ "%r13", CODE(ASK_R13, BRANCH, 0xc3), 5, R13 },
	{ "%r12", CODE(ASK_R12, BRANCH, 0xc3), 6, R12 },
	{ "%rbx", CODE(ASK_RBX, BRANCH, 0xc3), 4, RBX },
	{ "%rsi", CODE(ASK_OWNER, BRANCH, 0xc3), 4, RSI },
	{ "%rax", CODE(0x80, 0x78, 0x46, 0x00, BRANCH, 0xc3), 4, RAX },
	{ "%rbp", CODE(0x80, 0x7d, 0x46, 0x00, BRANCH, 0xc3), 4, RBP },
	/* with an offset of 32 bits */
	{ "%r14", CODE(0x41, 0x80, 0xbe, 0x46, 0, 0, 0, 0, BRANCH, 0xc3), 8, R14 },
	{ "long branch", CODE(ASK_R12, 0x0f, 0x84, TO(LOOP_OTHER), 0xc3), 6, R12 },
	{ "behind other code", CODE(MOVE, OTHER, ASK_R12, BRANCH, 0xc3), 14, R12 },
	{ "branch later", CODE(ASK_R12, MOVE, MOVE, MOVE, BRANCH, 0xc3), 15, R12 },
	{ "another register overwritten", CODE(ASK_R12, 0x49, 0x89, 0xc5, BRANCH, 0xc3),
	  9, R12 },
	/* No branch that would do: the question itself. */
	{ "branch much later", CODE(ASK_R12, MOVE, MOVE, MOVE, MOVE, BRANCH, 0xc3), 0,
	  R12 },
	/* mov %rax,%r12; mov %al,%r12b */
	{ "overwritten", CODE(ASK_R12, 0x49, 0x89, 0xc4, BRANCH, 0xc3), 0, R12 },
	{ "a byte of it", CODE(ASK_R12, 0x41, 0x88, 0xc4, BRANCH, 0xc3), 0, R12 },
	{ "no branch", CODE(ASK_R12, DISPATCH), 0, R12 },
	{ "no instruction", CODE(ASK_R12, 0x06, BRANCH), 0, R12 },
	/* cmpb $0,0x47(%r12); cmpb $1,0x46(%r12); cmpl $0,0x46(%r12); orb, not cmpb */
	{ "another field", CODE(0x41, 0x80, 0x7c, 0x24, 0x47, 0x00, BRANCH), NOWHERE, 0 },
	{ "another value", CODE(0x41, 0x80, 0x7c, 0x24, 0x46, 0x01, BRANCH), NOWHERE, 0 },
	{ "32 bits", CODE(0x41, 0x83, 0x7c, 0x24, 0x46, 0x00, BRANCH), NOWHERE, 0 },
	{ "no comparison", CODE(0x41, 0x80, 0x4c, 0x24, 0x46, 0x00, BRANCH), NOWHERE, 0 },
	/* cmpb $0,0x46(%rsp); cmpb $0,0x46(%rsi,%rax); cmpb $0,0x46(%rip); cmpb $0,0x46
	 */
	{ "the stack", CODE(0x80, 0x7c, 0x24, 0x46, 0x00, BRANCH), NOWHERE, 0 },
	{ "an index", CODE(0x80, 0x7c, 0x06, 0x46, 0x00, BRANCH), NOWHERE, 0 },
	{ "a variable", CODE(0x80, 0x3d, 0x46, 0, 0, 0, 0, BRANCH), NOWHERE, 0 },
	{ "an address", CODE(0x80, 0x3c, 0x25, 0x46, 0, 0, 0, 0, BRANCH), NOWHERE, 0 },
	{ "behind a return", CODE(0xc3, ASK_R12, BRANCH), NOWHERE, 0 },
};

static void check_inlined(const struct row *r)
{
	struct loop_recipe l;

	for (size_t i = 0; i < sizeof(inlined) / sizeof(inlined[0]); i++) {
		const struct question_case *c = &inlined[i];

		loop_init(&l, r->version);
		loop_handler(&l, r->leave[0], 0, c->code, c->size);
		if (c->spot == NOWHERE) {
			check_refused(&l, NO_END, c->what);
			continue;
		}
		check_asked(&l, HERE + c->spot, c->reg, r, c->what);
		CHECK_INT(count_kind(&l, PROBE_CLEAR), 1);
	}
}

/* The file says where the owner is, since 3.13. */
static void check_owner_offset(void)
{
	static const uint8_t code[] = { ASK_R12, BRANCH, 0xc3 };
	static const struct {
		const struct row *row;
		size_t word;
	} cases[] = { { &rows[2], 33 }, { &rows[3], 36 }, { &rows[4], 44 } };
	struct loop_recipe l;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		loop_init(&l, cases[i].row->version);
		loop_handler(&l, cases[i].row->leave[0], 0, code, sizeof(code));
		CHECK_INT(count_kind(&l, PROBE_CLEAR), 1);
		l.debug[cases[i].word] = 74;
		check_refused(&l, NO_END, "another owner");
	}
}

/* A function, and others that it was put into: far from where calls return. */
static void check_both(const struct row *r)
{
	static const uint8_t far[] = { STORE, 0x0f, 0x84, TO(FAR), DISPATCH };
	static const uint8_t two[] = { ASK_R12, BRANCH,	 0x74,	 0x02, 0xff,
				       0xe0,	ASK_RBX, BRANCH, 0xc3 };
	static const uint8_t silent[] = { 0x41, 0x57, 0x41, 0x5f, 0xc3 };
	struct loop_recipe l;

	loop_init(&l, r->version);
	loop_handler(&l, 1, 0, far, sizeof(far));
	/* Another way to there, and code that nothing leads to. */
	loop_handler(&l, 2, 3, far, sizeof(far));
	loop_put(&l, FAR, two, sizeof(two));
	loop_put(&l, LOOP_CODE + 0x100, two, sizeof(two));
	CHECK_INT(count_kind(&l, PROBE_CLEAR), 3);
	check_asked(&l, FAR + 6, R12, r, "the first");
	check_asked(&l, FAR + 16, RBX, r, "the second");
	check_called(&l);
	/* Neither name nor question: only where it was put into. */
	l.symbols[SYMBOL_CLEAR] = NULL;
	CHECK_INT(count_kind(&l, PROBE_CLEAR), 3);
	check_called(&l);
	loop_put(&l, LOOP_CLEAR, silent, sizeof(silent));
	CHECK_INT(count_kind(&l, PROBE_CLEAR), 2);
	check_asked(&l, FAR + 6, R12, r, "alone");
}

/* Put that many questions into a handler. */
static void put_many(struct loop_recipe *l, size_t count)
{
	static const uint8_t entry[] = { QUESTION, BRANCH },
			     owner[] = { ASK_R13, BRANCH };
	const uint8_t *one = l->version >> 16 == 0x030b ? entry : owner;

	l->table[1] = LOOP_CODE;
	for (size_t i = 0; i < count; i++)
		loop_put(l, LOOP_CODE + i * sizeof(entry), one, sizeof(entry));
	loop_put(l, LOOP_CODE + count * sizeof(entry), (const uint8_t[]){ 0xc3 }, 1);
}

/* More than anybody has, be they a few or very many. */
static void check_many(const struct row *r)
{
	/* 3.11's own, of RETURN_VALUE and RETURN_GENERATOR; else the function */
	size_t has = r == row311 ? 2 : 0, most = 8 - has;
	static const size_t counts[] = { 9, 10, 40, 100 };
	struct loop_recipe l;

	loop_init(&l, r->version);
	put_many(&l, most);
	CHECK_INT(count_kind(&l, PROBE_CLEAR), r == row311 ? 8 : 9);
	for (size_t i = 0; i < most; i++)
		check_asked(&l, LOOP_CODE + i * 7 + 5, R13, r, "one of eight");
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		loop_init(&l, r->version);
		put_many(&l, counts[i] - has);
		check_refused(&l, NO_END, "too many");
	}
}

/* 3.11: the code where exceptions go. */
static const struct question_case unwindings[] = {
	{ "usual", CODE(QUESTION, 0x75, 0x02, DISPATCH, 0xc3), 5, R13 },
	{ "long branch", CODE(QUESTION, 0x0f, 0x84, TO(LOOP_OTHER), 0xc3), 5, R13 },
	{ "behind other code", CODE(MOVE, OTHER, QUESTION, BRANCH, 0xc3), 13, R13 },
	{ "branch later", CODE(QUESTION, MOVE, MOVE, BRANCH, 0xc3), 11, R13 },
	{ "branch much later", CODE(QUESTION, MOVE, MOVE, MOVE, MOVE, BRANCH, 0xc3), 0,
	  R13 },
	/* mov %rax,%r13 */
	{ "overwritten", CODE(QUESTION, 0x49, 0x89, 0xc5, BRANCH, 0xc3), 0, R13 },
	{ "no branch", CODE(QUESTION, 0xc3), 0, R13 },
	{ "none", CODE(0xc3), NOWHERE, 0 },
	/* cmpb $0,0x45(%r13), the owner; cmpb $0,0x44(%r12); cmpb $1,0x44(%r13); cmpl
	 * $0,0x44(%r13); orb, not cmpb */
	{ "another field", CODE(0x41, 0x80, 0x7d, 0x45, 0x00, BRANCH, 0xc3), NOWHERE, 0 },
	{ "another's", CODE(0x41, 0x80, 0x7c, 0x24, 0x44, 0x00, BRANCH, 0xc3), NOWHERE,
	  0 },
	{ "another value", CODE(0x41, 0x80, 0x7d, 0x44, 0x01, BRANCH, 0xc3), NOWHERE, 0 },
	{ "32 bits", CODE(0x41, 0x83, 0x7d, 0x44, 0x00, BRANCH, 0xc3), NOWHERE, 0 },
	{ "no comparison", CODE(0x41, 0x80, 0x4d, 0x44, 0x00, BRANCH, 0xc3), NOWHERE, 0 },
};

/* With a return's it is found beside that; alone it is not enough. */
static void check_unwinding(void)
{
	static const uint8_t none[] = { STORE, DISPATCH };
	struct loop_recipe l;

	for (size_t i = 0; i < sizeof(unwindings) / sizeof(unwindings[0]); i++) {
		const struct question_case *c = &unwindings[i];

		loop_init(&l, row311->version);
		loop_put(&l, LOOP_ERROR, c->code, c->size);
		check_int(count_kind(&l, PROBE_CLEAR), c->spot == NOWHERE ? 2 : 3,
			  c->what, __FILE__, __LINE__);
		if (c->spot != NOWHERE)
			check_asked(&l, LOOP_ERROR + c->spot, R13, row311, c->what);
		loop_handler(&l, row311->made, 2, none, sizeof(none));
		if (c->spot == NOWHERE)
			check_refused(&l, NO_END, c->what);
		else
			check_int(count_kind(&l, PROBE_CLEAR), 2, c->what, __FILE__,
				  __LINE__);
		loop_handler(&l, row311->leave[0], 0, none, sizeof(none));
		check_refused(&l, NO_END, c->what);
	}
}

/* Code that several lead to is one place, wherever it is. */
static void check_shared(void)
{
	static const uint8_t far[] = { STORE, JUMP(FAR) };
	static const uint8_t end[] = { QUESTION, 0x75, 0x02, DISPATCH, 0xc3 };
	static const uint8_t two[] = { QUESTION, BRANCH, QUESTION, BRANCH, 0xc3 };
	struct loop_recipe l;

	loop_init(&l, row311->version);
	loop_handler(&l, row311->leave[0], 0, far, sizeof(far));
	loop_put(&l, FAR, end, sizeof(end));
	CHECK_INT(count_kind(&l, PROBE_CLEAR), 3);
	check_asked(&l, FAR + 5, R13, row311, "behind a jump");
	loop_handler(&l, row311->made, 2, far, sizeof(far));
	CHECK_INT(count_kind(&l, PROBE_CLEAR), 2);
	check_asked(&l, FAR + 5, R13, row311, "behind two");
	loop_put(&l, LOOP_ERROR, two, sizeof(two));
	CHECK_INT(count_kind(&l, PROBE_CLEAR), 3);
	check_asked(&l, LOOP_ERROR + 12, R13, row311, "the second");
}

/* 3.11: the function is not looked for, and a frame on the stack asks nothing. */
static void check_only_questions(void)
{
	static const uint8_t call[] = { STORE,	 0x4c, 0x89, 0xee, CALL(LOOP_CLEAR),
					DISPATCH };
	static const uint8_t store[] = { LOAD_FRAME, SAVE_BY_RCX };
	struct loop_recipe l;

	loop_init(&l, row311->version);
	l.symbols[SYMBOL_CLEAR] = "_PyEval_FrameClearAndPop";
	loop_handler(&l, row311->leave[0], 0, call, sizeof(call));
	CHECK_INT(count_kind(&l, PROBE_CLEAR), 2);
	loop_handler(&l, row311->made, 2, call, sizeof(call));
	check_refused(&l, NO_END, "a call instead");
	loop_init(&l, row311->version);
	put_stores(&l, store, sizeof(store), 1);
	check_refused(&l, NO_END, "a frame on the stack");
}

/* A segment that is not code. */
static void check_no_code(void)
{
	struct loop_recipe l;
	Elf64_Phdr *segment;
	struct probes p;
	struct made m;
	int fd;

	loop_init(&l, row314->version);
	loop_build(&m, &l);
	segment = (Elf64_Phdr *)(m.bytes + m.segments);
	segment->p_flags = PF_R;
	fd = made_open(m.bytes, m.size);
	CHECK_INT(probes_read(fd, SOURCE_EVAL, &p), 0);
	close(fd);
	CHECK_INT(p.state, PROBES_UNKNOWN);
	CHECK(strstr(p.detail, NO_CODE));
	probes_free(&p);
}

/* A jump to between a question and its branch: the question is what is asked of its own
 * register. */
static void check_question_jumps(void)
{
	static const uint8_t code[] = { ASK_R12, MOVE, BRANCH, 0xc3 };
	static const uint8_t jump[] = { JUMP(HERE + 6) };
	static const uint8_t gone[] = { ASK_R12, 0x0f, 0x94, 0xc0, DISPATCH, 0x55, 0xc3 };
	struct loop_recipe l;

	loop_init(&l, row314->version);
	loop_handler(&l, row314->leave[0], 0, code, sizeof(code));
	loop_put(&l, LOOP_OTHER + 1, jump, sizeof(jump));
	check_asked(&l, HERE, R12, row314, "a jump to behind it");
	/* sete %al; jmp *%rax; push %rbp: of other code */
	loop_init(&l, row314->version);
	loop_handler(&l, row314->leave[0], 0, gone, sizeof(gone));
	check_asked(&l, HERE, R12, row314, "push behind the end");
}

static void check_ends(void)
{
	check_question_jumps();
	check_silent();
	check_owner_offset();
	check_unwinding();
	check_shared();
	check_only_questions();
	check_no_code();
	check_many(row311);
	for (size_t i = 1; i < ROWS; i++) {
		check_callees(&rows[i]);
		check_inlined(&rows[i]);
		check_both(&rows[i]);
		check_many(&rows[i]);
	}
}

/* ---- the rest of the file ---- */

static const struct {
	const char *what;
	size_t word;
	uint64_t value;
	const char *reason;
} debugs[] = {
	{ "free-threaded", 2, 1, FREE_THREADED },
	{ "odd flag", 2, UINT64_MAX, FREE_THREADED },
	{ "cookie", 0, 0x7970677562656479, ODD_OFFSETS },
	{ "no cookie", 0, 0, ODD_OFFSETS },
	{ "version", 1, 0x030e01f0, ODD_OFFSETS },
	{ "wide version", 1, 0x1030e00f0, ODD_OFFSETS },
	{ "4096", 40, 4096, ODD_OFFSETS },
	{ "huge", 48, UINT64_MAX, ODD_OFFSETS },
	{ "16 bits cut off", 44, 0x10048, ODD_OFFSETS },
	{ "an instruction that nobody stores", 34, 48, NO_FRAME },
	{ "4095", 40, 4095, NULL },
	{ "unused", 59, UINT64_MAX, NULL },
};

static void check_debug_offsets(void)
{
	struct loop_recipe l;

	for (size_t i = 0; i < sizeof(debugs) / sizeof(debugs[0]); i++) {
		loop_init(&l, row314->version);
		l.debug[debugs[i].word] = debugs[i].value;
		if (debugs[i].reason)
			check_refused(&l, debugs[i].reason, debugs[i].what);
		else
			first_probe(&l, PROBE_RESUME, debugs[i].what);
	}
	/* 3.12 does not have them. */
	loop_init(&l, row312->version);
	memset(l.debug, 0xff, sizeof(l.debug));
	first_probe(&l, PROBE_RESUME, "3.12");
}

static void check_symbols(void)
{
	static const struct {
		enum loop_symbol symbol;
		const char *name, *reason;
	} cases[] = {
		{ SYMBOL_VERSION, NULL, UNKNOWN_VERSION },
		{ SYMBOL_RUNTIME, NULL, ODD_OFFSETS },
		{ SYMBOL_CODE_TYPE, NULL, NO_SYMBOLS },
		/* as it was called before 3.6 */
		{ SYMBOL_EVAL, "PyEval_EvalFrameEx", NO_SYMBOLS },
		{ SYMBOL_CLEAR, NULL, NULL },
	};
	struct loop_recipe l;
	struct probes p;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		loop_init(&l, row314->version);
		l.symbols[cases[i].symbol] = cases[i].name;
		if (cases[i].reason)
			check_refused(&l, cases[i].reason, cases[i].reason);
		else
			first_probe(&l, PROBE_RESUME, "a symbol that is not needed");
	}
	loop_init(&l, row312->version);
	l.symbols[SYMBOL_RUNTIME] = NULL;
	first_probe(&l, PROBE_RESUME, "3.12");
	l.symbols[SYMBOL_EVAL] = NULL;
	p = read_recipe(&l, SOURCE_EVAL);
	CHECK_INT(p.state, PROBES_NOT_PYTHON);
	probes_free(&p);
}

static void check_versions(void)
{
	static const uint32_t versions[] = { 0x030700f0, 0x031000f0, 0x020b00f0, 1,
					     UINT32_MAX };
	struct loop_recipe l;
	struct probes p;

	loop_init(&l, row312->version);
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		l.version = versions[i];
		check_refused(&l, UNKNOWN_VERSION, "version");
	}
	/* With both sources looked at, both reasons are told. */
	p = read_recipe(&l, SOURCE_AUTO);
	CHECK_INT(p.state, PROBES_UNKNOWN);
	CHECK(strstr(probes_explain(&p), "no SDT notes"));
	CHECK(strstr(probes_explain(&p), "; and " UNKNOWN_VERSION));
	probes_free(&p);
	/* A table of another version's opcodes. */
	loop_init(&l, row312->version);
	l.version = row311->version;
	check_refused(&l, NO_TABLE, "3.12 as 3.11");
}

/* ---- anything ---- */

static bool is_sane(const struct probes *p, const struct made *m)
{
	if (p->count > PROBES_MAX || (p->state == PROBES_USABLE) != (p->count >= 3) ||
	    (p->state == PROBES_UNKNOWN) != !!p->detail[0])
		return false;
	for (size_t i = 0; i < p->count; i++) {
		const struct probe *probe = &p->probes[i];

		if (probe->offset >= m->size || probe->semaphore ||
		    (probe->kind != PROBE_FORGET &&
		     probe->site.eval.frame_reg == OPERAND_NOREG &&
		     probe->site.eval.frame_base == OPERAND_NOREG))
			return false;
	}
	return true;
}

/* Whether what was made of the file is in order; *is_usable: were there places? */
static bool read_sane(int fd, const uint8_t *bytes, const struct made *m, bool *is_usable)
{
	struct probes p;
	bool is_ok = pwrite(fd, bytes, m->size, 0) == (ssize_t)m->size &&
		     !probes_read(fd, SOURCE_EVAL, &p);

	if (!is_ok)
		return false;
	is_ok = is_sane(&p, m);
	if (is_usable)
		*is_usable = p.state == PROBES_USABLE;
	probes_free(&p);
	return is_ok;
}

static void check_truncated(const struct row *r)
{
	struct loop_recipe l;
	struct probes p;
	struct made m;
	int fd, usable = 0, insane = 0;

	loop_init(&l, r->version);
	l.is_pie = true;
	loop_build(&m, &l);
	fd = made_open(m.bytes, m.size);
	for (size_t size = m.size - 1; size > TRUNCATED_BY; size -= TRUNCATED_BY) {
		insane += ftruncate(fd, size) || probes_read(fd, SOURCE_EVAL, &p) ||
			  !is_sane(&p, &m);
		usable += p.state == PROBES_USABLE;
		probes_free(&p);
	}
	close(fd);
	/* What can be missing are the last relocations: of tp_dealloc, and all of them
	 * is the table. */
	CHECK(usable <= 24 / TRUNCATED_BY + 1);
	CHECK_INT(insane, 0);
}

static const uint64_t huge[] = {
	0,	    1,	       0x7fff,	   INT32_MAX,	   UINT32_MAX,
	1ULL << 63, INT64_MAX, UINT64_MAX, UINT64_MAX - 7, LOOP_TEXT,
};

/* Put each of those values at a place of `size` bytes in the file. */
static int put_huge(int fd, const struct made *m, size_t at, size_t size)
{
	struct made changed = *m;
	int insane = 0;

	for (size_t i = 0; i < sizeof(huge) / sizeof(huge[0]); i++) {
		memcpy(changed.bytes + at, &huge[i], size);
		insane += !read_sane(fd, changed.bytes, &changed, NULL);
	}
	return insane;
}

static void check_huge(const struct row *r)
{
	struct loop_recipe l;
	struct made m;
	int fd, insane = 0;

	loop_init(&l, r->version);
	l.is_pie = true;
	loop_build(&m, &l);
	fd = made_open(m.bytes, m.size);
	for (size_t at = 16; at < 64; at += at >= 24 && at < 48 ? 8 : 2)
		insane += put_huge(fd, &m, at, at >= 24 && at < 48 ? 8 : 2);
	for (size_t at = 0; at < LOOP_SECTIONS * sizeof(Elf64_Shdr); at += 8)
		insane += put_huge(fd, &m, m.sections + at, 8);
	for (size_t at = 0; at < 3 * sizeof(Elf64_Phdr); at += 8)
		insane += put_huge(fd, &m, m.segments + at, 8);
	CHECK_INT(insane, 0);
	close(fd);
}

/* Mostly where the structure is, and in code, which nearly always remains some. */
static size_t any_place(const struct made *m)
{
	switch (check_below(4)) {
	case 0:
		return m->sections + check_below(LOOP_SECTIONS * sizeof(Elf64_Shdr));
	case 1:
		return check_below(LOOP_TEXT_OFFSET);
	case 2:
		return LOOP_TEXT_OFFSET + check_below(LOOP_TEXT_SIZE);
	default:
		return check_below(m->size);
	}
}

static void flip(uint8_t *bytes, const struct made *m)
{
	for (uint32_t n = check_below(4) + 1; n--;) {
		uint8_t *byte = bytes + any_place(m);

		*byte = check_below(2) ? *byte ^ 1U << check_below(8) : check_below(256);
	}
}

static void check_flips(const struct row *r)
{
	int fd, insane = 0, usable = 0;
	struct loop_recipe l;
	struct made m, changed;

	loop_init(&l, r->version);
	l.is_pie = check_below(2);
	loop_build(&m, &l);
	fd = made_open(m.bytes, m.size);
	for (int i = 0; i < FLIPS / ROWS; i++) {
		bool is_usable = false;

		memcpy(changed.bytes, m.bytes, m.size);
		flip(changed.bytes, &m);
		insane += !read_sane(fd, changed.bytes, &m, &is_usable);
		usable += is_usable;
	}
	CHECK_INT(insane, 0);
	/* Or nothing much was tested. */
	CHECK(usable > FLIPS / ROWS / 20 && usable < FLIPS / ROWS);
	close(fd);
}

static void check_tables(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		check_words(&rows[i]);
		check_fingerprint(&rows[i]);
	}
	check_most_distinct();
	check_second_table();
	check_table_places();
	check_table_changes();
	check_never();
	check_relocations();
	check_table_section();
}

static void check_hostile(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		check_truncated(&rows[i]);
		check_flips(&rows[i]);
	}
	check_huge(row311);
	check_huge(row315);
}

int main(void)
{
	if (!OURS) {
		puts("evaluation loops are only understood on x86-64");
		return 77;
	}
	for (size_t i = 0; i < ROWS; i++) {
		check_good(&rows[i], false);
		check_good(&rows[i], true);
	}
	check_no_dealloc();
	check_tables();
	check_handlers();
	check_yield();
	check_jumps();
	check_stack();
	check_stack_offset();
	check_frame_on_stack();
	check_registers();
	check_returns();
	check_named();
	check_stub();
	check_ends();
	check_debug_offsets();
	check_symbols();
	check_versions();
	check_hostile();
	return check_done();
}

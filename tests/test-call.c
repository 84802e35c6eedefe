// SPDX-License-Identifier: GPL-2.0-or-later
/* Evaluation functions of CPython 3.8 to 3.10, good and hostile -> the places in them, or
 * why there are none. */
#include <config.h>

#include "probes-call.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "lines.h"
#include "make-loop.h"

#if defined(__x86_64__)
enum { OURS = true };
#else
enum { OURS = false };
#endif

enum { FLIPS = 6000, ENDS = 9 };

/* Indices in struct pt_regs. */
enum { R13_AT = 2, R12_AT = 3, RBX_AT = 5, RDX_AT = 12, RSI_AT = 13 };
enum { NOREG = OPERAND_NOREG };

#define NO_NAME "its evaluation function has no name"
#define NO_BEGIN "the beginning of its evaluation function is not understood"
#define NO_END "the end of its evaluation function is not understood"
#define NO_CODE "its evaluation function is not in its code"
#define UNKNOWN_VERSION "the evaluation loop of this version is not known to pyflow"

static const struct row {
	uint32_t version;
	unsigned int symbols; /* of those that tell the version */
	uint16_t frame_last;
	uint8_t last_shift, lines_format, result;
	uint8_t pass[3]; /* mov %ARG,%rbx */
} rows[] = {
	{ 0x03080000, 1, 104, 1, LINES_LNOTAB, RSI_AT, { 0x48, 0x89, 0xfb } },
	{ 0x03090000, 2, 104, 1, LINES_LNOTAB, RDX_AT, { 0x48, 0x89, 0xf3 } },
	{ 0x030a0000, 3, 96, 0, LINES_310, RDX_AT, { 0x48, 0x89, 0xf3 } },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct row *const row38 = &rows[0], *const row39 = &rows[1];

#define SAME(got, wanted, what) check_int(got, wanted, what, __FILE__, __LINE__)
#define CODE(...) { __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

#define TO_RBX 0x48, 0x89, 0xf3 /* mov %rsi,%rbx */
#define TO_R12 0x49, 0x89, 0xf4
#define TO_RAX 0x48, 0x89, 0xf0
#define SAVE_RBX 0x48, 0x89, 0x5d, 0x18 /* mov %rbx,24(%rbp) */
#define SAVE_RSI 0x48, 0x89, 0x75, 0x18
#define SAVE_R12 0x4c, 0x89, 0x65, 0x18
#define SPOIL_RBX 0x48, 0x89, 0xcb /* mov %rcx,%rbx */
#define SPOIL_RAX 0x48, 0x89, 0xc8
#define BRANCH 0x75, 0x00 /* jne .+2 */
#define RETURN 0xc3
#define OTHER CALL(LOOP_OTHER)
#define LOAD 0x48, 0x8b, 0x43, 0x18 /* mov 24(%rbx),%rax */
#define LOAD_RBX 0x48, 0x8b, 0x5b, 0x18
#define LOAD_R12 0x49, 0x8b, 0x44, 0x24, 0x18 /* mov 24(%r12),%rax */
#define SAVE 0x48, 0x89, 0x45, 0x18	      /* mov %rax,24(%rbp) */
#define END LOAD, SAVE, OTHER
/* cmp %eax,%ecx; jg far away */
#define CHECK_DEPTH 0x39, 0xc1, 0x0f, 0x8f, TO(LOOP_OTHER)
#define NOPS_8 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90

/* A file whose evaluation function is that. */
static void init(struct loop_recipe *l, const struct row *r, const uint8_t *code,
		 size_t size)
{
	static const struct {
		enum loop_symbol symbol;
		const char *name;
	} known[] = {
		{ SYMBOL_VERSION, "PyCode_NewWithPosOnlyArgs" },
		{ SYMBOL_RUNTIME, "PyFrame_GetCode" },
		{ SYMBOL_CLEAR, "PyIter_Send" },
	};

	loop_init(l, r->version);
	for (unsigned int i = 0; i < 3; i++)
		l->symbols[known[i].symbol] = i < r->symbols ? known[i].name : NULL;
	loop_put(l, LOOP_EVAL, code, size);
	l->eval_size = size;
}

/* The usual one: it begins, and goes on with `code`, at LOOP_EVAL + BEGUN. */
enum { BEGUN = 9 };

static void init_usual(struct loop_recipe *l, const struct row *r, const uint8_t *code,
		       size_t size)
{
	uint8_t all[0x80] = { 0, 0, 0, SAVE_RBX, BRANCH };

	memcpy(all, r->pass, sizeof(r->pass));
	memcpy(all + BEGUN, code, size);
	init(l, r, all, BEGUN + size);
}

static const uint8_t usual_end[] = { END, RETURN };

static struct probes read_made(const struct made *m, enum probe_source source)
{
	struct probes p;
	int fd = made_open(m->bytes, m->size);

	CHECK_INT(probes_read(fd, source, &p), 0);
	close(fd);
	return p;
}

static struct probes read_recipe(const struct loop_recipe *l, enum probe_source source)
{
	struct made m;

	loop_build(&m, l);
	return read_made(&m, source);
}

static void check_refused(const struct loop_recipe *l, const char *reason,
			  const char *what)
{
	struct probes p = read_recipe(l, SOURCE_EVAL);

	SAME(p.state, PROBES_UNKNOWN, what);
	check_str(probes_explain(&p), reason, what, __FILE__, __LINE__);
	CHECK(!p.probes && !p.count);
	probes_free(&p);
}

/* ---- good ones ---- */

static void check_place(const struct probe *p, enum probe_kind kind, uint64_t address,
			const struct row *r)
{
	const struct eval *e = &p->site.eval;

	CHECK_INT(p->kind, kind);
	CHECK_INT(p->address, address);
	CHECK_INT(p->offset, address - LOOP_TEXT + LOOP_TEXT_OFFSET);
	CHECK_INT(p->semaphore, 0);
	CHECK_INT(e->code_type, (int64_t)LOOP_CODE_TYPE - (int64_t)address);
	CHECK_INT(e->frame_reg, RBX_AT);
	CHECK_INT(e->result_reg, kind == PROBE_END ? r->result : NOREG);
	CHECK_INT(e->frame_code, 32);
	CHECK_INT(e->frame_last, r->frame_last);
	CHECK_INT(e->last_shift, r->last_shift);
	CHECK_INT(e->lines_format, r->lines_format);
	CHECK_INT(e->code_line, 40);
	CHECK_INT(e->code_bytes, 48);
	CHECK_INT(e->code_file, 104);
	CHECK_INT(e->code_name, 112);
	CHECK_INT(e->code_lines, 120);
	CHECK_INT(e->str_ascii, 48);
	CHECK_INT(e->str_wide, 72);
	CHECK_INT(e->frees, 1);
	/* RETURN_VALUE */
	CHECK(!e->ops[0] && e->ops[1] == 1 << (83 - 64) && !e->ops[2] && !e->ops[3]);
}

static void check_good(const struct row *r, bool is_pie)
{
	struct loop_recipe l;
	struct probes p;

	init_usual(&l, r, usual_end, sizeof(usual_end));
	l.is_pie = is_pie;
	p = read_recipe(&l, SOURCE_AUTO);
	CHECK_STR(p.detail, "");
	CHECK_INT(p.state, PROBES_USABLE);
	CHECK_INT(p.source, SOURCE_EVAL);
	CHECK_INT(p.version, r->version);
	CHECK_INT(p.count, 3);
	if (p.count == 3) {
		check_place(&p.probes[0], PROBE_BEGIN, LOOP_EVAL + 7, r);
		check_place(&p.probes[1], PROBE_END, LOOP_EVAL + BEGUN + 8, r);
		CHECK_INT(p.probes[2].kind, PROBE_FORGET);
		CHECK_INT(p.probes[2].address, LOOP_DEALLOC + 4);
	}
	probes_free(&p);
}

/* ---- the beginning ---- */

static const struct begin_case {
	const char *what;
	uint8_t code[0x30];
	size_t size, spot;
	uint8_t frame_reg;
} begins[] = {
	/* clang-format off */
	{ "moved before", CODE(TO_RBX, SAVE_RBX, BRANCH), 7, RBX_AT },
	{ "moved behind", CODE(SAVE_RSI, TO_RBX, BRANCH), 7, RBX_AT },
	{ "%r12", CODE(TO_R12, SAVE_R12, BRANCH), 7, R12_AT },
	{ "both", CODE(TO_R12, TO_RBX, SAVE_RSI, BRANCH), 10, RBX_AT },
	{ "one lost", CODE(TO_R12, TO_RBX, SAVE_RSI, SPOIL_RBX, BRANCH), 13, R12_AT },
	{ "by way of %rax", CODE(TO_RAX, 0x48, 0x89, 0xc3, SAVE_RBX, BRANCH), 10, RBX_AT },
	{ "push before", CODE(0x55, TO_RBX, SAVE_RBX, BRANCH), 8, RBX_AT },
	{ "call before", CODE(TO_RBX, OTHER, SAVE_RBX, BRANCH), 12, RBX_AT },
	{ "call behind", CODE(TO_RBX, SAVE_RBX, OTHER), 7, RBX_AT },
	{ "push behind", CODE(TO_RBX, SAVE_RBX, NOPS_8, 0x55), 15, RBX_AT },
	{ "recursion check", CODE(TO_RBX, CHECK_DEPTH, SAVE_RBX, BRANCH), 15, RBX_AT },
	{ "taken branch", CODE(TO_RBX, 0x74, 1, RETURN, SAVE_RBX, BRANCH), 10, RBX_AT },
	{ "jump", CODE(TO_RBX, 0xeb, 1, RETURN, SAVE_RBX, BRANCH), 10, RBX_AT },
	/* clang-format on */
};

/* What is no beginning, or no end. */
struct bad_case {
	const char *what;
	uint8_t code[0x30];
	size_t size;
};

static const struct bad_case bad_begins[] = {
	{ "no store", CODE(TO_RBX, BRANCH) },
	/* mov %rbx,32(%rbp); mov %rcx,24(%rbp); mov %ebx,24(%rbp); mov %rbx,24(%rsp) */
	{ "another field", CODE(TO_RBX, 0x48, 0x89, 0x5d, 0x20, BRANCH) },
	{ "something else", CODE(TO_RBX, 0x48, 0x89, 0x4d, 0x18, BRANCH) },
	{ "half of it", CODE(TO_RBX, 0x89, 0x5d, 0x18, BRANCH) },
	{ "on the stack", CODE(TO_RBX, 0x48, 0x89, 0x5c, 0x24, 0x18, BRANCH) },
	{ "another argument", CODE(0x48, 0x89, 0xfb, SAVE_RBX, BRANCH) },
	{ "lost by a call", CODE(OTHER, SAVE_RSI, TO_RBX, BRANCH) },
	{ "lost before", CODE(TO_RBX, SPOIL_RBX, SAVE_RBX, BRANCH) },
	{ "lost behind", CODE(TO_RBX, SAVE_RBX, SPOIL_RBX, BRANCH) },
	{ "not preserved", CODE(SAVE_RSI, BRANCH) },
	{ "no branch", CODE(TO_RBX, SAVE_RBX, DISPATCH) },
	{ "far behind", CODE(TO_RBX, SAVE_RBX, NOPS_8, NOPS_8, NOPS_8, BRANCH) },
	{ "behind a return", CODE(TO_RBX, RETURN, SAVE_RBX, BRANCH) },
	{ "no instruction", CODE(TO_RBX, 0x06, SAVE_RBX, BRANCH) },
	{ "out of the code", CODE(JUMP(LOOP_PLT + 0x100)) },
	{ "round and round", CODE(TO_RBX, 0x75, 0xfe, 0xeb, 0xfc) },
};

/* All end in two ways: the one whose frame is in the other register is none. */
static void check_begin(const struct begin_case *c)
{
	static const uint8_t both[] = { END, LOAD_R12, SAVE, OTHER, RETURN };
	uint64_t end = LOOP_EVAL + c->size + (c->frame_reg == R12_AT ? 13 + 9 : 8);
	uint8_t code[0x80];
	struct loop_recipe l;
	struct probes p;

	memcpy(code, c->code, c->size);
	memcpy(code + c->size, both, sizeof(both));
	init(&l, row39, code, c->size + sizeof(both));
	p = read_recipe(&l, SOURCE_EVAL);
	SAME(p.count, 3, c->what);
	for (size_t i = 0; i < p.count && i < 2; i++) {
		SAME(p.probes[i].address, i ? end : LOOP_EVAL + c->spot, c->what);
		SAME(p.probes[i].site.eval.frame_reg, c->frame_reg, c->what);
	}
	probes_free(&p);
}

static void check_bad_begin(const struct bad_case *c)
{
	uint8_t code[0x80];
	struct loop_recipe l;

	memcpy(code, c->code, c->size);
	memcpy(code + c->size, usual_end, sizeof(usual_end));
	init(&l, row39, code, c->size + sizeof(usual_end));
	check_refused(&l, NO_BEGIN, c->what);
}

/* ---- the end ---- */

#define FAR (LOOP_CODE + 0x200)
#define TO_FAR 0x0f, 0x84, TO(FAR) /* je */
#define TEST_R12 0x4d, 0x85, 0xe4  /* test %r12,%r12 */
#define TEST_R13 0x4d, 0x85, 0xed
#define NONE { 0 }, 0
#define AT(n) LOOP_EVAL + BEGUN + (n)

static const struct end_case {
	const char *what;
	uint8_t code[0x30];
	size_t size;
	uint8_t far[0x20]; /* outside of the function */
	size_t far_size;
	uint64_t ends[2];
	uint8_t result;
} ends[] = {
	/* clang-format off */
	{ "call", CODE(END), NONE, { AT(8) }, RDX_AT },
	{ "jump", CODE(LOAD, SAVE, JUMP(LOOP_OTHER)), NONE, { AT(8) }, RDX_AT },
	{ "not at once", CODE(LOAD, 0x90, SAVE, NOPS_8, OTHER), NONE, { AT(17) }, RDX_AT },
	{ "two", CODE(END, END), NONE, { AT(8), AT(21) }, RDX_AT },
	{ "one outside", CODE(END, TO_FAR), CODE(END), { AT(8), FAR + 8 }, RDX_AT },
	{ "none inside", CODE(TO_FAR, RETURN), CODE(NOPS_8, END), { FAR + 16 }, RDX_AT },
	{ "reached twice", CODE(TO_FAR, JUMP(FAR)), CODE(END), { FAR + 8 }, RDX_AT },
	{ "odd byte before", CODE(0x06, END), NONE, { AT(9) }, RDX_AT },
	/* The whole check is in the function. */
	{ "test", CODE(LOAD, SAVE, TEST_R12, BRANCH), NONE, { AT(0) }, R12_AT },
	{ "test, frame lost", CODE(LOAD, SPOIL_RBX, SAVE, TEST_R12), NONE, { AT(0) }, R12_AT },
	{ "frame as f_back", CODE(LOAD_RBX, SAVE_RBX, TEST_R13), NONE, { AT(0) }, R13_AT },
	/* clang-format on */
};

static const struct bad_case bad_ends[] = {
	/* mov (%rsp),%r12 */
	{ "not what was there", CODE(LOAD, SAVE, 0x4c, 0x8b, 0x24, 0x24, TEST_R12) },
	{ "f_back is tested", CODE(LOAD, SAVE, 0x48, 0x85, 0xc0) },
	{ "half is tested", CODE(LOAD, SAVE, 0x45, 0x85, 0xe4) },
	{ "another test", CODE(LOAD, SAVE, 0x4d, 0x85, 0xec) },
	{ "tested before", CODE(LOAD, TEST_R12, SAVE, RETURN) },
	{ "tested, f_back lost", CODE(LOAD, SPOIL_RAX, SAVE, TEST_R12) },
	{ "f_back lost", CODE(LOAD, SPOIL_RAX, SAVE, OTHER) },
	{ "frame lost", CODE(LOAD, SPOIL_RBX, SAVE, OTHER) },
	/* 24(%rcx); 32(%rbx); to 32(%rbp); an indirect call */
	{ "another's", CODE(0x48, 0x8b, 0x41, 0x18, SAVE, OTHER) },
	{ "another field", CODE(0x48, 0x8b, 0x43, 0x20, SAVE, OTHER) },
	{ "stored elsewhere", CODE(LOAD, 0x48, 0x89, 0x45, 0x20, OTHER) },
	{ "no direct call", CODE(LOAD, SAVE, 0xff, 0xd0) },
	{ "no load", CODE(SAVE, OTHER) },
	{ "no store", CODE(LOAD, OTHER) },
	{ "branch between", CODE(LOAD, SAVE, BRANCH, OTHER) },
	{ "far behind", CODE(LOAD, SAVE, NOPS_8, NOPS_8, NOPS_8, OTHER) },
	/* There is one. */
	{ "in what is called", CODE(CALL(FAR)) },
	{ "behind a return outside", CODE(JUMP(FAR - 1)) },
	{ "out of the code", CODE(JUMP(LOOP_PLT + 0x100)) },
};

static void check_end(const struct end_case *c)
{
	size_t count = c->ends[1] ? 2 : 1;
	struct loop_recipe l;
	struct probes p;

	init_usual(&l, row39, c->code, c->size);
	loop_put(&l, FAR, c->far, c->far_size);
	p = read_recipe(&l, SOURCE_EVAL);
	SAME(p.count, count + 2, c->what);
	for (size_t i = 0; i < count && p.count == count + 2; i++) {
		SAME(p.probes[i + 1].kind, PROBE_END, c->what);
		SAME(p.probes[i + 1].address, c->ends[i], c->what);
		SAME(p.probes[i + 1].site.eval.result_reg, c->result, c->what);
	}
	probes_free(&p);
}

static void check_bad_end(const struct bad_case *c)
{
	static const uint8_t far[] = { RETURN, END };
	struct loop_recipe l;

	init_usual(&l, row39, c->code, c->size);
	loop_put(&l, FAR - 1, far, sizeof(far));
	check_refused(&l, NO_END, c->what);
}

/* More ends than any has: none may be left out. */
static void check_many_ends(void)
{
	static const uint8_t end[] = { LOAD, SAVE, JUMP(LOOP_OTHER) };
	uint8_t code[ENDS * sizeof(end)];
	struct loop_recipe l;
	struct probes p;

	for (size_t i = 0; i < ENDS; i++)
		memcpy(code + i * sizeof(end), end, sizeof(end));
	init_usual(&l, row39, code, sizeof(code));
	check_refused(&l, NO_END, "too many");
	l.eval_size -= sizeof(end);
	p = read_recipe(&l, SOURCE_EVAL);
	CHECK_INT(p.count, ENDS - 1 + 2);
	probes_free(&p);
}

/* What is behind the function is not its. */
static void check_sizes(void)
{
	static const uint64_t sizes[] = { 0, 7, BEGUN + 1, LOOP_TEXT_SIZE, UINT64_MAX };
	struct loop_recipe l;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct probes p;

		init_usual(&l, row38, usual_end, sizeof(usual_end));
		l.eval_size = sizes[i];
		p = read_recipe(&l, SOURCE_EVAL);
		CHECK_STR(p.detail, sizes[i] > BEGUN ? "" : NO_END);
		probes_free(&p);
	}
}

/* ---- the rest of the file ---- */

static void check_symbols(void)
{
	struct loop_recipe l;
	struct probes p;
	struct made m;

	for (size_t i = 0; i < ROWS; i++) {
		init_usual(&l, &rows[i], usual_end, sizeof(usual_end));
		/* as it was called before 3.6 */
		l.symbols[SYMBOL_EVAL] = "PyEval_EvalFrameEx";
		check_refused(&l, NO_NAME, "another name");
		init_usual(&l, &rows[i], usual_end, sizeof(usual_end));
		l.symbols[SYMBOL_CODE_TYPE] = NULL;
		check_refused(&l, NO_CODE, "no code type");
	}
	init_usual(&l, row38, usual_end, sizeof(usual_end));
	l.symbols[SYMBOL_VERSION] = NULL;
	check_refused(&l, UNKNOWN_VERSION, "3.7");
	/* Its argument is not that of another. */
	l.symbols[SYMBOL_VERSION] = "PyFrame_GetCode";
	check_refused(&l, NO_BEGIN, "3.8 as 3.9");
	l.symbols[SYMBOL_VERSION] = "PyCode_NewWithPosOnlyArgs";
	loop_build(&m, &l);
	((Elf64_Phdr *)(m.bytes + m.segments))->p_flags = PF_R;
	p = read_made(&m, SOURCE_EVAL);
	CHECK_STR(p.detail, NO_CODE);
	probes_free(&p);
}

/* ---- anything ---- */

static bool is_sane(const struct made *m, bool *is_usable)
{
	struct probes p = read_made(m, SOURCE_EVAL);
	bool is_ok = (p.state == PROBES_USABLE) == (p.count >= 2) && p.count <= 8 + 2 &&
		     (p.state == PROBES_UNKNOWN) == !!p.detail[0];

	for (size_t i = 0; i < p.count; i++)
		is_ok &= p.probes[i].offset < m->size &&
			 (p.probes[i].kind != PROBE_BEGIN ||
			  p.probes[i].site.eval.frame_reg != NOREG);
	*is_usable = p.state == PROBES_USABLE;
	probes_free(&p);
	return is_ok;
}

static void check_flips(const struct made *whole, size_t function, size_t size)
{
	unsigned int insane = 0, usable = 0;

	for (int i = 0; i < FLIPS / (int)ROWS; i++) {
		struct made m = *whole;
		bool is_usable;

		for (uint32_t n = check_below(4) + 1; n--;)
			m.bytes[check_below(3) ? function + check_below(size)
					       : check_below(LOOP_TEXT_OFFSET)] =
				check_below(256);
		insane += !is_sane(&m, &is_usable);
		usable += is_usable;
	}
	CHECK_INT(insane, 0);
	/* Or nothing much was tested. */
	CHECK(usable > FLIPS / ROWS / 20 && usable < FLIPS / ROWS);
}

static void check_hostile(const struct row *r)
{
	static const uint8_t code[] = { END, LOAD, SAVE, TEST_R12, TO_FAR, RETURN };
	struct loop_recipe l;
	struct made m;

	init_usual(&l, r, code, sizeof(code));
	loop_put(&l, FAR, usual_end, sizeof(usual_end));
	loop_build(&m, &l);
	check_flips(&m, LOOP_EVAL - LOOP_TEXT + LOOP_TEXT_OFFSET, BEGUN + sizeof(code));
}

#define EACH(list, check)                                             \
	for (size_t i = 0; i < sizeof(list) / sizeof((list)[0]); i++) \
	check(&(list)[i])

int main(void)
{
	if (!OURS) {
		puts("evaluation functions are only understood on x86-64");
		return 77;
	}
	for (size_t i = 0; i < ROWS; i++) {
		check_good(&rows[i], false);
		check_good(&rows[i], true);
		check_hostile(&rows[i]);
	}
	EACH(begins, check_begin);
	EACH(bad_begins, check_bad_begin);
	EACH(ends, check_end);
	EACH(bad_ends, check_bad_end);
	check_many_ends();
	check_sizes();
	check_symbols();
	return check_done();
}

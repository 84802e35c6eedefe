// SPDX-License-Identifier: GPL-2.0-or-later
/* What is found of CPython's insides: which version it is, where frames and names are. */
#include <config.h>

#include "probes-cpython.h"

#include <elf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "make-elf.h"
#include "make-loop.h"

#if defined(__x86_64__)
enum { OURS = true };
#else
enum { OURS = false };
#endif

#define ARGS "8@%r12 8@16(%rsp) -4@%ecx"

enum { V312 = 0x030c01f0, V315 = 0x030f00f0 };

enum { FRAME_ENTRY = MADE_TEXT + 0x120, FRAME_RETURN = MADE_TEXT + 0x160 };

static const struct made_note frame_notes[] = {
	{ "python", "function__entry", ARGS, FRAME_ENTRY, 0, MADE_BASE },
	{ "python", "function__return", ARGS, FRAME_RETURN, 0, MADE_BASE },
	{ NULL }
};

static const struct recipe recipe = { true, V315, MADE_BASE, true, frame_notes };

static struct probes read_made(const struct made *m)
{
	int fd = made_open(m->bytes, m->size);
	struct probes p;

	CHECK_INT(probes_read(fd, SOURCE_SDT, &p), 0);
	close(fd);
	return p;
}

static enum probes_state state_of(const struct made *m)
{
	struct probes p = read_made(m);

	probes_free(&p);
	return p.state;
}

/* 3.15: the layout goes to every probe, and one for throw() is added, behind endbr64. */
static void check_balance(void)
{
	struct probes p;
	struct made m;

	made_build(&m, &recipe);
	p = read_made(&m);
	CHECK_INT(p.state, PROBES_USABLE);
	CHECK_INT(p.version, V315);
	CHECK_INT(p.count, 3);
	for (size_t i = 0; i < p.count; i++) {
		CHECK(p.probes[i].site.layout.known);
		CHECK_INT(p.probes[i].site.layout.tls, MADE_TLS);
		CHECK_INT(p.probes[i].site.layout.current_frame, 8 * 26);
	}
	if (p.count == 3) {
		CHECK_INT(p.probes[2].kind, PROBE_EVAL);
		CHECK_INT(p.probes[2].offset, MADE_TEXT_OFFSET + 4);
	}
	probes_free(&p);
}

/* At each of these places another byte makes the thread state impossible to find. */
static void check_unbalanced(void)
{
	static const size_t places[] = {
		MADE_TEXT_OFFSET + (MADE_CURRENT - MADE_TEXT) + 4,  /* the mov */
		MADE_TEXT_OFFSET + (MADE_CURRENT - MADE_TEXT) + 13, /* the ret */
		MADE_DATA_OFFSET + (MADE_RUNTIME - MADE_DATA),	    /* the cookie */
		MADE_DATA_OFFSET + (MADE_RUNTIME - MADE_DATA) + 8,  /* the version */
		MADE_DATA_OFFSET + (MADE_RUNTIME - MADE_DATA) + 16, /* free threading */
		MADE_DATA_OFFSET + (MADE_RUNTIME - MADE_DATA) + 26 * 8 +
			2, /* an offset */
	};
	struct made m;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		made_build(&m, &recipe);
		m.bytes[places[i]] ^= 1;
		CHECK_INT(state_of(&m), PROBES_MALFORMED);
	}
}

/* Put code in front of a place; the four bytes behind its e8 become the way to a call of
 * MADE_GET_LINE, or near it. */
static void put_code(struct made *m, uint64_t before, const uint8_t *code, size_t size,
		     int miss)
{
	uint8_t *out = m->bytes + MADE_TEXT_OFFSET + (before - MADE_TEXT) - size;

	memcpy(out, code, size);
	for (size_t i = 0; i < size; i++) {
		int32_t distance = MADE_GET_LINE - (before - size + i + 5) + miss;

		if (code[i] == 0xe8)
			memcpy(out + i + 1, &distance, sizeof(distance));
	}
}

#define CALL_0 0xe8, 0, 0, 0, 0

/* Where the frame is taken from, by the code in front of the probe. */
static void check_frame_reg(void)
{
	static const struct {
		uint8_t code[18];
		size_t size;
		int miss;
		uint8_t wanted;
	} cases[] = {
		{ { 0x4c, 0x89, 0xef, 0x48, 0x89, 0xc3, CALL_0 }, 11, 0, 2 },
		{ { 0x48, 0x89, 0xc3, 0x4c, 0x89, 0xe7, CALL_0 }, 11, 0, 3 },
		{ { 0x48, 0x89, 0xdf, 0x49, 0x89, 0xc4, CALL_0 }, 11, 0, 5 },
		{ { 0x4c, 0x89, 0xff, 0x48, 0x89, 0xc3, CALL_0, 0x48, 0x8d, 0x15 },
		  18,
		  0,
		  0 },
		/* Overwritten, not the argument any more, or a call of something else. */
		{ { 0x4c, 0x89, 0xef, 0x49, 0x89, 0xc5, CALL_0 }, 11, 0, OPERAND_NOREG },
		{ { 0x4c, 0x89, 0xef, 0x48, 0x89, 0xc7, CALL_0 }, 11, 0, OPERAND_NOREG },
		{ { 0x4c, 0x89, 0xef, 0x48, 0x89, 0xc3, CALL_0 }, 11, 1, OPERAND_NOREG },
		{ { 0x4c, 0x89, 0xf7, 0x90, 0x90, 0x90, CALL_0 }, 11, 0, OPERAND_NOREG },
		{ { 0x4c, 0x89, 0xff, 0x48, 0x89, 0xc3, CALL_0, 0x48, 0x8d, 0x1d },
		  18,
		  0,
		  OPERAND_NOREG },
	};
	struct probes p;
	struct made m;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		made_build(&m, &recipe);
		put_code(&m, FRAME_ENTRY, cases[i].code, cases[i].size, cases[i].miss);
		p = read_made(&m);
		CHECK_INT(p.state, PROBES_USABLE);
		CHECK_INT(p.count ? p.probes[0].site.layout.frame_reg : -1,
			  cases[i].wanted);
		probes_free(&p);
	}
}

/* With both frames in registers, the thread state may be where it cannot be found. */
static void check_without_tls(void)
{
	static const uint8_t code[] = { 0x4c, 0x89, 0xef, 0x48, 0x89, 0xc3, CALL_0 };
	struct made m;

	made_build(&m, &recipe);
	m.bytes[MADE_TEXT_OFFSET + (MADE_CURRENT - MADE_TEXT) + 4] ^= 1;
	put_code(&m, FRAME_ENTRY, code, sizeof(code), 0);
	CHECK_INT(state_of(&m), PROBES_MALFORMED);
	put_code(&m, FRAME_RETURN, code, sizeof(code), 0);
	CHECK_INT(state_of(&m), PROBES_USABLE);
}

/* tp_dealloc of PyCode_Type, where the file has it. */
static void check_frees(void)
{
	uint64_t dealloc = MADE_TEXT + 0x60;
	struct probes p;
	struct made m;

	made_build(&m, &recipe);
	p = read_made(&m);
	CHECK_INT(p.count, 3);
	CHECK(p.count && !p.probes[0].site.layout.frees);
	CHECK_INT(p.count ? p.probes[0].site.layout.str_data : 0, 40);
	CHECK_INT(p.count ? p.probes[0].site.layout.str_type : 0,
		  MADE_STR_TYPE - FRAME_ENTRY);
	probes_free(&p);
	memcpy(m.bytes + MADE_DATA_OFFSET + (MADE_CODE_TYPE - MADE_DATA) + 48, &dealloc,
	       sizeof(dealloc));
	p = read_made(&m);
	CHECK_INT(p.count, 4);
	if (p.count == 4) {
		CHECK_INT(p.probes[3].kind, PROBE_FREE);
		CHECK_INT(p.probes[3].offset, MADE_TEXT_OFFSET + 0x60);
		CHECK(p.probes[0].site.layout.frees && p.probes[1].site.layout.frees);
	}
	probes_free(&p);
}
/* ---- versions ---- */

/* Before 3.11 only what a file defines tells what it is. */
static void check_versions(void)
{
	static const struct {
		const char *symbol, *eval;
		bool is_cpython, is_pypy;
		uint32_t version;
	} cases[] = {
		{ "Py_Version", "_PyEval_EvalFrameDefault", true, false, V312 },
		{ "Py_Version", "PyEval_EvalFrameEx", true, false, V312 },
		{ "PyIter_Send", "_PyEval_EvalFrameDefault", true, false, 0x030a0000 },
		{ "PyFrame_GetCode", "_PyEval_EvalFrameDefault", true, false,
		  0x03090000 },
		{ "PyCode_NewWithPosOnlyArgs", "_PyEval_EvalFrameDefault", true, false,
		  0x03080000 },
		{ NULL, "_PyEval_EvalFrameDefault", true, false, 0 },
		{ "Py_Version", NULL, false, false, 0 },
		{ "Py_Version", "pypy_execute_source", false, true, 0 },
	};
	struct loop_recipe l;

	loop_init(&l, V312);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct probes p = { 0 };
		struct made m;
		struct elf e;
		int fd;

		l.symbols[SYMBOL_VERSION] = cases[i].symbol;
		l.symbols[SYMBOL_EVAL] = cases[i].eval;
		loop_build(&m, &l);
		fd = made_open(m.bytes, m.size);
		CHECK_INT(elf_open(fd, &e), 0);
		CHECK_INT(cpython_recognize(&e, &p), cases[i].is_cpython);
		CHECK_INT(pypy_recognize(&e), cases[i].is_pypy);
		CHECK_INT(p.version, cases[i].version);
		elf_close(&e);
		close(fd);
	}
}

static void check_rows(void)
{
	for (uint32_t minor = 0; minor <= 0xff; minor++) {
		const struct cpython *v = cpython_find(0x03000000 | minor << 16 | 0x1f0);

		CHECK_INT(!!v, minor >= 8 && minor <= 15);
		if (v)
			CHECK_INT(v->minor, 0x0300 | minor);
	}
	CHECK(!cpython_find(0) && !cpython_find(0x020f00f0) && !cpython_find(UINT32_MAX));
}

int main(void)
{
	if (!OURS) {
		puts("the insides of CPython are only understood on x86-64");
		return 77;
	}
	check_balance();
	check_unbalanced();
	check_frame_reg();
	check_without_tls();
	check_frees();
	check_versions();
	check_rows();
	return check_done();
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* CPython's insides: where a thread's current frame is, by version.
 *
 * CPython 3.15 fires function__entry at the label start_frame and function__return where a
 * frame is left (Python/bytecodes.c). So a call of a generator function fires an entry when
 * RETURN_GENERATOR is still to come, and no return; the generator's first next() fires another.
 * And throw() enters the evaluation loop behind start_frame: a return without an entry.
 * Both show in the frame: its owner, its code's flags, and the argument throwflag of
 * _PyEval_EvalFrameDefault(). The frame is found through the thread state, whose address is in
 * a thread-local variable that _PyThreadState_GetCurrent() returns. */
#include <config.h>

#include "probes-cpython.h"

#include <stdio.h>
#include <string.h>

#include "xalloc.h"

#define COOKIE "xdebugpy"

enum { DEBUG_WORDS = 60 };

/* Indices of 64-bit words in _Py_DebugOffsets (Include/internal/pycore_debug_offsets.h), and
 * offsets that are not in it. */
struct version {
	uint16_t minor;		/* PY_VERSION_HEX >> 16 */
	uint8_t current_frame, executable, owner, filename, name, firstlineno;
	uint16_t code_flags;	/* PyCodeObject.co_flags, bytes */
};

static const struct version versions[] = {
	{ .minor = 0x030f, .current_frame = 26, .executable = 41, .owner = 44, .filename = 48,
	  .name = 49, .firstlineno = 52, .code_flags = 48 },
};

bool cpython_recognize(struct elf *e, struct probes *p)
{
	uint64_t address;

	if (!elf_symbol(e, "_PyEval_EvalFrameDefault", &address) &&
	    !elf_symbol(e, "PyEval_EvalFrameEx", &address))
		return false;
	if (elf_symbol(e, "Py_Version", &address) &&
	    !elf_read(e, address, &p->version, sizeof(p->version)))
		p->version = 0;
	return true;
}

static const struct version *find_version(uint32_t hex)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (versions[i].minor == hex >> 16)
			return &versions[i];
	return NULL;
}

/* An executable's own: endbr64 (perhaps); mov %fs:disp32,%rax; ret. */
static bool decode_tls(struct elf *e, int64_t *disp)
{
	static const uint8_t endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	static const uint8_t mov[] = { 0x64, 0x48, 0x8b, 0x04, 0x25 };
	uint8_t code[16], *c = code;
	uint64_t address;
	int32_t d;

	if (e->header.e_machine != EM_X86_64 ||
	    !elf_symbol(e, "_PyThreadState_GetCurrent", &address) ||
	    !elf_read(e, address, code, sizeof(code)))
		return false;
	if (!memcmp(c, endbr, sizeof(endbr)))
		c += sizeof(endbr);
	if (memcmp(c, mov, sizeof(mov)) || c[sizeof(mov) + 4] != 0xc3)
		return false;
	memcpy(&d, c + sizeof(mov), sizeof(d));
	*disp = d;
	return true;
}

/* Offsets come from the file: those that cannot be are refused. */
static bool take(const uint64_t *words, uint8_t index, uint16_t *offset)
{
	*offset = words[index];
	return words[index] < 4096;
}

static bool read_layout(struct elf *e, const struct version *v, uint32_t hex, struct layout *l)
{
	uint64_t words[DEBUG_WORDS], address;

	if (!elf_symbol(e, "_PyRuntime", &address) ||
	    !elf_read(e, address, words, sizeof(words)) ||
	    memcmp(words, COOKIE, sizeof(words[0])) || words[1] != hex || words[2])
		return false;
	l->code_flags = v->code_flags;
	l->known = 1;
	return take(words, v->current_frame, &l->current_frame) &&
	       take(words, v->executable, &l->frame_code) &&
	       take(words, v->owner, &l->frame_owner) &&
	       take(words, v->filename, &l->code_file) &&
	       take(words, v->name, &l->code_name) &&
	       take(words, v->firstlineno, &l->code_line) && decode_tls(e, &l->tls);
}

/* Where throwflag is still in its register, on an instruction that the kernel emulates: the
 * push behind endbr64, if it is there (a uprobe on endbr64 itself costs ten times as much). */
static bool find_eval(struct elf *e, struct probe *eval)
{
	static const uint8_t endbr_push[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0x55 };
	uint8_t code[sizeof(endbr_push)];

	if (!elf_symbol(e, "_PyEval_EvalFrameDefault", &eval->address) ||
	    !elf_read(e, eval->address, code, sizeof(code)))
		return false;
	if (!memcmp(code, endbr_push, sizeof(code)))
		eval->address += 4;
	return elf_offset(e, eval->address, 1, ELF_CODE, &eval->offset);
}

void cpython_balance(struct elf *e, struct probes *p)
{
	const struct version *v = find_version(p->version);
	struct probe eval = { .kind = PROBE_EVAL };

	if (!v || p->state != PROBES_USABLE)
		return;
	if (!read_layout(e, v, p->version, &eval.site.layout) || !find_eval(e, &eval)) {
		p->state = PROBES_MALFORMED;
		snprintf(p->detail, sizeof(p->detail), "this build's thread state is not found, "
			 "without which its probes give a wrong tree");
		return;
	}
	for (size_t i = 0; i < p->count; i++)
		p->probes[i].site.layout = eval.site.layout;
	p->probes = xgrow(p->probes, p->count, sizeof(*p->probes));
	p->probes[p->count++] = eval;
}

/* struct PyASCIIObject lost its wchar_t pointer in 3.12 (PEP 623). A build in which objects begin
 * otherwise (Py_TRACE_REFS, free threading) is noticed by the kernel side: it looks at the type. */
void cpython_strings(struct elf *e, struct probes *p)
{
	uint64_t type;

	if (!elf_symbol(e, "PyUnicode_Type", &type))
		return;
	for (size_t i = 0; i < p->count; i++) {
		p->probes[i].site.layout.str_data = p->version >= 0x030c0000 ? 40 : 48;
		p->probes[i].site.layout.str_type = type - p->probes[i].address;
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* CPython's insides: where a thread's current frame is, by version.
 *
 * CPython 3.15 fires function__entry at the label start_frame and function__return where
 * a frame is left (Python/bytecodes.c). So a call of a generator function fires an entry
 * when RETURN_GENERATOR is still to come, and no return; the generator's first next()
 * fires another. And throw() enters the evaluation loop behind start_frame: a return
 * without an entry. Both show in the frame: its owner, its code's flags, and the argument
 * throwflag of _PyEval_EvalFrameDefault(). The frame is found through the thread state,
 * whose address is in a thread-local variable that _PyThreadState_GetCurrent() returns.
 */
#include <config.h>

#include "probes-cpython.h"

#include <stdio.h>
#include <string.h>

#include "xalloc.h"

#define COOKIE "xdebugpy"

enum { DEBUG_WORDS = 60 };

/* Indices of 64-bit words in _Py_DebugOffsets (Include/internal/pycore_debug_offsets.h),
 * and offsets that are not in it. */
struct version {
	uint16_t minor; /* PY_VERSION_HEX >> 16 */
	uint8_t current_frame, executable, owner, instr_ptr, filename, name, firstlineno;
	uint8_t return_generator, pop_top; /* opcodes */
	uint16_t code_flags;		   /* PyCodeObject.co_flags, bytes */
};

static const struct version versions[] = {
	{ .minor = 0x030f,
	  .current_frame = 26,
	  .executable = 41,
	  .owner = 44,
	  .instr_ptr = 42,
	  .return_generator = 32,
	  .pop_top = 29,
	  .filename = 48,
	  .name = 49,
	  .firstlineno = 52,
	  .code_flags = 48 },
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

static bool read_layout(struct elf *e, const struct version *v, uint32_t hex,
			struct layout *l)
{
	uint64_t words[DEBUG_WORDS], address;

	if (!elf_symbol(e, "_PyRuntime", &address) ||
	    !elf_read(e, address, words, sizeof(words)) ||
	    memcmp(words, COOKIE, sizeof(words[0])) || words[1] != hex || words[2])
		return false;
	l->code_flags = v->code_flags;
	l->op_made = v->return_generator;
	l->op_behind = v->pop_top;
	l->known = 1;
	return take(words, v->current_frame, &l->current_frame) &&
	       take(words, v->executable, &l->frame_code) &&
	       take(words, v->owner, &l->frame_owner) &&
	       take(words, v->instr_ptr, &l->frame_instr) &&
	       take(words, v->filename, &l->code_file) &&
	       take(words, v->name, &l->code_name) &&
	       take(words, v->firstlineno, &l->code_line);
}

/* A place at the beginning of a function, where the arguments are still in their
 * registers, and on an instruction that the kernel emulates: the push behind endbr64, if
 * it is there (a uprobe on endbr64 itself costs ten times as much). */
static bool find_begin(struct elf *e, uint64_t address, struct probe *probe)
{
	static const uint8_t endbr_push[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0x55 };
	uint8_t code[sizeof(endbr_push)];

	if (!elf_read(e, address, code, sizeof(code)))
		return false;
	probe->address = address + (memcmp(code, endbr_push, sizeof(code)) ? 0 : 4);
	return elf_offset(e, probe->address, 1, ELF_CODE, &probe->offset);
}

/* The number of the register that this instruction copies %rax to, -1 if it is not such a
 * one. */
static int moved_rax(const uint8_t *code)
{
	if ((code[0] != 0x48 && code[0] != 0x49) || code[1] != 0x89 ||
	    (code[2] & 0xf8) != 0xc0)
		return -1;
	return (code[2] & 7) + (code[0] == 0x49 ? 8 : 0);
}

/* lea disp(%rip),%REG, of a register that calls need not preserve: the address of the
 * semaphore, in code that can be anywhere. */
static bool is_lea(const uint8_t *code)
{
	unsigned int to = code[2] >> 3;

	return code[0] == 0x48 && code[1] == 0x8d && (code[2] & 0xc7) == 5 && to != 3 &&
	       to != 5;
}

/* Is `end` where a call of that address returns? */
static bool is_call(const uint8_t *code, uint64_t end, uint64_t address)
{
	int32_t distance;

	memcpy(&distance, code + 1, sizeof(distance));
	return code[0] == 0xe8 && end + distance == address;
}

/* Which register's contents do the six bytes in front of a call pass on as the first
 * argument? The last instruction may be a move of %rax to a third register. */
static uint8_t passed_reg(const uint8_t *code)
{
	/* mov %REG,%rdi of those that calls preserve; the register's number, and its
	 * index in struct pt_regs. */
	static const struct {
		uint8_t code[3], number, index;
	} movs[] = {
		{ { 0x4c, 0x89, 0xe7 }, 12, 3 }, { { 0x4c, 0x89, 0xef }, 13, 2 },
		{ { 0x4c, 0x89, 0xf7 }, 14, 1 }, { { 0x4c, 0x89, 0xff }, 15, 0 },
		{ { 0x48, 0x89, 0xdf }, 3, 5 },
	};
	int to = moved_rax(code + 3);

	for (size_t i = 0; i < sizeof(movs) / sizeof(movs[0]); i++) {
		if (!memcmp(code + 3, movs[i].code, 3) ||
		    (!memcmp(code, movs[i].code, 3) && to >= 0 && to != 7 &&
		     to != movs[i].number))
			return movs[i].index;
	}
	return OPERAND_NOREG;
}

/* The register that holds the frame at a probe: the compiler has it in one that calls
 * preserve, passes it on to PyUnstable_InterpreterFrame_GetLine(), and the probe is where
 * that returns. OPERAND_NOREG if that is not seen: then the kernel side takes the longer
 * way through the thread state. */
static uint8_t find_frame_reg(struct elf *e, uint64_t probe)
{
	enum { MOVES = 6, CALL = 5, LEA = 7 };
	uint8_t code[MOVES + CALL + LEA];
	uint64_t get_line;

	if (!elf_symbol(e, "PyUnstable_InterpreterFrame_GetLine", &get_line) ||
	    !elf_read(e, probe - sizeof(code), code, sizeof(code)))
		return OPERAND_NOREG;
	if (is_call(code + LEA + MOVES, probe, get_line))
		return passed_reg(code + LEA);
	if (is_lea(code + MOVES + CALL) && is_call(code + MOVES, probe - LEA, get_line))
		return passed_reg(code);
	return OPERAND_NOREG;
}

static void add_probe(struct probes *p, const struct probe *probe)
{
	p->probes = xgrow(p->probes, p->count, sizeof(*p->probes));
	p->probes[p->count++] = *probe;
}

/* Tell each probe the layout, and where to find the frame. */
static bool place_frames(struct elf *e, struct probes *p, struct layout *l)
{
	bool has_tls = decode_tls(e, &l->tls);

	for (size_t i = 0; i < p->count; i++) {
		p->probes[i].site.layout = *l;
		p->probes[i].site.layout.frame_reg =
			find_frame_reg(e, p->probes[i].address);
		if (p->probes[i].site.layout.frame_reg == OPERAND_NOREG && !has_tls)
			return false;
	}
	return true;
}

void cpython_balance(struct elf *e, struct probes *p)
{
	const struct version *v = find_version(p->version);
	struct probe eval = { .kind = PROBE_EVAL };
	uint64_t address;

	if (!v || p->state != PROBES_USABLE)
		return;
	if (!read_layout(e, v, p->version, &eval.site.layout) ||
	    !place_frames(e, p, &eval.site.layout) ||
	    !elf_symbol(e, "_PyEval_EvalFrameDefault", &address) ||
	    !find_begin(e, address, &eval)) {
		p->state = PROBES_MALFORMED;
		snprintf(
			p->detail, sizeof(p->detail),
			"the frames of this build are not found, without which its probes "
			"give a wrong tree");
		return;
	}
	add_probe(p, &eval);
}

/* Where code objects are freed: tp_dealloc of PyCode_Type, which is only ever called by
 * way of that. In a file to be relocated it may not be there: then nothing is remembered
 * by address. */
static bool find_free(struct elf *e, struct probe *probe)
{
	enum { TP_DEALLOC = 48 }; /* Include/cpython/object.h, struct _typeobject */
	uint64_t type, dealloc;

	return elf_symbol(e, "PyCode_Type", &type) &&
	       elf_read(e, type + TP_DEALLOC, &dealloc, sizeof(dealloc)) && dealloc &&
	       find_begin(e, dealloc, probe);
}

/* struct PyASCIIObject lost its wchar_t pointer in 3.12 (PEP 623). A build in which
 * objects begin otherwise (Py_TRACE_REFS, free threading) is noticed by the kernel side:
 * it looks at the type. */
static void describe_strings(struct elf *e, struct probes *p)
{
	uint64_t type;

	if (!elf_symbol(e, "PyUnicode_Type", &type))
		return;
	for (size_t i = 0; i < p->count; i++) {
		p->probes[i].site.layout.str_data = p->version >= 0x030c0000 ? 40 : 48;
		p->probes[i].site.layout.str_type = type - p->probes[i].address;
	}
}

void cpython_quicken(struct elf *e, struct probes *p)
{
	struct probe free_probe = { .kind = PROBE_FREE };

	if (p->state != PROBES_USABLE)
		return;
	describe_strings(e, p);
	if (!find_free(e, &free_probe))
		return;
	for (size_t i = 0; i < p->count; i++)
		p->probes[i].site.layout.frees = 1;
	add_probe(p, &free_probe);
}

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

#include "lines.h"
#include "spot.h"

#define COOKIE "xdebugpy"

enum { DEBUG_WORDS = 60, MAX_OFFSET = 4096 };

/* One row for each minor version; HACKING.md says how a new one is made. Within a minor
 * version neither opcodes nor these offsets have ever changed after the release. */
static const struct cpython versions[] = {
	{ .minor = 0x0308,
	  .leave = { 83 }, /* RETURN_VALUE */
	  .lines_format = LINES_LNOTAB,
	  .frame_arg = 1,
	  .result_arg = 2,
	  .last_shift = 1,
	  .offsets = { [TSTATE_FRAME] = 24,
		       [FRAME_BACK] = 24,
		       [FRAME_CODE] = 32,
		       [FRAME_LAST] = 104,
		       [CODE_LINE] = 40,
		       [CODE_BYTES] = 48,
		       [CODE_FILE] = 104,
		       [CODE_NAME] = 112,
		       [CODE_LINES] = 120,
		       [STR_ASCII_DATA] = 48,
		       [STR_WIDE_DATA] = 72 } },
	{ .minor = 0x0309,
	  .leave = { 83 }, /* RETURN_VALUE */
	  .lines_format = LINES_LNOTAB,
	  .frame_arg = 2,
	  .result_arg = 3,
	  .last_shift = 1,
	  .offsets = { [TSTATE_FRAME] = 24,
		       [FRAME_BACK] = 24,
		       [FRAME_CODE] = 32,
		       [FRAME_LAST] = 104,
		       [CODE_LINE] = 40,
		       [CODE_BYTES] = 48,
		       [CODE_FILE] = 104,
		       [CODE_NAME] = 112,
		       [CODE_LINES] = 120,
		       [STR_ASCII_DATA] = 48,
		       [STR_WIDE_DATA] = 72 } },
	{ .minor = 0x030a,
	  .leave = { 83 }, /* RETURN_VALUE */
	  .lines_format = LINES_310,
	  .frame_arg = 2,
	  .result_arg = 3,
	  .last_shift = 0,
	  .offsets = { [TSTATE_FRAME] = 24,
		       [FRAME_BACK] = 24,
		       [FRAME_CODE] = 32,
		       [FRAME_LAST] = 96,
		       [CODE_LINE] = 40,
		       [CODE_BYTES] = 48,
		       [CODE_FILE] = 104,
		       [CODE_NAME] = 112,
		       [CODE_LINES] = 120,
		       [STR_ASCII_DATA] = 48,
		       [STR_WIDE_DATA] = 72 } },
	{ .minor = 0x030b,
	  .lines_format = LINES_311,
	  .unused = { { 181, 254 } },
	  .resume = { 151, 150 }, /* RESUME, RESUME_QUICK */
	  .leave = { 83 },	  /* RETURN_VALUE */
	  .yield = { 86 },	  /* YIELD_VALUE */
	  .left = { 86, 75 },	  /* YIELD_VALUE, RETURN_GENERATOR */
	  .made = 75,
	  .offsets = { [FRAME_CODE] = 32,
		       [FRAME_INSTR] = 56,
		       [FRAME_OWNER] = 69,
		       [FRAME_IS_ENTRY] = 68,
		       [CODE_LINE] = 72,
		       [CODE_FILE] = 112,
		       [CODE_NAME] = 120,
		       [CODE_QUALNAME] = 128,
		       [CODE_LINES] = 136,
		       [CODE_START] = 184,
		       [STR_ASCII_DATA] = 48,
		       [STR_WIDE_DATA] = 72 } },
	{ .minor = 0x030c,
	  .lines_format = LINES_311,
	  .unused = { { 169, 170 }, { 177, 236 }, { 255, 255 } },
	  .never = 17,			  /* RESERVED */
	  .resume = { 151, 240 },	  /* RESUME, INSTRUMENTED_RESUME */
	  .leave = { 83, 121, 242, 247 }, /* RETURN_VALUE, RETURN_CONST, INSTRUMENTED_ */
	  .yield = { 150, 243 },	  /* YIELD_VALUE, INSTRUMENTED_YIELD_VALUE */
	  .instead = { 254, 253 }, /* INSTRUMENTED_LINE, INSTRUMENTED_INSTRUCTION */
	  .c_frame = 56,
	  .callback = 24,
	  .send = { 123, 168 }, /* SEND, SEND_GEN */
	  .task_name = 144,
	  .offsets = { [TSTATE_EXCEPTION] = 96,
		       [CODE_FLAGS] = 48,
		       [FRAME_CODE] = 0,
		       [FRAME_INSTR] = 56,
		       [FRAME_OWNER] = 70,
		       [CODE_LINE] = 68,
		       [CODE_FILE] = 112,
		       [CODE_NAME] = 120,
		       [CODE_QUALNAME] = 128,
		       [CODE_LINES] = 136,
		       [CODE_START] = 192,
		       [STR_ASCII_DATA] = 40,
		       [STR_WIDE_DATA] = 56 } },
	{ .minor = 0x030d,
	  .lines_format = LINES_311,
	  .unused = { { 119, 148 }, { 223, 235 }, { 255, 255 } },
	  .resume = { 149, 207, 236 }, /* RESUME, RESUME_CHECK, INSTRUMENTED_RESUME */
	  .leave = { 36, 103, 239, 240 },
	  .yield = { 118, 241 },
	  .instead = { 254, 247 },
	  .callback = 24,
	  .send = { 104, 208 },
	  .task_name = 128,
	  .offsets = { [TSTATE_EXCEPTION] = 112,
		       [CODE_FLAGS] = 48,
		       [STR_ASCII_DATA] = 40,
		       [STR_WIDE_DATA] = 56 },
	  .indices = { [FRAME_CODE] = 30,
		       [FRAME_INSTR] = 31,
		       [FRAME_OWNER] = 33,
		       [CODE_FILE] = 35,
		       [CODE_NAME] = 36,
		       [CODE_QUALNAME] = 37,
		       [CODE_LINES] = 38,
		       [CODE_LINE] = 39,
		       [CODE_START] = 43,
		       [TSTATE_FRAME] = 23 } },
	{ .minor = 0x030e,
	  .lines_format = LINES_311,
	  .unused = { { 121, 127 }, { 212, 233 } },
	  .resume = { 128, 196, 245 },
	  .leave = { 35, 246 }, /* RETURN_VALUE, INSTRUMENTED_RETURN_VALUE */
	  .yield = { 120, 247 },
	  .instead = { 254, 238 },
	  .tstate_size = 832,
	  .running_task = 872,
	  .task_name = 136,
	  .offsets = { [TSTATE_EXCEPTION] = 112,
		       [STR_ASCII_DATA] = 40,
		       [STR_WIDE_DATA] = 56 },
	  .indices = { [FRAME_CODE] = 33,
		       [FRAME_INSTR] = 34,
		       [FRAME_OWNER] = 36,
		       [CODE_FILE] = 40,
		       [CODE_NAME] = 41,
		       [CODE_QUALNAME] = 42,
		       [CODE_LINES] = 43,
		       [CODE_LINE] = 44,
		       [CODE_START] = 48,
		       [TSTATE_SIZE] = 22,
		       [TSTATE_FRAME] = 26 } },
	{ .minor = 0x030f,
	  .lines_format = LINES_311,
	  .unused = { { 120, 127 }, { 219, 232 } },
	  .resume = { 128, 200, 201, 244 }, /* also RESUME_CHECK_JIT */
	  .leave = { 33, 245 },
	  .yield = { 119, 246 },
	  .instead = { 253, 237 },
	  .oparg_mask = 7,
	  .oparg_none = 4, /* the call that makes a generator expression */
	  .is_unbalanced = true,
	  .made = 32,
	  .pop_top = 29,
	  .tstate_size = 888,
	  .running_task = 1032,
	  .task_name = 136,
	  .offsets = { [CODE_FLAGS] = 48, [STR_ASCII_DATA] = 40, [STR_WIDE_DATA] = 56 },
	  .indices = { [TSTATE_SIZE] = 22,
		       [TSTATE_FRAME] = 26,
		       [TSTATE_EXCEPTION] = 36,
		       [FRAME_CODE] = 41,
		       [FRAME_INSTR] = 42,
		       [FRAME_OWNER] = 44,
		       [CODE_FILE] = 48,
		       [CODE_NAME] = 49,
		       [CODE_QUALNAME] = 50,
		       [CODE_LINES] = 51,
		       [CODE_LINE] = 52,
		       [CODE_START] = 56 } },
};

/* Before 3.11 a file does not tell its version, but for what it has that others have not.
 */
static uint32_t guess_version(struct elf *e)
{
	static const struct {
		const char *symbol; /* first in this version */
		uint32_t version;
	} firsts[] = {
		{ "PyIter_Send", 0x030a0000 },
		{ "PyFrame_GetCode", 0x03090000 },
		{ "PyCode_NewWithPosOnlyArgs", 0x03080000 },
	};
	uint64_t address;

	for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++)
		if (elf_symbol(e, firsts[i].symbol, &address))
			return firsts[i].version;
	return 0;
}

bool cpython_recognize(struct elf *e, struct probes *p)
{
	uint64_t address;

	if (!elf_symbol(e, "_PyEval_EvalFrameDefault", &address) &&
	    !elf_symbol(e, "PyEval_EvalFrameEx", &address))
		return false;
	if (!elf_symbol(e, "Py_Version", &address))
		p->version = guess_version(e);
	else if (!elf_read(e, address, &p->version, sizeof(p->version)))
		p->version = 0;
	return true;
}

bool pypy_recognize(struct elf *e)
{
	uint64_t address;

	return elf_symbol(e, "pypy_execute_source", &address);
}

const struct cpython *cpython_find(uint32_t version)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (versions[i].minor == version >> 16)
			return &versions[i];
	return NULL;
}

/* _Py_DebugOffsets, at the start of _PyRuntime, of just this version. */
static bool read_debug(struct elf *e, uint32_t version, uint64_t *words)
{
	uint64_t address;

	return elf_symbol(e, "_PyRuntime", &address) &&
	       elf_read(e, address, words, DEBUG_WORDS * sizeof(*words)) &&
	       !memcmp(words, COOKIE, sizeof(*words)) && words[1] == version;
}

enum cpython_build cpython_offsets(struct elf *e, const struct cpython *v,
				   uint32_t version, uint16_t *offsets)
{
	uint64_t words[DEBUG_WORDS] = { 0 };

	if (v->minor >= FIRST_DEBUG_OFFSETS && !read_debug(e, version, words))
		return CPYTHON_ODD;
	if (words[2])
		return CPYTHON_FREE_THREADED;
	for (size_t i = 0; i < CPYTHON_FIELDS; i++) {
		uint64_t offset = v->indices[i] ? words[v->indices[i]] : v->offsets[i];

		/* They come from the file: those that cannot be are refused. */
		if (offset >= MAX_OFFSET)
			return CPYTHON_ODD;
		offsets[i] = offset;
	}
	return CPYTHON_USUAL;
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

static bool read_layout(struct elf *e, const struct cpython *v, uint32_t version,
			struct layout *l)
{
	uint16_t offsets[CPYTHON_FIELDS];

	if (cpython_offsets(e, v, version, offsets) != CPYTHON_USUAL)
		return false;
	*l = (struct layout){
		.current_frame = offsets[TSTATE_FRAME],
		.frame_code = offsets[FRAME_CODE],
		.frame_owner = offsets[FRAME_OWNER],
		.frame_instr = offsets[FRAME_INSTR],
		.code_flags = offsets[CODE_FLAGS],
		.code_line = offsets[CODE_LINE],
		.code_file = offsets[CODE_FILE],
		.code_name = offsets[CODE_NAME],
		.known = 1,
		.op_made = v->made,
		.op_behind = v->pop_top,
	};
	return true;
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

/* Since 3.14 the thread state names the task that asyncio runs, in its part behind
 * struct _ts (_PyThreadStateImpl in Include/internal/pycore_tstate.h), and a task its
 * name (TaskObj in Modules/_asynciomodule.c). The section .AsyncioDebug has both offsets,
 * but it is mostly in another file, that of the module _asyncio. They follow from the
 * version and the size of struct _ts, which _Py_DebugOffsets tells; and the kernel side
 * looks whether it is a task, by its type, before it takes a name from it.
 *
 * Before that, it is in a dictionary in the state of that module. But each step of a task
 * is run by Handle._run() of Lib/asyncio/events.py, from a handle that has its slots in
 * alphabetical order (type_new_slots() in Objects/typeobject.c), and whose callback is
 * either a TaskStepMethWrapper or the method "task_wakeup" of a task. */
void cpython_find_task(struct elf *e, const struct cpython *v, uint32_t version,
		       struct probe *probe)
{
	uint16_t offsets[CPYTHON_FIELDS];
	uint64_t str_type, int_type, function_type;

	if (!v->task_name || cpython_offsets(e, v, version, offsets) != CPYTHON_USUAL ||
	    offsets[TSTATE_SIZE] != v->tstate_size ||
	    !elf_symbol(e, "PyUnicode_Type", &str_type) ||
	    !elf_symbol(e, "PyLong_Type", &int_type) ||
	    !elf_symbol(e, "PyCFunction_Type", &function_type))
		return;
	probe->site.task = (struct task_layout){
		.str_type = str_type - probe->address,
		.int_type = int_type - probe->address,
		.function_type = function_type - probe->address,
		.running = v->running_task,
		.name = v->task_name,
		.str_ascii = offsets[STR_ASCII_DATA],
		.str_wide = offsets[STR_WIDE_DATA],
		.c_frame = v->c_frame,
		.current_frame = offsets[TSTATE_FRAME],
		.callback = v->callback,
		.code_qualname = offsets[CODE_QUALNAME],
		.code_flags = offsets[CODE_FLAGS],
		.send = { v->send[0], v->send[1] },
	};
}

void cpython_balance(struct elf *e, struct probes *p)
{
	const struct cpython *v = cpython_find(p->version);
	struct probe eval = { .kind = PROBE_EVAL };
	uint64_t address;

	if (!v || !v->is_unbalanced || p->state != PROBES_USABLE)
		return;
	if (!read_layout(e, v, p->version, &eval.site.layout) ||
	    !place_frames(e, p, &eval.site.layout) ||
	    !elf_symbol(e, "_PyEval_EvalFrameDefault", &address) ||
	    !spot_function(e, address, SPOT_ARG1 | SPOT_ARG2 | SPOT_ARG3, &eval)) {
		p->state = PROBES_MALFORMED;
		snprintf(
			p->detail, sizeof(p->detail),
			"the frames of this build are not found, without which its probes "
			"give a wrong tree");
		return;
	}
	cpython_find_task(e, v, p->version, &eval);
	probes_add(p, &eval);
}

void cpython_allow(struct eval *eval, const uint8_t *ops)
{
	for (; *ops; ops++)
		eval->ops[*ops / 64] |= 1ULL << *ops % 64;
}

bool cpython_find_free(struct elf *e, struct probe *probe)
{
	enum { TP_DEALLOC = 48 }; /* Include/cpython/object.h, struct _typeobject */
	uint64_t type, dealloc;

	return elf_symbol(e, "PyCode_Type", &type) &&
	       elf_read_pointer(e, type + TP_DEALLOC, &dealloc) && dealloc &&
	       spot_function(e, dealloc, SPOT_ARG1, probe);
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
	if (!cpython_find_free(e, &free_probe))
		return;
	for (size_t i = 0; i < p->count; i++)
		p->probes[i].site.layout.frees = 1;
	probes_add(p, &free_probe);
}

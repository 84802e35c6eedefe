// SPDX-License-Identifier: GPL-2.0-or-later
/* The beginning and the end of _PyEval_EvalFrameDefault(), which until CPython 3.10 is
 * entered for each call of a Python function, and each time a generator goes on.
 *
 * Behind the check of the recursion limit it stores its argument, the frame, as the
 * thread state's current one: `tstate->frame = f`. And at its one end, however it comes
 * there, it does `tstate->frame = f->f_back`, and passes the result on to
 * _Py_CheckFunctionResult(): NULL if an exception leaves. Both are seen in its code, the
 * fields being at the same offset; the probes are on the branch behind the first and on
 * the call behind the second, which the kernel emulates. */
#include <config.h>

#include "probes-call.h"

#include <string.h>

#include "log.h"
#include "machine.h"
#include "spot.h"

enum { BEGIN_INSNS = 120, BEGIN_DEPTH = 8, END_INSNS = 24, MAX_ENDS = 8 };

/* Instructions that the search for the end looks at, many of them more than once: that of
 * a CPython takes less than 20000. */
enum { MAX_INSNS = 1 << 20 };

struct call {
	struct machine machine;
	const struct cpython *v;
	uint16_t offsets[CPYTHON_FIELDS];
	uint64_t function, end; /* addresses of its code */
	uint8_t frame;		/* the register that the frame is in */
	uint64_t begin;
	struct end {
		uint64_t at;
		uint8_t result; /* the register that the result is in there */
	} ends[MAX_ENDS];
	size_t end_count;
	bool has_more;	    /* ends than there is room for */
	unsigned int insns; /* looked at so far */
};

/* ---- the beginning ---- */

/* Of the registers that have the frame one that calls preserve, so that it has it to the
 * end; X86_NOREG if there is none. */
static uint8_t pick_reg(uint16_t holds)
{
	static const uint8_t preserved[] = { 3, 5, 12, 13, 14, 15 };

	for (size_t i = 0; i < sizeof(preserved); i++)
		if (holds >> preserved[i] & 1)
			return preserved[i];
	return X86_NOREG;
}

/* The first branch behind the store. */
static bool find_branch(struct call *c, uint64_t at, uint16_t holds)
{
	struct x86_insn i;

	for (int n = 0; n < END_INSNS && machine_decode(&c->machine, at, &i); n++) {
		if (i.is_emulated) {
			c->begin = at;
			c->frame = pick_reg(holds);
			return c->frame != X86_NOREG;
		}
		if (i.flow != X86_NEXT)
			return false;
		holds = machine_carry(&i, holds);
		at += i.length;
	}
	return false;
}

/* From the function's beginning on to the store of its argument. `holds`: the registers
 * that have it. */
static bool find_begin(struct call *c, uint64_t at, uint16_t holds, int depth)
{
	struct x86_insn i;

	for (int n = 0; n < BEGIN_INSNS && depth < BEGIN_DEPTH; n++) {
		if (!machine_decode(&c->machine, at, &i))
			return false;
		if (machine_stores(&i, c->offsets[TSTATE_FRAME]) && holds >> i.reg & 1)
			return find_branch(c, at + i.length, holds);
		if (i.flow == X86_RETURN || i.flow == X86_INDIRECT || i.flow == X86_STOP)
			return false;
		/* The usual way is mostly the one without a jump. */
		if (i.flow == X86_BRANCH)
			return find_begin(c, at + i.length, holds, depth + 1) ||
			       find_begin(c, i.target, holds, depth + 1);
		holds = machine_carry(&i, holds);
		at = i.flow == X86_JUMP ? i.target : at + i.length;
	}
	return false;
}

/* ---- the end ---- */

static unsigned int decode(struct call *c, uint64_t at, struct x86_insn *i)
{
	if (c->insns == MAX_INSNS)
		return 0;
	c->insns++;
	return machine_decode(&c->machine, at, i);
}

/* Behind a load of the frame's f_back: its store, and the call that follows. */
static bool find_call(struct call *c, uint64_t at, uint8_t back, uint64_t *end)
{
	bool is_stored = false;
	struct x86_insn i;

	for (int n = 0; n < END_INSNS && decode(c, at, &i); n++) {
		if (is_stored && i.is_emulated &&
		    (i.flow == X86_CALL || i.flow == X86_JUMP)) {
			*end = at;
			return true;
		}
		if (i.flow != X86_NEXT || machine_writes(&i, c->frame))
			return false;
		if (machine_stores(&i, c->offsets[TSTATE_FRAME]) && i.reg == back)
			is_stored = true;
		else if (!is_stored && machine_writes(&i, back))
			return false;
		at += i.length;
	}
	return false;
}

/* test %REG,%REG, of 64 bits */
static bool is_test(const struct x86_insn *i)
{
	return !i->map && !i->is_vex && i->opcode == 0x85 && i->size == 8 &&
	       i->rm == i->reg;
}

/* Where the compiler has put the whole check into the function there is no call, and the
 * frame is soon forgotten: then the probe is on the load itself, which costs more. What
 * is tested first behind the store, and was there before, is the result. */
static uint8_t find_result(struct call *c, uint64_t at, uint8_t back)
{
	uint16_t written = 1 << back;
	bool is_stored = false;
	struct x86_insn i;

	for (int n = 0; n < END_INSNS && decode(c, at, &i); n++) {
		if (is_stored && is_test(&i) && !(written >> i.reg & 1))
			return i.reg;
		if (i.flow != X86_NEXT)
			break;
		if (machine_stores(&i, c->offsets[TSTATE_FRAME]) && i.reg == back)
			is_stored = true;
		else if (!is_stored && machine_writes(&i, back))
			break;
		written |= i.writes;
		at += i.length;
	}
	return X86_NOREG;
}

static void add_end(struct call *c, uint64_t at, uint8_t result)
{
	for (size_t i = 0; i < c->end_count; i++)
		if (c->ends[i].at == at)
			return;
	if (c->end_count < MAX_ENDS)
		c->ends[c->end_count++] = (struct end){ at, result };
	else
		c->has_more = true;
}

static void look_at(struct call *c, uint64_t at, const struct x86_insn *i)
{
	uint8_t result;
	uint64_t end;

	if (!machine_loads(i) || i->base != c->frame ||
	    i->disp != c->offsets[FRAME_BACK] || i->reg >= X86_RIP)
		return;
	if (i->reg != c->frame && find_call(c, at + i->length, i->reg, &end)) {
		add_end(c, end, c->v->result_arg == 2 ? RSI : RDX);
		return;
	}
	result = find_result(c, at + i->length, i->reg);
	if (result != X86_NOREG)
		add_end(c, at, result);
}

/* A jump out of the function leads to code of it that the compiler took to be rare. */
static void look_outside(struct call *c, uint64_t at)
{
	struct x86_insn i;

	for (int n = 0; n < BEGIN_INSNS && decode(c, at, &i); n++) {
		look_at(c, at, &i);
		if (i.flow == X86_RETURN || i.flow == X86_INDIRECT ||
		    i.flow == X86_STOP || i.flow == X86_JUMP)
			return;
		at += i.length;
	}
}

static bool find_ends(struct call *c)
{
	struct x86_insn i;

	for (uint64_t at = c->function; at < c->end; at += i.length) {
		if (!decode(c, at, &i)) {
			i.length = 1;
			continue;
		}
		look_at(c, at, &i);
		if (i.flow != X86_CALL && i.target &&
		    (i.target < c->function || i.target >= c->end))
			look_outside(c, i.target);
	}
	/* Each that is missed would leave calls open. */
	return c->end_count && !c->has_more && c->insns < MAX_INSNS;
}

/* ---- probes ---- */

static void describe(const struct call *c, struct eval *eval)
{
	const uint16_t *o = c->offsets;

	*eval = (struct eval){
		.frame_code = o[FRAME_CODE],
		.frame_last = o[FRAME_LAST],
		.last_shift = c->v->last_shift,
		.code_line = o[CODE_LINE],
		.code_file = o[CODE_FILE],
		.code_name = o[CODE_NAME],
		.code_lines = o[CODE_LINES],
		.code_bytes = o[CODE_BYTES],
		.str_ascii = o[STR_ASCII_DATA],
		.str_wide = o[STR_WIDE_DATA],
		.lines_format = c->v->lines_format,
		.frame_reg = machine_index(c->frame),
	};
	cpython_allow(eval, c->v->leave);
}

static bool add(struct elf *e, const struct call *c, struct probes *p,
		enum probe_kind kind, const struct end *place)
{
	struct probe probe = { .kind = kind, .address = place->at };
	uint64_t code_type;

	describe(c, &probe.site.eval);
	probe.site.eval.result_reg = machine_index(place->result);
	if (!elf_symbol(e, "PyCode_Type", &code_type) ||
	    !elf_offset(e, place->at, 1, ELF_CODE, &probe.offset))
		return false;
	info(2, "%s: probe at 0x%llx, %s",
	     kind == PROBE_BEGIN ? "begin of calls" : "end of calls",
	     (unsigned long long)place->at,
	     machine_emulates(&c->machine, place->at) ? "emulated" : "single-stepped");
	probe.site.eval.code_type = code_type - place->at;
	probes_add(p, &probe);
	return true;
}

static bool add_all(struct elf *e, const struct call *c, struct probes *p)
{
	struct end begin = { c->begin, X86_NOREG };

	if (!add(e, c, p, PROBE_BEGIN, &begin))
		return false;
	for (size_t i = 0; i < c->end_count; i++)
		if (!add(e, c, p, PROBE_END, &c->ends[i]))
			return false;
	return true;
}

const char *probes_read_call(struct elf *e, const struct cpython *v, struct probes *p)
{
	struct call c = { .v = v };
	uint64_t size;

	memcpy(c.offsets, v->offsets, sizeof(c.offsets));
	if (!machine_open(e, &c.machine) ||
	    !elf_function(e, "_PyEval_EvalFrameDefault", &c.function, &size))
		return "its evaluation function has no name";
	c.end = size < c.machine.end - c.function ? c.function + size : c.machine.end;
	if (!find_begin(&c, c.function, 1 << (v->frame_arg == 1 ? RDI : RSI), 0))
		return "the beginning of its evaluation function is not understood";
	if (!find_ends(&c))
		return "the end of its evaluation function is not understood";
	return add_all(e, &c, p) ? NULL : "its evaluation function is not in its code";
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The evaluation loop, found in a file that has neither symbols for it nor debug
 * information.
 *
 * _PyEval_EvalFrameDefault() jumps from opcode to opcode by way of a table of 256
 * addresses. The opcodes that a version does not have all share one address, and which
 * they are is a fingerprint: no other 256 words of a file look like it. So every handler
 * is known. A function begins in the handlers of RESUME and its variants, a generator is
 * left in those of YIELD_VALUE, and the function that clears the frame when a call ends,
 * by a return or by an exception, is what RETURN_VALUE calls with the frame as argument;
 * where there is no such function, the end of a call is known by what it asks.
 *
 * A handler begins, in the order that the compiler likes, with `frame->instr_ptr =
 * next_instr`: a store of a register to [register + 56]. Nearly all of them do so with
 * the same two registers (or load the first from the same place on the stack), which
 * therefore hold the instruction and the frame wherever a handler begins. From there on
 * each instruction is followed to see what they still hold at the probe.
 *
 * The probe is put on the first instruction that the kernel emulates (spot.c). If that
 * does not work out, since the frame is gone by then, or jumps of other handlers end
 * between the beginning and there, it is put on the beginning and costs ten times as
 * much. */
#include <config.h>

#include "probes-eval.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "machine.h"
#include "probes-call.h"
#include "probes-cpython.h"
#include "spot.h"
#include "xalloc.h"

enum { MIN_DISTINCT = 100, MIN_VOTES = 16, MAX_ENDS = 8, MAX_SITES = MAX_ENDS + 16 };

/* How far handlers are followed, in instructions. */
enum { FIRST_STORE = 10, SPOT_INSNS = 40, CALL_INSNS = 400, CALL_DEPTH = 24 };

/* Where the evaluation loop has something: in a register, or on the stack. */
struct where {
	uint8_t reg;	/* by number; X86_NOREG if not in one */
	uint8_t base;	/* rsp or rbp; X86_NOREG if not on the stack */
	int32_t offset; /* to be added to the register, or from the base; bytes */
};

static const struct where nowhere = { X86_NOREG, X86_NOREG, 0 };

/* A place for a probe, in a handler. */
struct place {
	enum probe_kind kind;
	uint8_t op;
	uint64_t handler, spot;
	struct where frame, instr; /* at the spot; nowhere: it is saved in the frame */
};

struct loop {
	struct elf *elf;
	const struct cpython *v;
	uint16_t offsets[CPYTHON_FIELDS];
	struct machine machine;
	struct targets table;
	struct where frame, instr; /* at the beginning of handlers */
	struct place places[MAX_SITES];
	size_t count;
	uint64_t code_type, eval; /* PyCode_Type, _PyEval_EvalFrameDefault() */
	uint64_t clear; /* the function that clears a frame; 0 if there is none */
	bool has_name;	/* it has one */
};

static void unknown(struct probes *p, const char *what)
{
	p->state = PROBES_UNKNOWN;
	snprintf(p->detail, sizeof(p->detail), "%s", what);
}

/* ---- the table ---- */

/* What a slot of the table must be. */
enum slot { SLOT_HANDLER, SLOT_UNUSED, SLOT_EITHER };

static void fill_slots(const struct cpython *v, enum slot *slots)
{
	slots[0] = SLOT_EITHER;
	slots[v->never] = SLOT_EITHER;
	for (size_t i = 0; i < sizeof(v->unused) / sizeof(v->unused[0]); i++)
		for (unsigned int op = v->unused[i].first; op && op <= v->unused[i].last;
		     op++)
			slots[op] = SLOT_UNUSED;
}

/* All in the code, and equal to that of the unused opcodes just where it must be? */
static bool is_table(const uint64_t *words, const enum slot *slots, uint64_t none,
		     uint64_t code, uint64_t code_end)
{
	for (unsigned int op = 0; op < MAX_OPCODES; op++) {
		if (words[op] < code || words[op] >= code_end)
			return false;
		if (slots[op] != SLOT_EITHER &&
		    (words[op] == none) != (slots[op] == SLOT_UNUSED))
			return false;
	}
	return true;
}

static unsigned int count_distinct(const uint64_t *words)
{
	unsigned int distinct = 0;

	for (unsigned int i = 0; i < MAX_OPCODES; i++) {
		unsigned int j = 0;

		while (j < i && words[j] != words[i])
			j++;
		distinct += j == i;
	}
	return distinct;
}

bool eval_find_table(const uint64_t *words, size_t count, uint64_t code,
		     uint64_t code_end, const struct cpython *v, struct targets *found)
{
	unsigned int first = v->unused[0].first, last = v->unused[0].last;
	enum slot slots[MAX_OPCODES] = { SLOT_HANDLER };
	bool is_found = false;

	fill_slots(v, slots);
	for (size_t i = 0; i + MAX_OPCODES <= count; i++) {
		uint64_t none = words[i + first];
		unsigned int distinct;

		if (words[i + last] != none ||
		    !is_table(words + i, slots, none, code, code_end))
			continue;
		/* 3.15 has one more in front of it, for tracing, with two addresses. */
		distinct = count_distinct(words + i);
		if (distinct < MIN_DISTINCT || (is_found && distinct <= found->distinct))
			continue;
		memcpy(found->handlers, words + i, sizeof(found->handlers));
		found->distinct = distinct;
		is_found = true;
	}
	return is_found;
}

static bool find_table(struct loop *l)
{
	struct targets best = { .distinct = 0 };

	for (Elf_Scn *scn = elf_nextscn(l->elf->elf, NULL); scn;
	     scn = elf_nextscn(l->elf->elf, scn)) {
		struct targets found;
		uint64_t address, *words;
		GElf_Shdr shdr;
		size_t count;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_PROGBITS ||
		    !(shdr.sh_flags & SHF_ALLOC) || shdr.sh_flags & SHF_EXECINSTR)
			continue;
		words = elf_pointers(l->elf, scn, &address, &count);
		if (words &&
		    eval_find_table(words, count, l->machine.start, l->machine.end, l->v,
				    &found) &&
		    found.distinct > best.distinct)
			best = found;
		free(words);
	}
	l->table = best;
	return best.distinct;
}

/* mov offset(%rsp),%REG or with %rbp, of 64 bits */
static bool is_load(const struct x86_insn *i, struct where *from)
{
	if (!machine_loads(i) || (i->base != RSP && i->base != RBP))
		return false;
	*from = (struct where){ X86_NOREG, i->base, i->disp };
	return true;
}

static bool is_same(const struct where *a, const struct where *b)
{
	return a->reg == b->reg && a->base == b->base && a->offset == b->offset;
}

/* Does this change what is at a place on the stack, or where it is? Any store to there
 * counts, as wide or narrow as it may be; so does a moved base. */
static bool is_changed(const struct x86_insn *i, const struct where *w)
{
	if (w->base == X86_NOREG)
		return false;
	return machine_writes(i, w->base) ||
	       (i->has_memory && i->base == w->base && !machine_loads(i) &&
		i->disp > w->offset - 8 && i->disp < w->offset + 8);
}

/* ---- what is where as a handler begins ---- */

/* What a handler stores as the frame's instruction, and where to. */
struct store {
	struct where frame, instr;
	unsigned int votes;
};

/* False if the handler has changed what it stores before it does. */
static bool find_store(const struct loop *l, uint64_t at, struct store *store)
{
	struct where holds[16], from; /* what each register has */
	struct x86_insn i;

	for (uint8_t reg = 0; reg < 16; reg++)
		holds[reg] = (struct where){ reg, X86_NOREG, 0 };

	for (int n = 0; n < FIRST_STORE && machine_decode(&l->machine, at, &i);
	     n++, at += i.length) {
		if (machine_stores(&i, l->offsets[FRAME_INSTR])) {
			store->frame = holds[i.base];
			store->instr = holds[i.reg];
			return !is_same(&store->frame, &nowhere) &&
			       !is_same(&store->instr, &nowhere);
		}
		if (i.flow != X86_NEXT && i.flow != X86_BRANCH)
			return false;
		for (uint8_t reg = 0; reg < 16; reg++)
			if (machine_writes(&i, reg) || is_changed(&i, &holds[reg]))
				holds[reg] = nowhere;
		if (is_load(&i, &from))
			holds[i.reg] = from;
	}
	return false;
}

static void vote(struct store *candidates, size_t *count, const struct store *store)
{
	for (size_t i = 0; i < *count; i++) {
		if (!is_same(&candidates[i].frame, &store->frame) ||
		    !is_same(&candidates[i].instr, &store->instr))
			continue;
		candidates[i].votes++;
		return;
	}
	candidates[*count] = *store;
	candidates[(*count)++].votes = 1;
}

/* Most handlers must agree: of those that store it so. Clang may keep the address of the
 * field in a register, too. */
static bool find_registers(struct loop *l)
{
	struct store candidates[MAX_OPCODES], *best = candidates;
	unsigned int all = 0;
	size_t count = 0;

	for (unsigned int op = 0; op < MAX_OPCODES; op++) {
		struct store store;

		if (!find_store(l, l->table.handlers[op], &store))
			continue;
		vote(candidates, &count, &store);
		all++;
	}
	for (size_t i = 0; i < count; i++)
		if (candidates[i].votes > best->votes)
			best = &candidates[i];
	if (!count || best->votes < MIN_VOTES || best->votes * 4 < all * 3)
		return false;
	l->frame = best->frame;
	l->instr = best->instr;
	return true;
}

/* ---- places in handlers ---- */

static void put(struct place *p, uint64_t spot, const struct where *frame,
		const struct where *instr)
{
	p->spot = spot;
	p->frame = *frame;
	p->instr = *instr;
}

/* What is known on the way from the beginning of a handler. */
struct trail {
	struct where frame; /* in a register, or nowhere */
	struct where instr; /* likewise */
	bool is_stale;	    /* one of them on the stack */
	bool is_saved;	    /* in the frame */
};

/* add $number,%REG, of 64 bits, as next_instr is moved on */
static bool is_add(const struct x86_insn *i, const uint8_t *code, int32_t *number)
{
	*number = (int8_t)code[i->length - 1];
	return !i->map && !i->is_vex && i->opcode == 0x83 && !(i->reg & 7) &&
	       i->size == 8 && i->rm != X86_NOREG;
}

static void step(const struct loop *l, struct trail *t, const struct x86_insn *i,
		 uint64_t at)
{
	struct where from;
	int32_t number;

	if (machine_stores(i, l->offsets[FRAME_INSTR]) && i->base == t->frame.reg)
		t->is_saved = i->reg == t->instr.reg && !t->instr.offset;
	if (machine_writes(i, t->frame.reg))
		t->frame = nowhere;
	if (machine_writes(i, t->instr.reg)) {
		if (is_add(i, l->machine.code + (at - l->machine.start), &number))
			t->instr.offset -= number;
		else
			t->instr = nowhere;
	}
	t->is_stale |= is_changed(i, &l->instr) || is_changed(i, &l->frame);
	if (t->is_stale || !is_load(i, &from))
		return;
	if (is_same(&from, &l->instr))
		t->instr = (struct where){ i->reg, X86_NOREG, 0 };
	if (is_same(&from, &l->frame))
		t->frame = (struct where){ i->reg, X86_NOREG, 0 };
}

/* Follow a handler from its beginning to the first place that the kernel emulates. */
static void follow(const struct loop *l, struct place *p)
{
	struct trail t = { nowhere, nowhere, false, false };
	uint64_t at = p->handler;
	struct x86_insn i;

	t.frame.reg = l->frame.reg;
	t.instr.reg = l->instr.reg;
	put(p, p->handler, &l->frame, &l->instr);
	for (int n = 0; n < SPOT_INSNS && machine_decode(&l->machine, at, &i);
	     n++, at += i.length) {
		if (i.is_emulated && t.frame.reg != X86_NOREG &&
		    (t.is_saved || t.instr.reg != X86_NOREG)) {
			put(p, at, &t.frame, &t.instr);
			return;
		}
		/* Behind a call the rest may be run again, or never. */
		if (i.flow != X86_NEXT)
			return;
		step(l, &t, &i, at);
	}
}

static bool has_place(const struct loop *l, const struct place *place)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->places[i].handler == place->handler &&
		    l->places[i].kind == place->kind)
			return true;
	return false;
}

/* There is room for all opcodes of a version beside the MAX_ENDS of 3.11. */
static void add_places(struct loop *l, enum probe_kind kind, const uint8_t *ops)
{
	for (; *ops; ops++) {
		struct place place = { .kind = kind,
				       .op = *ops,
				       .handler = l->table.handlers[*ops] };

		/* Two opcodes may have one handler. */
		if (has_place(l, &place))
			continue;
		follow(l, &place);
		l->places[l->count++] = place;
	}
}

/* A jump to between a handler and its probe would be counted as that handler. */
static void mind_jump(struct loop *l, uint64_t target)
{
	for (size_t i = 0; i < l->count; i++) {
		struct place *p = &l->places[i];

		if (target <= p->handler || target > p->spot)
			continue;
		/* The frame of one that ends is where it is, and at what it is in it. */
		if (p->kind == PROBE_CLEAR)
			p->spot = p->handler;
		else
			put(p, p->handler, &l->frame, &l->instr);
	}
}

/* All direct jumps of the file, and the table's. */
static void mind_jumps(struct loop *l)
{
	struct x86_insn i;

	for (uint64_t at = l->machine.start; at < l->machine.end; at += i.length) {
		/* What is no instruction is data, or padding. */
		if (!machine_decode(&l->machine, at, &i))
			i.length = 1;
		else if (i.target)
			mind_jump(l, i.target);
	}
	for (unsigned int op = 0; op < MAX_OPCODES; op++)
		mind_jump(l, l->table.handlers[op]);
}

/* ---- the function that clears a frame ---- */

/* Is that address a stub of the procedure linkage table? Then the function is the one
 * that others can name, too. */
static bool is_stub(const struct loop *l, uint64_t address)
{
	GElf_Shdr shdr;
	Elf_Scn *scn;

	for (scn = elf_nextscn(l->elf->elf, NULL); scn;
	     scn = elf_nextscn(l->elf->elf, scn))
		if (gelf_getshdr(scn, &shdr) && shdr.sh_flags & SHF_ALLOC &&
		    address >= shdr.sh_addr && address - shdr.sh_addr < shdr.sh_size)
			return shdr.sh_flags & SHF_EXECINSTR &&
			       (address < l->machine.start || address >= l->machine.end);
	return false;
}

/* From RETURN_VALUE on, along each way, to a call with the frame as second argument; or
 * to one of a function known by name. `holds` are the registers that the frame is in. */
struct walk {
	const struct loop *l;
	unsigned int insns; /* looked at so far */
	uint64_t named;	    /* 0 if it has no name (before 3.13) */
	uint64_t callee;
};

/* With a name it is called by that, directly or by way of a stub. */
static bool is_clear(const struct walk *w, uint64_t callee, uint16_t holds)
{
	bool has_frame = holds >> RSI & 1;

	return w->named ? callee == w->named || (has_frame && is_stub(w->l, callee))
			: has_frame && !is_stub(w->l, callee);
}

static uint16_t carry(const struct loop *l, const struct x86_insn *i, uint16_t holds)
{
	struct where slot;

	if (is_load(i, &slot) && is_same(&slot, &l->frame))
		return holds | 1 << i->reg;
	return machine_carry(i, holds);
}

static bool walk(struct walk *w, uint64_t at, uint16_t holds, int depth)
{
	struct x86_insn i;

	while (depth < CALL_DEPTH && w->insns++ < CALL_INSNS &&
	       machine_decode(&w->l->machine, at, &i)) {
		if (i.flow == X86_RETURN || i.flow == X86_INDIRECT || i.flow == X86_STOP)
			return false;
		if (i.flow == X86_CALL && i.target && is_clear(w, i.target, holds)) {
			w->callee = i.target;
			return true;
		}
		/* What is usual comes first, not the calls of tracers and debuggers. */
		if (i.flow == X86_BRANCH)
			return walk(w, at + i.length, holds, depth + 1) ||
			       walk(w, i.target, holds, depth + 1);
		holds = carry(w->l, &i, holds);
		at = i.flow == X86_JUMP ? i.target : at + i.length;
	}
	return false;
}

static bool find_clear(struct loop *l)
{
	struct walk w = { .l = l };
	uint16_t holds = l->frame.reg == X86_NOREG ? 0 : 1 << l->frame.reg;

	if (!elf_symbol(l->elf, "_PyEval_FrameClearAndPop", &w.named))
		w.named = 0;
	if (!walk(&w, l->table.handlers[l->v->leave[0]], holds, 0))
		return false;
	l->clear = w.named ? w.named : w.callee;
	l->has_name = w.named;
	return true;
}

/* ---- the end of calls in the loop ---- */

/* There are questions that only the end of a call asks, of the frame that it ends.
 *
 * In 3.11: is it one that C called? Such a call ends by a plain return, and its frame is
 * cleared elsewhere. RETURN_VALUE asks it, the place where an exception leaves a frame,
 * and RETURN_GENERATOR, which the kernel side tells by the opcode.
 *
 * Later: does a generator own it? The function that clears frames asks that first; where
 * the compiler has put that function into others, the questions are in the evaluation
 * loop itself. */
struct ends {
	struct loop *l;
	bool *seen;	/* code looked at, from l->machine.start on */
	uint64_t *todo; /* code still to be looked at */
	size_t count;
	unsigned int found;
};

/* cmpb $0,offset(%BASE) */
static bool is_zero_test(const struct loop *l, const struct x86_insn *i, uint64_t at,
			 int32_t offset)
{
	return !i->map && !i->is_vex && i->opcode == 0x80 && (i->reg & 7) == 7 &&
	       i->has_memory && i->base < X86_RIP && i->base != RSP &&
	       i->disp == offset && i->index == X86_NOREG &&
	       !l->machine.code[at + i->length - 1 - l->machine.start];
}

static bool is_question(const struct loop *l, const struct x86_insn *i, uint64_t at)
{
	uint16_t is_entry = l->offsets[FRAME_IS_ENTRY];

	if (!is_entry)
		return is_zero_test(l, i, at, l->offsets[FRAME_OWNER]);
	return is_zero_test(l, i, at, is_entry) && i->base == l->frame.reg;
}

static void look_later(struct ends *e, uint64_t at)
{
	if (at < e->l->machine.start || at >= e->l->machine.end ||
	    e->seen[at - e->l->machine.start])
		return;
	e->seen[at - e->l->machine.start] = true;
	e->todo = xgrow(e->todo, e->count, sizeof(*e->todo));
	e->todo[e->count++] = at;
}

/* The branch behind a question is emulated, the question is not. */
static void add_question(struct ends *e, uint64_t at, const struct x86_insn *question)
{
	struct where frame = { question->base, X86_NOREG, 0 };
	struct place place = { .kind = PROBE_CLEAR, .handler = at };
	struct loop *l = e->l;
	struct x86_insn i;

	if (e->found++ >= MAX_ENDS)
		return;
	at += question->length;
	for (int n = 0; n < 4 && machine_decode(&l->machine, at, &i) &&
			!machine_writes(&i, frame.reg);
	     n++) {
		if (i.is_emulated) {
			put(&place, at, &frame, &nowhere);
			l->places[l->count++] = place;
			return;
		}
		if (i.flow != X86_NEXT)
			break;
		at += i.length;
	}
	put(&place, place.handler, &frame, &nowhere);
	l->places[l->count++] = place;
}

/* One stretch of code, to where another was begun. */
static void look_at(struct ends *e, uint64_t at)
{
	struct loop *l = e->l;
	struct x86_insn i;

	for (;;) {
		if (!machine_decode(&l->machine, at, &i) || i.flow == X86_RETURN ||
		    i.flow == X86_INDIRECT || i.flow == X86_STOP)
			return;
		if (is_question(l, &i, at))
			add_question(e, at, &i);
		if (i.flow == X86_BRANCH || i.flow == X86_JUMP)
			look_later(e, i.target);
		at += i.length;
		if (i.flow == X86_JUMP || at >= l->machine.end ||
		    e->seen[at - l->machine.start])
			return;
		e->seen[at - l->machine.start] = true;
	}
}

/* All questions of the loop, wherever the compiler has put it. False if they are more
 * than can be. */
static bool find_questions(struct ends *e)
{
	struct loop *l = e->l;

	e->seen = xcalloc(l->machine.end - l->machine.start, sizeof(*e->seen));
	for (unsigned int op = 0; op < MAX_OPCODES; op++)
		look_later(e, l->table.handlers[op]);
	while (e->count)
		look_at(e, e->todo[--e->count]);
	free(e->seen);
	free(e->todo);
	return e->found <= MAX_ENDS;
}

/* Without a name: is that the function that clears frames? */
static bool asks(const struct loop *l, uint64_t function)
{
	struct x86_insn i;

	for (int n = 0; n < SPOT_INSNS && machine_decode(&l->machine, function, &i);
	     n++) {
		if (is_question(l, &i, function))
			return true;
		if (i.flow != X86_NEXT && i.flow != X86_BRANCH)
			return false;
		function += i.length;
	}
	return false;
}

static bool find_clearing(struct loop *l)
{
	struct ends e = { .l = l };
	bool has_clear = find_clear(l);

	if (has_clear && !l->has_name && !asks(l, l->clear))
		l->clear = 0;
	return find_questions(&e) && (e.found || l->clear);
}

/* A return's and an exception's, at least. */
static bool find_questions311(struct loop *l)
{
	struct ends e = { .l = l };

	return l->frame.reg != X86_NOREG && find_questions(&e) && e.found >= 2;
}

static bool find_ends(struct loop *l)
{
	return l->offsets[FRAME_IS_ENTRY] ? find_questions311(l) : find_clearing(l);
}

/* ---- probes ---- */

/* What all places have in common. */
static void describe(const struct loop *l, struct eval *eval)
{
	const uint16_t *o = l->offsets;

	*eval = (struct eval){
		.exception = o[TSTATE_EXCEPTION],
		.frame_code = o[FRAME_CODE],
		.frame_instr = o[FRAME_INSTR],
		.frame_owner = o[FRAME_OWNER],
		.code_line = o[CODE_LINE],
		.code_file = o[CODE_FILE],
		.code_name = o[CODE_NAME],
		.code_qualname = o[CODE_QUALNAME],
		.code_lines = o[CODE_LINES],
		.code_start = o[CODE_START],
		.str_ascii = o[STR_ASCII_DATA],
		.str_wide = o[STR_WIDE_DATA],
		.lines_format = l->v->lines_format,
		.frame_reg = OPERAND_NOREG,
		.instr_reg = OPERAND_NOREG,
		.instr_base = OPERAND_NOREG,
	};
	memcpy(eval->instead, l->v->instead, sizeof(eval->instead));
	if (o[FRAME_IS_ENTRY])
		eval->op_made = l->v->made;
}

static const uint8_t *ops_of(const struct cpython *v, enum probe_kind kind)
{
	return kind == PROBE_RESUME  ? v->resume
	       : kind == PROBE_YIELD ? v->yield
	       : kind == PROBE_SEND  ? v->left
				     : v->leave;
}

static void add_probe(struct loop *l, struct probes *p, struct probe *probe)
{
	cpython_allow(&probe->site.eval, ops_of(l->v, probe->kind));
	if (probe->kind == PROBE_THROW || (probe->kind == PROBE_CLEAR && l->v->callback))
		cpython_find_task(l->elf, l->v, p->version, probe);
	probe->site.eval.code_type = l->code_type - probe->address;
	probes_add(p, probe);
}

/* What -vv says of a place. */
static void tell(enum probe_kind kind, uint8_t op, uint64_t address, bool is_emulated)
{
	static const char *const names[] = {
		[PROBE_RESUME] = "RESUME",	  [PROBE_YIELD] = "YIELD_VALUE",
		[PROBE_CLEAR] = "end of calls",	  [PROBE_THROW] = "throw()",
		[PROBE_SEND] = "throw(), send()",
	};

	info(2, "%s (opcode %u): probe at 0x%llx, %s", names[kind], op,
	     (unsigned long long)address, is_emulated ? "emulated" : "single-stepped");
}

static bool add_place(struct loop *l, struct probes *p, const struct place *place)
{
	struct probe probe = { .kind = place->kind, .address = place->spot };
	struct eval *eval = &probe.site.eval;

	describe(l, eval);
	eval->frame_reg = machine_index(place->frame.reg);
	eval->frame_base = machine_index(place->frame.base);
	eval->frame_offset = place->frame.offset;
	eval->instr_reg = machine_index(place->instr.reg);
	eval->instr_base = machine_index(place->instr.base);
	eval->instr_offset = place->instr.offset;
	if (place->kind == PROBE_RESUME) {
		eval->oparg_mask = l->v->oparg_mask;
		eval->oparg_none = l->v->oparg_none;
	}
	tell(place->kind, place->op, place->spot,
	     machine_emulates(&l->machine, place->spot));
	if (!elf_offset(l->elf, probe.address, 1, ELF_CODE, &probe.offset))
		return false;
	add_probe(l, p, &probe);
	return true;
}

static bool add_function(struct loop *l, struct probes *p, enum probe_kind kind,
			 uint64_t address, unsigned int args)
{
	struct probe probe = { .kind = kind };
	struct eval *eval = &probe.site.eval;

	describe(l, eval);
	eval->has_tstate = kind == PROBE_CLEAR;
	eval->frame_reg = machine_index(RSI);
	if (!spot_function(l->elf, address, args, &probe))
		return false;
	tell(kind, 0, probe.address, machine_emulates(&l->machine, probe.address));
	add_probe(l, p, &probe);
	return true;
}

static bool add_probes(struct loop *l, struct probes *p)
{
	for (size_t i = 0; i < l->count; i++)
		if (!add_place(l, p, &l->places[i]))
			return false;
	if (l->clear && !add_function(l, p, PROBE_CLEAR, l->clear, SPOT_ARG1 | SPOT_ARG2))
		return false;
	return add_function(l, p, *l->v->left ? PROBE_SEND : PROBE_THROW, l->eval,
			    SPOT_ARG1 | SPOT_ARG2 | SPOT_ARG3);
}

/* ---- all of it ---- */

static const char *find_parts(struct loop *l, uint32_t version)
{
	enum cpython_build build = cpython_offsets(l->elf, l->v, version, l->offsets);

	if (!elf_symbol(l->elf, "PyCode_Type", &l->code_type) ||
	    !elf_symbol(l->elf, "_PyEval_EvalFrameDefault", &l->eval))
		return "it does not have the symbols that every CPython of its version has";
	if (build == CPYTHON_FREE_THREADED)
		return "it is a free-threaded build, which pyflow does not understand yet";
	if (build != CPYTHON_USUAL)
		return "its _Py_DebugOffsets are not those of a CPython of its version";
	if (!machine_open(l->elf, &l->machine) || !find_table(l))
		return "its evaluation loop has no dispatch table (built without computed "
		       "gotos?)";
	if (!find_registers(l))
		return "its evaluation loop keeps the frame in no place that can be found";
	if (!find_ends(l))
		return "in its evaluation loop the end of calls is not found";
	return NULL;
}

/* Where code objects are freed: so that what is known of an address can be relied on. */
static void add_forget(struct elf *e, struct probes *p)
{
	struct probe probe = { .kind = PROBE_FORGET };

	if (p->count)
		probe.site.eval.code_start = p->probes[0].site.eval.code_start;
	if (!cpython_find_free(e, &probe))
		return;
	for (size_t i = 0; i < p->count; i++)
		p->probes[i].site.eval.frees = 1;
	probes_add(p, &probe);
}

static const char *read_loop(struct elf *e, const struct cpython *v, struct probes *p)
{
	struct loop l = { .elf = e, .v = v };
	const char *missing = find_parts(&l, p->version);

	if (missing)
		return missing;
	add_places(&l, PROBE_RESUME, v->resume);
	add_places(&l, PROBE_YIELD, v->yield);
	mind_jumps(&l);
	return add_probes(&l, p) ? NULL
				 : "places in its evaluation loop are not in its code";
}

void probes_read_eval(struct elf *e, struct probes *p)
{
	const struct cpython *v = cpython_find(p->version);
	const char *missing;

	if (e->header.e_machine != EM_X86_64) {
		unknown(p, "evaluation loops are only understood on x86-64");
		return;
	}
	if (!v) {
		unknown(p, "the evaluation loop of this version is not known to pyflow");
		return;
	}
	missing = v->frame_arg ? probes_read_call(e, v, p) : read_loop(e, v, p);
	if (missing) {
		probes_free(p);
		unknown(p, missing);
		return;
	}
	p->state = PROBES_USABLE;
	add_forget(e, p);
}

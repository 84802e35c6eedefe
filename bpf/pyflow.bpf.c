// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel side: each program fills one record and submits it. */
#include "common.bpf.h"
#include "eval.bpf.h"
#include "job.bpf.h"
#include "names.bpf.h"
#include "regs.bpf.h"
#include "tasks.bpf.h"

/* From CPython's Include/cpython/code.h and Include/internal/pycore_frame.h. */
enum {
	CO_GENERATOR = 0x20,
	CO_COROUTINE = 0x80,
	CO_ASYNC_GENERATOR = 0x200,
	CO_NO_MONITORING_EVENTS = 0x2000000
};
enum { FRAME_OWNED_BY_THREAD = 0 };

static __always_inline uint64_t current_frame(const struct layout *l)
{
	return read_word(read_word(thread_pointer() + l->tls) + l->current_frame);
}

static __always_inline uint64_t code_of(uint64_t frame, const struct layout *l)
{
	return read_word(frame + l->frame_code) & ~7ULL;
}

static __always_inline uint32_t flags_of(uint64_t code, const struct layout *l)
{
	uint32_t flags = 0;

	bpf_probe_read_user(&flags, sizeof(flags), (void *)(code + l->code_flags));
	return flags;
}

/* Is this the code of a generator or coroutine function? */
static __always_inline bool is_generator(uint64_t code, const struct layout *l,
					 uint64_t pid_tgid)
{
	const uint32_t generators = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR;
	uint64_t key = fact_key(pid_tgid, code, FACT_GENERATOR);
	uint64_t fact = l->frees ? recall(key) : 0;

	if (!fact) {
		fact = flags_of(code, l) & generators ? 2 : 1;
		if (l->frees)
			remember(key, fact);
	}
	return fact == 2;
}

/* CPython 3.15 fires an entry, and no return, when a call of a generator or coroutine
 * function merely makes the generator. Its frame does not yet belong to the generator
 * then. */
static __always_inline bool makes_generator(uint64_t frame, const struct layout *l,
					    uint64_t pid_tgid)
{
	uint64_t words[FRAME_WORDS];

	if (bpf_probe_read_user(words, sizeof(words), (void *)frame) ||
	    l->frame_owner >= sizeof(words) || l->frame_code / 8 >= FRAME_WORDS ||
	    ((uint8_t *)words)[l->frame_owner] != FRAME_OWNED_BY_THREAD)
		return false;
	return is_generator(words[l->frame_code / 8] & ~7ULL, l, pid_tgid);
}

/* What a probe has found out. */
struct found {
	struct name name;
	uint64_t pid_tgid;
	uint64_t frame;
	uint64_t stack; /* pointer */
	uint64_t str_type;
	uint32_t line;
	uint16_t str_data;
	uint8_t kind, flags;
	uint64_t frees;
};

/* Set the id of the name, and return the verdict on it. */
static __always_inline uint32_t look_up(struct found *f)
{
	uint64_t key = fact_key(f->pid_tgid, f->name.file, f->name.func);
	uint64_t fact = f->frees ? recall(key) : 0;
	uint32_t verdict;

	if (fact) {
		f->name.id = fact >> VERDICT_BITS << VERDICT_BITS;
		return fact & ((1 << VERDICT_BITS) - 1);
	}
	/* What will be remembered may take its time, and be the same in each process. */
	if (identify(&f->name, f->str_type, f->frees ? 0 : f->str_data)) {
		__sync_fetch_and_add(&shared.unread, 1);
		f->name.id = 0;
		return VERDICT_SHOW;
	}
	verdict = judge(&f->name);
	if (f->frees && (verdict == VERDICT_SHOW || verdict == VERDICT_HIDE))
		remember(key, f->name.id | verdict);
	return verdict;
}

__noinline int emit(struct found *f)
{
	struct event *e;
	uint32_t verdict;

	if (!f)
		return 0;
	verdict = look_up(f);
	if (verdict == VERDICT_HIDE)
		return 0;
	e = verdict == VERDICT_LOST ? NULL : reserve_step();
	if (!e) {
		count_lost();
		return 0;
	}
	fill(e, f->kind, seen_as(f->pid_tgid));
	e->flags = f->flags;
	e->line = f->line;
	e->code = f->name.id;
	e->frame = f->frame;
	submit_step(e, f->stack);
	return 0;
}

/* The first instructions of a function may have no line: it begins where its code does.
 */
static __always_inline uint32_t first_line(uint64_t frame, const struct layout *l)
{
	uint32_t line = 0;

	bpf_probe_read_user(&line, sizeof(line),
			    (void *)(code_of(frame, l) + l->code_line));
	return line;
}

/* Between a class and its __init__() CPython puts a frame of its own, to check the
 * result. It fires a return, and no entry; nobody's function, it has no line and one
 * string for all its names. */
static __always_inline bool is_check(const struct found *f, const struct layout *l)
{
	return (int)f->line < 0 && f->name.file == f->name.func &&
	       flags_of(code_of(f->frame, l), l) & CO_NO_MONITORING_EVENTS;
}

/* A probe with the arguments file, function, line. Returns whether it is to be shown. */
static __always_inline bool take_args(struct found *f, const struct site *site,
				      const uint64_t *regs)
{
	f->frame = regs[REG_SP];
	f->line = operand(&site->line, regs);
	f->name.file = operand(&site->file, regs);
	f->name.func = operand(&site->func, regs);
	if (!site->layout.known)
		return true;
	f->frame = site->layout.frame_reg == OPERAND_NOREG
			   ? current_frame(&site->layout)
			   : reg(regs, site->layout.frame_reg);
	f->flags = EVENT_FRAME;
	if (f->kind == EVENT_LEAVE)
		return !is_check(f, &site->layout);
	if ((int)f->line < 0)
		f->line = first_line(f->frame, &site->layout);
	return !makes_generator(f->frame, &site->layout, f->pid_tgid);
}

/* The UTF-8 form of a str object: in it, or where PyUnicode_AsUTF8() once left it; else
 * 0. */
static __always_inline uint64_t utf8(uint64_t str, const struct layout *l)
{
	uint32_t state = 0;

	bpf_probe_read_user(&state, sizeof(state), (void *)(str + STR_STATE));
	if ((state & (STR_COMPACT | STR_ASCII)) == (STR_COMPACT | STR_ASCII))
		return str + l->str_data;
	return read_word(str + STR_UTF8);
}

/* Has the generator of this frame not run yet? Then it goes on behind RETURN_GENERATOR.
 */
static __always_inline bool never_ran(uint64_t frame, const struct layout *l)
{
	uint8_t code[4] = {}; /* units of an opcode and its argument */
	uint64_t next = read_word(frame + l->frame_instr);

	bpf_probe_read_user(code, sizeof(code), (void *)(next - 2));
	return code[0] == l->op_made && code[2] == l->op_behind;
}

/* _PyEval_EvalFrameDefault(tstate, frame, throwflag): CPython 3.15 has no probe for a
 * generator that goes on with an exception, which this function is called for with
 * throwflag set. */
static __always_inline bool take_frame(struct found *f, const struct site *site,
				       const uint64_t *regs)
{
	uint64_t code;

	if (!(uint32_t)regs[REG_ARG3])
		return false;
	f->frame = regs[REG_ARG2];
	f->flags = EVENT_FRAME;
	if (!never_ran(f->frame, &site->layout))
		f->flags |= EVENT_THROWN;
	f->line = first_line(f->frame, &site->layout);
	code = code_of(f->frame, &site->layout);
	f->name.file = utf8(read_word(code + site->layout.code_file), &site->layout);
	f->name.func = utf8(read_word(code + site->layout.code_name), &site->layout);
	return true;
}

SEC("uprobe.s")
int on_probe(void *ctx)
{
	struct found f = { .kind = EVENT_ENTER, .pid_tgid = bpf_get_current_pid_tgid() };
	uint32_t cookie = bpf_get_attach_cookie(ctx);
	const uint64_t *regs = ctx;
	struct site *site;

	if (!is_traced(f.pid_tgid))
		return 0;
	site = bpf_map_lookup_elem(&sites, &cookie);
	if (!site)
		return 0;
	if (site->kind == PROBE_FREE) {
		forget_facts();
		return 0;
	}
	if (settings.flags & SETTINGS_TASKS && site->task.running)
		see_task(&site->task, regs[REG_ARG1], regs[REG_SP] + 1, regs[REG_IP]);
	f.frees = site->layout.frees;
	f.stack = regs[REG_SP];
	if (site->kind == PROBE_LEAVE)
		f.kind = EVENT_LEAVE;
	f.str_data = site->layout.str_data;
	f.str_type = regs[REG_IP] + site->layout.str_type;
	if (site->kind == PROBE_EVAL ? take_frame(&f, site, regs)
				     : take_args(&f, site, regs))
		emit(&f);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";

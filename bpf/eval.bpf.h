/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps of CPython's evaluation loop: whose frame it is, what that frame's code object is
 * called, and how it is left. */
#ifndef PYFLOW_EVAL_BPF_H
#define PYFLOW_EVAL_BPF_H

#include "common.bpf.h"
#include "names.bpf.h"
#include "regs.bpf.h"
#include "tasks.bpf.h"

enum { OBJECT_TYPE_AT = 8, OBJECT_SIZE = 16, BYTES_DATA = 32, CODE_WORDS = 18 };
enum { OWNED_BY_GENERATOR = 1, MAX_PARTS = 16, MAX_PARTS_LOOP = 1 << 16 };
enum { MAX_PAGES = 32 }; /* of a freed code object */

/* One event in the making. */
struct step {
	uint64_t pid_tgid;
	uint64_t kind; /* of the probe */
	uint64_t frame;
	uint64_t instr; /* address of the instruction */
	uint64_t code;
	uint64_t type;	 /* PyCode_Type */
	uint64_t tstate; /* 0 if it is not known here */
	uint64_t id;	 /* of the name */
	uint32_t unit;
	uint32_t verdict;
	uint8_t flags;
	uint8_t is_thrown;
	uint8_t is_passing; /* nothing to be remembered */
	uint8_t pad[5];
};

/* A code object on its way to user space. */
struct described {
	struct text texts[CODE_PARTS];
	uint64_t id;
	int32_t first_line;
	uint32_t lines_format;
};

/* ---- its texts ---- */

/* Read bytes that may not have been touched yet: the code objects of frozen modules are
 * in the interpreter's file. `size` is at most PART_DATA. */
static __always_inline long read_part(void *to, uint32_t size, uint64_t from)
{
	if (!bpf_probe_read_user(to, size, (void *)from))
		return 0;
	if (!(settings.flags & SETTINGS_FAULT))
		return -EFAULT;
	return bpf_copy_from_user(to, size, (void *)from);
}

/* Bytes on their way into a hash. */
struct mixing {
	uint64_t hash;
	uint64_t from, left;
	int64_t error;
};

static long mix_block(uint32_t i, struct mixing *m)
{
	uint64_t buf[NAME_CHUNK / 8] = {};
	uint64_t size = m->left;
	uint32_t w;

	if (!size)
		return 1;
	if (size > sizeof(buf))
		size = sizeof(buf);
	if (read_part(buf, size, m->from)) {
		m->error = -EFAULT;
		return 1;
	}
	for (w = 0; w < NAME_CHUNK / 8; w++)
		m->hash = mix(m->hash, buf[w]);
	m->from += size;
	m->left -= size;
	return 0;
}

/* Mix in the bytes of a text. Before Linux 5.17 only the first of a very long one count,
 * and its address. Not static, as hash_string(). */
__noinline int mix_text(const struct text *t, uint64_t *hash)
{
	struct mixing m = {};
	uint32_t i;

	if (!t || !hash)
		return -EFAULT;
	m.hash = *hash;
	m.from = t->at;
	m.left = t->size;
	if (settings.flags & SETTINGS_FAULT) {
		bpf_loop(MAX_CHUNKS, mix_block, &m, 0);
	} else {
		for (i = 0; i < NAME_CHUNKS; i++)
			if (mix_block(i, &m))
				break;
		if (m.left)
			m.hash = mix(m.hash, t->at);
	}
	*hash = m.hash;
	return m.error;
}

/* Find the characters of a str object, and mix in what they say. The object's own hash
 * will not do: it comes when it is first asked for, perhaps while a call goes on, and is
 * another in each process. */
static __always_inline int describe_str(struct text *t, uint64_t str,
					const struct eval *e, uint64_t *hash)
{
	uint64_t o[OBJECT_STATE + 1];
	uint32_t state;

	if (read_part(o, sizeof(o), str + STR_TYPE) || o[OBJECT_LENGTH] >= MAX_LENGTH)
		return -EFAULT;
	state = o[OBJECT_STATE];
	t->width = state >> 2 & 7;
	t->size = o[OBJECT_LENGTH] * t->width;
	if ((state & (STR_COMPACT | STR_ASCII)) == (STR_COMPACT | STR_ASCII))
		t->at = str + e->str_ascii;
	else if (state & STR_COMPACT)
		t->at = str + e->str_wide;
	else
		t->at = read_word(str + e->str_wide);
	*hash = mix(*hash, (uint64_t)t->width << 32 | t->size);
	return mix_text(t, hash);
}

/* The line table is a bytes object. */
static __always_inline int describe_bytes(struct text *t, uint64_t bytes, uint64_t *hash)
{
	uint64_t size = read_word(bytes + OBJECT_SIZE);

	if (size >= MAX_LENGTH)
		return -EFAULT;
	t->at = bytes + BYTES_DATA;
	t->size = size;
	t->width = 1;
	*hash = mix(*hash, size);
	return mix_text(t, hash);
}

static __always_inline uint64_t word_at(const uint64_t *words, uint16_t offset)
{
	return pick(words, CODE_WORDS, offset);
}

/* Fill in d from a code object. The id is made of all that is told of it, so an address
 * used again shows nothing old. Returns 1 if it is nobody's function: what CPython puts
 * between a class and its __init__() has one string for all its names. */
static __always_inline int describe(struct described *d, const struct step *s,
				    const struct eval *e)
{
	uint64_t hash = settings.seed, words[CODE_WORDS];

	if (read_part(words, sizeof(words), s->code) ||
	    words[OBJECT_TYPE_AT / 8] != s->type)
		return -EINVAL;
	if (word_at(words, e->code_file) == word_at(words, e->code_name))
		return 1;
	d->first_line = word_at(words, e->code_line) >> (e->code_line & 4) * 8;
	d->lines_format = e->lines_format;
	hash = mix(hash, (uint32_t)d->first_line);
	if (describe_str(&d->texts[PART_FILE], word_at(words, e->code_file), e, &hash) ||
	    describe_str(&d->texts[PART_FUNC], word_at(words, e->code_name), e, &hash) ||
	    describe_bytes(&d->texts[PART_LINES], word_at(words, e->code_lines), &hash))
		return -EFAULT;
	if (e->code_qualname && describe_str(&d->texts[PART_QUALNAME],
					     word_at(words, e->code_qualname), e, &hash))
		return -EFAULT;
	d->id = (hash | 1ULL << 63) & ~0ULL << VERDICT_BITS;
	return 0;
}

/* ---- sending it ---- */

struct sending {
	uint64_t from, left;
	uint64_t code, sender;
	uint32_t width;
	uint8_t part, is_first;
	int64_t error;
};

static long send_part(uint32_t i, struct sending *s)
{
	uint64_t size = s->left;
	struct event_part *r;

	if (!size && i)
		return 1;
	r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);
	if (!r) {
		s->error = -1;
		return 1;
	}
	if (size > PART_DATA)
		size = PART_DATA;
	r->kind = EVENT_PART;
	r->part = s->part;
	r->width = s->width;
	r->is_first = s->is_first && !i;
	r->size = size;
	r->sender = s->sender;
	r->code = s->code;
	if (size && bpf_probe_read_user(r->data, size, (void *)s->from))
		r->size = 0;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	s->from += size;
	s->left -= size;
	return 0;
}

__noinline int send_text(const struct text *t, uint64_t id, uint32_t part)
{
	struct sending s = { .code = id, .part = part, .is_first = part == PART_FILE };
	uint32_t i;

	if (!t)
		return -1;
	s.from = t->at;
	s.left = t->size;
	s.width = t->width;
	s.sender = bpf_get_current_pid_tgid();
	if (settings.flags & SETTINGS_FAULT) {
		bpf_loop(MAX_PARTS_LOOP, send_part, &s, 0);
	} else {
		for (i = 0; i < MAX_PARTS; i++)
			if (send_part(i, &s))
				break;
	}
	return s.error;
}

/* The last record of a code object; or the only one, if its texts are not sent. */
static __always_inline int send_end(const struct described *d, uint8_t kind)
{
	struct event_code *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);

	if (!r)
		return -1;
	r->kind = kind;
	r->lines_format = d->lines_format;
	r->pad = 0;
	r->first_line = d->first_line;
	r->sender = bpf_get_current_pid_tgid();
	r->code = d->id;
	r->pid = here() >> 32;
	r->pad2 = 0;
	__builtin_memcpy(r->texts, d->texts, sizeof(r->texts));
	bpf_ringbuf_submit(r,
			   kind == EVENT_CODE ? BPF_RB_NO_WAKEUP : BPF_RB_FORCE_WAKEUP);
	return 0;
}

/* There is no room for them: with SETTINGS_STOP the process waits until they are read. */
static __always_inline int send_addresses(const struct described *d)
{
	stop_for_room();
	return send_end(d, EVENT_CODE_AT);
}

/* Does each text fit into the pieces that it may have, and all of them into the buffer?
 */
static __always_inline bool can_be_sent(const struct described *d)
{
	uint32_t most = settings.flags & SETTINGS_FAULT ? MAX_PARTS_LOOP : MAX_PARTS, i;
	uint64_t size = 0;

	for (i = 0; i < CODE_PARTS; i++) {
		if (d->texts[i].size > most * PART_DATA)
			return false;
		size += (uint64_t)d->texts[i].size + sizeof(struct event_part);
	}
	return size <= settings.stop_mark / 2 && !is_crowded();
}

static __always_inline int send_code(const struct described *d)
{
	uint32_t i;

	if (!can_be_sent(d))
		return send_addresses(d);
	for (i = 0; i < CODE_PARTS; i++)
		if (send_text(&d->texts[i], d->id, i))
			return -1;
	return send_end(d, EVENT_CODE);
}

/* ---- what a step is, the long way ---- */

/* Describe the code object of a step, and tell user space about it if that is news. */
static __always_inline int know_code(struct step *s, const struct eval *e)
{
	struct described d = {};
	uint32_t *known;
	int err = describe(&d, s, e);

	s->id = d.id;
	s->verdict = VERDICT_HIDE;
	if (err)
		return err < 0 ? err : 0;
	known = bpf_map_lookup_elem(&names, &d.id);
	if (known) {
		s->verdict = *known;
		return 0;
	}
	s->verdict = settings.flags & SETTINGS_ASK ? VERDICT_ASKED : VERDICT_SHOW;
	if (send_code(&d))
		s->verdict = VERDICT_LOST;
	else
		bpf_map_update_elem(&names, &d.id, &s->verdict, BPF_NOEXIST);
	return 0;
}

static __always_inline bool is_final(const struct step *s)
{
	return s->verdict == VERDICT_SHOW || s->verdict == VERDICT_HIDE;
}

/* Set the id of the step's name, and the verdict on it. -EINVAL if that is no code
 * object.
 */
static __always_inline int look_up_code(struct step *s, const struct eval *e)
{
	uint64_t key = fact_key(s->pid_tgid, s->code, FACT_CODE);
	uint64_t fact = e->frees ? recall(key) : 0;
	int err;

	if (fact) {
		s->id = fact >> VERDICT_BITS << VERDICT_BITS;
		s->verdict = fact & ((1 << VERDICT_BITS) - 1);
		return 0;
	}
	err = know_code(s, e);
	if (err == -EFAULT) {
		__sync_fetch_and_add(&shared.unread, 1);
		s->id = 0;
		s->verdict = VERDICT_SHOW;
		s->is_passing = true;
		return 0;
	}
	if (!err && e->frees && is_final(s))
		remember(key, s->id | s->verdict);
	return err;
}

static __always_inline bool is_op(const struct eval *e, uint8_t op)
{
	return e->ops[op >> 6 & 3] >> (op & 63) & 1;
}

static __always_inline bool is_instead(const struct eval *e, uint8_t op)
{
	return op && (op == e->instead[0] || op == e->instead[1] || op == e->instead[2]);
}

/* How a call ends: the instruction tells, but for one that monitoring has put its own in
 * the place of. An exception may end one that never ran, for want of room for another
 * call. */
static __always_inline void see_exit(struct step *s, const struct eval *e, uint8_t op)
{
	if (is_op(e, op))
		return;
	if (is_instead(e, op)) {
		s->is_passing = true;
		if (!s->tstate || !read_word(s->tstate + e->exception))
			return;
	}
	s->flags |= EVENT_RAISED;
	if ((int32_t)s->unit <= 0)
		s->flags |= EVENT_IF_OPEN;
}

/* Is this an event at all? op: the opcode and its argument. */
static __always_inline bool is_event(struct step *s, const struct eval *e,
				     const uint8_t *op, bool is_generator)
{
	switch (s->kind) {
	case PROBE_CLEAR:
		see_exit(s, e, op[0]);
		if (!e->op_made || op[0] != e->op_made)
			return true;
		/* The frame that a generator is made from; its own can be left there,
		 * too, if it is thrown into before it ever ran. */
		s->is_passing = true;
		return is_generator;
	case PROBE_SEND:
		/* As a rule a generator goes on behind what left it, with a RESUME. */
		return s->is_thrown || (is_generator && !is_op(e, op[0]));
	case PROBE_THROW:
		return true;
	}
	if (!is_op(e, op[0]) && !is_instead(e, op[0]))
		__sync_fetch_and_add(&shared.odd, 1);
	return !e->oparg_none || (op[1] & e->oparg_mask) != e->oparg_none;
}

/* Before 3.11: what is neither a return nor an exception is a yield. */
static __always_inline void see_result(struct step *s, const struct eval *e)
{
	uint8_t op = 0;

	if (s->kind != PROBE_END || s->flags & EVENT_RAISED)
		return;
	bpf_probe_read_user(
		&op, sizeof(op),
		(void *)(read_word(s->code + e->code_bytes) + BYTES_DATA + s->unit * 2));
	if (!is_op(e, op))
		s->flags |= EVENT_YIELDED;
}

/* Read the frame and what it is at, and find out about its code object. Not static: so
 * the verifier looks at it once. */
__noinline int look(struct step *s, const struct eval *e)
{
	uint64_t words[FRAME_WORDS];
	uint8_t op[2] = {}, owner;

	if (!s || !e)
		return 0;
	s->verdict = VERDICT_HIDE;
	__sync_fetch_and_add(&shared.looks, 1);
	if (e->frame_last) {
		see_result(s, e);
		goto name;
	}
	if (bpf_probe_read_user(words, sizeof(words), (void *)s->frame)) {
		__sync_fetch_and_add(&shared.odd, 1);
		s->is_passing = true;
		return 0;
	}
	s->code = pick(words, FRAME_WORDS, e->frame_code) & ~7ULL;
	owner = pick(words, FRAME_WORDS, e->frame_owner) >> (e->frame_owner & 7) * 8;
	s->unit = (int64_t)(s->instr - s->code - e->code_start) >> 1;
	bpf_probe_read_user(op, sizeof(op), (void *)s->instr);
	if (!is_event(s, e, op, owner == OWNED_BY_GENERATOR))
		return 0;
name:
	if (look_up_code(s, e)) {
		__sync_fetch_and_add(&shared.odd, 1);
		s->is_passing = true;
	}
	return 0;
}

/* ---- and the short way ---- */

/* Where the frame is, and the instruction it is at. */
static __always_inline void find_frame(struct step *s, const struct eval *e,
				       const uint64_t *regs)
{
	s->frame = e->frame_reg != OPERAND_NOREG
			   ? reg(regs, e->frame_reg)
			   : read_word(reg(regs, e->frame_base) + e->frame_offset);
	if (e->instr_reg != OPERAND_NOREG)
		s->instr = reg(regs, e->instr_reg) + e->instr_offset;
	else if (e->instr_base != OPERAND_NOREG)
		s->instr = read_word(reg(regs, e->instr_base) + e->instr_offset);
	else
		s->instr = read_word(s->frame + e->frame_instr);
}

/* Before 3.11 the frame has the code object and an index: that pair is the instruction.
 */
static __always_inline void find_call(struct step *s, const struct eval *e,
				      const uint64_t *regs)
{
	uint64_t words[FRAME_WORDS] = {};
	uint16_t last = e->frame_last - e->frame_code;

	s->frame = reg(regs, e->frame_reg);
	bpf_probe_read_user(words, sizeof(words), (void *)(s->frame + e->frame_code));
	s->code = words[0];
	s->unit = (int32_t)(pick(words, FRAME_WORDS, last) >> (last & 4) * 8) >>
		  (e->last_shift & 1);
	s->instr = mix(mix(settings.seed, s->code), s->unit);
	if (s->kind == PROBE_END && !reg(regs, e->result_reg))
		s->flags |= EVENT_RAISED;
}

/* All but the frame is the same each time that the loop comes by with that instruction,
 * until a code object thereabouts is freed. */
static __always_inline void know_step(struct step *s, const struct eval *e)
{
	uint64_t frees =
		*(volatile uint32_t *)frees_in(e->frame_last ? s->code : s->instr);
	uint64_t key = fact_key(s->pid_tgid, s->instr,
				frees << 16 | s->flags << 8 | FACT_STEP | s->kind);
	uint64_t more, fact = 0;

	if (e->frees && !s->is_passing)
		fact = recall_more(key, &more);
	if (fact) {
		s->id = fact >> VERDICT_BITS << VERDICT_BITS;
		s->verdict = fact & ((1 << VERDICT_BITS) - 1);
		s->unit = more;
		s->flags |= more >> 32;
		return;
	}
	look(s, e);
	if (e->frees && is_final(s) && !s->is_passing)
		remember_more(key, s->id | s->verdict,
			      (uint64_t)s->flags << 32 | s->unit);
}

static __always_inline void emit_step(struct step *s, uint8_t kind, uint64_t stack)
{
	struct event *r = s->verdict == VERDICT_LOST ? NULL : reserve_step();

	if (!r) {
		count_lost();
		return;
	}
	fill(r, kind, seen_as(s->pid_tgid));
	r->flags = s->flags;
	r->line = s->unit;
	r->code = s->id;
	r->frame = s->frame;
	submit_step(r, stack);
}

/* What is known of a code object that is freed, and of the instructions in it, is so no
 * more. Before 3.11 these are known by the address of the code object. */
static __always_inline void forget_code(uint64_t pid_tgid, uint64_t code,
					const struct eval *e)
{
	uint64_t key = fact_key(pid_tgid, code, FACT_CODE);
	uint64_t end = code, page;
	uint32_t i;

	if (e->code_start)
		end += e->code_start + read_word(code + OBJECT_SIZE) * 2;
	page = code & ~0xfffULL;
	for (i = 0; i < MAX_PAGES && page <= end; i++, page += 0x1000)
		__sync_fetch_and_add(frees_in(page), 1);
	if (page <= end)
		forget_facts();
	if (recall(key))
		remember(key, 0);
}

SEC("uprobe.s")
int on_step(void *ctx)
{
	struct step s = { .flags = EVENT_FRAME | EVENT_UNIT };
	uint32_t cookie = bpf_get_attach_cookie(ctx);
	const uint64_t *regs = ctx;
	struct site *site;
	bool is_enter;

	s.pid_tgid = bpf_get_current_pid_tgid();
	if (!is_traced(s.pid_tgid))
		return 0;
	site = bpf_map_lookup_elem(&sites, &cookie);
	if (!site)
		return 0;
	s.kind = site->kind;
	if (s.kind == PROBE_FORGET) {
		forget_code(s.pid_tgid, regs[REG_ARG1], &site->eval);
		return 0;
	}
	s.is_thrown = (s.kind == PROBE_THROW || s.kind == PROBE_SEND) &&
		      (uint32_t)regs[REG_ARG3];
	s.is_passing = s.is_thrown;
	if (settings.flags & SETTINGS_TASKS && site->task.name && s.kind != PROBE_CLEAR) {
		if (site->task.running)
			see_task(&site->task, regs[REG_ARG1], regs[REG_SP] + 1,
				 regs[REG_IP]);
		else
			see_caller(&site->task, regs[REG_ARG1],
				   s.is_thrown ? 0 : regs[REG_ARG2], regs[REG_SP] + 1,
				   regs[REG_IP]);
	}
	if (s.kind == PROBE_THROW && !s.is_thrown)
		return 0;
	is_enter = s.kind == PROBE_RESUME || s.kind == PROBE_THROW ||
		   s.kind == PROBE_SEND || s.kind == PROBE_BEGIN;
	if (s.kind == PROBE_YIELD)
		s.flags |= EVENT_YIELDED;
	s.type = regs[REG_IP] + site->eval.code_type;
	if (site->eval.has_tstate)
		s.tstate = regs[REG_ARG1];
	if (site->eval.frame_last)
		find_call(&s, &site->eval, regs);
	else
		find_frame(&s, &site->eval, regs);
	if (settings.flags & SETTINGS_TASKS && site->task.name && s.kind == PROBE_CLEAR)
		see_clear(&site->task, s.frame, regs[REG_SP]);
	know_step(&s, &site->eval);
	if (s.verdict != VERDICT_HIDE)
		emit_step(&s, is_enter ? EVENT_ENTER : EVENT_LEAVE, regs[REG_SP]);
	return 0;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps of CPython's evaluation loop: whose frame it is, what that frame's code object is
 * called, and how it is left. */
#ifndef PYFLOW_EVAL_BPF_H
#define PYFLOW_EVAL_BPF_H

#include "common.bpf.h"
#include "names.bpf.h"
#include "regs.bpf.h"

enum { OBJECT_TYPE_AT = 8, BYTES_SIZE = 16, BYTES_DATA = 32, CODE_WORDS = 18 };
enum { OWNED_BY_GENERATOR = 1, MAX_PARTS = 64, MAX_PARTS_LOOP = 1 << 16 };

/* One event in the making. */
struct step {
	uint64_t pid_tgid;
	uint64_t frame;
	uint64_t code;
	uint64_t type; /* PyCode_Type */
	uint64_t id;   /* of the name */
	uint64_t parent;
	uint32_t unit;
	uint32_t verdict;
	uint8_t kind, flags;
	uint8_t is_odd; /* not at an opcode of the probe */
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
	uint8_t touch;

	if (!bpf_probe_read_user(to, size, (void *)from))
		return 0;
	if (!(settings.flags & SETTINGS_FAULT))
		return -EFAULT;
	bpf_copy_from_user(&touch, 1, (void *)from);
	bpf_copy_from_user(&touch, 1, (void *)(from + size - 1));
	return bpf_probe_read_user(to, size, (void *)from);
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

/* Find the characters of a str object, and mix in what they say: the object's own hash
 * will do where it has one. */
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
	if (o[OBJECT_HASH] == ~0ULL)
		return mix_text(t, hash);
	*hash = mix(*hash, o[OBJECT_HASH]);
	return 0;
}

/* The line table is a bytes object. */
static __always_inline int describe_bytes(struct text *t, uint64_t bytes, uint64_t *hash)
{
	uint64_t size = read_word(bytes + BYTES_SIZE);

	if (size >= MAX_LENGTH)
		return -EFAULT;
	t->at = bytes + BYTES_DATA;
	t->size = size;
	t->width = 1;
	*hash = mix(*hash, size);
	return mix_text(t, hash);
}

/* The word at an offset that comes from a map; 0 if it is not among the words. The empty
 * asm keeps the compiler from reading the offset anew behind the check. */
static __always_inline uint64_t pick(const uint64_t *words, uint32_t count,
				     uint16_t offset)
{
	uint32_t i = offset / 8;

	asm volatile("" : "+r"(i));
	return i < count ? words[i] : 0;
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

/* Too long for the buffer: with SETTINGS_STOP the process waits until they are read. */
static __always_inline int send_addresses(const struct described *d)
{
	struct job *j = this_job();

	if ((settings.flags & SETTINGS_STOP) && j)
		stop(j, &j->fulls);
	return send_end(d, EVENT_CODE_AT);
}

static __always_inline int send_code(const struct described *d)
{
	uint64_t size = 0;
	uint32_t i;

	for (i = 0; i < CODE_PARTS; i++)
		size += (uint64_t)d->texts[i].size + sizeof(struct event_part);
	if (size > settings.stop_mark / 2)
		return send_addresses(d);
	for (i = 0; i < CODE_PARTS; i++)
		if (send_text(&d->texts[i], d->id, i))
			return -1;
	return send_end(d, EVENT_CODE);
}

/* Describe the code object of a step, tell user space about it if that is news, and
 * remember the verdict. Not static: it is looked at by the verifier once. */
__noinline int know_code(struct step *s, const struct eval *e)
{
	struct described d = {};
	uint32_t *known;
	int err;

	if (!s || !e)
		return 0;
	err = describe(&d, s, e);
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

/* ---- whose step it is ---- */

static __always_inline uint64_t instruction(const struct eval *e, const uint64_t *regs,
					    const uint64_t *frame)
{
	if (e->instr_reg != OPERAND_NOREG)
		return reg(regs, e->instr_reg);
	if (e->instr_base != OPERAND_NOREG)
		return read_word(reg(regs, e->instr_base) + e->instr_offset);
	return pick(frame, FRAME_WORDS, e->frame_instr);
}

static __always_inline uint8_t owner_of(const uint64_t *frame, const struct eval *e)
{
	return pick(frame, FRAME_WORDS, e->frame_owner) >> (e->frame_owner & 7) * 8;
}

/* Is an exception on its way? */
static __always_inline bool is_raising(const struct eval *e, const uint64_t *regs)
{
	return e->tstate_reg != OPERAND_NOREG &&
	       read_word(reg(regs, e->tstate_reg) + e->exception);
}

static __always_inline bool is_op(const struct eval *e, uint8_t op)
{
	return e->ops[op >> 6 & 3] >> (op & 63) & 1;
}

static __always_inline bool is_instead(const struct eval *e, uint8_t op)
{
	return op && (op == e->instead[0] || op == e->instead[1] || op == e->instead[2]);
}

/* How a frame that is being cleared was left: the instruction tells, but for one that
 * monitoring has put its own in the place of. */
static __always_inline void see_exit(struct step *s, const struct eval *e, uint8_t op,
				     const uint64_t *regs, bool is_generator)
{
	if (is_op(e, op))
		return;
	if (is_instead(e, op) && !is_raising(e, regs))
		return;
	s->flags |= EVENT_RAISED;
	/* It may be one that never ran, or a generator that nobody wants any more. */
	if (is_generator || (int32_t)s->unit <= 0)
		s->flags |= EVENT_IF_OPEN;
}

/* Read the frame, and the instruction it is at. Returns whether this is an event. */
static __always_inline bool take_step(struct step *s, uint64_t kind, const struct eval *e,
				      const uint64_t *regs)
{
	uint64_t words[FRAME_WORDS], instr;
	uint8_t op[2] = {};

	s->frame = reg(regs, e->frame_reg);
	if (bpf_probe_read_user(words, sizeof(words), (void *)s->frame)) {
		s->is_odd = true;
		return false;
	}
	s->code = pick(words, FRAME_WORDS, e->frame_code) & ~7ULL;
	s->parent = pick(words, FRAME_WORDS, e->frame_previous);
	instr = instruction(e, regs, words);
	s->unit = (int64_t)(instr - s->code - e->code_start) >> 1;
	bpf_probe_read_user(op, sizeof(op), (void *)instr);
	if (kind == PROBE_CLEAR) {
		see_exit(s, e, op[0], regs, owner_of(words, e) == OWNED_BY_GENERATOR);
		return true;
	}
	if (kind == PROBE_THROW)
		return true;
	/* As a rule it goes on behind what left it, with a RESUME. */
	if (kind == PROBE_SEND)
		return (uint32_t)regs[REG_ARG3] ||
		       (owner_of(words, e) == OWNED_BY_GENERATOR && !is_op(e, op[0]));
	if (kind == PROBE_UNWIND) {
		s->flags |= EVENT_RAISED;
		/* It may never have run: no room for one more call. */
		if ((int32_t)s->unit <= 0)
			s->flags |= EVENT_IF_OPEN;
		return true;
	}
	s->is_odd = !is_op(e, op[0]) && !is_instead(e, op[0]);
	return !e->oparg_none || (op[1] & e->oparg_mask) != e->oparg_none;
}

static __always_inline void emit_step(struct step *s)
{
	struct event *r = s->verdict == VERDICT_LOST ? NULL : reserve();

	if (!r) {
		count_lost();
		return;
	}
	fill(r, s->kind, seen_as(s->pid_tgid));
	r->flags = s->flags;
	r->line = s->unit;
	r->code = s->id;
	r->frame = s->frame;
	r->parent = s->parent;
	submit(r, sizeof(*r));
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
		return 0;
	}
	if (!err && e->frees &&
	    (s->verdict == VERDICT_SHOW || s->verdict == VERDICT_HIDE))
		remember(key, s->id | s->verdict);
	return err;
}

static __always_inline void forget_code(uint64_t pid_tgid, uint64_t code)
{
	uint64_t key = fact_key(pid_tgid, code, FACT_CODE);

	if (recall(key))
		remember(key, 0);
}

SEC("uprobe.s")
int on_step(void *ctx)
{
	struct step s = { .kind = EVENT_LEAVE, .flags = EVENT_FRAME | EVENT_UNIT };
	uint32_t cookie = bpf_get_attach_cookie(ctx);
	const uint64_t *regs = ctx;
	struct site *site;
	const struct eval *e;

	s.pid_tgid = bpf_get_current_pid_tgid();
	if (!is_traced(s.pid_tgid))
		return 0;
	site = bpf_map_lookup_elem(&sites, &cookie);
	if (!site)
		return 0;
	e = &site->eval;
	if (site->kind == PROBE_FORGET) {
		forget_code(s.pid_tgid, regs[REG_ARG1]);
		return 0;
	}
	if (site->kind == PROBE_THROW && !(uint32_t)regs[REG_ARG3])
		return 0;
	if (site->kind == PROBE_RESUME || site->kind == PROBE_THROW ||
	    site->kind == PROBE_SEND)
		s.kind = EVENT_ENTER;
	if (site->kind == PROBE_YIELD)
		s.flags |= EVENT_YIELDED;
	s.type = regs[REG_IP] + e->code_type;
	if (take_step(&s, site->kind, e, regs)) {
		if (look_up_code(&s, e))
			s.is_odd = true;
		else if (s.verdict != VERDICT_HIDE)
			emit_step(&s);
	}
	if (s.is_odd)
		__sync_fetch_and_add(&shared.odd, 1);
	return 0;
}

#endif

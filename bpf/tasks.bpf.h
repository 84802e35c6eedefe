/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which asyncio task runs. */
#ifndef PYFLOW_TASKS_BPF_H
#define PYFLOW_TASKS_BPF_H

#include "common.bpf.h"
#include "names.bpf.h"
#include "regs.bpf.h"

/* struct _typeobject in Include/cpython/object.h. */
enum { TYPE_NAME = 24, TYPE_BASE = 256, MAX_BASES = 8 };

/* struct _longobject in Include/cpython/longintrepr.h, since 3.12, in words: digits of 30
 * bits, and how many there are, from bit 3 on. */
enum { INT_TAG = 2, INT_DIGITS = 3, INT_DIGIT_BITS = 30 };

/* Words of a task, from the one with its type on to the one with its name; and of the
 * name, which is a str or an int: as many as the head of an ASCII text has. */
enum { TASK_WORDS = 20, TASK_NAME_WORDS = 5 };

/* What kind of task a type is, as a fact. */
enum { TASK_OF_C = 1, TASK_OTHER = 2 };

/* Is there this string, with its NUL? It is compared in words that are constants: a
 * static array would come into the section of the settings. */
enum { TEXT_WORDS = 4 };

#define TEXT_BYTE(text, i)                                           \
	((uint64_t)(uint8_t)(text "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
				  "\0\0\0\0\0\0\0\0")[i]             \
	 << (i) % 8 * 8)
#define TEXT_WORD(text, i)                                                          \
	(TEXT_BYTE(text, i) | TEXT_BYTE(text, i + 1) | TEXT_BYTE(text, i + 2) |     \
	 TEXT_BYTE(text, i + 3) | TEXT_BYTE(text, i + 4) | TEXT_BYTE(text, i + 5) | \
	 TEXT_BYTE(text, i + 6) | TEXT_BYTE(text, i + 7))
#define IS_TEXT(at, text)                                                        \
	is_text(at, TEXT_WORD(text, 0), TEXT_WORD(text, 8), TEXT_WORD(text, 16), \
		TEXT_WORD(text, 24))

static __always_inline bool is_text(uint64_t at, uint64_t a, uint64_t b, uint64_t c,
				    uint64_t d)
{
	uint64_t got[TEXT_WORDS] = {};

	return bpf_probe_read_user_str(got, sizeof(got), (void *)at) > 0 && got[0] == a &&
	       got[1] == b && got[2] == c && got[3] == d;
}

/* Is it a task as _asyncio makes them, which has its name at a known place, or of a class
 * made from that? asyncio takes any object for a task that is given to it as one. */
static __always_inline bool has_name(uint64_t type, uint64_t pid_tgid)
{
	uint64_t key = fact_key(pid_tgid, type, FACT_TASK), fact = recall(key);
	uint32_t i;

	if (!fact) {
		fact = TASK_OTHER;
		for (i = 0; i < MAX_BASES && type; i++) {
			if (IS_TEXT(read_word(type + TYPE_NAME), "_asyncio.Task")) {
				fact = TASK_OF_C;
				break;
			}
			type = read_word(type + TYPE_BASE);
		}
		remember(key, fact);
	}
	return fact == TASK_OF_C;
}

/* A task that was given no name has a number, until somebody asks for its name. */
static __always_inline uint64_t number_of_int(const uint64_t *o)
{
	switch (o[INT_TAG] >> 3) {
	case 1:
		return (uint32_t)o[INT_DIGITS];
	case 2:
		return (uint32_t)o[INT_DIGITS] | o[INT_DIGITS] >> 32 << INT_DIGIT_BITS;
	}
	return 0;
}

static __always_inline void read_text(struct event_task *r, uint64_t str,
				      const uint64_t *o, const struct task_layout *l)
{
	uint32_t state = o[STR_STATE / 8];
	uint64_t size = o[OBJECT_LENGTH + 1], from;
	uint8_t width = state >> 2 & 7;

	if (size >= MAX_LENGTH)
		return;
	size *= width;
	if ((state & (STR_COMPACT | STR_ASCII)) == (STR_COMPACT | STR_ASCII))
		from = str + l->str_ascii;
	else if (state & STR_COMPACT)
		from = str + l->str_wide;
	else
		from = read_word(str + l->str_wide);
	r->whole = size;
	if (size > TASK_NAME)
		size = TASK_NAME;
	/* So that the verifier sees the bound on what is used behind it. */
	asm volatile("" : "+r"(size));
	if (size > TASK_NAME || bpf_probe_read_user(r->name, size, (void *)from))
		return;
	r->size = size;
	r->width = width;
}

static __always_inline void name_task(struct event_task *r, const struct task_layout *l,
				      uint64_t pid_tgid, uint64_t probe)
{
	uint64_t words[TASK_WORDS], o[TASK_NAME_WORDS] = {}, name;

	if (bpf_probe_read_user(words, sizeof(words), (void *)r->task) ||
	    !has_name(words[STR_TYPE / 8], pid_tgid))
		return;
	name = pick(words, TASK_WORDS, l->name);
	/* An int can be shorter. */
	if (bpf_probe_read_user(o, sizeof(o), (void *)name) &&
	    bpf_probe_read_user(o, sizeof(o) - 8, (void *)name))
		return;
	if (o[STR_TYPE / 8] == probe + l->int_type)
		r->number = number_of_int(o);
	else if (o[STR_TYPE / 8] == probe + l->str_type)
		read_text(r, name, o, l);
}

/* Not static, as see_task(). */
__noinline int send_task(const struct task_layout *l, uint64_t pid_tgid, uint64_t task,
			 uint64_t stack, uint64_t probe)
{
	struct event_task *r = NULL;
	uint64_t id = seen_as(pid_tgid);

	if (!l)
		return 0;
	if (!shared.unsaid || !say_lost())
		r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);
	/* What user space knows of tasks ends with a loss. */
	if (!r) {
		count_lost();
		return 0;
	}
	r->kind = EVENT_TASK;
	r->width = 0;
	r->size = 0;
	r->pid = id >> 32;
	r->tid = id;
	r->whole = 0;
	r->stack = stack;
	r->task = task;
	r->number = 0;
	if (task)
		name_task(r, l, pid_tgid, probe);
	submit(r, sizeof(*r));
	return 0;
}

/* ---- 3.14 and later: the thread state has the task ---- */

/* At _PyEval_EvalFrameDefault(tstate, frame, throwflag), with which every step of a task
 * begins. User space forgets a task that it is told of here when it sees an event further
 * up the stack, or hears of another one here. So a task is always told, and that there is
 * none only while user space may believe that there is. Not static: so the verifier looks
 * at it once. */
__noinline int see_task(const struct task_layout *l, uint64_t tstate, uint64_t stack,
			uint64_t probe)
{
	uint64_t pid_tgid = bpf_get_current_pid_tgid(), task;
	struct tasking new = { .highest = stack }, *t;

	if (!l)
		return 0;
	task = read_word(tstate + l->running);
	t = bpf_map_lookup_elem(&tasking, &pid_tgid);
	if (!task && (!t || !t->highest))
		return 0;
	if (!t) {
		/* Without an entry its end would not be told. */
		if (bpf_map_update_elem(&tasking, &pid_tgid, &new, BPF_ANY))
			return 0;
	} else if (task && stack > t->highest) {
		t->highest = stack;
	} else if (!task && stack >= t->highest) {
		t->highest = 0;
	}
	send_task(l, pid_tgid, task, stack, probe);
	return 0;
}

/* ---- before 3.14: who has called tells it ----
 *
 * A step of a task is run by asyncio's Handle._run(self): what its frame calls by way of
 * C is the step of the task that self._callback is made for. It lasts until that frame is
 * cleared. */

enum { CO_ITERABLE = 0x100, COROUTINES = 0x80 | CO_ITERABLE };

/* Words of a frame; in the one of the owner it is byte 6. */
enum { CALLER_CODE, CALLER_PREVIOUS, CALLER_INSTR = 7, CALLER_OWNER, CALLER_SELF };
enum { CALLER_GENERATOR = 1, MAX_CALLERS = 16 };
enum { CALLBACK_TYPE = 1, CALLBACK_WORDS = 4 };

/* TaskStepMethWrapper: its task is in word 2. A PyCFunctionObject: a PyMethodDef, which
 * begins with its name, and what it is a method of. */
enum { WRAPPER_TASK = 2, METHOD_DEF = 2, METHOD_SELF = 3 };

/* Is that the code object of Handle._run()? */
static __always_inline bool is_run(uint64_t code, const struct task_layout *l,
				   uint64_t pid_tgid)
{
	uint64_t frees = *(volatile uint32_t *)frees_in(code);
	uint64_t key = fact_key(pid_tgid, code, frees << 16 | FACT_RUN);
	uint64_t fact = recall(key);

	if (!fact) {
		fact = IS_TEXT(read_word(code + l->code_qualname) + l->str_ascii,
			       "Handle._run")
			       ? 2
			       : 1;
		remember(key, fact);
	}
	return fact == 2;
}

/* The task that a handle makes a step of; 0 if it does something else. */
static __always_inline uint64_t task_of(uint64_t handle, const struct task_layout *l,
					uint64_t pid_tgid, uint64_t probe)
{
	uint64_t o[CALLBACK_WORDS], key, fact;

	if (bpf_probe_read_user(o, sizeof(o), (void *)read_word(handle + l->callback)))
		return 0;
	if (o[CALLBACK_TYPE] == probe + l->function_type)
		return IS_TEXT(read_word(o[METHOD_DEF]), "task_wakeup") ? o[METHOD_SELF]
									: 0;
	key = fact_key(pid_tgid, o[CALLBACK_TYPE], FACT_RUN);
	fact = recall(key);
	if (!fact) {
		fact = IS_TEXT(read_word(o[CALLBACK_TYPE] + TYPE_NAME),
			       "_asyncio.TaskStepMethWrapper")
			       ? 2
			       : 1;
		remember(key, fact);
	}
	return fact == 2 ? o[WRAPPER_TASK] : 0;
}

/* May it be a task that begins at once, within the step of another (eager_start)? Then it
 * is a coroutine, and what calls it does not await it. */
static __always_inline bool may_be_eager(const struct task_layout *l, uint64_t frame,
					 uint64_t instr)
{
	uint32_t flags = 0;
	uint8_t op = 0;

	bpf_probe_read_user(&flags, sizeof(flags),
			    (void *)(read_word(frame) + l->code_flags));
	if (!(flags & COROUTINES))
		return false;
	bpf_probe_read_user(&op, sizeof(op), (void *)instr);
	return op != l->send[0] && op != l->send[1];
}

/* Read the frame of the caller, and return its address, 0 if that fails. What throw() is
 * called for passes it on to what it awaits, and that to what it awaits, before any of
 * them runs: each then seems to be called by the one before. */
static __always_inline uint64_t read_caller(uint64_t *words, uint64_t caller,
					    bool is_thrown)
{
	uint32_t i;

	for (i = 0; i < MAX_CALLERS; i++) {
		if (bpf_probe_read_user(words, FRAME_WORDS * 8, (void *)caller))
			return 0;
		if (!is_thrown || (words[CALLER_OWNER] >> 48 & 0xff) != CALLER_GENERATOR)
			return caller;
		caller = words[CALLER_PREVIOUS];
	}
	return 0;
}

/* At _PyEval_EvalFrameDefault(), too. frame: 0 if an exception is thrown into it. */
__noinline int see_caller(const struct task_layout *l, uint64_t tstate, uint64_t frame,
			  uint64_t stack, uint64_t probe)
{
	uint64_t pid_tgid = bpf_get_current_pid_tgid(), words[FRAME_WORDS];
	uint64_t caller, running, task = 0;
	struct tasking new = { .highest = stack }, *t;

	if (!l)
		return 0;
	if (l->c_frame)
		tstate = read_word(tstate + l->c_frame);
	caller = read_caller(words, read_word(tstate + l->current_frame), !frame);
	if (!caller)
		return 0;
	t = bpf_map_lookup_elem(&tasking, &pid_tgid);
	/* What is called from within the step of a task is further down the stack. */
	running = t && stack < t->highest ? t->frame : 0;
	if (is_run(words[CALLER_CODE], l, pid_tgid)) {
		/* Of loops in loops the inner ones' tasks are not told. */
		if (!running || running == caller)
			task = task_of(words[CALLER_SELF], l, pid_tgid, probe);
		if (!task && !running && (!t || !t->frame))
			return 0;
	} else if (!running || !frame || !may_be_eager(l, frame, words[CALLER_INSTR])) {
		return 0;
	}
	new.frame = caller;
	if (!t && bpf_map_update_elem(&tasking, &pid_tgid, &new, BPF_ANY))
		return 0;
	if (t && !running)
		*t = new;
	send_task(l, pid_tgid, task, stack, probe);
	return 0;
}

/* A frame is cleared. */
static __always_inline void see_clear(const struct task_layout *l, uint64_t frame,
				      uint64_t stack)
{
	uint64_t pid_tgid = bpf_get_current_pid_tgid();
	struct tasking *t = bpf_map_lookup_elem(&tasking, &pid_tgid);

	if (!t || t->frame != frame)
		return;
	t->frame = 0;
	send_task(l, pid_tgid, 0, stack, 0);
}

#endif

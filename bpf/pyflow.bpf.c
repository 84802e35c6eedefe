// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel side: each program fills one record and submits it. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "event.h"

#if defined(__TARGET_ARCH_x86)
enum { REG_SP = 19, REG_IP = 16, REG_DX = 12, REG_SI = 13 };
#define REG_ARG2 REG_SI
#define REG_ARG3 REG_DX
#elif defined(__TARGET_ARCH_arm64)
enum { REG_SP = 31, REG_IP = 32, REG_ARG2 = 1, REG_ARG3 = 2 };
#else
#error "unknown architecture: define __TARGET_ARCH_x86 or __TARGET_ARCH_arm64"
#endif

/* From CPython's Include/cpython/code.h and Include/internal/pycore_frame.h. */
enum {
	CO_GENERATOR = 0x20,
	CO_COROUTINE = 0x80,
	CO_ASYNC_GENERATOR = 0x200,
	CO_NO_MONITORING_EVENTS = 0x2000000
};
enum { FRAME_OWNED_BY_THREAD = 0, FRAME_WORDS = 10 };
enum { FACT_GENERATOR = 1 }; /* no address: a fact about one alone */
enum { STR_COMPACT = 0x20, STR_ASCII = 0x40 };
enum { STR_TYPE = 8, STR_STATE = 32, STR_UTF8 = 48, MAX_LENGTH = 1 << 30 };

enum { EFAULT = 14, SIGSTOP = 19 };
enum { MAX_NAMES = 65536, MAX_JOB = 16384, MAX_SITES = 1024, MAX_CHUNKS = 1 << 20 };

/* The fields of the kernel's own structures that are read; libbpf finds their offsets. */
struct signal_struct {
	struct {
		int counter;
	} live;
} __attribute__((preserve_access_index));

struct thread_struct {
	unsigned long fsbase;
} __attribute__((preserve_access_index));

struct thread_struct___arm {
	struct {
		unsigned long tp_value;
	} uw;
} __attribute__((preserve_access_index));

struct task_struct {
	int pid;
	int tgid;
	struct signal_struct *signal;
	struct thread_struct thread;
} __attribute__((preserve_access_index));

struct task_struct___arm {
	struct thread_struct___arm thread;
} __attribute__((preserve_access_index));

const volatile struct settings settings;
struct shared shared;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

/* Names already sent and what was decided on them. One that falls out is sent again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_NAMES);
	__type(key, uint64_t);
	__type(value, uint32_t);
} names SEC(".maps");

/* The processes to be traced, by the process ID of the initial namespace. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_JOB);
	__type(key, uint32_t);
	__type(value, struct job);
} job SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SITES);
	__type(key, uint32_t);
	__type(value, struct site);
} sites SEC(".maps");

/* The two strings that name a code object, and the id made of their contents. */
struct name {
	uint64_t file, func;
	uint64_t id;
	uint32_t file_size, func_size; /* bytes with the NUL */
};

/* Short ways past the maps and past reading from the process, shared by all CPUs.
 * `member` was found in the job map last and is still there. `facts` are what is known of
 * addresses until a code object is freed, which raises the epoch: all keys are made with
 * it. One is stored as key ^ value and value, so that halves of two facts are not taken
 * for one. */
enum { FACT_BITS = 13, VERDICT_BITS = 2 };

struct fact {
	uint64_t mixed, value;
};

struct {
	struct fact facts[1 << FACT_BITS];
	uint64_t member;
	uint64_t epoch;
} cache SEC(".bss.cache");

static __always_inline uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

/* The key of a fact about two addresses in a process. */
static __always_inline uint64_t fact_key(uint64_t pid_tgid, uint64_t a, uint64_t b)
{
	uint64_t epoch = *(volatile uint64_t *)&cache.epoch;

	return mix(mix(mix(settings.seed ^ epoch, pid_tgid >> 32), a), b);
}

/* What was remembered for the key, 0 if nothing. */
static __always_inline uint64_t recall(uint64_t key)
{
	struct fact *f = &cache.facts[key >> (64 - FACT_BITS) & ((1 << FACT_BITS) - 1)];
	uint64_t mixed = *(volatile uint64_t *)&f->mixed;
	uint64_t value = *(volatile uint64_t *)&f->value;

	return (mixed ^ value) == key ? value : 0;
}

static __always_inline void remember(uint64_t key, uint64_t value)
{
	struct fact *f = &cache.facts[key >> (64 - FACT_BITS) & ((1 << FACT_BITS) - 1)];

	*(volatile uint64_t *)&f->mixed = key ^ value;
	*(volatile uint64_t *)&f->value = value;
}

static __always_inline void forget_facts(void)
{
	__sync_fetch_and_add(&cache.epoch, 1);
}

/* The process and thread ID in pyflow's PID namespace, of those in the initial one. */
static __always_inline uint64_t seen_as(uint64_t pid_tgid)
{
	struct bpf_pidns_info info;

	if (settings.ns_ino &&
	    !bpf_get_ns_current_pid_tgid(settings.ns_dev, settings.ns_ino, &info,
					 sizeof(info)))
		return (uint64_t)info.tgid << 32 | info.pid;
	return pid_tgid;
}

static __always_inline uint64_t here(void)
{
	return seen_as(bpf_get_current_pid_tgid());
}

static __always_inline struct job *this_job(void)
{
	uint32_t tgid = bpf_get_current_pid_tgid() >> 32;

	return bpf_map_lookup_elem(&job, &tgid);
}

/* With -p the probes are in that process only: the first that comes by joins the job. */
static __noinline long adopt(void)
{
	uint32_t tgid = bpf_get_current_pid_tgid() >> 32;
	struct job new = { .pid = here() >> 32 };

	if (!settings.pid || (!settings.ns_ino && new.pid != settings.pid))
		return -1;
	return bpf_map_update_elem(&job, &tgid, &new, BPF_NOEXIST);
}

/* Probes come and go one by one: between the first and the last of them nothing is sent,
 * so that there is no entry without its return. */
static __always_inline bool is_traced(uint64_t pid_tgid)
{
	uint64_t tgid = pid_tgid >> 32;

	if (!shared.running)
		return false;
	if (cache.member == tgid)
		return true;
	if (!this_job() && adopt())
		return false;
	cache.member = tgid;
	return true;
}

/* Stop this process, and this thread before its next instruction. The signal is the
 * thread's: one for the process that another thread has not taken yet would swallow it,
 * and this one would run on. The count comes after the signal: a reader that sees the
 * count and sends SIGCONT cannot be overtaken by the stop it answers. */
static __always_inline void stop(struct job *j, uint32_t *count)
{
	if (!shared.running)
		return;
	j->pid = here() >> 32;
	bpf_send_signal_thread(SIGSTOP);
	__sync_fetch_and_add(count, 1);
	__sync_fetch_and_add(&shared.calls, 1);
}

static __always_inline uint64_t wake_flags(uint64_t filled, uint32_t size)
{
	uint32_t mark = settings.wake_mark;

	if (shared.waiting) {
		shared.waiting = 0;
		return BPF_RB_FORCE_WAKEUP;
	}
	if (filled >= mark && filled - size - 8 < mark)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

/* Hand over a filled record. A process that fills the buffer beyond the mark is stopped;
 * what is left above the mark is for its other threads, which may be in here now. */
static __always_inline void submit(void *record, uint32_t size)
{
	uint64_t filled = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);

	if ((settings.flags & SETTINGS_STOP) && filled >= settings.stop_mark) {
		struct job *j = this_job();

		if (j)
			stop(j, &j->fulls);
		bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP);
		return;
	}
	bpf_ringbuf_submit(record, wake_flags(filled, size));
}

static __always_inline void fill(struct event *e, uint8_t kind, uint64_t pid_tid)
{
	e->kind = kind;
	e->flags = 0;
	e->cpu = bpf_get_smp_processor_id();
	e->line = 0;
	e->pid = pid_tid >> 32;
	e->tid = pid_tid;
	e->time = bpf_ktime_get_ns();
	e->code = 0;
	e->frame = 0;
}

static __always_inline void count_lost(void)
{
	__sync_fetch_and_add(&shared.lost, 1);
	__sync_fetch_and_add(&shared.unsaid, 1);
}

/* Tell in place how many events had no room before this one. */
static __noinline int say_lost(void)
{
	uint64_t n = __sync_lock_test_and_set(&shared.unsaid, 0);
	struct event *e;

	if (!n)
		return 0;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		__sync_fetch_and_add(&shared.unsaid, n);
		return -1;
	}
	fill(e, EVENT_LOST, here());
	e->code = n;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline struct event *reserve(void)
{
	struct event *e;

	if (shared.unsaid && say_lost())
		return NULL;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	return e;
}

/* Read up to NAME_CHUNK bytes with the NUL. The pages may not have been touched yet:
 * names of modules that are part of the interpreter are in its file. */
static __always_inline long read_chunk(uint64_t *buf, uint64_t from)
{
	long n = bpf_probe_read_user_str(buf, NAME_CHUNK, (void *)from);
	uint8_t touch;

	if (n >= 0 || !(settings.flags & SETTINGS_FAULT))
		return n;
	bpf_copy_from_user(&touch, 1, (void *)from);
	bpf_copy_from_user(&touch, 1, (void *)(from + NAME_CHUNK - 1));
	return bpf_probe_read_user_str(buf, NAME_CHUNK, (void *)from);
}

/* A string on its way into a hash. */
struct hashing {
	uint64_t hash;
	uint64_t from; /* the next byte */
	uint64_t size; /* with the NUL, once that was seen */
	int64_t error;
};

/* Mix one more chunk in. Returns 1 if it was the last. */
static long hash_chunk(uint32_t i, struct hashing *h)
{
	uint64_t buf[NAME_CHUNK / 8]; /* the helper is seen to fill it */
	long n = read_chunk(buf, h->from);
	uint32_t w, len;

	if (n <= 0 || n > NAME_CHUNK) {
		h->error = -EFAULT;
		return 1;
	}
	len = n - 1;
	for (w = 0; w < NAME_CHUNK / 8 && w < len / 8; w++)
		h->hash = mix(h->hash, buf[w]);
	if (w < NAME_CHUNK / 8 && len % 8)
		h->hash = mix(h->hash, buf[w] & ((1ULL << len % 8 * 8) - 1));
	h->hash = mix(h->hash, len);
	h->size += len;
	h->from += len;
	if (n == NAME_CHUNK)
		return 0;
	h->size++;
	return 1;
}

/* Mix the string at `from` into *hash. Returns its size with the NUL, or -EFAULT. Before
 * Linux 5.17 only its first NAME_LONG bytes count; of longer ones then its address does,
 * too. Not static: so the verifier looks at it once, not once for each call in each
 * state. */
__noinline int hash_string(uint64_t from, uint64_t *hash)
{
	struct hashing h = { .from = from };
	uint32_t i;

	if (!hash)
		return -EFAULT;
	h.hash = *hash;
	if (settings.flags & SETTINGS_FAULT) {
		bpf_loop(MAX_CHUNKS, hash_chunk, &h, 0);
	} else {
		for (i = 0; i < NAME_CHUNKS; i++)
			if (hash_chunk(i, &h))
				break;
		if (i == NAME_CHUNKS)
			h.hash = mix(h.hash, from);
	}
	*hash = h.hash;
	return h.error ? h.error : h.size;
}

/* The words of a str object from its type on, and of the characters it ends in if it is
 * ASCII. */
enum { OBJECT_TYPE, OBJECT_LENGTH, OBJECT_HASH, OBJECT_STATE, OBJECT_WORDS = 16 };

/* Mix in the characters of an object that were read with it, from word `first` on.
 * Unrolled, so that each word is at an offset that the verifier knows. */
static __always_inline uint64_t hash_chars(const uint64_t *o, uint32_t first,
					   uint32_t len, uint64_t hash)
{
	uint32_t w;

#pragma unroll
	for (w = OBJECT_STATE + 1; w < OBJECT_WORDS; w++) {
		if (w < first || !len)
			continue;
		hash = mix(hash, len < 8 ? o[w] & ((1ULL << len * 8) - 1) : o[w]);
		len = len < 8 ? 0 : len - 8;
	}
	return hash;
}

/* A str object has its length and its hash in front of its characters, as a rule. These
 * and its address say as much as the characters do; another string that comes to be there
 * has another hash. One that was never hashed is read with its header, if it is short:
 * each call of a helper costs more than what it copies. Returns the size with the NUL, 0
 * if it is no such object. */
static __always_inline uint32_t hash_object(uint64_t chars, uint64_t type, uint16_t data,
					    uint64_t *hash)
{
	uint64_t o[OBJECT_WORDS];
	uint32_t first = (uint32_t)(data - STR_TYPE) >> 3, len;

	if (bpf_probe_read_user(o, sizeof(o), (void *)(chars - data + STR_TYPE)) ||
	    o[OBJECT_TYPE] != type || o[OBJECT_LENGTH] >= MAX_LENGTH ||
	    (o[OBJECT_STATE] & (STR_COMPACT | STR_ASCII)) != (STR_COMPACT | STR_ASCII))
		return 0;
	len = o[OBJECT_LENGTH];
	if (o[OBJECT_HASH] != ~0ULL)
		*hash = mix(mix(*hash, chars), o[OBJECT_HASH]);
	else if (len <= (OBJECT_WORDS - first) * 8)
		*hash = hash_chars(o, first, len, *hash);
	else
		return 0;
	*hash = mix(*hash, len);
	return len + 1;
}

static __always_inline int hash_name(uint64_t chars, uint64_t type, uint16_t data,
				     uint64_t *hash)
{
	int size = data ? hash_object(chars, type, data, hash) : 0;

	return size ? size : hash_string(chars, hash);
}

/* Make the id of a name from what it says, so that an address used again shows no old
 * name. The low bits are left free for `known`. type: the address of PyUnicode_Type, if
 * data is not 0. */
static __always_inline int identify(struct name *n, uint64_t type, uint16_t data)
{
	uint64_t hash = settings.seed;
	int size = hash_name(n->file, type, data, &hash);

	if (size < 0)
		return size;
	n->file_size = size;
	size = hash_name(n->func, type, data, &hash);
	if (size < 0)
		return size;
	n->func_size = size;
	n->id = (hash | 1ULL << 63) & ~0ULL << VERDICT_BITS;
	return 0;
}

static __always_inline long send_short(struct name *n)
{
	struct event_name *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);

	if (!r)
		return -1;
	__builtin_memset(r->pad, 0, sizeof(r->pad));
	r->kind = EVENT_NAME;
	r->code = n->id;
	bpf_probe_read_user_str(r->file, sizeof(r->file), (void *)n->file);
	bpf_probe_read_user_str(r->func, sizeof(r->func), (void *)n->func);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline long send_long(struct name *n)
{
	struct event_name_long *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);

	if (!r)
		return -1;
	__builtin_memset(r->pad, 0, sizeof(r->pad));
	r->kind = EVENT_NAME_LONG;
	r->code = n->id;
	bpf_probe_read_user_str(r->file, sizeof(r->file), (void *)n->file);
	bpf_probe_read_user_str(r->func, sizeof(r->func), (void *)n->func);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline long send_address(struct name *n)
{
	struct event_name_at *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);
	struct job *j = this_job();

	if (!r)
		return -1;
	__builtin_memset(r->pad, 0, sizeof(r->pad));
	r->kind = EVENT_NAME_AT;
	r->pid = here() >> 32;
	r->code = n->id;
	r->file = n->file;
	r->func = n->func;
	if ((settings.flags & SETTINGS_STOP) && j)
		stop(j, &j->fulls);
	bpf_ringbuf_submit(r, BPF_RB_FORCE_WAKEUP);
	return 0;
}

static __always_inline long send(struct name *n)
{
	if (n->file_size <= NAME_FILE && n->func_size <= NAME_FUNC)
		return send_short(n);
	if (n->file_size <= NAME_LONG && n->func_size <= NAME_LONG && settings.long_fits)
		return send_long(n);
	return send_address(n);
}

/* Is an event of this name to be sent? Sends the name itself first where that is needed.
 * Only then it is remembered, so that no other thread can refer to it too early. */
static __always_inline uint32_t judge(struct name *n)
{
	uint32_t verdict = settings.flags & SETTINGS_ASK ? VERDICT_ASKED : VERDICT_SHOW;
	uint32_t *known = bpf_map_lookup_elem(&names, &n->id);

	if (known)
		return *known;
	if (send(n))
		return VERDICT_ASKED;
	bpf_map_update_elem(&names, &n->id, &verdict, BPF_NOEXIST);
	return verdict;
}

/* The verifier wants each word of the context read at an offset that is a constant; the
 * empty asm keeps the compiler from making one read at a variable offset of them all. */
#define REG(n)                                           \
	case n:                                          \
		value = regs[n];                         \
		asm volatile("" : "+r"(value) : "i"(n)); \
		break

static __always_inline uint64_t reg(const uint64_t *regs, uint8_t i)
{
	uint64_t value = 0;

	switch (i) {
		REG(0);
		REG(1);
		REG(2);
		REG(3);
		REG(4);
		REG(5);
		REG(6);
		REG(7);
		REG(8);
		REG(9);
		REG(10);
		REG(11);
		REG(12);
		REG(13);
		REG(14);
		REG(15);
		REG(16);
		REG(17);
		REG(18);
		REG(19);
		REG(20);
#if defined(__TARGET_ARCH_arm64)
		REG(21);
		REG(22);
		REG(23);
		REG(24);
		REG(25);
		REG(26);
		REG(27);
		REG(28);
		REG(29);
		REG(30);
		REG(31);
		REG(32);
		REG(33);
#endif
	}
	return value;
}

static __always_inline uint64_t fit(uint64_t value, uint8_t size, uint8_t is_signed)
{
	uint8_t unused = (64 - size * 8) & 63;

	value <<= unused;
	return is_signed ? (uint64_t)((int64_t)value >> unused) : value >> unused;
}

static __always_inline uint64_t operand(const struct operand *o, const uint64_t *regs)
{
	uint64_t value = 0, at;

	if (o->kind == OPERAND_CONST)
		return o->disp;
	if (o->kind == OPERAND_REG)
		return fit(reg(regs, o->reg) >> (o->shift & 63), o->size, o->is_signed);
	at = reg(regs, o->reg) + reg(regs, o->index) * o->scale + o->disp;
	bpf_probe_read_user(&value, sizeof(value), (void *)at);
	return fit(value, o->size, o->is_signed);
}

static __always_inline uint64_t thread_pointer(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

#if defined(__TARGET_ARCH_x86)
	return task->thread.fsbase;
#else
	return ((struct task_struct___arm *)task)->thread.uw.tp_value;
#endif
}

static __always_inline uint64_t read_word(uint64_t at)
{
	uint64_t value = 0;

	bpf_probe_read_user(&value, sizeof(value), (void *)at);
	return value;
}

static __always_inline uint64_t current_frame(const struct layout *l)
{
	return read_word(read_word(thread_pointer() + l->tls) + l->current_frame);
}

/* Is this the code of a generator or coroutine function? */
static __always_inline bool is_generator(uint64_t code, const struct layout *l,
					 uint64_t pid_tgid)
{
	uint64_t key = fact_key(pid_tgid, code, FACT_GENERATOR);
	uint64_t fact = l->frees ? recall(key) : 0;
	uint32_t flags = 0;

	if (!fact) {
		bpf_probe_read_user(&flags, sizeof(flags),
				    (void *)(code + l->code_flags));
		fact = flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR) ? 2 : 1;
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
	if (identify(&f->name, f->str_type, f->str_data)) {
		__sync_fetch_and_add(&shared.unread, 1);
		f->name.id = 0;
		return VERDICT_SHOW;
	}
	verdict = judge(&f->name);
	if (f->frees && verdict != VERDICT_ASKED)
		remember(key, f->name.id | verdict);
	return verdict;
}

__noinline int emit(struct found *f)
{
	struct event *e;

	if (!f || look_up(f) == VERDICT_HIDE)
		return 0;
	e = reserve();
	if (!e) {
		count_lost();
		return 0;
	}
	fill(e, f->kind, seen_as(f->pid_tgid));
	e->flags = f->flags;
	e->line = f->line;
	e->code = f->name.id;
	e->frame = f->frame;
	submit(e, sizeof(*e));
	return 0;
}

/* The first instructions of a function may have no line: it begins where its code does.
 */
static __always_inline uint32_t first_line(uint64_t frame, const struct layout *l)
{
	uint64_t code = read_word(frame + l->frame_code) & ~7ULL;
	uint32_t line = 0;

	bpf_probe_read_user(&line, sizeof(line), (void *)(code + l->code_line));
	return line;
}

/* Between a class and its __init__() CPython puts a frame of its own, to check the
 * result. It fires a return, and no entry; nobody's function, it has no line and one
 * string for all its names. */
static __always_inline bool is_check(const struct found *f, const struct layout *l)
{
	uint32_t flags = 0;
	uint64_t code;

	if ((int)f->line >= 0 || f->name.file != f->name.func)
		return false;
	code = read_word(f->frame + l->frame_code) & ~7ULL;
	bpf_probe_read_user(&flags, sizeof(flags), (void *)(code + l->code_flags));
	return flags & CO_NO_MONITORING_EVENTS;
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

/* _PyEval_EvalFrameDefault(tstate, frame, throwflag): CPython 3.15 has no probe for a
 * generator that goes on with an exception, which this function is called for with
 * throwflag set. */
static __always_inline bool take_frame(struct found *f, const struct site *site,
				       const uint64_t *regs)
{
	uint64_t code;

	if (!(uint32_t)regs[REG_ARG3])
		return false;
	f->flags = EVENT_FRAME | EVENT_THROWN;
	f->frame = regs[REG_ARG2];
	f->line = first_line(f->frame, &site->layout);
	code = read_word(f->frame + site->layout.frame_code) & ~7ULL;
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
	f.frees = site->layout.frees;
	if (site->kind == PROBE_LEAVE)
		f.kind = EVENT_LEAVE;
	f.str_data = site->layout.str_data;
	f.str_type = regs[REG_IP] + site->layout.str_type;
	if (site->kind == PROBE_EVAL ? take_frame(&f, site, regs)
				     : take_args(&f, site, regs))
		emit(&f);
	return 0;
}

static __always_inline void tell(uint8_t kind, uint64_t code, uint64_t wake_up)
{
	struct event *e = reserve();

	if (!e)
		return;
	fill(e, kind, here());
	e->code = code;
	bpf_ringbuf_submit(e, wake_up);
}

/* The dynamic loader's _dl_debug_state(): the list of loaded objects has changed. */
SEC("uprobe")
int on_load(void *ctx)
{
	struct job *j = this_job();

	if (!j)
		return 0;
	stop(j, &j->loads);
	tell(EVENT_LOAD, 0, BPF_RB_FORCE_WAKEUP);
	return 0;
}

/* Run by the child itself before it becomes the command. */
SEC("raw_tp")
int join(void *ctx)
{
	uint32_t tgid = bpf_get_current_pid_tgid() >> 32;
	struct job new = { .pid = here() >> 32 };

	return bpf_map_update_elem(&job, &tgid, &new, BPF_ANY);
}

SEC("raw_tp/sched_process_fork")
int on_fork(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *child = (void *)ctx->args[1];
	uint32_t tgid = BPF_CORE_READ(child, tgid);
	struct job new = { .pid = tgid };

	if (!this_job() || tgid == bpf_get_current_pid_tgid() >> 32)
		return 0;
	bpf_map_update_elem(&job, &tgid, &new, BPF_NOEXIST);
	tell(EVENT_FORK, tgid, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int on_exec(void *ctx)
{
	struct job *j = this_job();

	if (!j)
		return 0;
	forget_facts();
	stop(j, &j->execs);
	tell(EVENT_EXEC, 0, BPF_RB_FORCE_WAKEUP);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int on_exit(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	uint32_t tgid = bpf_get_current_pid_tgid() >> 32;

	if (!this_job())
		return 0;
	tell(EVENT_EXIT, 0, BPF_RB_NO_WAKEUP);
	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	forget_facts();
	if (cache.member == tgid)
		cache.member = 0;
	bpf_map_delete_elem(&job, &tgid);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";

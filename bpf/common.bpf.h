/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all of the kernel side shares: the maps, who is traced, how a record is handed
 * over. */
#ifndef PYFLOW_COMMON_BPF_H
#define PYFLOW_COMMON_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "event.h"

#if defined(__TARGET_ARCH_x86)
enum { REG_SP = 19, REG_IP = 16, REG_DX = 12, REG_SI = 13, REG_DI = 14 };
#define REG_ARG1 REG_DI
#define REG_ARG2 REG_SI
#define REG_ARG3 REG_DX
#elif defined(__TARGET_ARCH_arm64)
enum { REG_SP = 31, REG_IP = 32, REG_ARG1 = 0, REG_ARG2 = 1, REG_ARG3 = 2 };
#else
#error "unknown architecture: define __TARGET_ARCH_x86 or __TARGET_ARCH_arm64"
#endif

enum { EFAULT = 14, SIGSTOP = 19, EINVAL = 22 };
enum { MAX_NAMES = 65536, MAX_JOB = 16384, MAX_SITES = 1024, MAX_CHUNKS = 1 << 20 };
enum { SESSION = 3 }; /* PIDTYPE_SID */
enum { CALLS_SIZE = 1 << 19, MAX_PID_LEVEL = 32, MAX_TASKING = 16384 };

/* The fields of the kernel's own structures that are read; libbpf finds their offsets. */
struct signal_struct {
	struct {
		int counter;
	} live;
	struct pid *pids[SESSION + 1];
} __attribute__((preserve_access_index));

struct thread_struct {
	unsigned long fsbase;
} __attribute__((preserve_access_index));

struct thread_struct___arm {
	struct {
		unsigned long tp_value;
	} uw;
} __attribute__((preserve_access_index));

struct ns_common {
	unsigned int inum;
} __attribute__((preserve_access_index));

struct pid_namespace {
	struct ns_common ns;
} __attribute__((preserve_access_index));

struct upid {
	int nr;
	struct pid_namespace *ns;
} __attribute__((preserve_access_index));

struct pid {
	unsigned int level;
	struct upid numbers[1];
} __attribute__((preserve_access_index));

typedef struct kuid {
	uint32_t val;
} kuid_t;

struct cred {
	kuid_t uid, suid;
} __attribute__((preserve_access_index));

struct mm_struct {
	unsigned long arg_start, arg_end;
} __attribute__((preserve_access_index));

struct task_struct {
	int pid;
	int tgid;
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct pid *thread_pid;
	struct mm_struct *mm;
	struct signal_struct *signal;
	struct cred *real_cred;
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

/* The processes to be traced, by the process ID of the initial namespace. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_JOB);
	__type(key, uint32_t);
	__type(value, struct job);
} job SEC(".maps");

/* Threads that have run an asyncio task, by process and thread ID. */
struct tasking {
	/* The highest stack pointer with which user space may know one of theirs; 0: it
	 * knows that there is none. */
	uint64_t highest;
	uint64_t frame; /* before 3.14: that of Handle._run(), which runs it; or 0 */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_TASKING);
	__type(key, uint64_t);
	__type(value, struct tasking);
} tasking SEC(".maps");

/* What user space has to see to. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, CALLS_SIZE);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SITES);
	__type(key, uint32_t);
	__type(value, struct site);
} sites SEC(".maps");

/* Short ways past the maps and past reading from the process, shared by all CPUs.
 * `member` was found in the job map last and is still there. `facts` are what is known of
 * addresses until a code object is freed, which raises the epoch: all keys are made with
 * it. One is stored with its key mixed into its words, so that parts of two facts are
 * not taken for one. */
enum { FACT_BITS = 14, PAGE_BITS = 10, EPOCH_BITS = 10, VERDICT_BITS = 2 };

/* In the place of a second address, for facts about one alone; and those that are known
 * of instructions, by kind of probe. */
enum { FACT_GENERATOR = 1, FACT_CODE = 2, FACT_TASK = 3, FACT_RUN = 4, FACT_STEP = 16 };

enum { FRAME_WORDS = 10 }; /* of the head of a frame: what is read of it */

struct fact {
	uint64_t mixed, value, more;
};

struct {
	struct fact facts[1 << FACT_BITS];
	uint64_t member;
	uint64_t epochs[1 << EPOCH_BITS]; /* raised where all facts of a process end, */
	uint32_t frees[1 << PAGE_BITS];	  /* and where those about a page's code do */
} cache SEC(".bss.cache");

static __always_inline uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

/* The epoch of a process, and of others that share the slot. */
static __always_inline uint64_t *epoch_of(uint64_t pid_tgid)
{
	return &cache.epochs[pid_tgid >> 32 & ((1 << EPOCH_BITS) - 1)];
}

/* The key of a fact about two addresses in a process. */
static __always_inline uint64_t fact_key(uint64_t pid_tgid, uint64_t a, uint64_t b)
{
	uint64_t epoch = *(volatile uint64_t *)epoch_of(pid_tgid);

	return mix(mix(mix(settings.seed ^ epoch, pid_tgid >> 32), a), b);
}

static __always_inline struct fact *fact_of(uint64_t key)
{
	return &cache.facts[key >> (64 - FACT_BITS) & ((1 << FACT_BITS) - 1)];
}

/* What was remembered for the key, 0 if nothing; *more is the rest of it. */
static __always_inline uint64_t recall_more(uint64_t key, uint64_t *more)
{
	struct fact *f = fact_of(key);
	uint64_t mixed = *(volatile uint64_t *)&f->mixed;
	uint64_t value = *(volatile uint64_t *)&f->value;

	*more = *(volatile uint64_t *)&f->more;
	return (mixed ^ value ^ *more) == key ? value : 0;
}

static __always_inline uint64_t recall(uint64_t key)
{
	uint64_t more;

	return recall_more(key, &more);
}

static __always_inline void remember_more(uint64_t key, uint64_t value, uint64_t more)
{
	struct fact *f = fact_of(key);

	*(volatile uint64_t *)&f->mixed = key ^ value ^ more;
	*(volatile uint64_t *)&f->value = value;
	*(volatile uint64_t *)&f->more = more;
}

static __always_inline void remember(uint64_t key, uint64_t value)
{
	remember_more(key, value, 0);
}

/* The count of the frees in the page of an address, or in others that share the slot. */
static __always_inline uint32_t *frees_in(uint64_t address)
{
	uint64_t hash = (address >> 12) * 0x9e3779b97f4a7c15ULL;

	return &cache.frees[hash >> (64 - PAGE_BITS) & ((1 << PAGE_BITS) - 1)];
}

static __always_inline void forget_facts(void)
{
	__sync_fetch_and_add(epoch_of(bpf_get_current_pid_tgid()), 1);
}

/* The number of a struct pid in pyflow's PID namespace, 0 if it has none there: it has
 * one for each namespace from its own up to the initial one. */
static __noinline uint32_t number_of_pid(uint64_t at)
{
	struct pid *pid = (struct pid *)at;
	uint32_t level = BPF_CORE_READ(pid, level), i;

	for (i = 0; i <= MAX_PID_LEVEL && i <= level; i++) {
		struct upid u = {};

		bpf_core_read(&u, sizeof(u), &pid->numbers[i]);
		if (!settings.ns_ino || BPF_CORE_READ(u.ns, ns.inum) == settings.ns_ino)
			return u.nr;
	}
	return 0;
}

static __always_inline uint32_t number_of(struct task_struct *task)
{
	return settings.ns_ino ? number_of_pid((uint64_t)BPF_CORE_READ(task, thread_pid))
			       : BPF_CORE_READ(task, pid);
}

/* The process and thread ID in pyflow's PID namespace, of those in the initial one; 0 if
 * they have none there. The helper knows those whose own namespace it is. */
static __always_inline uint64_t named(uint64_t pid_tgid)
{
	struct bpf_pidns_info info;
	struct task_struct *task;
	uint32_t tgid;

	if (!settings.ns_ino)
		return pid_tgid;
	if (!bpf_get_ns_current_pid_tgid(settings.ns_dev, settings.ns_ino, &info,
					 sizeof(info)))
		return (uint64_t)info.tgid << 32 | info.pid;
	task = (struct task_struct *)bpf_get_current_task();
	tgid = number_of(BPF_CORE_READ(task, group_leader));
	return tgid ? (uint64_t)tgid << 32 | number_of(task) : 0;
}

/* What is shown: these, else those of the initial namespace. */
static __always_inline uint64_t seen_as(uint64_t pid_tgid)
{
	uint64_t id = named(pid_tgid);

	return id ? id : pid_tgid;
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

/* Probes come and go one by one: between the first and the last of them nothing is sent,
 * so that there is no entry without its return. */
static __always_inline bool is_traced(uint64_t pid_tgid)
{
	uint64_t tgid = pid_tgid >> 32;

	if (!shared.running)
		return false;
	if (cache.member == tgid)
		return true;
	if (!this_job())
		return false;
	cache.member = tgid;
	return true;
}

static __always_inline void call(const struct job *j, uint32_t reason, uint64_t what)
{
	struct job_call *c = bpf_ringbuf_reserve(&calls, sizeof(*c), 0);

	if (!c) {
		__sync_fetch_and_add(&shared.unheard, 1);
		return;
	}
	c->tgid = bpf_get_current_pid_tgid() >> 32;
	c->reason = reason;
	c->born = j->born;
	c->what = what;
	bpf_ringbuf_submit(c,
			   reason < CALL_FULL ? BPF_RB_NO_WAKEUP : BPF_RB_FORCE_WAKEUP);
}

/* May a process be stopped now? */
static __always_inline bool is_holding(void)
{
	return shared.running && shared.holding;
}

/* What kill(2) asks: is the real or the saved user of the process pyflow's, or, of
 * SIGCONT, the session? */
static __always_inline bool can_go_on(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return !(settings.flags & SETTINGS_OWN) ||
	       BPF_CORE_READ(task, real_cred, uid.val) == settings.uid ||
	       BPF_CORE_READ(task, real_cred, suid.val) == settings.uid ||
	       number_of_pid((uint64_t)BPF_CORE_READ(task, signal, pids[SESSION])) ==
		       settings.session;
}

/* Its parent may be one that stops with it. */
static __always_inline void note_stop(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	uint32_t parent = BPF_CORE_READ(task, real_parent, tgid);
	struct job *j = bpf_map_lookup_elem(&job, &parent);

	if (j)
		j->child_stopped = bpf_ktime_get_ns();
}

/* Stop this process, and this thread before its next instruction. The signal is the
 * thread's: one for the process that another thread has not taken yet would swallow it,
 * and this one would run on. The call comes after the signal: a reader that hears the
 * call and sends SIGCONT cannot be overtaken by the stop it answers. */
static __always_inline void stop(struct job *j, uint32_t reason)
{
	uint64_t id = named(bpf_get_current_pid_tgid());
	uint32_t stops = j->stops;

	/* What pyflow has no name for it could not continue. */
	if (!is_holding() || !id)
		return;
	j->pid = id >> 32;
	/* One that pyflow may not continue is looked at while it runs. */
	if (can_go_on()) {
		note_stop();
		bpf_send_signal_thread(SIGSTOP);
		stops = __sync_fetch_and_add(&j->stops, 1) + 1;
	} else {
		__sync_fetch_and_add(&shared.unheld, 1);
	}
	call(j, reason, stops);
}

/* With SETTINGS_STOP: until the reader has read what there is. */
static __always_inline void stop_for_room(void)
{
	struct job *j = settings.flags & SETTINGS_STOP ? this_job() : NULL;

	if (j)
		stop(j, CALL_FULL);
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
		stop_for_room();
		bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP);
		return;
	}
	bpf_ringbuf_submit(record, wake_flags(filled, size));
}

/* Is what is left above the mark needed for one record from each process? Then no name
 * goes there: its process will be stopped anyway, and it can be read from its memory. */
static __always_inline bool is_crowded(void)
{
	return (settings.flags & SETTINGS_STOP) && shared.holding &&
	       bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) >= settings.stop_mark;
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

/* Who finds no room is stopped, too: one event of it is lost, not all that follow. */
static __always_inline void count_lost(void)
{
	__sync_fetch_and_add(&shared.lost, 1);
	__sync_fetch_and_add(&shared.unsaid, 1);
	stop_for_room();
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

/* For a call or return: where tasks are told, with what it takes to tell its own. The
 * settings are constants, so the verifier sees one of the ways only. */
static __always_inline struct event *reserve_step(void)
{
	struct event_deep *e;

	if (!(settings.flags & SETTINGS_TASKS))
		return reserve();
	if (shared.unsaid && say_lost())
		return NULL;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	return e ? &e->event : NULL;
}

static __always_inline void submit_step(struct event *e, uint64_t stack)
{
	struct event_deep *deep = (struct event_deep *)e;

	if (settings.flags & SETTINGS_TASKS) {
		e->flags |= EVENT_STACK;
		deep->stack = stack;
		submit(e, sizeof(*deep));
	} else {
		submit(e, sizeof(*e));
	}
}

#endif

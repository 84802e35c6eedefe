/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes of the job: who belongs to it, and who is stopped to be looked at. */
#ifndef PYFLOW_JOB_BPF_H
#define PYFLOW_JOB_BPF_H

#include "common.bpf.h"

enum { MAX_FILES = 16384, MAX_OBJECTS = 4096, MAX_ERRNO = 4095 };

/* The fields of the kernel's structures that tell a file. The time of the last change of
 * an inode has had three names: until 6.5, until 6.10, and since. */
struct super_block {
	uint32_t s_dev;
} __attribute__((preserve_access_index));

struct timespec64 {
	int64_t tv_sec;
	long tv_nsec;
};

struct inode {
	struct super_block *i_sb;
	unsigned long i_ino;
	int64_t i_size;
	uint32_t i_generation;
	int64_t i_ctime_sec;
	uint32_t i_ctime_nsec;
} __attribute__((preserve_access_index));

struct inode___old {
	struct timespec64 i_ctime;
} __attribute__((preserve_access_index));

struct inode___mid {
	struct timespec64 __i_ctime;
} __attribute__((preserve_access_index));

struct file {
	struct inode *f_inode;
} __attribute__((preserve_access_index));

struct vm_area_struct {
	struct file *vm_file;
} __attribute__((preserve_access_index));

struct linux_binprm {
	struct file *file;
} __attribute__((preserve_access_index));

struct bpf_iter__task {
	struct task_struct *task;
} __attribute__((preserve_access_index));

/* Files that user space has looked at, and put probes on if they are a Python. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_FILES);
	__type(key, uint64_t);
	__type(value, uint8_t);
} files SEC(".maps");

/* A process that tells of its end need not be stopped. */
static __always_inline void tell(uint8_t kind, uint64_t code)
{
	struct event *e = reserve();

	if (!e)
		return;
	fill(e, kind, here());
	e->code = code;
	if (kind == EVENT_EXIT)
		bpf_ringbuf_submit(
			e, wake_flags(bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA),
				      sizeof(*e)));
	else
		submit(e, sizeof(*e));
}

/* ---- files ---- */

static __always_inline uint64_t changed(struct inode *inode)
{
	struct inode___old *old = (void *)inode;
	struct inode___mid *mid = (void *)inode;

	if (bpf_core_field_exists(inode->i_ctime_sec))
		return mix(BPF_CORE_READ(inode, i_ctime_sec),
			   BPF_CORE_READ(inode, i_ctime_nsec));
	if (bpf_core_field_exists(mid->__i_ctime))
		return mix(BPF_CORE_READ(mid, __i_ctime.tv_sec),
			   BPF_CORE_READ(mid, __i_ctime.tv_nsec));
	if (bpf_core_field_exists(old->i_ctime))
		return mix(BPF_CORE_READ(old, i_ctime.tv_sec),
			   BPF_CORE_READ(old, i_ctime.tv_nsec));
	/* Then no file is known twice. */
	return bpf_ktime_get_ns();
}

/* What tells a file from others, and from itself before it was written to. */
static __noinline uint64_t file_key(uint64_t file)
{
	struct inode *inode = BPF_CORE_READ((struct file *)file, f_inode);
	uint64_t key = mix(settings.seed, BPF_CORE_READ(inode, i_sb, s_dev));

	key = mix(mix(key, BPF_CORE_READ(inode, i_ino)), BPF_CORE_READ(inode, i_size));
	return mix(mix(key, BPF_CORE_READ(inode, i_generation)), changed(inode));
}

static long take_inode(struct task_struct *task, struct vm_area_struct *vma,
		       uint64_t *key)
{
	struct file *file = BPF_CORE_READ(vma, vm_file);

	if (file)
		*key = mix(settings.seed, (uint64_t)BPF_CORE_READ(file, f_inode));
	return 0;
}

/* Run for each task: which file has the wanted process mapped at an address? That is the
 * inode that uprobes go by; user space sees other numbers of it in each overlay. */
SEC("iter/task")
int tell_file(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	uint64_t key = 0;

	if (!task || !shared.wanted || !(settings.flags & SETTINGS_FAULT) ||
	    number_of(task) != shared.wanted)
		return 0;
	if (!bpf_find_vma(task, shared.place, take_inode, &key, 0)) {
		shared.file = key;
		shared.wanted = 0;
	}
	return 0;
}

enum { FILE_UNKNOWN, FILE_NONE };

static long take_file(struct task_struct *task, struct vm_area_struct *vma, uint64_t *key)
{
	struct file *file = BPF_CORE_READ(vma, vm_file);

	*key = file ? file_key((uint64_t)file) : FILE_NONE;
	return 0;
}

/* The file mapped at an address. FILE_UNKNOWN if that cannot be told now. */
static __always_inline uint64_t file_at(uint64_t address)
{
	uint64_t key = FILE_UNKNOWN;

	bpf_find_vma(bpf_get_current_task_btf(), address, take_file, &key, 0);
	return key;
}

/* Is this file news? Then user space is told that the process stops for it. */
static __always_inline bool is_new(const struct job *j, uint32_t reason, uint64_t key)
{
	if (key == FILE_UNKNOWN)
		return true;
	if (key == FILE_NONE || bpf_map_lookup_elem(&files, &key))
		return false;
	call(j, reason, key);
	return true;
}

/* ---- what the dynamic loader has loaded ---- */

/* struct r_debug and struct link_map: <link.h>. */
struct r_debug {
	int32_t version;
	uint64_t map;
	uint64_t brk;
	int32_t state;
};

struct link_map {
	uint64_t addr, name, ld, next;
};

enum { RT_CONSISTENT = 0, LOADED_ONE_LIST = 1 };

struct objects {
	const struct job *job;
	uint64_t map; /* the next one */
	uint64_t news;
};

static long look_at_object(uint32_t i, struct objects *o)
{
	struct link_map map;

	if (!o->map)
		return 1;
	if (bpf_probe_read_user(&map, sizeof(map), (void *)o->map)) {
		o->news = 1;
		return 1;
	}
	if (is_new(o->job, CALL_FILE, file_at(map.ld)))
		o->news = 1;
	o->map = map.next;
	return 0;
}

/* Has a process loaded what user space has not looked at yet? What cannot be told is new.
 */
static __always_inline bool has_loaded(const struct job *j, uint64_t r_debug)
{
	struct objects o = { .job = j };
	struct r_debug r;

	if (bpf_probe_read_user(&r, sizeof(r), (void *)r_debug))
		return true;
	if (r.state != RT_CONSISTENT)
		return false;
	if (r.version != LOADED_ONE_LIST || !(settings.flags & SETTINGS_FAULT))
		return true;
	o.map = r.map;
	bpf_loop(MAX_OBJECTS, look_at_object, &o, 0);
	return o.news || o.map;
}

/* The dynamic loader's _dl_debug_state(): the list of loaded objects has changed. The
 * cookie is how far its _r_debug is from there, 0 if that is not known. */
SEC("uprobe")
int on_load(void *ctx)
{
	uint64_t distance = bpf_get_attach_cookie(ctx);
	const uint64_t *regs = ctx;
	struct job *j = this_job();

	if (j && is_holding() && (!distance || has_loaded(j, regs[REG_IP] + distance)))
		stop(j, CALL_LOAD);
	return 0;
}

/* ---- who belongs to the job ---- */

/* Run by the child itself before it becomes the command. */
SEC("raw_tp")
int join(void *ctx)
{
	uint32_t tgid = bpf_get_current_pid_tgid() >> 32;
	struct job new = { .pid = here() >> 32, .born = bpf_ktime_get_ns() };

	return bpf_map_update_elem(&job, &tgid, &new, BPF_ANY);
}

/* Run for each task of pyflow's PID namespace: the one that is wanted joins the job. */
SEC("iter/task")
int adopt(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct job new = { .born = bpf_ktime_get_ns() };
	uint32_t tgid;

	if (!task || !shared.wanted)
		return 0;
	tgid = BPF_CORE_READ(task, tgid);
	new.pid = number_of(task);
	if (tgid != (uint32_t)BPF_CORE_READ(task, pid) || new.pid != shared.wanted ||
	    bpf_map_update_elem(&job, &tgid, &new, BPF_ANY))
		return 0;
	/* on_exit() may have come before: another process may get the number. */
	if (BPF_CORE_READ(task, signal, live.counter))
		shared.wanted = 0;
	else
		bpf_map_delete_elem(&job, &tgid);
	return 0;
}

SEC("raw_tp/sched_process_fork")
int on_fork(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *child = (void *)ctx->args[1];
	uint32_t tgid = BPF_CORE_READ(child, tgid);
	struct job new = { .born = bpf_ktime_get_ns() };

	if (!(settings.flags & SETTINGS_INHERIT) || !this_job() ||
	    tgid == bpf_get_current_pid_tgid() >> 32)
		return 0;
	new.pid = number_of(child);
	if (bpf_map_update_elem(&job, &tgid, &new, BPF_ANY))
		__sync_fetch_and_add(&shared.crowded, 1);
	tell(EVENT_FORK, new.pid);
	return 0;
}

static __always_inline void tell_args(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	uint64_t start = BPF_CORE_READ(mm, arg_start);
	uint64_t size = BPF_CORE_READ(mm, arg_end) - start;
	struct event_args *a;

	a = bpf_ringbuf_reserve(&events, sizeof(*a), 0);
	if (!a)
		return;
	fill(&a->event, EVENT_ARGS, here());
	a->whole = size;
	/* So that the verifier sees the bound on what is used behind it. */
	asm volatile("" : "+r"(size));
	if (size > ARGS_SIZE)
		size = ARGS_SIZE;
	if (bpf_probe_read_user(a->args, size, (void *)start))
		size = 0;
	a->size = size;
	bpf_get_current_comm(a->comm, sizeof(a->comm));
	bpf_ringbuf_submit(a, BPF_RB_NO_WAKEUP);
}

/* Where the new program begins: in its dynamic loader, if it has one. */
static __always_inline uint64_t begin_of_program(void)
{
	const uint64_t *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	uint64_t ip = 0;

	bpf_probe_read_kernel(&ip, sizeof(ip), &regs[REG_IP]);
	return ip;
}

/* Both files must be known: a program that is no Python is watched by its loader. */
static __always_inline bool runs_news(const struct job *j, struct linux_binprm *program)
{
	uint64_t file, loader;

	if (!(settings.flags & SETTINGS_FAULT))
		return true;
	file = file_key((uint64_t)BPF_CORE_READ(program, file));
	loader = file_at(begin_of_program());
	return loader == FILE_UNKNOWN || is_new(j, CALL_PROGRAM, mix(file, loader));
}

SEC("raw_tp/sched_process_exec")
int on_exec(struct bpf_raw_tracepoint_args *ctx)
{
	uint64_t pid_tgid = bpf_get_current_pid_tgid();
	struct job *j = this_job();

	if (!j)
		return 0;
	forget_facts();
	if (settings.flags & SETTINGS_TASKS)
		bpf_map_delete_elem(&tasking, &pid_tgid);
	tell(EVENT_EXEC, 0);
	if (settings.flags & SETTINGS_NOTES)
		tell_args();
	if (is_holding() && runs_news(j, (void *)ctx->args[2]))
		stop(j, CALL_EXEC);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int on_exit(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	uint64_t pid_tgid = bpf_get_current_pid_tgid();
	uint32_t tgid = pid_tgid >> 32;

	if (!this_job())
		return 0;
	tell(EVENT_EXIT, 0);
	if (settings.flags & SETTINGS_TASKS)
		bpf_map_delete_elem(&tasking, &pid_tgid);
	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	forget_facts();
	if (cache.member == tgid)
		cache.member = 0;
	bpf_map_delete_elem(&job, &tgid);
	return 0;
}

/* A parent that waits with WUNTRACED and stops itself when its child has stopped, for the
 * shell's sake, as su(1) and script(1) do: nobody else would let it go on. */
enum { ANSWER_NS = 1000000000, SIGTSTP = 20, SI_USER = 0, SI_TKILL = -6 };

struct kernel_siginfo {
	int si_code;
} __attribute__((preserve_access_index));

static __always_inline bool is_sent_by_itself(struct kernel_siginfo *info,
					      struct task_struct *task)
{
	int code;

	if ((uint64_t)info <= 1 ||
	    (uint32_t)BPF_CORE_READ(task, tgid) != bpf_get_current_pid_tgid() >> 32)
		return false;
	code = BPF_CORE_READ(info, si_code);
	return code == SI_USER || code == SI_TKILL;
}

SEC("raw_tp/signal_generate")
int on_signal(struct bpf_raw_tracepoint_args *ctx)
{
	int signal = ctx->args[0];
	struct job *j;

	if (!is_holding() || (signal != SIGSTOP && signal != SIGTSTP))
		return 0;
	j = this_job();
	if (!j || !j->child_stopped ||
	    !is_sent_by_itself((void *)ctx->args[1], (void *)ctx->args[2]) ||
	    bpf_ktime_get_ns() - j->child_stopped > ANSWER_NS)
		return 0;
	j->child_stopped = 0;
	/* Its own parent may do the same. */
	note_stop();
	call(j, CALL_ANSWER, __sync_fetch_and_add(&j->stops, 1) + 1);
	return 0;
}

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/* The BPF object, and its programs on the probes of files. */
#include <config.h>

#include "attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach-explain.h"
#include "log.h"
#include "xalloc.h"

extern const char pyflow_bpf[], pyflow_bpf_end[];

enum { INODE_TRIES = 20 }; /* a millisecond apart */

/* include/linux/proc_ns.h: the inode of the initial PID namespace. */
#define PROC_PID_INIT_INO 0xEFFFFFFCU

struct attach {
	struct bpf_object *object;
	struct bpf_program *probe_program, *step_program, *load_program;
	struct shared *shared;
	int names_fd, sites_fd, job_fd, files_fd, calls_fd, ring_fd, join_fd;
	uint32_t sites; /* of them in use */
	size_t low_mark;
	bool tells_inodes;
	struct bpf_link **links;
	size_t link_count;
	struct rlimit files; /* as it was */
};

/* libbpf's words, which can be the verifier's whole log, a line at a time. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text, *line, *rest = NULL;

	if (log_level() < 3 || level == LIBBPF_DEBUG ||
	    vasprintf(&text, format, args) < 0)
		return 0;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		info(3, "%s", line);
	free(text);
	return 0;
}

static void fill_settings(struct settings *s, size_t buffer)
{
	struct stat ns;

	s->wake_mark = buffer / 4;
	s->stop_mark = buffer / 2;
	s->long_fits = sizeof(struct event_name_long) < buffer / 4;
	if (getrandom(&s->seed, sizeof(s->seed), 0) != sizeof(s->seed))
		s->seed = (uintptr_t)s;
	if (!attach_has_capability(CAP_KILL)) {
		s->flags |= SETTINGS_OWN;
		s->uid = geteuid();
		s->session = getsid(0);
	}
	if (!stat("/proc/self/ns/pid", &ns) && ns.st_ino != PROC_PID_INIT_INO) {
		s->ns_dev = ns.st_dev;
		s->ns_ino = ns.st_ino;
	}
}

static int map_fd(struct bpf_object *object, const char *name)
{
	return bpf_object__find_map_fd_by_name(object, name);
}

/* With SETTINGS_STOP, above the mark is an event's room for each process that there can
 * be, since each is stopped at its next one only. */
static size_t ring_size(const struct settings *s, struct bpf_object *object,
			size_t buffer)
{
	size_t most = bpf_map__max_entries(bpf_object__find_map_by_name(object, "job"));
	size_t event = sizeof(struct event) + BPF_RINGBUF_HDR_SZ, size = buffer;

	/* An event can come with its task. */
	if (s->flags & SETTINGS_TASKS)
		event = sizeof(struct event_deep) + sizeof(struct event_task) +
			2 * BPF_RINGBUF_HDR_SZ;
	while (s->flags & SETTINGS_STOP && size - buffer / 2 < most * event)
		size *= 2;
	return size;
}

/* Open the object and load it. Programs that may fault pages in need Linux 6.0. */
static int load(const struct settings *s, size_t buffer, struct bpf_object **object)
{
	struct bpf_object *o =
		bpf_object__open_mem(pyflow_bpf, pyflow_bpf_end - pyflow_bpf, NULL);
	struct bpf_program *program;
	struct bpf_map *rodata;
	size_t size = 0;
	void *initial;
	int err;

	if (!o)
		return -errno;
	rodata = bpf_object__find_map_by_name(o, ".rodata");
	initial = rodata ? (void *)bpf_map__initial_value(rodata, &size) : NULL;
	if (!initial || size < sizeof(*s)) {
		bpf_object__close(o);
		return -EINVAL;
	}
	memcpy(initial, s, sizeof(*s));
	bpf_map__set_max_entries(bpf_object__find_map_by_name(o, "events"),
				 ring_size(s, o, buffer));
	if (!(s->flags & SETTINGS_TASKS))
		bpf_map__set_max_entries(bpf_object__find_map_by_name(o, "tasking"), 1);
	bpf_object__for_each_program (program, o)
		if (!(s->flags & SETTINGS_FAULT))
			bpf_program__set_flags(program, 0);
	err = bpf_object__load(o);
	if (err) {
		bpf_object__close(o);
		return err;
	}
	*object = o;
	return 0;
}

static int load_as_possible(struct settings *s, size_t buffer, struct bpf_object **object)
{
	int err;

	s->flags |= SETTINGS_FAULT;
	err = load(s, buffer, object);
	if (!err || err == -EPERM)
		return err;
	info(2, "this kernel has no uprobe programs that may sleep: trying without");
	s->flags &= ~SETTINGS_FAULT;
	return load(s, buffer, object);
}

static int find_parts(struct attach *a)
{
	struct bpf_program *join = bpf_object__find_program_by_name(a->object, "join");

	a->probe_program = bpf_object__find_program_by_name(a->object, "on_probe");
	a->step_program = bpf_object__find_program_by_name(a->object, "on_step");
	a->load_program = bpf_object__find_program_by_name(a->object, "on_load");
	a->join_fd = bpf_program__fd(join);
	a->names_fd = map_fd(a->object, "names");
	a->sites_fd = map_fd(a->object, "sites");
	a->job_fd = map_fd(a->object, "job");
	a->files_fd = map_fd(a->object, "files");
	a->calls_fd = map_fd(a->object, "calls");
	a->ring_fd = map_fd(a->object, "events");
	a->shared = mmap(NULL, sizeof(*a->shared), PROT_READ | PROT_WRITE, MAP_SHARED,
			 map_fd(a->object, ".bss"), 0);
	if (a->shared == MAP_FAILED) {
		a->shared = NULL;
		return -errno;
	}
	a->shared->holding = 1;
	return 0;
}

/* Each interpreter takes a dozen descriptors, and each process that is stopped one. */
static void allow_files(struct attach *a)
{
	struct rlimit all;

	if (getrlimit(RLIMIT_NOFILE, &a->files))
		return;
	all = (struct rlimit){ a->files.rlim_max, a->files.rlim_max };
	setrlimit(RLIMIT_NOFILE, &all);
}

int attach_open(struct settings settings, size_t buffer, struct attach **attach)
{
	struct attach *a = xcalloc(1, sizeof(*a));
	int err;

	allow_files(a);
	libbpf_set_print(print_libbpf);
	fill_settings(&settings, buffer);
	a->low_mark = settings.wake_mark;
	err = load_as_possible(&settings, buffer, &a->object);
	a->tells_inodes = settings.flags & SETTINGS_FAULT;
	if (!err)
		err = find_parts(a);
	if (err) {
		attach_explain("load BPF programs", err);
		attach_close(a);
		return err;
	}
	*attach = a;
	return 0;
}

void attach_close(struct attach *a)
{
	if (!a)
		return;
	attach_detach(a);
	if (a->shared)
		munmap(a->shared, sizeof(*a->shared));
	bpf_object__close(a->object);
	free(a);
}

int attach_join(struct attach *a)
{
	setrlimit(RLIMIT_NOFILE, &a->files);
	return bpf_prog_test_run_opts(
		a->join_fd,
		&(struct bpf_test_run_opts){ .sz = sizeof(struct bpf_test_run_opts) });
}

static int keep(struct attach *a, struct bpf_link *link)
{
	if (!link)
		return -errno;
	a->links = xgrow(a->links, a->link_count, sizeof(*a->links));
	a->links[a->link_count++] = link;
	return 0;
}

/* Run the iterator's program over all tasks, by reading what it prints: nothing. */
static int run_iterator(struct bpf_link *link)
{
	int fd = bpf_iter_create(bpf_link__fd(link)), err = 0;
	char nothing;

	if (fd < 0)
		return fd;
	if (read(fd, &nothing, 1) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* Have one of the iterators look for a process. */
static int look_for(struct attach *a, const char *program, pid_t pid)
{
	struct bpf_link *link = bpf_program__attach_iter(
		bpf_object__find_program_by_name(a->object, program), NULL);
	int err = link ? 0 : -errno;

	a->shared->wanted = pid;
	if (!err)
		err = run_iterator(link);
	bpf_link__destroy(link);
	return err;
}

int attach_inode(struct attach *a, pid_t pid, uint64_t address, uint64_t *inode)
{
	int err = 0;

	*inode = 0;
	a->shared->file = 0;
	a->shared->place = address;
	/* In vain, too, while another thread of it maps something. */
	for (int i = 0; i < INODE_TRIES && a->tells_inodes && !err; i++) {
		err = look_for(a, "tell_file", pid);
		*inode = a->shared->file;
		if (*inode)
			return 0;
		poll(NULL, 0, 1);
	}
	return a->tells_inodes && !err ? -ESRCH : 0;
}

int attach_adopt(struct attach *a, pid_t pid)
{
	int err = look_for(a, "adopt", pid);

	if (err)
		attach_explain("look for processes", err);
	else if (a->shared->wanted)
		err = -ESRCH;
	return err;
}

int attach_follow(struct attach *a)
{
	static const char *const names[] = { "on_exit", "on_fork", "on_exec",
					     "on_signal" };
	int err = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !err; i++)
		err = keep(a, bpf_program__attach(bpf_object__find_program_by_name(
				      a->object, names[i])));
	if (err)
		attach_explain("follow processes", err);
	return err;
}

static int attach_uprobe(struct attach *a, struct bpf_program *program, int fd, pid_t pid,
			 uint64_t offset, uint64_t semaphore, uint64_t cookie)
{
	char path[64];
	struct bpf_uprobe_opts opts = {
		.sz = sizeof(opts),
		.ref_ctr_offset = semaphore,
		.bpf_cookie = cookie,
	};

	/* So that the kernel finds the page in memory when it looks at the instruction.
	 */
	if (pread(fd, path, 1, offset) < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return keep(a,
		    bpf_program__attach_uprobe_opts(program, pid, path, offset, &opts));
}

static int attach_probe(struct attach *a, int fd, pid_t pid, const struct probe *p)
{
	struct bpf_program *program = p->kind < PROBE_RESUME ? a->probe_program
							     : a->step_program;
	struct site site = p->site;
	uint32_t cookie = a->sites;

	site.kind = p->kind;
	if (bpf_map_update_elem(a->sites_fd, &cookie, &site, BPF_ANY))
		return -errno;
	a->sites++;
	return attach_uprobe(a, program, fd, pid, p->offset, p->semaphore, cookie);
}

/* All or nothing: some probes alone give a wrong tree. */
static int attach_probes(struct attach *a, int fd, pid_t pid, const struct probes *probes)
{
	size_t before = a->link_count;
	uint32_t sites = a->sites;

	for (size_t i = 0; i < probes->count; i++) {
		int err = attach_probe(a, fd, pid, &probes->probes[i]);

		if (!err)
			continue;
		while (a->link_count > before)
			bpf_link__destroy(a->links[--a->link_count]);
		a->sites = sites;
		return err;
	}
	return 0;
}

int attach_file(struct attach *a, int fd, const char *name, pid_t pid,
		const struct probes *probes)
{
	int err = attach_probes(a, fd, pid, probes);
	char *what;

	if (!err || err == -ESRCH)
		return err;
	what = xasprintf("put probes on %s", name);
	attach_explain(what, err);
	free(what);
	return err;
}

int attach_loader(struct attach *a, int fd, const char *name, const struct loader *loader)
{
	int err = attach_uprobe(a, a->load_program, fd, -1, loader->offset, 0,
				loader->distance);

	if (err)
		warn("%s: cannot see what it loads (%s): a libpython loaded later is not traced",
		     name, strerror(-err));
	return err;
}

void attach_run(struct attach *a, bool run)
{
	__atomic_store_n(&a->shared->running, run, __ATOMIC_SEQ_CST);
}

void attach_hold(struct attach *a, bool hold)
{
	__atomic_store_n(&a->shared->holding, hold, __ATOMIC_SEQ_CST);
}

void attach_file_is_known(struct attach *a, uint64_t file)
{
	uint8_t known = 1;

	bpf_map_update_elem(a->files_fd, &file, &known, BPF_ANY);
}

static void *destroy(void *link)
{
	bpf_link__destroy(link);
	return NULL;
}

/* The kernel takes about 100 ms for each uprobe that goes, to wait until nobody is in it
 * any more: so they all wait at once. */
static void destroy_all(struct bpf_link **links, size_t count)
{
	pthread_t *threads = xcalloc(count + 1, sizeof(*threads));
	size_t started = 0;

	for (size_t i = 0; i < count; i++)
		if (pthread_create(&threads[started], NULL, destroy, links[i]))
			destroy(links[i]);
		else
			started++;
	while (started)
		pthread_join(threads[--started], NULL);
	free(threads);
}

void attach_detach(struct attach *a)
{
	destroy_all(a->links, a->link_count);
	/* Programs on tracepoints may still be running: until none is. */
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	a->link_count = 0;
	free(a->links);
	a->links = NULL;
}

void attach_verdict(struct attach *a, uint64_t code, enum verdict verdict)
{
	uint32_t value = verdict;

	bpf_map_update_elem(a->names_fd, &code, &value, BPF_ANY);
}

struct shared *attach_shared(struct attach *a)
{
	return a->shared;
}

int attach_ring_fd(const struct attach *a)
{
	return a->ring_fd;
}

int attach_job_fd(const struct attach *a)
{
	return a->job_fd;
}

int attach_calls_fd(const struct attach *a)
{
	return a->calls_fd;
}

size_t attach_low_mark(const struct attach *a)
{
	return a->low_mark;
}

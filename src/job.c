// SPDX-License-Identifier: GPL-2.0-or-later
/* The processes that the kernel side stopped. */
#include <config.h>

#include "job.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "xalloc.h"

/* What was seen of a process of the map. */
struct seen {
	uint32_t tgid;
	bool present;
	struct job last;
};

struct job_watch {
	int fd;
	struct shared *shared;
	job_handler *handler;
	void *arg;
	uint64_t calls;
	struct seen *seen;
	size_t count, room;
};

struct job_watch *job_open(int fd, struct shared *shared, job_handler *handler, void *arg)
{
	struct job_watch *w = xcalloc(1, sizeof(*w));

	w->fd = fd;
	w->shared = shared;
	w->handler = handler;
	w->arg = arg;
	return w;
}

void job_close(struct job_watch *w)
{
	if (!w)
		return;
	free(w->seen);
	free(w);
}

bool job_calls(const struct job_watch *w)
{
	return __atomic_load_n(&w->shared->calls, __ATOMIC_SEQ_CST) != w->calls;
}

static struct seen *find_seen(struct job_watch *w, uint32_t tgid)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->seen[i].tgid == tgid)
			return &w->seen[i];
	if (w->count == w->room) {
		w->room = w->room ? w->room * 2 : 16;
		w->seen = xrealloc(w->seen, w->room, sizeof(*w->seen));
	}
	w->seen[w->count] = (struct seen){ .tgid = tgid };
	return &w->seen[w->count++];
}

/* The entry is looked up again once the process is held by a descriptor: if it is still
 * there, then so is the process, and its number cannot have gone to another. */
static void see_to(struct job_watch *w, uint32_t tgid)
{
	struct seen *seen = find_seen(w, tgid);
	struct job now;
	int pidfd;

	seen->present = true;
	if (bpf_map_lookup_elem(w->fd, &tgid, &now) ||
	    (now.fulls == seen->last.fulls && now.execs == seen->last.execs &&
	     now.loads == seen->last.loads))
		return;
	pidfd = syscall(SYS_pidfd_open, now.pid, 0);
	if (pidfd < 0) {
		/* Without a descriptor left, it is tried again. */
		if (errno != ESRCH)
			w->calls--;
		return;
	}
	if (!bpf_map_lookup_elem(w->fd, &tgid, &now)) {
		struct job last = seen->last;

		seen->last = now;
		if (now.execs != last.execs || now.loads != last.loads)
			w->handler(now.pid, now.execs != last.execs, w->arg);
		if (syscall(SYS_pidfd_send_signal, pidfd, SIGCONT, NULL, 0) &&
		    errno == EPERM)
			warn("not permitted to let process %u go on: the capability CAP_KILL "
			     "is missing",
			     now.pid);
	}
	close(pidfd);
}

static void forget_ended(struct job_watch *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->count; i++) {
		if (!w->seen[i].present)
			continue;
		w->seen[kept] = w->seen[i];
		w->seen[kept++].present = false;
	}
	w->count = kept;
}

void job_attend(struct job_watch *w)
{
	uint32_t key, *previous = NULL;

	w->calls = __atomic_load_n(&w->shared->calls, __ATOMIC_SEQ_CST);
	while (!bpf_map_get_next_key(w->fd, previous, &key)) {
		see_to(w, key);
		previous = &key;
	}
	forget_ended(w);
}

/* By the state letter of proc_pid_stat(5), behind the name in parentheses. A first thread
 * that waits or has ended says nothing of the others. */
static bool may_be_stopped(pid_t pid)
{
	char path[64], text[512], *end;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	end = strrchr(text, ')');
	return end && end[1] == ' ' && strchr("TDZ", end[2]);
}

void job_rescue(int fd)
{
	uint32_t key, *previous = NULL;
	struct job j;

	for (; !bpf_map_get_next_key(fd, previous, &key); previous = &key) {
		if (bpf_map_lookup_elem(fd, &key, &j) || !(j.fulls || j.execs || j.loads))
			continue;
		if (may_be_stopped(j.pid))
			kill(j.pid, SIGCONT);
	}
}

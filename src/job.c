// SPDX-License-Identifier: GPL-2.0-or-later
/* The processes that the kernel side stopped. */
#include <config.h>

#include "job.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach-explain.h"
#include "xalloc.h"

enum { MOST_KEYS = 1 << 16 };

/* A process that called. */
struct held {
	uint32_t tgid;
	uint64_t born;
	bool is_new, has_loaded; /* what is still to be seen to */
	bool has_called;	 /* not only told of files */
	bool stopped_itself;	 /* since its child was stopped */
	uint32_t stops;		 /* that were heard of */
	uint64_t mark;		 /* in the stream: where it did */
	uint64_t *files;
	size_t file_count;
};

struct job_watch {
	struct attach *attach;
	const struct stream *stream;
	struct ring_buffer *ring;
	int job_fd;
	job_handler *handler;
	void *arg;
	uint64_t unheard;
	bool leave_stopped;
	struct held *held;
	size_t count;
};

/* ---- who calls ---- */

static struct held *find_held(struct job_watch *w, uint32_t tgid, uint64_t born)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->held[i].tgid == tgid && w->held[i].born == born)
			return &w->held[i];
	w->held = xgrow(w->held, w->count, sizeof(*w->held));
	w->held[w->count] = (struct held){ .tgid = tgid, .born = born };
	return &w->held[w->count++];
}

static void hear(struct job_watch *w, const struct job_call *call)
{
	struct held *h = find_held(w, call->tgid, call->born);

	if (call->reason == CALL_PROGRAM)
		h->file_count = 0;
	if (call->reason == CALL_PROGRAM || call->reason == CALL_FILE) {
		h->files = xgrow(h->files, h->file_count, sizeof(*h->files));
		h->files[h->file_count++] = call->what;
		return;
	}
	h->is_new |= call->reason == CALL_EXEC;
	h->has_loaded |= call->reason == CALL_LOAD;
	h->stopped_itself |= call->reason == CALL_ANSWER;
	h->has_called = true;
	if (call->what > h->stops)
		h->stops = call->what;
	h->mark = stream_written(w->stream);
}

static int on_call(void *arg, void *record, size_t size)
{
	if (size >= sizeof(struct job_call))
		hear(arg, record);
	return 0;
}

/* The state letter of proc_pid_stat(5), behind the name in parentheses; 0 if there is no
 * such process. */
static char state_of(pid_t pid)
{
	char path[64], text[512], *end;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	end = strrchr(text, ')');
	return end && end[1] == ' ' ? end[2] : 0;
}

/* The keys of all processes, as they are now: the map changes while it is gone through,
 * and begins anew behind a key that has gone. */
static size_t list_job(int fd, uint32_t **keys)
{
	uint32_t key, *previous = NULL;
	size_t count = 0;

	*keys = NULL;
	while (count < MOST_KEYS && !bpf_map_get_next_key(fd, previous, &key)) {
		*keys = xgrow(*keys, count, sizeof(**keys));
		(*keys)[count++] = key;
		previous = &key;
	}
	return count;
}

/* Some calls had no room: every process may have been stopped, for any reason. */
static void hear_all(struct job_watch *w)
{
	uint32_t *keys;
	size_t count = list_job(w->job_fd, &keys);
	struct job entry;

	for (size_t i = 0; i < count; i++) {
		struct job_call call = { .tgid = keys[i], .reason = CALL_EXEC };

		if (bpf_map_lookup_elem(w->job_fd, &keys[i], &entry) || !entry.stops)
			continue;
		call.born = entry.born;
		call.what = entry.stops;
		hear(w, &call);
		call.reason = CALL_LOAD;
		hear(w, &call);
	}
	free(keys);
}

int job_open(struct attach *a, const struct stream *stream, job_handler *handler,
	     void *arg, struct job_watch **watch)
{
	struct job_watch *w = xcalloc(1, sizeof(*w));

	w->attach = a;
	w->stream = stream;
	w->job_fd = attach_job_fd(a);
	w->handler = handler;
	w->arg = arg;
	w->ring = ring_buffer__new(attach_calls_fd(a), on_call, w, NULL);
	if (!w->ring) {
		int err = -errno;

		attach_explain("read the buffer of calls", err);
		job_close(w);
		return err;
	}
	*watch = w;
	return 0;
}

void job_close(struct job_watch *w)
{
	if (!w)
		return;
	ring_buffer__free(w->ring);
	for (size_t i = 0; i < w->count; i++)
		free(w->held[i].files);
	free(w->held);
	free(w);
}

int job_fd(const struct job_watch *w)
{
	return ring_buffer__epoll_fd(w->ring);
}

/* ---- letting go on ---- */

/* The signals that the process has not taken yet: ShdPnd in proc_pid_status(5). */
static uint64_t pending_signals(pid_t pid)
{
	char path[64], line[256];
	uint64_t pending = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "ShdPnd: %" SCNx64, &pending) == 1)
			break;
	if (f)
		fclose(f);
	return pending;
}

static int send_to(int pidfd, int signal)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) ? -errno : 0;
}

/* SIGCONT throws away what else would stop the process: the terminal's Ctrl-Z, or
 * somebody's SIGSTOP, sent while it was stopped already. Those are sent once more. */
static void let_go_on(pid_t pid, int pidfd, bool stopped_itself)
{
	static const int stops[] = { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };
	uint64_t pending = stopped_itself ? 0 : pending_signals(pid);

	send_to(pidfd, SIGCONT);
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		if (pending >> (stops[i] - 1) & 1)
			send_to(pidfd, stops[i]);
}

/* Have the handler look at the process, and remember the files if that went well. */
static void show_to_handler(struct job_watch *w, struct held *h, pid_t pid)
{
	bool is_known = true;

	if (h->is_new || h->has_loaded)
		is_known = w->handler(pid, h->is_new, w->arg);
	for (size_t i = 0; i < h->file_count && is_known; i++)
		attach_file_is_known(w->attach, h->files[i]);
	h->is_new = h->has_loaded = false;
	h->file_count = 0;
}

/* Is the process still there, and of the job? */
static bool look_up(const struct job_watch *w, const struct held *h, struct job *entry)
{
	return !bpf_map_lookup_elem(w->job_fd, &h->tgid, entry) && entry->born == h->born;
}

/* Returns whether it is done with, be it that the process has ended. The entry is looked
 * up again once the process is held by a descriptor: if it is still there, then so is the
 * process, and its number cannot have gone to another. */
static bool see_to(struct job_watch *w, struct held *h)
{
	bool is_done = true;
	struct job entry;
	int pidfd;

	if (!look_up(w, h, &entry))
		return true;
	pidfd = syscall(SYS_pidfd_open, entry.pid, 0);
	/* Without a descriptor left, it is tried again. */
	if (pidfd < 0)
		return errno != EMFILE && errno != ENFILE && errno != ENOMEM;
	if (look_up(w, h, &entry)) {
		show_to_handler(w, h, entry.pid);
		/* Another of its threads may be calling: SIGCONT would swallow that stop.
		 */
		if (entry.stops != h->stops || !stream_has_read(w->stream, h->mark) ||
		    !stream_has_room(w->stream) ||
		    (w->leave_stopped && getpgid(entry.pid) == getpgrp()))
			is_done = false;
		else
			let_go_on(entry.pid, pidfd, h->stopped_itself);
	}
	close(pidfd);
	return is_done;
}

bool job_attend(struct job_watch *w)
{
	uint64_t unheard =
		__atomic_load_n(&attach_shared(w->attach)->unheard, __ATOMIC_SEQ_CST);
	size_t kept = 0;

	ring_buffer__consume(w->ring);
	if (unheard != w->unheard)
		hear_all(w);
	w->unheard = unheard;
	for (size_t i = 0; i < w->count; i++) {
		struct held *h = &w->held[i];

		/* One whose call is still to come will be stopped for its files again. */
		if (h->has_called && !see_to(w, h))
			w->held[kept++] = *h;
		else
			free(h->files);
	}
	w->count = kept;
	return kept;
}

void job_look_again(struct job_watch *w)
{
	uint32_t *keys;
	size_t count = list_job(w->job_fd, &keys);
	struct job entry;

	for (size_t i = 0; i < count; i++)
		if (!bpf_map_lookup_elem(w->job_fd, &keys[i], &entry))
			w->handler(entry.pid, false, w->arg);
	free(keys);
}

/* ---- job control ---- */

void job_leave_stopped(struct job_watch *w, bool leave)
{
	w->leave_stopped = leave;
}

bool job_group_runs(const struct job_watch *w)
{
	uint32_t *keys;
	size_t count = list_job(w->job_fd, &keys);
	bool runs = false;
	struct job entry;

	for (size_t i = 0; i < count && !runs; i++) {
		char state;

		if (bpf_map_lookup_elem(w->job_fd, &keys[i], &entry) ||
		    getpgid(entry.pid) != getpgrp())
			continue;
		state = state_of(entry.pid);
		runs = state && !strchr("TtZX", state);
	}
	free(keys);
	return runs;
}

/* A first thread that waits or has ended says nothing of the others. */
static bool may_be_stopped(pid_t pid)
{
	char state = state_of(pid);

	return state && strchr("TDZ", state);
}

void job_rescue(int fd)
{
	uint32_t *keys;
	size_t count = list_job(fd, &keys);
	struct job entry;

	for (size_t i = 0; i < count; i++) {
		int pidfd;

		if (bpf_map_lookup_elem(fd, &keys[i], &entry) || !entry.stops)
			continue;
		pidfd = syscall(SYS_pidfd_open, entry.pid, 0);
		if (pidfd < 0)
			continue;
		if (may_be_stopped(entry.pid))
			send_to(pidfd, SIGCONT);
		close(pidfd);
	}
	free(keys);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The ring buffer -> records. */
#include <config.h>

#include "stream.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attach-explain.h"
#include "xalloc.h"

enum { MAX_DRAIN = 1 << 15 };

struct stream {
	struct ring_buffer *ring;
	struct shared *shared;
	const uint64_t *consumed, *produced; /* bytes ever; include/uapi/linux/bpf.h */
	size_t page;
	size_t low_mark; /* bytes */
	stream_handler *handler;
	void *arg;
	size_t taken; /* in this drain */
};

static const size_t sizes[] = {
	[EVENT_ENTER] = sizeof(struct event),
	[EVENT_LEAVE] = sizeof(struct event),
	[EVENT_LOST] = sizeof(struct event),
	[EVENT_FORK] = sizeof(struct event),
	[EVENT_EXEC] = sizeof(struct event),
	[EVENT_EXIT] = sizeof(struct event),
	[EVENT_ARGS] = sizeof(struct event_args),
	[EVENT_NAME] = sizeof(struct event_name),
	[EVENT_NAME_LONG] = sizeof(struct event_name_long),
	[EVENT_NAME_AT] = sizeof(struct event_name_at),
	[EVENT_PART] = sizeof(struct event_part),
	[EVENT_CODE] = sizeof(struct event_code),
	[EVENT_CODE_AT] = sizeof(struct event_code),
	[EVENT_TASK] = sizeof(struct event_task),
};

static int take(void *arg, void *record, size_t size)
{
	struct stream *s = arg;
	const struct event *e = record;
	uint8_t kind = size ? e->kind : 0;

	if (kind && kind < sizeof(sizes) / sizeof(sizes[0]) && size >= sizes[kind] &&
	    (kind > EVENT_LEAVE || !(e->flags & EVENT_STACK) ||
	     size >= sizeof(struct event_deep)))
		s->handler(record, s->arg);
	return ++s->taken < MAX_DRAIN ? 0 : -EAGAIN;
}

/* The pages that hold the two positions, the reader's and the writers'. */
static int map_positions(struct stream *s, int fd)
{
	s->page = sysconf(_SC_PAGESIZE);
	s->consumed = mmap(NULL, s->page, PROT_READ, MAP_SHARED, fd, 0);
	s->produced = mmap(NULL, s->page, PROT_READ, MAP_SHARED, fd, s->page);
	if (s->consumed != MAP_FAILED && s->produced != MAP_FAILED)
		return 0;
	return -errno;
}

static int open_ring(struct stream *s, int fd)
{
	s->ring = ring_buffer__new(fd, take, s, NULL);
	return s->ring ? map_positions(s, fd) : -errno;
}

int stream_open(struct attach *a, stream_handler *handler, void *arg,
		struct stream **stream)
{
	struct stream *s = xcalloc(1, sizeof(*s));
	int err;

	s->shared = attach_shared(a);
	s->handler = handler;
	s->arg = arg;
	s->low_mark = attach_low_mark(a);
	err = open_ring(s, attach_ring_fd(a));
	if (err) {
		attach_explain("read the ring buffer", err);
		stream_close(s);
		return err;
	}
	*stream = s;
	return 0;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	if (s->consumed && s->consumed != MAP_FAILED)
		munmap((void *)s->consumed, s->page);
	if (s->produced && s->produced != MAP_FAILED)
		munmap((void *)s->produced, s->page);
	ring_buffer__free(s->ring);
	free(s);
}

uint64_t stream_written(const struct stream *s)
{
	return __atomic_load_n(s->produced, __ATOMIC_SEQ_CST);
}

bool stream_has_read(const struct stream *s, uint64_t written)
{
	return __atomic_load_n(s->consumed, __ATOMIC_ACQUIRE) >= written;
}

bool stream_has_room(const struct stream *s)
{
	return stream_written(s) - __atomic_load_n(s->consumed, __ATOMIC_ACQUIRE) <
	       s->low_mark;
}

size_t stream_drain(struct stream *s, bool *more)
{
	s->taken = 0;
	*more = ring_buffer__consume(s->ring) == -EAGAIN;
	return s->taken;
}

int stream_fd(const struct stream *s)
{
	return ring_buffer__epoll_fd(s->ring);
}

void stream_sleep(struct stream *s)
{
	__atomic_store_n(&s->shared->waiting, 1, __ATOMIC_SEQ_CST);
}

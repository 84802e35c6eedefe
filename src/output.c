// SPDX-License-Identifier: GPL-2.0-or-later
/* A buffer in front of the file, pipe or terminal that the trace goes to. */
#include <config.h>

#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "xalloc.h"

enum { OUTPUT_BUFFER = 128 * 1024 };

struct output {
	int fd;
	int error;
	char *name;
	size_t used;
	char buffer[OUTPUT_BUFFER];
};

int output_open(const char *path, struct output **output)
{
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY,
			     0666)
		      : STDOUT_FILENO;
	struct output *o;

	if (fd < 0) {
		int err = -errno;

		warn("cannot write %s: %s", path, strerror(-err));
		return err;
	}
	o = xcalloc(1, sizeof(*o));
	o->fd = fd;
	o->name = xstrdup(path ? path : "the standard output");
	*output = o;
	return 0;
}

/* A descriptor that somebody else made non-blocking is waited for. */
static void write_all(struct output *o, const char *data, size_t size)
{
	while (size && !o->error) {
		ssize_t n = write(o->fd, data, size);

		if (n >= 0) {
			data += n;
			size -= n;
		} else if (errno == EAGAIN) {
			poll(&(struct pollfd){ .fd = o->fd, .events = POLLOUT }, 1, -1);
		} else if (errno != EINTR) {
			o->error = -errno;
		}
	}
}

void output_flush(struct output *o)
{
	write_all(o, o->buffer, o->used);
	o->used = 0;
}

void output_add(struct output *o, const char *data, size_t size)
{
	if (size > OUTPUT_BUFFER - o->used)
		output_flush(o);
	if (size > OUTPUT_BUFFER) {
		write_all(o, data, size);
		return;
	}
	memcpy(o->buffer + o->used, data, size);
	o->used += size;
}

void output_close(struct output *o)
{
	if (!o)
		return;
	output_flush(o);
	if (o->fd != STDOUT_FILENO && close(o->fd) && !o->error)
		o->error = -errno;
	free(o->name);
	free(o);
}

int output_error(const struct output *o)
{
	return o->error;
}

const char *output_name(const struct output *o)
{
	return o->name;
}

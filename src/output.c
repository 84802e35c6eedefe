// SPDX-License-Identifier: GPL-2.0-or-later
/* A buffer in front of the file, pipe or terminal that a trace goes to. */
#include <config.h>

#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "compress.h"
#include "log.h"
#include "xalloc.h"

enum { OUTPUT_BUFFER = 128 * 1024, NS_BETWEEN_FLUSHES = 1000 * 1000 * 1000 };

/* What compression may add to what it is given, headers and ends included; and how much
 * there must be to make a look at what it came to worth it. */
enum { COMPRESSION_ADDS = 256, COMPRESSION_SHARE = 256, WORTH_A_LOOK = 64 * 1024 };

struct output {
	int fd;
	int error;
	char *path; /* NULL: standard output */
	enum compression compression;
	struct compressor *compressor; /* NULL: none */
	int64_t flushed;	       /* when it was last, ns */
	uint64_t max_size;	       /* bytes; 0: any */
	uint64_t written;	       /* to this file */
	uint64_t pending;	       /* given to the compressor since it was flushed */
	size_t used;
	char buffer[OUTPUT_BUFFER];
};

/* A descriptor that somebody else made non-blocking is waited for. */
static void write_all(void *arg, const void *bytes, size_t size)
{
	struct output *o = arg;
	const char *data = bytes;

	o->written += size;
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

static void begin_compression(struct output *o)
{
	compressor_free(o->compressor);
	o->compressor = o->compression == COMPRESSION_NONE
				? NULL
				: compressor_new(o->compression, write_all, o);
}

static int open_file(struct output *o)
{
	o->fd = o->path ? open(o->path,
			       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666)
			: STDOUT_FILENO;
	if (o->fd < 0) {
		int err = -errno;

		warn("cannot write %s: %s", o->path, strerror(-err));
		return err;
	}
	begin_compression(o);
	return 0;
}

int output_open(const char *path, enum compression compression, struct output **output)
{
	struct output *o = xcalloc(1, sizeof(*o));
	int err;

	o->path = path ? xstrdup(path) : NULL;
	o->compression = compression;
	err = open_file(o);
	if (err) {
		free(o->path);
		free(o);
		return err;
	}
	*output = o;
	return 0;
}

static void pass_on(struct output *o, const char *data, size_t size,
		    enum compress_until until)
{
	if (!o->compressor) {
		write_all(o, data, size);
		return;
	}
	compressor_add(o->compressor, data, size, until);
	o->pending = until == COMPRESS_ON ? o->pending + size : 0;
}

static void pass_buffer_on(struct output *o, enum compress_until until)
{
	pass_on(o, o->buffer, o->used, until);
	o->used = 0;
}

bool output_flush(struct output *o)
{
	int64_t now;

	if (!o->compressor) {
		pass_buffer_on(o, COMPRESS_FLUSH);
		return true;
	}
	if (!o->used && !o->pending)
		return true;
	now = clock_monotonic();
	if (now - o->flushed < NS_BETWEEN_FLUSHES)
		return false;
	o->flushed = now;
	pass_buffer_on(o, COMPRESS_FLUSH);
	return true;
}

void output_add(struct output *o, const char *data, size_t size)
{
	if (size > OUTPUT_BUFFER - o->used)
		pass_buffer_on(o, COMPRESS_ON);
	if (size > OUTPUT_BUFFER) {
		pass_on(o, data, size, COMPRESS_ON);
		return;
	}
	memcpy(o->buffer + o->used, data, size);
	o->used += size;
}

void output_limit(struct output *o, uint64_t bytes)
{
	o->max_size = bytes;
}

/* What the file may come to with so many more bytes. */
static uint64_t size_with(const struct output *o, uint64_t bytes)
{
	uint64_t size = o->pending + o->used + bytes;

	if (o->compressor)
		size += size / COMPRESSION_SHARE + COMPRESSION_ADDS;
	return o->written + size;
}

bool output_has_room(struct output *o, uint64_t bytes)
{
	if (!o->max_size || size_with(o, bytes) <= o->max_size)
		return true;
	if (!o->compressor || o->pending + o->used < WORTH_A_LOOK)
		return false;
	pass_buffer_on(o, COMPRESS_FLUSH);
	return size_with(o, bytes) <= o->max_size;
}

static void finish_file(struct output *o)
{
	pass_buffer_on(o, COMPRESS_END);
	if (o->fd != STDOUT_FILENO && close(o->fd) && !o->error)
		o->error = -errno;
	o->fd = -1;
}

/* The file's name when it is the i-th before the one that is written. */
static char *older(const struct output *o, unsigned int i)
{
	return i ? xasprintf("%s.%u", o->path, i) : xstrdup(o->path);
}

static bool is_there(const struct output *o, unsigned int i)
{
	char *name = older(o, i);
	bool there = !access(name, F_OK);

	free(name);
	return there;
}

/* 0 or -errno, which is said already. */
static int rename_files(const struct output *o, unsigned int keep)
{
	unsigned int count = 0;
	int err = 0;

	while (count < keep && is_there(o, count))
		count++;
	for (; count && !err; count--) {
		char *from = older(o, count - 1), *to = older(o, count);

		if (rename(from, to)) {
			err = -errno;
			warn("cannot rename %s to %s: %s", from, to, strerror(-err));
		}
		free(from);
		free(to);
	}
	return err;
}

bool output_can_rotate(const struct output *o)
{
	struct stat named, open;

	return o->path && !lstat(o->path, &named) && S_ISREG(named.st_mode) &&
	       !fstat(o->fd, &open) && named.st_dev == open.st_dev &&
	       named.st_ino == open.st_ino;
}

int output_rotate(struct output *o, unsigned int keep)
{
	int err;

	finish_file(o);
	err = o->error ? o->error : rename_files(o, keep);
	if (!err) {
		o->written = o->pending = 0;
		err = open_file(o);
	}
	o->error = err;
	return err;
}

int output_close(struct output *o)
{
	int err;

	if (!o)
		return 0;
	if (o->fd >= 0)
		finish_file(o);
	err = o->error;
	compressor_free(o->compressor);
	free(o->path);
	free(o);
	return err;
}

int output_error(const struct output *o)
{
	return o->error;
}

const char *output_name(const struct output *o)
{
	return o->path ? o->path : "the standard output";
}

bool output_is_same(const struct output *a, const struct output *b)
{
	struct stat x, y;

	return !fstat(a->fd, &x) && !fstat(b->fd, &y) && S_ISREG(x.st_mode) &&
	       x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool output_is_terminal(const struct output *o)
{
	return isatty(o->fd);
}

unsigned int output_width(const struct output *o)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	if (!output_is_terminal(o))
		return 0;
	if (columns && atoi(columns) > 0)
		return atoi(columns);
	return ioctl(o->fd, TIOCGWINSZ, &size) || !size.ws_col ? 80 : size.ws_col;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ring buffer -> records, one at a time, in order. */
#ifndef PYFLOW_STREAM_H
#define PYFLOW_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "attach.h"

struct stream;

/* Called for each record; its first byte is an enum event_kind, its size fits that kind.
 */
typedef void stream_handler(const void *record, void *arg);

/* 0, or -errno, which is said already. */
int stream_open(struct attach *a, stream_handler *handler, void *arg,
		struct stream **stream);
void stream_close(struct stream *s);

/* Take what is there, but not for ever. Returns the number of records; *more: there are
 * more. */
size_t stream_drain(struct stream *s, bool *more);

/* Is there room again for the processes that were stopped to go on? A record that is
 * still being written keeps those behind it from being read, so a drain alone does not
 * tell. */
bool stream_has_room(const struct stream *s);

/* How far, in bytes ever, records have been written, those included that are still being
 * written; and has the reader come as far? */
uint64_t stream_written(const struct stream *s);
bool stream_has_read(const struct stream *s, uint64_t written);

/* A descriptor to poll: readable when there is a lot to read, and, after stream_sleep(),
 * with the very next record. */
int stream_fd(const struct stream *s);
void stream_sleep(struct stream *s);

#endif

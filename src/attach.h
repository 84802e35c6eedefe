/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The BPF object, and its programs on the probes of files. With stream.c and job.c the
 * only user of libbpf. */
#ifndef PYFLOW_ATTACH_H
#define PYFLOW_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../bpf/event.h"
#include "probes.h"

struct attach;

/* Load the kernel side with these settings and a ring buffer of that many bytes; the
 * marks, the seed and the PID namespace are filled in here. 0, or -errno, which is said
 * already. */
int attach_open(struct settings settings, size_t buffer, struct attach **attach);
void attach_close(struct attach *a);

/* Called in a child: it and its children are of the job, with the limit of open files
 * that attach_open() raised for this process. 0 or -errno. */
int attach_join(struct attach *a);

/* A process that runs is of the job. -ESRCH if there is none of that number; -errno, said
 * already. */
int attach_adopt(struct attach *a, pid_t pid);

/* See the job's processes start others, run programs, and end. Each that runs a program
 * that is not known stops at its first instruction. 0, or -errno, which is said already.
 */
int attach_follow(struct attach *a);

/* Put the programs on all the probes of the file open at fd: in the process pid, or in
 * all those of the job (-1). name is for messages. 0, or -errno, which is said already,
 * but for -ESRCH: the process has ended. */
int attach_file(struct attach *a, int fd, const char *name, pid_t pid,
		const struct probes *probes);

/* Stop each process of the job when the dynamic loader open at fd has loaded something
 * that is not known. */
int attach_loader(struct attach *a, int fd, const char *name,
		  const struct loader *loader);

/* What tells the file that a process has mapped at an address from all others, whatever
 * overlay it is seen through and whatever became of its names, as long as probes are on
 * it; 0 before Linux 6.0. Returns -ESRCH if the process has ended. */
int attach_inode(struct attach *a, pid_t pid, uint64_t address, uint64_t *inode);

/* No process need be stopped for this file (struct job_call) any more. */
void attach_file_is_known(struct attach *a, uint64_t file);

/* Begin to send events, or end it. */
void attach_run(struct attach *a, bool run);

/* May processes be stopped? They may from the beginning on. */
void attach_hold(struct attach *a, bool hold);

/* Take all programs off again. */
void attach_detach(struct attach *a);

/* What the kernel side shall do with events of this name from now on. */
void attach_verdict(struct attach *a, uint64_t code, enum verdict verdict);

struct shared *attach_shared(struct attach *a);
int attach_ring_fd(const struct attach *a);
int attach_job_fd(const struct attach *a);
int attach_calls_fd(const struct attach *a);

/* Bytes in the ring buffer below which stopped processes may go on. */
size_t attach_low_mark(const struct attach *a);

#endif

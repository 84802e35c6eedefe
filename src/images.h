/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files whose code a process has mapped: where an interpreter can be. */
#ifndef PYFLOW_IMAGES_H
#define PYFLOW_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

/* Which file it is. A number can come back once the file is gone: the rest tells. */
struct image_id {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed;
};

struct image {
	char *path; /* as the process has it */
	int fd;
	unsigned long address; /* where it is mapped */
	struct image_id id;    /* of the open file, which is what uprobes go by */
};

/* List them, the executable first, each file once. They are opened by way of /proc/PID,
 * so it does not matter whether the process has another root or the file was replaced
 * since. 0, or -errno: -ESRCH if there is no such process (any more). images_free()
 * frees. */
int images_list(pid_t pid, struct image **images, size_t *count);
bool images_same(const struct image_id *a, const struct image_id *b);
void images_free(struct image *images, size_t count);

/* The value of a variable in the environment that a process was started with; NULL if it
 * has none, or that cannot be read. The caller frees it. */
char *images_variable(pid_t pid, const char *name);

/* The dynamic loader among them: the program that the kernel mapped beside the
 * executable. NULL if there is none. */
struct image *images_loader(struct image *images, size_t count);

#endif

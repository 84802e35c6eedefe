/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files whose code a process has mapped: where an interpreter can be. */
#ifndef PYFLOW_IMAGES_H
#define PYFLOW_IMAGES_H

#include <stddef.h>
#include <sys/types.h>

struct image {
	char *path; /* as the process has it */
	int fd;
	dev_t dev; /* of the open file, which is what uprobes go by */
	ino_t ino;
};

/* List them, the executable first, each file once. They are opened by way of /proc/PID,
 * so it does not matter whether the process has another root or the file was replaced
 * since. 0, or -errno: -ESRCH if there is no such process (any more). images_free()
 * frees. */
int images_list(pid_t pid, struct image **images, size_t *count);
void images_free(struct image *images, size_t count);

/* The dynamic loader among them: the program that the kernel mapped beside the
 * executable. NULL if there is none. */
struct image *images_loader(struct image *images, size_t count);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The traced process: started and held, or adopted while it runs. */
#ifndef PYFLOW_TARGET_H
#define PYFLOW_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "options.h"

struct target;

/* Make the child that will be o's command, held before it becomes that. in_child(arg)
 * runs in it, with all the privileges that pyflow has; if that returns other than 0, so
 * it ends. note: where the path of a launch script is put as soon as there is one
 * (PATH_MAX bytes). Returns 0, or an exit status (125, 126, 127), which is said already.
 */
int target_start(const struct options *o, int (*in_child)(void *arg), void *arg,
		 char *note, struct target **target);

/* Take a process that runs. A thread's ID stands for its process. 0, or 125 when said why
 * not. */
int target_adopt(pid_t pid, struct target **target);

/* A child not released yet is told to end. NULL is fine. */
void target_free(struct target *t);

/* Let the child become the command. 0, or an exit status, which is said already. */
int target_release(struct target *t);

/* Its arguments, each with its NUL, cut off at `size`. Returns the bytes used. */
size_t target_args(const struct target *t, char *args, size_t size);

pid_t target_pid(const struct target *t);
bool target_is_child(const struct target *t);

/* Readable when the process has ended. */
int target_pidfd(const struct target *t);

/* Whether it has been reaped or not. */
bool target_has_ended(const struct target *t);

void target_signal(struct target *t, int signal);

/* Wait for the child. Returns its status as waitpid() gives it. */
int target_wait(struct target *t);

#endif

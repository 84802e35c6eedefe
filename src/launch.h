/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What it takes to start a command: where it is, the script for what only a shell can
 * run, and whom it runs as. */
#ifndef PYFLOW_LAUNCH_H
#define PYFLOW_LAUNCH_H

#include <sys/types.h>

/* Find a command as execvp() does. The caller frees *path. 0, -ENOENT, or -EACCES for one
 * that is there but cannot be executed. */
int launch_find(const char *name, char **path);

struct identity {
	const char *name; /* of the user, for the supplementary groups; NULL if unnamed */
	char *name_buffer;
	uid_t uid;
	gid_t gid;
};

/* USER or USER:GROUP, names or numbers; USER: is the user's own group. 0, or -EINVAL,
 * which is said already. */
int launch_identify(const char *text, struct identity *id);

/* Become that user, for good. 0 or -errno. */
int launch_become(const struct identity *id);

/* Write a command line into a new script in dir, mode 0700, that belongs to id (NULL: to
 * oneself). Its path is put into note first thing (PATH_MAX bytes; NULL: nowhere). The
 * caller unlinks and frees *path. 0 or -errno, which is said already. */
int launch_script(const char *dir, const char *line, const struct identity *id,
		  char *note, char **path);

#endif

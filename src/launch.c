// SPDX-License-Identifier: GPL-2.0-or-later
/* What it takes to start a command. */
#include <config.h>

#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "xalloc.h"

static int check_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return errno == EACCES ? -EACCES : -ENOENT;
	return S_ISREG(st.st_mode) && !access(path, X_OK) ? 0 : -EACCES;
}

int launch_find(const char *name, char **path)
{
	const char *dirs = getenv("PATH"), *end;
	int err = -ENOENT;

	*path = xstrdup(name);
	if (strchr(name, '/'))
		return check_executable(name);
	for (dirs = dirs ? dirs : "/bin:/usr/bin";; dirs = end + 1) {
		int this_err;

		end = strchrnul(dirs, ':');
		free(*path);
		*path = xasprintf("%.*s%s%s", (int)(end - dirs), dirs,
				  end > dirs ? "/" : "./", name);
		this_err = check_executable(*path);
		if (!this_err)
			return 0;
		if (this_err == -EACCES)
			err = this_err;
		if (!*end)
			return err;
	}
}

/* A number that is nobody's name. */
static bool parse_id(const char *text, uint32_t *id)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	*id = n;
	return !errno && *text >= '0' && *text <= '9' && !*end && n < UINT32_MAX;
}

static int find_group(const char *name, struct identity *id)
{
	struct group *g = getgrnam(name);

	if (g)
		id->gid = g->gr_gid;
	else if (!parse_id(name, &id->gid))
		return -EINVAL;
	return 0;
}

static int find_user(const char *name, bool has_group, struct identity *id)
{
	struct passwd *p = getpwnam(name);

	if (!p && parse_id(name, &id->uid)) {
		p = getpwuid(id->uid);
		if (!p && has_group)
			return 0;
	}
	if (!p)
		return -EINVAL;
	id->uid = p->pw_uid;
	id->gid = p->pw_gid;
	id->name = id->name_buffer = xstrdup(p->pw_name);
	return 0;
}

int launch_identify(const char *text, struct identity *id)
{
	char *name = xstrdup(text), *group = strchr(name, ':');
	int err;

	*id = (struct identity){ 0 };
	if (group)
		*group++ = '\0';
	err = find_user(name, group, id);
	if (err)
		warn("-u %s: there is no user %s%s", text, name,
		     *name >= '0' && *name <= '9' ? "; a number that is nobody's needs a "
						    "group: NUMBER:GROUP"
						  : "");
	else if (group && *group && (err = find_group(group, id)))
		warn("-u %s: there is no group %s", text, group);
	free(name);
	return err;
}

int launch_become(const struct identity *id)
{
	if (id->name ? initgroups(id->name, id->gid) : setgroups(0, NULL))
		return -errno;
	if (setresgid(id->gid, id->gid, id->gid) || setresuid(id->uid, id->uid, id->uid))
		return -errno;
	return 0;
}

static int fill_script(int fd, const char *line, const struct identity *id)
{
	if (dprintf(fd, "#!/bin/sh\n%s\n", line) < 0 || fchmod(fd, 0700))
		return -errno;
	if (id && fchown(fd, id->uid, id->gid))
		return -errno;
	return 0;
}

/* A new file with a name that nobody guesses. The note is made first: who is killed while
 * the file is being made leaves it, and somebody must know. */
static int create_script(const char *dir, char *note, char **path)
{
	enum { TRIES = 100 };
	int fd = -1;

	*path = NULL;
	for (int i = 0; i < TRIES && fd < 0; i++) {
		uint32_t number;

		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return -errno;
		free(*path);
		*path = xasprintf("%s/pyflow-%06x", dir, (unsigned int)number & 0xffffff);
		if (note)
			snprintf(note, PATH_MAX, "%s", *path);
		fd = open(*path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0)
			return fd;
		/* Not ours. */
		if (note)
			*note = '\0';
		if (errno != EEXIST)
			break;
	}
	return -errno;
}

int launch_script(const char *dir, const char *line, const struct identity *id,
		  char *note, char **path)
{
	int fd = create_script(dir, note, path);
	int err = fd < 0 ? fd : fill_script(fd, line, id);

	if (err) {
		warn("cannot write the launch script %s: %s; -t DIR puts it elsewhere",
		     *path ? *path : dir, strerror(-err));
		if (fd >= 0)
			unlink(*path);
		free(*path);
		*path = NULL;
	}
	if (fd >= 0)
		close(fd);
	return err;
}

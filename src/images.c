// SPDX-License-Identifier: GPL-2.0-or-later
/* The files whose code a process has mapped, from /proc/PID/maps. */
#include <config.h>

#include "images.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "log.h"
#include "xalloc.h"

/* A line of proc_pid_maps(5). */
struct mapping {
	unsigned long start, end, inode;
	unsigned int major, minor;
	const char *path;
};

static bool parse_mapping(char *line, struct mapping *m)
{
	char flags[5];
	int at = 0;

	if (sscanf(line, "%lx-%lx %4s %*x %x:%x %lu %n", &m->start, &m->end, flags,
		   &m->major, &m->minor, &m->inode, &at) < 6 ||
	    !at)
		return false;
	line[strcspn(line, "\n")] = '\0';
	m->path = line + at;
	return flags[2] == 'x' && m->inode && *m->path == '/';
}

/* The mapped file itself, whatever its path says now; else, where that is not allowed
 * (CAP_CHECKPOINT_RESTORE), what is at the path in the root of the process, if it is the
 * same. */
static int open_mapped(pid_t pid, const struct mapping *m)
{
	char *path = xasprintf("/proc/%d/map_files/%lx-%lx", (int)pid, m->start, m->end);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	free(path);
	if (fd < 0 && errno != ENOENT) {
		path = xasprintf("/proc/%d/root%s", (int)pid, m->path);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		free(path);
		if (fd >= 0 && (fstat(fd, &st) || st.st_ino != m->inode)) {
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static struct image_id identify(const struct stat *st)
{
	return (struct image_id){ st->st_dev, st->st_ino, st->st_size, st->st_ctim };
}

bool images_same(const struct image_id *a, const struct image_id *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec &&
	       a->changed.tv_nsec == b->changed.tv_nsec;
}

static void add_image(pid_t pid, const struct mapping *m, struct image **images,
		      size_t *count)
{
	struct image new = { .fd = open_mapped(pid, m) };
	struct stat st;

	if (new.fd < 0 || fstat(new.fd, &st)) {
		info(2, "%s: cannot be opened through /proc/%d: %s", m->path, (int)pid,
		     strerror(errno));
		return;
	}
	new.id = identify(&st);
	for (size_t i = 0; i < *count; i++) {
		if (images_same(&(*images)[i].id, &new.id)) {
			close(new.fd);
			return;
		}
	}
	new.path = xstrdup(m->path);
	new.address = m->start;
	*images = xgrow(*images, *count, sizeof(**images));
	(*images)[(*count)++] = new;
}

static void put_executable_first(pid_t pid, struct image *images, size_t count)
{
	char *path = xasprintf("/proc/%d/exe", (int)pid);
	struct stat st;
	int err = stat(path, &st);

	free(path);
	for (size_t i = 0; !err && i < count; i++) {
		if (images[i].id.dev == st.st_dev && images[i].id.ino == st.st_ino) {
			struct image exe = images[i];

			images[i] = images[0];
			images[0] = exe;
			return;
		}
	}
}

int images_list(pid_t pid, struct image **images, size_t *count)
{
	char *path = xasprintf("/proc/%d/maps", (int)pid), *line = NULL;
	FILE *f = fopen(path, "re");
	struct mapping m, last = { 0 };
	size_t size = 0;

	free(path);
	*images = NULL;
	*count = 0;
	if (!f)
		return errno == ENOENT ? -ESRCH : -errno;
	while (getline(&line, &size, f) > 0) {
		if (!parse_mapping(line, &m) ||
		    (m.inode == last.inode && m.major == last.major &&
		     m.minor == last.minor))
			continue;
		last = m;
		add_image(pid, &m, images, count);
	}
	free(line);
	fclose(f);
	put_executable_first(pid, *images, *count);
	return 0;
}

void images_free(struct image *images, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		close(images[i].fd);
		free(images[i].path);
	}
	free(images);
}

struct image *images_loader(struct image *images, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const char *base = strrchr(images[i].path, '/');

		if (!strncmp(base, "/ld-", 4) || !strncmp(base, "/ld.", 4) ||
		    !strncmp(base, "/ld64.", 6))
			return &images[i];
	}
	return NULL;
}

char *images_variable(pid_t pid, const char *name)
{
	char *path = xasprintf("/proc/%d/environ", (int)pid), *entry = NULL,
	     *value = NULL;
	FILE *f = fopen(path, "re");
	size_t size = 0, n = strlen(name);

	free(path);
	while (f && !value && getdelim(&entry, &size, '\0', f) > 0)
		if (!strncmp(entry, name, n) && entry[n] == '=')
			value = xstrdup(entry + n + 1);
	free(entry);
	if (f)
		fclose(f);
	return value;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The Pythons among the files that processes map. */
#include <config.h>

#include "interpreters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "images.h"
#include "log.h"
#include "probes.h"
#include "xalloc.h"

/* A file that was looked at. */
struct seen {
	struct image_id id;
	pid_t pid; /* whose probes those are; -1: everybody's */
	enum found found;
	uint64_t probed; /* if it is a Python: the inode, and where the probes are */
};

struct interpreters {
	struct attach *attach;
	bool each_alone;
	enum probe_source source;
	pid_t current; /* the process being looked at */
	struct seen *seen;
	size_t count;
	struct seen *loaders;
	size_t loader_count;
};

struct interpreters *interpreters_new(struct attach *a, bool each_alone,
				      enum probe_source source)
{
	struct interpreters *all = xcalloc(1, sizeof(*all));

	all->attach = a;
	all->each_alone = each_alone;
	all->source = source;
	return all;
}

void interpreters_free(struct interpreters *all)
{
	if (!all)
		return;
	free(all->seen);
	free(all->loaders);
	free(all);
}

static struct seen *find(struct seen *list, size_t count, const struct image *image,
			 pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].pid == pid && images_same(&list[i].id, &image->id))
			return &list[i];
	return NULL;
}

static struct seen *remember(struct seen **list, size_t *count, const struct image *image,
			     pid_t pid, enum found found)
{
	*list = xgrow(*list, *count, sizeof(**list));
	(*list)[*count] = (struct seen){ image->id, pid, found, 0 };
	return &(*list)[(*count)++];
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

/* Uprobes go by the inode, which has other numbers in each overlay, and another time when
 * it is linked or its mode changes: the same places of it must not be probed twice. */
static int what_is_probed(struct interpreters *all, const struct image *image,
			  const struct probes *probes, uint64_t *hash)
{
	int err = attach_inode(all->attach, all->current, image->address, hash);

	for (size_t i = 0; *hash && i < probes->count; i++)
		*hash = mix(mix(*hash, probes->probes[i].offset), probes->probes[i].kind);
	return err;
}

static bool is_probed(const struct interpreters *all, uint64_t probed, pid_t pid)
{
	for (size_t i = 0; probed && i < all->count; i++)
		if (all->seen[i].pid == pid && all->seen[i].probed == probed)
			return true;
	return false;
}

/* Whose probes are to be added. */
static pid_t whose(const struct interpreters *all)
{
	return all->each_alone ? all->current : -1;
}

/* What CPython's own compiler (3.13 and later) compiles passes no probes. Where it is
 * built in, this variable turns it on. */
static void mind_compiler(const struct image *image, pid_t pid, uint32_t version)
{
	char *value = version >> 16 < 0x030d ? NULL : images_variable(pid, "PYTHON_JIT");

	if (value && *value && *value != '0')
		warn("%s: PYTHON_JIT is set: calls in what its compiler compiles are not seen "
		     "(PYTHON_JIT=0 turns it off)",
		     image->path);
	free(value);
}

static enum found attach_image(struct interpreters *all, const struct image *image,
			       uint64_t *probed)
{
	struct probes probes;
	enum found found = FOUND_UNUSABLE;
	int err = probes_read(image->fd, all->source, &probes);

	if (err || probes.state == PROBES_NOT_PYTHON || probes.state == PROBES_FOREIGN) {
		found = FOUND_NONE;
	} else if (probes.state != PROBES_USABLE) {
		warn("%s: %s; it cannot be traced", image->path, probes_explain(&probes));
	} else if (what_is_probed(all, image, &probes, probed)) {
		found = FOUND_GONE;
	} else if (is_probed(all, *probed, whose(all))) {
		found = FOUND_PYTHON;
	} else if ((err = attach_file(all->attach, image->fd, image->path, whose(all),
				      &probes))) {
		found = err == -ESRCH ? FOUND_GONE : FOUND_FAILED;
	} else {
		mind_compiler(image, all->current, probes.version);
		info(1, "%s: %zu probes, %s", image->path, probes.count,
		     probes_source_name(probes.source));
		found = FOUND_PYTHON;
	}
	probes_free(&probes);
	return found;
}

static enum found look_at(struct interpreters *all, const struct image *image)
{
	struct seen *seen = find(all->seen, all->count, image, whose(all));
	uint64_t probed = 0;
	enum found found;

	if (seen)
		return seen->found;
	found = attach_image(all, image, &probed);
	if (found == FOUND_GONE)
		return found;
	/* What failed is said once, and will fail again. */
	remember(&all->seen, &all->count, image, whose(all),
		 found == FOUND_FAILED ? FOUND_UNUSABLE : found)
		->probed = found == FOUND_PYTHON ? probed : 0;
	return found;
}

static void look_at_loader(struct interpreters *all, struct image *images, size_t count)
{
	struct image *loader = images_loader(images, count);
	struct loader place;

	if (!loader || find(all->loaders, all->loader_count, loader, -1))
		return;
	if (!probes_read_loader(loader->fd, &place))
		attach_loader(all->attach, loader->fd, loader->path, &place);
	remember(&all->loaders, &all->loader_count, loader, -1, FOUND_NONE);
}

/* The worst of what was found counts: half a tree is a wrong one. */
static enum found worse(enum found a, enum found b)
{
	static const int badness[] = {
		[FOUND_NONE] = 0,   [FOUND_PYTHON] = 1, [FOUND_UNUSABLE] = 2,
		[FOUND_FAILED] = 3, [FOUND_GONE] = 4,
	};

	return badness[a] > badness[b] ? a : b;
}

enum found interpreters_look(struct interpreters *all, pid_t pid, bool watch_loader)
{
	enum found found = FOUND_NONE;
	struct image *images;
	size_t count;
	int err = images_list(pid, &images, &count);

	all->current = pid;
	if (err == -ESRCH)
		return FOUND_GONE;
	if (err) {
		warn("cannot see what process %d has mapped: %s (run pyflow as root, or with "
		     "CAP_SYS_PTRACE)",
		     (int)pid, strerror(-err));
		return FOUND_FAILED;
	}
	for (size_t i = 0; i < count; i++)
		found = worse(found, look_at(all, &images[i]));
	if (watch_loader && found == FOUND_NONE)
		look_at_loader(all, images, count);
	images_free(images, count);
	return found;
}

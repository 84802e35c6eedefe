// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a program's libraries are: the search of ld.so(8), without its cache. */
#include <config.h>

#include "library.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probes-elf.h"
#include "xalloc.h"

/* Where distributions have them; the multiarch directories of Debian among them. */
static const char *const usual[] = {
	"/usr/local/lib",
	"/lib/x86_64-linux-gnu",
	"/usr/lib/x86_64-linux-gnu",
	"/lib/aarch64-linux-gnu",
	"/usr/lib/aarch64-linux-gnu",
	"/lib64",
	"/usr/lib64",
	"/lib",
	"/usr/lib",
};

/* The directory, with $ORIGIN, which must be at its beginning, replaced. The caller frees
 * it. */
static char *expand(const char *dir, size_t size, const char *origin)
{
	static const char *const names[] = { "$ORIGIN", "${ORIGIN}" };

	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(names[i]);

		if (size >= n && !strncmp(dir, names[i], n))
			return xasprintf("%s%.*s", origin, (int)(size - n), dir + n);
	}
	return xasprintf("%.*s", (int)size, dir);
}

static char *try_dir(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);

	if (!access(path, R_OK))
		return path;
	free(path);
	return NULL;
}

/* In directories with colons between them. */
static char *try_dirs(const char *dirs, const char *name, const char *origin)
{
	char *found = NULL;

	while (dirs && *dirs && !found) {
		size_t size = strcspn(dirs, ":");
		char *dir = expand(dirs, size, origin);

		found = *dir ? try_dir(dir, name) : NULL;
		free(dir);
		dirs += size + (dirs[size] == ':');
	}
	return found;
}

static char *find(const char *name, const char *dirs, const char *origin)
{
	char *found;

	if (strchr(name, '/'))
		return expand(name, strlen(name), origin);
	found = try_dirs(dirs, name, origin);
	if (!found)
		found = try_dirs(getenv("LD_LIBRARY_PATH"), name, origin);
	for (size_t i = 0; !found && i < sizeof(usual) / sizeof(usual[0]); i++)
		found = try_dir(usual[i], name);
	return found ? found : xstrdup(name);
}

/* The directory of the file, links followed. The caller frees it. */
static char *origin_of(const char *path)
{
	char *origin = realpath(path, NULL), *slash;

	if (!origin)
		return xstrdup(".");
	slash = strrchr(origin, '/');
	*slash = '\0';
	return origin;
}

char *library_find(int fd, const char *path, const char *prefix)
{
	char *name = NULL, *dirs = NULL, *origin, *found = NULL;
	struct elf e;

	if (elf_open(fd, &e))
		return NULL;
	name = elf_dynamic(&e, DT_NEEDED, prefix);
	if (name) {
		dirs = elf_dynamic(&e, DT_RUNPATH, "");
		if (!dirs)
			dirs = elf_dynamic(&e, DT_RPATH, "");
		origin = origin_of(path);
		found = find(name, dirs, origin);
		free(origin);
	}
	free(name);
	free(dirs);
	elf_close(&e);
	return found;
}

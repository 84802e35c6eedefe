// SPDX-License-Identifier: GPL-2.0-or-later
/* The patterns of -f, -F, --exclude-files, --exclude-funcs and --start-at, and --only. */
#include <config.h>

#include "filter.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

/* A file pattern in the forms it is compared in. */
struct pattern {
	const char *given;
	char *absolute; /* NULL for functions */
	char *real;	/* links followed; NULL if there is no such file */
	bool is_glob;	/* as given: the directory in front is never one */
	bool matched;
};

struct patterns {
	struct pattern *list;
	size_t count;
};

/* The lists, in the order of list_options[]. */
enum list { FILES, FUNCS, EXCLUDE_FILES, EXCLUDE_FUNCS, START_AT, LISTS };

static const char *const list_options[LISTS] = {
	"-f", "-F", "--exclude-files", "--exclude-funcs", "--start-at",
};

struct filter {
	struct patterns lists[LISTS];
	bool only_user, found_user;
	char *cwd;
};

char *filter_absolute(const char *cwd, const char *name)
{
	char *whole = *name == '/' ? xstrdup(name) : xasprintf("%s/%s", cwd, name);
	char *out = xcalloc(strlen(whole) + 2, 1), *state = NULL;
	size_t n = 0;

	for (char *part = strtok_r(whole, "/", &state); part;
	     part = strtok_r(NULL, "/", &state)) {
		if (!strcmp(part, "."))
			continue;
		if (!strcmp(part, "..")) {
			while (n && out[--n] != '/')
				;
			continue;
		}
		out[n++] = '/';
		memcpy(out + n, part, strlen(part));
		n += strlen(part);
	}
	if (!n)
		out[n++] = '/';
	out[n] = '\0';
	free(whole);
	return out;
}

static bool is_glob(const char *pattern)
{
	return strpbrk(pattern, "*?[");
}

/* The glob that matches a name, and nothing else. The caller frees it. */
static char *quote_glob(const char *name)
{
	char *out = xcalloc(strlen(name) + 1, 2), *o = out;

	for (; *name; *o++ = *name++)
		if (strchr("*?[\\", *name))
			*o++ = '\\';
	return out;
}

static void add_paths(struct pattern *p, const char *cwd)
{
	char *quoted = quote_glob(cwd);

	p->absolute = filter_absolute(p->is_glob ? quoted : cwd, p->given);
	p->real = p->is_glob ? NULL : realpath(p->given, NULL);
	free(quoted);
}

static struct patterns read_patterns(char **words, const char *cwd, bool are_files)
{
	struct patterns p = { 0 };

	for (; words && *words; words++) {
		struct pattern new = { .given = *words, .is_glob = is_glob(*words) };

		if (are_files)
			add_paths(&new, cwd);
		p.list = xgrow(p.list, p.count, sizeof(*p.list));
		p.list[p.count++] = new;
	}
	return p;
}

static void free_patterns(struct patterns *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->list[i].absolute);
		free(p->list[i].real);
	}
	free(p->list);
}

struct filter *filter_new(const struct options *o, const char *cwd)
{
	struct filter *f = xcalloc(1, sizeof(*f));

	f->cwd = xstrdup(cwd);
	f->lists[FILES] = read_patterns(o->files, cwd, true);
	f->lists[FUNCS] = read_patterns(o->funcs, cwd, false);
	f->lists[EXCLUDE_FILES] = read_patterns(o->exclude_files, cwd, true);
	f->lists[EXCLUDE_FUNCS] = read_patterns(o->exclude_funcs, cwd, false);
	f->lists[START_AT] = read_patterns(o->start_at, cwd, false);
	f->only_user = o->only_user;
	return f;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	for (enum list i = 0; i < LISTS; i++)
		free_patterns(&f->lists[i]);
	free(f->cwd);
	free(f);
}

bool filter_asks(const struct filter *f)
{
	return f->only_user || f->lists[FILES].count || f->lists[FUNCS].count ||
	       f->lists[EXCLUDE_FILES].count || f->lists[EXCLUDE_FUNCS].count;
}

/* form: one of the forms of p. */
static bool match_one(const struct pattern *p, const char *form, const char *name)
{
	if (!form)
		return false;
	return p->is_glob ? !fnmatch(form, name, 0) : !strcmp(form, name);
}

static bool match_file(const struct pattern *p, const char *name, const char *absolute)
{
	const char *base = strrchr(name, '/');

	if (match_one(p, p->given, name) || match_one(p, p->absolute, absolute) ||
	    match_one(p, p->real, absolute))
		return true;
	return !strchr(p->given, '/') && match_one(p, p->given, base ? base + 1 : name);
}

/* Does any match? All are tried, so that each knows. */
static bool match_files(struct patterns *list, const char *cwd, const char *name)
{
	char *absolute;
	bool any = false;

	if (!list->count)
		return false;
	/* <string> and <frozen importlib._bootstrap> are no paths. */
	absolute = *name == '<' ? xstrdup(name) : filter_absolute(cwd, name);
	for (size_t i = 0; i < list->count; i++) {
		if (match_file(&list->list[i], name, absolute))
			any = list->list[i].matched = true;
	}
	free(absolute);
	return any;
}

static bool match_funcs(struct patterns *list, const char *name, const char *qualname)
{
	bool any = false;

	for (size_t i = 0; i < list->count; i++) {
		struct pattern *p = &list->list[i];

		if (match_one(p, p->given, name) ||
		    (qualname && match_one(p, p->given, qualname)))
			any = p->matched = true;
	}
	return any;
}

/* At the beginning of path: "pythonX.Y/"; builds can have letters behind it, as in
 * python3.13t. */
static bool is_python_folder(const char *path)
{
	size_t digits;

	if (strncmp(path, "python", 6))
		return false;
	path += 6;
	digits = strspn(path, "0123456789.");
	path += digits + strspn(path + digits, "abcdefghijklmnopqrstuvwxyz");
	return digits && *path == '/';
}

/* Is this folder, with the path behind it, one of libraries? */
static bool is_library_folder(const char *path)
{
	static const char *const folders[] = { "site-packages/", "dist-packages/" };
	size_t zip = strspn(path + (strncmp(path, "python", 6) ? 0 : 6), "0123456789");

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (!strncmp(path, folders[i], strlen(folders[i])))
			return true;
	if (!strncmp(path, "lib/", 4) && is_python_folder(path + 4))
		return true;
	if (!strncmp(path, "lib64/", 6) && is_python_folder(path + 6))
		return true;
	return zip && !strncmp(path, "python", 6) && !strncmp(path + 6 + zip, ".zip/", 5);
}

bool filter_is_library(const char *file)
{
	if (!strncmp(file, "<frozen ", 8))
		return true;
	for (const char *at = file; at; at = strchr(at, '/')) {
		at += *at == '/';
		if (is_library_folder(at))
			return true;
	}
	return false;
}

bool filter_match(struct filter *f, const char *file, const char *func,
		  const char *qualname)
{
	struct patterns *lists = f->lists;
	bool in_files = match_files(&lists[FILES], f->cwd, file);
	bool in_funcs = match_funcs(&lists[FUNCS], func, qualname);
	bool excluded = match_files(&lists[EXCLUDE_FILES], f->cwd, file);

	excluded |= match_funcs(&lists[EXCLUDE_FUNCS], func, qualname);
	if (f->only_user && filter_is_library(file))
		return false;
	f->found_user = true;
	return (in_files || !lists[FILES].count) && (in_funcs || !lists[FUNCS].count) &&
	       !excluded;
}

bool filter_starts(struct filter *f, const char *func, const char *qualname)
{
	return match_funcs(&f->lists[START_AT], func, qualname);
}

void filter_unmatched(const struct filter *f,
		      void (*found)(const char *option, const char *pattern))
{
	for (enum list i = 0; i < LISTS; i++)
		for (size_t j = 0; j < f->lists[i].count; j++)
			if (!f->lists[i].list[j].matched)
				found(list_options[i], f->lists[i].list[j].given);
	if (f->only_user && !f->found_user)
		found("--only", "user");
}

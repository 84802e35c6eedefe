// SPDX-License-Identifier: GPL-2.0-or-later
/* The patterns of -f and -F. */
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

struct filter {
	struct patterns files, funcs;
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

struct filter *filter_new(char **files, char **funcs, const char *cwd)
{
	struct filter *f = xcalloc(1, sizeof(*f));

	f->cwd = xstrdup(cwd);
	f->files = read_patterns(files, cwd, true);
	f->funcs = read_patterns(funcs, cwd, false);
	return f;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	free_patterns(&f->files);
	free_patterns(&f->funcs);
	free(f->cwd);
	free(f);
}

bool filter_asks(const struct filter *f)
{
	return f->files.count || f->funcs.count;
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

static bool match_files(struct filter *f, const char *name)
{
	char *absolute;
	bool any = !f->files.count;

	if (any)
		return true;
	/* <string> and <frozen importlib._bootstrap> are no paths. */
	absolute = *name == '<' ? xstrdup(name) : filter_absolute(f->cwd, name);
	for (size_t i = 0; i < f->files.count; i++) {
		if (match_file(&f->files.list[i], name, absolute))
			any = f->files.list[i].matched = true;
	}
	free(absolute);
	return any;
}

static bool match_funcs(struct filter *f, const char *name, const char *qualname)
{
	bool any = !f->funcs.count;

	for (size_t i = 0; i < f->funcs.count; i++) {
		struct pattern *p = &f->funcs.list[i];

		if (match_one(p, p->given, name) ||
		    (qualname && match_one(p, p->given, qualname)))
			any = f->funcs.list[i].matched = true;
	}
	return any;
}

bool filter_match(struct filter *f, const char *file, const char *func,
		  const char *qualname)
{
	bool files = match_files(f, file), funcs = match_funcs(f, func, qualname);

	return files && funcs;
}

static void report(const struct patterns *p, const char *option,
		   void (*found)(const char *option, const char *pattern))
{
	for (size_t i = 0; i < p->count; i++)
		if (!p->list[i].matched)
			found(option, p->list[i].given);
}

void filter_unmatched(const struct filter *f,
		      void (*found)(const char *option, const char *pattern))
{
	report(&f->files, "-f", found);
	report(&f->funcs, "-F", found);
}

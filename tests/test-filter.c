// SPDX-License-Identifier: GPL-2.0-or-later
/* The patterns of -f and -F. */
#include <config.h>

#include "filter.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "xalloc.h"

/* files and funcs end with NULL, or are NULL. */
static struct filter *new_filter(char **files, char **funcs, const char *cwd)
{
	struct options o = { .files = files, .funcs = funcs };

	return filter_new(&o, cwd);
}

static const struct {
	const char *cwd, *name, *wanted;
} paths[] = {
	{ "/w", "a.py", "/w/a.py" },
	{ "/w/d", "x/a.py", "/w/d/x/a.py" },
	{ "/w", "/a.py", "/a.py" },
	{ "/w", "./a.py", "/w/a.py" },
	{ "/w", "x/./a.py", "/w/x/a.py" },
	{ "/w", "../a.py", "/a.py" },
	{ "/w/d/e", "../../a.py", "/w/a.py" },
	{ "/w", "../../../a.py", "/a.py" },
	{ "/w", "x//y///a.py", "/w/x/y/a.py" },
	{ "/w", "//a/../b/", "/b" },
	{ "/", "a.py", "/a.py" },
	{ "/", "..", "/" },
	{ "/w", "", "/w" },
	{ "/w", ".", "/w" },
	{ "/w", "/", "/" },
	{ "/w", "...", "/w/..." },
	{ "/w", ".a/..b", "/w/.a/..b" },
};

/* One file pattern against one name; the working directory is /w. */
static const struct {
	const char *pattern, *file;
	bool wanted;
} files[] = {
	/* as given */
	{ "a.py", "a.py", true },
	{ "a.py", "A.py", false },
	{ "a.py", "a.pyc", false },
	{ "a.py", "aa.py", false },
	{ "x/a.py", "x/a.py", true },
	{ "/w/x/a.py", "/w/x/a.py", true },
	/* the base name, for a pattern without / only */
	{ "a.py", "/any/where/a.py", true },
	{ "a.py", "x/a.py", true },
	{ "a.py", "/any/a.py/b.py", false },
	{ "x/a.py", "/any/x/a.py", false },
	/* absolute against relative, both ways */
	{ "x/a.py", "/w/x/a.py", true },
	{ "/w/x/a.py", "x/a.py", true },
	{ "./a.py", "a.py", true },
	{ "./a.py", "/w/a.py", true },
	{ "./a.py", "x/a.py", false },
	{ "a.py", "./a.py", true },
	{ "x/a.py", "./x/../x/a.py", true },
	{ "../a.py", "/a.py", true },
	{ "../a.py", "../a.py", true },
	{ "../a.py", "a.py", false },
	{ "../w/x/a.py", "x/a.py", true },
	/* globs, where * crosses a / */
	{ "*.py", "a.py", true },
	{ "*.py", "/any/a.py", true },
	{ "*.py", "a.pyc", false },
	{ "?.py", "/any/a.py", true },
	{ "?.py", "ab.py", false },
	{ "[ab].py", "b.py", true },
	{ "[!ab].py", "b.py", false },
	{ "a\\*.p[y]", "a*.py", true },
	{ "x/*.py", "x/a.py", true },
	{ "x/*.py", "/w/x/y/a.py", true },
	{ "x/*.py", "/any/x/a.py", false },
	{ "*/x/*.py", "/any/x/a.py", true },
	{ "/w/*", "a.py", true },
	{ "../*.py", "/a.py", true },
	{ "./*.py", "b.py", true },
	{ "*", "", true },
	/* what is no path */
	{ "<string>", "<string>", true },
	{ "/w/<string>", "<string>", false },
	{ "<string>", "string", false },
	{ "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap>", true },
	{ "<frozen *>", "<frozen importlib._bootstrap>", true },
	{ "<frozen *>", "<string>", false },
	{ "/w/*", "<string>", false },
	{ "*", "<string>", true },
	{ "a.py", "", false },
};

static const struct {
	const char *pattern, *func;
	bool wanted;
} funcs[] = {
	{ "f", "f", true },
	{ "f", "ff", false },
	{ "f", "F", false },
	{ "f", "", false },
	{ "get_*", "get_", true },
	{ "get_*", "get_it", true },
	{ "get_*", "forget_it", false },
	{ "*", "", true },
	{ "[a-f]?", "f1", true },
	{ "<module>", "<module>", true },
	{ "<lambda>", "<listcomp>", false },
	{ "<*>", "<lambda>", true },
	{ "a/b", "b", false },
	{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", true },
};

/* A function pattern against one name and one qualified name, NULL if not known. */
static const struct {
	const char *pattern, *func, *qualname;
	bool wanted;
} qualnames[] = {
	{ "f", "f", "C.f", true },
	{ "C.f", "f", "C.f", true },
	{ "C.f", "f", NULL, false },
	{ "C.f", "f", "D.f", false },
	{ "C.f", "f", "C.C.f", false },
	{ "C.f", "g", "C.f", true },
	{ "C.*", "f", "C.f", true },
	{ "C.*", "f", "C.D.f", true },
	{ "C.*", "f", "CC.f", false },
	{ "C.*", "C.x", "f", true },
	{ "*.f", "f", "C.f", true },
	{ "*.f", "f", "f", false },
	{ "C", "f", "C.f", false },
	{ "f.<locals>.*", "g", "f.<locals>.g", true },
	{ "f.<locals>.g", "g", "f.<locals>.g", true },
	{ "*.<lambda>", "<lambda>", "f.<locals>.<lambda>", true },
	{ "<lambda>", "<lambda>", "f.<locals>.<lambda>", true },
	{ "", "f", "", true },
	{ "", "f", "C.f", false },
	{ "[CD].f", "f", "D.f", true },
};

static char seen[256];

static void note_unmatched(const char *option, const char *pattern)
{
	size_t n = strlen(seen);

	snprintf(seen + n, sizeof(seen) - n, "%s %s;", option, pattern);
}

static const char *unmatched(const struct filter *f)
{
	seen[0] = '\0';
	filter_unmatched(f, note_unmatched);
	return seen;
}

static bool match_one(const char *cwd, const char *file, const char *func,
		      const char *name)
{
	char *list[] = { xstrdup(file ? file : func), NULL };
	struct filter *f = new_filter(file ? list : NULL, func ? list : NULL, cwd);
	bool ok = file ? filter_match(f, name, "any", NULL)
		       : filter_match(f, "any", name, NULL);

	CHECK(filter_asks(f));
	CHECK_INT(!*unmatched(f), ok);
	filter_free(f);
	free(list[0]);
	return ok;
}

static void check_paths(void)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *path = filter_absolute(paths[i].cwd, paths[i].name);

		CHECK_STR(path, paths[i].wanted);
		free(path);
	}
}

static void check_tables(void)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		check_int(match_one("/w", files[i].pattern, NULL, files[i].file),
			  files[i].wanted, files[i].pattern, __FILE__, __LINE__);
	for (size_t i = 0; i < sizeof(funcs) / sizeof(funcs[0]); i++)
		check_int(match_one("/w", NULL, funcs[i].pattern, funcs[i].func),
			  funcs[i].wanted, funcs[i].pattern, __FILE__, __LINE__);
}

static void check_qualnames(void)
{
	for (size_t i = 0; i < sizeof(qualnames) / sizeof(qualnames[0]); i++) {
		char *list[] = { xstrdup(qualnames[i].pattern), NULL };
		struct filter *f = new_filter(NULL, list, "/w");

		check_int(filter_match(f, "a.py", qualnames[i].func,
				       qualnames[i].qualname),
			  qualnames[i].wanted, qualnames[i].pattern, __FILE__, __LINE__);
		CHECK_INT(!*unmatched(f), qualnames[i].wanted);
		filter_free(f);
		free(list[0]);
	}
}

/* The name and the qualified name may have each its own pattern; the file must match,
 * too. */
static void check_both_names(void)
{
	char *files_list[] = { "a.py", NULL }, *funcs_list[] = { "f", "C.f", NULL };
	struct filter *f = new_filter(files_list, funcs_list, "/w");

	CHECK(!filter_match(f, "b.py", "f", "D.f"));
	CHECK_STR(unmatched(f), "-f a.py;-F C.f;");
	CHECK(filter_match(f, "a.py", "f", "C.f"));
	CHECK_STR(unmatched(f), "");
	CHECK(!filter_match(f, "b.py", "f", "C.f"));
	filter_free(f);
}

/* A directory may have a name that looks like a glob. */
static void check_odd_cwd(void)
{
	CHECK(match_one("/w[1]*", "./a.py", NULL, "/w[1]*/a.py"));
	CHECK(!match_one("/w[1]*", "./a.py", NULL, "/w1/a.py"));
	CHECK(match_one("/w[1]*", "./*.py", NULL, "/w[1]*/a.py"));
	CHECK(!match_one("/w[1]*", "./*.py", NULL, "/w1/a.py"));
	CHECK(match_one("/w\\x", "./*.py", NULL, "/w\\x/a.py"));
	CHECK(match_one("/w\\x", "./a.py", NULL, "/w\\x/a.py"));
}

/* Of one list, any; of both lists, both. */
static void check_lists(void)
{
	char *files_list[] = { "a.py", "b*", "never.py", NULL };
	char *funcs_list[] = { "f", "g_*", NULL };
	struct filter *f = new_filter(files_list, funcs_list, "/w");

	CHECK_STR(unmatched(f), "-f a.py;-f b*;-f never.py;-F f;-F g_*;");
	CHECK(filter_match(f, "a.py", "f", NULL));
	CHECK_STR(unmatched(f), "-f b*;-f never.py;-F g_*;");
	CHECK(filter_match(f, "bb.py", "g_1", NULL));
	CHECK(filter_match(f, "a.py", "g_1", NULL));
	CHECK(!filter_match(f, "a.py", "h", NULL));
	CHECK(!filter_match(f, "c.py", "f", NULL));
	CHECK(!filter_match(f, "c.py", "h", NULL));
	CHECK_STR(unmatched(f), "-f never.py;");
	filter_free(f);
}

/* A pattern has matched even if the other list refused the call. */
static void check_half(void)
{
	char *files_list[] = { "a.py", NULL }, *funcs_list[] = { "f", NULL };
	struct filter *f = new_filter(files_list, funcs_list, "/w");

	CHECK(!filter_match(f, "a.py", "g", NULL));
	CHECK_STR(unmatched(f), "-F f;");
	CHECK(!filter_match(f, "b.py", "f", NULL));
	CHECK_STR(unmatched(f), "");
	filter_free(f);
}

static void check_none(void)
{
	char *empty[] = { NULL };
	struct filter *f = new_filter(NULL, empty, "/w");

	CHECK(!filter_asks(f));
	CHECK(filter_match(f, "a.py", "f", NULL));
	CHECK(filter_match(f, "", "", NULL));
	CHECK_STR(unmatched(f), "");
	filter_free(f);
	filter_free(NULL);
}

/* Names that differ in the last of very many bytes. */
static void check_long(void)
{
	enum { LONG = 300000 };
	char *a = xcalloc(LONG + 1, 1), *b;

	memset(a, 'a', LONG);
	memcpy(a + LONG / 2, "/dir/", 5);
	b = xstrdup(a);
	b[LONG - 1] = 'b';
	CHECK(match_one("/w", a, NULL, a));
	CHECK(!match_one("/w", a, NULL, b));
	CHECK(match_one("/w", NULL, a, a));
	CHECK(!match_one("/w", NULL, a, b));
	CHECK(match_one("/w", NULL, "a*b", b));
	CHECK(!match_one("/w", NULL, "a*b", a));
	free(a);
	free(b);
}

/* A pattern that is a link stands for the file as well, by whose name Python may know
 * it. */
static void check_link(void)
{
	char dir[] = "/tmp/test-filter.XXXXXX", *real, *link, *canonical;

	CHECK(mkdtemp(dir));
	real = xasprintf("%s/real.py", dir);
	link = xasprintf("%s/link.py", dir);
	CHECK(!symlink("real.py", link));
	CHECK(!match_one("/w", link, NULL, real));
	fclose(fopen(real, "w"));
	canonical = realpath(real, NULL);
	CHECK(match_one("/w", link, NULL, canonical));
	CHECK(match_one("/w", link, NULL, link));
	CHECK(!match_one("/w", real, NULL, link));
	unlink(real);
	unlink(link);
	rmdir(dir);
	free(canonical);
	free(real);
	free(link);
}

/* What is excluded is hidden, whatever else matches. */
static void check_excluded(void)
{
	char *funcs_list[] = { "f*", NULL }, *no_files[] = { "b.py", "d/*", NULL };
	char *no_funcs[] = { "fg", "C.m", "never", NULL };
	struct options o = { .exclude_files = no_files };
	struct filter *f = filter_new(&o, "/w");

	CHECK(filter_asks(f));
	CHECK(filter_match(f, "a.py", "f", NULL));
	CHECK(!filter_match(f, "/x/b.py", "f", NULL));
	CHECK_STR(unmatched(f), "--exclude-files d/*;");
	filter_free(f);
	o.funcs = funcs_list;
	o.exclude_funcs = no_funcs;
	f = filter_new(&o, "/w");
	CHECK(filter_match(f, "a.py", "f", NULL));
	CHECK(filter_match(f, "a.py", "ff", NULL));
	CHECK(!filter_match(f, "a.py", "fg", NULL));
	CHECK(!filter_match(f, "a.py", "g", NULL));
	CHECK(!filter_match(f, "d/a.py", "f", NULL));
	CHECK(!filter_match(f, "a.py", "f", "C.m"));
	CHECK_STR(unmatched(f), "--exclude-files b.py;--exclude-funcs never;");
	filter_free(f);
}

static const struct {
	const char *file;
	bool is_library;
} library[] = {
	{ "/usr/lib/python3.11/json/decoder.py", true },
	{ "/usr/lib64/python3.9/os.py", true },
	{ "lib/python3.9/os.py", true },
	{ "/usr/local/lib/python3.13t/os.py", true },
	{ "/usr/lib/python3/dist-packages/apt/cache.py", true },
	{ "/opt/dist-packages/a.py", true },
	{ "/home/u/venv/lib/python3.12/site-packages/x/y.py", true },
	{ "site-packages/x.py", true },
	{ "/usr/lib/python311.zip/os.py", true },
	{ "/x/python3.zip/os.py", true },
	{ "<frozen importlib._bootstrap>", true },
	{ "<frozen os>", true },
	{ "<string>", false },
	{ "<stdin>", false },
	{ "<frozen", false },
	{ "", false },
	{ "/", false },
	{ "python", false },
	{ "/home/u/python3.11/x.py", false },
	{ "/home/u/lib/python/x.py", false },
	{ "/home/u/lib/pythonx/x.py", false },
	{ "/home/u/lib/python3.11", false },
	{ "/home/u/lib/mine.py", false },
	{ "/home/u/mylib/python3.11/x.py", false },
	{ "/home/u/python.zip/x.py", false },
	{ "/home/u/123.zip/x.py", false },
	{ "/home/u/not-site-packages/x.py", false },
	{ "/home/u/site-packages", false },
	{ "/home/u/src/a.py", false },
};

static void check_only(void)
{
	struct options o = { .only_user = true };
	struct filter *f = filter_new(&o, "/w");

	for (size_t i = 0; i < sizeof(library) / sizeof(library[0]); i++)
		check_int(filter_is_library(library[i].file), library[i].is_library,
			  library[i].file, __FILE__, __LINE__);
	CHECK(filter_asks(f));
	CHECK(!filter_match(f, "<frozen os>", "f", NULL));
	CHECK_STR(unmatched(f), "--only user;");
	CHECK(filter_match(f, "a.py", "f", NULL));
	CHECK_STR(unmatched(f), "");
	filter_free(f);
}

/* Where to start hides nothing by itself. */
static void check_starts(void)
{
	char *starts[] = { "main", "run_*", "C.m", NULL };
	struct options o = { .start_at = starts };
	struct filter *f = filter_new(&o, "/w");

	CHECK(!filter_asks(f));
	CHECK(filter_match(f, "a.py", "other", NULL));
	CHECK_STR(unmatched(f), "--start-at main;--start-at run_*;--start-at C.m;");
	CHECK(!filter_starts(f, "other", NULL));
	CHECK(!filter_starts(f, "m", "D.m"));
	CHECK(filter_starts(f, "main", NULL));
	CHECK(filter_starts(f, "run_all", "x.run_all"));
	CHECK(filter_starts(f, "m", "C.m"));
	CHECK_STR(unmatched(f), "");
	filter_free(f);
}

/* ---- all of them together, against a plain implementation ---- */

enum { FILES = 4, FUNCS = 4, ROUNDS = 20000 };

static char *const some_files[FILES] = { "a.py", "b.py", "/usr/lib/python3.11/c.py",
					 "<frozen d>" };
static char *const some_funcs[FUNCS] = { "f", "g", "C.h", "k" };

/* Some of the words, as a list that ends with NULL; what is taken is a bit each. */
static unsigned int choose(char *const *words, unsigned int count, char **list)
{
	unsigned int taken = check_below(2) ? check_below(1 << count) : 0, n = 0;

	for (unsigned int i = 0; i < count; i++)
		if (taken & 1 << i)
			list[n++] = words[i];
	list[n] = NULL;
	return taken;
}

/* The third function is known by its qualified name only. */
static void check_together(void)
{
	char *files_list[FILES + 1], *funcs_list[FUNCS + 1], *no_files[FILES + 1],
		*no_funcs[FUNCS + 1], *starts[FUNCS + 1];
	struct options o = { .files = files_list,
			     .funcs = funcs_list,
			     .exclude_files = no_files,
			     .exclude_funcs = no_funcs,
			     .start_at = starts,
			     .only_user = check_below(2) };
	unsigned int in_files = choose(some_files, FILES, files_list);
	unsigned int in_funcs = choose(some_funcs, FUNCS, funcs_list);
	unsigned int out_files = choose(some_files, FILES, no_files);
	unsigned int out_funcs = choose(some_funcs, FUNCS, no_funcs);
	unsigned int in_starts = choose(some_funcs, FUNCS, starts);
	struct filter *f = filter_new(&o, "/w");

	for (unsigned int i = 0; i < FILES; i++) {
		for (unsigned int j = 0; j < FUNCS; j++) {
			const char *func = j == 2 ? "h" : some_funcs[j];
			const char *qualname = j == 2 ? "C.h" : NULL;
			bool wanted = (!in_files || in_files & 1 << i) &&
				      (!in_funcs || in_funcs & 1 << j) &&
				      !(out_files & 1 << i) && !(out_funcs & 1 << j) &&
				      !(o.only_user && i > 1);

			CHECK_INT(filter_match(f, some_files[i], func, qualname), wanted);
			CHECK_INT(filter_starts(f, func, qualname),
				  !!(in_starts & 1 << j));
		}
	}
	CHECK_INT(filter_asks(f),
		  in_files || in_funcs || out_files || out_funcs || o.only_user);
	filter_free(f);
}

int main(void)
{
	check_paths();
	check_tables();
	check_qualnames();
	check_both_names();
	check_odd_cwd();
	check_lists();
	check_half();
	check_none();
	check_long();
	check_link();
	check_excluded();
	check_only();
	check_starts();
	for (uint32_t i = 0; i < check_rounds(ROUNDS); i++)
		check_together();
	return check_done();
}

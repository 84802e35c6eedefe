// SPDX-License-Identifier: GPL-2.0-or-later
/* --list: the interpreters of a process, a command or a file, and their probes. */
#include <config.h>

#include "list.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escape.h"
#include "images.h"
#include "launch.h"
#include "library.h"
#include "log.h"
#include "probes.h"
#include "xalloc.h"

enum { MAX_SCRIPTS = 8, LINE = 512 };

enum { FIRST_FULL_VERSION = 0x030b }; /* older ones do not tell the third number */

struct list {
	const struct options *options;
	unsigned int found, unusable;
};

/* A line of what is found: paths, and what files say, are harmless in it. */
static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	char *text, *line;
	va_list args;
	size_t n;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	line = xcalloc(strlen(text) + 1, ESCAPE_MAX);
	n = escape(line, text, ESCAPE_MESSAGE);
	line[n++] = '\n';
	fwrite(line, 1, n, stdout);
	free(line);
	free(text);
}

/* ---- an interpreter ---- */

static void print_name(const char *path, uint32_t version)
{
	if (!version)
		say("%s: CPython", path);
	else if (version >> 16 < FIRST_FULL_VERSION)
		say("%s: CPython %u.%u", path, version >> 24, version >> 16 & 0xff);
	else
		say("%s: CPython %u.%u.%u", path, version >> 24, version >> 16 & 0xff,
		    version >> 8 & 0xff);
}

static void print_source(const struct probes *p, bool is_taken)
{
	const char *name = probes_source_name(p->source);

	if (p->state == PROBES_USABLE)
		say("  %-4s  yes: %zu places%s", name, p->count,
		    is_taken ? "; this is taken" : "");
	else
		say("  %-4s  no: %s", name, probes_explain(p));
}

/* The source that would be taken, as probes_read() does it. */
static enum probe_source taken(const struct probes *sdt, const struct probes *eval,
			       enum probe_source wanted)
{
	if (wanted != SOURCE_EVAL && sdt->state == PROBES_USABLE)
		return SOURCE_SDT;
	if (wanted != SOURCE_SDT && eval->state == PROBES_USABLE)
		return SOURCE_EVAL;
	return SOURCE_AUTO;
}

static bool is_python(const struct probes *p)
{
	return p->state != PROBES_NOT_PYTHON && p->state != PROBES_FOREIGN;
}

/* Returns whether it is an interpreter. */
static bool list_image(struct list *l, int fd, const char *path)
{
	struct probes sdt, eval;
	enum probe_source source;

	if (probes_read(fd, SOURCE_SDT, &sdt))
		return false;
	if (probes_read(fd, SOURCE_EVAL, &eval) ||
	    (!is_python(&sdt) && !is_python(&eval))) {
		probes_free(&sdt);
		return false;
	}
	source = taken(&sdt, &eval, l->options->source);
	if (is_python(&sdt)) {
		print_name(path, sdt.version);
		print_source(&sdt, source == SOURCE_SDT);
		print_source(&eval, source == SOURCE_EVAL);
	} else {
		say("%s: %s", path, probes_explain(&eval));
	}
	if (source == SOURCE_AUTO)
		say("  It cannot be traced%s.",
		    l->options->source == SOURCE_AUTO ? "" : " by this source");
	l->found++;
	l->unusable += source == SOURCE_AUTO;
	probes_free(&sdt);
	probes_free(&eval);
	return true;
}

/* ---- files ---- */

/* A program whose Python is in a library. */
static bool list_library(struct list *l, int fd, const char *path)
{
	char *library = library_find(fd, path, "libpython");
	/* A bare name was not found: what is in the current directory is not it. */
	int library_fd = library && strchr(library, '/')
				 ? open(library, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
				 : -1;
	bool is_listed = library_fd >= 0 && list_image(l, library_fd, library);

	if (library_fd >= 0)
		close(library_fd);
	else if (library)
		say("%s: needs %s, which is not found", path, library);
	free(library);
	return is_listed;
}

/* The words of the line #!..., if that is what the file begins with. The caller frees
 * *line. */
static bool read_script(int fd, char **line, char **program, char **argument)
{
	char text[LINE] = { 0 }, *rest = NULL;

	if (pread(fd, text, sizeof(text) - 1, 0) < 3 || strncmp(text, "#!", 2))
		return false;
	text[strcspn(text, "\n")] = '\0';
	*line = xstrdup(text + 2);
	*program = strtok_r(*line, " \t", &rest);
	if (!*program) {
		free(*line);
		return false;
	}
	*argument = strtok_r(NULL, "", &rest);
	return true;
}

/* The program that env(1) would run: the first word that is no option and no variable. */
static const char *skip_env(char *words)
{
	char *rest = NULL, *word = strtok_r(words, " \t", &rest);

	while (word && (*word == '-' || strchr(word, '=')))
		word = strtok_r(NULL, " \t", &rest);
	return word;
}

static bool is_env(const char *path)
{
	const char *base = strrchr(path, '/');

	return !strcmp(base ? base + 1 : path, "env");
}

static int list_file(struct list *l, const char *path, int scripts);

/* Scripts are run by others. */
static int list_script(struct list *l, const char *path, char *program, char *argument,
		       int scripts)
{
	const char *name = is_env(program) && argument ? skip_env(argument) : program;
	char *found = NULL;
	int err = name ? launch_find(name, &found) : -ENOENT;

	if (err) {
		say("%s: is a script for %s, which cannot be run: %s", path,
		    name ? name : program, strerror(-err));
		free(found);
		return err == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	}
	say("%s: is a script, run by %s", path, found);
	err = list_file(l, found, scripts + 1);
	free(found);
	return err;
}

static int list_opened(struct list *l, int fd, const char *path, int scripts)
{
	char *line, *program, *argument;

	if (scripts < MAX_SCRIPTS && read_script(fd, &line, &program, &argument)) {
		int status = list_script(l, path, program, argument, scripts);

		free(line);
		return status;
	}
	if (list_image(l, fd, path) || list_library(l, fd, path))
		return 0;
	say("%s: not a Python; what it may run or load is not looked at", path);
	return EXIT_OWN;
}

static int list_file(struct list *l, const char *path, int scripts)
{
	struct stat st;
	int fd, status;

	/* Merely to open a device may do something to it. */
	if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
		warn("%s: is not a regular file", path);
		return EXIT_OWN;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		warn("%s: %s", path, strerror(errno));
		return EXIT_OWN;
	}
	status = list_opened(l, fd, path, scripts);
	close(fd);
	return status;
}

/* ---- commands and processes ---- */

static int list_command(struct list *l, char **argv)
{
	char *path;
	int err, status;

	while (is_env(argv[0]) && argv[1])
		do
			argv++;
		while (argv[1] && (*argv[0] == '-' || strchr(argv[0], '=')));
	err = launch_find(argv[0], &path);
	if (err) {
		warn("%s: %s", argv[0],
		     err == -ENOENT ? "command not found" : strerror(-err));
		free(path);
		return err == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	}
	status = list_file(l, path, 0);
	free(path);
	return status;
}

static int list_process(struct list *l, pid_t pid)
{
	unsigned int before = l->found;
	struct image *images;
	size_t count;
	int err = images_list(pid, &images, &count);

	if (err) {
		warn("process %d: %s", (int)pid,
		     err == -ESRCH ? "there is no such process" : strerror(-err));
		return EXIT_OWN;
	}
	for (size_t i = 0; i < count; i++)
		list_image(l, images[i].fd, images[i].path);
	images_free(images, count);
	if (l->found > before)
		return 0;
	say("process %d: not a Python: neither its program nor a library that it has "
	    "loaded is one",
	    (int)pid);
	return EXIT_OWN;
}

/* A process ID, or a file; a name without '/' that is none here is looked up as a command
 * is. */
static int list_word(struct list *l, char *word)
{
	char *argv[] = { word, NULL }, *end;
	long pid = strtol(word, &end, 10);

	if (isdigit((unsigned char)*word) && !*end && pid > 0 && pid <= INT_MAX)
		return list_process(l, pid);
	if (!strchr(word, '/') && access(word, F_OK))
		return list_command(l, argv);
	return list_file(l, word, 0);
}

int list_run(const struct options *o)
{
	struct list l = { .options = o };
	int status = 0, each;

	for (size_t i = 0; i < o->pid_count; i++)
		status |= list_process(&l, o->pids[i]);
	if (o->argv)
		status = list_command(&l, o->argv);
	for (char **word = o->listed; word && *word; word++) {
		each = list_word(&l, *word);
		status = status ? status : each;
	}
	if (fflush(stdout) || ferror(stdout)) {
		warn("cannot write what was found: %s", strerror(errno));
		return EXIT_OWN;
	}
	return status || !l.unusable ? status : EXIT_OWN;
}

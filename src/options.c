// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line, by argp. */
#include <config.h>

#include "options.h"

#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "words.h"
#include "xalloc.h"

enum {
	DEFAULT_BUFFER = 8 << 20,
	MAX_BUFFER = 1 << 30,
};

enum {
	OPT_ON_FULL = 256,
	OPT_FAIL_ON_LOST,
	OPT_PROBES,
	OPT_QUALNAME,
	OPT_LIST,
	OPT_NO_INHERIT
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "What to trace (one of -p, -c and -- must be given):", 1 },
	{ "pid", 'p', "PID[,PID...]", 0,
	  "Trace these running processes, all their threads, and what they start", 1 },
	{ "cmd", 'c', "CMD", 0,
	  "Start this command and trace it; words are split as a shell does", 1 },
	{ "no-inherit", OPT_NO_INHERIT, NULL, 0,
	  "Only the process of -p or the command's own, not the processes that it starts",
	  1 },
	{ NULL, 0, NULL, 0, "Which functions (patterns with * ? [ are globs):", 2 },
	{ "files", 'f', "FILE...", 0, "Only functions of these files", 2 },
	{ "funcs", 'F', "FUNC...", 0, "Only these functions", 2 },
	{ NULL, 0, NULL, 0, "How:", 3 },
	{ "probes", OPT_PROBES, "auto|sdt|eval", 0,
	  "Which probes: the SDT probes of the interpreter, places in its evaluation loop, "
	  "or whichever gives the exact tree (default)",
	  3 },
	{ "list", OPT_LIST, NULL, 0,
	  "Trace nothing: list the interpreters of a process (PID), a program or library "
	  "(FILE) or a command (-- CMD), which is not run, and say how each can be traced",
	  3 },
	{ NULL, 0, NULL, 0, "The command:", 4 },
	{ "user", 'u', "USER[:GROUP]", 0, "Run the command as this user", 4 },
	{ "tmp-dir", 't', "DIR", 0,
	  "Where the launch script of -c goes, if one is needed ($TMPDIR, else /tmp)",
	  4 },
	{ NULL, 0, NULL, 0, "Output:", 5 },
	{ "output", 'o', "FILE", 0, "Write the trace to FILE, not to standard output",
	  5 },
	{ "on-full", OPT_ON_FULL, "stop|drop", 0,
	  "When events come faster than they can be written: stop the process for a moment "
	  "(default for commands), or drop events and count them (default for -p)",
	  5 },
	{ "mmap-pages", 'm', "PAGES|SIZE", 0,
	  "Size of the buffer between kernel and pyflow: a number of pages, or of bytes with "
	  "B, K, M or G behind it (default 8M)",
	  5 },
	{ "fail-on-lost", OPT_FAIL_ON_LOST, NULL, 0, "Exit with 125 if an event was lost",
	  5 },
	{ "qualname", OPT_QUALNAME, NULL, 0,
	  "Print qualified names (Thread.run), where they are known", 5 },
	{ "verbose", 'v', NULL, 0, "Say more, on standard error; up to three times", 5 },
	{ 0 },
};

static const char usage[] =
	"-p PID[,PID...]\n-c \"CMD ARGS\"\n-- CMD ARGS...\n--list PID|FILE...|-- CMD ARGS...";

static const char doc[] =
	"Print the calls and returns of Python code, from outside the process.\v"
	"Examples:\n"
	"  pyflow -p 1001                        everything in process 1001\n"
	"  pyflow -c \"python3 script.py\"         run script.py and trace it\n"
	"  pyflow -o trace.txt -- make check     the Pythons of a job, into a file\n"
	"  pyflow -p 1001 -f socket.py \"http/*\"  only functions of these files\n"
	"  pyflow -p 1001 -F accept \"get_*\"      only these functions\n"
	"\n"
	"A list of files or functions ends at the next word that starts with `-'. "
	"The exit status is the command's; 125 if pyflow itself failed, 126 if the command "
	"cannot be executed, 127 if it is not found. See pyflow(1).";

static void print_version(FILE *stream, struct argp_state *state)
{
	(void)state;
	fprintf(stream,
		"pyflow %s\n"
		"Copyright (C) 2026 The pyflow authors\n"
		"License GPLv2+: GNU GPL version 2 or later <https://gnu.org/licenses/gpl.html>\n"
		"This is free software: you are free to change and redistribute it.\n"
		"There is NO WARRANTY, to the extent permitted by law.\n",
		PACKAGE_VERSION);
}

static void add_pid(struct options *o, pid_t pid)
{
	for (size_t i = 0; i < o->pid_count; i++)
		if (o->pids[i] == pid)
			return;
	o->pids = xgrow(o->pids, o->pid_count, sizeof(*o->pids));
	o->pids[o->pid_count++] = pid;
}

static void parse_pids(struct options *o, const char *arg, struct argp_state *state)
{
	const char *at = arg;
	char *end;

	for (;; at = end + 1) {
		long pid;

		errno = 0;
		pid = strtol(at, &end, 10);
		if (errno || !isdigit((unsigned char)*at) || (*end && *end != ',') ||
		    pid < 1 || pid > INT_MAX)
			argp_failure(state, EXIT_OWN, 0,
				     strchr(arg, ',') ? "-p %s: not a list of process IDs"
						      : "-p %s: not a process ID",
				     arg);
		add_pid(o, pid);
		if (!*end)
			return;
	}
}

/* PAGES, or a size with a suffix; rounded up to a power of two of whole pages. */
static size_t parse_buffer(const char *arg, struct argp_state *state)
{
	static const char suffixes[] = "BKMG";
	size_t page = sysconf(_SC_PAGESIZE), size = page;
	const char *suffix;
	uint64_t n;
	char *end;

	errno = 0;
	n = strtoull(arg, &end, 10);
	suffix = *end ? strchr(suffixes, toupper((unsigned char)*end)) : NULL;
	if (errno || !isdigit((unsigned char)*arg) || !n || n > MAX_BUFFER ||
	    (*end && (!suffix || end[1])))
		argp_failure(state, EXIT_OWN, 0,
			     "-m %s: not a number of pages, nor a size", arg);
	n = suffix ? n << 10 * (suffix - suffixes) : n * page;
	if (n > MAX_BUFFER)
		argp_failure(state, EXIT_OWN, 0, "-m %s: at most %d MiB", arg,
			     MAX_BUFFER >> 20);
	while (size < n)
		size *= 2;
	return size;
}

static enum on_full parse_on_full(const char *arg, struct argp_state *state)
{
	if (!strcmp(arg, "stop"))
		return ON_FULL_STOP;
	if (strcmp(arg, "drop"))
		argp_failure(state, EXIT_OWN, 0, "--on-full=%s: must be stop or drop",
			     arg);
	return ON_FULL_DROP;
}

static enum probe_source parse_source(const char *arg, struct argp_state *state)
{
	if (!strcmp(arg, "auto"))
		return SOURCE_AUTO;
	if (!strcmp(arg, "sdt"))
		return SOURCE_SDT;
	if (strcmp(arg, "eval"))
		argp_failure(state, EXIT_OWN, 0, "--probes=%s: must be auto, sdt or eval",
			     arg);
	return SOURCE_EVAL;
}

static void parse_command(struct options *o, const char *arg, struct argp_state *state)
{
	if (words_split(arg, &o->argv))
		argp_failure(state, EXIT_OWN, 0, "-c: a quote is not closed in: %s", arg);
	if (!o->argv[0])
		argp_failure(state, EXIT_OWN, 0, "-c: the command is empty");
	if (words_need_shell(arg))
		o->shell = xstrdup(arg);
}

static void append(char ***list, const char *word)
{
	size_t n = 0;

	while (*list && (*list)[n])
		n++;
	*list = xrealloc(*list, n + 2, sizeof(**list));
	(*list)[n] = xstrdup(word);
	(*list)[n + 1] = NULL;
}

/* This word and those behind it, up to the next that starts with '-'. */
static void parse_list(char ***list, const char *arg, struct argp_state *state)
{
	for (;;) {
		if (!*arg || !strcmp(arg, "--"))
			argp_failure(state, EXIT_OWN, 0,
				     "-f and -F need a name, or a pattern");
		append(list, arg);
		if (state->next >= state->argc || state->argv[state->next][0] == '-')
			return;
		arg = state->argv[state->next++];
	}
}

static unsigned int listed_count(const struct options *o)
{
	unsigned int n = 0;

	while (o->listed && o->listed[n])
		n++;
	return n;
}

static void parse_argument(struct options *o, const char *arg, struct argp_state *state)
{
	bool behind_dashes = state->quoted && state->next > state->quoted;

	if (!behind_dashes && o->list) {
		append(&o->listed, arg);
		return;
	}
	if (!behind_dashes)
		argp_failure(
			state, EXIT_OWN, 0,
			"%s: what is this? A command goes behind --, or into -c \"...\"",
			arg);
	if (o->argv && state->arg_num == listed_count(o))
		argp_failure(state, EXIT_OWN, 0,
			     "both -c and a command behind -- are given");
	append(&o->argv, arg);
}

static void check(const struct options *o, struct argp_state *state)
{
	if (o->pids && o->argv)
		argp_failure(state, EXIT_OWN, 0,
			     "both -p and a command are given: only one can be traced");
	if (o->list && o->listed && (o->pids || o->argv))
		argp_failure(state, EXIT_OWN, 0,
			     "--list: give processes and files, or one command");
	if (o->list && o->listed)
		return;
	if (!o->pids && !o->argv && o->list)
		argp_failure(state, EXIT_OWN, 0,
			     "--list: of what? Give a PID, a FILE, or -- COMMAND");
	if (!o->pids && !o->argv)
		argp_failure(state, EXIT_OWN, 0,
			     "nothing to trace: give -p PID, "
			     "-c \"COMMAND\" or -- COMMAND (see pyflow --help)");
	if (o->pids && o->user)
		argp_failure(state, EXIT_OWN, 0, "-u is for commands, not for -p");
	if (o->argv && !o->argv[0][0])
		argp_failure(state, EXIT_OWN, 0, "the command is empty");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'p':
		parse_pids(o, arg, state);
		return 0;
	case 'c':
		if (o->argv)
			argp_failure(state, EXIT_OWN, 0, "-c is given twice");
		parse_command(o, arg, state);
		return 0;
	case 'f':
		parse_list(&o->files, arg, state);
		return 0;
	case 'F':
		parse_list(&o->funcs, arg, state);
		return 0;
	case 'u':
		o->user = arg;
		return 0;
	case 't':
		o->tmp_dir = arg;
		return 0;
	case 'o':
		o->outputs[0].path = arg;
		return 0;
	case 'm':
		o->buffer = parse_buffer(arg, state);
		return 0;
	case 'v':
		o->verbose++;
		return 0;
	case OPT_ON_FULL:
		o->on_full = parse_on_full(arg, state);
		return 0;
	case OPT_PROBES:
		o->source = parse_source(arg, state);
		return 0;
	case OPT_LIST:
		o->list = true;
		return 0;
	case OPT_NO_INHERIT:
		o->no_inherit = true;
		return 0;
	case OPT_QUALNAME:
		o->qualname = true;
		return 0;
	case OPT_FAIL_ON_LOST:
		o->fail_on_lost = true;
		return 0;
	case ARGP_KEY_ARG:
		parse_argument(o, arg, state);
		return 0;
	case ARGP_KEY_END:
		check(o, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void options_parse(struct options *o, int argc, char **argv)
{
	static const struct argp argp = { options, parse, usage, doc, NULL, NULL, NULL };
	static char name[] = "pyflow";
	const char *tmp = getenv("TMPDIR");

	*o = (struct options){ .buffer = DEFAULT_BUFFER,
			       .output_count = 1,
			       .tmp_dir = tmp && *tmp ? tmp : "/tmp" };
	argp_err_exit_status = EXIT_OWN;
	argp_program_version_hook = print_version;
	argp_program_bug_address = PACKAGE_BUGREPORT[0] ? PACKAGE_BUGREPORT : NULL;
	if (argc)
		argv[0] = name;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, o);
}

bool options_use_stdout(const struct options *o)
{
	for (size_t i = 0; i < o->output_count; i++)
		if (!o->outputs[i].path)
			return true;
	return false;
}

void options_free(struct options *o)
{
	free(o->pids);
	words_free(o->argv);
	words_free(o->files);
	words_free(o->funcs);
	words_free(o->listed);
	free(o->shell);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line, by argp. */
#include <config.h>

#include "options.h"

#include <argp.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "options-values.h"
#include "words.h"
#include "xalloc.h"

enum {
	DEFAULT_BUFFER = 8 << 20,
	MAX_BUFFER = 1 << 30,
	MIN_FILE = 4096, /* less holds nothing but what the formats begin and end with */
};

enum {
	OPT_ON_FULL = 256,
	OPT_FAIL_ON_LOST,
	OPT_PROBES,
	OPT_QUALNAME,
	OPT_LIST,
	OPT_NO_INHERIT,
	OPT_EXCLUDE_FILES,
	OPT_EXCLUDE_FUNCS,
	OPT_ONLY,
	OPT_START_AT,
	OPT_MAX_DEPTH,
	OPT_MIN_DURATION,
	OPT_FORMAT,
	OPT_MAX_SIZE,
	OPT_ROTATE,
	OPT_LAST,
	OPT_DURATION,
	OPT_TIME,
	OPT_COLUMNS,
	OPT_COLOR,
	OPT_FOLDED,
	OPT_SORT,
	OPT_CALLERS,
};

/* Arguments of the form a|b|c are all that can be given, in the order of their enum. */
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
	{ "exclude-files", OPT_EXCLUDE_FILES, "FILE...", 0,
	  "No functions of these files, even if -f or -F has them", 2 },
	{ "exclude-funcs", OPT_EXCLUDE_FUNCS, "FUNC...", 0, "Not these functions", 2 },
	{ "only", OPT_ONLY, "user", 0,
	  "No functions of the standard library or of installed packages", 2 },
	{ NULL, 0, NULL, 0,
	  "Which calls (the time of those left out is their callers' own):", 3 },
	{ "start-at", OPT_START_AT, "FUNC...", 0,
	  "Only calls of these functions, and what happens below them", 3 },
	{ "max-depth", OPT_MAX_DEPTH, "N", 0, "At most N levels of calls", 3 },
	{ "min-duration", OPT_MIN_DURATION, "TIME", 0,
	  "Only calls that took so long: 10us, 1.5ms, 2s", 3 },
	{ NULL, 0, NULL, 0, "How:", 4 },
	{ "probes", OPT_PROBES, "auto|sdt|eval", 0,
	  "Which probes: the SDT probes of the interpreter, places in its evaluation loop, "
	  "or whichever gives the exact tree (default)",
	  4 },
	{ "list", OPT_LIST, NULL, 0,
	  "Trace nothing: list the interpreters of a process (PID), a program or library "
	  "(FILE) or a command (-- CMD), which is not run, and say how each can be traced",
	  4 },
	{ "on-full", OPT_ON_FULL, "stop|drop", 0,
	  "When events come faster than they can be written: stop the process for a moment "
	  "(default for commands), or drop events and count them (default for -p)",
	  4 },
	{ "mmap-pages", 'm', "PAGES|SIZE", 0,
	  "Size of the buffer between kernel and pyflow: a number of pages, or of bytes with "
	  "B, K, M or G behind it (default 8M)",
	  4 },
	{ "fail-on-lost", OPT_FAIL_ON_LOST, NULL, 0, "Exit with 125 if an event was lost",
	  4 },
	{ NULL, 0, NULL, 0, "The command:", 5 },
	{ "user", 'u', "USER[:GROUP]", 0, "Run the command as this user", 5 },
	{ "tmp-dir", 't', "DIR", 0,
	  "Where the launch script of -c goes, if one is needed ($TMPDIR, else /tmp)",
	  5 },
	{ NULL, 0, NULL, 0, "Output:", 6 },
	{ "output", 'o', "[FORMAT:]FILE", 0,
	  "Write the trace to FILE, not to standard output (-); compressed if it ends in "
	  ".gz or .zst; up to eight can be given",
	  6 },
	{ "format", OPT_FORMAT, FORMAT_WORDS, 0,
	  "Format of every output; without it FILE tells: .json, .jsonl, .trace.json (chrome), .folded, "
	  ".summary, .graph, else text",
	  6 },
	{ "max-size", OPT_MAX_SIZE, "SIZE", 0,
	  "End the trace before a file gets larger (K, M, G); the command runs on", 6 },
	{ "rotate", OPT_ROTATE, "N", 0,
	  "With --max-size: go on in a new file, and keep N full ones, FILE.1 to FILE.N",
	  6 },
	{ "last", OPT_LAST, "N|SIZE", 0,
	  "Keep only the last N events of each thread, or those that make SIZE (B, K, M, G) "
	  "of text; write them if the command fails, or on SIGUSR1",
	  6 },
	{ "quiet", 'q', NULL, 0, "Say only what went wrong: no totals, no progress", 6 },
	{ "verbose", 'v', NULL, 0, "Say more, on standard error; up to three times", 6 },
	{ NULL, 0, NULL, 0, "What it looks like:", 7 },
	{ "columns", OPT_COLUMNS, "LIST", 0,
	  "text, graph: what stands in front, of time,cpu,pid,tid,task,duration; or none",
	  7 },
	{ "duration", OPT_DURATION, NULL, 0,
	  "text, graph: one more column, how long each call took", 7 },
	{ "time", OPT_TIME, "wall|relative|delta", 0,
	  "text, graph: local time (default), time since the trace began, or since the line "
	  "before",
	  7 },
	{ "color", OPT_COLOR, "auto|always|never", 0,
	  "Colors: on a terminal only (default), always or never", 7 },
	{ "qualname", OPT_QUALNAME, NULL, 0,
	  "Print qualified names (Thread.run), where they are known", 7 },
	{ "folded", OPT_FOLDED, "time|calls", 0,
	  "folded: count microseconds (default) or calls", 7 },
	{ "sort", OPT_SORT, "total|self|calls|average|min|max|name", 0,
	  "summary: by this column (default total)", 7 },
	{ "callers", OPT_CALLERS, NULL, 0, "summary: who called each function", 7 },
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
	"  pyflow -o out.trace.json.gz -- CMD    for Perfetto, compressed\n"
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

/* What is read, and what makes sense only when all of it has been read. */
struct reading {
	struct options *o;
	const char *outputs[MAX_OUTPUTS]; /* the words of -o */
	size_t output_count;
	int format; /* of --format; -1 without */
	bool duration;
};

static const struct argp_option *find_option(int key)
{
	const struct argp_option *option = options;

	while (option->key != key)
		option++;
	return option;
}

/* An option with a choice of words: which one, from 0 on. */
static int parse_word(int key, const char *arg, struct argp_state *state)
{
	const struct argp_option *option = find_option(key);
	int word = value_word(arg, option->arg);
	char words[128];

	if (word < 0) {
		value_say_words(option->arg, " or ", words, sizeof(words));
		argp_failure(state, EXIT_OWN, 0, "--%s=%s: must be %s", option->name, arg,
			     words);
	}
	return word;
}

static unsigned int parse_number(int key, const char *arg, struct argp_state *state)
{
	unsigned int n = 0;

	if (value_number(arg, UINT_MAX, &n))
		argp_failure(state, EXIT_OWN, 0, "--%s=%s: must be a number from 1 on",
			     find_option(key)->name, arg);
	return n;
}

static void parse_pids(struct options *o, const char *arg, struct argp_state *state)
{
	if (value_pids(arg, &o->pids, &o->pid_count))
		argp_failure(state, EXIT_OWN, 0,
			     strchr(arg, ',') ? "-p %s: not a list of process IDs"
					      : "-p %s: not a process ID",
			     arg);
}

/* PAGES, or a size with a suffix; rounded up to a power of two of whole pages. */
static size_t parse_buffer(const char *arg, struct argp_state *state)
{
	size_t page = sysconf(_SC_PAGESIZE), size = page;
	uint64_t n = 0;

	if (value_size(arg, page, &n))
		argp_failure(state, EXIT_OWN, 0,
			     "-m %s: not a number of pages, nor a size", arg);
	if (n > MAX_BUFFER)
		argp_failure(state, EXIT_OWN, 0, "-m %s: at most %d MiB", arg,
			     MAX_BUFFER >> 20);
	while (size < n)
		size *= 2;
	return size;
}

static uint64_t parse_max_size(const char *arg, struct argp_state *state)
{
	uint64_t n = 0;

	if (value_size(arg, 1, &n))
		argp_failure(
			state, EXIT_OWN, 0,
			"--max-size=%s: must be a number of bytes, or one with K, M or G",
			arg);
	if (n < MIN_FILE)
		argp_failure(state, EXIT_OWN, 0, "--max-size=%s: at least %d bytes", arg,
			     MIN_FILE);
	return n;
}

static void parse_last(struct options *o, const char *arg, struct argp_state *state)
{
	if (value_last(arg, &o->last_events, &o->last_size))
		argp_failure(state, EXIT_OWN, 0,
			     "--last=%s: must be a number of events from 1 on, or a size "
			     "with B, K, M or G",
			     arg);
}

static uint64_t parse_time(const char *arg, struct argp_state *state)
{
	uint64_t ns = 0;

	if (value_time(arg, &ns))
		argp_failure(
			state, EXIT_OWN, 0,
			"--min-duration=%s: must be a number with ns, us, ms, s or m "
			"behind it, as 1.5ms",
			arg);
	return ns;
}

static unsigned int parse_columns(const char *arg, struct argp_state *state)
{
	unsigned int columns = 0;
	char words[128];

	if (value_columns(arg, &columns)) {
		value_say_words(COLUMN_WORDS, " and ", words, sizeof(words));
		argp_failure(state, EXIT_OWN, 0,
			     "--columns=%s: must be none, or a list with commas of %s",
			     arg, words);
	}
	return columns;
}

static void parse_output(struct reading *r, const char *arg, struct argp_state *state)
{
	if (r->output_count == MAX_OUTPUTS)
		argp_failure(state, EXIT_OWN, 0, "-o %s: %d outputs are given already",
			     arg, MAX_OUTPUTS);
	r->outputs[r->output_count++] = arg;
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
static void parse_list(char ***list, int key, const char *arg, struct argp_state *state)
{
	for (;;) {
		if (!*arg || !strcmp(arg, "--"))
			argp_failure(state, EXIT_OWN, 0,
				     "--%s needs a name, or a pattern",
				     find_option(key)->name);
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

/* The usual columns are said only if one is added to them. */
static void add_duration(struct options *o)
{
	if (!o->columns)
		o->columns = PRINT_TIME | PRINT_CPU | PRINT_PID | PRINT_TID;
	o->columns &= ~PRINT_NO_COLUMNS;
	o->columns |= PRINT_DURATION;
}

/* The first of those before that goes to the same place as an output; NULL if none. */
static const struct output_option *find_same(const struct options *o,
					     const struct output_option *output)
{
	const struct output_option *each = o->outputs;

	for (; each < output; each++)
		if (!each->path || !output->path ? each->path == output->path
						 : !strcmp(each->path, output->path))
			return each;
	return NULL;
}

static void resolve_outputs(struct reading *r, struct argp_state *state)
{
	struct options *o = r->o;

	if (!r->output_count)
		parse_output(r, "-", state);
	for (size_t i = 0; i < r->output_count; i++) {
		if (value_output(r->outputs[i], r->format, &o->outputs[i]))
			argp_failure(state, EXIT_OWN, 0,
				     "-o %s: the file's name is missing", r->outputs[i]);
		if (find_same(o, &o->outputs[i]))
			argp_failure(state, EXIT_OWN, 0,
				     "-o %s: %s is written to already", r->outputs[i],
				     o->outputs[i].path ? o->outputs[i].path
							: "the standard output");
	}
	o->output_count = r->output_count;
}

static void check_rotate(const struct options *o, struct argp_state *state)
{
	if (!o->rotate || o->list)
		return;
	if (!o->max_size)
		argp_failure(state, EXIT_OWN, 0,
			     "--rotate needs --max-size, which says when a file is full");
	if (o->output_count == 1 && !o->outputs[0].path)
		argp_failure(state, EXIT_OWN, 0,
			     "--rotate needs a file: the standard output cannot be "
			     "renamed; give -o FILE");
}

static void finish(struct reading *r, struct argp_state *state)
{
	check(r->o, state);
	if (r->duration)
		add_duration(r->o);
	resolve_outputs(r, state);
	check_rotate(r->o, state);
}

/* What is traced, and which parts of it. */
static error_t parse_what(int key, char *arg, struct argp_state *state, struct options *o)
{
	switch (key) {
	case 'p':
		parse_pids(o, arg, state);
		return 0;
	case 'c':
		if (o->argv)
			argp_failure(state, EXIT_OWN, 0, "-c is given twice");
		parse_command(o, arg, state);
		return 0;
	case OPT_NO_INHERIT:
		o->no_inherit = true;
		return 0;
	case 'f':
		parse_list(&o->files, key, arg, state);
		return 0;
	case 'F':
		parse_list(&o->funcs, key, arg, state);
		return 0;
	case OPT_EXCLUDE_FILES:
		parse_list(&o->exclude_files, key, arg, state);
		return 0;
	case OPT_EXCLUDE_FUNCS:
		parse_list(&o->exclude_funcs, key, arg, state);
		return 0;
	case OPT_ONLY:
		o->only_user = !parse_word(key, arg, state);
		return 0;
	case OPT_START_AT:
		parse_list(&o->start_at, key, arg, state);
		return 0;
	case OPT_MAX_DEPTH:
		o->max_depth = parse_number(key, arg, state);
		return 0;
	case OPT_MIN_DURATION:
		o->min_duration = parse_time(arg, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_how(int key, char *arg, struct argp_state *state, struct options *o)
{
	switch (key) {
	case OPT_PROBES:
		o->source = parse_word(key, arg, state);
		return 0;
	case OPT_LIST:
		o->list = true;
		return 0;
	case OPT_ON_FULL:
		o->on_full = ON_FULL_STOP + parse_word(key, arg, state);
		return 0;
	case 'm':
		o->buffer = parse_buffer(arg, state);
		return 0;
	case OPT_FAIL_ON_LOST:
		o->fail_on_lost = true;
		return 0;
	case 'u':
		o->user = arg;
		return 0;
	case 't':
		o->tmp_dir = arg;
		return 0;
	case OPT_MAX_SIZE:
		o->max_size = parse_max_size(arg, state);
		return 0;
	case OPT_ROTATE:
		o->rotate = parse_number(key, arg, state);
		return 0;
	case OPT_LAST:
		parse_last(o, arg, state);
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case 'v':
		o->verbose++;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_look(int key, char *arg, struct argp_state *state, struct options *o)
{
	switch (key) {
	case OPT_COLUMNS:
		o->columns = parse_columns(arg, state);
		return 0;
	case OPT_TIME:
		o->clock = parse_word(key, arg, state);
		return 0;
	case OPT_COLOR:
		o->color = parse_word(key, arg, state);
		return 0;
	case OPT_QUALNAME:
		o->qualname = true;
		return 0;
	case OPT_FOLDED:
		o->folded_calls = parse_word(key, arg, state);
		return 0;
	case OPT_SORT:
		o->sort = parse_word(key, arg, state);
		return 0;
	case OPT_CALLERS:
		o->callers = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct reading *r = state->input;
	error_t err;

	switch (key) {
	case 'o':
		parse_output(r, arg, state);
		return 0;
	case OPT_FORMAT:
		r->format = parse_word(key, arg, state);
		return 0;
	case OPT_DURATION:
		r->duration = true;
		return 0;
	case ARGP_KEY_ARG:
		parse_argument(r->o, arg, state);
		return 0;
	case ARGP_KEY_END:
		finish(r, state);
		return 0;
	}
	err = parse_what(key, arg, state, r->o);
	if (err == ARGP_ERR_UNKNOWN)
		err = parse_how(key, arg, state, r->o);
	if (err == ARGP_ERR_UNKNOWN)
		err = parse_look(key, arg, state, r->o);
	return err;
}

void options_parse(struct options *o, int argc, char **argv)
{
	static const struct argp argp = { options, parse, usage, doc, NULL, NULL, NULL };
	static char name[] = "pyflow";
	struct reading r = { .o = o, .format = -1 };
	const char *tmp = getenv("TMPDIR");

	*o = (struct options){ .buffer = DEFAULT_BUFFER,
			       .tmp_dir = tmp && *tmp ? tmp : "/tmp" };
	argp_err_exit_status = EXIT_OWN;
	argp_program_version_hook = print_version;
	argp_program_bug_address = PACKAGE_BUGREPORT[0] ? PACKAGE_BUGREPORT : NULL;
	if (argc)
		argv[0] = name;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &r);
}

bool options_record(const struct options *o)
{
	return o->last_events || o->last_size;
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
	words_free(o->exclude_files);
	words_free(o->exclude_funcs);
	words_free(o->start_at);
	words_free(o->listed);
	free(o->shell);
}

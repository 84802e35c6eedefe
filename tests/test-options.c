// SPDX-License-Identifier: GPL-2.0-or-later
/* Command lines, each in a child of its own, as options_parse() may end the program. */
#include <config.h>

#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "log.h"

enum { ARGS_MAX = 16, TEXT_MAX = 16384 };

/* What options_parse() made of a command line, or wrote before it ended the program. */
struct outcome {
	int status;
	char out[TEXT_MAX], err[TEXT_MAX];
};

/* The command line, and the struct in the words of describe(). */
static const struct {
	const char *args[ARGS_MAX];
	const char *wanted;
} good[] = {
	{ { "-p", "1001" }, "pid=1001" },
	{ { "-p1001" }, "pid=1001" },
	{ { "--pid=1001" }, "pid=1001" },
	{ { "--pid", "2147483647" }, "pid=2147483647" },
	{ { "-p", "1,2" }, "pid=1,2" },
	{ { "-p", "1,2", "-p", "3" }, "pid=1,2,3" },
	{ { "-p", "3,1,3", "--pid=1" }, "pid=3,1" },
	{ { "-p", "1", "--no-inherit" }, "pid=1 no_inherit" },
	{ { "--no-inherit", "--", "a" }, "argv=[a] no_inherit" },
	/* commands */
	{ { "-c", "a b" }, "argv=[a][b]" },
	{ { "--cmd=a 'b c' \"d\"" }, "argv=[a][b c][d]" },
	{ { "-c", "a | b" }, "argv=[a][|][b] shell=[a | b]" },
	{ { "-c", "A=1 b" }, "argv=[A=1][b] shell=[A=1 b]" },
	{ { "-c", "a '|' b" }, "argv=[a][|][b]" },
	{ { "--", "a", "b" }, "argv=[a][b]" },
	{ { "--", "a", "-p", "1", "--help", "-x" }, "argv=[a][-p][1][--help][-x]" },
	{ { "--", "a", "--", "b" }, "argv=[a][--][b]" },
	{ { "--", "a b", "" }, "argv=[a b][]" },
	{ { "--", "a", "*", "|" }, "argv=[a][*][|]" },
	{ { "--", "-c" }, "argv=[-c]" },
	/* greedy lists */
	{ { "-f", "A", "-p", "1" }, "pid=1 files=[A]" },
	{ { "-f", "A", "B", "C", "-p", "1" }, "pid=1 files=[A][B][C]" },
	{ { "-p", "1", "-f", "A", "B", "C" }, "pid=1 files=[A][B][C]" },
	{ { "-p", "1", "-f", "A", "-f", "B" }, "pid=1 files=[A][B]" },
	{ { "-p", "1", "-f", "A", "B", "-f", "C", "D" }, "pid=1 files=[A][B][C][D]" },
	{ { "-fA", "B", "-p", "1" }, "pid=1 files=[A][B]" },
	{ { "--files=A", "B", "-p", "1" }, "pid=1 files=[A][B]" },
	{ { "--files", "A", "B", "-p", "1" }, "pid=1 files=[A][B]" },
	{ { "-F", "a", "b", "c", "-p", "1" }, "pid=1 funcs=[a][b][c]" },
	{ { "-F", "a", "--funcs", "b", "c", "-p", "1" }, "pid=1 funcs=[a][b][c]" },
	{ { "-f", "A", "-F", "a", "-f", "B", "-F", "b", "-p", "1" },
	  "pid=1 files=[A][B] funcs=[a][b]" },
	{ { "-f", "A", "B", "--", "c", "d" }, "argv=[c][d] files=[A][B]" },
	{ { "-F", "a", "--", "c", "-F", "d" }, "argv=[c][-F][d] funcs=[a]" },
	{ { "-F", "a", "b", "-c", "c d" }, "argv=[c][d] funcs=[a][b]" },
	{ { "-vf", "A", "B", "-p", "1" }, "pid=1 files=[A][B] verbose=1" },
	{ { "-f", "A", "B", "-vv", "-p", "1" }, "pid=1 files=[A][B] verbose=2" },
	/* the size of the buffer: a power of two, of whole pages of 4 KiB in this
	 * table */
	{ { "-p", "1", "-m", "1" }, "pid=1 buffer=4096" },
	{ { "-p", "1", "-m", "16" }, "pid=1 buffer=65536" },
	{ { "-p", "1", "-m", "17" }, "pid=1 buffer=131072" },
	{ { "-p", "1", "-m", "64K" }, "pid=1 buffer=65536" },
	{ { "-p", "1", "-m", "65k" }, "pid=1 buffer=131072" },
	{ { "-p", "1", "-m", "1B" }, "pid=1 buffer=4096" },
	{ { "-p", "1", "-m", "4097b" }, "pid=1 buffer=8192" },
	{ { "-p", "1", "-m16M" }, "pid=1 buffer=16777216" },
	{ { "-p", "1", "-m", "8M" }, "pid=1" },
	{ { "-p", "1", "--mmap-pages=1G" }, "pid=1 buffer=1073741824" },
	{ { "-p", "1", "-m", "262144" }, "pid=1 buffer=1073741824" },
	/* the rest */
	{ { "-p", "1", "--on-full=stop" }, "pid=1 on_full=1" },
	{ { "-p", "1", "--on-full", "drop" }, "pid=1 on_full=2" },
	{ { "-p", "1", "--probes=auto" }, "pid=1" },
	{ { "-p", "1", "--probes=sdt" }, "pid=1 source=1" },
	{ { "-p", "1", "--probes", "eval" }, "pid=1 source=2" },
	{ { "--list", "1", "a/b" }, "list listed=[1][a/b]" },
	{ { "--list", "--", "a", "b" }, "argv=[a][b] list" },
	{ { "--list", "-p", "1" }, "pid=1 list" },
	{ { "-p", "1", "--qualname" }, "pid=1 qualname" },
	{ { "-p", "1", "--fail-on-lost" }, "pid=1 fail_on_lost" },
	{ { "-p", "1", "-o", "x.txt" }, "pid=1 output=x.txt" },
	{ { "-p", "1", "-o", "-" }, "pid=1 output=-" },
	{ { "-p", "1", "-vvv" }, "pid=1 verbose=3" },
	{ { "-p", "1", "-v", "--verbose" }, "pid=1 verbose=2" },
	{ { "-u", "nobody:users", "-c", "a" }, "argv=[a] user=nobody:users" },
	{ { "-t", "/var/tmp", "-c", "a" }, "argv=[a] tmp_dir=/var/tmp" },
	{ { "--tmp-dir=x", "--user=y", "--output=z", "--", "a" },
	  "argv=[a] tmp_dir=x output=z user=y" },
};

/* The command line, and a part of the one line that says what is wrong with it. */
static const struct {
	const char *args[ARGS_MAX];
	const char *wanted;
} bad[] = {
	{ { NULL }, "nothing to trace" },
	{ { "-v" }, "nothing to trace" },
	{ { "--" }, "nothing to trace" },
	{ { "-f", "A" }, "nothing to trace" },
	{ { "-p", "1", "-c", "a" }, "only one can be traced" },
	{ { "-p", "1", "--", "a" }, "only one can be traced" },
	{ { "-c", "a", "--", "b" }, "both -c and a command" },
	{ { "-c", "a", "-c", "b" }, "-c is given twice" },
	{ { "-p", "1,x" }, "-p 1,x: not a list of process IDs" },
	{ { "-p", "1,,2" }, "-p 1,,2: not a list of process IDs" },
	{ { "-p", "1," }, "-p 1,: not a list of process IDs" },
	{ { "-p", ",1" }, "-p ,1: not a list of process IDs" },
	{ { "-p", "1,0" }, "-p 1,0: not a list of process IDs" },
	{ { "-p", "1", "-p", "2x" }, "-p 2x: not a process ID" },
	{ { "-p", "" }, "not a process ID" },
	{ { "-p", "0" }, "-p 0: not a process ID" },
	{ { "-p", "-1" }, "-p -1: not a process ID" },
	{ { "-p", "+1" }, "not a process ID" },
	{ { "-p", " 1" }, "not a process ID" },
	{ { "-p", "1x" }, "-p 1x: not a process ID" },
	{ { "-p", "0x10" }, "not a process ID" },
	{ { "-p", "python" }, "not a process ID" },
	{ { "-p", "2147483648" }, "not a process ID" },
	{ { "-p", "99999999999999999999" }, "not a process ID" },
	{ { "-c", "a 'b" }, "a quote is not closed in: a 'b" },
	{ { "-c", "a \"b" }, "a quote is not closed" },
	{ { "-c", "a \\" }, "a quote is not closed" },
	{ { "-c", "" }, "the command is empty" },
	{ { "-c", " \t" }, "the command is empty" },
	{ { "-c", "''" }, "the command is empty" },
	{ { "--", "" }, "the command is empty" },
	{ { "-p", "1", "-u", "nobody" }, "-u is for commands" },
	{ { "a" }, "a: what is this?" },
	{ { "-p", "1", "a" }, "a: what is this?" },
	{ { "a", "--", "b" }, "a: what is this?" },
	{ { "-p", "1", "-f", "" }, "-f and -F need a name" },
	{ { "-p", "1", "-F", "a", "" }, "-f and -F need a name" },
	{ { "-p", "1", "-m", "0" }, "-m 0: not a number" },
	{ { "-p", "1", "-m", "0K" }, "not a number" },
	{ { "-p", "1", "-m", "" }, "not a number" },
	{ { "-p", "1", "-m", "K" }, "not a number" },
	{ { "-p", "1", "-m", "-1" }, "not a number" },
	{ { "-p", "1", "-m", "1.5M" }, "not a number" },
	{ { "-p", "1", "-m", "1T" }, "not a number" },
	{ { "-p", "1", "-m", "1KB" }, "not a number" },
	{ { "-p", "1", "-m", "lots" }, "not a number" },
	{ { "-p", "1", "-m", "99999999999999999999" }, "not a number" },
	{ { "-p", "1", "-m", "18446744073709551615G" }, "not a number" },
	{ { "-p", "1", "-m", "2G" }, "at most 1024 MiB" },
	{ { "-p", "1", "-m", "1025M" }, "at most 1024 MiB" },
	{ { "-p", "1", "-m", "1073741824G" }, "at most 1024 MiB" },
	{ { "-p", "1", "-m", "1000000" }, "at most 1024 MiB" },
	{ { "-p", "1", "--on-full=wait" }, "--on-full=wait: must be stop or drop" },
	{ { "-p", "1", "--probes=usdt" }, "--probes=usdt: must be auto, sdt or eval" },
	{ { "--list" }, "--list: of what?" },
	{ { "--list", "1", "-p", "2" }, "processes and files, or one command" },
	{ { "--list", "a", "--", "b" }, "processes and files, or one command" },
	{ { "-p", "1", "--on-full=" }, "must be stop or drop" },
};

/* Those that getopt finds out about say so in two lines, the second being what to try. */
static const struct {
	const char *args[ARGS_MAX];
	const char *wanted;
} unknown[] = {
	{ { "-x" }, "-- 'x'" },
	{ { "--no-such-option" }, "--no-such-option" },
	{ { "-p" }, "-- 'p'" },
	{ { "-p", "1", "-f" }, "-- 'f'" },
	{ { "-p", "1", "--on-full" }, "--on-full" },
	{ { "-p", "1", "--verbose=3" }, "--verbose" },
	{ { "-p", "1", "--f" }, "ambiguous" },
};

static void describe_list(const char *name, char **list)
{
	if (list)
		printf(" %s=", name);
	for (; list && *list; list++)
		printf("[%s]", *list);
}

/* Only what is not the default. */
static void describe(const struct options *o)
{
	for (size_t i = 0; i < o->pid_count; i++)
		printf("%s%d", i ? "," : " pid=", (int)o->pids[i]);
	describe_list("argv", o->argv);
	if (o->shell)
		printf(" shell=[%s]", o->shell);
	describe_list("files", o->files);
	describe_list("funcs", o->funcs);
	if (strcmp(o->tmp_dir, "/tmp"))
		printf(" tmp_dir=%s", o->tmp_dir);
	if (o->outputs[0].path)
		printf(" output=%s", o->outputs[0].path);
	if (o->user)
		printf(" user=%s", o->user);
	if (o->buffer != 8 << 20)
		printf(" buffer=%zu", o->buffer);
	if (o->on_full)
		printf(" on_full=%d", o->on_full);
	if (o->source)
		printf(" source=%d", o->source);
	if (o->fail_on_lost)
		printf(" fail_on_lost");
	if (o->list)
		printf(" list");
	describe_list("listed", o->listed);
	if (o->no_inherit)
		printf(" no_inherit");
	if (o->qualname)
		printf(" qualname");
	if (o->verbose)
		printf(" verbose=%d", o->verbose);
}

static void run_child(const char *const *args, FILE *out, FILE *err)
{
	char *argv[ARGS_MAX + 2] = { "some/path/perf-pyflow" };
	struct options o;
	int argc = 1;

	for (; args[argc - 1]; argc++)
		argv[argc] = (char *)args[argc - 1];
	dup2(fileno(out), STDOUT_FILENO);
	dup2(fileno(err), STDERR_FILENO);
	options_parse(&o, argc, argv);
	describe(&o);
	options_free(&o);
	exit(0);
}

static void read_back(FILE *f, char *text)
{
	rewind(f);
	text[fread(text, 1, TEXT_MAX - 1, f)] = '\0';
	fclose(f);
}

static void run(const char *const *args, struct outcome *outcome)
{
	FILE *out = tmpfile(), *err = tmpfile();
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		run_child(args, out, err);
	waitpid(pid, &status, 0);
	outcome->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	read_back(out, outcome->out);
	read_back(err, outcome->err);
}

static void check_good(void)
{
	struct outcome o;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (strstr(good[i].wanted, "buffer=") && sysconf(_SC_PAGESIZE) != 4096)
			continue;
		run(good[i].args, &o);
		CHECK_INT(o.status, 0);
		CHECK_STR(o.out[0] ? o.out + 1 : o.out, good[i].wanted);
		CHECK_STR(o.err, "");
	}
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void check_message(const char *const *args, const char *wanted, size_t lines)
{
	struct outcome o;

	run(args, &o);
	CHECK_INT(o.status, EXIT_OWN);
	CHECK_STR(o.out, "");
	CHECK(!strncmp(o.err, "pyflow: ", 8));
	CHECK_INT(count_lines(o.err), lines);
	if (strstr(o.err, wanted))
		check(true, wanted, __FILE__, __LINE__);
	else
		CHECK_STR(o.err, wanted);
}

static void check_bad(void)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_message(bad[i].args, bad[i].wanted, 1);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		check_message(unknown[i].args, unknown[i].wanted, 2);
}

/* What is asked for goes to the standard output, and is no failure, whatever else is
 * given. */
static void check_told(const char *arg, const char *wanted)
{
	const char *const args[] = { "-p", "1", arg, NULL };
	struct outcome o;

	run(args, &o);
	CHECK_INT(o.status, 0);
	CHECK(strstr(o.out, wanted));
	CHECK_STR(o.err, "");
}

static void check_environment(void)
{
	static const char *const args[] = { "-c", "a", NULL };
	struct outcome o;

	setenv("TMPDIR", "/elsewhere", 1);
	run(args, &o);
	CHECK_STR(o.out, " argv=[a] tmp_dir=/elsewhere");
	setenv("TMPDIR", "", 1);
	run(args, &o);
	CHECK_STR(o.out, " argv=[a]");
	setenv("POSIXLY_CORRECT", "1", 1);
	run((const char *[]){ "-f", "A", "B", "-p", "1", NULL }, &o);
	CHECK_STR(o.out, " pid=1 files=[A][B]");
}

int main(void)
{
	unsetenv("TMPDIR");
	unsetenv("POSIXLY_CORRECT");
	unsetenv("ARGP_HELP_FMT");
	setenv("LC_ALL", "C", 1);
	check_good();
	check_bad();
	check_told("--help", "Usage: pyflow [OPTION...] -p PID[,PID...]\n");
	check_told("-?", "--on-full=stop|drop");
	check_told("--usage", "Usage: pyflow");
	check_told("--version", "pyflow " PACKAGE_VERSION "\n");
	check_told("-V", "WARRANTY");
	check_environment();
	return check_done();
}

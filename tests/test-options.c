// SPDX-License-Identifier: GPL-2.0-or-later
/* Command lines, each in a child of its own, as options_parse() may end the program. */
#include <config.h>

#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "log.h"

enum { ARGS_MAX = 24, TEXT_MAX = 16384 };

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
	/* names that are left out, and calls */
	{ { "--exclude-files", "A", "B", "-p", "1" }, "pid=1 exclude_files=[A][B]" },
	{ { "--exclude-files=A", "B", "-f", "C", "--exclude-files", "D", "--", "e" },
	  "argv=[e] files=[C] exclude_files=[A][B][D]" },
	{ { "-p", "1", "--exclude-funcs=a", "b*" }, "pid=1 exclude_funcs=[a][b*]" },
	{ { "-F", "a", "--exclude-funcs", "b", "c", "--", "d", "--exclude-funcs" },
	  "argv=[d][--exclude-funcs] funcs=[a] exclude_funcs=[b][c]" },
	{ { "--start-at", "a", "b", "-F", "c", "--start-at=d", "-p", "1" },
	  "pid=1 funcs=[c] start_at=[a][b][d]" },
	{ { "-p", "1", "--only=user" }, "pid=1 only_user" },
	{ { "-p", "1", "--only", "user", "--only=user" }, "pid=1 only_user" },
	{ { "-p", "1", "--max-depth=1" }, "pid=1 max_depth=1" },
	{ { "-p", "1", "--max-depth", "007", "--max-depth", "12" },
	  "pid=1 max_depth=12" },
	{ { "-p", "1", "--max-depth=99999999999999999999999" },
	  "pid=1 max_depth=4294967295" },
	{ { "-p", "1", "--min-duration=10us" }, "pid=1 min_duration=10000" },
	{ { "-p", "1", "--min-duration", "1.5ms" }, "pid=1 min_duration=1500000" },
	{ { "-p", "1", "--min-duration=10\xc2\xb5s" }, "pid=1 min_duration=10000" },
	{ { "-p", "1", "--min-duration=0us" }, "pid=1" },
	/* outputs */
	{ { "-p", "1", "-o", "-" }, "pid=1" },
	{ { "-p", "1", "-o-" }, "pid=1" },
	{ { "-p", "1", "-o", "text:-" }, "pid=1" },
	{ { "-p", "1", "--format=text" }, "pid=1" },
	{ { "-p", "1", "--format=json" }, "pid=1 output=json:-" },
	{ { "-p", "1", "--format=json", "--format", "graph" }, "pid=1 output=graph:-" },
	{ { "-p", "1", "-o", "chrome:-" }, "pid=1 output=chrome:-" },
	{ { "-p", "1", "-o", "-", "--format=summary" }, "pid=1 output=summary:-" },
	{ { "-p", "1", "-o", "json:-", "--format=summary" }, "pid=1 output=json:-" },
	{ { "-p", "1", "-o", "./-" }, "pid=1 output=./-" },
	{ { "-p", "1", "-o", "x.json" }, "pid=1 output=json:x.json" },
	{ { "-p", "1", "-o", "x.json.gz" }, "pid=1 output=json:x.json.gz/gzip" },
	{ { "-p", "1", "-o", "x.txt.zst" }, "pid=1 output=x.txt.zst/zstd" },
	{ { "-p", "1", "-o", "x.json", "--format=text" }, "pid=1 output=x.json" },
	{ { "-p", "1", "--format=folded", "-o", "x.json.gz" },
	  "pid=1 output=folded:x.json.gz/gzip" },
	{ { "-p", "1", "--format=folded", "-o", "graph:x.json", "-o", "y.json" },
	  "pid=1 output=graph:x.json output=folded:y.json" },
	{ { "-p", "1", "-o", "C:x" }, "pid=1 output=C:x" },
	{ { "-p", "1", "-o", "a:b.txt", "-o", "a:b.graph" },
	  "pid=1 output=a:b.txt output=graph:a:b.graph" },
	{ { "-p", "1", "-o", "x", "-o", "-", "-o", "y.summary" },
	  "pid=1 output=x output=- output=summary:y.summary" },
	{ { "-p", "1", "-oa", "-ob", "-oc", "-od", "-oe", "-of", "-og", "-o", "h" },
	  "pid=1 output=a output=b output=c output=d output=e output=f output=g output=h" },
	{ { "-p", "1", "-o", "x", "-o", "./x", "-o", "x.gz" },
	  "pid=1 output=x output=./x output=x.gz/gzip" },
	{ { "-p", "1", "--max-size=4096" }, "pid=1 max_size=4096" },
	{ { "-p", "1", "--max-size", "4K", "-o", "-" }, "pid=1 max_size=4096" },
	{ { "-p", "1", "--max-size=1G", "--rotate=3", "-o", "x" },
	  "pid=1 output=x max_size=1073741824 rotate=3" },
	{ { "-p", "1", "--rotate=1", "-o", "x", "-o", "-", "--max-size=1m" },
	  "pid=1 output=x output=- max_size=1048576 rotate=1" },
	{ { "-p", "1", "--last=1000" }, "pid=1 last_events=1000" },
	{ { "-p", "1", "--last=1000B" }, "pid=1 last_size=1000" },
	{ { "-p", "1", "--last=5", "--last=2K" }, "pid=1 last_size=2048" },
	{ { "-p", "1", "--last=2K", "--last=5" }, "pid=1 last_events=5" },
	{ { "-c", "a", "-q" }, "argv=[a] quiet" },
	{ { "-c", "a", "--quiet", "-vv" }, "argv=[a] quiet verbose=2" },
	{ { "-c", "a", "-vqv" }, "argv=[a] quiet verbose=2" },
	/* what it looks like: columns are bits, 1 for the time to 32 for the duration */
	{ { "-p", "1", "--columns=time" }, "pid=1 columns=1" },
	{ { "-p", "1", "--columns", "tid,cpu,cpu" }, "pid=1 columns=10" },
	{ { "-p", "1", "--columns=time,cpu,pid,tid,task,duration" }, "pid=1 columns=63" },
	{ { "-p", "1", "--columns=time", "--columns=pid" }, "pid=1 columns=4" },
	{ { "-p", "1", "--columns=none" }, "pid=1 columns=64" },
	{ { "-p", "1", "--duration" }, "pid=1 columns=47" },
	{ { "-p", "1", "--duration", "--columns=time" }, "pid=1 columns=33" },
	{ { "-p", "1", "--columns=task", "--duration" }, "pid=1 columns=48" },
	{ { "-p", "1", "--columns=none", "--duration" }, "pid=1 columns=32" },
	{ { "-p", "1", "--duration", "--columns=none" }, "pid=1 columns=32" },
	{ { "-p", "1", "--time=wall" }, "pid=1" },
	{ { "-p", "1", "--time=relative" }, "pid=1 time=1" },
	{ { "-p", "1", "--time", "delta" }, "pid=1 time=2" },
	{ { "-p", "1", "--color=auto" }, "pid=1" },
	{ { "-p", "1", "--color=always" }, "pid=1 color=1" },
	{ { "-p", "1", "--color=never" }, "pid=1 color=2" },
	{ { "-p", "1", "--folded=time" }, "pid=1" },
	{ { "-p", "1", "--folded=calls" }, "pid=1 folded_calls" },
	{ { "-p", "1", "--folded=calls", "--folded=time" }, "pid=1" },
	{ { "-p", "1", "--sort=total" }, "pid=1" },
	{ { "-p", "1", "--sort=self" }, "pid=1 sort=1" },
	{ { "-p", "1", "--sort=calls" }, "pid=1 sort=2" },
	{ { "-p", "1", "--sort=average" }, "pid=1 sort=3" },
	{ { "-p", "1", "--sort=min" }, "pid=1 sort=4" },
	{ { "-p", "1", "--sort=max" }, "pid=1 sort=5" },
	{ { "-p", "1", "--sort=name", "--callers" }, "pid=1 sort=6 callers" },
	/* --list takes no notice */
	{ { "--list", "1", "--rotate=2" }, "rotate=2 list listed=[1]" },
	{ { "--list", "--rotate=2", "--", "a" }, "argv=[a] rotate=2 list" },
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
	{ { "-p", "1", "-f", "" }, "--files needs a name" },
	{ { "-p", "1", "-F", "a", "" }, "--funcs needs a name" },
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
	{ { "-p", "1", "--exclude-files", "" }, "--exclude-files needs a name" },
	{ { "-p", "1", "--exclude-funcs=a", "" }, "--exclude-funcs needs a name" },
	{ { "--start-at", "--", "a" }, "--start-at needs a name" },
	{ { "-p", "1", "--only=system" }, "--only=system: must be user" },
	{ { "-p", "1", "--only=" }, "--only=: must be user" },
	{ { "-p", "1", "--max-depth=x" }, "--max-depth=x: must be a number from 1 on" },
	{ { "-p", "1", "--max-depth=0" }, "--max-depth=0: must be a number from 1 on" },
	{ { "-p", "1", "--max-depth=-1" }, "must be a number from 1 on" },
	{ { "-p", "1", "--max-depth=1.5" }, "must be a number from 1 on" },
	{ { "-p", "1", "--max-depth=" }, "must be a number from 1 on" },
	{ { "-p", "1", "--min-duration=10" },
	  "--min-duration=10: must be a number with ns, us, ms, s or m" },
	{ { "-p", "1", "--min-duration=-1us" }, "--min-duration=-1us: must be" },
	{ { "-p", "1", "--min-duration=" }, "--min-duration=: must be" },
	{ { "-p", "1", "--format=yaml" },
	  "--format=yaml: must be text, graph, json, chrome, folded or summary" },
	{ { "-p", "1", "--format=JSON" }, "--format=JSON: must be" },
	{ { "-p", "1", "--format=text|graph" }, "--format=text|graph: must be" },
	{ { "-p", "1", "-o", "" }, "-o : the file's name is missing" },
	{ { "-p", "1", "-o", "json:" }, "-o json:: the file's name is missing" },
	{ { "-p", "1", "-o", "x", "-o", "x" }, "-o x: x is written to already" },
	{ { "-p", "1", "-o", "x", "-o", "y", "-o", "json:x" },
	  "-o json:x: x is written to already" },
	{ { "-p", "1", "-o", "-", "-o", "json:-" },
	  "-o json:-: the standard output is written to already" },
	{ { "-p", "1", "-oa", "-ob", "-oc", "-od", "-oe", "-of", "-og", "-oh", "-oi" },
	  "-o i: 8 outputs are given already" },
	{ { "-p", "1", "--max-size=4095" }, "--max-size=4095: at least 4096 bytes" },
	{ { "-p", "1", "--max-size=3K" }, "--max-size=3K: at least 4096 bytes" },
	{ { "-p", "1", "--max-size=0" }, "--max-size=0: must be a number of bytes" },
	{ { "-p", "1", "--max-size=1T" }, "--max-size=1T: must be a number of bytes" },
	{ { "-p", "1", "--max-size=99999999999G" }, "must be a number of bytes" },
	{ { "-p", "1", "--rotate=3", "-o", "x" }, "--rotate needs --max-size" },
	{ { "-p", "1", "--rotate=3", "--max-size=1M" }, "--rotate needs a file" },
	{ { "-p", "1", "--rotate=3", "--max-size=1M", "-o", "json:-" },
	  "--rotate needs a file" },
	{ { "-p", "1", "--rotate=0", "--max-size=1M", "-o", "x" },
	  "--rotate=0: must be a number from 1 on" },
	{ { "-p", "1", "--last=0" }, "--last=0: must be a number of events from 1 on" },
	{ { "-p", "1", "--last=0K" }, "--last=0K: must be a number of events" },
	{ { "-p", "1", "--last=all" }, "--last=all: must be a number of events" },
	{ { "-p", "1", "--last=1s" }, "--last=1s: must be a number of events" },
	{ { "-p", "1", "--columns=time,name" },
	  "--columns=time,name: must be none, or a list with commas of time, cpu, pid, tid, "
	  "task and duration" },
	{ { "-p", "1", "--columns=" }, "--columns=: must be none, or" },
	{ { "-p", "1", "--columns=time," }, "--columns=time,: must be none, or" },
	{ { "-p", "1", "--columns=none,time" }, "--columns=none,time: must be none, or" },
	{ { "-p", "1", "--columns=time|cpu" }, "--columns=time|cpu: must be none, or" },
	{ { "-p", "1", "--time=utc" }, "--time=utc: must be wall, relative or delta" },
	{ { "-p", "1", "--color=yes" }, "--color=yes: must be auto, always or never" },
	{ { "-p", "1", "--folded=bytes" }, "--folded=bytes: must be time or calls" },
	{ { "-p", "1", "--sort=file" },
	  "--sort=file: must be total, self, calls, average, min, max or name" },
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
	{ { "-p", "1", "--exclude=a" }, "ambiguous" },
	{ { "-p", "1", "--color" }, "--color" },
	{ { "-p", "1", "--duration=1ms" }, "--duration" },
	{ { "-p", "1", "--callers=a" }, "--callers" },
	{ { "-p", "1", "-q1" }, "-- '1'" },
};

static void describe_list(const char *name, char **list)
{
	if (list)
		printf(" %s=", name);
	for (; list && *list; list++)
		printf("[%s]", *list);
}

/* " output=FORMAT:PATH/COMPRESSION" of each, without text and none; nothing if all there
 * is is text on the standard output. */
static void describe_outputs(const struct options *o)
{
	static const char *const formats[FORMATS] = { "",	 "graph:",  "json:",
						      "chrome:", "folded:", "summary:" };
	static const char *const compressions[] = { "", "/gzip", "/zstd" };

	if (o->output_count == 1 && !o->outputs[0].path && !o->outputs[0].format)
		return;
	for (size_t i = 0; i < o->output_count; i++) {
		const struct output_option *output = &o->outputs[i];

		printf(" output=%s%s%s", formats[output->format],
		       output->path ? output->path : "-",
		       compressions[output->compression]);
	}
}

static void describe_number(const char *name, uint64_t n)
{
	if (n)
		printf(" %s=%" PRIu64, name, n);
}

static void describe_flag(const char *name, bool is_set)
{
	if (is_set)
		printf(" %s", name);
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
	describe_list("exclude_files", o->exclude_files);
	describe_list("exclude_funcs", o->exclude_funcs);
	describe_flag("only_user", o->only_user);
	describe_list("start_at", o->start_at);
	describe_number("max_depth", o->max_depth);
	describe_number("min_duration", o->min_duration);
	if (strcmp(o->tmp_dir, "/tmp"))
		printf(" tmp_dir=%s", o->tmp_dir);
	describe_outputs(o);
	describe_number("max_size", o->max_size);
	describe_number("rotate", o->rotate);
	describe_number("last_events", o->last_events);
	describe_number("last_size", o->last_size);
	if (o->user)
		printf(" user=%s", o->user);
	describe_number("buffer", o->buffer != 8 << 20 ? o->buffer : 0);
	describe_number("on_full", o->on_full);
	describe_number("source", o->source);
	describe_flag("fail_on_lost", o->fail_on_lost);
	describe_flag("list", o->list);
	describe_list("listed", o->listed);
	describe_flag("no_inherit", o->no_inherit);
	describe_number("columns", o->columns);
	describe_number("time", o->clock);
	describe_number("color", o->color);
	describe_flag("folded_calls", o->folded_calls);
	describe_number("sort", o->sort);
	describe_flag("callers", o->callers);
	describe_flag("qualname", o->qualname);
	describe_flag("quiet", o->quiet);
	describe_number("verbose", o->verbose);
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
	check_told("--help", "--format=text|graph|json|chrome|folded|summary\n");
	check_told("--usage", "Usage: pyflow");
	check_told("--version", "pyflow " PACKAGE_VERSION "\n");
	check_told("-V", "WARRANTY");
	check_environment();
	return check_done();
}

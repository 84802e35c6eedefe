// SPDX-License-Identifier: GPL-2.0-or-later
/* Events written by hand -> printer -> what programs shall read, print-json.expected; and
 * names made by chance, which must be told exactly. With a folder as argument, files for
 * json.test are left there: print.json, names.json, names.hex, which has the bytes of the
 * names in names.json, and trace.json, which the manual's examples are about. */
#include <config.h>

#include "print.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "escape.h"
#include "xalloc.h"

enum { PID = 847740, FEW = 5000, MANY = 100000, NAME_MAX_SIZE = 400, LONG = 4 << 20 };

#define START 1700000000676016123ULL
#define EXACT                                                                    \
	((1ULL << 53) - 1) /* the greatest that all readers of JSON know exactly \
			    */

/* ---- by hand ---- */

static struct name names[] = {
	{ .file = "<string>", .func = "<module>" },
	{ .file = "/w/app.py", .func = "main", .qualname = "main" },
	{ .file = "/w/app.py", .func = "<lambda>", .qualname = "main.<locals>.<lambda>" },
	{ .file = "/w/gr\xc3\xbc\xc3\x9f.py", .func = "\xe5\x90\x8d\xf0\x9f\x90\x8d" },
	/* quotes, backslashes, C0, DEL, C1 */
	{ .file = "C:\\a\"b", .func = "\\u0041\\\\", .qualname = "{\"type\":\"lost\"}" },
	{ .file = "a\nb\tc\rd",
	  .func = "\x1b[31m\b\f\x01\x1f\x7f",
	  .qualname = "/\xc2\x9b" },
	/* separators, zero width, bidirectional, a soft hyphen, a mark, a tag */
	{ .file = "\xe2\x80\xa8\xe2\x80\xa9",
	  .func = "\xe2\x80\x8b\xe2\x80\xae\xc2\xad",
	  .qualname = "\xef\xbb\xbf\xf3\xa0\x81\x81\xd8\x9c" },
	/* valid, and yet unusual: the ends of the planes, U+FFFD itself */
	{ .file = "\xed\x9f\xbf\xee\x80\x80",
	  .func = "\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd",
	  .qualname = "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
	/* not UTF-8: lone bytes, truncated, overlong (a NUL), a surrogate, too great */
	{ .file = "/w/\xff\xfe.py", .func = "a\x80", .qualname = "\xc3" },
	{ .file = "ok", .func = "nul\xc0\x80", .qualname = "\xed\xb3\xbf" },
	{ .file = "ok",
	  .func = "ok",
	  .qualname = "\xf4\x90\x80\x80\xe5\x90 \xf0\x9f\x90" },
	{ .file = "", .func = "", .qualname = "" },
};

enum { NAMES = sizeof(names) / sizeof(names[0]) };

struct run {
	struct printer printer;
	struct print_options options;
	struct print_event e; /* the next one, but for what differs */
};

static void show(struct run *r, enum print_kind kind, struct name *name, int32_t line)
{
	r->e.kind = kind;
	r->e.name = name;
	r->e.line = line;
	r->e.depth -= kind == PRINT_LEAVE;
	r->printer.ops->event(&r->printer, &r->e);
	r->e.depth += kind == PRINT_ENTER;
	r->e.at += 1000123;
	r->e.time += 1000123;
}

static void enter(struct run *r, struct name *name, int32_t line)
{
	r->e.exit = PRINT_RETURNED;
	r->e.is_timed = r->e.is_inherited = false;
	show(r, PRINT_ENTER, name, line);
}

static void leave(struct run *r, struct name *name, int32_t line, enum print_exit exit)
{
	r->e.exit = exit;
	r->e.is_timed = true;
	r->e.elapsed = 1000123;
	r->e.self = exit == PRINT_RETURNED ? 1000123 : 23;
	show(r, PRINT_LEAVE, name, line);
}

static void print_calls(struct run *r)
{
	enter(r, &names[0], 1);
	enter(r, &names[1], 3);
	for (int exit = PRINT_RETURNED; exit <= PRINT_UNSEEN; exit++) {
		enter(r, &names[2], 4);
		leave(r, &names[2], 5, exit);
	}
	leave(r, &names[1], 7, PRINT_RETURNED);
	leave(r, &names[0], 1, PRINT_RAISED);
	/* lines: none, the greatest */
	enter(r, &names[1], -1);
	leave(r, &names[1], INT32_MAX, PRINT_RETURNED);
	enter(r, NULL, 0);
	leave(r, NULL, INT32_MIN, PRINT_RETURNED);
}

/* Calls that began before the trace, and in the parent. */
static void print_unbegun(struct run *r)
{
	r->e.depth = 2;
	r->e.exit = PRINT_RETURNED;
	r->e.is_timed = false;
	show(r, PRINT_LEAVE, &names[1], 8);
	r->e.pid = r->e.tid = PID + 1;
	r->e.is_inherited = true;
	show(r, PRINT_LEAVE, &names[0], 2);
	r->e.depth = 1;
	leave(r, &names[0], 2, PRINT_UNSEEN);
	r->e.is_inherited = false;
	r->e.pid = r->e.tid = PID;
	r->e.depth = 0;
}

static void print_tasks(struct run *r)
{
	r->e.task = 1;
	enter(r, &names[1], 3);
	r->e.task_name = "Task-1";
	leave(r, &names[1], 3, PRINT_YIELDED);
	r->e.task = UINT64_MAX;
	r->e.task_name = "\"\n\xe2\x80\xae\xff";
	enter(r, &names[1], 3);
	r->e.task = 0x7f0123456780;
	r->e.task_name = "";
	leave(r, &names[1], 3, PRINT_RETURNED);
	r->e.task = 0;
	r->e.task_name = NULL;
}

static void print_numbers(struct run *r)
{
	struct print_event e = r->e;

	r->e = (struct print_event){ .cpu = 0 };
	enter(r, &names[0], 0);
	r->e = (struct print_event){
		.kind = PRINT_LEAVE,
		.depth = UINT32_MAX,
		.pid = UINT32_MAX,
		.tid = UINT32_MAX,
		.cpu = UINT16_MAX,
		.line = INT32_MAX,
		.is_timed = true,
		.is_inherited = true,
		.at = EXACT,
		.elapsed = EXACT,
		.self = EXACT,
		.name = &names[0],
		.task = UINT64_MAX,
		.task_name = "x",
	};
	r->printer.ops->event(&r->printer, &r->e);
	r->e = e;
}

static void add_note(struct run *r, enum print_note_kind kind, const char *comm,
		     const char *args, size_t size, bool is_cut)
{
	struct print_note n = {
		.kind = kind,
		.at = r->e.at,
		.pid = r->e.pid,
		.tid = r->e.tid,
		.cpu = r->e.cpu,
		.child = PID + 1,
		.comm = comm,
		.args = args,
		.args_size = size,
		.is_cut = is_cut,
	};

	r->printer.ops->note(&r->printer, &n);
}

static void print_notes(struct run *r)
{
	static const char args[] =
		"python3\0-c\0print('x y')\0\0\"\x1b[31m\"\0\xff\0last";

	add_note(r, PRINT_RUNS, "python3", args, 8, false);
	add_note(r, PRINT_EXEC, "co\nmm\x80", args, 24, false);
	add_note(r, PRINT_EXEC, "python3", args, sizeof(args), false);
	add_note(r, PRINT_EXEC, "python3", args, sizeof(args) - 3, true);
	add_note(r, PRINT_EXEC, "", NULL, 0, false);
	add_note(r, PRINT_FORK, NULL, NULL, 0, false);
	add_note(r, PRINT_THREAD, "worker \xe2\x80\xae", NULL, 0, false);
}

static void lose(struct run *r, uint64_t count)
{
	r->printer.ops->lost(&r->printer,
			     &(struct print_lost){ .count = count, .at = r->e.at });
}

static void print_totals(struct run *r, int status, bool goes_on)
{
	struct print_totals t = {
		.at = r->e.at,
		.events = 1,
		.lost = 2,
		.unread = 3,
		.odd = 4,
		.orphans = 5,
		.untraced = 6,
		.unheld = EXACT,
		.status = status,
		.goes_on = goes_on,
	};

	r->printer.ops->end(&r->printer, &t);
}

static void begin(struct run *r, struct output *o)
{
	*r = (struct run){
		.printer = { .ops = &print_json, .output = o, .options = &r->options },
		.options = { .cwd = "/w" },
		.e = { .pid = PID, .tid = PID, .cpu = 11, .time = START },
	};
}

static void say_begin(struct run *r, const pid_t *pids, size_t count, char *const *argv,
		      unsigned int part)
{
	struct print_begin b = {
		.pids = pids,
		.count = count,
		.time = START,
		.argv = argv,
		.part = part,
	};

	r->printer.ops->begin(&r->printer, &b);
}

static void forget_labels(void)
{
	for (size_t i = 0; i < NAMES; i++) {
		free(names[i].labels[0].text);
		names[i].labels[0].text = NULL;
	}
}

static void print_all(struct output *o)
{
	char *argv[] = { "python3", "a \"b\".py", "", NULL };
	char *odd_argv[] = { "./\xff", "\xe2\x80\xae", "x", NULL };
	pid_t pids[] = { PID, 1, 333 };
	struct run r;

	begin(&r, o);
	say_begin(&r, pids, 1, argv, 0);
	print_calls(&r);
	print_unbegun(&r);
	for (size_t i = 0; i < NAMES; i++)
		enter(&r, &names[i], i);
	lose(&r, 1);
	for (size_t i = NAMES; i-- > 0;)
		leave(&r, &names[i], i, PRINT_RETURNED);
	print_tasks(&r);
	print_numbers(&r);
	print_notes(&r);
	lose(&r, EXACT);
	print_totals(&r, 0, true);
	/* goes on in another file, by the same printer */
	say_begin(&r, pids, 3, odd_argv, 1);
	print_totals(&r, 7 << 8, false);
	say_begin(&r, NULL, 0, NULL, UINT32_MAX);
	print_totals(&r, SIGKILL, false);
	print_totals(&r, SIGSEGV | 0x80, false); /* and left a core */
	print_totals(&r, -1, false);
	r.printer.ops->free_state(&r.printer);
	forget_labels();
}

/* ---- the manual's sample ---- */

struct sample {
	struct run run;
	struct {
		struct name *name;
		uint64_t at, below;
	} calls[8];
};

static void sample_enter(struct sample *s, struct name *name, int32_t line, uint64_t at)
{
	s->calls[s->run.e.depth].name = name;
	s->calls[s->run.e.depth].at = at;
	s->calls[s->run.e.depth].below = 0;
	s->run.e.at = at;
	enter(&s->run, name, line);
}

static void sample_leave(struct sample *s, int32_t line, enum print_exit exit,
			 uint64_t at)
{
	unsigned int depth = s->run.e.depth - 1;

	s->run.e.at = at;
	s->run.e.exit = exit;
	s->run.e.is_timed = true;
	s->run.e.elapsed = at - s->calls[depth].at;
	s->run.e.self = s->run.e.elapsed - s->calls[depth].below;
	if (depth)
		s->calls[depth - 1].below += s->run.e.elapsed;
	show(&s->run, PRINT_LEAVE, s->calls[depth].name, line);
}

static void print_sample(struct output *o)
{
	char *argv[] = { "python3", "app.py", NULL };
	pid_t pid = 4711;
	struct name code[] = {
		{ .file = "app.py", .func = "<module>", .qualname = "<module>" },
		{ .file = "app.py", .func = "load", .qualname = "Store.load" },
		{ .file = "app.py", .func = "parse", .qualname = "Store.parse" },
		{ .file = "caf\xe9.py", .func = "wait", .qualname = "wait" },
	};
	struct print_totals totals = { .at = 40000000, .events = 10, .status = 1 << 8 };
	struct sample s = { .calls = { { .at = 0 } } };

	begin(&s.run, o);
	s.run.e.pid = s.run.e.tid = pid;
	say_begin(&s.run, &pid, 1, argv, 0);
	add_note(&s.run, PRINT_EXEC, "python3", "python3\0app.py", 15, false);
	sample_enter(&s, &code[0], 1, 12000000);
	sample_enter(&s, &code[1], 8, 13000000);
	for (int i = 0; i < 2; i++) {
		sample_enter(&s, &code[2], 20, 14000000 + i * 3500000);
		sample_leave(&s, 24, PRINT_RETURNED, 16500000 + i * 3500000);
	}
	sample_enter(&s, &code[2], 20, 21000000);
	sample_leave(&s, 22, PRINT_RAISED, 29000000);
	sample_leave(&s, 10, PRINT_RAISED, 29500000);
	sample_enter(&s, &code[3], 30, 30000000);
	s.run.e.cpu = 0;
	sample_leave(&s, -1, PRINT_UNSEEN, 40000000);
	sample_leave(&s, -1, PRINT_UNSEEN, 40000000);
	s.run.printer.ops->end(&s.run.printer, &totals);
	s.run.printer.ops->free_state(&s.run.printer);
	for (size_t i = 0; i < sizeof(code) / sizeof(code[0]); i++)
		free(code[i].labels[0].text);
}

/* ---- by chance ---- */

static char *put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		*out++ = c;
		return out;
	}
	if (c < 0x800) {
		*out++ = 0xc0 | c >> 6;
	} else if (c < 0x10000) {
		*out++ = 0xe0 | c >> 12;
		*out++ = 0x80 | (c >> 6 & 63);
	} else {
		*out++ = 0xf0 | c >> 18;
		*out++ = 0x80 | (c >> 12 & 63);
		*out++ = 0x80 | (c >> 6 & 63);
	}
	*out++ = 0x80 | (c & 63);
	return out;
}

/* A few bytes: printable, controls, characters of each length, surrogates, what is
 * beyond the last, cut and overlong ones, what looks escaped, any at all. */
static char *put_piece(char *out, bool is_valid)
{
	static const char *const words[] = {
		"\\u0041",
		"\\",
		"\"",
		"\\\"",
		"\"}\n{\"type\":\"lost\"",
		"\r\n",
		"\xc3\xbc",
		"\xe2\x80\xa8",
		"\xe2\x80\xae",
		"\xef\xbb\xbf",
		"\xf3\xa0\x80\x81",
		"\xef\xbf\xbd",
		"\x7f",
		"\xc2\x85",
		"\xef\xbf\xbf",
		"\xf4\x8f\xbf\xbf",
		"</script>",
		"null",
		/* not UTF-8 */
		"\xc0\x80",
		"\xed\xa0\xbd\xed\xb0\x8d",
		"\xf0\x80\x80\x80",
		"\xe0\x9f\xbf",
		"\xf8\x88\x80\x80\x80",
		"\xf4\x90\x80\x80",
		"\xff",
		"\x80",
		"\xe5\x90",
	};
	size_t count = sizeof(words) / sizeof(words[0]) - (is_valid ? 9 : 0);
	uint32_t c;

	switch (check_below(is_valid ? 6 : 9)) {
	case 0:
		return put_utf8(out, 1 + check_below(0x7f));
	case 1:
		return put_utf8(out, 0x80 + check_below(0x780));
	case 2:
		c = 0x800 + check_below(0x10000 - 0x800 - 0x800);
		return put_utf8(out, c < 0xd800 ? c : c + 0x800);
	case 3:
		return put_utf8(out, 0x10000 + check_below(0x100000));
	case 4:
		return put_utf8(out, 0x2000 + check_below(0x70));
	case 5:
		return stpcpy(out, words[check_below(count)]);
	case 6:
		return put_utf8(out, 0xd800 + check_below(0x800));
	case 7:
		*out = 0x80 + check_below(0x80);
		return out + 1;
	default:
		*out = 1 + check_below(255);
		return out + 1;
	}
}

/* Any bytes but NUL, half of the time such that all is UTF-8. NAME_MAX_SIZE at most. */
static char *put_name(char *out)
{
	uint32_t kind = check_below(20);
	uint32_t pieces = kind ? check_below(12) : check_below(NAME_MAX_SIZE / 20);
	bool is_valid = check_below(2);

	while (pieces--)
		out = put_piece(out, is_valid);
	*out++ = '\0';
	return out;
}

static void write_hex(FILE *f, const char *name, char end)
{
	if (!name)
		fputc('-', f);
	for (; name && *name; name++)
		fprintf(f, "%02x", (unsigned char)*name);
	fputc(end, f);
}

/* A call, in the way it is in names.hex: file,func,qualname,task_name. */
static void print_random_call(struct run *r, FILE *bytes)
{
	char file[NAME_MAX_SIZE], func[NAME_MAX_SIZE], qualname[NAME_MAX_SIZE];
	char task_name[NAME_MAX_SIZE];
	struct name name = { .file = file, .func = func };

	put_name(file);
	put_name(func);
	put_name(qualname);
	put_name(task_name);
	name.qualname = check_below(2) ? qualname : NULL;
	r->e.task_name = check_below(4) ? NULL : task_name;
	enter(r, &name, check_below(1000));
	r->e.depth = 0;
	free(name.labels[0].text);
	if (!bytes)
		return;
	write_hex(bytes, file, ',');
	write_hex(bytes, func, ',');
	write_hex(bytes, name.qualname, ',');
	write_hex(bytes, r->e.task_name, '\n');
}

/* A program, likewise: comm,arg,arg,arg. */
static void print_random_note(struct run *r, FILE *bytes)
{
	char comm[NAME_MAX_SIZE], args[3 * NAME_MAX_SIZE], *arg = args, *end = args;

	put_name(comm);
	for (int i = 0; i < 3; i++)
		end = put_name(end);
	add_note(r, PRINT_EXEC, comm, args, end - args, false);
	if (!bytes)
		return;
	write_hex(bytes, comm, ',');
	for (int i = 0; i < 3; i++, arg += strlen(arg) + 1)
		write_hex(bytes, arg, i < 2 ? ',' : '\n');
}

static void print_random(struct output *o, FILE *bytes, int count)
{
	struct run r;

	begin(&r, o);
	say_begin(&r, NULL, 0, NULL, 0);
	for (int i = 0; i < count; i++) {
		print_random_call(&r, bytes);
		if (i % 16 == 0)
			print_random_note(&r, bytes);
	}
	r.printer.ops->free_state(&r.printer);
}

/* The longest names that there are: all of it becomes six times as long, or U+FFFD. */
static void print_long(struct output *o)
{
	char *func = xcalloc(LONG + 1, 1), *qualname = xcalloc(LONG + 1, 1);
	struct name name = { .file = "long.py", .func = func, .qualname = qualname };
	struct run r;

	memset(func, '\x01', LONG);
	memset(qualname, '\xff', LONG);
	begin(&r, o);
	say_begin(&r, NULL, 0, NULL, 0);
	enter(&r, &name, 1);
	leave(&r, &name, 1, PRINT_RETURNED);
	CHECK(name.labels[0].size > 6U * LONG + 5U * LONG);
	r.printer.ops->free_state(&r.printer);
	free(name.labels[0].text);
	free(func);
	free(qualname);
}

static long size_of(const char *path)
{
	FILE *f = fopen(path, "r");
	long size = -1;

	if (f && !fseek(f, 0, SEEK_END))
		size = ftell(f);
	if (f)
		fclose(f);
	return size;
}

/* What ends a file, open calls included, has the room that was said before. */
static void check_tail(struct output *o, const char *path)
{
	struct run r;
	size_t tail, empty;
	long size;

	begin(&r, o);
	say_begin(&r, NULL, 0, NULL, 0);
	empty = r.printer.ops->tail(&r.printer);
	for (size_t i = 0; i < NAMES; i++)
		enter(&r, &names[i], i);
	enter(&r, NULL, 0);
	r.e.at = UINT64_MAX;
	r.e.pid = r.e.tid = UINT32_MAX;
	tail = r.printer.ops->tail(&r.printer);
	output_flush(o);
	size = size_of(path);
	leave(&r, NULL, INT32_MIN, PRINT_UNSEEN);
	for (size_t i = NAMES; i-- > 0;)
		leave(&r, &names[i], INT32_MIN, PRINT_UNSEEN);
	CHECK_INT(r.printer.ops->tail(&r.printer), empty);
	r.e.at = UINT64_MAX;
	print_totals(&r, SIGKILL, true);
	output_flush(o);
	CHECK(size > 0);
	CHECK(size_of(path) - size > (NAMES + 1) * 200);
	CHECK((size_t)(size_of(path) - size) <= tail);
	/* one more end than beginnings takes nothing away */
	leave(&r, &names[0], 1, PRINT_RETURNED);
	CHECK_INT(r.printer.ops->tail(&r.printer), empty);
	r.printer.ops->free_state(&r.printer);
	forget_labels();
}

/* ---- what came of it ---- */

static char *next_line(FILE *f, char **line, size_t *room)
{
	return getline(line, room, f) < 0 ? NULL : *line;
}

/* The version is not written down in what is expected. */
static char *with_version(const char *line)
{
	const char *mark = strstr(line, "@VERSION@");

	return mark ? xasprintf("%.*s%s%s", (int)(mark - line), line, VERSION, mark + 9)
		    : xstrdup(line);
}

/* Line by line, so that what differs is told. */
static void compare(const char *got_path, const char *wanted_path)
{
	FILE *got = fopen(got_path, "r"), *wanted = fopen(wanted_path, "r");
	char *got_line = NULL, *wanted_line = NULL;
	size_t got_room = 0, wanted_room = 0;

	CHECK(got);
	CHECK(wanted);
	while (got && wanted && next_line(wanted, &wanted_line, &wanted_room)) {
		char *line = with_version(wanted_line);

		CHECK_STR(next_line(got, &got_line, &got_room), line);
		free(line);
	}
	CHECK(got && !next_line(got, &got_line, &got_room));
	free(got_line);
	free(wanted_line);
	if (got)
		fclose(got);
	if (wanted)
		fclose(wanted);
}

/* Nothing in a file is unsafe but the ends of its lines; all lines are objects at first
 * sight, and none is lost. */
static void check_lines(const char *path, long wanted)
{
	FILE *f = fopen(path, "r");
	char *line = NULL, *safe = NULL;
	size_t room = 0;
	ssize_t n;
	long lines = 0;

	CHECK(f);
	for (; f && (n = getline(&line, &room, f)) > 0; lines++) {
		CHECK(n > 3 && !strncmp(line, "{\"type\":\"", 9));
		CHECK(!strcmp(line + n - 2, "}\n"));
		CHECK_INT(strlen(line), n);
		line[n - 1] = '\0';
		safe = xrealloc(safe, n, ESCAPE_MAX);
		CHECK_INT(escape(safe, line, ESCAPE_MESSAGE), n - 1);
		CHECK(!memcmp(safe, line, n - 1));
	}
	CHECK_INT(lines, wanted);
	free(line);
	free(safe);
	if (f)
		fclose(f);
}

static struct output *open_in(const char *dir, const char *name, char **path)
{
	struct output *o;

	*path = xasprintf("%s/%s", dir, name);
	CHECK_INT(output_open(*path, COMPRESSION_NONE, &o), 0);
	return o;
}

static void done(struct output *o, char *path, bool keep)
{
	if (!keep)
		unlink(path);
	free(path);
	output_close(o);
}

static void check_by_hand(const char *dir, bool keep)
{
	const char *srcdir = getenv("srcdir");
	char *wanted = xasprintf("%s/tests/print-json.expected", srcdir ? srcdir : ".");
	char *got;
	struct output *o = open_in(dir, "print.json", &got);

	print_all(o);
	output_flush(o);
	CHECK_INT(output_error(o), 0);
	compare(got, wanted);
	done(o, got, keep);
	free(wanted);
}

static void check_by_chance(const char *dir, bool keep)
{
	char *got, *hex = xasprintf("%s/names.hex", dir);
	struct output *o = open_in(dir, "names.json", &got);
	FILE *bytes = keep ? fopen(hex, "w") : NULL;
	int count = keep ? MANY : FEW;

	CHECK(bytes || !keep);
	print_random(o, bytes, count);
	output_flush(o);
	CHECK_INT(output_error(o), 0);
	check_lines(got, 1 + count + (count + 15) / 16);
	if (bytes)
		CHECK(!fclose(bytes));
	done(o, got, keep);
	free(hex);
}

static void check_long(const char *dir)
{
	char *got;
	struct output *o = open_in(dir, "long.json", &got);

	print_long(o);
	output_flush(o);
	check_lines(got, 3);
	done(o, got, false);
}

static void check_sample(const char *dir, bool keep)
{
	char *got;
	struct output *o = open_in(dir, "trace.json", &got);

	print_sample(o);
	output_flush(o);
	check_lines(got, 15);
	done(o, got, keep);
}

static void check_room(const char *dir)
{
	char *got;
	struct output *o = open_in(dir, "tail.json", &got);

	check_tail(o, got);
	done(o, got, false);
}

int main(int argc, char **argv)
{
	char made[] = "/tmp/test-print-json.XXXXXX";
	const char *dir = argc > 1 ? argv[1] : mkdtemp(made);

	CHECK(dir);
	if (!dir)
		return check_done();
	check_by_hand(dir, argc > 1);
	check_by_chance(dir, argc > 1);
	check_sample(dir, argc > 1);
	check_room(dir);
	check_long(dir);
	if (argc < 2)
		CHECK(!rmdir(dir));
	return check_done();
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls -> a table: print-summary.expected for some made by hand; for many made by
 * chance, what a simple model says. */
#include <config.h>

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "make-calls.h"
#include "print-rows.h"
#include "xalloc.h"

enum { PID = 100, EVENTS = 2000000 };

/* ---- by hand ---- */

enum id { UNKNOWN, MAIN, F, G, F_AGAIN, F_OTHER, METHOD, EVIL, WIDE, LONG, EMPTY, NAMES };

static void add_names(struct made *m)
{
	made_name(m, MAIN, "/w/main.py", "<module>", NULL, 1);
	made_name(m, F, "/w/a.py", "f", NULL, 10);
	made_name(m, G, "/usr/lib/python3.13/site-packages/some/b.py", "g", NULL, 0);
	/* other code objects: one of which the same is said, one that is elsewhere */
	made_name(m, F_AGAIN, "/w/a.py", "f", NULL, 10);
	made_name(m, F_OTHER, "/w/a.py", "f", NULL, 99);
	made_name(m, METHOD, "/w/a.py", "m", "C.<locals>.m", 3);
	made_name(m, EVIL, "/w/;\n 1.py", "x;y\033[31m\xff\\ 17", NULL, 0);
	made_name(m, WIDE, "/w/\xe4\xb8\xad\xe5\x9b\xbd/e\xcc\x81t\xc3\xa9.py",
		  "gr\xc3\xbc\xc3\x9f_\xe4\xb8\xad\xe5\x9b\xbd\xe4\xb8\xad\xe5\x9b\xbd",
		  NULL, 7);
	made_name(m, LONG, "/w/a.py",
		  "a_function_with_a_name_that_is_longer_than_most_of_the_others", NULL,
		  2147483647);
	made_name(m, EMPTY, "", "", NULL, 0);
}

static void wait_us(struct made *m, uint64_t us)
{
	m->now += us * 1000;
}

/* One call that takes so long. */
static void call(struct made *m, struct made_thread *t, unsigned int id, uint64_t us)
{
	made_enter(m, t, id);
	wait_us(m, us);
	made_leave(m, t, PRINT_RETURNED);
}

static void make_names(struct made *m)
{
	struct made_thread *t = made_thread(m, PID, PID);

	made_enter(m, t, MAIN);
	for (unsigned int id = UNKNOWN; id < NAMES; id++)
		call(m, t, id, id * id);
	m->now += 7;
	/* f -> g -> f -> f, of which the innermost is another code object */
	made_enter(m, t, F);
	wait_us(m, 100);
	made_enter(m, t, G);
	wait_us(m, 1000);
	made_enter(m, t, F);
	wait_us(m, 10000);
	call(m, t, F_AGAIN, 50);
	made_leave(m, t, PRINT_RAISED);
	made_leave(m, t, PRINT_RETURNED);
	made_leave(m, t, PRINT_YIELDED);
	made_before(m, t, G);
	made_leave(m, t, PRINT_RETURNED);
	made_before(m, t, MAIN);
}

/* Two threads, of which one forks; the child goes on in what it got. */
static void make_threads(struct made *m)
{
	made_thread(m, PID + 1, PID);
	made_enter(m, made_thread(m, PID, PID), MAIN);
	made_enter(m, made_thread(m, PID + 1, PID), METHOD);
	wait_us(m, 100);
	made_fork(m, PID + 1, PID + 2);
	wait_us(m, 7);
	call(m, made_thread(m, PID + 2, 0), METHOD, 11);
	call(m, made_thread(m, PID + 1, 0), G, 13);
	/* the child ends the call that it got; then one of its own */
	made_leave(m, made_thread(m, PID + 2, 0), PRINT_RETURNED);
	call(m, made_thread(m, PID + 2, 0), F, 17);
	/* a child of which nothing is seen until it runs another program */
	made_fork(m, PID, PID + 3);
	made_exec(m, made_thread(m, PID + 3, 0));
	call(m, made_thread(m, PID + 3, 0), F, 19);
}

static void append(char **text, char *more)
{
	*text = xrealloc(*text, strlen(*text) + strlen(more) + 2, 1);
	strcat(strcat(*text, more), "\n");
	free(more);
}

static void make_table(char **text, struct print_options o, uint64_t lost)
{
	struct made m;

	made_new(&m, &print_summary);
	o.cwd = m.options.cwd;
	m.options = o;
	m.totals.lost = lost;
	m.totals.unread = lost;
	add_names(&m);
	made_begin(&m, 0);
	make_names(&m);
	make_threads(&m);
	append(text, made_end(&m));
	made_free(&m);
}

/* Each file has what is in it; what takes longer than a part counts at its end. */
static void make_parts(char **text)
{
	struct made m;

	made_new(&m, &print_summary);
	m.options.callers = true;
	add_names(&m);
	made_begin(&m, 0);
	made_enter(&m, made_thread(&m, PID, PID), MAIN);
	made_enter(&m, made_thread(&m, PID, PID), F);
	wait_us(&m, 5);
	append(text, made_part(&m));
	made_begin(&m, 1);
	call(&m, made_thread(&m, PID, 0), F, 1);
	append(text, made_end(&m));
	made_free(&m);
}

static void test_by_hand(void)
{
	char *text = xcalloc(1, 1);

	make_table(&text, (struct print_options){ .sort = PRINT_BY_TOTAL }, 0);
	make_table(&text, (struct print_options){ .callers = true, .qualname = true }, 1);
	for (unsigned int width = 0; width <= 160; width += 80)
		make_table(&text,
			   (struct print_options){ .sort = PRINT_BY_NAME,
						   .callers = width == 160,
						   .width = width + !width },
			   UINT64_MAX);
	make_parts(&text);
	made_compare(text, "print-summary.expected");
	free(text);
}

/* No line is wider than the terminal, in columns, if that is not too narrow. */
static void test_width(void)
{
	for (unsigned int width = 66; width < 200; width += 13) {
		char *text = xcalloc(1, 1), *end;
		size_t widest = 0;

		make_table(&text, (struct print_options){ .width = width }, 0);
		for (char *line = text; (end = strchr(line, '\n')); line = end + 1) {
			size_t n = 0;

			/* the wide ones have three bytes here, what takes none has two
			 * behind its letter */
			for (char *c = line; c < end; c++)
				n += (*c & 0xc0) != 0x80 && (unsigned char)*c != 0xcc;
			for (char *c = line; c < end; c++)
				n += (*c & 0xf0) == 0xe0;
			if (*line != '#' && n > widest)
				widest = n;
		}
		CHECK(widest <= width);
		CHECK(width > 140 || widest + 1 >= width);
		free(text);
	}
}

/* ---- by chance ---- */

enum { ROWS = 8 };

struct cells {
	uint64_t calls, ends, total, self, elapsed, min, max;
};

/* By row, which is an id's remainder; 0 is what could not be read. */
struct model {
	struct cells rows[ROWS];
	struct cells callers[ROWS + 1][ROWS]; /* ROWS: from nowhere */
};

static unsigned int row_of(unsigned int id)
{
	return id % ROWS;
}

static bool is_outermost(const struct made_thread *t)
{
	for (size_t i = 0; i + 1 < t->count; i++)
		if (row_of(t->calls[i].id) == row_of(t->calls[t->count - 1].id))
			return false;
	return true;
}

static void model_event(void *arg, const struct print_event *e,
			const struct made_thread *t)
{
	struct model *model = arg;
	struct cells *row, *caller;

	if (e->kind == PRINT_LEAVE && !e->is_timed)
		return;
	row = &model->rows[row_of(t->calls[t->count - 1].id)];
	caller = &model->callers[t->count > 1 ? row_of(t->calls[t->count - 2].id) : ROWS]
				[row - model->rows];
	if (e->kind == PRINT_ENTER) {
		row->calls++;
		caller->calls++;
		return;
	}
	if (is_outermost(t)) {
		row->total += e->elapsed;
		caller->total += e->elapsed;
	}
	row->min = row->ends && row->min < e->elapsed ? row->min : e->elapsed;
	row->max = row->max > e->elapsed ? row->max : e->elapsed;
	row->ends++;
	row->self += e->self;
	row->elapsed += e->elapsed;
}

/* ns of "123.456". */
static uint64_t ns_of(const char *text)
{
	char *end;
	uint64_t us = strtoull(text, &end, 10);

	return *end == '.' ? us * 1000 + strtoull(end + 1, NULL, 10) : UINT64_MAX;
}

/* Functions are called f0 to f7, but for "?". */
static unsigned int row_named(const char *func)
{
	return *func == '?' ? 0 : !strcmp(func, "(root)") ? ROWS : func[1] - '0';
}

static unsigned int check_row(const struct model *model, char **words)
{
	unsigned int row = row_named(words[6]);
	const struct cells *c = &model->rows[row];

	CHECK_INT(strtoull(words[0], NULL, 10), c->calls);
	CHECK_INT(ns_of(words[1]), c->total);
	CHECK_INT(ns_of(words[2]), c->self);
	CHECK_INT(ns_of(words[3]), (c->elapsed * 2 + c->ends) / (c->ends * 2));
	CHECK_INT(ns_of(words[4]), c->min);
	CHECK_INT(ns_of(words[5]), c->max);
	return row;
}

static void check_caller(const struct model *model, char **words, unsigned int row)
{
	const struct cells *c = &model->callers[row_named(words[7])][row];

	CHECK_INT(strtoull(words[0], NULL, 10), c->calls);
	CHECK_INT(ns_of(words[1]), c->total);
}

struct sums {
	uint64_t calls, self, callers, from_there, total;
	size_t rows, caller_rows;
};

static void check_line(const struct model *model, char *line, struct sums *sums,
		       unsigned int *row)
{
	char *words[10] = { NULL };
	size_t n = 0;

	for (char *word = strtok(line, " "); word && n < 9; word = strtok(NULL, " "))
		words[n++] = word;
	CHECK(n >= 8);
	if (n < 8)
		return;
	if (strcmp(words[6], "<-")) {
		*row = check_row(model, words);
		sums->rows++;
		sums->calls += strtoull(words[0], NULL, 10);
		sums->total += ns_of(words[1]);
		sums->self += ns_of(words[2]);
	} else {
		check_caller(model, words, *row);
		sums->caller_rows++;
		sums->callers += strtoull(words[0], NULL, 10);
		sums->from_there += ns_of(words[1]);
	}
}

static void check_table(const struct model *model, char *text, const struct made *m)
{
	struct sums sums = { 0 };
	size_t pairs = 0;
	unsigned int row = 0;

	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (*line != '#' && !strstr(line, "FUNCTION"))
			check_line(model, line, &sums, &row);
	}
	CHECK_INT(sums.rows, ROWS);
	CHECK_INT(sums.calls, m->enters);
	CHECK_INT(sums.self, m->roots);
	CHECK_INT(sums.callers, m->enters);
	CHECK_INT(sums.from_there, sums.total);
	for (size_t i = 0; i < (ROWS + 1) * ROWS; i++)
		pairs += model->callers[i / ROWS][i % ROWS].calls ||
			 model->callers[i / ROWS][i % ROWS].total;
	CHECK_INT(sums.caller_rows, pairs);
}

static void add_random_names(struct made *m)
{
	for (unsigned int id = 1; id < 3 * ROWS; id++) {
		char file[16], func[16];

		if (id % ROWS == 0)
			continue;
		snprintf(file, sizeof(file), "/w/%u.py", id % ROWS % 3);
		snprintf(func, sizeof(func), "f%u", id % ROWS);
		made_name(m, id, file, func, NULL, 1 + id % ROWS);
	}
}

static unsigned int any_thread(unsigned int threads)
{
	return 1 + check_below(threads);
}

/* Any thread is forked; the child's number may be one that was used. */
static void fork_one(struct made *m, unsigned int threads)
{
	uint32_t child = any_thread(threads);
	struct made_thread *t = made_thread(m, child, child);

	while (t->count)
		made_leave(m, t, PRINT_UNSEEN);
	made_fork(m, 1 + (child + check_below(threads - 1)) % threads, child);
}

static void make_random(struct made *m, uint32_t events, uint32_t deep)
{
	for (uint32_t i = 0; i < events; i++, m->now += check_below(1000)) {
		uint32_t tid = any_thread(8), what = check_below(500);
		struct made_thread *t = made_thread(m, tid, tid);

		if (!what)
			fork_one(m, 8);
		else if (what < 10)
			made_before(m, t, check_below(3 * ROWS));
		else if (t->count && (t->count == deep || check_below(2)))
			made_leave(m, t, check_below(4));
		else
			made_enter(m, t, check_below(3 * ROWS));
	}
}

static void check_random(uint32_t deep)
{
	struct model model = { 0 };
	struct made m;
	char *text;

	made_new(&m, &print_summary);
	m.options.callers = true;
	m.watch = model_event;
	m.arg = &model;
	add_random_names(&m);
	made_begin(&m, 0);
	make_random(&m, 50000, deep);
	text = made_end(&m);
	check_table(&model, text, &m);
	free(text);
	made_free(&m);
}

/* Each sort's rows descend, but those by name; equal ones are ordered by name. */
static void test_sort(void)
{
	static const int columns[] = {
		[PRINT_BY_TOTAL] = 1,	[PRINT_BY_SELF] = 2, [PRINT_BY_CALLS] = 0,
		[PRINT_BY_AVERAGE] = 3, [PRINT_BY_MIN] = 4,  [PRINT_BY_MAX] = 5
	};

	for (int sort = PRINT_BY_TOTAL; sort < PRINT_BY_NAME; sort++) {
		double before = 1e30;
		char *end, *text, *line;
		struct made m;

		made_new(&m, &print_summary);
		m.options.sort = sort;
		add_random_names(&m);
		made_begin(&m, 0);
		make_random(&m, 1000, 5);
		text = made_end(&m);
		line = strstr(text, "FILE:LINE\n") + 10;
		for (; (end = strchr(line, '\n')) && *line != '#'; line = end + 1) {
			double cells[6];

			CHECK_INT(sscanf(line, "%lf%lf%lf%lf%lf%lf", &cells[0], &cells[1],
					 &cells[2], &cells[3], &cells[4], &cells[5]),
				  6);
			CHECK(cells[columns[sort]] <= before);
			before = cells[columns[sort]];
		}
		free(text);
		made_free(&m);
	}
}

/* A recursion that is deep, of functions that take turns, is counted once. */
static void test_deep(void)
{
	enum { DEEP = 100000 };
	struct made m;
	struct made_thread *t;
	char *text;

	made_new(&m, &print_summary);
	add_random_names(&m);
	made_begin(&m, 0);
	t = made_thread(&m, PID, PID);
	for (unsigned int i = 0; i < DEEP; i++) {
		made_enter(&m, t, 1 + i % 2);
		m.now += 1000;
	}
	text = made_end(&m);
	CHECK(strstr(text, "\n50000  100000.000  50000.000  50001.000  2.000  100000.000"
			   "  f1        1.py:2\n"));
	CHECK(strstr(text, "\n50000   99999.000  50000.000  50000.000  1.000   99999.000"
			   "  f2        2.py:3\n"));
	free(text);
	made_free(&m);
}

/* Names of a megabyte, of bytes that take four each. */
static void test_long(void)
{
	enum { SIZE = 1 << 20 };
	char *name = xcalloc(SIZE + 1, 1), *text;

	memset(name, 0xff, SIZE);
	for (unsigned int width = 0; width <= 100; width += 100) {
		struct made m;

		made_new(&m, &print_summary);
		m.options.width = width;
		m.options.callers = true;
		made_name(&m, MAIN, name, name, NULL, 1);
		made_name(&m, F, "/w/a.py", "f", NULL, 1);
		made_begin(&m, 0);
		call(&m, made_thread(&m, PID, PID), MAIN, 1);
		call(&m, made_thread(&m, PID, PID), F, 1);
		text = made_end(&m);
		CHECK(width ? strlen(text) < 1000 : strlen(text) > 8 * SIZE);
		CHECK(strlen(text) < 8 * SIZE + 1000);
		free(text);
		made_free(&m);
	}
	free(name);
}

/* What goes to a terminal has three digits, whatever their unit. */
static void test_short(void)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} all[] = {
		{ 0, "0ns" },
		{ 999, "999ns" },
		{ 1000, "1.00us" },
		{ 9994, "9.99us" },
		{ 9995, "10.0us" },
		{ 99949, "99.9us" },
		{ 99950, "100us" },
		{ 999499, "999us" },
		{ 999500, "1.00ms" },
		{ 12345678, "12.3ms" },
		{ 999499999, "999ms" },
		{ 1000000000, "1.00s" },
		{ 86400000000000, "86400s" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		char wanted[64], *text;
		struct made m;

		made_new(&m, &print_summary);
		m.options.width = 80;
		add_names(&m);
		made_begin(&m, 0);
		made_enter(&m, made_thread(&m, PID, PID), F);
		m.now += all[i].ns;
		text = made_end(&m);
		snprintf(wanted, sizeof(wanted), " took %s; traced for %s\n", all[i].text,
			 all[i].text);
		CHECK(strstr(text, wanted));
		snprintf(wanted, sizeof(wanted), " %s f         a.py:10\n", all[i].text);
		CHECK(strstr(text, wanted));
		free(text);
		made_free(&m);
	}
}

static void test_nothing(void)
{
	struct made m;
	char *text;

	made_new(&m, &print_summary);
	made_begin(&m, 0);
	text = made_end(&m);
	CHECK_STR(text, "# 0 calls of 0 functions in 0 threads of 0 processes took"
			" 0.000; traced for 0.000\n"
			"# times are microseconds\n"
			"CALLS  TOTAL  SELF  AVERAGE  MIN  MAX  FUNCTION  FILE:LINE\n");
	free(text);
	made_free(&m);
}

/* Against an array of what should be in it. */
static void test_set(void)
{
	enum { COUNT = 300 };
	struct row_set set = { 0 };
	bool wanted[COUNT + 1] = { false };
	uint32_t count = 0;

	for (int i = 0; i < 100000; i++) {
		uint32_t row = 1 + check_below(i < 50000 ? COUNT : COUNT / 30);

		if (check_below(2)) {
			if (row_set_add(&set, row) == wanted[row])
				CHECK(!"the row was there, or was not");
			count += !wanted[row];
			wanted[row] = true;
		} else {
			row_set_remove(&set, row);
			count -= wanted[row];
			wanted[row] = false;
		}
	}
	CHECK_INT(set.count, count);
	for (uint32_t row = 1; row <= COUNT; row++)
		CHECK(row_set_add(&set, row) == !wanted[row]);
	free(set.slots);
}

static size_t memory(void)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
	return mallinfo2().uordblks;
#else
	return 0;
#endif
}

static void test_memory(void)
{
	struct made m;
	size_t before;

	made_new(&m, &print_summary);
	add_random_names(&m);
	made_begin(&m, 0);
	make_random(&m, EVENTS / 10, 20);
	before = memory();
	make_random(&m, check_rounds(EVENTS), 20);
	CHECK(memory() < before + 64 * 1024);
	free(made_end(&m));
	made_free(&m);
}

/* What is over leaves little behind, and its number may be another one's later. */
static void test_threads(void)
{
	enum { THREADS = 20000 };
	struct made m;
	struct made_thread t = { .tid = PID, .pid = PID }, again;
	size_t before;
	char *text;

	made_new(&m, &print_summary);
	add_random_names(&m);
	made_begin(&m, 0);
	made_enter(&m, &t, 1);
	again = (struct made_thread){ .tid = PID, .pid = PID + 1 };
	call(&m, &again, 2, 1);
	before = memory();
	for (uint32_t i = 1; i <= THREADS; i++) {
		again.tid = again.pid = PID + i;
		call(&m, &again, 2, 1);
	}
	CHECK(memory() < before + THREADS * 192);
	text = made_end(&m);
	CHECK(strstr(text, "# 20002 calls of 2 functions in 20002 threads of 20001 "
			   "processes took 20001.000;"));
	free(text);
	free(t.calls);
	free(again.calls);
	made_free(&m);
}

int main(void)
{
	test_by_hand();
	test_width();
	test_short();
	test_nothing();
	test_sort();
	test_deep();
	test_long();
	test_set();
	check_random(6);
	check_random(40);
	test_threads();
	test_memory();
	return check_done();
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls -> folded stacks: print-folded.expected for some made by hand; for many made by
 * chance, what a simple model says. */
#include <config.h>

#include <inttypes.h>
#include <malloc.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "make-calls.h"
#include "xalloc.h"

enum { PID = 100, LEVELS = 1024, EVENTS = 2000000 };

/* ---- by hand ---- */

enum id {
	UNKNOWN,
	MAIN,
	F,
	G,
	F_TWICE,
	METHOD,
	EVIL,
	WIDE,
	LONGER,
	BRACE,
	EMPTY,
	DIGITS
};

static void add_names(struct made *m)
{
	made_name(m, MAIN, "/w/main.py", "<module>", NULL, 0);
	made_name(m, F, "/w/a.py", "f", NULL, 1);
	made_name(m, G, "/usr/lib/b.py", "g", NULL, 2);
	/* another code object, of which the same is said */
	made_name(m, F_TWICE, "/w/a.py", "f", NULL, 9);
	made_name(m, METHOD, "/w/a.py", "m", "C.<locals>.m", 3);
	made_name(m, EVIL, "/w/;\n 1.py", "x;y\033[31m\xff\\ 17", NULL, 0);
	made_name(m, WIDE, "/w/\xe4\xb8\xad.py", "gr\xc3\xbc\xc3\x9f", NULL, 0);
	/* the text of one is the beginning of another's */
	made_name(m, LONGER, "/w/a.py) (z", "f", NULL, 0);
	made_name(m, BRACE, "/w/a.py)z", "f", NULL, 0);
	made_name(m, EMPTY, "", "", NULL, 0);
	made_name(m, DIGITS, "/w/1", "2", NULL, 0);
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
	for (unsigned int id = UNKNOWN; id <= DIGITS; id++)
		call(m, t, id, 1 + id);
	wait_us(m, 5);
	made_enter(m, t, F);
	wait_us(m, 2);
	call(m, t, F_TWICE, 20);
	call(m, t, G, 30);
	made_leave(m, t, PRINT_RAISED);
	/* what began before counts nothing and leaves the stack as it is */
	made_before(m, t, G);
	call(m, t, LONGER, 40);
	made_leave(m, t, PRINT_RETURNED);
	made_before(m, t, MAIN);
}

/* Rounded to nearest; 0 is left out, though it was a call. */
static void make_rounding(struct made *m)
{
	static const uint64_t times[] = { 0, 1, 499, 500, 999, 1499, 1500 };
	static const char *const funcs[] = { "r0",   "r1",    "r499", "r500",
					     "r999", "r1499", "r1500" };
	struct made_thread *t = made_thread(m, PID, PID);

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		made_name(m, 50 + i, "/r.py", funcs[i], NULL, 0);
		made_enter(m, t, 50 + i);
		m->now += times[i];
		made_leave(m, t, PRINT_RETURNED);
	}
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
	call(m, made_thread(m, PID + 2, 0), G, 11);
	call(m, made_thread(m, PID + 1, 0), G, 13);
	/* the child ends the call that it got; then one of its own */
	made_leave(m, made_thread(m, PID + 2, 0), PRINT_RETURNED);
	call(m, made_thread(m, PID + 2, 0), F, 17);
	/* a child of which nothing is seen until it runs another program */
	made_fork(m, PID, PID + 3);
	made_exec(m, made_thread(m, PID + 3, 0));
	call(m, made_thread(m, PID + 3, 0), F, 19);
	/* its number is used again */
	made_fork(m, PID + 1, PID + 3);
	call(m, made_thread(m, PID + 3, 0), F, 23);
}

static void make_deep(struct made *m)
{
	struct made_thread *t = made_thread(m, PID + 9, PID + 9);

	for (int i = 0; i < 3 * LEVELS; i++) {
		made_enter(m, t, i % 2 ? F : G);
		m->now += i < LEVELS ? 400 : 1000;
	}
	while (t->count)
		made_leave(m, t, PRINT_RETURNED);
}

static void test_by_hand(void)
{
	char *text, *all, *part;
	struct made m;

	made_new(&m, &print_folded);
	add_names(&m);
	made_begin(&m, 0);
	make_names(&m);
	make_rounding(&m);
	make_threads(&m);
	/* another file has what comes from here on */
	text = made_part(&m);
	made_begin(&m, 1);
	call(&m, made_thread(&m, PID, 0), F, 1000);
	part = made_end(&m);
	made_free(&m);

	made_new(&m, &print_folded);
	m.options.qualname = m.options.folded_calls = true;
	add_names(&m);
	made_begin(&m, 0);
	make_names(&m);
	make_rounding(&m);
	make_threads(&m);
	all = made_end(&m);
	made_free(&m);

	text = xrealloc(text, strlen(text) + strlen(part) + strlen(all) + 3, 1);
	strcat(strcat(strcat(strcat(text, "\n"), part), "\n"), all);
	made_compare(text, "print-folded.expected");
	free(text);
	free(part);
	free(all);
}

/* ---- by chance ---- */

struct seen {
	char *text;
	uint64_t self, calls;
};

struct model {
	void *root; /* of tsearch() */
	size_t count;
	struct seen *all[400000];
};

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct seen *)a)->text, ((const struct seen *)b)->text);
}

static char *stack_text(const struct made_thread *t)
{
	size_t levels = t->count > LEVELS ? LEVELS : t->count, size;
	char *text;
	FILE *f = open_memstream(&text, &size);

	for (size_t i = 0; i < levels; i++) {
		const struct name *name = t->calls[i].name;

		fprintf(f, "%s%s (%s)", i ? ";" : "", name ? name->func : "?",
			name ? name->file : "?");
	}
	if (t->count > LEVELS)
		fprintf(f, ";...");
	fclose(f);
	return text;
}

static void model_event(void *arg, const struct print_event *e,
			const struct made_thread *t)
{
	struct model *model = arg;
	struct seen *new, **found;

	if (e->kind == PRINT_LEAVE && !e->is_timed)
		return;
	new = xcalloc(1, sizeof(*new));
	new->text = stack_text(t);
	found = tsearch(new, &model->root, compare_entries);
	if (*found == new) {
		model->all[model->count++] = new;
	} else {
		free(new->text);
		free(new);
	}
	if (e->kind == PRINT_ENTER)
		(*found)->calls++;
	else
		(*found)->self += e->self;
}

/* Each line is an entry of the model; they are in order; none is missing. */
static uint64_t check_lines(struct model *model, char *text, bool calls)
{
	uint64_t sum = 0;
	size_t lines = 0, wanted = 0;
	char *before = NULL;

	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		char *blank;
		struct seen key, **found;
		uint64_t number;

		*end = '\0';
		blank = strrchr(line, ' ');
		*blank = '\0';
		number = strtoull(blank + 1, NULL, 10);
		key.text = line;
		found = tfind(&key, &model->root, compare_entries);
		if (!found)
			CHECK_STR(line, "a stack of the model");
		else
			CHECK_INT(number, calls ? (*found)->calls
						: ((*found)->self + 500) / 1000);
		CHECK(!before || strcmp(before, line) < 0);
		before = line;
		sum += number;
		lines++;
	}
	for (size_t i = 0; i < model->count; i++)
		wanted += calls ? model->all[i]->calls > 0 : model->all[i]->self >= 500;
	CHECK_INT(lines, wanted);
	return sum;
}

static void free_model(struct model *model)
{
	for (size_t i = 0; i < model->count; i++) {
		tdelete(model->all[i], &model->root, compare_entries);
		free(model->all[i]->text);
		free(model->all[i]);
	}
	free(model);
}

static void add_random_names(struct made *m)
{
	static const char *const texts[] = { "f", "f (a", "g", "f!", "g)", "h" };
	char file[16];

	for (unsigned int id = 1; id < 12; id++) {
		snprintf(file, sizeof(file), "%u.py", id % 3);
		made_name(m, id, file, texts[id % 6], NULL, id > 8 ? id : 0);
	}
}

/* An event of any thread; most calls are less deep than `deep`. */
static void make_one(struct made *m, unsigned int threads, uint32_t deep)
{
	uint32_t tid = 1 + check_below(threads);
	struct made_thread *t = made_thread(m, tid, tid);

	if (!check_below(50))
		made_before(m, t, check_below(12));
	else if (t->count && check_below(2 * deep) < deep / 2 + t->count)
		made_leave(m, t, check_below(4));
	else
		made_enter(m, t, check_below(12));
}

/* Any thread is forked; the child's number may be one that was used. */
static void fork_one(struct made *m, unsigned int threads)
{
	uint32_t child = 1 + check_below(threads);
	struct made_thread *t = made_thread(m, child, child);

	while (t->count)
		made_leave(m, t, PRINT_UNSEEN);
	made_fork(m, 1 + (child + check_below(threads - 1)) % threads, child);
}

static void make_random(struct made *m, uint32_t events, uint32_t step)
{
	for (uint32_t i = 0; i < events; i++) {
		if (check_below(200))
			make_one(m, 5, 12);
		else
			fork_one(m, 5);
		m->now += (uint64_t)check_below(5) * step;
	}
}

static void check_random(uint32_t step, bool calls)
{
	struct model *model = xcalloc(1, sizeof(*model));
	uint64_t self = 0, sum;
	struct made m;
	char *text;

	made_new(&m, &print_folded);
	m.options.folded_calls = calls;
	m.watch = model_event;
	m.arg = model;
	add_random_names(&m);
	made_begin(&m, 0);
	make_random(&m, 20000, step);
	text = made_end(&m);
	for (size_t i = 0; i < model->count; i++)
		self += model->all[i]->self;
	CHECK_INT(self, m.roots);
	sum = check_lines(model, text, calls);
	if (calls)
		CHECK_INT(sum, m.enters);
	else if (step % 1000 == 0)
		CHECK_INT(sum * 1000, m.roots);
	free(text);
	free_model(model);
	made_free(&m);
}

/* Calls whose beginning is not told, as from a flight recorder, are below nothing. */
static void test_cut(void)
{
	struct made m;
	char *text;

	made_new(&m, &print_folded);
	add_names(&m);
	made_begin(&m, 0);
	for (unsigned int depth = 2; depth--;) {
		struct print_event e = {
			.kind = PRINT_LEAVE,
			.tid = PID,
			.pid = PID,
			.depth = depth,
			.is_timed = true,
			.elapsed = 9000,
			.self = 3000,
			.name = names_find(m.names, depth ? F : G),
		};

		m.printer.ops->event(&m.printer, &e);
	}
	text = made_end(&m);
	CHECK_STR(text, "f (a.py) 3\ng (/usr/lib/b.py) 3\n");
	free(text);
	made_free(&m);
}

/* What is too deep is all in one frame, and none of it is missing. */
static void test_deep(void)
{
	struct made m;
	char *text, *end;

	made_new(&m, &print_folded);
	add_names(&m);
	made_begin(&m, 0);
	make_deep(&m);
	text = made_end(&m);
	end = strstr(text, ";...");
	CHECK_STR(end, ";... 2048\n");
	for (int i = 0; end && i < LEVELS - 1; i++) {
		*end = '\0';
		end = strrchr(text, ';');
	}
	CHECK(end && !memchr(text, ';', end - text));
	free(text);
	made_free(&m);
}

static void test_nothing(void)
{
	struct made m;
	char *text;

	made_new(&m, &print_folded);
	made_begin(&m, 0);
	text = made_end(&m);
	CHECK_STR(text, "");
	free(text);
	made_free(&m);
}

/* A name of a megabyte, of bytes that take four each. */
static void test_long(void)
{
	enum { SIZE = 1 << 20 };
	char *func = xcalloc(SIZE + 1, 1), *text;
	struct made m;

	memset(func, 0xff, SIZE);
	made_new(&m, &print_folded);
	made_name(&m, MAIN, "/w/a.py", func, NULL, 0);
	made_begin(&m, 0);
	call(&m, made_thread(&m, PID, PID), MAIN, 1);
	text = made_end(&m);
	CHECK_INT(strlen(text), 4 * SIZE + strlen(" (a.py) 1\n"));
	free(text);
	free(func);
	made_free(&m);
}

static size_t memory(void)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
	return mallinfo2().uordblks;
#else
	return 0;
#endif
}

/* The same calls over and over, in threads that come and go. */
static void make_steady(struct made *m, uint32_t events)
{
	for (uint32_t i = 0; i < events; i++, m->now += 100) {
		uint32_t tid = 1 + check_below(8);
		struct made_thread *t = made_thread(m, tid, tid);

		if (i % 1000 == 0)
			fork_one(m, 8);
		else if (t->count && (t->count == 5 || check_below(2)))
			made_leave(m, t, PRINT_RETURNED);
		else
			made_enter(m, t, 1 + check_below(3));
	}
}

static void test_memory(void)
{
	struct made m;
	size_t before;

	made_new(&m, &print_folded);
	add_random_names(&m);
	made_begin(&m, 0);
	make_steady(&m, EVENTS / 10);
	before = memory();
	make_steady(&m, check_rounds(EVENTS));
	CHECK(memory() < before + 64 * 1024);
	free(made_end(&m));
	made_free(&m);
}

int main(void)
{
	test_by_hand();
	test_cut();
	test_deep();
	test_nothing();
	test_long();
	check_random(1000, false);
	check_random(7, false);
	check_random(100, true);
	test_memory();
	return check_done();
}

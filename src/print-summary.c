// SPDX-License-Identifier: GPL-2.0-or-later
/* A table: a row for each function, with its calls and the time they took.
 *
 * Times are microseconds with three decimals, all of them: that is exact, can be sorted
 * and added up by any program, and is the unit that folded stacks have. But it is long.
 * A terminal of 80 columns would have no room for names beside it, so what goes to one
 * has three digits and a unit, for eyes.
 *
 * All that is no row begins with '#'. */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "print.h"
#include "print-rows.h"
#include "xalloc.h"

enum cell { CALLS, TOTAL, SELF, AVERAGE, MIN, MAX, CELLS };

enum {
	NUMBER = 24,
	MAX_PAD = 40,	 /* FUNCTION is no wider than this because of a few long names */
	MIN_TEXT = 8,	 /* nor cut to less, nor FILE:LINE, however narrow the terminal */
	LINE_MORE = 256, /* bytes of a line besides its names, at most */
};

#define NONE UINT64_MAX

struct function {
	struct row row; /* "FUNC", NUL, "FILE:LINE", NUL */
	uint64_t calls, ends;
	uint64_t total, self; /* ns, as what follows */
	uint64_t elapsed;     /* of all ends: recursion counts each time */
	uint64_t min, max;
};

/* Calls of a function by another one. */
struct caller {
	struct way way;
	uint64_t calls;
	uint64_t total; /* those of a function add up to its own */
};

/* On a stack, a call is its way, times two; plus one if no call of that function is open
 * further out. */

struct summary {
	struct rows *functions;
	struct ways *callers;
	struct threads *stacks;
	struct threads *processes; /* that had events */
	uint64_t thread_count, process_count;
	uint64_t calls;
	uint64_t elapsed; /* of the outermost calls */
	uint64_t before;  /* ends of calls that had begun before the trace */
	uint64_t since;	  /* ns since the trace began, when this file was begun */
	uint64_t tail;	  /* the bytes of all lines, at most */
};

/* ---- what is counted ---- */

static char *say(const char *func, const char *file, int32_t line, size_t *size)
{
	char *text = xcalloc(ESCAPE_MAX, strlen(func) + strlen(file) + 12);
	size_t n = escape(text, *func ? func : "\"\"", ESCAPE_NAME);

	text[n++] = '\0';
	n += escape(text + n, *file ? file : "\"\"", ESCAPE_NAME);
	if (line)
		n += snprintf(text + n, NUMBER, ":%" PRId32, line);
	text[n++] = '\0';
	*size = n;
	return xrealloc(text, n, 1);
}

static void free_state(struct printer *p)
{
	struct summary *s = p->state;

	if (!s)
		return;
	rows_free(s->functions);
	ways_free(s->callers);
	threads_free(s->stacks);
	threads_free(s->processes);
	free(s);
	p->state = NULL;
}

static void make_state(struct printer *p)
{
	struct summary *s = xcalloc(1, sizeof(*s));

	s->functions = rows_new(sizeof(struct function), p->options, say);
	s->callers = ways_new(sizeof(struct caller));
	s->stacks = stacks_new();
	s->processes = threads_new(sizeof(struct thread), NULL);
	p->state = s;
}

static bool is_never(struct thread *thread, void *arg)
{
	(void)arg;
	((struct stack *)thread)->is_seen = false;
	return false;
}

static bool is_always(struct thread *thread, void *arg)
{
	(void)thread;
	(void)arg;
	return true;
}

/* Another file begins with nothing, but calls that are open stay so. */
static void begin_part(struct summary *s)
{
	for (uint32_t i = 1; i < rows_end(s->functions); i++) {
		struct function *f = rows_at(s->functions, i);

		*f = (struct function){ .row = f->row };
	}
	for (uint32_t i = 1; i < ways_end(s->callers); i++) {
		struct caller *c = ways_at(s->callers, i);

		*c = (struct caller){ .way = c->way };
	}
	threads_sweep(s->stacks, is_never, NULL);
	threads_sweep(s->processes, is_always, NULL);
	s->thread_count = s->process_count = 0;
	s->calls = s->elapsed = s->before = s->tail = 0;
}

static void begin(struct printer *p, const struct print_begin *b)
{
	if (b->part) {
		begin_part(p->state);
		return;
	}
	free_state(p);
	make_state(p);
}

static void see_process(struct summary *s, uint32_t pid)
{
	if (threads_find(s->processes, pid))
		return;
	threads_get(s->processes, pid, pid);
	s->process_count++;
}

static struct stack *find_stack(struct summary *s, const struct print_event *e)
{
	struct stack *stack = stack_of(s->stacks, e);

	if (!stack->is_seen) {
		stack->is_seen = true;
		s->thread_count++;
		see_process(s, e->pid);
	}
	return stack;
}

static struct function *function_of(struct summary *s, uint32_t row)
{
	struct function *f = rows_at(s->functions, row);

	if (!f->calls && !f->ends)
		s->tail += f->row.size + LINE_MORE;
	return f;
}

static struct caller *caller_of(struct summary *s, uint32_t way)
{
	struct caller *c = ways_at(s->callers, way);

	/* Without a call there may be many ends from there: that is counted anew for
	 * each, which is rare, and not too little. */
	if (!c->calls) {
		const struct row *from = rows_at(s->functions, c->way.from);

		s->tail += from->size + LINE_MORE;
	}
	return c;
}

/* Take the innermost call off. */
static uint32_t pop(struct summary *s, struct stack *stack)
{
	uint32_t call = stack->calls[stack->count - 1];

	if (call & 1)
		row_set_remove(&stack->open,
			       ((struct way *)ways_at(s->callers, call >> 1))->row);
	return stack_pop(stack);
}

static uint32_t innermost(const struct summary *s, const struct stack *stack)
{
	const struct way *way;

	if (!stack->count)
		return 0;
	way = ways_at(s->callers, stack->calls[stack->count - 1] >> 1);
	return way->row;
}

static void enter(struct summary *s, struct stack *stack, const struct print_event *e)
{
	uint32_t row, way;

	/* A call that a child inherited and that took too little time to be shown has no
	 * end. */
	while (stack->count > e->depth)
		pop(s, stack);
	row = rows_of(s->functions, e->name);
	way = ways_get(s->callers, innermost(s, stack), row);
	function_of(s, row)->calls++;
	caller_of(s, way)->calls++;
	s->calls++;
	stack_push(stack, way << 1 | row_set_add(&stack->open, row));
}

static void add_end(struct function *f, const struct print_event *e)
{
	f->min = f->ends && f->min < e->elapsed ? f->min : e->elapsed;
	f->max = f->max > e->elapsed ? f->max : e->elapsed;
	f->ends++;
	f->elapsed += e->elapsed;
	f->self += e->self;
}

static void leave(struct summary *s, struct stack *stack, const struct print_event *e)
{
	struct function *f;
	struct caller *c;
	uint32_t call;

	if (!e->is_timed) {
		s->before++;
		return;
	}
	if (stack->count)
		call = pop(s, stack);
	else /* its beginning was not told, as by a flight recorder */
		call = ways_get(s->callers, 0, rows_of(s->functions, e->name)) << 1 | 1;
	c = caller_of(s, call >> 1);
	f = function_of(s, c->way.row);
	add_end(f, e);
	if (call & 1) {
		f->total += e->elapsed;
		c->total += e->elapsed;
	}
	if (!stack->count)
		s->elapsed += e->elapsed;
}

static void event(struct printer *p, const struct print_event *e)
{
	struct summary *s = p->state;
	struct stack *stack = find_stack(s, e);

	if (e->kind == PRINT_ENTER)
		enter(s, stack, e);
	else
		leave(s, stack, e);
}

static void note(struct printer *p, const struct print_note *n)
{
	struct summary *s = p->state;

	if (n->kind == PRINT_FORK)
		stack_fork(s->stacks, n);
}

static size_t tail(struct printer *p)
{
	const struct summary *s = p->state;

	return 1024 + (s ? s->tail : 0);
}

/* ---- the lines in order ---- */

struct line {
	uint32_t row; /* of the function, or of the one that is called */
	bool is_caller;
	uint64_t key; /* lines with a greater one come first */
	uint64_t cells[CELLS];
	const char *func, *place;
};

struct lines {
	struct line *all; /* functions, then callers */
	size_t functions, callers;
};

static const char *func_of(const struct row *row)
{
	return row->text;
}

static const char *place_of(const struct row *row)
{
	return row->text + strlen(row->text) + 1;
}

static uint64_t key_of(const struct line *line, enum print_sort sort)
{
	static const enum cell cells[] = {
		[PRINT_BY_TOTAL] = TOTAL, [PRINT_BY_SELF] = SELF,
		[PRINT_BY_CALLS] = CALLS, [PRINT_BY_AVERAGE] = AVERAGE,
		[PRINT_BY_MIN] = MIN,	  [PRINT_BY_MAX] = MAX,
	};
	uint64_t value = sort == PRINT_BY_NAME ? 0 : line->cells[cells[sort]];

	return value == NONE ? 0 : value;
}

static void add_function(struct lines *l, uint32_t row, const struct function *f,
			 enum print_sort sort)
{
	struct line *line = &l->all[l->functions];

	if (!f->calls && !f->ends)
		return;
	l->functions++;
	*line = (struct line){
		.row = row,
		.cells = { f->calls, f->total, f->self, NONE, NONE, NONE },
		.func = func_of(&f->row),
		.place = place_of(&f->row),
	};
	if (f->ends) {
		line->cells[AVERAGE] = f->elapsed / f->ends +
				       (f->elapsed % f->ends >= f->ends - f->ends / 2);
		line->cells[MIN] = f->min;
		line->cells[MAX] = f->max;
	}
	line->key = key_of(line, sort);
}

static void add_caller(struct lines *l, const struct caller *c, const struct row *from)
{
	struct line *line = &l->all[l->functions + l->callers];

	if (!c->calls && !c->total)
		return;
	l->callers++;
	*line = (struct line){
		.row = c->way.row,
		.is_caller = true,
		.key = c->total,
		.cells = { c->calls, c->total, NONE, NONE, NONE, NONE },
		.func = c->way.from ? func_of(from) : "(root)",
		.place = c->way.from ? place_of(from) : "",
	};
}

static int compare_names(const struct line *a, const struct line *b)
{
	int order = strcmp(a->func, b->func);

	return order ? order : strcmp(a->place, b->place);
}

static int compare_functions(const void *a, const void *b)
{
	const struct line *p = a, *q = b;

	return p->key != q->key ? (p->key < q->key) - (p->key > q->key)
				: compare_names(p, q);
}

static int compare_callers(const void *a, const void *b)
{
	const struct line *p = a, *q = b;

	return p->row != q->row ? (p->row > q->row) - (p->row < q->row)
				: compare_functions(a, b);
}

static void find_lines(struct lines *l, const struct summary *s,
		       const struct print_options *o)
{
	uint32_t row_end = rows_end(s->functions), way_end = ways_end(s->callers);

	l->functions = l->callers = 0;
	l->all = xcalloc((size_t)row_end + (o->callers ? way_end : 0), sizeof(*l->all));
	for (uint32_t i = 1; i < row_end; i++)
		add_function(l, i, rows_at(s->functions, i), o->sort);
	qsort(l->all, l->functions, sizeof(*l->all), compare_functions);
	for (uint32_t i = 1; o->callers && i < way_end; i++) {
		const struct caller *c = ways_at(s->callers, i);

		add_caller(l, c, rows_at(s->functions, c->way.from));
	}
	qsort(l->all + l->functions, l->callers, sizeof(*l->all), compare_callers);
}

/* ---- text and its width ---- */

/* Characters that take two columns, or none; not all, but those that there are in names.
 * The C library's wcwidth() knows them only in a locale that is set. */
static const struct width {
	uint32_t first, last;
	unsigned int columns;
} widths[] = {
	{ 0x300, 0x36f, 0 },	 { 0x1100, 0x115f, 2 },	  { 0x1ab0, 0x1aff, 0 },
	{ 0x1dc0, 0x1dff, 0 },	 { 0x20d0, 0x20ff, 0 },	  { 0x2e80, 0x303e, 2 },
	{ 0x3041, 0x4dbf, 2 },	 { 0x4e00, 0xa4cf, 2 },	  { 0xa960, 0xa97c, 2 },
	{ 0xac00, 0xd7a3, 2 },	 { 0xf900, 0xfaff, 2 },	  { 0xfe00, 0xfe0f, 0 },
	{ 0xfe20, 0xfe2f, 0 },	 { 0xfe30, 0xfe6f, 2 },	  { 0xff00, 0xff60, 2 },
	{ 0xffe0, 0xffe6, 2 },	 { 0x1f300, 0x1f64f, 2 }, { 0x1f900, 0x1f9ff, 2 },
	{ 0x20000, 0x3fffd, 2 },
};

static unsigned int columns_of(uint32_t c)
{
	for (size_t i = 0; c >= widths[0].first && i < sizeof(widths) / sizeof(*widths);
	     i++)
		if (c >= widths[i].first && c <= widths[i].last)
			return widths[i].columns;
	return 1;
}

/* The next character of what escape() made, which is UTF-8. */
static const char *next(const char *text, unsigned int *columns)
{
	unsigned char first = *text++;
	uint32_t c = first < 0x80 ? first
				  : first & (first < 0xe0   ? 0x1f
					     : first < 0xf0 ? 0xf
							    : 7);

	for (; (*text & 0xc0) == 0x80; text++)
		c = c << 6 | (*text & 0x3f);
	*columns = columns_of(c);
	return text;
}

static size_t width_of(const char *text)
{
	size_t width = 0;
	unsigned int columns;

	while (*text) {
		text = next(text, &columns);
		width += columns;
	}
	return width;
}

/* As much of the beginning as fits in `width`; it takes *used columns. */
static const char *fit(const char *text, size_t width, size_t *used)
{
	unsigned int columns;

	*used = 0;
	while (*text) {
		const char *after = next(text, &columns);

		if (*used + columns > width)
			break;
		*used += columns;
		text = after;
	}
	return text;
}

/* What is left when the first `width` columns at least are gone. */
static const char *skip(const char *text, size_t width, size_t *gone)
{
	unsigned int columns;
	const char *after;

	for (*gone = 0; *text; text = after) {
		after = next(text, &columns);
		if (*gone >= width && columns)
			break;
		*gone += columns;
	}
	return text;
}

/* ---- the table ---- */

struct table {
	struct output *out;
	size_t cells[CELLS]; /* the widths of the columns */
	size_t func, place;
	size_t func_max; /* FUNCTION is cut to this, */
	bool cut;	 /* and FILE:LINE to `place` */
	bool is_short;	 /* times have three digits and a unit */
};

static const char *const heads[CELLS] = {
	"CALLS", "TOTAL", "SELF", "AVERAGE", "MIN", "MAX",
};

static const char func_head[] = "FUNCTION", place_head[] = "FILE:LINE";
static const char caller_mark[] = "  <- ";

static void put(struct table *t, const char *text)
{
	output_add(t->out, text, strlen(text));
}

static void put_spaces(struct table *t, size_t count)
{
	static const char spaces[] = "                                ";

	for (; count > sizeof(spaces) - 1; count -= sizeof(spaces) - 1)
		output_add(t->out, spaces, sizeof(spaces) - 1);
	output_add(t->out, spaces, count);
}

static void format_exact(char *text, uint64_t ns)
{
	snprintf(text, NUMBER, "%" PRIu64 ".%03u", ns / 1000, (unsigned int)(ns % 1000));
}

/* Three digits: 812ns, 1.23us, 45.6ms, 789s; more only of seconds. */
static void format_short(char *text, uint64_t ns)
{
	static const char units[][3] = { "ns", "us", "ms", "s" };
	double value = ns;
	int unit = 0;

	for (; value >= 999.5 && unit < 3; unit++)
		value /= 1000;
	snprintf(text, NUMBER, "%.*f%s",
		 !unit || value >= 99.95 ? 0
		 : value >= 9.995	 ? 1
					 : 2,
		 value, units[unit]);
}

static const char *format_time(const struct table *t, char *text, uint64_t ns)
{
	(t->is_short ? format_short : format_exact)(text, ns);
	return text;
}

static const char *format(const struct table *t, char *text, enum cell cell,
			  uint64_t value)
{
	if (value == NONE)
		return "-";
	if (cell != CALLS)
		return format_time(t, text, value);
	snprintf(text, NUMBER, "%" PRIu64, value);
	return text;
}

static void widen(size_t *width, size_t other)
{
	if (*width < other)
		*width = other;
}

static size_t gap_of(const struct table *t)
{
	return t->is_short ? 1 : 2;
}

static size_t lead_of(const struct line *line)
{
	return line->is_caller ? sizeof(caller_mark) - 1 : 0;
}

static void measure_line(struct table *t, const struct line *line)
{
	char text[NUMBER];

	for (int i = 0; i < CELLS; i++)
		widen(&t->cells[i], strlen(format(t, text, i, line->cells[i])));
	widen(&t->func, lead_of(line) + width_of(line->func));
	widen(&t->place, width_of(line->place));
}

/* Where both cannot be whole, the shorter one is if it takes no more than half. */
static void share(struct table *t, size_t width)
{
	if (t->func + t->place <= width)
		return;
	t->cut = true;
	if (t->func <= width / 2)
		t->place = width - t->func;
	else if (t->place <= width / 2)
		t->func = width - t->place;
	else
		t->func = width - (t->place = width / 2);
	widen(&t->func, MIN_TEXT);
	widen(&t->place, MIN_TEXT);
}

static void measure(struct table *t, const struct lines *l, unsigned int width)
{
	size_t taken = 2;

	t->is_short = width;
	for (int i = 0; i < CELLS; i++)
		t->cells[i] = strlen(heads[i]);
	t->func = sizeof(func_head) - 1;
	t->place = sizeof(place_head) - 1;
	for (size_t i = 0; i < l->functions + l->callers; i++)
		measure_line(t, &l->all[i]);
	for (int i = 0; i < CELLS; i++)
		taken += t->cells[i] + gap_of(t);
	t->func_max = SIZE_MAX;
	if (width) {
		share(t, width > taken ? width - taken : 0);
		t->func_max = t->func;
	} else if (t->func > MAX_PAD) {
		t->func = MAX_PAD;
	}
}

static size_t put_func(struct table *t, const char *func, size_t lead)
{
	size_t width = width_of(func), max = t->func_max - lead;

	if (width <= max) {
		put(t, func);
		return lead + width;
	}
	output_add(t->out, func, fit(func, max - 2, &width) - func);
	put(t, "..");
	return lead + width + 2;
}

static void put_place(struct table *t, const char *place)
{
	size_t width = t->cut ? width_of(place) : 0;

	if (width > t->place && t->cut) {
		put(t, "..");
		place = skip(place, width - t->place + 2, &width);
	}
	put(t, place);
}

static void put_texts(struct table *t, const char *lead, const char *func,
		      const char *place)
{
	size_t used;

	put(t, lead);
	used = put_func(t, func, strlen(lead));
	if (*place) {
		put_spaces(t, used < t->func ? t->func - used : 0);
		put(t, "  ");
		put_place(t, place);
	}
	put(t, "\n");
}

static void put_cell(struct table *t, enum cell cell, const char *text)
{
	put_spaces(t, t->cells[cell] - strlen(text));
	put(t, text);
	put_spaces(t, gap_of(t));
}

static void put_heads(struct table *t)
{
	for (int i = 0; i < CELLS; i++)
		put_cell(t, i, heads[i]);
	put_texts(t, "", func_head, place_head);
}

static void put_row(struct table *t, const struct line *line)
{
	char text[NUMBER];

	for (int i = 0; i < CELLS; i++)
		put_cell(t, i, format(t, text, i, line->cells[i]));
	put_texts(t, line->is_caller ? caller_mark : "", line->func, line->place);
}

/* The callers of a function, which stand together among all. */
static void put_callers(struct table *t, const struct lines *l, const size_t *first,
			uint32_t row)
{
	for (size_t i = first[row]; i < l->callers; i++) {
		const struct line *line = &l->all[l->functions + i];

		if (line->row != row)
			break;
		put_row(t, line);
	}
}

static void put_rows(struct table *t, const struct lines *l, uint32_t row_end)
{
	size_t *first = xcalloc(row_end, sizeof(*first));

	for (size_t i = l->callers; i--;)
		first[l->all[l->functions + i].row] = i;
	for (size_t i = 0; i < l->functions; i++) {
		put_row(t, &l->all[i]);
		put_callers(t, l, first, l->all[i].row);
	}
	free(first);
}

static void put_count(struct table *t, const char *before, uint64_t count,
		      const char *one, const char *many)
{
	char text[NUMBER];

	snprintf(text, sizeof(text), "%" PRIu64, count);
	put(t, before);
	put(t, text);
	put(t, count == 1 ? one : many);
}

static void put_top(struct table *t, const struct summary *s, size_t functions,
		    const struct print_totals *totals)
{
	char text[NUMBER];
	uint64_t wall = totals->at - s->since;

	put_count(t, "# ", s->calls, " call", " calls");
	put_count(t, " of ", functions, " function", " functions");
	put_count(t, " in ", s->thread_count, " thread", " threads");
	put_count(t, " of ", s->process_count, " process", " processes");
	put(t, " took ");
	put(t, format_time(t, text, s->elapsed));
	put(t, "; traced for ");
	put(t, format_time(t, text, wall));
	if (totals->lost)
		put_count(t, "; ", totals->lost, " event lost", " events lost");
	put(t, t->is_short ? "\n" : "\n# times are microseconds\n");
}

static void put_bottom(struct table *t, const struct summary *s,
		       const struct print_totals *totals)
{
	if (totals->lost)
		put(t, "# events were lost: calls are missing, or seem to take longer\n");
	if (s->before)
		put_count(t, "# not counted: ", s->before,
			  " call that had begun before the trace\n",
			  " calls that had begun before the trace\n");
	if (totals->unread)
		put_count(t, "# not known: ", totals->unread, " name, shown as ?\n",
			  " names, shown as ?\n");
}

static void end(struct printer *p, const struct print_totals *totals)
{
	struct summary *s = p->state;
	struct table t = { .out = p->output };
	struct lines l;

	find_lines(&l, s, p->options);
	measure(&t, &l, p->options->width);
	put_top(&t, s, l.functions, totals);
	put_heads(&t);
	put_rows(&t, &l, rows_end(s->functions));
	put_bottom(&t, s, totals);
	free(l.all);
	s->since = totals->at;
}

const struct print_ops print_summary = {
	.name = "summary",
	.begin = begin,
	.event = event,
	.note = note,
	.end = end,
	.tail = tail,
	.free_state = free_state,
	.wants_notes = true,
};

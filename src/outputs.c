// SPDX-License-Identifier: GPL-2.0-or-later
/* Several printers as one, their files, and how these are kept from growing. */
#include <config.h>

#include "outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "threads.h"
#include "xalloc.h"

/* What an event may come to in any format: so many bytes, and for each byte of its names
 * so many, if it is escaped and told in two ways. */
enum { EVENT_BYTES = 1024, NAME_BYTES = 16, TAIL_BYTES = 1024 };

struct out {
	const struct output_option *option;
	struct printer printer;
	struct print_options options;
	struct output *output; /* NULL while it is closed */
	struct print_totals totals;
	unsigned int part;
	bool is_full;
};

/* Of a thread, when an output is full: calls begun since, which are not written. */
struct left_out {
	struct thread thread;
	unsigned int calls;
};

struct outputs {
	const struct options *o;
	struct printer fan;
	struct out outs[MAX_OUTPUTS];
	size_t count;
	struct print_begin begin;
	pid_t *pids;	      /* of begin */
	uint64_t begin_bytes; /* that it may come to */
	struct threads *left_out;
};

static struct out *first_of(const struct printer *fan)
{
	return ((struct outputs *)fan->state)->outs;
}

static size_t count_of(const struct printer *fan)
{
	return ((struct outputs *)fan->state)->count;
}

/* For each output of the printer p: `out`. */
#define EACH(out, p) \
	for (struct out *out = first_of(p), *end_ = out + count_of(p); out < end_; out++)

/* ---- room ---- */

static void begin_one(const struct outputs *all, struct out *out)
{
	struct print_begin b = all->begin;

	b.part = out->part;
	/* Arguments that there is no room for are left out. */
	if (!output_has_room(out->output, EVENT_BYTES + all->begin_bytes))
		b.argv = NULL;
	out->totals = (struct print_totals){ .status = -1, .goes_on = true };
	if (out->printer.ops->begin)
		out->printer.ops->begin(&out->printer, &b);
}

/* Go on in a new file. */
static bool rotate(const struct outputs *all, struct out *out, uint64_t at)
{
	if (!all->o->rotate || !output_can_rotate(out->output))
		return false;
	out->totals.at = at;
	out->totals.time = all->begin.time + at;
	if (out->printer.ops->end)
		out->printer.ops->end(&out->printer, &out->totals);
	if (output_rotate(out->output, all->o->rotate))
		return false;
	out->part++;
	begin_one(all, out);
	return true;
}

static bool fits(struct out *out, uint64_t bytes)
{
	const struct print_ops *ops = out->printer.ops;

	bytes += ops->tail ? ops->tail(&out->printer) : TAIL_BYTES;
	return output_has_room(out->output, bytes);
}

/* Is there room for so many bytes, and for what ends the file? */
static bool has_room_in(const struct outputs *all, struct out *out, uint64_t bytes,
			uint64_t at)
{
	return !out->is_full &&
	       (fits(out, bytes) || (rotate(all, out, at) && fits(out, bytes)));
}

static bool make_room(struct outputs *all, struct out *out, uint64_t bytes, uint64_t at)
{
	if (has_room_in(all, out, bytes, at))
		return true;
	if (out->is_full)
		return false;
	out->is_full = all->fan.is_full = true;
	/* A recorder's are written again, with less in them. */
	if (!output_error(out->output) && !options_record(all->o))
		warn("%s has reached --max-size: the trace ends here",
		     output_name(out->output));
	return false;
}

/* In a full output calls that are written are ended, and nothing else is. */
static bool ends_written(struct outputs *all, const struct print_event *e)
{
	struct left_out *t =
		(struct left_out *)threads_get(all->left_out, e->tid, e->pid);

	if (e->kind == PRINT_ENTER)
		t->calls++;
	else if (e->is_timed && !e->is_inherited && !t->calls)
		return true;
	else if (e->is_timed && !e->is_inherited)
		t->calls--;
	return false;
}

static uint64_t bytes_of(const struct print_event *e)
{
	return EVENT_BYTES + 2 * (uint64_t)e->depth +
	       (e->name ? NAME_BYTES * (uint64_t)e->name->size : 0) +
	       (e->task_name ? NAME_BYTES * strlen(e->task_name) : 0);
}

/* ---- the printer ---- */

static void begin(struct printer *p, const struct print_begin *b)
{
	struct outputs *all = p->state;

	all->begin = print_begin_copy(b, &all->pids);
	all->begin_bytes = 12 * b->count;
	for (char *const *arg = b->argv; arg && *arg; arg++)
		all->begin_bytes += NAME_BYTES * (strlen(*arg) + 1);
	EACH(out, p)
		begin_one(all, out);
}

static bool has_room(struct outputs *all, const struct print_event *e)
{
	EACH(out, &all->fan)
		if (!make_room(all, out, bytes_of(e), e->at))
			return false;
	return true;
}

/* There is room for it, or it ends what is written, without a word if it can. */
static bool is_let_in(struct outputs *all, struct print_event *e)
{
	if (!all->o->max_size || (!all->fan.is_full && has_room(all, e)))
		return true;
	e->exit = PRINT_UNSEEN;
	return ends_written(all, e);
}

static void event(struct printer *p, const struct print_event *given)
{
	struct outputs *all = p->state;
	struct print_event e = *given;

	if (!is_let_in(all, &e))
		return;
	EACH(out, p) {
		out->printer.ops->event(&out->printer, &e);
		if (e.kind == PRINT_ENTER || e.exit != PRINT_UNSEEN)
			out->totals.events++;
	}
}

static void note(struct printer *p, const struct print_note *n)
{
	struct outputs *all = p->state;
	uint64_t bytes = EVENT_BYTES + NAME_BYTES * (uint64_t)n->args_size;

	/* One that is too long does not end the trace. */
	EACH(out, p)
		if (out->printer.ops->note && !p->is_full &&
		    has_room_in(all, out, bytes, n->at))
			out->printer.ops->note(&out->printer, n);
}

static void lost(struct printer *p, const struct print_lost *l)
{
	struct outputs *all = p->state;

	EACH(out, p) {
		if (!out->printer.ops->lost || !make_room(all, out, EVENT_BYTES, l->at))
			continue;
		out->printer.ops->lost(&out->printer, l);
		out->totals.lost += l->count;
	}
}

static void end(struct printer *p, const struct print_totals *t)
{
	EACH(out, p)
		if (out->printer.ops->end)
			out->printer.ops->end(&out->printer, t);
}

static const struct print_ops ops = {
	.name = "outputs",
	.begin = begin,
	.event = event,
	.note = note,
	.lost = lost,
	.end = end,
};

struct printer *outputs_printer(struct outputs *all)
{
	return &all->fan;
}

/* ---- files ---- */

static void set_options(struct out *out, const struct options *o, const char *cwd)
{
	out->options = (struct print_options){
		.cwd = cwd,
		.qualname = o->qualname,
		.notes = o->verbose,
		.clock = o->clock,
		.columns = o->columns,
		.folded_calls = o->folded_calls,
		.sort = o->sort,
		.callers = o->callers,
	};
}

struct outputs *outputs_new(const struct options *o, const char *cwd)
{
	struct outputs *all = xcalloc(1, sizeof(*all));

	all->o = o;
	all->fan.ops = &ops;
	all->fan.state = all;
	all->left_out = threads_new(sizeof(struct left_out), NULL);
	all->count = o->output_count;
	for (size_t i = 0; i < all->count; i++) {
		struct out *out = &all->outs[i];

		out->option = &o->outputs[i];
		set_options(out, o, cwd);
		out->printer.ops = print_formats[out->option->format];
		out->printer.options = &out->options;
		out->printer.label = i;
	}
	return all;
}

void outputs_free(struct outputs *all)
{
	const char *name;

	if (!all)
		return;
	outputs_close(all, &name);
	threads_free(all->left_out);
	free(all->pids);
	free(all);
}

/* A link stays, as do devices and the like: they are written to when the time comes. */
static int clear_file(const char *path)
{
	char *folder = xstrdup(path), *slash = strrchr(folder, '/');
	struct stat st;
	bool is_there;
	int err = 0;

	folder[slash ? slash + 1 - folder : 0] = '\0';
	is_there = !lstat(path, &st) && !S_ISREG(st.st_mode);
	if (is_there ? access(path, W_OK) && errno != ENOENT
		     : (unlink(path) && errno != ENOENT) ||
			       access(*folder ? folder : ".", W_OK)) {
		err = -errno;
		warn("cannot write %s: %s", path, strerror(-err));
	}
	free(folder);
	return err;
}

int outputs_clear(const struct outputs *all)
{
	int err = 0;

	EACH(out, &all->fan)
		if (!err && out->option->path)
			err = clear_file(out->option->path);
	return err;
}

static bool has_color(const struct options *o, const struct output *output)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (o->color != COLOR_AUTO)
		return o->color == COLOR_ALWAYS;
	return output_is_terminal(output) && !(no_color && *no_color) && term && *term &&
	       strcmp(term, "dumb");
}

/* While a job is traced nothing waits for the reader of a pipe. */
static int check_reader(const char *path)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 && errno == ENXIO) {
		warn("cannot write %s: nobody reads from it", path);
		return -ENXIO;
	}
	if (fd >= 0)
		close(fd);
	return 0;
}

static int open_one(const struct outputs *all, struct out *out)
{
	const struct output_option *option = out->option;
	int err = 0;

	if (option->path && options_record(all->o))
		err = check_reader(option->path);
	if (!err)
		err = output_open(option->path, option->compression, &out->output);
	if (err)
		return err;
	output_limit(out->output, all->o->max_size);
	out->printer.output = out->output;
	out->printer.color = has_color(all->o, out->output);
	out->options.width = output_width(out->output);
	out->part = 0;
	out->is_full = false;
	return 0;
}

/* Under two names. */
static int check_same(const struct outputs *all, const struct out *out)
{
	for (const struct out *other = all->outs; other < out; other++) {
		if (!output_is_same(other->output, out->output))
			continue;
		warn("%s and %s are the same file", output_name(other->output),
		     output_name(out->output));
		return -EINVAL;
	}
	return 0;
}

int outputs_open(struct outputs *all)
{
	const char *name;
	int err = 0;

	EACH(out, &all->fan)
		if (!err && !(err = open_one(all, out)))
			err = check_same(all, out);
	all->fan.is_full = false;
	if (err)
		outputs_close(all, &name);
	return err;
}

int outputs_close(struct outputs *all, const char **name)
{
	int first = 0;

	EACH(out, &all->fan) {
		int err;

		if (!out->output)
			continue;
		if (out->printer.ops->free_state)
			out->printer.ops->free_state(&out->printer);
		out->printer.state = NULL;
		err = output_close(out->output);
		out->output = NULL;
		if (!err || first)
			continue;
		first = err;
		*name = out->option->path ? out->option->path : "the standard output";
	}
	return first;
}

bool outputs_flush(struct outputs *all)
{
	bool is_done = true;

	EACH(out, &all->fan)
		if (out->output)
			is_done &= output_flush(out->output);
	return is_done;
}

int outputs_error(const struct outputs *all, const char **name)
{
	EACH(out, &all->fan) {
		if (!out->output || !output_error(out->output))
			continue;
		*name = output_name(out->output);
		return output_error(out->output);
	}
	return 0;
}

bool outputs_want_notes(const struct outputs *all)
{
	EACH(out, &all->fan)
		if (out->printer.ops->wants_notes || out->options.notes)
			return true;
	return false;
}

bool outputs_want_tasks(const struct outputs *all)
{
	EACH(out, &all->fan)
		if (out->option->format == FORMAT_JSON ||
		    out->option->format == FORMAT_CHROME ||
		    out->options.columns & PRINT_TASK)
			return true;
	return false;
}

bool outputs_use_terminal(const struct outputs *all)
{
	EACH(out, &all->fan)
		if (out->output ? output_is_terminal(out->output)
				: !out->option->path && isatty(STDOUT_FILENO))
			return true;
	return false;
}

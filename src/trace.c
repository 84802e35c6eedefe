// SPDX-License-Identifier: GPL-2.0-or-later
/* One run: the rooms in a row, and the loop that carries events through them. */
#include <config.h>

#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach.h"
#include "clock.h"
#include "feed.h"
#include "filter.h"
#include "guard.h"
#include "interpreters.h"
#include "job.h"
#include "log.h"
#include "outputs.h"
#include "print.h"
#include "progress.h"
#include "record.h"
#include "signals.h"
#include "stream.h"
#include "target.h"
#include "xalloc.h"

/* While events come, the reader looks every FLOW_MS; after QUIET looks in vain it sleeps.
 */
enum { FLOW_MS = 20, QUIET = 5, LONG_MS = 1000 };

/* How often a job that the terminal stops is looked at, a millisecond apart, until it has
 * stopped. */
enum { PAUSE_LOOKS = 200 };

/* How often the buffer is read on SIGUSR1, at most, if there is always more in it. */
enum { SHOW_LOOKS = 100 };

/* Odd steps of the evaluation loop: so many, and one in so many, are too many. */
enum { MANY_ODD = 100, ODD_SHARE = 20 };

struct trace {
	const struct options *options;
	struct target **targets; /* one, or those of -p */
	size_t target_count;
	struct target *target; /* the first of them that has not ended */
	struct attach *attach;
	struct stream *stream;
	struct job_watch *job;
	struct guard *guard;
	struct interpreters *interpreters;
	struct filter *filter;
	struct feed *feed;
	struct outputs *outputs;
	struct record *record;	 /* NULL: all is written as it comes */
	struct printer *printer; /* the outputs, or the recorder */
	struct progress progress;
	bool is_flushed;
	char *cwd;
	int signals;
	bool found_python; /* probes are on one */
	bool found_unusable;
	bool was_cut; /* the tracing ended before the process did */
	unsigned int main_execs, main_loads; /* stops of the command's own process */
	int refused; /* the exit status if the command was not let run at all */
	bool failed; /* pyflow's own failure, said already */
	bool is_attached;
	int status; /* the command's as waitpid() gives it; -1 if it is not known */
};

static int in_child(void *arg)
{
	struct trace *t = arg;
	int err = attach_join(t->attach);

	if (err) {
		warn("cannot make the command part of the job: %s", strerror(-err));
		_exit(EXIT_OWN);
	}
	signals_restore();
	return 0;
}

/* ---- processes ---- */

static bool is_main(const struct trace *t, pid_t pid)
{
	return target_is_child(t->target) && pid == target_pid(t->target);
}

/* A command that is itself a Python which cannot be traced is not let run. */
static void refuse(struct trace *t)
{
	t->refused = EXIT_OWN;
	target_signal(t->target, SIGKILL);
}

/* Has the command's first program not run any code of its own yet? Its loader stops
 * it once, when it has loaded the libraries. */
static bool is_starting(struct trace *t, pid_t pid, bool is_new)
{
	if (!is_main(t, pid))
		return false;
	if (is_new)
		t->main_execs++;
	else
		t->main_loads++;
	return t->main_execs == 1 && t->main_loads <= 1;
}

static bool on_stopped(pid_t pid, bool is_new, void *arg)
{
	struct trace *t = arg;
	enum found found;
	bool starting;

	if (!t->is_attached)
		return false;
	starting = is_starting(t, pid, is_new);
	found = interpreters_look(t->interpreters, pid, true);
	if (found == FOUND_PYTHON)
		t->found_python = true;
	if (found == FOUND_UNUSABLE || found == FOUND_FAILED) {
		t->found_unusable = true;
		if (starting)
			refuse(t);
	}
	return found != FOUND_FAILED && found != FOUND_GONE;
}

/* ---- begin ---- */

static int open_rooms(struct trace *t)
{
	const struct options *o = t->options;
	bool stop = o->on_full ? o->on_full == ON_FULL_STOP : !o->pids;
	struct feed_parts parts = {
		.filter = t->filter,
		.rules = { o->start_at, o->max_depth, o->min_duration },
		.printer = t->printer,
		.notes = outputs_want_notes(t->outputs),
	};
	struct settings settings = {
		.flags = (stop ? SETTINGS_STOP : 0) |
			 (filter_asks(t->filter) ? SETTINGS_ASK : 0) |
			 (o->no_inherit ? 0 : SETTINGS_INHERIT) |
			 (parts.notes ? SETTINGS_NOTES : 0) |
			 (outputs_want_tasks(t->outputs) ? SETTINGS_TASKS : 0),
	};

	if (attach_open(settings, o->buffer, &t->attach))
		return EXIT_OWN;
	parts.attach = t->attach;
	t->feed = feed_new(&parts);
	if (stream_open(t->attach, feed_record, t->feed, &t->stream))
		return EXIT_OWN;
	t->guard = guard_start(attach_job_fd(t->attach), attach_shared(t->attach));
	t->interpreters = interpreters_new(t->attach, o->no_inherit, o->source);
	return job_open(t->attach, t->stream, on_stopped, t, &t->job) ? EXIT_OWN : 0;
}

static void begin_printing(struct trace *t)
{
	pid_t *pids = xcalloc(t->target_count, sizeof(*pids));
	struct print_begin begin = { .pids = pids, .count = t->target_count };
	uint64_t now = clock_monotonic();
	char args[ARGS_SIZE];

	for (size_t i = 0; i < t->target_count; i++)
		pids[i] = target_pid(t->targets[i]);
	feed_set_clock(t->feed, clock_wall_offset());
	feed_begin(t->feed, now, t->target_count);
	begin.time = feed_time(t->feed, now);
	begin.argv = t->options->argv;
	t->is_attached = true;
	/* Whoever reads the first line may rely on it. */
	attach_run(t->attach, true);
	t->printer->ops->begin(t->printer, &begin);
	for (size_t i = 0; i < t->target_count && t->options->pids; i++)
		feed_process(t->feed, pids[i], args,
			     target_args(t->targets[i], args, sizeof(args)));
	outputs_flush(t->outputs);
	free(pids);
}

static void add_target(struct trace *t, struct target *target)
{
	t->targets = xgrow(t->targets, t->target_count, sizeof(struct target *));
	t->targets[t->target_count++] = target;
	t->target = t->targets[0];
}

/* The process is of the job from now on, and so is what it starts. */
static enum found adopt(struct trace *t, struct target *target)
{
	pid_t pid = target_pid(target);
	int err = attach_adopt(t->attach, pid);
	enum found found;

	if (err && err != -ESRCH)
		return FOUND_FAILED;
	found = err ? FOUND_GONE : interpreters_look(t->interpreters, pid, true);
	/* If it is still there, then it is the one that was adopted. */
	if (target_has_ended(target))
		found = FOUND_GONE;
	if (found == FOUND_GONE)
		warn("process %d has ended", (int)pid);
	else if (found == FOUND_NONE)
		warn("process %d is not a Python: neither its program nor a library that it has "
		     "loaded is one",
		     (int)pid);
	return found;
}

static int begin_pids(struct trace *t)
{
	const struct options *o = t->options;
	struct target *target;
	int status = 0;

	for (size_t i = 0; i < o->pid_count && !status; i++)
		if (!(status = target_adopt(o->pids[i], &target)))
			add_target(t, target);
	if (status || (status = open_rooms(t)))
		return status;
	if (attach_follow(t->attach))
		return EXIT_OWN;
	for (size_t i = 0; i < t->target_count; i++) {
		enum found found = adopt(t, t->targets[i]);

		t->found_python |= found == FOUND_PYTHON;
		if (found == FOUND_FAILED)
			return EXIT_OWN;
	}
	if (!t->found_python)
		return EXIT_OWN;
	begin_printing(t);
	/* For those that were started meanwhile. */
	job_look_again(t->job);
	return 0;
}

static int begin_command(struct trace *t)
{
	struct target *target;
	int status = open_rooms(t);

	if (status || (status = target_start(t->options, in_child, t,
					     guard_script(t->guard), &target)))
		return status;
	add_target(t, target);
	if (attach_follow(t->attach))
		return EXIT_OWN;
	begin_printing(t);
	return target_release(target);
}

/* ---- the loop ---- */

/* Nothing more is traced; whoever was stopped goes on. */
static void detach(struct trace *t)
{
	bool more = true;

	if (!t->is_attached)
		return;
	t->is_attached = false;
	log_progress(NULL);
	job_leave_stopped(t->job, false);
	attach_run(t->attach, false);
	job_attend(t->job);
	attach_detach(t->attach);
	/* Before what is left is written: that may take its time. And again after it, for
	 * those that were on their way to be stopped. */
	job_attend(t->job);
	while (more)
		stream_drain(t->stream, &more);
	while (job_attend(t->job))
		stream_drain(t->stream, &more);
	outputs_flush(t->outputs);
}

static void check_output(struct trace *t)
{
	const char *name;
	int err = outputs_error(t->outputs, &name);

	if ((!err && !t->printer->is_full) || !t->is_attached)
		return;
	if (err && err != -EPIPE) {
		warn("cannot write %s: %s; the trace ends here", name, strerror(-err));
		t->failed = true;
	}
	detach(t);
}

/* If the evaluation loop is not what it was taken for, better nothing than nonsense. */
static void check_sense(struct trace *t)
{
	uint64_t odd = attach_shared(t->attach)->odd;
	uint64_t all = attach_shared(t->attach)->looks + feed_seen(t->feed);

	if (!t->is_attached || odd < MANY_ODD || odd * ODD_SHARE < all)
		return;
	warn("%llu steps of the evaluation loop did not look as expected, and %llu did: "
	     "this interpreter is not understood, and the trace ends here",
	     (unsigned long long)odd, (unsigned long long)feed_seen(t->feed));
	t->failed = true;
	detach(t);
}

/* First: stop tracing, wait for the command. Second: end. Returns false then. */
static bool on_signal(struct trace *t, int signal, int *first)
{
	if (*first)
		return false;
	*first = signal;
	detach(t);
	if (target_is_child(t->target) && signal != SIGINT)
		target_signal(t->target, signal);
	return true;
}

/* Take what there is. Returns the number of records. */
static size_t work(struct trace *t, bool *more)
{
	uint64_t written, now;
	size_t taken = 0;

	*more = false;
	if (!t->is_attached)
		return 0;
	now = clock_monotonic();
	written = stream_written(t->stream);
	feed_set_clock(t->feed, clock_wall_offset());
	taken = stream_drain(t->stream, more);
	*more |= job_attend(t->job);
	if (stream_has_read(t->stream, written))
		feed_advance(t->feed, now);
	if (!*more)
		t->is_flushed = outputs_flush(t->outputs);
	progress_show(&t->progress, now, feed_events(t->feed),
		      attach_shared(t->attach)->lost, feed_processes(t->feed));
	check_output(t);
	check_sense(t);
	return taken;
}

/* The terminal's Ctrl-Z, or what it says to a background job that uses it. Whoever of the
 * job it stops, too, stays so; what was on its way to be stopped by the kernel side is
 * seen to before. Processes of -p go on, and what has no room is lost. */
static void pause_here(struct trace *t, int signal)
{
	bool is_child = target_is_child(t->target), more;

	if (!t->is_attached) {
		signals_stop_here(signal);
		return;
	}
	job_leave_stopped(t->job, is_child);
	attach_hold(t->attach, is_child);
	for (int i = 0; i < PAUSE_LOOKS; i++) {
		work(t, &more);
		if (!more && !(is_child && job_group_runs(t->job)))
			break;
		poll(NULL, 0, 1);
	}
	outputs_flush(t->outputs);
	signals_stop_here(signal);
	job_leave_stopped(t->job, false);
	attach_hold(t->attach, true);
	if (!is_child)
		job_look_again(t->job);
}

enum { POLL_STREAM, POLL_JOB, POLL_SIGNALS, POLL_TARGET, POLL_OUTPUT, POLLS };

/* How long to sleep after `quiet` looks in vain, in ms; -1: until something comes. */
static int sleep_for_records(struct trace *t, bool more, unsigned int quiet)
{
	if (more)
		return quiet ? 1 : 0;
	if (quiet <= QUIET)
		return FLOW_MS;
	stream_sleep(t->stream);
	/* A record may have come just before that was known. */
	return quiet == QUIET + 1 ? FLOW_MS : -1;
}

/* The shorter of two times, where -1 is for ever. */
static int sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Until a call is long enough to be shown. */
static int sleep_for_calls(const struct trace *t)
{
	uint64_t next = feed_next(t->feed), now = clock_monotonic();
	uint64_t ms = next > now ? (next - now) / 1000000 + 1 : 1;

	return next == UINT64_MAX ? -1 : ms < LONG_MS ? (int)ms : LONG_MS;
}

static int sleep_for(struct trace *t, bool more, unsigned int quiet)
{
	int ms;

	if (!t->is_attached)
		return -1;
	ms = sooner(sleep_for_records(t, more, quiet), sleep_for_calls(t));
	if (!t->is_flushed || progress_is_old(&t->progress))
		ms = sooner(ms, LONG_MS);
	return ms;
}

/* Is there a target that has not ended? It is t->target from now on. */
static bool is_any_left(struct trace *t)
{
	for (size_t i = 0; i < t->target_count; i++) {
		if (target_has_ended(t->targets[i]))
			continue;
		t->target = t->targets[i];
		return true;
	}
	return false;
}

static struct print_totals totals_of(const struct trace *t)
{
	const struct shared *shared = attach_shared(t->attach);
	uint64_t now = clock_monotonic();

	return (struct print_totals){
		.time = feed_time(t->feed, now),
		.at = feed_at(t->feed, now),
		.events = feed_events(t->feed),
		.lost = shared->lost,
		.unread = shared->unread,
		.odd = shared->odd,
		.orphans = feed_orphans(t->feed),
		.untraced = shared->crowded,
		.unheld = shared->unheld,
		.status = t->status,
	};
}

static void close_outputs(struct trace *t)
{
	const char *name;
	int err = outputs_close(t->outputs, &name);

	if (!err || err == -EPIPE || t->failed)
		return;
	warn("cannot write %s: %s", name, strerror(-err));
	t->failed = true;
}

/* What the flight recorder has. */
static void write_record(struct trace *t)
{
	const struct print_totals totals = totals_of(t);
	struct printer *printer = outputs_printer(t->outputs);

	do {
		if (outputs_open(t->outputs)) {
			t->failed = true;
			return;
		}
		record_replay(t->record, printer, &totals);
		close_outputs(t);
		/* With --max-size it is the last that matters. */
	} while (printer->is_full && record_halve(t->record));
}

/* What there is shall be there for others to read, up to this moment. */
static void show_what_is(struct trace *t)
{
	bool more = true;

	for (int i = 0; i < SHOW_LOOKS && more; i++)
		work(t, &more);
	if (t->record)
		write_record(t);
	else
		outputs_flush(t->outputs);
}

/* Returns false if pyflow is to end at once. */
static bool take_signal(struct trace *t, int *first)
{
	int signal = signals_take(t->signals);

	if (signal == SIGUSR1)
		show_what_is(t);
	else if (signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU)
		pause_here(t, signal);
	else if (signal)
		return on_signal(t, signal, first);
	return true;
}

/* Who reads the standard output may go away. */
static int polled_output(const struct trace *t)
{
	return options_use_stdout(t->options) && !t->record ? STDOUT_FILENO : -1;
}

/* Until the targets have ended, or the tracing if they are not our children. */
static void loop(struct trace *t)
{
	struct pollfd polls[POLLS] = {
		[POLL_STREAM] = { .fd = stream_fd(t->stream), .events = POLLIN },
		[POLL_JOB] = { .fd = job_fd(t->job), .events = POLLIN },
		[POLL_SIGNALS] = { .fd = t->signals, .events = POLLIN },
		[POLL_TARGET] = { .events = POLLIN },
		[POLL_OUTPUT] = { .fd = polled_output(t) },
	};
	unsigned int quiet = 0;
	int signal = 0;
	bool more;

	while (!polls[POLL_TARGET].revents || is_any_left(t)) {
		quiet = work(t, &more) ? 0 : quiet + 1;
		if (!t->is_attached && !target_is_child(t->target))
			return;
		if (!t->is_attached)
			polls[POLL_STREAM].fd = polls[POLL_JOB].fd =
				polls[POLL_OUTPUT].fd = -1;
		polls[POLL_TARGET].fd = target_pidfd(t->target);
		if (poll(polls, POLLS, sleep_for(t, more, quiet)) < 0 && errno != EINTR)
			return;
		if (t->is_attached &&
		    (polls[POLL_STREAM].revents || polls[POLL_JOB].revents))
			quiet = 0;
		if (polls[POLL_SIGNALS].revents && !take_signal(t, &signal)) {
			close_outputs(t);
			signals_die(signal);
		}
		if (polls[POLL_OUTPUT].revents & (POLLERR | POLLHUP | POLLNVAL))
			detach(t);
	}
}

/* ---- end ---- */

static void say_unmatched(const char *option, const char *pattern)
{
	warn("%s %s: no function that was called matches", option, pattern);
}

static void say_totals(struct trace *t)
{
	struct shared *shared = attach_shared(t->attach);

	if (!t->found_python)
		return;
	filter_unmatched(t->filter, say_unmatched);
	if (shared->unread)
		warn("%llu names could not be read: they are shown as ?",
		     (unsigned long long)shared->unread);
	if (shared->unheld)
		warn("processes of other users were not held %llu times: calls of theirs may be "
		     "missing (the capability CAP_KILL is missing)",
		     (unsigned long long)shared->unheld);
	if (shared->odd)
		warn("%llu steps of the evaluation loop did not look as expected",
		     (unsigned long long)shared->odd);
	if (feed_orphans(t->feed))
		warn("%llu returns of calls whose beginning was not seen: hidden by a JIT "
		     "compiler (PYTHON_JIT=0 turns it off), or the program switches stacks, "
		     "as greenlet does",
		     (unsigned long long)feed_orphans(t->feed));
	if (shared->crowded)
		warn("%llu processes were not traced: there were too many at once",
		     (unsigned long long)shared->crowded);
	if (t->options->quiet && !shared->lost)
		return;
	warn("%llu events, %llu lost%s", (unsigned long long)feed_events(t->feed),
	     (unsigned long long)shared->lost,
	     shared->lost ? " (--on-full=stop loses none, a larger -m fewer)" : "");
}

/* A command in which there was nothing to trace, though it was traced to its end. */
static bool found_nothing(struct trace *t)
{
	if (!target_is_child(t->target) || t->found_python || t->was_cut || t->failed)
		return false;
	if (!t->found_unusable)
		warn("no Python was run: nothing was traced");
	return true;
}

static int own_status(struct trace *t)
{
	bool nothing = found_nothing(t);
	bool lost = t->options->fail_on_lost && attach_shared(t->attach)->lost;

	return nothing || lost || t->failed ? EXIT_OWN : 0;
}

/* The command's own status wins; pyflow's failure shows if the command itself did well.
 */
static int status_of(const struct trace *t, int own)
{
	if (!target_is_child(t->target))
		return own;
	if (t->refused)
		return t->refused;
	if (WIFSIGNALED(t->status))
		return -WTERMSIG(t->status);
	return WEXITSTATUS(t->status) ? WEXITSTATUS(t->status) : own;
}

/* What is open ends, and so do the outputs; what was kept is written if the command
 * failed. Of a process of -p that is not known. */
static void end_printing(struct trace *t)
{
	struct shared *shared = attach_shared(t->attach);
	struct print_totals totals;
	uint64_t now;

	if (shared->unsaid)
		feed_lost(t->feed, shared->unsaid, clock_monotonic());
	if (t->record) {
		if (t->found_python && t->status)
			write_record(t);
		return;
	}
	now = clock_monotonic();
	feed_end(t->feed, now);
	totals = totals_of(t);
	t->printer->ops->end(t->printer, &totals);
	close_outputs(t);
}

static int finish(struct trace *t)
{
	t->was_cut |= !t->is_attached;
	detach(t);
	if (target_is_child(t->target))
		t->status = target_wait(t->target);
	end_printing(t);
	say_totals(t);
	return status_of(t, own_status(t));
}

static void close_rooms(struct trace *t)
{
	guard_dismiss(t->guard);
	for (size_t i = 0; i < t->target_count; i++)
		target_free(t->targets[i]);
	free(t->targets);
	job_close(t->job);
	interpreters_free(t->interpreters);
	stream_close(t->stream);
	attach_close(t->attach);
	outputs_free(t->outputs);
	record_free(t->record);
	feed_free(t->feed);
	filter_free(t->filter);
	free(t->cwd);
}

static int open_printer(struct trace *t)
{
	const struct options *o = t->options;
	int err;

	t->outputs = outputs_new(o, t->cwd);
	if (options_record(o)) {
		t->record = record_new(o->last_events, o->last_size);
		t->printer = record_printer(t->record);
		err = outputs_clear(t->outputs);
	} else {
		t->printer = outputs_printer(t->outputs);
		err = outputs_open(t->outputs);
	}
	t->progress.is_wanted = !o->quiet && progress_can() &&
				!outputs_use_terminal(t->outputs);
	return err ? EXIT_OWN : 0;
}

int trace_run(const struct options *o)
{
	struct trace t = { .options = o, .is_flushed = true, .status = -1 };
	int status;

	t.cwd = getcwd(NULL, 0);
	if (!t.cwd)
		t.cwd = xstrdup("/");
	t.filter = filter_new(o, t.cwd);
	/* Signals are not taken yet: a pipe may wait for its reader. */
	status = open_printer(&t);
	t.signals = signals_open();
	if (!status)
		status = o->pids ? begin_pids(&t) : begin_command(&t);
	if (!status) {
		loop(&t);
		status = finish(&t);
	}
	close_rooms(&t);
	if (status < 0)
		signals_die(-status);
	return status;
}

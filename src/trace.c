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
#include "output.h"
#include "print.h"
#include "signals.h"
#include "stream.h"
#include "target.h"
#include "xalloc.h"

/* While events come, the reader looks every FLOW_MS; after QUIET looks in vain it sleeps.
 */
enum { FLOW_MS = 20, QUIET = 5 };

/* Odd steps of the evaluation loop: so many, and one in so many, are too many. */
enum { MANY_ODD = 100, ODD_SHARE = 20 };

struct trace {
	const struct options *options;
	struct target *target;
	struct attach *attach;
	struct stream *stream;
	struct job_watch *job;
	struct guard *guard;
	struct interpreters *interpreters;
	struct filter *filter;
	struct feed *feed;
	struct output *output;
	struct printer printer;
	int signals;
	bool found_python; /* probes are on one */
	bool found_unusable;
	bool was_cut; /* the tracing ended before the process did */
	unsigned int main_execs, main_loads; /* stops of the command's own process */
	int refused; /* the exit status if the command was not let run at all */
	bool failed; /* pyflow's own failure, said already */
	bool is_attached;
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
	return pid == target_pid(t->target);
}

/* A command that is itself a Python which cannot be traced is not let run. */
static void refuse(struct trace *t)
{
	t->refused = EXIT_OWN;
	target_signal(t->target, SIGKILL);
}

/* Has the command's first program not run any code of its own yet? Its loader stops
 * twice, before and after it has loaded the libraries. */
static bool is_starting(struct trace *t, pid_t pid, bool is_new)
{
	if (!is_main(t, pid))
		return false;
	if (is_new)
		t->main_execs++;
	else
		t->main_loads++;
	return t->main_execs == 1 && t->main_loads <= 2;
}

static void on_stopped(pid_t pid, bool is_new, void *arg)
{
	struct trace *t = arg;
	enum found found;
	bool starting;

	if (!t->is_attached)
		return;
	starting = is_starting(t, pid, is_new);
	found = interpreters_look(t->interpreters, pid, true);
	if (found == FOUND_PYTHON)
		t->found_python = true;
	if (found != FOUND_UNUSABLE && found != FOUND_FAILED)
		return;
	t->found_unusable = true;
	if (starting)
		refuse(t);
}

/* ---- begin ---- */

static int open_rooms(struct trace *t)
{
	const struct options *o = t->options;
	bool stop = o->on_full ? o->on_full == ON_FULL_STOP : !o->pid;
	struct settings settings = {
		.flags = (stop ? SETTINGS_STOP : 0) |
			 (filter_asks(t->filter) ? SETTINGS_ASK : 0),
		.pid = o->pid ? target_pid(t->target) : 0,
	};

	if (attach_open(settings, o->buffer, &t->attach))
		return EXIT_OWN;
	t->feed = feed_new(t->attach, t->filter, &t->printer);
	if (stream_open(t->attach, feed_record, t->feed, &t->stream))
		return EXIT_OWN;
	t->guard = guard_start(attach_job_fd(t->attach), attach_shared(t->attach));
	t->interpreters = interpreters_new(t->attach, o->pid ? target_pid(t->target) : -1,
					   o->source);
	t->job = job_open(attach_job_fd(t->attach), attach_shared(t->attach), on_stopped,
			  t);
	return 0;
}

static void begin_printing(struct trace *t)
{
	feed_set_clock(t->feed, clock_wall_offset());
	t->is_attached = true;
	/* Whoever reads the first line may rely on it. */
	attach_run(t->attach, true);
	t->printer.ops->begin(&t->printer, target_pid(t->target));
	output_flush(t->output);
}

static int say_not_python(const struct trace *t, enum found found)
{
	int pid = target_pid(t->target);

	if (found == FOUND_GONE || target_has_ended(t->target))
		warn("process %d has ended", pid);
	else if (found == FOUND_NONE)
		warn("process %d is not a Python: neither its program nor a library that it has "
		     "loaded is one",
		     pid);
	return EXIT_OWN;
}

static int begin_pid(struct trace *t)
{
	int status = target_adopt(t->options->pid, &t->target);
	enum found found;

	if (status || (status = open_rooms(t)))
		return status;
	found = interpreters_look(t->interpreters, target_pid(t->target), false);
	if (found != FOUND_PYTHON)
		return say_not_python(t, found);
	if (attach_follow(t->attach, false))
		return EXIT_OWN;
	t->found_python = true;
	begin_printing(t);
	return 0;
}

static int begin_command(struct trace *t)
{
	int status = open_rooms(t);

	if (status || (status = target_start(t->options, in_child, t,
					     guard_script(t->guard), &t->target)))
		return status;
	if (attach_follow(t->attach, true))
		return EXIT_OWN;
	begin_printing(t);
	return target_release(t->target);
}

/* ---- the loop ---- */

/* Nothing more is traced; whoever was stopped goes on. */
static void detach(struct trace *t)
{
	bool more = true;

	if (!t->is_attached)
		return;
	t->is_attached = false;
	attach_run(t->attach, false);
	attach_detach(t->attach);
	/* Before what is left is written: that may take its time. And again after it, for
	 * those that were on their way to be stopped. */
	job_attend(t->job);
	while (more)
		stream_drain(t->stream, &more);
	job_attend(t->job);
	output_flush(t->output);
}

static void check_output(struct trace *t)
{
	int err = output_error(t->output);

	if (!err || !t->is_attached)
		return;
	if (err != -EPIPE) {
		warn("cannot write %s: %s; the trace ends here", output_name(t->output),
		     strerror(-err));
		t->failed = true;
	}
	detach(t);
}

/* If the evaluation loop is not what it was taken for, better nothing than nonsense. */
static void check_sense(struct trace *t)
{
	uint64_t odd = attach_shared(t->attach)->odd;

	if (!t->is_attached || odd < MANY_ODD || odd * ODD_SHARE < feed_events(t->feed))
		return;
	warn("%llu steps of the evaluation loop did not look as expected, and %llu did: "
	     "this interpreter is not understood, and the trace ends here",
	     (unsigned long long)odd, (unsigned long long)feed_events(t->feed));
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

enum { POLL_STREAM, POLL_SIGNALS, POLL_TARGET, POLL_OUTPUT, POLLS };

/* Take what there is. Returns the number of records. */
static size_t work(struct trace *t, bool *more)
{
	size_t taken = 0;

	*more = false;
	if (!t->is_attached)
		return 0;
	feed_set_clock(t->feed, clock_wall_offset());
	taken = stream_drain(t->stream, more);
	if (job_calls(t->job)) {
		if (stream_has_room(t->stream))
			job_attend(t->job);
		*more = true;
	}
	if (taken && !*more)
		output_flush(t->output);
	check_output(t);
	check_sense(t);
	return taken;
}

/* How long to sleep after `quiet` looks in vain, in ms. */
static int sleep_for(struct trace *t, bool more, unsigned int quiet)
{
	if (more)
		return quiet ? 1 : 0;
	if (!t->is_attached)
		return -1;
	if (quiet <= QUIET)
		return FLOW_MS;
	stream_sleep(t->stream);
	/* A record may have come just before that was known. */
	return quiet == QUIET + 1 ? FLOW_MS : -1;
}

/* Until the target has ended, or the tracing if it is not our child. */
static void loop(struct trace *t)
{
	struct pollfd polls[POLLS] = {
		[POLL_STREAM] = { .fd = stream_fd(t->stream), .events = POLLIN },
		[POLL_SIGNALS] = { .fd = t->signals, .events = POLLIN },
		[POLL_TARGET] = { .fd = target_pidfd(t->target), .events = POLLIN },
		[POLL_OUTPUT] = { .fd = t->options->output ? -1 : STDOUT_FILENO },
	};
	unsigned int quiet = 0;
	int signal = 0;
	bool more;

	while (!polls[POLL_TARGET].revents) {
		quiet = work(t, &more) ? 0 : quiet + 1;
		if (!t->is_attached && !target_is_child(t->target))
			return;
		if (!t->is_attached)
			polls[POLL_STREAM].fd = polls[POLL_OUTPUT].fd = -1;
		if (poll(polls, POLLS, sleep_for(t, more, quiet)) < 0 && errno != EINTR)
			return;
		if (t->is_attached && polls[POLL_STREAM].revents)
			quiet = 0;
		if (polls[POLL_SIGNALS].revents &&
		    !on_signal(t, signals_take(t->signals), &signal))
			signals_die(signal);
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

	if (shared->unsaid && !output_error(t->output)) {
		feed_lost(t->feed, shared->unsaid);
		output_flush(t->output);
	}
	if (!t->found_python)
		return;
	filter_unmatched(t->filter, say_unmatched);
	if (shared->unread)
		warn("%llu names could not be read: they are shown as ?",
		     (unsigned long long)shared->unread);
	if (shared->odd)
		warn("%llu steps of the evaluation loop did not look as expected",
		     (unsigned long long)shared->odd);
	if (feed_orphans(t->feed))
		warn("%llu returns of calls whose beginning was not seen: hidden by a JIT "
		     "compiler (PYTHON_JIT=0 turns it off), or the program switches stacks, "
		     "as greenlet does",
		     (unsigned long long)feed_orphans(t->feed));
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
static int finish(struct trace *t)
{
	int own, status;

	t->was_cut |= !t->is_attached;
	detach(t);
	check_output(t);
	say_totals(t);
	own = own_status(t);
	if (!target_is_child(t->target))
		return own;
	status = target_wait(t->target);
	if (t->refused)
		return t->refused;
	if (WIFSIGNALED(status))
		return -WTERMSIG(status);
	return WEXITSTATUS(status) ? WEXITSTATUS(status) : own;
}

static void close_rooms(struct trace *t)
{
	guard_dismiss(t->guard);
	target_free(t->target);
	job_close(t->job);
	interpreters_free(t->interpreters);
	stream_close(t->stream);
	attach_close(t->attach);
	output_close(t->output);
	feed_free(t->feed);
	filter_free(t->filter);
	free(t->printer.cwd);
}

int trace_run(const struct options *o)
{
	struct trace t = { .options = o };
	int status;

	t.printer.cwd = getcwd(NULL, 0);
	if (!t.printer.cwd)
		t.printer.cwd = xstrdup("/");
	t.filter = filter_new(o->files, o->funcs, t.printer.cwd);
	t.signals = signals_open();
	t.printer.ops = &print_text;
	t.printer.qualname = o->qualname;
	status = output_open(o->output, &t.output) ? EXIT_OWN : 0;
	t.printer.output = t.output;
	if (!status)
		status = o->pid ? begin_pid(&t) : begin_command(&t);
	if (!status) {
		loop(&t);
		status = finish(&t);
	}
	close_rooms(&t);
	if (status < 0)
		signals_die(-status);
	return status;
}

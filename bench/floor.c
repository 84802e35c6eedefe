// SPDX-License-Identifier: GPL-2.0-or-later
/* For bench/run: an empty program on the probes that pyflow uses, and what a command
 * costs. The CPU seconds of a command are written to a file without those of its
 * children, and with the peak of its memory or theirs in KiB; or, where it is interrupted
 * at its first output, with the ms until then. */
#include <config.h>

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "probes.h"

static double seconds(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t))
		die("a clock: %s", strerror(errno));
	return t.tv_sec + t.tv_nsec / 1e9;
}

static pid_t start(char **argv, int out)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid)
		return pid;
	signal(SIGINT, SIG_DFL);
	if (out >= 0)
		dup2(out, STDOUT_FILENO);
	execvp(argv[0], argv);
	warn("%s: %s", argv[0], strerror(errno));
	_exit(127);
}

static int status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void write_line(const char *path, double a, double b)
{
	FILE *f = fopen(path, "we");

	if (!f)
		die("%s: %s", path, strerror(errno));
	fprintf(f, "%.6f %.1f\n", a, b);
	if (fclose(f))
		die("%s: %s", path, strerror(errno));
}

/* ---- the floor ---- */

static struct bpf_program *load(const char *path)
{
	struct bpf_object *o = bpf_object__open_file(path, NULL);
	int err = o ? bpf_object__load(o) : -errno;

	if (err)
		die("%s: %s", path, strerror(-err));
	return bpf_object__next_program(o, NULL);
}

static enum probe_source find_source(const char *name)
{
	for (enum probe_source source = SOURCE_AUTO; source <= SOURCE_EVAL; source++)
		if (!strcmp(name, probes_source_name(source)))
			return source;
	die("%s: not auto, sdt or eval", name);
}

static void read_probes(const char *elf, enum probe_source source, struct probes *p)
{
	int fd = open(elf, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 ? -errno : probes_read(fd, source, p);

	if (err)
		die("%s: %s", elf, strerror(-err));
	if (p->state != PROBES_USABLE)
		die("%s: %s", elf, probes_explain(p));
	close(fd);
}

static int run_floor(const char *object, const char *elf, const char *source, char **argv)
{
	struct bpf_program *program = load(object);
	struct bpf_link *links[PROBES_MAX + 1];
	struct probes p;
	double began;
	int status;

	read_probes(elf, find_source(source), &p);
	began = seconds(CLOCK_MONOTONIC);
	for (size_t i = 0; i < p.count; i++) {
		struct bpf_uprobe_opts opts = {
			.sz = sizeof(opts),
			.ref_ctr_offset = p.probes[i].semaphore,
		};

		links[i] = bpf_program__attach_uprobe_opts(program, -1, elf,
							   p.probes[i].offset, &opts);
		if (!links[i])
			die("%s: cannot attach: %s", elf, strerror(errno));
	}
	fprintf(stderr, "floor: %zu probes attached in %.1f ms\n", p.count,
		(seconds(CLOCK_MONOTONIC) - began) * 1e3);
	waitpid(start(argv, -1), &status, 0);
	for (size_t i = 0; i < p.count; i++)
		bpf_link__destroy(links[i]);
	probes_free(&p);
	return status_of(status);
}

/* ---- costs ---- */

/* While a process has ended and nobody has waited for it, its clock can still be read;
 * unlike what wait4() tells of its time, that leaves out the children it has waited for.
 */
static double used_by(pid_t pid)
{
	clockid_t clock;
	siginfo_t info;

	while (waitid(P_PID, pid, &info, WEXITED | WNOWAIT) && errno == EINTR)
		;
	if (clock_getcpuclockid(pid, &clock))
		die("no CPU clock of process %d", (int)pid);
	return seconds(clock);
}

static int run_cost(const char *path, char **argv)
{
	pid_t pid = start(argv, -1);
	double used = used_by(pid);
	struct rusage usage;
	int status;

	wait4(pid, &status, 0, &usage);
	write_line(path, used, usage.ru_maxrss);
	return status_of(status);
}

static int run_first(const char *path, char **argv)
{
	double began = seconds(CLOCK_MONOTONIC), took;
	int ends[2], status;
	char bytes[4096];
	bool any;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	pid = start(argv, ends[1]);
	close(ends[1]);
	any = read(ends[0], bytes, sizeof(bytes)) > 0;
	took = seconds(CLOCK_MONOTONIC) - began;
	kill(pid, SIGINT);
	while (read(ends[0], bytes, sizeof(bytes)) > 0)
		;
	write_line(path, used_by(pid), took * 1e3);
	waitpid(pid, &status, 0);
	return any ? 0 : status_of(status);
}

static int say_usage(void)
{
	fprintf(stderr, "usage: floor OBJECT ELF [SOURCE] -- CMD...\n"
			"       floor --cost FILE -- CMD...\n"
			"       floor --first FILE -- CMD...\n");
	return 2;
}

int main(int argc, char **argv)
{
	const char *source = "auto";
	char **command = argv + 3;

	if (argc > 4 && strcmp(*command, "--"))
		source = *command++;
	if (argc < 5 || strcmp(*command, "--") || !*++command)
		return say_usage();
	/* The command shall get the signals of a terminal, and this wait for it. */
	signal(SIGINT, SIG_IGN);
	if (!strcmp(argv[1], "--cost"))
		return run_cost(argv[2], command);
	if (!strcmp(argv[1], "--first"))
		return run_first(argv[2], command);
	return run_floor(argv[1], argv[2], source, command);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* For bench/job: start threads or processes, one after the other, each of which ends at
 * once. The microseconds for each, of time and of CPU, its own and theirs, are written to
 * a file. The first does not count: whoever traces may have to look at it. */
#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "xalloc.h"

extern char **environ;

static void *end_thread(void *arg)
{
	return arg;
}

static void start_thread(char **words, unsigned int number)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, end_thread, NULL);

	(void)words;
	(void)number;
	if (err)
		die("a thread: %s", strerror(err));
	pthread_join(thread, NULL);
}

static void wait_for(pid_t pid, const char *what)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("%s: %s", what, strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		die("%s: failed", what);
}

static void start_process(char **words, unsigned int number)
{
	pid_t pid = fork();

	(void)words;
	(void)number;
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid)
		_exit(0);
	wait_for(pid, "fork");
}

/* A file whose name ends in % is another one each time: the number is in the place of
 * that. */
static void start_program(char **words, unsigned int number)
{
	int length = strcspn(words[0], "%");
	char *path = words[0][length] ? xasprintf("%.*s%u", length, words[0], number)
				      : xstrdup(words[0]);
	pid_t pid;
	int err = posix_spawn(&pid, path, NULL, NULL, words, environ);

	if (err)
		die("%s: %s", path, strerror(err));
	wait_for(pid, path);
	free(path);
}

static double cpu_of(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static double cpu(void)
{
	return cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void (*find_kind(const char *name))(char **, unsigned int)
{
	static const struct {
		const char *name;
		void (*start)(char **words, unsigned int number);
	} kinds[] = {
		{ "thread", start_thread },
		{ "fork", start_process },
		{ "exec", start_program },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(name, kinds[i].name))
			return kinds[i].start;
	die("%s: not thread, fork or exec", name);
}

int main(int argc, char **argv)
{
	void (*start)(char **, unsigned int);
	double began, used;
	unsigned int count;
	FILE *f;

	if (argc < 5 || (!strcmp(argv[3], "exec") && argc < 6)) {
		fprintf(stderr,
			"usage: spawn FILE ROOT thread|fork|exec COUNT [CMD...]\n");
		return 2;
	}
	f = fopen(argv[1], "we");
	if (!f || chroot(argv[2]) || chdir("/"))
		die("%s or %s: %s", argv[1], argv[2], strerror(errno));
	start = find_kind(argv[3]);
	count = strtoul(argv[4], NULL, 10);
	start(argv + 5, 0);
	began = now();
	used = cpu();
	for (unsigned int i = 1; i <= count; i++)
		start(argv + 5, i);
	if (count)
		fprintf(f, "%.2f %.2f\n", (now() - began) / count,
			(cpu() - used) / count);
	return fclose(f) ? 1 : 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Fires python:function__entry and function__return as it is told, one word each:
 *
 *   +FUNC      an entry of FUNC        -FUNC    a return of it
 *   *N:WORD    the word N times        @FILE    the file name from now on
 *   tN         what follows, up to `.`, in N threads at once
 *   w          write a line to stdout  r        read a line from stdin (end: exit)
 *   big:N:C    the function name from now on is N times the character C
 *   heap:FUNC  entry and return of FUNC, its name at the same address each time in a
 * thread
 *
 * Exact, and needs no special Python. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The semaphores are where the linker finds them: section .probes, as dtrace -G has it.
 */
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

#define SEMAPHORE(name) \
	volatile unsigned short name##_semaphore __attribute__((section(".probes"), used))

SEMAPHORE(python_function__entry);
SEMAPHORE(python_function__return);

static const char *file = "fake.py";
static char *big;
static __thread char same_place[4096];

/* The arguments are in registers: not as memory relative to a symbol, which a compiler
 * may choose and a stripped file does not explain. */
__attribute__((noinline)) static void fire(char kind, const char *name, int number)
{
	register const char *where = file, *func = name;
	register int line = number;

	__asm__ volatile("" : "+r"(where), "+r"(func), "+r"(line));
	if (kind == '+' && python_function__entry_semaphore)
		STAP_PROBE3(python, function__entry, where, func, line);
	if (kind == '-' && python_function__return_semaphore)
		STAP_PROBE3(python, function__return, where, func, line);
}

static void say(void)
{
	printf("fakepy %d %u %u\n", getpid(), python_function__entry_semaphore,
	       python_function__return_semaphore);
	fflush(stdout);
}

static void wait_for_line(void)
{
	char c;

	do
		if (read(0, &c, 1) != 1)
			exit(0);
	while (c != '\n');
}

static void make_big(const char *word)
{
	long n = atol(word);
	const char *c = strchr(word, ':');

	free(big);
	big = malloc(n + 1);
	memset(big, c ? c[1] : 'x', n);
	big[n] = '\0';
}

static void do_word(const char *word)
{
	const char *func = word[1] ? word + 1 : big;
	char *rest;

	if (*word == '+' || *word == '-') {
		fire(*word, func, *word == '+' ? 1 : 2);
	} else if (*word == '*') {
		for (long n = strtol(word + 1, &rest, 10); n > 0; n--)
			do_word(rest + 1);
	} else if (*word == '@') {
		file = word + 1;
	} else if (!strncmp(word, "big:", 4)) {
		make_big(word + 4);
	} else if (!strncmp(word, "heap:", 5)) {
		snprintf(same_place, sizeof(same_place), "%s", word + 5);
		fire('+', same_place, 1);
		fire('-', same_place, 2);
	} else if (*word == 'w') {
		say();
	} else if (*word == 'r') {
		wait_for_line();
	} else {
		fprintf(stderr, "fakepy: %s?\n", word);
		exit(2);
	}
}

static void *do_words(void *arg)
{
	for (char **w = arg; *w && strcmp(*w, "."); w++)
		do_word(*w);
	return NULL;
}

/* Run the words behind tN in threads; returns the word that ends them. */
static char **do_threads(char **w)
{
	long n = atol(*w + 1);
	pthread_t *threads = calloc(n, sizeof(*threads));

	for (long i = 0; i < n; i++)
		pthread_create(&threads[i], NULL, do_words, w + 1);
	for (long i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	while (w[1] && strcmp(*w, "."))
		w++;
	return w;
}

int main(int argc, char **argv)
{
	(void)argc;
	for (char **w = argv + 1; *w; w++) {
		if (**w == 't')
			w = do_threads(w);
		else if (strcmp(*w, "."))
			do_word(*w);
	}
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Checks that say where they failed, and go on. */
#include <config.h>

#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned int count, failed;

static void report(bool ok)
{
	count++;
	failed += !ok;
}

void check(bool ok, const char *what, const char *file, int line)
{
	if (!ok)
		printf("%s:%d: not true: %s\n", file, line, what);
	report(ok);
}

void check_int(int64_t got, int64_t wanted, const char *what, const char *file, int line)
{
	if (got != wanted)
		printf("%s:%d: %s is %" PRId64 ", not %" PRId64 "\n", file, line, what,
		       got, wanted);
	report(got == wanted);
}

void check_str(const char *got, const char *wanted, const char *what, const char *file,
	       int line)
{
	bool ok = got && !strcmp(got, wanted);

	if (!ok)
		printf("%s:%d: %s is \"%s\", not \"%s\"\n", file, line, what,
		       got ? got : "(null)", wanted);
	report(ok);
}

static char *next_line(FILE *f, char **line, size_t *room)
{
	return getline(line, room, f) < 0 ? NULL : *line;
}

void check_file(const char *got_path, const char *wanted_path)
{
	FILE *got = fopen(got_path, "r"), *wanted = fopen(wanted_path, "r");
	char *got_line = NULL, *wanted_line = NULL;
	size_t got_room = 0, wanted_room = 0;

	CHECK(got);
	CHECK(wanted);
	while (got && wanted && next_line(wanted, &wanted_line, &wanted_room))
		CHECK_STR(next_line(got, &got_line, &got_room), wanted_line);
	CHECK(got && !next_line(got, &got_line, &got_room));
	free(got_line);
	free(wanted_line);
	if (got)
		fclose(got);
	if (wanted)
		fclose(wanted);
}

uint32_t check_below(uint32_t n)
{
	static uint64_t seed = 88172645463325252ULL;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 32) % n;
}

uint32_t check_rounds(uint32_t n)
{
	const char *few = getenv("PYFLOW_TEST_FEW");

	return few && *few ? (n + 9) / 10 : n;
}

int check_done(void)
{
	printf("%u checks, %u failed\n", count, failed);
	return failed || !count;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a unit test needs: checks that say where they failed, and go on. */
#ifndef PYFLOW_TESTS_CHECK_H
#define PYFLOW_TESTS_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#define CHECK(what) check((what), #what, __FILE__, __LINE__)
#define CHECK_INT(got, wanted) check_int((got), (wanted), #got, __FILE__, __LINE__)
#define CHECK_STR(got, wanted) check_str((got), (wanted), #got, __FILE__, __LINE__)

void check(bool ok, const char *what, const char *file, int line);
void check_int(int64_t got, int64_t wanted, const char *what, const char *file, int line);
void check_str(const char *got, const char *wanted, const char *what, const char *file,
	       int line);

/* Is the file at one path what is at the other? Line by line, so that what differs is
 * told. */
void check_file(const char *got_path, const char *wanted_path);

/* How often to try what is tried at random: n times, or, with PYFLOW_TEST_FEW in the
 * environment, a tenth of it. */
uint32_t check_rounds(uint32_t n);

/* A number below n, the same ones in each run: xorshift. */
uint32_t check_below(uint32_t n);

/* The exit status of the test: 0 if all checks were good and there was one at least. */
int check_done(void);

#endif

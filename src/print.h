/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A printer is a table of functions; one file per output format. */
#ifndef PYFLOW_PRINT_H
#define PYFLOW_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "names.h"
#include "output.h"

enum print_kind { PRINT_ENTER, PRINT_LEAVE };

/* How a call is left, where that is known. */
enum print_exit { PRINT_RETURNED, PRINT_RAISED, PRINT_YIELDED };

/* A call or return as the user shall see it. */
struct print_event {
	enum print_kind kind;
	unsigned int depth;
	uint64_t time; /* ns since 1970, UTC */
	uint32_t pid, tid, line;
	uint16_t cpu;
	enum print_exit exit; /* of a PRINT_LEAVE */
	struct name *name; /* NULL if it could not be read; its label is the printer's */
};

enum print_note_kind {
	PRINT_RUNS, /* the process was there already, and runs this program */
	PRINT_EXEC, /* it begins to run another one */
	PRINT_FORK, /* it starts a process */
};

/* What becomes of a process. */
struct print_note {
	enum print_note_kind kind;
	uint64_t time; /* ns since 1970, UTC */
	uint32_t pid, tid;
	uint16_t cpu;
	uint32_t child;	  /* of a PRINT_FORK */
	const char *comm; /* else: its command name, */
	const char *args; /* and its arguments, each with a NUL */
	size_t args_size;
	bool is_cut; /* there are more arguments */
};

struct printer;

struct print_ops {
	const char *name;
	void (*begin)(struct printer *p, const pid_t *pids, size_t count);
	void (*event)(struct printer *p, const struct print_event *e);
	void (*note)(struct printer *p, const struct print_note *n);
	void (*lost)(struct printer *p, uint64_t count);
};

struct printer {
	const struct print_ops *ops;
	struct output *output;
	bool qualname;	/* print qualified names where they are known */
	char *cwd;	/* paths below it are shown relative to it; owned by the caller */
	int64_t second; /* that clock[] is for */
	char clock[16];
};

extern const struct print_ops print_text;

#endif

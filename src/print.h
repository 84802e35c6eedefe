/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A printer is a table of functions; one file per output format, all in print.c's table.
 *
 * What a printer is told, in this order: begin, then events, notes and losses as they
 * come, then end. Of each thread the events are nested: a PRINT_LEAVE ends the innermost
 * call that is open, and every call that was begun is ended, at the latest in front of
 * end, by a PRINT_LEAVE that says PRINT_UNSEEN. There can be more ends than beginnings: a
 * call that had begun before the trace (is_timed is false), and one that a process got
 * from its parent by fork (is_inherited), which counts from the fork on. */
#ifndef PYFLOW_PRINT_H
#define PYFLOW_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "names.h"
#include "options.h"
#include "output.h"

enum print_kind { PRINT_ENTER, PRINT_LEAVE };

/* How a call is left, where that is known. */
enum print_exit {
	PRINT_RETURNED,
	PRINT_RAISED,
	PRINT_YIELDED,
	PRINT_UNSEEN, /* not seen: it was lost, or the process or the trace ended first */
};

/* A call or return as the user shall see it. */
struct print_event {
	enum print_kind kind;
	enum print_exit exit; /* of a PRINT_LEAVE */
	unsigned int depth;   /* 0: the outermost that is shown */
	uint32_t pid, tid, line;
	uint16_t cpu;
	bool is_timed;	   /* of a PRINT_LEAVE: its beginning was seen */
	bool is_inherited; /* likewise: that was in the parent, before a fork */
	uint64_t time;	   /* ns since 1970, UTC */
	uint64_t at;	   /* ns since the trace began, by a clock that never jumps */
	uint64_t elapsed;  /* ns; of a PRINT_LEAVE that is_timed, as is */
	uint64_t self;	   /* that without the calls shown below it */
	struct name
		*name; /* NULL if it could not be read; its labels are the printers' */
	uint64_t task; /* what tells the asyncio task; 0 if there is none, or unknown */
	const char *task_name; /* NULL if it is not known; stays as long as names do */
};

enum print_note_kind {
	PRINT_RUNS,   /* the process was there already, and runs this program */
	PRINT_EXEC,   /* it begins to run another one */
	PRINT_FORK,   /* it starts a process */
	PRINT_THREAD, /* a thread whose first event comes now has this name, in comm */
};

/* What becomes of a process. */
struct print_note {
	enum print_note_kind kind;
	uint64_t time; /* ns since 1970, UTC */
	uint64_t at;   /* ns since the trace began */
	uint32_t pid, tid;
	uint16_t cpu;
	uint32_t child;	  /* of a PRINT_FORK */
	const char *comm; /* else: its command name, */
	const char *args; /* and its arguments, each with a NUL */
	size_t args_size;
	bool is_cut; /* there are more arguments */
};

/* So many events had no room just before this moment. */
struct print_lost {
	uint64_t count;
	uint64_t time; /* ns since 1970, UTC */
	uint64_t at;   /* ns since the trace began */
};

struct print_begin {
	const pid_t *pids; /* that are traced from the beginning */
	size_t count;
	uint64_t time;	   /* ns since 1970 when the trace began */
	char *const *argv; /* the command, ending with NULL; NULL with -p */
	unsigned int part; /* 0, or of an output that goes on in another file: which */
};

/* All that is known at the end; of one of several files, at its end. */
struct print_totals {
	uint64_t time, at;
	uint64_t events;   /* shown: PRINT_ENTER and PRINT_LEAVE but for PRINT_UNSEEN */
	uint64_t lost;	   /* had no room */
	uint64_t unread;   /* names that could not be read */
	uint64_t odd;	   /* steps of evaluation loops that did not look as expected */
	uint64_t orphans;  /* returns of calls whose beginning should have been seen */
	uint64_t untraced; /* processes there was no room for */
	uint64_t unheld;   /* times that a process should have been stopped */
	int status;   /* the command's as waitpid() gives it; -1 if it is not known */
	bool goes_on; /* in another file */
};

/* What the user asked for; const as long as there are printers. */
struct print_options {
	const char *cwd; /* paths below it are shown relative to it */
	bool qualname;	 /* qualified names where they are known */
	bool notes;	 /* in text, too, print what becomes of processes */
	enum print_time clock;
	unsigned int columns; /* enum print_column; 0: as the format has them */
	bool folded_calls;    /* folded stacks count calls, not microseconds */
	enum print_sort sort;
	bool callers;	    /* in the summary, who called each function */
	unsigned int width; /* of the terminal that is written to; 0 if it is none */
};

struct printer;

struct print_ops {
	const char *name;
	/* Any of them may be NULL but event. */
	void (*begin)(struct printer *p, const struct print_begin *b);
	void (*event)(struct printer *p, const struct print_event *e);
	void (*note)(struct printer *p, const struct print_note *n);
	void (*lost)(struct printer *p, const struct print_lost *l);
	void (*end)(struct printer *p, const struct print_totals *t);
	/* How many bytes end would write now, at most, and in front of it the ends of all
	 * calls that are open, by a PRINT_UNSEEN each; NULL: a few, less than 1024. */
	size_t (*tail)(struct printer *p);
	void (*free_state)(struct printer *p);
	bool wants_notes; /* is to be told what becomes of processes */
};

struct printer {
	const struct print_ops *ops;
	struct output *output;
	const struct print_options *options;
	bool color;
	bool is_full;	    /* takes nothing more but the ends of what it was given */
	unsigned int label; /* the index of its labels in struct name */
	void *state;	    /* the printer's own; NULL at first */
};

extern const struct print_ops print_text;
extern const struct print_ops print_graph;
extern const struct print_ops print_json;
extern const struct print_ops print_chrome;
extern const struct print_ops print_folded;
extern const struct print_ops print_summary;

/* What a printer is told lives no longer than it is being told: a copy whose strings are
 * its own, until print_note_free(); and one whose list of processes is *pids, which is
 * the caller's and grows as it must. */
struct print_note print_note_copy(const struct print_note *n);
void print_note_free(struct print_note *n);
struct print_begin print_begin_copy(const struct print_begin *b, pid_t **pids);

/* By enum print_format. */
extern const struct print_ops *const print_formats[FORMATS];

/* The path as the reader would name it: relative to where he is, if it is below that. */
const char *print_file(const struct print_options *o, const char *file);

/* "FILE:FUNC:" of a name, made harmless to terminals; kept as the printer's label. */
const struct label *print_label(struct printer *p, struct name *name);

#endif

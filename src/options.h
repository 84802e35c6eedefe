/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line. argp lives only here. */
#ifndef PYFLOW_OPTIONS_H
#define PYFLOW_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum on_full { ON_FULL_DEFAULT, ON_FULL_STOP, ON_FULL_DROP };

/* Where probes come from. */
enum probe_source {
	SOURCE_AUTO, /* whichever gives the exact tree, SDT if both do */
	SOURCE_SDT,  /* the notes in .note.stapsdt */
	SOURCE_EVAL, /* the evaluation loop itself */
};

struct options {
	pid_t *pids; /* none: a command is given, or with list perhaps neither */
	size_t pid_count;
	char **argv;  /* the command's words, ending with NULL; NULL with a pid */
	char *shell;  /* the command line that only a shell can run, else NULL */
	char **files; /* patterns, ending with NULL; NULL for no filter */
	char **funcs;
	const char *tmp_dir;
	const char *output; /* NULL: standard output */
	const char *user;   /* whom the command runs as; NULL: whoever runs pyflow */
	size_t buffer;	    /* bytes in the ring buffer: a power of two, of whole pages */
	enum on_full on_full;
	enum probe_source source;
	bool no_inherit; /* the one process only, not what it starts */
	bool qualname;
	bool list;     /* the probes, and trace nothing */
	char **listed; /* processes and files, ending with NULL; NULL for none */
	bool fail_on_lost;
	int verbose;
};

/* Read the command line; const ever after. A mistake is said in one line, and ends the
 * program with status 125, --help and --version with 0. */
void options_parse(struct options *o, int argc, char **argv);
void options_free(struct options *o);

#endif

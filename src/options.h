/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line. argp lives only here. */
#ifndef PYFLOW_OPTIONS_H
#define PYFLOW_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum on_full { ON_FULL_DEFAULT, ON_FULL_STOP, ON_FULL_DROP };

/* Where probes come from. */
enum probe_source {
	SOURCE_AUTO, /* whichever gives the exact tree, SDT if both do */
	SOURCE_SDT,  /* the notes in .note.stapsdt */
	SOURCE_EVAL, /* the evaluation loop itself */
};

/* Output formats; the printers' table has the same order. */
enum print_format {
	FORMAT_TEXT,
	FORMAT_GRAPH,
	FORMAT_JSON,
	FORMAT_CHROME,
	FORMAT_FOLDED,
	FORMAT_SUMMARY,
	FORMATS,
};

enum print_time { PRINT_WALL, PRINT_RELATIVE, PRINT_DELTA };

/* The columns in front of the tree, in the order in which they are shown: bits. */
enum print_column {
	PRINT_TIME = 1,
	PRINT_CPU = 2,
	PRINT_PID = 4,
	PRINT_TID = 8,
	PRINT_TASK = 16,
	PRINT_DURATION = 32,
	PRINT_NO_COLUMNS = 64, /* and no others */
};

enum print_sort {
	PRINT_BY_TOTAL,
	PRINT_BY_SELF,
	PRINT_BY_CALLS,
	PRINT_BY_AVERAGE,
	PRINT_BY_MIN,
	PRINT_BY_MAX,
	PRINT_BY_NAME,
};

enum print_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };

enum { MAX_OUTPUTS = 8 };

/* Where a trace is written, and how. */
struct output_option {
	const char *path; /* NULL: standard output */
	enum print_format format;
	enum compression compression;
};

struct options {
	pid_t *pids; /* none: a command is given, or with list perhaps neither */
	size_t pid_count;
	char **argv;  /* the command's words, ending with NULL; NULL with a pid */
	char *shell;  /* the command line that only a shell can run, else NULL */
	char **files; /* patterns, ending with NULL; NULL for no filter */
	char **funcs;
	const char *tmp_dir;
	char **exclude_files; /* patterns, as those above */
	char **exclude_funcs;
	char **start_at;
	bool only_user;
	unsigned int max_depth; /* levels; 0: all */
	uint64_t min_duration;	/* ns; 0: all */
	struct output_option outputs[MAX_OUTPUTS];
	size_t output_count;  /* one at least */
	uint64_t max_size;    /* bytes of an output file; 0: any */
	unsigned int rotate;  /* older files that are kept; 0: the tracing ends instead */
	uint64_t last_events; /* of each thread, */
	uint64_t last_size;   /* or bytes of text; 0 and 0: all is written as it comes */
	enum print_time clock;
	unsigned int columns; /* enum print_column, or PRINT_NO_COLUMNS; 0: as usual */
	enum print_color color;
	bool folded_calls;
	enum print_sort sort;
	bool callers;
	bool quiet;
	const char *user; /* whom the command runs as; NULL: whoever runs pyflow */
	size_t buffer;	  /* bytes in the ring buffer: a power of two, of whole pages */
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

/* Is only the last of the trace kept, and written when it is asked for? */
bool options_record(const struct options *o);

/* Is one of the outputs the standard output? */
bool options_use_stdout(const struct options *o);

#endif

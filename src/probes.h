/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One ELF file -> the places in it where Python functions begin and end. */
#ifndef PYFLOW_PROBES_H
#define PYFLOW_PROBES_H

#include <stddef.h>
#include <stdint.h>

#include "../bpf/event.h"
#include "options.h"

struct probe {
	enum probe_kind kind;
	uint64_t address;   /* as the file has it */
	uint64_t offset;    /* in the file, as uprobes want it */
	uint64_t semaphore; /* in the file; 0 if none */
	struct site site;   /* how the kernel side reads the arguments */
};

/* What an ELF file is to pyflow. */
enum probes_state {
	PROBES_NOT_PYTHON,
	PROBES_USABLE,
	PROBES_NONE,	     /* a Python without notes */
	PROBES_NO_FUNCTIONS, /* a Python with notes, but none for functions */
	PROBES_BROKEN,	     /* CPython 3.11: the entry probe never fires */
	PROBES_MALFORMED,    /* `detail` says how */
	PROBES_FOREIGN,	     /* of another kind of machine, or 32 bits wide */
	PROBES_UNKNOWN, /* the evaluation loop: `detail` says what is not understood */
};

enum { PROBES_MAX = 64 }; /* sites of one file that are looked at */

struct probes {
	enum probes_state state;
	enum probe_source source; /* that they are of */
	uint32_t version; /* PY_VERSION_HEX where the file has it (3.11 and later), else 0
			   */
	size_t count;
	struct probe *probes;
	char detail[320];
};

/* Read the ELF file open at fd; nothing in it is trusted. Returns 0, or -errno if the
 * file could not be read; what was found is in p->state. probes_free() frees what is in
 * it. */
int probes_read(int fd, enum probe_source source, struct probes *p);
void probes_free(struct probes *p);
void probes_add(struct probes *p, const struct probe *probe);

/* sdt, eval */
const char *probes_source_name(enum probe_source source);

/* Why no probe of this file can be used, in words that follow the file's name and a
 * colon. */
const char *probes_explain(const struct probes *p);

/* A dynamic loader's _dl_debug_state(), which it calls whenever the list of loaded
 * objects has changed. */
struct loader {
	uint64_t offset;  /* in the file */
	int64_t distance; /* from there to _r_debug (<link.h>), in memory; 0: unknown */
};

/* 0 or -errno. */
int probes_read_loader(int fd, struct loader *loader);

#endif

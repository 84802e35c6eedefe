/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small ELF files made in memory: Pythons with and without probes, and worse. */
#ifndef PYFLOW_TESTS_MAKE_ELF_H
#define PYFLOW_TESTS_MAKE_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where things are. Each segment of MADE_SEGMENT bytes is at another distance from the
 * place in the file that it is loaded from. */
enum {
	MADE_SEGMENT = 0x300,
	MADE_TEXT = 0x401100,
	MADE_TEXT_OFFSET = 0x100, /* r-x */
	MADE_DATA = 0x602400,
	MADE_DATA_OFFSET = 0x400, /* rw- */
	MADE_CONST = 0x803700,
	MADE_CONST_OFFSET = 0x700, /* r-- */
	MADE_EVAL = MADE_TEXT,	   /* the functions */
	MADE_CURRENT = MADE_TEXT + 0x40,
	MADE_DEBUG_STATE = MADE_TEXT + 0x80,
	MADE_GET_LINE = MADE_TEXT + 0xc0,
	MADE_RUNTIME = MADE_DATA + 0x40,
	MADE_CODE_TYPE = MADE_DATA + 0x240,
	MADE_STR_TYPE = MADE_DATA + 0x280,
	MADE_VERSION = MADE_CONST,
	MADE_BASE = MADE_CONST + 0x80, /* .stapsdt.base */
	MADE_TLS = -24,		       /* where 3.15 keeps its thread state */
};

struct made_note {
	const char *provider, *name, *args;
	uint64_t location, semaphore, base;
};

struct recipe {
	bool is_python;	  /* defines _PyEval_EvalFrameDefault */
	uint32_t version; /* of Py_Version; 0: none. 3.15 brings what it needs */
	uint64_t base;	  /* address of .stapsdt.base; 0 for no such section */
	bool has_notes;	  /* a section .note.stapsdt, be it empty */
	const struct made_note *notes; /* ends with a NULL provider; NULL for none */
};

struct made {
	uint8_t bytes[32768];
	size_t size;
	size_t segments, sections; /* where their headers are */
	size_t notes, notes_size;  /* the contents of .note.stapsdt */
};

enum made_section {
	MADE_NULL,
	MADE_NOTES_SECTION,
	MADE_BASE_SECTION,
	MADE_DYNSYM,
	MADE_DYNSTR,
	MADE_SHSTRTAB,
	MADE_SECTIONS
};

enum made_segment {
	MADE_TEXT_SEGMENT,
	MADE_DATA_SEGMENT,
	MADE_CONST_SEGMENT,
	MADE_SEGMENTS
};

void made_build(struct made *m, const struct recipe *r);

/* Put a note, as it stands in a section, at out. Returns its size, padded. */
size_t made_put_note(uint8_t *out, const struct made_note *n);

/* A file in memory with these bytes. The caller closes it. */
int made_open(const void *bytes, size_t size);

#endif

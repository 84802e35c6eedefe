/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small ELF files made in memory that look like CPythons without probes: the handlers of
 * opcodes, made by hand, and the table of them. */
#ifndef PYFLOW_TESTS_MAKE_LOOP_H
#define PYFLOW_TESTS_MAKE_LOOP_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "make-elf.h"

/* Where things are. */
enum {
	LOOP_TEXT = 0x41000,
	LOOP_SLOT = 16,			 /* handlers, by opcode, */
	LOOP_CODE = LOOP_TEXT + 0x1000,	 /* those that need more room, */
	LOOP_ERROR = LOOP_TEXT + 0x13c0, /* where exceptions go, */
	LOOP_EVAL = LOOP_TEXT + 0x1400,	 /* and the functions */
	LOOP_CLEAR = LOOP_TEXT + 0x1440,
	LOOP_DEALLOC = LOOP_TEXT + 0x1480,
	LOOP_OTHER = LOOP_TEXT + 0x14c0,
	LOOP_TEXT_SIZE = 0x1500,
	LOOP_PLT = LOOP_TEXT + LOOP_TEXT_SIZE,
	LOOP_PLT_SIZE = 0x20,
	LOOP_TEXT_OFFSET = 0x600,
	LOOP_TABLES = 0x72000, /* .data.rel.ro */
	LOOP_TABLES_SIZE = 0x1010,
	LOOP_DATA = 0x83000, /* .data */
	LOOP_DATA_SIZE = 0x300,
	LOOP_RUNTIME = LOOP_DATA + 0x40,
	LOOP_CODE_TYPE = LOOP_DATA + 0x240,
	LOOP_VERSION = LOOP_DATA,
};

enum { LOOP_WORDS = 60, LOOP_RELAS = 300, LOOP_OPCODES = 256 };

enum loop_symbol {
	SYMBOL_EVAL,
	SYMBOL_VERSION,
	SYMBOL_RUNTIME,
	SYMBOL_CODE_TYPE,
	SYMBOL_CLEAR,
	LOOP_SYMBOLS
};

enum loop_section {
	LOOP_NULL,
	LOOP_TEXT_SECTION,
	LOOP_PLT_SECTION,
	LOOP_TABLES_SECTION,
	LOOP_DATA_SECTION,
	LOOP_DYNSYM,
	LOOP_DYNSTR,
	LOOP_RELA,
	LOOP_SHSTRTAB,
	LOOP_SECTIONS
};

/* All that a file is made of: a good one to begin with. */
struct loop_recipe {
	uint32_t version;
	bool is_pie; /* the table and tp_dealloc stand in relocations, not in their place
		      */
	const char *symbols[LOOP_SYMBOLS]; /* NULL: not there */
	uint8_t text[LOOP_TEXT_SIZE];
	uint64_t table[LOOP_OPCODES];
	size_t table_at;		  /* bytes into .data.rel.ro */
	uint8_t tables[LOOP_TABLES_SIZE]; /* what else is in there */
	uint64_t debug[LOOP_WORDS];	  /* _Py_DebugOffsets */
	uint64_t dealloc;
	uint64_t eval_size; /* of the evaluation function, as its symbol has it */
	Elf64_Rela relas[LOOP_RELAS];
	size_t rela_count;
};

/* A jump or call of 32 bits to there, LOOP_TEXT + offset, as loop_put() resolves it. */
#define TO(place) \
	(uint8_t)((place)-LOOP_TEXT), (uint8_t)(((place)-LOOP_TEXT) >> 8), 0x77, 0x7e

/* What the handlers have: the frame in %r13, the instruction in %rbx. */
#define STORE 0x49, 0x89, 0x5d, 0x38 /* mov %rbx,0x38(%r13) */
#define NEXT 0x48, 0x83, 0xc3, 0x02  /* add $2,%rbx */
#define CALL(place) 0xe8, TO(place)
#define JUMP(place) 0xe9, TO(place)
#define DISPATCH 0xff, 0xe0 /* jmp *%rax */
/* cmpb $0,is_entry(%r13); cmpb $0,owner(%rsi) */
#define QUESTION 0x41, 0x80, 0x7d, 0x44, 0x00
#define ASK_OWNER 0x80, 0x7e, 0x46, 0x00

void loop_init(struct loop_recipe *l, uint32_t version);

/* Put code at an address in .text. */
void loop_put(struct loop_recipe *l, uint64_t address, const uint8_t *code, size_t size);

/* Give an opcode a handler of its own, at LOOP_CODE + 0x40 * slot. Returns where. */
uint64_t loop_handler(struct loop_recipe *l, uint8_t op, unsigned int slot,
		      const uint8_t *code, size_t size);

/* Add a relocation. */
void loop_relocate(struct loop_recipe *l, uint64_t address, uint64_t value,
		   uint32_t type);

void loop_build(struct made *m, const struct loop_recipe *l);

/* Where the header of a section is. */
Elf64_Shdr *loop_section(struct made *m, enum loop_section which);

#endif

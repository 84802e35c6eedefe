// SPDX-License-Identifier: GPL-2.0-or-later
/* Pointers, addresses and symbols of ELF files. */
#include <config.h>

#include "probes-elf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "make-loop.h"

enum { V = 0x030e00f0, COUNT = LOOP_TABLES_SIZE / 8, MANY = 200 };

/* Words in .data.rel.ro that tell where they are. */
static uint64_t in_place(size_t i)
{
	return 0x1111111100000000 + i;
}

static void begin(struct loop_recipe *l)
{
	loop_init(l, V);
	for (size_t i = 0; i < COUNT; i++) {
		uint64_t word = in_place(i);

		memcpy(l->tables + i * 8, &word, sizeof(word));
	}
	/* What loop_build() puts there. */
	for (size_t i = 0; i < LOOP_OPCODES; i++)
		l->table[i] = in_place(i);
}

static int open_recipe(struct elf *e, const struct loop_recipe *l)
{
	struct made m;
	int fd;

	loop_build(&m, l);
	fd = made_open(m.bytes, m.size);
	CHECK_INT(elf_open(fd, e), 0);
	return fd;
}

static uint64_t *read_words(struct elf *e)
{
	uint64_t *words, address = 0;
	size_t count = 0;
	GElf_Shdr shdr;
	Elf_Scn *scn;

	CHECK(elf_section(e, ".data.rel.ro", &shdr, &scn));
	words = elf_pointers(e, scn, &address, &count);
	CHECK_INT(address, LOOP_TABLES);
	CHECK_INT(count, COUNT);
	return words;
}

/* The word at LOOP_TABLES + at, asked for in both ways. */
static void check_word(struct elf *e, const uint64_t *words, size_t i, uint64_t wanted)
{
	uint64_t value = 0;

	CHECK(elf_read_pointer(e, LOOP_TABLES + i * 8, &value));
	CHECK_INT(value, wanted);
	CHECK_INT(words[i], wanted);
}

static void check_in_place(void)
{
	struct loop_recipe l;
	uint64_t *words;
	struct elf e;
	int fd;

	begin(&l);
	fd = open_recipe(&e, &l);
	words = read_words(&e);
	for (size_t i = 0; words && i < COUNT; i++)
		check_word(&e, words, i, in_place(i));
	free(words);
	elf_close(&e);
	close(fd);
}

/* In any order, and beside others; each where it belongs. */
static void check_relocated(void)
{
	struct loop_recipe l;
	uint64_t *words;
	struct elf e;
	int fd;

	begin(&l);
	for (size_t i = 0; i < MANY; i++)
		loop_relocate(&l, LOOP_TABLES + (i * 7 + 3) % MANY * 8,
			      0x500 + (i * 7 + 3) % MANY, R_X86_64_RELATIVE);
	/* The last word, one behind it, one before the first. */
	loop_relocate(&l, LOOP_TABLES + (COUNT - 1) * 8, 0x600, R_X86_64_RELATIVE);
	loop_relocate(&l, LOOP_TABLES + COUNT * 8, 0x601, R_X86_64_RELATIVE);
	loop_relocate(&l, LOOP_TABLES - 8, 0x602, R_X86_64_RELATIVE);
	/* Not of the kind that is local to the file. */
	loop_relocate(&l, LOOP_TABLES + MANY * 8, 0x603, R_X86_64_64);
	loop_relocate(&l, LOOP_TABLES + MANY * 8 + 8, 0x604, R_X86_64_NONE);
	/* Between two words. */
	loop_relocate(&l, LOOP_TABLES + MANY * 8 + 20, 0x605, R_X86_64_RELATIVE);
	fd = open_recipe(&e, &l);
	words = read_words(&e);
	for (size_t i = 0; words && i < COUNT; i++)
		check_word(&e, words, i,
			   i < MANY	    ? 0x500 + i
			   : i == COUNT - 1 ? 0x600
					    : in_place(i));
	free(words);
	elf_close(&e);
	close(fd);
}

/* Where no section is; at the ends of the address space; twice for one place. */
static void check_odd_relocations(void)
{
	static const uint64_t places[] = {
		0, 1, 0x1000, UINT64_MAX, UINT64_MAX - 7, 1ULL << 63
	};
	struct loop_recipe l;
	uint64_t *words, value;
	struct elf e;
	int fd;

	begin(&l);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		loop_relocate(&l, places[i], 0x700 + i, R_X86_64_RELATIVE);
	for (size_t i = 0; i < 50; i++)
		loop_relocate(&l, LOOP_TABLES + 8, 0x800, R_X86_64_RELATIVE);
	fd = open_recipe(&e, &l);
	words = read_words(&e);
	if (words) {
		check_word(&e, words, 0, in_place(0));
		check_word(&e, words, 1, 0x800);
		check_word(&e, words, 2, in_place(2));
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		CHECK(elf_read_pointer(&e, places[i], &value));
		CHECK_INT(value, 0x700 + i);
	}
	CHECK(!elf_read_pointer(&e, 2, &value));
	CHECK(!elf_read_pointer(&e, UINT64_MAX - 1, &value));
	/* The last word of a segment, and one that is only half there. */
	CHECK(elf_read_pointer(&e, LOOP_DATA + LOOP_DATA_SIZE - 8, &value));
	CHECK(!elf_read_pointer(&e, LOOP_DATA + LOOP_DATA_SIZE - 7, &value));
	free(words);
	elf_close(&e);
	close(fd);
}

/* A section at an address that is no multiple of 8, of a size that is none. */
static void check_odd_section(void)
{
	uint64_t *words, address = 0;
	struct loop_recipe l;
	size_t count = 0;
	GElf_Shdr shdr;
	struct made m;
	Elf_Scn *scn;
	struct elf e;
	int fd;

	begin(&l);
	loop_relocate(&l, LOOP_TABLES + 16, 0x901, R_X86_64_RELATIVE);
	loop_relocate(&l, LOOP_TABLES + 19, 0x902, R_X86_64_RELATIVE);
	loop_relocate(&l, LOOP_TABLES + 35, 0x903, R_X86_64_RELATIVE);
	loop_build(&m, &l);
	loop_section(&m, LOOP_TABLES_SECTION)->sh_addr += 3;
	loop_section(&m, LOOP_TABLES_SECTION)->sh_size = 39;
	fd = made_open(m.bytes, m.size);
	CHECK_INT(elf_open(fd, &e), 0);
	CHECK(elf_section(&e, ".data.rel.ro", &shdr, &scn));
	words = elf_pointers(&e, scn, &address, &count);
	CHECK_INT(address, LOOP_TABLES + 3);
	CHECK_INT(count, 4);
	for (size_t i = 0; words && i < 4; i++)
		CHECK_INT(words[i], i == 2 ? 0x902 : in_place(i));
	free(words);
	elf_close(&e);
	close(fd);
}

/* Sections that have no pointers, or whose contents are not in the file. */
static void check_no_pointers(void)
{
	static const struct {
		uint32_t type;
		uint64_t offset, size;
	} cases[] = {
		{ SHT_PROGBITS, 0, 0 },
		{ SHT_PROGBITS, 0, 7 },
		{ SHT_NOBITS, 0, LOOP_TABLES_SIZE },
		{ SHT_PROGBITS, 1 << 20, 64 },
		{ SHT_PROGBITS, 64, 1 << 20 },
		{ SHT_PROGBITS, 64, UINT64_MAX },
		{ SHT_PROGBITS, UINT64_MAX, 64 },
		{ SHT_PROGBITS, 64, (128 << 20) + 1 },
	};
	struct loop_recipe l;

	begin(&l);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t address;
		GElf_Shdr shdr;
		struct made m;
		Elf_Scn *scn;
		struct elf e;
		size_t count;
		int fd;

		loop_build(&m, &l);
		loop_section(&m, LOOP_TABLES_SECTION)->sh_type = cases[i].type;
		loop_section(&m, LOOP_TABLES_SECTION)->sh_offset = cases[i].offset;
		loop_section(&m, LOOP_TABLES_SECTION)->sh_size = cases[i].size;
		fd = made_open(m.bytes, m.size);
		CHECK_INT(elf_open(fd, &e), 0);
		CHECK(elf_section(&e, ".data.rel.ro", &shdr, &scn));
		CHECK(!elf_pointers(&e, scn, &address, &count));
		elf_close(&e);
		close(fd);
	}
}

static uint64_t first_word(struct made *m)
{
	int fd = made_open(m->bytes, m->size);
	uint64_t value = 0;
	struct elf e;

	CHECK_INT(elf_open(fd, &e), 0);
	CHECK(elf_read_pointer(&e, LOOP_TABLES, &value));
	elf_close(&e);
	close(fd);
	return value;
}

/* Relocations count if they are loaded, and all there. */
static void check_relocation_section(void)
{
	struct loop_recipe l;
	struct made m;
	Elf64_Shdr *s;

	begin(&l);
	loop_relocate(&l, LOOP_TABLES, 0xa00, R_X86_64_RELATIVE);
	loop_build(&m, &l);
	s = loop_section(&m, LOOP_RELA);
	CHECK_INT(first_word(&m), 0xa00);
	/* Part of another one behind it: libelf may refuse them all. */
	s->sh_size += 5;
	m.size += 5;
	CHECK(first_word(&m) == 0xa00 || first_word(&m) == in_place(0));
	/* Part of it is not there. */
	s->sh_size = 23;
	CHECK_INT(first_word(&m), in_place(0));
	s->sh_size = 1 << 20;
	CHECK_INT(first_word(&m), in_place(0));
	s->sh_size = 24;
	s->sh_flags = 0;
	CHECK_INT(first_word(&m), in_place(0));
	s->sh_flags = SHF_ALLOC;
	s->sh_type = SHT_REL;
	CHECK_INT(first_word(&m), in_place(0));
	/* With another one they are more than the file is. */
	s->sh_type = SHT_RELA;
	s = loop_section(&m, LOOP_PLT_SECTION);
	s->sh_type = SHT_RELA;
	s->sh_offset = 0;
	s->sh_size = m.size;
	CHECK_INT(first_word(&m), in_place(0));
}

/* However many there are for a word, it is gone through once; and the same section is not
 * looked at for ever. */
static void check_again(void)
{
	struct loop_recipe l;
	uint64_t *words;
	struct elf e;
	int fd, times;

	begin(&l);
	for (size_t i = 0; i < MANY; i++)
		loop_relocate(&l, LOOP_TABLES + i % 2 * 8, 0xb00, R_X86_64_RELATIVE);
	fd = open_recipe(&e, &l);
	words = read_words(&e);
	CHECK_INT(words[1], 0xb00);
	/* and tp_dealloc */
	CHECK(e.pointer_count <= 3);
	for (times = 0; words && times < 100; times++) {
		GElf_Shdr shdr;
		Elf_Scn *scn;
		uint64_t address;
		size_t count;

		free(words);
		elf_section(&e, ".data.rel.ro", &shdr, &scn);
		words = elf_pointers(&e, scn, &address, &count);
	}
	CHECK(times < 100);
	free(words);
	elf_close(&e);
	close(fd);
}

static void check_symbols(void)
{
	struct loop_recipe l;
	uint64_t address = 0;
	struct elf e;
	int fd;

	begin(&l);
	fd = open_recipe(&e, &l);
	CHECK(elf_symbol(&e, "PyCode_Type", &address));
	CHECK_INT(address, LOOP_CODE_TYPE);
	CHECK(!elf_symbol(&e, "PyCode_Typ", &address));
	CHECK(!elf_symbol(&e, "Code_Type2", &address));
	CHECK(!elf_symbol(&e, "yCode_Type", &address));
	CHECK(!elf_symbol(&e, "", &address) || !address);
	elf_close(&e);
	close(fd);
}

static void check_offsets(void)
{
	struct loop_recipe l;
	uint64_t offset = 0;
	struct elf e;
	int fd;

	begin(&l);
	fd = open_recipe(&e, &l);
	CHECK(elf_offset(&e, LOOP_TEXT, 1, ELF_CODE, &offset));
	CHECK_INT(offset, LOOP_TEXT_OFFSET);
	CHECK(elf_offset(&e, LOOP_TEXT, LOOP_TEXT_SIZE + LOOP_PLT_SIZE, ELF_ANY,
			 &offset));
	CHECK(!elf_offset(&e, LOOP_TEXT, LOOP_TEXT_SIZE + LOOP_PLT_SIZE + 1, ELF_ANY,
			  &offset));
	CHECK(!elf_offset(&e, LOOP_TEXT, 1, ELF_WRITABLE, &offset));
	CHECK(elf_offset(&e, LOOP_DATA, 1, ELF_WRITABLE, &offset));
	CHECK(!elf_offset(&e, LOOP_DATA, 1, ELF_CODE, &offset));
	CHECK(!elf_offset(&e, LOOP_DATA, SIZE_MAX, ELF_ANY, &offset));
	CHECK(!elf_offset(&e, LOOP_TEXT - 1, 1, ELF_ANY, &offset));
	elf_close(&e);
	close(fd);
}

int main(void)
{
	check_in_place();
	check_relocated();
	check_odd_relocations();
	check_odd_section();
	check_no_pointers();
	check_relocation_section();
	check_again();
	check_symbols();
	check_offsets();
	return check_done();
}

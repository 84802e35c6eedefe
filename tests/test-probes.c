// SPDX-License-Identifier: GPL-2.0-or-later
/* ELF files, good and hostile -> probes, or why there are none. */
#include <config.h>

#include "probes.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "make-elf.h"

#if defined(__aarch64__)
#define FILE_ARG "8@x19"
#define FUNC_ARG "8@[sp, 16]"
#define LINE_ARG "-4@w1"
#else
#define FILE_ARG "8@%r12"
#define FUNC_ARG "8@16(%rsp)"
#define LINE_ARG "-4@%ecx"
#endif
#define ARGS FILE_ARG " " FUNC_ARG " " LINE_ARG

enum { V39 = 0, V311 = 0x030b02f0, V312 = 0x030c01f0, V315 = 0x030f00f0 };
enum { MUTATIONS = 20000 };

#define ENTRY(at, semaphore)                                                \
	{                                                                   \
		"python", "function__entry", ARGS, at, semaphore, MADE_BASE \
	}
#define RETURN(at, semaphore)                                                \
	{                                                                    \
		"python", "function__return", ARGS, at, semaphore, MADE_BASE \
	}

static const struct made_note good_notes[] = {
	{ "libc", "setjmp", "8@%rdi", MADE_TEXT, 0, MADE_BASE },
	ENTRY(MADE_TEXT + 0x10, MADE_DATA + 2),
	{ "python", "gc__start", "junk", 0, 1, MADE_BASE },
	ENTRY(MADE_TEXT + 0x20, MADE_DATA + 2),
	{ "ruby", "function__entry", "junk", 0, 0, MADE_BASE },
	RETURN(MADE_TEXT + MADE_SEGMENT - 1, MADE_DATA + MADE_SEGMENT - 2),
	{ NULL }
};

static const struct made_note other_notes[] = {
	{ "python", "gc__start", "-4@%eax", MADE_TEXT, 0, MADE_BASE },
	{ "python", "function__entry__not", ARGS, MADE_TEXT, 0, MADE_BASE },
	{ NULL }
};

static const struct made_note foreign_notes[] = {
	{ "ruby", "function__entry", ARGS, MADE_TEXT, 0, MADE_BASE }, { NULL }
};

static const struct made_note entry_only[] = { ENTRY(MADE_TEXT, 0), { NULL } };

static const struct recipe good = { true, V39, MADE_BASE, true, good_notes };

static const struct {
	const char *what;
	struct recipe recipe;
	enum probes_state wanted;
} judged[] = {
	{ "good", { true, V39, MADE_BASE, true, good_notes }, PROBES_USABLE },
	{ "no base", { true, V39, 0, true, good_notes }, PROBES_USABLE },
	{ "notes, but no symbol",
	  { false, V39, MADE_BASE, true, good_notes },
	  PROBES_USABLE },
	{ "3.12 with notes", { true, V312, MADE_BASE, true, good_notes }, PROBES_USABLE },
	{ "no notes", { true, V39, 0, false, NULL }, PROBES_NONE },
	{ "3.12 without", { true, V312, 0, false, NULL }, PROBES_NONE },
	{ "other's notes", { true, V39, 0, true, foreign_notes }, PROBES_NONE },
	{ "no functions", { true, V312, 0, true, other_notes }, PROBES_NO_FUNCTIONS },
	{ "half", { true, V39, MADE_BASE, true, entry_only }, PROBES_NO_FUNCTIONS },
	{ "3.11", { true, V311, MADE_BASE, true, good_notes }, PROBES_BROKEN },
	{ "3.11, half", { true, V311, MADE_BASE, true, entry_only }, PROBES_BROKEN },
	{ "3.11, none", { true, V311, 0, false, NULL }, PROBES_NONE },
	{ "no Python", { false, 0, 0, false, NULL }, PROBES_NOT_PYTHON },
	{ "another's", { false, 0, 0, true, foreign_notes }, PROBES_NOT_PYTHON },
};

/* A note of function__entry that must be refused, and a part of the reason. */
static const struct {
	struct made_note note;
	const char *wanted;
} refused[] = {
	{ ENTRY(0, 0), "not in the code" },
	{ ENTRY(MADE_TEXT - 1, 0), "not in the code" },
	{ ENTRY(MADE_TEXT + MADE_SEGMENT, 0), "not in the code" },
	{ ENTRY(MADE_DATA, 0), "not in the code" },
	{ ENTRY(MADE_CONST, 0), "not in the code" },
	{ ENTRY(UINT64_MAX, 0), "not in the code" },
	{ ENTRY(MADE_TEXT, MADE_DATA + 1), "semaphore" },
	{ ENTRY(MADE_TEXT, MADE_DATA - 2), "semaphore" },
	{ ENTRY(MADE_TEXT, MADE_DATA + MADE_SEGMENT), "semaphore" },
	{ ENTRY(MADE_TEXT, MADE_TEXT), "semaphore" },
	{ ENTRY(MADE_TEXT, MADE_CONST), "semaphore" },
	{ ENTRY(MADE_TEXT, UINT64_MAX - 1), "semaphore" },
	{ { "python", "function__entry", "", MADE_TEXT, 0, 0 }, "arguments" },
	{ { "python", "function__entry", FILE_ARG " " FUNC_ARG, MADE_TEXT, 0, 0 },
	  "arguments" },
	{ { "python", "function__entry", FILE_ARG " " FUNC_ARG " 8f@%xmm0", MADE_TEXT, 0,
	    0 },
	  "arguments" },
};

static struct probes read_bytes(const void *bytes, size_t size)
{
	int fd = made_open(bytes, size);
	struct probes p;

	CHECK_INT(probes_read(fd, SOURCE_SDT, &p), 0);
	close(fd);
	return p;
}

static enum probes_state state_of(const struct made *m)
{
	struct probes p = read_bytes(m->bytes, m->size);
	enum probes_state state = p.state;

	probes_free(&p);
	return state;
}

static void check_judged(void)
{
	struct made m;

	for (size_t i = 0; i < sizeof(judged) / sizeof(judged[0]); i++) {
		made_build(&m, &judged[i].recipe);
		check_int(state_of(&m), judged[i].wanted, judged[i].what, __FILE__,
			  __LINE__);
	}
}

static void check_probe(const struct probe *p, enum probe_kind kind, uint64_t offset,
			uint64_t semaphore)
{
	CHECK_INT(p->kind, kind);
	CHECK_INT(p->offset, offset);
	CHECK_INT(p->semaphore, semaphore);
	CHECK_INT(p->site.file.kind, OPERAND_REG);
	CHECK_INT(p->site.func.kind, OPERAND_MEM);
	CHECK_INT(p->site.func.disp, 16);
	CHECK(p->site.line.is_signed && p->site.line.size == 4);
	CHECK(!p->site.layout.known);
}

static void check_good(void)
{
	struct probes p;
	struct made m;

	made_build(&m, &good);
	p = read_bytes(m.bytes, m.size);
	CHECK_INT(p.count, 3);
	CHECK_INT(p.version, 0);
	if (p.count == 3) {
		check_probe(&p.probes[0], PROBE_ENTER, MADE_TEXT_OFFSET + 0x10,
			    MADE_DATA_OFFSET + 2);
		check_probe(&p.probes[1], PROBE_ENTER, MADE_TEXT_OFFSET + 0x20,
			    MADE_DATA_OFFSET + 2);
		check_probe(&p.probes[2], PROBE_LEAVE,
			    MADE_TEXT_OFFSET + MADE_SEGMENT - 1,
			    MADE_DATA_OFFSET + MADE_SEGMENT - 2);
	}
	probes_free(&p);
	CHECK(!p.probes && !p.count);
	probes_free(&p);
}

/* Prelink moved the file by 0x1000 and left the notes as they were. */
static void check_prelink(void)
{
	struct made_note notes[] = { ENTRY(MADE_TEXT - 0x1000, MADE_DATA - 0x1000),
				     RETURN(MADE_TEXT - 0xff0, 0),
				     { NULL } };
	struct recipe r = { true, V39, MADE_BASE, true, notes };
	struct probes p;
	struct made m;

	notes[0].base = notes[1].base = MADE_BASE - 0x1000;
	made_build(&m, &r);
	p = read_bytes(m.bytes, m.size);
	CHECK_INT(p.state, PROBES_USABLE);
	CHECK_INT(p.count, 2);
	if (p.count == 2) {
		check_probe(&p.probes[0], PROBE_ENTER, MADE_TEXT_OFFSET,
			    MADE_DATA_OFFSET);
		check_probe(&p.probes[1], PROBE_LEAVE, MADE_TEXT_OFFSET + 0x10, 0);
	}
	probes_free(&p);
	/* Without the section nothing says that it was moved. */
	r.base = 0;
	made_build(&m, &r);
	CHECK_INT(state_of(&m), PROBES_MALFORMED);
}

static void check_refused(void)
{
	struct made m;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct made_note notes[] = { refused[i].note, { NULL } };
		struct recipe r = { true, V39, 0, true, notes };
		struct probes p;

		made_build(&m, &r);
		p = read_bytes(m.bytes, m.size);
		check_int(p.state, PROBES_MALFORMED, refused[i].wanted, __FILE__,
			  __LINE__);
		CHECK(strstr(probes_explain(&p), refused[i].wanted));
		probes_free(&p);
	}
}

static void check_too_many(void)
{
	struct made_note notes[PROBES_MAX + 2] = { RETURN(MADE_TEXT, 0) };
	struct recipe r = { true, V39, 0, true, notes };
	struct made m;

	for (int i = 0; i < PROBES_MAX; i++)
		notes[i] = (struct made_note)ENTRY(MADE_TEXT + i, 0);
	notes[PROBES_MAX - 1].name = "function__return";
	made_build(&m, &r);
	CHECK_INT(state_of(&m), PROBES_USABLE);
	notes[PROBES_MAX] = notes[0];
	made_build(&m, &r);
	CHECK_INT(state_of(&m), PROBES_MALFORMED);
}

static void check_foreign(void)
{
	static const struct {
		size_t at;
		uint8_t value;
	} changes[] = {
		{ EI_CLASS, ELFCLASS32 },
		{ EI_CLASS, ELFCLASSNONE },
		{ EI_DATA, ELFDATA2MSB },
		{ EI_DATA, 7 },
		{ offsetof(Elf64_Ehdr, e_machine), EM_386 },
		{ offsetof(Elf64_Ehdr, e_machine), EM_RISCV },
	};
	struct made m;
	struct loader loader;

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		int fd;

		made_build(&m, &good);
		m.bytes[changes[i].at] = changes[i].value;
		CHECK_INT(state_of(&m), PROBES_FOREIGN);
		fd = made_open(m.bytes, m.size);
		CHECK(probes_read_loader(fd, &loader) < 0);
		close(fd);
	}
}

static void check_no_elf(void)
{
	static const char script[] =
		"#!/usr/bin/python3\nprint('a text longer than the header "
		"of an ELF file, which takes sixty-four bytes')\n";
	struct probes p = read_bytes(script, sizeof(script));
	int ends[2];

	CHECK_INT(p.state, PROBES_NOT_PYTHON);
	probes_free(&p);
	p = read_bytes("", 0);
	CHECK_INT(p.state, PROBES_NOT_PYTHON);
	probes_free(&p);
	CHECK_INT(probes_read(-1, SOURCE_AUTO, &p), -EBADF);
	probes_free(&p);
	/* Nothing that could block is read. */
	CHECK(!pipe(ends));
	CHECK_INT(probes_read(ends[0], SOURCE_AUTO, &p), 0);
	CHECK_INT(p.state, PROBES_NOT_PYTHON);
	close(ends[0]);
	close(ends[1]);
}

static void check_loader(void)
{
	struct recipe r = { 0 };
	struct loader loader = { 0 };
	struct made m;
	int fd;

	made_build(&m, &r);
	fd = made_open(m.bytes, m.size);
	CHECK_INT(probes_read_loader(fd, &loader), 0);
	CHECK_INT(loader.offset, MADE_TEXT_OFFSET + (MADE_DEBUG_STATE - MADE_TEXT));
	close(fd);
	/* A symbol of that name must be in the code. */
	((Elf64_Phdr *)(m.bytes + m.segments))->p_flags = PF_R | PF_W;
	fd = made_open(m.bytes, m.size);
	CHECK_INT(probes_read_loader(fd, &loader), -ENOENT);
	close(fd);
}

/* ---- damaged notes ---- */

/* The good file with the 32-bit word at `at` in its notes, or `size` of them, made
 * another. */
static enum probes_state with_word(size_t at, uint32_t value)
{
	struct made m;

	made_build(&m, &good);
	memcpy(m.bytes + m.notes + at, &value, sizeof(value));
	return state_of(&m);
}

static enum probes_state with_notes_size(size_t size)
{
	struct made m;

	made_build(&m, &good);
	((Elf64_Shdr *)(m.bytes + m.sections))[MADE_NOTES_SECTION].sh_size = size;
	return state_of(&m);
}

static void check_bad_notes(void)
{
	static const uint32_t huge[] = { 0xffffffff, 0xfffffffd, 0xfffffffc,
					 0x80000000, 0x7fffffff, 5000 };

	for (size_t i = 0; i < sizeof(huge) / sizeof(huge[0]); i++) {
		CHECK_INT(with_word(0, huge[i]), PROBES_MALFORMED);
		CHECK_INT(with_word(4, huge[i]), PROBES_MALFORMED);
	}
	/* no descriptor, one too short for its addresses, and for its strings */
	CHECK_INT(with_word(4, 0), PROBES_MALFORMED);
	CHECK_INT(with_word(4, 23), PROBES_MALFORMED);
	CHECK_INT(with_word(4, 24), PROBES_MALFORMED);
	CHECK_INT(with_word(4, 25), PROBES_MALFORMED);
	CHECK_INT(with_word(4, 24 + sizeof("libc") + sizeof("setjmp")), PROBES_MALFORMED);
	/* not ours: passed over */
	CHECK_INT(with_word(8, 4), PROBES_USABLE);
	CHECK_INT(with_word(12, 0x58585858), PROBES_USABLE);
}

/* A section that ends within a note, at any byte, is damaged; one that ends behind one is
 * not. */
static void check_short_notes(void)
{
	enum probes_state wanted;
	size_t ends[8] = { 0 }, count = 1, n;
	uint8_t one[512];

	for (const struct made_note *note = good_notes; note->provider; note++, count++)
		ends[count] = ends[count - 1] + made_put_note(one, note);
	for (size_t size = 1; size <= ends[count - 1]; size++) {
		for (n = 0; ends[n] < size; n++)
			;
		wanted = n == count - 1 ? PROBES_USABLE
			 : n < 2	? PROBES_NONE
					: PROBES_NO_FUNCTIONS;
		if (size == ends[n])
			CHECK_INT(with_notes_size(size), wanted);
		/* The padding behind the last one may be missing. */
		else if (size + 4 <= ends[n])
			CHECK_INT(with_notes_size(size), PROBES_MALFORMED);
	}
	CHECK_INT(with_notes_size(8192), PROBES_MALFORMED);
	CHECK_INT(with_notes_size(UINT64_MAX), PROBES_MALFORMED);
}

/* ---- damaged headers ---- */

static enum probes_state with_segment(enum made_segment which, uint64_t offset,
				      uint64_t size)
{
	struct made m;
	Elf64_Phdr *p;

	made_build(&m, &good);
	p = (Elf64_Phdr *)(m.bytes + m.segments) + which;
	p->p_offset = offset;
	p->p_filesz = size;
	return state_of(&m);
}

static void check_bad_segments(void)
{
	static const uint64_t offsets[] = { UINT64_MAX, UINT64_MAX - 0x10, INT64_MAX,
					    1ULL << 63, 1 << 20,	   8192 };

	CHECK_INT(with_segment(MADE_TEXT_SEGMENT, MADE_TEXT_OFFSET, MADE_SEGMENT),
		  PROBES_USABLE);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		CHECK_INT(with_segment(MADE_TEXT_SEGMENT, offsets[i], MADE_SEGMENT),
			  PROBES_MALFORMED);
		CHECK_INT(with_segment(MADE_DATA_SEGMENT, offsets[i], MADE_SEGMENT),
			  PROBES_MALFORMED);
	}
	CHECK_INT(with_segment(MADE_TEXT_SEGMENT, MADE_TEXT_OFFSET, 0), PROBES_MALFORMED);
	CHECK_INT(with_segment(MADE_DATA_SEGMENT, MADE_DATA_OFFSET, MADE_SEGMENT - 1),
		  PROBES_MALFORMED);
	/* Claims more than there is, but what is asked for is there. */
	CHECK_INT(with_segment(MADE_TEXT_SEGMENT, MADE_TEXT_OFFSET, UINT64_MAX),
		  PROBES_USABLE);
	/* What is asked for is behind the end. */
	CHECK_INT(with_segment(MADE_TEXT_SEGMENT, 8192, UINT64_MAX), PROBES_MALFORMED);
}

static enum probes_state with_section(enum made_section which, uint64_t offset,
				      uint64_t size)
{
	struct made m;
	Elf64_Shdr *s;

	made_build(&m, &good);
	s = (Elf64_Shdr *)(m.bytes + m.sections) + which;
	s->sh_offset = offset;
	s->sh_size = size;
	return state_of(&m);
}

static void check_bad_sections(void)
{
	static const uint64_t places[][2] = {
		{ 8192, 64 },
		{ 64, 8192 },
		{ UINT64_MAX, 64 },
		{ 64, UINT64_MAX },
		{ UINT64_MAX - 63, 64 },
		{ 1ULL << 40, 1ULL << 40 },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		uint64_t offset = places[i][0], size = places[i][1];

		CHECK_INT(with_section(MADE_NOTES_SECTION, offset, size),
			  PROBES_MALFORMED);
		/* The notes alone are enough; without the names of sections there are
		 * none. */
		CHECK_INT(with_section(MADE_DYNSYM, offset, size), PROBES_USABLE);
		CHECK_INT(with_section(MADE_DYNSTR, offset, size), PROBES_USABLE);
		CHECK_INT(with_section(MADE_SHSTRTAB, offset, size), PROBES_NOT_PYTHON);
	}
}

/* Numbers of sections and segments that take more than 16 bits, and headers that are not
 * there. */
static void check_bad_header(void)
{
	struct made m;
	Elf64_Ehdr h, *in_file = (Elf64_Ehdr *)m.bytes;

	made_build(&m, &good);
	h = *in_file;
	in_file->e_shnum = 0;
	CHECK_INT(state_of(&m), PROBES_NOT_PYTHON);
	*in_file = h;
	in_file->e_phnum = PN_XNUM;
	CHECK_INT(state_of(&m), PROBES_NOT_PYTHON);
	*in_file = h;
	in_file->e_shoff = UINT64_MAX;
	CHECK_INT(state_of(&m), PROBES_NOT_PYTHON);
	*in_file = h;
	in_file->e_phoff = UINT64_MAX - 8;
	CHECK(state_of(&m) != PROBES_USABLE);
	*in_file = h;
	in_file->e_shstrndx = 0xfff0;
	CHECK(state_of(&m) != PROBES_USABLE);
}

/* ---- anything ---- */

static void check_truncated(void)
{
	struct made m;
	size_t usable = 0;

	made_build(&m, &good);
	for (size_t size = 0; size < m.size; size++) {
		struct probes p = read_bytes(m.bytes, size);

		usable += p.state == PROBES_USABLE;
		probes_free(&p);
	}
	/* The headers of the sections are at the end, and that of the names is the
	 * last. */
	CHECK_INT(usable, 0);
}

/* Change a few bytes, more often than not where the structure is. */
static void mutate(uint8_t *bytes, const struct made *m)
{
	static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };

	for (uint32_t n = check_below(4) + 1; n--;) {
		size_t at = check_below(2) ? m->notes + check_below(m->size - m->notes)
			    : check_below(2)
				    ? check_below(m->segments +
						  MADE_SEGMENTS * sizeof(Elf64_Phdr))
				    : check_below(m->size);

		bytes[at] = check_below(2) ? values[check_below(sizeof(values))]
					   : check_below(256);
	}
}

static bool is_sane(const struct probes *p, const struct made *m)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->probes[i].offset >= m->size ||
		    p->probes[i].semaphore > m->size - 2)
			return false;
	return p->state != PROBES_USABLE || p->count >= 2;
}

static void check_mutations(void)
{
	struct recipe r = { true, V315, MADE_BASE, true, good_notes };
	uint8_t bytes[sizeof(((struct made *)0)->bytes)];
	int fd, insane = 0;
	struct probes p;
	struct made m;
	struct loader loader;

	made_build(&m, &r);
	fd = made_open(m.bytes, m.size);
	for (int i = 0; i < MUTATIONS; i++) {
		memcpy(bytes, m.bytes, m.size);
		mutate(bytes, &m);
		insane += pwrite(fd, bytes, m.size, 0) != (ssize_t)m.size ||
			  probes_read(fd, SOURCE_SDT, &p);
		insane += !is_sane(&p, &m) || !*probes_explain(&p);
		probes_free(&p);
		probes_read_loader(fd, &loader);
	}
	CHECK_INT(insane, 0);
	close(fd);
}

int main(void)
{
	check_judged();
	check_good();
	check_prelink();
	check_refused();
	check_too_many();
	check_foreign();
	check_no_elf();
	check_loader();
	check_bad_notes();
	check_short_notes();
	check_bad_segments();
	check_bad_sections();
	check_bad_header();
	check_truncated();
	check_mutations();
	return check_done();
}

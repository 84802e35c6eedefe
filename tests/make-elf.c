// SPDX-License-Identifier: GPL-2.0-or-later
/* Small ELF files made in memory. */
#include <config.h>

#include "make-elf.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__aarch64__)
enum { MACHINE = EM_AARCH64 };
#else
enum { MACHINE = EM_X86_64 };
#endif

enum { SYMBOLS_MAX = 16 };

static const struct {
	uint64_t address, offset;
	uint32_t flags;
} segments[MADE_SEGMENTS] = {
	{ MADE_TEXT, MADE_TEXT_OFFSET, PF_R | PF_X },
	{ MADE_DATA, MADE_DATA_OFFSET, PF_R | PF_W },
	{ MADE_CONST, MADE_CONST_OFFSET, PF_R },
};

static const char *const section_names[MADE_SECTIONS] = {
	"", ".note.stapsdt", ".stapsdt.base", ".dynsym", ".dynstr", ".shstrtab",
};

/* Append to the file; returns where. */
static size_t append(struct made *m, const void *data, size_t size)
{
	size_t at = m->size;

	if (size > sizeof(m->bytes) - at)
		abort();
	memcpy(m->bytes + at, data, size);
	m->size += size;
	return at;
}

static void align(struct made *m)
{
	static const uint8_t zeros[8];

	append(m, zeros, -m->size & 7);
}

static void put_segments(struct made *m)
{
	m->segments = m->size;
	for (size_t i = 0; i < MADE_SEGMENTS; i++) {
		Elf64_Phdr p = {
			.p_type = PT_LOAD,
			.p_flags = segments[i].flags,
			.p_offset = segments[i].offset,
			.p_vaddr = segments[i].address,
			.p_filesz = MADE_SEGMENT,
			.p_memsz = MADE_SEGMENT,
		};

		append(m, &p, sizeof(p));
	}
	m->size = MADE_CONST_OFFSET + MADE_SEGMENT;
}

/* _Py_DebugOffsets of 3.15: a cookie, the version, no free threading, and offsets. */
static void put_runtime(struct made *m, uint32_t version)
{
	static const uint8_t eval[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0x55 };
	static const uint8_t current[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0x64,
					   0x48, 0x8b, 0x04, 0x25, (uint8_t)MADE_TLS,
					   0xff, 0xff, 0xff, 0xc3 };
	uint64_t words[60] = { 0 };

	memcpy(words, "xdebugpy", 8);
	words[1] = version;
	for (size_t i = 3; i < 60; i++)
		words[i] = 8 * i;
	memcpy(m->bytes + MADE_DATA_OFFSET + (MADE_RUNTIME - MADE_DATA), words,
	       sizeof(words));
	memcpy(m->bytes + MADE_TEXT_OFFSET, eval, sizeof(eval));
	memcpy(m->bytes + MADE_TEXT_OFFSET + (MADE_CURRENT - MADE_TEXT), current,
	       sizeof(current));
}

static void put_string(uint8_t **out, const char *s)
{
	memcpy(*out, s, strlen(s) + 1);
	*out += strlen(s) + 1;
}

size_t made_put_note(uint8_t *out, const struct made_note *n)
{
	uint64_t addresses[3] = { n->location, n->base, n->semaphore };
	uint8_t *end = out + sizeof(Elf64_Nhdr) + 8;
	Elf64_Nhdr header = { 8, 0, 3 };

	memcpy(out + sizeof(header), "stapsdt", 8);
	memcpy(end, addresses, sizeof(addresses));
	end += sizeof(addresses);
	put_string(&end, n->provider);
	put_string(&end, n->name);
	put_string(&end, n->args);
	header.n_descsz = end - out - sizeof(header) - 8;
	memcpy(out, &header, sizeof(header));
	while ((end - out) % 4)
		*end++ = '\0';
	return end - out;
}

static void put_notes(struct made *m, const struct made_note *n)
{
	uint8_t one[512];

	align(m);
	m->notes = m->size;
	for (; n && n->provider; n++)
		append(m, one, made_put_note(one, n));
	m->notes_size = m->size - m->notes;
}

struct symbols {
	Elf64_Sym list[SYMBOLS_MAX];
	size_t count;
	uint8_t names[512], *end;
};

static void add_symbol(struct symbols *s, const char *name, uint64_t address)
{
	s->list[s->count++] = (Elf64_Sym){ .st_name = s->end - s->names,
					   .st_value = address,
					   .st_shndx = SHN_ABS };
	put_string(&s->end, name);
}

static void choose_symbols(struct symbols *s, const struct recipe *r)
{
	*s = (struct symbols){ .count = 1 };
	s->end = s->names + 1;
	/* One that is only used here is not the one that is looked for. */
	add_symbol(s, "_PyEval_EvalFrameDefault", 0);
	s->list[1].st_shndx = SHN_UNDEF;
	add_symbol(s, "_dl_debug_state", MADE_DEBUG_STATE);
	if (r->is_python)
		add_symbol(s, "_PyEval_EvalFrameDefault", MADE_EVAL);
	if (r->version)
		add_symbol(s, "Py_Version", MADE_VERSION);
	if (r->version >> 16 == 0x030f) {
		add_symbol(s, "_PyRuntime", MADE_RUNTIME);
		add_symbol(s, "_PyThreadState_GetCurrent", MADE_CURRENT);
		add_symbol(s, "PyUnstable_InterpreterFrame_GetLine", MADE_GET_LINE);
		add_symbol(s, "PyCode_Type", MADE_CODE_TYPE);
		add_symbol(s, "PyUnicode_Type", MADE_STR_TYPE);
	}
}

static void put_section_names(struct made *m, Elf64_Shdr *headers)
{
	size_t start = m->size;

	for (size_t i = 0; i < MADE_SECTIONS; i++)
		headers[i].sh_name =
			append(m, section_names[i], strlen(section_names[i]) + 1) - start;
	headers[MADE_SHSTRTAB].sh_offset = start;
	headers[MADE_SHSTRTAB].sh_size = m->size - start;
	headers[MADE_SHSTRTAB].sh_type = SHT_STRTAB;
}

static void put_sections(struct made *m, const struct recipe *r)
{
	Elf64_Shdr headers[MADE_SECTIONS] = { 0 };
	struct symbols s;

	choose_symbols(&s, r);
	put_notes(m, r->notes);
	align(m);
	headers[MADE_NOTES_SECTION] = (Elf64_Shdr){ .sh_type = SHT_NOTE,
						    .sh_offset = m->notes,
						    .sh_size = m->notes_size };
	headers[MADE_BASE_SECTION] =
		(Elf64_Shdr){ .sh_type = SHT_PROGBITS,
			      .sh_addr = r->base,
			      .sh_size = 1,
			      .sh_offset = MADE_CONST_OFFSET + (MADE_BASE - MADE_CONST) };
	headers[MADE_DYNSYM] =
		(Elf64_Shdr){ .sh_type = SHT_DYNSYM,
			      .sh_link = MADE_DYNSTR,
			      .sh_entsize = sizeof(Elf64_Sym),
			      .sh_size = s.count * sizeof(Elf64_Sym),
			      .sh_offset =
				      append(m, s.list, s.count * sizeof(Elf64_Sym)) };
	headers[MADE_DYNSTR] =
		(Elf64_Shdr){ .sh_type = SHT_STRTAB,
			      .sh_size = s.end - s.names,
			      .sh_offset = append(m, s.names, s.end - s.names) };
	put_section_names(m, headers);
	if (!r->has_notes)
		headers[MADE_NOTES_SECTION].sh_name = 0;
	if (!r->base)
		headers[MADE_BASE_SECTION].sh_name = 0;
	align(m);
	m->sections = append(m, headers, sizeof(headers));
}

void made_build(struct made *m, const struct recipe *r)
{
	Elf64_Ehdr h = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_DYN,
		.e_machine = MACHINE,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(h),
		.e_phoff = sizeof(h),
		.e_phnum = MADE_SEGMENTS,
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = MADE_SECTIONS,
		.e_shstrndx = MADE_SHSTRTAB,
	};

	memset(m, 0, sizeof(*m));
	append(m, &h, sizeof(h));
	put_segments(m);
	memcpy(m->bytes + MADE_CONST_OFFSET, &r->version, sizeof(r->version));
	if (r->version >> 16 == 0x030f)
		put_runtime(m, r->version);
	put_sections(m, r);
	h.e_shoff = m->sections;
	memcpy(m->bytes, &h, sizeof(h));
}

int made_open(const void *bytes, size_t size)
{
	int fd = memfd_create("made", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	return fd;
}

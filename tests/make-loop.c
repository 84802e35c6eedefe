// SPDX-License-Identifier: GPL-2.0-or-later
/* Small ELF files made in memory that look like CPythons without probes. */
#include <config.h>

#include "make-loop.h"

#include <stdlib.h>
#include <string.h>

#include "probes-cpython.h"

enum { FRAME_INSTR_AT = 0x38, FRAME_OWNER_AT = 0x46, ROOM = 0x40, TP_DEALLOC = 48 };

static const char *const section_names[LOOP_SECTIONS] = {
	"",	   ".text",   ".plt",	   ".data.rel.ro", ".data",
	".dynsym", ".dynstr", ".rela.dyn", ".shstrtab",
};

static const struct {
	const char *name;
	uint64_t address;
} symbols[LOOP_SYMBOLS] = {
	[SYMBOL_EVAL] = { "_PyEval_EvalFrameDefault", LOOP_EVAL },
	[SYMBOL_VERSION] = { "Py_Version", LOOP_VERSION },
	[SYMBOL_RUNTIME] = { "_PyRuntime", LOOP_RUNTIME },
	[SYMBOL_CODE_TYPE] = { "PyCode_Type", LOOP_CODE_TYPE },
	[SYMBOL_CLEAR] = { "_PyEval_FrameClearAndPop", LOOP_CLEAR },
};

void loop_put(struct loop_recipe *l, uint64_t address, const uint8_t *code, size_t size)
{
	uint8_t *out = l->text + (address - LOOP_TEXT);

	if (address < LOOP_TEXT || address - LOOP_TEXT + size > sizeof(l->text))
		abort();
	memcpy(out, code, size);
	for (size_t i = 0; i + 4 <= size; i++) {
		int32_t to = LOOP_TEXT + out[i] + (out[i + 1] << 8);

		if (out[i + 2] != 0x77 || out[i + 3] != 0x7e)
			continue;
		to -= address + i + 4;
		memcpy(out + i, &to, sizeof(to));
		i += 3;
	}
}

#define PUT(l, address, ...)                                   \
	do {                                                   \
		static const uint8_t code[] = { __VA_ARGS__ }; \
		loop_put(l, address, code, sizeof(code));      \
	} while (0)

uint64_t loop_handler(struct loop_recipe *l, uint8_t op, unsigned int slot,
		      const uint8_t *code, size_t size)
{
	l->table[op] = LOOP_CODE + slot * ROOM;
	loop_put(l, l->table[op], code, size);
	return l->table[op];
}

/* Each opcode at its slot, and those that do not exist at the slot of the first of them,
 * with no store. */
static void put_handlers(struct loop_recipe *l, const struct cpython *v)
{
	static const uint8_t usual[] = { STORE, NEXT, CALL(LOOP_OTHER), DISPATCH };
	static const uint8_t unknown[] = { CALL(LOOP_OTHER), 0x0f, 0x0b };
	uint64_t none = LOOP_TEXT + v->unused[0].first * LOOP_SLOT;

	for (unsigned int op = 0; op < LOOP_OPCODES; op++) {
		l->table[op] = LOOP_TEXT + op * LOOP_SLOT;
		loop_put(l, l->table[op], usual, sizeof(usual));
	}
	loop_put(l, none, unknown, sizeof(unknown));
	for (size_t i = 0; i < sizeof(v->unused) / sizeof(v->unused[0]); i++)
		for (unsigned int op = v->unused[i].first; op && op <= v->unused[i].last;
		     op++)
			l->table[op] = none;
}

static void put_functions(struct loop_recipe *l)
{
	/* endbr64; push %rbp; ret */
	PUT(l, LOOP_EVAL, 0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x5d, 0xc3);
	/* push %r15; cmpb; pop %r15; ret */
	PUT(l, LOOP_CLEAR, 0x41, 0x57, ASK_OWNER, 0x41, 0x5f, 0xc3);
	/* mov 8(%rdi),%rax; push %rax; pop %rax; ret */
	PUT(l, LOOP_DEALLOC, 0x48, 0x8b, 0x47, 0x08, 0x50, 0x58, 0xc3);
	PUT(l, LOOP_OTHER, 0xc3);
}

/* 3.11: RETURN_VALUE and RETURN_GENERATOR ask in their own code, an exception at
 * LOOP_ERROR, to which another handler goes. */
static void put_questions(struct loop_recipe *l, const struct cpython *v)
{
	static const uint8_t end[] = { STORE, 0x90, 0x90,     QUESTION, /* jne .+2 */
				       0x75,  0x02, DISPATCH, 0xc3 };
	static const uint8_t error[] = { /* test %rax,%rax; je */ 0x48,
					 0x85,
					 0xc0,
					 0x0f,
					 0x84,
					 TO(LOOP_ERROR),
					 DISPATCH };
	static const uint8_t unwind[] = { QUESTION, 0x75, 0x02, DISPATCH, 0xc3 };

	loop_handler(l, v->leave[0], 14, end, sizeof(end));
	loop_handler(l, v->made, 13, end, sizeof(end));
	loop_put(l, LOOP_TEXT + LOOP_SLOT, error, sizeof(error));
	loop_put(l, LOOP_ERROR, unwind, sizeof(unwind));
}

static void put_clear(struct loop_recipe *l, const struct cpython *v)
{
	static const uint8_t code[] = {
		STORE,
		0x4c,
		0x89,
		0xee, /* mov %r13,%rsi */
		CALL(LOOP_CLEAR),
		DISPATCH,
	};

	loop_handler(l, v->leave[0], 14, code, sizeof(code));
}

/* Offsets as good as any: only the frame's instruction and owner matter. */
static void fill_debug(struct loop_recipe *l, const struct cpython *v)
{
	memcpy(l->debug, "xdebugpy", 8);
	l->debug[1] = l->version;
	for (size_t i = 3; i < LOOP_WORDS; i++)
		l->debug[i] = 8 * i;
	l->debug[v->indices[FRAME_INSTR]] = FRAME_INSTR_AT;
	l->debug[v->indices[FRAME_OWNER]] = FRAME_OWNER_AT;
}

void loop_init(struct loop_recipe *l, uint32_t version)
{
	const struct cpython *v = cpython_find(version);

	memset(l, 0, sizeof(*l));
	l->version = version;
	l->dealloc = LOOP_DEALLOC;
	for (size_t i = 0; i < LOOP_SYMBOLS; i++)
		l->symbols[i] = symbols[i].name;
	memset(l->text, 0xcc, sizeof(l->text));
	put_functions(l);
	put_handlers(l, v);
	if (v->offsets[FRAME_IS_ENTRY])
		put_questions(l, v);
	else
		put_clear(l, v);
	if (v->minor >= FIRST_DEBUG_OFFSETS)
		fill_debug(l, v);
	else
		l->symbols[SYMBOL_CLEAR] = NULL;
}

void loop_relocate(struct loop_recipe *l, uint64_t address, uint64_t value, uint32_t type)
{
	if (l->rela_count == LOOP_RELAS)
		abort();
	l->relas[l->rela_count++] = (Elf64_Rela){
		.r_offset = address,
		.r_info = ELF64_R_INFO(0, type),
		.r_addend = value,
	};
}

/* ---- the file ---- */

static size_t append(struct made *m, const void *data, size_t size)
{
	size_t at = m->size;

	if (size > sizeof(m->bytes) - at)
		abort();
	if (size)
		memcpy(m->bytes + at, data, size);
	m->size += size;
	return at;
}

/* A file that is being made. */
struct making {
	struct made *m;
	Elf64_Shdr s[LOOP_SECTIONS];
};

/* Append what is in a section. */
static Elf64_Shdr *put(struct making *g, enum loop_section which, uint32_t type,
		       uint64_t flags, const void *data, size_t size)
{
	Elf64_Shdr *s = &g->s[which];

	s->sh_type = type;
	s->sh_flags = flags;
	s->sh_offset = append(g->m, data, size);
	s->sh_size = size;
	return s;
}

static void put_symbols(struct making *g, const struct loop_recipe *l)
{
	Elf64_Sym list[1 + LOOP_SYMBOLS] = { 0 };
	char names[256] = "";
	size_t size = 1, count = 1;
	Elf64_Shdr *s;

	for (size_t i = 0; i < LOOP_SYMBOLS; i++) {
		if (!l->symbols[i])
			continue;
		list[count++] = (Elf64_Sym){ .st_name = size,
					     .st_value = symbols[i].address,
					     .st_shndx = SHN_ABS };
		if (i == SYMBOL_EVAL)
			list[count - 1].st_size = l->eval_size;
		strcpy(names + size, l->symbols[i]);
		size += strlen(l->symbols[i]) + 1;
	}
	s = put(g, LOOP_DYNSYM, SHT_DYNSYM, SHF_ALLOC, list, count * sizeof(*list));
	s->sh_link = LOOP_DYNSTR;
	s->sh_entsize = sizeof(*list);
	put(g, LOOP_DYNSTR, SHT_STRTAB, SHF_ALLOC, names, size);
}

static void put_section_names(struct making *g)
{
	char names[128] = "";
	size_t size = 0;

	for (size_t i = 0; i < LOOP_SECTIONS; i++) {
		g->s[i].sh_name = size;
		strcpy(names + size, section_names[i]);
		size += strlen(section_names[i]) + 1;
	}
	put(g, LOOP_SHSTRTAB, SHT_STRTAB, 0, names, size);
}

static void put_code(struct making *g, const struct loop_recipe *l)
{
	uint64_t flags = SHF_ALLOC | SHF_EXECINSTR;
	uint8_t plt[LOOP_PLT_SIZE];

	memset(plt, 0x90, sizeof(plt));
	put(g, LOOP_TEXT_SECTION, SHT_PROGBITS, flags, l->text, sizeof(l->text))
		->sh_addr = LOOP_TEXT;
	put(g, LOOP_PLT_SECTION, SHT_PROGBITS, flags, plt, sizeof(plt))->sh_addr =
		LOOP_PLT;
}

/* The pointers into their place, or where the dynamic loader takes them from. */
static void place_pointers(struct loop_recipe *l, uint8_t *data)
{
	uint64_t dealloc = LOOP_CODE_TYPE + TP_DEALLOC;

	if (!l->is_pie) {
		memcpy(l->tables + l->table_at, l->table, sizeof(l->table));
		memcpy(data + (dealloc - LOOP_DATA), &l->dealloc, sizeof(l->dealloc));
		return;
	}
	for (unsigned int op = LOOP_OPCODES; op--;)
		loop_relocate(l, LOOP_TABLES + l->table_at + op * 8, l->table[op],
			      R_X86_64_RELATIVE);
	loop_relocate(l, dealloc, l->dealloc, R_X86_64_RELATIVE);
}

static void put_data(struct making *g, struct loop_recipe *l)
{
	uint64_t flags = SHF_ALLOC | SHF_WRITE;
	uint8_t data[LOOP_DATA_SIZE] = { 0 };

	place_pointers(l, data);
	memcpy(data, &l->version, sizeof(l->version));
	memcpy(data + (LOOP_RUNTIME - LOOP_DATA), l->debug, sizeof(l->debug));
	put(g, LOOP_TABLES_SECTION, SHT_PROGBITS, flags, l->tables, sizeof(l->tables))
		->sh_addr = LOOP_TABLES;
	put(g, LOOP_DATA_SECTION, SHT_PROGBITS, flags, data, sizeof(data))->sh_addr =
		LOOP_DATA;
	put(g, LOOP_RELA, SHT_RELA, SHF_ALLOC, l->relas,
	    l->rela_count * sizeof(*l->relas))
		->sh_entsize = sizeof(*l->relas);
}

/* The headers and symbols first: so a file that is cut off may have them, and not what
 * they speak of. */
static void put_sections(struct made *m, struct loop_recipe *l)
{
	struct making g = { .m = m };

	m->sections = append(m, g.s, sizeof(g.s));
	put_symbols(&g, l);
	put_section_names(&g);
	if (m->size > LOOP_TEXT_OFFSET)
		abort();
	m->size = LOOP_TEXT_OFFSET;
	put_code(&g, l);
	put_data(&g, l);
	memcpy(m->bytes + m->sections, g.s, sizeof(g.s));
}

static void put_segments(struct made *m)
{
	static const Elf64_Phdr segments[] = {
		{ .p_type = PT_LOAD,
		  .p_flags = PF_R | PF_X,
		  .p_offset = LOOP_TEXT_OFFSET,
		  .p_vaddr = LOOP_TEXT,
		  .p_filesz = LOOP_TEXT_SIZE + LOOP_PLT_SIZE },
		{ .p_type = PT_LOAD,
		  .p_flags = PF_R | PF_W,
		  .p_offset = LOOP_TEXT_OFFSET + LOOP_TEXT_SIZE + LOOP_PLT_SIZE,
		  .p_vaddr = LOOP_TABLES,
		  .p_filesz = LOOP_TABLES_SIZE },
		{ .p_type = PT_LOAD,
		  .p_flags = PF_R | PF_W,
		  .p_offset = LOOP_TEXT_OFFSET + LOOP_TEXT_SIZE + LOOP_PLT_SIZE +
			      LOOP_TABLES_SIZE,
		  .p_vaddr = LOOP_DATA,
		  .p_filesz = LOOP_DATA_SIZE },
	};

	m->segments = append(m, segments, sizeof(segments));
}

void loop_build(struct made *m, const struct loop_recipe *recipe)
{
	struct loop_recipe l = *recipe;
	Elf64_Ehdr h = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(h),
		.e_phoff = sizeof(h),
		.e_phnum = 3,
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = LOOP_SECTIONS,
		.e_shstrndx = LOOP_SHSTRTAB,
	};

	memset(m, 0, sizeof(*m));
	append(m, &h, sizeof(h));
	put_segments(m);
	put_sections(m, &l);
	h.e_shoff = m->sections;
	memcpy(m->bytes, &h, sizeof(h));
}

Elf64_Shdr *loop_section(struct made *m, enum loop_section which)
{
	return (Elf64_Shdr *)(m->bytes + m->sections) + which;
}

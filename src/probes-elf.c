// SPDX-License-Identifier: GPL-2.0-or-later
/* ELF by libelf, with every length checked before it is used. */
#include <config.h>

#include "probes-elf.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xalloc.h"

/* Nothing that holds a Python comes near. */
enum { MAX_SYMBOLS = 1 << 20, MAX_SECTION = 128 << 20, MAX_DYNAMIC = 4096 };

/* Sections that are looked at because of what they are, all together. */
enum { MAX_SECTIONS = 256 << 20 };

/* Before libelf sees it: it allocates for as many sections as the file claims to have.
 * Numbers of them that do not fit into the header, and take more than 65279, are
 * refused. */
static int check_header(int fd, struct elf *e)
{
	struct stat st;
	Elf64_Ehdr h;
	ssize_t n;

	if (fstat(fd, &st))
		return -errno;
	/* Reading from a device that is mapped might block. */
	if (!S_ISREG(st.st_mode))
		return -ENOEXEC;
	n = pread(fd, &h, sizeof(h), 0);
	if (n < 0)
		return -errno;
	if (n < EI_NIDENT || memcmp(h.e_ident, ELFMAG, SELFMAG))
		return -ENOEXEC;
	if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB)
		return -ENOTSUP;
	if (n < (ssize_t)sizeof(h) || (h.e_shoff && !h.e_shnum) || h.e_phnum == PN_XNUM)
		return -EBADMSG;
	e->size = st.st_size;
	e->left = e->size < MAX_SECTIONS ? e->size : MAX_SECTIONS;
	return 0;
}

int elf_open(int fd, struct elf *e)
{
	int err;

	*e = (struct elf){ 0 };
	err = check_header(fd, e);
	if (err)
		return err;
	elf_version(EV_CURRENT);
	/* Not mapped: a file that shrinks meanwhile must not end us by SIGBUS. */
	e->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!e->elf || elf_kind(e->elf) != ELF_K_ELF) {
		elf_close(e);
		return -ENOEXEC;
	}
	if (!gelf_getehdr(e->elf, &e->header) || elf_getphdrnum(e->elf, &e->phnum) ||
	    elf_getshdrstrndx(e->elf, &e->shstrndx)) {
		elf_close(e);
		return -EBADMSG;
	}
	return 0;
}

void elf_close(struct elf *e)
{
	elf_end(e->elf);
	e->elf = NULL;
	free(e->pointers);
	e->pointers = NULL;
}

Elf_Data *elf_bytes(Elf_Scn *scn)
{
	GElf_Shdr shdr;
	Elf_Data *data;

	if (!gelf_getshdr(scn, &shdr) || shdr.sh_size > MAX_SECTION)
		return NULL;
	data = elf_rawdata(scn, NULL);
	return data && data->d_buf ? data : NULL;
}

/* Is that the string at `at` in a section? elf_strptr() is not for hostile files: each
 * call of it looks for the last NUL of the section, however long that is. */
static bool is_string(struct elf *e, size_t section, uint64_t at, const char *wanted)
{
	Elf_Scn *scn = elf_getscn(e->elf, section);
	Elf_Data *data = scn ? elf_bytes(scn) : NULL;
	size_t size = strlen(wanted) + 1;

	return data && at < data->d_size && size <= data->d_size - at &&
	       !memcmp((char *)data->d_buf + at, wanted, size);
}

bool elf_section(struct elf *e, const char *name, GElf_Shdr *shdr, Elf_Scn **scn)
{
	for (*scn = elf_nextscn(e->elf, NULL); *scn; *scn = elf_nextscn(e->elf, *scn))
		if (gelf_getshdr(*scn, shdr) &&
		    is_string(e, e->shstrndx, shdr->sh_name, name))
			return true;
	return false;
}

static bool fits(const GElf_Phdr *p, enum elf_need need)
{
	return p->p_type == PT_LOAD && (need != ELF_CODE || p->p_flags & PF_X) &&
	       (need != ELF_WRITABLE || p->p_flags & PF_W);
}

bool elf_offset(struct elf *e, uint64_t address, size_t size, enum elf_need need,
		uint64_t *offset)
{
	for (size_t i = 0; i < e->phnum; i++) {
		GElf_Phdr p;
		uint64_t in;

		if (!gelf_getphdr(e->elf, i, &p) || !fits(&p, need) ||
		    address < p.p_vaddr)
			continue;
		in = address - p.p_vaddr;
		if (in >= p.p_filesz || size > p.p_filesz - in ||
		    __builtin_add_overflow(p.p_offset, in, offset) || *offset > e->size ||
		    size > e->size - *offset)
			continue;
		return true;
	}
	return false;
}

bool elf_read(struct elf *e, uint64_t address, void *data, size_t size)
{
	uint64_t offset;
	Elf_Data *chunk;

	if (!elf_offset(e, address, size, ELF_ANY, &offset))
		return false;
	chunk = elf_getdata_rawchunk(e->elf, offset, size, ELF_T_BYTE);
	if (!chunk || !chunk->d_buf || chunk->d_size < size)
		return false;
	memcpy(data, chunk->d_buf, size);
	return true;
}

/* Those that move with the file: the only kind there is for what is local to it. Others
 * (SHT_RELR) have their value in their place. */
static bool is_relative(const struct elf *e, uint64_t info)
{
	return ELF64_R_TYPE(info) == (e->header.e_machine == EM_AARCH64
					      ? R_AARCH64_RELATIVE
					      : R_X86_64_RELATIVE);
}

/* Sections that together are larger than the file are a lie: without this, each of 65000
 * of them could be all of it. */
static Elf_Data *next_bytes(struct elf *e, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	if (shdr->sh_size > e->left)
		return NULL;
	e->left -= shdr->sh_size;
	return elf_bytes(scn);
}

static void add_pointers(struct elf *e, const Elf_Data *data)
{
	const char *p = data->d_buf;
	size_t count = data->d_size / sizeof(Elf64_Rela);

	e->pointers =
		xrealloc(e->pointers, e->pointer_count + count + 1, sizeof(*e->pointers));
	for (size_t i = 0; i < count; i++) {
		Elf64_Rela r;

		memcpy(&r, p + i * sizeof(r), sizeof(r));
		if (is_relative(e, r.r_info))
			e->pointers[e->pointer_count++] =
				(struct elf_pointer){ r.r_offset, r.r_addend };
	}
}

static int by_address(const void *a, const void *b)
{
	const struct elf_pointer *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

/* Many at one address would be gone through again for each section there. */
static void drop_doubles(struct elf *e)
{
	size_t count = 0;

	for (size_t i = 0; i < e->pointer_count; i++)
		if (!count || e->pointers[i].address != e->pointers[count - 1].address)
			e->pointers[count++] = e->pointers[i];
	e->pointer_count = count;
}

static void read_pointers(struct elf *e)
{
	if (e->has_pointers)
		return;
	e->has_pointers = true;
	for (Elf_Scn *scn = elf_nextscn(e->elf, NULL); scn;
	     scn = elf_nextscn(e->elf, scn)) {
		GElf_Shdr shdr;
		Elf_Data *data;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_RELA ||
		    !(shdr.sh_flags & SHF_ALLOC))
			continue;
		data = next_bytes(e, scn, &shdr);
		if (data && e->pointer_count < MAX_SYMBOLS)
			add_pointers(e, data);
	}
	if (e->pointers)
		qsort(e->pointers, e->pointer_count, sizeof(*e->pointers), by_address);
	drop_doubles(e);
}

/* The first that is not below the address. */
static size_t find_pointer(const struct elf *e, uint64_t address)
{
	size_t low = 0, high = e->pointer_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (e->pointers[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool elf_read_pointer(struct elf *e, uint64_t address, uint64_t *value)
{
	size_t i;

	read_pointers(e);
	i = find_pointer(e, address);
	if (i == e->pointer_count || e->pointers[i].address != address)
		return elf_read(e, address, value, sizeof(*value));
	*value = e->pointers[i].value;
	return true;
}

uint64_t *elf_pointers(struct elf *e, Elf_Scn *scn, uint64_t *address, size_t *count)
{
	Elf_Data *data;
	uint64_t *words;
	GElf_Shdr shdr;

	if (!gelf_getshdr(scn, &shdr))
		return NULL;
	data = next_bytes(e, scn, &shdr);
	if (!data || data->d_size < sizeof(*words))
		return NULL;
	read_pointers(e);
	*address = shdr.sh_addr;
	*count = data->d_size / sizeof(*words);
	words = xcalloc(*count, sizeof(*words));
	memcpy(words, data->d_buf, *count * sizeof(*words));
	for (size_t i = find_pointer(e, *address); i < e->pointer_count; i++) {
		uint64_t in = e->pointers[i].address - *address;

		if (in / sizeof(*words) >= *count)
			break;
		if (in % sizeof(*words) == 0)
			words[in / sizeof(*words)] = e->pointers[i].value;
	}
	return words;
}

static bool find_symbol(struct elf *e, const char *name, GElf_Sym *sym)
{
	GElf_Shdr shdr;
	Elf_Scn *scn;
	Elf_Data *data;

	if (!elf_section(e, ".dynsym", &shdr, &scn) || shdr.sh_type != SHT_DYNSYM)
		return false;
	data = elf_bytes(scn) ? elf_getdata(scn, NULL) : NULL;
	for (int i = 0; data && i < MAX_SYMBOLS && gelf_getsym(data, i, sym); i++)
		if (sym->st_shndx != SHN_UNDEF &&
		    is_string(e, shdr.sh_link, sym->st_name, name))
			return true;
	return false;
}

bool elf_symbol(struct elf *e, const char *name, uint64_t *address)
{
	GElf_Sym sym;

	if (!find_symbol(e, name, &sym))
		return false;
	*address = sym.st_value;
	return true;
}

bool elf_function(struct elf *e, const char *name, uint64_t *address, uint64_t *size)
{
	GElf_Sym sym;

	if (!find_symbol(e, name, &sym))
		return false;
	*address = sym.st_value;
	*size = sym.st_size;
	return true;
}

/* The string at `at` in a section, if its last component begins so; less than PATH_MAX.
 */
static char *copy_string(struct elf *e, size_t section, uint64_t at, const char *prefix)
{
	Elf_Scn *scn = elf_getscn(e->elf, section);
	Elf_Data *data = scn ? elf_bytes(scn) : NULL;
	const char *s, *slash;
	size_t size;

	if (!data || at >= data->d_size)
		return NULL;
	s = (const char *)data->d_buf + at;
	size = strnlen(s, data->d_size - at);
	if (size == data->d_size - at || size >= PATH_MAX)
		return NULL;
	slash = strrchr(s, '/');
	return strncmp(slash ? slash + 1 : s, prefix, strlen(prefix)) ? NULL : xstrdup(s);
}

char *elf_dynamic(struct elf *e, int64_t tag, const char *prefix)
{
	GElf_Shdr shdr;
	Elf_Scn *scn;
	Elf_Data *data;
	GElf_Dyn dyn;

	if (!elf_section(e, ".dynamic", &shdr, &scn) || shdr.sh_type != SHT_DYNAMIC)
		return NULL;
	data = elf_bytes(scn) ? elf_getdata(scn, NULL) : NULL;
	for (int i = 0; data && i < MAX_DYNAMIC && gelf_getdyn(data, i, &dyn); i++) {
		char *s = dyn.d_tag == tag
				  ? copy_string(e, shdr.sh_link, dyn.d_un.d_val, prefix)
				  : NULL;

		if (s || dyn.d_tag == DT_NULL)
			return s;
	}
	return NULL;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* ELF by libelf, with every length checked before it is used. */
#include <config.h>

#include "probes-elf.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nothing that holds a Python comes near. */
enum { MAX_SYMBOLS = 1 << 20, MAX_SECTION = 128 << 20 };

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

bool elf_symbol(struct elf *e, const char *name, uint64_t *address)
{
	GElf_Shdr shdr;
	Elf_Scn *scn;
	Elf_Data *data;
	GElf_Sym sym;

	if (!elf_section(e, ".dynsym", &shdr, &scn) || shdr.sh_type != SHT_DYNSYM)
		return false;
	data = elf_bytes(scn) ? elf_getdata(scn, NULL) : NULL;
	for (int i = 0; data && i < MAX_SYMBOLS && gelf_getsym(data, i, &sym); i++) {
		if (sym.st_shndx != SHN_UNDEF &&
		    is_string(e, shdr.sh_link, sym.st_name, name)) {
			*address = sym.st_value;
			return true;
		}
	}
	return false;
}

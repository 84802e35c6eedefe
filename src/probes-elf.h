/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the probe sources ask of an ELF file. Every number in it may be a lie. */
#ifndef PYFLOW_PROBES_ELF_H
#define PYFLOW_PROBES_ELF_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A pointer that the dynamic loader fills in, and its value before the file is moved. */
struct elf_pointer {
	uint64_t address, value;
};

struct elf {
	Elf *elf;
	GElf_Ehdr header;
	uint64_t size; /* of the file */
	uint64_t left; /* bytes of sections that may yet be looked at */
	size_t phnum;
	size_t shstrndx;
	struct elf_pointer *pointers; /* by address; read when first asked for */
	size_t pointer_count;
	bool has_pointers;
};

enum elf_need { ELF_CODE, ELF_WRITABLE, ELF_ANY };

/* Open the 64-bit little-endian ELF file at fd, which stays open and the caller's. 0,
 * -ENOEXEC if it is no ELF file, -ENOTSUP if it is one of another kind, -EBADMSG if it is
 * malformed, or what reading it gave. */
int elf_open(int fd, struct elf *e);
void elf_close(struct elf *e);

/* The section of that name; false if there is none. */
bool elf_section(struct elf *e, const char *name, GElf_Shdr *shdr, Elf_Scn **scn);

/* Its bytes as they stand in the file, owned by e; NULL if they are not all in the file,
 * or there are none, or absurdly many. */
Elf_Data *elf_bytes(Elf_Scn *scn);

/* Turn an address into a file offset through a loaded segment of that kind that holds
 * size bytes from there on in the file. False if there is none. */
bool elf_offset(struct elf *e, uint64_t address, size_t size, enum elf_need need,
		uint64_t *offset);

/* Read size bytes at an address from the file. */
bool elf_read(struct elf *e, uint64_t address, void *data, size_t size);

/* The pointer at an address, as it is once the file was loaded where it wants to be. */
bool elf_read_pointer(struct elf *e, uint64_t address, uint64_t *value);

/* A section's contents as pointers, likewise; NULL if there are none, or if those asked
 * for so far are more than the file can have. The caller frees. */
uint64_t *elf_pointers(struct elf *e, Elf_Scn *scn, uint64_t *address, size_t *count);

/* The first string of that tag in the dynamic section (DT_NEEDED and the like) whose last
 * component begins with prefix; NULL if there is none. The caller frees it. */
char *elf_dynamic(struct elf *e, int64_t tag, const char *prefix);

/* The address of a symbol that the file defines for others (.dynsym). */
bool elf_symbol(struct elf *e, const char *name, uint64_t *address);

/* The same of a function, with its size in bytes. */
bool elf_function(struct elf *e, const char *name, uint64_t *address, uint64_t *size);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/* SystemTap's probes, read from .note.stapsdt. */
#include <config.h>

#include "probes-sdt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "probe-args.h"
#include "xalloc.h"

enum { NT_STAPSDT = 3, NOTE_ADDRESSES = 3 * sizeof(uint64_t) };

/* What of Python's probes we use. */
static const struct {
	const char *name;
	enum probe_kind kind;
} wanted[] = {
	{ "function__entry", PROBE_ENTER },
	{ "function__return", PROBE_LEAVE },
};

struct reading {
	struct elf *elf;
	struct probes *probes;
	size_t notes; /* of provider python, whatever their names */
};

/* The string at *s, and *s behind its NUL; NULL if there is none before end. */
static const char *take_string(const char **s, const char *end)
{
	const char *start = *s;
	const char *nul = start < end ? memchr(start, '\0', end - start) : NULL;

	if (!nul)
		return NULL;
	*s = nul + 1;
	return start;
}

/* Prelink may have moved the file without changing the notes: .stapsdt.base tells how
 * far. */
static bool parse_note(const char *desc, size_t size, uint64_t base, struct note *note)
{
	const char *end = desc + size;
	uint64_t addresses[3];

	if (size < NOTE_ADDRESSES)
		return false;
	memcpy(addresses, desc, sizeof(addresses));
	desc += NOTE_ADDRESSES;
	note->location = addresses[0] + (base ? base - addresses[1] : 0);
	note->semaphore = addresses[2] ? addresses[2] + (base ? base - addresses[1] : 0)
				       : 0;
	note->provider = take_string(&desc, end);
	note->name = note->provider ? take_string(&desc, end) : NULL;
	note->args = note->name ? take_string(&desc, end) : NULL;
	return note->args;
}

static bool is_stapsdt(const GElf_Nhdr *n, const char *name)
{
	return n->n_type == NT_STAPSDT && n->n_namesz == sizeof("stapsdt") &&
	       !memcmp(name, "stapsdt", sizeof("stapsdt"));
}

static size_t padded(uint32_t size)
{
	return ((size_t)size + 3) & ~(size_t)3;
}

int notes_walk(const void *data, size_t size, uint64_t base,
	       int (*found)(const struct note *note, void *arg), void *arg)
{
	const char *p = data, *end = p + size;

	while ((size_t)(end - p) >= sizeof(GElf_Nhdr)) {
		struct note note;
		GElf_Nhdr n;
		int stop;

		memcpy(&n, p, sizeof(n));
		p += sizeof(n);
		/* The last descriptor may end without its padding. */
		if (padded(n.n_namesz) > (size_t)(end - p) ||
		    n.n_descsz > (size_t)(end - p) - padded(n.n_namesz))
			return -EBADMSG;
		if (is_stapsdt(&n, p)) {
			if (!parse_note(p + padded(n.n_namesz), n.n_descsz, base, &note))
				return -EBADMSG;
			stop = found(&note, arg);
			if (stop)
				return stop;
		}
		p += padded(n.n_namesz);
		p += padded(n.n_descsz) < (size_t)(end - p) ? padded(n.n_descsz)
							    : (size_t)(end - p);
	}
	return p == end ? 0 : -EBADMSG;
}

static int malformed(struct probes *p, const char *what, const struct note *note)
{
	p->state = PROBES_MALFORMED;
	snprintf(p->detail, sizeof(p->detail),
		 "probe %s: %s (address 0x%llx, arguments \"%s\")", note->name, what,
		 (unsigned long long)note->location, note->args);
	return -EBADMSG;
}

/* file, function, line: Include/pydtrace.d of CPython. */
static int parse_args(struct reading *r, const struct note *note, struct site *site)
{
	struct operand ops[3];
	enum probe_machine machine =
		r->elf->header.e_machine == EM_AARCH64 ? PROBE_AARCH64 : PROBE_X86_64;

	if (probe_args_parse(machine, note->args, ops, 3) < 3)
		return malformed(r->probes, "its arguments are not understood", note);
	site->file = ops[0];
	site->func = ops[1];
	site->line = ops[2];
	return 0;
}

static int add_probe(struct reading *r, const struct note *note, enum probe_kind kind)
{
	struct probes *p = r->probes;
	struct probe new = { .kind = kind, .address = note->location };

	if (p->count == PROBES_MAX)
		return malformed(p, "there are too many of it", note);
	if (!elf_offset(r->elf, note->location, 1, ELF_CODE, &new.offset))
		return malformed(p, "it is not in the code", note);
	/* The kernel counts in 16 bits and wants them aligned (kernel/events/uprobes.c).
	 */
	if (note->semaphore &&
	    (note->semaphore % 2 ||
	     !elf_offset(r->elf, note->semaphore, 2, ELF_WRITABLE, &new.semaphore)))
		return malformed(p, "its semaphore is not in the data", note);
	if (parse_args(r, note, &new.site))
		return -EBADMSG;
	probes_add(p, &new);
	return 0;
}

static int found_note(const struct note *note, void *arg)
{
	struct reading *r = arg;

	if (strcmp(note->provider, "python"))
		return 0;
	r->notes++;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!strcmp(note->name, wanted[i].name))
			return add_probe(r, note, wanted[i].kind);
	return 0;
}

static bool has_probe(const struct probes *p, enum probe_kind kind)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->probes[i].kind == kind)
			return true;
	return false;
}

static enum probes_state judge(const struct reading *r)
{
	if (!r->notes)
		return PROBES_NONE;
	/* gh-98894: 3.11 has them compiled in, and jumps over the entry. */
	if (r->probes->version >> 16 == 0x030b)
		return PROBES_BROKEN;
	if (!has_probe(r->probes, PROBE_ENTER) || !has_probe(r->probes, PROBE_LEAVE))
		return PROBES_NO_FUNCTIONS;
	return PROBES_USABLE;
}

size_t probes_read_sdt(struct elf *e, struct probes *p)
{
	struct reading r = { .elf = e, .probes = p };
	GElf_Shdr shdr;
	Elf_Scn *scn;
	Elf_Data *data;
	uint64_t base;

	p->state = PROBES_NONE;
	base = elf_section(e, ".stapsdt.base", &shdr, &scn) ? shdr.sh_addr : 0;
	if (!elf_section(e, ".note.stapsdt", &shdr, &scn) || !shdr.sh_size)
		return 0;
	data = elf_bytes(scn);
	if (!data || notes_walk(data->d_buf, data->d_size, base, found_note, &r)) {
		if (p->state != PROBES_MALFORMED)
			snprintf(p->detail, sizeof(p->detail),
				 "its section .note.stapsdt is damaged");
		p->state = PROBES_MALFORMED;
		return r.notes;
	}
	p->state = judge(&r);
	return r.notes;
}

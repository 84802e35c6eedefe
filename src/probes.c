// SPDX-License-Identifier: GPL-2.0-or-later
/* One ELF file -> its probes, or why it has none. */
#include <config.h>

#include "probes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "probes-cpython.h"
#include "probes-elf.h"
#include "probes-sdt.h"

#if defined(__x86_64__)
enum { OUR_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { OUR_MACHINE = EM_AARCH64 };
#else
#error "pyflow does not know this kind of machine yet"
#endif

static const char *const explanations[] = {
	[PROBES_NOT_PYTHON] = "not a Python",
	[PROBES_USABLE] = "its function probes are usable",
	[PROBES_NONE] = "this Python was built without probes (no SDT notes; "
			"./configure --with-dtrace makes them)",
	[PROBES_NO_FUNCTIONS] =
		"this Python has probes, but none for functions (CPython 3.12 "
		"to 3.14 lost them)",
	[PROBES_BROKEN] = "this is Python 3.11, whose function__entry probe never fires",
	[PROBES_FOREIGN] = "not a 64-bit program of this kind of machine",
};

int probes_read(int fd, struct probes *p)
{
	struct elf e;
	int err = elf_open(fd, &e);

	*p = (struct probes){ .state = PROBES_NOT_PYTHON };
	if (err == -ENOTSUP)
		p->state = PROBES_FOREIGN;
	if (err)
		return err == -ENOTSUP || err == -ENOEXEC || err == -EBADMSG ? 0 : err;
	if (e.header.e_machine != OUR_MACHINE) {
		p->state = PROBES_FOREIGN;
	} else {
		bool is_cpython = cpython_recognize(&e, p);

		if (!probes_read_sdt(&e, p) && !is_cpython)
			p->state = PROBES_NOT_PYTHON;
		cpython_balance(&e, p);
		cpython_quicken(&e, p);
	}
	elf_close(&e);
	return 0;
}

void probes_free(struct probes *p)
{
	free(p->probes);
	p->probes = NULL;
	p->count = 0;
}

const char *probes_explain(const struct probes *p)
{
	return p->state == PROBES_MALFORMED ? p->detail : explanations[p->state];
}

int probes_read_loader(int fd, uint64_t *offset)
{
	uint64_t address;
	struct elf e;
	int err = elf_open(fd, &e);

	if (err)
		return err;
	err = e.header.e_machine == OUR_MACHINE &&
			      elf_symbol(&e, "_dl_debug_state", &address) &&
			      elf_offset(&e, address, 1, ELF_CODE, offset)
		      ? 0
		      : -ENOENT;
	elf_close(&e);
	return err;
}

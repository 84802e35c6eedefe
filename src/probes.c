// SPDX-License-Identifier: GPL-2.0-or-later
/* One ELF file -> its probes, or why it has none. */
#include <config.h>

#include "probes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "probes-cpython.h"
#include "probes-elf.h"
#include "probes-eval.h"
#include "probes-sdt.h"
#include "xalloc.h"

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

static void read_sdt(struct elf *e, struct probes *p, bool is_cpython)
{
	p->source = SOURCE_SDT;
	if (!probes_read_sdt(e, p) && !is_cpython)
		p->state = PROBES_NOT_PYTHON;
	cpython_balance(e, p);
	cpython_quicken(e, p);
}

static void read_eval(struct elf *e, struct probes *p, bool is_cpython)
{
	p->source = SOURCE_EVAL;
	if (is_cpython) {
		probes_read_eval(e, p);
	} else if (pypy_recognize(e)) {
		p->state = PROBES_UNKNOWN;
		snprintf(p->detail, sizeof(p->detail),
			 "this is PyPy, and pyflow understands CPython only");
	}
}

/* Neither source will do: say why of both. */
static void explain_both(struct probes *p, const char *sdt)
{
	char *eval = xstrdup(probes_explain(p));

	snprintf(p->detail, sizeof(p->detail), "%s; and %s", sdt, eval);
	p->state = PROBES_UNKNOWN;
	free(eval);
}

static void read_auto(struct elf *e, struct probes *p, bool is_cpython)
{
	char *sdt;

	read_sdt(e, p, is_cpython);
	if (p->state == PROBES_USABLE)
		return;
	if (p->state == PROBES_NOT_PYTHON) {
		read_eval(e, p, is_cpython);
		return;
	}
	sdt = xstrdup(probes_explain(p));
	probes_free(p);
	read_eval(e, p, is_cpython);
	if (p->state != PROBES_USABLE && p->state != PROBES_NOT_PYTHON)
		explain_both(p, sdt);
	free(sdt);
}

int probes_read(int fd, enum probe_source source, struct probes *p)
{
	static void (*const readers[])(struct elf *, struct probes *, bool) = {
		[SOURCE_AUTO] = read_auto,
		[SOURCE_SDT] = read_sdt,
		[SOURCE_EVAL] = read_eval,
	};
	struct elf e;
	int err = elf_open(fd, &e);

	*p = (struct probes){ .state = PROBES_NOT_PYTHON };
	if (err == -ENOTSUP)
		p->state = PROBES_FOREIGN;
	if (err)
		return err == -ENOTSUP || err == -ENOEXEC || err == -EBADMSG ? 0 : err;
	if (e.header.e_machine != OUR_MACHINE)
		p->state = PROBES_FOREIGN;
	else
		readers[source](&e, p, cpython_recognize(&e, p));
	elf_close(&e);
	return 0;
}

void probes_add(struct probes *p, const struct probe *probe)
{
	p->probes = xgrow(p->probes, p->count, sizeof(*p->probes));
	p->probes[p->count++] = *probe;
}

void probes_free(struct probes *p)
{
	free(p->probes);
	p->probes = NULL;
	p->count = 0;
}

const char *probes_explain(const struct probes *p)
{
	return p->detail[0] ? p->detail : explanations[p->state];
}

const char *probes_source_name(enum probe_source source)
{
	static const char *const names[] = { "auto", "sdt", "eval" };

	return names[source];
}

int probes_read_loader(int fd, struct loader *loader)
{
	uint64_t address, r_debug;
	struct elf e;
	int err = elf_open(fd, &e);

	if (err)
		return err;
	err = e.header.e_machine == OUR_MACHINE &&
			      elf_symbol(&e, "_dl_debug_state", &address) &&
			      elf_offset(&e, address, 1, ELF_CODE, &loader->offset)
		      ? 0
		      : -ENOENT;
	loader->distance = 0;
	if (!err && elf_symbol(&e, "_r_debug", &r_debug))
		loader->distance = r_debug - address;
	elf_close(&e);
	return err;
}

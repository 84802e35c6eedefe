// SPDX-License-Identifier: GPL-2.0-or-later
/* Does the kernel take the BPF object, as is usual and as before Linux 6.0, and how far
 * is each program from what the verifier is willing to look at? Needs root, and says so.
 */
#include <config.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../bpf/event.h"
#include "check.h"

/* What automake takes for skipped. */
enum { SKIPPED = 77 };

/* The verifier gives up at a million instructions. What it makes of a program differs
 * from version to version, so there must be some room. */
enum { MOST_OLD = 900000, MOST_USUAL = 300000 };

enum { BUFFER = 1 << 20 };

extern const char pyflow_bpf[], pyflow_bpf_end[];

/* So that a failure shows what the verifier said last: its whole log can be megabytes. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	enum { SHOWN = 1500 };
	char *text;
	int size;

	if (level != LIBBPF_WARN || (size = vasprintf(&text, format, args)) < 0)
		return 0;
	printf("%s", text + (size > SHOWN ? size - SHOWN : 0));
	free(text);
	return 0;
}

/* As attach.c does it. */
static struct bpf_object *open_object(uint32_t flags)
{
	struct settings settings = {
		.flags = flags,
		.wake_mark = BUFFER / 4,
		.stop_mark = BUFFER / 2,
		.long_fits = 1,
		.seed = 1,
		/* So that nothing is left out. */
		.ns_dev = 1,
		.ns_ino = 1,
	};
	struct bpf_object *o =
		bpf_object__open_mem(pyflow_bpf, pyflow_bpf_end - pyflow_bpf, NULL);
	struct bpf_program *program;
	size_t size = 0;
	void *initial;

	if (!o)
		return NULL;
	initial = (void *)bpf_map__initial_value(
		bpf_object__find_map_by_name(o, ".rodata"), &size);
	CHECK(initial && size >= sizeof(settings));
	if (initial && size >= sizeof(settings))
		memcpy(initial, &settings, sizeof(settings));
	bpf_map__set_max_entries(bpf_object__find_map_by_name(o, "events"), BUFFER);
	bpf_object__for_each_program (program, o)
		if (!(flags & SETTINGS_FAULT))
			bpf_program__set_flags(program, 0);
	return o;
}

static double ms_since(const struct timespec *began)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - began->tv_sec) * 1e3 + (now.tv_nsec - began->tv_nsec) / 1e6;
}

/* How many instructions the verifier looked at. Told since Linux 5.16; before that 0. */
static void check_size(struct bpf_program *program, uint32_t most)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	CHECK_INT(bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size), 0);
	printf("#   %-8s %6u of %u\n", bpf_program__name(program), info.verified_insns,
	       most);
	CHECK(info.verified_insns < most);
}

static int check_load(const char *way, uint32_t flags, uint32_t most)
{
	struct bpf_object *o = open_object(flags);
	struct bpf_program *program;
	struct timespec began;
	int err;

	CHECK(o != NULL);
	if (!o)
		return -EINVAL;
	clock_gettime(CLOCK_MONOTONIC, &began);
	err = bpf_object__load(o);
	if (err != -EPERM)
		CHECK_INT(err, 0);
	if (!err) {
		printf("# %s: loaded in %.0f ms; instructions verified:\n", way,
		       ms_since(&began));
		bpf_object__for_each_program (program, o)
			check_size(program, most);
	}
	bpf_object__close(o);
	return err;
}

static int skip(const char *why)
{
	printf("skipped: %s\n", why);
	return SKIPPED;
}

int main(void)
{
	static const struct {
		const char *name;
		uint32_t flags;
	} kinds[] = {
		{ "plain", 0 },
		{ "all there is", SETTINGS_STOP | SETTINGS_ASK | SETTINGS_INHERIT |
					  SETTINGS_NOTES | SETTINGS_TASKS },
	};

	if (geteuid())
		return skip("only root can load BPF programs");
	libbpf_set_print(print_libbpf);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char way[64];

		snprintf(way, sizeof(way), "the usual way, %s", kinds[i].name);
		if (check_load(way, kinds[i].flags | SETTINGS_FAULT, MOST_USUAL) ==
		    -EPERM)
			return skip("not permitted to load BPF programs");
		snprintf(way, sizeof(way), "the old way, %s", kinds[i].name);
		check_load(way, kinds[i].flags, MOST_OLD);
	}
	return check_done();
}

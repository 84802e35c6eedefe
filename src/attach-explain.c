// SPDX-License-Identifier: GPL-2.0-or-later
/* Why the kernel refuses, and what to do about it. */
#include <config.h>

#include "attach-explain.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "log.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

enum { LEAST_MAJOR = 5, LEAST_MINOR = 15 };

bool attach_has_capability(int cap)
{
	struct __user_cap_header_struct header = { .version =
							   _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data))
		return true;
	return data[cap / 32].effective >> cap % 32 & 1;
}

/* Does the file hold this text? */
static bool file_says(const char *path, const char *text)
{
	char line[256];
	FILE *f = fopen(path, "re");
	bool says = f && fgets(line, sizeof(line), f) && strstr(line, text);

	if (f)
		fclose(f);
	return says;
}

static bool kernel_too_old(char *release, size_t size)
{
	unsigned int major, minor;
	struct utsname u;

	if (uname(&u) || sscanf(u.release, "%u.%u", &major, &minor) != 2)
		return false;
	snprintf(release, size, "%s", u.release);
	return major < LEAST_MAJOR || (major == LEAST_MAJOR && minor < LEAST_MINOR);
}

static const char *missing_feature(void)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return "the kernel was built without BTF (CONFIG_DEBUG_INFO_BTF)";
	if (access("/sys/bus/event_source/devices/uprobe/type", R_OK))
		return "the kernel was built without uprobes (CONFIG_UPROBE_EVENTS), or /sys is "
		       "not mounted";
	return NULL;
}

static const char *refusal(void)
{
	if (!attach_has_capability(CAP_SYS_ADMIN) && !attach_has_capability(CAP_BPF))
		return "the capability CAP_BPF is missing; run it as root (sudo pyflow ...)";
	if (!attach_has_capability(CAP_SYS_ADMIN) && !attach_has_capability(CAP_PERFMON))
		return "the capability CAP_PERFMON is missing; run it as root (sudo pyflow ...)";
	if (file_says("/sys/kernel/security/lockdown", "[confidentiality]"))
		return "kernel lockdown is in confidentiality mode, which forbids it to read "
		       "from processes";
	if (!attach_has_capability(CAP_SYS_ADMIN))
		return "this kernel wants the capability CAP_SYS_ADMIN for uprobes, as newer ones "
		       "do; run it as root (sudo pyflow ...)";
	return "a security module, or the container it runs in, forbids it (in a container: "
	       "give it CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE, and allow bpf() and "
	       "perf_event_open() in its seccomp profile)";
}

void attach_explain(const char *what, int err)
{
	char release[80];

	if (err == -EPERM || err == -EACCES)
		warn("not permitted to %s: %s", what, refusal());
	else if (kernel_too_old(release, sizeof(release)))
		warn("cannot %s: kernel %s is too old, %d.%d is the least", what, release,
		     LEAST_MAJOR, LEAST_MINOR);
	else if (missing_feature())
		warn("cannot %s: %s", what, missing_feature());
	else if (err == -ENOSYS)
		warn("cannot %s: the kernel was built without it (CONFIG_BPF_SYSCALL, "
		     "CONFIG_PERF_EVENTS)",
		     what);
	else
		warn("cannot %s: %s (-vvv shows what the kernel said)", what,
		     strerror(-err));
}

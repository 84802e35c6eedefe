// SPDX-License-Identifier: GPL-2.0-or-later
/* Nothing: what a probe costs before anything is done in it. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("uprobe")
int nothing(void *ctx)
{
	(void)ctx;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";

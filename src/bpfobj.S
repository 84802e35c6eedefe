/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The compiled BPF object, as it is. */
	.section .rodata
	.global pyflow_bpf, pyflow_bpf_end
	.balign 8
pyflow_bpf:
	.incbin "bpf/pyflow.bpf.o"
pyflow_bpf_end:
	.section .note.GNU-stack, "", %progbits

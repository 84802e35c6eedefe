/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of another process, which may lie about what is where. */
#ifndef PYFLOW_MEMORY_H
#define PYFLOW_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Read size bytes at an address. Returns how many could be read. */
size_t memory_read(pid_t pid, uint64_t address, void *data, size_t size);

/* The string at an address, up to max bytes of it; "" if it cannot be read. The caller
 * frees it. */
char *memory_string(pid_t pid, uint64_t address, size_t max);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading another process's memory, a page at a time. */
#include <config.h>

#include "memory.h"

#include <string.h>
#include <sys/uio.h>

#include "xalloc.h"

enum { PAGE = 4096 };

size_t memory_read(pid_t pid, uint64_t address, void *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t n = PAGE - (address + done) % PAGE;
		struct iovec to, from = { (void *)(uintptr_t)(address + done), n };
		ssize_t got;

		if (n > size - done)
			from.iov_len = n = size - done;
		to = (struct iovec){ (char *)data + done, n };
		got = process_vm_readv(pid, &to, 1, &from, 1, 0);
		if (got <= 0)
			break;
		done += got;
	}
	return done;
}

char *memory_string(pid_t pid, uint64_t address, size_t max)
{
	size_t size = 0, room = PAGE;
	char *text = xcalloc(room, 1);

	while (address && size < max) {
		size_t n = PAGE - (address + size) % PAGE, got;

		if (size + n + 1 > room)
			text = xrealloc(text, room *= 2, 1);
		got = memory_read(pid, address + size, text + size, n);
		text[size + got] = '\0';
		if (!got || strlen(text + size) < got)
			break;
		size += got;
	}
	return text;
}
